"""Care as FHIR, from its plan: one family's encounters, conditions, procedures, measurements, doses and allergies.

Profiles: US Core 6.1 Encounter, Condition (encounter diagnosis; problems), Procedure, vital signs, laboratory result,
Immunization, AllergyIntolerance.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from gapsvc.sandbox import codes, places
from gapsvc.sandbox.codes import ACT_CODE, CPT, HCPCS, HCPCS_OID, ICD10CM, LOINC, SNOMED, UCUM, Code
from gapsvc.sandbox.days import add_days
from gapsvc.sandbox.growth import size_at
from gapsvc.sandbox.places import CLINICS
from gapsvc.sandbox.plan import (
    MOTHER,
    ChildPlan,
    FamilyPlan,
    Flaw,
    Illness,
    OtherVisitPlan,
    Recognised,
    Role,
    VisitPlan,
)
from gapsvc.sandbox.render_doses import render_dose
from gapsvc.sandbox.render_history import render_history
from gapsvc.sandbox.render_parts import Place, condition, encounter, place_of
from gapsvc.sandbox.render_services import render_service
from gapsvc.sandbox.stamps import JsonObject, Stamper, category, coding, concept, local_time, reference, scatter

_GROWTH_FOR = 3 * 365  # weights and heights of infancy, and of the last three years
_ALLERGY_EVERY = 40  # every fortieth child has a food allergy ...
_ALLERGY_AT = 400  # ... noticed at this age in days
_LOCAL_WELL = ("WCC", "Well child check")
_LOCAL_VAGUE = ("OV", "Office visit")


def render_care(stamp: Stamper, family: FamilyPlan) -> Iterator[JsonObject]:
    """All care of one family's children, and the mother's own visits."""
    if family.mother.patient:
        yield from _mothers_checkups(stamp, family, family.mother.patient)
    for child in family.children:
        first = next((visit.id for visit in child.visits if visit.role is Role.ANCHOR), None)
        for visit in child.visits:
            yield from _well(stamp, family, child, visit, first=visit.id == first)
        for other in child.others:
            yield from _other(stamp, family, child, other)
        yield from _measurements(stamp, family, child)
        for dose in child.doses:
            yield render_dose(stamp, child, dose)
        for service in child.services:
            yield render_service(stamp, child, service)
        yield from render_history(stamp, family, child)
        if child.asthma:
            yield _problem(stamp, child, child.asthma)
        noticed = max(child.birth + timedelta(days=_ALLERGY_AT), child.history_from)
        if child.number % _ALLERGY_EVERY == 0 and noticed <= stamp.as_of:
            yield _allergy(stamp, child, noticed)


def _well(
    stamp: Stamper, family: FamilyPlan, child: ChildPlan, visit: VisitPlan, *, first: bool
) -> Iterator[JsonObject]:
    place = place_of(family, child, visit.registration)
    found = encounter(stamp, visit.id, visit.on, visit.minute, place)
    found["status"] = visit.status
    found["class"] = coding(ACT_CODE, visit.setting, codes.SETTING_DISPLAY[visit.setting])
    if visit.status == "planned":  # an appointment: written when it was made
        booked = max(child.birth, add_days(stamp.as_of, -1 - scatter(visit.id, 20)))
        found["meta"] = stamp.meta(visit.id, booked, profile="us-core-encounter")
    if visit.flaw is Flaw.IMPRECISE:
        found["period"] = {"start": visit.on.isoformat()[:7]}
    elif visit.status == "in-progress":
        del found["period"]["end"]
    if visit.setting in ("IMP", "EMER"):
        found["serviceProvider"] = reference("Organization", places.HOSPITAL_ID)
        found["location"] = [{"location": reference("Location", places.HOSPITAL_SITE.id)}]
    if visit.setting == "VR":
        del found["location"]
    cpt = codes.well_cpt(child.birth, visit.on, first=first)
    reason = codes.well_reason(child.birth, visit.on, abnormal=scatter(visit.id, 12) == 0)
    if visit.setting == "EMER":
        found["type"] = [concept(CPT, codes.EMERGENCY_CPT), concept(SNOMED, codes.EMERGENCY_SNOMED)]
        found["reasonCode"] = [concept(ICD10CM, reason)]
    elif visit.recognised is Recognised.BY_TYPE:
        snomed = codes.WELL_SNOMED[scatter(visit.id, len(codes.WELL_SNOMED))]
        found["type"] = [{"coding": [coding(CPT, cpt.code, cpt.display), coding(SNOMED, *snomed)], "text": snomed[1]}]
        found["reasonCode"] = [concept(ICD10CM, reason)]
    else:
        yield from _locally_coded(stamp, child, visit, place, found, cpt, reason)
    yield found


def _locally_coded(
    stamp: Stamper,
    child: ChildPlan,
    visit: VisitPlan,
    place: Place,
    encounter: JsonObject,
    cpt: Code,
    reason: Code,
) -> Iterator[JsonObject]:
    """A clinic's own visit type; what makes it known as a well visit stands elsewhere, or nowhere."""
    code, text = _LOCAL_VAGUE if visit.recognised is Recognised.NOT else _LOCAL_WELL
    encounter["type"] = [{"coding": [coding(place.clinic.local_system, code, text)], "text": text}]
    if visit.recognised is Recognised.BY_REASON:
        encounter["reasonCode"] = [concept(ICD10CM, reason)]
    elif visit.recognised in (Recognised.BY_CONDITION, Recognised.BY_DIAGNOSIS):
        ident = visit.id.replace("enc-", "cond-")
        diagnosis = condition(stamp, ident, place.patient, reason, None, visit.on, visit.minute)
        if visit.recognised is Recognised.BY_CONDITION:
            diagnosis["encounter"] = reference("Encounter", visit.id)
        else:
            encounter["diagnosis"] = [{"condition": reference("Condition", ident)}]
        yield diagnosis
    elif visit.recognised in (Recognised.BY_PROCEDURE, Recognised.BY_HCPCS):
        ident = visit.id.replace("enc-", "proc-")
        code = concept(CPT, cpt)
        if visit.recognised is Recognised.BY_HCPCS:
            code = concept((HCPCS, HCPCS_OID)[scatter(ident, 2)], codes.WELL_HCPCS)
        yield {
            "resourceType": "Procedure",
            "id": ident,
            "meta": stamp.meta(ident, visit.on, visit.minute, "us-core-procedure"),
            "status": "completed",
            "code": code,
            "subject": reference("Patient", place.patient),
            "encounter": reference("Encounter", visit.id),
            "performedDateTime": local_time(visit.on, visit.minute),
        }


