"""Units and quantities (CQL §Quantities; UCUM)."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cql_like.runtime import quantity, units
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.values import Quantity, Ratio


def q(value: str | int, unit: str = "1") -> Quantity:
    return Quantity(Decimal(value), unit)


@pytest.mark.parametrize(
    ("value", "unit", "converted"),
    [
        (q(1, "m"), "cm", q(100, "cm")),
        (q(1, "[lb_av]"), "g", q("453.59237", "g")),
        (q(1, "[in_i]"), "cm", q("2.54", "cm")),
        (q(6, "[ft_i]"), "cm", q("182.88", "cm")),
        (q(1, "mg/dL"), "g/L", q("0.01", "g/L")),
        (q(5, "10*3/uL"), "10*9/L", q(5, "10*9/L")),
        (q(120, "mm[Hg]"), "kPa", q("15.99864", "kPa")),
        (q(2, "wk"), "d", q(14, "d")),
        (q(1, "a"), "d", q("365.25", "d")),
        (q(12, "mo"), "a", q(1, "a")),
        (q(2, "years"), "days", q(730, "days")),  # calendar durations convert by 365 and 30 days
        (q(60, "days"), "month", q(2, "month")),
        (q(1, "year"), "month", q(12, "month")),
        (q(37, "Cel"), "[degF]", q("98.6", "[degF]")),
        (q(212, "[degF]"), "Cel", q(100, "Cel")),
        (q(0, "Cel"), "K", q("273.15", "K")),
        (q(1, "kat"), "U", q(60_000_000, "U")),
        (q(50, "%"), "1", q("0.5", "1")),
        (q(1, "mmol/L"), "umol/mL", q(1, "umol/mL")),
        (q(3, "{score}"), "1", q(3, "1")),
        (q(1, "kg.m/s2"), "N", q(1, "N")),
        (q(1, "[tsp_us]"), "mL", q("4.92892159", "mL")),
        (q(5, "m[IU]/mL"), "[IU]/L", q(5, "[IU]/L")),
        (q(1, "/min"), "Hz", q("0.01666667", "Hz")),
        # not convertible
        (q(1, "g"), "cm", None),
        (q(1, "[IU]"), "g", None),
        (q(1, "no such unit"), "g", None),
    ],
)
def test_conversion(value, unit, converted):
    result = quantity.convert(value, unit)
    assert result == converted
    assert quantity.can_convert(value, unit) is (converted is not None)


def test_a_unit_is_understood_by_its_dimension():
    assert units.parse("kg").dimension == units.parse("[lb_av]").dimension == (("g", 1),)
    assert units.parse("(g/m)2").dimension == (("g", 2), ("m", -2))
    assert units.parse("m/s/s") == units.parse("m.s-1.s-1")
    assert units.parse("").dimension == ()
    assert units.parse("10*3").factor == 1000
    for not_a_unit in ("m//s", "(m", "m)", ".", "m s", "m2000"):
        assert units.parse(not_a_unit).dimension == ((not_a_unit, 1),)


@settings(deadline=None)
@given(st.integers(-(10**6), 10**6), st.sampled_from(["m", "cm", "km", "[ft_i]", "mm"]), st.sampled_from(["m", "mm"]))
def test_comparison_is_exact_whatever_the_units(number, unit, other):
    exact = Fraction(number) * units.parse(unit).factor / units.parse(other).factor
    below = Quantity(Decimal(int(exact) - 1), other)
    assert quantity.compare(q(number, unit), below) == 1
    assert quantity.compare(below, q(number, unit)) == -1


@pytest.mark.parametrize(
    ("left", "right", "equal", "equivalent"),
    [
        (q(1, "cm"), q("0.01", "m"), True, True),
        (q(1, "cm"), q(1, "g"), None, False),
        (q("2.0", "cm"), q("2.00", "cm"), True, True),
        (q(37, "Cel"), q("98.6", "[degF]"), True, True),
        # calendar and definite durations: the same up to the week, not comparable above it
        (q(1, "week"), q(1, "wk"), True, True),
        (q(1, "week"), q(7, "days"), True, True),
        (q(1, "day"), q(24, "h"), True, True),
        (q(1000, "milliseconds"), q(1, "s"), True, True),
        (q(1, "month"), q(1, "mo"), None, True),
        (q(1, "year"), q(1, "a"), None, True),
        (q(1, "year"), q(12, "months"), True, True),
        (q(1, "year"), q(365, "days"), None, True),
        (q(1, "month"), q(30, "days"), None, True),
        (q(1, "month"), q(31, "days"), None, False),
        (q(1, "year"), q(13, "months"), False, False),
        (q(2, "years"), q(2, "year"), True, True),
    ],
)
def test_equality(left, right, equal, equivalent):
    assert quantity.equal(left, right) is equal
    assert quantity.equal(right, left) is equal
    assert quantity.equivalent(left, right) is equivalent
    assert quantity.equivalent(right, left) is equivalent


@pytest.mark.parametrize(
    ("function", "left", "right", "result"),
    [
        (quantity.add, q(1, "g/cm3"), q(1, "g/cm3"), q(2, "g/cm3")),
        (quantity.add, q(1, "m"), q(1, "cm"), q(101, "cm")),  # the more granular unit
        (quantity.add, q(1, "cm"), q(1, "m"), q(101, "cm")),
        (quantity.add, q(1, "m"), q(1, "g"), None),
        (quantity.add, q(1, "year"), q(1, "month"), q(13, "month")),
        (quantity.add, q(1, "year"), q(1, "days"), None),
        (quantity.subtract, q(1, "m"), q(1, "cm"), q(99, "cm")),
        (quantity.multiply, q(2, "cm"), q(3, "cm"), q(6, "cm2")),
        (quantity.multiply, q(2, "mg/mL"), q(3, "mL"), q(6, "mg")),
        (quantity.multiply, q(2), q(3, "mL"), q(6, "mL")),
        (quantity.divide, q(6, "g"), q(3, "mL"), q(2, "g/mL")),
        (quantity.divide, q(6, "g"), q(3, "g"), q(2, "1")),
        (quantity.divide, q(6, "1"), q(3, "s"), q(2, "/s")),
        (quantity.divide, q(6, "g"), q(0, "mL"), None),
        (quantity.truncated_divide, q(10, "g"), q(3, "g"), q(3, "1")),
        (quantity.truncated_divide, q(10, "g"), q(0, "g"), None),
        (quantity.modulo, q("3.5", "cm"), q(3, "cm"), q("0.5", "cm")),
        (quantity.modulo, q(1, "m"), q(30, "cm"), q("0.1", "m")),
        (quantity.modulo, q(1, "m"), q(30, "g"), None),
    ],
)
def test_arithmetic(function, left, right, result):
    assert function(left, right) == result


def test_scaling_and_sign():
    assert (
        quantity.scale(q("1.5", "mg"), Decimal(2)) == quantity.scaled_by(Decimal(2), q("1.5", "mg")) == q("3.0", "mg")
    )
    assert quantity.divide_by(q(10, "g"), Decimal(5)) == q(2, "g")
    assert quantity.divide_by(q(10, "g"), Decimal(0)) is None
    assert quantity.negate(q(1, "g")) == q(-1, "g")
    assert quantity.absolute(q(-1, "g")) == q(1, "g")


def test_ratios_are_equivalent_by_their_proportion():
    assert quantity.ratio_equivalent(Ratio(q(1, "mg"), q(2, "mL")), Ratio(q(10, "ug"), q(20, "uL"))) is True
    assert quantity.ratio_equivalent(Ratio(q(1), q(128)), Ratio(q(2), q(128))) is False
    assert quantity.ratio_equivalent(Ratio(q(1), q(0)), Ratio(q(1), q(0))) is True


def test_neighbours():
    assert quantity.successor(q("1.0", "g")) == q("1.00000001", "g")
    assert quantity.predecessor(q("1.0", "g")) == q("0.99999999", "g")
    with pytest.raises(CqlRuntimeError, match="no successor"):
        quantity.successor(q("99999999999999999999.99999999", "g"))
