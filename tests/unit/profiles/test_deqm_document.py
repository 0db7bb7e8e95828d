"""The gaps document of one child: what is in it, in what order, and that everything in it resolves."""

from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree

import orjson
import pytest
from deqm_cases import BASE, MAYA, RECORD, REPORTING, THREE_BY_120, W30, bundle, resources
from fhir.resources.R4B.parameters import Parameters

from fhir_profiles.deqm import (
    Reporting,
    care_gaps_parameters,
    detected_issue_id,
    gaps_bundle,
    gaps_composition,
    measure_report_id,
)
from fhir_profiles.references import logical_reference
from fhir_profiles.validate_bundle import validate_bundle

TWO, THREE = THREE_BY_120.groups


@pytest.mark.parametrize("document", [True, False])
def test_the_answer_is_valid_fhir_and_valid_deqm(document: bool) -> None:
    answer = care_gaps_parameters([bundle(document)])
    Parameters.model_validate_json(orjson.dumps(answer))
    assert [part["name"] for part in answer["parameter"]] == ["return"]
    assert validate_bundle(answer["parameter"][0]["resource"]) == []


def test_no_bundle_is_a_legal_answer_without_an_empty_array() -> None:
    assert care_gaps_parameters([]) == {"resourceType": "Parameters"}


def test_a_document_begins_with_its_composition() -> None:
    kinds = [entry["resource"]["resourceType"] for entry in bundle()["entry"]]
    assert kinds == [
        "Composition",
        "MeasureReport",
        "MeasureReport",
        "DetectedIssue",
        "DetectedIssue",
        "DetectedIssue",
        "GuidanceResponse",
        "Organization",
        "Patient",
        "Encounter",
        "Encounter",
        "Encounter",
    ]


def test_a_collection_is_the_document_without_its_composition() -> None:
    document, collection = bundle(), bundle(document=False)
    assert (document["type"], collection["type"]) == ("document", "collection")
    assert collection["entry"] == document["entry"][1:]
    assert collection["identifier"]["value"] != document["identifier"]["value"]
    assert collection["timestamp"] == "2026-03-02T08:30:00+00:00"


def test_a_section_has_the_measure_report_as_focus_and_one_issue_for_each_rate() -> None:
    (composition,) = resources(bundle(), "Composition")
    assert [(each["title"], each["focus"], each["entry"]) for each in composition["section"]] == [
        (
            "Three well-child visits by day 120",
            {"reference": f"MeasureReport/{measure_report_id(THREE_BY_120)}"},
            [
                {"reference": f"DetectedIssue/{detected_issue_id(THREE_BY_120, TWO)}"},
                {"reference": f"DetectedIssue/{detected_issue_id(THREE_BY_120, THREE)}"},
            ],
        ),
        (
            "Well-child visits in the first 30 months",
            {"reference": f"MeasureReport/{measure_report_id(W30)}"},
            [{"reference": f"DetectedIssue/{detected_issue_id(W30, W30.groups[0])}"}],
        ),
    ]
    assert composition["subject"] == {"reference": "Patient/maya"}
    assert composition["author"] == [{"reference": "Organization/clinic"}] == [composition["custodian"]]


def test_the_document_says_in_words_who_it_is_about_and_what_is_needed() -> None:
    (composition,) = resources(bundle(), "Composition")
    said = list(ElementTree.fromstring(composition["text"]["div"]).itertext())  # noqa: S314 - our own text
    assert said == [
        "Gaps in care, as of Mar 2, 2026",
        "Maya López & Ortiz, born 2025-12-02",
        "Three well-child visits by day 120",
        "Closed: Two or more visits by day 120 (2 of 2 done).",
        "Open: third well-child visit (2 of 3 done).",
        "Well-child visits in the first 30 months",
        "Does not apply: Six or more visits by 15 months.",
    ]


def test_every_entry_can_be_found_by_its_relative_reference() -> None:
    for entry in bundle()["entry"]:
        resource = entry["resource"]
        assert entry["fullUrl"] == f"{BASE}/{resource['resourceType']}/{resource['id']}"


def test_a_reference_to_what_is_not_at_hand_becomes_a_logical_one_in_the_copy_only() -> None:
    before = orjson.dumps(RECORD)
    first = resources(bundle(), "Encounter")[0]
    assert first["participant"] == [
        {
            "individual": {
                "type": "Practitioner",
                "identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"},
            }
        }
    ]
    assert first["location"] == [
        {"location": {"display": "Room 1", "type": "Location", "identifier": {"value": "Location/room-1"}}}
    ]
    assert first["subject"] == {"reference": "Patient/maya"}
    assert orjson.dumps(RECORD) == before


def test_a_reference_to_what_was_handed_in_too_stays_and_resolves() -> None:
    room = {"resourceType": "Location", "id": "room-1", "name": "Room 1"}
    built = gaps_bundle((THREE_BY_120,), (*RECORD, room), REPORTING)
    assert built is not None
    assert resources(built, "Encounter")[0]["location"] == [
        {"location": {"reference": "Location/room-1", "display": "Room 1"}}
    ]
    assert resources(built, "Location") == [room]
    assert validate_bundle(built) == []


