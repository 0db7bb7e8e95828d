"""Dates and times at a precision: reading, comparing, neighbours (CQL §Comparing dates and times)."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cql_like.runtime import temporal
from cql_like.runtime.context import EvaluationContext
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.values import Date, DateTime, Time


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2014", DateTime(2014)),
        ("2014-05", DateTime(2014, 5)),
        ("2014-05-09", DateTime(2014, 5, 9)),
        ("2014-05-09T", DateTime(2014, 5, 9)),
        ("2014-05-09T07", DateTime(2014, 5, 9, 7)),
        ("2014-05-09T07:30:05-08:00", DateTime(2014, 5, 9, 7, 30, 5, None, -480)),
        ("2014-05-09T07:30:05.1234567Z", DateTime(2014, 5, 9, 7, 30, 5, 123, 0)),
        ("2014-05-09T07:30:05.5+05:45", DateTime(2014, 5, 9, 7, 30, 5, 500, 345)),
        ("2014/05/09", None),
        ("2014-02-30", None),
        ("2014-05T07:00", None),
        ("2014-05-09T24:00:00Z", None),
        ("", None),
    ],
)
def test_reading_a_datetime(text, value):
    assert temporal.parse_datetime(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2014", Date(2014)),
        ("2016-02-29", Date(2016, 2, 29)),
        ("2015-02-29", None),
        ("2014-05-09T07:30:05Z", None),
        ("14-05-09", None),
    ],
)
def test_reading_a_date(text, value):
    assert temporal.parse_date(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("T14:30:00.0", Time(14, 30, 0, 0)),
        ("14:30", Time(14, 30)),
        ("T14:30:00.0-05:45", Time(14, 30, 0, 0)),
        ("T14-30", None),
        ("25:00:00", None),
    ],
)
def test_reading_a_time(text, value):
    assert temporal.parse_time(text) == value


@pytest.mark.parametrize(
    ("left", "right", "precision", "order"),
    [
        (Date(2014, 5, 9), Date(2014, 5, 10), None, -1),
        (Date(2014, 5, 9), Date(2014, 5, 10), "month", 0),
        (Date(2014, 5), Date(2014, 5, 10), None, None),
        (Date(2014, 5), Date(2014, 5, 10), "month", 0),
        (Date(2014, 5), Date(2014, 5, 10), "day", None),
        (Date(2014), Date(2015, 1, 1), "day", -1),
        (DateTime(2004, 11, 10), DateTime(2004, 10, 10), "year", 0),
        (DateTime(2014, 12, 20), DateTime(2014, 12), "day", None),
        (Time(23, 55, 22, 555), Time(23, 55, 25, 900), "minute", 0),
        # different offsets are compared in UTC ...
        (DateTime(2012, 3, 10, 10, 20, 0, 999, 420), DateTime(2012, 3, 10, 10, 20, 0, 999, 360), "hour", -1),
        (DateTime(2012, 3, 10, 23, 0, 0, 0, -480), DateTime(2012, 3, 11, 7, 0, 0, 0, 0), None, 0),
        # ... but where no hour is given there is nothing to move
        (
            DateTime(2012, 3, 10, None, None, None, None, -480),
            DateTime(2012, 3, 10, None, None, None, None, 0),
            None,
            0,
        ),
        # equal offsets need no UTC: the calendar day is the local one
        (DateTime(2012, 3, 10, 23, 0, 0, 0, -480), DateTime(2012, 3, 11, 0, 0, 0, 0, -480), "day", -1),
        # a week begins on Sunday: 2024-06-02 was one
        (Date(2024, 6, 1), Date(2024, 6, 2), "week", -1),
        (Date(2024, 6, 2), Date(2024, 6, 8), "week", 0),
        # seconds without milliseconds leave it open
        (DateTime(2017, 9, 1, 0, 0, 0), DateTime(2017, 9, 1, 0, 0, 0, 0), None, None),
        (DateTime(2017, 9, 1, 0, 0, 0), DateTime(2017, 9, 1, 0, 0, 1, 0), None, -1),
    ],
)
def test_comparing_at_a_precision(left, right, precision, order):
    assert temporal.compare(left, right, precision) == order
    assert temporal.compare(right, left, precision) == (None if order is None else -order)


def test_timing_operators_read_the_order():
    may, june = Date(2024, 5, 31), Date(2024, 6, 1)
    assert temporal.before(may, june) is True
    assert temporal.after(may, june) is False
    assert temporal.same_as(may, june, precision="year") is True
    assert temporal.same_or_before(june, may, precision="month") is False
    assert temporal.same_or_after(june, june) is True
    assert temporal.before(Date(2024), june) is None


def test_a_date_has_no_hours_and_a_time_no_years():
    with pytest.raises(CqlRuntimeError, match="a date has no hour; expected year, month, week or day"):
        temporal.compare(Date(2024, 1, 1), Date(2024, 1, 1), "hour")
    with pytest.raises(CqlRuntimeError, match="a time has no year"):
        temporal.component_from(Time(10), precision="year")


components = st.dates(min_value=datetime(1990, 1, 1).date(), max_value=datetime(1993, 12, 31).date())  # noqa: DTZ001
partial_dates = st.builds(
    lambda day, count: Date(*(day.year, day.month, day.day)[:count]), components, st.integers(1, 3)
)


def completions(value: Date) -> list[int]:
    return list(range(temporal.earliest(value).ordinal, temporal.latest(value).ordinal + 1))


@settings(deadline=None, max_examples=200)
@given(partial_dates, partial_dates)
def test_an_order_that_is_told_holds_for_every_completion(left, right):
    order = temporal.compare(left, right)
    first, second = completions(left), completions(right)
    if order == -1:
        assert first[-1] < second[0]
    elif order == 1:
        assert first[0] > second[-1]
    elif order is None:
        assert set(first) & set(second)  # neither before nor after for certain
        assert left.count != right.count
    else:
        assert left == right


@given(st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)), st.integers(-840, 840))  # noqa: DTZ001
def test_complete_datetimes_compare_by_instant(moment, offset):
    local = DateTime(
        moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second,
        moment.microsecond // 1000, offset,
    )  # fmt: skip
    utc = temporal.from_components(DateTime(2000, offset=0), temporal.utc_components(local))
    assert utc.instant == local.instant
    assert temporal.compare(local, utc) == 0


@pytest.mark.parametrize(
    ("value", "successor"),
    [
        (Date(2023, 12, 31), Date(2024, 1, 1)),
        (Date(2024, 2, 28), Date(2024, 2, 29)),
        (Date(2023, 2, 28), Date(2023, 3, 1)),
        (Date(2024, 12), Date(2025, 1)),
        (Date(2024), Date(2025)),
        (DateTime(2023, 12, 31, 23, 59, 59, 999, 60), DateTime(2024, 1, 1, 0, 0, 0, 0, 60)),
        (DateTime(2024, 2, 29, 23), DateTime(2024, 3, 1, 0)),
        (Time(11, 59, 59, 999), Time(12, 0, 0, 0)),
        (Time(11, 59), Time(12, 0)),
    ],
)
def test_neighbours_at_the_precision_of_the_value(value, successor):
    assert temporal.successor(value) == successor
    assert temporal.predecessor(successor) == value


@pytest.mark.parametrize(
    ("function", "value", "which"),
    [
        (temporal.successor, Date(9999, 12, 31), "the maximum Date has no successor"),
        (temporal.predecessor, DateTime(1, 1, 1, 0, 0, 0, 0), "the minimum DateTime has no predecessor"),
        (temporal.predecessor, Time(0, 0, 0, 0), "the minimum Time has no predecessor"),
    ],
)
def test_the_ends_of_a_type_have_no_neighbour(function, value, which):
    with pytest.raises(CqlRuntimeError, match=which):
        function(value)


def test_the_earliest_and_latest_completion():
    assert temporal.latest(Date(2024, 2)) == Date(2024, 2, 29)
    assert temporal.earliest(DateTime(2024, offset=60)) == DateTime(2024, 1, 1, 0, 0, 0, 0, 60)
    assert temporal.latest(Time(10)) == Time(10, 59, 59, 999)


def test_components():
    moment = DateTime(2003, 10, 29, 20, 50, 33, 955, 60)
    names = ["year", "month", "day", "hour", "minute", "second", "millisecond"]
    assert [temporal.component_from(moment, precision=name) for name in names] == [2003, 10, 29, 20, 50, 33, 955]
    assert temporal.component_from(DateTime(2015, 2, 10), precision="hour") is None
    assert temporal.date_from(moment) == Date(2003, 10, 29)
    assert temporal.time_from(moment) == Time(20, 50, 33, 955)
    assert temporal.time_from(DateTime(2003)) is None


def test_the_default_offset_is_stamped_where_it_is_not_utc():
    here = EvaluationContext(default_offset=-480)
    assert temporal.make_datetime(2024, 1, 1, 7, context=here) == DateTime(2024, 1, 1, 7, offset=-480)
    assert temporal.make_datetime(2024, 1, 1, context=here) == DateTime(2024, 1, 1)  # no hour, nothing to place
    assert temporal.make_datetime(2024, 1, 1, 7, context=EvaluationContext()) == DateTime(2024, 1, 1, 7)
    assert temporal.make_datetime(None, context=here) is None
    assert temporal.offset_from(DateTime(2024, 1, 1, 7), context=here) == -8
    assert str(temporal.offset_from(DateTime(2024, 1, 1, 7, offset=330), context=here)) == "5.5"


def test_now_and_today_come_from_the_context():
    context = EvaluationContext.at(datetime(2024, 2, 29, 23, 30, 5, 123456, tzinfo=UTC))
    assert context.moment == DateTime(2024, 2, 29, 23, 30, 5, 123, 0)
    assert context.today == Date(2024, 2, 29)
    assert context.time_of_day == Time(23, 30, 5, 123)
    with pytest.raises(CqlRuntimeError, match="give `now=`"):
        EvaluationContext.at(None).moment  # noqa: B018


def test_every_pair_of_kinds_of_precision_is_ordered_the_same_way_round():
    values = [Date(2014), Date(2014, 1), Date(2014, 1, 1), Date(2015), Date(2013, 12, 31)]
    for left, right in itertools.product(values, values):
        order = temporal.compare(left, right)
        assert temporal.compare(right, left) == (None if order is None else -order)


LOCAL_MOMENTS = st.datetimes(datetime.fromisoformat("2024-02-27"), datetime.fromisoformat("2024-03-02"))


@given(
    LOCAL_MOMENTS,
    LOCAL_MOMENTS,
    st.sampled_from([None, -480, -210, 0, 330, 840]),
    st.sampled_from([None, -480, 0, 345]),
)
def test_days_of_moments_are_compared_at_utc_where_offsets_differ(left, right, offset, other):
    values = [
        DateTime(one.year, one.month, one.day, one.hour, one.minute, one.second, None, minutes)
        for one, minutes in ((left, offset), (right, other))
    ]
    days = [
        (one - timedelta(minutes=minutes or 0)).date() if (offset or 0) != (other or 0) else one.date()
        for one, minutes in ((left, offset), (right, other))
    ]
    assert temporal.compare(*values, "day") == (days[0] > days[1]) - (days[0] < days[1])


def test_days_at_the_ends_of_time_are_compared_too():
    first, last = DateTime(1, 1, 1, 0, 0, 0, 0, 840), DateTime(9999, 12, 31, 23, 59, 59, 0, -840)
    noon = DateTime(2024, 1, 1, 12, 0, 0, 0, 0)
    assert (temporal.compare(first, noon, "day"), temporal.compare(last, noon, "day")) == (-1, 1)
