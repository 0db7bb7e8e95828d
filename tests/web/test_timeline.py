"""The visit timeline: which slots are drawn, where, and in which words."""

from dataclasses import replace
from datetime import date, timedelta

from gapsvc.schedule.visits.plan import Done, SlotState, SlotStatus, VisitPlan
from gapsvc.web.timeline import Bar, SlotRow, Tick, Timeline, timeline

BORN = date(2026, 1, 1)


def slot(title: str, opens: date, days: int, status: SlotStatus, visit: date | None = None) -> SlotState:
    """A slot of so many days whose last third is late."""
    closes = opens + timedelta(days=days - 1)
    done = None if visit is None else Done("Encounter/1", visit)
    return SlotState(title, title, opens, opens, opens + timedelta(days=days * 2 // 3 - 1), closes, status, done)


def drawn(*slots: SlotState, as_of: date) -> Timeline:
    return timeline(VisitPlan("test", slots, (), (), (), None), BORN, as_of)


def test_windows_visits_and_today_stand_on_one_scale() -> None:
    found = drawn(
        slot("first", BORN, 30, SlotStatus.DONE, BORN + timedelta(days=10)),
        slot("second", BORN + timedelta(days=30), 30, SlotStatus.DUE),
        slot("third", BORN + timedelta(days=60), 40, SlotStatus.NOT_DUE),
        as_of=BORN + timedelta(days=35),
    )
    assert found == Timeline(
        rows=(
            SlotRow("first", "done", "Done", "Jan 11, 2026", "Jan 1, 2026 to Jan 30, 2026", Bar(0, 30, 20, 10), 10.0),
            SlotRow(
                "second", "due", "Due now", "by Feb 19, 2026", "Jan 31, 2026 to Mar 1, 2026", Bar(30, 30, 50, 10), None
            ),
            SlotRow(
                "third", "later", "Later", "from Mar 2, 2026", "Mar 2, 2026 to Apr 10, 2026", Bar(60, 40, 86, 14), None
            ),
        ),
        earlier=(),
        summary="1 of 2 visits so far done.",
        ticks=(Tick(0.0, "birth"), Tick(31.0, "1 mo"), Tick(59.0, "2 mo"), Tick(90.0, "3 mo")),
        today=35.0,
    )


def test_each_status_has_its_words() -> None:
    day = date(2026, 3, 1)
    for status, said in {
        SlotStatus.OVERDUE: ("overdue", "Overdue", "since Mar 21, 2026, until Mar 30, 2026"),
        SlotStatus.DUE_SOON: ("later", "Due soon", "from Mar 1, 2026, in 1 day"),
        SlotStatus.MISSED: ("lost", "Missed", "closed Mar 30, 2026"),
        SlotStatus.AGED_OUT: ("past", "Not known", "before these records begin"),
    }.items():
        (row,) = drawn(slot("only", day, 30, status), as_of=day - timedelta(days=1)).rows
        assert (row.state, row.label, row.words) == said


def test_six_slots_that_have_opened_and_two_that_have_not_are_drawn() -> None:
    slots = [slot(str(n), BORN + timedelta(days=30 * n), 30, SlotStatus.MISSED) for n in range(12)]
    found = drawn(*reversed(slots), as_of=BORN + timedelta(days=30 * 8))
    assert [row.title for row in found.rows] == ["3", "4", "5", "6", "7", "8", "9", "10"]
    assert [row.title for row in found.earlier] == ["0", "1", "2"]
    assert found.summary == "0 of 9 visits so far done."


def test_what_was_before_the_records_is_not_counted_against_the_child() -> None:
    found = drawn(
        slot("before", BORN, 30, SlotStatus.AGED_OUT),
        slot("after", BORN + timedelta(days=30), 30, SlotStatus.DONE, BORN + timedelta(days=31)),
        as_of=BORN + timedelta(days=50),
    )
    assert found.summary == "1 of 1 visit so far done."


def test_a_visit_of_the_birth_hospital_is_nobodys_gap() -> None:
    birth = replace(slot("newborn", BORN, 3, SlotStatus.NOT_DUE), in_hospital=True)
    found = drawn(birth, slot("second", BORN, 30, SlotStatus.DUE), as_of=BORN)
    assert (found.rows[0].state, found.rows[0].label, found.rows[0].words) == (
        "past",
        "In the hospital",
        "not in these records",
    )
    assert found.summary == "0 of 1 visit so far done."


def test_a_visit_outside_what_is_drawn_stands_at_the_edge() -> None:
    (row,) = drawn(slot("late", BORN, 10, SlotStatus.DONE, BORN + timedelta(days=99)), as_of=BORN).rows
    assert row.dot == 100.0


def test_no_slots_no_drawing() -> None:
    assert drawn(as_of=BORN) == Timeline((), (), "", (), 0.0)
