"""The properties of a gap record (design/gaps.md), held over random children, visits and days.

Each example is a child with visits of all kinds, evaluated as of some day; what the record says of other days and of
other visits is then tried out.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gapsvc.evaluation.evaluator import Evaluator
from gapsvc.evaluation.result import GapRecord, GapStatus, MeasureResult, Outlook
from gapsvc.measures import catalog
from gapsvc.records.record import PatientRecord

PERIOD = (date(2026, 1, 1), date(2026, 12, 31))
DAY = timedelta(days=1)
CPT = "http://www.ama-assn.org/go/cpt"
MEASURES = ("three-by-120", "w30")


@cache
def evaluator(measure: str) -> Evaluator:
    return Evaluator(catalog()[measure], software="test")


def visit(name: str, on: str, *, status: str = "finished", place: str = "AMB", code: str = "99391") -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": name,
        "status": status,
        "class": {"code": place},
        "type": [{"coding": [{"system": CPT, "code": code}]}],
        "subject": {"reference": "Patient/child"},
        "period": {"start": on},
    }


@st.composite
def children(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A child around the measures' ages in 2026, and up to nine encounters around the windows."""
    born = draw(st.dates(date(2023, 5, 1), date(2026, 12, 31)))
    patient: dict[str, Any] = {"resourceType": "Patient", "id": "child", "birthDate": born.isoformat()}
    if draw(st.integers(0, 11)) == 0:
        patient["deceasedDateTime"] = draw(st.dates(born, date(2027, 6, 1))).isoformat()
    offsets = st.integers(-3, 130) | st.integers(-3, 1000)
    encounters = [
        visit(
            f"v{number}",
            (born + timedelta(days=draw(offsets))).isoformat(),
            status=draw(st.sampled_from(["finished"] * 6 + ["cancelled", "entered-in-error"])),
            place=draw(st.sampled_from(["AMB"] * 6 + ["IMP", "VR"])),
            code=draw(st.sampled_from(["99391"] * 6 + ["99213"])),
        )
        for number in range(draw(st.integers(0, 9)))
    ]
    return [patient, *encounters]


def evaluated(measure: str, resources: list[dict[str, Any]], as_of: date) -> MeasureResult:
    return evaluator(measure).evaluate(PatientRecord.of(resources), *PERIOD, as_of)


def states(result: MeasureResult) -> Mapping[str, tuple[Any, ...]]:
    """All that may change with time: the whole record but the day of the next change itself."""
    return {
        group.id: (tuple(group.populations.items()), replace(group.gap, changes_on=None)) for group in result.groups
    }


def gaps(result: MeasureResult) -> Mapping[str, GapRecord]:
    return {group.id: group.gap for group in result.groups}


AS_OF = st.dates(date(2025, 10, 1), date(2027, 3, 1))
EXAMPLES = settings(max_examples=150, deadline=None)


