"""The visit schedules on disk: those shipped with the software, those in a folder of one's own, and any file by its
path."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from .reading import LARGEST, read_schedule
from .schedule import VisitSchedule
from .tables import VisitScheduleError

SHIPPED = Path(__file__).parent / "data"
LATEST = "latest"


class NoSuchVisitSchedule(LookupError):
    """No installed visit schedule has this version."""


@dataclass(frozen=True, slots=True)
class InstalledVisits:
    """A version, the day from which it is in force, and the file that holds it."""

    version: str
    effective: date
    path: Path


def installed(folder: Path | None = None) -> list[InstalledVisits]:
    """Every installed version (`VERSION.toml`), by the day from which it is in force. `folder` goes before what is
    shipped. A file that can't be read as TOML comes first, so that it is never the latest; `load` says what is wrong.
    """
    found: dict[str, InstalledVisits] = {}
    for place in (SHIPPED, folder):
        if place is not None and place.is_dir():
            for path in place.glob("*.toml"):
                found[path.stem] = InstalledVisits(path.stem, _effective(path), path)
    return sorted(found.values(), key=lambda one: (one.effective, one.version))


def _effective(path: Path) -> date:
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8")).get("effective")
    except (OSError, ValueError):
        return date.min
    return said if type(said) is date else date.min


def load(wanted: str = LATEST, folder: Path | None = None, overlay: str = "") -> VisitSchedule:
    """A visit schedule: the latest installed, one by its version, or one by the path of its file (`.../name.toml`).

    Raises:
        NoSuchVisitSchedule: it is not installed, or there is no such file; the message names what there is.
        VisitScheduleError: its file is wrong; with every problem.
    """
    if wanted.endswith(".toml"):
        path = Path(wanted)
        if not path.is_file():
            raise NoSuchVisitSchedule(f"there is no file {wanted} (schedule.visits names a version or a .toml file)")
        return _read(path, overlay)
    versions = installed(folder)
    chosen = versions[-1:] if wanted == LATEST else [one for one in versions if one.version == wanted]
    if not chosen:
        known = ", ".join(one.version for one in versions) or "none"
        raise NoSuchVisitSchedule(f"visit schedule {wanted} is not installed (installed: {known})")
    schedule = _read(chosen[0].path, overlay)
    if schedule.version != chosen[0].version:
        raise VisitScheduleError(
            [f"{chosen[0].path}, version: {schedule.version!r} must be the file's name, {chosen[0].version!r}"]
        )
    return schedule


def _read(path: Path, overlay: str) -> VisitSchedule:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise VisitScheduleError([f"{path}: can't be read: {error}"]) from error
    return _parsed(text, str(path), overlay)


# Values are frozen; checking one takes tens of milliseconds.
_parsed = lru_cache(maxsize=4)(read_schedule)
