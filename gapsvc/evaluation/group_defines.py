"""A measure's groups with the defines that say who is in each population and what the gap is, resolved once."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gapsvc.evaluation.gap_defines import CHANGES_ON, gap_defines
from gapsvc.evaluation.membership import rows_of
from gapsvc.measures import Group, MeasureDefinition, MeasureError
from gapsvc.measures.scoring import PopulationRow


@dataclass(frozen=True, slots=True)
class GroupDefines:
    """A group with its scoring, its populations in order, and its gap parts resolved to the defines that there are."""

    group: Group
    scoring: str
    rows: tuple[tuple[str, str, PopulationRow], ...]
    gap: Mapping[str, str]
    nobody: Mapping[str, int]  # the counts of a person outside the initial population
    plain: bool  # of a person outside the initial population there is nothing to say but when that changes

    @property
    def boolean(self) -> bool:
        return self.group.basis == "boolean"

    def of_library(self, prefix: str) -> "GroupDefines":
        """The same with the defines' full names."""
        rows = tuple((population, prefix + define, row) for population, define, row in self.rows)
        gap = MappingProxyType({part: prefix + define for part, define in self.gap.items()})
        return dataclasses.replace(self, rows=rows, gap=gap)


def resolve(measure: MeasureDefinition, defines: set[str]) -> tuple[GroupDefines, ...]:
    """The groups of a measure whose library has `defines`.

    Raises:
        MeasureError: a population names a define that the library does not have.
    """
    problems = [
        f"{measure.folder / 'measure.toml'}: group {group.id!r}, population {code!r}: "
        f"library {measure.library_name} has no define {define!r}"
        for group in measure.groups
        for code, define in group.populations.items()
        if define not in defines
    ]
    if problems:
        raise MeasureError(problems)
    found: list[GroupDefines] = []
    for group in measure.groups:
        scoring = group.scoring or measure.scoring
        gap = MappingProxyType(gap_defines(group, defines))
        rows = rows_of(group, scoring)
        nobody = MappingProxyType({population: 0 for population, _define, _row in rows})
        plain = (
            group.basis == "boolean"
            and scoring == "proportion"
            and CHANGES_ON in gap
            and not group.observations
            and not group.stratifiers
        )
        found.append(GroupDefines(group, scoring, rows, gap, nobody, plain))
    return tuple(found)