def _problem(stamp: Stamper, child: ChildPlan, day: date) -> JsonObject:
    ident = f"cond-{child.number:06d}-asthma"
    found = condition(stamp, ident, child.person, codes.ASTHMA_ICD, codes.ASTHMA_SNOMED, day, 600)
    return found | {
        "meta": stamp.meta(ident, max(day, child.history_from), 600, "us-core-condition-problems-health-concerns"),
        "clinicalStatus": category("condition-clinical", "active"),
        "category": [category("condition-category", "problem-list-item")],
        "recordedDate": max(day, child.history_from).isoformat(),
    }


def _allergy(stamp: Stamper, child: ChildPlan, day: date) -> JsonObject:
    # An allergy that no vaccine minds: whoever reads allergies must tell them apart.
    ident = f"alg-{child.number:06d}"
    return {
        "resourceType": "AllergyIntolerance",
        "id": ident,
        "meta": stamp.meta(ident, day, 600, "us-core-allergyintolerance"),
        "clinicalStatus": category("allergyintolerance-clinical", "active"),
        "verificationStatus": category("allergyintolerance-verification", "confirmed"),
        "category": ["food"],
        "code": concept(SNOMED, codes.PEANUT_ALLERGY),
        "patient": reference("Patient", child.person),
        "recordedDate": day.isoformat(),
    }


