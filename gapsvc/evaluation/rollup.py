"""Counts of one rate over many people, whole and by stratum: what summaries, equity figures and reports are made of.

Persons are counted, boolean basis. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from gapsvc.evaluation.result import Coding


@dataclass(frozen=True, slots=True, order=True)
class Category:
    """A value of one dimension ("race": Black or African American). `code` is stable, `text` is read.

    `source` keeps apart how it is known: "direct" (the person was asked), "imputed", or "" where that has no meaning.
    """

    dimension: str  # race | ethnicity | language | clinic | plan | zip | age | sex
    code: str
    text: str
    source: str = ""
    coding: Coding | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """How many persons. `denominator` is without those excluded or excepted; `final_*` counts those whose result time
    and further services can't change any more (see evaluation.tally)."""

    initial_population: int = 0
    excluded: int = 0
    denominator: int = 0
    numerator: int = 0
    final_denominator: int = 0
    final_numerator: int = 0

    def __add__(self, other: "Cell") -> "Cell":
        return Cell(
            self.initial_population + other.initial_population,
            self.excluded + other.excluded,
            self.denominator + other.denominator,
            self.numerator + other.numerator,
            self.final_denominator + other.final_denominator,
            self.final_numerator + other.final_numerator,
        )


@dataclass(frozen=True, slots=True)
class RateRollup:
    """One rate of one measure: all persons, and by dimension those of each category (in a stable order)."""

    measure_id: str
    group_id: str
    title: str
    total: Cell
    strata: Mapping[str, Mapping[Category, Cell]]


@dataclass(frozen=True, slots=True)
class Rollup:
    """All rates over one period as of one day. `persons` counts everybody looked at."""

    period_start: date
    period_end: date
    as_of: date
    persons: int
    rates: tuple[RateRollup, ...]
