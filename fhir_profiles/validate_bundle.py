"""Checks a DEQM gaps bundle as a whole: each entry by its profiles, references, subject, and statuses.

Beyond the profiles (validate.py): unique fullUrls that end in `Type/id`, references that resolve inside, one
subject throughout (DEQM Composition), and gap statuses that agree with the populations of the report they rest
on (DEQM 5.0.0, Gaps in Care: status semantics). The last finds what no profile can: three of the package's own
examples say `open-gap` of a met measure or the reverse.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fhir_profiles.navigate import each_of, object_at
from fhir_profiles.plain import JsonMapping
from fhir_profiles.references import referenced
from fhir_profiles.terms import CRITERIA_REFERENCE, GAP_STATUS, GAPS_BUNDLE, GAPS_COMPOSITION, GAPS_DETECTED_ISSUE
from fhir_profiles.validate import Issue, validate

# What the populations allow a status to be. `prospective-gap` stands on both sides: met now and going to lapse,
# or not met and not due yet.
_OUTSIDE: Final = ("not-applicable",)
_EXEMPT: Final = ("closed-gap",)
_COMPLIANT: Final = ("closed-gap", "prospective-gap")
_NOT_COMPLIANT: Final = ("open-gap", "prospective-gap")


def validate_bundle(bundle: JsonMapping) -> list[Issue]:
    """Every departure of a gaps bundle (see the module's text). Paths start at `Bundle`."""
    found = validate(bundle, GAPS_BUNDLE)
    entries = each_of(bundle, "entry")
    resources = [object_at(entry, "resource") for entry in entries]
    inside: dict[str, JsonMapping] = {}
    for index, (entry, resource) in enumerate(zip(entries, resources, strict=True)):
        where = f"Bundle.entry[{index}]"
        at = f"{resource.get('resourceType')}/{resource.get('id')}"
        if at in inside:
            found.append(_issue(f"{where}.resource", "duplicate", "this resource is in the bundle twice"))
        inside[at] = resource
        if not str(entry.get("fullUrl", "")).endswith(f"/{at}"):
            found.append(_issue(f"{where}.fullUrl", "value", "expected a fullUrl that ends in the resource's Type/id"))
        for issue in validate(resource):
            _, dot, below = issue.path.partition(".")
            path = f"{where}.resource{dot}{below}"
            found.append(Issue(issue.severity, issue.code, path, issue.message, issue.rule, issue.profile))
    for index, resource in enumerate(resources):
        outside = sum(1 for target in referenced(resource) if target.partition("/_history/")[0] not in inside)
        if outside:
            message = f"{outside} reference(s) in this resource do not resolve in the bundle; include their targets"
            found.append(_issue(f"Bundle.entry[{index}].resource", "not-found", message))
    found.extend(_one_subject(resources))
    found.extend(_statuses(resources, inside))
    return found


def _issue(path: str, code: str, message: str) -> Issue:
    return Issue("error", code, path, message, "Bundle.entry", GAPS_BUNDLE)


def _one_subject(resources: Sequence[JsonMapping]) -> Iterator[Issue]:
    """Every section's MeasureReport is for the Composition's subject; so are the issues."""
    subject = next(
        (_reference(each, "subject") for each in resources if each.get("resourceType") == "Composition"), None
    )
    if subject is None:
        return
    for index, each in enumerate(resources):
        name = {"MeasureReport": "subject", "DetectedIssue": "patient"}.get(str(each.get("resourceType")))
        if name and _reference(each, name) != subject:
            yield Issue(
                "error",
                "business-rule",
                f"Bundle.entry[{index}].resource.{name}",
                "expected the subject of the Composition",
                "Composition.subject",
                GAPS_COMPOSITION,
            )


def _reference(node: JsonMapping, name: str) -> str | None:
    return object_at(node, name).get("reference")


def _statuses(resources: Sequence[JsonMapping], inside: Mapping[str, JsonMapping]) -> Iterator[Issue]:
    for index, issue in enumerate(resources):
        if issue.get("resourceType") != "DetectedIssue":
            continue
        status = _gap_status(issue)
        for report, group in _evidence(issue, inside):
            allowed = allowed_statuses(_populations(group), _decreasing(report))
            if status is not None and status not in allowed:
                yield Issue(
                    "error",
                    "business-rule",
                    f"Bundle.entry[{index}].resource.modifierExtension",
                    f"the populations of the report it rests on allow {' or '.join(allowed)} only",
                    "DetectedIssue.modifierExtension:gapStatus",
                    GAPS_DETECTED_ISSUE,
                )


def allowed_statuses(
    populations: Mapping[str, int], decreasing: bool = False, *, proportion: bool = True
) -> tuple[str, ...]:
    """The gap statuses that agree with the populations of a proportion, or else of a ratio; `decreasing` for an inverse
    measure."""
    if not populations.get("initial-population", 0):
        return _OUTSIDE
    exempt = populations.get("denominator-exclusion", 0) + populations.get("denominator-exception", 0)
    wanted = populations.get("denominator", 0) - exempt
    if wanted <= 0:
        return _EXEMPT
    # On a resource basis each of the denominator counts: one that is not met leaves the gap open.
    done = populations.get("numerator", 0) - populations.get("numerator-exclusion", 0)
    met = done <= 0 if decreasing else done >= (wanted if proportion else 1)
    return _COMPLIANT if met else _NOT_COMPLIANT


def _gap_status(issue: JsonMapping) -> str | None:
    return next(
        (
            coding.get("code")
            for extension in each_of(issue, "modifierExtension")
            if extension.get("url") == GAP_STATUS
            for coding in each_of(extension, "valueCodeableConcept", "coding")
        ),
        None,
    )


def _evidence(issue: JsonMapping, inside: Mapping[str, JsonMapping]) -> Iterator[tuple[JsonMapping, JsonMapping]]:
    """The (report, group) pairs that an issue rests on: the group it names, or the report's only one."""
    for detail in each_of(issue, "evidence", "detail"):
        report = inside.get(str(detail.get("reference")))
        if report is None or report.get("resourceType") != "MeasureReport":
            continue
        marks = each_of(detail, "extension")
        named = [mark.get("valueString") for mark in marks if mark.get("url") == CRITERIA_REFERENCE]
        groups = each_of(report, "group")
        chosen = [group for group in groups if group.get("id") in named] if named else groups
        if len(chosen) == 1:
            yield report, chosen[0]


def _populations(group: JsonMapping) -> dict[str, int]:
    found: dict[str, int] = {}
    for population in each_of(group, "population"):
        count: Any = population.get("count", 0)
        for coding in each_of(population, "code", "coding"):
            found[str(coding.get("code"))] = count if isinstance(count, int) else 0
    return found


def _decreasing(report: JsonMapping) -> bool:
    """Whether a lower score is better, said at the root of the report."""
    return any(coding.get("code") == "decrease" for coding in each_of(report, "improvementNotation", "coding"))
