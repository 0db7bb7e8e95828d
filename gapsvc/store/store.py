"""The store: one object that the service, the command line and the jobs hold. Safe to share between threads."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType

import sqlalchemy as sa

from adapters.base import Batch
from gapsvc.records.codemaps import CodeMap
from gapsvc.records.linking import PERSON_SYSTEMS
from gapsvc.store import checkpoints, database, ingest, people
from gapsvc.store.checkpoints import Reading
from gapsvc.store.dialect import rows, run
from gapsvc.store.ingest import BatchCounts
from gapsvc.store.people import LinkCounts
from gapsvc.store.quarantine import QuarantineReading
from gapsvc.store.reading import RecordReading
from gapsvc.store.resulting import ResultStoring
from gapsvc.store.rolling import RollingUp
from gapsvc.store.search import Searching
from gapsvc.store.supplementing import SupplementReading


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull under way."""

    id: int
    source: str
    source_id: int


class Store(RecordReading, ResultStoring, RollingUp, Searching, QuarantineReading, SupplementReading):
    """Records and results in one database."""

    def __init__(
        self,
        engine: sa.Engine,
        person_systems: Collection[str] = PERSON_SYSTEMS,
        code_maps: Mapping[str, CodeMap] | None = None,
    ) -> None:
        super().__init__(engine, code_maps)
        self._person_systems = frozenset(person_systems)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        person_systems: Collection[str] = PERSON_SYSTEMS,
        code_maps: Mapping[str, CodeMap] | None = None,
    ) -> "Store":
        """The store at `url` (`sqlite:///FILE`, made where missing, or `postgresql+psycopg://...`).

        `person_systems` are the identifier systems that name a person; `code_maps` maps a source's name to the map
        that its records are read through. Call `migrate` before first use.

        Raises:
            StoreError: the URL can't be used.
        """
        return cls(database.open_engine(url), person_systems, code_maps)

    def migrate(self) -> None:
        """Bring the schema to this program's version."""
        database.migrate(self._engine)

    def ping(self) -> None:
        """Look whether the store answers.

        Raises:
            StoreError: it can't be reached, or was never migrated.
        """
        with self._reading() as connection:
            rows(connection, "SELECT max(id) FROM pull")

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- pulls ------------------------------------------------------------------------------------------------

    def begin_pull(self, source: str, now: datetime) -> Pull:
        """Begin a pull from `source`; one that never ended is marked abandoned (what it wrote stays)."""
        with self._writing() as connection:
            run(connection, "INSERT INTO source (name) VALUES (?) ON CONFLICT DO NOTHING", source)
            source_id = rows(connection, "SELECT id FROM source WHERE name = ?", source)[0][0]
            run(
                connection,
                "UPDATE pull SET status = 'abandoned' WHERE source_id = ? AND status = 'running'",
                source_id,
            )
            pull_id = run(
                connection,
                "INSERT INTO pull (source_id, started, status) VALUES (?, ?, 'running') RETURNING id",
                source_id,
                checkpoints.written(now),
            ).scalar_one()
        return Pull(pull_id, source, source_id)

    def begin_type(self, pull: Pull, resource_type: str, now: datetime, *, whole: bool = False) -> Reading:
        """How to read `resource_type`: where an unfinished reading stopped, else what is new since the last one."""
        with self._writing() as connection:
            return checkpoints.begin(connection, pull.source_id, resource_type, now, whole=whole)

    def write_batch(self, pull: Pull, batch: Batch) -> BatchCounts:
        """Write a batch and its checkpoint in one transaction: all of it is there afterwards, or nothing."""
        return self.write_batches(pull, [batch])

    def write_batches(self, pull: Pull, batches: Iterable[Batch]) -> BatchCounts:
        """Write batches, in their order, and the checkpoint behind the last one, in one transaction."""
        with self._writing() as connection:
            return sum(
                (ingest.write_batch(connection, pull.source_id, pull.id, batch) for batch in batches), BatchCounts()
            )

    def end_type(self, pull: Pull, resource_type: str) -> None:
        """`resource_type` was read to its end."""
        with self._writing() as connection:
            checkpoints.end(connection, pull.source_id, resource_type)

    def link(self) -> LinkCounts:
        """Link the patients whose records changed since the last time into persons (gapsvc.records.linking)."""
        with self._writing() as connection:
            return people.link_touched(connection, self._person_systems)

    def end_pull(self, pull: Pull, now: datetime, resource_types: Collection[str], *, complete: bool) -> None:
        """End a pull. Where `complete`, the source's data are known up to the start of its oldest reading."""
        with self._writing() as connection:
            run(
                connection,
                "UPDATE pull SET status = ?, finished = ? WHERE id = ?",
                "complete" if complete else "incomplete",
                checkpoints.written(now),
                pull.id,
            )
            if complete:
                started = checkpoints.started_of(connection, pull.source_id, sorted(resource_types))
                run(connection, "UPDATE source SET data_as_of = ? WHERE id = ?", started, pull.source_id)
