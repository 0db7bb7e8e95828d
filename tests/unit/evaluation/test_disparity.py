"""Gaps to a reference and to everybody, their change, and progress to a goal: by hand, and for any counts."""

import random
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gapsvc.evaluation.disparity import (
    Aim,
    Compared,
    Disparity,
    Figure,
    Figures,
    Goal,
    Progress,
    Standing,
    best_of,
    compare,
    gap_between,
    gap_to_everybody,
)
from gapsvc.evaluation.proportions import Interval, Proportion, newcombe, ratio
from gapsvc.evaluation.rollup import Category

BLACK = Category("race", "2054-5", "Black or African American", "direct")
WHITE = Category("race", "2106-3", "White", "direct")
ASIAN = Category("race", "2028-9", "Asian", "direct")
HALF = Goal("half", "Half the gap by 2027", Fraction(1, 2), date(2027, 12, 31))
YEAR_2025 = date(2025, 12, 31)


def figures(**groups: tuple[int, int] | None) -> Figures:
    """Figures of the groups named (met, of); None: hidden. Everybody is their sum, with 100 of 200 others."""
    by_name = {"black": BLACK, "white": WHITE, "asian": ASIAN}
    shown = [found for found in groups.values() if found]
    everybody = Proportion(100 + sum(met for met, _ in shown), 200 + sum(of for _, of in shown))
    return Figures(
        Figure(None, everybody),
        tuple(
            Figure(by_name[name], None, hidden=True) if found is None else Figure(by_name[name], Proportion(*found))
            for name, found in groups.items()
        ),
    )


def group(compared: Compared, category: Category) -> Disparity:
    return next(one for one in compared.groups if one.figure.category == category)


# ---- a gap


def test_a_gap_by_hand() -> None:
    # 532 of 870 are 61.15%, 353 of 500 are 70.6%: 9.45 points; 70.6% of 870 are 614.22, so 615: 83 more.
    found = gap_between(Proportion(532, 870), Proportion(353, 500))
    assert found.points == Fraction(353, 500) - Fraction(532, 870)
    assert found.more == 83
    assert found.ratio == Fraction(532, 870) / Fraction(353, 500)
    assert found.is_shown
    assert found.interval == newcombe(Proportion(353, 500), Proportion(532, 870))


def test_a_group_that_is_ahead_has_a_negative_gap_and_some_to_spare() -> None:
    found = gap_between(Proportion(90, 100), Proportion(80, 100))
    assert (found.points, found.relative, found.ratio, found.more) == (
        Fraction(-1, 10),
        Fraction(-1, 8),
        Fraction(9, 8),
        -10,
    )


def test_a_reference_that_nobody_met_has_no_ratio() -> None:
    found = gap_between(Proportion(1, 10), Proportion(0, 10))
    assert (found.points, found.relative, found.ratio) == (Fraction(-1, 10), None, None)


def test_a_gap_to_everybody_by_hand() -> None:
    # 40 of 100, and 160 of 300 in all: the others are 120 of 200. Everybody is at 53.3%: 13.3 points. Level with
    # everybody is level with the others, 60%: 20 more (then 60 of 100, and 180 of 300).
    found = gap_to_everybody(Proportion(40, 100), Proportion(160, 300))
    assert found is not None
    assert (found.points, found.relative, found.more) == (Fraction(2, 15), Fraction(1, 4), 20)
    rest = newcombe(Proportion(120, 200), Proportion(40, 100))
    assert found.interval == Interval(rest.low * (2 / 3), rest.high * (2 / 3))


def test_a_group_that_is_everybody_has_no_gap_to_everybody() -> None:
    assert gap_to_everybody(Proportion(4, 10), Proportion(4, 10)) is None


@st.composite
def proportions(draw: st.DrawFn) -> Proportion:
    of = draw(st.integers(1, 300))
    return Proportion(draw(st.integers(0, of)), of)


