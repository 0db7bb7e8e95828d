"""The schedule versions on disk: those shipped with the software, and those imported into a folder of one's own."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import orjson

from .compiling import UnknownFormat, compile_schedule
from .schedule import Schedule

SHIPPED = Path(__file__).parent / "data"
LATEST = "latest"


class NoSuchSchedule(LookupError):
    """No installed schedule has this version."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A version and the file that holds it."""

    version: str
    path: Path


def installed(folder: Path | None = None) -> list[Installed]:
    """Every installed version, oldest first. `folder` (imported ones) goes before what is shipped."""
    found: dict[str, Installed] = {}
    for place in (SHIPPED, folder):
        if place is not None and place.is_dir():
            for path in place.glob("*.json"):
                found[path.stem] = Installed(path.stem, path)
    return sorted(found.values(), key=lambda one: version_key(one.version))


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """Orders `4.9` before `4.64`: numbers as numbers, anything else as text."""
    parts = re.findall(r"\d+|[^\d.]+", version)
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def load(version: str = LATEST, folder: Path | None = None) -> Schedule:
    """The compiled schedule of a version, or of the latest installed.

    Raises NoSuchSchedule (it names what is installed) and UnknownFormat (not a schedule of this software).
    """
    versions = installed(folder)
    chosen = versions[-1:] if version == LATEST else [one for one in versions if one.version == version]
    if not chosen:
        known = ", ".join(one.version for one in versions) or "none"
        raise NoSuchSchedule(f"schedule {version} is not installed (installed: {known}); import it first")
    path = chosen[0].path
    try:
        return compile_schedule(cast("dict[str, Any]", orjson.loads(path.read_bytes())))
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise UnknownFormat(f"{path} is not a schedule that this software wrote; import it again") from error
