"""Walking typed IR: every expression within an expression, whatever the node."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, cast

from cql_like.ir import Expression, Node, OperatorRow, Span


@cache
def _parts(kind: type) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind) if item.name not in ("type", "span", "row", "conversion", "target"))


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and all within it, outer before inner."""
    todo: list[Any] = [expression]
    while todo:
        item = todo.pop()
        if isinstance(item, tuple):
            todo.extend(reversed(cast(tuple[Any, ...], item)))
        elif is_dataclass(item) and not isinstance(item, type | OperatorRow | Span):
            if isinstance(item, Node):
                yield cast(Expression, item)
                if type(item).__name__ == "Constant":
                    continue
            todo.extend(reversed([getattr(item, name) for name in _parts(type(item))]))


SMALL = 60  # nodes; an expression that must stand in several places is repeated up to this size, and shared beyond


def is_small(expression: Expression) -> bool:
    """May the expression be repeated? Repeating large ones would let nested ones grow without bound."""
    return all(count < SMALL for count, _ in enumerate(walk(expression)))
