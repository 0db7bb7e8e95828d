"""The truth about each child, read off the plan: never from FHIR, never by running a measure.

One line of `truth.ndjson` per child. For each measure rate: populations (0 or 1), gap status, what is needed, done
and still possible, and the encounters that count or don't (with the reason planned for them). `due_from`, `last_day`
and `outlook` are null where the child is excluded; `due_from` and `last_day` also where nothing more is needed.
A reason is one of plan.Flaw, or same-day, too-close, before-window, after-window. `under-mother` names an encounter of
the mother's Patient that nothing links to this child: it is in no child's record. A visit that nothing shows to be a
well visit (`not-a-well-visit`) is named in the rates in whose window it lies.

Which visits count follows from the roles in the plan (see plan.py): 3 by 120 counts every day with an anchor or a
follow-up in its window; W30 counts the anchors in its windows.
Source of the rates: gapsvc/measures; windows in whole days, both ends inclusive.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from gapsvc.sandbox.days import add_days, fifteen_months, thirty_months
from gapsvc.sandbox.plan import ChildPlan, Flaw, Frame, Role, VisitPlan


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate as the planner knows it: `window` gives first and last day; `spacing` is days between visits."""

    measure: str
    group: str
    needed: int
    spacing: int
    roles: frozenset[Role]
    window: Callable[[date], tuple[date, date]]
    live: bool  # children still inside the window are in the population too


def _first_120_days(birth: date) -> tuple[date, date]:
    return birth, add_days(birth, 120)


def _first_15_months(birth: date) -> tuple[date, date]:
    return birth, fifteen_months(birth)


def _15_to_30_months(birth: date) -> tuple[date, date]:
    return add_days(fifteen_months(birth), 1), thirty_months(birth)


_ANY_DAY = frozenset({Role.ANCHOR, Role.FOLLOW_UP})
_SPACED = frozenset({Role.ANCHOR})
RATES: tuple[Rate, ...] = (
    Rate("three-by-120", "two-visits", 2, 1, _ANY_DAY, _first_120_days, live=True),
    Rate("three-by-120", "three-visits", 3, 1, _ANY_DAY, _first_120_days, live=True),
    Rate("w30", "first-15-months", 6, 14, _SPACED, _first_15_months, live=False),
    Rate("w30", "15-30-months", 2, 14, _SPACED, _15_to_30_months, live=False),
)
_NOT_IN: Mapping[str, int] = MappingProxyType(
    {"initial-population": 0, "denominator": 0, "denominator-exclusion": 0, "numerator": 0}
)


def in_population(rate: Rate, birth: date, frame: Frame) -> bool:
    """Whether a child born on that day is in the rate's initial population."""
    start, end = frame.period
    last_day = rate.window(birth)[1]
    if birth > frame.as_of:
        return False
    return start <= last_day <= end or (rate.live and start <= frame.as_of <= end and frame.as_of <= last_day)


def cohorts(birth: date, frame: Frame) -> tuple[str, ...]:
    """The measure rates whose population a child born on that day belongs to (one name per window)."""
    return tuple(rate.group for rate in RATES if rate.group != "two-visits" and in_population(rate, birth, frame))


def windows_of(birth: date, frame: Frame) -> list[tuple[date, date]]:
    """First and last day of every window that a child born on that day is measured by."""
    return [rate.window(birth) for rate in RATES if in_population(rate, birth, frame)]


def truth_of(child: ChildPlan, frame: Frame) -> dict[str, Any]:
    """The line of truth about one child."""
    measures: dict[str, dict[str, Any]] = {}
    for rate in RATES:
        measures.setdefault(rate.measure, {})[rate.group] = _rate(child, rate, frame)
    flawed = {f"Immunization/{dose.id}": dose.flaw.value for dose in child.doses if dose.flaw}
    return {
        "person": child.person,
        "patients": sorted(registration.patient for registration in child.registrations),
        "birth_date": child.birth.isoformat()[: 10 if child.birth_precision == "day" else 7],
        "race": child.race,
        "ethnicity": child.ethnicity,
        "disorder": list(child.disorder),
        "measures": measures,
        "immunizations": {"unflawed": len(child.doses) - len(flawed), "flawed": flawed},
    }


def _rate(child: ChildPlan, rate: Rate, frame: Frame) -> dict[str, Any]:
    if child.birth_precision != "day" or not in_population(rate, child.birth, frame):
        return {"populations": dict(_NOT_IN), "status": "not-applicable"}
    first_day, last_day = rate.window(child.birth)
    counted = [v for v in child.visits if v.role in rate.roles and first_day <= v.on <= last_day]
    discounted = {
        f"Encounter/{v.id}": _reason(v, rate, first_day, last_day)
        for v in child.visits
        if v not in counted and (v.flaw is not Flaw.NOT_RECOGNISED or first_day <= v.on <= last_day)
    }
    done = len(counted)
    excluded = _excluded(child, frame)
    met = done >= rate.needed
    answer: dict[str, Any] = {
        "populations": {
            "initial-population": 1,
            "denominator": 1,
            "denominator-exclusion": int(excluded),
            "numerator": int(met and not excluded),
        },
        "status": "closed-gap",
        "needed": rate.needed,
        "done": done,
        "due_from": None,
        "last_day": None,
        "outlook": None if excluded else "met",
        "counted": [f"Encounter/{v.id}" for v in counted],
        "discounted": discounted,
    }
    if excluded or met:
        return answer
    due_from = add_days(max(v.on for v in counted), rate.spacing) if counted else first_day
    soonest_last = add_days(max(frame.as_of, due_from), (rate.needed - done - 1) * rate.spacing)
    missed = soonest_last > last_day
    answer |= {
        "status": "prospective-gap" if frame.as_of < due_from and not missed else "open-gap",
        "due_from": due_from.isoformat(),
        "last_day": last_day.isoformat(),
        "outlook": "missed" if missed else "possible",
    }
    return answer


def _reason(visit: VisitPlan, rate: Rate, first_day: date, last_day: date) -> str:
    if visit.flaw is not None:
        return visit.flaw.value
    if visit.on < first_day:
        return "before-window"
    if visit.on > last_day:
        return "after-window"
    return "same-day" if visit.role is Role.COPY else "too-close"


def _excluded(child: ChildPlan, frame: Frame) -> bool:
    if child.deceased is None:
        return False
    return child.deceased_as_boolean or child.deceased <= min(frame.period[1], frame.as_of)
