"""The properties of a visit plan (design/gaps.md), held over random children, visits, services, risks and days."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from gapsvc.schedule.visits import Row, ServiceState, SlotStatus, VisitPlan, VisitSchedule, assess, load

DAY = timedelta(days=1)
SCHEDULE: VisitSchedule = load(overlay="medi-cal")
ITEMS = ("lead", "developmental-screening", "fluoride-varnish", "anemia", "blood-pressure", "lipids", "tuberculosis")
PROBLEMS = ("not-finished", "telehealth", "imprecise-date", "future")


@dataclass(frozen=True)
class Child:
    """What is given to `assess`."""

    birth: date
    visits: tuple[Row, ...]
    services: dict[str, tuple[Row, ...]]
    known_from: date | None
    risks: dict[str, date]

    def plan(self, as_of: date) -> VisitPlan:
        return assess(SCHEDULE, self.birth, self.visits, self.services, as_of, self.known_from, self.risks)

    def with_visit(self, on: date, name: str = "Encounter/new") -> "Child":
        return replace(self, visits=(*self.visits, Row(name, on)))

    def with_service(self, item: str, on: date, name: str = "Procedure/new") -> "Child":
        return replace(self, services={**self.services, item: (*self.services.get(item, ()), Row(name, on))})


# Births at ends of months, and any.
BIRTHS = st.sampled_from([date(2024, 2, 29), date(2023, 1, 31), date(2003, 8, 31)]) | st.dates(
    date(2003, 1, 1), date(2026, 6, 1)
)
AGES = st.integers(-3, 130) | st.integers(-3, 1200) | st.integers(-3, 8100)  # days


@st.composite
def children(draw: st.DrawFn) -> tuple[Child, date]:
    birth = draw(BIRTHS)
    at = AGES.map(lambda days: birth + timedelta(days=days))

    def rows(kind: str, most: int) -> tuple[Row, ...]:
        return tuple(
            Row(
                f"{kind}/{number}",
                *draw(st.sampled_from([(draw(at), None)] * 6 + [(None, PROBLEMS[2]), (draw(at), PROBLEMS[1])])),
            )
            for number in range(draw(st.integers(0, most)))
        )

    child = Child(
        birth,
        rows("Encounter", 10),
        {item: rows(f"Procedure/{item}", 4) for item in draw(st.sets(st.sampled_from(ITEMS), max_size=4))},
        draw(st.none() | at),
        {item: draw(at) for item in draw(st.sets(st.sampled_from(("lead", "tuberculosis")), max_size=2))},
    )
    return child, draw(at)


def said(plan: VisitPlan) -> VisitPlan:
    """All that time may change: the whole plan but the day of the next change itself."""
    return replace(plan, changes_on=None)


@settings(max_examples=150, deadline=None)
@given(children(), st.integers(0, 400))
def test_nothing_changes_before_changes_on_and_something_does_then(case: tuple[Child, date], days: int) -> None:
    child, as_of = case
    plan = child.plan(as_of)
    later = as_of + timedelta(days=days)
    if plan.changes_on is None:
        assert said(child.plan(later)) == said(plan)
        assert said(child.plan(date(2070, 1, 1))) == said(plan)
        return
    assert plan.changes_on > as_of
    assert said(child.plan(min(later, plan.changes_on - DAY))) == said(plan)
    assert said(child.plan(plan.changes_on - DAY)) == said(plan)
    assert said(child.plan(plan.changes_on)) != said(plan)


@settings(max_examples=80, deadline=None)
@given(children(), st.randoms())
def test_the_order_of_the_rows_does_not_matter(case: tuple[Child, date], random: Random) -> None:
    child, as_of = case
    visits = random.sample(child.visits, len(child.visits))
    services = {
        item: tuple(random.sample(rows, len(rows)))
        for item, rows in random.sample(list(child.services.items()), len(child.services))
    }
    assert replace(child, visits=tuple(visits), services=services).plan(as_of) == child.plan(as_of)


@settings(max_examples=80, deadline=None)
@given(children())
def test_what_is_reported_twice_changes_only_the_evidence(case: tuple[Child, date]) -> None:
    child, as_of = case
    twice = replace(
        child,
        visits=(*child.visits, *(replace(row, reference=f"{row.reference}-again") for row in child.visits)),
        services={
            item: (*rows, *(replace(row, reference=f"{row.reference}-again") for row in rows))
            for item, rows in child.services.items()
        },
    )
    once, again = child.plan(as_of), twice.plan(as_of)
    assert again.slots == once.slots
    assert [without_evidence(one) for one in again.services] == [without_evidence(one) for one in once.services]
    assert {one.reason for one in again.left_out} - {"same-day", "slot-filled"} <= {one.reason for one in once.left_out}
    assert (again.untracked, again.changes_on) == (once.untracked, once.changes_on)


def without_evidence(state: ServiceState) -> ServiceState:
    return replace(state, done=())


@settings(max_examples=60, deadline=None)
@given(children(), st.data())
def test_a_visit_on_any_day_of_an_open_window_fills_a_slot(case: tuple[Child, date], data: st.DataObject) -> None:
    child, as_of = case
    plan = child.plan(as_of)
    taken = {row.on for row in child.visits if row.problem is None}
    for slot in plan.slots:
        if slot.visit is not None or slot.opens > as_of:
            continue
        on = data.draw(st.dates(slot.opens, min(slot.closes, as_of)))
        if on in taken:
            continue
        filled = [one.id for one in child.with_visit(on).plan(as_of).slots if one.status is SlotStatus.DONE]
        assert len(filled) == 1 + sum(one.status is SlotStatus.DONE for one in plan.slots)
        if sum(other.opens <= on <= other.closes for other in plan.slots) == 1:
            assert slot.id in filled


@settings(max_examples=80, deadline=None)
@given(children())
def test_at_most_one_visit_is_asked_for_and_a_visit_today_is_enough(case: tuple[Child, date]) -> None:
    child, as_of = case
    asked = [one for one in child.plan(as_of).slots if one.status in (SlotStatus.DUE, SlotStatus.OVERDUE)]
    assert len(asked) <= 1
    for slot in asked:
        assert not slot.in_hospital
        after = child.with_visit(as_of).plan(as_of).slots
        # In the second week of life one visit brings the next in reach; nothing stays overdue.
        assert all(one.status is not SlotStatus.OVERDUE or slot.status is SlotStatus.OVERDUE for one in after)
        assert sum(one.status is SlotStatus.DONE for one in after) > sum(
            one.status is SlotStatus.DONE for one in child.plan(as_of).slots
        )


@settings(max_examples=60, deadline=None)
@given(children(), st.data())
def test_a_service_in_its_window_is_done_and_the_day_before_it_is_not(
    case: tuple[Child, date], data: st.DataObject
) -> None:
    child, as_of = case
    missing = [one for one in child.plan(as_of).services if not one.done and one.due_from <= as_of]
    for state in missing:
        inside = data.draw(st.dates(state.due_from, min(state.last_day, as_of)))
        assert status_of(state.id, child.with_service(state.item, inside).plan(as_of)) is SlotStatus.DONE
        before = child.with_service(state.item, state.due_from - DAY).plan(as_of)
        assert status_of(state.id, before) is not SlotStatus.DONE
        if state.last_day < as_of:
            after = child.with_service(state.item, state.last_day + DAY).plan(as_of)
            assert status_of(state.id, after) is not SlotStatus.DONE


def status_of(name: str, plan: VisitPlan) -> SlotStatus | None:
    return next((one.status for one in plan.services if one.id == name), None)
