"""What the report says in words, comparison by comparison."""

from datetime import date
from fractions import Fraction

import pytest
from equity_examples import BLACK, WHITE, WHITE_IMPUTED

from gapsvc.equity import words
from gapsvc.equity.configuration import Benchmark
from gapsvc.evaluation.disparity import (
    Aim,
    Disparity,
    Figure,
    Figures,
    Gap,
    Goal,
    Progress,
    Standing,
    compare,
    gap_between,
)
from gapsvc.evaluation.proportions import Interval, Proportion
from gapsvc.evaluation.rollup import Category

HALF = Goal("half", "Half by 2027", Fraction(1, 2), date(2027, 12, 31))
YEAR_2025 = date(2025, 12, 31)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (Fraction(1, 8), "12.5%"),
        (Fraction(6125, 10000), "61.3%"),  # halves are rounded up, as people do
        (Fraction(61249, 100000), "61.2%"),
        (Fraction(0), "0.0%"),
        (Fraction(1), "100.0%"),
        (Fraction(-1, 8), "-12.5%"),
        (Fraction(-1, 100000), "0.0%"),
        (0.5, "50.0%"),
    ],
)
def test_percent(share: Fraction | float, said: str) -> None:
    assert words.percent(share) == said


def test_a_day_is_said_as_people_write_it() -> None:
    assert words.day(date(2026, 12, 31)) == "31 Dec 2026"
    assert words.day(date(2026, 3, 1)) == "1 Mar 2026"


def test_a_name_says_that_it_was_imputed_and_holds_nothing_that_does_not_print() -> None:
    assert words.name(Figure(WHITE_IMPUTED, None)) == "White (imputed)"
    assert words.name(Figure(None, None)) == "All children"
    assert words.name(Figure(Category("clinic", "7", "North\x1b[31m\nSide"), None)) == "North [31m Side"


def test_a_rate() -> None:
    shown = compare(Figures(Figure(None, Proportion(532, 870)), ()), None).overall
    assert words.rate(shown) == "61.1% (57.9 to 64.3) of 870"
    few = compare(Figures(Figure(None, Proportion(0, 29)), ()), None).overall
    assert words.rate(few) == "0.0% (0.0 to 11.7) of 29; fewer than 30: read with care"
    assert words.rate(Disparity(Figure(BLACK, None, hidden=True), None)) == "not shown"
    assert words.rate(Disparity(Figure(BLACK, None), None)) == "nobody"


@pytest.mark.parametrize(
    ("group", "reference", "said", "in_brief", "more"),
    [
        (
            (532, 870),
            (353, 500),
            "9.5 points below White (interval 4.2 to 14.5), 0.87 times its rate (0.80 to 0.94)",
            "9.5 points below (4.2 to 14.5)",
            "83 more children would close the gap",
        ),
        (
            (353, 500),
            (532, 870),
            "9.5 points above White (interval 4.2 to 14.5), 1.15 times its rate (1.07 to 1.25)",
            "9.5 points above (4.2 to 14.5)",
            "no gap to close",
        ),
        (
            (9, 20),
            (10, 20),
            "no difference from White shown (5.0 points below; interval 23.9 above to 32.8 below)",
            "5.0 points below: could be chance",
            "1 more child would close the gap",
        ),
        (
            (10, 20),
            (10, 20),
            "no difference from White shown (level; interval 28.4 above to 28.4 below)",
            "level",
            "level",
        ),
        (
            (4999, 10000),
            (5001, 10000),
            "no difference from White shown (less than 0.1 points below; interval 1.4 above to 1.4 below)",
            "less than 0.1 points below: could be chance",
            "2 more children would close the gap",
        ),
    ],
)
def test_a_gap(group: tuple[int, int], reference: tuple[int, int], said: str, in_brief: str, more: str) -> None:
    found = gap_between(Proportion(*group), Proportion(*reference))
    assert (words.gap(found, "White"), words.gap_in_brief(found), words.more_to_close(found)) == (said, in_brief, more)


def group_now(
    now: tuple[int, int], before: tuple[int, int], *, white_before: tuple[int, int] | None = (800, 1000)
) -> Disparity:
    def figures(black: tuple[int, int], white: tuple[int, int] | None) -> Figures:
        of_white = Figure(WHITE, None, hidden=True) if white is None else Figure(WHITE, Proportion(*white))
        return Figures(Figure(None, Proportion(black[0] + 800, 2000)), (Figure(BLACK, Proportion(*black)), of_white))

    return compare(
        figures(now, (800, 1000)),
        WHITE,
        before=figures(before, white_before),
        aims=[Aim(HALF, frozenset({BLACK.code}), figures(before, white_before), YEAR_2025, date(2026, 12, 31))],
    ).groups[0]


