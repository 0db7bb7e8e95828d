"""Conversions between System types (CQL Appendix B §Type operators). What can't be converted is null."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from cql_like.runtime import quantity, temporal
from cql_like.runtime.context import EvaluationContext
from cql_like.runtime.literals import number
from cql_like.runtime.numbers import (
    MAX_INTEGER,
    MAX_LONG,
    MIN_INTEGER,
    MIN_LONG,
    in_decimal_domain,
)
from cql_like.runtime.units import CALENDAR, singular
from cql_like.runtime.values import Code, Concept, Date, DateTime, Long, Quantity, Ratio, Time, Uncertainty

_TRUE = frozenset({"true", "t", "yes", "y", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "0"})
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_QUANTITY = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?)\s*(?:'([^']*)'|([a-z]+))?")


def boolean_from_string(text: str) -> bool | None:
    """true, t, yes, y, 1 or false, f, no, n, 0, in any case."""
    folded = text.lower()
    return True if folded in _TRUE else False if folded in _FALSE else None


def boolean_from_number(value: int | Decimal) -> bool | None:
    """1 is true, 0 is false."""
    return True if value == 1 else False if value == 0 else None


def integer_from_string(text: str) -> int | None:
    """An optional sign and digits, within 32 bits."""
    if len(text) > 20 or not _INTEGER.fullmatch(text):
        return None
    return integer_from_number(int(text))


def integer_from_number(value: int) -> int | None:
    """A Long (or Boolean: 1, 0) as an Integer, within 32 bits."""
    return int(value) if MIN_INTEGER <= value <= MAX_INTEGER else None


def long_from_string(text: str) -> Long | None:
    """An optional sign and digits, within 64 bits."""
    if len(text) > 25 or not _INTEGER.fullmatch(text):
        return None
    value = int(text)
    return Long(value) if MIN_LONG <= value <= MAX_LONG else None


def long_from_integer(value: Any) -> Any:
    """An Integer or Boolean as a Long."""
    return Long(value) if not isinstance(value, Uncertainty | Decimal) else value


def decimal_from_string(text: str) -> Decimal | None:
    """An optional sign, digits, and optionally a point and digits."""
    if len(text) > 60 or not _DECIMAL.fullmatch(text):
        return None
    value = Decimal(text)
    return value if in_decimal_domain(value) else None


def decimal_from_integer(value: Any) -> Any:
    """An Integer, Long or Boolean as a Decimal."""
    if isinstance(value, Uncertainty):
        return Uncertainty(Decimal(value.low), Decimal(value.high))
    return value if isinstance(value, Decimal) else Decimal(int(value))


def quantity_from_number(value: Any) -> Any:
    """A number as a quantity of unit 1."""
    return Quantity(Decimal(value)) if not isinstance(value, Uncertainty) else value


def quantity_from_string(text: str) -> Quantity | None:
    """`5.5 'mg'`, `2 days` or `3`."""
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        return None
    value = decimal_from_string(match[1])
    keyword = match[3]
    if value is None or (keyword is not None and singular(keyword) not in CALENDAR):
        return None
    return Quantity(value, singular(keyword) if keyword else match[2] or "1")


def quantity_from_ratio(value: Ratio) -> Quantity | None:
    """The numerator divided by the denominator."""
    return quantity.divide(value.numerator, value.denominator)


def ratio_from_string(text: str) -> Ratio | None:
    """Two quantities with a colon between them."""
    parts = re.split(r":(?=(?:[^']*'[^']*')*[^']*$)", text)
    if len(parts) != 2:
        return None
    numerator, denominator = quantity_from_string(parts[0]), quantity_from_string(parts[1])
    return None if numerator is None or denominator is None else Ratio(numerator, denominator)


def date_from_string(text: str) -> Date | None:
    """`YYYY`, `YYYY-MM` or `YYYY-MM-DD`."""
    return temporal.parse_date(text)


def datetime_from_string(text: str, *, context: EvaluationContext) -> DateTime | None:
    """ISO 8601, to any precision; without an offset, in the evaluation's default."""
    value = temporal.parse_datetime(text)
    return None if value is None else temporal.with_default_offset(value, context=context)


def datetime_from_date(value: Date, *, context: EvaluationContext) -> DateTime:
    """The same day, its time unspecified."""
    return temporal.with_default_offset(temporal.datetime_of(value), context=context)


def time_from_string(text: str) -> Time | None:
    """`hh:mm:ss.fff`, with or without `T`; an offset is read over."""
    return temporal.parse_time(text)


def to_string(value: Any) -> str:
    """The text of a Boolean, number, string, date, time, quantity or ratio."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, Quantity):
        return _quantity_text(value)
    if isinstance(value, Ratio):
        return f"{_quantity_text(value.numerator)}:{_quantity_text(value.denominator)}"
    if isinstance(value, DateTime):
        return str(value).removesuffix("T") if value.count <= 3 else str(value)
    return str(value)


def _quantity_text(value: Quantity) -> str:
    unit = singular(value.unit)
    text = format(value.value, "f")
    if unit in CALENDAR:
        return f"{text} {unit if value.value == 1 else unit + 's'}"
    return f"{text} '{value.unit}'"


def concept_from_code(value: Code) -> Concept:
    """A concept of one code, with its display."""
    return Concept((value,), value.display)


def concept_from_codes(values: Sequence[Code | None]) -> Concept:
    """A concept of several codes."""
    return Concept(tuple(value for value in values if value is not None))


def convert_quantity(value: Quantity, unit: str) -> Quantity | None:
    """`convert value to unit`."""
    return quantity.convert(value, unit)


def converts(function: Callable[..., Any]) -> Callable[..., bool]:
    """`ConvertsToX`: whether the conversion gives a value."""

    def check(*operands: Any, **rest: Any) -> bool:
        return function(*operands, **rest) is not None

    check.__doc__ = f"Whether this gives a value: {function.__doc__}"
    return check


def identity(value: Any) -> Any:
    """A conversion of a type to itself."""
    return value
