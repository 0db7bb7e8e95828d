"""Measures as users bring them: small FHIR bundles, and a child's record to try them on."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import orjson

from gapsvc.evaluation.evaluator import Evaluator
from gapsvc.evaluation.result import MeasureResult
from gapsvc.measures.definition import MeasureDefinition, MeasureError
from gapsvc.measures.documents import Document
from gapsvc.measures.importing import import_measures
from gapsvc.records.record import PatientRecord

YEAR = (date(2025, 1, 1), date(2025, 12, 31))
AS_OF = date(2025, 6, 15)
CPT = "http://www.ama-assn.org/go/cpt"
CQFM = "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition"
BASE = "http://clinic.example/fhir"

VISITS_CQL = """library Visits version '1.2.0'
using FHIR version '4.0.1'
codesystem "CPT": 'http://www.ama-assn.org/go/cpt'
valueset "Well Visit": 'http://clinic.example/fhir/ValueSet/well-visit'
parameter "Measurement Period" Interval<DateTime>
context Patient
define "Period": Interval[date from start of "Measurement Period", date from end of "Measurement Period"]
define "Visits": [Encounter] E where date from start of E.period during "Period"
define "Finished": "Visits" E where E.status = 'finished'
define "Cancelled": "Visits" E where E.status = 'cancelled'
define "Well": [Encounter: type in "Well Visit"] E where date from start of E.period during "Period"
define "Well Finished": "Well" E where E.status = 'finished'
define "Born By Then": Patient.birthDate on or before start of "Period"
define "Has Visit": exists "Visits"
define "Has Well": exists "Well Finished"
define "In Hospice": exists ("Visits" E where E.class.code = 'HH')
define "Left": exists ("Visits" E where E.status = 'entered-in-error')
define "Nobody": false
define "Gender": Patient.gender
define "Sex And Age": Tuple { sex: Patient.gender, years: AgeInYearsAt(start of "Period") }
define "Cared For": [Coverage]
define "Many Visits": Count("Visits") > 2
define "Emergencies": "Visits" E where E.class.code = 'EMER'
define "Visit Count": Count("Visits")
// A visit whose end is not known has no length. (The end of an interval without one is the end of time.)
define function "Hours"(visit Encounter):
  difference in hours between visit.period."start".value and visit.period."end".value
define function "Minutes"(visit Encounter):
  ToQuantity(ToString(
    difference in minutes between visit.period."start".value and visit.period."end".value) + ' \\'min\\'')
define function "Class"(visit Encounter): visit.class.code
define function "Visits Made"(): Count("Visits")
define function "Name"(visit Encounter): visit.id.value
"""

WELL_VISIT = {
    "resourceType": "ValueSet",
    "id": "well-visit",
    "url": f"{BASE}/ValueSet/well-visit",
    "version": "2025",
    "status": "active",
    "compose": {"include": [{"system": CPT, "concept": [{"code": "99391"}, {"code": "99392"}]}]},
}


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def criteria(expression: str, language: str = "text/cql-identifier") -> dict[str, Any]:
    return {"language": language, "expression": expression}


def population(code: str, define: str, **also: Any) -> dict[str, Any]:
    return {"id": code, "code": concept("measure-population", code), "criteria": criteria(define), **also}


def extension(name: str, **value: Any) -> dict[str, Any]:
    return {"url": f"{CQFM}/cqfm-{name}", **value}


def group(name: str, populations: Mapping[str, str], *more: Mapping[str, Any], **also: Any) -> dict[str, Any]:
    found = [population(code, define) for code, define in populations.items()]
    return {"id": name, "description": name, "population": [*found, *more], **also}


def observation(function: str, aggregate: str, of: str, number: int = 1) -> dict[str, Any]:
    return population(
        "measure-observation",
        function,
        id=f"observation-{number}",
        extension=[
            extension("aggregateMethod", valueCode=aggregate),
            extension("criteriaReference", valueString=of),
        ],
    )


def library(cql: str, name: str = "Visits", version: str = "1.2.0") -> dict[str, Any]:
    elm = {"contentType": "application/elm+json", "data": b64encode(b"{}").decode()}
    text = {"contentType": "text/cql", "data": b64encode(cql.encode()).decode()}
    return {
        "resourceType": "Library",
        "id": name,
        "url": f"{BASE}/Library/{name}",
        "version": version,
        "name": name,
        "status": "active",
        "type": concept("library-type", "logic-library"),
        "content": [elm, text],
    }


def measure(scoring: str | None, *groups: Mapping[str, Any], basis: str | None = None, **also: Any) -> dict[str, Any]:
    found = {
        "resourceType": "Measure",
        "id": "visits",
        "url": f"{BASE}/Measure/visits",
        "version": "1.2.0",
        "name": "Visits",
        "title": "Visits of children",
        "status": "active",
        "library": [f"{BASE}/Library/Visits|1.2.0"],
        "group": list(groups),
        **also,
    }
    if scoring is not None:
        found["scoring"] = concept("measure-scoring", scoring)
    if basis is not None:
        found["extension"] = [extension("populationBasis", valueCode=basis)]
    return found


PROPORTION = group("rate", {"initial-population": "Born By Then", "denominator": "Has Visit", "numerator": "Has Well"})


def bundle(*resources: Mapping[str, Any]) -> Document:
    entries = [{"resource": resource} for resource in resources]
    return Document("visits.json", orjson.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))


def brought(made: Mapping[str, Any], cql: str = VISITS_CQL) -> MeasureDefinition:
    (found,) = import_measures([bundle(made, library(cql), WELL_VISIT)])
    return found


def problems(*resources: Mapping[str, Any]) -> list[str]:
    """What is wrong with a bundle; without its file's name, and of CQL errors without the excerpt."""
    try:
        import_measures([bundle(*resources)])
    except MeasureError as error:
        return [text.replace("visits.json: ", "").split("\n")[0] for text in error.problems]
    return []


def visit(
    name: str, start: str, end: str = "", status: str = "finished", kind: str = "AMB", code: str = "99213"
) -> Any:
    period = {"start": start, **({"end": end} if end else {})}
    return {
        "resourceType": "Encounter",
        "id": name,
        "status": status,
        "class": {"code": kind},
        "type": [{"coding": [{"system": CPT, "code": code}]}],
        "period": period,
    }


def child(name: str, *resources: Mapping[str, Any], born: str = "2024-03-01", gender: str = "female") -> PatientRecord:
    patient = {"resourceType": "Patient", "id": name, "birthDate": born, "gender": gender}
    return PatientRecord.of([patient, *resources])


def evaluated(made: MeasureDefinition, *records: PatientRecord) -> Sequence[MeasureResult]:
    """Each record's result, on both evaluators, which must agree."""
    compiled, reference = (
        [
            Evaluator(made, software="gapsvc test", engine=engine).evaluate(record, *YEAR, AS_OF)  # type: ignore[arg-type]
            for record in records
        ]
        for engine in ("compiled", "reference")
    )
    assert compiled == reference
    return compiled
