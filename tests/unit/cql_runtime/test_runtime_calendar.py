"""Date arithmetic, durations, differences and ages (CQL §Date/time arithmetic, §Uncertainty)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cql_like.runtime import calendar, temporal
from cql_like.runtime.clinical import calculate_age, calculate_age_at
from cql_like.runtime.context import EvaluationContext
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.values import Date, DateTime, Quantity, Time, Uncertainty


def q(value: str | int, unit: str) -> Quantity:
    return Quantity(Decimal(value), unit)


@pytest.mark.parametrize(
    ("start", "quantity", "end"),
    [
        (Date(2024, 1, 31), q(1, "month"), Date(2024, 2, 29)),
        (Date(2012, 2, 29), q(1, "year"), Date(2013, 2, 28)),
        (Date(2012, 2, 29), q(4, "years"), Date(2016, 2, 29)),
        (Date(2023, 12, 31), q(1, "day"), Date(2024, 1, 1)),
        (Date(2023, 12, 31), q(2, "weeks"), Date(2024, 1, 14)),
        (Date(2023, 12, 31), q(-14, "d"), Date(2023, 12, 17)),
        # fractions of anything but a second are dropped
        (Date(2023, 1, 1), q("1.9", "year"), Date(2024, 1, 1)),
        (DateTime(2023, 1, 1, 0, 0, 0, 0), q("1.5", "s"), DateTime(2023, 1, 1, 0, 0, 1, 500)),
        # a finer duration is brought to the precision of the date
        (Date(2014), q(24, "months"), Date(2016)),
        (Date(2014), q(25, "months"), Date(2016)),
        (DateTime(2014), q(730, "days"), DateTime(2016)),
        (DateTime(2005, 5, 10), q(5, "hours"), DateTime(2005, 5, 10)),
        (DateTime(2005, 5, 10), q(25, "hours"), DateTime(2005, 5, 11)),
        (DateTime(2016, 5), q(-31535999, "seconds"), DateTime(2015, 5)),
        (DateTime(2016, 6, 10, 5), q(-6, "hours"), DateTime(2016, 6, 9, 23)),
        (DateTime(2016, 12, 31, 23, 59, 59, 999, -480), q(1, "ms"), DateTime(2017, 1, 1, 0, 0, 0, 0, -480)),
        # times go round the clock
        (Time(15, 59, 59, 999), q(5, "hours"), Time(20, 59, 59, 999)),
        (Time(23, 30), q(45, "minutes"), Time(0, 15)),
        (Time(0, 15), q(-45, "minutes"), Time(23, 30)),
    ],
)
def test_adding_a_duration(start, quantity, end):
    assert calendar.add(start, quantity) == end
    assert calendar.subtract(start, Quantity(-quantity.value, quantity.unit)) == end


@pytest.mark.parametrize(
    ("value", "quantity", "problem"),
    [
        (DateTime(2005, 10, 10), q(8000, "years"), "gives the year 10005; expected 1 to 9999"),
        (Date(9999, 12, 31), q(1, "day"), "leaves the years 1 to 9999"),
        (Date(2024, 1, 1), q(5, "mg"), "a duration in 'mg' can't be added"),
        (Time(10), q(1, "day"), "days can't be added to a time"),
    ],
)
def test_durations_that_cannot_be_added(value, quantity, problem):
    with pytest.raises(CqlRuntimeError, match=problem):
        calendar.add(value, quantity)


@pytest.mark.parametrize(
    ("low", "high", "precision", "duration", "difference"),
    [
        (Date(2012, 2, 29), Date(2013, 2, 28), "year", 0, 1),
        (Date(2012, 2, 29), Date(2013, 3, 1), "year", 1, 1),
        (Date(2024, 1, 31), Date(2024, 2, 29), "month", 0, 1),
        (Date(2024, 6, 1), Date(2024, 6, 2), "week", 0, 1),  # over a Sunday
        (Date(2024, 6, 2), Date(2024, 6, 8), "week", 0, 0),
        (Date(2024, 3, 1), Date(2024, 2, 1), "day", -29, -29),
        (Date(2024, 3, 1), Date(2024, 2, 2), "month", 0, -1),
        (DateTime(2005), DateTime(2010), "year", 5, 5),
        (DateTime(2005, 5), DateTime(2010, 4), "year", 4, 5),
        (DateTime(2010, 10, 12, 12, 5), DateTime(2008, 8, 15, 8, 8), "day", -788, -788),
        (DateTime(2023, 12, 31, 23, 59, 0, 0), DateTime(2024, 1, 1, 0, 1, 0, 0), "year", 0, 1),
        (DateTime(2023, 12, 31, 23, 59, 0, 0), DateTime(2024, 1, 1, 0, 1, 0, 0), "hour", 0, 1),
        # with a change of offset a day has 23 hours
        (DateTime(2017, 3, 12, 0, 0, 0, 0, -420), DateTime(2017, 3, 13, 0, 0, 0, 0, -360), "day", 0, 1),
        (DateTime(2017, 3, 12, 1, 0, 0, 0, -420), DateTime(2017, 3, 12, 3, 0, 0, 0, -360), "hour", 1, 1),
        (Time(20, 26, 15, 555), Time(23, 25, 15, 555), "hour", 2, 3),
        (Time(20, 20, 15, 555), Time(20, 20, 15, 550), "millisecond", -5, -5),
        # what is not known makes a range
        (DateTime(2014, 1, 15), DateTime(2014, 2), "day", Uncertainty(16, 44), Uncertainty(17, 44)),
        (Date(2014, 1, 15), Date(2014, 2), "day", Uncertainty(17, 44), Uncertainty(17, 44)),
        (DateTime(2005), DateTime(2006, 5), "month", Uncertainty(4, 16), Uncertainty(5, 16)),
        (Date(2020, 5), Date(2022, 5, 10), "year", Uncertainty(1, 2), 2),
        (Date(2020, 5), Date(2022, 6, 10), "year", 2, 2),
        (Date(2020, 5), Date(2020, 5), "day", Uncertainty(-30, 30), Uncertainty(-30, 30)),
    ],
)
def test_durations_count_whole_periods_and_differences_boundaries(low, high, precision, duration, difference):
    assert calendar.duration_between(low, high, precision=precision) == duration
    assert calendar.difference_between(low, high, precision=precision) == difference


days = st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 12, 31))
precisions = st.sampled_from(["year", "month", "week", "day"])


def as_date(day: date, count: int = 3) -> Date:
    return Date(*(day.year, day.month, day.day)[:count])


@settings(deadline=None)
@given(days, st.integers(-40_000, 40_000))
def test_adding_days_is_the_calendar_s_own(day, number):
    moved = day + timedelta(days=number)
    assert calendar.add(as_date(day), q(number, "days")) == as_date(moved)
    assert calendar.duration_between(as_date(day), as_date(moved), precision="day") == number


@settings(deadline=None)
@given(days, st.integers(0, 1300), st.sampled_from(["year", "month", "week", "day"]))
def test_what_was_added_has_passed_and_a_day_before_it_had_not(day, number, unit):
    """Except that a year (or month) after its last day, clamped, only passes with the next month."""
    start = as_date(day)
    end = calendar.add(start, q(number if unit != "year" else number // 13, unit))
    number = number if unit != "year" else number // 13
    passed = calendar.duration_between(start, end, precision=unit)
    clamped = unit in ("year", "month") and end.day != start.day
    assert passed == (number - 1 if clamped and number else number)
    assert calendar.duration_between(start, calendar.subtract(end, q(1, "day")), precision=unit) < max(1, number)


partial = st.builds(as_date, st.dates(min_value=date(1990, 1, 1), max_value=date(1993, 12, 31)), st.integers(1, 3))


def completions(value: Date) -> list[Date]:
    first, last = temporal.earliest(value).ordinal, temporal.latest(value).ordinal
    return [calendar.date_of(ordinal) for ordinal in {first, first + 1, (first + last) // 2, last - 1, last}
            if first <= ordinal <= last]  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(partial, partial, precisions)
def test_an_uncertain_duration_spans_the_durations_of_all_completions(left, right, precision):
    result = calendar.duration_between(left, right, precision=precision)
    if left.count == right.count and left.count >= temporal.DATE_COUNT[precision]:
        return  # equally precise values are compared as they stand
    found = [
        calendar.duration_between(a, b, precision=precision) for a in completions(left) for b in completions(right)
    ]
    low, high = (result.low, result.high) if isinstance(result, Uncertainty) else (result, result)
    assert (min(found), max(found)) == (low, high)


@settings(deadline=None, max_examples=150)
@given(partial, partial, precisions)
def test_an_uncertain_difference_spans_the_differences_of_all_completions(left, right, precision):
    result = calendar.difference_between(left, right, precision=precision)
    found = [
        calendar.difference_between(a, b, precision=precision) for a in completions(left) for b in completions(right)
    ]
    low, high = (result.low, result.high) if isinstance(result, Uncertainty) else (result, result)
    assert (min(found), max(found)) == (low, high)


@pytest.mark.parametrize(
    ("birth", "moment", "precision", "age"),
    [
        # on the birthday itself the year is complete, whatever the hour and the offset
        (Date(2020, 5, 10), Date(2021, 5, 9), "year", 0),
        (Date(2020, 5, 10), Date(2021, 5, 10), "year", 1),
        (Date(2020, 5, 10), DateTime(2021, 5, 10, 0, 5, 0, 0, -480), "year", 1),
        (DateTime(2020, 5, 10), DateTime(2021, 5, 10, 23, 59, 0, 0, 840), "year", 1),
        # born on 29 February
        (Date(2020, 2, 29), Date(2021, 2, 28), "year", 0),
        (Date(2020, 2, 29), Date(2021, 3, 1), "year", 1),
        (Date(2020, 2, 29), Date(2024, 2, 28), "year", 3),
        (Date(2020, 2, 29), Date(2024, 2, 29), "year", 4),
        (Date(2020, 1, 31), Date(2020, 2, 29), "month", 0),
        (Date(2020, 1, 1), Date(2020, 4, 30), "day", 120),
        # a birth date without a day
        (Date(2020, 5), Date(2022, 5, 10), "year", Uncertainty(1, 2)),
        (Date(2020), Date(2022, 12, 31), "year", 2),
        # before birth
        (Date(2020, 5, 10), Date(2019, 5, 10), "year", -1),
        # hours of a birth date are not known
        (Date(2020, 5, 10), DateTime(2020, 5, 11, 12, 0, 0, 0), "hour", Uncertainty(12, 36)),
    ],
)
def test_ages(birth, moment, precision, age):
    assert calculate_age_at(birth, moment, precision=precision) == age


def test_the_age_now_is_the_age_on_the_day_of_the_request():
    context = EvaluationContext(now=DateTime(2024, 2, 29, 1, 0, 0, 0, -480))
    assert calculate_age(Date(2020, 2, 29), precision="year", context=context) == 4
    assert calculate_age(Date(2020, 3, 1), precision="year", context=context) == 3
    assert calculate_age(Date(2024, 2, 28), precision="hour", context=context) == Uncertainty(1, 25)
