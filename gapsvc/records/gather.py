"""Persons' records out of loose resources, in memory: what the store does over a database, for a folder of files.

The rules are those of `linking` and `assemble`; a test holds this and the store to the same records. All resources are
held at once: for populations that don't fit in memory there is the store.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from gapsvc.records.assemble import Sourced, assemble
from gapsvc.records.linking import (
    PERSON_SYSTEMS,
    Baby,
    PatientKey,
    identity,
    is_newborn_visit,
    link_patients,
    mother_identifiers,
    newborn_visits,
    person_ids,
)
from gapsvc.records.record import Finding, PatientRecord
from gapsvc.records.references import encounter_id_of, patient_id_of

JsonObject = Mapping[str, Any]


def gather(
    resources: Iterable[Sourced],
    *,
    person_systems: Collection[str] = PERSON_SYSTEMS,
    data_as_of: Mapping[str, str] | None = None,
) -> Iterator[PatientRecord]:
    """The record of every person, sorted by person id. Resources about nobody (Organization, Location) are left out."""
    charts: dict[PatientKey, list[Sourced]] = {}
    sources: list[str] = []
    for item in resources:
        if item.source not in sources:
            sources.append(item.source)
        patient_id = patient_id_of(item.resource)
        if patient_id is not None:
            charts.setdefault(PatientKey(item.source, patient_id), []).append(item)
    patients = {key: patient for key, chart in charts.items() if (patient := _patient(chart)) is not None}
    linkage = link_patients((identity(key.source, patient) for key, patient in patients.items()), person_systems)
    names = person_ids(linkage.persons, sources)
    persons: dict[str, list[PatientKey]] = {}
    for key, name in names.items():
        persons.setdefault(name, []).append(key)
    moved, remarks = _newborns(charts, patients, names)
    given: dict[str, list[Sourced]] = {}
    for key, place in moved:
        given.setdefault(moved[key, place], []).append(charts[key][place])
    findings: dict[str, list[Finding]] = {}
    for key, found in linkage.findings.items():
        findings.setdefault(names[key], []).extend(found)
    for name, remark in remarks:
        findings.setdefault(name, []).append(remark)
    for name in sorted(persons):
        own = [item for key in persons[name] for place, item in enumerate(charts[key]) if (key, place) not in moved]
        record = assemble(
            name,
            own + given.get(name, []),
            findings=findings.get(name, ()),
            data_as_of={key.source: data_as_of[key.source] for key in persons[name] if key.source in data_as_of}
            if data_as_of
            else None,
        )
        if record is not None:
            yield record


def _patient(chart: Iterable[Sourced]) -> JsonObject | None:
    return next((item.resource for item in chart if item.resource["resourceType"] == "Patient"), None)


def _newborns(
    charts: Mapping[PatientKey, list[Sourced]],
    patients: Mapping[PatientKey, JsonObject],
    names: Mapping[PatientKey, str],
) -> tuple[dict[tuple[PatientKey, int], str], list[tuple[str, Finding]]]:
    """(chart, place in it) -> the baby's person id, for every newborn visit in a mother's chart; and remarks."""
    by_identifier: dict[tuple[str, str], list[PatientKey]] = {}
    for key, patient in patients.items():
        for found in identity(key.source, patient).identifiers:
            by_identifier.setdefault(found, []).append(key)
    babies: dict[str, set[Baby]] = {}
    for baby, chart in charts.items():
        if baby not in patients:
            continue
        for item in chart:
            if item.resource["resourceType"] == "RelatedPerson":
                for wanted in mother_identifiers(item.resource):
                    for mother in by_identifier.get(wanted, ()):
                        if names[mother] != names[baby]:
                            birth = str(patients[baby].get("birthDate") or "")
                            babies.setdefault(names[mother], set()).add(Baby(names[baby], birth))
    moved: dict[tuple[PatientKey, int], str] = {}
    remarks: list[tuple[str, Finding]] = []
    for mother, name in sorted(names.items()):
        if name not in babies:
            continue
        chart = charts[mother]
        visits = newborn_visits(
            [
                item.resource
                for item in chart
                if item.resource["resourceType"] == "Encounter" and is_newborn_visit(item.resource)
            ],
            babies[name],
        )
        about = sorted({name, *(baby.person_id for baby in babies[name])})
        remarks += [(person, remark) for remark in visits.findings for person in about]
        for place, item in enumerate(chart):
            kind = item.resource["resourceType"]
            visit = item.resource["id"] if kind == "Encounter" else encounter_id_of(item.resource)
            if kind != "Patient" and visit is not None and visit in visits.attributed:
                moved[mother, place] = visits.attributed[visit]
    return moved, remarks
