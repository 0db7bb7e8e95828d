"""A child's visit plan: examples that a nurse would recognise, under the shipped schedule with Medi-Cal's rules."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pytest

from gapsvc.schedule.visits import Done, LeftOut, Row, SlotState, SlotStatus, VisitPlan, assess, load

SCHEDULE = load(overlay="medi-cal")
CHART = load()
BORN = date(2025, 8, 1)


def day(number: int) -> date:
    return BORN + timedelta(days=number)


def plan(
    as_of: date,
    visits: Sequence[date] = (),
    services: Mapping[str, Sequence[date]] | None = None,
    known_from: date | None = None,
    risks: Mapping[str, date] | None = None,
    birth: date = BORN,
    schedule: object = SCHEDULE,
) -> VisitPlan:
    shown = {
        item: [Row(f"Procedure/{number}", on) for number, on in enumerate(days)]
        for item, days in (services or {}).items()
    }
    seen = [Row(f"Encounter/{number}", on) for number, on in enumerate(visits)]
    return assess(SCHEDULE if schedule is SCHEDULE else CHART, birth, seen, shown, as_of, known_from, risks)


def slots(one: VisitPlan, *, but: SlotStatus = SlotStatus.NOT_DUE) -> dict[str, str]:
    """Status by slot, those that are to come left out."""
    return {slot.id: slot.status.value for slot in one.slots if slot.status is not but}


def service(one: VisitPlan, name: str) -> tuple[str, str, str, str]:
    """Status, due from, due by, last day of one service."""
    state = next(state for state in one.services if state.id == name)
    return state.status.value, *(when.isoformat() for when in (state.due_from, state.due_by, state.last_day))


# ---- slots


def test_a_slot_of_the_plan_has_its_window_in_days() -> None:
    (slot,) = [one for one in plan(day(60), [day(4), day(30), day(65)]).slots if one.id == "2-months"]
    assert slot == SlotState(
        id="2-months",
        title="2 months",
        opens=date(2025, 9, 12),
        target=date(2025, 10, 1),
        overdue_after=date(2025, 11, 1),
        closes=date(2025, 11, 15),
        status=SlotStatus.DUE,
        visit=None,
        in_hospital=False,
    )


TWO_MONTHS = {
    # as of -> status of the two-month visit of a child seen at four days and at a month
    date(2025, 8, 28): "not due",
    date(2025, 8, 29): "due soon",
    date(2025, 9, 11): "due soon",
    date(2025, 9, 12): "due",
    date(2025, 11, 1): "due",
    date(2025, 11, 2): "overdue",
    date(2025, 11, 15): "overdue",
    date(2025, 11, 16): "missed",
    date(2047, 7, 31): "missed",
    date(2047, 8, 1): "aged out",
}


@pytest.mark.parametrize(("as_of", "status"), TWO_MONTHS.items(), ids=[str(one) for one in TWO_MONTHS])
def test_where_a_slot_stands_on_each_side_of_its_days(as_of: date, status: str) -> None:
    by_id = {slot.id: slot.status.value for slot in plan(as_of, [day(4), day(28)]).slots}
    assert by_id["2-months"] == status


def test_a_newborn_is_asked_for_the_visit_at_three_to_five_days_and_for_none_in_the_hospital() -> None:
    assert slots(plan(day(0))) == {"3-to-5-days": "due soon"}
    assert slots(plan(day(2))) == {"3-to-5-days": "due", "1-month": "due soon"}
    assert slots(plan(day(3))) == {"newborn": "aged out", "3-to-5-days": "due", "1-month": "due soon"}
    assert plan(day(0), [day(0)]).slots[0].visit == Done("Encounter/0", day(0))


def test_one_visit_is_asked_for_at_a_time() -> None:
    # in the second week the first visit is late and the one by a month could be held: one visit is asked for
    assert slots(plan(day(10))) == {"newborn": "aged out", "3-to-5-days": "overdue", "1-month": "due soon"}
    assert slots(plan(day(15))) == {"newborn": "aged out", "3-to-5-days": "missed", "1-month": "due"}
    assert slots(plan(day(11), [day(10)])) == {"newborn": "aged out", "3-to-5-days": "done", "1-month": "due"}


def test_first_contact_late_means_one_visit_now_and_nothing_overdue_from_before() -> None:
    late = plan(date(2026, 5, 10))
    assert slots(late) == {
        "newborn": "aged out",
        "3-to-5-days": "missed",
        "1-month": "missed",
        "2-months": "missed",
        "4-months": "missed",
        "6-months": "missed",
        "9-months": "due",
    }
    assert slots(plan(date(2026, 5, 10), known_from=date(2026, 5, 10))) == {
        "newborn": "aged out",
        "3-to-5-days": "aged out",
        "1-month": "aged out",
        "2-months": "aged out",
        "4-months": "aged out",
        "6-months": "aged out",
        "9-months": "due",
    }


def test_a_later_visit_brings_a_child_up_to_date() -> None:
    # nearer to the fourth week than to the first days: the first visit is not asked for any more
    assert slots(plan(day(13), [day(9), day(12)])) == {"newborn": "aged out", "3-to-5-days": "done", "1-month": "done"}


def test_a_yearly_visit_is_flagged_three_months_after_the_birthday() -> None:
    birth = date(2022, 2, 28)
    four = {
        as_of: next(slot.status.value for slot in plan(as_of, birth=birth).slots if slot.id == "4-years")
        for as_of in (date(2026, 2, 27), date(2026, 2, 28), date(2026, 5, 28), date(2026, 5, 29), date(2027, 2, 28))
    }
    assert list(four.values()) == ["due soon", "due", "due", "overdue", "missed"]


def test_born_on_29_february_the_birthday_is_28_february() -> None:
    birth = date(2024, 2, 29)
    three = next(slot for slot in plan(date(2026, 1, 1), birth=birth).slots if slot.id == "3-years")
    assert (three.opens, three.closes) == (date(2027, 2, 28), date(2028, 2, 28))


def test_visits_that_fill_nothing_are_told_with_why() -> None:
    visits = [
        Row("Encounter/b", day(62)),
        Row("Encounter/a", day(62)),
        Row("Encounter/c", day(80)),
        Row("Encounter/before-birth", day(-1)),
        Row("Encounter/tele", day(30), "telehealth"),
        Row("Encounter/undated", None),
        Row("Encounter/ahead", day(120)),
    ]
    one = assess(SCHEDULE, BORN, visits, {}, day(100))
    assert [slot.visit for slot in one.slots if slot.visit] == [Done("Encounter/a", day(62))]
    assert one.left_out == (
        LeftOut("Encounter/undated", None, "imprecise-date"),
        LeftOut("Encounter/before-birth", day(-1), "not-scheduled"),
        LeftOut("Encounter/tele", day(30), "telehealth"),
        LeftOut("Encounter/b", day(62), "same-day"),
        LeftOut("Encounter/c", day(80), "slot-filled"),
        LeftOut("Encounter/ahead", day(120), "future"),
    )


def test_a_child_not_yet_born_is_asked_for_nothing() -> None:
    one = plan(date(2025, 1, 1))
    assert slots(one) == {}
    assert one.untracked == ()
    assert one.changes_on == date(2025, 7, 18)  # fourteen days before birth: the newborn hearing test is due soon


def test_a_young_adult_past_the_schedule_is_asked_for_nothing_ever() -> None:
    one = plan(date(2047, 8, 1), [day(4)])
    assert {slot.status for slot in one.slots} == {SlotStatus.DONE, SlotStatus.AGED_OUT}
    assert (one.services, one.untracked, one.changes_on) == ((), (), None)


# ---- services


def test_lead_is_due_at_12_and_24_months_in_medi_cal_and_can_be_made_up_for_until_six() -> None:
    early, late = date(2026, 7, 2), date(2026, 10, 2)
    assert service(plan(early), "lead.12-months") == ("due", "2026-07-02", "2026-10-01", "2027-06-30")
    assert service(plan(late), "lead.12-months")[0] == "overdue"
    two = plan(date(2028, 1, 1), services={"lead": [date(2026, 8, 5)]})
    assert service(two, "lead.12-months")[0] == "done"
    assert service(two, "lead.24-months") == ("overdue", "2027-07-01", "2027-11-01", "2031-07-31")
    assert service(plan(date(2031, 8, 1)), "lead.24-months")[0] == "missed"


def test_the_chart_alone_asks_for_lead_only_where_there_is_a_risk() -> None:
    as_of = date(2026, 9, 1)
    without = plan(as_of, schedule=CHART)
    assert [state.id for state in without.services if state.item == "lead"] == []
    assert "Blood lead test: ask about risk" in without.untracked
    at_risk = plan(as_of, schedule=CHART, risks={"lead": date(2026, 8, 20)})
    assert [(state.id, state.status.value, state.universal) for state in at_risk.services if state.item == "lead"] == [
        ("lead.12-months", "due", False),
        ("lead.18-months", "not due", False),
    ]
    assert "Blood lead test: ask about risk" not in at_risk.untracked


def test_a_test_for_a_risk_is_shown_where_it_was_done_though_nobody_wrote_the_risk_down() -> None:
    one = plan(date(2026, 9, 1), services={"tuberculosis": [date(2026, 8, 15)]})
    (state,) = [state for state in one.services if state.item == "tuberculosis"]
    assert (state.id, state.universal, state.status, state.done) == (
        "tuberculosis.12-months",
        False,
        SlotStatus.DONE,
        (Done("Procedure/0", date(2026, 8, 15)),),
    )


def test_once_in_a_range_is_due_at_its_start_and_overdue_at_its_end() -> None:
    birth = date(2014, 6, 15)
    lipids = {
        as_of: service(plan(as_of, birth=birth), "lipids.9-to-11-years")[0]
        for as_of in (date(2023, 6, 14), date(2023, 6, 15), date(2026, 6, 14), date(2026, 6, 15), date(2031, 6, 15))
    }
    assert list(lipids.values()) == ["due soon", "due", "due", "overdue", "missed"]
    hearing = plan(date(2026, 6, 15), birth=birth, services={"hearing": [date(2025, 7, 1)]})
    assert service(hearing, "hearing.11-to-14-years")[0] == "done"


def test_fluoride_varnish_is_wanted_again_three_to_six_months_after_the_last() -> None:
    first = plan(date(2026, 3, 1))
    assert service(first, "fluoride-varnish.1") == ("due", "2026-02-01", "2026-08-01", "2031-07-31")
    given = plan(date(2026, 9, 4), services={"fluoride-varnish": [date(2026, 3, 3), date(2026, 4, 3)]})
    assert service(given, "fluoride-varnish.1")[0] == "done"
    assert service(given, "fluoride-varnish.2") == ("overdue", "2026-06-03", "2026-09-03", "2031-07-31")
    assert given.left_out == (LeftOut("Procedure/1", date(2026, 4, 3), "too-soon", "fluoride-varnish"),)
    # after the last day nothing is asked of a child that had its share
    over = plan(date(2031, 8, 1), services={"fluoride-varnish": [date(2031, 3, 1)]})
    assert [state.id for state in over.services if state.item == "fluoride-varnish"] == ["fluoride-varnish.1"]


def test_a_screen_of_development_can_be_made_up_for_until_the_next_is_due() -> None:
    one = plan(date(2027, 2, 1), services={"developmental-screening": [date(2026, 12, 1)]})
    assert service(one, "developmental-screening.9-months") == ("done", "2026-04-01", "2026-07-01", "2027-01-15")
    assert service(one, "developmental-screening.18-months") == ("due", "2027-01-16", "2027-05-01", "2027-12-31")
    assert service(plan(date(2028, 8, 1)), "developmental-screening.30-months")[0] == "overdue"  # the third birthday
    assert service(plan(date(2028, 8, 2)), "developmental-screening.30-months")[0] == "missed"


def test_only_the_next_of_what_is_to_come_is_there_and_what_closed_before_the_child_was_known_is_not() -> None:
    one = plan(date(2026, 9, 1), known_from=date(2026, 8, 20))
    growth = [(state.id, state.status.value) for state in one.services if state.item == "growth"]
    assert growth == [("growth.12-months", "due"), ("growth.15-months", "not due")]


def test_weights_of_other_contacts_are_no_evidence_and_not_told() -> None:
    one = plan(date(2029, 1, 1), services={"growth": [day(1), date(2028, 3, 1)]})
    assert one.left_out == ()
    assert all(state.with_visit for state in one.services if state.item in ("growth", "bmi", "blood-pressure"))


def test_what_the_data_can_not_show_goes_by_age() -> None:
    assert plan(date(2026, 9, 1)).untracked == (
        "Anticipatory guidance",
        "Physical examination and developmental surveillance",
        "Fluoride supplement where the water has little",
        "Hepatitis B: ask about risk",
        "Blood pressure: ask about risk",
        "Vision screening: ask about risk",
        "Hearing screening: ask about risk",
        "Tuberculosis test: ask about risk",
    )
    assert "Cervical dysplasia" in plan(date(2046, 9, 1)).untracked


def test_of_what_is_measured_at_every_visit_nothing_is_told_that_does_not_count() -> None:
    rows = {
        "growth": [Row("Observation/no-value", day(60), "no-result")],
        "lead": [Row("Observation/no-result", day(60), "no-result")],
    }
    found = assess(SCHEDULE, BORN, [], rows, day(70))
    assert found.left_out == (LeftOut("Observation/no-result", day(60), "no-result", "lead"),)
