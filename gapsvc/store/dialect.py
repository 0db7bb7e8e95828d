"""The few statements that must be fast or that the two databases spell differently.

Hot statements are plain SQL with `?` places and rows of tuples, handed to the driver as they are: SQLAlchemy's
per-row work would cost more than the insert.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa

T = TypeVar("T")
_CHUNK = 1000


def many(connection: sa.Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run `sql` (places are `?`) once per row; nothing where there are none."""
    if rows:
        connection.exec_driver_sql(_places(sql, connection.dialect.name), list(rows))


def rows(connection: sa.Connection, sql: str, *values: Any) -> Sequence[Any]:
    """All rows of a query whose places are `?`. A list of texts fills `IN (?*)`: any of them."""
    return run(connection, sql, *values).all()


def run(connection: sa.Connection, sql: str, *values: Any) -> sa.CursorResult[Any]:
    """Run one statement whose places are `?`, or `IN (?*)` for a list of texts."""
    postgres = connection.dialect.name == "postgresql"
    filled = tuple(
        value if postgres or not isinstance(value, list) else orjson.dumps(value).decode() for value in values
    )
    return connection.exec_driver_sql(_places(sql, connection.dialect.name), filled)


@cache
def _places(sql: str, dialect: str) -> str:
    if dialect == "postgresql":
        return sql.replace("IN (?*)", "= ANY(?)").replace("?", "%s")
    return sql.replace("?*", "SELECT value FROM json_each(?)")


def chunks(items: Iterable[T], size: int = _CHUNK) -> Iterator[list[T]]:
    """`items` in lists of at most `size`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
