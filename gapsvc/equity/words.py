"""What the equity report says, in words: one short sentence for each comparison. Pure."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from gapsvc.equity.configuration import Benchmark
from gapsvc.equity.report import FEW, FINAL, printable
from gapsvc.evaluation.disparity import Change, Disparity, Figure, Gap, Progress, Standing
from gapsvc.evaluation.proportions import Interval
from gapsvc.evaluation.suppression import NOT_SHOWN

MOST_NAMED = 4
BASIS = {
    FINAL: "final results only: children whose last day is past",
    "so-far": "results so far: some children still have time",
}


def percent(share: Fraction | float, places: int = 1) -> str:
    """A share in per cent, halves rounded away from 0: `61.3%` for 0.6125."""
    return f"{rounded(share, places)}%"


def rounded(share: Fraction | float, places: int = 1) -> str:
    """The same without its sign: of differences, percentage points."""
    exact = Fraction(share) * 100 * 10**places
    whole = int(abs(exact) + Fraction(1, 2))
    digits = f"{whole // 10**places:,}" + (f".{whole % 10**places:0{places}d}" if places else "")
    return f"-{digits}" if exact < 0 and whole else digits


def day(when: date) -> str:
    """A day as people write it: 31 Dec 2026."""
    return f"{when.day} {when:%b %Y}"


def name(figure: Figure) -> str:
    """What a figure is about. What was not asked of people but inferred is said to be."""
    return "All children" if figure.category is None else printable(figure.category)


def is_few(figure: Figure) -> bool:
    """Whether a shown figure is of too few children to go by."""
    return figure.found is not None and figure.found.denominator < FEW


def listed(names: Sequence[str]) -> str:
    """The names of groups, or of many how many they are."""
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} groups"


def rate(one: Disparity) -> str:
    """`61.2% (58.0 to 64.3) of 870`, or why there is none."""
    found = one.figure.found
    if found is None or one.interval is None:
        return NOT_SHOWN if one.figure.hidden else "nobody"
    few = f"; fewer than {FEW}: read with care" if is_few(one.figure) else ""
    return f"{percent(found.rate)} ({span(one.interval)}) of {found.denominator:,}{few}"


def gap(one: Gap, reference: str) -> str:
    """`9.4 points below White (interval 5.9 to 12.8)`; where the interval holds 0, that no difference is shown."""
    if not one.is_shown:
        return f"no difference from {reference} shown ({side(one.points)}; interval {_two_sided(one.interval)})"
    interval = one.interval if one.points > 0 else one.interval.negated
    return f"{side(one.points)} {reference} (interval {span(interval)}){_ratio(one)}"


def _ratio(one: Gap) -> str:
    """`, 0.87 times its rate (0.82 to 0.92)`; nothing where nobody of the reference is met."""
    if one.ratio is None or one.ratio_interval is None:
        return ""
    found = one.ratio_interval
    return f", {_times(one.ratio)} times its rate ({_times(found.low)} to {_times(found.high)})"


def _times(ratio: Fraction | float) -> str:
    return f"{int(Fraction(ratio) * 100 + Fraction(1, 2)) / 100:.2f}"


def gap_in_brief(one: Gap) -> str:
    """The same without the reference's name: `9.4 points below (5.9 to 12.8)`, or that it `could be chance`."""
    if not one.is_shown:
        return side(one.points) if one.points == 0 else f"{side(one.points)}: could be chance"
    return f"{side(one.points)} ({span(one.interval if one.points > 0 else one.interval.negated)})"


def side(points: Fraction) -> str:
    """A gap's size and side: `9.4 points below`, `3.0 points above` or `level`."""
    if points == 0:
        return "level"
    return f"{_points(points)} {'below' if points > 0 else 'above'}"


def more_to_close(one: Gap) -> str:
    """How many more children close the gap, or how far ahead the group is."""
    if one.more > 0:
        return f"{children(one.more)} would close the gap"
    return "level" if one.points == 0 else "no gap to close"


