"""Days of a child's life: birthdays, the measures' windows, and the local time of Los Angeles. Pure.

Year arithmetic is CQL's (29 February + 1 year = 28 February); a window is whole days, both ends inclusive.
"""

from datetime import date, timedelta
from functools import cache


def add_years(day: date, years: int) -> date:
    """The same day `years` later; 29 February becomes 28 February in a common year (CQL 1.5, Add)."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def add_months(day: date, months: int) -> date:
    """The same day `months` later, at the latest that month's last (CQL 1.5, Add)."""
    years, month = divmod(day.month - 1 + months, 12)
    for number in (day.day, 30, 29, 28):
        try:
            return date(day.year + years, month + 1, number)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def add_days(day: date, days: int) -> date:
    return day + timedelta(days=days)


def fifteen_months(birth: date) -> date:
    """W30's 15-month day: the first birthday plus 90 days."""
    return add_days(add_years(birth, 1), 90)


def thirty_months(birth: date) -> date:
    """W30's 30-month day: the second birthday plus 180 days."""
    return add_days(add_years(birth, 2), 180)


def pacific_offset(day: date) -> str:
    """`-07:00` in daylight saving time, else `-08:00`, for a moment in office hours of that day.

    Rules of 15 U.S.C. 260a: since 2007 from the second Sunday of March to the first of November, before
    from the first Sunday of April to the last of October. (Not zoneinfo: its data may be absent.)
    """
    begins, ends = _saving(day.year)
    return "-07:00" if begins <= day < ends else "-08:00"


@cache
def _saving(year: int) -> tuple[date, date]:
    """First day of daylight saving time, and the first one after it."""
    if year >= 2007:
        return _sunday(year, 3, 8), _sunday(year, 11, 1)
    return _sunday(year, 4, 1), _sunday(year, 10, 25)


def _sunday(year: int, month: int, not_before: int) -> date:
    first = date(year, month, not_before)
    return add_days(first, (6 - first.weekday()) % 7)
