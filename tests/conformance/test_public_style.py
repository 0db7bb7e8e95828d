"""Libraries in the idioms of the public measures (QICore, FHIR; shared libraries of fluent and overloaded functions,
supplemental data, hospice exclusion, rolled-out supplies), over plain FHIR R4 JSON, with the values they must give."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import cql_like
from cql_like import ExpandedTerminology, to_cql
from gapsvc.records.record import PatientRecord

HERE = Path(__file__).parent / "public_style"
TEXTS = {file.stem: file.read_text("utf-8") for file in HERE.glob("*.cql")}
LIBRARIES: dict[tuple[str, str | None], str] = {
    (name, text.split(f"library {name} version '")[1].split("'")[0]): text for name, text in TEXTS.items()
}
ENGINES: tuple[cql_like.Engine, ...] = ("compiled", "reference")

SNOMED, CVX, LOINC = "http://snomed.info/sct", "http://hl7.org/fhir/sid/cvx", "http://loinc.org"
RACE = "urn:oid:2.16.840.1.113883.6.238"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def clinical(code: str) -> dict[str, Any]:
    return concept("http://terminology.hl7.org/CodeSystem/condition-clinical", code)


def quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def resource(kind: str, identity: str, **elements: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": identity, **elements}


def dose(identity: str, status: str = "completed", **elements: Any) -> dict[str, Any]:
    return resource("Immunization", identity, status=status, vaccineCode=concept(CVX, "110"), **elements)


def request(identity: str, **elements: Any) -> dict[str, Any]:
    supply = {"expectedSupplyDuration": quantity(30, "d")}
    common = {"status": "active", "intent": "order", "dispenseRequest": supply}
    return resource("MedicationRequest", identity, **{**common, **elements})


VALUE_SETS = [
    {
        "resourceType": "ValueSet",
        "url": f"urn:vs:{name}",
        "compose": {"include": [{"system": system, "concept": [{"code": code}]}]},
    }
    for name, system, code in (
        ("inpatient", SNOMED, "inpatient"),
        ("hospice", SNOMED, "hospice"),
        ("payer", "urn:payer", "1"),
        ("stimulants", RXNORM, "stimulant"),
        ("well", SNOMED, "410620009"),
        ("dtap", CVX, "110"),
        ("dtap-procedure", SNOMED, "vaccination"),
        ("anaphylaxis", SNOMED, "anaphylaxis"),
        ("refusal", SNOMED, "refused"),
    )
]

PATIENT = resource(
    "Patient",
    "ada",
    birthDate="2022-02-28",
    gender="female",
    extension=[
        {
            "url": f"{US_CORE}/us-core-race",
            "extension": [
                {"url": "ombCategory", "valueCoding": {"system": RACE, "code": "2106-3"}},
                {"url": "detailed", "valueCoding": {"system": RACE, "code": "1586-7"}},
                {"url": "text", "valueString": "White"},
            ],
        },
        {
            "url": f"{US_CORE}/us-core-ethnicity",
            "extension": [
                {"url": "ombCategory", "valueCoding": {"system": RACE, "code": "2135-2"}},
                {"url": "text", "valueString": "Hispanic"},
            ],
        },
    ],
)
PRESSURE = resource(
    "Observation",
    "pressure",
    status="final",
    code=concept(LOINC, "85354-9"),
    effectiveDateTime="2024-06-01T10:00:00Z",
    component=[
        {"code": concept(LOINC, "8480-6"), "valueQuantity": quantity(120, "mm[Hg]")},
        {"code": concept(LOINC, "8462-4"), "valueQuantity": quantity(80, "mm[Hg]")},
    ],
)
CHART = [
    PATIENT,
    resource(
        "Encounter",
        "well",
        status="finished",
        type=[concept(SNOMED, "410620009")],
        period={"start": "2024-03-01T10:00:00Z", "end": "2024-03-01T10:30:00Z"},
    ),
    resource(
        "Encounter",
        "stay",
        status="finished",
        type=[concept(SNOMED, "inpatient")],
        period={"start": "2024-05-01T10:00:00Z", "end": "2024-05-03T10:30:00Z"},
        diagnosis=[{"condition": {"reference": "https://ehr.example/Condition/reaction"}}],
    ),
    resource(
        "Condition",
        "reaction",
        code=concept(SNOMED, "anaphylaxis"),
        clinicalStatus=clinical("inactive"),
        onsetAge=quantity(1, "a"),
        abatementDateTime="2023-09-01",
    ),
    resource(
        "Condition",
        "later",
        code=concept(SNOMED, "anaphylaxis"),
        clinicalStatus=clinical("active"),
        onsetPeriod={"start": "2024-06-01", "end": "2024-06-08"},
    ),
    resource(
        "Condition", "cold", code=concept(SNOMED, "cold"), clinicalStatus=clinical("active"), onsetString="winter"
    ),
    dose("first", occurrenceDateTime="2022-04-30"),
    dose("second", occurrenceDateTime="2022-06-30"),
    dose("too-early", occurrenceDateTime="2022-03-30"),
    dose("told", occurrenceString="last spring"),
    dose("refused", "not-done", occurrenceDateTime="2022-07-30", statusReason=concept(SNOMED, "refused")),
    resource(
        "Procedure",
        "third",
        status="completed",
        code=concept(SNOMED, "vaccination"),
        performedPeriod={"start": "2023-01-01", "end": "2023-01-02"},
    ),
    resource("Coverage", "card", status="active", type=concept("urn:payer", "1"), period={"start": "2022-01-01"}),
    PRESSURE,
    resource("Observation", "lab", status="final", code=concept(LOINC, "718-7"), effectiveDateTime="2024-12-01"),
    request("coded", medicationCodeableConcept=concept(RXNORM, "stimulant"), authoredOn="2024-02-01"),
    request("referred", medicationReference={"reference": "Medication/m"}, authoredOn="2024-02-20"),
    request(
        "not-wanted",
        medicationCodeableConcept=concept(RXNORM, "stimulant"),
        authoredOn="2024-02-25",
        doNotPerform=True,
    ),
    resource("Medication", "m", code=concept(RXNORM, "stimulant")),
]

EXPECTED: dict[str, dict[str, str]] = {
    "ToddlerVaccines": {
        "SDE Ethnicity": "Tuple{codes: {Code{code: '2135-2', system: '" + RACE + "'}}, display: 'Hispanic'}",
        "SDE Race": "Tuple{codes: {Code{code: '2106-3', system: '" + RACE + "'}, "
        "Code{code: '1586-7', system: '" + RACE + "'}}, display: 'White'}",
        "SDE Payer": "{Tuple{code: Concept{codes: {Code{code: '1', system: 'urn:payer'}}}, "
        "period: Interval[@2022-01-01T, null]}}",
        "SDE Sex": "Code{code: 'F', system: 'urn:sex', display: 'Female'}",
        "Initial Population": "true",
        "Denominator": "true",
        "Denominator Exclusion": "false",
        "From 42 Days up to the Second Birthday": "Interval[@2022-04-11, @2024-02-27]",
        "DTaP Days": "{@2022-04-30, @2022-06-30, @2023-01-01}",
        "Three Doses": "true",
        "Reacted": "true",
        "Refused": "{'refused'}",
        "Numerator": "true",
        "Stays for the Diagnosis": "{'stay'}",
        "Newest Pressure": "Tuple{systolic: 120 'mm[Hg]', taken: @2024-06-01T10:00:00+00:00}",
        "Prevalences": "{Interval[@2023-02-28T, @2023-09-01T], Interval[@2024-06-01T, null], Interval[null, null]}",
    },
    "MedicationDays": {
        "Supplies": "{Interval[@2024-02-01, @2024-03-01], Interval[@2024-02-20, @2024-03-20]}",
        "Days Covered": "60",
    },
    "ConditionsOfProfiles": {
        "Ids": "{'reaction', 'later'}",
        "Since": "{null, @2024-06-01T}",
        "Systolic": "{120 'mm[Hg]'}",
        "Race": "{'2106-3'}",
    },
    "OverFhir": {
        "Onsets": "{Interval[@2023-02-28T, @2024-02-28T), Interval[@2024-06-01T, @2024-06-08T], null}",
        "By Concept": "{'reaction', 'later'}",
        "By Coding": "{'reaction', 'later'}",
        "Visits": "{'well'}",
        "Race": "'2106-3'",
        "Systolic Values": "{120, null}",
        "Last Visit": "'stay'",
        "Age": "1",
    },
}
ROWS = [(name, define, value) for name, values in EXPECTED.items() for define, value in values.items()]


def session(name: str, engine: cql_like.Engine, chart: list[dict[str, Any]]) -> cql_like.Session:
    library = cql_like.compile_library(TEXTS[name], libraries=LIBRARIES)
    period = cql_like.Interval(
        cql_like.DateTime(2024, 1, 1, 0, 0, 0, 0, 0), cql_like.DateTime(2024, 12, 31, 23, 59, 59, 999, 0)
    )
    asked = {"Measurement Period": period} if "Measurement Period" in TEXTS[name] else {}
    terminology = ExpandedTerminology.of(VALUE_SETS)
    now = datetime(2025, 1, 15, tzinfo=UTC)
    return library.session(PatientRecord.of(chart), parameters=asked, terminology=terminology, now=now, engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "define", "value"), ROWS, ids=[f"{name}.{define}" for name, define, _ in ROWS])
def test_a_define_of_a_public_style_library(name: str, define: str, value: str, engine: cql_like.Engine) -> None:
    assert to_cql(session(name, engine, CHART).evaluate(define)) == value


HOSPICE = {
    "discharged to it": resource(
        "Encounter",
        "h",
        status="finished",
        type=[concept(SNOMED, "inpatient")],
        period={"start": "2024-06-01", "end": "2024-06-03"},
        hospitalization={"dischargeDisposition": concept(SNOMED, "428361000124107")},
    ),
    "assessed": resource(
        "Observation",
        "h",
        status="final",
        code=concept(LOINC, "45755-6"),
        valueCodeableConcept=concept(SNOMED, "373066001"),
        effectivePeriod={"start": "2023-12-01", "end": "2024-01-01"},
    ),
    "ordered": resource(
        "ServiceRequest", "h", status="active", intent="order", code=concept(SNOMED, "hospice"), authoredOn="2024-12-31"
    ),
    "performed": resource(
        "Procedure", "h", status="completed", code=concept(SNOMED, "hospice"), performedDateTime="2024-02-29"
    ),
    "diagnosed": resource(
        "Condition", "h", code=concept(SNOMED, "hospice"), clinicalStatus=clinical("active"), onsetDateTime="2020-01-01"
    ),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("found", HOSPICE.values(), ids=HOSPICE)
def test_each_sign_of_hospice_care_excludes(found: dict[str, Any], engine: cql_like.Engine) -> None:
    assert session("ToddlerVaccines", engine, CHART).evaluate("Denominator Exclusion") is False
    assert session("ToddlerVaccines", engine, [*CHART, found]).evaluate("Denominator Exclusion") is True


def test_the_measure_names_what_it_needs() -> None:
    library = cql_like.compile_library(TEXTS["ToddlerVaccines"], libraries=LIBRARIES)
    needed = {(each.resource_type, *each.value_sets) for each in library.requirements}
    assert {
        ("Immunization", "urn:vs:dtap"),
        ("Procedure", "urn:vs:dtap-procedure"),
        ("Coverage", "urn:vs:payer"),
    } <= needed
