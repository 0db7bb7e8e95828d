"""DEQM 5.0.0 Individual MeasureReport (`indv-measurereport-deqm`), one per person and measure.

All rates of a measure are groups of one report. The measure's scoring stands once, at the root (deqm-3 wants it
at the root or on every group), with improvementNotation beside it (deqm-2). `measureScore` is always sent for
proportions, 0 when the person is outside the denominator: deqm-6 as published in 5.0.0 fails without it.
"""

import re
from collections.abc import Mapping, Sequence

from fhir_profiles.deqm import wording
from fhir_profiles.deqm.groups import (
    IMPROVING_SCORES,
    groups_differ,
    improvement_notation,
    labelled,
    report_group,
    scoring_extension,
    supplemental_extension,
)
from fhir_profiles.deqm.reporting import Reporting, measure_canonical, measure_report_id
from fhir_profiles.extensions import AS_OF, BASIS, extension_url
from fhir_profiles.inputs import ResultLike
from fhir_profiles.plain import (
    Resource,
    bullets,
    clean,
    extension,
    group_extension,
    narrative,
    paragraphs,
)
from fhir_profiles.terms import (
    CRITERIA_REFERENCE,
    DATA_LOCATION,
    INDIVIDUAL_MEASURE_REPORT,
    URI_SYSTEM,
)

# FHIR dateTime: a time of day needs a time zone
_DATE_TIME = re.compile(
    r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])"
    r"(T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?"
)


def individual_measure_report(result: ResultLike, reporting: Reporting) -> Resource:
    """The MeasureReport of one person and one measure.

    `period` has day precision (deqm-1), `measure` names its version (deqm-0), groups keep their ids (remarks
    are patched in by `MeasureReport.group.where(id=…)`). `evaluatedResource` lists every resource that was
    looked at, each with the populations or groups it had a part in (cqf-criteriaReference).
    """
    report_id = measure_report_id(result)
    own = groups_differ(result.groups)
    report: Resource = {
        "resourceType": "MeasureReport",
        "id": report_id,
        "meta": {"profile": [INDIVIDUAL_MEASURE_REPORT]},
        "text": narrative(_story(result)),
        "extension": [
            *([] if own else [scoring_extension(result.scoring)]),
            extension(extension_url(reporting.extension_base, AS_OF), valueDate=result.as_of.isoformat()),
            *_basis(result, reporting),
            *_locations(result),
            *_supplemental(result),
        ],
        "identifier": [{"system": URI_SYSTEM, "value": f"urn:uuid:{report_id}"}],
        "status": "complete",
        "type": "individual",
        "measure": measure_canonical(result),
        "subject": {"reference": result.subject},
        "date": reporting.moment,
        "reporter": {"reference": reporting.reporter_reference},
        "period": {"start": result.period_start.isoformat(), "end": result.period_end.isoformat()},
    }
    contained = _contained(result)
    if contained:
        report["contained"] = contained
    if not own and result.scoring in IMPROVING_SCORES:
        report["improvementNotation"] = improvement_notation(result.improvement_notation)
    if result.groups:
        report["group"] = [
            report_group(
                group,
                scoring=(scoring := group.scoring or result.scoring),
                notation=result.improvement_notation,
                score=None if group.observations else measure_score(scoring, group.populations),
                own_scoring=own,
            )
            for group in result.groups
        ]
    if result.evaluated:
        report["evaluatedResource"] = [
            _evaluated(reference, criteria, result.sources.get(reference))
            for reference, criteria in result.evaluated.items()
        ]
    return report


def measure_score(scoring: str, populations: Mapping[str, int]) -> float | None:
    """One person's score: 0.0 or 1.0 for a proportion, a quotient for a ratio with a denominator, else None.

    A person outside the denominator, or excluded or excepted from it, scores 0 (see the module's note).
    """
    numerator = populations.get("numerator", 0) - populations.get("numerator-exclusion", 0)
    denominator = (
        populations.get("denominator", 0)
        - populations.get("denominator-exclusion", 0)
        - populations.get("denominator-exception", 0)
    )
    if scoring == "proportion":
        return 1.0 if denominator > 0 and numerator > 0 else 0.0
    if scoring == "ratio" and denominator > 0:
        return round(max(numerator, 0) / denominator, 6)
    return None


def _supplemental_name(number: int, at: int) -> str:
    return f"supplemental-{number}-{at}"


def _supplemental(result: ResultLike) -> list[Resource]:
    """A reference to each resource that supplemental data named, and to a contained Observation for each value."""
    return [
        supplemental_extension(value.reference or f"#{_supplemental_name(number, at)}", one.id, one.code.text)
        for number, one in enumerate(result.supplemental, 1)
        for at, value in enumerate(one.values, 1)
    ]


def _contained(result: ResultLike) -> list[Resource]:
    return [
        {
            "resourceType": "Observation",
            "id": _supplemental_name(number, at),
            "status": "final",
            "code": labelled(one.code),
            "valueCodeableConcept": labelled(value.label),
        }
        for number, one in enumerate(result.supplemental, 1)
        for at, value in enumerate(one.values, 1)
        if value.label is not None
    ]


def _evaluated(reference: str, criteria: Sequence[str], source: str | None) -> Resource:
    """An evaluated resource with what it decided; its display says who reported it (Reference has no other place)."""
    found: Resource = {"reference": reference}
    if criteria:
        found["extension"] = [extension(CRITERIA_REFERENCE, valueString=clean(mark)) for mark in criteria]
    if source is not None:
        found["display"] = clean(f"reported by {source}")
    return found


def _locations(result: ResultLike) -> list[Resource]:
    """Where the evaluated data are: each source, as a logical reference (DEQM dataLocation; no Location of ours)."""
    return [
        extension(
            DATA_LOCATION,
            valueReference={"type": "Location", "identifier": {"value": clean(source)}, "display": clean(source)},
        )
        for source in sorted(set(result.sources.values()))
    ]


def _basis(result: ResultLike, reporting: Reporting) -> list[Resource]:
    if not result.groups:
        return []
    basis = result.groups[0].gap.basis
    parts = [extension("software", valueString=clean(basis.software))]
    if basis.schedule:
        parts.append(extension("schedule", valueString=clean(basis.schedule)))
    if basis.population:
        parts.append(extension("population", valueString=basis.population))
    for source, moment in basis.data_as_of.items():
        # A source that cannot say when (a folder of files) keeps its own words.
        known = (
            extension("moment", valueDateTime=moment)
            if _DATE_TIME.fullmatch(moment)
            else extension("moment", valueString=clean(moment))
        )
        parts.append(group_extension("dataAsOf", [extension("source", valueString=clean(source)), known]))
    return [group_extension(extension_url(reporting.extension_base, BASIS), parts)]


def _story(result: ResultLike) -> str:
    lines = [
        clean(result.measure_title),
        f"Period: {wording.period(result)}. Judged as of {wording.words(result.as_of)}.",
    ]
    return paragraphs(lines) + bullets(
        f"{clean(group.description)}: {wording.STATUS_WORDS.get(group.gap.status, group.gap.status).lower()}."
        for group in result.groups
    )
