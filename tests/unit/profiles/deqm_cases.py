"""A child's results for the DEQM tests: Maya, two of three visits done by day 120, one visit discounted."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from fhir_profiles.deqm import Reporting, gaps_bundle
from gapsvc.evaluation.result import (
    Basis,
    Coding,
    Counted,
    DataRequirement,
    Discounted,
    GapRecord,
    GapStatus,
    GroupResult,
    MeasureResult,
    Need,
    Outlook,
    Reason,
)

BASE = "https://gaps.clinic.example/fhir"
WELL_VISIT = "https://gapsvc.example/fhir/ValueSet/well-visit"

BASIS = Basis(
    measure="https://gapsvc.example/fhir/Measure/three-by-120|1.0.0",
    software="gapsvc 0.1.0",
    schedule="Bright Futures 2024-06",
    data_as_of={"clinic-ehr": "2026-03-01T06:00:00Z", "folder": "unknown"},
)

MET_TWO = GapRecord(
    status=GapStatus.CLOSED,
    need=None,
    needed=2,
    done=2,
    due_from=None,
    due_by=None,
    last_day=None,
    outlook=Outlook.MET,
    reasons=(),
    counted=(Counted("Encounter/v1", date(2025, 12, 2)), Counted("Encounter/v2", date(2026, 1, 5))),
    discounted=(),
    changes_on=None,
    basis=BASIS,
)

NEEDS_THIRD = GapRecord(
    status=GapStatus.OPEN,
    need=Need("third well-child visit", Coding("http://snomed.info/sct", "410620009", "Well child visit")),
    needed=3,
    done=2,
    due_from=date(2026, 1, 6),
    due_by=date(2026, 2, 2),
    last_day=date(2026, 4, 1),
    outlook=Outlook.AT_RISK,
    reasons=(
        Reason(
            "CountOutOfRange",
            "2 of 3 visits by day 120",
            requirement=DataRequirement("Encounter", "type", WELL_VISIT, "period", date(2026, 1, 6), date(2026, 4, 1)),
        ),
        Reason("InvalidAttribute", "A visit has no full date", "Encounter/v3", "Encounter.period.start"),
    ),
    counted=(Counted("Encounter/v1", date(2025, 12, 2)), Counted("Encounter/v2", date(2026, 1, 5))),
    discounted=(Discounted("Encounter/v3", None, "imprecise-date", "its date is not known to the day"),),
    changes_on=date(2026, 4, 2),
    basis=BASIS,
)

THREE_BY_120 = MeasureResult(
    subject="Patient/maya",
    measure_id="three-by-120",
    measure_url="https://gapsvc.example/fhir/Measure/three-by-120",
    measure_version="1.0.0",
    measure_title="Three well-child visits by day 120",
    scoring="proportion",
    improvement_notation="increase",
    period_start=date(2026, 1, 1),
    period_end=date(2026, 12, 31),
    as_of=date(2026, 3, 2),
    groups=(
        GroupResult(
            "two-visits",
            "Two or more visits by day 120",
            {"initial-population": 1, "denominator": 1, "denominator-exclusion": 0, "numerator": 1},
            MET_TWO,
        ),
        GroupResult(
            "three-visits",
            "Three or more visits by day 120",
            {"initial-population": 1, "denominator": 1, "denominator-exclusion": 0, "numerator": 0},
            NEEDS_THIRD,
        ),
    ),
    evaluated={
        "Patient/maya": ("two-visits-initial-population", "three-visits-initial-population"),
        "Encounter/v1": ("two-visits-numerator",),
        "Encounter/v2": ("two-visits-numerator",),
        "Encounter/v3": (),
    },
)

NOT_YET_15_MONTHS = replace(
    MET_TWO,
    status=GapStatus.NOT_APPLICABLE,
    needed=None,
    done=None,
    outlook=Outlook.UNKNOWN,
    counted=(),
    changes_on=date(2027, 1, 31),
)

W30 = replace(
    THREE_BY_120,
    measure_id="w30",
    measure_url="https://gapsvc.example/fhir/Measure/w30",
    measure_title="Well-child visits in the first 30 months",
    groups=(
        GroupResult(
            "first-15-months",
            "Six or more visits by 15 months",
            {"initial-population": 0, "denominator": 0, "denominator-exclusion": 0, "numerator": 0},
            NOT_YET_15_MONTHS,
        ),
    ),
    evaluated={"Patient/maya": ()},
)

CLINIC: dict[str, Any] = {"resourceType": "Organization", "id": "clinic", "active": True, "name": "Clínica Sur"}

MAYA: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "maya",
    "name": [
        {"use": "old", "family": "Ortiz", "given": ["Baby"]},
        {"use": "official", "family": "López & Ortiz", "given": ["Maya"]},
    ],
    "birthDate": "2025-12-02",
    "managingOrganization": {"reference": "Organization/clinic"},
}


def visit(name: str, start: str) -> dict[str, Any]:
    """A finished outpatient visit of Maya's, with a practitioner and a location that are not at hand."""
    return {
        "resourceType": "Encounter",
        "id": name,
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": "Patient/maya"},
        "participant": [
            {"individual": {"reference": "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|1234567893"}}
        ],
        "location": [{"location": {"reference": "Location/room-1", "display": "Room 1"}}],
        "period": {"start": start},
    }


RECORD = (MAYA, visit("v1", "2025-12-02"), visit("v2", "2026-01-05"), visit("v3", "2026-02"))

REPORTING = Reporting(reporter=CLINIC, calculated_at=datetime(2026, 3, 2, 8, 30, tzinfo=UTC), base_url=BASE)


def bundle(document: bool = True) -> dict[str, Any]:
    """Maya's gaps bundle of both measures."""
    built = gaps_bundle((THREE_BY_120, W30), RECORD, REPORTING, document=document)
    assert built is not None
    return built


def resources(of: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The bundle's resources of one type, in order."""
    return [entry["resource"] for entry in of["entry"] if entry["resource"]["resourceType"] == kind]
