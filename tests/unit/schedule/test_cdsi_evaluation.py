"""Evaluation (chapter 6), rule by rule on small schedules: above all what CDC's published cases never touch."""

from datetime import date

import pytest
from cdsi_xml import (
    age,
    allowable,
    allowable_interval,
    antigen_file,
    condition,
    dose,
    interval,
    preferable,
    schedule_file,
    series,
    skip,
    small_schedule,
)

from gapsvc.schedule.immunizations import Case, GivenDose, Observation, Schedule, assess, read_schedule
from gapsvc.schedule.immunizations.compiling import compile_schedule
from gapsvc.schedule.immunizations.verdicts import Verdict

BORN = date(2020, 1, 1)
TODAY = date(2026, 1, 1)


def verdicts(schedule: Schedule, *doses: GivenDose, observations: tuple[Observation, ...] = ()) -> list[Verdict]:
    """What the first series makes of the doses."""
    outcome = assess(schedule, Case("case", BORN, TODAY, doses=doses, observations=observations))
    return outcome.evaluated["HepB"][0].progress.verdicts


def words(schedule: Schedule, *doses: GivenDose, observations: tuple[Observation, ...] = ()) -> list[str]:
    """The same, as `status: reasons; notes`."""
    return [
        ": ".join(filter(None, (one.status, "; ".join(reason.text for reason in (*one.reasons, *one.notes)))))
        for one in verdicts(schedule, *doses, observations=observations)
    ]


def given(day: str, cvx: str = "08", **more: object) -> GivenDose:
    return GivenDose(date.fromisoformat(day), cvx, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2020-02-07", "Not Valid: Age: Too Young"),
        ("2020-02-08", "Valid: Age: Grace Period"),  # six weeks less four days
        ("2020-02-11", "Valid: Age: Grace Period"),
        ("2020-02-12", "Valid"),
        ("2020-12-31", "Valid"),
        ("2021-01-01", "Extraneous: Age: Too Old"),
    ],
)
def test_age_table_6_15(day: str, expected: str) -> None:
    """Absolute minimum, minimum and maximum: each range holds its first day and not its last."""
    schedule = small_schedule(series(dose(1, age("6 weeks - 4 days", "6 weeks", maximum="1 year"))))
    assert words(schedule, given(day)) == [expected]


def test_an_age_row_counts_only_while_it_is_in_force() -> None:
    """RELEVANT-1: the day of administration chooses among effective-dated rows, both ends inclusive."""
    rows = age("2 months", until="20200630") + age("6 months", since="20200701")
    schedule = small_schedule(series(dose(1, *rows.replace("</age><age>", "</age>\n<age>").split("\n"))))
    assert words(schedule, given("2020-06-30")) == ["Valid"]
    assert words(schedule, given("2020-07-01")) == ["Valid"]  # 1 July 2020 is the very day of six months
    assert words(schedule, given("2020-02-28")) == ["Not Valid: Age: Too Young"]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("2020-03-24", "Not Valid: Interval: Too Soon"),
        ("2020-03-25", "Valid: Interval: Grace Period"),  # four weeks less four days after 1 March
        ("2020-03-29", "Valid"),
    ],
)
def test_interval_from_the_previous_dose_table_6_18(second: str, expected: str) -> None:
    schedule = small_schedule(series(dose(1), dose(2, interval("4 weeks - 4 days", "4 weeks"))))
    assert words(schedule, given("2020-03-01"), given(second)) == ["Valid", expected]


def test_an_invalid_dose_is_where_the_next_interval_starts() -> None:
    """CALCDTINT-1: valid or not valid; a sub-standard or inadvertent dose is passed over."""
    schedule = small_schedule(
        series(dose(1, age("3 months")), dose(2, interval("4 weeks")), dose(3, interval("4 weeks"), inadvertent="43"))
    )
    too_early = given("2020-04-10")
    assert words(schedule, given("2020-04-01"), too_early, given("2020-05-01"), given("2020-05-08")) == [
        "Valid",
        "Not Valid: Interval: Too Soon",
        "Not Valid: Interval: Too Soon",  # 21 days after the invalid dose, 30 after the valid one
        "Not Valid: Interval: Too Soon",
    ]
    assert words(schedule, given("2020-04-01"), given("2020-04-20", condition=True), given("2020-04-29")) == [
        "Valid",
        "Sub-standard: Dose condition",
        "Valid",  # 28 days after the valid dose, 9 after the sub-standard one
    ]
    assert words(
        schedule, given("2020-04-01"), given("2020-04-29"), given("2020-05-20", "43"), given("2020-05-27")
    ) == ["Valid", "Valid", "Not Valid: Inadvertent Vaccine", "Valid"]