@given(proportions(), proportions())
def test_the_gap_lies_in_its_interval_and_turned_round_it_has_the_other_sign(a: Proportion, b: Proportion) -> None:
    found, turned = gap_between(a, b), gap_between(b, a)
    assert found.points == -turned.points
    assert found.is_shown == turned.is_shown
    assert found.interval.low <= float(found.points) <= found.interval.high


@given(proportions(), proportions())
def test_what_closes_a_gap_to_everybody_does_and_one_less_does_not(group: Proportion, rest: Proportion) -> None:
    everybody = Proportion(group.numerator + rest.numerator, group.denominator + rest.denominator)
    found = gap_to_everybody(group, everybody)
    assert found is not None

    def gap_with(more: int) -> Fraction:
        closer = Proportion(group.numerator + more, group.denominator)
        return Proportion(everybody.numerator + more, everybody.denominator).rate - closer.rate

    assert gap_with(found.more) <= 0
    assume(group.numerator + found.more > 0)
    assert gap_with(found.more - 1) > 0


# ---- comparing


def test_groups_are_compared_with_the_reference_and_with_everybody() -> None:
    now = figures(black=(60, 100), white=(80, 100))
    found = compare(now, WHITE)
    assert found.reference == now.groups[1]
    black, white = found.groups
    assert black.gap == gap_between(Proportion(60, 100), Proportion(80, 100))
    assert black.overall_gap == gap_to_everybody(Proportion(60, 100), Proportion(240, 400))
    assert (white.is_reference, white.gap, white.overall_gap is None) == (True, None, False)
    assert (found.overall.gap, found.overall.overall_gap, found.overall.is_reference) == (None, None, False)


def test_without_a_group_as_reference_everybody_is_it() -> None:
    found = compare(figures(black=(60, 100), white=(80, 100)), None)
    assert [one.gap == one.overall_gap for one in found.groups] == [True, True]
    assert found.overall.is_reference


def test_a_hidden_group_is_not_compared_and_a_hidden_reference_compares_nobody() -> None:
    found = compare(figures(black=None, white=(80, 100), asian=(30, 40)), WHITE)
    assert group(found, BLACK) == Disparity(Figure(BLACK, None, hidden=True), None)
    found = compare(figures(black=(60, 100), white=None), WHITE)
    assert (group(found, BLACK).gap, group(found, BLACK).interval is None) == (None, False)


def test_a_hidden_figure_can_not_carry_its_counts() -> None:
    with pytest.raises(ValueError, match="must not carry"):
        Figure(BLACK, Proportion(3, 4), hidden=True)


def test_the_best_group_is_the_one_with_the_highest_rate_that_is_large_enough() -> None:
    now = figures(black=(60, 100), white=(80, 100), asian=(29, 29))
    assert best_of(now, [BLACK, WHITE, ASIAN], at_least=30) == WHITE
    assert best_of(now, [BLACK, WHITE, ASIAN], at_least=1) == ASIAN
    assert best_of(figures(black=(80, 100), white=(160, 200)), [BLACK, WHITE], at_least=30) == WHITE
    assert best_of(now, [BLACK], at_least=101) is None


def test_the_ratio_to_everybody_has_the_interval_of_the_ratio_to_the_rest() -> None:
    """60 of 100 against 140 of 200: r / (r/2 + 1/2), where r is the ratio to the 80 of 100 others."""
    found = gap_to_everybody(Proportion(60, 100), Proportion(140, 200))
    assert found is not None and found.ratio_interval is not None and found.relative_interval is not None
    rest = ratio(Proportion(60, 100), Proportion(80, 100))
    ends = [2 * end / (end + 1) for end in (rest.low, rest.high)]
    assert (found.ratio, found.relative) == (Fraction(6, 7), Fraction(1, 7))
    assert [found.ratio_interval.low, found.ratio_interval.high] == pytest.approx(ends)
    assert [found.relative_interval.low, found.relative_interval.high] == pytest.approx([1 - ends[1], 1 - ends[0]])
    alone = gap_to_everybody(Proportion(5, 10), Proportion(5, 40))
    assert alone is not None and alone.ratio_interval is not None
    assert alone.ratio_interval.high == 4.0  # nobody else is met: no group of 10 can have more than 4 times the rate


