"""Arithmetic on Integer, Long and Decimal (CQL Appendix B §Arithmetic operators).

What can't be represented (overflow, division by zero) is null. Operands are never null here, but may be an
`Uncertainty`, for which a result is computed at both ends.
"""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from itertools import product
from typing import Any

from cql_like.runtime import temporal
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.numbers import (
    CONTEXT,
    MAX_DECIMAL,
    MAX_INTEGER,
    MAX_LONG,
    MIN_DECIMAL,
    MIN_INTEGER,
    MIN_LONG,
    STEP,
    decimal_of,
    decimal_places,
    fit,
)
from cql_like.runtime.values import Date, DateTime, Long, Quantity, Time, Uncertainty, uncertain
from cql_like.types import DATE, DATETIME, DECIMAL, INTEGER, LONG, QUANTITY, TIME, Type

_ONE = Decimal(1)


def _at_ends(function: Callable[..., Any], *operands: Any) -> Any:
    """A monotone function over uncertain operands: the range of its values at the ends."""
    choices = [(o.low, o.high) if type(o) is Uncertainty else (o,) for o in operands]
    results = [function(*combination) for combination in product(*choices)]
    return None if None in results else uncertain(min(results), max(results))


def _integer(value: int) -> int | None:
    return value if MIN_INTEGER <= value <= MAX_INTEGER else None


def _long(value: int) -> Long | None:
    return Long(value) if MIN_LONG <= value <= MAX_LONG else None


