"""Summaries and persons' results told apart by strata. A summary is without what suppression hides.

Of everybody it says the initial population, the denominator and the numerator, of a category the denominator and the
numerator; the denominator is without those excluded or excepted, in both. A rate that is hidden whole is not in it.
What else a summary has (the measure's own strata, supplemental data) is not in it either: from its counts small ones
could be had. Every omission is said in `problems`.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from gapsvc.evaluation.result import Coding, GroupResult, Label, MeasureResult, StratifierResult, Stratum
from gapsvc.evaluation.rollup import CROSS, Category, Cell, RateRollup, Rollup
from gapsvc.evaluation.scoring import score
from gapsvc.evaluation.stratification import dimensions
from gapsvc.evaluation.summary import GroupSummary, MeasureSummary, ShownStratifier, ShownStratum
from gapsvc.evaluation.suppression import Suppression
from gapsvc.measures import MeasureDefinition

NET = "Without those excluded or excepted."
POPULATIONS_SAID: Mapping[str, str] = MappingProxyType({"denominator": NET})


def can_be_stratified(measure: MeasureDefinition) -> bool:
    """Whether a measure's rates are proportions of persons: others are not counted by strata."""
    return all(
        (group.scoring or measure.scoring) == "proportion" and group.basis == "boolean" for group in measure.groups
    )


def stratified(summary: MeasureSummary, rollup: Rollup, suppression: Suppression) -> MeasureSummary:
    """The summary of a measure by the dimensions of a roll-up of the same people.

    Its groups are those that may be shown; none, where every rate is hidden.
    """
    by_group = {rate.group_id: rate for rate in rollup.rates if rate.measure_id == summary.measure_id}
    problems = list(summary.problems)
    groups: list[GroupSummary] = []
    hidden = [one for one in summary.groups if suppression.hides(summary.measure_id, one.id)]
    problems += [f"{one.description}: {suppression.words}." for one in hidden]
    for one in summary.groups:
        if one not in hidden:
            rate = by_group.get(one.id) or RateRollup(summary.measure_id, one.id, one.description, Cell(), {})
            groups.append(_group(one, rate, suppression))
    if any(
        suppression.categories.get((summary.measure_id, name)) for rate in by_group.values() for name in rate.strata
    ):
        problems.append(f"What is masked or left out is {suppression.words}.")
    if summary.supplemental or any(one.stratifiers for one in summary.groups):
        problems.append("The measure's own strata and supplemental data are left out of a report by strata.")
    return replace(summary, groups=tuple(groups), supplemental=(), problems=tuple(problems))


def told_apart(result: MeasureResult, strata: Mapping[str, Category]) -> MeasureResult:
    """A person's result with a stratifier for each dimension, of which the person is in one stratum. The measure's
    own stratifiers stay; where one has the id of a dimension, ours is called `by-<dimension>`."""
    return replace(result, groups=tuple(_by(group, strata) for group in result.groups))


def _by(group: GroupResult, strata: Mapping[str, Category]) -> GroupResult:
    own = {one.id for one in group.stratifiers}
    added: list[StratifierResult] = []
    for dimension, category in strata.items():
        name, codes, crossed = _named(dimension)
        values = tuple(_label(one) for one in category.parts or (category,))
        stratum = Stratum(values, group.populations, group.observations, group.score)
        added.append(StratifierResult(f"by-{name}" if name in own else name, codes, crossed, (stratum,)))
    return replace(group, stratifiers=(*group.stratifiers, *added))


def _group(group: GroupSummary, rate: RateRollup, suppression: Suppression) -> GroupSummary:
    cell = rate.total
    bare = suppression.hides_exclusions(rate.measure_id, rate.group_id)
    populations = {
        "initial-population": None if bare else cell.initial_population,
        "denominator": cell.denominator,
        "numerator": cell.numerator,
    }
    return replace(
        group,
        populations=MappingProxyType(populations),
        score=score("proportion", _counts(cell)),
        observations=(),
        stratifiers=tuple(_stratifier(name, found, rate, suppression) for name, found in rate.strata.items()),
    )


def _counts(cell: Cell) -> Mapping[str, int]:
    return MappingProxyType({"denominator": cell.denominator, "numerator": cell.numerator})


def _stratifier(
    dimension: str, cells: Mapping[Category, Cell], rate: RateRollup, suppression: Suppression
) -> ShownStratifier:
    name, codes, crossed = _named(dimension)
    strata: list[ShownStratum] = []
    for category, cell in cells.items():
        values = tuple(_label(one) for one in category.parts or (category,))
        if not suppression.hides(rate.measure_id, rate.group_id, category):
            counts = _counts(cell)
            strata.append(ShownStratum(values, counts, score("proportion", counts)))
        elif not crossed:  # of a hidden row no cell is listed (see suppression)
            strata.append(ShownStratum(values, _MASKED))
    return ShownStratifier(name, codes, crossed, tuple(strata))


def _named(dimension: str) -> tuple[str, tuple[Label, ...], bool]:
    """A stratifier's id and codes, and whether it has components."""
    codes = tuple(Label(dimensions()[part].title, dimensions()[part].coding) for part in dimension.split(CROSS))
    return dimension.replace(CROSS, "-by-").replace("_", "-"), codes, CROSS in dimension


_MASKED: Mapping[str, int | None] = MappingProxyType({"denominator": None, "numerator": None})


def _label(category: Category) -> Label:
    """What is imputed is told in words alone: its code would be taken for an answer."""
    coding: Coding | None = None if category.source == "imputed" else category.coding
    return Label(category.label, coding)
