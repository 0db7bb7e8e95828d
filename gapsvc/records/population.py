"""Everybody's records out of loose resources, in memory: what the store does with tables, for runs without one."""

from collections.abc import Collection, Iterable, Mapping

from gapsvc.records.assemble import Sourced, assemble
from gapsvc.records.linking import (
    PERSON_SYSTEMS,
    Baby,
    Identity,
    PatientKey,
    identity,
    is_newborn_visit,
    link_patients,
    mother_identifiers,
    newborn_visits,
    person_ids,
)
from gapsvc.records.quality import TWO_BIRTH_DATES
from gapsvc.records.record import Finding, PatientRecord
from gapsvc.records.references import encounter_id_of, patient_id_of


def population(
    resources: Iterable[Sourced],
    systems: Collection[str] = PERSON_SYSTEMS,
    data_as_of: Mapping[str, str] | None = None,
) -> list[PatientRecord]:
    """The records of all persons among `resources`, sorted by person id.

    Of a resource that comes more than once (same source, type and id) the last one counts; a Patient whose birth date
    differs between them has a finding. What names no Patient
    that is there belongs to no record. Sources rank by first appearance (see linking.person_ids).
    """
    latest: dict[tuple[str, str, str], Sourced] = {}
    contradicted: set[PatientKey] = set()
    for item in resources:
        kind, own = item.resource["resourceType"], item.resource["id"]
        if kind == "Patient":
            before = latest.get((item.source, kind, own))
            if before is not None and before.resource.get("birthDate") != item.resource.get("birthDate"):
                contradicted.add(PatientKey(item.source, own))
        latest[item.source, kind, own] = item
    charts: dict[PatientKey, list[Sourced]] = {}
    identities: list[Identity] = []
    for item in latest.values():
        patient_id = patient_id_of(item.resource)
        if patient_id is not None:
            charts.setdefault(PatientKey(item.source, patient_id), []).append(item)
        if item.resource["resourceType"] == "Patient":
            identities.append(identity(item.source, item.resource))
    linkage = link_patients(identities, systems)
    person_of = person_ids(linkage.persons, list(dict.fromkeys(source for source, _type, _id in latest)))
    findings: dict[str, set[Finding]] = {}
    for key, found in linkage.findings.items():
        findings.setdefault(person_of[key], set()).update(found)
    for key in contradicted:
        findings.setdefault(person_of[key], set()).add(Finding(f"Patient/{key.id}", *TWO_BIRTH_DATES))
    belongings: dict[str, list[Sourced]] = {name: [] for name in person_of.values()}
    moved = _newborn_visits(charts, identities, person_of, findings)
    for key, name in person_of.items():
        for item in charts[key]:
            whose = moved.get((item.source, item.resource["resourceType"], item.resource["id"]), name)
            belongings[whose].append(item)
    records = (
        assemble(
            name,
            items,
            findings=findings.get(name, ()),
            data_as_of={
                source: instant
                for source, instant in (data_as_of or {}).items()
                if any(item.source == source for item in items)
            },
        )
        for name, items in sorted(belongings.items())
    )
    return [record for record in records if record is not None]


def _newborn_visits(
    charts: Mapping[PatientKey, list[Sourced]],
    identities: Collection[Identity],
    person_of: Mapping[PatientKey, str],
    findings: dict[str, set[Finding]],
) -> dict[tuple[str, str, str], str]:
    """(source, type, id) -> the baby that a resource in a mother's chart belongs to; remarks go to `findings`."""
    births = {one.key: one.birth_date or "" for one in identities}
    holders: dict[tuple[str, str], set[str]] = {}  # identifier -> persons that have it
    for one in identities:
        for found in one.identifiers:
            holders.setdefault(found, set()).add(person_of[one.key])
    babies: dict[str, set[Baby]] = {}
    for key, items in charts.items():
        for item in items if key in births else ():
            if item.resource["resourceType"] == "RelatedPerson":
                for found in mother_identifiers(item.resource):
                    for mother in holders.get(found, set()) - {person_of[key]}:
                        babies.setdefault(mother, set()).add(Baby(person_of[key], births[key]))
    moved: dict[tuple[str, str, str], str] = {}
    for key, name in person_of.items():
        if name not in babies:
            continue
        chart = charts[key]
        encounters = [item.resource for item in chart if item.resource["resourceType"] == "Encounter"]
        found = newborn_visits([one for one in encounters if is_newborn_visit(one)], babies[name])
        for remark in found.findings:
            for about in {name, *(baby.person_id for baby in babies[name])}:
                findings.setdefault(about, set()).add(remark)
        for item in chart if found.attributed else ():
            kind, own = item.resource["resourceType"], item.resource["id"]
            baby = found.attributed.get(own if kind == "Encounter" else encounter_id_of(item.resource) or "")
            if baby is not None and kind != "Patient":
                moved[item.source, kind, own] = baby
    return moved