def _slow(function: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """What the Integer operators meet besides ints: uncertainties, and Decimals (Power with a negative exponent)."""
    if type(left) is Uncertainty or type(right) is Uncertainty:
        return _at_ends(function, left, right)
    if type(left) is Decimal or type(right) is Decimal:
        return function(decimal_of(left), decimal_of(right))
    raise CqlRuntimeError(f"arithmetic on {type(left).__name__} and {type(right).__name__}; expected numbers")


def add_integers(left: Any, right: Any) -> Any:
    """The sum, null beyond 32 bits."""
    if type(left) is int and type(right) is int:
        return _integer(left + right)
    return _slow(add_decimals if Decimal in (type(left), type(right)) else add_integers, left, right)


def subtract_integers(left: Any, right: Any) -> Any:
    """The difference, null beyond 32 bits."""
    if type(left) is int and type(right) is int:
        return _integer(left - right)
    return _slow(subtract_decimals if Decimal in (type(left), type(right)) else subtract_integers, left, right)


def multiply_integers(left: Any, right: Any) -> Any:
    """The product, null beyond 32 bits."""
    if type(left) is int and type(right) is int:
        return _integer(left * right)
    return _slow(multiply_decimals if Decimal in (type(left), type(right)) else multiply_integers, left, right)


def add_longs(left: int, right: int) -> Long | None:
    """The sum, null beyond 64 bits."""
    return _long(int(left) + int(right))


def subtract_longs(left: int, right: int) -> Long | None:
    """The difference, null beyond 64 bits."""
    return _long(int(left) - int(right))


def multiply_longs(left: int, right: int) -> Long | None:
    """The product, null beyond 64 bits."""
    return _long(int(left) * int(right))


def add_decimals(left: Any, right: Any) -> Any:
    """The sum, null beyond the domain of Decimal."""
    if type(left) is Uncertainty or type(right) is Uncertainty:
        return _at_ends(add_decimals, left, right)
    return fit(CONTEXT.add(left, right))


def subtract_decimals(left: Any, right: Any) -> Any:
    """The difference, null beyond the domain of Decimal."""
    if type(left) is Uncertainty or type(right) is Uncertainty:
        return _at_ends(subtract_decimals, left, right)
    return fit(CONTEXT.subtract(left, right))


def multiply_decimals(left: Any, right: Any) -> Any:
    """The product rounded to 8 places, null beyond the domain of Decimal."""
    if type(left) is Uncertainty or type(right) is Uncertainty:
        return _at_ends(multiply_decimals, left, right)
    return fit(CONTEXT.multiply(left, right))


def divide_decimals(left: Decimal, right: Decimal) -> Decimal | None:
    """`/`: the quotient rounded to 8 places; null by zero."""
    _certain(left, right)
    return fit(CONTEXT.divide(left, right)) if right else None


def _certain(*operands: Any) -> None:
    if any(type(operand) is Uncertainty for operand in operands):
        raise CqlRuntimeError("an uncertain number can't be divided; compare it, add to it or multiply it")


def _quotient(left: int, right: int) -> int:
    magnitude = abs(left) // abs(right)
    return magnitude if (left < 0) == (right < 0) else -magnitude


def truncated_divide_integers(left: Any, right: Any) -> Any:
    """`div`, rounded towards zero; null by zero."""
    _certain(left, right)
    return _integer(_quotient(left, right)) if right else None


def truncated_divide_longs(left: int, right: int) -> Long | None:
    """`div`, rounded towards zero; null by zero."""
    return _long(_quotient(int(left), int(right))) if right else None


def truncated_divide_decimals(left: Decimal, right: Decimal) -> Decimal | None:
    """`div`: the whole part of the quotient, as a Decimal; null by zero."""
    _certain(left, right)
    return fit(CONTEXT.divide_int(left, right)) if right else None


def modulo_integers(left: Any, right: Any) -> Any:
    """`mod`: what `div` leaves, with the sign of the dividend; null by zero."""
    _certain(left, right)
    return left - right * _quotient(left, right) if right else None


def modulo_longs(left: int, right: int) -> Long | None:
    """`mod` of Longs."""
    return Long(int(left) - int(right) * _quotient(int(left), int(right))) if right else None


def modulo_decimals(left: Decimal, right: Decimal) -> Decimal | None:
    """`mod` of Decimals."""
    _certain(left, right)
    return CONTEXT.remainder(left, right) if right else None


def negate_integer(operand: Any) -> Any:
    """`-x`; null for the minimum Integer, whose opposite does not exist."""
    if type(operand) is Uncertainty:
        return _at_ends(negate_integer, operand)
    return -operand if type(operand) is Decimal else _integer(-operand)


def negate_long(operand: int) -> Long | None:
    """`-x`; null for the minimum Long."""
    return _long(-int(operand))


def negate_decimal(operand: Decimal) -> Decimal:
    """`-x`; there is no negative zero."""
    return -operand if operand else operand


def abs_integer(operand: Any) -> Any:
    """The magnitude; null for the minimum Integer."""
    if type(operand) is Uncertainty:
        raise CqlRuntimeError("Abs of an uncertain number; compare it, add to it or multiply it")
    return abs(operand) if type(operand) is Decimal else _integer(abs(operand))


def abs_long(operand: int) -> Long | None:
    """The magnitude; null for the minimum Long."""
    return _long(abs(int(operand)))


def abs_decimal(operand: Decimal) -> Decimal:
    """The magnitude."""
    return abs(operand)


def _to_integer(operand: Decimal, rounding: str) -> int | None:
    return _integer(int(operand.to_integral_value(rounding=rounding)))


def ceiling(operand: Any) -> int | None:
    """The least Integer that is not less; null beyond 32 bits."""
    return _to_integer(decimal_of(operand), ROUND_CEILING)


def floor(operand: Any) -> int | None:
    """The greatest Integer that is not greater; null beyond 32 bits."""
    return _to_integer(decimal_of(operand), ROUND_FLOOR)


def truncate(operand: Any) -> int | None:
    """The whole part; null beyond 32 bits."""
    return _to_integer(decimal_of(operand), ROUND_DOWN)


def round_(operand: Decimal | None, places: int | None = None) -> Decimal | None:
    """Rounded to `places` decimals (0), half away from zero."""
    if operand is None:
        return None
    if places is not None and not 0 <= places <= 28:
        raise CqlRuntimeError(f"Round to {places} decimals; expected 0 to 28")
    if decimal_places(operand) <= (places or 0):
        return operand
    rounded = operand.quantize(_ONE.scaleb(-(places or 0)), context=CONTEXT)
    return rounded if rounded else abs(rounded)


def exp(operand: Decimal) -> Decimal:
    """e to the power of the operand.

    Raises:
        CqlRuntimeError: the result is beyond the domain of Decimal.
    """
    result = fit(CONTEXT.exp(operand)) if operand < 100 else None
    if result is None:
        raise CqlRuntimeError(f"Exp({operand}) is beyond the greatest Decimal")
    return result


def ln(operand: Decimal) -> Decimal | None:
    """The natural logarithm; null for a negative number.

    Raises:
        CqlRuntimeError: of zero, which is negative infinity.
    """
    if operand < 0:
        return None
    if not operand:
        raise CqlRuntimeError("Ln(0) is infinite")
    return fit(CONTEXT.ln(operand))


def log(operand: Decimal, base: Decimal) -> Decimal | None:
    """The logarithm to a base; null where it is not a number."""
    if operand <= 0 or base <= 0 or base == 1:
        return None
    return fit(CONTEXT.divide(CONTEXT.ln(operand), CONTEXT.ln(base)))


def power_integers(base: Any, exponent: Any) -> int | Decimal | None:
    """`^`; a negative exponent gives a Decimal (`2 ^ -2` is 0.25); null beyond 32 bits."""
    if exponent < 0:
        return power_decimals(Decimal(base), Decimal(exponent))
    if abs(base) > 1 and exponent > 31:
        return None
    return _integer(base**exponent)


def power_longs(base: int, exponent: int) -> Long | Decimal | None:
    """`^` of Longs; a negative exponent gives a Decimal."""
    if exponent < 0:
        return power_decimals(Decimal(int(base)), Decimal(int(exponent)))
    if abs(base) > 1 and exponent > 63:
        return None
    return _long(int(base) ** int(exponent))


def power_decimals(base: Decimal, exponent: Decimal) -> Decimal | None:
    """`^` of Decimals; null where it is no real number or beyond the domain."""
    if not base:
        return None if exponent < 0 else _ONE if not exponent else Decimal(0)
    whole = exponent == exponent.to_integral_value()
    if base < 0 and not whole:
        return None
    # the size of the result, before it is computed
    if CONTEXT.multiply(CONTEXT.ln(abs(base)), exponent) > 65:
        return None
    if CONTEXT.multiply(CONTEXT.ln(abs(base)), exponent) < -65:
        return Decimal(0)
    return fit(CONTEXT.power(base, exponent))


# --- extremes and neighbours -----------------------------------------------------------------------------------

_MAXIMUM: dict[Type, Any] = {
    INTEGER: MAX_INTEGER,
    LONG: Long(MAX_LONG),
    DECIMAL: MAX_DECIMAL,
    QUANTITY: Quantity(MAX_DECIMAL),
    DATE: Date(9999, 12, 31),
    DATETIME: DateTime(9999, 12, 31, 23, 59, 59, 999),
    TIME: Time(23, 59, 59, 999),
}
_MINIMUM: dict[Type, Any] = {
    INTEGER: MIN_INTEGER,
    LONG: Long(MIN_LONG),
    DECIMAL: MIN_DECIMAL,
    QUANTITY: Quantity(MIN_DECIMAL),
    DATE: Date(1, 1, 1),
    DATETIME: DateTime(1, 1, 1, 0, 0, 0, 0),
    TIME: Time(0, 0, 0, 0),
}
_NEXT: dict[type, tuple[Any, Any, Any]] = {  # step, minimum, maximum
    int: (1, MIN_INTEGER, MAX_INTEGER),
    Long: (1, MIN_LONG, MAX_LONG),
    Decimal: (STEP, MIN_DECIMAL, MAX_DECIMAL),
}


def minimum_of(point: Type) -> Any:
    """`minimum T`.

    Raises:
        CqlRuntimeError: the type has none.
    """
    if point not in _MINIMUM:
        raise CqlRuntimeError(f"{point} has no minimum; expected an ordered type")
    return _MINIMUM[point]


def maximum_of(point: Type) -> Any:
    """`maximum T`.

    Raises:
        CqlRuntimeError: the type has none.
    """
    if point not in _MAXIMUM:
        raise CqlRuntimeError(f"{point} has no maximum; expected an ordered type")
    return _MAXIMUM[point]


_POINT_OF: dict[type, Type] = {
    int: INTEGER, Long: LONG, Decimal: DECIMAL, Date: DATE, DateTime: DATETIME, Time: TIME,
}  # fmt: skip


def extremes_like(value: Any) -> tuple[Any, Any] | None:
    """Minimum and maximum of the type of a run-time value, for a Quantity in its unit; None if it has none."""
    if type(value) is Uncertainty:
        value = value.low
    if type(value) is Quantity:
        return Quantity(MIN_DECIMAL, value.unit), Quantity(MAX_DECIMAL, value.unit)
    kind = value.__class__
    point = _POINT_OF.get(kind)
    return None if point is None else (_MINIMUM[point], _MAXIMUM[point])


def successor(operand: Any) -> Any:
    """`successor of`: the next value of the type.

    Raises:
        CqlRuntimeError: there is none.
    """
    return _step(operand, 1)


def predecessor(operand: Any) -> Any:
    """`predecessor of`: the value before.

    Raises:
        CqlRuntimeError: there is none.
    """
    return _step(operand, -1)


def _step(operand: Any, sign: int) -> Any:
    kind = operand.__class__
    if kind is Date or kind is DateTime or kind is Time:
        return temporal.successor(operand) if sign > 0 else temporal.predecessor(operand)
    if kind is Quantity:
        return Quantity(_step(operand.value, sign), operand.unit)
    if kind is Uncertainty:
        return Uncertainty(_step(operand.low, sign), _step(operand.high, sign))
    if kind not in _NEXT:
        raise CqlRuntimeError(f"{kind.__name__} has no successor or predecessor; expected an ordered type")
    step, low, high = _NEXT[kind]
    if operand == (high if sign > 0 else low):
        raise CqlRuntimeError(
            f"the maximum {kind.__name__} has no successor"
            if sign > 0
            else f"the minimum {kind.__name__} has no predecessor"
        )
    if kind is Decimal:
        return CONTEXT.add(operand, step if sign > 0 else -step)
    return kind(operand + step * sign)


# --- precision and boundaries ----------------------------------------------------------------------------------

_DIGITS: dict[type, tuple[int, ...]] = {
    Date: (4, 6, 8),
    DateTime: (4, 6, 8, 10, 12, 14, 17),
    Time: (2, 4, 6, 9),
}


def precision_of(operand: Any) -> int:
    """`Precision`: decimals of a Decimal, digits of a date or time (4 for a year, 17 for a complete DateTime)."""
    digits: tuple[int, ...] | None = _DIGITS.get(operand.__class__)
    if digits is None:
        return decimal_places(operand)
    count: int = operand.count
    return digits[count - 1]


def low_boundary(operand: Any, precision: int | None) -> Any:
    """`LowBoundary`: the least value that a value of limited precision can stand for; null for a precision that the
    type has not."""
    return _boundary(operand, precision, high=False)


def high_boundary(operand: Any, precision: int | None) -> Any:
    """`HighBoundary`: the greatest value that a value of limited precision can stand for."""
    return _boundary(operand, precision, high=True)


def _boundary(operand: Any, precision: int | None, high: bool) -> Any:
    if operand is None:
        return None
    digits: tuple[int, ...] | None = _DIGITS.get(operand.__class__)
    if digits is None:
        return _decimal_boundary(operand, 8 if precision is None else precision, high)
    precision = digits[-1] if precision is None else precision
    if precision not in digits:
        return None
    count = digits.index(precision) + 1
    return temporal.latest(operand, count) if high else temporal.earliest(operand, count)


def _decimal_boundary(operand: Decimal, precision: int, high: bool) -> Decimal | None:
    if not 0 <= precision <= 8:
        return None
    own = decimal_places(operand)
    unit = _ONE.scaleb(-precision)
    if precision <= own:
        return operand.quantize(unit, rounding=ROUND_DOWN, context=CONTEXT)
    padded = operand.quantize(unit, context=CONTEXT)
    # further digits move a number away from zero
    away = CONTEXT.subtract(_ONE.scaleb(-own), unit)
    if operand < 0:
        return padded if high else CONTEXT.subtract(padded, away)
    return CONTEXT.add(padded, away) if high else padded
