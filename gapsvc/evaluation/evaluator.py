"""A record and a measure -> a MeasureResult. Pure: the period and "today" are parameters.

All set-up (compiling the library, expanding value sets, binding parameters) is done once per measure, period and
as-of day; evaluating a person only runs the compiled defines that are asked for.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

import cql_like
from cql_like import ExpandedTerminology
from gapsvc.evaluation import looking
from gapsvc.evaluation.combining import with_parts
from gapsvc.evaluation.gap import Said, Standing, judge
from gapsvc.evaluation.gap_defines import CHANGES_ON, day, gap_defines, said
from gapsvc.evaluation.membership import (
    Members,
    counted,
    label,
    observe,
    populations,
    reference_of,
    rows_of,
    stratify,
)
from gapsvc.evaluation.provenance import EvidenceSources, told_twice
from gapsvc.evaluation.result import (
    Basis,
    Coding,
    GapRecord,
    GroupResult,
    Label,
    MeasureResult,
    Need,
    SupplementalResult,
    SupplementalValue,
)
from gapsvc.evaluation.scoring import remaining, score
from gapsvc.evaluation.sharing import Key, Sessions, SharedSessions, moment_of, period_parameter
from gapsvc.measures import Group, MeasureDefinition, MeasureError
from gapsvc.measures.definition import SupplementalData
from gapsvc.measures.scoring import PopulationRow
from gapsvc.records.record import PatientRecord

MEASURE_POPULATION_SYSTEM = "http://terminology.hl7.org/CodeSystem/measure-population"

Engine = Literal["compiled", "reference"]


@dataclass(frozen=True, slots=True)
class _GroupDefines:
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

    def of_library(self, prefix: str) -> "_GroupDefines":
        """The same with the defines' full names."""
        rows = tuple((population, prefix + define, row) for population, define, row in self.rows)
        gap = MappingProxyType({part: prefix + define for part, define in self.gap.items()})
        return dataclasses.replace(self, rows=rows, gap=gap)


class Evaluator:
    """One measure, compiled. Make one per measure and keep it."""

    def __init__(
        self,
        measure: MeasureDefinition,
        *,
        software: str,
        engine: Engine = "compiled",
        cache: Path | None = None,
        profile: cql_like.Profile | None = None,
        shared: SharedSessions | None = None,
    ) -> None:
        """Compile the measure.

        Args:
            measure: the measure.
            software: what results say they were made by.
            engine: which of the two evaluators runs the logic.
            cache: a folder of this user's own where the compiled library is kept between processes.
            profile: adds up the time that each define takes.
            shared: the measures that it is evaluated together with. It joins them if its defines say all of its gaps;
                otherwise it keeps to itself, since what it looked at is then read off the session.

        Raises:
            cql_like.CqlErrors: the library or one that it includes is wrong.
            MeasureError: a population names a define that the library does not have.
        """
        self.measure = measure
        self.software = software
        self._engine: Engine = engine
        self._profile = profile
        self.library = cql_like.compile_library(measure.cql + measure.drivers, libraries=measure.libraries, cache=cache)
        self._groups = _resolve(measure, set(self.library.defines))
        self._shared: SharedSessions | None = None
        if shared is not None and not measure.supplemental and all(defines.plain for defines in self._groups):
            shared.join(self.library, measure.parameters)
            self._shared = shared
            self._groups = tuple(defines.of_library(f"{self.library.name}.") for defines in self._groups)
        self._prepared: tuple[Key, PreparedEvaluation] | None = None

    def on(self, period_start: date, period_end: date, as_of: date) -> "PreparedEvaluation":
        """This measure bound to one period (both ends inclusive) and one as-of day, ready for many people."""
        key = (period_start, period_end, as_of)
        prepared = self._prepared  # read once: threads share the evaluator
        if prepared is None or prepared[0] != key:
            sessions = self._alone(key) if self._shared is None else self._shared.on(key)
            prepared = self._prepared = (
                key,
                PreparedEvaluation(
                    self.measure,
                    self._groups,
                    sessions,
                    period_start,
                    period_end,
                    as_of,
                    self.software,
                    {group.id: group.combines for group in self.measure.groups if group.combines},
                ),
            )
        return prepared[1]

    def _alone(self, key: Key) -> Sessions:
        start, end, as_of = key
        return self.library.prepare(
            parameters={**self.measure.parameters, **period_parameter(self.library, start, end)},
            terminology=ExpandedTerminology.of(self.measure.value_sets),
            now=moment_of(as_of),
            engine=self._engine,
            profile=self._profile,
        ).session

    def evaluate(self, record: PatientRecord, period_start: date, period_end: date, as_of: date) -> MeasureResult:
        """One person's result over a period (both ends inclusive), as of a day."""
        return self.on(period_start, period_end, as_of).evaluate(record)


