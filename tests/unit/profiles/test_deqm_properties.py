"""Whatever a gap record says, its FHIR is valid, and the checker never stumbles over what it is given."""

from copy import deepcopy
from dataclasses import replace
from datetime import date
from typing import Any
from xml.etree import ElementTree

import orjson
from deqm_cases import BASIS, CLINIC, MAYA, REPORTING, THREE_BY_120, bundle, visit
from fhir.resources.R4B.bundle import Bundle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_profiles.deqm import gaps_bundle
from fhir_profiles.validate import validate
from fhir_profiles.validate_bundle import allowed_statuses, validate_bundle
from gapsvc.evaluation.result import (
    Coding,
    Counted,
    DataRequirement,
    Discounted,
    GapRecord,
    GapStatus,
    GroupResult,
    MeasureResult,
    Need,
    Outlook,
    Reason,
)

VISITS = tuple(visit(f"v{number}", "2026-01-05") for number in range(4))
REFERENCES = st.sampled_from([f"Encounter/{each['id']}" for each in VISITS])
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))
MAYBE_DAY = st.none() | DAYS
# Words as people and systems write them, with what breaks JSON, XML and FHIR strings
WORDS = st.text(st.characters(), max_size=30)
CODES = st.sampled_from(["same-day", "too-close", "inpatient"])
REASONS = ["NotFound", "Missing", "InvalidAttribute", "DateOutOfRange", "CountOutOfRange"]

NEEDS = st.none() | st.builds(
    Need, WORDS, st.builds(Coding, st.just("http://snomed.info/sct"), st.just("410620009"), st.none() | WORDS)
)
REQUIREMENTS = st.none() | st.builds(
    DataRequirement,
    st.sampled_from(["Encounter", "Immunization", "Observation", "Basic"]),
    st.none() | st.just("code"),
    st.none() | st.just("https://gapsvc.example/fhir/ValueSet/well-visit"),
    st.none() | st.just("period"),
    MAYBE_DAY,
    MAYBE_DAY,
)
COUNTS = st.none() | st.integers(0, 9)


def populations() -> st.SearchStrategy[dict[str, int]]:
    names = ["initial-population", "denominator", "denominator-exclusion", "denominator-exception", "numerator"]
    return st.fixed_dictionaries({name: st.integers(0, 1) for name in names})


@st.composite
def groups(draw: st.DrawFn, name: str) -> GroupResult:
    counts = draw(populations())
    gap = GapRecord(
        status=GapStatus(draw(st.sampled_from(allowed_statuses(counts)))),
        need=draw(NEEDS),
        needed=draw(COUNTS),
        done=draw(COUNTS),
        due_from=draw(MAYBE_DAY),
        due_by=draw(MAYBE_DAY),
        last_day=draw(MAYBE_DAY),
        outlook=draw(st.sampled_from(Outlook)),
        reasons=tuple(
            draw(
                st.lists(
                    st.builds(
                        Reason,
                        st.sampled_from(REASONS),
                        WORDS,
                        st.none() | REFERENCES,
                        st.none() | st.just("Encounter.period"),
                        REQUIREMENTS,
                    ),
                    max_size=3,
                )
            )
        ),
        counted=tuple(draw(st.lists(st.builds(Counted, REFERENCES, MAYBE_DAY), max_size=3))),
        discounted=tuple(draw(st.lists(st.builds(Discounted, REFERENCES, MAYBE_DAY, CODES, WORDS), max_size=3))),
        changes_on=draw(MAYBE_DAY),
        basis=BASIS,
    )
    return GroupResult(name, draw(WORDS), counts, gap)


@st.composite
def results(draw: st.DrawFn) -> MeasureResult:
    return replace(
        THREE_BY_120,
        measure_title=draw(WORDS),
        groups=(draw(groups("two-visits")), draw(groups("three-visits"))),
        evaluated={"Patient/maya": (), draw(REFERENCES): ("two-visits-numerator",)},
    )


def record(name: str) -> tuple[dict[str, Any], ...]:
    return ({**MAYA, "name": [{"text": name}]}, *VISITS)


@given(results(), st.booleans(), WORDS)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_gap_makes_a_valid_bundle(result: MeasureResult, document: bool, name: str) -> None:
    built = gaps_bundle((result,), record("Maya"), REPORTING, document=document)
    assert built is not None
    assert validate_bundle(built) == []
    Bundle.model_validate_json(orjson.dumps(built))
    for entry in built["entry"]:
        if "text" in entry["resource"]:
            ElementTree.fromstring(entry["resource"]["text"]["div"])  # noqa: S314 - our own text


@given(results())
@settings(max_examples=30, deadline=None)
def test_each_status_is_listed_when_asked_for_and_only_then(result: MeasureResult) -> None:
    listed = 0
    for status in GapStatus:
        built = gaps_bundle((result,), record("Maya"), REPORTING, statuses={status})
        issues = [
            entry["resource"]
            for entry in (built or {"entry": []})["entry"]
            if entry["resource"]["resourceType"] == "DetectedIssue"
        ]
        found = {issue["modifierExtension"][0]["valueCodeableConcept"]["coding"][0]["code"] for issue in issues}
        assert found <= {status}
        listed += len(issues)
    assert listed == len(result.groups)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["reference", "url", "code", "coding", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) below a node."""
    items = list(node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ())
    return [found for key, child in items for found in [(node, key), *places(child)]]


WHOLE = bundle()
PLACES = len(places(WHOLE))


@given(st.integers(0, PLACES - 1), JSON)
@settings(max_examples=300, deadline=None)
def test_the_checker_reports_nonsense_and_never_fails(index: int, nonsense: Any) -> None:
    spoiled = deepcopy(WHOLE)
    container, key = places(spoiled)[index]
    container[key] = nonsense
    for issue in validate_bundle(spoiled):
        assert issue.path.startswith("Bundle")


@given(JSON)
@settings(max_examples=50, deadline=None)
def test_the_checker_takes_any_resource(nonsense: Any) -> None:
    for resource in (
        {"resourceType": "Bundle", "entry": nonsense},
        {"meta": nonsense},
        {"meta": {"profile": nonsense}},
    ):
        validate(resource)


def test_the_reporter_is_not_changed() -> None:
    before = orjson.dumps(CLINIC)
    bundle()
    assert orjson.dumps(CLINIC) == before
