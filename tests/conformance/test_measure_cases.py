"""Every measure's own cases (gapsvc/measures/*/cases) hold on both evaluators."""

import dataclasses

import pytest

from gapsvc.evaluation.cases import Case, differences, read_cases
from gapsvc.evaluation.evaluator import Engine, Evaluator
from gapsvc.measures import MeasureDefinition, catalog

MEASURES = catalog()
CASES = [(measure, case) for measure in MEASURES.values() for case in read_cases(measure.folder)]


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize(("measure", "case"), CASES, ids=[f"{measure.id}: {case.title}" for measure, case in CASES])
def test_case(measure: MeasureDefinition, case: Case, engine: Engine) -> None:
    evaluator = evaluator_for(measure, case, engine)
    result = evaluator.evaluate(case.record, *case.period, case.as_of)
    assert differences(case, result.groups) == []


def evaluator_for(measure: MeasureDefinition, case: Case, engine: Engine) -> Evaluator:
    parameters = tuple(sorted(case.parameters.items()))
    if (measure.id, parameters, engine) not in _EVALUATORS:
        changed = dataclasses.replace(measure, parameters={**measure.parameters, **case.parameters})
        _EVALUATORS[measure.id, parameters, engine] = Evaluator(changed, software="test", engine=engine)
    return _EVALUATORS[measure.id, parameters, engine]


_EVALUATORS: dict[object, Evaluator] = {}


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES.keys())
def test_every_group_has_cases_for_each_population(measure: MeasureDefinition) -> None:
    reached = {
        (group.id, case.expect.get(group.id, case.expect.get("*"))["populations"])
        for case in read_cases(measure.folder)
        for group in measure.groups
        if group.id in case.expect or "*" in case.expect
    }
    assert {
        (group.id, population) for group in measure.groups for population in ("none", "denominator", "numerator")
    } <= reached