class _Outside:
    """The gap records of a person in groups whose initial population they are not in: one a day of change."""

    __slots__ = ("_by_day", "basis", "marks")

    def __init__(self, basis: Basis, marks: list[str]) -> None:
        self.basis = basis
        self.marks = marks  # the groups that the Patient had a part in
        self._by_day: dict[date | None, GapRecord] = {}

    def gap(self, changes_on: date | None, as_of: date, period_end: date) -> GapRecord:
        found = self._by_day.get(changes_on)
        if found is None:
            found = self._by_day[changes_on] = judge(
                _NOT_IN_POPULATION,
                Said(defined=True, changes_on=changes_on),
                as_of=as_of,
                period_end=period_end,
                requirement=None,
                basis=self.basis,
            )
        return found


_NOT_IN_POPULATION = Standing(in_initial_population=False, eligible=False, met=False)


@dataclass(frozen=True, slots=True)
class PreparedEvaluation:
    """A measure bound to a period and a day; `evaluate` is all that a loop over people calls."""

    measure: MeasureDefinition
    groups: tuple[_GroupDefines, ...]
    session: Sessions
    period_start: date
    period_end: date
    as_of: date
    software: str
    combines: Mapping[str, tuple[str, ...]]  # a combination's group id -> its parts' (gapsvc.evaluation.combining)

    def evaluate(self, record: PatientRecord) -> MeasureResult:
        """The result for one person.

        Raises:
            cql_like.CqlRuntimeError: the measure's logic failed on this record.
        """
        session = self.session(record)
        measure = self.measure
        basis = Basis(measure.canonical, self.software, measure.schedule, record.data_as_of, measure.population)
        marks: list[str] = []
        evaluated: dict[str, list[str]] = {f"Patient/{record.patient['id']}": marks}
        outside = _Outside(basis, marks)
        groups = tuple(self._group(defines, session, outside, evaluated) for defines in self.groups)
        if self.combines:
            groups = with_parts(groups, self.combines)
        supplemental: tuple[SupplementalResult, ...] = ()
        if any(group.populations.get("initial-population") for group in groups):
            supplemental = tuple(_supplemental(one, session.evaluate) for one in measure.supplemental)
        if any(not defines.gap for defines in self.groups):
            for resource in session.retrieved:
                reference = reference_of(resource)
                if reference is not None:
                    evaluated.setdefault(reference, [])
        # sorted, as it is stored
        looked_at = MappingProxyType({reference: tuple(marks) for reference, marks in sorted(evaluated.items())})
        return MeasureResult(
            subject=f"Patient/{record.person_id}",
            measure_id=measure.id,
            measure_url=measure.url,
            measure_version=measure.version,
            measure_title=measure.title,
            scoring=measure.scoring,
            improvement_notation=measure.improvement_notation,
            period_start=self.period_start,
            period_end=self.period_end,
            as_of=self.as_of,
            groups=told_twice(groups, record.sources),
            evaluated=looked_at,
            supplemental=supplemental,
            sources=EvidenceSources(looked_at, record.sources),
        )

    def _group(
        self, defines: _GroupDefines, session: cql_like.Session, outside: "_Outside", evaluated: dict[str, list[str]]
    ) -> GroupResult:
        say, group, scoring = session.evaluate, defines.group, defines.scoring
        if defines.plain and say(defines.rows[0][1]) is not True:  # most persons in most groups
            gap = outside.gap(day(say(defines.gap[CHANGES_ON])), self.as_of, self.period_end)
            outside.marks.append(f"{group.id}-initial-population")
            return GroupResult(
                group.id, group.title, defines.nobody, gap, None, group.scoring, group.improvement_notation
            )
        members = populations(defines.rows, say, boolean=defines.boolean)
        observed = [observe(one, members, say, boolean=defines.boolean) for one in group.observations]
        counts = counted(members, observed)
        observations = tuple(one.of_members(members[one.of]) for one in observed)
        inverse = (group.improvement_notation or self.measure.improvement_notation) == "decrease"
        standing = Standing.of(counts, inverse=inverse, scoring=scoring)
        if defines.gap:
            told = said(defines.gap, say, looked_at=standing.in_initial_population)
        else:
            told = _found_out(defines, session, members, counts, standing, evaluated)
        gap = judge(
            standing,
            told,
            as_of=self.as_of,
            period_end=self.period_end,
            requirement=group.requirement,
            basis=outside.basis,
        )
        _note(evaluated, group, gap)
        return GroupResult(
            group.id,
            group.title,
            counts,
            gap,
            score=score(scoring, counts, observations),
            scoring=group.scoring,
            improvement_notation=group.improvement_notation,
            observations=observations,
            stratifiers=tuple(stratify(one, scoring, members, observed, say) for one in group.stratifiers),
        )


