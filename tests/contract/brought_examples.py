"""A measure as public ones are published (QICore 4.1.1, FHIRHelpers and a common library), and children to try it on.

The CQL is our own; what public measures have in common with it is the form: profiles of QICore over plain FHIR R4
JSON, fluent functions, includes with versions, supplemental data, value sets by canonical.
"""

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

HERE = Path(__file__).parent / "brought"
BASE = "http://clinic.example/fhir"
CQFM = "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition"
LOINC, CPT, SNOMED = "http://loinc.org", "http://www.ama-assn.org/go/cpt", "http://snomed.info/sct"
VERSIONS = {"FHIRHelpers": "4.1.000", "Status": "1.1.0", "LeadScreening": "2.0.001"}


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def _criteria(define: str) -> dict[str, str]:
    return {"language": "text/cql-identifier", "expression": define}


def _library(name: str) -> dict[str, Any]:
    text = (HERE / f"{name}.cql").read_bytes()
    return {
        "resourceType": "Library",
        "id": name,
        "url": f"{BASE}/Library/{name}",
        "version": VERSIONS[name],
        "name": name,
        "status": "active",
        "type": concept("library-type", "logic-library"),
        "content": [
            {"contentType": "application/elm+json", "data": b64encode(b'{"library": {}}').decode()},
            {"contentType": "text/cql", "data": b64encode(text).decode()},
        ],
    }


def _value_set(name: str, system: str, *codes: str) -> dict[str, Any]:
    return {
        "resourceType": "ValueSet",
        "id": name,
        "url": f"{BASE}/ValueSet/{name}",
        "version": "20250508",
        "status": "active",
        "expansion": {
            "timestamp": "2025-05-08T00:00:00Z",
            "total": len(codes),
            "contains": [{"system": system, "code": code} for code in codes],
        },
    }


_POPULATIONS = {
    "initial-population": "Initial Population",
    "denominator": "Denominator",
    "denominator-exclusion": "Denominator Exclusions",
    "numerator": "Numerator",
}


def lead_screening(**also: Any) -> dict[str, Any]:
    """The Measure."""
    return {
        "resourceType": "Measure",
        "id": "LeadScreening",
        "extension": [{"url": f"{CQFM}/cqfm-populationBasis", "valueCode": "boolean"}],
        "url": f"{BASE}/Measure/LeadScreening",
        "version": "2.0.001",
        "name": "LeadScreening",
        "title": "Blood lead test by age two",
        "status": "active",
        "library": [f"{BASE}/Library/LeadScreening|2.0.001"],
        "scoring": concept("measure-scoring", "proportion"),
        "improvementNotation": concept("measure-improvement-notation", "increase"),
        "group": [
            {
                "id": "lead",
                "population": [
                    {"id": code, "code": concept("measure-population", code), "criteria": _criteria(define)}
                    for code, define in _POPULATIONS.items()
                ],
                "stratifier": [{"id": "elevated", "code": {"text": "Elevated"}, "criteria": _criteria("Elevated")}],
            }
        ],
        "supplementalData": [
            {"id": "sde-sex", "code": {"text": "Sex"}, "criteria": _criteria("SDE Sex")},
            {"id": "sde-payer", "code": {"text": "Payer"}, "criteria": _criteria("SDE Payer")},
        ],
        **also,
    }


def measure_bundle(measure: Mapping[str, Any]) -> bytes:
    """The bundle that a user brings: Measure, Libraries, ValueSets."""
    resources = [
        measure,
        *(_library(name) for name in VERSIONS),
        _value_set("blood-lead", LOINC, "5671-3", "10368-9"),
        _value_set("office-visit", CPT, "99213", "99392"),
        _value_set("hospice", SNOMED, "385763009"),
    ]
    entries = [{"fullUrl": f"{BASE}/{one['resourceType']}/{one['id']}", "resource": one} for one in resources]
    return orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def child(name: str, *, sex: str = "female", born: str = "2024-04-10") -> list[dict[str, Any]]:
    """A child who turns two in 2026 and was seen in that year."""
    return [
        {"resourceType": "Patient", "id": name, "birthDate": born, "gender": sex},
        _about(name, "visit", "Encounter", CPT, "99392", type_at="type", period=("2026-04-12T09:00:00-07:00",)),
        {
            "resourceType": "Coverage",
            "id": f"{name}-coverage",
            "status": "active",
            "beneficiary": {"reference": f"Patient/{name}"},
            "payor": [{"display": "Medi-Cal"}],
        },
    ]


def lead_test(name: str, day: str, value: float, status: str = "final") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"{name}-lead",
        "status": status,
        "category": [concept("observation-category", "laboratory")],
        "code": {"coding": [{"system": LOINC, "code": "5671-3"}]},
        "subject": {"reference": f"Patient/{name}"},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value, "unit": "ug/dL", "system": "http://unitsofmeasure.org", "code": "ug/dL"},
    }


def hospice(name: str) -> dict[str, Any]:
    period = ("2026-02-01T00:00:00Z", "2026-02-20T00:00:00Z")
    return _about(name, "hospice", "Encounter", SNOMED, "385763009", type_at="type", period=period)


def _about(
    name: str, what: str, kind: str, system: str, code: str, *, type_at: str, period: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "resourceType": kind,
        "id": f"{name}-{what}",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        type_at: [{"coding": [{"system": system, "code": code}]}],
        "subject": {"reference": f"Patient/{name}"},
        "period": {"start": period[0], "end": period[-1]},
    }


# Who they are, and what is true of them in 2026.
CHILDREN: Mapping[str, list[dict[str, Any]]] = {
    "tested": [*child("tested"), lead_test("tested", "2025-05-01", 2.1)],
    "elevated": [*child("elevated", sex="male"), lead_test("elevated", "2025-05-01", 6.0)],
    "untested": child("untested"),
    "too-late": [*child("too-late", sex="male"), lead_test("too-late", "2026-04-11", 1.0)],
    "preliminary": [*child("preliminary"), lead_test("preliminary", "2025-05-01", 1.0, status="preliminary")],
    "in-hospice": [*child("in-hospice"), hospice("in-hospice")],
    "too-old": child("too-old", born="2020-01-01"),
}
