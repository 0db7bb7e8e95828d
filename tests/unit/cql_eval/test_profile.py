"""A profile adds up the time of defines, functions and retrieves; here by a clock that is moved by hand."""

from collections.abc import Sequence
from typing import Any

import pytest

import cql_like
from cql_like.session import EmptyRecord

COMMON = "library Common version '1' using FHIR version '4.0.1' define function Twice(n Integer): n * 2"
TEXT = """library Visits version '2' using FHIR version '4.0.1'
include Common version '1' called Common
valueset "Well Visit": 'urn:vs:well'
context Patient
define "Visits": [Encounter: type in "Well Visit"]
define "Count": Count("Visits") + Count("Visits")
define "Score": Common.Twice("Count") + Common.Twice(1)
define "Never Asked": 1
"""
TERMINOLOGY = cql_like.ExpandedTerminology({("urn:vs:well", None): frozenset()}, {"urn:vs:well": None})


class Clock:
    """Seconds that only pass where a record is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class SlowRecord:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def retrieve(self, resource_type: str, code_path: str | None = None, codes: object = None) -> Sequence[Any]:
        self.clock.now += 0.25
        return [{"resourceType": "Encounter", "id": "e1"}]


def library():
    return cql_like.compile_library(TEXT, {("Common", "1"): COMMON})


def test_times_are_own_and_total_by_define_function_and_retrieve():
    clock = Clock()
    profile = cql_like.Profile(clock)
    factory = library().prepare(terminology=TERMINOLOGY, profile=profile)
    for _ in range(2):
        session = factory.session(SlowRecord(clock))
        assert session.evaluate("Score") == 6
        assert session.evaluate("Score") == 6
    assert profile.rows == (
        cql_like.Timed("retrieve", "", '[Encounter: type in "Well Visit"]', 2, 0.5, 0.5),
        cql_like.Timed("function", "Common|1", "Twice(System.Integer)", 4, 0.0, 0.0),
        cql_like.Timed("define", "Visits|2", "Count", 2, 0.5, 0.0),
        cql_like.Timed("define", "Visits|2", "Score", 2, 0.5, 0.0),
        cql_like.Timed("define", "Visits|2", "Visits", 2, 0.5, 0.0),
    )
    assert profile.table(3).splitlines() == [
        "    own ms   share   total ms     calls  what",
        '   500.000  100.0%    500.000         2  [Encounter: type in "Well Visit"]',
        "     0.000    0.0%      0.000         4  Common.Twice(System.Integer)",
        "     0.000    0.0%    500.000         2  Visits.Count",
        "     0.000    0.0%                    4  2 others",
        "   500.000  100.0%                       all",
    ]


def test_a_profiled_session_gives_the_same_values():
    plain = library().session(SlowRecord(Clock()), terminology=TERMINOLOGY)
    profiled = library().session(SlowRecord(Clock()), terminology=TERMINOLOGY, profile=cql_like.Profile())
    for name in library().defines:
        assert profiled.evaluate(name) == plain.evaluate(name)
    assert profiled.retrieved == plain.retrieved


def test_an_error_leaves_the_sums_right():
    profile = cql_like.Profile()
    text = "library Wrong define One: singleton from {1, 2} define Two: 1 + 1"
    session = cql_like.compile_library(text).session(EmptyRecord(), profile=profile)
    with pytest.raises(cql_like.CqlRuntimeError):
        session.evaluate("One")
    session.evaluate("Two")
    assert {row.name: row.calls for row in profile.rows} == {"One": 1, "Two": 1}
    assert sum(row.own for row in profile.rows) == pytest.approx(sum(row.total for row in profile.rows))


def test_an_empty_profile_is_a_table_too():
    assert cql_like.Profile().table().splitlines()[1:] == ["     0.000    0.0%                       all"]


def test_the_reference_evaluator_is_not_profiled():
    with pytest.raises(ValueError, match='expected engine="compiled"'):
        library().prepare(terminology=TERMINOLOGY, engine="reference", profile=cql_like.Profile())
