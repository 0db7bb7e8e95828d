"""Ages of the visit schedule: how they are written, and the day on which a child reaches one."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapsvc.schedule.visits.ages import Age, AgeDates, NotAnAge, parse_age

BIRTHDAYS = {
    # a day that the month doesn't have becomes its last (CQL, Add); CDSi's engine differs
    ("2024-02-29", "1 year"): "2025-02-28",
    ("2024-02-29", "4 years"): "2028-02-29",
    ("2024-02-29", "1 month"): "2024-03-29",
    ("2025-01-31", "1 month"): "2025-02-28",
    ("2025-08-31", "6 months"): "2026-02-28",
    ("2025-12-31", "2 months"): "2026-02-28",
    # months first, days afterwards
    ("2025-01-31", "1 month + 15 days"): "2025-03-15",
    ("2025-08-01", "3 months + 15 days"): "2025-11-16",
    ("2025-03-31", "12 months - 30 days"): "2026-03-01",
    ("2024-02-29", "22 years - 1 day"): "2046-02-27",
    ("2025-08-01", "6 weeks"): "2025-09-12",
    ("2025-08-01", "0 days"): "2025-08-01",
}


@pytest.mark.parametrize(("case", "expected"), BIRTHDAYS.items(), ids=[" + ".join(case) for case in BIRTHDAYS])
def test_the_day_on_which_a_child_reaches_an_age(case: tuple[str, str], expected: str) -> None:
    birth, age = date.fromisoformat(case[0]), parse_age(case[1])
    assert age.after(birth) == date.fromisoformat(expected)
    assert AgeDates(birth)[age] == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("text", "months", "days"),
    [
        ("2 years", 24, 0),
        ("1 Year + 1 month + 1 week + 1 day", 13, 8),
        ("3 months + 15 days - 1 day", 3, 14),
        (" 6  weeks ", 0, 42),
    ],
)
def test_an_age_is_a_sum_of_years_months_weeks_and_days(text: str, months: int, days: int) -> None:
    age = parse_age(text)
    assert (age.months, age.days, age.text) == (months, days, " ".join(text.split()))
    assert (age.day_before().months, age.day_before().days) == (months, days - 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "6",
        "6 wekks",
        "6 weeks 2 days",
        "+ 6 weeks",
        "6 weeks +",
        "1 day - 2 days",
        "1000 years",
        "99999 weeks",
    ],
)
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(NotAnAge):
        parse_age(text)


def test_the_end_of_the_calendar_is_the_last_day_there_is() -> None:
    age = parse_age("22 years")
    assert age.after(date(9990, 1, 1)) == date.max
    assert AgeDates(date(9990, 1, 1))[age] == date.max


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.integers(0, 300), st.integers(-200, 200))
def test_the_fast_way_is_the_plain_way(birth: date, months: int, days: int) -> None:
    age = Age(months, days)
    assert AgeDates(birth)[age] == age.after(birth)