def test_everything_of_a_group_in_a_sentence() -> None:
    assert words.sentence(group_now((500, 1000), (400, 1000)), "White") == (
        "Black or African American: 50.0% (46.9 to 53.1) of 1,000; "
        "30.0 points below White (interval 26.0 to 33.9), 0.63 times its rate (0.58 to 0.67); "
        "300 more children would close the gap; "
        "since the baseline: rate +10.0 points (+5.6 to +14.3; was 40.0% of 1,000); gap was 40.0 points below: "
        "25% of the gap is gone (-15.6 to -4.4 points); "
        "goal half, 50% less by 31 Dec 2027: on track (the gap is 25% smaller than on 31 Dec 2025; "
        "a straight line would be at 25% now); "
        "100 more children would reach it"
    )


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (
            group_now((395, 1000), (400, 1000)),
            "rate -0.5 points (-4.8 to +3.8; was 40.0% of 1,000); gap was 40.0 points below: "
            "the gap has grown by 1% (-5.0 to +6.0 points; could be chance)",
        ),
        (
            group_now((500, 1000), (850, 1000)),
            "rate -35.0 points (-38.7 to -31.1; was 85.0% of 1,000); there was no gap to close (5.0 points above)",
        ),
        (
            group_now((500, 1000), (400, 1000), white_before=None),
            "rate +10.0 points (+5.6 to +14.3; was 40.0% of 1,000)",
        ),
    ],
)
def test_a_change(one: Disparity, said: str) -> None:
    assert one.change is not None
    assert words.change(one.change) == said


def progress(standing: Standing, more: int, **of: Fraction) -> Progress:
    return Progress(HALF, standing, more=more, baseline_end=YEAR_2025, **of)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (
            progress(Standing.REACHED, -3, expected=Fraction(1, 4), reduction=Fraction(3, 5)),
            "50% less by 31 Dec 2027: reached (the gap is 60% smaller than on 31 Dec 2025)",
        ),
        (
            progress(Standing.BEHIND, 1, expected=Fraction(1, 4), reduction=Fraction(1, 5)),
            "50% less by 31 Dec 2027: behind (the gap is 20% smaller than on 31 Dec 2025; "
            "a straight line would be at 25% now); 1 more child would reach it",
        ),
        (
            progress(Standing.GROWN, 40, expected=Fraction(1, 4), reduction=Fraction(-1, 5)),
            "50% less by 31 Dec 2027: the gap has grown (the gap is 20% larger than on 31 Dec 2025; "
            "a straight line would be at 25% now); 40 more children would reach it",
        ),
        (
            progress(Standing.NOT_REACHED, 40, reduction=Fraction(1, 10), reduction_then=Fraction(-1, 5)),
            "50% less by 31 Dec 2027: not reached by its date (the gap was 20% larger then than on 31 Dec 2025, "
            "and is 10% smaller now); 40 more children would reach it",
        ),
        (
            progress(Standing.REACHED_BY_DATE, 0, reduction=Fraction(1, 2), reduction_then=Fraction(3, 5)),
            "50% less by 31 Dec 2027: reached by its date (the gap was 60% smaller then than on 31 Dec 2025, "
            "and is 50% smaller now)",
        ),
        (Progress(HALF, Standing.NO_GAP), "50% less by 31 Dec 2027: no gap at the baseline"),
        (Progress(HALF, Standing.UNKNOWN), "50% less by 31 Dec 2027: can't be said"),
    ],
)
def test_a_goal(one: Progress, said: str) -> None:
    assert words.progress(one) == said


def test_a_benchmark() -> None:
    one = Benchmark("MPL", "w30", "first-15-months", 2024, 2025, Fraction("0.6038"), "test", "certain")
    assert [words.benchmark(one, more) for more in (12, 1, 0, -3)] == [
        "MPL 60.38% (MY 2024): 12 more children",
        "MPL 60.38% (MY 2024): 1 more child",
        "MPL 60.38% (MY 2024): reached exactly",
        "MPL 60.38% (MY 2024): reached, 3 to spare",
    ]


def test_the_reference_says_that_it_is_one() -> None:
    one = Disparity(Figure(WHITE, Proportion(80, 100)), Interval(0.7, 0.9), is_reference=True)
    assert words.sentence(one, "White") == (
        "White: 80.0% (70.0 to 90.0) of 100; the group that others are compared with"
    )


def test_a_gap_that_no_reference_gives_a_ratio_is_said_all_the_same() -> None:
    assert words.gap(Gap(Fraction(-1, 2), Interval(-0.6, -0.4), None, -5), "White") == (
        "50.0 points above White (interval 40.0 to 60.0)"
    )
