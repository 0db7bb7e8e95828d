"""DEQM 5.0.0 Gaps In Care DetectedIssue (`gaps-detectedissue-deqm`), one per rate of a measure.

Where each part of a gap is said, in standard elements first:

| gap | element |
|---|---|
| status | modifierExtension gapStatus |
| due_from … last_day | identifiedPeriod (start, end), and the GuidanceResponse's dataRequirement.dateFilter |
| counted and discounted evidence | implicated, each with its words in display and extension gap-evidence |
| everything, worded | detail and the narrative |
| reasons | evidence → the GuidanceResponse |
| need, needed and done, due_by, last_day, outlook, changes_on, as-of | extensions of ours (extensions.py) |

`mitigation` is not used: FHIR keeps it for actions taken or committed to, and a gap only proposes one.
"""

from fhir_profiles.deqm import wording
from fhir_profiles.deqm.guidance import has_guidance
from fhir_profiles.deqm.reporting import (
    Reporting,
    detected_issue_id,
    guidance_response_id,
    measure_report_id,
)
from fhir_profiles.extensions import (
    AS_OF,
    CHANGES_ON,
    DUE_BY,
    EVIDENCE,
    LAST_DAY,
    NEED,
    OUTLOOK,
    PROGRESS,
    extension_url,
)
from fhir_profiles.inputs import GapLike, GroupLike, ResultLike
from fhir_profiles.plain import (
    Resource,
    bullets,
    clean,
    concept,
    extension,
    group_extension,
    narrative,
    paragraphs,
)
from fhir_profiles.terms import (
    ACT_CODE_SYSTEM,
    CRITERIA_REFERENCE,
    GAP_STATUS,
    GAP_STATUS_DISPLAY,
    GAPS_DETECTED_ISSUE,
    GAPS_STATUS_SYSTEM,
    URI_SYSTEM,
)


def gaps_detected_issue(result: ResultLike, group: GroupLike, reporting: Reporting) -> Resource:
    """The DetectedIssue of one rate.

    Its evidence names the MeasureReport, with the group's id as criteria reference, and, where the gap has
    reasons or a need, the detailed GuidanceResponse.
    """
    gap = group.gap
    issue_id = detected_issue_id(result, group)
    issue: Resource = {
        "resourceType": "DetectedIssue",
        "id": issue_id,
        "meta": {"profile": [GAPS_DETECTED_ISSUE]},
        "text": narrative(_story(result, group)),
        "extension": _extensions(result, gap, reporting.extension_base),
        "modifierExtension": [
            extension(
                GAP_STATUS,
                valueCodeableConcept=concept(GAPS_STATUS_SYSTEM, gap.status, GAP_STATUS_DISPLAY.get(gap.status)),
            )
        ],
        "identifier": [{"system": URI_SYSTEM, "value": f"urn:uuid:{issue_id}"}],
        "status": "final",
        "code": concept(ACT_CODE_SYSTEM, "CAREGAP", "Caregap"),
        "patient": {"reference": result.subject},
    }
    due = {name: day.isoformat() for name, day in (("start", gap.due_from), ("end", gap.last_day)) if day is not None}
    # per-1: a window that ends before it starts is no Period (the need can no longer be met): say only its end.
    if gap.due_from is not None and gap.last_day is not None and gap.last_day < gap.due_from:
        del due["start"]
    if due:
        issue["identifiedPeriod"] = due
    implicated = _implicated(gap, reporting.extension_base)
    if implicated:
        issue["implicated"] = implicated
    evidence: list[Resource] = [
        {
            "detail": [
                {
                    "extension": [extension(CRITERIA_REFERENCE, valueString=group.id)],
                    "reference": f"MeasureReport/{measure_report_id(result)}",
                }
            ]
        }
    ]
    if has_guidance(gap):
        evidence.append(
            {
                "detail": [
                    {
                        "extension": [extension(CRITERIA_REFERENCE, valueString=group.id)],
                        "reference": f"GuidanceResponse/{guidance_response_id(result, group)}",
                    }
                ]
            }
        )
    issue["evidence"] = evidence
    issue["detail"] = wording.detail(group)
    return issue


def _extensions(result: ResultLike, gap: GapLike, base: str) -> list[Resource]:
    found = [
        extension(extension_url(base, AS_OF), valueDate=result.as_of.isoformat()),
        extension(extension_url(base, OUTLOOK), valueCode=gap.outlook),
    ]
    if gap.need is not None:
        need = gap.need
        found.append(
            extension(
                extension_url(base, NEED),
                valueCodeableConcept=concept(need.coding.system, need.coding.code, need.coding.display, text=need.text),
            )
        )
    progress = [
        extension(name, valueUnsignedInt=count)
        for name, count in (("needed", gap.needed), ("done", gap.done))
        if count is not None
    ]
    if progress:
        found.append(group_extension(extension_url(base, PROGRESS), progress))
    found.extend(
        extension(extension_url(base, name), valueDate=day.isoformat())
        for name, day in ((DUE_BY, gap.due_by), (LAST_DAY, gap.last_day), (CHANGES_ON, gap.changes_on))
        if day is not None
    )
    return found


def _implicated(gap: GapLike, base: str) -> list[Resource]:
    url = extension_url(base, EVIDENCE)
    found: list[Resource] = []
    for item, said in zip(gap.counted, wording.counted(gap), strict=True):
        parts = [extension("outcome", valueCode="counted")]
        if item.on is not None:
            parts.append(extension("on", valueDate=item.on.isoformat()))
        found.append({"extension": [group_extension(url, parts)], "reference": item.reference, "display": said})
    for item, said in zip(gap.discounted, wording.discounted(gap), strict=True):
        parts = [extension("outcome", valueCode="discounted")]
        if item.on is not None:
            parts.append(extension("on", valueDate=item.on.isoformat()))
        parts.append(extension("reason", valueCode=item.reason))
        parts.append(extension("text", valueString=clean(item.text)))
        found.append({"extension": [group_extension(url, parts)], "reference": item.reference, "display": said})
    return found


def _story(result: ResultLike, group: GroupLike) -> str:
    gap = group.gap
    lines = [f"{clean(result.measure_title)} - {clean(group.description)}", wording.headline(group)]
    lines.extend(line for line in (wording.window(gap), wording.outlook(gap)) if line)
    if gap.changes_on is not None:
        lines.append(f"This can change on {wording.words(gap.changes_on)} without anything being done.")
    return paragraphs(lines) + bullets([*wording.reasons(gap), *wording.counted(gap), *wording.discounted(gap)])
