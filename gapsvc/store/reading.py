"""Reading records: one person's, or a population's as a stream of bounded size."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from gapsvc.records.assemble import Sourced, assemble
from gapsvc.records.codemaps import CodeMap
from gapsvc.records.record import Finding, PatientRecord
from gapsvc.records.references import literal, objects
from gapsvc.store.affiliation import affiliated
from gapsvc.store.database import Connected
from gapsvc.store.dialect import chunks, rows

_CHUNK = 200  # persons read at a time in a stream

_RESOURCES = """
SELECT pp.person_id, r.source_id, r.type, r.id, r.body
FROM person_patient pp JOIN resource r ON r.patient_id = pp.patient_id AND r.source_id = pp.source_id
WHERE pp.person_id IN (?*)"""
_ATTRIBUTED = """
SELECT a.person_id, r.source_id, r.type, r.id, r.body
FROM attributed a JOIN resource r ON r.source_id = a.source_id AND r.type = a.type AND r.id = a.id
WHERE a.person_id IN (?*)"""
_MOVED = "SELECT from_person_id, source_id, type, id FROM attributed WHERE from_person_id IN (?*)"
_FINDINGS = "SELECT person_id, reference, code, text FROM finding WHERE person_id IN (?*)"
_SOURCES = "SELECT id, name, data_as_of FROM source"
_OF_TYPES = " AND r.type IN (?*)"


class RecordReading(Connected):
    """The store's reading side."""

    def person_of(self, patient_id: str, source: str | None = None) -> str | None:
        """The person that a Patient id belongs to; None where it is unknown.

        A person id answers to itself. A Patient id that two sources give to different persons is the person's who
        has it as person id, unless `source` says which is meant.
        """
        with self._reading() as connection:
            if source is None:
                found = rows(connection, "SELECT id FROM person WHERE id = ?", patient_id) or rows(
                    connection,
                    "SELECT person_id FROM person_patient WHERE patient_id = ? ORDER BY source_id",
                    patient_id,
                )
            else:
                found = rows(
                    connection,
                    "SELECT pp.person_id FROM person_patient pp JOIN source s ON s.id = pp.source_id "
                    "WHERE pp.patient_id = ? AND s.name = ?",
                    patient_id,
                    source,
                )
        return found[0][0] if found else None

    def persons_by_source(self, patient_id: str) -> dict[str, str]:
        """The person that each source means by a Patient id: name of the source -> person id."""
        with self._reading() as connection:
            return {
                row[0]: row[1]
                for row in rows(
                    connection,
                    "SELECT s.name, pp.person_id FROM person_patient pp JOIN source s ON s.id = pp.source_id "
                    "WHERE pp.patient_id = ? ORDER BY s.id",
                    patient_id,
                )
            }

    def record(self, person_id: str, types: Collection[str] | None = None) -> PatientRecord | None:
        """The record of a person, with resources of `types` only where given (Patient always); None: unknown."""
        with self._reading() as connection:
            return next(iter(read_records(connection, [person_id], types, self._code_maps)), None)

    def record_of_patient(self, patient_id: str, types: Collection[str] | None = None) -> PatientRecord | None:
        """The record of the person whom a Patient id (or a person id) belongs to; None: unknown."""
        person_id = self.person_of(patient_id)
        return None if person_id is None else self.record(person_id, types)

    def records(
        self,
        person_ids: Iterable[str] | None = None,
        types: Collection[str] | None = None,
        organization: str | None = None,
        practitioner: str | None = None,
    ) -> Iterator[PatientRecord]:
        """The records of these persons (all where None), sorted by person id, read a few hundred at a time.

        Between two chunks others may write: each record is of one state, the stream need not be.
        """
        wanted = [] if person_ids is None else sorted(set(person_ids))
        if person_ids is None or organization is not None or practitioner is not None:
            named = self.person_ids(organization=organization, practitioner=practitioner)
            wanted = named if person_ids is None else sorted(set(wanted).intersection(named))
        for chunk in chunks(wanted, _CHUNK):
            with self._reading() as connection:
                found = read_records(connection, chunk, types, self._code_maps)
            yield from found

    def person_ids(
        self, *, organization: str | None = None, practitioner: str | None = None, group: str | None = None
    ) -> list[str]:
        """Ids of all persons, or of those that belong to an organization, a practitioner and a Group; sorted.

        Arguments are ids (`Organization/7` or `7`). A person belongs to the organization that manages their Patient
        or provided any of their encounters, and to those that it is part of; to the practitioner who is their
        general practitioner or took part in an encounter; to a Group whose member one of their Patients is. An
        unknown one has nobody. A newborn visit in the mother's record makes the mother belong to the clinic, not
        the baby.
        """
        with self._reading() as connection:
            sets: list[set[str]] = []
            for kind, wanted in (("Organization", organization), ("Practitioner", practitioner)):
                if wanted is not None:
                    query = affiliated(connection, kind, wanted.removeprefix(f"{kind}/")).distinct()
                    sets.append(set(connection.execute(query).scalars()))
            if group is not None:
                sets.append(_members(connection, group.removeprefix("Group/")))
            if sets:
                return sorted(set.intersection(*sets))
            return [row[0] for row in rows(connection, "SELECT id FROM person ORDER BY id")]

    def resource(self, resource_type: str, resource_id: str, source: str | None = None) -> dict[str, Any] | None:
        """One resource as its source sent it (the source registered first, where several have it); None: unknown."""
        sql = (
            "SELECT r.body FROM resource r JOIN source s ON s.id = r.source_id "
            "WHERE r.source_id IN (SELECT id FROM source) AND r.type = ? AND r.id = ?"
        )
        with self._reading() as connection:
            if source is None:
                found = rows(connection, sql + " ORDER BY r.source_id", resource_type, resource_id)
            else:
                found = rows(connection, sql + " AND s.name = ?", resource_type, resource_id, source)
        return orjson.loads(found[0][0]) if found else None

    def exists(self, resource_type: str, resource_id: str) -> bool:
        """Whether any source has such a resource (for Patient: or a person of that id)."""
        with self._reading() as connection:
            found = rows(
                connection,
                "SELECT 1 FROM resource WHERE source_id IN (SELECT id FROM source) AND type = ? AND id = ? LIMIT 1",
                resource_type,
                resource_id,
            )
            if not found and resource_type == "Patient":
                found = rows(connection, "SELECT 1 FROM person WHERE id = ?", resource_id)
        return bool(found)

    def unlinked_patients(self, source: str) -> list[str]:
        """Patients of a source that came since patients were last linked: the new ones, sorted."""
        with self._reading() as connection:
            found = rows(
                connection,
                "SELECT p.id FROM patient p JOIN source s ON s.id = p.source_id AND s.name = ? "
                "LEFT JOIN person_patient pp ON pp.source_id = p.source_id AND pp.patient_id = p.id "
                "WHERE pp.person_id IS NULL ORDER BY p.id",
                source,
            )
        return [row[0] for row in found]

    def revisions(self, person_ids: Collection[str]) -> dict[str, int]:
        """The revision of each person's record: it grows when the record changes."""
        with self._reading() as connection:
            return {
                row[0]: row[1]
                for chunk in chunks(person_ids)
                for row in rows(connection, "SELECT id, revision FROM person WHERE id IN (?*)", chunk)
            }


