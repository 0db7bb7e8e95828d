"""A child's preventive visits and screenings as of a day: the values that the visit schedule gives. Pure.

Dates are whole days, all windows inclusive. Everything downstream (action list, page, card) reads these values.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class SlotStatus(StrEnum):
    """Where a visit slot, or a service of the schedule, stands.

    NOT_DUE: its window has not opened, nor will within the schedule's notice. DUE_SOON: it opens within the notice.
    DUE: open and not overdue. OVERDUE: overdue, and a visit still fills it. DONE: filled. MISSED: the window closed
    without a visit, and the child is still seen by this schedule. AGED_OUT: closed before anything was known of the
    child here (before the first record), or past the schedule's last age.
    """

    NOT_DUE = "not due"
    DUE_SOON = "due soon"
    DUE = "due"
    OVERDUE = "overdue"
    DONE = "done"
    MISSED = "missed"
    AGED_OUT = "aged out"


@dataclass(frozen=True, slots=True)
class Done:
    """A visit or service that took place and what shows it."""

    reference: str
    on: date


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A visit or service that was looked at and fills nothing. `reason` is a code of evaluation.wording."""

    reference: str
    on: date | None
    reason: str


@dataclass(frozen=True, slots=True)
class SlotState:
    """One visit of the schedule for one child. `opens` to `closes` is the window; after `overdue_after` it is late."""

    id: str  # of the data file: "2-months"
    title: str  # "2 months"
    opens: date
    target: date
    overdue_after: date
    closes: date
    status: SlotStatus
    visit: Done | None


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service (screening, test, varnish) at one age of the schedule: universal ones, and those due by a risk."""

    id: str  # "developmental-screening.9-months"
    item: str  # "developmental-screening"
    title: str  # "Developmental screening"
    at: str  # the age in words: "9 months"
    universal: bool
    due_from: date
    due_by: date
    last_day: date
    status: SlotStatus
    done: tuple[Done, ...]
    coding: tuple[str, str] | None  # (system, code) of what would be ordered


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """Everything that the visit schedule says of one child as of a day.

    `changes_on`: the next day on which time alone changes any of it; None if none does.
    `untracked`: items that the schedule asks for and that our data can't show (said, never shown as a gap).
    """

    schedule: str  # name and version of the data file
    slots: tuple[SlotState, ...]
    services: tuple[ServiceState, ...]
    left_out: tuple[LeftOut, ...]
    untracked: tuple[str, ...]
    changes_on: date | None
