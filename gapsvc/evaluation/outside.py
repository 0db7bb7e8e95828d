"""Results of people outside the initial population: nothing but the day on which that changes. Pure.

Most people are outside of most measures, so these results are made once and shared.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from gapsvc.evaluation.gap import Said, Standing, judge
from gapsvc.evaluation.gap_defines import CHANGES_ON, day
from gapsvc.evaluation.group_defines import GroupDefines
from gapsvc.evaluation.result import Basis, GapRecord, GroupResult
from gapsvc.measures import MeasureDefinition

Say = Callable[[str], Any]

_MOST_KEPT = 4096  # days of change there are few; states of the data, as many as there are sets of sources
_NOT_IN_POPULATION = Standing(in_initial_population=False, eligible=False, met=False)


class Outside:
    """What is said of people outside the initial population of plain groups: for most people, in most measures, the
    same. So it is made once for each day of change and each state of the data.

    Shared by the threads that evaluate: what two of them make at once is equal.
    """

    __slots__ = (
        "_as_of",
        "_gaps",
        "_groups",
        "_measure",
        "_period_end",
        "_populations",
        "_results",
        "_software",
        "looked_at",
    )

    def __init__(
        self,
        measure: MeasureDefinition,
        groups: tuple[GroupDefines, ...],
        as_of: date,
        period_end: date,
        software: str,
    ) -> None:
        self._measure, self._groups = measure, groups
        self._as_of, self._period_end, self._software = as_of, period_end, software
        self._gaps: dict[object, GapRecord] = {}
        self._results: dict[object, tuple[GroupResult, ...]] = {}
        # The defines that say who is in any group at all, each once; None where not all groups are plain.
        plain = all(defines.plain for defines in groups)
        self._populations = tuple(dict.fromkeys(defines.rows[0][1] for defines in groups)) if plain else None
        self.looked_at = tuple(f"{defines.group.id}-initial-population" for defines in groups)

    def of_all(self, say: Say) -> bool:
        """Whether somebody is outside of all groups, and nothing else has to be said of it."""
        if self._populations is None:
            return False
        return all(say(define) is not True for define in self._populations)

    def results(self, data_as_of: Mapping[str, str], say: Say) -> tuple[GroupResult, ...]:
        """What is said of somebody who is outside of all groups."""
        days = [day(say(defines.gap[CHANGES_ON])) for defines in self._groups]
        key = (*days, *data_as_of.items())
        found = self._results.get(key)
        if found is None:
            if len(self._results) >= _MOST_KEPT:
                self._results.clear()
            found = self._results[key] = tuple(
                [self._result(defines, on, data_as_of) for defines, on in zip(self._groups, days, strict=True)]
            )
        return found

    def result(self, defines: GroupDefines, data_as_of: Mapping[str, str], say: Say) -> GroupResult:
        """What is said of somebody who is outside of one group."""
        return self._result(defines, day(say(defines.gap[CHANGES_ON])), data_as_of)

    def basis(self, data_as_of: Mapping[str, str]) -> Basis:
        """What a result of the measure rests on."""
        measure = self._measure
        return Basis(measure.canonical, self._software, measure.schedule, data_as_of, measure.population)

    def _result(self, defines: GroupDefines, changes_on: date | None, data_as_of: Mapping[str, str]) -> GroupResult:
        key = (changes_on, *data_as_of.items())
        gap = self._gaps.get(key)
        if gap is None:
            if len(self._gaps) >= _MOST_KEPT:
                self._gaps.clear()
            gap = self._gaps[key] = judge(
                _NOT_IN_POPULATION,
                Said(defined=True, changes_on=changes_on),
                as_of=self._as_of,
                period_end=self._period_end,
                requirement=None,
                basis=self.basis(data_as_of),
            )
        group = defines.group
        return GroupResult(group.id, group.title, defines.nobody, gap, None, group.scoring, group.improvement_notation)
