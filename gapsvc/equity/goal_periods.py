"""The periods that a goal is judged by: its baseline, and where its date is past the last period before that. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from gapsvc.equity.configuration import EquityGoal

Period = tuple[date, date]


@dataclass(frozen=True, slots=True)
class GoalPeriods:
    """`then`: the last period of the report's kind (a calendar year, say) that was over on the goal's date and is after
    its baseline; None: the goal is held to the figures of the report's own period."""

    baseline: Period
    then: Period | None


def periods_of(goal: EquityGoal, period: Period, baseline: Period) -> GoalPeriods:
    """The periods of a goal in a report of a period against a baseline; a baseline of the goal's own goes before."""
    start = goal.baseline or baseline
    if goal.goal.due >= period[0]:
        return GoalPeriods(start, None)
    then: Period | None = period
    while then is not None and then[1] > goal.goal.due:
        then = year_before(then)
    return GoalPeriods(start, then if then is not None and then[1] > start[1] else None)


def further_periods(goals: Iterable[EquityGoal], period: Period, baseline: Period) -> dict[Period, frozenset[str]]:
    """The periods other than these two that the goals are judged by, each with the measures to look at (none: all)."""
    found: dict[Period, frozenset[str]] = {}
    for goal in goals:
        judged = periods_of(goal, period, baseline)
        for one in (judged.baseline, judged.then):
            if one is not None and one not in (period, baseline):
                known = found.get(one, frozenset(goal.measures))
                found[one] = known | frozenset(goal.measures) if known and goal.measures else frozenset[str]()
    return found


def year_before(period: Period) -> Period | None:
    """The same days a year before (of 29 February the 28th); None where there is no such year."""
    if period[0].year == date.min.year:
        return None
    start, end = (
        one.replace(year=one.year - 1, day=28 if (one.month, one.day) == (2, 29) else one.day) for one in period
    )
    return start, end
