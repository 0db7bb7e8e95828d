"""The properties of the one list per child (design/gaps.md), held over random children, records and days.

Each example is a child with doses, visits, tests and screenings, good and bad, looked at as of some day with every
measure and both schedules.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gapsvc.evaluation.actions import Action, ActionKind, Urgency, Wish
from gapsvc.evaluation.catalogue import evaluators
from gapsvc.evaluation.child import ChildReader, ChildView
from gapsvc.evaluation.result import GapRecord, GapStatus, Outlook
from gapsvc.evaluation.visits import VisitAssessor
from gapsvc.records.record import PatientRecord
from gapsvc.schedule.immunizations import load
from gapsvc.schedule.visits import SlotStatus
from gapsvc.schedule.visits import load as load_visits

PERIOD = (date(2026, 1, 1), date(2026, 12, 31))
CVX = "http://hl7.org/fhir/sid/cvx"
CPT = "http://www.ama-assn.org/go/cpt"
CDT = "http://www.ada.org/cdt"
LOINC = "http://loinc.org"
CHILD = {"reference": "Patient/child"}
VACCINES = (
    *("20", "110", "120", "146", "10", "03", "94", "21", "48", "49", "08"),
    *("133", "215", "83", "116", "119", "140", "115", "165", "136", "162"),
)
TODAY = (Urgency.OVERDUE, Urgency.DUE)


@cache
def reader() -> ChildReader:
    return ChildReader.of(evaluators(), load(), visits=VisitAssessor(load_visits(overlay="medi-cal")))


def view(resources: Sequence[dict[str, Any]], as_of: date) -> ChildView:
    return reader().on(as_of, PERIOD).view(PatientRecord.of(resources))


def dose(name: str, on: date, cvx: str, status: str = "completed") -> dict[str, Any]:
    return {
        "resourceType": "Immunization",
        "id": name,
        "status": status,
        "patient": CHILD,
        "vaccineCode": {"coding": [{"system": CVX, "code": cvx}]},
        "occurrenceDateTime": on.isoformat(),
    }


def visit(name: str, on: date, born: date) -> dict[str, Any]:
    years = (on - born).days / 365.25
    code = "99391" if years < 1 else "99392" if years < 5 else "99393" if years < 12 else "99394"
    return {
        "resourceType": "Encounter",
        "id": name,
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [{"coding": [{"system": CPT, "code": "99395" if years >= 18 else code}]}],
        "subject": CHILD,
        "period": {"start": on.isoformat(), "end": on.isoformat()},
    }


def procedure(name: str, on: date, system: str, code: str) -> dict[str, Any]:
    return {
        "resourceType": "Procedure",
        "id": name,
        "status": "completed",
        "subject": CHILD,
        "code": {"coding": [{"system": system, "code": code}]},
        "performedDateTime": on.isoformat(),
    }


def lead(name: str, on: date) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "subject": CHILD,
        "code": {"coding": [{"system": LOINC, "code": "77307-7"}]},
        "effectiveDateTime": on.isoformat(),
        "valueQuantity": {"value": 1.2, "unit": "ug/dL", "system": "http://unitsofmeasure.org", "code": "ug/dL"},
    }


@st.composite
def children(draw: st.DrawFn) -> tuple[list[dict[str, Any]], date]:
    """A child from birth to 19 years, mostly under three, and a day."""
    as_of = draw(st.dates(date(2026, 1, 1), date(2026, 12, 31)))
    age = draw(st.integers(0, 1100) | st.integers(0, 130) | st.integers(0, 19 * 365))
    born = as_of - timedelta(days=age)
    patient = {"resourceType": "Patient", "id": "child", "birthDate": born.isoformat(), "gender": "female"}
    ages = st.integers(0, age) | st.integers(0, min(age, 400))

    def day() -> date:
        return born + timedelta(days=draw(ages))

    statuses = st.sampled_from(["completed"] * 9 + ["not-done"])
    doses = [
        dose(f"d{n}", day(), draw(st.sampled_from(VACCINES)), draw(statuses)) for n in range(draw(st.integers(0, 14)))
    ]
    visits = [visit(f"v{n}", day(), born) for n in range(draw(st.integers(0, 8)))]
    screens = [procedure(f"p{n}", day(), *draw(SCREENS)) for n in range(draw(st.integers(0, 3)))]
    tests = [lead(f"o{n}", day()) for n in range(draw(st.integers(0, 2)))]
    return [patient, *doses, *visits, *screens, *tests], as_of


SCREENS = st.sampled_from([(CPT, "96110"), (CPT, "99188"), (CDT, "D1206")])
EXAMPLES = settings(max_examples=30, deadline=None)


def gaps(found: ChildView) -> dict[str, GapRecord]:
    return {f"{result.measure_id}/{group.id}": group.gap for result in found.results for group in result.groups}


def measured(action: Action) -> list[Wish]:
    return [wish for wish in action.wishes if wish.origin == "measure"]


@EXAMPLES
@given(children())
def test_each_gap_that_is_not_closed_is_asked_for_once_and_nothing_comes_from_a_closed_one(
    child: tuple[list[dict[str, Any]], date],
) -> None:
    found = view(*child)
    asked = Counter(wish.id for action in found.actions for wish in measured(action))
    open_gaps = {
        name: gap for name, gap in gaps(found).items() if gap.status in (GapStatus.OPEN, GapStatus.PROSPECTIVE)
    }
    assert set(asked) == set(open_gaps)
    for name, gap in open_gaps.items():
        several = gap.need is not None and gap.need.further  # a combination: once for each vaccine that it lacks
        assert asked[name] == 1 or (several and asked[name] <= len(gap.need.codings)), name
    for action in found.actions:
        for wish in measured(action):
            if open_gaps[wish.id].outlook is Outlook.MISSED:
                assert action.urgency is Urgency.LOST


@EXAMPLES
@given(children())
def test_no_two_actions_are_satisfied_by_one_service(child: tuple[list[dict[str, Any]], date]) -> None:
    found = view(*child)
    assert len({action.key for action in found.actions}) == len(found.actions)
    today = Counter(_service(action) for action in found.actions if action.urgency in TODAY)
    assert set(today.values()) <= {1}


def _service(action: Action) -> str:
    if action.kind is ActionKind.VISIT:
        return "visit"
    return ":".join(action.key.split(":")[:2])


@EXAMPLES
@given(children())
def test_dates_are_the_tightest_of_the_wishes_and_the_order_holds(child: tuple[list[dict[str, Any]], date]) -> None:
    resources, as_of = child
    found = view(resources, as_of)
    end = date.max
    buckets = [(0 if one.urgency in TODAY else 1 if one.urgency is Urgency.LATER else 2) for one in found.actions]
    assert buckets == sorted(buckets)
    for bucket in range(3):
        ordered = [
            (one.last_day or end, one.due_by or end)
            for one, place in zip(found.actions, buckets, strict=True)
            if place == bucket
        ]
        assert ordered == sorted(ordered)
    for action in found.actions:
        if action.urgency is Urgency.LOST:
            assert (action.due_from, action.due_by) == (None, None)
            continue
        assert action.text and action.when
        for wish in action.wishes:
            if wish.last_day is not None:
                assert action.last_day is not None and action.last_day <= wish.last_day
            if wish.due_from is not None and action.due_from is not None:
                late = action.urgency is Urgency.OVERDUE and wish.due_from > as_of  # it is not made to wait
                assert action.due_from >= wish.due_from or late
        if action.due_by is not None and action.last_day is not None:
            assert action.due_by <= action.last_day
        if action.urgency in TODAY and action.due_from is not None:
            assert action.due_from <= as_of
            assert action.last_day is None or as_of <= action.last_day


@EXAMPLES
@given(children(), st.integers())
def test_the_list_does_not_depend_on_the_order_of_the_record(
    child: tuple[list[dict[str, Any]], date], seed: int
) -> None:
    (patient, *resources), as_of = child
    shuffled = list(resources)
    Random(seed).shuffle(shuffled)
    assert view([patient, *shuffled], as_of).actions == view([patient, *resources], as_of).actions


# ---- done within its window, an action closes or advances each of its wishes


@settings(max_examples=40, deadline=None)
@given(children(), st.data())
def test_doing_it_in_its_window_closes_or_advances_every_wish(
    child: tuple[list[dict[str, Any]], date], data: st.DataObject
) -> None:
    resources, as_of = child
    before = view(resources, as_of)
    doable = [
        action for action in before.actions if action.urgency is not Urgency.LOST and _performed(action, as_of, as_of)
    ]
    if not doable:
        return
    action = data.draw(st.sampled_from(doable))
    first = max(action.due_from or as_of, as_of)
    last = min(action.last_day or PERIOD[1], PERIOD[1], first + timedelta(days=40))
    if last < first:
        return
    day = data.draw(st.dates(first, last))
    born = date.fromisoformat(resources[0]["birthDate"])
    done = _performed(action, day, born)
    assert done is not None
    without, after = view(resources, day), view([*resources, done], day)
    for wish in action.wishes:
        if wish.due_from is None or day >= wish.due_from:
            assert _advanced(wish, without, after), (wish, day)


def _performed(action: Action, day: date, born: date) -> dict[str, Any] | None:
    """The action done; None for services that this test does not know how to record."""
    if action.kind is ActionKind.VISIT:
        return visit("done", day, born)
    if action.kind is ActionKind.IMMUNIZATION:
        schedule_asks = any(wish.origin == "immunizations" for wish in action.wishes)
        return dose("done", day, action.coding.code) if action.coding is not None and schedule_asks else None
    by_key = {
        "service:lead-test": lead("done", day),
        "service:developmental-screening": procedure("done", day, CPT, "96110"),
    }
    return by_key.get(action.key)


def _advanced(wish: Wish, without: ChildView, after: ChildView) -> bool:
    """Whether the service made a difference to who asks: closed, one more done, or another need."""
    if wish.origin == "measure":
        old, new = gaps(without).get(wish.id), gaps(after).get(wish.id)
        assert old is not None and new is not None
        closed = new.status is GapStatus.CLOSED
        more = old.done is not None and new.done is not None and new.done > old.done
        fewer = old.need is not None and new.need is not None and old.need != new.need
        return closed or more or fewer
    if wish.origin == "immunizations":
        assert without.vaccines is not None and after.vaccines is not None
        name = wish.id.removesuffix("/risk")
        old_needs = [one for one in without.vaccines.needs if one.group == name]
        if all(one.urgency == "none" for one in old_needs):
            return True  # by then the schedule asks no more: a flu season is over, which has no last day before
        return old_needs != [one for one in after.vaccines.needs if one.group == name]
    assert without.visits is not None and after.visits is not None
    slots = {one.id: one.status for one in after.visits.slots}
    services = {one.id: one.status for one in after.visits.services}
    return slots.get(wish.id, services.get(wish.id)) is SlotStatus.DONE
