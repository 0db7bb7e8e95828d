"""A record and a measure -> a MeasureResult. Pure: the period and "today" are parameters.

All set-up (compiling the library, expanding value sets, binding parameters) is done once per measure, period and
as-of day; evaluating a person only runs the compiled defines that are asked for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Literal

import cql_like
from cql_like import ExpandedTerminology
from gapsvc.evaluation import wording
from gapsvc.evaluation.gap import Said, Standing, judge
from gapsvc.evaluation.result import (
    Basis,
    Coding,
    Counted,
    Discounted,
    GroupResult,
    MeasureResult,
    Need,
)
from gapsvc.measures import Group, MeasureDefinition, MeasureError
from gapsvc.records.record import PatientRecord

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
    """A group with its gap parts resolved to the defines that the library has."""

    group: Group
    populations: tuple[tuple[str, str], ...]
    gap: Mapping[str, str]


class Evaluator:
    """One measure, compiled. Make one per measure and keep it."""

    def __init__(self, measure: MeasureDefinition, *, software: str, engine: Engine = "compiled") -> None:
        """Compile the measure.

        Raises:
            cql_like.CqlErrors: the library or one that it includes is wrong.
            MeasureError: a population names a define that the library does not have.
        """
        self.measure = measure
        self.software = software
        self._engine: Engine = engine
        self.library = cql_like.compile_library(measure.cql, libraries=measure.libraries)
        self._terminology = ExpandedTerminology.of(measure.value_sets)
        self._groups = _resolve(measure, set(self.library.defines))
        self._prepared: tuple[tuple[date, date, date], PreparedEvaluation] | None = None

    def on(self, period_start: date, period_end: date, as_of: date) -> "PreparedEvaluation":
        """This measure bound to one period (both ends inclusive) and one as-of day, ready for many people."""
        key = (period_start, period_end, as_of)
        prepared = self._prepared  # read once: threads share the evaluator
        if prepared is None or prepared[0] != key:
            sessions = self.library.prepare(
                parameters={
                    **self.measure.parameters,
                    "Measurement Period": cql_like.Interval(
                        cql_like.DateTime(period_start.year, period_start.month, period_start.day, 0, 0, 0, 0, 0),
                        cql_like.DateTime(period_end.year, period_end.month, period_end.day, 23, 59, 59, 999, 0),
                        True,
                        True,
                    ),
                },
                terminology=self._terminology,
                now=cql_like.DateTime(as_of.year, as_of.month, as_of.day, 0, 0, 0, 0, 0),
                engine=self._engine,
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
        say = self.session(record).evaluate
        measure = self.measure
        basis = Basis(measure.canonical, self.software, measure.schedule, record.data_as_of)
        groups = tuple(self._group(defines, say, basis) for defines in self.groups)
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
            evaluated=_evaluated(f"Patient/{record.patient['id']}", groups),
        )

    def _group(self, defines: _GroupDefines, say: Callable[[str], Any], basis: Basis) -> GroupResult:
        populations = _populations(defines.populations, say)
        standing = Standing.of(populations, inverse=self.measure.improvement_notation == "decrease")
        gap = judge(
            standing,
            _said(defines.gap, say, looked_at=standing.in_initial_population),
            as_of=self.as_of,
            period_end=self.period_end,
            requirement=defines.group.requirement,
            basis=basis,
        )
        return GroupResult(defines.group.id, defines.group.title, populations, gap)


def _populations(defines: Iterable[tuple[str, str]], say: Callable[[str], Any]) -> Mapping[str, int]:
    """Population membership for a proportion measure, in the order in which each depends on the one before.

    Outside the initial population nothing else is asked; outside the denominator, or excluded from it, there is no
    numerator (FHIR Clinical Reasoning, proportion measure scoring). A null criterion is false.
    """
    found: dict[str, int] = {}
    for code, define in defines:
        asked = (
            code == "initial-population"
            or (code == "denominator" and found["initial-population"])
            or (code == "denominator-exclusion" and found["denominator"])
            or (code == "numerator" and found["denominator"] and not found.get("denominator-exclusion"))
            or (code == "denominator-exception" and found["denominator"] and not found["numerator"])
        )
        found[code] = 1 if asked and say(define) is True else 0
    return MappingProxyType(found)


_POPULATION_ORDER = (
    "initial-population",
    "denominator",
    "denominator-exclusion",
    "numerator",
    "denominator-exception",
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
    return tuple(
        _GroupDefines(
            group,
            tuple((code, group.populations[code]) for code in _POPULATION_ORDER if code in group.populations),
            MappingProxyType(_gap_defines(group, defines)),
        )
        for group in measure.groups
    )


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
    values = {part: say(name) for part, name in gap.items() if looked_at or part == "Changes On"}
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
    code = concept.codes[0]
    text = code.code or ""
    return Need(concept.display or code.display or text, Coding(code.system or "", text, code.display))


def _day(value: cql_like.Date | None) -> date | None:
    """A CQL Date as a Python date; one without a day is no day."""
    if value is None or value.month is None or value.day is None:
        return None
    return date(value.year, value.month, value.day)


def _evaluated(patient: str, groups: Sequence[GroupResult]) -> Mapping[str, tuple[str, ...]]:
    """Every resource looked at, with the ids of the populations it decided (`<group>-<population>`, the ids that the
    Measure resource carries): the Patient the initial populations, what counted the numerators. Sorted, as stored."""
    found: dict[str, list[str]] = {patient: [f"{group.id}-initial-population" for group in groups]}
    for group in groups:
        for counted in group.gap.counted:
            found.setdefault(counted.reference, []).append(f"{group.id}-numerator")
        for discounted in group.gap.discounted:
            found.setdefault(discounted.reference, [])
    return MappingProxyType({reference: tuple(criteria) for reference, criteria in sorted(found.items())})