# ---- change and goals


def progress_of(
    before: tuple[int, int], now: tuple[int, int], on: date, goal: Goal = HALF, then: Figures | None = None
) -> Progress:
    """Progress of Black children against White children, of whom 80 of 100 are met both times."""
    found = compare(
        figures(black=now, white=(80, 100)),
        WHITE,
        before=figures(black=before, white=(80, 100)),
        aims=[Aim(goal, frozenset({BLACK.code}), figures(black=before, white=(80, 100)), YEAR_2025, on, then)],
    )
    assert [one.progress for one in found.groups if one.figure.category != BLACK] == [()]
    return group(found, BLACK).progress[0]


def half_of(before: Figures) -> Aim:
    return Aim(HALF, frozenset({BLACK.code}), before, YEAR_2025, date(2026, 12, 31))


def test_change_by_hand() -> None:
    found = compare(figures(black=(130, 200), white=(80, 100)), WHITE, before=figures(black=(60, 100), white=(90, 100)))
    change = group(found, BLACK).change
    assert change is not None
    assert (change.before, change.points) == (Proportion(60, 100), Fraction(1, 20))
    # The gap was 30 points and is 15: half of it is gone.
    assert change.gap_before == gap_between(Proportion(60, 100), Proportion(90, 100))
    assert (change.gap_points, change.reduction) == (Fraction(-15, 100), Fraction(1, 2))
    assert change.interval == newcombe(Proportion(130, 200), Proportion(60, 100))
    assert change.gap_interval is not None and -0.15 in change.gap_interval
    # Four rates of 100 to 200 children: 15 points could still be chance.
    assert not change.gap_change_is_shown


def test_a_group_that_was_not_there_or_not_shown_has_no_change() -> None:
    now = figures(black=(60, 100), white=(80, 100))
    for before in (figures(white=(80, 100)), figures(black=None, white=(80, 100))):
        found = compare(now, WHITE, before=before, aims=[half_of(before)])
        assert group(found, BLACK).change is None
        assert group(found, BLACK).progress == (Progress(HALF, Standing.UNKNOWN, baseline_end=YEAR_2025),)


def test_where_the_reference_was_not_shown_the_rates_change_is_known_and_the_gaps_not() -> None:
    before = figures(black=(50, 100), white=None)
    found = compare(figures(black=(60, 100), white=(80, 100)), WHITE, before=before, aims=[half_of(before)])
    change = group(found, BLACK).change
    assert change is not None
    assert (change.points, change.gap_before, change.gap_points, change.reduction) == (
        Fraction(1, 10),
        None,
        None,
        None,
    )
    assert group(found, BLACK).progress == (Progress(HALF, Standing.UNKNOWN, baseline_end=YEAR_2025),)


@pytest.mark.parametrize(
    ("now", "on", "standing", "expected"),
    [
        # The gap was 40 points, 60 of 100 are a gap of 20. Half of the time is gone on 31 December 2026.
        ((60, 100), date(2026, 12, 31), Standing.REACHED, Fraction(1, 4)),
        ((50, 100), date(2026, 12, 31), Standing.ON_TRACK, Fraction(1, 4)),
        ((49, 100), date(2026, 12, 31), Standing.BEHIND, Fraction(1, 4)),
        ((40, 100), date(2026, 12, 31), Standing.BEHIND, Fraction(1, 4)),
        ((39, 100), date(2026, 12, 31), Standing.GROWN, Fraction(1, 4)),
        ((59, 100), date(2027, 12, 31), Standing.BEHIND, Fraction(1, 2)),  # its last day is not over
        ((59, 100), date(2028, 1, 1), Standing.NOT_REACHED, None),
        ((60, 100), date(2029, 1, 1), Standing.REACHED_BY_DATE, None),
        ((40, 100), date(2026, 1, 1), Standing.BEHIND, Fraction(1, 2) * Fraction(1, 730)),
    ],
)
def test_a_goal_is_judged_by_a_straight_line(
    now: tuple[int, int], on: date, standing: Standing, expected: Fraction | None
) -> None:
    found = progress_of((40, 100), now, on)
    assert (found.standing, found.expected, found.gap_allowed) == (standing, expected, Fraction(20, 100))
    assert found.more == 60 - now[0]


