"""The compiled schedule: CDC's supporting data as immutable objects, indexed the way the rules ask for them.

Names are the Logic Specification's (chapter 3 and its domain model). Ages and intervals are `Offset`s, interned per
schedule; days are ordinals; an absent limit is None, except effective dates, which always have bounds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .calendar import AgeScale, Offset

SeriesType = Literal["standard", "risk", "evaluation only"]
VaccineWindow = tuple[Offset | None, Offset | None]  # begin age, end age (exclusive)


@dataclass(frozen=True, slots=True)
class AgeRule:
    """One row of a dose's ages, in force from `effective` to `cessation`, both inclusive."""

    absolute_minimum: Offset | None
    minimum: Offset | None
    earliest_recommended: Offset | None
    latest_recommended: Offset | None
    maximum: Offset | None
    effective: int
    cessation: int


@dataclass(frozen=True, slots=True)
class IntervalRule:
    """A preferable or allowable interval, and what it counts from (CALCDTINT-1, 2, 8, 9).

    Exactly one of: `from_previous`, `from_target` (a dose number), `from_recent` (CVX codes), `from_observation`.
    """

    from_previous: bool
    from_target: int | None
    from_recent: frozenset[str]
    from_observation: str | None
    absolute_minimum: Offset | None
    minimum: Offset | None
    earliest_recommended: Offset | None
    latest_recommended: Offset | None
    has_priority: bool
    effective: int
    cessation: int


@dataclass(frozen=True, slots=True)
class PreferableVaccine:
    """A product that a dose prefers; `offered`: forecasts may name it (forecast vaccine type flag)."""

    cvx: str
    begin: Offset | None
    end: Offset | None
    trade_name: str | None
    mvx: str | None
    volume: float | None
    offered: bool


@dataclass(frozen=True, slots=True)
class SkipCondition:
    """A condition of a conditional skip (Tables 6-6 to 6-9); `kind` says which of the other fields count."""

    kind: Literal["age", "interval", "completed series", "count"]
    begin: Offset | None = None
    end: Offset | None = None
    interval: Offset | None = None
    series_groups: frozenset[str] = frozenset()
    start_day: int = 0
    end_day: int = 0
    comparison: Literal[">", "=", "<"] = ">"
    count: int = 0
    valid_only: bool = False
    vaccines: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SkipSet:
    """Conditions of which all, or any one, must hold; in force between the two days."""

    all_of: bool
    effective: int
    cessation: int
    conditions: tuple[SkipCondition, ...]


