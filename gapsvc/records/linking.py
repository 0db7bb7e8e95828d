"""Which Patients are one person, and which visits under a mother's record are her baby's. Pure.

Three rules, each knowable from what the resources say (FHIR R4 Patient.link, RelatedPerson; no scoring of names):
  (a) the same identifier of a person-level system (a Medi-Cal client index number) and the same full birth date;
  (b) Patient.link between Patients: the EHR itself says so;
  (c) a newborn visit in the record of the mother, of whom exactly one baby was born in the days before it.
A contradiction links nothing and becomes a finding.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from itertools import count
from typing import Any, NamedTuple

from gapsvc.records.record import Finding, codings
from gapsvc.records.references import day, happened, identifiers, literal, objects

JsonObject = Mapping[str, Any]

PERSON_SYSTEMS = frozenset({"http://dhcs.ca.gov/medi-cal/cin"})  # Medi-Cal client index number

# Visits of a newborn (CPT preventive visits, initial and subsequent, and newborn care outside hospital; ICD-10-CM
# examinations of the newborn). Of an adult they can't be.
NEWBORN_CODES = frozenset({"99381", "99391", "99461", "Z00.110", "Z00.111"})
NEWBORN_DAYS = 60

# Patient.link types. All four say "the same person" when the other is a Patient (FHIR link-type).
_LINK_TYPES = frozenset({"replaced-by", "replaces", "refer", "seealso"})


class PatientKey(NamedTuple):
    """A Patient as one source names it."""

    source: str
    id: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What a Patient resource says of who it is. `links` are keys of Patients it is linked with, and how."""

    key: PatientKey
    birth_date: str | None
    identifiers: frozenset[tuple[str, str]]
    links: tuple[tuple[str, str], ...] = ()  # (link type, Patient id in the same source)


@dataclass(frozen=True, slots=True)
class Linkage:
    """Persons: each a sorted tuple of Patients. `findings` goes by Patient."""

    persons: tuple[tuple[PatientKey, ...], ...]
    findings: Mapping[PatientKey, tuple[Finding, ...]]


@dataclass(frozen=True, slots=True)
class Baby:
    """A person whose mother's record may hold visits of theirs."""

    person_id: str
    birth_date: str


@dataclass(frozen=True, slots=True)
class NewbornVisits:
    """Encounters (by id) that are a baby's, and remarks on those that can't be told."""

    attributed: Mapping[str, str]  # Encounter.id -> person id of the baby
    findings: tuple[Finding, ...]


def identity(source: str, patient: JsonObject) -> Identity:
    """What `patient` says of who it is."""
    birth_date = patient.get("birthDate")
    return Identity(
        key=PatientKey(source, patient["id"]),
        birth_date=birth_date if isinstance(birth_date, str) else None,
        identifiers=frozenset(identifiers(patient)),
        links=tuple(patient_links(patient)),
    )


def patient_links(patient: JsonObject) -> Iterable[tuple[str, str]]:
    """(link type, Patient id) of each Patient.link that names another Patient."""
    for entry in objects(patient.get("link")):
        other = literal(entry.get("other"))
        kind = entry.get("type")
        if kind in _LINK_TYPES and other is not None and other[0] == "Patient" and other[1] != patient["id"]:
            yield (kind, other[1])


def link_patients(identities: Iterable[Identity], systems: Collection[str] = PERSON_SYSTEMS) -> Linkage:
    """Group Patients into persons by rules (a) and (b); the order of `identities` doesn't matter."""
    known = {found.key: found for found in identities}
    groups = _Groups(known)
    for one in known.values():
        for _kind, other_id in one.links:
            other = PatientKey(one.key.source, other_id)
            if other in known:
                groups.join(one.key, other)
    shared = _sharing(known.values(), systems)
    for sharing in shared:
        by_birth: dict[str | None, list[PatientKey]] = {}
        for one in sharing:
            by_birth.setdefault(one.birth_date if _full(one.birth_date) else None, []).append(one.key)
        for birth_date, keys in by_birth.items():
            if birth_date is not None:
                for other in keys[1:]:
                    groups.join(keys[0], other)
    remarks: dict[PatientKey, dict[Finding, None]] = {}
    for sharing in shared:  # once every join is made: another rule may have settled it
        if len({groups.root(one.key) for one in sharing}) > 1:
            for one in sharing:
                remarks.setdefault(one.key, {})[_conflict(one)] = None
    return Linkage(
        persons=groups.sorted(),
        findings={key: tuple(found) for key, found in sorted(remarks.items())},
    )


def _conflict(one: Identity) -> Finding:
    if _full(one.birth_date):
        text = (
            "Another Patient has the same person-level identifier and a different birth date; they are kept as two "
            "persons. Correct the identifier or the birth date in the EHR."
        )
    else:
        text = (
            "Another Patient has the same person-level identifier, but this one's birth date is not a full date; "
            "they are kept as two persons. Complete the birth date in the EHR."
        )
    return Finding(f"Patient/{one.key.id}", "identity-conflict", text)


