"""Goals and benchmarks: ours, and those of a file of one's own, which is checked whole."""

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from gapsvc.equity.configuration import (
    BENCHMARKS,
    GOALS,
    Benchmark,
    EquityError,
    EquityGoal,
    in_force,
    read_benchmarks,
    read_goals,
)
from gapsvc.evaluation.disparity import Goal
from gapsvc.evaluation.stratification import dimensions
from gapsvc.measures import catalog

RATES = {one.id: [group.id for group in one.groups] for one in catalog().values()}


def written(folder: Path, text: str) -> Path:
    file = folder / "own.toml"
    file.write_text(text, encoding="utf-8")
    return file


# ---- ours


def test_every_benchmark_of_ours_is_of_a_rate_and_says_its_source_and_certainty() -> None:
    found = read_benchmarks(BENCHMARKS, RATES)
    assert {(one.measure, one.rate) for one in found} == {
        ("w30", "first-15-months"),
        ("w30", "15-30-months"),
        ("wcv", "total"),
        ("cis", "combination-10"),
        ("ima", "combination-2"),
        ("lsc", "by-second-birthday"),
        ("dev", "combined"),
        ("tfl", "dental-or-oral-health"),
    }
    for one in found:
        assert (one.reporting_year, one.certainty) == (one.measurement_year + 1, "from memory, check")
        assert one.source == f"DHCS MCAS, reporting year {one.reporting_year}"
    levels = {(one.name, one.measure, one.rate, one.measurement_year): one.level for one in found}
    for (name, *rate, year), level in levels.items():
        if name == "HPL":
            assert level > levels["MPL", *rate, year]


def test_the_values_of_the_design_page_are_there() -> None:
    found = {
        (one.measure, one.rate, one.measurement_year): one.level
        for one in read_benchmarks(BENCHMARKS, RATES)
        if one.name == "MPL"
    }
    assert found["w30", "first-15-months", 2023] == Fraction("0.5838")
    assert found["w30", "first-15-months", 2024] == Fraction("0.6038")
    assert found["cis", "combination-10", 2024] == Fraction("0.2749")
    assert found["tfl", "dental-or-oral-health", 2024] == Fraction("0.19")


def test_our_goals_halve_gaps_by_the_end_of_2025_and_are_of_dimensions_that_there_are() -> None:
    found = read_goals(GOALS, RATES)
    assert [(one.goal.id, one.goal.reduction, one.goal.due) for one in found] == [
        ("3-by-120", Fraction(1, 2), date(2025, 12, 31)),
        ("bold-goals-50x2025", Fraction(1, 2), date(2025, 12, 31)),
    ]
    assert {one.dimension for one in found} <= dimensions().keys()
    assert found[0].categories == {"2054-5"}
    assert all(one.source and one.certainty for one in found)


def test_the_benchmark_of_the_year_counts_else_the_latest_before_it() -> None:
    found = read_benchmarks(BENCHMARKS, RATES)

    def named(year: int) -> list[tuple[str, int]]:
        return [(one.name, one.measurement_year) for one in in_force(found, "w30", "first-15-months", year)]

    assert named(2022) == []
    assert named(2023) == [("MPL", 2023), ("HPL", 2023)]
    assert named(2026) == [("MPL", 2024), ("HPL", 2023)]


# ---- a file of one's own

GOAL = """
[[goal]]
id = "ours"
title = "A third less by 2028"
measures = ["w30"]
rates = ["15-30-months"]
dimension = "race"
categories = ["2054-5"]
reduction_percent = 33.3
due = 2028-06-30
reference = "white"
baseline_start = 2024-01-01
baseline_end = 2024-12-31
source = "board"
certainty = "certain"
"""
BENCHMARK = """
[[benchmark]]
name = "MPL"
measure = "w30"
rate = "15-30-months"
measurement_year = 2026
reporting_year = 2027
percent = 70.07
source = "DHCS"
certainty = "checked"
"""


def test_a_goal_of_ones_own(tmp_path: Path) -> None:
    assert read_goals(written(tmp_path, GOAL), RATES) == (
        EquityGoal(
            Goal("ours", "A third less by 2028", Fraction(333, 1000), date(2028, 6, 30)),
            ("w30",),
            ("15-30-months",),
            "race",
            frozenset({"2054-5"}),
            "white",
            (date(2024, 1, 1), date(2024, 12, 31)),
            "board",
            "certain",
        ),
    )