def test_all_preferable_intervals_must_hold_and_an_allowable_one_can_save_the_dose() -> None:
    """Tables 6-18 and 6-21: from the previous dose and from target dose 1; the allowable row only when they fail."""
    third = dose(3, interval("4 weeks") + interval("16 weeks", target="1"))
    strict = small_schedule(series(dose(1), dose(2), third))
    doses = given("2020-01-01"), given("2020-02-01"), given("2020-04-01")
    assert words(strict, *doses) == ["Valid", "Valid", "Not Valid: Interval: Too Soon"]

    third = dose(3, interval("4 weeks") + interval("16 weeks", target="1"), allowable_interval("8 weeks"))
    lenient = small_schedule(series(dose(1), dose(2), third))
    assert words(lenient, *doses) == ["Valid", "Valid", "Valid: Interval: Allowable"]
    assert words(lenient, given("2020-01-01"), given("2020-02-01"), given("2020-03-01"))[2] == (
        "Not Valid: Interval: Too Soon"
    )


def test_an_interval_from_the_most_recent_of_some_vaccines_looks_at_every_antigen() -> None:
    """CALCDTINT-8 says 'vaccine dose administered', not 'antigen administered': a dose of another antigen counts."""
    files = {
        "AntigenSupportingData- HepB-508.xml": antigen_file(series(dose(1, interval("8 weeks", recent="85; 84")))),
        "AntigenSupportingData- HepA-508.xml": antigen_file(
            series(dose(1, vaccines=preferable("85")), disease="HepA", vaccine_group="HepA")
        ),
        "ScheduleSupportingData.xml": schedule_file(
            groups={"HepA": ("HepA",), "HepB": ("HepB",)}, cvx={"08": ("HepB",), "84": ("HepA",), "85": ("HepA",)}
        ),
    }
    schedule = compile_schedule(read_schedule(files, version="1.0", source="a test"))
    assert words(schedule, given("2020-03-01", "85"), given("2020-04-25")) == ["Not Valid: Interval: Too Soon"]
    assert words(schedule, given("2020-03-01", "85"), given("2020-04-26")) == ["Valid"]


def test_an_interval_from_an_observation_and_without_its_date() -> None:
    """CALCDTINT-9: the latest day of the observation; without one the interval asks nothing."""
    schedule = small_schedule(series(dose(1, interval("27 weeks", observation="100"))))
    seen = (Observation("100", date(2019, 1, 1)), Observation("100", date(2020, 6, 1)))
    assert words(schedule, given("2020-08-01"), observations=seen) == ["Not Valid: Interval: Too Soon"]
    assert words(schedule, given("2020-12-07"), observations=seen) == ["Valid"]
    assert words(schedule, given("2020-08-01"), observations=(Observation("100"),)) == ["Valid"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("2020-03-01", "2020-03-01", "Valid"),  # the conflict begins a day later: the same day is fine
        ("2020-03-01", "2020-03-02", "Not Valid: Live Virus Conflict"),
        ("2020-03-01", "2020-03-24", "Not Valid: Live Virus Conflict"),
        ("2020-03-01", "2020-03-25", "Valid"),  # after a valid dose: 24 days
        ("2020-01-20", "2020-02-16", "Not Valid: Live Virus Conflict"),  # after an invalid one: the full 28
        ("2020-01-20", "2020-02-17", "Valid"),
    ],
)
def test_conflict_ends_earlier_after_a_valid_dose_table_6_24(first: str, second: str, expected: str) -> None:
    """CALCDTCONFLICT-2: the minimum end after a valid dose, the full end after one that isn't."""
    schedule = small_schedule(
        series(dose(1, age("1 month")), dose(2, age("1 month"), vaccines=preferable("43"))),
        conflicts=(("08", "43", "1 day", "24 days", "28 days"),),
    )
    lenient = small_schedule(
        series(dose(1, age("1 month"), vaccines=preferable("08") + "\n" + preferable("43"))),
        conflicts=(("08", "43", "1 day", "24 days", "28 days"),),
    )
    early = date.fromisoformat(first) < date(2020, 2, 1)
    found = words(lenient if early else schedule, given(first), given(second, "43"))
    assert found == ["Not Valid: Age: Too Young" if early else "Valid", expected]


