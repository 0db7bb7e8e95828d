"""Each DEQM resource whole, as a consumer reads it."""

from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import pytest
from deqm_cases import MET_TWO, NEEDS_THIRD, REPORTING, THREE_BY_120, WELL_VISIT

from fhir_profiles.deqm import (
    data_requirement,
    detailed_guidance_response,
    gaps_detected_issue,
    guidance_response_id,
    individual_measure_report,
    measure_report_id,
    measure_score,
)
from gapsvc.evaluation.result import DataRequirement, GapStatus

DEQM = "http://hl7.org/fhir/us/davinci-deqm"
OURS = "https://gapsvc.example/fhir/StructureDefinition"
TERMS = "http://terminology.hl7.org/CodeSystem"
TWO, THREE = THREE_BY_120.groups


def without_text(resource: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in resource.items() if name != "text"}


def population(group: str, code: str, display: str, count: int) -> dict[str, object]:
    coding = {"system": f"{TERMS}/measure-population", "code": code, "display": display}
    return {"id": f"{group}-{code}", "code": {"coding": [coding]}, "count": count}


def criteria(*names: str) -> list[dict[str, str]]:
    url = "http://hl7.org/fhir/StructureDefinition/cqf-criteriaReference"
    return [{"url": url, "valueString": name} for name in names]


def test_the_individual_measure_report() -> None:
    report_id = measure_report_id(THREE_BY_120)
    described = "http://hl7.org/fhir/StructureDefinition/measurereport-populationDescription"
    assert without_text(individual_measure_report(THREE_BY_120, REPORTING)) == {
        "resourceType": "MeasureReport",
        "id": report_id,
        "meta": {"profile": [f"{DEQM}/StructureDefinition/indv-measurereport-deqm"]},
        "extension": [
            {
                "url": f"{DEQM}/StructureDefinition/extension-measureScoring",
                "valueCodeableConcept": {
                    "coding": [{"system": f"{TERMS}/measure-scoring", "code": "proportion", "display": "Proportion"}]
                },
            },
            {"url": f"{OURS}/result-as-of", "valueDate": "2026-03-02"},
            {
                "url": f"{OURS}/result-basis",
                "extension": [
                    {"url": "software", "valueString": "gapsvc 0.1.0"},
                    {"url": "schedule", "valueString": "Bright Futures 2024-06"},
                    {
                        "url": "dataAsOf",
                        "extension": [
                            {"url": "source", "valueString": "clinic-ehr"},
                            {"url": "moment", "valueDateTime": "2026-03-01T06:00:00Z"},
                        ],
                    },
                    {
                        "url": "dataAsOf",
                        "extension": [
                            {"url": "source", "valueString": "folder"},
                            {"url": "moment", "valueString": "unknown"},
                        ],
                    },
                ],
            },
        ],
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{report_id}"}],
        "status": "complete",
        "type": "individual",
        "measure": "https://gapsvc.example/fhir/Measure/three-by-120|1.0.0",
        "subject": {"reference": "Patient/maya"},
        "date": "2026-03-02T08:30:00+00:00",
        "reporter": {"reference": "Organization/clinic"},
        "period": {"start": "2026-01-01", "end": "2026-12-31"},
        "improvementNotation": {
            "coding": [
                {
                    "system": f"{TERMS}/measure-improvement-notation",
                    "code": "increase",
                    "display": "Increased score indicates improvement",
                }
            ]
        },
        "group": [
            {
                "id": group,
                "extension": [{"url": described, "valueMarkdown": f"{words} or more visits by day 120"}],
                "population": [
                    population(group, "initial-population", "Initial Population", 1),
                    population(group, "denominator", "Denominator", 1),
                    population(group, "denominator-exclusion", "Denominator Exclusion", 0),
                    population(group, "numerator", "Numerator", int(score)),
                ],
                "measureScore": {"value": score},
            }
            for group, words, score in (("two-visits", "Two", 1.0), ("three-visits", "Three", 0.0))
        ],
        "evaluatedResource": [
            {
                "extension": criteria("two-visits-initial-population", "three-visits-initial-population"),
                "reference": "Patient/maya",
            },
            {"extension": criteria("two-visits-numerator"), "reference": "Encounter/v1"},
            {"extension": criteria("two-visits-numerator"), "reference": "Encounter/v2"},
            {"reference": "Encounter/v3"},
        ],
    }


