"""Intervals against brute force over small numbers, and their rules for null ends (CQL §Interval values)."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cql_like.runtime import comparison, interval, interval_sets
from cql_like.runtime.context import EvaluationContext, Limits
from cql_like.runtime.errors import CqlRuntimeError, LimitExceeded
from cql_like.runtime.numbers import MAX_INTEGER, MIN_INTEGER
from cql_like.runtime.values import Date, DateTime, Interval, Quantity, Time
from cql_like.types import BOOLEAN, DATE, INTEGER

HERE = EvaluationContext()


def q(value: str | int, unit: str = "1") -> Quantity:
    return Quantity(Decimal(value), unit)


# --- brute force: an interval of integers is the set of its points ------------------------------------------------

_bounds = st.tuples(st.integers(-6, 6), st.integers(0, 5), st.booleans(), st.booleans())


def _interval(parts: tuple[int, int, bool, bool]) -> Interval:
    low, size, low_closed, high_closed = parts
    return Interval(
        low if low_closed else low - 1, low + size if high_closed else low + size + 1, low_closed, high_closed
    )


intervals = _bounds.map(_interval)


def points(value: Interval) -> set[int]:
    low = value.low if value.low_closed else value.low + 1
    high = value.high if value.high_closed else value.high - 1
    return set(range(low, high + 1))


def as_set(value: Interval | None) -> set[int]:
    return set() if value is None else points(value)


@settings(deadline=None, max_examples=400)
@given(intervals, intervals)
def test_relations_are_those_of_the_sets_of_points(left, right):
    a, b = points(left), points(right)
    assert interval.includes(left, right) is (a >= b)
    assert interval.included_in(left, right) is (a <= b)
    assert interval.properly_includes(left, right) is (a > b)
    assert interval.properly_included_in(left, right) is (a < b)
    assert interval.overlaps(left, right) is bool(a & b)
    assert interval.disjoint(left, right) is not bool(a & b)
    assert interval.overlaps_before(left, right) is (bool(a & b) and min(a) < min(b))
    assert interval.overlaps_after(left, right) is (bool(a & b) and max(a) > max(b))
    assert interval.before(left, right) is (max(a) < min(b))
    assert interval.after(left, right) is (min(a) > max(b))
    assert interval.same_or_before(left, right) is (max(a) <= min(b))
    assert interval.same_or_after(left, right) is (min(a) >= max(b))
    assert interval.same_as(left, right) is (a == b)
    assert interval.meets_before(left, right) is (max(a) + 1 == min(b))
    assert interval.meets_after(left, right) is (max(b) + 1 == min(a))
    assert interval.meets(left, right) is (max(a) + 1 == min(b) or max(b) + 1 == min(a))
    assert interval.starts(left, right) is (min(a) == min(b) and max(a) <= max(b))
    assert interval.ends_with(left, right) is (max(a) == max(b) and min(a) >= min(b))
    assert comparison.equal(left, right) is (a == b)
    assert comparison.equivalent(left, right) is (a == b)


@settings(deadline=None, max_examples=200)
@given(intervals, st.integers(-9, 9))
def test_points_are_members_of_the_set(value, point):
    members = points(value)
    assert interval.contains(value, point) is (point in members)
    assert interval.in_(point, value) is (point in members)
    assert interval.properly_contains(value, point) is (min(members) < point < max(members))
    assert interval.point_before(point, value) is (point < min(members))
    assert interval.point_after(point, value) is (point > max(members))
    assert interval.before_point(value, point) is (max(members) < point)
    assert interval.after_point(value, point) is (min(members) > point)
    assert interval.same_or_before_point(value, point) is (max(members) <= point)
    assert interval.same_or_after_point(value, point) is (min(members) >= point)
    assert interval.point_same_or_before(point, value) is (point <= min(members))
    assert interval.point_same_or_after(point, value) is (point >= max(members))


@settings(deadline=None, max_examples=400)
@given(intervals, intervals)
def test_set_operators_are_those_of_the_sets_of_points(left, right):
    a, b = points(left), points(right)
    joined = a | b
    contiguous = joined == set(range(min(joined), max(joined) + 1))
    assert as_set(interval_sets.union(left, right)) == (joined if contiguous else set())
    assert as_set(interval_sets.intersect(left, right)) == a & b
    rest = a - b
    whole = bool(rest) and rest == set(range(min(rest), max(rest) + 1))
    assert as_set(interval_sets.except_(left, right)) == (rest if whole else set())


@settings(deadline=None, max_examples=200)
@given(st.lists(intervals, max_size=6))
def test_collapse_covers_the_same_points_with_the_fewest_intervals(items):
    covered = set().union(*map(points, items)) if items else set()
    result = interval_sets.collapse(items, context=HERE)
    assert result is not None
    assert set().union(*map(points, result)) == covered if items else result == []
    for first, second in pairwise(result):
        assert second.low > first.high + 1  # in order, with a gap


@settings(deadline=None, max_examples=200)
@given(st.lists(intervals, max_size=4), st.integers(1, 3))
def test_expand_cuts_into_whole_pieces(items, step):
    result = interval_sets.expand(items, q(step), context=HERE)
    expected: list[set[int]] = []
    for item in items:
        members = sorted(points(item))
        pieces = [set(members[i : i + step]) for i in range(0, len(members), step)]
        expected += [piece for piece in pieces if len(piece) == step and piece not in expected]
    assert [points(piece) for piece in result or []] == expected


# --- null ends ----------------------------------------------------------------------------------------------------

OPEN_BELOW = Interval(None, 5, False, True)  # unknown start
CLOSED_BELOW = Interval(None, 5)  # from the minimum


@pytest.mark.parametrize(
    ("value", "point", "expected"),
    [
        (CLOSED_BELOW, -1000, True),
        (CLOSED_BELOW, 6, False),
        (OPEN_BELOW, -1000, None),
        (OPEN_BELOW, 5, True),  # it ends there, wherever it starts
        (OPEN_BELOW, 6, False),
        (Interval(5, None), MAX_INTEGER, True),
        (Interval(5, None, True, False), 5, True),
        (Interval(5, None, True, False), 6, None),
        (Interval(5, None, True, False), 4, False),
        (Interval(None, None), 7, True),
        (Interval(None, None, False, False), 7, None),
        (None, 7, False),
        (Interval(1, 5), None, None),
    ],
)
def test_a_closed_null_end_is_the_extreme_and_an_open_one_unknown(value, point, expected):
    assert interval.contains(value, point) is expected
    assert interval.in_(point, value) is expected


def test_start_and_end_of_null_ends():
    assert interval.start(CLOSED_BELOW) == MIN_INTEGER
    assert interval.start(OPEN_BELOW) is None
    assert interval.end(Interval(Date(2024, 1, 1), None)) == Date(9999, 12, 31)
    assert interval.end(Interval(Date(2024, 1, 1), None, True, False)) is None
    assert interval.start(Interval(None, None, point=INTEGER)) == MIN_INTEGER
    assert interval.start(Interval(None, None)) is None
    assert interval.start(Interval(None, None, point=BOOLEAN)) is None
    assert interval.start(Interval(4, 10, False)) == 5
    assert interval.end(Interval(4, 10, True, False)) == 9


@pytest.mark.parametrize(
    ("function", "left", "right", "expected"),
    [
        (interval.overlaps, Interval(1, 10), Interval(5, None, True, False), True),
        (interval.overlaps, Interval(1, 4), Interval(None, 10, False, True), None),
        (interval.before, Interval(1, 4), Interval(5, None), True),
        (interval.before, Interval(1, None, True, False), Interval(5, 6), None),
        (interval.after, Interval(7, None, True, False), Interval(5, 6), True),
        (interval.meets, Interval(None, 5, False), Interval(None, 15, False, False), None),
        (interval.meets_after, Interval(None, 5, False), Interval(11, None, True, False), False),
        (interval.meets_before, Interval(1, None), Interval(5, 6), False),  # nothing comes after the maximum
        (interval.includes, Interval(None, None), Interval(1, 2), True),
        (interval.includes, Interval(None, None, False, False), Interval(1, 2), None),
        (interval.includes, Interval(None, None), Interval(None, None), None),
        (interval.same_as, Interval(None, None, point=DATE), Interval(None, None, point=DATE), True),
    ],
)
def test_relations_with_null_ends(function, left, right, expected):
    assert function(left, right) is expected


def test_an_unknown_end_stays_unknown_in_an_intersection():
    assert interval_sets.intersect(Interval(1, 10), Interval(5, None, True, False)) == Interval(5, None, True, False)
    assert interval_sets.intersect(Interval(1, 10), Interval(5, None)) == Interval(5, 10)
    assert interval_sets.union(Interval(1, 10), Interval(5, None, True, False)) == Interval(1, None, True, False)
    assert interval_sets.intersect(Interval(1, 4), Interval(None, 10, False, True)) is None


@settings(deadline=None, max_examples=300)
@given(st.integers(-4, 4), st.integers(-4, 4), st.integers(-4, 4))
def test_with_an_unknown_end_the_answer_is_the_common_one_of_all_ends(low, other, size):
    """`Interval[low, unknown)` against every interval that it could be."""
    assume(size >= 0)
    unknown, right = Interval(low, None, True, False), Interval(other, other + size)
    choices = [Interval(low, high) for high in (*range(low, 15), MAX_INTEGER)]
    for relation in (interval.overlaps, interval.before, interval.after, interval.includes, interval.included_in):
        answers = {relation(choice, right) for choice in choices}
        assert relation(unknown, right) is (answers.pop() if len(answers) == 1 else None)


# --- dates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "left", "right", "precision", "expected"),
    [
        (interval.contains, Interval(Date(2024, 1, 1), Date(2024, 12, 31)), Date(2024, 6), None, True),
        (interval.contains, Interval(Date(2024, 1, 15), Date(2024, 12, 31)), Date(2024, 1), None, None),
        (interval.contains, Interval(Date(2024, 1, 15), Date(2024, 12, 31)), Date(2024, 1), "month", True),
        (
            interval.contains,
            Interval(DateTime(2024, 1, 1, 0, 0, 0, 0), DateTime(2025, 1, 1, 0, 0, 0, 0), True, False),
            DateTime(2024, 12, 31, 23, 59, 59, 999),
            None,
            True,
        ),
        (
            interval.included_in,
            Interval(DateTime(2017, 9, 1, 0, 0, 0), DateTime(2017, 9, 1, 0, 0, 0)),
            Interval(DateTime(2017, 9, 1, 0, 0, 0, 0), DateTime(2017, 12, 30, 23, 59, 59, 999)),
            "day",
            True,
        ),
        (
            interval.meets,
            Interval(Date(2024, 1, 1), Date(2024, 1, 31)),
            Interval(Date(2024, 2, 1), Date(2024, 2, 29)),
            None,
            True,
        ),
        (
            interval.meets,
            Interval(Date(2024, 1, 1), Date(2024, 1, 10)),
            Interval(Date(2024, 2, 20), Date(2024, 2, 29)),
            "month",
            True,
        ),
        (
            interval.properly_contains,
            Interval(Time(12, 0, 0, 1), Time(21, 59, 59, 999)),
            Time(12, 0, 0),
            "second",
            False,
        ),
        (
            interval.properly_contains,
            Interval(Time(12, 0, 0, 1), Time(21, 59, 59, 999)),
            Time(12, 0, 0),
            "millisecond",
            None,
        ),
        (
            interval.overlaps,
            Interval(DateTime(2012, 2, 25), DateTime(2012, 3, 26)),
            Interval(DateTime(2012, 1, 10), DateTime(2012, 2)),
            None,
            None,
        ),
    ],
)
def test_dates_at_a_precision(function, left, right, precision, expected):
    assert function(left, right, precision=precision) is expected


# --- measures -----------------------------------------------------------------------------------------------------


def test_width_and_size():
    assert interval.width(Interval(4, 15)) == 11
    assert interval.size(Interval(4, 15)) == 12
    assert interval.width(Interval(Decimal("4.0"), Decimal("15.0"))) == 11
    assert interval.size(Interval(q("5.0", "g"), q("10.0", "g"))) == q("5.00000001", "g")
    assert interval.width(Interval(4, None, True, False)) is None


def test_point_from():
    assert interval.point_from(Interval(4, 4)) == 4
    assert interval.point_from(Interval(3, 5, False, False)) == 4
    assert interval.point_from(Interval(None, None)) is None
    with pytest.raises(CqlRuntimeError, match="one point"):
        interval.point_from(Interval(4, 5))


@pytest.mark.parametrize(
    ("low", "high", "low_closed", "high_closed"),
    [(5, 3, True, True), (5, 5, True, False), (Date(2024, 2, 1), Date(2024, 1, 1), True, True)],
)
def test_an_interval_cannot_end_before_it_starts(low, high, low_closed, high_closed):
    with pytest.raises(CqlRuntimeError, match="an interval can't end before it starts"):
        interval.interval(low, high, low_closed, high_closed)


def test_an_interval_that_may_end_before_it_starts_is_made():
    assert interval.interval(Date(2024, 2, 1), Date(2024)) == Interval(Date(2024, 2, 1), Date(2024))


# --- collapse and expand ------------------------------------------------------------------------------------------


def test_collapse_per_closes_gaps():
    stays = [Interval(Date(2024, 1, 1), Date(2024, 1, 3)), Interval(Date(2024, 1, 5), Date(2024, 1, 6)), None]
    assert interval_sets.collapse(stays, context=HERE) == [stays[0], stays[1]]
    assert interval_sets.collapse(stays, q(2, "day"), context=HERE) == [Interval(Date(2024, 1, 1), Date(2024, 1, 6))]
    assert interval_sets.collapse(None, context=HERE) is None


def test_collapse_keeps_intervals_whose_end_is_unknown():
    going_on = Interval(3, None, True, False)
    assert interval_sets.collapse([Interval(1, 5), going_on, Interval(4, 9)], context=HERE) == [
        Interval(1, 9),
        going_on,
    ]


@pytest.mark.parametrize(
    ("value", "per", "starts"),
    [
        (Interval(1, 10), None, list(range(1, 11))),
        (Interval(1, 10, True, False), q(2), [1, 3, 5, 7]),
        (Interval(Date(2018, 1, 1), Date(2018, 1, 3)), q(1, "day"), [Date(2018, 1, d) for d in (1, 2, 3)]),
        (Interval(Date(2018, 1, 1), Date(2018, 3, 3)), q(1, "month"), [Date(2018, 1), Date(2018, 2), Date(2018, 3)]),
        (Interval(Date(2018, 1, 1), Date(2018, 1, 14)), q(1, "week"), [Date(2018, 1, 1), Date(2018, 1, 8)]),
        (Interval(Time(10, 0), Time(12, 30), True, False), q(1, "hour"), [Time(10), Time(11), Time(12)]),
        (Interval(Time(10), Time(10)), q(1, "minute"), []),
        (Interval(Decimal("10.0"), Decimal("12.5")), q(1), [10, 11, 12]),
        (Interval(10, 10), q("0.1"), [Decimal(n) / 10 for n in range(100, 110)]),
        (Interval(q(1, "g"), q(3, "g")), q(1, "g"), [q(1, "g"), q(2, "g"), q(3, "g")]),
        (Interval(1, None, True, False), None, []),
    ],
)
def test_expand_an_interval_into_points(value, per, starts):
    assert interval_sets.expand_points(value, per, context=HERE) == starts


def test_expand_is_limited_and_needs_a_step():
    tight = EvaluationContext(limits=Limits(expand_intervals=100))
    with pytest.raises(LimitExceeded, match="more than 100 intervals"):
        interval_sets.expand_points(Interval(1, None), context=tight)
    with pytest.raises(CqlRuntimeError, match="greater than zero"):
        interval_sets.expand_points(Interval(1, 2), q(0), context=HERE)
    with pytest.raises(CqlRuntimeError, match="is a duration, not 'mg'"):
        interval_sets.expand_points(Interval(Date(2024, 1, 1), Date(2024, 1, 2)), q(1, "mg"), context=HERE)
    assert interval_sets.expand(None, context=HERE) is None
    assert interval_sets.expand([], context=HERE) == []
