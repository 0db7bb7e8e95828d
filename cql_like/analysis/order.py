"""The order in which a library's defines and functions are analysed: what is mentioned before what mentions it.

A name that is mentioned may turn out to be an alias; then the order is merely unneeded. Loops come in any order:
they are found, and reported, when the analysis runs into them.
"""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, cast

from cql_like.syntax import tree


def bottom_up(statements: Iterable[tree.Statement]) -> list[str]:
    """The names of the defines and functions, each after those that it mentions."""
    mentions: dict[str, list[str]] = {}
    for statement in statements:
        if isinstance(statement, tree.ExpressionDefinition):
            mentions.setdefault(statement.name, []).extend(_mentioned(statement.expression))
        elif isinstance(statement, tree.FunctionDefinition):
            names = [] if statement.body is None else _mentioned(statement.body)
            mentions.setdefault(statement.name, []).extend(names)
    order: list[str] = []
    seen: set[str] = set()
    for start in mentions:
        todo: list[tuple[str, bool]] = [(start, False)]
        while todo:
            name, done = todo.pop()
            if done:
                order.append(name)
            elif name in mentions and name not in seen:
                seen.add(name)
                todo.append((name, True))
                todo.extend((other, False) for other in mentions[name])
    return order


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind) if item.name != "span")


def _mentioned(node: tree.Expression) -> list[str]:
    """The names that an expression mentions as identifiers or calls."""
    names: list[str] = []
    todo: list[Any] = [node]
    while todo:
        item = todo.pop()
        if isinstance(item, tuple):
            todo.extend(cast(tuple[Any, ...], item))
        elif is_dataclass(item) and not isinstance(item, type):
            if isinstance(item, tree.Identifier | tree.Call):
                names.append(item.name)
            todo.extend(getattr(item, name) for name in _field_names(type(item)))
    return names