@dataclass(frozen=True, slots=True)
class Skip:
    """One conditional skip of a dose: sets of which all, or any one, must be met."""

    all_of: bool
    sets: tuple[SkipSet, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SeriesDose:
    """A dose of a series and every rule about it."""

    number: int
    ages: tuple[AgeRule, ...]
    only_age: AgeRule | None  # the row, where there is one and it is always in force
    intervals: tuple[IntervalRule, ...]
    allowable_intervals: tuple[IntervalRule, ...]
    preferable: Mapping[str, tuple[PreferableVaccine, ...]]
    products: tuple[PreferableVaccine, ...]  # every preferable vaccine ...
    offered: tuple[PreferableVaccine, ...]  # ... and those that forecasts may name
    live: tuple[str, ...]  # preferable CVX codes that may conflict with an earlier vaccine
    allowable: Mapping[str, tuple[VaccineWindow, ...]]
    inadvertent: frozenset[str]
    evaluation_skips: tuple[Skip, ...]
    forecast_skips: tuple[Skip, ...]
    recurring: bool
    season_start: int | None
    season_end: int | None

    def __repr__(self) -> str:
        return f"<dose {self.number}>"

    def age_rule(self, anchor: int) -> AgeRule | None:
        """The row of ages in force on `anchor` (RELEVANT-1, RELEVANT-2)."""
        if self.only_age is not None:
            return self.only_age
        for rule in self.ages:
            if rule.effective <= anchor <= rule.cessation:
                return rule
        return None


@dataclass(frozen=True, slots=True)
class Indication:
    """An observation that makes a risk series relevant, within an age window."""

    code: str
    begin: Offset | None
    end: Offset | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Series:
    """A path to immunity against one antigen."""

    index: int  # its place in the schedule: identifies it and settles ties
    name: str
    antigen: str
    vaccine_group: str
    kind: SeriesType
    blends_as: Literal["standard", "risk"]  # an 'evaluation only' series counts as what its series group is
    genders: frozenset[str]
    indications: tuple[Indication, ...]
    series_group: str
    series_group_name: str
    equivalent_groups: frozenset[str]
    is_default: bool
    is_product_path: bool
    priority: str
    preference: int | None
    min_age_to_start: Offset | None
    max_age_to_start: Offset | None
    doses: tuple[SeriesDose, ...]
    preferable_vaccines: frozenset[str]
    waits_for_groups: frozenset[str]  # series groups whose completion its skips ask about
    skip_intervals: tuple[Offset, ...]  # times since the last dose after which a forecast may skip a target

    def __repr__(self) -> str:
        return f"<series {self.name}>"


@dataclass(frozen=True, slots=True)
class BirthDateImmunity:
    """Born before this day, in this country where one is named, without an excluding observation: immune."""

    before: int
    country: str | None
    exceptions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Contraindication:
    """An observation that bars an antigen (`vaccines` empty) or some vaccines, each within an age window."""

    code: str
    begin: Offset | None
    end: Offset | None
    vaccines: tuple[tuple[str, Offset | None, Offset | None], ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Antigen:
    """All that the schedule says of one antigen. `series` are ordered: those that wait for others come last."""

    name: str
    vaccine_group: str
    immunity_observations: frozenset[str]
    birth_immunity: tuple[BirthDateImmunity, ...]
    contraindications: tuple[Contraindication, ...]
    product_contraindications: tuple[Contraindication, ...]
    without_indication: Mapping[str, tuple[Series, ...]]  # gender -> series that need no observation
    series: tuple[Series, ...]
    observations: frozenset[str]  # every observation that can matter here
    concerned: frozenset[str]  # CVX codes of every dose that can matter here, of other antigens too
    ages: AgeScale  # every age, and ...
    days: tuple[int, ...]  # ... every first day of something (in order), on which a forecast can change

    def __repr__(self) -> str:
        return f"<antigen {self.name}>"


@dataclass(frozen=True, slots=True)
class VaccineGroup:
    """Antigens given together; `full`: administer-full-vaccine-group flag (FORECASTDN-2)."""

    name: str
    full: bool
    antigens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vaccine:
    """A CVX code and the antigens that a dose of it holds, by age at administration."""

    cvx: str
    name: str
    antigens: tuple[tuple[str, Offset | None, Offset | None], ...]
    holds: frozenset[str]  # the antigens, at any age


@dataclass(frozen=True, slots=True)
class Conflict:
    """Days after a previous vaccine from which, and until which, another conflicts with it (Table 6-24)."""

    begin: Offset
    minimum_end: Offset
    end: Offset


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Schedule:
    """A version of the schedule, ready for use. Immutable; safe to share between threads."""

    version: str
    source: str
    antigens: Mapping[str, Antigen]
    groups: Mapping[str, VaccineGroup]
    vaccines: Mapping[str, Vaccine]
    conflicts: Mapping[str, Mapping[str, Conflict]]  # current CVX -> previous CVX -> conflict
    conflicting: frozenset[str]  # CVX codes that are 'previous' in some conflict
    observation_titles: Mapping[str, str]
    observation_codes: Mapping[tuple[str, str], tuple[str, ...]]  # (code system, code) -> CDSi observations

    def __repr__(self) -> str:
        return f"<schedule {self.version}>"
