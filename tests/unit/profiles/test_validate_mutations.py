"""The checker finds every departure: each row spoils Maya's valid bundle in one way and says what is found.

A row is (resource type, change, path of the issue below that resource, its code, its rule). The issue must be
among those found, so a check that can't fail would be seen here.
"""

from collections.abc import Callable
from typing import Any

import pytest
from deqm_cases import RECORD, REPORTING, THREE_BY_120, bundle, resources

from fhir_profiles.constraint_tables import profiles
from fhir_profiles.deqm import gaps_bundle
from fhir_profiles.terms import (
    GAPS_BUNDLE,
    GAPS_DETECTED_ISSUE,
    INDIVIDUAL_MEASURE_REPORT,
    INDIVIDUAL_MEASURE_REPORT_LIST,
    SUBJECT_LIST_MEASURE_REPORT,
    SUMMARY_MEASURE_REPORT,
)
from fhir_profiles.validate import Issue, validate
from fhir_profiles.validate_bundle import allowed_statuses, validate_bundle

Change = Callable[[dict[str, Any]], object]
COUNT_QUANTITY = "http://hl7.org/fhir/StructureDefinition/measurereport-countQuantity"
SCORING = "http://hl7.org/fhir/us/davinci-deqm/StructureDefinition/extension-measureScoring"
GROUP_NOTATION = "http://hl7.org/fhir/us/davinci-deqm/StructureDefinition/extension-groupImprovementNotation"
REMARK = "http://hl7.org/fhir/us/davinci-deqm/StructureDefinition/extension-careGapRemark"


def without(*path: str | int) -> Change:
    """Remove what stands at a path."""

    def change(resource: dict[str, Any]) -> None:
        node: Any = resource
        for step in path[:-1]:
            node = node[step]
        del node[path[-1]]

    return change


def with_value(value: Any, *path: str | int) -> Change:
    """Put a value at a path; the last step may be new."""

    def change(resource: dict[str, Any]) -> None:
        node: Any = resource
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = value

    return change


def added(value: Any, *path: str | int) -> Change:
    """Append a value to the list at a path."""

    def change(resource: dict[str, Any]) -> None:
        node: Any = resource
        for step in path:
            node = node[step]
        node.append(value)

    return change


def scoring(code: str) -> dict[str, Any]:
    concept = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/measure-scoring", "code": code}]}
    return {"url": SCORING, "valueCodeableConcept": concept}


