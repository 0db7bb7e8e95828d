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
from cql_like.types import DATE, IntervalOf
from gapsvc.evaluation import looking, wording
from gapsvc.evaluation.gap import Said, Standing, judge
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
from gapsvc.evaluation.result import (
    Basis,
    Coding,
    Counted,
    Discounted,
    GapRecord,
    GroupResult,
    Label,
    MeasureResult,
    Need,
    SupplementalResult,
    SupplementalValue,
)
from gapsvc.evaluation.scoring import remaining, score
from gapsvc.measures import Group, MeasureDefinition, MeasureError
from gapsvc.measures.definition import SupplementalData
from gapsvc.measures.scoring import PopulationRow
from gapsvc.records.record import PatientRecord

PERIOD = "Measurement Period"
MEASURE_POPULATION_SYSTEM = "http://terminology.hl7.org/CodeSystem/measure-population"

# The defines that say a gap, beside the populations (design/gaps.md). Each is looked for with the group's suffix
# (`Gap Need Two Visits`), then without (`Gap Need`), so that what rates share is said once.
GAP_PARTS = (
    "Need",
    "Needed",
    "Done",
    "Due From",
    "Due By",
    "Last Day",
    "Changes On",
    "Outlook",
    "Counted",
    "Discounted",
    "Exclusion",
)

Engine = Literal["compiled", "reference"]


@dataclass(frozen=True, slots=True)
class _GroupDefines:
    """A group with its scoring, its populations in order, and its gap parts resolved to the defines that there are."""

    group: Group
    scoring: str
    rows: tuple[tuple[str, str, PopulationRow], ...]
    gap: Mapping[str, str]

    @property
    def boolean(self) -> bool:
        return self.group.basis == "boolean"


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
    ) -> None:
        """Compile the measure.

        Args:
            measure: the measure.
            software: what results say they were made by.
            engine: which of the two evaluators runs the logic.
            cache: a folder of this user's own where the compiled library is kept between processes.
            profile: adds up the time that each define takes.

        Raises:
            cql_like.CqlErrors: the library or one that it includes is wrong.
            MeasureError: a population names a define that the library does not have.
        """
        self.measure = measure
        self.software = software
        self._engine: Engine = engine
        self._profile = profile
        self.library = cql_like.compile_library(measure.cql + measure.drivers, libraries=measure.libraries, cache=cache)
        self._terminology = ExpandedTerminology.of(measure.value_sets)
        self._groups = _resolve(measure, set(self.library.defines))
        self._prepared: tuple[tuple[date, date, date], PreparedEvaluation] | None = None

    def on(self, period_start: date, period_end: date, as_of: date) -> "PreparedEvaluation":
        """This measure bound to one period (both ends inclusive) and one as-of day, ready for many people."""
        key = (period_start, period_end, as_of)
        prepared = self._prepared  # read once: threads share the evaluator
        if prepared is None or prepared[0] != key:
            sessions = self.library.prepare(
                parameters={**self.measure.parameters, **_period(self.library, period_start, period_end)},
                terminology=self._terminology,
                now=cql_like.DateTime(as_of.year, as_of.month, as_of.day, 0, 0, 0, 0, 0),
                engine=self._engine,
                profile=self._profile,
            )
            prepared = self._prepared = (
                key,
                PreparedEvaluation(
                    self.measure, self._groups, sessions.session, period_start, period_end, as_of, self.software
                ),
            )
        return prepared[1]

    def evaluate(self, record: PatientRecord, period_start: date, period_end: date, as_of: date) -> MeasureResult:
        """One person's result over a period (both ends inclusive), as of a day."""
        return self.on(period_start, period_end, as_of).evaluate(record)