def test_conflict_after_a_dose_without_a_status_here_ends_at_the_minimum() -> None:
    """A previous vaccine of no antigen (BCG) has no evaluation status: the minimum end counts."""
    schedule = small_schedule(series(dose(1)), conflicts=(("19", "08", "1 day", "24 days", "30 days"),))
    assert words(schedule, given("2020-03-01", "19"), given("2020-03-24")) == ["Not Valid: Live Virus Conflict"]
    assert words(schedule, given("2020-03-01", "19"), given("2020-03-25")) == ["Valid"]


def test_preferable_and_allowable_vaccines_tables_6_26_and_6_29() -> None:
    """CVX, age window, maker; a maker that isn't known doesn't count against the dose; volume is only a note."""
    vaccines = preferable("08", "1 month", "1 year", mvx="SKB", volume="0.5") + "\n" + allowable("43", "6 months")
    schedule = small_schedule(series(dose(1, vaccines=vaccines)))
    wrong = "Not Valid: Not a preferable or allowable vaccine"
    assert words(schedule, given("2020-03-01", mvx="skb")) == ["Valid"]
    assert words(schedule, given("2020-03-01")) == ["Valid"]
    assert words(schedule, given("2020-03-01", mvx="MSD")) == [wrong]
    assert words(schedule, given("2020-01-31")) == [wrong]
    assert words(schedule, given("2021-01-01")) == [wrong]
    assert words(schedule, given("2020-06-30", "43")) == [wrong]
    assert words(schedule, given("2020-07-01", "43")) == ["Valid"]
    assert words(schedule, given("2020-07-01", "110")) == [wrong]
    assert words(schedule, given("2020-03-01", volume=0.25)) == [
        "Valid: Volume administered is less than recommended volume"
    ]


def test_every_failing_reason_is_told_in_the_order_of_the_steps() -> None:
    schedule = small_schedule(
        series(dose(1), dose(2, age("1 year"), interval("8 weeks"))),
        conflicts=(("08", "110", "1 day", "28 days", "28 days"),),
    )
    second = verdicts(schedule, given("2020-03-01"), given("2020-03-10", "110"))[1]
    assert [reason.text for reason in second.reasons] == [
        "Age: Too Young",
        "Interval: Too Soon",
        "Live Virus Conflict",
        "Not a preferable or allowable vaccine",
    ]
    assert (second.status, second.target, second.rule) == ("Not Valid", 2, "Table 6-15")


def test_too_old_is_extraneous_whatever_else_is_wrong() -> None:
    schedule = small_schedule(series(dose(1, age(maximum="8 months"))))
    assert words(schedule, given("2021-03-01", "110")) == [
        "Extraneous: Age: Too Old; Not a preferable or allowable vaccine"
    ]


@pytest.mark.parametrize(
    ("expires", "expected"),
    [
        ("2020-03-14", "Sub-standard: Expired lot"),
        ("2020-03-15", "Valid"),  # the day of expiry itself is fine
        ("2020-02", "Sub-standard: Expired lot"),
        ("2020-03", "Valid"),  # only the month is known: its last day
        ("not a date", "Valid"),
    ],
)
def test_an_expired_lot_table_6_3(expires: str, expected: str) -> None:
    schedule = small_schedule(series(dose(1), dose(2)))
    assert words(schedule, given("2020-03-15", lot_expires=expires)) == [expected]


