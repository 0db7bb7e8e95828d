"""DEQM 5.0.0 Detailed Care Gap GuidanceResponse: why a gap has its status, and the data that would close it.

Profile `gaps-guidanceresponse-detailedcaregap`. One per rate that has reasons. Each reason is a reasonCode
(code system care-gap-reason); where it points into a resource, reasonDetail says which and at what path; where
it names the data that would satisfy it, that is a dataRequirement with code and date filter.
"""

from typing import Final

from fhir_profiles.deqm import wording
from fhir_profiles.deqm.reporting import Reporting, guidance_response_id, measure_canonical
from fhir_profiles.inputs import DataRequirementLike, GapLike, GroupLike, NeedLike, ReasonLike, ResultLike
from fhir_profiles.plain import (
    Resource,
    bullets,
    clean,
    coding,
    concept,
    extension,
    group_extension,
    narrative,
    paragraphs,
)
from fhir_profiles.terms import (
    CARE_GAP_REASON_DISPLAY,
    CARE_GAP_REASON_SYSTEM,
    GAPS_GUIDANCE_RESPONSE,
    REASON_DETAIL,
    URI_SYSTEM,
)

# FHIR R4: the elements by which a resource is usually retrieved, for a requirement that names no path.
# drq-1 and drq-2 forbid a filter without one.
_CODE_PATHS: Final = {
    "Encounter": "type",
    "Immunization": "vaccineCode",
    "MedicationRequest": "medication",
    "Coverage": "type",
}
_DATE_PATHS: Final = {
    "Encounter": "period",
    "Immunization": "occurrence",
    "Observation": "effective",
    "Procedure": "performed",
    "Condition": "onset",
    "MedicationRequest": "authoredOn",
    "ServiceRequest": "authoredOn",
    "Coverage": "period",
    "Patient": "birthDate",
    "QuestionnaireResponse": "authored",
    "DiagnosticReport": "effective",
}


def has_guidance(gap: GapLike) -> bool:
    """Whether the gap says enough for a GuidanceResponse: it has a reason."""
    return bool(gap.reasons)


def detailed_guidance_response(result: ResultLike, group: GroupLike, reporting: Reporting) -> Resource | None:
    """The GuidanceResponse of one rate, or None when the gap gives no reason (a met gap needs none)."""
    gap = group.gap
    if not has_guidance(gap):
        return None
    response_id = guidance_response_id(result, group)
    response: Resource = {
        "resourceType": "GuidanceResponse",
        "id": response_id,
        "meta": {"profile": [GAPS_GUIDANCE_RESPONSE]},
        "text": narrative(_story(group)),
        "identifier": [{"system": URI_SYSTEM, "value": f"urn:uuid:{response_id}"}],
        "moduleCanonical": measure_canonical(result),
        "status": "success",
        "subject": {"reference": result.subject},
        "occurrenceDateTime": reporting.moment,
        "reasonCode": [_reason(reason) for reason in gap.reasons],
        "note": [{"text": wording.detail(group)}],
    }
    requirements = _requirements(gap)
    if requirements:
        response["dataRequirement"] = requirements
    return response


def _reason(reason: ReasonLike) -> Resource:
    found = concept(CARE_GAP_REASON_SYSTEM, reason.code, CARE_GAP_REASON_DISPLAY.get(reason.code), text=reason.text)
    if reason.reference is None:
        return found
    # reasonDetail wants both parts, once each; without a path the whole resource is meant (FHIRPath: its type).
    path = reason.path or reason.reference.split("/", 1)[0]
    detail = group_extension(
        REASON_DETAIL,
        [
            extension("reference", valueReference={"reference": reason.reference}),
            extension("path", valueString=clean(path)),
        ],
    )
    return {"extension": [detail], **found}


def _requirements(gap: GapLike) -> list[Resource]:
    found: list[Resource] = []
    for reason in gap.reasons:
        if reason.requirement is not None:
            requirement = data_requirement(reason.requirement, gap.need)
            if requirement not in found:
                found.append(requirement)
    return found


def data_requirement(requirement: DataRequirementLike, need: NeedLike | None = None) -> Resource:
    """A FHIR DataRequirement: type, codeFilter (value set, else the code of the need), dateFilter.

    Both ends of the date filter are included in it; an end before its start is left out (per-1).
    """
    kind = requirement.resource_type
    found: Resource = {"type": kind}
    code_path = requirement.code_path or _CODE_PATHS.get(kind, "code")
    if requirement.value_set:
        found["codeFilter"] = [{"path": code_path, "valueSet": requirement.value_set}]
    elif requirement.code_path and need is not None:
        wanted = coding(need.coding.system, need.coding.code, need.coding.display)
        found["codeFilter"] = [{"path": code_path, "code": [wanted]}]
    start, end = requirement.date_from, requirement.date_to
    if start is not None and end is not None and end < start:
        start = None
    date_path = requirement.date_path or _DATE_PATHS.get(kind)
    if date_path and (start is not None or end is not None):
        window = {name: day.isoformat() for name, day in (("start", start), ("end", end)) if day is not None}
        found["dateFilter"] = [{"path": date_path, "valuePeriod": window}]
    return found


def _story(group: GroupLike) -> str:
    gap = group.gap
    lines = [wording.headline(group)]
    said = wording.window(gap)
    if said:
        lines.append(said)
    return paragraphs(lines) + bullets(wording.reasons(gap))
