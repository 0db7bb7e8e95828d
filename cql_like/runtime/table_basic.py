"""Operator rows: logical, nullological, comparison, type conversion, messages (CQL Appendix B, those sections)."""

from typing import Any

from cql_like.ir import OperatorRow
from cql_like.runtime import comparison, conversion, logic, messages, quantity, temporal
from cql_like.runtime.rows import context_row, open_row, row
from cql_like.types import (
    ANY,
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
    ListOf,
    T,
    Type,
)

ORDERED: tuple[Type, ...] = (INTEGER, LONG, DECIMAL, STRING, DATE, DATETIME, TIME, QUANTITY)

_LOGIC: tuple[OperatorRow, ...] = (
    open_row("And", (BOOLEAN, BOOLEAN), BOOLEAN, logic.and_),
    open_row("Or", (BOOLEAN, BOOLEAN), BOOLEAN, logic.or_),
    open_row("Xor", (BOOLEAN, BOOLEAN), BOOLEAN, logic.xor),
    open_row("Implies", (BOOLEAN, BOOLEAN), BOOLEAN, logic.implies),
    row("Not", (BOOLEAN,), BOOLEAN, logic.not_),
    open_row("IsTrue", (BOOLEAN,), BOOLEAN, logic.is_true),
    open_row("IsFalse", (BOOLEAN,), BOOLEAN, logic.is_false),
    open_row("IsNull", (ANY,), BOOLEAN, logic.is_null),
    # a list alone is looked into, so its row stands first
    open_row("Coalesce", (ListOf(T),), T, logic.coalesce_list),
    *(open_row("Coalesce", (T,) * count, T, logic.coalesce) for count in range(2, 6)),
)

_COMPARISON: tuple[OperatorRow, ...] = (
    *(row("Equal", (kind, kind), BOOLEAN, comparison.equal) for kind in (BOOLEAN, *ORDERED)),
    row("Equal", (T, T), BOOLEAN, comparison.equal),
    *(row("NotEqual", (kind, kind), BOOLEAN, comparison.not_equal) for kind in (BOOLEAN, *ORDERED)),
    row("NotEqual", (T, T), BOOLEAN, comparison.not_equal),
    open_row("Equivalent", (CODE, CODE), BOOLEAN, comparison.equivalent),
    open_row("Equivalent", (CONCEPT, CODE), BOOLEAN, comparison.equivalent),
    open_row("Equivalent", (CODE, CONCEPT), BOOLEAN, comparison.equivalent),
    open_row("Equivalent", (T, T), BOOLEAN, comparison.equivalent),
    *(row("Less", (kind, kind), BOOLEAN, comparison.less) for kind in ORDERED),
    *(row("LessOrEqual", (kind, kind), BOOLEAN, comparison.less_or_equal) for kind in ORDERED),
    *(row("Greater", (kind, kind), BOOLEAN, comparison.greater) for kind in ORDERED),
    *(row("GreaterOrEqual", (kind, kind), BOOLEAN, comparison.greater_or_equal) for kind in ORDERED),
)


def _time_of(value: Any) -> Any:
    return temporal.time_from(value)


_CONVERSIONS: tuple[OperatorRow, ...] = (
    row("ToBoolean", (BOOLEAN,), BOOLEAN, conversion.identity),
    row("ToBoolean", (STRING,), BOOLEAN, conversion.boolean_from_string),
    *(row("ToBoolean", (kind,), BOOLEAN, conversion.boolean_from_number) for kind in (INTEGER, LONG, DECIMAL)),
    row("ToInteger", (INTEGER,), INTEGER, conversion.identity),
    row("ToInteger", (STRING,), INTEGER, conversion.integer_from_string),
    *(row("ToInteger", (kind,), INTEGER, conversion.integer_from_number) for kind in (LONG, BOOLEAN)),
    row("ToLong", (LONG,), LONG, conversion.identity),
    row("ToLong", (STRING,), LONG, conversion.long_from_string),
    *(row("ToLong", (kind,), LONG, conversion.long_from_integer) for kind in (INTEGER, BOOLEAN)),
    row("ToDecimal", (DECIMAL,), DECIMAL, conversion.identity),
    row("ToDecimal", (STRING,), DECIMAL, conversion.decimal_from_string),
    *(row("ToDecimal", (kind,), DECIMAL, conversion.decimal_from_integer) for kind in (INTEGER, LONG, BOOLEAN)),
    row("ToQuantity", (QUANTITY,), QUANTITY, conversion.identity),
    row("ToQuantity", (STRING,), QUANTITY, conversion.quantity_from_string),
    row("ToQuantity", (RATIO,), QUANTITY, conversion.quantity_from_ratio),
    *(row("ToQuantity", (kind,), QUANTITY, conversion.quantity_from_number) for kind in (DECIMAL, INTEGER, LONG)),
    row("ToRatio", (RATIO,), RATIO, conversion.identity),
    row("ToRatio", (STRING,), RATIO, conversion.ratio_from_string),
    row("ToDate", (DATE,), DATE, conversion.identity),
    row("ToDate", (STRING,), DATE, conversion.date_from_string),
    row("ToDate", (DATETIME,), DATE, temporal.date_from),
    row("ToDateTime", (DATETIME,), DATETIME, conversion.identity),
    context_row("ToDateTime", (STRING,), DATETIME, conversion.datetime_from_string),
    context_row("ToDateTime", (DATE,), DATETIME, conversion.datetime_from_date),
    row("ToTime", (TIME,), TIME, conversion.identity),
    row("ToTime", (STRING,), TIME, conversion.time_from_string),
    row("ToTime", (DATETIME,), TIME, _time_of),
    *(
        row("ToString", (kind,), STRING, conversion.to_string)
        for kind in (STRING, BOOLEAN, INTEGER, LONG, DECIMAL, DATE, DATETIME, TIME, QUANTITY, RATIO)
    ),
    row("ToConcept", (CONCEPT,), CONCEPT, conversion.identity),
    row("ToConcept", (CODE,), CONCEPT, conversion.concept_from_code),
    row("ToConcept", (ListOf(CODE),), CONCEPT, conversion.concept_from_codes),
    row("ConvertQuantity", (QUANTITY, STRING), QUANTITY, conversion.convert_quantity),
    row("CanConvertQuantity", (QUANTITY, STRING), BOOLEAN, quantity.can_convert),
)

# What `ConvertsToX` may be asked of; each is the ToX row of the same operand, tested for a value
_TESTED = ("Boolean", "Integer", "Long", "Decimal", "Quantity", "Ratio", "Date", "DateTime", "Time", "String")
_TESTS: tuple[OperatorRow, ...] = tuple(
    OperatorRow(
        f"Converts{conversion_row.name}",
        conversion_row.operands,
        BOOLEAN,
        conversion.converts(conversion_row.implementation),
        takes_context=conversion_row.takes_context,
    )
    for conversion_row in _CONVERSIONS
    if conversion_row.name.removeprefix("To") in _TESTED
)

_MESSAGES: tuple[OperatorRow, ...] = (
    context_row("Message", (T, BOOLEAN, STRING, STRING, STRING), T, messages.message, propagates_null=False),
)

BASIC_ROWS: tuple[OperatorRow, ...] = (*_LOGIC, *_COMPARISON, *_CONVERSIONS, *_TESTS, *_MESSAGES)
