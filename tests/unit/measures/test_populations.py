"""Whom a measure is about: versions and titles that can't be confused, and what is left alone."""

import dataclasses

import pytest

from gapsvc.evaluation.catalogue import CLAIM_TYPES, evaluators, types_read, types_to_pull
from gapsvc.measures import MeasureDefinition, catalog
from gapsvc.measures.populations import AboutWhom, about

MEASURES = catalog()


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_every_measure_can_be_about_a_plan(measure: MeasureDefinition) -> None:
    plan = about(measure, AboutWhom("plan"))
    assert about(measure, AboutWhom()) is measure
    assert (
        dataclasses.replace(
            plan,
            version=measure.version,
            title=measure.title,
            parameters=measure.parameters,
            population=measure.population,
        )
        == measure
    )
    assert (measure.population, plan.population, plan.canonical, plan.title) == (
        "clinic",
        "plan",
        f"{measure.url}|{measure.version}-plan",
        f"{measure.title}: children enrolled with a plan",
    )
    assert plan.parameters == {**measure.parameters, "Population": "plan", "Enrolment Checked Monthly": False}


def test_checked_by_month() -> None:
    monthly = about(MEASURES["w30"], AboutWhom("plan", "monthly"))
    assert (monthly.version, monthly.title.endswith(": children enrolled with a plan, checked by month")) == (
        "1.0.0-plan-monthly",
        True,
    )
    assert monthly.parameters["Enrolment Checked Monthly"] is True
    assert about(MEASURES["w30"], AboutWhom("clinic", "monthly")) is MEASURES["w30"]


def test_a_measure_brought_by_a_user_says_itself_whom_it_is_about() -> None:
    brought = dataclasses.replace(MEASURES["w30"], resources=({"resourceType": "Measure"},))
    assert about(brought, AboutWhom("plan")) is brought


@pytest.mark.parametrize("words", [("everybody", "daily"), ("plan", "weekly")])
def test_other_words_are_refused(words: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="is not known; expected"):
        AboutWhom(*words)


def test_evaluators_of_a_plan_are_found_by_their_version() -> None:
    found = evaluators(["w30|1.0.0-plan", "wcv"], whom=AboutWhom("plan"))
    assert [one.measure.version for one in found.values()] == ["1.0.0-plan", "1.0.0-plan"]


def test_claims_are_read_but_not_asked_of_an_ehr() -> None:
    chosen = evaluators().values()
    assert types_read(chosen) >= {*CLAIM_TYPES, "Coverage"}
    assert not {*CLAIM_TYPES} & {*types_to_pull(chosen)}
    assert {*CLAIM_TYPES} <= {*types_to_pull(chosen, claims=True)}
