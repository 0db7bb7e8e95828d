"""Who reported what a result rests on, and which of it two sources report. Pure.

A result keeps the source of every resource that was looked at, so that the page, the card and the MeasureReport can say
it without the record. What a measure puts aside because another on its day counts is told as what it is where another
source reports the one that counts: the same visit or service, reported twice.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gapsvc.evaluation.result import Discounted, GroupResult
from gapsvc.records.duplicates import repeated_elsewhere

SAME_DAY = "same-day"  # measures/common/*.cql


class EvidenceSources(Mapping[str, str]):
    """Resource that was evaluated -> its source, where the record names it.

    A view, and not a dictionary of its own: every result has one and few are asked.
    """

    __slots__ = ("_evaluated", "_known")

    def __init__(self, evaluated: Mapping[str, object], known: Mapping[str, str]) -> None:
        self._evaluated = evaluated
        self._known = known

    def __getitem__(self, reference: str) -> str:
        if reference not in self._evaluated:
            raise KeyError(reference)
        return self._known[reference]

    def __iter__(self) -> Iterator[str]:
        return (reference for reference in self._evaluated if reference in self._known)

    def __len__(self) -> int:
        return sum(1 for _reference in self)


def told_twice(groups: tuple[GroupResult, ...], sources: Mapping[str, str]) -> tuple[GroupResult, ...]:
    """The groups, with what two sources report told as such; themselves where there is no such thing."""
    for group in groups:
        for item in group.gap.discounted:
            if item.reason == SAME_DAY:
                return tuple(_told(one, sources) for one in groups)
    return groups


def _told(group: GroupResult, sources: Mapping[str, str]) -> GroupResult:
    gap = group.gap
    counted = [(item.reference, item.on) for item in gap.counted]
    discounted = tuple(
        Discounted(item.reference, item.on, item.reason, text)
        if item.reason == SAME_DAY
        and (text := repeated_elsewhere(item.reference, item.on, counted, sources)) is not None
        else item
        for item in gap.discounted
    )
    return replace(group, gap=replace(gap, discounted=discounted)) if discounted != gap.discounted else group
