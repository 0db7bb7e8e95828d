"""Tests and services as FHIR, from their plan: laboratory Observations and Procedures.

Profiles: US Core 6.1 laboratory result, Procedure.
"""

from gapsvc.sandbox import places
from gapsvc.sandbox.codes import ACT_REASON, HCPCS, ICD10CM, UCUM
from gapsvc.sandbox.places import CLINICS
from gapsvc.sandbox.plan import ChildPlan, ServiceFlaw, ServicePlan
from gapsvc.sandbox.render_claims import service_claim
from gapsvc.sandbox.service_codes import REASONS, SERVICES, Service
from gapsvc.sandbox.stamps import JsonObject, Stamper, category, coding, local_time, reference, scatter


def render_service(stamp: Stamper, child: ChildPlan, one: ServicePlan) -> JsonObject:
    """The resource that shows this service."""
    if one.billed:
        return service_claim(stamp, child, one)
    service = SERVICES[one.code]
    known = child.registrations[one.registration]
    observed = service.resource_type == "Observation"
    code = coding(service.system, service.code, service.display)
    if one.flaw is ServiceFlaw.LOCAL_CODE:
        code = coding(CLINICS[known.organization].local_system, f"SVC-{service.kind.upper()}", "Service")
    found: JsonObject = {
        "resourceType": service.resource_type,
        "id": one.id,
        "meta": stamp.meta(one.id, one.on, one.minute, "us-core-observation-lab" if observed else "us-core-procedure"),
        "status": "final" if observed else "completed",
        "code": {"coding": [code], "text": code["display"]},
        "subject": reference("Patient", known.patient),
    }
    if one.visit:
        found["encounter"] = reference("Encounter", one.visit)
    when = one.on.isoformat()[:7] if one.flaw is ServiceFlaw.IMPRECISE else local_time(one.on, one.minute)
    if one.flaw is ServiceFlaw.ENTERED_IN_ERROR:
        found["status"] = "entered-in-error"
    if observed:
        found["effectiveDateTime"] = when
        _result(found, one)
    else:
        found["performedDateTime"] = when
        _procedure(found, child, one, service)
    return found


def _result(found: JsonObject, one: ServicePlan) -> None:
    found["category"] = [category("observation-category", "laboratory")]
    if one.flaw is ServiceFlaw.NOT_FINAL:
        found["status"] = ("preliminary", "cancelled")[scatter(one.id, 2)]
    if one.value is None:
        found["dataAbsentReason"] = category("data-absent-reason", "unknown")
    else:
        found["valueQuantity"] = {"value": one.value, "unit": "ug/dL", "system": UCUM, "code": "ug/dL"}


def _procedure(found: JsonObject, child: ChildPlan, one: ServicePlan, service: Service) -> None:
    if service.modifier and one.flaw is not ServiceFlaw.LOCAL_CODE:
        found["code"]["coding"].append(coding(HCPCS, service.modifier))
    if service.reasons:
        found["reasonCode"] = [{"coding": [coding(ICD10CM, code, REASONS[code])]} for code in service.reasons]
    if service.dental is not one.elsewhere:
        found["performer"] = [{"actor": reference("Organization", places.DENTAL_ID)}]
    else:
        known = child.registrations[one.registration]
        doctor = CLINICS[known.organization].practitioners[known.practitioner]
        found["performer"] = [{"actor": reference("Practitioner", doctor.id)}]
    if one.flaw is ServiceFlaw.REFUSED:
        del found["performer"]
        found["status"] = "not-done"
        found["statusReason"] = {
            "coding": [coding(ACT_REASON, "PATOBJ", "patient objection")],
            "text": "Parent declined",
        }
