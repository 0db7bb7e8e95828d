"""How far a group is from a reference in one rate, whether that is closing, and how many children it would take.

Pure. Everything is calculated from the figures that are handed in: a figure that small-cell suppression hides
(evaluation.suppression) comes in without its counts, so nothing said here can give it away.

Gaps are `reference - group`: positive where the group is behind. Comparing a group with everybody, whom it is part of,
its difference to the rest is what is independent: group - everybody = (1 - share of the group) x (group - rest).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from fractions import Fraction
from math import isinf

from gapsvc.evaluation.proportions import (
    CONFIDENCE,
    Interval,
    Proportion,
    difference_of_differences,
    newcombe,
    ratio,
    short_by,
    wilson,
)
from gapsvc.evaluation.rollup import Category


@dataclass(frozen=True, slots=True)
class Figure:
    """How one category stands (None: everybody). Without `found`, it is hidden by suppression, or there is nobody."""

    category: Category | None
    found: Proportion | None
    hidden: bool = False

    def __post_init__(self) -> None:
        if self.hidden and self.found is not None:
            raise ValueError("a hidden figure must not carry its counts")


@dataclass(frozen=True, slots=True)
class Gap:
    """A group against a reference. `more`: how many more of the group's children must be met to close it; negative:
    how many fewer could be, with the group still no worse."""

    points: Fraction
    interval: Interval
    relative: Fraction | None  # points / the reference's rate; None where that is 0
    more: int
    ratio_interval: Interval | None = None  # None where there is no ratio

    @property
    def is_shown(self) -> bool:
        """Whether the data show a difference: 0 is outside the interval."""
        return 0 not in self.interval

    @property
    def ratio(self) -> Fraction | None:
        """The group's rate / the reference's; None where that is 0."""
        return None if self.relative is None else 1 - self.relative

    @property
    def relative_interval(self) -> Interval | None:
        """The interval of `relative`, which is 1 - the ratio."""
        found = self.ratio_interval
        return None if found is None else Interval(1 - found.high, 1 - found.low)


@dataclass(frozen=True, slots=True)
class Change:
    """A group now against itself in the baseline period. What has no gap on either side has no change of it."""

    before: Proportion
    points: Fraction  # rate now - rate before
    interval: Interval
    gap_before: Gap | None
    gap_points: Fraction | None  # gap now - gap before: negative where it is closing
    gap_interval: Interval | None
    reduction: Fraction | None  # share of the gap before that is gone; None where the group was not behind

    @property
    def gap_change_is_shown(self) -> bool:
        """Whether the data show that the gap has changed."""
        return self.gap_interval is not None and 0 not in self.gap_interval


class Standing(StrEnum):
    """How a goal stands on a day."""

    REACHED = "reached"
    REACHED_BY_DATE = "reached by its date"
    ON_TRACK = "on track"
    BEHIND = "behind"
    GROWN = "the gap has grown"
    NOT_REACHED = "not reached by its date"
    NO_GAP = "no gap at the baseline"
    BEFORE_BASELINE = "its date is not after the baseline"
    UNKNOWN = "can't be said"


@dataclass(frozen=True, slots=True)
class Goal:
    """`reduction` (0.5: half) less of the gap of the baseline by the end of `due`."""

    id: str
    title: str
    reduction: Fraction
    due: date


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a goal is. `expected`: the reduction that a straight line from baseline to goal has come to.

    `gap_before` is the gap of the goal's baseline, `reduction` the share of it that is gone now, and where the goal's
    date is past, `reduction_then` the share that was gone on it. `gap_allowed` is what the gap may be at the goal;
    `more`: how many more of the group's children that takes with the reference as it is now (negative: to spare).
    """

    goal: Goal
    standing: Standing
    expected: Fraction | None = None
    gap_allowed: Fraction | None = None
    more: int | None = None
    baseline_end: date | None = None
    gap_before: Fraction | None = None
    reduction: Fraction | None = None
    reduction_then: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Disparity:
    """One group in one rate: its figure, what it is compared with and how that has changed."""

    figure: Figure
    interval: Interval | None
    is_reference: bool = False
    gap: Gap | None = None  # to the reference chosen
    overall_gap: Gap | None = None  # to everybody
    change: Change | None = None  # of the rate, and of `gap`
    progress: tuple[Progress, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """All groups of one rate with what they are compared against; `reference` is None where there is none to show."""

    overall: Disparity
    reference: Figure | None
    groups: tuple[Disparity, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """One rate over one period: everybody, and each category of one dimension."""

    overall: Figure
    groups: tuple[Figure, ...]

    def of(self, category: Category | None) -> Figure | None:
        """The figure of a category (None: everybody)."""
        if category is None:
            return self.overall
        return next((one for one in self.groups if one.category == category), None)


@dataclass(frozen=True, slots=True)
class Aim:
    """A goal in one rate, and what it is judged by: the figures of its baseline, which ends on `baseline_end`; the
    day that the figures now are of; and those that it is held to where its date is past (None: those of now).
    `categories`: codes of the groups that it is about."""

    goal: Goal
    categories: frozenset[str]
    before: Figures
    baseline_end: date
    now: date
    on_its_date: Figures | None = None


def gap_between(group: Proportion, reference: Proportion, confidence: float = CONFIDENCE) -> Gap:
    """The gap of a group to another: the two have no person in common."""
    points = reference.rate - group.rate
    return Gap(
        points,
        newcombe(reference, group, confidence),
        points / reference.rate if reference.numerator else None,
        short_by(group, reference.rate),
        ratio(group, reference, confidence) if reference.numerator else None,
    )


def gap_to_everybody(group: Proportion, everybody: Proportion, confidence: float = CONFIDENCE) -> Gap | None:
    """The gap of a group to everybody, whom it is part of; None where the group is everybody.

    `more` allows for everybody's rate rising with the group's.
    """
    rest = everybody.without(group)
    if rest is None:
        return None
    points = everybody.rate - group.rate
    return Gap(
        points,
        newcombe(rest, group, confidence).scaled(Fraction(rest.denominator, everybody.denominator)),
        points / everybody.rate if everybody.numerator else None,
        short_by(group, rest.rate),  # to be level with everybody is to be level with the rest
        _ratio_to_everybody(group, rest, confidence) if everybody.numerator else None,
    )


def _ratio_to_everybody(group: Proportion, rest: Proportion, confidence: float) -> Interval:
    """Everybody's rate is the mean of the group's and the rest's, so with r = group / rest and the group's share w of
    everybody the ratio to everybody is r / (w r + 1 - w), which grows with r: its ends are those of r."""
    share = group.denominator / (group.denominator + rest.denominator)

    def to_everybody(to_rest: float) -> float:
        return 1 / share if isinf(to_rest) else to_rest / (share * to_rest + 1 - share)

    found = ratio(group, rest, confidence)
    return Interval(to_everybody(found.low), to_everybody(found.high))


def best_of(figures: Figures, among: Sequence[Category], at_least: int) -> Category | None:
    """The category with the highest rate among those that have `at_least` children and are shown; the larger, then
    the first, of equals. None where there is none."""
    found = [
        (one.found.rate, one.found.denominator, -number, category)
        for number, category in enumerate(among)
        if (one := figures.of(category)) is not None and one.found is not None and one.found.denominator >= at_least
    ]
    return max(found, key=lambda row: row[:3])[3] if found else None


def compare(
    now: Figures,
    reference: Category | None,
    *,
    before: Figures | None = None,
    aims: Sequence[Aim] = (),
    confidence: float = CONFIDENCE,
) -> Compared:
    """Compare each group with the reference (None: everybody), with everybody, and with itself before.

    Args:
        now: the figures of the period.
        reference: the category that the others are compared with.
        before: the figures of the baseline period, where there is one.
        aims: the goals to judge, each with its own baseline.
        confidence: of every interval.
    """

    def compared(figure: Figure, is_reference: bool) -> Disparity:
        found, category = figure.found, figure.category
        about = [aim for aim in aims if category and not is_reference and category.code in aim.categories]
        if found is None:
            unknown = tuple(Progress(aim.goal, Standing.UNKNOWN, baseline_end=aim.baseline_end) for aim in about)
            return Disparity(figure, None, is_reference, progress=unknown)
        gap = None if is_reference or category is None else _gap(now, figure, reference, confidence)
        overall = now.overall.found
        change = None if before is None else _change(figure, found, gap, before, reference, confidence)
        return Disparity(
            figure,
            wilson(found, confidence),
            is_reference,
            gap,
            None if category is None or overall is None else gap_to_everybody(found, overall, confidence),
            change,
            tuple(_progress(aim, figure, gap, now, reference, confidence) for aim in about),
        )

    held_against = now.of(reference)
    return Compared(
        compared(now.overall, reference is None),
        held_against,
        tuple(
            compared(one, reference is not None and held_against is not None and one is held_against)
            for one in now.groups
        ),
    )


def _gap(figures: Figures, figure: Figure, reference: Category | None, confidence: float) -> Gap | None:
    other = figures.of(reference)
    if figure.found is None or other is None or other.found is None:
        return None
    if reference is None:
        return gap_to_everybody(figure.found, other.found, confidence)
    return gap_between(figure.found, other.found, confidence)


def _change(
    figure: Figure,
    found: Proportion,
    gap: Gap | None,
    before: Figures,
    reference: Category | None,
    confidence: float,
) -> Change | None:
    was = before.of(figure.category)
    if was is None or was.found is None:
        return None
    gap_before = None if gap is None else _gap(before, was, reference, confidence)
    points = interval = reduction = None
    if gap is not None and gap_before is not None:
        points = gap.points - gap_before.points
        interval = difference_of_differences(gap.points, gap.interval, gap_before.points, gap_before.interval)
        reduction = -points / gap_before.points if gap_before.points > 0 else None
    return Change(
        before=was.found,
        points=found.rate - was.found.rate,
        interval=newcombe(found, was.found, confidence),
        gap_before=gap_before,
        gap_points=points,
        gap_interval=interval,
        reduction=reduction,
    )


def _progress(
    aim: Aim, figure: Figure, gap: Gap | None, now: Figures, reference: Category | None, confidence: float
) -> Progress:
    goal = aim.goal
    was = _gap_of(aim.before, figure.category, reference, confidence)
    if figure.found is None or gap is None or was is None:
        return Progress(goal, Standing.UNKNOWN, baseline_end=aim.baseline_end)
    if was.points <= 0:
        return Progress(goal, Standing.NO_GAP, baseline_end=aim.baseline_end, gap_before=was.points)
    allowed = was.points * (1 - goal.reduction)
    reduction = 1 - gap.points / was.points
    found = Progress(
        goal,
        Standing.BEFORE_BASELINE,
        gap_allowed=allowed,
        more=_short_of_gap(figure.found, allowed, now, reference),
        baseline_end=aim.baseline_end,
        gap_before=was.points,
        reduction=reduction,
    )
    if goal.due <= aim.baseline_end:
        return found
    if goal.due < aim.now:
        then = gap if aim.on_its_date is None else _gap_of(aim.on_its_date, figure.category, reference, confidence)
        if then is None:
            return replace(found, standing=Standing.UNKNOWN)
        reduction_then = 1 - then.points / was.points
        reached = reduction_then >= goal.reduction
        standing = Standing.REACHED_BY_DATE if reached else Standing.NOT_REACHED
        return replace(found, standing=standing, reduction_then=reduction_then)
    days, all_days = (aim.now - aim.baseline_end).days, (goal.due - aim.baseline_end).days
    expected = goal.reduction * max(Fraction(0), Fraction(days, all_days))
    if reduction >= goal.reduction:
        standing = Standing.REACHED
    elif reduction >= expected:
        standing = Standing.ON_TRACK
    elif reduction < 0:
        standing = Standing.GROWN
    else:
        standing = Standing.BEHIND
    return replace(found, standing=standing, expected=expected)


def _gap_of(figures: Figures, category: Category | None, reference: Category | None, confidence: float) -> Gap | None:
    figure = figures.of(category)
    return None if figure is None else _gap(figures, figure, reference, confidence)


def _short_of_gap(found: Proportion, allowed: Fraction, now: Figures, reference: Category | None) -> int | None:
    """How many more of the group must be met so that its gap is no more than `allowed`."""
    other = now.of(reference)
    if other is None or other.found is None:
        return None
    if reference is not None:
        return short_by(found, other.found.rate - allowed)
    rest = other.found.without(found)
    if rest is None:
        return None
    # Everybody's rate rises with the group's: everybody - group = (rest's share) x (rest - group).
    return short_by(found, rest.rate - allowed * Fraction(other.found.denominator, rest.denominator))