def test_a_reference_to_a_version_of_what_is_inside_stays() -> None:
    versioned = {**RECORD[1], "subject": {"reference": "Patient/maya/_history/2"}}
    built = gaps_bundle((THREE_BY_120,), (RECORD[0], versioned, *RECORD[2:]), REPORTING)
    assert built is not None
    assert resources(built, "Encounter")[0]["subject"] == {"reference": "Patient/maya/_history/2"}
    assert validate_bundle(built) == []


@pytest.mark.parametrize(
    ("reference", "logical"),
    [
        ("Practitioner/9", {"type": "Practitioner", "identifier": {"value": "Practitioner/9"}}),
        ("urn:uuid:7f8b", {"identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:7f8b"}}),
        ("Practitioner?identifier=9", {"type": "Practitioner", "identifier": {"value": "9"}}),
        ("Practitioner?name=x", {"type": "Practitioner", "identifier": {"value": "Practitioner?name=x"}}),
        ("not a reference", {"identifier": {"value": "not a reference"}}),
    ],
)
def test_logical_references(reference: str, logical: dict[str, object]) -> None:
    assert logical_reference({"reference": reference}) == logical
    named = {"identifier": {"value": "kept"}, "type": "Device", "display": "kept"}
    assert logical_reference({"reference": reference, **named}) == named


def test_only_the_statuses_that_were_asked_for_are_listed() -> None:
    built = gaps_bundle((THREE_BY_120, W30), RECORD, REPORTING, statuses={"open-gap"})
    assert built is not None
    assert [issue["id"] for issue in resources(built, "DetectedIssue")] == [detected_issue_id(THREE_BY_120, THREE)]
    assert [report["id"] for report in resources(built, "MeasureReport")] == [measure_report_id(THREE_BY_120)]
    assert [len(each["entry"]) for each in resources(built, "Composition")[0]["section"]] == [1]
    assert validate_bundle(built) == []


def test_no_rate_of_an_asked_status_is_no_bundle() -> None:
    assert gaps_bundle((THREE_BY_120,), RECORD, REPORTING, statuses={"prospective-gap"}) is None
    with pytest.raises(ValueError, match="at least one section"):
        gaps_composition((THREE_BY_120,), REPORTING, statuses={"prospective-gap"})


def test_the_same_request_gives_the_same_ids_and_a_later_one_another_identifier() -> None:
    later = replace(REPORTING, calculated_at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
    again = gaps_bundle((THREE_BY_120, W30), RECORD, later)
    assert again is not None
    assert bundle() == bundle()
    assert [entry["fullUrl"] for entry in again["entry"]] == [entry["fullUrl"] for entry in bundle()["entry"]]
    assert again["id"] == bundle()["id"]
    assert again["identifier"] != bundle()["identifier"]


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "Patient/noa"},
        {"measure_version": "1.0.1"},
        {"measure_url": W30.measure_url},
        {"period_start": THREE_BY_120.as_of},
        {"period_end": THREE_BY_120.as_of},
    ],
)
def test_another_subject_measure_or_period_gives_another_report(change: dict[str, object]) -> None:
    other = replace(THREE_BY_120, **change)  # type: ignore[arg-type]
    assert measure_report_id(other) != measure_report_id(THREE_BY_120)
    assert detected_issue_id(other, TWO) != detected_issue_id(THREE_BY_120, TWO)


def test_the_caller_may_name_the_document() -> None:
    built = gaps_bundle((W30,), RECORD, REPORTING, identifier="urn:uuid:7f8b1c9e-5a6e-4f41-9d3a-0a2b4c6d8e10")
    assert built is not None
    assert built["identifier"] == {
        "system": "urn:ietf:rfc:3986",
        "value": "urn:uuid:7f8b1c9e-5a6e-4f41-9d3a-0a2b4c6d8e10",
    }


def test_an_evaluated_resource_that_was_not_handed_in_is_an_error_without_its_id() -> None:
    with pytest.raises(ValueError, match=r"1 resource\(s\).*the first of type Encounter") as raised:
        gaps_bundle((THREE_BY_120,), RECORD[:-1], REPORTING)
    assert "v3" not in str(raised.value)


def test_a_bundle_is_about_one_person() -> None:
    with pytest.raises(ValueError, match="about 2"):
        gaps_bundle((THREE_BY_120, replace(W30, subject="Patient/noa")), RECORD, REPORTING)


def test_a_patient_without_name_has_a_document_too() -> None:
    built = gaps_bundle((W30,), ({"resourceType": "Patient", "id": "maya"},), REPORTING)
    assert built is not None
    assert validate_bundle(built) == []


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("reporter", MAYA, "Organization"),
        ("reporter", {"resourceType": "Organization"}, "id"),
        ("calculated_at", datetime(2026, 3, 2), "time zone"),  # noqa: DTZ001 - the mistake itself
        ("base_url", "fhir", "http"),
    ],
)
def test_a_report_says_who_when_and_where(field: str, value: object, message: str) -> None:
    right = {"reporter": REPORTING.reporter, "calculated_at": REPORTING.calculated_at, "base_url": BASE}
    with pytest.raises(ValueError, match=message):
        Reporting(**{**right, field: value})  # type: ignore[arg-type]
