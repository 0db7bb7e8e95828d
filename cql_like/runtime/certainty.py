"""Operators that need a certain number: a position, a count, a component of a date.

A duration between incomplete dates is a range (`Uncertainty`) where a number stands. Comparison and arithmetic know
it (CQL §Uncertainty); for the operators here the result of an uncertain operand is not known: null. So it is where
the number is no whole one (an Integer to a negative power is a Decimal, Appendix B §Power).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cql_like.ir import OperatorRow
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
    """The row itself, or for the operators above one that gives null where an Integer operand is none."""
    if row.name not in NEEDS_CERTAINTY or INTEGER not in row.operands:
        return row
    places = tuple(place for place, kind in enumerate(row.operands) if kind == INTEGER)
    return replace(row, implementation=_certain(row.implementation, places))


def _certain(implementation: Callable[..., Any], places: tuple[int, ...]) -> Callable[..., Any]:
    def certain(*operands: Any, **keywords: Any) -> Any:
        for place in places:
            if type(operands[place]) is not int and operands[place] is not None:
                return None
        return implementation(*operands, **keywords)

    return certain