ROWS: list[tuple[str, Change, str, str, str]] = [
    # Gaps bundle
    ("Bundle", without("identifier"), "identifier", "required", "Bundle.identifier"),
    ("Bundle", without("identifier", "system"), "identifier.system", "required", "Bundle.identifier.system"),
    ("Bundle", without("identifier", "value"), "identifier.value", "required", "Bundle.identifier.value"),
    ("Bundle", without("identifier", "value"), "", "invariant", "bdl-9"),
    ("Bundle", without("timestamp"), "timestamp", "required", "Bundle.timestamp"),
    ("Bundle", without("timestamp"), "", "invariant", "bdl-10"),
    ("Bundle", with_value("2026-03-02", "timestamp"), "timestamp", "value", "Bundle.timestamp"),
    ("Bundle", without("type"), "type", "required", "Bundle.type"),
    ("Bundle", with_value("report", "type"), "type", "code-invalid", "Bundle.type"),
    ("Bundle", with_value("collection", "type"), "entry[0]", "invariant", "gic-1"),
    ("Bundle", with_value([], "entry"), "entry", "required", "Bundle.entry"),
    ("Bundle", with_value(["x"], "entry", 0, "resource", "meta", "profile"), "entry[0]", "invariant", "gic-2"),
    ("Bundle", without("entry", 0), "", "invariant", "bdl-11"),
    ("Bundle", with_value("message", "type"), "", "invariant", "bdl-12"),
    ("Bundle", without("entry", 1, "resource"), "entry[1]", "invariant", "bdl-5"),
    ("Bundle", with_value(3, "total"), "", "invariant", "bdl-1"),
    ("Bundle", with_value({"mode": "match"}, "entry", 1, "search"), "", "invariant", "bdl-2"),
    ("Bundle", with_value({"method": "PUT", "url": "x"}, "entry", 1, "request"), "", "invariant", "bdl-3"),
    ("Bundle", with_value({"status": "200"}, "entry", 1, "response"), "", "invariant", "bdl-4"),
    (
        "Bundle",
        with_value("https://x/Patient/maya/_history/1", "entry", 8, "fullUrl"),
        "entry[8]",
        "invariant",
        "bdl-8",
    ),
    ("Bundle", with_value("x", "note"), "note", "structure", "Bundle"),
    ("Bundle", with_value("one", "entry", 1, "link"), "entry[1].link", "structure", "Bundle.entry.link"),
    (
        "Bundle",
        with_value([{"relation": "self"}], "entry", 1, "link"),
        "entry[1].link[0].url",
        "required",
        "Bundle.link.url",
    ),
    # Composition
    ("Composition", without("status"), "status", "required", "Composition.status"),
    ("Composition", with_value("done", "status"), "status", "code-invalid", "Composition.status"),
    ("Composition", without("type"), "type", "required", "Composition.type"),
    ("Composition", with_value("96315-8", "type", "coding", 0, "code"), "type", "value", "Composition.type"),
    ("Composition", without("subject"), "subject", "required", "Composition.subject"),
    (
        "Composition",
        with_value("Group/all", "subject", "reference"),
        "subject",
        "value",
        "Composition.subject",
    ),
    ("Composition", without("date"), "date", "required", "Composition.date"),
    ("Composition", with_value("yesterday", "date"), "date", "value", "Composition.date"),
    ("Composition", without("author"), "author", "required", "Composition.author"),
    ("Composition", without("title"), "title", "required", "Composition.title"),
    ("Composition", with_value(5, "title"), "title", "value", "Composition.title"),
    ("Composition", without("section"), "section", "required", "Composition.section"),
    ("Composition", without("section", 0, "focus"), "section[0].focus", "required", "Composition.section.focus"),
    (
        "Composition",
        with_value("Patient/maya", "section", 0, "focus", "reference"),
        "section[0].focus",
        "value",
        "Composition.section.focus",
    ),
    ("Composition", without("section", 0, "entry"), "section[0].entry", "required", "Composition.section.entry"),
    (
        "Composition",
        with_value("MeasureReport/x", "section", 0, "entry", 0, "reference"),
        "section[0].entry[0]",
        "value",
        "Composition.section.entry",
    ),
    (
        "Composition",
        with_value({"text": "none"}, "section", 0, "emptyReason"),
        "section[0]",
        "invariant",
        "cmp-2",
    ),
    (
        "Composition",
        with_value([{"title": "x"}], "section", 0, "section"),
        "section[0].section[0]",
        "invariant",
        "cmp-1",
    ),
    ("Composition", without("text"), "", "invariant", "dom-6"),
    ("Composition", with_value("<p>x</p>", "text", "div"), "text.div", "value", "Narrative.div"),
    ("Composition", without("text", "status"), "text.status", "required", "Narrative.status"),
    ("Composition", with_value("made", "text", "status"), "text.status", "code-invalid", "Narrative.status"),
    # DetectedIssue
    (
        "DetectedIssue",
        without("modifierExtension"),
        "modifierExtension",
        "required",
        "DetectedIssue.modifierExtension",
    ),
    (
        "DetectedIssue",
        with_value("https://x.example/status", "modifierExtension", 0, "url"),
        "modifierExtension",
        "required",
        "DetectedIssue.modifierExtension:gapStatus",
    ),
    (
        "DetectedIssue",
        with_value("half-open", "modifierExtension", 0, "valueCodeableConcept", "coding", 0, "code"),
        "modifierExtension[0].valueCodeableConcept",
        "code-invalid",
        "Extension.value[x]",
    ),
    (
        "DetectedIssue",
        without("modifierExtension", 0, "valueCodeableConcept"),
        "modifierExtension[0]",
        "invariant",
        "ext-1",
    ),
    ("DetectedIssue", without("status"), "status", "required", "DetectedIssue.status"),
    ("DetectedIssue", with_value("open", "status"), "status", "code-invalid", "DetectedIssue.status"),
    ("DetectedIssue", without("code"), "code", "required", "DetectedIssue.code"),
    ("DetectedIssue", with_value("DRG", "code", "coding", 0, "code"), "code", "value", "DetectedIssue.code"),
    ("DetectedIssue", without("patient"), "patient", "required", "DetectedIssue.patient"),
    ("DetectedIssue", without("evidence"), "evidence", "required", "DetectedIssue.evidence"),
    (
        "DetectedIssue",
        without("evidence", 0, "detail"),
        "evidence[0].detail",
        "required",
        "DetectedIssue.evidence.detail",
    ),
    (
        "DetectedIssue",
        added({"reference": "MeasureReport/x"}, "evidence", 0, "detail"),
        "evidence[0].detail",
        "structure",
        "DetectedIssue.evidence.detail",
    ),
    (
        "DetectedIssue",
        with_value("Encounter/v1", "evidence", 0, "detail", 0, "reference"),
        "evidence[0].detail[0]",
        "value",
        "DetectedIssue.evidence.detail",
    ),
    (
        "DetectedIssue",
        with_value({"start": "2026-1-6"}, "identifiedPeriod"),
        "identifiedPeriod.start",
        "value",
        "Period.start",
    ),
    (
        "DetectedIssue",
        with_value("2026-01-06", "identifiedDateTime"),
        "identified",
        "structure",
        "DetectedIssue.identified[x]",
    ),
    ("DetectedIssue", with_value("", "detail"), "detail", "structure", "ele-1"),
    ("DetectedIssue", with_value([], "mitigation"), "mitigation", "structure", "ele-1"),
    ("DetectedIssue", with_value([{}], "mitigation"), "mitigation[0]", "structure", "ele-1"),
    # Individual MeasureReport
    ("MeasureReport", without("status"), "status", "required", "MeasureReport.status"),
    ("MeasureReport", with_value("final", "status"), "status", "code-invalid", "MeasureReport.status"),
    ("MeasureReport", without("type"), "type", "required", "MeasureReport.type"),
    ("MeasureReport", with_value("summary", "type"), "type", "value", "MeasureReport.type"),
    ("MeasureReport", with_value("data-collection", "type"), "", "invariant", "mrp-1"),
    ("MeasureReport", without("measure"), "measure", "required", "MeasureReport.measure"),
    ("MeasureReport", with_value("https://x/Measure/m", "measure"), "measure", "invariant", "deqm-0"),
    ("MeasureReport", with_value("https://x/Measure/m|", "measure"), "measure", "invariant", "deqm-0"),
    ("MeasureReport", without("subject"), "subject", "required", "MeasureReport.subject"),
    ("MeasureReport", without("date"), "date", "required", "MeasureReport.date"),
    ("MeasureReport", without("reporter"), "reporter", "required", "MeasureReport.reporter"),
    (
        "MeasureReport",
        with_value("Practitioner/p", "reporter", "reference"),
        "reporter",
        "value",
        "MeasureReport.reporter",
    ),
    ("MeasureReport", without("period"), "period", "required", "MeasureReport.period"),
    ("MeasureReport", without("period", "start"), "period.start", "required", "MeasureReport.period.start"),
    ("MeasureReport", without("period", "end"), "period.end", "required", "MeasureReport.period.end"),
    ("MeasureReport", with_value("2026", "period", "start"), "period", "invariant", "deqm-1"),
    ("MeasureReport", without("improvementNotation"), "", "invariant", "deqm-2"),
    (
        "MeasureReport",
        with_value("up", "improvementNotation", "coding", 0, "code"),
        "improvementNotation",
        "code-invalid",
        "MeasureReport.improvementNotation",
    ),
    ("MeasureReport", without("extension", 0), "", "invariant", "deqm-3"),
    ("MeasureReport", added(scoring("proportion"), "group", 0, "extension"), "", "invariant", "deqm-3"),
    ("MeasureReport", added(scoring("proportion"), "group", 0, "extension"), "group[0]", "invariant", "deqm-4"),
    (
        "MeasureReport",
        added(scoring("cohort"), "extension"),
        "extension",
        "structure",
        "MeasureReport.extension:scoring",
    ),
    ("MeasureReport", without("group"), "", "invariant", "deqm-5"),
    ("MeasureReport", without("group", 1, "measureScore"), "group[1]", "invariant", "deqm-6"),
    ("MeasureReport", with_value(1.01, "group", 1, "measureScore", "value"), "group[1]", "invariant", "deqm-6"),
    (
        "MeasureReport",
        with_value("1", "group", 1, "measureScore", "value"),
        "group[1].measureScore.value",
        "value",
        "MeasureReport.group.measureScore.value",
    ),
    (
        "MeasureReport",
        with_value([{"stratum": []}], "group", 0, "stratifier"),
        "group[0].stratifier[0]",
        "invariant",
        "deqm-7",
    ),
    (
        "MeasureReport",
        with_value([{"code": [{"text": "x"}], "stratum": [{}]}], "group", 0, "stratifier"),
        "",
        "invariant",
        "mrp-2",
    ),
    (
        "MeasureReport",
        without("group", 0, "population", 0, "count"),
        "group[0].population[0]",
        "invariant",
        "deqm-8",
    ),
    (
        "MeasureReport",
        with_value([{"url": COUNT_QUANTITY, "valueQuantity": {"value": 1}}], "group", 0, "population", 0, "extension"),
        "group[0].population[0]",
        "invariant",
        "deqm-8",
    ),
    (
        "MeasureReport",
        with_value(
            [{"code": [{"text": "x"}], "stratum": [{"value": {"text": "y"}, "population": [{"code": {"text": "z"}}]}]}],
            "group",
            0,
            "stratifier",
        ),
        "group[0].stratifier[0].stratum[0].population[0]",
        "invariant",
        "deqm-9",
    ),
    (
        "MeasureReport",
        without("group", 0, "population", 0, "code"),
        "group[0].population[0].code",
        "required",
        "MeasureReport.group.population.code",
    ),
    (
        "MeasureReport",
        with_value({"reference": "List/x"}, "group", 0, "population", 0, "subjectResults"),
        "group[0].population[0].subjectResults",
        "structure",
        "MeasureReport.group.population.subjectResults",
    ),
    (
        "MeasureReport",
        with_value("1", "group", 0, "population", 0, "count"),
        "group[0].population[0].count",
        "value",
        "MeasureReport.group.population.count",
    ),
    (
        "MeasureReport",
        added({"url": REMARK, "extension": [{"url": "text", "valueString": "x"}]}, "extension"),
        "extension[3]",
        "invariant",
        "cgr-1",
    ),
    (
        "MeasureReport",
        added(
            {
                "url": REMARK,
                "extension": [{"url": "author", "valueString": "x"}, {"url": "author", "valueString": "y"}],
            },
            "extension",
        ),
        "extension[3].extension",
        "structure",
        "Extension.extension:author",
    ),
    # GuidanceResponse
    ("GuidanceResponse", without("status"), "status", "required", "GuidanceResponse.status"),
    ("GuidanceResponse", with_value("ok", "status"), "status", "code-invalid", "GuidanceResponse.status"),
    ("GuidanceResponse", without("moduleCanonical"), "module", "required", "GuidanceResponse.module[x]"),
    (
        "GuidanceResponse",
        without("reasonCode", 1, "extension", 0, "extension", 1),
        "reasonCode[1].extension[0].extension",
        "required",
        "Extension.extension:path",
    ),
    (
        "GuidanceResponse",
        with_value({"url": "reference", "valueString": "x"}, "reasonCode", 1, "extension", 0, "extension", 0),
        "reasonCode[1].extension[0].extension[0].valueString",
        "structure",
        "Extension.extension:reference",
    ),
    (
        "GuidanceResponse",
        without("dataRequirement", 0, "type"),
        "dataRequirement[0].type",
        "required",
        "GuidanceResponse.dataRequirement.type",
    ),
    (
        "GuidanceResponse",
        without("dataRequirement", 0, "codeFilter", 0, "path"),
        "dataRequirement[0].codeFilter[0]",
        "invariant",
        "drq-1",
    ),
    (
        "GuidanceResponse",
        with_value("date", "dataRequirement", 0, "dateFilter", 0, "searchParam"),
        "dataRequirement[0].dateFilter[0]",
        "invariant",
        "drq-2",
    ),
    ("GuidanceResponse", with_value([{"resourceType": "Basic", "id": "b"}], "contained"), "", "invariant", "dom-3"),
    (
        "GuidanceResponse",
        with_value([{"resourceType": "Basic", "id": "b", "meta": {"versionId": "1"}}], "contained"),
        "",
        "invariant",
        "dom-4",
    ),
    (
        "GuidanceResponse",
        with_value([{"resourceType": "Basic", "meta": {"security": [{"code": "R"}]}}], "contained"),
        "",
        "invariant",
        "dom-5",
    ),
    (
        "GuidanceResponse",
        with_value([{"resourceType": "Basic", "contained": [{"resourceType": "Basic"}]}], "contained"),
        "",
        "invariant",
        "dom-2",
    ),
]


