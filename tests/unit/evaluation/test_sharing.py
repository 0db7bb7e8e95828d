"""Measures in one session say of every record what each says alone, whoever asks first and whatever fails."""

from collections.abc import Iterator, Sequence
from datetime import date

import pytest

import cql_like
from gapsvc.evaluation.cases import read_cases
from gapsvc.evaluation.catalogue import evaluators
from gapsvc.evaluation.evaluator import Engine, Evaluator
from gapsvc.evaluation.sharing import SharedSessions
from gapsvc.evaluation.visits import VisitAssessor
from gapsvc.measures import catalog
from gapsvc.records.record import CodeKey, JsonObject, PatientRecord
from gapsvc.schedule.visits import load as load_visits

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


class Unreadable(PatientRecord):
    """A record whose immunizations can't be read."""

    def retrieve(
        self, resource_type: str, code_path: str | None = None, codes: frozenset[CodeKey] | None = None
    ) -> Sequence[JsonObject]:
        if resource_type == "Immunization":
            raise cql_like.CqlRuntimeError("no immunization can be read")
        return super().retrieve(resource_type, code_path, codes)


def test_what_fails_for_one_measure_leaves_the_others() -> None:
    patient = {"resourceType": "Patient", "id": "child", "birthDate": "2024-02-01"}
    record = Unreadable("child", patient, {"Patient": (patient,)})
    together = {name: one.on(*PERIOD, AS_OF) for name, one in evaluators().items()}
    for name, prepared in together.items():
        if name == "cis":
            with pytest.raises(cql_like.CqlRuntimeError, match="no immunization can be read"):
                prepared.evaluate(record)
        else:
            assert prepared.evaluate(record) == evaluators([name])[name].evaluate(record, *PERIOD, AS_OF)


def test_measures_that_disagree_on_a_common_parameter_do_not_share() -> None:
    shared = SharedSessions(cql_like.ExpandedTerminology.of(()))
    library = cql_like.compile_library('library A\nparameter "P" Integer default 1\ncontext Patient\ndefine "D": 1')
    shared.join(library, {"Common": 1})
    with pytest.raises(ValueError, match="library A: parameter 'Common' has another value in another measure"):
        shared.join(library, {"Common": 2})


def test_who_joins_later_is_in_the_sessions_made_from_then_on() -> None:
    known = evaluators(["w30", "wcv"])
    before = known["w30"].on(*PERIOD, AS_OF)
    assert known["w30"].on(*PERIOD, AS_OF) is before
    shared = known["w30"].shared
    assert shared is not None
    visits = VisitAssessor(load_visits(), shared=shared)
    again = VisitAssessor(load_visits(), shared=shared)  # is there already
    assert shared.size == 3
    after = known["w30"].on(*PERIOD, AS_OF)
    assert after.session is visits.on(AS_OF, period=PERIOD).session is again.on(AS_OF, period=PERIOD).session
    assert after is not before


@pytest.mark.parametrize("died", ["2026-03-05", "2026-03", "2025-12-31", None])
def test_the_visit_plan_is_the_same_with_the_measures_and_alone_whatever_their_period(died: str | None) -> None:
    patient = {"resourceType": "Patient", "id": "child", "birthDate": "2024-02-01"}
    if died is not None:
        patient["deceasedDateTime"] = died
    record = PatientRecord.of([patient])
    known = evaluators(["w30", "wcv"])
    together = VisitAssessor(load_visits(), shared=known["w30"].shared)
    alone = VisitAssessor(load_visits()).on(AS_OF).plan(record)
    for period in (PERIOD, (date(2025, 1, 1), date(2025, 12, 31))):
        for one in known.values():
            one.on(*period, AS_OF).evaluate(record)
        assert together.on(AS_OF, period=period).plan(record) == alone
    assert (alone is None) == (died is not None and died <= AS_OF.isoformat())


def test_of_people_outside_the_same_is_said_as_of_each_alone() -> None:
    """Results of people outside are shared between people: they must not be mixed up."""
    prepared = evaluators(["dev"])["dev"].on(*PERIOD, AS_OF)
    for birth, source in (("2027-01-05", "a"), ("2024-12-01", "a"), ("2010-01-01", "b"), ("2010-01-01", "a")):
        patient = {"resourceType": "Patient", "id": birth, "birthDate": birth}
        record = PatientRecord.of([patient], data_as_of={source: "2026-11-01T00:00:00Z"})
        told = prepared.evaluate(record)
        assert told == evaluators(["dev"])["dev"].evaluate(record, *PERIOD, AS_OF)
        assert told.subject == f"Patient/{birth}"
        assert all(group.gap.basis.data_as_of == {source: "2026-11-01T00:00:00Z"} for group in told.groups)