def test_a_group_that_was_not_behind_has_no_gap_to_halve() -> None:
    assert progress_of((80, 100), (70, 100), date(2026, 12, 31)) == Progress(
        HALF, Standing.NO_GAP, baseline_end=YEAR_2025, gap_before=Fraction(0)
    )


def test_a_goal_that_was_due_before_the_baseline_ended_says_so() -> None:
    due = Goal("old", "Half by 2025", Fraction(1, 2), YEAR_2025)
    found = progress_of((40, 100), (50, 100), date(2026, 12, 31), due)
    assert (found.standing, found.expected, found.more) == (Standing.BEFORE_BASELINE, None, 10)


@given(proportions(), proportions(), proportions(), proportions())
def test_what_reaches_a_goal_against_everybody_does_and_one_less_does_not(
    now: Proportion, rest: Proportion, was: Proportion, rest_was: Proportion
) -> None:
    def everybody(black: Proportion, others: Proportion) -> Figures:
        both = Proportion(black.numerator + others.numerator, black.denominator + others.denominator)
        return Figures(Figure(None, both), (Figure(BLACK, black),))

    def progress(black: Proportion) -> Progress:
        return (
            compare(
                everybody(black, rest),
                None,
                before=everybody(was, rest_was),
                aims=[half_of(everybody(was, rest_was))],
            )
            .groups[0]
            .progress[0]
        )

    found = progress(now)
    assume(found.more is not None)
    assert found.more is not None

    def reached(more: int) -> bool:
        return progress(Proportion(now.numerator + more, now.denominator)).standing is Standing.REACHED

    assert reached(found.more)
    assume(now.numerator + found.more > 0)
    assert not reached(found.more - 1)


@pytest.mark.parametrize(
    ("then", "standing", "reduction_then"),
    [
        ((60, 100), Standing.REACHED_BY_DATE, Fraction(1, 2)),
        ((59, 100), Standing.NOT_REACHED, Fraction(19, 40)),
        ((30, 100), Standing.NOT_REACHED, Fraction(-1, 4)),
    ],
)
def test_a_goal_whose_date_is_past_is_held_to_that_date(
    then: tuple[int, int], standing: Standing, reduction_then: Fraction
) -> None:
    """The gap was 40 points at the end of 2025 and is 24 now: 40 % less, whatever it was on its date."""
    found = progress_of((40, 100), (56, 100), date(2028, 6, 30), HALF, figures(black=then, white=(80, 100)))
    assert (found.standing, found.reduction_then) == (standing, reduction_then)
    assert (found.gap_before, found.reduction, found.expected, found.more) == (
        Fraction(2, 5), Fraction(2, 5), None, 4,
    )  # fmt: skip


def test_a_goal_whose_date_has_no_figures_that_are_shown_can_not_be_judged() -> None:
    found = progress_of((40, 100), (56, 100), date(2028, 6, 30), HALF, figures(black=None, white=(80, 100)))
    assert (found.standing, found.reduction, found.more) == (Standing.UNKNOWN, Fraction(2, 5), 4)


# ---- a planted disparity


def test_the_interval_holds_a_planted_gap_as_often_as_it_says() -> None:
    """2,000 populations, 300 children of each group, of whom 62% and 75% are met in truth: a gap of 13 points."""
    chance = random.Random(20261122)
    held = 0
    for _ in range(2000):
        black, white = (Proportion(sum(chance.random() < true for _ in range(300)), 300) for true in (0.62, 0.75))
        held += 0.13 in gap_between(black, white).interval
    # 95% of 2,000 are 1,900; three standard errors of that are 29.
    assert abs(held - 1900) <= 29
