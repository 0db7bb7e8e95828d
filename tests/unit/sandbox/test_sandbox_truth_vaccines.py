"""Truth of vaccine measures by hand: doses on the edges of the rules of docs/measures/cis.md and ima.md."""

from datetime import date, timedelta
from typing import Any

import pytest
from hand_planned import NOT_APPLICABLE, child, populations, truth

from gapsvc.sandbox.plan import DoseFlaw, DoseForm, DosePlan, Doubt, HistoryPlan

BORN = date(2024, 6, 1)  # two years old on 1 June 2026
TODAY = date(2026, 11, 22)
TEENAGER = date(2013, 6, 1)  # thirteen on 1 June 2026


def dose(name: str, on: date, product: str, flaw: DoseFlaw | None = None, form: DoseForm = DoseForm.GIVEN) -> DosePlan:
    return DosePlan(name, on, 600, product, flaw=flaw, form=form)


def day(number: int) -> date:
    return BORN + timedelta(days=number)


def cis(*doses: DosePlan, as_of: date = TODAY, birth: date = BORN, **changes: Any) -> dict[str, Any]:
    return truth(child(birth, doses=doses, **changes), as_of)["cis"]


def ima(*doses: DosePlan, as_of: date = TODAY, birth: date = TEENAGER) -> dict[str, Any]:
    return truth(child(birth, doses=doses), as_of)["ima"]


def test_four_doses_of_dtap_from_day_42_one_a_day() -> None:
    found = cis(
        dose("a", day(41), "dtap"),
        dose("b", day(42), "pediarix"),
        dose("c", day(100), "dtap"),
        dose("d", day(100), "pentacel"),
        dose("e", day(150), "dtap", DoseFlaw.REFUSED),
        dose("f", day(180), "some-dtap"),
        dose("g", day(300), "dt"),
        dose("h", day(310), "dtap", DoseFlaw.LOCAL_CODE),
    )
    assert found["dtap"] == {
        "populations": populations(numerator=0),
        "status": "open-gap",
        "needed": 4,
        "done": 3,
        "due_from": "2024-11-29",
        "last_day": "2026-06-01",
        "outlook": "missed",
        "counted": ["Immunization/b", "Immunization/c", "Immunization/f"],
        "discounted": {
            "Immunization/a": "before-window",
            "Immunization/d": "same-day",
            "Immunization/e": "not-given",
        },
    }
    assert found["hib"]["counted"] == ["Immunization/d"]
    assert found["hepb"]["counted"] == ["Immunization/b"]


@pytest.mark.parametrize(("on", "met"), [(-1, False), (0, True), (365, True), (366, False)])
def test_mmr_counts_from_the_first_to_the_second_birthday(on: int, met: bool) -> None:
    found = cis(dose("a", date(2025, 6, 1) + timedelta(days=on), "mmrv"))
    assert (found["mmr"]["outlook"] == "met", found["vzv"]["outlook"] == "met") == (met, met)


def test_a_child_of_29_february_turns_two_on_28_february() -> None:
    leap = date(2024, 2, 29)
    found = cis(dose("a", date(2026, 2, 28), "hepa"), dose("b", date(2026, 3, 1), "varicella"), birth=leap)
    assert found["hepa"]["outlook"] == "met"
    assert found["vzv"]["discounted"] == {"Immunization/b": "after-window"}


@pytest.mark.parametrize(
    ("products", "needed", "done"),
    [
        ((), 2, 0),
        (("rotarix",), 2, 1),
        (("rotarix", "rotarix"), 2, 2),
        (("rotarix", "rv"), 3, 2),
        (("rv", "rotarix", "rotarix"), 2, 3),
        (("some-rv", "some-rv"), 3, 2),
    ],
)
def test_rotavirus_takes_two_doses_only_where_two_or_all_are_monovalent(
    products: tuple[str, ...], needed: int, done: int
) -> None:
    found = cis(*(dose(f"d{at}", day(60 + 30 * at), product) for at, product in enumerate(products)))
    assert (found["rotavirus"]["needed"], found["rotavirus"]["done"]) == (needed, done)


def test_live_influenza_vaccine_counts_on_the_second_birthday_only() -> None:
    second = date(2026, 6, 1)
    found = cis(
        dose("a", day(179), "flu3"),
        dose("b", day(180), "flu3"),
        dose("c", second - timedelta(days=1), "laiv"),
        dose("d", second, "laiv"),
    )["influenza"]
    assert (found["outlook"], found["counted"]) == ("met", ["Immunization/b", "Immunization/d"])
    assert found["discounted"] == {"Immunization/a": "before-window", "Immunization/c": "live-vaccine-too-young"}


def test_the_hospitals_procedure_is_one_birth_dose_up_to_day_7() -> None:
    procedure = DoseForm.BIRTH_PROCEDURE
    found = cis(
        dose("a", day(7), "hepb", form=procedure),
        dose("b", day(3), "hepb", form=procedure),
        dose("c", day(8), "hepb", form=procedure),
        dose("d", day(60), "hepb", form=DoseForm.CLAIM),
    )["hepb"]
    assert found["counted"] == ["Procedure/b", "Procedure/d"]
    assert found["discounted"] == {"Procedure/a": "second-birth-dose", "Procedure/c": "not-at-birth"}


