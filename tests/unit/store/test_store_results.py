"""Results: saved in place of earlier ones, found by person, panel and status, summed up, and due again."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from result_examples import JUNE, W30, YEAR, result
from store_examples import batch, encounter, patient, written

from cql_like import CqlRuntimeError
from gapsvc import jobs
from gapsvc.evaluation.result import GapStatus, MeasureResult
from gapsvc.jobs import EvaluationReport
from gapsvc.records.record import PatientRecord
from gapsvc.store import RateSummary, Store

CLOSED, OPEN, PROSPECTIVE, NONE = (
    GapStatus.CLOSED,
    GapStatus.OPEN,
    GapStatus.PROSPECTIVE,
    GapStatus.NOT_APPLICABLE,
)


@pytest.fixture
def people(store: Store) -> Sequence[str]:
    """Five persons; p1 and p2 belong to the north clinic."""
    north = {"managingOrganization": {"reference": "Organization/north"}}
    written(store, batch("Patient", patient("p1", **north), patient("p2", **north), *map(patient, ["p3", "p4", "p5"])))
    return store.person_ids()


def test_results_come_back_as_they_were_saved(store: Store, people: Sequence[str]) -> None:
    saved = [result(name) for name in people]

    assert store.save_results(reversed(saved)) == 5
    assert list(store.results()) == saved
    assert list(store.results("p2")) == [saved[1]]
    assert list(store.results(person_ids=["p4", "p1", "unknown"])) == [saved[0], saved[3]]
    assert list(store.results("unknown")) == []


def test_a_later_result_replaces_the_earlier_of_its_measure_and_period(store: Store, people: Sequence[str]) -> None:
    later = result("p1", CLOSED, numerator=1, as_of=JUNE + timedelta(days=1), version="1.1.0")
    other_period = result("p1", period=(date(2026, 1, 1), date(2026, 12, 31)))
    other_measure = result("p1", url="https://gaps.example/Measure/other")

    store.save_results([result("p1"), other_period, other_measure])
    store.save_results([later])

    assert list(store.results("p1")) == [other_measure, later, other_period]
    assert list(store.results("p1", measure_url=W30, period=YEAR)) == [later]


def test_results_by_status_and_panel(store: Store, people: Sequence[str]) -> None:
    store.save_results(
        [result("p1"), result("p2", CLOSED), result("p3"), result("p4", PROSPECTIVE), result("p5", NONE)]
    )

    def found(**asked: Any) -> list[str]:
        return [one.subject for one in store.results(**asked)]

    assert found(statuses=[OPEN]) == ["Patient/p1", "Patient/p3"]
    assert found(statuses=[OPEN, PROSPECTIVE]) == ["Patient/p1", "Patient/p3", "Patient/p4"]
    assert found(organization="Organization/north") == ["Patient/p1", "Patient/p2"]
    assert found(organization="north", statuses=[OPEN], measure_url=W30) == ["Patient/p1"]
    assert found(practitioner="nobody") == []


def test_a_summary_counts_each_person_once(store: Store, people: Sequence[str]) -> None:
    store.save_results(
        [
            result("p1"),
            result("p2", CLOSED, numerator=1),
            result("p3", CLOSED, excluded=1),
            result("p4", PROSPECTIVE),
            result("p5", NONE),
        ]
    )

    (everybody,) = store.summary(W30, YEAR, JUNE)
    (north,) = store.summary(W30, YEAR, JUNE, organization="north")
    assert everybody == RateSummary(
        group_id="first-15-months",
        initial_population=4,
        excluded=1,
        denominator=3,
        numerator=1,
        final_denominator=0,
        final_numerator=0,
        statuses={"closed-gap": 2, "open-gap": 1, "prospective-gap": 1},
        outlooks={"met": 2, "on track": 2},
    )
    assert everybody.rate == 1 / 3
    assert (north.denominator, north.numerator, north.rate) == (2, 1, 0.5)
    (later,) = store.summary(W30, YEAR, date(2025, 9, 2))  # the last day, 1 September, is past
    assert later == replace(everybody, final_denominator=3, final_numerator=1)
    assert later.final_rate == 1 / 3
    assert store.summary(W30, (YEAR[0], date(2026, 12, 31)), JUNE) == ()


def test_nobody_in_the_denominator_has_no_rate(store: Store, people: Sequence[str]) -> None:
    store.save_results([result("p1", NONE)])

    assert [summary.rate for summary in store.summary(W30, YEAR, JUNE)] == [None]


def test_results_of_a_person_that_is_no_more_are_gone_and_not_saved(store: Store, people: Sequence[str]) -> None:
    store.save_results([result("p1"), result("p2")])

    written(store, batch("Patient", deleted="Patient/p2"))

    assert store.save_results([result("p1"), result("p2")]) == 1
    assert [one.subject for one in store.results()] == ["Patient/p1"]
    assert store.summary(W30, YEAR, JUNE)[0].initial_population == 1


@pytest.mark.parametrize(
    ("stored", "due"),
    [
        pytest.param(None, True, id="never evaluated"),
        pytest.param(result("p1"), False, id="nothing will change it"),
        pytest.param(result("p1", changes_on=date(2025, 6, 11)), False, id="changes tomorrow"),
        pytest.param(result("p1", changes_on=date(2025, 6, 10)), True, id="changes today"),
        pytest.param(result("p1", version="0.9.0"), True, id="another version of the measure"),
        pytest.param(result("p1", as_of=date(2025, 7, 1)), True, id="as of a later day"),
        pytest.param(result("p1", period=(date(2024, 1, 1), date(2024, 12, 31))), True, id="another period"),
    ],
)
def test_who_is_due_for_evaluation(store: Store, stored: MeasureResult | None, due: bool) -> None:
    written(store, batch("Patient", patient("p1")))
    if stored is not None:
        store.save_results([stored])

    found = store.due_for_evaluation(W30, YEAR, date(2025, 6, 10), "1.0.0")

    assert found == (["p1"] if due else [])


def test_who_changed_is_due(store: Store, people: Sequence[str]) -> None:
    store.save_results([result(name) for name in people])

    written(store, batch("Encounter", encounter("e1", "p3")))
    assert store.due_for_evaluation(W30, YEAR, JUNE, "1.0.0") == ["p3"]

    written(store, batch("Encounter", encounter("e1", "p3")))  # the same again
    store.save_results([result("p3")])
    assert store.due_for_evaluation(W30, YEAR, JUNE, "1.0.0") == []


def test_a_record_that_changed_during_the_evaluation_is_due_again(store: Store, people: Sequence[str]) -> None:
    revisions = store.revisions(people)
    written(store, batch("Encounter", encounter("e1", "p3")))

    store.save_results([result(name) for name in people], revisions)

    assert store.due_for_evaluation(W30, YEAR, JUNE, "1.0.0") == ["p3"]


@dataclass
class Counting:
    """An evaluator whose status follows from the number of encounters; remembers whom it was asked about."""

    asked: list[str] = field(default_factory=list)
    measure: Any = field(default_factory=lambda: SimpleNamespace(url=W30, version="1.0.0"))

    def evaluate(self, record: PatientRecord, period_start: date, period_end: date, as_of: date) -> MeasureResult:
        self.asked.append(record.person_id)
        status = CLOSED if record.retrieve("Encounter") else OPEN
        return result(record.person_id, status, as_of=as_of, period=(period_start, period_end))


def test_evaluating_everybody_then_only_who_is_due(store: Store, people: Sequence[str]) -> None:
    evaluator, steps = Counting(), []

    def run(**more: Any) -> EvaluationReport:
        evaluator.asked.clear()
        return jobs.evaluate_all(
            store, [evaluator], YEAR, JUNE, chunk=2, progress=lambda *done: steps.append(done), **more
        )

    assert run() == EvaluationReport(persons=5, results=5)
    assert evaluator.asked == ["p1", "p2", "p3", "p4", "p5"]
    assert steps == [(2, 5), (4, 5), (5, 5)]
    assert run() == EvaluationReport(persons=0, results=0)

    written(store, batch("Encounter", encounter("e1", "p4"), encounter("e2", "p5")))
    assert run(person_ids=["p1", "p4"]) == EvaluationReport(persons=1, results=1)
    assert evaluator.asked == ["p4"]
    assert run() == EvaluationReport(persons=1, results=1)
    assert [one.groups[0].gap.status for one in store.results()] == [OPEN, OPEN, OPEN, CLOSED, CLOSED]

    assert run(everybody=True) == EvaluationReport(persons=5, results=5)


def test_a_record_that_the_logic_cannot_take_stops_nobody_else(store: Store, people: Sequence[str]) -> None:
    class Failing(Counting):
        def evaluate(self, record: PatientRecord, *period_and_day: date) -> MeasureResult:  # type: ignore[override]
            if record.person_id == "p3":
                raise CqlRuntimeError("division of a child by zero")
            return super().evaluate(record, *period_and_day)

    evaluator = Failing(measure=SimpleNamespace(id="w30", url=W30, version="1.0.0"))
    report = jobs.evaluate_all(store, [evaluator], YEAR, JUNE)

    assert report == EvaluationReport(persons=5, results=4, failures={"w30": ("p3",)})
    assert [one.subject for one in store.results()] == [f"Patient/p{number}" for number in (1, 2, 4, 5)]
    assert store.due_for_evaluation(W30, YEAR, JUNE, "1.0.0") == ["p3"]
