"""Truth by hand: children planned visit by visit, on the edges of the measures' rules, with the answer reasoned out."""

from datetime import date, timedelta

import pytest
from hand_planned import NOT_APPLICABLE, YEAR_2026, child, populations, truth, visit

from gapsvc.sandbox.disorder import Disorder
from gapsvc.sandbox.plan import Flaw, Frame, HospicePlan, Role
from gapsvc.sandbox.truth import truth_of


def test_day_120_counts_and_day_121_does_not() -> None:
    birth = date(2026, 2, 1)  # day 120 is 1 June
    plan = child(birth, visit(1, date(2026, 2, 4)), visit(2, date(2026, 6, 1)), visit(3, date(2026, 6, 2)))
    assert truth(plan, date(2026, 11, 22))["three-by-120"] == {
        "two-visits": {
            "populations": populations(numerator=1),
            "status": "closed-gap",
            "needed": 2,
            "done": 2,
            "due_from": None,
            "last_day": None,
            "outlook": "met",
            "counted": ["Encounter/v1", "Encounter/v2"],
            "discounted": {"Encounter/v3": "after-window"},
        },
        "three-visits": {
            "populations": populations(numerator=0),
            "status": "open-gap",
            "needed": 3,
            "done": 2,
            "due_from": "2026-06-02",
            "last_day": "2026-06-01",
            "outlook": "missed",
            "counted": ["Encounter/v1", "Encounter/v2"],
            "discounted": {"Encounter/v3": "after-window"},
        },
    }


def test_a_visit_on_the_day_of_birth_counts() -> None:
    birth = date(2026, 9, 1)
    plan = child(birth, visit(1, birth))
    rate = truth(plan, date(2026, 9, 2))["three-by-120"]["two-visits"]
    assert (rate["done"], rate["counted"], rate["due_from"]) == (1, ["Encounter/v1"], "2026-09-02")
    assert (rate["status"], rate["outlook"]) == ("open-gap", "possible")


def test_on_the_day_of_a_visit_the_next_one_is_not_due_yet() -> None:
    plan = child(date(2026, 9, 1), visit(1, date(2026, 9, 4)))
    rate = truth(plan, date(2026, 9, 4))["three-by-120"]["two-visits"]
    assert (rate["status"], rate["due_from"], rate["last_day"]) == (
        "prospective-gap",
        "2026-09-05",
        "2026-12-30",
    )


def test_two_visits_are_possible_two_days_before_the_end_and_missed_on_the_last_day() -> None:
    birth = date(2026, 2, 1)  # day 120 is 1 June: two visits still fit on 31 May and 1 June
    on_may_31 = truth(child(birth), date(2026, 5, 31))["three-by-120"]["two-visits"]
    on_june_1 = truth(child(birth), date(2026, 6, 1))["three-by-120"]["two-visits"]
    assert (on_may_31["outlook"], on_june_1["outlook"]) == ("possible", "missed")
    assert (on_may_31["status"], on_june_1["status"]) == ("open-gap", "open-gap")


def test_the_population_of_three_by_120_turns_on_day_120_or_on_today() -> None:
    def applies(birth: date, as_of: date) -> bool:
        return truth(child(birth), as_of)["three-by-120"]["two-visits"] != NOT_APPLICABLE

    today = date(2026, 11, 22)
    assert applies(date(2025, 9, 3), today)  # day 120 is 1 January 2026
    assert not applies(date(2025, 9, 2), today)  # day 120 is 31 December 2025
    assert applies(date(2026, 9, 2), today)  # day 120 is 31 December 2026
    assert applies(date(2026, 9, 3), today)  # day 120 is in 2027, but the child is in its window today
    assert not applies(date(2026, 9, 3), date(2027, 1, 1))  # seen from outside the period it is of 2027


def test_w30_wants_14_days_between_visits_and_the_second_window_begins_anew() -> None:
    birth = date(2024, 2, 29)  # 15-month day 29 May 2025, 30-month day 27 August 2026
    plan = child(
        birth,
        visit(1, date(2025, 5, 15)),
        visit(2, date(2025, 5, 29)),  # exactly 14 days later, on the 15-month day
        visit(3, date(2025, 5, 30)),  # the day after: first of the second window, one day after the last visit
        visit(4, date(2025, 6, 12), Role.FOLLOW_UP),  # 13 days later
        visit(5, date(2026, 8, 27)),  # the 30-month day
        visit(6, date(2026, 8, 28)),
    )
    assert truth(plan, date(2026, 11, 22))["w30"] == {
        "first-15-months": NOT_APPLICABLE,  # its 15-month day was in 2025
        "15-30-months": {
            "populations": populations(numerator=1),
            "status": "closed-gap",
            "needed": 2,
            "done": 2,
            "due_from": None,
            "last_day": None,
            "outlook": "met",
            "counted": ["Encounter/v3", "Encounter/v5"],
            "discounted": {
                "Encounter/v1": "before-window",
                "Encounter/v2": "before-window",
                "Encounter/v4": "too-close",
                "Encounter/v6": "after-window",
            },
        },
    }
    in_2025 = truth(plan, date(2025, 6, 30), (date(2025, 1, 1), date(2025, 12, 31)))["w30"]["first-15-months"]
    assert in_2025["counted"] == ["Encounter/v1", "Encounter/v2"]
    assert (in_2025["done"], in_2025["status"], in_2025["outlook"]) == (2, "open-gap", "missed")


