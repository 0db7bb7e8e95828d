"""Where the reading of each type of a source stands, so that a crash loses nothing and the next pull goes on.

A reading begins with a `since` (none: everything), moves with every batch in that batch's own transaction, and
ends by setting the next one's `since`: the earlier of the reading's start and the newest `meta.lastUpdated` it saw,
never a date in the future. A source that doesn't date its resources is read whole every time.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from adapters.base import Batch
from gapsvc.store.dialect import rows, run
from gapsvc.store.errors import StoreError

_BEGIN = """
INSERT INTO checkpoint (source_id, type, reading, started, since, cursor, newest, undated, high_water)
VALUES (?, ?, ?, ?, ?, NULL, NULL, ?, ?)
ON CONFLICT (source_id, type) DO UPDATE SET
    reading = excluded.reading, started = excluded.started, since = excluded.since, cursor = NULL, newest = NULL,
    undated = excluded.undated
"""
_MOVE = "UPDATE checkpoint SET cursor = ?, newest = ?, undated = ?, reading = ? WHERE source_id = ? AND type = ?"
_END = "UPDATE checkpoint SET reading = ?, cursor = NULL, high_water = ? WHERE source_id = ? AND type = ?"


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a type: from `since` on (None: everything), going on behind `cursor` where `resumed`."""

    resource_type: str
    since: str | None
    cursor: str | None
    resumed: bool


def instant(text: Any) -> datetime | None:
    """A FHIR instant in UTC; None where the text is none."""
    if not isinstance(text, str):
        return None
    try:
        read = datetime.fromisoformat(text)
        return read.astimezone(UTC) if read.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def written(moment: datetime) -> str:
    """A moment as the store and FHIR write it: ISO 8601, UTC, `Z`; sorts as text."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def begin(
    connection: sa.Connection, source_id: int, resource_type: str, now: datetime, *, whole: bool = False
) -> Reading:
    """Begin reading a type, or go on with a reading that didn't end. `whole` ignores what was read before."""
    found = _find(connection, source_id, resource_type)
    if found is not None and found.reading and not whole:
        return Reading(resource_type, found.since, found.cursor, resumed=True)
    since = None if found is None or whole else found.high_water
    run(connection, _BEGIN, source_id, resource_type, True, written(now), since, False, since)
    return Reading(resource_type, since, None, resumed=False)


def lock(connection: sa.Connection, source_id: int, resource_type: str) -> datetime:
    """When the reading under way began; other writers of this source wait until the transaction ends.

    Raises:
        StoreError: the type is not being read.
    """
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        run(connection, "SELECT id FROM source WHERE id = ? FOR UPDATE", source_id)
    found = _find(connection, source_id, resource_type)
    started = None if found is None else instant(found.started)
    if started is None:
        raise StoreError(f"{resource_type} is not being read from this source: call begin_type first")
    return started


def move(connection: sa.Connection, source_id: int, batch: Batch, newest: datetime | None, undated: bool) -> None:
    """Move the checkpoint behind `batch`."""
    found = _find(connection, source_id, batch.resource_type)
    before = instant(found.newest)
    later = max((moment for moment in (before, newest) if moment is not None), default=None)
    run(
        connection,
        _MOVE,
        batch.cursor,
        None if later is None else written(later),
        undated or found.undated,
        True,
        source_id,
        batch.resource_type,
    )


def end(connection: sa.Connection, source_id: int, resource_type: str) -> None:
    """The type was read to its end: the next reading starts from here."""
    found = _find(connection, source_id, resource_type)
    run(connection, _END, False, _high_water(found), source_id, resource_type)


def _high_water(found: Any) -> str | None:
    if found.undated:
        return None
    if found.newest is None:
        return found.since  # nothing new: as before; nothing at all: everything again
    until = min(found.started, found.newest)
    return until if found.since is None else max(until, found.since)


def started_of(connection: sa.Connection, source_id: int, resource_types: list[str]) -> str | None:
    """When the oldest of these types' readings began: what the source said since then isn't known yet."""
    found = rows(
        connection,
        "SELECT min(started) FROM checkpoint WHERE source_id = ? AND type IN (?*)",
        source_id,
        resource_types,
    )
    return found[0][0]


def _find(connection: sa.Connection, source_id: int, resource_type: str) -> Any:
    found = rows(
        connection,
        "SELECT reading, started, since, cursor, newest, undated, high_water FROM checkpoint "
        "WHERE source_id = ? AND type = ?",
        source_id,
        resource_type,
    )
    return found[0] if found else None
