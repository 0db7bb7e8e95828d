"""Everything that is said of one child as of a day: what the child's page, its card and `gapsvc gaps` read. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date

from gapsvc.evaluation.actions import Action
from gapsvc.evaluation.catalogue import types_read
from gapsvc.evaluation.evaluator import Evaluator, PreparedEvaluation
from gapsvc.evaluation.joining import actions_of
from gapsvc.evaluation.notices import death, notices
from gapsvc.evaluation.products import VaccineNames
from gapsvc.evaluation.result import MeasureResult
from gapsvc.evaluation.vaccines import TYPES_READ, Vaccines, vaccines
from gapsvc.evaluation.visits import PreparedVisits, VisitAssessor
from gapsvc.records.record import PatientRecord
from gapsvc.schedule.immunizations import Schedule
from gapsvc.schedule.immunizations.vaccine_codes import STANDARD_CODES, CodeTable
from gapsvc.schedule.visits.plan import VisitPlan

VISITS = "visit schedule"  # its name among what failed
Failed = Callable[[str, Exception], None]


@dataclass(frozen=True, slots=True)
class ChildView:
    """One child. `vaccines` and `visits` are None where the birth date is not a whole day on or before `as_of`.

    `actions` come in the order in which they are to be done; there are none for a child who has died. `notices` are to
    be read before them: died, in hospice care, no whole birth date. `failed` are ids
    of measures whose rules failed on this record ("visit schedule": that one's did); the rest is right without them.
    `changes_on`: the next day on which time alone changes any of this; None if none does.
    """

    record: PatientRecord
    as_of: date
    results: tuple[MeasureResult, ...]
    vaccines: Vaccines | None
    visits: VisitPlan | None
    actions: tuple[Action, ...]
    failed: tuple[str, ...] = ()
    changes_on: date | None = None
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChildReader:
    """Measures, immunization schedule and visit schedule, compiled. Make one and keep it; safe to share."""

    evaluators: Mapping[str, Evaluator]
    schedule: Schedule
    codes: CodeTable
    names: VaccineNames
    visits: VisitAssessor | None

    @staticmethod
    def of(
        evaluators: Mapping[str, Evaluator],
        schedule: Schedule,
        *,
        codes: CodeTable = STANDARD_CODES,
        visits: VisitAssessor | None = None,
    ) -> "ChildReader":
        """`visits` None: nothing is said of visits but what measures ask."""
        return ChildReader(evaluators, schedule, codes, VaccineNames.of(schedule, codes), visits)

    @property
    def types(self) -> frozenset[str]:
        """The resource types that are read: what whoever is shown a view has to be allowed to see."""
        of_visits = frozenset[str]() if self.visits is None else self.visits.types
        return types_read(self.evaluators.values()) | of_visits | frozenset(TYPES_READ)

    def on(self, as_of: date, period: tuple[date, date] | None = None) -> "PreparedChildReader":
        """Bound to a day and a measurement period (both ends inclusive; None: the calendar year of the day)."""
        start, end = period or (date(as_of.year, 1, 1), date(as_of.year, 12, 31))
        prepared = tuple(evaluator.on(start, end, as_of) for evaluator in self.evaluators.values())
        visits = None if self.visits is None else self.visits.on(as_of, period=(start, end))
        return PreparedChildReader(self, as_of, prepared, visits)


@dataclass(frozen=True, slots=True)
class PreparedChildReader:
    """Bound to a day; `view` is all that a loop over children calls."""

    reader: ChildReader
    as_of: date
    measures: tuple[PreparedEvaluation, ...]
    visits: PreparedVisits | None

    def view(
        self, record: PatientRecord, *, only: Collection[str] | None = None, on_failure: Failed | None = None
    ) -> ChildView:
        """All that is said of one child. A measure whose rules fail doesn't spoil the rest.

        Args:
            only: ids of the measures that are asked (None: all).
            on_failure: told what failed, and how (what it says may quote the record: log its type and place alone).
        """
        failed: list[str] = []

        def fail(name: str, error: Exception) -> None:
            failed.append(name)
            if on_failure is not None:
                on_failure(name, error)

        results: list[MeasureResult] = []
        for measure in self.measures:
            if only is None or measure.measure.id in only:
                try:
                    results.append(measure.evaluate(record))
                except Exception as error:  # noqa: BLE001 - whatever a rule meets in a record, the others are right
                    fail(measure.measure.id, error)
        plan: VisitPlan | None = None
        if self.visits is not None:
            try:
                plan = self.visits.plan(record)
            except Exception as error:  # noqa: BLE001 - likewise
                fail(VISITS, error)
        reader = self.reader
        judged = vaccines(reader.schedule, record, self.as_of, reader.codes, reader.names)
        actions: tuple[Action, ...] = ()
        if not death(record.patient, self.as_of):
            actions = actions_of(results, judged, plan, self.as_of, names=reader.names)
        changes_on = _changes_on(results, judged, plan)
        told = notices(record, results, self.as_of)
        return ChildView(record, self.as_of, tuple(results), judged, plan, actions, tuple(failed), changes_on, told)


def _changes_on(results: Collection[MeasureResult], judged: Vaccines | None, plan: VisitPlan | None) -> date | None:
    days = [group.gap.changes_on for result in results for group in result.groups]
    days += [need.changes_on for need in judged.needs] if judged is not None else []
    days += [plan.changes_on] if plan is not None else []
    return min((day for day in days if day is not None), default=None)
