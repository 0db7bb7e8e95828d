"""Proportions of persons: exact rates, score intervals, differences, and how many more persons a target asks for.

Rates and targets are fractions, so a rate that is exactly at its target is there; only intervals are floats.

Sources:
- interval of a rate: E. B. Wilson, J Am Stat Assoc 22 (1927) 209-212; without continuity correction, method 3 of
  R. G. Newcombe, Stat Med 17 (1998) 857-872.
- interval of a difference of two independent rates: method 10 of R. G. Newcombe, Stat Med 17 (1998) 873-890.
- interval of a difference of two independent differences: the same square-and-add step applied once more (MOVER;
  G. Y. Zou, A. Donner, Stat Med 27 (2008) 1693-1702).
- interval of a ratio of two independent rates: MOVER-R, from the same Wilson intervals (A. Donner, G. Y. Zou, Stat
  Methods Med Res 21 (2012) 347-359; R. G. Newcombe, ibid. 25 (2016) 1774-1778; from memory). It holds 1 exactly where
  the interval of the difference holds 0, and there is one where nobody of the first is met (Katz's has none).
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, hypot, inf, sqrt
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, as shares of one (0.05 is five percentage points); both ends belong to it."""

    low: float
    high: float

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float | Fraction) and self.low <= value <= self.high

    @property
    def negated(self) -> "Interval":
        """The interval of the same quantity with the other sign."""
        return Interval(-self.high, -self.low)

    def scaled(self, factor: float | Fraction) -> "Interval":
        """The interval of the quantity times a factor that is not negative."""
        return Interval(self.low * float(factor), self.high * float(factor))


@dataclass(frozen=True, slots=True)
class Proportion:
    """`numerator` of `denominator` persons.

    Raises:
        ValueError: there is nobody, or the numerator is no part of the denominator.
    """

    numerator: int
    denominator: int

    def __post_init__(self) -> None:
        if self.denominator < 1:
            raise ValueError(f"a proportion of nobody: the denominator is {self.denominator}, expected 1 or more")
        if not 0 <= self.numerator <= self.denominator:
            raise ValueError(f"{self.numerator} of {self.denominator}: expected a numerator from 0 to the denominator")

    @property
    def rate(self) -> Fraction:
        """The share that is met, exactly."""
        return Fraction(self.numerator, self.denominator)

    def without(self, part: "Proportion") -> "Proportion | None":
        """The persons that are not in `part`, which is some of these; None where that is nobody."""
        rest = self.denominator - part.denominator
        return None if rest == 0 else Proportion(self.numerator - part.numerator, rest)


def wilson(found: Proportion, confidence: float = CONFIDENCE) -> Interval:
    """The score interval of a rate."""
    z = _deviate(confidence)
    n, rate = found.denominator, found.numerator / found.denominator
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # At the ends the formula gives 0 and 1 exactly; floats miss them by a rounding error.
    low = 0.0 if found.numerator == 0 else middle - half
    high = 1.0 if found.numerator == n else middle + half
    return Interval(low, high)


def newcombe(first: Proportion, second: Proportion, confidence: float = CONFIDENCE) -> Interval:
    """The interval of `first.rate - second.rate`. The two are of different persons, chosen independently."""
    return _squared_and_added(
        first.rate, wilson(first, confidence), second.rate, wilson(second, confidence), Interval(-1.0, 1.0)
    )


def ratio(first: Proportion, second: Proportion, confidence: float = CONFIDENCE) -> Interval:
    """The interval of `first.rate / second.rate`, of different persons; it has no upper end (infinity) where nobody of
    the second is met."""
    one, two = float(first.rate), float(second.rate)
    of_one, of_two = wilson(first, confidence), wilson(second, confidence)
    both = one * two
    least, most = of_one.low * (2 * one - of_one.low), of_one.high * (2 * one - of_one.high)
    below, above = of_two.low * (2 * two - of_two.low), of_two.high * (2 * two - of_two.high)
    # The lower end as it is published is (both - root) / above; this is the same where `above` is near 0.
    low = least / (both + sqrt(max(0.0, both * both - least * above))) if least else 0.0
    high = (both + sqrt(max(0.0, both * both - most * below))) / below if below else inf
    return Interval(low, high)


def difference_of_differences(now: Fraction, of_now: Interval, before: Fraction, of_before: Interval) -> Interval:
    """The interval of `now - before`, two differences with their intervals, of independent groups of persons."""
    return _squared_and_added(now, of_now, before, of_before, Interval(-2.0, 2.0))


def short_by(found: Proportion, target: Fraction) -> int:
    """How many more of these persons must be met so that the rate is at least `target`; negative: how many are to
    spare, that is, could be missing and the rate would still be there. The least such number.

    Raises:
        ValueError: the target is more than everybody.
    """
    if target > 1:
        raise ValueError(f"no rate can reach {float(target):.2%}")
    return max(0, ceil(target * found.denominator)) - found.numerator


def _squared_and_added(
    first: Fraction, of_first: Interval, second: Fraction, of_second: Interval, bounds: Interval
) -> Interval:
    one, two = float(first), float(second)
    low = one - two - hypot(one - of_first.low, of_second.high - two)
    high = one - two + hypot(of_first.high - one, two - of_second.low)
    return Interval(max(low, bounds.low), min(high, bounds.high))


def _deviate(confidence: float) -> float:
    """The two-sided standard normal deviate: 1.96 for 0.95."""
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence level lies between 0 and 1; it is {confidence}")
    return NormalDist().inv_cdf((1 + confidence) / 2)
