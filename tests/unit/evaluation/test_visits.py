"""From a record to a visit plan: what shows that a visit or a service of the schedule was done (Screenings.cql, on both
engines), and which records have no plan."""

from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any, Literal

import pytest

from gapsvc.evaluation import wording
from gapsvc.evaluation.catalogue import CLAIM_TYPES, types_to_pull
from gapsvc.evaluation.visits import VisitAssessor
from gapsvc.records.record import PatientRecord
from gapsvc.schedule.visits import Done, LeftOut, SlotStatus, VisitPlan, VisitScheduleError, load

CPT = "http://www.ama-assn.org/go/cpt"
CDT = "http://www.ada.org/cdt"
LOINC = "http://loinc.org"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
HCPCS = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
SNOMED = "http://snomed.info/sct"
Resource = dict[str, Any]


@cache
def assessor() -> VisitAssessor:
    return VisitAssessor(load(overlay="medi-cal"))


def child(born: str = "2016-05-20", **more: Any) -> Resource:
    return {"resourceType": "Patient", "id": "child", "birthDate": born, **more}


def concept(*codings: tuple[str, str]) -> Resource:
    return {"coding": [{"system": system, "code": code} for system, code in codings]}


def procedure(on: str, *codings: tuple[str, str], **more: Any) -> Resource:
    return {
        "resourceType": "Procedure",
        "id": "p",
        "status": "completed",
        "code": concept(*codings),
        "performedDateTime": on,
        **more,
    }


def observation(on: str, code: str, system: str = LOINC, **more: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": concept((system, code)),
        "effectiveDateTime": on,
        "valueQuantity": {"value": 1.0},
        **more,
    }


def claim(on: str, system: str, code: str, **line: Any) -> Resource:
    return {
        "resourceType": "Claim",
        "id": "c",
        "status": "active",
        "use": "claim",
        "item": [{"sequence": 1, "productOrService": concept((system, code)), "servicedDate": on, **line}],
    }


def visit(on: str, name: str = "v", **more: Any) -> Resource:
    return {
        "resourceType": "Encounter",
        "id": name,
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [concept((CPT, "99391"))],
        "period": {"start": on},
        **more,
    }


def plan(
    *resources: Resource, on: date = date(2026, 11, 22), engine: Literal["compiled", "reference"] = "compiled"
) -> VisitPlan:
    found = assessor().on(on, engine=engine).plan(PatientRecord.of(resources))
    assert found is not None
    return found


# ---- services: what is in the record, of a child born that day -> the service that it shows

