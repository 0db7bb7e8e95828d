"""Medical history as FHIR, from its plan: Conditions that bear on vaccines, and hospice care.

Profiles: US Core 6.1 Condition (problems), Encounter, Procedure.
"""

from collections.abc import Iterator

from gapsvc.sandbox import codes, places
from gapsvc.sandbox.codes import ACT_CODE, HCPCS, SNOMED
from gapsvc.sandbox.history_codes import EVENTS, HOSPICE_ENCOUNTER, HOSPICE_PROCEDURE
from gapsvc.sandbox.plan import ChildPlan, Doubt, FamilyPlan, HistoryPlan, HospicePlan
from gapsvc.sandbox.render_parts import encounter, place_of
from gapsvc.sandbox.stamps import JsonObject, Stamper, category, coding, local_time, reference


def render_history(stamp: Stamper, family: FamilyPlan, child: ChildPlan) -> Iterator[JsonObject]:
    """The conditions and hospice days of one child."""
    for one in child.history:
        yield _condition(stamp, child, one)
    for stay in child.hospice:
        yield _hospice(stamp, family, child, stay)


def _condition(stamp: Stamper, child: ChildPlan, one: HistoryPlan) -> JsonObject:
    event = EVENTS[one.event]
    verification = one.doubt.value if one.doubt and one.doubt is not Doubt.IMPRECISE else "confirmed"
    found: JsonObject = {
        "resourceType": "Condition",
        "id": one.id,
        "meta": stamp.meta(one.id, max(one.on, child.history_from), 660, "us-core-condition-problems-health-concerns"),
        "clinicalStatus": category("condition-clinical", "resolved" if "disease" in event.meaning else "active"),
        "verificationStatus": category("condition-ver-status", verification),
        "category": [category("condition-category", "problem-list-item")],
        "code": {"coding": [coding(event.system, event.code, event.display)], "text": event.display},
        "subject": reference("Patient", child.person),
        "onsetDateTime": one.on.isoformat(),
    }
    if one.doubt is Doubt.ENTERED_IN_ERROR:
        del found["clinicalStatus"]  # con-5: none where it was entered in error
    elif one.doubt is Doubt.IMPRECISE and one.undated:
        del found["onsetDateTime"]
    elif one.doubt is Doubt.IMPRECISE:
        found["onsetDateTime"] = one.on.isoformat()[:7]
    return found


def _hospice(stamp: Stamper, family: FamilyPlan, child: ChildPlan, stay: HospicePlan) -> JsonObject:
    if stay.as_procedure:
        return {
            "resourceType": "Procedure",
            "id": stay.id,
            "meta": stamp.meta(stay.id, stay.on, 660, "us-core-procedure"),
            "status": "completed",
            "code": {"coding": [coding(HCPCS, *HOSPICE_PROCEDURE)], "text": HOSPICE_PROCEDURE[1]},
            "subject": reference("Patient", child.person),
            "performedPeriod": {"start": local_time(stay.on, 660), "end": local_time(stay.on, 720)},
        }
    found = encounter(stamp, stay.id, stay.on, 660, place_of(family, child, 0))
    return found | {
        "class": coding(ACT_CODE, "HH", codes.SETTING_DISPLAY["HH"]),
        "type": [{"coding": [coding(SNOMED, *HOSPICE_ENCOUNTER)], "text": HOSPICE_ENCOUNTER[1]}],
        "serviceProvider": reference("Organization", places.HOSPITAL_ID),
    }
