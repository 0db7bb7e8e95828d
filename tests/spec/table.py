"""Tables of the language: each row an expression and the CQL literal that it gives, run on both evaluators.

A module of this folder is one area of CQL: its docstring introduces the area (with the chapter of the standard), its
`TABLE` maps a heading to rows. The documentation's language pages are made of them.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import pytest

import cql_like

Table = Mapping[str, Mapping[str, str]]

NOW = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
ENGINES: tuple[cql_like.Engine, ...] = ("compiled", "reference")


def cases(table: Table) -> pytest.MarkDecorator:
    """Parametrizes a test by (engine, expression, literal) for every row."""
    return pytest.mark.parametrize(("engine", "expression", "literal"), list(_rows(table)))


def _rows(table: Table) -> Iterator[tuple[str, str, str]]:
    for rows in table.values():
        for expression, literal in rows.items():
            for engine in ENGINES:
                yield engine, expression, literal


def assert_gives(engine: cql_like.Engine, expression: str, literal: str) -> None:
    """The value of the expression, written as CQL, is the literal; `error` stands for a run-time error."""
    if literal == "error":
        with pytest.raises(cql_like.CqlRuntimeError):
            cql_like.evaluate(expression, engine=engine, now=NOW)
        return
    assert cql_like.to_cql(cql_like.evaluate(expression, engine=engine, now=NOW)) == literal
