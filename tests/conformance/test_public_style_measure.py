"""A measure in the habits of public ones (QICore, six includes, ten antigens) gives what a loop by hand gives.

It is the measure of `make bench-cql`; here over fewer children, compiled, by the reference and from the cache.
"""

import os

import pytest

from benchmarks.cql import measure
from benchmarks.cql.by_hand import ByHand
from benchmarks.cql.children import children
from gapsvc.records.record import PatientRecord

SIZE = 300


@pytest.fixture(scope="module")
def found():
    return children(SIZE)


@pytest.fixture(scope="module")
def library():
    return measure.compiled()


def answers(library, found, engine="compiled"):
    prepared = {year: measure.prepared(library, year, engine) for year in {child.year for child in found}}
    sessions = [prepared[child.year].session(child.record) for child in found]
    return [tuple(session.evaluate(name) for name in measure.ANSWERS) for session in sessions]


def test_it_gives_what_a_loop_by_hand_gives(library, found):
    by_hand = ByHand()
    expected = [by_hand.answers(child.record, child.year) for child in found]
    assert answers(library, found) == expected
    for number, name in enumerate(measure.ANSWERS):  # every answer is yes for some and no for others
        assert {row[number] for row in expected} == {True, False}, name


def test_both_evaluators_agree_on_every_define(library, found):
    for child in found[::24]:
        fast, slow = (
            measure.prepared(library, child.year, engine).session(child.record) for engine in ("compiled", "reference")
        )
        for name in library.defines:
            assert fast.evaluate(name) == slow.evaluate(name), name


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="the cache needs file owners")
def test_it_is_the_same_from_the_cache(library, found, tmp_path):
    measure.compiled(tmp_path)
    kept = measure.compiled(tmp_path)
    assert answers(kept, found) == answers(library, found)
    assert kept.requirements == library.requirements


BIRTH = {"resourceType": "Patient", "id": "p1", "birthDate": "2022-02-28", "gender": "female"}


def dose(number, day, cvx="20", status="completed"):
    return {
        "resourceType": "Immunization",
        "id": f"i{number}",
        "status": status,
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": cvx}]},
        "occurrenceDateTime": day,
    }


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize(
    ("days", "met"),
    [
        (("2022-04-11", "2022-07-01", "2022-10-01", "2024-02-28"), True),  # 42 days old; the second birthday
        (("2022-04-10", "2022-07-01", "2022-10-01", "2024-02-28"), False),  # 41 days old
        (("2022-04-11", "2022-07-01", "2022-10-01", "2024-02-29"), False),  # a day late
        (("2022-05-01", "2022-07-01", "2022-10-01", "2022-10-01"), False),  # twice on one day
        (("2022-05", "2022-07-01", "2022-10", "2023-03-01"), True),  # the month decides
        (("2022-04", "2022-07-01", "2022-10", "2023-03-01"), False),  # it doesn't
        (("2022-05-01T23:30:00-08:00", "2022-07-01", "2022-10-01", "2024-02-28T23:59:00-08:00"), True),  # its own day
    ],
)
def test_four_dtap_doses(library, days, met, engine):
    record = PatientRecord.of([BIRTH, *(dose(number, day) for number, day in enumerate(days))])
    session = measure.prepared(library, 2024, engine).session(record)
    assert session.evaluate("DTaP Met") is met
    assert ByHand().answers(record, 2024)[measure.ANSWERS.index("DTaP Met")] is met


def test_a_trace_names_the_doses(library):
    record = PatientRecord.of([BIRTH, dose(1, "2023-05-01", "03"), dose(2, "2023-05-01", "03", "not-done")])
    session = measure.prepared(library, 2024).session(record)
    trace = session.trace("MMR Immunizations")
    assert [one["id"] for one in trace.value] == ["i1"]
    assert session.trace("MMR Met").value is True
