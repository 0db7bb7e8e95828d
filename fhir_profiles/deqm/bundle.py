"""DEQM 5.0.0 Gaps In Care Bundle, its Composition, and the Parameters that `$care-gaps` answers with.

`isDocument` true: type `document`, the Composition first (bdl-11). false: type `collection` and no Composition,
because gic-1 allows that Composition in a document only (gic-1 and gic-2 hang on the Composition's entry, so a
collection without one satisfies both). Identifier and timestamp are required either way.

Every entry's fullUrl ends in `Type/id` under one base, so each relative reference in the bundle resolves inside
it. A reference in a clinical resource to something that was not handed in would dangle; the copy in the bundle
keeps it as a logical reference (type, identifier, display) instead. The source resource is never changed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, cast

from fhir_profiles.deqm import wording
from fhir_profiles.deqm.guidance import detailed_guidance_response
from fhir_profiles.deqm.issue import gaps_detected_issue
from fhir_profiles.deqm.report import individual_measure_report
from fhir_profiles.deqm.reporting import (
    Reporting,
    detected_issue_id,
    measure_canonical,
    measure_report_id,
)
from fhir_profiles.inputs import GroupLike, ResultLike
from fhir_profiles.plain import (
    JsonMapping,
    Resource,
    bullets,
    clean,
    concept,
    escaped,
    narrative,
    paragraphs,
    stable_id,
)
from fhir_profiles.references import logical_reference, with_references
from fhir_profiles.terms import GAPS_BUNDLE, GAPS_COMPOSITION, LOINC, URI_SYSTEM

_SCORINGS_WITH_GAPS: Final = ("proportion", "ratio")


def listed_groups(result: ResultLike, statuses: Collection[str] | None) -> list[GroupLike]:
    """The rates whose gap status was asked for (`status` of `$care-gaps`); all of them when None.

    DEQM infers gaps for proportions and ratios only: groups of other scoring are in the report, but have no issue.
    """
    return [
        group
        for group in result.groups
        if (group.scoring or result.scoring) in _SCORINGS_WITH_GAPS
        and (statuses is None or group.gap.status in statuses)
    ]


def gaps_composition(
    results: Sequence[ResultLike],
    reporting: Reporting,
    *,
    statuses: Collection[str] | None = None,
    patient: JsonMapping | None = None,
) -> Resource:
    """The Composition of one person's gaps: one section per MeasureReport (focus), its DetectedIssues as entries.

    A measure with no rate of the asked statuses has no section. `patient` only gives the narrative a name.
    Raises ValueError when the results are of different people or nothing is left to list.
    """
    subject = _one_subject(results)
    sections = [_section(result, groups) for result in results if (groups := listed_groups(result, statuses))]
    if not sections:
        raise ValueError("a gaps composition needs at least one section: no rate has a status that was asked for")
    first = results[0]
    title = f"Gaps in care, as of {wording.words(first.as_of)}"
    said = [title]
    if who := wording.person(patient):
        said.append(who)
    return {
        "resourceType": "Composition",
        "id": stable_id("Composition", *_bundle_key(results, statuses)),
        "meta": {"profile": [GAPS_COMPOSITION]},
        "text": narrative(
            paragraphs(said)
            + "".join(
                f"<p>{escaped(result.measure_title)}</p>"
                + bullets(wording.headline(group) for group in listed_groups(result, statuses))
                for result in results
            )
        ),
        "status": "final",
        "type": concept(LOINC, "96315-7", "Gaps in care report"),
        "subject": {"reference": subject},
        "date": reporting.moment,
        "author": [{"reference": reporting.reporter_reference}],
        "title": title,
        "custodian": {"reference": reporting.reporter_reference},
        "section": sections,
    }


def _section(result: ResultLike, groups: Sequence[GroupLike]) -> Resource:
    body = f"<p>{escaped(result.measure_title)}, {escaped(wording.period(result))}</p>" + "".join(
        f"<p>{escaped(wording.detail(group))}</p>" for group in groups
    )
    return {
        "title": clean(result.measure_title),
        "text": narrative(body),
        "focus": {"reference": f"MeasureReport/{measure_report_id(result)}"},
        "entry": [{"reference": f"DetectedIssue/{detected_issue_id(result, group)}"} for group in groups],
    }


def gaps_bundle(
    results: Sequence[ResultLike],
    resources: Iterable[JsonMapping],
    reporting: Reporting,
    *,
    document: bool = True,
    statuses: Collection[str] | None = None,
    identifier: str | None = None,
) -> Resource | None:
    """One person's gaps Bundle, or None when no rate has a status that was asked for.

    `resources` holds the person's Patient and at least every resource that the results evaluated; what those
    point to (Practitioner, Location, Coverage's payor) may be handed in too and is then included
    (`fhir_profiles.references.referenced` names them). `identifier` is a URI; by default it is derived from
    the request and the moment of calculation, so that no two different documents share one.

    Raises:
        ValueError: the results are of different people, or a resource that they rest on was not handed in.
    """
    kept = [result for result in results if listed_groups(result, statuses)]
    if not kept:
        return None
    subject = _one_subject(kept)
    key = (*_bundle_key(kept, statuses), "document" if document else "collection")
    given: dict[str, JsonMapping] = {}
    for resource in (reporting.reporter, *resources):
        given.setdefault(f"{resource['resourceType']}/{resource['id']}", resource)

    made: list[Resource] = [individual_measure_report(result, reporting) for result in kept]
    for result in kept:
        made.extend(gaps_detected_issue(result, group, reporting) for group in listed_groups(result, statuses))
    for result in kept:
        for group in listed_groups(result, statuses):
            guidance = detailed_guidance_response(result, group, reporting)
            if guidance is not None:
                made.append(guidance)
    if document:
        made.insert(0, gaps_composition(kept, reporting, statuses=statuses, patient=given.get(subject)))

    inside = {f"{resource['resourceType']}/{resource['id']}" for resource in made} | given.keys()
    missing = sorted(_rests_on(kept, statuses) - given.keys())
    if missing:
        raise ValueError(
            f"{len(missing)} resource(s) that the report refers to were not handed in, the first of type "
            f"{missing[0].split('/', 1)[0]}: give the Patient and every evaluated resource"
        )
    return {
        "resourceType": "Bundle",
        "id": stable_id("Bundle", *key),
        "meta": {"profile": [GAPS_BUNDLE]},
        "identifier": {
            "system": URI_SYSTEM,
            "value": identifier or f"urn:uuid:{stable_id('Bundle.identifier', *key, reporting.moment)}",
        },
        "type": "document" if document else "collection",
        "timestamp": reporting.moment,
        "entry": [
            *(
                {
                    "fullUrl": reporting.full_url(f"{resource['resourceType']}/{resource['id']}"),
                    "resource": resource,
                }
                for resource in made
            ),
            *(
                {"fullUrl": reporting.full_url(at), "resource": closed(resource, inside)}
                for at, resource in given.items()
            ),
        ],
    }


def _rests_on(results: Sequence[ResultLike], statuses: Collection[str] | None) -> set[str]:
    """Every resource of the record that the reports and issues of these results will refer to."""
    found: set[str] = set()
    for result in results:
        found.add(result.subject)
        found.update(result.evaluated)
        for group in listed_groups(result, statuses):
            gap = group.gap
            found.update(item.reference for item in gap.counted)
            found.update(item.reference for item in gap.discounted)
            found.update(reason.reference for reason in gap.reasons if reason.reference is not None)
    return found


def closed(resource: JsonMapping, inside: Collection[str]) -> JsonMapping:
    """The resource with references that lead out of the bundle made logical; itself when there are none."""

    def replace(reference: Mapping[str, Any]) -> Mapping[str, Any]:
        target = reference["reference"].partition("/_history/")[0]
        return reference if target in inside else logical_reference(reference)

    return cast(JsonMapping, with_references(resource, replace))


def care_gaps_parameters(bundles: Iterable[Resource]) -> Resource:
    """The answer of `$care-gaps`: Parameters with one `return` per bundle; none is legal (0..*)."""
    found: Resource = {"resourceType": "Parameters"}
    returned = [{"name": "return", "resource": bundle} for bundle in bundles]
    if returned:  # FHIR forbids an empty array
        found["parameter"] = returned
    return found


def _one_subject(results: Sequence[ResultLike]) -> str:
    subjects = {result.subject for result in results}
    if len(subjects) != 1:
        raise ValueError(f"a gaps bundle is about one person, and these results are about {len(subjects)}")
    return subjects.pop()


def _bundle_key(results: Sequence[ResultLike], statuses: Collection[str] | None) -> tuple[str, ...]:
    first = results[0]
    return (
        first.subject,
        first.period_start.isoformat(),
        first.period_end.isoformat(),
        first.as_of.isoformat(),
        *sorted(measure_canonical(result) for result in results),
        "statuses",
        *sorted(statuses or ()),
    )