def _other(stamp: Stamper, family: FamilyPlan, child: ChildPlan, visit: OtherVisitPlan) -> Iterator[JsonObject]:
    place = place_of(family, child, visit.registration)
    found = encounter(stamp, visit.id, visit.on, visit.minute, place)
    if visit.kind is not Illness.SICK:
        found["serviceProvider"] = reference("Organization", places.HOSPITAL_ID)
        found["location"] = [{"location": reference("Location", places.HOSPITAL_SITE.id)}]
    if visit.kind is Illness.BIRTH:
        twin = any(s.birth == child.birth and s is not child for s in family.children)
        left = min(add_days(visit.on, 1 + scatter(visit.id, 2)), stamp.as_of, child.deceased or stamp.as_of)
        # A stay that began this morning has no end yet.
        end = {"end": local_time(left, 11 * 60)} if left > visit.on else {}
        found |= {
            "meta": stamp.meta(visit.id, left, 660, "us-core-encounter"),
            "class": coding(ACT_CODE, "IMP", codes.SETTING_DISPLAY["IMP"]),
            "status": "finished" if end else "in-progress",
            "type": [concept(CPT, codes.BIRTH_CPT), concept(SNOMED, codes.BIRTH_SNOMED)],
            "reasonCode": [concept(ICD10CM, codes.TWIN_ICD if twin else codes.BIRTH_ICD)],
            "period": {"start": local_time(visit.on, visit.minute), **end},
            "hospitalization": {"dischargeDisposition": category("discharge-disposition", "home")},
        }
        if not end:
            del found["hospitalization"]
        yield found
        return
    complaint = codes.COMPLAINTS[visit.complaint]
    ident = visit.id.replace("enc-", "cond-")
    diagnosis = condition(stamp, ident, place.patient, complaint.icd, complaint.snomed, visit.on, visit.minute)
    diagnosis["encounter"] = reference("Encounter", visit.id)
    yield diagnosis
    if visit.kind is Illness.EMERGENCY:
        found["class"] = coding(ACT_CODE, "EMER", codes.SETTING_DISPLAY["EMER"])
        found["type"] = [concept(CPT, codes.EMERGENCY_CPT), concept(SNOMED, codes.EMERGENCY_SNOMED)]
    else:
        found["type"] = [concept(CPT, complaint.cpt), concept(SNOMED, codes.SICK_SNOMED)]
    found["reasonCode"] = [concept(ICD10CM, complaint.icd)]
    found["diagnosis"] = [{"condition": reference("Condition", ident)}]
    yield found


def _mothers_checkups(stamp: Stamper, family: FamilyPlan, patient: str) -> Iterator[JsonObject]:
    mother = family.mother
    clinic = CLINICS[mother.organization]
    doctor = clinic.practitioners[mother.practitioner].id
    place = Place(patient, clinic, clinic.sites[mother.location].id, doctor)
    for ident, day, minute, postpartum in mother.checkups:
        found = encounter(stamp, ident, day, minute, place)
        found["type"] = [concept(CPT, codes.POSTPARTUM_CPT if postpartum else codes.ANTENATAL_CPT)]
        found["reasonCode"] = [concept(ICD10CM, codes.POSTPARTUM_ICD if postpartum else codes.ANTENATAL_ICD)]
        yield found


def _measurements(stamp: Stamper, family: FamilyPlan, child: ChildPlan) -> Iterator[JsonObject]:
    recent = add_days(stamp.as_of, -_GROWTH_FOR)
    for visit in child.visits:
        if visit.role is not Role.ANCHOR or visit.registration == MOTHER:
            continue
        patient = place_of(family, child, visit.registration).patient
        age = (visit.on - child.birth).days
        if age <= 913 or visit.on >= recent:
            weight, height = size_at(age, child.sex, scatter(child.person, 1000) / 1000)
            length = ("8306-3", "Body height --lying") if age < 731 else ("8302-2", "Body height")
            yield _observation(
                stamp, visit, patient, "wt", ("29463-7", "Body weight"), weight, "kg", "us-core-body-weight"
            )
            yield _observation(stamp, visit, patient, "ht", length, height, "cm", "us-core-body-height")


def _observation(
    stamp: Stamper,
    visit: VisitPlan,
    patient: str,
    name: str,
    loinc: tuple[str, str],
    value: float,
    unit: str,
    profile: str,
) -> JsonObject:
    ident = f"obs-{visit.id.removeprefix('enc-')}-{name}"
    if loinc[0] == "8306-3":
        profile = "us-core-vital-signs"  # the body height profile fixes 8302-2
    return {
        "resourceType": "Observation",
        "id": ident,
        "meta": stamp.meta(ident, visit.on, visit.minute, profile),
        "status": "final",
        "category": [category("observation-category", "vital-signs")],
        "code": {"coding": [coding(LOINC, *loinc)], "text": loinc[1]},
        "subject": reference("Patient", patient),
        "encounter": reference("Encounter", visit.id),
        "effectiveDateTime": local_time(visit.on, visit.minute + 5),
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }
