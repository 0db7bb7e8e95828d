"""Which immunization schedule is in use: the settings' version, among those shipped and those imported."""

from pathlib import Path

from gapsvc.config import Settings
from gapsvc.schedule.immunizations import Schedule, load


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
