"""Writing what a source gave: batches with their checkpoint, in one transaction each.

The same content twice changes nothing: a row is written only where its content hash differs. The hash is over the
canonical JSON (keys sorted) without `meta.lastUpdated` and `meta.versionId`, which servers renew without any change
of content; where only these differ the row stays as it is, with the older ones.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from adapters.base import Batch, Rejected
from gapsvc.records.linking import mother_identifiers, patient_links
from gapsvc.records.references import identifiers, literal, objects, patient_id_of
from gapsvc.store import checkpoints
from gapsvc.store.dialect import many, rows, run
from gapsvc.store.names import folded_names

JsonObject = Mapping[str, Any]
Reference = tuple[str, str]  # (type, id)

_SORTED = orjson.OPT_SORT_KEYS

_INSERT_RESOURCE = "INSERT INTO resource (source_id, type, id, patient_id, pull_id, hash, body)"
_REPLACE_RESOURCE = """
ON CONFLICT (source_id, type, id) DO UPDATE SET
    patient_id = excluded.patient_id, pull_id = excluded.pull_id, hash = excluded.hash, body = excluded.body
"""
_UPSERT_RESOURCE = f"{_INSERT_RESOURCE} VALUES (?, ?, ?, ?, ?, ?, ?) {_REPLACE_RESOURCE}"
# PostgreSQL answers every statement over its socket: the whole batch goes as columns in one.
_UPSERT_COLUMNS = " ".join(
    (
        _INSERT_RESOURCE,
        "SELECT * FROM unnest(?::integer[], ?::text[], ?::text[], ?::text[], ?::integer[], ?::bytea[], ?::bytea[])",
        _REPLACE_RESOURCE,
    )
)
_DELETE_RESOURCE = "DELETE FROM resource WHERE source_id = ? AND type = ? AND id = ?"
_EXISTING = "SELECT type, id, hash, patient_id FROM resource WHERE source_id = ? AND type = ? AND id IN (?*)"
# LIMIT 1 holds PostgreSQL to one index probe per id; without statistics yet it would scan the type instead.
_EXISTING_PROBED = """
SELECT r.type, r.id, r.hash, r.patient_id FROM unnest(?::text[]) AS wanted (id) CROSS JOIN LATERAL (
    SELECT type, id, hash, patient_id FROM resource
    WHERE source_id = ? AND type = ? AND id = wanted.id LIMIT 1
) r
"""
_BORN_IN_PULL = """
SELECT p.id, p.birth_date FROM patient p
JOIN resource r ON r.source_id = p.source_id AND r.type = 'Patient' AND r.id = p.id AND r.pull_id = ?
WHERE p.source_id = ? AND p.id IN (?*)
"""
_TOUCH = "INSERT INTO touched (source_id, patient_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
_UPSERT_PATIENT = """
INSERT INTO patient (source_id, id, birth_date, gender, names) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (source_id, id) DO UPDATE SET
    birth_date = excluded.birth_date, gender = excluded.gender, names = excluded.names
"""
_IDENTIFIER = "INSERT INTO identifier (source_id, type, id, system, value) VALUES (?, ?, ?, ?, ?)"
_LINK = "INSERT INTO link (source_id, patient_id, other_id, kind) VALUES (?, ?, ?, ?)"
_MOTHER = "INSERT INTO mother (source_id, id, patient_id) VALUES (?, ?, ?)"
# Whoever hung together with a Patient or a mother by what is about to be forgotten (see people.py).
_TOUCH_RELATED = """
INSERT INTO touched (source_id, patient_id)
SELECT DISTINCT b.source_id, coalesce(m.patient_id, b.id)
FROM identifier a
JOIN identifier b ON b.value = a.value AND b.system = a.system
LEFT JOIN mother m ON b.type = 'RelatedPerson' AND m.source_id = b.source_id AND m.id = b.id
WHERE a.source_id = ? AND a.type = ? AND a.id IN (?*) AND (b.type = 'Patient' OR m.patient_id IS NOT NULL)
    AND (a.type = 'RelatedPerson' OR b.type = 'RelatedPerson' OR a.system IN (SELECT system FROM person_system))