def test_six_visits_fit_while_five_spacings_are_left() -> None:
    birth = date(2025, 6, 1)  # 15-month day 30 August 2026; 5 x 14 = 70 days before it is 21 June
    possible = truth(child(birth), date(2026, 6, 21))["w30"]["first-15-months"]
    missed = truth(child(birth), date(2026, 6, 22))["w30"]["first-15-months"]
    assert (possible["last_day"], possible["due_from"]) == ("2026-08-30", "2025-06-01")
    assert (possible["outlook"], missed["outlook"]) == ("possible", "missed")


def test_what_never_counts_keeps_its_reason_in_every_rate() -> None:
    birth = date(2025, 9, 10)  # in both populations: day 120 is 8 January 2026, 15-month day 9 December 2026
    plan = child(
        birth,
        *(visit(at, date(2025, 10, 1) + timedelta(days=at), Role.FLAWED, flaw) for at, flaw in enumerate(Flaw)),
        visit(90, date(2025, 11, 10)),
        visit(91, date(2025, 11, 10), Role.COPY),
    )
    found = truth(plan, date(2026, 11, 22))
    reasons = {f"Encounter/v{at}": flaw.value for at, flaw in enumerate(Flaw)} | {"Encounter/v91": "same-day"}
    for rate in (found["three-by-120"]["two-visits"], found["w30"]["first-15-months"]):
        assert rate["counted"] == ["Encounter/v90"]
        assert rate["discounted"] == reasons


def test_a_child_who_died_by_today_is_excluded_and_its_gap_closed() -> None:
    birth = date(2026, 2, 1)
    seen = (visit(1, date(2026, 2, 4)), visit(2, date(2026, 3, 4)))
    died = truth(child(birth, *seen, deceased=date(2026, 11, 22)), date(2026, 11, 22))["three-by-120"]["two-visits"]
    assert died["populations"] == populations(numerator=0, excluded=1)
    assert (died["status"], died["outlook"], died["done"]) == ("closed-gap", None, 2)


def test_a_death_after_the_period_does_not_exclude_unless_it_is_only_said_that_there_was_one() -> None:
    birth = date(2025, 2, 1)
    year_2025 = (date(2025, 1, 1), date(2025, 12, 31))
    later = child(birth, deceased=date(2026, 1, 1))
    undated = child(birth, deceased=date(2026, 1, 1), deceased_as_boolean=True)
    as_of = date(2026, 3, 1)
    assert truth(later, as_of, year_2025)["three-by-120"]["two-visits"]["populations"] == populations(numerator=0)
    assert truth(undated, as_of, year_2025)["three-by-120"]["two-visits"]["populations"] == populations(
        numerator=0, excluded=1
    )


def test_without_the_day_of_birth_no_rate_applies() -> None:
    plan = child(date(2026, 2, 1), visit(1, date(2026, 2, 4)), birth_precision="month")
    line = truth_of(plan, Frame(1, 1, date(2026, 11, 22), YEAR_2026, Disorder.all()))
    assert line["birth_date"] == "2026-02"
    rates = [rate for measure in line["measures"].values() for rate in measure.values()]
    assert rates == [NOT_APPLICABLE] * len(rates)


def test_a_years_visit_counts_from_the_first_to_the_last_day_of_the_year() -> None:
    birth = date(2014, 12, 31)  # 12 years old on the last day of 2026
    plan = child(
        birth,
        visit(1, date(2024, 12, 31)),  # more than a year before the period: not named
        visit(2, date(2025, 12, 31)),
        visit(3, date(2026, 1, 1)),
        visit(4, date(2026, 5, 1), Role.FLAWED, Flaw.TELEHEALTH),
        visit(5, date(2026, 12, 31)),
        visit(6, date(2027, 1, 1)),
    )
    found = truth(plan, date(2027, 2, 1))["wcv"]
    assert found["3-11-years"] == found["18-21-years"] == NOT_APPLICABLE
    assert (
        found["12-17-years"]
        == found["total"]
        == {
            "populations": populations(numerator=1),
            "status": "closed-gap",
            "needed": 1,
            "done": 2,
            "due_from": None,
            "last_day": None,
            "outlook": "met",
            "counted": ["Encounter/v3", "Encounter/v5"],
            "discounted": {
                "Encounter/v2": "before-window",
                "Encounter/v4": "telehealth",
                "Encounter/v6": "after-window",
            },
        }
    )


def test_a_year_without_a_visit_is_open_until_its_last_day() -> None:
    plan = child(date(2015, 1, 1))  # 11 years old on the last day of 2026
    on_the_last_day = truth(plan, date(2026, 12, 31))["wcv"]["3-11-years"]
    a_day_later = truth(plan, date(2027, 1, 1))["wcv"]["3-11-years"]
    assert (on_the_last_day["due_from"], on_the_last_day["last_day"]) == ("2026-01-01", "2026-12-31")
    assert (on_the_last_day["outlook"], a_day_later["outlook"]) == ("possible", "missed")


@pytest.mark.parametrize("as_procedure", [False, True])
def test_hospice_care_in_the_period_excludes_from_its_first_to_its_last_day(as_procedure: bool) -> None:
    def excludes(day: date) -> bool:
        plan = child(date(2015, 1, 1), hospice=(HospicePlan("h1", day, as_procedure),))
        return truth(plan, date(2027, 2, 1))["wcv"]["total"]["populations"]["denominator-exclusion"] == 1

    assert excludes(date(2026, 1, 1))
    assert excludes(date(2026, 12, 31))
    assert not excludes(date(2025, 12, 31))
    assert not excludes(date(2027, 1, 1))