@EXAMPLES
@given(measure=st.sampled_from(MEASURES), child=children(), as_of=AS_OF, ahead=st.integers(1, 400))
def test_until_changes_on_the_record_is_the_same(
    measure: str, child: list[dict[str, Any]], as_of: date, ahead: int
) -> None:
    before = evaluated(measure, child, as_of)
    for group, gap in gaps(before).items():
        later = as_of + timedelta(days=ahead)
        if gap.changes_on is not None:
            later = min(later, gap.changes_on - DAY)
        for day in {later, as_of + (later - as_of) // 2}:
            after = evaluated(measure, child, day)
            assert states(after)[group] == states(before)[group], f"as of {day}"
            assert gaps(after)[group].changes_on == gap.changes_on


@EXAMPLES
@given(measure=st.sampled_from(MEASURES), child=children(), as_of=AS_OF)
def test_on_changes_on_something_differs(measure: str, child: list[dict[str, Any]], as_of: date) -> None:
    before = evaluated(measure, child, as_of)
    for group, gap in gaps(before).items():
        if gap.changes_on is not None:
            assert gap.changes_on > as_of
            after = evaluated(measure, child, gap.changes_on)
            assert states(after)[group] != states(before)[group]


@EXAMPLES
@given(measure=st.sampled_from(MEASURES), child=children(), as_of=AS_OF, data=st.data())
def test_the_needed_service_counts_exactly_from_due_from_to_last_day(
    measure: str, child: list[dict[str, Any]], as_of: date, data: st.DataObject
) -> None:
    """The visit is given, and looked at, when nothing else lies in the future."""
    before = evaluated(measure, child, as_of)
    for group, gap in gaps(before).items():
        if gap.due_from is None or gap.last_day is None or gap.due_from > gap.last_day:
            continue
        inside = data.draw(st.dates(gap.due_from, gap.last_day))
        # Seen from the end of the window, with all that is written down for later left out.
        past = [child[0]] + [
            encounter for encounter in child[1:] if date.fromisoformat(encounter["period"]["start"]) <= as_of
        ]
        then = max(as_of, gap.last_day + DAY)
        done = {day: counted(measure, group, past, day, then) for day in (inside, gap.due_from, gap.last_day)}
        base = counted(measure, group, past, None, then)
        assert base == gap.done
        assert all(count == base + 1 for count in done.values()), done
        assert counted(measure, group, past, gap.due_from - DAY, then) == base
        assert counted(measure, group, past, gap.last_day + DAY, then) == base


def counted(measure: str, group: str, child: list[dict[str, Any]], day: date | None, as_of: date) -> int:
    """How many visits count within the window, as the gap's evidence has them. Exclusions left aside."""
    patient = {key: value for key, value in child[0].items() if key != "deceasedDateTime"}
    given = [] if day is None else [visit("given", day.isoformat())]
    resources = [patient, *child[1:], *given]
    suffix = {"two-visits": "", "three-visits": "", "first-15-months": " First 15 Months"}.get(
        group, " 15 To 30 Months"
    )
    return evaluator(measure).on(*PERIOD, as_of).session(PatientRecord.of(resources)).evaluate(f"Gap Done{suffix}")


IRRELEVANT = {
    "resourceType": "Observation",
    "id": "weight",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "subject": {"reference": "Patient/child"},
    "effectiveDateTime": "2026-03-01",
}


@EXAMPLES
@given(measure=st.sampled_from(MEASURES), child=children(), as_of=AS_OF)
def test_an_irrelevant_resource_changes_nothing(measure: str, child: list[dict[str, Any]], as_of: date) -> None:
    assert evaluated(measure, [*child, IRRELEVANT], as_of) == evaluated(measure, child, as_of)


@EXAMPLES
@given(measure=st.sampled_from(MEASURES), child=children(), as_of=AS_OF, data=st.data())
def test_a_duplicate_of_a_counted_visit_changes_only_the_evidence(
    measure: str, child: list[dict[str, Any]], as_of: date, data: st.DataObject
) -> None:
    before = evaluated(measure, child, as_of)
    for group, gap in gaps(before).items():
        if not gap.counted:
            continue
        original = data.draw(st.sampled_from(gap.counted)).reference.removeprefix("Encounter/")
        twin = {**next(encounter for encounter in child if encounter["id"] == original), "id": f"{original}-twin"}
        after = gaps(evaluated(measure, [*child, twin], as_of))[group]
        assert replace(after, discounted=()) == replace(gap, discounted=())
        added = set(after.discounted) - set(gap.discounted)
        assert [(item.reference, item.reason) for item in added] == [(f"Encounter/{original}-twin", "same-day")]


@EXAMPLES
@given(measure=st.sampled_from(MEASURES), child=children(), as_of=AS_OF, ahead=st.integers(1, 500))
def test_a_closed_gap_reopens_only_if_changes_on_said_so(
    measure: str, child: list[dict[str, Any]], as_of: date, ahead: int
) -> None:
    before, later = evaluated(measure, child, as_of), as_of + timedelta(days=ahead)
    for group, gap in gaps(before).items():
        if gap.status is GapStatus.CLOSED:
            after = gaps(evaluated(measure, child, later))[group]
            said_so = gap.changes_on is not None and gap.changes_on <= later
            assert after.status is GapStatus.CLOSED or said_so


@EXAMPLES
@given(measure=st.sampled_from(MEASURES), child=children(), as_of=AS_OF)
def test_every_gap_that_is_not_closed_says_why(measure: str, child: list[dict[str, Any]], as_of: date) -> None:
    result = evaluated(measure, child, as_of)
    for gap in gaps(result).values():
        if gap.status in (GapStatus.OPEN, GapStatus.PROSPECTIVE):
            assert gap.reasons
            assert gap.need is not None
            assert "Patient/child" in result.evaluated
            looked_at = {item.reference for item in (*gap.counted, *gap.discounted)}
            assert looked_at <= result.evaluated.keys()
            assert gap.needed is not None and gap.done is not None and gap.done < gap.needed
            assert gap.done == len(gap.counted)
            assert (gap.outlook is Outlook.MISSED) or any(reason.requirement for reason in gap.reasons)
