"""What the sandbox EHR holds: every resource as ready bytes, in the order written, with the indexes that search needs.

Filled from a Population, or from a folder of NDJSON (plain or .gz; files of other content, such as truth.ndjson, are
passed over because their lines have no resourceType). Bytes are kept as they were read: what is served is what is in
the file.
"""

import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from gapsvc.sandbox.population import Population

JsonObject = dict[str, Any]
# Where a resource says whose it is.
_PATIENT_PATHS = ("subject", "patient", "beneficiary")


class ArchiveError(ValueError):
    """The folder can't be served; the message names the file and what to do."""


@dataclass(slots=True)
class Shelf:
    """The resources of one type. Positions are places in `bodies`; all other members are indexes to them."""

    bodies: list[bytes] = field(default_factory=list[bytes])
    ids: list[str] = field(default_factory=list[str])
    updated: list[float] = field(default_factory=list[float])  # epoch seconds; 0 where there is no lastUpdated
    by_id: dict[str, int] = field(default_factory=dict[str, int])
    by_patient: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    by_identifier: dict[str, list[int]] = field(default_factory=dict[str, list[int]])  # the identifier's value

    def add(self, resource: JsonObject, body: bytes) -> None:
        ident = resource["id"]
        if ident in self.by_id:
            raise ArchiveError(f"{resource['resourceType']}/{ident} is there twice: an id names one resource")
        at = len(self.bodies)
        self.bodies.append(body)
        self.ids.append(ident)
        self.by_id[ident] = at
        stamp = resource.get("meta", {}).get("lastUpdated")
        self.updated.append(_epoch(stamp) if stamp else 0.0)
        for path in _PATIENT_PATHS:
            target = resource.get(path)
            if isinstance(target, dict) and (patient := _patient_id(target.get("reference"))):
                self.by_patient.setdefault(patient, []).append(at)
                break
        for identifier in resource.get("identifier", ()):
            if isinstance(identifier, dict) and "value" in identifier:
                self.by_identifier.setdefault(identifier["value"], []).append(at)

    def parsed(self, at: int) -> JsonObject:
        return orjson.loads(self.bodies[at])


@dataclass(frozen=True, slots=True)
class Archive:
    """All shelves, by resource type."""

    shelves: Mapping[str, Shelf]

    def find(self, resource_type: str, ident: str) -> bytes | None:
        shelf = self.shelves.get(resource_type)
        at = shelf.by_id.get(ident) if shelf else None
        return shelf.bodies[at] if shelf and at is not None else None

    @staticmethod
    def open(source: "Archive | Population | Path | str") -> "Archive":
        """An archive of a population, or of a folder of NDJSON.

        Raises:
            ArchiveError: the folder is not there, holds no FHIR, or holds a line that is not JSON.
        """
        if isinstance(source, Archive):
            return source
        if isinstance(source, Population):
            return _filled((resource, orjson.dumps(resource)) for resource in source.resources())
        folder = Path(source)
        if not folder.is_dir():
            raise ArchiveError(f"{folder} is not a folder; `gapsvc sandbox generate` writes one")
        archive = _filled(_lines(folder))
        if not archive.shelves:
            raise ArchiveError(f"{folder} holds no FHIR NDJSON (*.ndjson, *.ndjson.gz)")
        return archive


def _filled(resources: Iterable[tuple[JsonObject, bytes]]) -> Archive:
    shelves: dict[str, Shelf] = {}
    for resource, body in resources:
        shelves.setdefault(resource["resourceType"], Shelf()).add(resource, body)
    return Archive(shelves)


def _lines(folder: Path) -> Iterator[tuple[JsonObject, bytes]]:
    files = sorted([*folder.glob("*.ndjson"), *folder.glob("*.ndjson.gz")])
    for path in files:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                line = raw.strip()
                if not line:
                    continue
                try:
                    resource = orjson.loads(line)
                except orjson.JSONDecodeError as error:
                    raise ArchiveError(f"{path}:{number}: not JSON ({error}); mend or remove the line") from error
                if isinstance(resource, dict) and "resourceType" in resource and "id" in resource:
                    yield resource, line


def _epoch(stamp: str) -> float:
    moment = datetime.fromisoformat(stamp)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _patient_id(target: object) -> str | None:
    if not isinstance(target, str) or "Patient/" not in target:
        return None
    return target.rpartition("Patient/")[2]
