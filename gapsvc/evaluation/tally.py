"""Counting results: how each rate of each measure stands over the people evaluated."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from gapsvc.evaluation.result import GapStatus, MeasureResult


@dataclass(slots=True)
class RateTally:
    """One rate's counts. `denominator` is without those excluded or excepted, `numerator` without its exclusions.
    `outside` counts the persons of the initial population that are not in the denominator at all (of the population
    "plan": not continuously enrolled).

    `final_denominator` and `final_numerator` count only those whose last day (or, where the measure says none, the
    period) is past: their result can't change by another service any more. The rest of the denominator may still rise.
    """

    initial_population: int = 0
    excluded: int = 0
    outside: int = 0
    denominator: int = 0
    numerator: int = 0
    final_denominator: int = 0
    final_numerator: int = 0
    statuses: Counter[str] = field(default_factory=Counter[str])
    outlooks: Counter[str] = field(default_factory=Counter[str])

    @property
    def rate(self) -> float | None:
        """numerator / denominator; None where nobody is in the denominator."""
        return self.numerator / self.denominator if self.denominator else None

    @property
    def final_rate(self) -> float | None:
        """The rate over those whose result is final; None where there is nobody yet."""
        return self.final_numerator / self.final_denominator if self.final_denominator else None


@dataclass(slots=True)
class Tally:
    """Counts by (measure id, group id); `results` counts the MeasureResults added."""

    results: int = 0
    rates: dict[tuple[str, str], RateTally] = field(default_factory=dict[tuple[str, str], RateTally])

    def add(self, result: MeasureResult) -> None:
        """Count one person's result."""
        self.results += 1
        for group in result.groups:
            rate = self.rates.setdefault((result.measure_id, group.id), RateTally())
            populations: Mapping[str, int] = group.populations
            if group.gap.status is GapStatus.NOT_APPLICABLE:
                continue
            rate.initial_population += populations.get("initial-population", 0)
            if populations.get("denominator-exclusion") or populations.get("denominator-exception"):
                rate.excluded += 1
            elif not populations.get("denominator"):
                rate.outside += 1
            else:
                met = 0 if populations.get("numerator-exclusion") else populations.get("numerator", 0)
                rate.denominator += populations["denominator"]
                rate.numerator += met
                if (group.gap.last_day or result.period_end) < result.as_of:
                    rate.final_denominator += populations["denominator"]
                    rate.final_numerator += met
            rate.statuses[group.gap.status.value] += 1
            rate.outlooks[group.gap.outlook.value] += 1
