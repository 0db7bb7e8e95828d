"""What is remembered of the rows of a file: which ids it holds, and whether rows that share one contradict each other;
and what a source reported before and its files hold no more, as a Source of deletions (`import --replace`).

The ids of a file of millions of rows are remembered on disk (a temporary SQLite file), so that memory stays bounded.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from hashlib import blake2b
from types import TracebackType
from typing import Self

import orjson

from adapters.base import Batch, JsonObject

# (resource type) -> the ids that the store has of this source, in lists
StoredIds = Callable[[str], Iterable[list[str]]]


class Seen:
    """The (type, id)s that files hold. `incomplete`: of some row it could not be told which resource it is."""

    def __init__(self) -> None:
        self.incomplete = False
        # An empty name is a temporary file of SQLite's own, gone when it is closed.
        self._database = sqlite3.connect("")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE seen (type TEXT, id TEXT, PRIMARY KEY (type, id)) WITHOUT ROWID")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def add(self, keys: Collection[tuple[str, str]], incomplete: bool) -> None:
        """Remember ids; what CsvSource and TaggedSource call."""
        self.incomplete |= incomplete
        self._database.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", list(keys))

    def missing(self, resource_type: str, ids: Iterable[str]) -> list[str]:
        """Those of `ids` that no file held."""
        find = "SELECT 1 FROM seen WHERE type = ? AND id = ?"
        return [one for one in ids if self._database.execute(find, (resource_type, one)).fetchone() is None]

    def __bool__(self) -> bool:
        return self._database.execute("SELECT 1 FROM seen LIMIT 1").fetchone() is not None


class Contents:
    """What the rows of one reading say, by id: whether rows that share an id contradict each other."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE said (id TEXT PRIMARY KEY, digest BLOB, contradicted INT) WITHOUT ROWID")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def add(self, resources: Iterable[JsonObject]) -> None:
        """Remember resources (of one type) of rows, in the file's order."""
        self._database.executemany(
            "INSERT INTO said VALUES (?, ?, 0) ON CONFLICT (id) DO UPDATE SET "
            "contradicted = contradicted + (digest <> excluded.digest), digest = excluded.digest",
            [(one["id"], blake2b(orjson.dumps(one), digest_size=8).digest()) for one in resources],
        )

    def contradicted(self) -> int:
        """How many resources differ from the one before of their id."""
        return self._database.execute("SELECT coalesce(sum(contradicted), 0) FROM said").fetchone()[0]


class Vanished:
    """A Source of nothing but deletions: what the store has of `name` and `seen` has not."""

    def __init__(self, name: str, seen: Seen, stored: StoredIds) -> None:
        self._name = name
        self._seen = seen
        self._stored = stored

    @property
    def name(self) -> str:
        return self._name

    def batches(self, resource_type: str, *, since: str | None = None, cursor: str | None = None) -> Iterator[Batch]:
        """See `Source.batches`; the deletions stand in `extra`."""
        for ids in self._stored(resource_type):
            gone = self._seen.missing(resource_type, ids)
            if gone:
                deleted = " ".join(f"{resource_type}/{one}" for one in gone)
                yield Batch(resource_type, (), extra={"deleted": deleted})
