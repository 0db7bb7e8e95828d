"""A child's preventive visits and screenings as of a day: the values that the visit schedule gives. Pure.

Dates are whole days, all windows inclusive. Everything downstream (action list, page, card) reads these values.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class SlotStatus(StrEnum):
    """Where a visit slot, or a service of the schedule, stands.

    NOT_DUE: it is not asked for yet, nor will be within the schedule's notice. DUE_SOON: it will be within the notice.
    DUE: open and not overdue. OVERDUE: overdue, and a visit still fills it. DONE: filled. MISSED: the window closed
    without a visit, or a later visit of the schedule has taken place since: the child was brought up to date then.
    AGED_OUT: closed before anything was known of the child here (before the first record), or past the schedule's last
    age; or it takes place in the birth hospital and is not in our records.

    At most one slot at a time is DUE or OVERDUE: a slot is not asked for while an earlier one still is, since one visit
    brings a child up to date (the chart's first note).
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
    """A visit or service that was looked at and fills nothing. `reason` is a code of evaluation.wording; `item`: which
    service it was looked at for, empty for visits."""

    reference: str
    on: date | None
    reason: str
    item: str = ""


@dataclass(frozen=True, slots=True)
class SlotState:
    """One visit of the schedule for one child. `opens` to `closes` is the window; after `overdue_after` it is late.

    `in_hospital`: it takes place in the birth hospital; it is DONE where it is recorded, and never DUE or OVERDUE.
    """

    id: str  # of the data file: "2-months"
    title: str  # "2 months"
    opens: date
    target: date
    overdue_after: date
    closes: date
    status: SlotStatus
    visit: Done | None
    in_hospital: bool = False


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service (screening, test, varnish) at one age of the schedule: universal ones, and those due by a risk.

    One that is wanted of a child at risk only (`universal` False) is there if it was done, or a risk is known.
    `with_visit`: it is measured at every visit (weight, blood pressure), and no reason of its own to call a child in.
    """

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
    with_visit: bool = False


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """Everything that the visit schedule says of one child as of a day.

    `slots` are all of the schedule's, in order. `services` go by item and age; of those to come only the next of each
    item is there, and of those AGED_OUT none. `changes_on`: the next day on which time alone changes any of it; None if
    none does.
    `untracked`: what the schedule asks for at this age and our data can't show (said, never shown as a gap).
    """

    schedule: str  # name and version of the data file
    slots: tuple[SlotState, ...]
    services: tuple[ServiceState, ...]
    left_out: tuple[LeftOut, ...]
    untracked: tuple[str, ...]
    changes_on: date | None
