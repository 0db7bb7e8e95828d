"""Birthdays, windows and the offset of Los Angeles."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from gapsvc.sandbox.days import add_years, fifteen_months, pacific_offset, thirty_months


@pytest.mark.parametrize(
    ("birth", "years", "expected"),
    [
        (date(2024, 2, 29), 1, date(2025, 2, 28)),
        (date(2024, 2, 29), 2, date(2026, 2, 28)),
        (date(2024, 2, 29), 4, date(2028, 2, 29)),
        (date(2024, 2, 28), 1, date(2025, 2, 28)),
        (date(2024, 3, 1), 1, date(2025, 3, 1)),
        (date(2023, 12, 31), 1, date(2024, 12, 31)),
    ],
)
def test_birthdays_follow_cql(birth: date, years: int, expected: date) -> None:
    assert add_years(birth, years) == expected


@pytest.mark.parametrize(
    ("birth", "day15", "day30"),
    [
        (date(2024, 2, 29), date(2025, 5, 29), date(2026, 8, 27)),  # 28 Feb + 90 days, 28 Feb + 180 days
        (date(2024, 3, 1), date(2025, 5, 30), date(2026, 8, 28)),
        (date(2023, 10, 2), date(2024, 12, 31), date(2026, 3, 31)),
        (date(2022, 12, 15), date(2024, 3, 14), date(2025, 6, 13)),  # the 90 days hold a 29 February
    ],
)
def test_w30_days(birth: date, day15: date, day30: date) -> None:
    assert (fifteen_months(birth), thirty_months(birth)) == (day15, day30)


def test_the_offset_of_los_angeles_is_that_of_the_time_zone_database() -> None:
    try:
        zone = ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:
        pytest.skip("this machine has no time zone database to compare with")
    day = date(2003, 1, 1)
    while day < date(2030, 1, 1):
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
        assert f"{noon:%z}" == pacific_offset(day).replace(":", ""), day
        day += timedelta(days=1)
