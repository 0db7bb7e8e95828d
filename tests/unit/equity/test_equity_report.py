"""The report of a roll-up: references, bases, baselines, goals; and that nothing in it gives a small count away."""

import re
from dataclasses import replace
from datetime import date
from fractions import Fraction

import orjson
import pytest
from equity_examples import ASIAN, BLACK, LAST_YEAR, UNKNOWN, WHITE, WHITE_IMPUTED, YEAR, rollup
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gapsvc.equity.chart import as_svg
from gapsvc.equity.configuration import Benchmark, EquityGoal
from gapsvc.equity.report import Asked, EquityReport, NoSuchReference, RateReport, benchmark_shorts, find, report
from gapsvc.equity.tables import as_csv, as_json
from gapsvc.evaluation.disparity import Figure, Goal, Progress, Standing
from gapsvc.evaluation.proportions import Proportion
from gapsvc.evaluation.rollup import Adding, Category, Rollup, bits
from gapsvc.evaluation.suppression import suppress

ALL = Asked(suppress_below=None)
HALF = EquityGoal(
    Goal("half", "Half by 2027", Fraction(1, 2), date(2027, 12, 31)),
    ("w30",), (), "race", frozenset({BLACK.code}), None, None, "test", "certain",
)  # fmt: skip
GROUPS = {BLACK: (60, 100), WHITE: (80, 100), ASIAN: (18, 20), UNKNOWN: (40, 40)}
BEFORE = rollup({BLACK: (40, 100), WHITE: (80, 100)}, period=LAST_YEAR, as_of=date(2026, 1, 1))


def only(found: EquityReport) -> RateReport:
    assert len(found.rates) == 1
    return found.rates[0]


# ---- what is compared with what


def test_a_rate_is_compared_with_all_children() -> None:
    one = only(report(rollup(GROUPS), ALL))
    assert (one.measure_id, one.group_id, one.dimension, one.basis) == ("w30", "first-15-months", "race", "final")
    assert (one.reference, one.compared.reference) == ("all children", Figure(None, Proportion(198, 260)))
    assert [group.figure.category for group in one.compared.groups] == [ASIAN, BLACK, WHITE, UNKNOWN]


def test_a_rate_is_compared_with_a_group() -> None:
    one = only(report(rollup(GROUPS), replace(ALL, reference="white")))
    assert (one.reference, one.compared.reference) == ("White", Figure(WHITE, Proportion(80, 100)))


def test_a_reference_is_called_by_what_prints_of_its_name() -> None:
    odd = Category("race", "7", "North\x1b[31m Side")
    assert only(report(rollup({odd: (80, 100), BLACK: (60, 100)}), replace(ALL, reference="7"))).reference == (
        "North [31m Side"
    )


def test_the_best_group_is_large_enough_and_is_a_group() -> None:
    # Asian children have a higher rate but are 20; of the unknown, who have one as well, nobody knows who they are.
    found = report(rollup(GROUPS), replace(ALL, reference="best"))
    assert only(found).reference == "White"
    assert "the best group is chosen by its rate: part of its lead is chance" in found.notes


def test_without_a_group_that_is_large_enough_the_best_is_all_children_in_words() -> None:
    one = only(report(rollup({ASIAN: (18, 20)}), replace(ALL, reference="best")))
    assert one.reference == "all children"
    assert one.notes == ("no group of 30 children or more that can be shown: compared with all children",)


@pytest.mark.parametrize("name", ["2106-3", "White", "white", " WHITE "])
def test_a_group_is_named_by_code_or_name_and_what_people_said_comes_before_what_was_imputed(name: str) -> None:
    assert find(name, [BLACK, WHITE_IMPUTED, WHITE]) is WHITE


def test_a_group_is_named_by_the_first_words_of_its_name() -> None:
    assert find("black", [WHITE, BLACK]) is BLACK


@pytest.mark.parametrize("name", ["blue", "African American", ""])
def test_a_group_that_there_is_not_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(NoSuchReference, match="there are: White, Black or African American; or say overall or best"):
        find(name, [WHITE, BLACK])


def test_a_name_that_two_groups_begin_with_is_refused() -> None:
    pacific, native = (Category("race", code, f"Native {code}") for code in ("A", "B"))
    with pytest.raises(NoSuchReference, match="there are: Native A, Native B"):
        find("native", [WHITE, pacific, native])


# ---- which children are counted


def test_final_results_count_where_there_are_any_else_those_so_far() -> None:
    assert only(report(rollup(GROUPS, final=True), ALL)).basis == "final"
    assert only(report(rollup(GROUPS, final=False), ALL)).basis == "so-far"


def test_a_basis_that_is_asked_for_is_used() -> None:
    one = only(report(rollup(GROUPS, final=False), replace(ALL, basis="final")))
    assert (one.basis, one.compared.overall.figure.found) == ("final", None)


