"""What an import asks the store: who is there, and which resources a source has."""

from collections.abc import Collection, Iterator
from typing import Any

import orjson

from gapsvc.store.database import Connected
from gapsvc.store.dialect import chunks, rows

_PAGE = 2000

_KNOWN = """
SELECT DISTINCT i.value, p.birth_date FROM identifier i
JOIN patient p ON p.source_id = i.source_id AND p.id = i.id
JOIN source s ON s.id = i.source_id AND s.name <> ?
WHERE i.type = 'Patient' AND i.system = ? AND i.value IN (?*)
"""
_IDS = """
SELECT r.id FROM resource r JOIN source s ON s.id = r.source_id AND s.name = ?
WHERE r.type = ? AND r.id > ? {only} ORDER BY r.id LIMIT ?
"""
# Patients whom nothing of their source is about any more.
_ALONE = """
AND NOT EXISTS (
    SELECT 1 FROM resource o
    WHERE o.source_id = r.source_id AND o.patient_id = r.id AND o.type <> 'Patient')
"""


class SupplementReading(Connected):
    """The store's side for supplemental data."""

    def known_people(self, system: str, people: Collection[tuple[str, str]], *, besides: str) -> set[tuple[str, str]]:
        """Those of `people` (identifier value in `system`, birth date) of whom another source than `besides` has a
        Patient: what linking joins (gapsvc.records.linking, rule a)."""
        found: set[tuple[str, str]] = set()
        with self._reading() as connection:
            for chunk in chunks(sorted({value for value, _born in people})):
                found.update((row[0], row[1]) for row in rows(connection, _KNOWN, besides, system, chunk))
        return found.intersection(people)

    def ids_of_source(self, source: str, resource_type: str) -> Iterator[list[str]]:
        """The ids of a source's resources of a type, a page at a time; of Patients only those whom no other resource
        of the source is about. Others may delete what was read meanwhile."""
        sql = _IDS.format(only=_ALONE if resource_type == "Patient" else "")
        after = ""
        while True:
            with self._reading() as connection:
                page = [row[0] for row in rows(connection, sql, source, resource_type, after, _PAGE)]
            if not page:
                return
            yield page
            after = page[-1]

    def types_of_source(self, source: str) -> tuple[str, ...]:
        """The types of which a source has resources, sorted."""
        with self._reading() as connection:
            found = rows(
                connection,
                "SELECT DISTINCT r.type FROM resource r JOIN source s ON s.id = r.source_id AND s.name = ?",
                source,
            )
        return tuple(sorted(row[0] for row in found))

    def any_resource_of(self, source: str) -> dict[str, Any] | None:
        """Some resource of a source, as it was sent; None where it has none."""
        with self._reading() as connection:
            found = rows(
                connection,
                "SELECT r.body FROM resource r JOIN source s ON s.id = r.source_id AND s.name = ? LIMIT 1",
                source,
            )
        return orjson.loads(found[0][0]) if found else None
