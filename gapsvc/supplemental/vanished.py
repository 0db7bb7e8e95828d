"""What a source reported before and its files hold no more: deletions for `import --replace`, as a Source.

The ids of a file of millions of rows are remembered on disk (a temporary SQLite file), so that memory stays bounded.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from types import TracebackType
from typing import Self

from adapters.base import Batch

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
