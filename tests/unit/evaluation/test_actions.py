"""One list per child: what one service satisfies is one action with several reasons; what is lost is told apart."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import pytest

from gapsvc.evaluation.actions import Action, ActionKind, Urgency, Wish
from gapsvc.evaluation.catalogue import evaluators
from gapsvc.evaluation.child import ChildReader, ChildView
from gapsvc.evaluation.evaluator import Evaluator
from gapsvc.evaluation.joining import actions_of
from gapsvc.evaluation.products import VaccineNames
from gapsvc.evaluation.result import Coding, Outlook
from gapsvc.evaluation.vaccines import Vaccines, vaccines
from gapsvc.records.record import PatientRecord
from gapsvc.schedule.immunizations import Schedule, load
from gapsvc.schedule.visits.plan import ServiceState, SlotState, SlotStatus, VisitPlan

CVX = "http://hl7.org/fhir/sid/cvx"
CPT = "http://www.ama-assn.org/go/cpt"
LOINC = "http://loinc.org"


@cache
def schedule() -> Schedule:
    return load()


@cache
def names() -> VaccineNames:
    return VaccineNames.of(schedule())


@cache
def evaluator(measure: str) -> Evaluator:
    return evaluators([measure])[measure]


def patient(born: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "child", "birthDate": born, "gender": "female"}


def dose(name: str, on: str, cvx: str) -> dict[str, Any]:
    return {
        "resourceType": "Immunization",
        "id": name,
        "status": "completed",
        "patient": {"reference": "Patient/child"},
        "vaccineCode": {"coding": [{"system": CVX, "code": cvx}]},
        "occurrenceDateTime": on,
    }


def visit(name: str, on: str) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": name,
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [{"coding": [{"system": CPT, "code": "99391"}]}],
        "subject": {"reference": "Patient/child"},
        "period": {"start": on},
    }


def slot(name: str, opens: date, overdue_after: date, closes: date, status: SlotStatus) -> SlotState:
    return SlotState(name, name.replace("-", " "), opens, opens, overdue_after, closes, status, None)


def plan(slots: Iterable[SlotState] = (), services: Iterable[ServiceState] = ()) -> VisitPlan:
    return VisitPlan("Chart 2024-06, with our windows", tuple(slots), tuple(services), (), (), None)


def actions(
    resources: Iterable[dict[str, Any]],
    as_of: date,
    *measures: str,
    visits: VisitPlan | None = None,
    year: int = 0,
) -> tuple[Action, ...]:
    record = PatientRecord.of(resources)
    year = year or as_of.year
    results = [evaluator(one).evaluate(record, date(year, 1, 1), date(year, 12, 31), as_of) for one in measures]
    return actions_of(results, vaccines(schedule(), record, as_of, names=names()), visits, as_of, names=names())


def one(found: Iterable[Action], key: str) -> Action:
    (action,) = [action for action in found if action.key == key]
    return action


# ---- one action, several reasons


def test_a_dose_that_the_schedule_a_rate_and_combinations_ask_for_is_one_action() -> None:
    doses = [dose("d1", "2025-03-02", "20"), dose("d2", "2025-05-02", "20")]
    found = actions([patient("2025-01-01"), *doses], date(2026, 11, 22), "cis", year=2027)
    dtap = one(found, "immunization:DTaP/Tdap/Td")
    assert dtap == Action(
        kind=ActionKind.IMMUNIZATION,
        key="immunization:DTaP/Tdap/Td",
        text="DTaP, dose 3",
        when="overdue since Aug 29, 2025, last day Jan 1, 2027",
        coding=Coding(CVX, "20", "DTaP"),
        products=("Infanrix", "Daptacel", "Pediarix", "Pentacel", "Vaxelis"),
        urgency=Urgency.OVERDUE,
        due_from=date(2025, 5, 30),
        due_by=date(2025, 8, 28),
        last_day=date(2027, 1, 1),
        wishes=dtap.wishes,
        remarks=dtap.remarks,
    )
    assert [(wish.origin, wish.id) for wish in dtap.wishes] == [
        ("immunizations", "DTaP/Tdap/Td"),
        ("measure", "cis/dtap"),
        ("measure", "cis/combination-3"),
    ]
    # At 22 months it is too late for rotavirus, and so for the combinations that hold it.
    rotavirus = one(found, "lost:immunization:Rotavirus")
    assert [wish.id for wish in rotavirus.wishes] == ["cis/rotavirus", "cis/combination-7", "cis/combination-10"]
    assert dtap.wishes[1] == Wish(
        origin="measure",
        id="cis/dtap",
        text="counts for Childhood immunization status: DTaP, 4 doses, 2 of 4 so far, by Jan 1, 2027 "
        "(at risk, 41 days left)",
        due_from=date(2025, 5, 3),
        due_by=date(2025, 8, 1),
        last_day=date(2027, 1, 1),
        outlook=Outlook.AT_RISK,
    )


def test_a_combination_names_every_vaccine_that_is_missing_and_each_is_one_action() -> None:
    found = actions([patient("2025-01-01")], date(2026, 8, 1), "cis", year=2027)
    asking = {action.key for action in found if any(wish.id == "cis/combination-3" for wish in action.wishes)}
    assert asking == {
        f"immunization:{group}"
        for group in ("DTaP/Tdap/Td", "Polio", "MMR", "Hib", "HepB", "Varicella", "Pneumococcal")
    }


def test_a_visit_of_the_chart_and_of_three_measures_is_one_action() -> None:
    # Born Jul 1: day 120 is Oct 29. One visit on day 5; the visit at two months is due.
    two_months = slot("2-months", date(2026, 8, 12), date(2026, 10, 1), date(2026, 10, 14), SlotStatus.DUE)
    four_months = slot("4-months", date(2026, 10, 15), date(2026, 12, 1), date(2026, 12, 14), SlotStatus.NOT_DUE)
    found = actions(
        [patient("2026-07-01"), visit("v1", "2026-07-06")],
        date(2026, 9, 20),
        "three-by-120",
        "w30",
        visits=plan([two_months, four_months]),
        year=2026,
    )
    due = one(found, "visit:2-months")
    assert (due.text, due.when) == ("Well-child visit, 2 months", "due now, by Oct 1, 2026, last day Oct 14, 2026")
    assert (due.urgency, due.due_from, due.due_by) == (Urgency.DUE, date(2026, 8, 12), date(2026, 10, 1))
    assert [wish.id for wish in due.wishes] == ["2-months", "three-by-120/three-visits", "three-by-120/two-visits"]
    later = one(found, "visit:4-months")  # one visit fills one slot
    assert (later.urgency, [wish.id for wish in later.wishes]) == (Urgency.LATER, ["4-months"])


def test_a_visit_that_only_a_measure_wants_in_time_is_an_action_of_its_own() -> None:
    # Visits on day 5 and, for the chart's slot at four months, on day 110: the next slot opens after day 120.
    six_months = slot("6-months", date(2026, 12, 16), date(2027, 2, 14), date(2027, 3, 1), SlotStatus.NOT_DUE)
    found = actions(
        [patient("2026-07-01"), visit("v1", "2026-07-06"), visit("v2", "2026-10-19")],
        date(2026, 10, 22),
        "three-by-120",
        visits=plan([six_months]),
    )
    visits = [action for action in found if action.kind is ActionKind.VISIT]
    assert [(action.text, action.when) for action in visits] == [
        ("Third well-child visit of 3 (3 by 120)", "due now, last day Oct 29, 2026"),
        ("Well-child visit, 6 months", "due Dec 16, 2026 to Feb 14, 2027, last day Mar 1, 2027"),
    ]


def test_a_measure_that_needs_more_visits_than_the_chart_has_left_wants_one_before_the_next_slot() -> None:
    # Day 100, one visit so far: two more by day 120, and one slot that opens on day 106.
    four_months = slot("4-months", date(2026, 10, 15), date(2026, 12, 1), date(2026, 12, 14), SlotStatus.DUE_SOON)
    child = [patient("2026-07-01"), visit("v1", "2026-07-06")]
    found = actions(child, date(2026, 10, 9), "three-by-120", visits=plan([four_months]))
    assert [
        (action.text, action.when, [wish.id for wish in action.wishes]) for action in found if "visit" in action.key
    ] == [
        (
            "Second well-child visit of 3 (3 by 120)",
            "overdue since Aug 13, 2026, last day Oct 14, 2026",
            ["three-by-120/three-visits", "three-by-120/two-visits"],
        ),
        (
            "Well-child visit, 4 months",
            "due Oct 15, 2026 to Dec 1, 2026, last day Dec 14, 2026",
            ["4-months"],
        ),
    ]


def test_a_lead_test_of_the_measure_of_medi_cal_and_of_the_chart_is_one_action() -> None:
    lead = ServiceState(
        "lead.12-months",
        "lead",
        "Blood lead test",
        "12 months",
        True,
        date(2025, 12, 2),
        date(2026, 3, 1),
        date(2026, 12, 1),
        SlotStatus.OVERDUE,
        (),
        (LOINC, "77307-7"),
    )
    found = actions([patient("2025-01-01")], date(2026, 4, 1), "lsc", visits=plan(services=[lead]), year=2027)
    action = one(found, "service:lead-test")
    assert (action.text, action.when) == (
        "Blood lead test, 12 months",
        "overdue since Mar 2, 2026, last day Dec 1, 2026",
    )
    assert action.coding == Coding(LOINC, "77307-7", "Blood lead test")
    assert [wish.id for wish in action.wishes] == [
        "lead.12-months",
        "lsc/by-second-birthday",
        "lsc/medi-cal-12-24-months",
    ]
    assert action.wishes[0].text == "Chart 2024-06: 12 months"


def test_fluoride_is_one_action_and_not_wanted_again_the_day_after() -> None:
    def varnish(on: str) -> dict[str, Any]:
        return {
            "resourceType": "Procedure",
            "id": "p1",
            "status": "completed",
            "subject": {"reference": "Patient/child"},
            "code": {"coding": [{"system": CPT, "code": "99188"}]},
            "performedDateTime": on,
        }

    child = [patient("2016-01-01"), varnish("2026-03-01")]
    action = one(actions(child, date(2026, 3, 5), "tfl"), "service:fluoride")
    assert {wish.id for wish in action.wishes} == {"tfl/dental-or-oral-health", "tfl/dental", "tfl/oral-health"}
    alone = replace(action, wishes=())
    assert alone.text.startswith("Fluoride application")


# ---- what the schedule says goes


def test_a_dose_that_is_valid_only_after_the_measures_last_day_is_lost_for_it() -> None:
    # The third dose three days before the second birthday: the fourth is valid six months later.
    doses = [dose("d1", "2024-03-02", "20"), dose("d2", "2024-05-02", "20"), dose("d3", "2025-12-29", "20")]
    found = actions([patient("2024-01-01"), *doses], date(2025, 12, 30), "cis", year=2026)
    assert "immunization:DTaP/Tdap/Td" not in {action.key for action in found}  # half a year away
    lost = one(found, "lost:immunization:DTaP/Tdap/Td")
    assert lost.when == "the next dose is valid from Jun 29, 2026 on, too late for it"
    assert [wish.id for wish in lost.wishes] == [
        "cis/dtap",
        "cis/combination-3",
        "cis/combination-7",
        "cis/combination-10",
    ]
    assert {wish.outlook for wish in lost.wishes} == {Outlook.MISSED}
    assert lost.wishes[0].text == (
        "counts for Childhood immunization status: DTaP, 4 doses, 3 of 4 so far, by Jan 1, 2026: "
        "the next dose is valid from Jun 29, 2026 on, too late for it"
    )
    # what the combinations lack besides is not asked for their sake
    assert not [
        wish for action in found if action.urgency is not Urgency.LOST for wish in action.wishes if "comb" in wish.id
    ]


def test_no_dose_is_given_for_a_measures_sake_where_the_schedule_asks_for_none() -> None:
    # One Hib dose at 15 months completes the schedule; the measure counts three.
    found = actions([patient("2025-01-01"), dose("h", "2026-05-01", "48")], date(2026, 8, 1), "cis", year=2027)
    lost = one(found, "lost:immunization:Hib")
    assert (lost.text, lost.urgency) == ("Childhood immunization status: Hib, 3 doses", Urgency.LOST)
    assert lost.when.startswith("CDC's schedule asks for no further dose")
    assert not [action for action in found if action.key == "immunization:Hib"]


def test_what_is_too_late_is_told_apart() -> None:
    found = actions([patient("2024-01-01")], date(2026, 2, 1), "cis", "lsc")
    lost = [action for action in found if action.urgency is Urgency.LOST]
    assert one(lost, "lost:immunization:Rotavirus").when == "no longer possible by Jan 1, 2026"
    assert one(lost, "lost:service:lead-test").text == (
        "Lead screening in children: Blood lead tests at 12 and at 24 months"
    )
    assert found[-len(lost) :] == tuple(lost)  # behind everything else
    assert "cis/mmr" not in {wish.id for action in found[: -len(lost)] for wish in action.wishes}
    assert "MMR, dose 1" in [action.text for action in found]  # the schedule still wants it


UNKNOWN_SEASON = "CDC's schedule 4.64 ends with an earlier season: check this season's recommendation"


def test_a_season_that_the_schedule_does_not_know_yet_is_to_be_looked_up() -> None:
    # 4.64 knows influenza up to June 2026; its logic says "Not Recommended" behind that, or "Complete".
    for doses in (
        [],
        [dose("f", "2025-10-01", "150")],
        [dose("f", "2025-10-01", "150"), dose("g", "2025-11-05", "150")],
    ):
        found = actions([patient("2020-01-01"), *doses], date(2026, 11, 22))
        action = one(found, "immunization:Influenza")
        assert (action.text, action.urgency, action.when) == ("Influenza, this season", Urgency.DUE, "due now")
        assert action.remarks == (UNKNOWN_SEASON,)
        assert (action.due_from, action.last_day) == (date(2026, 7, 1), None)


def test_such_a_season_begins_a_year_after_the_last_one_and_not_before_six_months_of_age() -> None:
    def influenza(born: str, as_of: date) -> list[tuple[str, date | None]]:
        found = actions([patient(born)], as_of)
        return [(one.urgency.value, one.due_from) for one in found if one.key == "immunization:Influenza"]

    assert influenza("2020-01-01", date(2026, 6, 30)) == [("due", date(2025, 7, 1))]  # the schedule's own season
    assert influenza("2020-01-01", date(2026, 7, 1)) == [("due", date(2026, 7, 1))]
    assert influenza("2026-08-01", date(2026, 11, 22)) == [("later", date(2027, 2, 1))]
    assert influenza("2020-01-01", date(2028, 11, 22)) == [("due", date(2028, 7, 1))]


def test_a_dose_of_such_a_season_answers_it() -> None:
    doses = [dose("a", "2025-10-01", "150"), dose("b", "2025-11-05", "150"), dose("c", "2026-10-01", "150")]
    record = PatientRecord.of([patient("2020-01-01"), *doses])
    as_of = date(2026, 11, 22)
    assert not [one for one in actions(record.resources["Patient"] + tuple(doses), as_of) if "Influenza" in one.key]
    judged = vaccines(schedule(), record, as_of, names=names())
    assert judged is not None
    (history,) = [one for one in judged.histories if one.group == "Influenza"]
    assert history.need is not None
    assert (history.need.status, history.need.reasons) == ("Not Known", (UNKNOWN_SEASON,))
    assert [(one.verdict, one.reasons) for one in history.doses][2:] == [("not judged", (UNKNOWN_SEASON,))]
    assert judged.invalid == ()


def test_rsv_in_a_season_without_data_is_for_infants() -> None:
    def rsv(born: str, as_of: date) -> list[date | None]:
        return [one.last_day for one in actions([patient(born)], as_of) if one.key == "immunization:RSV"]

    assert rsv("2026-09-10", date(2026, 11, 22)) == [date(2027, 5, 9)]  # to the day before eight months
    assert rsv("2026-03-22", date(2026, 11, 21)) == [date(2026, 11, 21)]
    assert rsv("2026-03-22", date(2026, 11, 22)) == []
    assert rsv("2026-05-10", date(2026, 9, 30)) == []  # out of season


def test_a_measure_that_counts_a_dose_of_such_a_season_asks_with_the_schedule() -> None:
    # CIS: two doses by the second birthday.
    found = actions([patient("2025-01-01"), dose("f", "2025-10-01", "140")], date(2026, 11, 22), "cis", year=2027)
    action = one(found, "immunization:Influenza")
    assert (action.text, action.last_day) == ("Influenza, this season", date(2027, 1, 1))
    assert [wish.id for wish in action.wishes][:2] == ["Influenza", "cis/influenza"]
    again = actions([patient("2025-07-01"), dose("g", "2026-10-01", "140")], date(2026, 11, 22), "cis", year=2027)
    alone = one(again, "immunization:Influenza")
    assert (alone.text, alone.remarks) == ("Second influenza dose of 2", (UNKNOWN_SEASON,))


def test_an_adolescents_tdap_has_no_number_and_what_may_be_confidential_says_so() -> None:
    found = actions([patient("2014-06-01")], date(2026, 11, 22))
    assert one(found, "immunization:DTaP/Tdap/Td").text == "Tdap"
    hiv = ServiceState(
        "hiv.15",
        "hiv",
        "HIV test",
        "15 to 21 years",
        True,
        date(2026, 6, 1),
        date(2033, 5, 31),
        date(2033, 5, 31),
        SlotStatus.DUE,
        (),
        None,
    )
    action = one(actions([patient("2011-06-01")], date(2026, 11, 22), visits=plan(services=[hiv])), "service:hiv")
    assert (action.confidential, action.remarks) == (True, ("confidential: speak of it with the patient alone",))


def test_a_dose_wanted_tomorrow_that_is_valid_today_says_so() -> None:
    found = actions([patient("2026-09-23")], date(2026, 11, 22))
    assert one(found, "immunization:Rotavirus").when == "due from Nov 23, 2026, possible today, last day Jan 5, 2027"


def test_an_overdue_visit_does_not_wait_until_a_measure_counts_it() -> None:
    # A visit five days ago: W30 counts the next one nine days from now; the chart's visit is overdue.
    overdue = slot("9-months", date(2026, 9, 1), date(2026, 12, 1), date(2026, 12, 31), SlotStatus.OVERDUE)
    found = actions(
        [patient("2026-01-01"), visit("v1", "2026-12-10")],
        date(2026, 12, 15),
        "w30",
        visits=plan([overdue]),
        year=2027,
    )
    action = one(found, "visit:9-months")
    assert (action.urgency, action.due_from) == (Urgency.OVERDUE, date(2026, 9, 1))
    assert {wish.id: wish.due_from for wish in action.wishes} == {
        "9-months": date(2026, 9, 1),
        "w30/first-15-months": date(2026, 12, 24),
    }


# ---- remarks on doses


def test_a_measure_that_an_invalid_dose_meets_says_that_it_is_to_be_repeated() -> None:
    doses = [dose("one", "2024-08-01", "10"), dose("two", "2024-08-08", "10"), dose("three", "2024-12-01", "10")]
    action = one(actions([patient("2024-06-01"), *doses], date(2026, 6, 2), "cis"), "immunization:Polio")
    assert action.text == "IPV, dose 3"
    assert (
        "dose of Aug 8, 2024 is not valid (too soon after the dose before) though “IPV, 3 doses” counts it: repeat"
        in action.remarks
    )


def test_a_combination_vaccine_that_gives_several_of_todays_doses_is_named() -> None:
    found = actions([patient("2026-08-01")], date(2026, 10, 5))
    for key in ("immunization:DTaP/Tdap/Td", "immunization:Polio", "immunization:HepB"):
        assert "Pediarix would give DTaP, Hepatitis B and IPV at once" in one(found, key).remarks


def test_what_is_measured_at_every_visit_goes_with_the_visit() -> None:
    due = slot("4-months", date(2026, 10, 1), date(2026, 12, 1), date(2026, 12, 14), SlotStatus.DUE)
    weight = ServiceState(
        "growth.4-months", "growth", "Weight and length", "4 months", True, due.opens, due.closes, due.closes,
        SlotStatus.DUE, (), None, with_visit=True,
    )  # fmt: skip
    found = actions([patient("2026-06-01")], date(2026, 10, 5), visits=plan([due], [weight]))
    assert one(found, "visit:4-months").remarks == ("to measure: Weight and length",)
    assert not [action for action in found if action.kind is ActionKind.SERVICE]


# ---- the list


def test_todays_come_first_by_last_day_then_by_the_day_they_are_wanted() -> None:
    found = actions([patient("2025-01-01")], date(2026, 8, 1), "cis", "lsc", "dev", year=2027)
    buckets = [{"overdue": 0, "due": 0, "later": 1, "lost": 2}[action.urgency] for action in found]
    assert buckets == sorted(buckets)
    today = [action for action in found if action.urgency in (Urgency.OVERDUE, Urgency.DUE)]
    order = [(action.last_day or date.max, action.due_by or date.max) for action in today]
    assert order == sorted(order)


def test_what_only_a_schedule_wants_in_a_year_is_not_told_yet() -> None:
    ages = {action.key for action in actions([patient("2026-08-01")], date(2026, 8, 10))}
    assert "immunization:MMR" not in ages
    assert "immunization:HepB" in ages


# ---- the child as a whole


def view(resources: Iterable[dict[str, Any]], as_of: date, *measures: str) -> ChildView:
    reader = ChildReader.of({one: evaluator(one) for one in measures}, schedule())
    return reader.on(as_of).view(PatientRecord.of(resources))


def test_a_view_holds_results_doses_and_actions_and_says_when_it_changes() -> None:
    found = view([patient("2026-08-01"), visit("v1", "2026-08-05")], date(2026, 9, 1), "three-by-120")
    assert [result.measure_id for result in found.results] == ["three-by-120"]
    assert isinstance(found.vaccines, Vaccines)
    assert found.visits is None
    assert found.failed == ()
    assert "visit:three-by-120/three-visits" in {action.key for action in found.actions}
    assert found.changes_on is not None and found.changes_on > date(2026, 9, 1)


def test_the_period_is_the_year_of_the_day() -> None:
    found = view([patient("2026-08-01")], date(2026, 9, 1), "three-by-120")
    assert (found.results[0].period_start, found.results[0].period_end) == (date(2026, 1, 1), date(2026, 12, 31))


def test_a_measure_that_fails_does_not_spoil_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []
    reader = ChildReader.of({one: evaluator(one) for one in ("three-by-120", "dev")}, schedule()).on(date(2026, 9, 1))
    (first, second) = reader.measures
    broken = replace(first, session=lambda _: (_ for _ in ()).throw(ValueError("Maria Canary")))
    found = replace(reader, measures=(broken, second)).view(
        PatientRecord.of([patient("2026-08-01")]), on_failure=lambda name, error: told.append((name, repr(error)))
    )
    assert found.failed == ("three-by-120",)
    assert [result.measure_id for result in found.results] == ["dev"]
    assert [name for name, _ in told] == ["three-by-120"]
    assert found.actions


@pytest.mark.parametrize("died", [{"deceasedBoolean": True}, {"deceasedDateTime": "2026-08"}])
def test_nothing_is_asked_for_a_child_who_has_died(died: dict[str, Any]) -> None:
    found = view([{**patient("2026-01-01"), **died}], date(2026, 9, 1), "w30")
    assert found.actions == ()


def test_a_child_who_dies_later_was_asked_for_before() -> None:
    assert view([{**patient("2026-01-01"), "deceasedDateTime": "2026-10-01"}], date(2026, 9, 1), "w30").actions


def test_without_a_whole_birth_date_the_measures_alone_speak() -> None:
    found = view([patient("2026")], date(2026, 9, 1), "three-by-120", "tfl")
    assert (found.vaccines, found.visits) == (None, None)


# ---- what the record says was not given


def not_done(name: str, on: str, cvx: str, reason: str = "") -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
    why = {"statusReason": {"coding": [{"system": system, "code": reason}]}} if reason else {}
    return {**dose(name, on, cvx), "status": "not-done", **why}


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("PATOBJ", "refused on Nov 1, 2026: ask again"),
        ("MEDPREC", "not given on Nov 1, 2026 for a medical reason: look at it before this is given"),
        ("IMMUNE", "not given on Nov 1, 2026, as immune: look at it before this is given"),
        ("OSTOCK", "not given on Nov 1, 2026: out of stock"),
        ("", "not given on Nov 1, 2026"),
    ],
)
def test_a_dose_that_was_not_given_says_why(reason: str, said: str) -> None:
    found = actions([patient("2025-10-20"), not_done("n", "2026-11-01", "03", reason)], date(2026, 11, 22))
    assert one(found, "immunization:MMR").remarks == (said,)
    assert said not in one(found, "immunization:Varicella").remarks


def test_the_latest_is_told_and_none_that_a_dose_has_answered() -> None:
    refused = [not_done("a", "2026-10-21", "03", "PATOBJ"), not_done("b", "2026-11-10", "03", "MEDPREC")]
    found = actions([patient("2025-10-20"), *refused], date(2026, 11, 22))
    assert one(found, "immunization:MMR").remarks == (
        "not given on Nov 10, 2026 for a medical reason: look at it before this is given",
    )
    doses = [not_done("a", "2025-12-20", "20", "PATOBJ"), dose("d", "2026-01-20", "20")]
    later = one(actions([patient("2025-10-20"), *doses], date(2026, 11, 22)), "immunization:DTaP/Tdap/Td")
    assert not [remark for remark in later.remarks if "refused" in remark]
