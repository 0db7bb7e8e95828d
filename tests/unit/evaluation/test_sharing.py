"""Measures in one session say of every record what each says alone, whoever asks first and whatever fails."""

from collections.abc import Iterator
from datetime import date

import pytest

import cql_like
from gapsvc.evaluation.cases import read_cases
from gapsvc.evaluation.catalogue import evaluators
from gapsvc.evaluation.evaluator import Engine, Evaluator
from gapsvc.evaluation.sharing import SharedSessions
from gapsvc.measures import catalog
from gapsvc.records.record import PatientRecord

PERIOD = (date(2026, 1, 1), date(2026, 12, 31))
AS_OF = date(2026, 6, 1)


def records() -> Iterator[PatientRecord]:
    """The records of all measures' cases."""
    for measure in catalog().values():
        for case in read_cases(measure.folder):
            yield case.record


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_together_is_as_alone(engine: Engine) -> None:
    together = [one.on(*PERIOD, AS_OF) for one in evaluators(engine=engine).values()]
    alone = [
        Evaluator(measure, software=together[0].software, engine=engine).on(*PERIOD, AS_OF)
        for measure in catalog().values()
    ]
    for record in list(records())[:: 1 if engine == "compiled" else 25]:
        assert [one.evaluate(record) for one in together] == [one.evaluate(record) for one in alone]


def test_records_in_turn() -> None:
    first, second, *_ = records()
    w30, wcv = (evaluators(["w30", "wcv"])[name].on(*PERIOD, AS_OF) for name in ("w30", "wcv"))
    assert [w30.evaluate(first), w30.evaluate(second), wcv.evaluate(first), wcv.evaluate(second)] == [
        evaluators([name])[name].evaluate(record, *PERIOD, AS_OF)
        for name, record in (("w30", first), ("w30", second), ("wcv", first), ("wcv", second))
    ]


def test_what_fails_for_one_measure_leaves_the_others() -> None:
    broken = PatientRecord.of(
        [
            {"resourceType": "Patient", "id": "child", "birthDate": "2024-02-01"},
            {"resourceType": "Immunization", "id": "dose", "status": "completed", "occurrenceDateTime": 7},
        ]
    )
    together = {name: one.on(*PERIOD, AS_OF) for name, one in evaluators().items()}
    with_code = {
        **broken.resources["Immunization"][0],
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "20"}]},
    }
    record = PatientRecord.of([broken.patient, with_code])
    with pytest.raises(cql_like.CqlRuntimeError):
        together["cis"].evaluate(record)
    assert together["w30"].evaluate(record) == evaluators(["w30"])["w30"].evaluate(record, *PERIOD, AS_OF)


def test_measures_that_disagree_on_a_common_parameter_do_not_share() -> None:
    shared = SharedSessions(cql_like.ExpandedTerminology.of(()))
    library = cql_like.compile_library('library A\nparameter "P" Integer default 1\ncontext Patient\ndefine "D": 1')
    shared.join(library, {"Common": 1})
    with pytest.raises(ValueError, match="library A: parameter 'Common' has another value in another measure"):
        shared.join(library, {"Common": 2})