SHOWN: dict[str, tuple[str, Resource, str]] = {
    "a weight": ("2026-05-20", observation("2026-09-20", "29463-7"), "growth.4-months"),
    "a head circumference": ("2026-05-20", observation("2026-09-20", "9843-4"), "head-circumference.4-months"),
    "a BMI percentile": ("2016-05-20", observation("2026-09-20", "59576-9"), "bmi.10-years"),
    "a blood pressure, its values in components": (
        "2016-05-20",
        {
            key: value
            for key, value in observation(
                "2026-09-20", "85354-9", component=[{"code": concept((LOINC, "8480-6"))}]
            ).items()
            if key != "valueQuantity"
        },
        "blood-pressure.10-years",
    ),
    "a vision screen, billed": ("2016-05-20", procedure("2026-09-20", (CPT, "99173")), "vision.10-years"),
    "a vision screen, claimed": ("2016-05-20", claim("2026-09-20", CPT, "99177"), "vision.10-years"),
    "a newborn's hearing": (
        "2026-05-20",
        observation("2026-05-21", "54108-6", valueCodeableConcept={"text": "pass"}),
        "hearing.newborn-verified-by-2-months",
    ),
    "audiometry": ("2016-05-20", procedure("2026-09-20", (CPT, "92551")), "hearing.10-years"),
    "a mother's depression screen, billed": (
        "2026-05-20",
        procedure("2026-09-20", (CPT, "96161")),
        "maternal-depression.4-months",
    ),
    "a mother's Edinburgh scale": ("2026-05-20", observation("2026-09-20", "71354-5"), "maternal-depression.4-months"),
    "a mother's negative screen": (
        "2026-05-20",
        procedure("2026-09-20", (HCPCS, "G8510")),
        "maternal-depression.4-months",
    ),
    "a screen of development": (
        "2025-02-20",
        procedure("2026-09-20", (CPT, "96110")),
        "developmental-screening.18-months",
    ),
    "a screen for autism, by modifier": (
        "2025-02-20",
        procedure("2026-09-20", (CPT, "96110"), ("urn:ama:modifier", "KX")),
        "autism-screening.18-months",
    ),
    "a screen for autism, by diagnosis": (
        "2025-02-20",
        procedure("2026-09-20", (CPT, "96110"), reasonCode=[concept((ICD, "Z13.41"))]),
        "autism-screening.18-months",
    ),
    "a screen for autism, claimed": (
        "2025-02-20",
        claim("2026-09-20", CPT, "96110", modifier=[concept(("urn:ama:modifier", "KX"))]),
        "autism-screening.18-months",
    ),
    "a behavioral assessment": ("2022-05-20", procedure("2026-09-20", (CPT, "96127")), "behavioral-screening.4-years"),
    "a PHQ-9 for teens": ("2012-05-20", observation("2026-09-20", "89204-2"), "depression-screening.14-years"),
    "a depression screen in SNOMED": (
        "2012-05-20",
        procedure("2026-09-20", (SNOMED, "171207006")),
        "depression-screening.14-years",
    ),
    "a hemoglobin": ("2025-08-20", observation("2026-09-20", "718-7"), "anemia.12-months"),
    "a lead test": ("2025-08-20", observation("2026-09-20", "10368-9"), "lead.12-months"),
    "a lead test, claimed": ("2025-08-20", claim("2026-09-20", CPT, "83655"), "lead.12-months"),
    "a tuberculosis test": ("2020-05-20", procedure("2026-09-20", (CPT, "86580")), "tuberculosis.6-years"),
    "a cholesterol": ("2016-05-20", observation("2026-09-20", "2093-3"), "lipids.9-to-11-years"),
    "an HIV test": ("2010-05-20", observation("2026-09-20", "56888-1"), "hiv.15-to-21-years"),
    "a hepatitis C test": ("2007-05-20", procedure("2026-09-20", (CPT, "86803")), "hepatitis-c.18-to-21-years"),
    "a dental evaluation": ("2022-05-20", procedure("2026-09-20", (CDT, "D0120")), "oral-health.4-years"),
    "varnish at the dentist": ("2025-02-20", procedure("2026-09-20", (CDT, "D1206")), "fluoride-varnish.1"),
    "varnish at the practice": ("2025-02-20", procedure("2026-09-20", (CPT, "99188")), "fluoride-varnish.1"),
}


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize(("born", "resource", "expected"), SHOWN.values(), ids=SHOWN.keys())
def test_what_shows_a_service(
    born: str, resource: Resource, expected: str, engine: Literal["compiled", "reference"]
) -> None:
    done = {state.id: state.done for state in plan(child(born), resource, engine=engine).services if state.done}
    on = date(2026, 5, 21) if "hearing.newborn" in expected else date(2026, 9, 20)
    reference = f"{resource['resourceType']}/{resource['id']}"
    assert done[expected] == (Done(reference, on),)
    also = {"behavioral-screening.4-years": set(), "depression-screening.14-years": set()}
    assert done.keys() - {expected} == also.get(expected, set())


def test_every_item_of_the_schedule_has_a_case() -> None:
    assert {item.id for item in assessor().schedule.items} == {
        expected.split(".")[0] for _, _, expected in SHOWN.values()
    }


LEFT_OUT = {
    "entered-in-error": observation("2026-09-20", "10368-9", status="entered-in-error"),
    "not-final": observation("2026-09-20", "10368-9", status="preliminary"),
    "no-result": {k: v for k, v in observation("2026-09-20", "10368-9").items() if k != "valueQuantity"},
    "imprecise-date": observation("2026-09", "10368-9"),
    "future": observation("2026-11-23", "10368-9"),
    "not-scheduled": observation("2026-01-02", "10368-9"),
    "not-given": procedure("2026-09-20", (CPT, "83655"), status="not-done"),
}


@pytest.mark.parametrize(("reason", "resource"), LEFT_OUT.items(), ids=LEFT_OUT.keys())
def test_what_shows_nothing_is_told_with_why(reason: str, resource: Resource) -> None:
    found = plan(child("2025-08-20"), resource)
    assert [(one.reference, one.reason) for one in found.left_out] == [
        (f"{resource['resourceType']}/{resource['id']}", reason)
    ]
    assert [state.status.value for state in found.services if state.id == "lead.12-months"] == ["overdue"]


def test_every_reason_has_its_words() -> None:
    reasons = {*LEFT_OUT, "slot-filled", "too-soon", "same-day", "telehealth"}
    assert reasons <= wording.DISCOUNTED.keys()


def test_a_screen_for_autism_alone_is_none_of_development() -> None:
    resource = procedure("2026-09-20", (CPT, "96110"), reasonCode=[concept((ICD, "Z13.41"))])
    found = plan(child("2025-02-20"), resource)
    assert LeftOut("Procedure/p", date(2026, 9, 20), "autism-screen", "developmental-screening") in found.left_out
    both = procedure("2026-09-20", (CPT, "96110"), reasonCode=[concept((ICD, "Z13.41")), concept((ICD, "Z13.42"))])
    done = {state.item for state in plan(child("2025-02-20"), both).services if state.done}
    assert done == {"autism-screening", "developmental-screening"}