ON CONFLICT DO NOTHING
"""
_TOUCH_BABIES = """
INSERT INTO touched (source_id, patient_id)
SELECT DISTINCT source_id, patient_id FROM mother WHERE source_id = ? AND id IN (?*)
ON CONFLICT DO NOTHING
"""
_FORGET = (
    ("Patient", "DELETE FROM link WHERE source_id = ? AND patient_id = ?"),
    ("Patient", "DELETE FROM identifier WHERE source_id = ? AND type = 'Patient' AND id = ?"),
    ("RelatedPerson", "DELETE FROM mother WHERE source_id = ? AND id = ?"),
    ("RelatedPerson", "DELETE FROM identifier WHERE source_id = ? AND type = 'RelatedPerson' AND id = ?"),
)
_DELETE_PATIENT = "DELETE FROM patient WHERE source_id = ? AND id = ?"
_QUARANTINE = """
INSERT INTO quarantine (source_id, digest, code, reason, origin, type, resource_id, raw, pull_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (source_id, digest) DO UPDATE SET
    pull_id = CASE WHEN quarantine.resolved_pull_id IS NULL THEN quarantine.pull_id ELSE excluded.pull_id END,
    resolved_pull_id = NULL
"""
_RESOLVE = """
UPDATE quarantine SET resolved_pull_id = ?
WHERE source_id = ? AND pull_id < ? AND resolved_pull_id IS NULL AND type = ? AND resource_id IN (?*)
"""
_COUNT = """
INSERT INTO pull_type (pull_id, type, new, changed, unchanged, deleted, quarantined, repaired)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (pull_id, type) DO UPDATE SET
    new = pull_type.new + excluded.new, changed = pull_type.changed + excluded.changed,
    unchanged = pull_type.unchanged + excluded.unchanged, deleted = pull_type.deleted + excluded.deleted,
    quarantined = pull_type.quarantined + excluded.quarantined, repaired = pull_type.repaired + excluded.repaired
"""


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """What a batch did, in resources. `repaired` counts resources (new, changed or not) with at least one repair,
    `contradicted` Patients that came before in the same pull with another birth date."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    quarantined: int = 0
    repaired: int = 0
    contradicted: int = 0

    def __add__(self, other: "BatchCounts") -> "BatchCounts":
        return BatchCounts(
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.deleted + other.deleted,
            self.quarantined + other.quarantined,
            self.repaired + other.repaired,
            self.contradicted + other.contradicted,
        )


class Row(NamedTuple):
    """One resource, ready for its table."""

    source_id: int
    type: str
    id: str
    patient_id: str | None
    pull_id: int
    hash: bytes
    body: bytes


def content_hash(resource: JsonObject, body: bytes) -> bytes:
    """16 bytes that are equal for equal content; `body` is the canonical JSON of `resource`."""
    meta = resource.get("meta")
    if isinstance(meta, dict):
        for element in ("lastUpdated", "versionId"):
            value = meta.get(element)
            if value is not None:
                body = body.replace(orjson.dumps({element: value})[1:-1], b"", 1)
    return blake2b(body, digest_size=16).digest()


def write_batch(connection: sa.Connection, source_id: int, pull_id: int, batch: Batch) -> BatchCounts:
    """Write `batch` and move the checkpoint of its type behind it. The caller's transaction holds both."""
    deleted: dict[Reference, None] = dict.fromkeys(_deletions(batch))
    arrived: dict[Reference, Row] = {}
    resources: dict[Reference, JsonObject] = {}
    repaired: set[Reference] = set()
    started = checkpoints.lock(connection, source_id, batch.resource_type)
    newest: datetime | None = None
    undated = False
    contradicted: set[str] = set()
    for item in batch.fetched:
        resource = item.resource
        key = (resource["resourceType"], resource["id"])
        if _is_delete_bundle(resource):
            continue
        body = orjson.dumps(resource, option=_SORTED)
        if key in resources and key[0] == "Patient" and _birth_date(resources[key]) != _birth_date(resource):
            contradicted.add(key[1])
        arrived[key] = Row(source_id, *key, patient_id_of(resource), pull_id, content_hash(resource, body), body)
        resources[key] = resource
        deleted.pop(key, None)
        if item.repairs:
            repaired.add(key)
        updated = _instant(resource)
        if updated is None:
            undated = True
        elif updated <= started and (newest is None or updated > newest):  # a future date says nothing
            newest = updated
    before = _existing(connection, source_id, [*arrived, *deleted])
    new = [row for key, row in arrived.items() if key not in before]
    changed = [row for key, row in arrived.items() if key in before and before[key][0] != row.hash]
    gone = [key for key in deleted if key in before]
    written = new + changed
    again = {row.id: _birth_date(resources[(row.type, row.id)]) for row in changed if row.type == "Patient"}
    if again:
        earlier = rows(connection, _BORN_IN_PULL, pull_id, source_id, list(again))
        contradicted |= {row[0] for row in earlier if row[1] != again[row[0]]}
    if written:
        _write(connection, written)
    if gone:
        many(connection, _DELETE_RESOURCE, [(source_id, *key) for key in gone])
    _touch_related(connection, source_id, [(row.type, row.id) for row in changed] + gone)
    _index_people(connection, source_id, [resources[(row.type, row.id)] for row in written], gone)
    touched = {row.patient_id for row in written} | {before[(row.type, row.id)][1] for row in changed}
    touched |= {before[key][1] for key in gone}
    touch(connection, source_id, {patient_id for patient_id in touched if patient_id})
    _resolve(connection, source_id, pull_id, written)
    quarantined = _quarantine(connection, source_id, pull_id, batch.rejected)
    counts = BatchCounts(
        new=len(new),
        changed=len(changed),
        unchanged=len(arrived) - len(written),
        deleted=len(gone),
        quarantined=quarantined,
        repaired=len(repaired),
        contradicted=len(contradicted),
    )
    _count(connection, pull_id, batch.resource_type, counts)
    checkpoints.move(connection, source_id, batch, newest, undated)
    return counts


def _write(connection: sa.Connection, written: Sequence[Row]) -> None:
    if connection.dialect.name == "postgresql":
        run(connection, _UPSERT_COLUMNS, *(list(column) for column in zip(*written, strict=True)))
    else:
        many(connection, _UPSERT_RESOURCE, written)


def touch(connection: sa.Connection, source_id: int, patient_ids: Iterable[str]) -> None:
    """Note that these patients' records changed: the pull's end step links them anew."""
    many(connection, _TOUCH, [(source_id, patient_id) for patient_id in sorted(patient_ids)])


def _touch_related(connection: sa.Connection, source_id: int, replaced: Iterable[Reference]) -> None:
    by_type: dict[str, list[str]] = {}
    for name, resource_id in replaced:
        by_type.setdefault(name, []).append(resource_id)
    for name in by_type.keys() & {"Patient", "RelatedPerson"}:
        run(connection, _TOUCH_RELATED, source_id, name, by_type[name])
    if "RelatedPerson" in by_type:
        run(connection, _TOUCH_BABIES, source_id, by_type["RelatedPerson"])


def _existing(
    connection: sa.Connection, source_id: int, keys: Iterable[Reference]
) -> dict[Reference, tuple[bytes, str | None]]:
    by_type: dict[str, list[str]] = {}
    for name, resource_id in keys:
        by_type.setdefault(name, []).append(resource_id)
    found: dict[Reference, tuple[bytes, str | None]] = {}
    for name, ids in by_type.items():
        if connection.dialect.name == "postgresql":
            known = rows(connection, _EXISTING_PROBED, ids, source_id, name)
        else:
            known = rows(connection, _EXISTING, source_id, name, ids)
        for row in known:
            found[row[0], row[1]] = (bytes(row[2]), row[3])
    return found


def _birth_date(patient: JsonObject) -> str | None:
    return _plain(patient.get("birthDate"))


def _is_delete_bundle(resource: JsonObject) -> bool:
    return resource["resourceType"] == "Bundle" and any(
        isinstance(request := entry.get("request"), Mapping) and request.get("method") == "DELETE"
        for entry in objects(resource.get("entry"))
    )


def _deletions(batch: Batch) -> Iterator[Reference]:
    """What the batch says was deleted.

    Two forms: a Bundle of `DELETE Type/id` requests (Bulk Data 2 "deleted" files; history bundles), and a source's
    own `extra["deleted"]`: references, separated by blanks.
    """
    for reference in batch.extra.get("deleted", "").split():
        found = literal({"reference": reference})
        if found is not None:
            yield found
    for item in batch.fetched:
        if item.resource["resourceType"] == "Bundle":
            for entry in objects(item.resource.get("entry")):
                request = entry.get("request")
                if isinstance(request, Mapping) and request.get("method") == "DELETE":
                    found = literal({"reference": request.get("url")})
                    if found is not None:
                        yield found


def _instant(resource: JsonObject) -> datetime | None:
    meta = resource.get("meta")
    return checkpoints.instant(meta.get("lastUpdated")) if isinstance(meta, dict) else None


def _index_people(
    connection: sa.Connection, source_id: int, written: Iterable[JsonObject], gone: Sequence[Reference]
) -> None:
    people = [found for found in written if found["resourceType"] in ("Patient", "RelatedPerson")]
    forgotten = [(found["resourceType"], found["id"]) for found in people] + list(gone)
    for name, statement in _FORGET:
        many(connection, statement, [(source_id, key[1]) for key in forgotten if key[0] == name])
    many(connection, _DELETE_PATIENT, [(source_id, key[1]) for key in gone if key[0] == "Patient"])
    patients: list[tuple[Any, ...]] = []
    names: set[tuple[Any, ...]] = set()
    links: dict[tuple[int, str, str], str] = {}
    mothers: list[tuple[Any, ...]] = []
    for found in people:
        if found["resourceType"] == "Patient":
            patients.append(_patient_row(source_id, found))
            for kind, other in patient_links(found):
                links.setdefault((source_id, found["id"], other), kind)
            known = set(identifiers(found))
        else:
            known = set(mother_identifiers(found))
            baby = patient_id_of(found)
            if known and baby is not None:
                mothers.append((source_id, found["id"], baby))
        names |= {
            (source_id, found["resourceType"], found["id"], _plain(system), _plain(value)) for system, value in known
        }
    many(connection, _UPSERT_PATIENT, patients)
    many(connection, _IDENTIFIER, sorted(names))
    many(connection, _LINK, [(*key, kind) for key, kind in links.items()])
    many(connection, _MOTHER, mothers)


def _patient_row(source_id: int, patient: JsonObject) -> tuple[Any, ...]:
    return (
        source_id,
        patient["id"],
        _birth_date(patient),
        _plain(patient.get("gender")),
        folded_names(patient),
    )


def _resolve(connection: sa.Connection, source_id: int, pull_id: int, written: Iterable[Row]) -> None:
    # What an earlier pull could not use has arrived in order.
    by_type: dict[str, list[str]] = {}
    for row in written:
        by_type.setdefault(row.type, []).append(row.id)
    for name, ids in by_type.items():
        run(connection, _RESOLVE, pull_id, source_id, pull_id, name, ids)


def _plain(text: Any) -> str | None:
    # PostgreSQL's text holds no NUL.
    return text.replace("\0", "") if isinstance(text, str) else None


def _quarantine(connection: sa.Connection, source_id: int, pull_id: int, rejected: Iterable[Rejected]) -> int:
    found = [
        (
            source_id,
            blake2b(item.code.encode() + b"\0" + item.raw, digest_size=16).digest(),
            item.code,
            _plain(item.reason),
            _plain(item.origin),
            _plain(item.resource_type),
            _plain(item.resource_id),
            item.raw,
            pull_id,
        )
        for item in rejected
    ]
    many(connection, _QUARANTINE, found)
    return len(found)


def _count(connection: sa.Connection, pull_id: int, resource_type: str, counts: BatchCounts) -> None:
    values = (counts.new, counts.changed, counts.unchanged, counts.deleted, counts.quarantined, counts.repaired)
    many(connection, _COUNT, [(pull_id, resource_type, *values)])
