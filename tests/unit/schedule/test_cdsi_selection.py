"""Which series wins (tables 8-2 to 8-14), on small schedules."""

from datetime import date

import pytest
from cdsi_xml import age, condition, dose, interval, preferable, series, skip, small_schedule

from gapsvc.schedule.immunizations import Case, GivenDose, Observation, Schedule, assess

BORN = date(2020, 1, 1)
BOTH = preferable("08") + "\n" + preferable("43")


def best(schedule: Schedule, assessed: str, *doses: tuple[str, str], observations: tuple[str, ...] = ()) -> list[str]:
    """The names of the best series."""
    case = Case(
        "case",
        BORN,
        date.fromisoformat(assessed),
        doses=tuple(GivenDose(date.fromisoformat(day), cvx) for day, cvx in doses),
        observations=tuple(Observation(code) for code in observations),
    )
    return [one.series.name for one in assess(schedule, case).selected["HepB"].best]


def test_a_standard_series_must_be_started_in_time() -> None:
    """SELECTSCORE-2: the first valid dose lies before the maximum age to start."""
    schedule = small_schedule(
        series(dose(1), dose(2), name="early", default=True, last="12 months"),
        series(dose(1), dose(2), name="late", preference="2"),
    )
    assert best(schedule, "2022-01-01") == ["early"]  # nothing is scorable: the default
    assert best(schedule, "2022-01-01", ("2020-12-31", "08")) == ["early"]
    assert best(schedule, "2022-01-01", ("2021-01-01", "08")) == ["late"]


def test_without_a_default_unstarted_series_are_scored() -> None:
    """Table 8-11: starts earliest +1, completable +1, a product path -1; then the preference."""
    early, late = dose(1, age(minimum="2 months")), dose(1, age(minimum="4 months"))
    schedule = small_schedule(series(late, name="late"), series(early, name="early", preference="2"))
    assert best(schedule, "2020-03-01") == ["early"]
    product = small_schedule(series(early, name="product", product=True), series(late, name="generic", preference="2"))
    assert best(product, "2020-03-01") == ["product"]  # +1 +1 -1 against -1 +1 +1: a tie, preference 1
    tied = small_schedule(series(early, name="b", preference="2"), series(early, name="a", preference="1"))
    assert best(tied, "2020-03-01") == ["a"]
    unranked = small_schedule(series(early, name="b", preference=""), series(early, name="a", preference=""))
    assert best(unranked, "2020-03-01") == ["b"]  # the order of the file


def test_the_only_complete_or_the_only_started_series_wins() -> None:
    """Table 8-3."""
    schedule = small_schedule(
        series(dose(1), dose(2), name="two", default=True),
        series(dose(1, vaccines=preferable("43")), name="one", preference="2"),
        series(dose(1, vaccines=BOTH), dose(2), dose(3), name="three", preference="3"),
    )
    assert best(schedule, "2022-01-01", ("2021-01-01", "43")) == ["one"]
    assert best(schedule, "2022-01-01", ("2021-01-01", "08"), ("2021-03-01", "08")) == ["two"]


def test_of_complete_series_the_one_with_most_valid_doses_wins() -> None:
    """Table 8-7."""
    schedule = small_schedule(
        series(dose(1), name="short", default=True), series(dose(1), dose(2), name="long", preference="2")
    )
    assert best(schedule, "2022-01-01", ("2021-01-01", "08"), ("2021-03-01", "08")) == ["long"]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("2021-03-01", ["product"]),  # all its doses are valid: +2 against -2, and fewer doses to come
        ("2021-01-20", ["generic"]),  # one of them is too soon for it
    ],
)
def test_of_started_series_a_clean_product_path_wins(second: str, expected: list[str]) -> None:
    """Table 8-9."""
    schedule = small_schedule(
        series(dose(1), dose(2, interval("4 weeks")), dose(3), name="product", product=True, preference="2"),
        series(dose(1), dose(2), dose(3), dose(4), name="generic"),
    )
    assert best(schedule, "2022-01-01", ("2021-01-01", "08"), (second, "08")) == expected


def test_a_series_that_cannot_be_finished_in_time_loses() -> None:
    """SELECTB-3: completable, +3 against -3."""
    schedule = small_schedule(
        series(dose(1), dose(2, age(maximum="18 months"), interval(minimum="4 weeks")),
               dose(3, age(maximum="18 months"), interval(minimum="9 months")), name="long"),
        series(dose(1), dose(2, interval(minimum="8 weeks")), dose(3), dose(4), name="open", preference="2"),
    )  # fmt: skip
    assert best(schedule, "2021-01-15", ("2021-01-01", "08")) == ["open"]


def test_only_the_highest_priority_of_risk_series_is_scored() -> None:
    """SELECTSCORE-2: priority A before B; without A's indication, B."""
    schedule = small_schedule(
        series(dose(1), name="a", kind="Risk", group="2", indications=("100",)),
        series(dose(1), name="b", kind="Risk", group="2", priority="B", indications=("100", "101")),
    )
    assert best(schedule, "2022-01-01", observations=("100", "101")) == ["a"]
    assert best(schedule, "2022-01-01", observations=("101",)) == ["b"]


def test_a_risk_series_takes_the_place_of_an_equivalent_standard_one_unless_that_is_complete() -> None:
    """Table 8-14. Groups that aren't equivalent both stay."""
    risk = series(dose(1), dose(2), dose(3), name="risk", kind="Risk", group="2", equivalent="1", indications=("100",))
    equivalent = small_schedule(series(dose(1), dose(2), name="standard", default=True, equivalent="2"), risk)
    assert best(equivalent, "2022-01-01") == ["standard"]
    assert best(equivalent, "2022-01-01", observations=("100",)) == ["risk"]
    complete = ("2021-01-01", "08"), ("2021-06-01", "08")
    assert best(equivalent, "2022-01-01", *complete, observations=("100",)) == ["standard"]

    apart = small_schedule(
        series(dose(1), dose(2), name="standard", default=True),
        risk.replace("<equivalentSeriesGroups>1", "<equivalentSeriesGroups>"),
    )
    assert best(apart, "2022-01-01", observations=("100",)) == ["standard", "risk"]


def test_an_evaluation_only_series_counts_when_it_is_complete_and_never_before() -> None:
    schedule = small_schedule(
        series(dose(1), dose(2), dose(3), name="standard", default=True),
        series(dose(1), dose(2), name="foreign", kind="Evaluation Only", preference="2"),
    )
    assert best(schedule, "2022-01-01", ("2021-01-01", "08")) == ["standard"]
    assert best(schedule, "2022-01-01", ("2021-01-01", "08"), ("2021-06-01", "08")) == ["foreign"]


def test_a_completed_series_lets_another_groups_dose_be_skipped() -> None:
    """Table 6-7: series that ask about a group wait until it is forecast, wherever the file has them."""
    booster = series(
        dose(1, skip((condition("Completed Series", seriesGroups="1"),))),
        dose(2, age("5 years")),
        name="risk",
        kind="Risk",
        group="2",
        indications=("100",),
    )
    schedule = small_schedule(booster, series(dose(1), name="standard", default=True))
    case = Case(
        "c", BORN, date(2022, 1, 1), doses=(GivenDose(date(2021, 1, 1), "08"),), observations=(Observation("100"),)
    )
    evaluated = {one.series.name: one for one in assess(schedule, case).evaluated["HepB"]}
    assert [target.status for target in evaluated["risk"].progress.targets] == ["Skipped", "Not Satisfied"]
    assert evaluated["risk"].progress.verdicts[0].target == 2