def test_figures_that_may_still_rise_against_a_complete_baseline_say_so() -> None:
    one = only(report(rollup(GROUPS, final=False), ALL, BEFORE))
    assert (one.basis, one.basis_before) == ("so-far", "final")
    assert "the baseline is complete, the figures now are not: they may still rise, and gaps change" in one.notes


def test_a_reference_that_is_hidden_is_said() -> None:
    few = rollup({BLACK: (60, 100), WHITE: (80, 100), ASIAN: (3, 20)})
    hidden = only(report(few, Asked(reference="asian")))
    assert hidden.notes == ("Asian: not shown, so no group is compared with it",)
    assert [group.gap for group in hidden.compared.groups] == [None, None, None]


# ---- baseline, goals, benchmarks


def test_a_goal_is_measured_from_the_baseline() -> None:
    one = only(report(rollup(GROUPS), replace(ALL, reference="white", goals=(HALF,)), BEFORE))
    black = next(group for group in one.compared.groups if group.figure.category == BLACK)
    assert [(each.goal.id, each.standing, each.more) for each in black.progress] == [("half", Standing.REACHED, 0)]
    assert [group.progress for group in one.compared.groups if group is not black] == [(), (), ()]


YEAR_2022 = (date(2022, 1, 1), date(2022, 12, 31))
PAST = replace(HALF, goal=replace(HALF.goal, due=date(2025, 12, 31)), baseline=YEAR_2022)


def black_progress(goal: EquityGoal, *others: Rollup) -> tuple[tuple[Progress, ...], tuple[str, ...]]:
    one = only(report(rollup(GROUPS), replace(ALL, reference="white", goals=(goal,)), BEFORE, others))
    return next(group.progress for group in one.compared.groups if group.figure.category == BLACK), one.notes


def test_a_goal_is_measured_from_its_own_baseline_and_held_to_its_own_date() -> None:
    """The gap was 50 points in 2022, 40 on the goal's date at the end of 2025, and is 20 now."""
    in_2022 = rollup({BLACK: (30, 100), WHITE: (80, 100)}, period=YEAR_2022, as_of=date(2023, 1, 1))
    (found,), notes = black_progress(PAST, in_2022)
    assert notes == ()
    assert (found.standing, found.baseline_end) == (Standing.NOT_REACHED, date(2022, 12, 31))
    assert (found.gap_before, found.reduction_then, found.reduction, found.more) == (
        Fraction(1, 2), Fraction(1, 5), Fraction(3, 5), -5,
    )  # fmt: skip


def test_a_goal_of_a_period_that_was_not_counted_is_left_out_in_words() -> None:
    assert black_progress(PAST) == ((), ("goal half is left out: its baseline or its date has no figures here",))


def test_a_goal_of_every_group_is_of_those_that_are_known() -> None:
    one = only(report(rollup(GROUPS), replace(ALL, goals=(replace(HALF, categories=frozenset()),)), BEFORE))
    of = {group.figure.category: len(group.progress) for group in one.compared.groups}
    assert of == {BLACK: 1, WHITE: 1, ASIAN: 1, UNKNOWN: 0}


def test_a_rate_alone_in_its_report_is_judged_alone() -> None:
    """Of 60 with two visits 54 have three: beside each other they would tell the six."""
    adding = Adding(*YEAR, date(2026, 11, 22))
    for category in (BLACK, WHITE):
        for at in range(100):
            adding.persons += 1
            flags = (bits(initial=True, excluded=False, denominator=True, numerator=at < met, final=True)
                     for met in (60, 54))  # fmt: skip
            adding.count("three-by-120", {"two": "Two", "three": "Three"}, flags, {"race": category})
    both, alone = (report(adding.rollup(), Asked(rates=rates)) for rates in (frozenset[str](), frozenset({"two"})))
    assert [[group.figure.hidden for group in one.compared.groups] for one in both.rates] == [[True] * 2, [True] * 2]
    assert [group.figure.found for group in only(alone).compared.groups] == [Proportion(60, 100)] * 2


def test_a_goal_of_another_measure_is_left_out() -> None:
    one = only(report(rollup(GROUPS), replace(ALL, goals=(replace(HALF, measures=("wcv",)),)), BEFORE))
    assert (all(group.progress == () for group in one.compared.groups), one.notes) == (True, ())


def test_without_a_baseline_goals_are_left_out_in_words() -> None:
    found = report(rollup(GROUPS), replace(ALL, goals=(HALF,)))
    assert (found.baseline, found.notes) == (None, ("no baseline: changes and goals are left out",))


