"""Resources, batches and sources that the store's tests are told with."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from adapters.base import Batch, Fetched, Rejected, SourceError
from gapsvc.records.linking import PERSON_SYSTEMS
from gapsvc.store import BatchCounts, Store
from gapsvc.store.database import open_engine
from gapsvc.store.tables import metadata

Resource = dict[str, Any]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
(CIN,) = PERSON_SYSTEMS
MRN = "http://clinic.example/mrn"


def patient(patient_id: str, birth_date: str | None = "2025-01-10", **more: Any) -> Resource:
    """A Patient; `cin=` and `mrn=` give identifiers."""
    named = {"cin": CIN, "mrn": MRN}
    identifier = [{"system": named[key], "value": more.pop(key)} for key in ("cin", "mrn") if key in more]
    made: Resource = {"resourceType": "Patient", "id": patient_id, **more}
    if birth_date is not None:
        made["birthDate"] = birth_date
    if identifier:
        made["identifier"] = identifier
    return made


def encounter(encounter_id: str, patient_id: str, day: str = "2025-02-10", cpt: str = "99391", **more: Any) -> Resource:
    """A finished office visit."""
    return {
        "resourceType": "Encounter",
        "id": encounter_id,
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "type": [{"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": cpt}]}],
        "subject": {"reference": f"Patient/{patient_id}"},
        "period": {"start": f"{day}T09:00:00-08:00"},
        **more,
    }


def condition(condition_id: str, patient_id: str, encounter_id: str, day: str = "2025-02-10") -> Resource:
    """A diagnosis made in an encounter."""
    return {
        "resourceType": "Condition",
        "id": condition_id,
        "subject": {"reference": f"Patient/{patient_id}"},
        "encounter": {"reference": f"Encounter/{encounter_id}"},
        "recordedDate": day,
    }


def mother_of(related_id: str, baby_id: str, system: str, value: str) -> Resource:
    """A RelatedPerson: the mother of a Patient, known by one of her own identifiers."""
    return {
        "resourceType": "RelatedPerson",
        "id": related_id,
        "patient": {"reference": f"Patient/{baby_id}"},
        "relationship": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"}]}],
        "identifier": [{"system": system, "value": value}],
    }


def updated(resource: Resource, instant: str, version: str | None = None) -> Resource:
    """The resource as a server dates it."""
    meta = {"lastUpdated": instant} | ({} if version is None else {"versionId": version})
    return {**resource, "meta": meta}


def batch(
    resource_type: str,
    *resources: Resource,
    cursor: str | None = None,
    rejected: Iterable[Rejected] = (),
    deleted: str = "",
) -> Batch:
    """A batch of clean resources."""
    fetched = tuple(Fetched(found, f"{resource_type}.ndjson:{line}") for line, found in enumerate(resources, 1))
    extra = {"deleted": deleted} if deleted else {}
    return Batch(resource_type, fetched, tuple(rejected), cursor=cursor, extra=extra)


class ListSource:
    """A source over lists: pages of `size`, the cursor is the next page's place. Remembers how it was asked."""

    def __init__(self, name: str, resources: Mapping[str, Sequence[Resource]], size: int = 2) -> None:
        self.name = name
        self.resources = resources
        self.size = size
        self.asked: list[tuple[str, str | None, str | None]] = []
        self.fails_after: dict[str, int] = {}  # type -> pages that arrive before the source gives up

    def batches(self, resource_type: str, *, since: str | None = None, cursor: str | None = None) -> Iterator[Batch]:
        self.asked.append((resource_type, since, cursor))
        found = [
            one
            for one in self.resources.get(resource_type, ())
            if since is None or one.get("meta", {}).get("lastUpdated", "") >= since
        ]
        at = int(cursor or 0)
        page = 0
        while at < len(found):
            if page == self.fails_after.get(resource_type):
                raise SourceError(f"{self.name} is down")
            after = at + self.size
            yield batch(resource_type, *found[at:after], cursor=str(after) if after < len(found) else None)
            at, page = after, page + 1


def everything(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables that hold data (not the diary of pulls)."""
    engine = open_engine(url)
    with engine.connect() as connection:
        rows = {
            name: sorted(tuple(map(repr, row)) for row in connection.execute(sa.select(table)))
            for name, table in metadata.tables.items()
            if name not in ("pull", "pull_type", "checkpoint")
        }
    engine.dispose()
    return rows


def written(store: Store, *batches: Batch, source: str = "clinic") -> list[BatchCounts]:
    """One whole pull of these batches."""
    pull = store.begin_pull(source, NOON)
    types = list(dict.fromkeys(found.resource_type for found in batches))
    for name in types:
        store.begin_type(pull, name, NOON)
    counts = [store.write_batch(pull, found) for found in batches]
    for name in types:
        store.end_type(pull, name)
    store.link()
    store.end_pull(pull, NOON, types, complete=True)
    return counts