def spoiled(kind: str, change: Change) -> tuple[dict[str, Any], list[Issue]]:
    whole = bundle()
    # Of the issues the open one, with its window and guidance
    at = 1 if kind == "DetectedIssue" else 0
    resource = whole if kind == "Bundle" else resources(whole, kind)[at]
    assert validate(resource) == []
    change(resource)
    return resource, validate(resource)


@pytest.mark.parametrize(("kind", "change", "path", "code", "rule"), ROWS)
def test_a_spoiled_resource_is_found(kind: str, change: Change, path: str, code: str, rule: str) -> None:
    _, issues = spoiled(kind, change)
    assert (f"{kind}.{path}" if path else kind, code, rule) in [
        (issue.path, issue.code, issue.rule) for issue in issues
    ]


OF_MANY = (SUMMARY_MEASURE_REPORT, SUBJECT_LIST_MEASURE_REPORT, INDIVIDUAL_MEASURE_REPORT_LIST)


def test_every_mandatory_element_has_a_row() -> None:
    """Required elements of resources that a row must remove: those that our own output carries."""
    removed = {rule for _, _, _, code, rule in ROWS if code == "required"}
    for profile in profiles().values():
        # The rows of reports of many are in test_deqm_summary.py and test_deqm_subjects.py.
        if profile.type == "Extension" or profile.url in OF_MANY:
            continue
        for element in profile.by_id.values():
            parent = profile.by_id.get(element.id.rpartition(".")[0])
            inside_optional = parent is not None and parent.min == 0 and "." in parent.id
            if element.min and "." in element.id and not inside_optional and "extension:" not in element.id:
                assert element.id in removed, f"no row removes {element.id}"


