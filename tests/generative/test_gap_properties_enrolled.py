"""The properties of a gap record (design/gaps.md) where the population is a plan's: random children, random spans of
coverage. Who is enrolled is held to an obvious count of days; who always was, to the clinic's result.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cql_like import Engine
from gapsvc.evaluation.evaluator import Evaluator
from gapsvc.evaluation.result import GapRecord, GapStatus, MeasureResult
from gapsvc.measures import catalog
from gapsvc.measures.populations import AboutWhom, about
from gapsvc.records.record import PatientRecord
from tests.generative.test_gap_properties import children
from tests.generative.test_gap_properties_services import KINDS, persons

PERIOD = (date(2026, 1, 1), date(2026, 12, 31))
DAY = timedelta(days=1)
CHECKS = ("daily", "monthly")
MEASURES = ("three-by-120", "w30", *KINDS)
AS_OF = st.dates(date(2025, 10, 1), date(2027, 4, 1))
EXAMPLES = settings(max_examples=40, deadline=None)
each_measure = pytest.mark.parametrize("measure", MEASURES)

Resource = dict[str, Any]


@cache
def evaluator(measure: str, population: str, check: str = "daily", engine: Engine = "compiled") -> Evaluator:
    return Evaluator(about(catalog()[measure], AboutWhom(population, check)), software="test", engine=engine)


def coverage(number: int, start: date, end: date | None, status: str = "active") -> Resource:
    return {
        "resourceType": "Coverage",
        "id": f"c{number}",
        "status": status,
        "beneficiary": {"reference": "Patient/child"},
        "payor": [{"reference": "Organization/plan"}],
        "period": {"start": start.isoformat()} | ({} if end is None else {"end": end.isoformat()}),
    }


@st.composite
def spans(draw: st.DrawFn) -> list[Resource]:
    """Up to four spans from 2024 to 2027, gaps of about 45 days and overlaps among them."""
    found: list[Resource] = []
    day = draw(st.dates(date(2024, 1, 1), date(2026, 6, 1)))
    for number in range(draw(st.integers(0, 4))):
        end = day + timedelta(days=draw(st.integers(0, 500)))
        forever = draw(st.integers(0, 5)) == 0
        found.append(
            coverage(number, day, None if forever else end, draw(st.sampled_from(["active"] * 7 + ["cancelled"])))
        )
        day = end + timedelta(days=draw(st.sampled_from([-20, 0, 1, 2, 10, 31, 32, 44, 45, 46, 47])))
    return found


def cared_for(measure: str) -> st.SearchStrategy[list[Resource]]:
    return persons(measure) if measure in KINDS else children()


def evaluated(measure: str, resources: list[Resource], as_of: date, check: str) -> MeasureResult:
    return evaluator(measure, "plan", check).evaluate(PatientRecord.of(resources), *PERIOD, as_of)


def states(result: MeasureResult) -> Mapping[str, tuple[Any, ...]]:
    return {
        group.id: (tuple(group.populations.items()), replace(group.gap, changes_on=None)) for group in result.groups
    }


def gaps(result: MeasureResult) -> Mapping[str, GapRecord]:
    return {group.id: group.gap for group in result.groups}


@each_measure
@EXAMPLES
@given(data=st.data(), as_of=AS_OF, ahead=st.integers(1, 400), check=st.sampled_from(CHECKS))
def test_until_changes_on_the_record_is_the_same_and_then_it_differs(
    measure: str, data: st.DataObject, as_of: date, ahead: int, check: str
) -> None:
    person = [*data.draw(cared_for(measure)), *data.draw(spans())]
    before = evaluated(measure, person, as_of, check)
    for group, gap in gaps(before).items():
        later = as_of + timedelta(days=ahead)
        if gap.changes_on is not None:
            assert gap.changes_on > as_of
            assert states(evaluated(measure, person, gap.changes_on, check))[group] != states(before)[group]
            later = min(later, gap.changes_on - DAY)
        for day in {later, as_of + (later - as_of) // 2}:
            after = evaluated(measure, person, day, check)
            assert states(after)[group] == states(before)[group], f"as of {day}"
            assert gaps(after)[group].changes_on == gap.changes_on


@each_measure
@EXAMPLES
@given(data=st.data(), as_of=AS_OF, ahead=st.integers(1, 500), check=st.sampled_from(CHECKS))
def test_a_closed_gap_reopens_only_if_changes_on_said_so(
    measure: str, data: st.DataObject, as_of: date, ahead: int, check: str
) -> None:
    person = [*data.draw(cared_for(measure)), *data.draw(spans())]
    later = as_of + timedelta(days=ahead)
    for group, gap in gaps(evaluated(measure, person, as_of, check)).items():
        if gap.status is GapStatus.CLOSED:
            after = gaps(evaluated(measure, person, later, check))[group]
            said_so = gap.changes_on is not None and gap.changes_on <= later
            assert after.status is GapStatus.CLOSED or said_so


@each_measure
@EXAMPLES
@given(data=st.data(), as_of=AS_OF)
def test_who_is_always_enrolled_is_judged_as_the_clinic_does(measure: str, data: st.DataObject, as_of: date) -> None:
    person = [*data.draw(cared_for(measure)), coverage(0, date(2000, 1, 1), None)]
    record = PatientRecord.of(person)
    clinic = evaluator(measure, "clinic").evaluate(record, *PERIOD, as_of)
    plan = evaluator(measure, "plan").evaluate(record, *PERIOD, as_of)
    assert [replace(group, gap=replace(group.gap, basis=None)) for group in plan.groups] == [
        replace(group, gap=replace(group.gap, basis=None)) for group in clinic.groups
    ]


@each_measure
@EXAMPLES
@given(data=st.data(), as_of=AS_OF, check=st.sampled_from(CHECKS))
def test_both_evaluators_say_the_same(measure: str, data: st.DataObject, as_of: date, check: str) -> None:
    record = PatientRecord.of([*data.draw(cared_for(measure)), *data.draw(spans())])
    assert evaluator(measure, "plan", check, "reference").evaluate(record, *PERIOD, as_of) == evaluator(
        measure, "plan", check
    ).evaluate(record, *PERIOD, as_of)


@EXAMPLES
@given(spans())
def test_enrolment_over_a_year_is_that_of_counted_days(coverages: list[Resource]) -> None:
    """WCV, the year over: no 46 days without cover in a row, no second gap, and the last day with cover."""
    patient = {"resourceType": "Patient", "id": "child", "birthDate": "2018-05-05"}
    covered: set[date] = set()
    for one in coverages:
        if one["status"] == "active":
            first, last = (
                date.fromisoformat(one["period"].get(key, PERIOD[1].isoformat())) for key in ("start", "end")
            )
            covered |= {first + timedelta(days=number) for number in range((last - first).days + 1)}
    year = [PERIOD[0] + timedelta(days=number) for number in range(365)]
    without = [len(list(days)) for inside, days in groupby(year, key=covered.__contains__) if not inside]
    enrolled = len(without) <= 1 and max(without, default=0) <= 45 and PERIOD[1] in covered
    result = evaluated("wcv", [patient, *coverages], PERIOD[1], "daily")
    found = {group.id: group.populations["denominator"] for group in result.groups}
    assert found == {"3-11-years": int(enrolled), "12-17-years": 0, "18-21-years": 0, "total": int(enrolled)}
