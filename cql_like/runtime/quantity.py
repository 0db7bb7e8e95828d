"""Quantities: conversion, comparison and arithmetic under UCUM and calendar durations (CQL §Quantities, Appendix B).

Calendar `year` and `month` are not comparable with definite durations (`1 year = 1 'a'` is null), but are equivalent
to them (`1 year ~ 1 'a'` is true, and 1 year ~ 12 months ~ 365 days, 1 month ~ 30 days).
"""

from decimal import Decimal
from fractions import Fraction

from cql_like.runtime import units
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.numbers import CONTEXT, MAX_DECIMAL, MIN_DECIMAL, STEP, decimal_places, fit
from cql_like.runtime.values import Quantity, Ratio

_CALENDAR_DAYS = {"year": Fraction(365), "month": Fraction(30), "week": Fraction(7), "day": Fraction(1)}
_CALENDAR_PER_DAY = {"hour": 24, "minute": 1440, "second": 86_400, "millisecond": 86_400_000}


def to_decimal(value: Fraction) -> Decimal | None:
    """A fraction as a Decimal of at most 8 places; None where it overflows."""
    return fit(CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator)))


def _long_calendar(unit: units.Unit) -> bool:
    return unit.calendar in ("year", "month")


def _in_base(left: Quantity, right: Quantity) -> tuple[Fraction, Fraction] | None:
    """Both values in one unit, exactly; None where the units can't be compared."""
    if left.unit == right.unit:
        return Fraction(left.value), Fraction(right.value)
    if units.is_temperature(left.unit) and units.is_temperature(right.unit):
        return (
            units.to_kelvin(Fraction(left.value), left.unit),
            units.to_kelvin(Fraction(right.value), right.unit),
        )
    first, second = units.parse(left.unit), units.parse(right.unit)
    if first.dimension != second.dimension or _long_calendar(first) != _long_calendar(second):
        return None
    return Fraction(left.value) * first.factor, Fraction(right.value) * second.factor


def compare(left: Quantity, right: Quantity) -> int | None:
    """-1, 0 or 1; None where the units can't be compared."""
    both = _in_base(left, right)
    if both is None:
        return None
    return (both[0] > both[1]) - (both[0] < both[1])


def equal(left: Quantity, right: Quantity) -> bool | None:
    """CQL `=`: null for units of different dimensions."""
    order = compare(left, right)
    return None if order is None else order == 0


def _days(quantity: Quantity, calendar: str) -> Fraction:
    if calendar in _CALENDAR_DAYS:
        return Fraction(quantity.value) * _CALENDAR_DAYS[calendar]
    return Fraction(quantity.value) / _CALENDAR_PER_DAY[calendar]


def equivalent(left: Quantity, right: Quantity) -> bool:
    """CQL `~`: false for units of different dimensions; decimals compared at the coarser precision."""
    first, second = units.parse(left.unit), units.parse(right.unit)
    if first.calendar and second.calendar and _long_calendar(first) != _long_calendar(second):
        return _days(left, first.calendar) == _days(right, second.calendar)
    if first.calendar and second.calendar and first.calendar != second.calendar and _long_calendar(first):
        return Fraction(left.value) * (12 if first.calendar == "year" else 1) == Fraction(right.value) * (
            12 if second.calendar == "year" else 1
        )
    if first.factor == second.factor and first.dimension == second.dimension:
        return equivalent_decimals(left.value, right.value)
    if units.is_temperature(left.unit) and units.is_temperature(right.unit):
        both = _in_base(left, right)
        return both is not None and both[0] == both[1]
    return (
        first.dimension == second.dimension
        and Fraction(left.value) * first.factor == Fraction(right.value) * second.factor
    )


def equivalent_decimals(left: Decimal, right: Decimal) -> bool:
    """`~` of decimals: compared at the precision of the less precise one, trailing zeroes ignored.

    1.50 has one significant decimal, so `1.50 ~ 1.55` compares 1.5 with 1.6.
    """
    if left == right:
        return True
    places = min(decimal_places(left.normalize(CONTEXT)), decimal_places(right.normalize(CONTEXT)))
    step = Decimal(1).scaleb(-places)
    return left.quantize(step, context=CONTEXT) == right.quantize(step, context=CONTEXT)


def convert(quantity: Quantity, unit: str) -> Quantity | None:
    """The same amount in another unit; None where that can't be (CQL ConvertQuantity)."""
    if quantity.unit == unit:
        return quantity
    if units.is_temperature(quantity.unit) and units.is_temperature(unit):
        kelvin = units.to_kelvin(Fraction(quantity.value), quantity.unit)
        value = to_decimal(units.from_kelvin(kelvin, unit))
    else:
        source, target = units.parse(quantity.unit), units.parse(unit)
        if source.dimension != target.dimension:
            return None
        if source.calendar and target.calendar and _long_calendar(source) != _long_calendar(target):
            one = Quantity(Decimal(1), target.calendar)
            value = to_decimal(_days(quantity, source.calendar) / _days(one, target.calendar))
        else:
            value = to_decimal(Fraction(quantity.value) * source.factor / target.factor)
    return None if value is None else Quantity(value, unit)