def test_every_published_invariant_has_a_row() -> None:
    elsewhere = {"bdl-7", "ele-1", "lst-1", "lst-2", "lst-3"}  # below, and in test_deqm_subjects.py
    broken = {rule for _, _, _, code, rule in ROWS if code == "invariant"} | elsewhere
    published = {key for profile in profiles().values() for key in profile.invariants}
    assert published == broken


def test_two_entries_with_one_full_url() -> None:
    whole = bundle()
    whole["entry"][2]["fullUrl"] = whole["entry"][1]["fullUrl"]
    found = [(issue.path, issue.rule) for issue in validate(whole, GAPS_BUNDLE)]
    assert found == [("Bundle", "bdl-7")]


def test_an_issue_becomes_an_outcome_without_the_value() -> None:
    _, (issue,) = spoiled("DetectedIssue", with_value("Maya López", "status"))
    outcome = issue.outcome()
    assert (outcome.severity, outcome.code, outcome.expression) == (
        "error",
        "code-invalid",
        ("DetectedIssue.status",),
    )
    assert outcome.diagnostics == (
        "expected a code of http://hl7.org/fhir/ValueSet/observation-status (required) "
        f"(DetectedIssue.status of {GAPS_DETECTED_ISSUE})"
    )


def test_a_profile_may_be_asked_for_by_name_and_an_unknown_one_is_an_error() -> None:
    report = resources(bundle(), "MeasureReport")[0]
    del report["meta"]
    assert validate(report) == []
    assert validate(report, INDIVIDUAL_MEASURE_REPORT) == []
    with pytest.raises(ValueError, match=r"no constraint table for https://x\.example/p; known are"):
        validate(report, "https://x.example/p")
    assert [issue.message for issue in validate(report, GAPS_BUNDLE)] == ["expected a Bundle"]


