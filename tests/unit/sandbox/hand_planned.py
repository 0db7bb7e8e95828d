"""Children planned by hand, visit by visit and dose by dose, and their truth."""

from datetime import date
from typing import Any

from gapsvc.sandbox.disorder import Disorder
from gapsvc.sandbox.plan import ChildPlan, Flaw, Frame, RaceSaid, Registration, Role, VisitPlan
from gapsvc.sandbox.truth import truth_of

YEAR_2026 = (date(2026, 1, 1), date(2026, 12, 31))
NOT_APPLICABLE = {
    "populations": {"initial-population": 0, "denominator": 0, "denominator-exclusion": 0, "numerator": 0},
    "status": "not-applicable",
}


def populations(*, numerator: int, excluded: int = 0) -> dict[str, int]:
    return {
        "initial-population": 1,
        "denominator": 1,
        "denominator-exclusion": excluded,
        "numerator": numerator,
    }


def visit(number: int, on: date, role: Role = Role.ANCHOR, flaw: Flaw | None = None) -> VisitPlan:
    return VisitPlan(id=f"v{number}", on=on, minute=600, role=role, slot="", flaw=flaw)


def child(birth: date, *visits: VisitPlan, **changes: Any) -> ChildPlan:
    plan: dict[str, Any] = {
        "number": 1,
        "registrations": (Registration("child-1", 0, 0, 0, "1"),),
        "given": "Nova",
        "sex": "female",
        "birth": birth,
        "birth_precision": "day",
        "race": "White",
        "race_said": RaceSaid.DIRECT,
        "race_imputed": None,
        "ethnicity": None,
        "cin": "97000001A",
        "multiple": 1,
        "history_from": birth,
        "deceased": None,
        "deceased_as_boolean": False,
        "related": None,
        "related_identified": False,
        "visits": visits,
        "others": (),
        "doses": (),
        "asthma": None,
        "disorder": (),
    }
    return ChildPlan(**(plan | changes))


def truth(plan: ChildPlan, as_of: date, period: tuple[date, date] = YEAR_2026) -> dict[str, Any]:
    return truth_of(plan, Frame(1, 1, as_of, period, Disorder.none()))["measures"]
