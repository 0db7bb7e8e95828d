"""A measure's own cases: `cases/*.json`, a record in, populations and gap out, in words that a clinician can read.

A file holds a list of cases. A case gives the record in short: `born`, and by id

- `visits`: the day, or an object with `on` and what differs from an ordinary finished office visit;
- `doses` (Immunization), `procedures`, `observations`, `conditions`: `"<code> <day>"`, or an object with `code`,
  `on` and what differs (`status`, `system`; `value` of an observation; `also`: FHIR elements as they are). The code's
  system is CVX, CPT, LOINC or SNOMED CT by the kind of resource, unless `system` says otherwise;
- `claims` (Claim of one line, or what `type` says): `"<code> <day>"`, or an object with `code`, `on` and what differs
  (`status`, `use`, `system`, `place`, `modifier`, `diagnosis` in ICD-10-CM, `also`);
- `coverage` (with a plan): `"<first day> <last day>"`, `"<first day>"` where it goes on, or an object with `from`, `to`
  and what differs (`status`, `also`).

It may add FHIR resources as they are (`resources`, each about `Patient/child`). `expect` says, per group, the furthest
population reached and the parts of the gap record; `"*"` says it of every group that is not named.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

import orjson

from gapsvc.evaluation.result import GroupResult
from gapsvc.records.record import PatientRecord

Said = Mapping[str, Any]
CHILD = "Patient/child"
CPT = "http://www.ama-assn.org/go/cpt"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
SNOMED = "http://snomed.info/sct"
PLACE_OF_SERVICE = "https://www.cms.gov/Medicare/Coding/place-of-service-codes"
# Short names of the systems in cases.
SYSTEMS: Mapping[str, str] = {
    "CVX": "http://hl7.org/fhir/sid/cvx",
    "CPT": CPT,
    "CDT": "http://www.ada.org/cdt",
    "LOINC": "http://loinc.org",
    "SNOMED": SNOMED,
    "HCPCS": "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "ICD-10-CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "ICD-10-PCS": "http://hl7.org/fhir/sid/icd-10-pcs",
}
# In short -> resource type, the element of its code, its day, who it is about, and its system and status unless said.
_KINDS: Mapping[str, tuple[str, str, str, str, str, str]] = {
    "doses": ("Immunization", "vaccineCode", "occurrenceDateTime", "patient", "CVX", "completed"),
    "procedures": ("Procedure", "code", "performedDateTime", "subject", "CPT", "completed"),
    "observations": ("Observation", "code", "effectiveDateTime", "subject", "LOINC", "final"),
    "conditions": ("Condition", "code", "onsetDateTime", "subject", "SNOMED", ""),
}
# What a group's `populations` may be called, and what that means.
REACHED: Mapping[str, tuple[int, int, int, int]] = {
    # initial-population, denominator, denominator-exclusion, numerator
    "none": (0, 0, 0, 0),
    "not enrolled": (1, 0, 0, 0),
    "excluded": (1, 1, 1, 0),
    "denominator": (1, 1, 0, 0),
    "numerator": (1, 1, 0, 1),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One case of one measure."""

    file: str
    title: str
    period: tuple[date, date]
    as_of: date
    parameters: Mapping[str, Any]
    record: PatientRecord
    expect: Mapping[str, Mapping[str, Any]]


def read_cases(folder: Path) -> Iterator[Case]:
    """The cases of a measure folder, in the order of files and within them."""
    for file in sorted((folder / "cases").glob("*.json")):
        for case in orjson.loads(file.read_bytes()):
            start, end = case.get("period", ["2026-01-01", "2026-12-31"])
            yield Case(
                file=file.name,
                title=case["title"],
                period=(date.fromisoformat(start), date.fromisoformat(end)),
                as_of=date.fromisoformat(case["as_of"]),
                parameters=case.get("parameters", {}),
                record=_record(case),
                expect=case["expect"],
            )


def _record(case: Mapping[str, Any]) -> PatientRecord:
    patient = {"resourceType": "Patient", "id": "child", "birthDate": case["born"], **case.get("patient", {})}
    visits = [_visit(name, visit) for name, visit in case.get("visits", {}).items()]
    others = [_resource(kind, name, said) for kind in _KINDS for name, said in cast("Said", case.get(kind, {})).items()]
    claims = [_claim(name, claim) for name, claim in cast("Said", case.get("claims", {})).items()]
    coverage = [_coverage(name, span) for name, span in cast("Said", case.get("coverage", {})).items()]
    return PatientRecord.of([patient, *visits, *others, *claims, *coverage, *case.get("resources", [])])