# --- The bundle as a whole


BUNDLE_ROWS: list[tuple[str, Change, str, str]] = [
    ("an entry twice", added(bundle()["entry"][8], "entry"), "Bundle.entry[12].resource", "duplicate"),
    (
        "a full url of another",
        with_value("https://x/Patient/noa", "entry", 8, "fullUrl"),
        "Bundle.entry[8].fullUrl",
        "value",
    ),
    ("no full url", without("entry", 8, "fullUrl"), "Bundle.entry[8].fullUrl", "value"),
    ("an evaluated resource left out", without("entry", 11), "Bundle.entry[1].resource", "not-found"),
    ("the reporter left out", without("entry", 7), "Bundle.entry[0].resource", "not-found"),
    ("the patient left out", without("entry", 8), "Bundle.entry[4].resource", "not-found"),
    (
        "a report of another child",
        with_value("Patient/noa", "entry", 1, "resource", "subject", "reference"),
        "Bundle.entry[1].resource.subject",
        "business-rule",
    ),
    (
        "an issue of another child",
        with_value("Patient/noa", "entry", 3, "resource", "patient", "reference"),
        "Bundle.entry[3].resource.patient",
        "business-rule",
    ),
    (
        "an entry's own departure",
        without("entry", 4, "resource", "status"),
        "Bundle.entry[4].resource.status",
        "required",
    ),
    (
        "an open gap of a met rate",
        with_value(1, "entry", 1, "resource", "group", 1, "population", 3, "count"),
        "Bundle.entry[4].resource.modifierExtension",
        "business-rule",
    ),
    (
        "a closed gap of an unmet rate",
        with_value(0, "entry", 1, "resource", "group", 0, "population", 3, "count"),
        "Bundle.entry[3].resource.modifierExtension",
        "business-rule",
    ),
    (
        "a gap of someone outside the population",
        with_value(0, "entry", 1, "resource", "group", 1, "population", 0, "count"),
        "Bundle.entry[4].resource.modifierExtension",
        "business-rule",
    ),
]


