"""FHIR in and out: what becomes a dose or an observation, and resources that FHIR R4 accepts."""

from datetime import date
from typing import Any

import orjson
import pytest
from fhir.resources.R4B.immunizationevaluation import ImmunizationEvaluation
from fhir.resources.R4B.immunizationrecommendation import ImmunizationRecommendation

from fhir_profiles import immds
from gapsvc.schedule.immunizations import GivenDose, Observation, Schedule, UnusableCase
from gapsvc.schedule.immunizations.fhir_input import CPT, CVX, LOINC, MVX, NDC, SNOMED, FhirCase, read_resources
from gapsvc.schedule.immunizations.fhir_output import RefusedParameter, immds_forecast
from gapsvc.schedule.immunizations.vaccine_codes import CPT_TO_CVX, LOINC_TO_OBSERVATION, CodeTable, normal_ndc

Resource = dict[str, Any]
CHILD: Resource = {"resourceType": "Patient", "id": "child", "gender": "female", "birthDate": "2025-01-10"}
TODAY = date(2026, 1, 10)


def concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def immunization(day: str | None, *codings: tuple[str, str], **more: Any) -> Resource:
    found: Resource = {
        "resourceType": "Immunization",
        "id": "imm",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": system, "code": code} for system, code in codings]},
        "patient": {"reference": "Patient/child"},
        **more,
    }
    return found if day is None else {**found, "occurrenceDateTime": day}


def read(schedule: Schedule, *resources: Resource, patient: Resource = CHILD, **more: Any) -> FhirCase:
    return read_resources(schedule, patient, resources, assessed=TODAY, **more)


def codes(schedule: Schedule, *resources: Resource) -> list[tuple[str, str | None]]:
    """The observations that resources become, with their days."""
    found = read(schedule, *resources).case.observations
    return sorted((one.code, one.day.isoformat() if one.day else None) for one in found)


def test_an_immunization_becomes_a_dose(schedule: Schedule) -> None:
    """The day as written, CVX, maker, lot, volume, potency; a reported dose is told apart."""
    found = read(
        schedule,
        immunization(
            "2025-03-10T23:30:00-08:00",
            (CVX, "20"),
            manufacturer={"reference": "#maker"},
            contained=[
                {"resourceType": "Organization", "id": "maker", "identifier": [{"system": MVX, "value": "PMC"}]}
            ],
            doseQuantity={"value": 0.5, "unit": "mL"},
            expirationDate="2025-02",
            isSubpotent=True,
            primarySource=False,
        ),
        immunization("2025-05-10", (CVX, "20"), manufacturer={"identifier": {"system": MVX, "value": "SKB"}}),
    )
    assert found.case.doses == (
        GivenDose(date(2025, 3, 10), "20", mvx="PMC", volume=0.5, lot_expires="2025-02", condition=True),
        GivenDose(date(2025, 5, 10), "20", mvx="SKB"),
    )
    assert (found.references, found.historical, found.remarks) == (
        ("Immunization/imm", "Immunization/imm"),
        frozenset({0}),
        (),
    )
    assert (found.case.born, found.case.gender, found.case.assessed) == (date(2025, 1, 10), "female", TODAY)


@pytest.mark.parametrize(
    ("codings", "cvx"),
    [
        ([(CPT, "90700"), (CVX, "107")], "107"),  # CVX itself goes first
        ([(CPT, "90723")], "110"),
        ([(NDC, "49281-0286-10")], "106"),
        ([(NDC, "49281028610")], "106"),
        ([("urn:oid:2.16.840.1.113883.12.292", "08")], "08"),
        ([(CPT, "90734")], None),  # several CVX codes share it
        ([(SNOMED, "1")], None),
    ],
)
def test_other_code_systems_lead_to_cvx(schedule: Schedule, codings: list[tuple[str, str]], cvx: str | None) -> None:
    found = read(schedule, immunization("2025-03-10", *codings), codes=CodeTable(ndc={"49281028610": "106"}))
    assert found.case.doses[0].cvx == cvx
    assert [one.code for one in found.remarks] == ([] if cvx else ["no-cvx"])


@pytest.mark.parametrize(
    ("code", "normal"),
    [("0005-1971-02", "00005197102"), ("49281-286-10", "49281028610"), ("4928128610", None), ("a-b-c", None)],
)
def test_national_drug_codes_have_one_form(code: str, normal: str | None) -> None:
    assert normal_ndc(code) == normal


@pytest.mark.parametrize(
    ("resource", "remark"),
    [
        (immunization("2025-03-10", (CVX, "20"), status="entered-in-error"), "not-completed"),
        (immunization("2025-03-10", (CVX, "20"), status="not-done"), "not-done"),
        (
            immunization("2025-03-10", (CVX, "20"), status="not-done", statusReason=concept("x", "PATOBJ")),
            "refused",
        ),
        (
            immunization("2025-03-10", (CVX, "20"), status="not-done", statusReason=concept("x", "MEDPREC")),
            "contraindicated",
        ),
    ],
)
def test_what_was_not_given_is_no_dose(schedule: Schedule, resource: Resource, remark: str) -> None:
    found = read(schedule, resource)
    assert (found.case.doses, [one.code for one in found.remarks]) == ((), [remark])


