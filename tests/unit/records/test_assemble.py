"""One record out of several sources: who stands for the person, the order of things, colliding ids."""

from typing import Any

import pytest

from gapsvc.records.assemble import Sourced, assemble
from gapsvc.records.record import Finding, PatientRecord
from gapsvc.records.references import affiliations, happened, literal, patient_id_of


def patient(patient_id: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": patient_id, "birthDate": "2025-01-10", **more}


def visit(encounter_id: str, start: str | None = None, **more: Any) -> dict[str, Any]:
    period = {} if start is None else {"period": {"start": start}}
    return {"resourceType": "Encounter", "id": encounter_id, **period, **more}


def here(*resources: dict[str, Any]) -> list[Sourced]:
    return [Sourced("clinic", found) for found in resources]


def test_a_record_is_ordered_by_date_then_id() -> None:
    late, early, undated = visit("a", "2025-05-01"), visit("z", "2025-02-01"), visit("m")
    same_day = visit("b", "2025-05-01")
    found = [Finding("Encounter/z", "b", "second"), Finding("Encounter/a", "a", "first")]

    record = assemble(
        "p", here(late, same_day, early, patient("p"), undated), findings=found, data_as_of={"clinic": "2026-01-01"}
    )

    assert record == PatientRecord(
        person_id="p",
        patient=patient("p"),
        resources={"Patient": (patient("p"),), "Encounter": (undated, early, late, same_day)},
        findings=(found[1], found[0]),
        data_as_of={"clinic": "2026-01-01"},
        sources=dict.fromkeys(("Patient/p", "Encounter/m", "Encounter/z", "Encounter/a", "Encounter/b"), "clinic"),
    )


def test_every_resource_says_its_source_under_the_name_that_it_has_in_the_record() -> None:
    record = assemble(
        "p",
        [
            Sourced("clinic", patient("p", active=False)),
            Sourced("registry", patient("r")),
            Sourced("clinic", visit("7", "2025-05-01")),
            Sourced("registry", visit("7", "2025-06-01")),
        ],
    )

    assert record is not None
    assert record.sources == {
        "Patient/p": "registry",  # the registry's Patient stands for the person, the clinic's being inactive
        "Patient/r": "registry",
        "Encounter/7": "clinic",
        "Encounter/registry.7": "registry",
    }
    assert record.source_of("Encounter/registry.7") == "registry"
    assert record.source_of("Encounter/8") is None


def test_without_a_patient_there_is_no_record() -> None:
    assert assemble("p", here(visit("e"))) is None


@pytest.mark.parametrize(
    ("patients", "stands"),
    [
        pytest.param([patient("a"), patient("b", gender="male")], patient("a"), id="the least id"),
        pytest.param(
            [
                patient("a", link=[{"other": {"reference": "Patient/b"}, "type": "replaced-by"}]),
                patient("b", gender="male"),
            ],
            patient("a", gender="male"),
            id="not the replaced one",
        ),
        pytest.param(
            [patient("a", active=False), patient("b", gender="male")],
            patient("a", gender="male"),
            id="not the inactive",
        ),
        pytest.param(
            [patient("a") | {"birthDate": "2025"}, patient("b", gender="male")],
            patient("a", gender="male"),
            id="one with a full birth date",
        ),
        pytest.param(
            [patient("a"), patient("b", deceasedDateTime="2025-06-01")],
            patient("a", deceasedDateTime="2025-06-01"),
            id="a death that one clinic knows of",
        ),
        pytest.param(
            [patient("a", deceasedBoolean=False), patient("b", deceasedBoolean=True)],
            patient("a", deceasedBoolean=True),
            id="a death without a date",
        ),
    ],
)
def test_who_stands_for_the_person(patients: list[dict[str, Any]], stands: dict[str, Any]) -> None:
    record = assemble("a", here(*patients))

    assert record is not None
    assert record.patient == stands
    assert record.resources["Patient"][0] == stands
    assert len(record.resources["Patient"]) == 2


def test_the_person_id_is_the_patients_id_whatever_the_source_calls_it() -> None:
    record = assemble("south.7", [Sourced("south", patient("7"))])

    assert record is not None
    assert (record.person_id, record.patient["id"]) == ("south.7", "south.7")


def test_one_id_for_two_resources_is_told_apart_with_what_refers_to_it() -> None:
    north = [patient("p"), visit("1", "2025-02-01"), _diagnosis("c", "1")]
    south = [patient("q"), visit("1", "2025-03-01"), _diagnosis("d", "1"), _diagnosis("e", "2")]

    record = assemble("p", [Sourced("north", one) for one in north] + [Sourced("south", one) for one in south])

    assert record is not None
    assert record.resources["Encounter"] == (visit("1", "2025-02-01"), visit("south.1", "2025-03-01"))
    assert record.resources["Condition"] == (_diagnosis("c", "1"), _diagnosis("d", "south.1"), _diagnosis("e", "2"))


def _diagnosis(condition_id: str, encounter_id: str) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": condition_id,
        "encounter": {"reference": f"Encounter/{encounter_id}"},
    }


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("Patient/1", ("Patient", "1")),
        ("https://ehr.example/fhir/r4/Patient/a-b.c", ("Patient", "a-b.c")),
        ("Patient/1/_history/3", ("Patient", "1")),
        ("https://ehr.example/Patient/1/_history/3", ("Patient", "1")),
        ("#contained", None),
        ("urn:uuid:0e0a5a3c-0000-4000-8000-000000000000", None),
        ("Patient?identifier=x|1", None),
        ("Patient/", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_literal_references(reference: Any, target: tuple[str, str] | None) -> None:
    assert literal({"reference": reference}) == target


@pytest.mark.parametrize(
    ("resource", "patient_id"),
    [
        ({"resourceType": "Patient", "id": "1"}, "1"),
        ({"resourceType": "Encounter", "id": "e", "subject": {"reference": "Patient/1"}}, "1"),
        ({"resourceType": "Immunization", "id": "i", "patient": {"reference": "Patient/1"}}, "1"),
        ({"resourceType": "Coverage", "id": "c", "beneficiary": {"reference": "Patient/1"}}, "1"),
        ({"resourceType": "Task", "id": "t", "for": {"reference": "Patient/1"}}, "1"),
        ({"resourceType": "Observation", "id": "o", "subject": {"reference": "Group/1"}}, None),
        ({"resourceType": "Observation", "id": "o", "subject": "Patient/1"}, None),
        ({"resourceType": "Organization", "id": "o"}, None),
    ],
)
def test_whose_a_resource_is(resource: dict[str, Any], patient_id: str | None) -> None:
    assert patient_id_of(resource) == patient_id


@pytest.mark.parametrize(
    ("resource", "when"),
    [
        ({"period": {"start": "2025-01-01", "end": "2025-01-02"}}, "2025-01-01"),
        ({"occurrenceDateTime": "2025-01-01"}, "2025-01-01"),
        ({"effectivePeriod": {"start": "2025-01-01"}, "issued": "2025-02-01T00:00:00Z"}, "2025-01-01"),
        ({"performedDateTime": "2025-01-01"}, "2025-01-01"),
        ({"recordedDate": "2025-03-01", "onsetDateTime": "2025-01-01"}, "2025-01-01"),
        ({"period": {"end": "2025-01-02"}}, ""),
        ({}, ""),
    ],
)
def test_when_a_resource_happened(resource: dict[str, Any], when: str) -> None:
    assert happened(resource) == when


def test_where_a_patient_belongs() -> None:
    cared_for = patient(
        "1",
        managingOrganization={"reference": "Organization/o1"},
        generalPractitioner=[{"reference": "Practitioner/d1"}, {"reference": "PractitionerRole/r1"}],
    )
    seen = visit(
        "e",
        serviceProvider={"reference": "Organization/o2"},
        participant=[{"individual": {"reference": "Practitioner/d2"}}, {"individual": {"display": "a nurse"}}],
    )

    assert list(affiliations(cared_for)) == [("Organization", "o1"), ("Practitioner", "d1")]
    assert list(affiliations(seen)) == [("Organization", "o2"), ("Practitioner", "d2")]
