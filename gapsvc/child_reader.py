"""The reader of one child that the settings ask for: the same for service, pages, cards and commands."""

from collections.abc import Mapping

from gapsvc.config import Settings
from gapsvc.evaluation.child import ChildReader
from gapsvc.evaluation.evaluator import Evaluator
from gapsvc.evaluation.visits import VisitAssessor
from gapsvc.schedule.immunizations import Schedule
from gapsvc.schedule.immunizations.vaccine_codes import CodeTable
from gapsvc.schedules import active_schedule, active_visit_schedule, code_table


def child_reader(
    settings: Settings,
    evaluators: Mapping[str, Evaluator],
    *,
    schedule: Schedule | None = None,
    codes: CodeTable | None = None,
) -> ChildReader:
    """Measures, immunization schedule and visit schedule together; `schedule` and `codes` where they are at hand.

    Raises:
        NoSuchSchedule, UnknownFormat, NdcTableRefused: the settings' schedule or NDC table can't be used.
        NoSuchVisitSchedule, VisitScheduleError: the settings' visit schedule can't be used.
    """
    shared = next((one.shared for one in evaluators.values() if one.shared is not None), None)
    return ChildReader.of(
        evaluators,
        schedule if schedule is not None else active_schedule(settings),
        codes=codes if codes is not None else code_table(settings),
        visits=VisitAssessor(active_visit_schedule(settings), cache=settings.cache_folder, shared=shared),
    )