def children(more: int) -> str:
    """`1 more child`, `82 more children`."""
    return f"{more:,} more {'child' if more == 1 else 'children'}"


def change(one: Change) -> str:
    """How the rate and the gap have changed since the baseline."""
    was = f"{percent(one.before.rate)} of {one.before.denominator:,}"
    rate_now = f"rate {_signed(one.points)} points ({_signed_span(one.interval)}; was {was})"
    if one.gap_before is None or one.gap_points is None or one.gap_interval is None:
        return rate_now
    gap_was = side(one.gap_before.points)
    if one.reduction is None:
        return f"{rate_now}; there was no gap to close ({gap_was})"
    if one.reduction >= 0:
        how = f"{percent(one.reduction, 0)} of the gap is gone"
    else:
        how = f"the gap has grown by {percent(-one.reduction, 0)}"
    shown = "" if one.gap_change_is_shown else "; could be chance"
    return f"{rate_now}; gap was {gap_was}: {how} ({_signed_span(one.gap_interval)} points{shown})"


def progress(one: Progress) -> str:
    """How a goal stands: `50% less by 31 Dec 2027: behind (the gap is 20% smaller than on 31 Dec 2025; a straight line
    would be at 30% now)`; and how many more children it takes."""
    goal = one.goal
    said = f"{percent(goal.reduction, 0)} less by {day(goal.due)}: {one.standing.value}"
    if one.reduction is not None and one.baseline_end is not None:
        since = f"than on {day(one.baseline_end)}"
        if one.reduction_then is not None:
            said += f" (the gap was {_size(one.reduction_then)} then {since}, and is {_size(one.reduction)} now)"
        elif one.expected is not None:
            line = f"; a straight line would be at {percent(one.expected, 0)} now"
            said += f" (the gap is {_size(one.reduction)} {since}{'' if one.standing is Standing.REACHED else line})"
    if one.more is not None and one.more > 0 and one.standing is not Standing.REACHED:
        said += f"; {children(one.more)} would reach it"
    return said


def _size(reduction: Fraction) -> str:
    return f"{percent(abs(reduction), 0)} {'smaller' if reduction >= 0 else 'larger'}"


def benchmark(one: Benchmark, more: int) -> str:
    """`MPL 60.38% (MY 2024): 12 more children`, or by how many it is exceeded."""
    level = f"{one.name} {percent(one.level, 2)} (MY {one.measurement_year})"
    if more > 0:
        return f"{level}: {children(more)}"
    return f"{level}: reached" + (f", {-more:,} to spare" if more else " exactly")


def sentence(one: Disparity, reference: str) -> str:
    """Everything of one group in one sentence."""
    parts = [f"{name(one.figure)}: {rate(one)}"]
    if one.is_reference and one.figure.category is not None:
        parts.append("the group that others are compared with")
    if one.gap is not None:
        parts += [gap(one.gap, reference), more_to_close(one.gap)]
    if one.change is not None:
        parts.append(f"since the baseline: {change(one.change)}")
    parts += [f"goal {each.goal.id}, {progress(each)}" for each in one.progress]
    return "; ".join(parts)


def _points(points: Fraction) -> str:
    size = rounded(abs(points))
    if size == "0.0" and points:
        return "less than 0.1 points"
    return f"{size} points"


def _signed(share: Fraction | float) -> str:
    text = rounded(share)
    return text if share < 0 or text == "0.0" else f"+{text}"


def span(interval: Interval) -> str:
    """`58.0 to 64.3`, in per cent."""
    return f"{rounded(interval.low)} to {rounded(interval.high)}"


def _two_sided(interval: Interval) -> str:
    return f"{rounded(abs(interval.low))} above to {rounded(abs(interval.high))} below"


def _signed_span(interval: Interval) -> str:
    return f"{_signed(interval.low)} to {_signed(interval.high)}"