def can_convert(quantity: Quantity, unit: str) -> bool:
    """Whether `convert` gives a value."""
    return convert(quantity, unit) is not None


def _additive(left: Quantity, right: Quantity, sign: int) -> Quantity | None:
    if left.unit == right.unit or units.singular(left.unit) == units.singular(right.unit):
        value = fit(CONTEXT.add(left.value, right.value if sign > 0 else -right.value))
        return None if value is None else Quantity(value, left.unit)
    first, second = units.parse(left.unit), units.parse(right.unit)
    if first.dimension != second.dimension or _long_calendar(first) != _long_calendar(second):
        return None
    # the result has the more granular unit of the two (Appendix B §Add)
    unit, factor = (left.unit, first.factor) if first.factor <= second.factor else (right.unit, second.factor)
    exact = Fraction(left.value) * first.factor + sign * Fraction(right.value) * second.factor
    value = to_decimal(exact / factor)
    return None if value is None else Quantity(value, unit)


def add(left: Quantity, right: Quantity) -> Quantity | None:
    """The sum, in the more granular unit; null for different dimensions."""
    return _additive(left, right, 1)


def subtract(left: Quantity, right: Quantity) -> Quantity | None:
    """The difference, in the more granular unit; null for different dimensions."""
    return _additive(left, right, -1)


def negate(operand: Quantity) -> Quantity:
    """The same unit, the opposite sign."""
    return Quantity(-operand.value, operand.unit)


def absolute(operand: Quantity) -> Quantity:
    """The same unit, without sign."""
    return Quantity(abs(operand.value), operand.unit)


def multiply(left: Quantity, right: Quantity) -> Quantity | None:
    """The product, with the product of the units: `1 'cm' * 2 'cm'` is `2 'cm2'`."""
    value = fit(CONTEXT.multiply(left.value, right.value))
    return None if value is None else Quantity(value, _combined(left.unit, right.unit, 1))


def divide(left: Quantity, right: Quantity) -> Quantity | None:
    """The quotient, with the quotient of the units; null by zero."""
    if not right.value:
        return None
    value = fit(CONTEXT.divide(left.value, right.value))
    return None if value is None else Quantity(value, _combined(left.unit, right.unit, -1))


def _combined(left: str, right: str, sign: int) -> str:
    if right in ("1", ""):
        return left
    if left in ("1", "") and sign > 0:
        return right
    return units.combine(units.parse(left), units.parse(right), sign)


def scale(quantity: Quantity, factor: Decimal) -> Quantity | None:
    """A quantity times a number."""
    value = fit(CONTEXT.multiply(quantity.value, factor))
    return None if value is None else Quantity(value, quantity.unit)


def scaled_by(factor: Decimal, quantity: Quantity) -> Quantity | None:
    """A number times a quantity."""
    return scale(quantity, factor)


def divide_by(quantity: Quantity, divisor: Decimal) -> Quantity | None:
    """A quantity by a number; null by zero."""
    if not divisor:
        return None
    value = fit(CONTEXT.divide(quantity.value, divisor))
    return None if value is None else Quantity(value, quantity.unit)


def _remainder(left: Quantity, right: Quantity) -> tuple[Decimal, Decimal, str] | None:
    if not right.value:
        return None
    if units.singular(left.unit) == units.singular(right.unit):
        return left.value, right.value, left.unit
    converted = convert(right, left.unit)
    return None if converted is None or not converted.value else (left.value, converted.value, left.unit)


def truncated_divide(left: Quantity, right: Quantity) -> Quantity | None:
    """The whole part of the quotient; same dimension only, null by zero."""
    both = _remainder(left, right)
    return None if both is None else Quantity(CONTEXT.divide_int(both[0], both[1]), _combined(left.unit, both[2], -1))


def modulo(left: Quantity, right: Quantity) -> Quantity | None:
    """What a truncated division leaves, in the left unit; null by zero."""
    both = _remainder(left, right)
    return None if both is None else Quantity(CONTEXT.remainder(both[0], both[1]), both[2])


def successor(operand: Quantity) -> Quantity:
    """The next value, 1e-8 up, in the same unit."""
    if operand.value >= MAX_DECIMAL:
        raise CqlRuntimeError("the maximum Quantity has no successor")
    return Quantity(CONTEXT.add(operand.value, STEP), operand.unit)


def predecessor(operand: Quantity) -> Quantity:
    """The value before, 1e-8 down, in the same unit."""
    if operand.value <= MIN_DECIMAL:
        raise CqlRuntimeError("the minimum Quantity has no predecessor")
    return Quantity(CONTEXT.subtract(operand.value, STEP), operand.unit)


def ratio_equivalent(left: Ratio, right: Ratio) -> bool:
    """`~` of ratios: the same proportion, `1:2 ~ 10:20` (Appendix B §Equivalent)."""
    if not left.denominator.value or not right.denominator.value:
        return equivalent(left.numerator, right.numerator) and equivalent(left.denominator, right.denominator)
    first, second = multiply(left.numerator, right.denominator), multiply(right.numerator, left.denominator)
    return first is not None and second is not None and equivalent(first, second)