@pytest.mark.parametrize(("case", "change", "path", "code"), BUNDLE_ROWS, ids=[row[0] for row in BUNDLE_ROWS])
def test_a_spoiled_bundle_is_found(case: str, change: Change, path: str, code: str) -> None:
    whole = bundle()
    change(whole)
    assert (path, code) in [(issue.path, issue.code) for issue in validate_bundle(whole)], case


@pytest.mark.parametrize(
    ("populations", "decreasing", "allowed"),
    [
        ({"initial-population": 0}, False, ("not-applicable",)),
        ({"initial-population": 1, "denominator": 0}, False, ("closed-gap",)),
        ({"initial-population": 1, "denominator": 1, "denominator-exclusion": 1}, False, ("closed-gap",)),
        ({"initial-population": 1, "denominator": 1, "denominator-exception": 1}, True, ("closed-gap",)),
        ({"initial-population": 1, "denominator": 1, "numerator": 1}, False, ("closed-gap", "prospective-gap")),
        ({"initial-population": 1, "denominator": 1, "numerator": 0}, False, ("open-gap", "prospective-gap")),
        (
            {"initial-population": 1, "denominator": 1, "numerator": 1, "numerator-exclusion": 1},
            False,
            ("open-gap", "prospective-gap"),
        ),
        ({"initial-population": 1, "denominator": 1, "numerator": 1}, True, ("open-gap", "prospective-gap")),
        ({"initial-population": 1, "denominator": 1, "numerator": 0}, True, ("closed-gap", "prospective-gap")),
    ],
)
def test_the_statuses_that_populations_allow(
    populations: dict[str, int], decreasing: bool, allowed: tuple[str, ...]
) -> None:
    assert allowed_statuses(populations, decreasing) == allowed


def test_a_single_measure_without_extras_is_valid_too() -> None:
    built = gaps_bundle((THREE_BY_120,), RECORD, REPORTING, document=False)
    assert built is not None
    assert validate_bundle(built) == []


@pytest.mark.parametrize(
    ("code", "severities"),
    [("patient-refused", []), ("did-not-want", ["warning"])],
)
def test_a_care_gap_remark_is_read_wherever_it_stands(code: str, severities: list[str]) -> None:
    """The profile puts remarks on the report, their own context says the group; an extensible binding warns."""
    system = "http://hl7.org/fhir/us/davinci-deqm/CodeSystem/care-gap-remark"
    remark = {
        "url": REMARK,
        "extension": [
            {"url": "authorSoftware", "valueString": "EHR"},
            {"url": "code", "valueCodeableConcept": {"coding": [{"system": system, "code": code}]}},
        ],
    }
    for path in (("extension",), ("group", 0, "extension")):
        report = resources(bundle(), "MeasureReport")[0]
        added(remark, *path)(report)
        assert [issue.severity for issue in validate(report)] == severities
