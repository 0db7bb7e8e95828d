"""What an evaluation says of one person and one measure: populations, and one gap record per rate.

Everything downstream (DetectedIssue, MeasureReport, page, worklist, push) reads these values and nothing else.
They are frozen, hold no FHIR and no CQL values (dates are `datetime.date`), and carry their own evidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum


class GapStatus(StrEnum):
    """DEQM CodeSystem gaps-status."""

    NOT_APPLICABLE = "not-applicable"
    CLOSED = "closed-gap"
    PROSPECTIVE = "prospective-gap"
    OPEN = "open-gap"


class Outlook(StrEnum):
    """Whether the need can still be met in this period."""

    MET = "met"
    ON_TRACK = "on track"
    AT_RISK = "at risk"
    MISSED = "missed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Coding:
    system: str
    code: str
    display: str | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """What would close the gap: worded for a clinician, and coded.

    A need of several services at once (a combination of vaccines) names the others in `further`: all are needed.
    """

    text: str
    coding: Coding
    further: tuple[Coding, ...] = ()

    @property
    def codings(self) -> tuple[Coding, ...]:
        """Every service that is needed."""
        return (self.coding, *self.further)


@dataclass(frozen=True, slots=True)
class DataRequirement:
    """The data that would satisfy a reason (becomes FHIR DataRequirement)."""

    resource_type: str
    code_path: str | None = None
    value_set: str | None = None
    date_path: str | None = None
    date_from: date | None = None
    date_to: date | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the gap has its status. `code` is a DEQM care-gap-reason (`Missing`, `CountOutOfRange`, ...)."""

    code: str
    text: str
    reference: str | None = None
    path: str | None = None
    requirement: DataRequirement | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A resource that counts towards the need. `on` is the day it counts for."""

    reference: str
    on: date | None


@dataclass(frozen=True, slots=True)
class Discounted:
    """A resource that was looked at and does not count. `reason` is a code of ours, `text` its wording."""

    reference: str
    on: date | None
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Basis:
    """What the result rests on."""

    measure: str  # canonical url|version
    software: str  # "gapsvc 0.1.0"
    schedule: str | None  # visit or immunization schedule and its version
    data_as_of: Mapping[str, str]  # source -> instant of the last complete pull (ISO 8601)
    # Whom the measure is about: "clinic" (the registry) or "plan" (enrolled); None: as the measure itself says.
    population: str | None = None


@dataclass(frozen=True, slots=True)
class GapRecord:
    """One person's gap in one rate of one measure over one period, as of one day (design/gaps.md)."""

    status: GapStatus
    need: Need | None
    needed: int | None
    done: int | None
    due_from: date | None
    due_by: date | None
    last_day: date | None
    outlook: Outlook
    reasons: tuple[Reason, ...]
    counted: tuple[Counted, ...]
    discounted: tuple[Discounted, ...]
    changes_on: date | None
    basis: Basis


@dataclass(frozen=True, slots=True)
class Label:
    """A value or a name in words, and coded where it was."""

    text: str
    coding: Coding | None = None


@dataclass(frozen=True, slots=True)
class Observations:
    """The measure observations of one population: `values` in a stable order, all in `unit` (UCUM; None: plain)."""

    of: str  # denominator | numerator | measure-population
    aggregate: str  # count | sum | average | median | minimum | maximum
    values: tuple[Decimal, ...]
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Stratum:
    """Those members of a group for whom each component of the stratifier has the same value."""

    values: tuple[Label, ...]
    populations: Mapping[str, int]
    observations: tuple[Observations, ...] = ()
    score: Decimal | None = None


@dataclass(frozen=True, slots=True)
class StratifierResult:
    """A stratifier's strata, each met. `codes` names its components, or itself where it has none."""

    id: str
    codes: tuple[Label, ...]
    has_components: bool
    strata: tuple[Stratum, ...]


@dataclass(frozen=True, slots=True)
class SupplementalValue:
    """One value of supplemental data: a resource (`Coverage/7`), or a value in words and code."""

    reference: str | None = None
    label: Label | None = None


@dataclass(frozen=True, slots=True)
class SupplementalResult:
    """What one supplemental data element (or risk adjustment factor) says of a person."""

    id: str
    usage: str
    code: Label
    values: tuple[SupplementalValue, ...]


@dataclass(frozen=True, slots=True)
class GroupResult:
    """One rate of a measure: `populations` maps population names to 0 or 1 (boolean basis), or to a count of members.

    `score` is None where nothing is left to score. `scoring` and `improvement_notation` are empty where the measure's
    own apply.
    """

    id: str
    description: str
    populations: Mapping[str, int]
    gap: GapRecord
    score: Decimal | None = None
    scoring: str = ""
    improvement_notation: str = ""
    observations: tuple[Observations, ...] = ()
    stratifiers: tuple[StratifierResult, ...] = ()


@dataclass(frozen=True, slots=True)
class MeasureResult:
    """One person, one measure, one period, as of one day. `subject` is `Patient/<id>`."""

    subject: str
    measure_id: str
    measure_url: str
    measure_version: str
    measure_title: str
    scoring: str  # proportion | ratio | ...
    improvement_notation: str  # increase | decrease
    period_start: date
    period_end: date  # inclusive
    as_of: date
    groups: tuple[GroupResult, ...]
    # Every resource that was looked at -> the population/group ids it had a part in (may be empty)
    evaluated: Mapping[str, tuple[str, ...]]
    supplemental: tuple[SupplementalResult, ...] = ()
    # Resource that was looked at -> the source that reported it, where known
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
