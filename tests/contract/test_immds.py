"""`$immds-forecast` over HTTP: an infant's doses judged and forecast; every mistake named."""

from typing import Any

import pytest
from contract_client import Api, outcome
from fhir.resources.R4B.parameters import Parameters

PATIENT = {"resourceType": "Patient", "id": "child", "birthDate": "2026-06-01", "gender": "female"}


def dose(number: int, day: str, cvx: str) -> dict[str, Any]:
    return {
        "resourceType": "Immunization",
        "id": f"dose-{number}",
        "status": "completed",
        "patient": {"reference": "Patient/child"},
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": cvx}]},
        "occurrenceDateTime": day,
    }


def asked(*parameters: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(parameters)}


def test_a_dose_too_early_is_judged_and_the_next_is_forecast(api: Api) -> None:
    body = asked(
        {"name": "assessmentDate", "valueDate": "2026-08-15"},
        {"name": "patient", "resource": PATIENT},
        {"name": "immunization", "resource": dose(1, "2026-07-01", "20")},  # DTaP at 30 days: 6 weeks less 4 days is 38
        {"name": "immunization", "resource": dose(2, "2026-08-01", "10")},  # IPV at two months
    )
    response = api.post("/fhir/$immds-forecast", body)
    assert response.status_code == 200
    Parameters.model_validate(response.get_json())
    found = [parameter["resource"] for parameter in response.get_json()["parameter"]]
    evaluations = [one for one in found if one["resourceType"] == "ImmunizationEvaluation"]
    verdicts = {(one["immunizationEvent"]["reference"], one["doseStatus"]["coding"][0]["code"]) for one in evaluations}
    assert ("Immunization/dose-1", "notvalid") in verdicts
    assert ("Immunization/dose-2", "valid") in verdicts
    (recommendation,) = [one for one in found if one["resourceType"] == "ImmunizationRecommendation"]
    assert recommendation["date"].startswith("2026-08-15")


@pytest.mark.parametrize(
    ("body", "status", "code", "at"),
    [
        ({"resourceType": "Patient"}, 400, "structure", "Parameters"),
        (asked(), 400, "value", "Parameters.parameter"),
        (
            asked({"name": "patient", "resource": {"resourceType": "Group"}}),
            400,
            "value",
            "Parameters.parameter[0].resource",
        ),
        (
            asked({"name": "patient", "resource": {"resourceType": "Patient", "id": "x", "birthDate": "2026"}}),
            400,
            "value",
            "Parameters.parameter.where(name='patient').resource",
        ),
    ],
)
def test_a_mistake_is_named(api: Api, body: dict[str, Any], status: int, code: str, at: str) -> None:
    response = api.post("/fhir/$immds-forecast", body)
    assert response.status_code == status
    ((found_code, _, expression),) = outcome(response)
    assert (found_code, expression) == (code, [at])
