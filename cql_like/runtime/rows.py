"""How an operator row is written down: the three kinds of row by how they treat null."""

from collections.abc import Callable
from typing import Any

from cql_like.ir import OperatorRow
from cql_like.types import Type


def row(name: str, operands: tuple[Type, ...], result: Type, implementation: Callable[..., Any]) -> OperatorRow:
    """Null if an operand is."""
    return OperatorRow(name, operands, result, implementation)


def open_row(name: str, operands: tuple[Type, ...], result: Type, implementation: Callable[..., Any]) -> OperatorRow:
    """The implementation sees the nulls."""
    return OperatorRow(name, operands, result, implementation, propagates_null=False)


def context_row(
    name: str,
    operands: tuple[Type, ...],
    result: Type,
    implementation: Callable[..., Any],
    *,
    propagates_null: bool = True,
) -> OperatorRow:
    """The implementation is given the evaluation context."""
    return OperatorRow(name, operands, result, implementation, propagates_null=propagates_null, takes_context=True)


def timed_row(
    name: str,
    operands: tuple[Type, ...],
    result: Type,
    implementation: Callable[..., Any],
    *,
    propagates_null: bool = True,
) -> OperatorRow:
    """The implementation is given the precision of the phrase (`same day as`), or None."""
    return OperatorRow(name, operands, result, implementation, propagates_null=propagates_null, takes_precision=True)
