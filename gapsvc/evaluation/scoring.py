"""Scores: from counts and observations to one number. Pure decimal arithmetic; 8 decimals, as CQL's Decimal.

Source: FHIR Clinical Reasoning §Measure scoring; the tables are those of gapsvc.measures.scoring.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from types import MappingProxyType
from typing import Final

from gapsvc.evaluation.result import Observations

_PLACES: Final = Decimal("1e-8")


class DifferentUnits(ValueError):
    """Observations of one population in several units: they can't be aggregated."""


def _average(values: Sequence[Decimal]) -> Decimal:
    return sum(values, Decimal(0)) / len(values)


def _median(values: Sequence[Decimal]) -> Decimal:
    """The middle value; of an even number the mean of the two in the middle."""
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(values) % 2 else (ordered[half - 1] + ordered[half]) / 2


# What each aggregate method makes of values of which there is at least one.
_AGGREGATES: Final[Mapping[str, Callable[[Sequence[Decimal]], Decimal]]] = MappingProxyType(
    {
        "count": lambda values: Decimal(len(values)),
        "sum": lambda values: sum(values, Decimal(0)),
        "average": _average,
        "median": _median,
        "minimum": min,
        "maximum": max,
    }
)
_OF_NOTHING: Final = MappingProxyType({"count": Decimal(0), "sum": Decimal(0)})


def aggregate(observations: Observations) -> Decimal | None:
    """The observations as one number; of none at all a count and a sum are 0, the others are not known (None)."""
    if not observations.values:
        return _OF_NOTHING.get(observations.aggregate)
    return rounded(_AGGREGATES[observations.aggregate](observations.values))


def score(scoring: str, populations: Mapping[str, int], observations: Sequence[Observations] = ()) -> Decimal | None:
    """A group's score over one person or many; None where there is nothing to divide by or to aggregate.

    Exclusions and exceptions are taken off here: `populations` counts them in what they exclude from.
    """
    if not observations and scoring in ("proportion", "ratio"):  # the usual case, for one person mostly 0 or 1
        over, under = remaining(populations, "numerator"), remaining(populations, "denominator")
        if not under:
            return None
        return Decimal(over // under) if over % under == 0 else rounded(Decimal(over) / Decimal(under))
    by_population = {one.of: aggregate(one) for one in observations}
    if scoring == "continuous-variable":
        return by_population.get("measure-population")
    if scoring not in ("proportion", "ratio"):
        return None
    numerator, denominator = (
        by_population[side] if side in by_population else Decimal(remaining(populations, side))
        for side in ("numerator", "denominator")
    )
    if numerator is None or not denominator:
        return None
    return rounded(numerator / denominator)


def remaining(populations: Mapping[str, int], side: str) -> int:
    """What is left of `denominator` or `numerator` once exclusions and exceptions are taken off; not below 0."""
    less = populations.get(f"{side}-exclusion", 0) + populations.get(f"{side}-exception", 0)
    return max(populations.get(side, 0) - less, 0)


def together(parts: Sequence[Observations]) -> Observations:
    """Observations of one population from several persons (at least one), in their order.

    Raises:
        DifferentUnits: they are in several units.
    """
    units = sorted({part.unit or "1" for part in parts if part.values})
    if len(units) > 1:
        raise DifferentUnits(f"observations of the {parts[0].of} are in several units: {', '.join(units)}")
    unit = next((part.unit for part in parts if part.values), None)
    return Observations(parts[0].of, parts[0].aggregate, tuple(v for part in parts for v in part.values), unit)


def rounded(value: Decimal) -> Decimal:
    """To 8 decimals, without trailing zeros."""
    with localcontext(prec=80):  # 28 digits before the point and 8 after it are more than the default holds
        exact = value.quantize(_PLACES, ROUND_HALF_UP).normalize()
        return exact if exact == 0 or exact.adjusted() < 0 or exact % 1 else exact.quantize(Decimal(1))