def test_a_benchmark_is_what_is_written_not_the_float_next_to_it(tmp_path: Path) -> None:
    assert read_benchmarks(written(tmp_path, BENCHMARK), RATES) == (
        Benchmark("MPL", "w30", "15-30-months", 2026, 2027, Fraction(7007, 10000), "DHCS", "checked"),
    )


def test_a_goal_is_about_its_measures_rates_and_dimension(tmp_path: Path) -> None:
    one = read_goals(written(tmp_path, GOAL), RATES)[0]
    assert one.is_about("w30", "15-30-months", "race")
    assert not one.is_about("w30", "first-15-months", "race")
    assert not one.is_about("wcv", "15-30-months", "race")
    assert not one.is_about("w30", "15-30-months", "ethnicity")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"w30"', '"w31"'), "there is no measure 'w31'; did you mean 'w30'?"),
        (('"15-30-months"', '"15-30-month"'), "w30 has no rate '15-30-month'; did you mean '15-30-months'?"),
        (("33.3", "0"), "reduction_percent is 0; expected more than 0, and 100 at most"),
        (("33.3", "nan"), "reduction_percent: expected a number"),
        (("33.3", "true"), "reduction_percent: expected a number"),
        (("2028-06-30", '"2028-06-30"'), "due: expected a day"),
        (("2028-06-30", "2028-06-30T00:00:00"), "due: expected a day"),
        (("2028-06-30", "2024-06-30"), "expected baseline_start, baseline_end and due in this order"),
        (("baseline_end = 2024-12-31", ""), "baseline_start and baseline_end go together"),
        (('source = "board"', ""), "source is missing"),
        (('"board"', '" "'), "source: expected text"),
        (("certainty", "certanty"), "unknown key 'certanty'; did you mean 'certainty'?"),
        (('["2054-5"]', "[2054]"), "categories: expected a list of texts"),
        (('["w30"]', '[["w30"]]'), "measures: expected a list of texts"),
        (("[[goal]]", "[goal]"), "goal must be written as [[goal]]"),
        (("[[goal]]", "[[gaol]]"), "unknown 'gaol'; expected [[goal]]"),
        (("[[goal]]", "[[goal"), "own.toml: "),
    ],
)
def test_what_is_wrong_with_a_goal_is_said_with_its_place(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    with pytest.raises(EquityError) as error:
        read_goals(written(tmp_path, GOAL.replace(*change)), RATES)
    assert any(said in line and "own.toml" in line for line in error.value.problems), error.value


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("70.07", "0"), "percent is 0; expected more than 0, and 100 at most"),
        (("70.07", "101"), "percent is 101; expected"),
        (("70.07", "inf"), "percent: expected a number"),
        (("2026", "2026.0"), "measurement_year: expected a whole number"),
        (('"MPL"', "7"), "name: expected text"),
    ],
)
def test_what_is_wrong_with_a_benchmark_is_said_with_its_place(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    with pytest.raises(EquityError) as error:
        read_benchmarks(written(tmp_path, BENCHMARK.replace(*change)), RATES)
    assert [said in line for line in error.value.problems] == [True]


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    text = GOAL.replace("33.3", "0") + GOAL + GOAL + GOAL.replace('"board"', "3")
    with pytest.raises(EquityError) as error:
        read_goals(written(tmp_path, text), RATES)
    file = tmp_path / "own.toml"
    assert sorted(error.value.problems) == [
        f"{file}: [[goal]] 1: reduction_percent is 0; expected more than 0, and 100 at most",
        f"{file}: [[goal]] 2: two goals are called 'ours'",
        f"{file}: [[goal]] 3: two goals are called 'ours'",
        f"{file}: [[goal]] 4: source: expected text",
    ]


def test_a_benchmark_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EquityError, match="MPL of w30/15-30-months for 2026 is there twice"):
        read_benchmarks(written(tmp_path, BENCHMARK + BENCHMARK), RATES)


def test_a_file_without_goals_is_no_goals(tmp_path: Path) -> None:
    assert read_goals(written(tmp_path, "# none"), RATES) == ()
