"""`=`, `~`, order and sorting of values of every kind (CQL Appendix B §Comparison operators)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cql_like.runtime import comparison
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.values import (
    Code,
    Concept,
    CqlTuple,
    Date,
    DateTime,
    Interval,
    Long,
    ModelValue,
    Quantity,
    Ratio,
    Time,
    Uncertainty,
    ValueSet,
)
from cql_like.types import Named

LOINC = "http://loinc.org"


def q(value: str, unit: str) -> Quantity:
    return Quantity(Decimal(value), unit)


@pytest.mark.parametrize(
    ("left", "right", "equal", "equivalent"),
    [
        (None, None, None, True),
        (None, 1, None, False),
        (1, 1, True, True),
        (1, Decimal("1.0"), True, True),
        (Long(5), 5, True, True),
        (True, 1, False, False),
        ("1", 1, False, False),
        # strings: `~` ignores case and the kind of white space
        ("Abel", "abel", False, True),
        ("a b", "a\tb", False, True),
        ("a b", "ab", False, False),
        # decimals: `~` compares at the coarser precision, trailing zeroes ignored
        (Decimal("1.5"), Decimal("1.55"), False, False),
        (Decimal("1.50"), Decimal("1.55"), False, False),
        (Decimal("1.5"), Decimal("1.54"), False, True),
        (Decimal("1.001"), Decimal("1.000"), False, True),
        # dates of different precision: uncertain, but not equivalent
        (Date(2014), Date(2014, 1), None, False),
        (Date(2014), Date(2015, 1), False, False),
        (DateTime(2014, 1, 1), DateTime(2014, 1, 1, 8), None, False),
        (DateTime(2014, 1, 1, 8, 0, 0, 0, 60), DateTime(2014, 1, 1, 7, 0, 0, 0, 0), True, True),
        (Date(2014, 1, 1), DateTime(2014, 1, 1), True, True),
        (Time(15, 59, 59), Time(15, 59, 59, 999), None, False),
        # lists: nulls in the same place are equal, the first pair that is not equal decides
        ([None], [None], True, True),
        ([1, None], [1, 2], None, False),
        ([1, 2], [1], False, False),
        ([], [], True, True),
        ([1, 2], ["a", "b"], False, False),
        ([[1], [2]], [[1], [2]], True, True),
        # tuples likewise
        (CqlTuple({"id": 1, "n": None}), CqlTuple({"id": 1, "n": None}), True, True),
        (CqlTuple({"id": None, "n": "a"}), CqlTuple({"id": 1, "n": "b"}), None, False),
        (CqlTuple({"id": 1, "n": "a"}), CqlTuple({"id": 2, "n": None}), False, False),
        (CqlTuple({"id": 1}), CqlTuple({"other": 1}), False, False),
        # intervals compare by their effective ends
        (Interval(1, 4), Interval(0, 5, False, False), True, True),
        (Interval(1, 4), Interval(1, 5), False, False),
        (Interval(1, 10), Interval(None, None, False, False), None, False),
        (Interval(5, None), Interval(5, 2**31 - 1), True, True),
        # codes: `=` all of it, `~` code and system
        (Code("1", LOINC), Code("1", LOINC), True, True),
        (Code("1", LOINC), Code("1", LOINC, display="One"), None, True),
        (Code("1", LOINC, "1"), Code("1", LOINC, "2"), False, True),
        (Code("1", LOINC), Code("1", "urn:other"), False, False),
        (Code("1", LOINC), Code("1"), None, False),
        (Concept((Code("1", LOINC), Code("2", LOINC))), Concept((Code("2", LOINC),)), False, True),
        (Concept((Code("1", LOINC),)), Code("1", LOINC), False, True),
        (Code("3", LOINC), Concept((Code("1", LOINC),)), False, False),
        (ValueSet("urn:a", "1"), ValueSet("urn:a", "2"), False, True),
        # ratios: `=` both parts, `~` the proportion
        (Ratio(q("1", "mg"), q("2", "mL")), Ratio(q("10", "mg"), q("20", "mL")), False, True),
        (Ratio(q("1", "mg"), q("2", "mL")), Ratio(q("1", "mg"), q("3", "mL")), False, False),
        # boxed model values compare by what they hold
        (ModelValue(Named("FHIR", "string"), "a"), "a", True, True),
        (ModelValue(Named("FHIR", "string"), "a"), ModelValue(Named("FHIR", "code"), "b"), False, False),
        ({"a": 1}, {"a": 1}, True, True),
        ({"a": 1}, {"a": 1, "b": 2}, False, False),
    ],
)
def test_equality_and_equivalence(left, right, equal, equivalent):
    assert comparison.equal(left, right) is equal
    assert comparison.equal(right, left) is equal
    assert comparison.not_equal(left, right) is (None if equal is None else not equal)
    assert comparison.equivalent(left, right) is equivalent
    assert comparison.equivalent(right, left) is equivalent


@pytest.mark.parametrize(
    ("left", "right", "less", "less_or_equal"),
    [
        (1, 2, True, True),
        (2, Decimal("2.0"), False, True),
        ("Jack", "Jill", True, True),
        ("a", "aa", True, True),
        (q("1", "m"), q("1", "cm"), False, False),
        (q("1", "cm"), q("1", "g"), None, None),
        (Date(2014), Date(2014, 2, 15), None, None),
        (Date(2013), Date(2014, 2, 15), True, True),
        (Time(10, 0, 0, 0), Time(10, 0, 0, 1), True, True),
        # uncertainties: decided where all their values agree
        (Uncertainty(1, 13), 5, None, None),
        (Uncertainty(7, 18), 25, True, True),
        (Uncertainty(1, 5), 5, None, True),
        (5, Uncertainty(1, 5), False, None),
        (Uncertainty(1, 5), Uncertainty(5, 9), None, True),
        (Uncertainty(6, 7), Uncertainty(1, 5), False, False),
    ],
)
def test_order(left, right, less, less_or_equal):
    assert comparison.less(left, right) is less
    assert comparison.greater(right, left) is less
    assert comparison.less_or_equal(left, right) is less_or_equal
    assert comparison.greater_or_equal(right, left) is less_or_equal


def test_uncertainties_are_equal_only_where_they_must_be():
    assert comparison.equal(Uncertainty(1, 5), 6) is False
    assert comparison.equal(Uncertainty(1, 5), 5) is None
    assert comparison.equal(Uncertainty(1, 5), Uncertainty(1, 5)) is None


ranges = st.tuples(st.integers(-4, 4), st.integers(-4, 4)).map(lambda pair: (min(pair), max(pair)))


@given(ranges, ranges)
def test_an_uncertain_comparison_says_what_all_values_say(left, right):
    pairs = [(a, b) for a in range(left[0], left[1] + 1) for b in range(right[0], right[1] + 1)]

    def common(results):
        found = set(results)
        return found.pop() if len(found) == 1 else None

    first, second = Uncertainty(*left), Uncertainty(*right)
    assert comparison.less(first, second) is common(a < b for a, b in pairs)
    assert comparison.less_or_equal(first, second) is common(a <= b for a, b in pairs)
    assert comparison.equal(first, second) is common(a == b for a, b in pairs)


def test_types_without_order_are_an_error():
    with pytest.raises(CqlRuntimeError, match="Boolean and Boolean have no order"):
        comparison.less(True, False)


def test_sorting_puts_nulls_first_and_is_stable():
    assert comparison.sort_list([3, None, 1]) == [None, 1, 3]
    assert comparison.sort_list([3, None, 1], descending=True) == [3, 1, None]
    partial = [DateTime(2012, 10, 5, 10), DateTime(2012, 1, 1), DateTime(2012, 1, 1, 12), DateTime(2012, 10, 5)]
    assert comparison.sort_list(partial) == [partial[1], partial[2], partial[3], partial[0]]
    assert comparison.sort_list(["Wolf", "aardvark", "Armadillo"]) == ["Armadillo", "Wolf", "aardvark"]


def test_quantities_that_do_not_compare_cannot_be_sorted():
    with pytest.raises(CqlRuntimeError, match="units can't be compared"):
        comparison.sort_list([q("1", "g"), q("1", "cm")])
