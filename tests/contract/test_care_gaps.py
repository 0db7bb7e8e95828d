"""`$care-gaps` as a payer's or an EHR's client meets it (DEQM 5.0.0)."""

from collections.abc import Mapping
from typing import Any

import pytest
from contract_client import PERIOD, Api, outcome
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.parameters import Parameters

from fhir_profiles.validate_bundle import validate_bundle

STATUSES = ["open-gap", "closed-gap", "prospective-gap", "not-applicable"]


def child_with(api: Api, status: str, measure: str = "three-by-120", group: str = "two-visits") -> str:
    return next(person for person, truth in api.truth.items() if truth["measures"][measure][group]["status"] == status)


def bundles(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    assert body["resourceType"] == "Parameters"
    parameters = body.get("parameter", [])
    assert all(parameter["name"] == "return" for parameter in parameters)
    return [parameter["resource"] for parameter in parameters]


def resources(bundle: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def statuses(bundle: Mapping[str, Any]) -> dict[str, str]:
    """group id -> gap status, over all DetectedIssues."""
    found = {}
    for issue in resources(bundle, "DetectedIssue"):
        (extension,) = issue["modifierExtension"]
        assert extension["url"].endswith("/extension-gapStatus")
        criteria = next(
            detail["extension"][0]["valueString"]
            for evidence in issue["evidence"]
            for detail in evidence["detail"]
            if "extension" in detail
        )
        found[criteria] = extension["valueCodeableConcept"]["coding"][0]["code"]
    return found


def test_one_child_one_document(api: Api) -> None:
    child = child_with(api, "open-gap")
    response = api.care_gaps(subject=f"Patient/{child}", status=STATUSES)
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    (bundle,) = bundles(response.get_json())
    assert bundle["type"] == "document"
    assert bundle["entry"][0]["resource"]["resourceType"] == "Composition"
    assert {report["subject"]["reference"] for report in resources(bundle, "MeasureReport")} == {f"Patient/{child}"}
    assert resources(bundle, "Patient")[0]["id"] == child


def test_every_child_says_what_is_true_of_it(api: Api) -> None:
    """Through the API, for every child of the sandbox: the gap status of each rate is the planned one."""
    for child, truth in api.truth.items():
        asked = {"subject": f"Patient/{child}", "measureId": list(truth["measures"])}
        (bundle,) = bundles(api.care_gaps(status=STATUSES, **asked).get_json())
        planned = {group: said["status"] for measure in truth["measures"].values() for group, said in measure.items()}
        assert statuses(bundle) == planned, child


def test_output_is_valid_fhir_and_valid_deqm(api: Api) -> None:
    """Every child's answer, in both forms, against fhir.resources (R4B) and against the DEQM constraint tables."""
    for number, child in enumerate(api.truth):
        document = "true" if number % 2 else "false"
        body = api.care_gaps(subject=f"Patient/{child}", status=STATUSES, isDocument=document).get_json()
        Parameters.model_validate(body)
        (bundle,) = bundles(body)
        Bundle.model_validate(bundle)
        assert validate_bundle(bundle) == []


def test_a_collection_has_no_composition(api: Api) -> None:
    child = child_with(api, "open-gap")
    (bundle,) = bundles(api.care_gaps(subject=f"Patient/{child}", isDocument="false").get_json())
    assert bundle["type"] == "collection"
    assert resources(bundle, "Composition") == []
    assert "open-gap" in statuses(bundle).values()


def test_only_gaps_of_the_asked_statuses_are_listed(api: Api) -> None:
    child = child_with(api, "closed-gap")
    (bundle,) = bundles(api.care_gaps(subject=f"Patient/{child}", status="closed-gap").get_json())
    assert set(statuses(bundle).values()) == {"closed-gap"}


def test_no_gap_of_the_asked_status_is_an_empty_answer(api: Api) -> None:
    child = next(
        person
        for person, truth in api.truth.items()
        if all(
            said["status"] == "not-applicable" for measure in truth["measures"].values() for said in measure.values()
        )
    )
    asked = {"subject": f"Patient/{child}", "measureId": list(api.truth[child]["measures"])}
    assert api.care_gaps(**asked).get_json() == {"resourceType": "Parameters"}


def test_the_same_question_has_the_same_answer(api: Api) -> None:
    child = child_with(api, "open-gap")
    first, second = (api.care_gaps(subject=f"Patient/{child}").get_json() for _ in range(2))
    assert first == second


def test_a_linked_id_finds_the_person(api: Api) -> None:
    person, other = next(
        (person, patient)
        for person, truth in api.truth.items()
        for patient in truth["patients"]
        if len(truth["patients"]) > 1 and patient != person
    )
    asked = {"status": STATUSES}
    assert api.care_gaps(subject=f"Patient/{other}", **asked).get_json() == (
        api.care_gaps(subject=f"Patient/{person}", **asked).get_json()
    )


# ---- which measures


@pytest.mark.parametrize(
    "named",
    [
        {"measureId": "w30"},
        {"measureIdentifier": "W30"},
        {"measureIdentifier": "urn:ietf:rfc:3986|https://gapsvc.example/fhir/Measure/w30"},
        {"measureUrl": "https://gapsvc.example/fhir/Measure/w30"},
        {"measureUrl": "https://gapsvc.example/fhir/Measure/w30|1.0.0"},
    ],
)
def test_a_measure_can_be_named_in_each_way(api: Api, named: dict[str, str]) -> None:
    child = child_with(api, "open-gap", "w30", "first-15-months")
    (bundle,) = bundles(api.care_gaps(subject=f"Patient/{child}", status=STATUSES, **named).get_json())
    assert set(statuses(bundle)) == {"first-15-months", "15-30-months"}


def test_measures_named_in_several_ways_are_a_union(api: Api) -> None:
    child = child_with(api, "open-gap")
    (bundle,) = bundles(
        api.care_gaps(
            subject=f"Patient/{child}",
            status=STATUSES,
            measureId="w30",
            measureUrl="https://gapsvc.example/fhir/Measure/three-by-120",
        ).get_json()
    )
    assert len(resources(bundle, "MeasureReport")) == 2


def test_instance_level(api: Api) -> None:
    child = child_with(api, "open-gap")
    query = {**PERIOD, "status": STATUSES, "subject": f"Patient/{child}"}
    (bundle,) = bundles(api.get("/fhir/Measure/three-by-120/$care-gaps", **query).get_json())
    assert set(statuses(bundle)) == {"two-visits", "three-visits"}
    assert api.get("/fhir/Measure/unknown/$care-gaps", **query).status_code == 404
    assert api.get("/fhir/Measure/w30/$care-gaps", **query, measureId="w30").status_code == 400


# ---- many subjects


def test_a_group_is_its_members(api: Api) -> None:
    group = api.group
    members = api.service.store.person_ids(group=group)
    found = bundles(api.care_gaps(subject=f"Group/{group}", status=STATUSES).get_json())
    subjects = [resources(bundle, "MeasureReport")[0]["subject"]["reference"] for bundle in found]
    assert subjects == [f"Patient/{member}" for member in members]


def test_an_organization_and_a_practitioner(api: Api) -> None:
    record = api.service.store.record(child_with(api, "open-gap"))
    assert record is not None
    organization = record.patient["managingOrganization"]["reference"].removeprefix("Organization/")
    practitioner = record.patient["generalPractitioner"][0]["reference"].removeprefix("Practitioner/")

    def subjects(**query: str) -> set[str]:
        found = bundles(api.care_gaps(status=STATUSES, **query).get_json())
        return {resources(bundle, "MeasureReport")[0]["subject"]["reference"] for bundle in found}

    ours, theirs = subjects(organization=organization), subjects(practitioner=f"Practitioner/{practitioner}")
    assert f"Patient/{record.person_id}" in ours & theirs
    assert subjects(organization=f"Organization/{organization}", practitioner=practitioner) == ours & theirs


# ---- POST


def parameters(**given: Any) -> dict[str, Any]:
    listed = [{"name": name, key: value} for name, (key, values) in given.items() for value in values]
    return {"resourceType": "Parameters", "parameter": listed}


def test_post_asks_the_same_as_get(api: Api) -> None:
    child = child_with(api, "open-gap")
    body = parameters(
        periodStart=("valueDate", ["2026-01-01"]),
        periodEnd=("valueDate", ["2026-12-31"]),
        status=("valueCode", STATUSES),
        subject=("valueString", [f"Patient/{child}"]),
        isDocument=("valueBoolean", [False]),
    )
    response = api.post("/fhir/Measure/$care-gaps", body)
    assert response.get_json() == (
        api.care_gaps(subject=f"Patient/{child}", status=STATUSES, isDocument="false").get_json()
    )


def test_a_moment_is_not_taken_for_a_day(api: Api) -> None:
    day, moment = ("valueDateTime", ["2026-01-01"]), ("valueDateTime", ["2026-12-31T08:00:00Z"])
    subject = ("valueString", [f"Patient/{child_with(api, 'open-gap')}"])
    body = parameters(periodStart=day, periodEnd=moment, status=("valueCode", STATUSES), subject=subject)
    expected = "periodEnd: expected a date, YYYY-MM-DD, not '2026-12-31T08:00:00Z'"
    assert outcome(api.post("/fhir/Measure/$care-gaps", body)) == [("value", expected, ["periodEnd"])]


@pytest.mark.parametrize(
    ("body", "options", "status", "code"),
    [
        ("not json", {"content_type": "application/fhir+json"}, 400, "structure"),
        ([], {}, 400, "structure"),
        ({"resourceType": "Patient"}, {}, 400, "structure"),
        ({"resourceType": "Parameters", "parameter": {}}, {}, 400, "structure"),
        ({"resourceType": "Parameters", "parameter": [{"valueDate": "2026-01-01"}]}, {}, 400, "structure"),
        ({"resourceType": "Parameters", "parameter": [{"name": "status"}]}, {}, 400, "structure"),
        ("a=b", {"content_type": "application/x-www-form-urlencoded"}, 415, "not-supported"),
    ],
)
def test_a_wrong_body(api: Api, body: Any, options: dict[str, Any], status: int, code: str) -> None:
    headers = {"Authorization": "Bearer token-all"}
    if isinstance(body, str):
        response = api.flask.post("/fhir/Measure/$care-gaps", data=body, headers=headers, **options)
    else:
        response = api.flask.post("/fhir/Measure/$care-gaps", json=body, headers=headers)
    assert response.status_code == status
    assert [found[0] for found in outcome(response)] == [code]


# ---- mistakes


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({"periodStart": None}, 400, ("required", "periodStart")),
        ({"periodEnd": None}, 400, ("required", "periodEnd")),
        ({"status": None}, 400, ("required", "status")),
        ({"subject": None}, 400, ("required", "subject")),
        ({"periodStart": "soon"}, 400, ("value", "periodStart")),
        ({"periodStart": "2026-02-30"}, 400, ("value", "periodStart")),
        ({"periodStart": "2026-13"}, 400, ("value", "periodStart")),
        ({"periodStart": "2027-01-01"}, 400, ("value", "periodEnd")),
        ({"periodStart": ["2026-01-01", "2026-02-01"]}, 400, ("invalid", "periodStart")),
        ({"status": "open"}, 400, ("value", "status")),
        ({"status": ["open-gap", "closed"]}, 400, ("value", "status")),
        ({"subject": "Device/1"}, 400, ("value", "subject")),
        ({"subject": "Patient/"}, 400, ("value", "subject")),
        ({"subject": "Patient/a b"}, 400, ("value", "subject")),
        ({"subject": "Patient/nobody"}, 404, ("not-found", "subject")),
        ({"subject": "Group/none"}, 404, ("not-found", "subject")),
        ({"subject": None, "organization": "none"}, 404, ("not-found", "organization")),
        ({"subject": None, "practitioner": "none"}, 404, ("not-found", "practitioner")),
        ({"organization": "org-1"}, 400, ("value", "subject")),
        ({"measureId": "none"}, 404, ("not-found", "measureId")),
        ({"measureUrl": "https://gapsvc.example/fhir/Measure/w30|0.9"}, 404, ("not-found", "measureUrl")),
        ({"measureIdentifier": "other|w30"}, 404, ("not-found", "measureIdentifier")),
        ({"isDocument": "yes"}, 400, ("value", "isDocument")),
        ({"periodstart": "2026-01-01"}, 400, ("not-supported", "periodstart")),
        ({"topic": "x"}, 400, ("not-supported", "topic")),
        ({"program": "x"}, 400, ("not-supported", "program")),
    ],
)
def test_a_mistake_is_named(api: Api, query: dict[str, Any], status: int, said: tuple[str, str]) -> None:
    asked: dict[str, Any] = {"subject": f"Patient/{child_with(api, 'open-gap')}", **query}
    whole = {**PERIOD, "status": "open-gap", **asked}
    response = api.get(
        "/fhir/Measure/$care-gaps", **{name: value for name, value in whole.items() if value is not None}
    )
    assert response.status_code == status
    issues = outcome(response)
    assert (issues[0][0], issues[0][2]) == (said[0], [said[1]])
    assert said[1] in issues[0][1]


def test_all_mistakes_are_named_at_once(api: Api) -> None:
    response = api.get("/fhir/Measure/$care-gaps", periodStart="x", status="y", colour="z")
    assert {issue[2][0] for issue in outcome(response)} == {"periodStart", "periodEnd", "status", "colour"}


def test_a_partial_period_means_all_of_it(api: Api) -> None:
    child = child_with(api, "open-gap")
    asked = {"subject": f"Patient/{child}", "status": STATUSES}
    year = api.care_gaps(**asked, periodStart="2026", periodEnd="2026").get_json()
    assert year == api.care_gaps(**asked, periodStart="2026-01-01", periodEnd="2026-12-31").get_json()
