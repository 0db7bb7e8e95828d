"""By which periods a goal is judged."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from gapsvc.equity.configuration import EquityGoal
from gapsvc.equity.goal_periods import GoalPeriods, Period, further_periods, periods_of, year_before
from gapsvc.evaluation.disparity import Goal


def year(number: int) -> Period:
    return date(number, 1, 1), date(number, 12, 31)


def goal(due: date, baseline: Period | None = None, *measures: str) -> EquityGoal:
    aim = Goal("half", "Half", Fraction(1, 2), due)
    return EquityGoal(aim, measures, (), "race", frozenset(), None, baseline, "test", "certain")


@pytest.mark.parametrize(
    ("due", "baseline", "expected"),
    [
        (date(2027, 12, 31), None, GoalPeriods(year(2025), None)),  # it is still to come
        (date(2026, 6, 30), None, GoalPeriods(year(2025), None)),  # within the period: held to its figures
        (date(2025, 12, 31), year(2022), GoalPeriods(year(2022), year(2025))),
        (date(2025, 6, 30), year(2022), GoalPeriods(year(2022), year(2024))),  # 2025 was not over
        (date(2023, 6, 30), year(2022), GoalPeriods(year(2022), None)),  # no year between
        (date(2025, 12, 31), None, GoalPeriods(year(2025), None)),
    ],
)
def test_the_periods_of_a_goal(due: date, baseline: Period | None, expected: GoalPeriods) -> None:
    assert periods_of(goal(due, baseline), year(2026), year(2025)) == expected


def test_further_periods_are_those_that_a_report_does_not_have_with_the_measures_to_look_at() -> None:
    goals = [
        goal(date(2025, 12, 31), year(2022), "w30"),
        goal(date(2024, 12, 31), year(2022), "wcv"),
        goal(date(2027, 12, 31), None, "lsc"),
    ]
    assert further_periods(goals, year(2026), year(2025)) == {
        year(2022): frozenset({"w30", "wcv"}), year(2024): frozenset({"wcv"}),
    }  # fmt: skip
    every = [replace(goals[0], measures=()), goals[1]]
    assert further_periods(every, year(2026), year(2025))[year(2022)] == frozenset()


def test_a_year_before_is_of_the_same_days() -> None:
    assert year_before((date(2024, 2, 1), date(2024, 2, 29))) == (date(2023, 2, 1), date(2023, 2, 28))
    assert year_before(year(1)) is None
