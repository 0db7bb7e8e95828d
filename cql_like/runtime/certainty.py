"""Operators that need a certain number: a position, a count, a component of a date.

A duration between incomplete dates is a range (`Uncertainty`) where a number stands. Comparison and arithmetic know
it (CQL §Uncertainty); for the operators here the result of an uncertain operand is not known: null.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cql_like.ir import OperatorRow
from cql_like.runtime.values import Uncertainty
from cql_like.types import INTEGER

NEEDS_CERTAINTY = frozenset(
    {
        "Date",
        "DateTime",
        "HighBoundary",
        "Indexer",
        "LowBoundary",
        "Power",
        "Round",
        "Skip",
        "Slice",
        "Substring",
        "Take",
        "Time",
    }
)


def with_certain_operands(row: OperatorRow) -> OperatorRow:
    """The row itself, or for the operators above one that gives null where an operand is uncertain."""
    if row.name not in NEEDS_CERTAINTY or INTEGER not in row.operands:
        return row
    return replace(row, implementation=_certain(row.implementation))


def _certain(implementation: Callable[..., Any]) -> Callable[..., Any]:
    def certain(*operands: Any, **keywords: Any) -> Any:
        for operand in operands:
            if type(operand) is Uncertainty:
                return None
        return implementation(*operands, **keywords)

    return certain
