"""Immunization needs as gaps: due now, overdue since, due from, and doses given that don't count."""

from datetime import date
from typing import Any

import pytest

from gapsvc.schedule.immunizations import Case, GivenDose, Schedule, assess
from gapsvc.schedule.immunizations.due import ImmunizationNeed, needs

BORN = date(2025, 1, 10)


def need(schedule: Schedule, group: str, assessed: str, *doses: tuple[str, str]) -> ImmunizationNeed:
    case = Case(
        "case", BORN, date.fromisoformat(assessed), doses=tuple(GivenDose(date.fromisoformat(d), c) for d, c in doses)
    )
    (found,) = [one for one in needs(assess(schedule, case)) if one.group == group]
    return found


@pytest.mark.parametrize(
    ("assessed", "urgency", "overdue_since", "changes_on"),
    [
        ("2025-03-09", "later", None, "2025-03-10"),
        ("2025-03-10", "due", None, None),
        ("2025-05-07", "due", None, None),
        ("2025-05-08", "overdue", "2025-05-08", None),
    ],
)
def test_polio_through_the_first_months(
    schedule: Schedule, assessed: str, urgency: str, overdue_since: str | None, changes_on: str | None
) -> None:
    """Recommended at two months, past due after three months and four weeks less a day."""
    found = need(schedule, "Polio", assessed)
    assert (found.urgency, found.number, found.due_from, found.recommended, found.due_by) == (
        urgency,
        1,
        date(2025, 2, 21),
        date(2025, 3, 10),
        date(2025, 5, 7),
    )
    assert found.overdue_since == (date.fromisoformat(overdue_since) if overdue_since else None)
    if changes_on is not None:
        assert found.changes_on == date.fromisoformat(changes_on)
    assert found.changes_on is not None
    assert found.changes_on > date.fromisoformat(assessed)
    assert {"10", "110", "120", "146"} <= set(found.vaccines)


def test_an_invalid_dose_that_a_measure_would_count_is_to_be_repeated(schedule: Schedule) -> None:
    """An MMR a month before the first birthday: an adjusted count of doses may take it, the schedule doesn't."""
    found = need(schedule, "MMR", "2026-02-01", ("2025-12-10", "03"))
    assert (found.status, found.number, found.to_repeat, found.urgency) == ("Not Complete", 1, (0,), "due")


@pytest.mark.parametrize(
    ("group", "assessed", "expected"),
    [
        ("Rotavirus", "2025-12-01", {"status": "Aged Out", "urgency": "none", "vaccines": ()}),
        ("Rotavirus", "2025-03-10", {"status": "Not Complete", "urgency": "due", "last_day": date(2025, 4, 24)}),
    ],
)
def test_needs_that_end(schedule: Schedule, group: str, assessed: str, expected: dict[str, Any]) -> None:
    found = need(schedule, group, assessed)
    assert {key: getattr(found, key) for key in expected} == expected
