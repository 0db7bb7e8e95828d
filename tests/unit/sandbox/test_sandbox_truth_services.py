"""Truth of LSC, DEV and TFL by hand: tests and services on the edges of the rules of docs/measures."""

from datetime import date, timedelta
from typing import Any

import pytest
from hand_planned import NOT_APPLICABLE, child, populations, truth

from gapsvc.sandbox.plan import ServiceFlaw, ServicePlan

BORN = date(2024, 6, 1)  # turns two on 1 June 2026
TODAY = date(2026, 11, 22)
ONE_DAY = timedelta(days=1)


def service(name: str, on: date, code: str, flaw: ServiceFlaw | None = None) -> ServicePlan:
    return ServicePlan(name, on, 600, code, flaw=flaw)


def rates(measure: str, *services: ServicePlan, birth: date = BORN, as_of: date = TODAY) -> dict[str, Any]:
    return truth(child(birth, services=services), as_of)[measure]


# ---- lead


def test_a_lead_test_counts_to_the_second_birthday_by_result_or_by_claim() -> None:
    second = date(2026, 6, 1)
    found = rates(
        "lsc",
        service("a", date(2025, 6, 3), "lead-venous", ServiceFlaw.NO_RESULT),
        service("b", date(2025, 6, 3), "lead-capillary", ServiceFlaw.LOCAL_CODE),
        service("c", second, "lead-capillary"),
        service("d", second, "lead-claim"),
        service("e", second + ONE_DAY, "lead-blood"),
    )["by-second-birthday"]
    assert found == {
        "populations": populations(numerator=1),
        "status": "closed-gap",
        "needed": 1,
        "done": 1,
        "due_from": None,
        "last_day": None,
        "outlook": "met",
        "counted": ["Observation/c"],
        "discounted": {"Observation/a": "no-result", "Procedure/d": "same-day", "Observation/e": "after-window"},
    }


@pytest.mark.parametrize(
    ("on", "counts_for"),
    [
        (date(2025, 5, 1), None),  # 31 days before the first birthday
        (date(2025, 5, 2), "12 months"),
        (date(2026, 5, 1), "12 months"),  # 31 days before the second
        (date(2026, 5, 2), "24 months"),
        (date(2026, 9, 1), "24 months"),  # three months after the second birthday
        (date(2026, 9, 2), None),
    ],
)
def test_which_age_a_lead_test_is_for_under_the_medi_cal_rule(on: date, counts_for: str | None) -> None:
    found = rates("lsc", service("a", on, "lead-venous"), as_of=date(2026, 9, 2))["medi-cal-12-24-months"]
    # What is due is the first test that is missing: after one at 12 months that at 24.
    due = "2026-05-02" if counts_for == "12 months" else "2025-05-02"
    assert (found["done"], found["due_from"]) == (0 if counts_for is None else 1, due)


def test_the_test_at_24_months_may_fall_after_the_period() -> None:
    born = date(2024, 11, 30)
    found = rates("lsc", service("a", date(2025, 12, 1), "lead-venous"), birth=born)["medi-cal-12-24-months"]
    assert (found["due_from"], found["last_day"]) == ("2026-10-31", "2027-02-28")
    assert (found["status"], found["outlook"], found["needed"], found["done"]) == ("open-gap", "possible", 2, 1)


# ---- development


@pytest.mark.parametrize(
    ("birth", "group", "first", "last"),
    [
        (date(2025, 6, 1), "first-birthday", date(2025, 6, 1), date(2026, 6, 1)),
        (date(2024, 6, 1), "second-birthday", date(2025, 6, 2), date(2026, 6, 1)),
        (date(2023, 6, 1), "third-birthday", date(2025, 6, 2), date(2026, 6, 1)),
        (date(2024, 2, 29), "second-birthday", date(2025, 3, 1), date(2026, 2, 28)),
    ],
)
def test_a_screen_counts_in_the_year_of_life_up_to_the_birthday(
    birth: date, group: str, first: date, last: date
) -> None:
    days = [first - ONE_DAY, first, last, last + ONE_DAY]
    found = rates("dev", *(service(f"s{at}", on, "screen") for at, on in enumerate(days)), birth=birth)
    assert found[group] == found["combined"]
    assert found[group]["counted"] == ["Procedure/s1", "Procedure/s2"]
    others = {"first-birthday", "second-birthday", "third-birthday"} - {group}
    assert [found[other] for other in others] == [NOT_APPLICABLE] * 2


@pytest.mark.parametrize(
    ("code", "counts"),
    [
        ("screen", True),
        ("screen-milestones", True),
        ("screen-both-reasons", True),
        ("screen-autism-modifier", False),
        ("screen-autism-reason", False),
        ("screen-milestones-modifier", False),
        ("screen-emotional", False),
    ],
)
def test_a_screen_for_autism_alone_is_none_of_development(code: str, counts: bool) -> None:
    found = rates("dev", service("a", date(2026, 1, 5), code))["combined"]
    assert found["done"] == int(counts)
    assert found["discounted"] == ({} if counts or code == "screen-emotional" else {"Procedure/a": "autism-screen"})


# ---- fluoride


def test_two_applications_on_different_days_of_the_period_by_either_service() -> None:
    found = rates(
        "tfl",
        service("a", date(2024, 12, 31), "varnish-dental"),  # more than a year before the period
        service("b", date(2025, 12, 31), "varnish-dental"),
        service("c", date(2026, 1, 1), "varnish-dental"),
        service("d", date(2026, 1, 1), "varnish-medical"),
        service("e", date(2026, 5, 1), "fluoride-treatment", ServiceFlaw.REFUSED),
        service("f", date(2026, 10, 1), "varnish-medical"),
    )
    either, dental, medical = (found[group] for group in ("dental-or-oral-health", "dental", "oral-health"))
    assert (either["outlook"], either["counted"]) == ("met", ["Procedure/c", "Procedure/f"])
    assert either["discounted"] == {
        "Procedure/b": "before-window",
        "Procedure/d": "same-day",
        "Procedure/e": "not-given",
    }
    assert (dental["done"], dental["due_from"], dental["last_day"]) == (1, "2026-01-02", "2026-12-31")
    assert (medical["outlook"], medical["counted"]) == ("met", ["Procedure/d", "Procedure/f"])


def test_the_last_day_to_begin_with_two_applications_is_the_day_before_the_last() -> None:
    on_the_30th = rates("tfl", as_of=date(2026, 12, 30))["dental"]
    on_the_31st = rates("tfl", as_of=date(2026, 12, 31))["dental"]
    assert (on_the_30th["outlook"], on_the_31st["outlook"]) == ("possible", "missed")


@pytest.mark.parametrize(
    ("birth", "in_it"),
    [
        (date(2026, 1, 1), False),
        (date(2025, 12, 31), True),
        (date(2006, 1, 1), True),
        (date(2005, 12, 31), False),
    ],
)
def test_fluoride_is_for_who_is_1_to_20_on_the_last_day_of_the_period(birth: date, in_it: bool) -> None:
    assert (rates("tfl", birth=birth)["dental"] != NOT_APPLICABLE) is in_it