@pytest.mark.parametrize("day", ["2025", "2025-03", "2025-02-30", "", 5])
def test_a_partial_date_is_a_dose_without_a_day(schedule: Schedule, day: Any) -> None:
    found = read(schedule, immunization(day, (CVX, "20")))
    assert (found.case.doses, [one.code for one in found.remarks]) == ((GivenDose(None, "20"),), ["partial-date"])


def test_conditions_count_while_active_and_diseases_afterwards_too(schedule: Schedule) -> None:
    """Pregnancy only while it lasts; chickenpox leaves immunity behind (CDC codes both in SNOMED CT)."""

    def condition(code: str, status: str, verification: str = "confirmed") -> Resource:
        return {
            "resourceType": "Condition",
            "code": concept(SNOMED, code),
            "clinicalStatus": concept("s", status),
            "verificationStatus": concept("v", verification),
            "onsetDateTime": "2025-06-01",
        }

    assert codes(schedule, condition("77386006", "active")) == [("007", "2025-06-01")]
    assert codes(schedule, condition("77386006", "resolved")) == []
    assert codes(schedule, condition("38907003", "resolved")) == [("024", "2025-06-01")]
    assert codes(schedule, condition("38907003", "active", "refuted")) == []


def test_a_severe_allergy_to_a_vaccine_contraindicates_what_it_holds(schedule: Schedule) -> None:
    """Pediarix (110): diphtheria, tetanus, pertussis, polio, hepatitis B; a mild reaction contraindicates nothing."""

    def allergy(**more: Any) -> Resource:
        return {"resourceType": "AllergyIntolerance", "code": concept(CVX, "110"), **more}

    severe = [("081", None), ("086", None), ("087", None), ("088", None), ("097", None)]
    assert codes(schedule, allergy(criticality="high")) == severe
    assert codes(schedule, allergy(reaction=[{"severity": "severe"}])) == severe
    assert codes(schedule, allergy(criticality="low")) == []
    assert codes(schedule, allergy(criticality="high", clinicalStatus=concept("s", "inactive"))) == []
    assert codes(schedule, {"resourceType": "AllergyIntolerance", "code": concept(SNOMED, "293110008")}) == [
        ("097", None)
    ]


def test_titres_show_immunity_only_when_they_are_positive(schedule: Schedule) -> None:
    def titre(loinc: str, **more: Any) -> Resource:
        return {
            "resourceType": "Observation",
            "id": "o",
            "status": "final",
            "code": concept(LOINC, loinc),
            "effectiveDateTime": "2025-11-01",
            **more,
        }

    assert codes(schedule, titre("8047-1", interpretation=[concept("i", "POS")])) == [("023", "2025-11-01")]
    assert codes(schedule, titre("8014-1", valueCodeableConcept=concept(SNOMED, "10828004"))) == [("022", "2025-11-01")]
    assert codes(schedule, titre("8047-1", interpretation=[concept("i", "NEG")])) == []
    assert codes(schedule, titre("8047-1", status="preliminary", interpretation=[concept("i", "POS")])) == []
    bare = read(schedule, titre("8047-1", valueQuantity={"value": 400, "unit": "mIU/mL"}))
    assert (bare.case.observations, [one.code for one in bare.remarks]) == ((), ["no-interpretation"])


def test_pregnancy_has_its_onset_from_the_last_period_or_the_due_date(schedule: Schedule) -> None:
    def dated(loinc: str, day: str) -> Resource:
        return {
            "resourceType": "Observation",
            "status": "final",
            "code": concept(LOINC, loinc),
            "valueDateTime": day,
        }

    assert codes(schedule, dated("8665-2", "2025-06-01")) == [("170", "2025-06-01")]
    assert codes(schedule, dated("11778-8", "2026-03-08")) == [("170", "2025-06-01")]


def test_broken_resources_never_raise(schedule: Schedule) -> None:
    broken: list[Resource] = [
        {},
        {"resourceType": "Immunization"},
        {"resourceType": "Immunization", "status": "completed", "vaccineCode": [], "manufacturer": "x"},
        {"resourceType": "Condition", "code": {"coding": [None, {"code": 5}]}},
        {"resourceType": "AllergyIntolerance", "reaction": {"severity": "severe"}},
        {"resourceType": "Observation", "status": "final", "code": None, "interpretation": {}},
    ]
    found = read(schedule, *broken)
    assert found.case.doses == (GivenDose(None, None),)
    assert found.case.observations == ()


