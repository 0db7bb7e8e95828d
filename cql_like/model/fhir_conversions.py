"""Conversions from FHIR's JSON to CQL's System values, in Python (CQL §Using FHIR; what the FHIRHelpers library does).

Each is an `OperatorRow` of one operand that takes raw JSON: a scalar for a FHIR primitive, an object for a datatype.
Meanings follow FHIRHelpers 4.x: a Period or Range without a low end is open (unknown) there, without a high end
closed (still going on); UCUM time units become calendar units. A quantity with a comparator (`< 5 mg`) or of another
unit system is null: its value is not known. A text that is not of its type (`2024-13`) is null too.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, cast

from cql_like.ir import OperatorRow
from cql_like.runtime.temporal import parse_date, parse_datetime, parse_time
from cql_like.runtime.values import Code, Concept, Date, DateTime, Interval, Quantity, Ratio, Time
from cql_like.types import (
    BOOLEAN,
    CODE,
    CONCEPT,
    DATE,
    DATETIME,
    DECIMAL,
    INTEGER,
    LONG,
    QUANTITY,
    RATIO,
    STRING,
    TIME,
    IntervalOf,
    Named,
    Type,
)

Json = Any
UNIT_SYSTEMS = frozenset({None, "http://unitsofmeasure.org", "http://hl7.org/fhirpath/CodeSystem/calendar-units"})
# UCUM codes that FHIRHelpers.ToCalendarUnit reads as calendar durations.
CALENDAR_UNITS: Mapping[str, str] = {
    "ms": "millisecond",
    "s": "second",
    "min": "minute",
    "h": "hour",
    "d": "day",
    "wk": "week",
    "mo": "month",
    "a": "year",
}


def to_string(value: Json) -> str | None:
    """FHIR.string, code, uri, id ... -> String."""
    return value if isinstance(value, str) else None


def to_boolean(value: Json) -> bool | None:
    """FHIR.boolean -> Boolean."""
    return value if isinstance(value, bool) else None


def to_integer(value: Json) -> int | None:
    """FHIR.integer, positiveInt, unsignedInt -> Integer."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def to_decimal(value: Json) -> Decimal | None:
    """FHIR.decimal -> Decimal, from the shortest text of a float."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = Decimal(str(value))
    return number if number.is_finite() else None


def _object(value: Json) -> Mapping[str, Any] | None:
    return cast(dict[str, Any], value) if isinstance(value, dict) else None


def to_date(value: Json) -> Date | None:
    """FHIR.date -> Date."""
    return parse_date(value) if isinstance(value, str) else None


def to_datetime(value: Json) -> DateTime | None:
    """FHIR.dateTime, instant -> DateTime."""
    return parse_datetime(value) if isinstance(value, str) else None


def to_time(value: Json) -> Time | None:
    """FHIR.time -> Time."""
    return parse_time(value) if isinstance(value, str) else None


def to_code(value: Json) -> Code | None:
    """FHIR.Coding -> Code."""
    coding = _object(value)
    if coding is None:
        return None
    code, system, version, display = (to_string(coding.get(key)) for key in ("code", "system", "version", "display"))
    return Code(code, system, version, display)


def to_concept(value: Json) -> Concept | None:
    """FHIR.CodeableConcept -> Concept; its text becomes the display."""
    concept = _object(value)
    if concept is None:
        return None
    codings: Json = concept.get("coding")
    listed = cast("list[Json]", codings) if isinstance(codings, list) else [codings]
    codes = tuple(code for code in map(to_code, listed) if code is not None)
    return Concept(codes, to_string(concept.get("text")))


def to_quantity(value: Json) -> Quantity | None:
    """FHIR.Quantity (Age, Duration, Count, Distance, Money's cousins) -> Quantity."""
    quantity = _object(value)
    if quantity is None:
        return None
    number = to_decimal(quantity.get("value"))
    if number is None or quantity.get("comparator") is not None:
        return None
    if to_string(quantity.get("system")) not in UNIT_SYSTEMS:
        return None
    unit = to_string(quantity.get("code")) or to_string(quantity.get("unit")) or "1"
    return Quantity(number, CALENDAR_UNITS.get(unit, unit))


def to_ratio(value: Json) -> Ratio | None:
    """FHIR.Ratio -> Ratio; null unless both parts are there."""
    ratio = _object(value)
    if ratio is None:
        return None
    numerator, denominator = to_quantity(ratio.get("numerator")), to_quantity(ratio.get("denominator"))
    return None if numerator is None or denominator is None else Ratio(numerator, denominator)


def to_datetime_interval(value: Json) -> Interval | None:
    """FHIR.Period -> Interval<DateTime>."""
    period = _object(value)
    if period is None:
        return None
    start, end = to_datetime(period.get("start")), to_datetime(period.get("end"))
    return Interval(start, end, start is not None, True, DATETIME)


def to_quantity_interval(value: Json) -> Interval | None:
    """FHIR.Range -> Interval<Quantity>."""
    bounds = _object(value)
    if bounds is None:
        return None
    low = to_quantity(bounds.get("low"))
    return Interval(low, to_quantity(bounds.get("high")), low is not None, True, QUANTITY)


_PRIMITIVES: Mapping[Type, Callable[[Json], Any]] = {
    STRING: to_string,
    BOOLEAN: to_boolean,
    INTEGER: to_integer,
    LONG: to_integer,
    DECIMAL: to_decimal,
    DATE: to_date,
    DATETIME: to_datetime,
    TIME: to_time,
}

_DATATYPES: Mapping[str, tuple[str, Type, Callable[[Json], Any]]] = {
    "Coding": ("ToCode", CODE, to_code),
    "CodeableConcept": ("ToConcept", CONCEPT, to_concept),
    "Quantity": ("ToQuantity", QUANTITY, to_quantity),
    "Ratio": ("ToRatio", RATIO, to_ratio),
    "Period": ("ToInterval", IntervalOf(DATETIME), to_datetime_interval),
    "Range": ("ToInterval", IntervalOf(QUANTITY), to_quantity_interval),
}


@cache
def primitive_conversion(source: Named, target: Named) -> OperatorRow | None:
    """The row that reads a FHIR primitive's JSON scalar as its System type; None if there is no such System type."""
    implementation = _PRIMITIVES.get(target)
    return None if implementation is None else OperatorRow(f"To{target.name}", (source,), target, implementation)


@cache
def conversion_for(base: Named, source: Named) -> OperatorRow | None:
    """The row for a datatype: `base` is the class that has a conversion, `source` the type that is converted."""
    entry = _DATATYPES.get(base.name) if base.model == "FHIR" else None
    return None if entry is None else OperatorRow(entry[0], (source,), entry[1], entry[2])


def _scalar_text(value: Any) -> Any:
    """The JSON of a System value as a FHIR primitive: dates as text (without CQL's final T), the rest as it is."""
    return value if isinstance(value, str | bool | int | Decimal) else str(value).removesuffix("T")


@cache
def primitive_constructor(source: Named, target: Named) -> OperatorRow:
    """The row that makes a FHIR primitive's JSON scalar from its System value (`FHIR.date { value: ... }`)."""
    return OperatorRow(f"To{target.name}", (source,), target, _scalar_text)
