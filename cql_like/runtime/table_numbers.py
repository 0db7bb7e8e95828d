"""Operator rows: arithmetic, string, aggregate (CQL Appendix B, those sections)."""

from collections.abc import Callable
from typing import Any

from cql_like.ir import OperatorRow
from cql_like.runtime import aggregates, arithmetic, calendar, quantity, strings
from cql_like.runtime.rows import context_row, open_row, row
from cql_like.types import (
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    INTEGER,
    LONG,
    QUANTITY,
    STRING,
    TIME,
    ListOf,
    T,
    Type,
)

_NUMBERS: tuple[Type, ...] = (INTEGER, LONG, DECIMAL)
_POINTS: tuple[Type, ...] = (INTEGER, LONG, DECIMAL, QUANTITY, DATE, DATETIME, TIME)
_TEMPORAL: tuple[Type, ...] = (DATE, DATETIME, TIME)


def _each(name: str, arity: int, *kinds: tuple[Type, Callable[..., Any]]) -> tuple[OperatorRow, ...]:
    """One row per type, whose operands and result are all of it."""
    return tuple(row(name, (kind,) * arity, kind, implementation) for kind, implementation in kinds)


def _constant(value: Any) -> Callable[[Any], Any]:
    """`minimum T`, `maximum T`: the operand is a null that only tells the type."""

    def extreme(_: Any) -> Any:
        return value

    return extreme


_ARITHMETIC: tuple[OperatorRow, ...] = (
    *_each(
        "Add", 2,
        (INTEGER, arithmetic.add_integers), (LONG, arithmetic.add_longs), (DECIMAL, arithmetic.add_decimals),
        (QUANTITY, quantity.add),
    ),
    *(row("Add", (kind, QUANTITY), kind, calendar.add) for kind in _TEMPORAL),
    *_each(
        "Subtract", 2,
        (INTEGER, arithmetic.subtract_integers), (LONG, arithmetic.subtract_longs),
        (DECIMAL, arithmetic.subtract_decimals), (QUANTITY, quantity.subtract),
    ),
    *(row("Subtract", (kind, QUANTITY), kind, calendar.subtract) for kind in _TEMPORAL),
    *_each(
        "Multiply", 2,
        (INTEGER, arithmetic.multiply_integers), (LONG, arithmetic.multiply_longs),
        (DECIMAL, arithmetic.multiply_decimals), (QUANTITY, quantity.multiply),
    ),
    row("Multiply", (QUANTITY, DECIMAL), QUANTITY, quantity.scale),
    row("Multiply", (DECIMAL, QUANTITY), QUANTITY, quantity.scaled_by),
    *_each("Divide", 2, (DECIMAL, arithmetic.divide_decimals), (QUANTITY, quantity.divide)),
    row("Divide", (QUANTITY, DECIMAL), QUANTITY, quantity.divide_by),
    *_each(
        "TruncatedDivide", 2,
        (INTEGER, arithmetic.truncated_divide_integers), (LONG, arithmetic.truncated_divide_longs),
        (DECIMAL, arithmetic.truncated_divide_decimals), (QUANTITY, quantity.truncated_divide),
    ),
    *_each(
        "Modulo", 2,
        (INTEGER, arithmetic.modulo_integers), (LONG, arithmetic.modulo_longs), (DECIMAL, arithmetic.modulo_decimals),
        (QUANTITY, quantity.modulo),
    ),
    *_each(
        "Negate", 1,
        (INTEGER, arithmetic.negate_integer), (LONG, arithmetic.negate_long), (DECIMAL, arithmetic.negate_decimal),
        (QUANTITY, quantity.negate),
    ),
    *_each(
        "Abs", 1,
        (INTEGER, arithmetic.abs_integer), (LONG, arithmetic.abs_long), (DECIMAL, arithmetic.abs_decimal),
        (QUANTITY, quantity.absolute),
    ),
    row("Ceiling", (DECIMAL,), INTEGER, arithmetic.ceiling),
    row("Floor", (DECIMAL,), INTEGER, arithmetic.floor),
    row("Truncate", (DECIMAL,), INTEGER, arithmetic.truncate),
    row("Round", (DECIMAL,), DECIMAL, arithmetic.round_),
    open_row("Round", (DECIMAL, INTEGER), DECIMAL, arithmetic.round_),
    row("Exp", (DECIMAL,), DECIMAL, arithmetic.exp),
    row("Ln", (DECIMAL,), DECIMAL, arithmetic.ln),
    row("Log", (DECIMAL, DECIMAL), DECIMAL, arithmetic.log),
    *_each(
        "Power", 2,
        (INTEGER, arithmetic.power_integers), (LONG, arithmetic.power_longs), (DECIMAL, arithmetic.power_decimals),
    ),
    *(row("Successor", (kind,), kind, arithmetic.successor) for kind in _POINTS),
    *(row("Predecessor", (kind,), kind, arithmetic.predecessor) for kind in _POINTS),
    *(open_row("MinValue", (kind,), kind, _constant(arithmetic.minimum_of(kind))) for kind in _POINTS),
    *(open_row("MaxValue", (kind,), kind, _constant(arithmetic.maximum_of(kind))) for kind in _POINTS),
    *(row("Precision", (kind,), INTEGER, arithmetic.precision_of) for kind in (DECIMAL, *_TEMPORAL)),
    *(open_row("LowBoundary", (kind, INTEGER), kind, arithmetic.low_boundary) for kind in (DECIMAL, *_TEMPORAL)),
    *(open_row("HighBoundary", (kind, INTEGER), kind, arithmetic.high_boundary) for kind in (DECIMAL, *_TEMPORAL)),
)  # fmt: skip

