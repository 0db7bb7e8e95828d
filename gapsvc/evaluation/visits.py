"""What a child needs from the visit schedule: from a record to a VisitPlan.

Pure. What a visit or screening is, is said in CQL (measures/common/WellVisits.cql, Screenings.cql) and nowhere else;
which age it belongs to, by the schedule (gapsvc.schedule.visits).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import cql_like
from cql_like import Engine, ExpandedTerminology
from gapsvc.evaluation.sharing import Sessions, SharedSessions, moment_of
from gapsvc.measures.definition import HERE, read_libraries
from gapsvc.measures.valuesets import read_value_sets
from gapsvc.records.record import PatientRecord
from gapsvc.schedule.visits import Row, VisitPlan, VisitSchedule, VisitScheduleError, assess

LIBRARY = ("Screenings", "1.0.0")


class VisitAssessor:
    """One visit schedule with the logic that recognises its services, compiled. Make one and keep it."""

    def __init__(
        self, schedule: VisitSchedule, *, cache: Path | None = None, shared: SharedSessions | None = None
    ) -> None:
        """Compile the logic.

        Args:
            schedule: the visit schedule.
            cache: a folder of this user's own where the compiled library is kept between processes.
            shared: the measures that it is read together with, if there are such.

        Raises:
            VisitScheduleError: the schedule names a define that Screenings.cql does not have.
        """
        self.schedule = schedule
        libraries = read_libraries(HERE / "common")
        self.library = cql_like.compile_library(libraries[LIBRARY], libraries=libraries, cache=cache)
        unknown = [name for name in schedule.defines if name not in self.library.defines]
        if unknown:
            known = ", ".join(sorted(self.library.defines))
            raise VisitScheduleError(
                [
                    f"{schedule.label}: shown_by: there is no define {name!r} in {LIBRARY[0]}.cql; there are {known}"
                    for name in unknown
                ]
            )
        self._shared = shared
        if shared is not None:
            shared.join(self.library, {})
        self._terminology = ExpandedTerminology.of(read_value_sets(HERE / "valuesets"))

    @property
    def types(self) -> frozenset[str]:
        """The resource types that it reads."""
        return frozenset(one.resource_type for one in self.library.requirements) | {"Patient"}

    def on(
        self, as_of: date, *, period: tuple[date, date] | None = None, engine: Engine = "compiled"
    ) -> "PreparedVisits":
        """This schedule bound to one as-of day, ready for many children.

        `period` is that of the measures that it shares its sessions with (the plan does not depend on it); without it,
        it keeps to itself. `engine` is asked only then.
        """
        if self._shared is not None and period is not None:
            session = self._shared.on((*period, as_of))
        else:
            session = self.library.prepare(terminology=self._terminology, now=moment_of(as_of), engine=engine).session
        items = self.schedule.items
        shown = tuple((item.id, _define(item.shown_by)) for item in items)
        risks = tuple((item.id, _define(item.risk_shown_by)) for item in items if item.risk_shown_by)
        return PreparedVisits(self.schedule, session, shown, risks, as_of)


def _define(name: str) -> str:
    """As it is called in any session, a shared one too."""
    return f"{LIBRARY[0]}.{name}"


_BIRTH_DATE, _DECEASED, _DIES_ON, _VISITS = map(_define, ("Birth Date", "Deceased", "Dies On", "Visits"))


@dataclass(frozen=True, slots=True)
class PreparedVisits:
    """A visit schedule bound to a day; `plan` is all that a loop over children calls."""

    schedule: VisitSchedule
    session: Sessions
    shown: tuple[tuple[str, str], ...]  # (item, define)
    risks: tuple[tuple[str, str], ...]
    as_of: date

    def plan(self, record: PatientRecord) -> VisitPlan | None:
        """The plan of one child; None where the birth date is not a whole day on or before `as_of`, or the child has
        died: nothing is due.

        Raises:
            cql_like.CqlRuntimeError: the logic failed on this record.
        """
        say = self.session(record).evaluate
        birth = _day(say(_BIRTH_DATE))
        if birth is None or birth > self.as_of or say(_DECEASED):
            return None
        # Where nothing is known yet, nothing was missed.
        known_from = _known_from(record) or self.as_of
        risks: dict[str, date] = {}
        for item, define in self.risks:
            days = [row.on or known_from for row in _rows(say(define)) if row.problem is None]
            if days:
                risks[item] = min(days)
        services: dict[str, list[Row]] = {}
        for item, define in self.shown:
            found = say(define)
            if found:
                services[item] = _rows(found)
        plan = assess(self.schedule, birth, _rows(say(_VISITS)), services, self.as_of, known_from, risks)
        dies_on = _day(say(_DIES_ON))
        if dies_on is None:
            return plan
        return replace(plan, changes_on=min(dies_on, plan.changes_on or dies_on))


def _known_from(record: PatientRecord) -> date | None:
    """The first day of which there is a record of care of any kind; a date without a day says nothing."""
    starts: set[str] = set()
    for encounter in record.resources.get("Encounter", ()):
        period: Any = encounter.get("period")
        start: Any = period.get("start") if period else None
        if isinstance(start, str) and len(start) >= len("2026-11-22"):
            starts.add(start[:10])
    for start in sorted(starts):
        try:
            return date.fromisoformat(start)
        except ValueError:
            continue
    return None


def _rows(found: Sequence[Any] | None) -> list[Row]:
    return [Row(row["resource"], _day(row["onDay"]), row["problem"]) for row in found or ()]


def _day(value: cql_like.Date | None) -> date | None:
    """A CQL Date as a Python date; one without a day is no day."""
    if value is None or value.month is None or value.day is None:
        return None
    return date(value.year, value.month, value.day)