def test_a_reaction_by_the_second_birthday_stands_in_and_one_later_does_not() -> None:
    by = cis(dose("a", day(60), "pcv"), history=(HistoryPlan("r", date(2026, 6, 1), "anaphylaxis-pcv"),))["pcv"]
    later = cis(history=(HistoryPlan("r", date(2026, 6, 2), "anaphylaxis-pcv"),))["pcv"]
    refuted = cis(history=(HistoryPlan("r", day(60), "anaphylaxis-pcv", Doubt.REFUTED),))["pcv"]
    assert (by["outlook"], by["needed"], by["done"]) == ("met", None, None)
    assert by["counted"] == ["Condition/r", "Immunization/a"]
    assert later["discounted"] == {"Condition/r": "after-window"}
    assert refuted["discounted"] == {"Condition/r": "refuted"}


def test_measles_mumps_and_rubella_stand_in_together_only() -> None:
    def had(*events: str) -> dict[str, Any]:
        return cis(history=tuple(HistoryPlan(event, day(200), event) for event in events))["mmr"]

    assert had("measles", "mumps", "rubella")["outlook"] == "met"
    assert had("measles", "rubella")["discounted"] == {
        "Condition/measles": "not-all-diseases",
        "Condition/rubella": "not-all-diseases",
    }


@pytest.mark.parametrize(
    ("condition", "out"),
    [
        (HistoryPlan("c", date(2026, 6, 1), "leukemia"), True),
        (HistoryPlan("c", date(2026, 6, 2), "leukemia"), False),
        (HistoryPlan("c", date(2026, 6, 2), "hiv", Doubt.IMPRECISE, undated=True), True),
        (HistoryPlan("c", day(100), "scid", Doubt.REFUTED), False),
        (HistoryPlan("c", day(100), "varicella"), False),
    ],
)
def test_an_immune_condition_by_the_second_birthday_excludes(condition: HistoryPlan, out: bool) -> None:
    found = cis(history=(condition,))
    assert {rate["populations"]["denominator-exclusion"] for rate in found.values()} == {int(out)}


def test_a_combination_waits_for_its_last_vaccine_and_is_missed_with_its_first() -> None:
    born = date(2024, 12, 1)
    young = cis(dose("a", date(2025, 12, 2), "mmr"), birth=born, as_of=date(2026, 11, 22))
    assert (young["dtap"]["outlook"], young["combination-3"]["outlook"]) == ("possible", "possible")
    assert (young["combination-3"]["needed"], young["combination-3"]["done"]) == (7, 1)
    assert young["combination-3"]["due_from"] == "2024-12-01"  # hepatitis B, from birth
    late = cis(birth=born, as_of=date(2026, 11, 29))  # DTaP needs four days; three are left
    assert (late["mmr"]["outlook"], late["dtap"]["outlook"]) == ("possible", "missed")
    assert (late["combination-3"]["outlook"], late["combination-10"]["outlook"]) == ("missed", "missed")


@pytest.mark.parametrize(
    ("days", "needed", "outlook"),
    [
        ((0, 145), 3, "missed"),
        ((0, 146), 2, "met"),
        ((0, 1, 2), 3, "met"),
        ((0, 100, 146), 2, "met"),
        ((0,), 2, "missed"),
    ],
)
def test_two_doses_of_hpv_146_days_apart_or_three(days: tuple[int, ...], needed: int, outlook: str) -> None:
    found = ima(*(dose(f"d{on}", date(2024, 1, 1) + timedelta(days=on), "hpv") for on in days))["hpv"]
    assert (found["needed"], found["outlook"]) == (needed, outlook)


def test_after_one_late_dose_of_hpv_three_are_asked_for() -> None:
    thirteenth = date(2026, 6, 1)
    in_time = ima(dose("a", thirteenth - timedelta(days=146), "hpv"), as_of=date(2026, 2, 1))["hpv"]
    late = ima(dose("a", thirteenth - timedelta(days=145), "hpv"), as_of=date(2026, 2, 1))["hpv"]
    assert (in_time["needed"], late["needed"], late["outlook"]) == (2, 3, "possible")


@pytest.mark.parametrize(
    ("group", "product", "first"), [("meningococcal", "menacwy", 10), ("tdap", "tdap", 10), ("hpv", "hpv", 9)]
)
def test_an_adolescents_dose_counts_from_its_first_birthday_to_the_thirteenth(
    group: str, product: str, first: int
) -> None:
    opens, closes = date(2013 + first, 6, 1), date(2026, 6, 1)
    days = [opens - timedelta(days=1), opens, closes, closes + timedelta(days=1)]
    found = ima(*(dose(f"d{at}", on, product) for at, on in enumerate(days)))[group]
    assert found["counted"] == ["Immunization/d1", "Immunization/d2"]
    assert found["discounted"] == {"Immunization/d0": "before-window", "Immunization/d3": "after-window"}


def test_meningococcal_b_and_td_are_other_vaccines() -> None:
    found = ima(dose("a", date(2025, 1, 1), "menb"), dose("b", date(2025, 1, 1), "td"))
    assert (found["meningococcal"]["done"], found["tdap"]["done"]) == (0, 0)
    assert (found["meningococcal"]["discounted"], found["tdap"]["discounted"]) == ({}, {})


def test_who_turns_two_or_thirteen_in_another_year_is_in_neither() -> None:
    for birth in (date(2023, 12, 31), date(2025, 1, 1)):
        assert set(map(str, cis(birth=birth).values())) == {str(NOT_APPLICABLE)}
    for birth in (date(2012, 12, 31), date(2014, 1, 1)):
        assert set(map(str, ima(birth=birth).values())) == {str(NOT_APPLICABLE)}