def read_records(
    connection: sa.Connection,
    person_ids: list[str],
    types: Collection[str] | None,
    code_maps: Mapping[str, CodeMap],
) -> list[PatientRecord]:
    """The records of these persons, sorted by person id, with resources of `types` only where given.

    `code_maps` are applied here, source by source: what is stored is what the source sent.
    """
    narrowed: tuple[list[str], ...] = () if types is None else (sorted({*types, "Patient"}),)
    clause = "" if types is None else _OF_TYPES
    sources: dict[int, str] = {}
    data_as_of: dict[str, str] = {}
    for source_id, name, as_of in rows(connection, _SOURCES):
        sources[source_id] = name
        if as_of is not None:
            data_as_of[name] = as_of
    moved = {tuple(row) for row in rows(connection, _MOVED, person_ids)}
    found: dict[str, list[Sourced]] = {}
    own = rows(connection, _RESOURCES + clause, person_ids, *narrowed)
    given = rows(connection, _ATTRIBUTED + clause, person_ids, *narrowed)
    loads = orjson.loads
    for person_id, source_id, kind, resource_id, body in own:
        if not moved or (person_id, source_id, kind, resource_id) not in moved:
            found.setdefault(person_id, []).append(Sourced(sources[source_id], loads(body)))
    for person_id, source_id, _kind, _resource_id, body in given:
        found.setdefault(person_id, []).append(Sourced(sources[source_id], loads(body)))
    if code_maps:
        found = {name: [_mapped(item, code_maps) for item in items] for name, items in found.items()}
    remarks: dict[str, list[Finding]] = {}
    for person_id, reference, code, text in rows(connection, _FINDINGS, person_ids):
        remarks.setdefault(person_id, []).append(Finding(reference, code, text))
    records = (
        assemble(
            person_id,
            found[person_id],
            findings=remarks.get(person_id, ()),
            data_as_of={
                name: data_as_of[name] for name in {item.source for item in found[person_id]} if name in data_as_of
            },
        )
        for person_id in sorted(found)
    )
    return [record for record in records if record is not None]


def _mapped(item: Sourced, code_maps: Mapping[str, CodeMap]) -> Sourced:
    code_map = code_maps.get(item.source)
    return item if code_map is None else Sourced(item.source, code_map.applied(item.resource))


def _members(connection: sa.Connection, group_id: str) -> set[str]:
    members: set[str] = set()
    found = rows(
        connection,
        "SELECT source_id, body FROM resource WHERE source_id IN (SELECT id FROM source) AND type = 'Group' AND id = ?",
        group_id,
    )
    for source_id, body in found:
        patient_ids = [
            entity[1]
            for member in objects(orjson.loads(body).get("member"))
            if member.get("inactive") is not True
            and (entity := literal(member.get("entity"))) is not None
            and entity[0] == "Patient"
        ]
        for chunk in chunks(patient_ids):
            members |= {
                row[0]
                for row in rows(
                    connection,
                    "SELECT person_id FROM person_patient WHERE source_id = ? AND patient_id IN (?*)",
                    source_id,
                    chunk,
                )
            }
    return members
