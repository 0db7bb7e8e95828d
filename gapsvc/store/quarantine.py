"""Looking at what could not be used: kept whole, with the reason, until it arrives in order."""

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.base import Rejected
from gapsvc.store.database import Connected
from gapsvc.store.dialect import rows


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A resource that was kept aside. `resolved`: it has arrived in order since."""

    source: str
    rejected: Rejected
    resolved: bool


class QuarantineReading(Connected):
    """The store's side for what was kept aside."""

    def quarantined(self, source: str | None = None) -> Iterator[Quarantined]:
        """Everything kept aside (from one source), oldest first; read a few hundred at a time."""
        after = 0
        while True:
            with self._reading() as connection:
                found = rows(
                    connection,
                    "SELECT q.id, s.name, q.origin, q.code, q.reason, q.raw, q.type, q.resource_id, "
                    "q.resolved_pull_id IS NOT NULL FROM quarantine q JOIN source s ON s.id = q.source_id "
                    "WHERE q.id > ? ORDER BY q.id LIMIT 500",
                    after,
                )
            if not found:
                return
            for _id, name, origin, code, reason, raw, kind, resource_id, resolved in found:
                if source is None or name == source:
                    rejected = Rejected(origin, code, reason, bytes(raw), kind, resource_id)
                    yield Quarantined(name, rejected, bool(resolved))
            after = found[-1][0]