_STRINGS: tuple[OperatorRow, ...] = (
    context_row("Concatenate", (STRING, STRING), STRING, strings.concatenate),
    context_row("Combine", (ListOf(STRING),), STRING, strings.combine, propagates_null=False),
    context_row("Combine", (ListOf(STRING), STRING), STRING, strings.combine, propagates_null=False),
    row("Length", (STRING,), INTEGER, strings.length),
    row("Upper", (STRING,), STRING, strings.upper),
    row("Lower", (STRING,), STRING, strings.lower),
    row("Indexer", (STRING, INTEGER), STRING, strings.indexer),
    open_row("Substring", (STRING, INTEGER), STRING, strings.substring),
    open_row("Substring", (STRING, INTEGER, INTEGER), STRING, strings.substring),
    row("PositionOf", (STRING, STRING), INTEGER, strings.position_of),
    row("LastPositionOf", (STRING, STRING), INTEGER, strings.last_position_of),
    row("StartsWith", (STRING, STRING), BOOLEAN, strings.starts_with),
    row("EndsWith", (STRING, STRING), BOOLEAN, strings.ends_with),
    context_row("Matches", (STRING, STRING), BOOLEAN, strings.matches),
    context_row("ReplaceMatches", (STRING, STRING, STRING), STRING, strings.replace_matches),
    open_row("Split", (STRING, STRING), ListOf(STRING), strings.split),
    context_row("SplitOnMatches", (STRING, STRING), ListOf(STRING), strings.split_on_matches, propagates_null=False),
    row("ToChars", (STRING,), ListOf(STRING), strings.to_chars),
)

_ORDERED: tuple[Type, ...] = (INTEGER, LONG, DECIMAL, QUANTITY, DATE, DATETIME, TIME, STRING)
_AGGREGATES: tuple[OperatorRow, ...] = (
    open_row("Count", (ListOf(T),), INTEGER, aggregates.count),
    *(row("Sum", (ListOf(kind),), kind, aggregates.sum_) for kind in (*_NUMBERS, QUANTITY)),
    *(row("Product", (ListOf(kind),), kind, aggregates.product) for kind in (*_NUMBERS, QUANTITY)),
    *(row("Min", (ListOf(kind),), kind, aggregates.min_) for kind in _ORDERED),
    *(row("Max", (ListOf(kind),), kind, aggregates.max_) for kind in _ORDERED),
    *(
        row(name, (ListOf(kind),), kind, implementation)
        for name, implementation in (
            ("Avg", aggregates.avg),
            ("Median", aggregates.median),
            ("Variance", aggregates.variance),
            ("PopulationVariance", aggregates.population_variance),
            ("StdDev", aggregates.std_dev),
            ("PopulationStdDev", aggregates.population_std_dev),
        )
        for kind in (DECIMAL, QUANTITY)
    ),
    row("GeometricMean", (ListOf(DECIMAL),), DECIMAL, aggregates.geometric_mean),
    row("Mode", (ListOf(T),), T, aggregates.mode),
    open_row("AllTrue", (ListOf(BOOLEAN),), BOOLEAN, aggregates.all_true),
    open_row("AnyTrue", (ListOf(BOOLEAN),), BOOLEAN, aggregates.any_true),
)

NUMBER_ROWS: tuple[OperatorRow, ...] = (*_ARITHMETIC, *_STRINGS, *_AGGREGATES)
