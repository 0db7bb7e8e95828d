"""DEQM Subject-list MeasureReport: each count names the List of the individual reports that it counts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from deqm_cases import BASIS, REPORTING, THREE_BY_120
from fhir.resources.R4B.list import List
from fhir.resources.R4B.measurereport import MeasureReport

from fhir_profiles.deqm import measure_report_id, subject_list
from fhir_profiles.terms import INDIVIDUAL_MEASURE_REPORT_LIST
from fhir_profiles.validate import validate
from gapsvc.evaluation.result import Coding, GroupResult, Label, MeasureResult, StratifierResult, Stratum
from gapsvc.evaluation.summary import GroupSummary, MeasureSummary

GIRL, BOY = (Label(name, Coding("http://hl7.org/fhir/administrative-gender", name)) for name in ("female", "male"))


def child(name: str, sex: Label, **populations: int) -> MeasureResult:
    """A child who is in these populations of one rate, by sex."""
    named = {"initial-population": 1, "denominator": 1, "numerator": 0, **populations}
    by_sex = StratifierResult("sex", (Label("Sex"),), False, (Stratum((sex,), named),))
    gap = THREE_BY_120.groups[0].gap
    group = GroupResult("rate", "Three visits", named, gap, stratifiers=(by_sex,))
    return replace(THREE_BY_120, subject=f"Patient/{name}", groups=(group,))


CHILDREN = (child("a", GIRL, numerator=1), child("b", BOY), child("c", GIRL))


def summed() -> MeasureSummary:
    strata = (
        Stratum((GIRL,), {"initial-population": 2, "denominator": 2, "numerator": 1}),
        Stratum((BOY,), {"initial-population": 1, "denominator": 1, "numerator": 0}),
    )
    group = GroupSummary(
        "rate",
        "Three visits",
        {"initial-population": 3, "denominator": 3, "denominator-exclusion": 0, "numerator": 1},
        None,
        "",
        "",
        (),
        (StratifierResult("sex", (Label("Sex"),), False, strata),),
    )
    result = CHILDREN[0]
    return MeasureSummary(
        result.measure_id, result.measure_url, result.measure_version, result.measure_title, "proportion", "increase",
        result.period_start, result.period_end, result.as_of, 4, (group,), (), BASIS, (),
    )  # fmt: skip


def made() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The report and its Lists by reference, all held to their profiles and to FHIR R4."""
    report, lists = subject_list(summed(), CHILDREN, REPORTING, asked="all")
    for one in (report, *lists):
        assert validate(one) == []
    MeasureReport.model_validate(report)
    for one in lists:
        List.model_validate(one)
    return report, {f"List/{one['id']}": one for one in lists}


def named(lists: dict[str, dict[str, Any]], population: dict[str, Any]) -> list[str]:
    """The children whose reports the List of a population holds."""
    ids = {f"MeasureReport/{measure_report_id(one)}": one.subject.removeprefix("Patient/") for one in CHILDREN}
    entries = lists[population["subjectResults"]["reference"]].get("entry", [])
    return [ids[entry["item"]["reference"]] for entry in entries]


def test_each_population_names_its_members() -> None:
    report, lists = made()
    assert (report["type"], "evaluatedResource" in report) == ("subject-list", False)
    (group,) = report["group"]
    assert [(one["id"], one["count"], named(lists, one)) for one in group["population"]] == [
        ("rate-initial-population", 3, ["a", "b", "c"]),
        ("rate-denominator", 3, ["a", "b", "c"]),
        ("rate-denominator-exclusion", 0, []),
        ("rate-numerator", 1, ["a"]),
    ]


def test_each_stratum_names_its_members() -> None:
    report, lists = made()
    girls, boys = report["group"][0]["stratifier"][0]["stratum"]
    assert [named(lists, one) for one in girls["population"]] == [["a", "c"], ["a", "c"], ["a"]]
    assert [named(lists, one) for one in boys["population"]] == [["b"], ["b"], []]


def test_an_empty_list_says_why() -> None:
    _, lists = made()
    empty = next(one for one in lists.values() if "entry" not in one)
    assert empty["emptyReason"]["coding"][0]["code"] == "nilknown"


def test_the_same_question_names_the_same_lists() -> None:
    assert made()[1].keys() == made()[1].keys()
    other = {one["id"] for one in subject_list(summed(), CHILDREN, REPORTING, asked="Group/a")[1]}
    assert other.isdisjoint({one["id"] for one in made()[1].values()})


def _population(report: dict[str, Any]) -> dict[str, Any]:
    return report["group"][0]["population"][0]


def _stratum(report: dict[str, Any]) -> dict[str, Any]:
    return report["group"][0]["stratifier"][0]["stratum"][0]["population"][0]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda report: _population(report).pop("subjectResults"), "MeasureReport.group.population.subjectResults"),
        (
            lambda report: _stratum(report).pop("subjectResults"),
            "MeasureReport.group.stratifier.stratum.population.subjectResults",
        ),
        (lambda report: report.update(type="summary"), "MeasureReport.type"),
        (lambda report: report.update(subject={"reference": "Patient/a"}), "MeasureReport.subject"),
        (
            lambda report: report.update(evaluatedResource=[{"reference": "Patient/a"}]),
            "MeasureReport.evaluatedResource",
        ),
    ],
)
def test_a_spoiled_report_is_found(change: Callable[[dict[str, Any]], object], rule: str) -> None:
    report, _ = made()
    change(report)
    assert rule in [issue.rule for issue in validate(report)]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda one: one.pop("status"), "List.status"),
        (lambda one: one.pop("mode"), "List.mode"),
        (lambda one: one.update(emptyReason={"text": "none"}), "lst-1"),
        (lambda one: one["entry"][0].update(deleted=True), "lst-2"),
        (lambda one: one["entry"][0].update(date="2026-01-01"), "lst-3"),
        (lambda one: one["entry"][0].pop("item"), "List.entry.item"),
        (lambda one: one["entry"][0]["item"].update(reference="Patient/a"), "List.entry.item"),
    ],
)
def test_a_spoiled_list_is_found(change: Callable[[dict[str, Any]], object], rule: str) -> None:
    _, lists = made()
    full = next(one for one in lists.values() if "entry" in one)
    change(full)
    assert rule in [issue.rule for issue in validate(full, INDIVIDUAL_MEASURE_REPORT_LIST)]
