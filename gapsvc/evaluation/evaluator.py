"""A record and a measure -> a MeasureResult. Pure: the period and "today" are parameters.

All set-up (compiling the library, expanding value sets, binding parameters) is done once per measure, period and
as-of day; evaluating a person only runs the compiled defines that are asked for.
"""

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
from gapsvc.evaluation.gap_defines import said
from gapsvc.evaluation.group_defines import GroupDefines, resolve
from gapsvc.evaluation.membership import (
    Members,
    counted,
    label,
    observe,
    populations,
    reference_of,
    stratify,
)
from gapsvc.evaluation.outside import Outside
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
from gapsvc.measures import Group, MeasureDefinition
from gapsvc.measures.definition import SupplementalData
from gapsvc.records.record import PatientRecord

MEASURE_POPULATION_SYSTEM = "http://terminology.hl7.org/CodeSystem/measure-population"

Engine = Literal["compiled", "reference"]


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
        self._groups = resolve(measure, set(self.library.defines))
        self._shared: SharedSessions | None = None
        if shared is not None and not measure.supplemental and all(defines.plain for defines in self._groups):
            shared.join(self.library, measure.parameters)
            self._shared = shared
            self._groups = tuple(defines.of_library(f"{self.library.name}.") for defines in self._groups)
        self._prepared: tuple[tuple[Key, int], PreparedEvaluation] | None = None

    @property
    def shared(self) -> SharedSessions | None:
        """Those that it is evaluated together with; None: it keeps to itself."""
        return self._shared

    def on(self, period_start: date, period_end: date, as_of: date) -> "PreparedEvaluation":
        """This measure bound to one period (both ends inclusive) and one as-of day, ready for many people."""
        key = (period_start, period_end, as_of)
        kept = (key, 0 if self._shared is None else self._shared.size)
        prepared = self._prepared  # read once: threads share the evaluator
        if prepared is None or prepared[0] != kept:
            sessions = self._alone(key) if self._shared is None else self._shared.on(key)
            outside = Outside(self.measure, self._groups, as_of, period_end, self.software)
            prepared = self._prepared = (
                kept,
                PreparedEvaluation(
                    self.measure,
                    self._groups,
                    sessions,
                    period_start,
                    period_end,
                    as_of,
                    self.software,
                    {group.id: group.combines for group in self.measure.groups if group.combines},
                    outside,
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


@dataclass(frozen=True, slots=True)
class PreparedEvaluation:
    """A measure bound to a period and a day; `evaluate` is all that a loop over people calls."""

    measure: MeasureDefinition
    groups: tuple[GroupDefines, ...]
    session: Sessions
    period_start: date
    period_end: date
    as_of: date
    software: str
    combines: Mapping[str, tuple[str, ...]]  # a combination's group id -> its parts' (gapsvc.evaluation.combining)
    outside: Outside

    def evaluate(self, record: PatientRecord) -> MeasureResult:
        """The result for one person.

        Raises:
            cql_like.CqlRuntimeError: the measure's logic failed on this record.
        """
        session = self.session(record)
        measure, outside = self.measure, self.outside
        say = session.evaluate
        patient = f"Patient/{record.patient['id']}"
        supplemental: tuple[SupplementalResult, ...] = ()
        evaluated: Mapping[str, Sequence[str]]
        if outside.of_all(say):  # most persons in most measures
            groups = outside.results(record.data_as_of, say)
            evaluated = {patient: outside.looked_at}
        else:
            marked: dict[str, list[str]] = {patient: []}
            evaluated = marked
            basis = outside.basis(record.data_as_of)
            found = [self._group(defines, session, basis, marked) for defines in self.groups]
            groups = tuple(found)
            if self.combines:
                groups = with_parts(groups, self.combines)
            groups = told_twice(groups, record.sources)
            if any(group.populations.get("initial-population") for group in groups):
                supplemental = tuple(_supplemental(one, say) for one in measure.supplemental)
            if any(not defines.gap for defines in self.groups):
                for resource in session.retrieved:
                    reference = reference_of(resource)
                    if reference is not None:
                        marked.setdefault(reference, [])
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
            groups=groups,
            evaluated=looked_at,
            supplemental=supplemental,
            sources=EvidenceSources(looked_at, record.sources),
        )

    def _group(
        self, defines: GroupDefines, session: cql_like.Session, basis: Basis, evaluated: dict[str, list[str]]
    ) -> GroupResult:
        say, group, scoring = session.evaluate, defines.group, defines.scoring
        if defines.plain and say(defines.rows[0][1]) is not True:
            next(iter(evaluated.values())).append(f"{group.id}-initial-population")
            return self.outside.result(defines, basis.data_as_of, say)
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
            basis=basis,
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
    defines: GroupDefines,
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