def _sharing(identities: Iterable[Identity], systems: Collection[str]) -> list[list[Identity]]:
    by_identifier: dict[tuple[str, str], list[Identity]] = {}
    for one in identities:
        for found in one.identifiers:
            if found[0] in systems:
                by_identifier.setdefault(found, []).append(one)
    return [sharing for sharing in by_identifier.values() if len(sharing) > 1]


def _full(birth_date: str | None) -> bool:
    return birth_date is not None and len(birth_date) == 10 and day(birth_date) is not None


class _Groups:
    """Disjoint sets of Patients."""

    def __init__(self, keys: Iterable[PatientKey]) -> None:
        self._parent = {key: key for key in keys}

    def root(self, key: PatientKey) -> PatientKey:
        parent = self._parent
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    def join(self, one: PatientKey, other: PatientKey) -> None:
        self._parent[self.root(other)] = self.root(one)

    def sorted(self) -> tuple[tuple[PatientKey, ...], ...]:
        groups: dict[PatientKey, list[PatientKey]] = {}
        for key in self._parent:
            groups.setdefault(self.root(key), []).append(key)
        return tuple(sorted(tuple(sorted(group, key=_by_id)) for group in groups.values()))


def _by_id(key: PatientKey) -> tuple[str, str]:
    return (key.id, key.source)


def person_ids(
    persons: Iterable[Sequence[PatientKey]],
    sources: Sequence[str],
    *,
    current: Mapping[PatientKey, str] | None = None,
    taken: Collection[str] = (),
    supplemental: Collection[str] = (),
) -> dict[PatientKey, str]:
    """The person id of each Patient: the least Patient id among those linked, of EHRs if one of them has any
    (`supplemental` are names of sources that are none).

    Two sources may number their patients alike. Who has an id already (`current`) keeps it, else the source named
    first in `sources` has it; the other person is called `<source>.<id>`. `taken` are ids of persons not given.
    """
    rank = {name: at for at, name in enumerate(sources)}
    before = current or {}

    def first(person: Sequence[PatientKey]) -> PatientKey:
        return min(
            person,
            key=lambda key: (key.source in supplemental, key.id, before.get(key) != key.id, rank[key.source]),
        )

    def seniority(person: Sequence[PatientKey]) -> tuple[str, bool, int]:
        key = first(person)
        return (key.id, before.get(key) != key.id, rank[key.source])

    used = set(taken)
    ids: dict[PatientKey, str] = {}
    for person in sorted(persons, key=seniority):
        key = first(person)
        name = next(name for name in candidate_ids(key) if name not in used)
        used.add(name)
        ids.update(dict.fromkeys(person, name))
    return ids


def candidate_ids(key: PatientKey) -> Iterator[str]:
    """The ids that a person with this Patient as first may have, in order of preference; without end."""
    yield key.id
    name = qualified(key.source, key.id)
    yield name
    for number in count(2):
        yield f"{name[:56]}-{number}"


def qualified(source: str, resource_id: str) -> str:
    """`<source>.<id>` as a FHIR id: at most 64 characters, shortened by a digest where it would be longer."""
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in source)
    name = f"{letters}.{resource_id}"
    return name if len(name) <= 64 else blake2b(f"{source}/{resource_id}".encode(), digest_size=16).hexdigest()


def mother_identifiers(related: JsonObject) -> frozenset[tuple[str, str]]:
    """The identifiers of a RelatedPerson who is a mother (v3-RoleCode MTH, NMTH, GESTM); empty for anyone else."""
    if {"MTH", "NMTH", "GESTM"}.isdisjoint(code for _system, code in codings(related.get("relationship"))):
        return frozenset()
    return frozenset(found for found in identifiers(related) if found[0])


def is_newborn_visit(encounter: JsonObject) -> bool:
    """Whether `type` or `reasonCode` has a code that only a newborn's visit can have."""
    return any(
        code in NEWBORN_CODES for element in ("type", "reasonCode") for _system, code in codings(encounter.get(element))
    )


def newborn_visits(encounters: Iterable[JsonObject], babies: Collection[Baby]) -> NewbornVisits:
    """Rule (c): whose are the newborn visits among a mother's `encounters`, given all babies linked with her."""
    attributed: dict[str, str] = {}
    findings: list[Finding] = []
    for encounter in encounters:
        on = day(happened(encounter))
        if on is None or not is_newborn_visit(encounter):
            continue
        born = sorted({baby.person_id for baby in babies if _newborn_on(baby.birth_date, on)})
        if len(born) == 1:
            attributed[encounter["id"]] = born[0]
        elif born:
            findings.append(
                Finding(
                    f"Encounter/{encounter['id']}",
                    "newborn-visit-ambiguous",
                    f"A newborn visit in the mother's record, and {len(born)} of her babies were born in the "
                    f"{NEWBORN_DAYS} days before it: it counts for none. Move it to the baby's record in the EHR.",
                )
            )
    return NewbornVisits(attributed, tuple(findings))


def _newborn_on(birth_date: str, on: str) -> bool:
    if not _full(birth_date):
        return False
    try:
        born = date.fromisoformat(birth_date)
        return born <= date.fromisoformat(on) <= born + timedelta(days=NEWBORN_DAYS)
    except (ValueError, OverflowError):  # a day that no calendar has
        return False
