"""Everything that is said of one child as of a day: what the child's page, its card and `gapsvc gaps` read."""

from dataclasses import dataclass
from datetime import date

from gapsvc.evaluation.actions import Action
from gapsvc.evaluation.result import MeasureResult
from gapsvc.evaluation.vaccines import Vaccines
from gapsvc.records.record import PatientRecord
from gapsvc.schedule.visits.plan import VisitPlan


@dataclass(frozen=True, slots=True)
class ChildView:
    """One child. `vaccines` and `visits` are None where the birth date is not a whole day on or before `as_of`.

    `actions` come in the order in which they are to be done. `failed` are ids of measures whose rules failed on this
    record; the rest is right without them.
    """

    record: PatientRecord
    as_of: date
    results: tuple[MeasureResult, ...]
    vaccines: Vaccines | None
    visits: VisitPlan | None
    actions: tuple[Action, ...]
    failed: tuple[str, ...] = ()
