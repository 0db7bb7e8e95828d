"""List operators and aggregates (CQL Appendix B §List, §Aggregate), null elements and uncertain equality included."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cql_like.runtime import aggregates, lists
from cql_like.runtime.context import EvaluationContext
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.values import Code, CqlTuple, Date, DateTime, Long, Quantity, Time

CONTEXT = EvaluationContext()


def d(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


@pytest.mark.parametrize(
    ("items", "element", "contains", "properly"),
    [
        ([1, 2], 1, True, True),
        ([1, 2], 3, False, False),
        ([1, 1], 1, True, False),
        ([1, None], 1, True, None),
        ([1, 2, None], 1, True, True),
        ([1, None], None, True, True),
        ([None, None], None, True, False),
        ([1], None, False, False),
        ([None, 2], 1, False, False),
        (None, 1, False, False),
        ([], 1, False, False),
        ([Date(2014), Date(2015, 1, 1)], Date(2014, 1, 1), None, None),
        ([Date(2014), Date(2014, 1, 1)], Date(2014, 1, 1), True, None),
        ([Time(15, 59, 59, 999), Time(20, 0, 0, 0)], Time(15, 59, 59), None, None),
    ],
)
def test_membership(items, element, contains, properly):
    assert lists.contains(items, element) is contains
    assert lists.in_(element, items) is contains
    assert lists.properly_contains(items, element) is properly
    assert lists.properly_in(element, items) is properly


@pytest.mark.parametrize(
    ("left", "right", "includes", "properly"),
    [
        ([1, 2, 3], [2], True, True),
        ([1, 2, 3], [], True, True),
        ([], [], True, False),
        ([None], [None], True, False),
        ([1, 2], [2, 1], True, False),
        ([1, 2], [3], False, False),
        ([1, None], [1], True, True),
        ([Date(2014)], [Date(2014, 1, 1)], None, None),
    ],
)
def test_inclusion(left, right, includes, properly):
    assert lists.includes(left, right) is includes
    assert lists.included_in(right, left) is includes
    assert lists.properly_includes(left, right) is properly
    assert lists.properly_included_in(right, left) is properly


elements = st.lists(st.one_of(st.none(), st.integers(0, 4), st.sampled_from(["a", "b"])), max_size=6)


def once(items):
    return list(dict.fromkeys(items))


@given(elements, elements)
def test_set_operators_keep_the_first_of_each(left, right):
    assert lists.distinct(left) == once(left)
    assert lists.union(left, right, context=CONTEXT) == once(left + right)
    assert lists.intersect(left, right) == [item for item in once(left) if item in right]
    assert lists.except_(left, right) == [item for item in once(left) if item not in right]


def test_distinct_of_values_that_are_equal_in_cql_only():
    assert lists.distinct([1, Decimal("1.0"), True]) == [1, True]
    assert lists.distinct([Quantity(Decimal(1), "m"), Quantity(Decimal(100), "cm")]) == [Quantity(Decimal(1), "m")]
    assert lists.distinct([Date(2014), Date(2014, 1)]) == [Date(2014), Date(2014, 1)]
    assert lists.distinct([Code("1", "s"), None, Code("1", "s"), None]) == [Code("1", "s"), None]


days = st.sampled_from([None, Date(2014), Date(2014, 1, 1), Date(2014, 1, 2)])
rows = st.builds(lambda resource, day: CqlTuple({"resource": resource, "onDay": day}), st.sampled_from("ab"), days)


@given(st.lists(st.one_of(rows, st.just(CqlTuple({"onDay": Date(2014, 1, 1), "resource": "a"}))), max_size=8))
def test_distinct_of_tuples_is_that_of_equality(items):
    kept = []
    for item in items:
        if not any(lists.equal(item, other) is True for other in kept):
            kept.append(item)
    assert lists.distinct(items) == kept


def test_set_operators_on_null_lists():
    assert lists.union(None, [1, 1], context=CONTEXT) == [1]
    assert lists.union(None, None, context=CONTEXT) is None
    assert lists.except_([1, 4], None) == [1, 4]
    assert lists.except_(None, [1]) is None


def test_elements_by_place():
    items = [1, 2, 3, 4, 5]
    assert [lists.first(items), lists.last(items), lists.first([]), lists.last([])] == [1, 5, None, None]
    assert [lists.indexer(items, at) for at in (0, 4, 5, -1)] == [1, 5, None, None]
    assert lists.index_of(items, 3) == 2
    assert lists.index_of(items, 9) == -1
    assert lists.skip(items, 3) == [4, 5]
    assert lists.skip(items, None) == items
    assert lists.take(items, 2) == [1, 2]
    assert lists.take(items, None) == lists.take(items, -1) == []
    assert lists.tail(items) == [2, 3, 4, 5]
    assert lists.tail([]) == []
    assert [lists.slice_(items, 1, -1), lists.slice_(items, None, 2), lists.slice_(items, 5)] == [[2, 3, 4], [1, 2], []]
    assert lists.slice_(items, -1) == []
    assert lists.slice_(None, 1) is lists.skip(None, 1) is lists.take(None, 1) is None


def test_exists_looks_for_an_element_that_is_not_null():
    assert [lists.exists(items) for items in (None, [], [None], [None, 1])] == [False, False, False, True]


def test_singleton_from():
    assert [lists.singleton_from(items) for items in (None, [], [None], [7])] == [None, None, None, 7]
    with pytest.raises(CqlRuntimeError, match="a list of 2 elements"):
        lists.singleton_from([1, 2])


def test_flatten_and_what_lies_below_a_value():
    assert lists.flatten([[1], None, [2, None], 3], context=CONTEXT) == [1, 2, None, 3]
    tree = CqlTuple({"a": [1, 2], "b": CqlTuple({"c": 3}), "d": None})
    assert lists.children(tree) == [1, 2, CqlTuple({"c": 3})]
    assert lists.descendents(tree, context=CONTEXT) == [1, 2, CqlTuple({"c": 3}), 3]
    assert lists.descendents(None, context=CONTEXT) is None
    assert lists.children(5) == []


@pytest.mark.parametrize(
    ("function", "items", "result"),
    [
        (aggregates.count, [1, None, 2], 2),
        (aggregates.count, None, 0),
        (aggregates.sum_, [None, 1, None], 1),
        (aggregates.sum_, [], None),
        (aggregates.sum_, [Long(6), Long(2)], Long(8)),
        (aggregates.sum_, [2**31 - 1, 1], None),
        (aggregates.sum_, [Quantity(Decimal(1), "m"), Quantity(Decimal(1), "cm")], Quantity(Decimal(101), "cm")),
        (aggregates.product, [2, 3, None], 6),
        (aggregates.product, [Long(5), Long(4)], Long(20)),
        (aggregates.min_, [5, None, 3], 3),
        (aggregates.max_, ["hi", "bye", "zebra"], "zebra"),
        (aggregates.max_, [Date(2012, 10, 5), Date(2012, 10, 6)], Date(2012, 10, 6)),
        (aggregates.max_, [Date(2014), Date(2014, 5), Date(2013)], None),
        (aggregates.min_, [Date(2014), Date(2014, 5), Date(2013)], Date(2013)),
        (aggregates.avg, d("1.0", "2.0", "3.0", "6.0"), Decimal("3.0")),
        (aggregates.median, d("6", "5", "4", "3", "2", "1"), Decimal("3.5")),
        (aggregates.median, d("3", "1", "2"), Decimal("2")),
        (aggregates.mode, [2, 1, 8, 2, 9, 1, 9, 9], 9),
        (aggregates.mode, [None], None),
        (aggregates.variance, d("1", "2", "3", "4", "5"), Decimal("2.5")),
        (aggregates.population_variance, d("1", "2", "3", "4", "5"), Decimal("2")),
        (aggregates.std_dev, d("1", "2", "3", "4", "5"), Decimal("1.58113883")),
        (aggregates.population_std_dev, d("1", "2", "3", "4", "5"), Decimal("1.41421356")),
        (aggregates.std_dev, d("1"), None),
        (aggregates.geometric_mean, d("2", "8"), Decimal("4")),
        (aggregates.geometric_mean, d("2", "-8"), None),
        (aggregates.geometric_mean, d("2", "0"), Decimal(0)),
        (aggregates.all_true, [None, True], True),
        (aggregates.all_true, [None, False], False),
        (aggregates.all_true, None, True),
        (aggregates.any_true, [None, True], True),
        (aggregates.any_true, [], False),
    ],
)
def test_aggregates(function, items, result):
    assert function(items) == result


def test_aggregates_of_quantities_work_in_the_unit_of_the_first():
    lengths = [Quantity(Decimal(1), "m"), Quantity(Decimal(300), "cm")]
    assert aggregates.avg(lengths) == Quantity(Decimal(2), "m")
    assert aggregates.population_variance(lengths) == Quantity(Decimal(1), "m2")
    with pytest.raises(CqlRuntimeError, match="can't be converted to 'm'"):
        aggregates.avg([Quantity(Decimal(1), "m"), Quantity(Decimal(1), "g")])


def test_a_list_of_datetimes_of_different_precision_contains_uncertainly():
    assert lists.contains([DateTime(2012, 1, 1)], DateTime(2012, 1, 1, 8)) is None
