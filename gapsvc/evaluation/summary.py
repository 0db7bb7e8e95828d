"""Many people's results of one measure as one: counts added up, observations put together, scores of the whole.

A score is of the whole, never a mean of people's scores (FHIR Clinical Reasoning §Measure scoring). Pure; people are
added one at a time, and of each only counts and observations are kept.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from gapsvc.evaluation.evaluator import PreparedEvaluation
from gapsvc.evaluation.result import (
    Basis,
    Coding,
    Label,
    MeasureResult,
    Observations,
    StratifierResult,
    Stratum,
)
from gapsvc.evaluation.scoring import DifferentUnits, score, together
from gapsvc.measures import MeasureDefinition
from gapsvc.measures.scoring import OBSERVATION, POPULATION_ROWS


@dataclass(frozen=True, slots=True)
class ShownStratum:
    """A stratum of which counts may be masked (None)."""

    values: tuple[Label, ...]
    populations: Mapping[str, int | None]
    score: Decimal | None = None
    observations: tuple[Observations, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownStratifier:
    """A stratifier whose strata may be masked: the same shape as StratifierResult."""

    id: str
    codes: tuple[Label, ...]
    has_components: bool
    strata: tuple[ShownStratum, ...]


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """One rate over all people: the same shape as a person's (GroupResult), with counts of members.

    A count of None is masked (evaluation.stratified); nothing is in what is added up here.
    """

    id: str
    description: str
    populations: Mapping[str, int | None]
    score: Decimal | None
    scoring: str
    improvement_notation: str
    observations: tuple[Observations, ...]
    stratifiers: tuple[StratifierResult | ShownStratifier, ...]


@dataclass(frozen=True, slots=True)
class SupplementalCount:
    """How many people have each value of a supplemental data element, most frequent first."""

    id: str
    usage: str
    code: Label
    values: tuple[tuple[Label, int], ...]


@dataclass(frozen=True, slots=True)
class MeasureSummary:
    """One measure over a period, as of a day, over `persons` people. `problems` says what could not be scored."""

    measure_id: str
    measure_url: str
    measure_version: str
    measure_title: str
    scoring: str
    improvement_notation: str
    period_start: date
    period_end: date
    as_of: date
    persons: int
    groups: tuple[GroupSummary, ...]
    supplemental: tuple[SupplementalCount, ...]
    basis: Basis
    problems: tuple[str, ...]


@dataclass(slots=True)
class _Counts:
    """Counts and observations as they come in; `parts` by the population observed."""

    populations: dict[str, int] = field(default_factory=dict[str, int])
    parts: dict[str, list[Observations]] = field(default_factory=dict[str, list[Observations]])

    def add(self, populations: Mapping[str, int], observations: Iterable[Observations]) -> None:
        for name, count in populations.items():
            self.populations[name] = self.populations.get(name, 0) + count
        for one in observations:
            self.parts.setdefault(one.of, []).append(one)

    def observations(self) -> tuple[Observations, ...]:
        return tuple(together(parts) for parts in self.parts.values())


@dataclass(slots=True)
class Summing:
    """Adds up one measure's results."""

    measure: MeasureDefinition
    period_start: date
    period_end: date
    as_of: date
    basis: Basis
    persons: int = 0
    _groups: dict[str, _Counts] = field(default_factory=dict[str, _Counts])
    _strata: dict[tuple[str, str], dict[tuple[Label, ...], _Counts]] = field(
        default_factory=dict[tuple[str, str], dict[tuple[Label, ...], _Counts]]
    )
    _supplemental: dict[str, dict[Label, int]] = field(default_factory=dict[str, dict[Label, int]])
    _own: Mapping[str, set[str]] = field(default_factory=dict[str, set[str]])  # by group, ids of its stratifiers
    _further: dict[str, dict[str, StratifierResult]] = field(default_factory=dict[str, dict[str, StratifierResult]])

    @staticmethod
    def of(prepared: PreparedEvaluation) -> "Summing":
        """Nobody yet, of a measure bound to a period and a day."""
        measure = prepared.measure
        basis = Basis(measure.canonical, prepared.software, measure.schedule, {})
        return Summing(measure, prepared.period_start, prepared.period_end, prepared.as_of, basis)

    def __post_init__(self) -> None:
        self._own = {group.id: {one.id for one in group.stratifiers} for group in self.measure.groups}

    def add(self, result: MeasureResult) -> None:
        """Count one person's result. Its stratifiers are the measure's own, and others that were put to it."""
        self.persons += 1
        for group in result.groups:
            self._groups.setdefault(group.id, _Counts()).add(group.populations, group.observations)
            for stratifier in group.stratifiers:
                if stratifier.id not in self._own[group.id]:
                    self._further.setdefault(group.id, {}).setdefault(stratifier.id, stratifier)
                strata = self._strata.setdefault((group.id, stratifier.id), {})
                for stratum in stratifier.strata:
                    strata.setdefault(stratum.values, _Counts()).add(stratum.populations, stratum.observations)
        for one in result.supplemental:
            counts = self._supplemental.setdefault(one.id, {})
            for label in dict.fromkeys(value.label for value in one.values if value.label is not None):
                counts[label] = counts.get(label, 0) + 1

    def _strata_of(self, scoring: str, group: str, stratifier: str) -> tuple[Stratum, ...]:
        found = self._strata.get((group, stratifier), {})
        return tuple(_stratum(scoring, values, each) for values, each in sorted(found.items(), key=_words))

    def summary(self) -> MeasureSummary:
        """What has been added so far."""
        measure = self.measure
        problems: list[str] = []
        groups: list[GroupSummary] = []
        for group in measure.groups:
            scoring = group.scoring or measure.scoring
            counts = self._groups.get(group.id, _Counts())
            for row in POPULATION_ROWS[scoring]:  # of nobody at all, every population is still said to be empty
                if row.population in group.populations:
                    counts.populations.setdefault(row.population, 0)
            for one in group.observations:
                name = OBSERVATION if one.of == "measure-population" else f"{OBSERVATION}.{one.of}"
                counts.populations.setdefault(name, 0)
                counts.parts.setdefault(one.of, [Observations(one.of, one.aggregate, ())])
            stratifiers: list[StratifierResult] = []
            try:
                observations = counts.observations()
                for one in group.stratifiers:
                    codes = tuple(Label(part.text, _coding(part.coding)) for part in one.components)
                    strata = self._strata_of(scoring, group.id, one.id)
                    stratifiers.append(StratifierResult(one.id, codes, one.has_components, strata))
                stratifiers += [
                    replace(one, strata=self._strata_of(scoring, group.id, one.id))
                    for one in self._further.get(group.id, {}).values()
                ]
            except DifferentUnits as error:
                problems.append(f"group {group.id!r} has no score: {error}")
                observations, stratifiers = (), []
            groups.append(
                GroupSummary(
                    id=group.id,
                    description=group.title,
                    populations=MappingProxyType(dict(counts.populations)),
                    score=score(scoring, counts.populations, observations),
                    scoring=group.scoring,
                    improvement_notation=group.improvement_notation,
                    observations=observations,
                    stratifiers=tuple(stratifiers),
                )
            )
        return MeasureSummary(
            measure_id=measure.id,
            measure_url=measure.url,
            measure_version=measure.version,
            measure_title=measure.title,
            scoring=measure.scoring,
            improvement_notation=measure.improvement_notation,
            period_start=self.period_start,
            period_end=self.period_end,
            as_of=self.as_of,
            persons=self.persons,
            groups=tuple(groups),
            supplemental=tuple(
                SupplementalCount(
                    one.id,
                    one.usage,
                    Label(one.criterion.text, _coding(one.criterion.coding)),
                    tuple(
                        sorted(self._supplemental.get(one.id, {}).items(), key=lambda item: (-item[1], item[0].text))
                    ),
                )
                for one in measure.supplemental
            ),
            basis=self.basis,
            problems=tuple(problems),
        )


def _stratum(scoring: str, values: tuple[Label, ...], counts: _Counts) -> Stratum:
    observations = counts.observations()
    populations = MappingProxyType(counts.populations)
    return Stratum(values, populations, observations, score(scoring, populations, observations))


def _words(item: tuple[tuple[Label, ...], _Counts]) -> tuple[str, ...]:
    return tuple(label.text for label in item[0])


def _coding(pair: tuple[str, str] | None) -> Coding | None:
    return None if pair is None else Coding(*pair)
