"""What a payer was billed as FHIR: a Claim of one line, for a dose or a service. FHIR R4 Claim."""

from collections.abc import Sequence

from gapsvc.sandbox import places
from gapsvc.sandbox.codes import CPT, HCPCS, ICD10CM
from gapsvc.sandbox.places import CLINICS
from gapsvc.sandbox.plan import ChildPlan, DoseFlaw, DosePlan, ServiceFlaw, ServicePlan
from gapsvc.sandbox.products import PRODUCTS
from gapsvc.sandbox.service_codes import REASONS, SERVICES
from gapsvc.sandbox.stamps import JsonObject, Stamper, category, coding, reference

Billed = DosePlan | ServicePlan


def dose_claim(stamp: Stamper, child: ChildPlan, dose: DosePlan) -> JsonObject:
    """The claim for a dose: CPT."""
    product = PRODUCTS[dose.product]
    code = coding(CPT, str(product.cpt), product.display)
    local = dose.flaw is DoseFlaw.LOCAL_CODE
    return _claim(stamp, child, dose, code, local=local, status=_status(dose.flaw), imprecise=_by_month(dose.flaw))


def service_claim(stamp: Stamper, child: ChildPlan, one: ServicePlan) -> JsonObject:
    """The claim for a service: CPT or CDT, with its modifier and what it was for."""
    service = SERVICES[one.code]
    code = coding(service.system, service.code, service.display)
    local = one.flaw is ServiceFlaw.LOCAL_CODE
    found = _claim(
        stamp,
        child,
        one,
        code,
        local=local,
        status=_status(one.flaw),
        imprecise=_by_month(one.flaw),
        reasons=service.reasons,
    )
    if service.modifier and not local:
        found["item"][0]["modifier"] = [{"coding": [coding(HCPCS, service.modifier)]}]
    if service.dental is not one.elsewhere:
        found["type"] = category("claim-type", "oral")
        found["provider"] = reference("Organization", places.DENTAL_ID)
    return found


def _status(flaw: DoseFlaw | ServiceFlaw | None) -> str:
    if flaw in (DoseFlaw.ENTERED_IN_ERROR, ServiceFlaw.ENTERED_IN_ERROR):
        return "entered-in-error"
    return "cancelled" if flaw in (DoseFlaw.REFUSED, ServiceFlaw.REFUSED) else "active"


def _by_month(flaw: DoseFlaw | ServiceFlaw | None) -> bool:
    return flaw in (DoseFlaw.IMPRECISE, ServiceFlaw.IMPRECISE)


def _claim(
    stamp: Stamper,
    child: ChildPlan,
    one: Billed,
    code: JsonObject,
    *,
    local: bool,
    status: str,
    imprecise: bool,
    reasons: Sequence[str] = (),
) -> JsonObject:
    known = child.registrations[one.registration]
    clinic = CLINICS[known.organization]
    if local:
        code = coding(clinic.local_system, "BILLED", "Service")
    written = max(one.on, child.history_from)
    found: JsonObject = {
        "resourceType": "Claim",
        "id": one.id,
        "meta": stamp.meta(one.id, written, one.minute),
        "status": status,
        "type": category("claim-type", "professional"),
        "use": "claim",
        "patient": reference("Patient", known.patient),
        "created": written.isoformat(),
        "provider": reference("Organization", clinic.id),
        "priority": category("processpriority", "normal"),
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "Medi-Cal"}}],
        "item": [
            {
                "sequence": 1,
                "productOrService": {"coding": [code], "text": code["display"]},
                "servicedDate": one.on.isoformat()[: 7 if imprecise else 10],
            }
        ],
    }
    if reasons:
        found["diagnosis"] = [
            {"sequence": at, "diagnosisCodeableConcept": {"coding": [coding(ICD10CM, reason, REASONS[reason])]}}
            for at, reason in enumerate(reasons, 1)
        ]
    return found
