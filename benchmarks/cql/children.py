"""The children of the benchmark: sandbox children old enough to have turned two, with rare events added.

The sandbox plans no anaphylaxis, no vaccine-preventable disease and no hospice, and no vaccine that is known only as
a billed procedure. One child in eight gets one of these here, so that every branch of the measure has work to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from gapsvc.records.assemble import Sourced
from gapsvc.records.population import population
from gapsvc.records.record import PatientRecord
from gapsvc.sandbox import generate

SEED = 11
AS_OF = date(2026, 11, 22)
ONE_IN = 8


@dataclass(frozen=True, slots=True)
class Child:
    """A record, and the calendar year in which the child turns two: the year over which it is measured."""

    record: PatientRecord
    year: int


def children(size: int) -> list[Child]:
    """`size` children who turn two by the end of the as-of year, the same on every run."""
    generated = generate(SEED, round(size * 1.6) + 120, AS_OF)
    found: list[Child] = []
    for record in population(Sourced("sandbox", resource) for resource in generated.resources()):
        birth = record.patient.get("birthDate", "")
        if record.patient["id"].startswith("child-") and len(birth) == 10 and int(birth[:4]) + 2 <= AS_OF.year:
            if len(found) % ONE_IN == 0:
                record = _with_rarity(record, date.fromisoformat(birth), len(found) // ONE_IN)
            found.append(Child(record, int(birth[:4]) + 2))
            if len(found) == size:
                return found
    raise ValueError(f"the sandbox gave {len(found)} children who turned two; wanted {size}")


_ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
_SNOMED = "http://snomed.info/sct"
_CPT = "http://www.ama-assn.org/go/cpt"

# What is added, in turn: (type, system, code, days after birth) of each resource.
_RARITIES: Sequence[Sequence[tuple[str, str, str, int]]] = (
    (("Condition", _SNOMED, "428281000124107", 70),),
    (("Condition", _ICD10, "B05.9", 200), ("Condition", _ICD10, "B26.9", 300), ("Condition", _ICD10, "B06.9", 400)),
    (("Condition", _ICD10, "B05.9", 200), ("Condition", _ICD10, "B26.9", 300)),
    (("Condition", _ICD10, "B01.9", 500),),
    (("Condition", _ICD10, "B15.9", 900),),
    (("Condition", _SNOMED, "428331000124103", 80), ("Condition", _ICD10, "K56.1", 82)),
    (("Condition", _ICD10, "C91.00", 600),),
    (("Condition", _SNOMED, "471361000124100", 250),),
    (("Procedure", _CPT, "90723", 61), ("Procedure", _CPT, "90723", 122), ("Procedure", _CPT, "90723", 183)),
    (("Procedure", "http://www.cms.gov/Medicare/Coding/ICD10", "3E0234Z", 1), ("Procedure", _CPT, "90744", 40)),
    (("Procedure", _CPT, "90660", 731), ("Procedure", _CPT, "90686", 300)),
    (("Procedure", _CPT, "90681", 60), ("Procedure", _CPT, "90681", 120), ("Procedure", _CPT, "90707", 400)),
    (("Encounter", _SNOMED, "183919006", 700), ("Condition", _ICD10, "Z51.5", 690)),
)


def _with_rarity(record: PatientRecord, birth: date, turn: int) -> PatientRecord:
    added = [
        _resource(record.patient["id"], number, *event, birth)
        for number, event in enumerate(_RARITIES[turn % len(_RARITIES)])
    ]
    return PatientRecord.of([*(found for kept in record.resources.values() for found in kept), *added])


def _resource(child: str, number: int, kind: str, system: str, code: str, days: int, birth: date) -> dict[str, Any]:
    day = (birth + timedelta(days=days)).isoformat()
    concept = {"coding": [{"system": system, "code": code}]}
    subject = {"reference": f"Patient/{child}"}
    made: dict[str, Any] = {"resourceType": kind, "id": f"rare-{child}-{number}", "subject": subject}
    if kind == "Condition":
        verification = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
        clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
        return made | {
            "code": concept,
            "onsetDateTime": day,
            "clinicalStatus": {"coding": [{"system": clinical, "code": "active"}]},
            "verificationStatus": {"coding": [{"system": verification, "code": "confirmed"}]},
        }
    if kind == "Procedure":
        return made | {"status": "completed", "code": concept, "performedDateTime": f"{day}T10:00:00-08:00"}
    moments = {"start": f"{day}T09:00:00-08:00", "end": f"{day}T10:00:00-08:00"}
    home = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HH"}
    return made | {"status": "finished", "class": home, "type": [concept], "period": moments}
