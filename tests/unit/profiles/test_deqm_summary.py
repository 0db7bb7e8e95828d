"""DEQM Summary MeasureReport: each scoring, strata and supplemental data, held to profile and to fhir.resources."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from deqm_cases import BASIS, REPORTING, THREE_BY_120
from fhir.resources.R4B.measurereport import MeasureReport

from fhir_profiles.deqm import evaluation_bundle, listed_groups, summary_measure_report
from fhir_profiles.validate import validate
from gapsvc.evaluation.result import Coding, Label, Observations, StratifierResult, Stratum
from gapsvc.evaluation.summary import GroupSummary, MeasureSummary, SupplementalCount

FEMALE = Label("Female", Coding("http://hl7.org/fhir/administrative-gender", "female", "Female"))
RATE = GroupSummary(
    id="rate",
    description="Visits",
    populations={
        "initial-population": 10,
        "denominator": 8,
        "denominator-exclusion": 3,
        "numerator": 4,
    },
    score=Decimal("0.8"),
    scoring="",
    improvement_notation="",
    observations=(),
    stratifiers=(
        StratifierResult(
            "sex",
            (Label("sex"),),
            False,
            (
                Stratum((FEMALE,), {"initial-population": 6, "denominator": 5}, (), Decimal("0.6")),
                Stratum((Label("no value"),), {"initial-population": 4, "denominator": 0}),
            ),
        ),
    ),
)
SUMMARY = MeasureSummary(
    measure_id="visits",
    measure_url="https://clinic.example/Measure/visits",
    measure_version="1.0.0",
    measure_title="Visits",
    scoring="proportion",
    improvement_notation="increase",
    period_start=date(2026, 1, 1),
    period_end=date(2026, 12, 31),
    as_of=date(2026, 3, 1),
    persons=12,
    groups=(RATE,),
    supplemental=(SupplementalCount("sde-sex", "supplemental-data", Label("Sex"), ((FEMALE, 6), (Label("male"), 4))),),
    basis=BASIS,
    problems=(),
)


def report_of(summary: MeasureSummary = SUMMARY, asked: str = "all") -> dict[str, Any]:
    """The report, held to its profile and to FHIR R4."""
    made = summary_measure_report(summary, REPORTING, asked=asked)
    assert validate(made) == []
    MeasureReport.model_validate(made)
    return made


def test_a_proportion() -> None:
    made = report_of()
    assert (made["type"], made["measure"]) == ("summary", "https://clinic.example/Measure/visits|1.0.0")
    assert not {"subject", "evaluatedResource"} & made.keys()
    (group,) = made["group"]
    assert [(one["id"], one["count"]) for one in group["population"]] == [
        ("rate-initial-population", 10),
        ("rate-denominator", 8),
        ("rate-denominator-exclusion", 3),
        ("rate-numerator", 4),
    ]
    assert group["measureScore"] == {"value": 0.8}
    (sex,) = group["stratifier"]
    assert sex["code"] == [{"text": "sex"}]
    assert [(one["value"]["text"], one.get("measureScore")) for one in sex["stratum"]] == [
        ("Female", {"value": 0.6}),
        ("no value", None),
    ]
    assert [(one["code"]["text"], one["valueInteger"]) for one in made["contained"]] == [("Female", 6), ("male", 4)]


def test_the_same_question_has_the_same_id_and_another_another() -> None:
    assert report_of()["id"] == report_of(replace(SUMMARY, persons=99))["id"]
    ids = {report_of(SUMMARY, asked)["id"] for asked in ("all", "Group/a", "Group/b")}
    assert len(ids) == 3


def test_a_proportion_of_nobody_scores_nought() -> None:
    """deqm-6 as published fails without a score; an empty denominator stands beside it."""
    nobody = replace(RATE, populations={"initial-population": 0, "denominator": 0, "numerator": 0}, score=None)
    made = report_of(replace(SUMMARY, groups=(nobody,)))
    assert made["group"][0]["measureScore"] == {"value": 0.0}


def test_a_continuous_variable_has_its_unit_unless_it_is_a_count() -> None:
    hours = GroupSummary(
        id="stay",
        description="Length of stay",
        populations={"measure-observation": 2, "measure-population": 2, "initial-population": 3},
        score=Decimal("90.5"),
        scoring="",
        improvement_notation="",
        observations=(Observations("measure-population", "median", (Decimal(60), Decimal(121)), "min"),),
        stratifiers=(),
    )
    summary = replace(SUMMARY, scoring="continuous-variable", improvement_notation="decrease", groups=(hours,))
    (group,) = report_of(summary)["group"]
    ucum = "http://unitsofmeasure.org"
    assert group["measureScore"] == {"value": 90.5, "unit": "min", "system": ucum, "code": "min"}
    assert [one["id"] for one in group["population"]] == [
        "stay-initial-population",
        "stay-measure-population",
        "stay-measure-observation",
    ]
    counted = replace(hours, score=Decimal(2), observations=(replace(hours.observations[0], aggregate="count"),))
    assert report_of(replace(summary, groups=(counted,)))["group"][0]["measureScore"] == {"value": 2.0}


def test_a_ratio_with_two_observations_and_two_initial_populations() -> None:
    ratio = replace(
        RATE,
        populations={
            "initial-population": 3,
            "initial-population.numerator": 2,
            "denominator": 3,
            "numerator": 2,
            "measure-observation.numerator": 2,
            "measure-observation.denominator": 3,
        },
        score=Decimal("1.5"),
    )
    made = report_of(replace(SUMMARY, scoring="ratio", groups=(ratio,)))
    population = made["group"][0]["population"]
    assert [one["code"]["coding"][0]["code"] for one in population] == [
        "initial-population",
        "initial-population",
        "denominator",
        "numerator",
        "measure-observation",
        "measure-observation",
    ]
    assert len({one["id"] for one in population}) == 6
    assert made["group"][0]["measureScore"] == {"value": 1.5}


def test_groups_of_different_scoring_each_say_theirs() -> None:
    """deqm-3: at the root, or on every group."""
    cohort = replace(RATE, id="all", scoring="cohort", populations={"initial-population": 4}, score=None)
    made = report_of(replace(SUMMARY, groups=(RATE, cohort)))
    scorings = [
        next(
            one["valueCodeableConcept"]["coding"][0]["code"]
            for one in group["extension"]
            if one["url"].endswith("extension-measureScoring")
        )
        for group in made["group"]
    ]
    assert scorings == ["proportion", "cohort"]
    assert not any(one["url"].endswith("extension-measureScoring") for one in made["extension"])


def test_strata_by_components_have_no_code_of_their_own() -> None:
    both = StratifierResult(
        "both", (Label("sex"), Label("class")), True, (Stratum((FEMALE, Label("AMB")), {"denominator": 1}),)
    )
    made = report_of(replace(SUMMARY, groups=(replace(RATE, stratifiers=(both,)),)))
    (stratifier,) = made["group"][0]["stratifier"]
    assert "code" not in stratifier
    assert [one["code"]["text"] for one in stratifier["stratum"][0]["component"]] == ["sex", "class"]


def test_groups_that_can_have_no_gap_have_no_issue() -> None:
    cohort = replace(THREE_BY_120.groups[0], id="all", scoring="cohort", populations={"initial-population": 1})
    rate = replace(THREE_BY_120.groups[1], scoring="proportion")
    mixed = replace(THREE_BY_120, groups=(cohort, rate))
    assert [group.id for group in listed_groups(mixed, None)] == [rate.id]


def test_the_bundle_holds_reports_and_what_could_not_be_evaluated() -> None:
    bundle = evaluation_bundle([report_of()], (), REPORTING, outcome={"resourceType": "OperationOutcome", "issue": []})
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert (bundle["type"], kinds) == ("collection", ["MeasureReport", "Organization", "OperationOutcome"])
    assert len({entry["fullUrl"] for entry in bundle["entry"]}) == 3


def _without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda report: report.pop(name)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_without("date"), "MeasureReport.date"),
        (_without("reporter"), "MeasureReport.reporter"),
        (_without("period"), "MeasureReport.period"),
        (_without("group"), "MeasureReport.group"),
        (_without("measure"), "MeasureReport.measure"),
        (_without("status"), "MeasureReport.status"),
        (_without("type"), "MeasureReport.type"),
        (_without("improvementNotation"), "deqm-2"),
        (lambda report: report.update(type="individual"), "MeasureReport.type"),
        (lambda report: report.update(subject={"reference": "Patient/a"}), "MeasureReport.subject"),
        (lambda report: report["period"].pop("start"), "MeasureReport.period.start"),
        (lambda report: report["period"].update(end="2026-12"), "deqm-1"),
        (lambda report: report.update(measure="https://clinic.example/Measure/visits"), "deqm-0"),
        (lambda report: report["group"][0]["population"][0].pop("code"), "MeasureReport.group.population.code"),
        (lambda report: report["group"][0]["population"][0].pop("count"), "deqm-8"),
        (lambda report: report["group"][0].pop("measureScore"), "deqm-6"),
        (lambda report: report["group"][0]["stratifier"][0].pop("code"), "deqm-7"),
    ],
)
def test_a_spoiled_report_is_found(change: Callable[[dict[str, Any]], object], rule: str) -> None:
    report = report_of()
    change(report)
    assert rule in [issue.rule for issue in validate(report)]