@pytest.mark.parametrize("birth", [None, "2025", "2025-13-01", "2027-01-01"])
def test_without_a_birth_date_nothing_can_be_said(schedule: Schedule, birth: str | None) -> None:
    with pytest.raises(UnusableCase, match=r"Patient\.birthDate"):
        read(schedule, patient={**CHILD, "birthDate": birth})


def parameters(*parts: Resource, assessed: str | None = "2026-01-10", patient: Resource | None = CHILD) -> Resource:
    listed: list[Resource] = []
    if assessed is not None:
        listed.append({"name": "assessmentDate", "valueDate": assessed})
    if patient is not None:
        listed.append({"name": "patient", "resource": patient})
    return {
        "resourceType": "Parameters",
        "parameter": [*listed, *({"name": "immunization", "resource": r} for r in parts)],
    }


def test_the_immds_operation(schedule: Schedule) -> None:
    """$immds-forecast: an evaluation per dose and series, one recommendation; FHIR R4 accepts them all."""
    early = immunization("2025-02-10", (CVX, "20"), id="early")
    good = immunization("2025-03-10", (CVX, "20"), id="good")
    answer = immds_forecast(schedule, parameters(early, good), today=date(2030, 1, 1))
    assert orjson.loads(orjson.dumps(answer)) == answer
    evaluations = [one["resource"] for one in answer["parameter"] if one["name"] == "evaluation"]
    (recommended,) = [one["resource"] for one in answer["parameter"] if one["name"] == "recommendation"]
    for one in evaluations:
        ImmunizationEvaluation.model_validate(one)
    ImmunizationRecommendation.model_validate(recommended)

    pertussis = [one for one in evaluations if one["targetDisease"]["text"] == "Pertussis"]
    assert [
        (one["immunizationEvent"]["reference"], one["doseStatus"]["coding"][0]["code"], one.get("doseStatusReason"))
        for one in pertussis
    ] == [
        (
            "Immunization/early",
            "notvalid",
            [
                {"coding": [{"system": immds.STATUS_REASON, "code": "outsidesched"}], "text": "Age: Too Young"},
                {"text": "Not a preferable or allowable vaccine"},  # allowable only from six weeks less four days
            ],
        ),
        ("Immunization/good", "valid", None),
    ]
    assert recommended["date"] == "2026-01-10"
    assert recommended["authority"] == {"display": "CDC CDSi supporting data 4.64"}
    (dtap,) = [one for one in recommended["recommendation"] if one["vaccineCode"][0]["text"] == "DTaP/Tdap/Td"]
    assert [coding["code"] for coding in dtap["forecastStatus"]["coding"]] == ["Not Complete", "LA13423-1"]
    assert dtap["doseNumberPositiveInt"] == 2
    assert {one["code"]["coding"][0]["code"]: one["value"] for one in dtap["dateCriterion"]} == {
        "30981-5": "2025-04-07",
        "30980-7": "2025-05-10",
        "59778-1": "2025-07-07",
    }
    assert [one["reference"] for one in dtap["supportingImmunization"]] == ["Immunization/early", "Immunization/good"]


def test_the_operation_assesses_today_unless_told_otherwise(schedule: Schedule) -> None:
    answer = immds_forecast(schedule, parameters(assessed=None), today=date(2025, 2, 1))
    assert answer["parameter"][-1]["resource"]["date"] == "2025-02-01"


@pytest.mark.parametrize(
    ("sent", "expression"),
    [
        ({"resourceType": "Bundle"}, "Parameters"),
        (parameters(patient=None), "Parameters.parameter"),
        (parameters(assessed="soon"), "Parameters.parameter[0].valueDate"),
        (parameters(patient={"resourceType": "Group"}), "Parameters.parameter[1].resource"),
        (parameters(patient={**CHILD, "birthDate": "2025"}), "Parameters.parameter.where(name='patient').resource"),
    ],
)
def test_a_bad_parameter_is_refused_with_its_place(schedule: Schedule, sent: Resource, expression: str) -> None:
    with pytest.raises(RefusedParameter) as refused:
        immds_forecast(schedule, sent, today=TODAY)
    assert refused.value.expression == expression


def test_the_code_tables_lead_somewhere(schedule: Schedule) -> None:
    """Every CVX and every observation that the tables name is known to the schedule, every antigen has a disease."""
    assert set(CPT_TO_CVX.values()) <= set(schedule.vaccines)
    assert set(LOINC_TO_OBSERVATION.values()) <= set(schedule.observation_titles)
    assert set(schedule.antigens) - set(immds.TARGET_DISEASES) == {"Orthopoxvirus"}


def test_a_recommendation_needs_a_forecast() -> None:
    with pytest.raises(ValueError, match="at least one forecast"):
        immds.recommendation(immds.Basis("Patient/1", TODAY, "a schedule"), [])


def test_observations_with_and_without_a_day_are_kept(schedule: Schedule) -> None:
    finding = {"resourceType": "Observation", "status": "final", "valueCodeableConcept": concept(SNOMED, "77386006")}
    assert read(schedule, finding).case.observations == (Observation("007"),)
