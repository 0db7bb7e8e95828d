"""Whom a measure is about: the registry of a clinic, or those enrolled with a plan (design/measures.md "Common").

The two are two definitions of one measure: rates of the one must never be taken for the other's. So the population is
part of the measure's version (`1.0.0`, `1.0.0-plan`, `1.0.0-plan-monthly`), which reports, stored results and the
Measure resource carry, and of its title.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from gapsvc.measures.definition import MeasureDefinition

CLINIC: Final = "clinic"
PLAN: Final = "plan"
DAILY: Final = "daily"
MONTHLY: Final = "monthly"


@dataclass(frozen=True, slots=True)
class AboutWhom:
    """`population`: clinic or plan. `check`: how enrolment is checked, daily (one gap of 45 days) or monthly (one of a
    month, as Medicaid mostly does); it is asked of the population plan only."""

    population: str = CLINIC
    check: str = DAILY

    def __post_init__(self) -> None:
        for value, known in ((self.population, (CLINIC, PLAN)), (self.check, (DAILY, MONTHLY))):
            if value not in known:
                raise ValueError(f"{value!r} is not known; expected {' or '.join(known)}")

    @property
    def monthly(self) -> bool:
        """Whether enrolment is asked for, and by month."""
        return self.population == PLAN and self.check == MONTHLY

    @property
    def parameters(self) -> Mapping[str, str | bool]:
        """The parameters of measures/common/Enrolment.cql."""
        if self.population == CLINIC:
            return MappingProxyType({})
        return MappingProxyType({"Population": PLAN, "Enrolment Checked Monthly": self.monthly})


def about(measure: MeasureDefinition, whom: AboutWhom) -> MeasureDefinition:
    """One of our own measures for a population; one that a user brought says itself whom it is about."""
    if measure.resources or whom.population == CLINIC:
        return measure
    suffix, words = ("-plan-monthly", ", checked by month") if whom.monthly else ("-plan", "")
    return replace(
        measure,
        version=f"{measure.version}{suffix}",
        title=f"{measure.title}: children enrolled with a plan{words}",
        population=PLAN,
        parameters=MappingProxyType({**measure.parameters, **whom.parameters}),
    )
