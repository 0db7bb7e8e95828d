"""Values: validity, precision, structural equality, text."""

from dataclasses import FrozenInstanceError
from decimal import Decimal

import pytest

from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.values import CqlTuple, Date, DateTime, Interval, Long, Quantity, Time, uncertain


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Date(0), "the year of a date is 0; expected 1 to 9999"),
        (lambda: Date(2023, 13), "the month of a date is 13; expected 1 to 12"),
        (lambda: Date(2023, 2, 29), "the day of 2023-02 is 29; expected 1 to 28"),
        (lambda: Date(1900, 2, 29), "the day of 1900-02 is 29; expected 1 to 28"),
        (lambda: Date(2024, None, 1), "a date with a day needs a month: year 2024, day 1"),
        (lambda: DateTime(10000, 1, 1), "the year of a date-time is 10000; expected 1 to 9999"),
        (lambda: DateTime(2024, 1, 1, 24), "the hour of a date-time is 24; expected 0 to 23"),
        (lambda: DateTime(2024, 1, 1, 1, 1, 1, 1, 900), "the offset of a date-time, in minutes, is 900"),
        (lambda: Time(23, 59, 60), "the second of a time is 60; expected 0 to 59"),
        (lambda: Time(23, None, 1), "a time names a component after one that is missing"),
    ],
)
def test_a_value_outside_the_calendar_does_not_exist(make, problem):
    with pytest.raises(CqlRuntimeError) as caught:
        make()
    assert problem in str(caught.value)


def test_leap_days_exist_in_leap_years():
    assert Date(2024, 2, 29).ordinal - Date(2024, 2, 28).ordinal == 1
    assert Date(2000, 2, 29).components == (2000, 2, 29)


def test_a_complete_date_carries_its_ordinal_and_a_partial_one_none():
    assert Date(1, 1, 1).ordinal == 1
    assert Date(2024, 5).ordinal == 0
    assert [Date(2024).count, Date(2024, 5).count, Date(2024, 5, 9).count] == [1, 2, 3]


def test_the_instant_is_in_utc():
    west = DateTime(2024, 1, 1, 4, 0, 0, 0, -480)
    assert west.instant == DateTime(2024, 1, 1, 12, 0, 0, 0, 0).instant
    assert west != DateTime(2024, 1, 1, 12, 0, 0, 0, 0)  # structurally they differ


def test_values_are_frozen_and_can_be_in_sets():
    assert len({Date(2024, 1, 1), Date(2024, 1, 1), Date(2024, 1)}) == 2
    assert len({Quantity(Decimal(1), "mg"), Quantity(Decimal(1), "g")}) == 2
    with pytest.raises(FrozenInstanceError):
        Date(2024).year = 2025  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        CqlTuple({"a": 1}).a = 2  # type: ignore[attr-defined]


def test_a_tuple_is_a_mapping():
    value = CqlTuple({"id": 1, "name": None})
    assert dict(value) == {"id": 1, "name": None}
    assert value.get("missing") is None
    assert value == CqlTuple({"name": None, "id": 1})
    assert hash(value) == hash(CqlTuple({"name": "other", "id": [1]}))


def test_an_interval_is_equal_whatever_is_said_of_its_point_type():
    from cql_like.types import INTEGER

    assert Interval(None, None, point=INTEGER) == Interval(None, None)


def test_long_is_an_int_of_its_own_class():
    assert Long(5) == 5
    assert repr(Long(5)) == "Long(5)"
    assert str(Long(5)) == "5"


def test_a_range_of_one_value_is_no_uncertainty():
    assert uncertain(3, 3) == 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Date(5), "0005"),
        (Date(2024, 5), "2024-05"),
        (DateTime(2024), "2024T"),
        (DateTime(2024, 5, 9), "2024-05-09T"),
        (DateTime(2024, 5, 9, 7), "2024-05-09T07"),
        (DateTime(2024, 5, 9, 7, 30, 5, 40, -450), "2024-05-09T07:30:05.040-07:30"),
        (Time(7, 5), "07:05"),
        (Time(7, 5, 9, 1), "07:05:09.001"),
    ],
)
def test_text_shows_the_precision(value, text):
    assert str(value) == text