def test_what_follows_a_complete_series_is_extraneous_even_if_it_is_substandard() -> None:
    schedule = small_schedule(series(dose(1)))
    assert words(schedule, given("2020-03-01"), given("2020-04-01"), given("2020-05-01", condition=True)) == [
        "Valid",
        "Extraneous: Series Already Complete",
        "Extraneous: Series Already Complete",
    ]


def test_a_skipped_target_gives_the_same_dose_to_the_next_one() -> None:
    """6.2: the record is held against the next target dose, not lost."""
    late = skip((condition("Age", beginAge="7 months"),), context="Evaluation")
    schedule = small_schedule(series(dose(1, late), dose(2, late), dose(3)))
    assert [(one.status, one.target) for one in verdicts(schedule, given("2020-07-31"))] == [("Valid", 1)]
    assert [(one.status, one.target) for one in verdicts(schedule, given("2020-08-01"))] == [("Valid", 3)]


def test_a_recurring_dose_comes_back() -> None:
    schedule = small_schedule(series(dose(1), dose(2, interval("1 year"), recurring=True)))
    assert [
        (one.status, one.target)
        for one in verdicts(
            schedule, given("2020-03-01"), given("2021-03-01"), given("2022-03-01"), given("2022-09-01")
        )
    ] == [("Valid", 1), ("Valid", 2), ("Valid", 2), ("Not Valid", 2)]


@pytest.mark.parametrize(
    ("logic", "count", "dose_type", "expected"),
    [
        ("greater than", "1", "Total", 3),  # two doses of the kinds in the window, one of them not valid
        ("greater than", "1", "Valid", 2),
        ("equal to", "1", "Valid", 3),
        ("Less Than", "2", "valid", 3),
        ("less than", "1", "Valid", 2),
    ],
)
def test_counts_of_vaccines_table_6_9(logic: str, count: str, dose_type: str, expected: int) -> None:
    """Total counts doses of any status, Valid only valid ones; other vaccines and ages don't count."""
    counted = condition(
        "Vaccine Count By Age",
        beginAge="2 months",
        endAge="6 months",
        doseCount=count,
        doseType=dose_type,
        doseCountLogic=logic,
        vaccineTypes="08;43",
    )
    schedule = small_schedule(series(dose(1, age("2 months")), dose(2, interval("8 weeks"), skip((counted,))), dose(3)))
    doses = given("2020-02-01"), given("2020-03-01"), given("2020-03-10", "43"), given("2020-08-01")
    assert verdicts(schedule, *doses)[3].target == expected


def test_skips_need_all_conditions_of_a_set_or_any_set() -> None:
    """Tables 6-10 and 6-11, and an interval condition (Table 6-8), which needs a dose before."""
    both = (condition("Age", beginAge="1 year"), condition("Interval", interval="6 months"))
    of_both = small_schedule(series(dose(1, skip(both)), dose(2, skip(both)), dose(3)))
    assert [one.target for one in verdicts(of_both, given("2021-02-01"))] == [1]  # no dose before: no interval
    assert [one.target for one in verdicts(of_both, given("2020-02-01"), given("2020-09-01"))] == [1, 2]
    assert [one.target for one in verdicts(of_both, given("2020-08-01"), given("2021-02-01"))] == [1, 3]

    either = small_schedule(series(dose(1), dose(2, skip((both[0],), (both[1],))), dose(3)))
    assert [one.target for one in verdicts(either, given("2020-02-01"), given("2020-09-01"))] == [1, 3]
    every = small_schedule(series(dose(1), dose(2, skip((both[0],), (both[1],), sets_logic="AND")), dose(3)))
    assert [one.target for one in verdicts(every, given("2020-02-01"), given("2020-09-01"))] == [1, 2]


def test_several_skips_of_one_dose_are_alternatives() -> None:
    young, old = (
        skip((condition("Age", beginAge=begin, endAge=end),)) for begin, end in (("0 days", "2 months"), ("1 year", ""))
    )
    schedule = small_schedule(series(dose(1, young + old), dose(2)))
    assert [verdicts(schedule, given(day))[0].target for day in ("2020-02-01", "2020-06-01", "2021-06-01")] == [2, 1, 2]