def _resolve(measure: MeasureDefinition, defines: set[str]) -> tuple[_GroupDefines, ...]:
    problems = [
        f"{measure.folder / 'measure.toml'}: group {group.id!r}, population {code!r}: "
        f"library {measure.library_name} has no define {define!r}"
        for group in measure.groups
        for code, define in group.populations.items()
        if define not in defines
    ]
    if problems:
        raise MeasureError(problems)
    found: list[_GroupDefines] = []
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
        found.append(_GroupDefines(group, scoring, rows, gap, nobody, plain))
    return tuple(found)


def _note(evaluated: dict[str, list[str]], group: Group, gap: GapRecord) -> None:
    """Note which populations each resource decided (`<group>-<population>`, the ids that the Measure carries): the
    Patient the initial population, what counted the numerator. What was only looked at decided none."""
    patient = next(iter(evaluated))
    for reference, population in (
        (patient, "initial-population"),
        *((item.reference, "numerator") for item in gap.counted),
    ):
        marks = evaluated.setdefault(reference, [])
        if f"{group.id}-{population}" not in marks:
            marks.append(f"{group.id}-{population}")
    for item in gap.discounted:
        evaluated.setdefault(item.reference, [])


def _found_out(
    defines: _GroupDefines,
    session: cql_like.Session,
    members: Mapping[str, Members],
    counts: Mapping[str, int],
    standing: Standing,
    evaluated: dict[str, list[str]],
) -> Said:
    """What can be said of a gap where the measure itself says nothing: from its populations, and the engine's trace."""
    group = defines.group
    if not counts["initial-population"]:
        return Said(defined=False)
    decided = looking.deciding(session, group.populations, members)
    for name, resources in decided.items():
        for resource in resources:
            reference = reference_of(resource)
            if reference is not None and members.get(name):
                marks = evaluated.setdefault(reference, [])
                if f"{group.id}-{name}" not in marks:
                    marks.append(f"{group.id}-{name}")
    exclusion = next((name for name in _EXCLUDING if counts.get(name)), None)
    evidence = looking.counted(decided.get("numerator", ())) if members.get("numerator") else ()
    return Said(
        defined=False,
        need=Need(group.title, Coding(MEASURE_POPULATION_SYSTEM, "numerator", "Numerator")),
        needed=None if defines.boolean else remaining(counts, "denominator"),
        done=None if defines.boolean else remaining(counts, "numerator"),
        counted=evidence,
        exclusion=exclusion if not standing.eligible else None,
    )


_EXCLUDING = ("denominator-exclusion", "denominator-exception")


def _supplemental(one: SupplementalData, say: Callable[[str], Any]) -> SupplementalResult:
    """What a supplemental data element says: resources by reference, everything else in words and code."""
    said = say(one.criterion.define)
    items: Sequence[Any] = cast("Sequence[Any]", said) if isinstance(said, list | tuple) else [said]
    values: dict[SupplementalValue, None] = {}
    for item in items:
        if item is not None:
            reference = reference_of(item)
            value = SupplementalValue(reference) if reference else SupplementalValue(label=label(item))
            values[value] = None
    coding = one.criterion.coding
    code = Label(one.criterion.text, None if coding is None else Coding(*coding))
    return SupplementalResult(one.id, one.usage, code, tuple(values))