def _resource(kind: str, name: str, short: Any) -> dict[str, Any]:
    resource_type, code, day, about, system, status = _KINDS[kind]
    said: dict[str, Any] = dict(zip(("code", "on"), short.split(), strict=False)) if isinstance(short, str) else short
    named = said.get("system", system)
    made: dict[str, Any] = {
        "resourceType": resource_type,
        "id": name,
        code: {"coding": [{"system": SYSTEMS.get(named, named), "code": said["code"]}]},
        about: {"reference": CHILD},
    }
    if said.get("status", status):
        made["status"] = said.get("status", status)
    if said.get("on"):
        made[day] = said["on"]
    if kind == "observations" and said.get("value", 1) is not None:
        made["valueQuantity"] = {"value": said.get("value", 1)}
    return {**made, **said.get("also", {})}


def _visit(name: str, visit: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"on": visit} if isinstance(visit, str) else visit
    encounter: dict[str, Any] = {
        "resourceType": "Encounter",
        "id": name,
        "status": said.get("status", "finished"),
        "class": {"system": ACT, "code": said.get("class", "AMB")},
        "subject": {"reference": CHILD},
        "period": {"start": said["on"]} if said.get("on") else {},
    }
    if said.get("type", "99391") is not None:
        encounter["type"] = [{"coding": [{"system": said.get("system", CPT), "code": said.get("type", "99391")}]}]
    return {**encounter, **said.get("also", {})}


def _claim(name: str, short: Any) -> dict[str, Any]:
    said: Said = dict(zip(("code", "on"), short.split(), strict=True)) if isinstance(short, str) else short
    system = said.get("system", CPT)
    line: dict[str, Any] = {
        "sequence": 1,
        "productOrService": {"coding": [{"system": SYSTEMS.get(system, system), "code": said["code"]}]},
    }
    if said.get("on"):
        line["servicedDate"] = said["on"]
    if "place" in said:
        line["locationCodeableConcept"] = {"coding": [{"system": PLACE_OF_SERVICE, "code": said["place"]}]}
    if "modifier" in said:
        line["modifier"] = [{"coding": [{"system": CPT, "code": said["modifier"]}]}]
    claim: dict[str, Any] = {
        "resourceType": said.get("type", "Claim"),
        "id": name,
        "status": said.get("status", "active"),
        "use": said.get("use", "claim"),
        "patient": {"reference": CHILD},
        "item": [line],
    }
    if "diagnosis" in said:
        concept = {"coding": [{"system": SYSTEMS["ICD-10-CM"], "code": said["diagnosis"]}]}
        claim["diagnosis"] = [{"sequence": 1, "diagnosisCodeableConcept": concept}]
    return {**claim, **said.get("also", {})}


def _coverage(name: str, short: Any) -> dict[str, Any]:
    said: Said = dict(zip(("from", "to"), short.split(), strict=False)) if isinstance(short, str) else short
    days = {"start": said.get("from"), "end": said.get("to")}
    return {
        "resourceType": "Coverage",
        "id": name,
        "status": said.get("status", "active"),
        "beneficiary": {"reference": CHILD},
        "payor": [{"display": "a plan"}],
        "period": {key: day for key, day in days.items() if day is not None},
        **said.get("also", {}),
    }


def differences(case: Case, groups: tuple[GroupResult, ...]) -> list[str]:
    """What a result says otherwise than the case expects; empty where they agree. A part that the case does not
    mention is not compared; `populations` and `status` must be mentioned."""
    found: list[str] = []
    by_id = {group.id: group for group in groups}
    unknown = case.expect.keys() - by_id.keys() - {"*"}
    if unknown:
        found.append(f"the measure has no group {sorted(unknown)}")
    rest = case.expect.get("*")
    expectations = {**({} if rest is None else dict.fromkeys(by_id, rest)), **case.expect}
    for name, expected in expectations.items():
        if name in by_id:
            actual = _said(by_id[name])
            parts = dict.fromkeys(("populations", "status", *expected))
            found += [
                f"{name}.{part}: expected {expected.get(part)!r}, found {actual[part]!r}"
                for part in parts
                if expected.get(part) != actual[part]
            ]
    return found


def _said(group: GroupResult) -> dict[str, Any]:
    """A group's result in the words that cases use."""
    gap = group.gap
    counts = tuple(
        group.populations.get(code, 0)
        for code in ("initial-population", "denominator", "denominator-exclusion", "numerator")
    )
    return {
        "populations": next((word for word, means in REACHED.items() if means == counts), f"impossible: {counts}"),
        "status": gap.status.value,
        "need": gap.need.text if gap.need else None,
        "needed": gap.needed,
        "done": gap.done,
        "due_from": _iso(gap.due_from),
        "due_by": _iso(gap.due_by),
        "last_day": _iso(gap.last_day),
        "outlook": gap.outlook.value,
        "changes_on": _iso(gap.changes_on),
        "counted": [_named(counted.reference) for counted in gap.counted],
        "discounted": {_named(item.reference): item.reason for item in gap.discounted},
        "reasons": [reason.text for reason in gap.reasons],
    }


def _named(reference: str) -> str:
    """A resource as the case names it: by its id."""
    return reference.partition("/")[2]


def _iso(value: date | None) -> str | None:
    return value.isoformat() if value else None
