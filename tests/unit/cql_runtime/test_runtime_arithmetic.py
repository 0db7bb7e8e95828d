"""Arithmetic on numbers: domains, rounding, null for what can't be represented (CQL Appendix B §Arithmetic)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cql_like.runtime import arithmetic
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.numbers import MAX_DECIMAL, MAX_INTEGER, MAX_LONG, MIN_INTEGER, MIN_LONG
from cql_like.runtime.values import Date, DateTime, Long, Time, Uncertainty
from cql_like.types import BOOLEAN, DATE, INTEGER


def d(text: str) -> Decimal:
    return Decimal(text)


@pytest.mark.parametrize(
    ("function", "left", "right", "result"),
    [
        (arithmetic.add_integers, MAX_INTEGER, 1, None),
        (arithmetic.add_integers, MAX_INTEGER, -1, MAX_INTEGER - 1),
        (arithmetic.subtract_integers, MIN_INTEGER, 1, None),
        (arithmetic.multiply_integers, 65536, 65536, None),
        (arithmetic.add_longs, Long(MAX_LONG), Long(1), None),
        (arithmetic.multiply_longs, Long(2**32), Long(2**31), None),
        (arithmetic.add_decimals, d("0.1"), d("0.2"), d("0.3")),
        (arithmetic.multiply_decimals, d("0.00001"), d("0.00001"), d("0.00000000")),
        (arithmetic.multiply_decimals, d("10") ** 27, d("100"), None),
        (arithmetic.divide_decimals, d("10"), d("3"), d("3.33333333")),
        (arithmetic.divide_decimals, d("2"), d("3"), d("0.66666667")),
        (arithmetic.divide_decimals, d("1"), d("0"), None),
        (arithmetic.truncated_divide_integers, -10, 3, -3),
        (arithmetic.truncated_divide_integers, 10, -3, -3),
        (arithmetic.truncated_divide_integers, -10, -3, 3),
        (arithmetic.truncated_divide_integers, MIN_INTEGER, -1, None),
        (arithmetic.truncated_divide_integers, 1, 0, None),
        (arithmetic.truncated_divide_decimals, d("-10.1"), d("3.1"), d("-3")),
        (arithmetic.modulo_integers, -7, 3, -1),
        (arithmetic.modulo_integers, 7, -3, 1),
        (arithmetic.modulo_integers, 7, 0, None),
        (arithmetic.modulo_decimals, d("3.5"), d("3"), d("0.5")),
        (arithmetic.modulo_longs, Long(-7), Long(3), Long(-1)),
        (arithmetic.power_integers, 2, 30, 2**30),
        (arithmetic.power_integers, 2, 31, None),
        (arithmetic.power_integers, 10, 10**9, None),
        (arithmetic.power_integers, -1, 10**9, 1),
        (arithmetic.power_integers, 0, 0, 1),
        (arithmetic.power_integers, 0, -1, None),
        (arithmetic.power_integers, 2, -2, d("0.25")),
        (arithmetic.power_longs, Long(2), Long(62), Long(2**62)),
        (arithmetic.power_decimals, d("4"), d("0.5"), d("2")),
        (arithmetic.power_decimals, d("-8"), d("0.5"), None),
        (arithmetic.power_decimals, d("10"), d("28.5"), None),
        (arithmetic.power_decimals, d("10"), d("-100"), d("0")),
        (arithmetic.log, d("16"), d("2"), d("4")),
        (arithmetic.log, d("16"), d("1"), None),
        (arithmetic.log, d("-1"), d("2"), None),
    ],
)
def test_binary_operators(function, left, right, result):
    found = function(left, right)
    assert found == result
    assert type(found) is type(result)


@pytest.mark.parametrize(
    ("function", "operand", "result"),
    [
        (arithmetic.negate_integer, MIN_INTEGER, None),
        (arithmetic.abs_integer, MIN_INTEGER, None),
        (arithmetic.abs_long, Long(MIN_LONG), None),
        (arithmetic.abs_decimal, d("-1.50"), d("1.50")),
        (arithmetic.ceiling, d("-1.1"), -1),
        (arithmetic.ceiling, d("1.1"), 2),
        (arithmetic.floor, d("-0.1"), -1),
        (arithmetic.floor, d("2147483648.2"), None),
        (arithmetic.truncate, d("-1.9"), -1),
        (arithmetic.exp, d("0"), d("1")),
        (arithmetic.ln, d("-1"), None),
        (arithmetic.ln, d("1000"), d("6.90775528")),
    ],
)
def test_unary_operators(function, operand, result):
    assert function(operand) == result


@pytest.mark.parametrize(
    ("operand", "places", "result"),
    [
        ("0.5", None, "1"),
        ("-0.5", None, "-1"),
        ("-0.4", None, "0"),
        ("3.14159", 2, "3.14"),
        ("2.5", None, "3"),
        ("7", 2, "7"),
    ],
)
def test_rounding_is_half_away_from_zero(operand, places, result):
    assert str(arithmetic.round_(d(operand), places)) == result


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda: arithmetic.exp(d("1000")), "beyond the greatest Decimal"),
        (lambda: arithmetic.ln(d("0")), "infinite"),
        (lambda: arithmetic.round_(d("1.5"), -1), "expected 0 to 28"),
        (lambda: arithmetic.truncated_divide_integers(Uncertainty(1, 2), 2), "uncertain number can't be divided"),
        (lambda: arithmetic.successor(True), "bool has no successor"),
        (lambda: arithmetic.successor(MAX_INTEGER), "the maximum int has no successor"),
        (lambda: arithmetic.maximum_of(BOOLEAN), "System.Boolean has no maximum"),
    ],
)
def test_errors(call, problem):
    with pytest.raises(CqlRuntimeError, match=problem):
        call()


ranges = st.tuples(st.integers(-9, 9), st.integers(0, 4)).map(lambda pair: Uncertainty(pair[0], pair[0] + pair[1]))


@given(ranges, ranges)
def test_uncertain_sums_and_products_span_those_of_all_values(left, right):
    def values(value):
        return range(value.low, value.high + 1)

    for function, python in (
        (arithmetic.add_integers, lambda a, b: a + b),
        (arithmetic.subtract_integers, lambda a, b: a - b),
        (arithmetic.multiply_integers, lambda a, b: a * b),
    ):
        found = function(left, right)
        span = (found.low, found.high) if isinstance(found, Uncertainty) else (found, found)
        results = [python(a, b) for a in values(left) for b in values(right)]
        assert span == (min(results), max(results))


def test_neighbours_and_extremes():
    assert arithmetic.successor(1) == 2
    assert arithmetic.predecessor(d("1.01")) == d("1.00999999")
    assert type(arithmetic.successor(Long(1))) is Long
    assert arithmetic.successor(Uncertainty(1, 3)) == Uncertainty(2, 4)
    assert arithmetic.minimum_of(INTEGER) == MIN_INTEGER
    assert arithmetic.maximum_of(DATE) == Date(9999, 12, 31)
    assert arithmetic.extremes_like(d("1.0")) == (-MAX_DECIMAL, MAX_DECIMAL)
    assert arithmetic.extremes_like("text") is None


@pytest.mark.parametrize(
    ("operand", "precision", "low", "high"),
    [
        (d("1.587"), 8, "1.58700000", "1.58799999"),
        (d("-1.587"), 8, "-1.58799999", "-1.58700000"),
        (d("1.58888"), None, "1.58888000", "1.58888999"),
        (d("1.587"), 2, "1.58", "1.58"),
        (d("1.587"), 9, "None", "None"),
        (Date(2014), 6, "2014-01", "2014-12"),
        (Date(2016, 2), None, "2016-02-01", "2016-02-29"),
        (Date(2014), 5, "None", "None"),
        (DateTime(2014, 1, 1, 8), 17, "2014-01-01T08:00:00.000", "2014-01-01T08:59:59.999"),
        (Time(10, 30), 9, "10:30:00.000", "10:30:59.999"),
        (None, 8, "None", "None"),
    ],
)
def test_boundaries(operand, precision, low, high):
    assert str(arithmetic.low_boundary(operand, precision)) == low
    assert str(arithmetic.high_boundary(operand, precision)) == high


def test_precision():
    assert [
        arithmetic.precision_of(value) for value in (d("1.58700"), Date(2014), DateTime(2014, 1, 5, 10, 30, 0, 0))
    ] == [
        5,
        4,
        17,
    ]
    assert [arithmetic.precision_of(value) for value in (Time(10, 30), Time(10, 30, 0, 0))] == [4, 9]