def test_the_detected_issue_of_an_open_gap() -> None:
    issue = gaps_detected_issue(THREE_BY_120, THREE, REPORTING)
    evidence = f"{OURS}/gap-evidence"
    assert without_text(issue) == {
        "resourceType": "DetectedIssue",
        "id": issue["id"],
        "meta": {"profile": [f"{DEQM}/StructureDefinition/gaps-detectedissue-deqm"]},
        "extension": [
            {"url": f"{OURS}/result-as-of", "valueDate": "2026-03-02"},
            {"url": f"{OURS}/gap-outlook", "valueCode": "at risk"},
            {
                "url": f"{OURS}/gap-need",
                "valueCodeableConcept": {
                    "coding": [
                        {"system": "http://snomed.info/sct", "code": "410620009", "display": "Well child visit"}
                    ],
                    "text": "third well-child visit",
                },
            },
            {
                "url": f"{OURS}/gap-progress",
                "extension": [
                    {"url": "needed", "valueUnsignedInt": 3},
                    {"url": "done", "valueUnsignedInt": 2},
                ],
            },
            {"url": f"{OURS}/gap-due-by", "valueDate": "2026-02-02"},
            {"url": f"{OURS}/gap-last-day", "valueDate": "2026-04-01"},
            {"url": f"{OURS}/gap-changes-on", "valueDate": "2026-04-02"},
        ],
        "modifierExtension": [
            {
                "url": f"{DEQM}/StructureDefinition/extension-gapStatus",
                "valueCodeableConcept": {
                    "coding": [{"system": f"{DEQM}/CodeSystem/gaps-status", "code": "open-gap", "display": "Open Gap"}]
                },
            }
        ],
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{issue['id']}"}],
        "status": "final",
        "code": {"coding": [{"system": f"{TERMS}/v3-ActCode", "code": "CAREGAP", "display": "Caregap"}]},
        "patient": {"reference": "Patient/maya"},
        "identifiedPeriod": {"start": "2026-01-06", "end": "2026-04-01"},
        "implicated": [
            {
                "extension": [
                    {
                        "url": evidence,
                        "extension": [
                            {"url": "outcome", "valueCode": "counted"},
                            {"url": "on", "valueDate": "2025-12-02"},
                        ],
                    }
                ],
                "reference": "Encounter/v1",
                "display": "Visit of Dec 2, 2025: counts.",
            },
            {
                "extension": [
                    {
                        "url": evidence,
                        "extension": [
                            {"url": "outcome", "valueCode": "counted"},
                            {"url": "on", "valueDate": "2026-01-05"},
                        ],
                    }
                ],
                "reference": "Encounter/v2",
                "display": "Visit of Jan 5, 2026: counts.",
            },
            {
                "extension": [
                    {
                        "url": evidence,
                        "extension": [
                            {"url": "outcome", "valueCode": "discounted"},
                            {"url": "reason", "valueCode": "imprecise-date"},
                            {"url": "text", "valueString": "its date is not known to the day"},
                        ],
                    }
                ],
                "reference": "Encounter/v3",
                "display": "Visit without a usable date: does not count, its date is not known to the day.",
            },
        ],
        "evidence": [
            {
                "detail": [
                    {
                        "extension": criteria("three-visits"),
                        "reference": f"MeasureReport/{measure_report_id(THREE_BY_120)}",
                    }
                ]
            },
            {
                "detail": [
                    {
                        "extension": criteria("three-visits"),
                        "reference": f"GuidanceResponse/{guidance_response_id(THREE_BY_120, THREE)}",
                    }
                ]
            },
        ],
        "detail": (
            "Open: third well-child visit (2 of 3 done). "
            "May be done from Jan 6, 2026; wanted by Feb 2, 2026; last day that counts Apr 1, 2026. "
            "Outlook: at risk (overdue, or few chances are left). "
            "Why: 2 of 3 visits by day 120; A visit has no full date. "
            "Counted: 2. "
            "Visit without a usable date: does not count, its date is not known to the day. "
            "This can change on Apr 2, 2026 without anything being done."
        ),
    }


def test_a_met_rate_needs_no_guidance() -> None:
    issue = gaps_detected_issue(THREE_BY_120, TWO, REPORTING)
    assert detailed_guidance_response(THREE_BY_120, TWO, REPORTING) is None
    assert len(issue["evidence"]) == 1
    assert "identifiedPeriod" not in issue
    assert issue["detail"] == "Closed: Two or more visits by day 120 (2 of 2 done). Counted: 2."


