"""Randomness that follows from the seed alone: a stream of its own for each purpose, and weighted choice."""

from collections.abc import Sequence
from random import Random


def stream(seed: int, *purpose: object) -> Random:
    """A generator of its own for one purpose, from the seed."""
    return Random("/".join(str(part) for part in (seed, *purpose)))  # noqa: S311  (synthetic data, not secrets)


def weighted(rng: Random, cumulative: Sequence[int]) -> int:
    """An index drawn by weight; `cumulative` holds the sums of the weights so far."""
    ticket = rng.randrange(cumulative[-1])
    return next(at for at, bound in enumerate(cumulative) if ticket < bound)
