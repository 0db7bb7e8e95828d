"""Doses as FHIR, from their plan: Immunization, or the Procedure that a claim or the birth hospital left.

Profiles: US Core 6.1 Immunization, Procedure.
"""

from gapsvc.sandbox.codes import ACT_REASON, CPT, CVX, ICD10PCS, MVX
from gapsvc.sandbox.days import add_days
from gapsvc.sandbox.places import CLINICS
from gapsvc.sandbox.plan import ChildPlan, DoseFlaw, DoseForm, DosePlan
from gapsvc.sandbox.products import BIRTH_DOSE_PROCEDURE, PRODUCTS
from gapsvc.sandbox.render_claims import dose_claim
from gapsvc.sandbox.stamps import JsonObject, Stamper, coding, local_time, reference, scatter


def render_dose(stamp: Stamper, child: ChildPlan, dose: DosePlan) -> JsonObject:
    """The resource that shows this dose."""
    match dose.form:
        case DoseForm.GIVEN:
            return _immunization(stamp, child, dose)
        case DoseForm.BILLED:
            return dose_claim(stamp, child, dose)
        case _:
            return _procedure(stamp, child, dose)


def _procedure(stamp: Stamper, child: ChildPlan, dose: DosePlan) -> JsonObject:
    product = PRODUCTS[dose.product]
    known = child.registrations[dose.registration]
    code = coding(CPT, str(product.cpt), product.display)
    if dose.form is DoseForm.BIRTH_PROCEDURE:
        code = coding(ICD10PCS, *BIRTH_DOSE_PROCEDURE)
    if dose.flaw is DoseFlaw.LOCAL_CODE:
        code = coding(CLINICS[known.organization].local_system, f"VAX-{dose.product.upper()}", product.display)
    found: JsonObject = {
        "resourceType": "Procedure",
        "id": dose.id,
        "meta": stamp.meta(dose.id, max(dose.on, child.history_from), dose.minute, "us-core-procedure"),
        "status": "completed",
        "code": {"coding": [code], "text": code["display"]},
        "subject": reference("Patient", known.patient),
        "performedDateTime": local_time(dose.on, dose.minute),
    }
    if dose.visit:
        found["encounter"] = reference("Encounter", dose.visit)
    if dose.historical:
        found["performedDateTime"] = dose.on.isoformat()
    if dose.flaw is DoseFlaw.REFUSED:
        found["status"] = "not-done"
        found["statusReason"] = {
            "coding": [coding(ACT_REASON, "PATOBJ", "patient objection")],
            "text": "Parent declined",
        }
    elif dose.flaw is DoseFlaw.ENTERED_IN_ERROR:
        found["status"] = "entered-in-error"
    elif dose.flaw is DoseFlaw.IMPRECISE:
        found["performedDateTime"] = dose.on.isoformat()[:7]
    return found


def _immunization(stamp: Stamper, child: ChildPlan, dose: DosePlan) -> JsonObject:
    product = PRODUCTS[dose.product]
    known = child.registrations[dose.registration]
    clinic = CLINICS[known.organization]
    written = max(dose.on, child.history_from)
    found: JsonObject = {
        "resourceType": "Immunization",
        "id": dose.id,
        "meta": stamp.meta(dose.id, written, dose.minute, "us-core-immunization"),
        "status": "completed",
        "vaccineCode": {"coding": [coding(CVX, product.cvx, product.display)], "text": product.display},
        "patient": reference("Patient", known.patient),
        "occurrenceDateTime": local_time(dose.on, dose.minute),
        "primarySource": not dose.historical,
    }
    if dose.visit:
        found["encounter"] = reference("Encounter", dose.visit)
    if dose.historical:
        found["occurrenceDateTime"] = dose.on.isoformat()
        found["reportOrigin"] = {
            "coding": [coding("http://terminology.hl7.org/CodeSystem/immunization-origin", "provider")],
            "text": "Another provider's record",
        }
    elif product.mvx:
        lot = f"{product.mvx[0]}{scatter(dose.id[:10] + dose.product, 9000) + 1000}{dose.on.year % 100:02d}"
        found |= {
            "location": reference("Location", clinic.sites[known.location].id),
            "manufacturer": {
                "identifier": {"system": MVX, "value": product.mvx},
                "display": product.maker,
            },
            "lotNumber": lot,
            "expirationDate": add_days(dose.on, 120 + scatter(dose.id, 400)).isoformat(),
            "performer": [
                {"actor": reference("Practitioner", clinic.practitioners[known.practitioner].id)},
            ],
        }
    if dose.flaw is DoseFlaw.REFUSED:
        for name in ("lotNumber", "expirationDate", "manufacturer", "performer"):
            found.pop(name, None)
        found["status"] = "not-done"
        found["statusReason"] = {
            "coding": [coding(ACT_REASON, "PATOBJ", "patient objection")],
            "text": "Parent declined",
        }
    elif dose.flaw is DoseFlaw.ENTERED_IN_ERROR:
        found["status"] = "entered-in-error"
    elif dose.flaw is DoseFlaw.IMPRECISE:
        found["occurrenceDateTime"] = dose.on.isoformat()[:7]
    elif dose.flaw is DoseFlaw.LOCAL_CODE:
        local = coding(clinic.local_system, f"VAX-{dose.product.upper()}", product.display)
        found["vaccineCode"] = {"coding": [local], "text": product.display}
    return found
