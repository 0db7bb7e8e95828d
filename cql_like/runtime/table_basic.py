"""Operator rows: logical, nullological (CQL Appendix B §Logical, §Nullological)."""

from collections.abc import Callable
from typing import Any

from cql_like.ir import OperatorRow
from cql_like.runtime import logic
from cql_like.types import ANY, BOOLEAN, ListOf, T, Type


def _row(name: str, operands: tuple[Type, ...], result: Type, implementation: Callable[..., Any]) -> OperatorRow:
    """A row that sees its nulls."""
    return OperatorRow(name, operands, result, implementation, propagates_null=False)


BASIC_ROWS: tuple[OperatorRow, ...] = (
    _row("And", (BOOLEAN, BOOLEAN), BOOLEAN, logic.and_),
    _row("Or", (BOOLEAN, BOOLEAN), BOOLEAN, logic.or_),
    _row("Xor", (BOOLEAN, BOOLEAN), BOOLEAN, logic.xor),
    _row("Implies", (BOOLEAN, BOOLEAN), BOOLEAN, logic.implies),
    _row("Not", (BOOLEAN,), BOOLEAN, logic.not_),
    _row("IsTrue", (BOOLEAN,), BOOLEAN, logic.is_true),
    _row("IsFalse", (BOOLEAN,), BOOLEAN, logic.is_false),
    _row("IsNull", (ANY,), BOOLEAN, logic.is_null),
    # a list alone is looked into, so its row stands first
    _row("Coalesce", (ListOf(T),), T, logic.coalesce_list),
    *(_row("Coalesce", (T,) * count, T, logic.coalesce) for count in range(2, 6)),
)