# ---- visits


def test_a_visit_is_recognised_as_the_measures_do() -> None:
    found = plan(
        child("2026-05-20"),
        visit("2026-07-22T09:00:00-07:00"),
        visit("2026-07-25", "sick", type=[concept((CPT, "99213"))]),
        visit("2026-09-20", "tele", **{"class": {"code": "VR"}}),
    )
    assert {slot.id: slot.visit for slot in found.slots if slot.visit} == {
        "2-months": Done("Encounter/v", date(2026, 7, 22))
    }
    assert found.left_out == (LeftOut("Encounter/tele", date(2026, 9, 20), "telehealth"),)
    assert found.schedule == assessor().schedule.label


def test_what_closed_before_the_first_record_here_was_not_missed() -> None:
    elsewhere = visit("2026-08-20", "sick", type=[concept((CPT, "99213"))])
    found = {slot.id: slot.status for slot in plan(child("2025-05-20"), elsewhere).slots}
    assert found["9-months"] is SlotStatus.AGED_OUT
    assert found["12-months"] is SlotStatus.AGED_OUT  # closed on 3 August
    assert found["15-months"] is SlotStatus.MISSED
    unseen = {slot.status for slot in plan(child("2025-05-20")).slots}
    assert unseen == {SlotStatus.AGED_OUT, SlotStatus.DUE, SlotStatus.NOT_DUE}


def test_a_date_without_a_day_hides_nothing_of_what_is_known() -> None:
    partial = visit("2025-06", "partial")
    found = {slot.id: slot.status for slot in plan(child("2025-05-20"), visit("2025-07-21"), partial).slots}
    assert found["2-months"] is SlotStatus.DONE
    assert found["4-months"] is SlotStatus.MISSED


def test_a_risk_that_is_known_makes_its_test_due() -> None:
    exposed = {
        "resourceType": "Condition",
        "id": "x",
        "code": concept((ICD, "Z20.1")),
        "recordedDate": "2026-10-01",
    }
    of_tuberculosis = [state for state in plan(child("2020-05-20"), exposed).services if state.item == "tuberculosis"]
    assert [(state.at, state.status.value, state.universal) for state in of_tuberculosis] == [
        ("6 years", "overdue", False),
        ("7 years", "not due", False),
    ]
    refuted = {**exposed, "verificationStatus": {"coding": [{"code": "refuted"}]}}
    assert all(state.item != "tuberculosis" for state in plan(child("2020-05-20"), refuted).services)


# ---- records without a plan


@pytest.mark.parametrize(
    "patient",
    [
        child("2025"),
        child("2025-05"),
        child("2026-11-23"),
        {"resourceType": "Patient", "id": "child"},
        child("2025-05-20", deceasedBoolean=True),
        child("2025-05-20", deceasedDateTime="2026-11-22"),
        child("2025-05-20", deceasedDateTime="2026"),
    ],
    ids=["year", "month", "unborn", "no birth date", "deceased", "deceased today", "deceased, some day"],
)
def test_who_has_no_plan(patient: Resource) -> None:
    assert assessor().on(date(2026, 11, 22)).plan(PatientRecord.of([patient])) is None


def test_a_death_that_is_written_down_ahead_ends_the_plan_on_its_day() -> None:
    record = PatientRecord.of([child("2026-10-01", deceasedDateTime="2026-11-24")])
    before = assessor().on(date(2026, 11, 22)).plan(record)
    assert before is not None
    assert before.changes_on == date(2026, 11, 24)
    assert assessor().on(date(2026, 11, 24)).plan(record) is None


# ---- the assessor


def test_what_it_reads_is_pulled_from_an_ehr() -> None:
    assert assessor().types == {
        "Claim",
        "Condition",
        "Encounter",
        "ExplanationOfBenefit",
        "Observation",
        "Patient",
        "Procedure",
    }
    # an EHR is asked for the rest whatever measures are in use; payers' files are read where there are some
    assert assessor().types - set(CLAIM_TYPES) <= set(types_to_pull(()))


def test_a_schedule_that_names_an_unknown_define_is_refused() -> None:
    schedule = load()
    (first, *rest) = schedule.items
    wrong = replace(schedule, items=(replace(first, shown_by="Wieghts"), *rest))
    with pytest.raises(
        VisitScheduleError, match=r"there is no define 'Wieghts' in Screenings\.cql; there are .*Weights"
    ):
        VisitAssessor(wrong)