@dataclass(frozen=True, slots=True)
class PreparedEvaluation:
    """A measure bound to a period and a day; `evaluate` is all that a loop over people calls."""

    measure: MeasureDefinition
    groups: tuple[_GroupDefines, ...]
    session: Callable[[PatientRecord], cql_like.Session]
    period_start: date
    period_end: date
    as_of: date
    software: str

    def evaluate(self, record: PatientRecord) -> MeasureResult:
        """The result for one person.

        Raises:
            cql_like.CqlRuntimeError: the measure's logic failed on this record.
        """
        session = self.session(record)
        measure = self.measure
        basis = Basis(measure.canonical, self.software, measure.schedule, record.data_as_of)
        evaluated: dict[str, list[str]] = {f"Patient/{record.patient['id']}": []}
        groups = tuple(self._group(defines, session, basis, evaluated) for defines in self.groups)
        supplemental: tuple[SupplementalResult, ...] = ()
        if any(group.populations.get("initial-population") for group in groups):
            supplemental = tuple(_supplemental(one, session.evaluate) for one in measure.supplemental)
        if any(not defines.gap for defines in self.groups):
            for resource in session.retrieved:
                reference = reference_of(resource)
                if reference is not None:
                    evaluated.setdefault(reference, [])
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
            # sorted, as it is stored
            evaluated=MappingProxyType({reference: tuple(marks) for reference, marks in sorted(evaluated.items())}),
            supplemental=supplemental,
        )

    def _group(
        self, defines: _GroupDefines, session: cql_like.Session, basis: Basis, evaluated: dict[str, list[str]]
    ) -> GroupResult:
        say, group, scoring = session.evaluate, defines.group, defines.scoring
        members = populations(defines.rows, say, boolean=defines.boolean)
        observed = [observe(one, members, say, boolean=defines.boolean) for one in group.observations]
        counts = counted(members, observed)
        observations = tuple(one.of_members(members[one.of]) for one in observed)
        inverse = (group.improvement_notation or self.measure.improvement_notation) == "decrease"
        standing = Standing.of(counts, inverse=inverse, scoring=scoring)
        if defines.gap:
            said = _said(defines.gap, say, looked_at=standing.in_initial_population)
        else:
            said = _found_out(defines, session, members, counts, standing, evaluated)
        gap = judge(
            standing,
            said,
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


def _period(library: cql_like.Library, start: date, end: date) -> Mapping[str, cql_like.Interval]:
    """The measurement period as the parameter's type has it: of date-times, or of dates; nothing if no library asks."""
    declared = [
        parameter.type
        for included in library.program.libraries.values()
        for name, parameter in included.parameters.items()
        if name == PERIOD
    ]
    if not declared:
        return {}
    if declared[0] == IntervalOf(DATE):
        low, high = (cql_like.Date(day.year, day.month, day.day) for day in (start, end))
        return {PERIOD: cql_like.Interval(low, high, True, True)}
    first = cql_like.DateTime(start.year, start.month, start.day, 0, 0, 0, 0, 0)
    last = cql_like.DateTime(end.year, end.month, end.day, 23, 59, 59, 999, 0)
    return {PERIOD: cql_like.Interval(first, last, True, True)}


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
        gap = MappingProxyType(_gap_defines(group, defines))
        found.append(_GroupDefines(group, scoring, rows_of(group, scoring), gap))
    return tuple(found)


def _gap_defines(group: Group, defines: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in GAP_PARTS:
        own, shared = f"Gap {part} {group.gap}", f"Gap {part}"
        if group.gap is not None and own in defines:
            found[part] = own
        elif shared in defines:
            found[part] = shared
    return found


def _said(gap: Mapping[str, str], say: Callable[[str], Any], *, looked_at: bool) -> Said:
    """What the gap defines say. Outside the initial population only the day on which that changes is asked."""
    if not gap:
        return Said(defined=False)
    if not looked_at:
        changes_on = gap.get("Changes On")
        return Said(defined=changes_on is not None, changes_on=None if changes_on is None else _day(say(changes_on)))
    values = {part: say(name) for part, name in gap.items()}
    return Said(
        defined="Changes On" in gap,
        need=_need(values.get("Need")),
        needed=values.get("Needed"),
        done=values.get("Done"),
        due_from=_day(values.get("Due From")),
        due_by=_day(values.get("Due By")),
        last_day=_day(values.get("Last Day")),
        changes_on=_day(values.get("Changes On")),
        outlook=values.get("Outlook"),
        counted=tuple(Counted(row["resource"], _day(row["onDay"])) for row in values.get("Counted") or ()),
        discounted=tuple(
            Discounted(row["resource"], _day(row["onDay"]), row["reason"], wording.discounted(row["reason"]))
            for row in values.get("Discounted") or ()
        ),
        exclusion=values.get("Exclusion"),
    )


def _need(concept: cql_like.Concept | None) -> Need | None:
    if concept is None:
        return None
    first, *others = (Coding(code.system or "", code.code or "", code.display) for code in concept.codes)
    further = tuple(dict.fromkeys(coding for coding in others if coding != first))
    return Need(concept.display or first.display or first.code, first, further)


def _day(value: cql_like.Date | None) -> date | None:
    """A CQL Date as a Python date; one without a day is no day."""
    if value is None or value.month is None or value.day is None:
        return None
    return date(value.year, value.month, value.day)


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