def test_the_guidance_says_what_data_would_close_the_gap() -> None:
    guidance = detailed_guidance_response(THREE_BY_120, THREE, REPORTING)
    assert guidance is not None
    assert without_text(guidance) == {
        "resourceType": "GuidanceResponse",
        "id": guidance_response_id(THREE_BY_120, THREE),
        "meta": {"profile": [f"{DEQM}/StructureDefinition/gaps-guidanceresponse-detailedcaregap"]},
        "identifier": [
            {
                "system": "urn:ietf:rfc:3986",
                "value": f"urn:uuid:{guidance_response_id(THREE_BY_120, THREE)}",
            }
        ],
        "moduleCanonical": "https://gapsvc.example/fhir/Measure/three-by-120|1.0.0",
        "status": "success",
        "subject": {"reference": "Patient/maya"},
        "occurrenceDateTime": "2026-03-02T08:30:00+00:00",
        "reasonCode": [
            {
                "coding": [
                    {
                        "system": f"{DEQM}/CodeSystem/care-gap-reason",
                        "code": "CountOutOfRange",
                        "display": "Count is out of specified range",
                    }
                ],
                "text": "2 of 3 visits by day 120",
            },
            {
                "extension": [
                    {
                        "url": f"{DEQM}/StructureDefinition/reasonDetail",
                        "extension": [
                            {"url": "reference", "valueReference": {"reference": "Encounter/v3"}},
                            {"url": "path", "valueString": "Encounter.period.start"},
                        ],
                    }
                ],
                "coding": [
                    {
                        "system": f"{DEQM}/CodeSystem/care-gap-reason",
                        "code": "InvalidAttribute",
                        "display": "Attribute is Invalid",
                    }
                ],
                "text": "A visit has no full date",
            },
        ],
        "note": [{"text": gaps_detected_issue(THREE_BY_120, THREE, REPORTING)["detail"]}],
        "dataRequirement": [
            {
                "type": "Encounter",
                "codeFilter": [{"path": "type", "valueSet": WELL_VISIT}],
                "dateFilter": [{"path": "period", "valuePeriod": {"start": "2026-01-06", "end": "2026-04-01"}}],
            }
        ],
    }


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        (DataRequirement("Encounter"), {"type": "Encounter"}),
        (
            DataRequirement("Immunization", value_set="https://x.example/ValueSet/dtap", date_to=date(2026, 5, 1)),
            {
                "type": "Immunization",
                "codeFilter": [{"path": "vaccineCode", "valueSet": "https://x.example/ValueSet/dtap"}],
                "dateFilter": [{"path": "occurrence", "valuePeriod": {"end": "2026-05-01"}}],
            },
        ),
        (
            DataRequirement("Observation", code_path="code", date_from=date(2026, 5, 1)),
            {
                "type": "Observation",
                "codeFilter": [
                    {
                        "path": "code",
                        "code": [
                            {"system": "http://snomed.info/sct", "code": "410620009", "display": "Well child visit"}
                        ],
                    }
                ],
                "dateFilter": [{"path": "effective", "valuePeriod": {"start": "2026-05-01"}}],
            },
        ),
        # A window that is over before it begins is no Period (per-1)
        (
            DataRequirement("Encounter", date_from=date(2026, 5, 2), date_to=date(2026, 5, 1)),
            {"type": "Encounter", "dateFilter": [{"path": "period", "valuePeriod": {"end": "2026-05-01"}}]},
        ),
        # A resource type whose date we do not know: no filter rather than a wrong one
        (DataRequirement("Basic", date_to=date(2026, 5, 1)), {"type": "Basic"}),
    ],
)
def test_data_requirements(requirement: DataRequirement, expected: dict[str, object]) -> None:
    assert data_requirement(requirement, NEEDS_THIRD.need) == expected


@pytest.mark.parametrize(
    ("scoring", "populations", "score"),
    [
        ("proportion", {"denominator": 1, "numerator": 1}, 1.0),
        ("proportion", {"denominator": 1, "numerator": 0}, 0.0),
        ("proportion", {"denominator": 0, "numerator": 0}, 0.0),
        ("proportion", {"denominator": 1, "denominator-exclusion": 1, "numerator": 1}, 0.0),
        ("proportion", {"denominator": 1, "denominator-exception": 1, "numerator": 1}, 0.0),
        ("proportion", {"denominator": 1, "numerator": 1, "numerator-exclusion": 1}, 0.0),
        ("ratio", {"denominator": 4, "numerator": 3}, 0.75),
        ("ratio", {"denominator": 0, "numerator": 0}, None),
        ("cohort", {"initial-population": 1}, None),
    ],
)
def test_scores(scoring: str, populations: dict[str, int], score: float | None) -> None:
    assert measure_score(scoring, populations) == score


def test_a_missed_window_keeps_only_its_end() -> None:
    late = replace(THREE, gap=replace(NEEDS_THIRD, due_from=date(2026, 4, 5)))
    assert gaps_detected_issue(THREE_BY_120, late, REPORTING)["identifiedPeriod"] == {"end": "2026-04-01"}


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (GapStatus.OPEN, "Open: "),
        (GapStatus.PROSPECTIVE, "Coming up: "),
        (GapStatus.CLOSED, "Closed: "),
        (GapStatus.NOT_APPLICABLE, "Does not apply: "),
    ],
)
def test_each_status_has_its_words(status: GapStatus, word: str) -> None:
    issue = gaps_detected_issue(THREE_BY_120, replace(TWO, gap=replace(MET_TWO, status=status)), REPORTING)
    assert issue["detail"].startswith(word)


def test_markup_in_a_title_is_shown_not_run() -> None:
    hostile = replace(THREE_BY_120, measure_title="<script>alert('x')</script> & \x00more")
    for resource in (
        individual_measure_report(hostile, REPORTING),
        gaps_detected_issue(hostile, TWO, REPORTING),
    ):
        div = ElementTree.fromstring(resource["text"]["div"])  # noqa: S314 - our own text
        assert not [each.tag for each in div.iter() if each.tag.endswith("script")]
        assert "<script>alert('x')</script> & more" in "".join(div.itertext())