def test_benchmarks_say_how_many_more_children_or_how_many_to_spare() -> None:
    levels = [
        Benchmark(name, "w30", "first-15-months", 2024, 2025, Fraction(level), "test", "certain")
        for name, level in (("MPL", "0.6"), ("HPL", "0.601"), ("low", "0.5"))
    ]
    found = benchmark_shorts(Figure(BLACK, Proportion(60, 100)), levels)
    assert [(one.name, more) for one, more in found] == [("MPL", 0), ("HPL", 1), ("low", -10)]
    assert benchmark_shorts(Figure(BLACK, None, hidden=True), levels) == ()


# ---- small counts


def test_small_counts_are_hidden_unless_asked_otherwise() -> None:
    small = {BLACK: (60, 100), WHITE: (80, 100), ASIAN: (3, 20), UNKNOWN: (45, 90)}
    one = only(report(rollup(small), Asked()))
    hidden = [group.figure.category for group in one.compared.groups if group.figure.hidden]
    # Asian children are 3 of 20; the next smallest goes with them, else the difference to all children told them.
    assert hidden == [ASIAN, UNKNOWN]
    assert [one.figure.hidden for one in only(report(rollup(small), ALL)).compared.groups] == [False] * 4


def test_a_hidden_group_is_no_best_group_and_no_reference() -> None:
    groups = {BLACK: (60, 100), WHITE: (80, 100), ASIAN: (57, 60), UNKNOWN: (25, 50)}
    assert only(report(rollup(groups), Asked(reference="best"))).reference == "White"
    one = only(report(rollup(groups), Asked(reference="asian")))
    assert (one.reference, one.compared.reference) == ("Asian", Figure(ASIAN, None, hidden=True))
    assert all(group.gap is None for group in one.compared.groups)


def counts(least: int, most: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.integers(least, most).flatmap(lambda of: st.tuples(st.integers(1, of), st.just(of)))


FOUR = st.fixed_dictionaries(
    {BLACK: counts(30, 90), WHITE: counts(30, 90), ASIAN: counts(5, 30), UNKNOWN: counts(5, 30)}
)


@settings(max_examples=60, deadline=None)
@given(FOUR, counts(30, 90), counts(30, 90))
def test_the_report_says_the_same_whatever_hidden_counts_are(
    groups: dict[Category, tuple[int, int]], other: tuple[int, int], white_before: tuple[int, int]
) -> None:
    """Two populations that suppression shows alike have the same report in every format."""
    rate = ("w30", "first-15-months")

    def hidden_in(groups: dict[Category, tuple[int, int]]) -> list[Category | None]:
        found = suppress(rollup(groups))
        return [one for one in (None, *groups) if found.hides(*rate, one)]

    hidden = hidden_in(groups)
    assume(None not in hidden and {ASIAN, UNKNOWN} <= set(hidden))
    # One child who is met is not Asian, but of unknown race; everybody's counts stay as they are.
    (met, of), (met_unknown, of_unknown) = groups[ASIAN], groups[UNKNOWN]
    moved = {**groups, ASIAN: (met - 1, of - 1), UNKNOWN: (met_unknown + 1, of_unknown + 1)}
    assume(hidden_in(moved) == hidden)
    before = rollup({BLACK: other, WHITE: white_before}, period=LAST_YEAR, as_of=date(2026, 1, 1))
    asked = Asked(reference="best", goals=(HALF,))
    one, two = report(rollup(groups), asked, before), report(rollup(moved), asked, before)
    assert as_json(one) == as_json(two)
    assert as_csv(one) == as_csv(two)


def test_no_format_of_a_report_has_a_hidden_count() -> None:
    # 7 of 977 are told nowhere: neither the counts nor what follows from them (970 not met, 0.7%).
    groups = {BLACK: (300, 500), WHITE: (400, 600), ASIAN: (7, 977), UNKNOWN: (350, 700)}
    found = report(rollup(groups), Asked(), rollup(groups, period=LAST_YEAR, as_of=date(2026, 1, 1)))
    assert only(found).compared.groups[0].figure == Figure(ASIAN, None, hidden=True)
    for text in (orjson.dumps(as_json(found)).decode(), as_csv(found)):
        assert re.findall(r"\b(?:977|970|0\.7%|0\.00716\d*)\b", text) == []
    described = as_svg(found).decode()
    assert "Asian: not shown" in described
    assert re.findall(r"\b(?:977|970|0\.7%)\b", described.partition("<desc")[2].partition("</desc>")[0]) == []


def test_the_period_day_and_baseline_are_told() -> None:
    found = report(rollup(GROUPS), ALL, BEFORE)
    assert (found.period, found.as_of, found.baseline) == (YEAR, date(2026, 11, 22), LAST_YEAR)


def test_rates_that_are_not_asked_for_are_left_out() -> None:
    assert report(rollup(GROUPS), replace(ALL, rates=frozenset({"15-30-months"}))).rates == ()
