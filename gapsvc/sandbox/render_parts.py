"""What several renderings share: where something happened, an encounter's frame, a condition."""

from dataclasses import dataclass
from datetime import date

from gapsvc.sandbox.codes import ACT_CODE, ICD10CM, SNOMED, Code
from gapsvc.sandbox.places import CLINICS, Clinic
from gapsvc.sandbox.plan import MOTHER, ChildPlan, FamilyPlan
from gapsvc.sandbox.stamps import JsonObject, Stamper, category, coding, concept, local_time, reference, scatter


@dataclass(frozen=True, slots=True)
class Place:
    """Where an encounter happens and under whom it is written down."""

    patient: str
    clinic: Clinic
    location: str
    practitioner: str


def place_of(family: FamilyPlan, child: ChildPlan, registration: int) -> Place:
    if registration == MOTHER:
        mother = family.mother
        clinic = CLINICS[mother.organization]
        return Place(
            str(mother.patient),
            clinic,
            clinic.sites[mother.location].id,
            clinic.practitioners[mother.practitioner].id,
        )
    known = child.registrations[registration]
    clinic = CLINICS[known.organization]
    return Place(known.patient, clinic, clinic.sites[known.location].id, clinic.practitioners[known.practitioner].id)


def encounter(stamp: Stamper, ident: str, day: date, minute: int, place: Place) -> JsonObject:
    return {
        "resourceType": "Encounter",
        "id": ident,
        "meta": stamp.meta(ident, day, minute, "us-core-encounter"),
        "identifier": [{"system": f"{place.clinic.local_system}/encounter", "value": ident.removeprefix("enc-")}],
        "status": "finished",
        "class": coding(ACT_CODE, "AMB", "ambulatory"),
        "type": [],
        "subject": reference("Patient", place.patient),
        "participant": [
            {
                "type": [
                    {
                        "coding": [
                            coding(
                                "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
                                "PPRF",
                                "primary performer",
                            )
                        ]
                    }
                ],
                "individual": reference("Practitioner", place.practitioner),
            }
        ],
        "period": {"start": local_time(day, minute), "end": local_time(day, minute + 20 + 5 * scatter(ident, 3))},
        "location": [{"location": reference("Location", place.location)}],
        "serviceProvider": reference("Organization", place.clinic.id),
    }


def condition(
    stamp: Stamper, ident: str, patient: str, icd: Code, snomed: Code | None, day: date, minute: int
) -> JsonObject:
    code = concept(ICD10CM, icd)
    if snomed:
        code["coding"].append(coding(SNOMED, snomed.code, snomed.display))
    return {
        "resourceType": "Condition",
        "id": ident,
        "meta": stamp.meta(ident, day, minute, "us-core-condition-encounter-diagnosis"),
        "clinicalStatus": category("condition-clinical", "resolved"),
        "verificationStatus": category("condition-ver-status", "confirmed"),
        "category": [category("condition-category", "encounter-diagnosis")],
        "code": code,
        "subject": reference("Patient", patient),
        "onsetDateTime": day.isoformat(),
        "recordedDate": day.isoformat(),
    }
