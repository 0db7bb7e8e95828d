"""DEQM 5.0.0 Summary MeasureReport (`summary-measurereport-deqm`): one measure over many people.

No subject, no evaluated resources, no references to persons. Of supplemental data it says how many people have each
value, in contained Observations. A proportion without anybody in its denominator says 0, as deqm-6 wants a score.
"""

from collections.abc import Mapping

from fhir_profiles.deqm.groups import (
    IMPROVING_SCORES,
    Listing,
    groups_differ,
    improvement_notation,
    labelled,
    report_group,
    scoring_extension,
    supplemental_extension,
)
from fhir_profiles.deqm.reporting import Reporting
from fhir_profiles.extensions import AS_OF, extension_url
from fhir_profiles.inputs import SummaryLike
from fhir_profiles.plain import Resource, bullets, clean, extension, narrative, paragraphs, stable_id, words
from fhir_profiles.terms import SUMMARY_MEASURE_REPORT, URI_SYSTEM


def summary_measure_report(
    summary: SummaryLike, reporting: Reporting, *, asked: str, said: Mapping[str, str] | None = None
) -> Resource:
    """The MeasureReport of one measure over many. `asked` tells apart those of different people (a Group, an
    organization, ... or all): it is part of the id. `said` maps a population to what is to be known of it."""
    return many_report(summary, reporting, "summary", SUMMARY_MEASURE_REPORT, asked=asked, said=said)


def many_report(
    summary: SummaryLike,
    reporting: Reporting,
    kind: str,
    profile: str,
    *,
    asked: str,
    listing: Listing | None = None,
    said: Mapping[str, str] | None = None,
) -> Resource:
    """A report of many of either kind: `summary`, or `subject-list` with its `listing`."""
    canonical = f"{summary.measure_url}|{summary.measure_version}"
    period = {"start": summary.period_start.isoformat(), "end": summary.period_end.isoformat()}
    report_id = stable_id(f"MeasureReport.{kind}", canonical, *period.values(), asked)
    own = groups_differ(summary.groups)
    extensions = [] if own else [scoring_extension(summary.scoring)]
    extensions.append(extension(extension_url(reporting.extension_base, AS_OF), valueDate=summary.as_of.isoformat()))
    contained: list[Resource] = []
    for number, one in enumerate(summary.supplemental, 1):
        for at, (label, count) in enumerate(one.values, 1):
            name = f"supplemental-{number}-{at}"
            contained.append(
                {
                    "resourceType": "Observation",
                    "id": name,
                    "status": "final",
                    "code": labelled(label),
                    "valueInteger": count,
                }
            )
            extensions.append(supplemental_extension(f"#{name}", one.id, one.code.text))
    report: Resource = {
        "resourceType": "MeasureReport",
        "id": report_id,
        "meta": {"profile": [profile]},
        "text": narrative(_story(summary)),
    }
    if contained:
        report["contained"] = contained
    report |= {
        "extension": extensions,
        "identifier": [{"system": URI_SYSTEM, "value": f"urn:uuid:{report_id}"}],
        "status": "complete",
        "type": kind,
        "measure": canonical,
        "date": reporting.moment,
        "reporter": {"reference": reporting.reporter_reference},
        "period": period,
    }
    if not own and summary.scoring in IMPROVING_SCORES:
        report["improvementNotation"] = improvement_notation(summary.improvement_notation)
    report["group"] = [
        report_group(
            group,
            scoring=(scoring := group.scoring or summary.scoring),
            notation=summary.improvement_notation,
            score=0.0 if scoring == "proportion" else None,
            own_scoring=own,
            listing=listing,
            said=said,
        )
        for group in summary.groups
    ]
    return report


def _story(summary: SummaryLike) -> str:
    lines = [
        clean(summary.measure_title),
        f"Period: {words(summary.period_start)} through {words(summary.period_end)}. "
        f"Judged as of {words(summary.as_of)}. {summary.persons:,} people.",
    ]
    said = paragraphs(lines) + bullets(
        f"{clean(group.description)}: {'not scored' if group.score is None else round(float(group.score), 4)}."
        for group in summary.groups
    )
    return said + paragraphs(clean(problem) for problem in summary.problems)
