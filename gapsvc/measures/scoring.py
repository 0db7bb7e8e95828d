"""What each kind of scoring asks of a group, and how its populations draw on each other: decision tables.

Source: FHIR Clinical Reasoning §Measure scoring, Quality Measure IG (CQFM) "Measure Scoring" and "Criteria Names".
A population is named by its measure-population code. A ratio may have a second initial population, from which its
numerator is drawn; it goes by `NUMERATOR_INITIAL_POPULATION` (what stands before the dot is the code).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

NUMERATOR_INITIAL_POPULATION: Final = "initial-population.numerator"
OBSERVATION: Final = "measure-observation"
REQUIRED, OPTIONAL = "required", "optional"


@dataclass(frozen=True, slots=True)
class PopulationRow:
    """A population, and what it is drawn from: the first of `of` that the group has, less those in `without`."""

    population: str
    of: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


# In the order in which each depends on those before it.
POPULATION_ROWS: Final[Mapping[str, tuple[PopulationRow, ...]]] = MappingProxyType(
    {
        "proportion": (
            PopulationRow("initial-population"),
            PopulationRow("denominator", ("initial-population",)),
            PopulationRow("denominator-exclusion", ("denominator",)),
            PopulationRow("numerator", ("denominator",), ("denominator-exclusion",)),
            PopulationRow("numerator-exclusion", ("numerator",)),
            PopulationRow("denominator-exception", ("denominator",), ("denominator-exclusion", "numerator")),
        ),
        # The numerator of a ratio need not be part of its denominator.
        "ratio": (
            PopulationRow("initial-population"),
            PopulationRow(NUMERATOR_INITIAL_POPULATION),
            PopulationRow("denominator", ("initial-population",)),
            PopulationRow("denominator-exclusion", ("denominator",)),
            PopulationRow("numerator", (NUMERATOR_INITIAL_POPULATION, "initial-population")),
            PopulationRow("numerator-exclusion", ("numerator",)),
        ),
        "continuous-variable": (
            PopulationRow("initial-population"),
            PopulationRow("measure-population", ("initial-population",)),
            PopulationRow("measure-population-exclusion", ("measure-population",)),
        ),
        "cohort": (PopulationRow("initial-population"),),
    }
)

# Which populations a group of each scoring has; one that is not named may not be there.
PERMITTED: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "proportion": {
            "initial-population": REQUIRED,
            "denominator": REQUIRED,
            "denominator-exclusion": OPTIONAL,
            "denominator-exception": OPTIONAL,
            "numerator": REQUIRED,
            "numerator-exclusion": OPTIONAL,
        },
        "ratio": {
            "initial-population": REQUIRED,
            "denominator": REQUIRED,
            "denominator-exclusion": OPTIONAL,
            "numerator": REQUIRED,
            "numerator-exclusion": OPTIONAL,
            "measure-observation": OPTIONAL,
        },
        "continuous-variable": {
            "initial-population": REQUIRED,
            "measure-population": REQUIRED,
            "measure-population-exclusion": OPTIONAL,
            "measure-observation": REQUIRED,
        },
        "cohort": {"initial-population": REQUIRED},
    }
)

# The population of which an observation is made -> those taken off it first.
OBSERVED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "measure-population": "measure-population-exclusion",
        "denominator": "denominator-exclusion",
        "numerator": "numerator-exclusion",
    }
)
# scoring -> the populations that observations may be made of
OBSERVABLE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"continuous-variable": ("measure-population",), "ratio": ("denominator", "numerator")}
)
AGGREGATES: Final = ("count", "sum", "average", "median", "minimum", "maximum")
# DEQM infers gaps for these only.
SCORINGS_WITH_GAPS: Final = ("proportion", "ratio")


def code_of(population: str) -> str:
    """The measure-population code of a population's name."""
    return population.partition(".")[0]
