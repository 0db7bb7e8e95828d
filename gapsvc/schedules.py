"""Which immunization schedule, vaccine codes and visit schedule are in use: those that the settings name."""

from dataclasses import replace
from pathlib import Path

from gapsvc.config import Settings
from gapsvc.schedule.immunizations import Schedule, load
from gapsvc.schedule.immunizations.ndc_table import read_ndc_table
from gapsvc.schedule.immunizations.vaccine_codes import STANDARD_CODES, CodeTable
from gapsvc.schedule.visits import VisitSchedule
from gapsvc.schedule.visits import load as load_visits


def schedules_folder(settings: Settings) -> Path:
    """Where imported schedules are kept."""
    return settings.home / "schedules"


def active_schedule(settings: Settings, version: str | None = None) -> Schedule:
    """The compiled schedule of `version`, or of the settings' (`schedule.immunizations`).

    Raises:
        NoSuchSchedule: it is not installed; the message names those that are.
        UnknownFormat: its file is not one that this software wrote.
    """
    return load(version or settings["schedule.immunizations"], schedules_folder(settings))


def code_table(settings: Settings) -> CodeTable:
    """The codes that lead to CVX: those shipped, and the NDC table that the settings name.

    Raises:
        NdcTableRefused: the table can't be used; the message names its line.
        OSError: the file can't be read.
    """
    named = settings["schedule.ndc_table"]
    if not named:
        return STANDARD_CODES
    return replace(STANDARD_CODES, ndc=read_ndc_table(Path(named).read_text(encoding="utf-8-sig"), Path(named).name))


def visit_schedules_folder(settings: Settings) -> Path:
    """Where visit schedules of one's own are kept, besides those shipped: `VERSION.toml`."""
    return settings.home / "schedules" / "visits"


def active_visit_schedule(settings: Settings) -> VisitSchedule:
    """The visit schedule of the settings (`schedule.visits`, `schedule.visits_overlay`).

    Raises:
        NoSuchVisitSchedule: it is not installed; the message names those that are.
        VisitScheduleError: its file is wrong, with every problem.
    """
    return load_visits(
        settings["schedule.visits"], visit_schedules_folder(settings), overlay=settings["schedule.visits_overlay"]
    )
