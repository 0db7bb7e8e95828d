"""The visit schedule as values: slots, items and when each is wanted. Made by `reading.read_schedule`, which checks it.

Windows of one item never overlap, and slots come in the order of their windows: the engine relies on both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from .ages import Age


@dataclass(frozen=True, slots=True)
class Slot:
    """A visit of the schedule. `opens` to `closes` (both inclusive) is its window; after `overdue_after` it is late.

    `in_hospital`: it takes place in the birth hospital, and is never asked of a clinic.
    """

    id: str
    title: str
    opens: Age
    target: Age
    overdue_after: Age
    closes: Age
    in_hospital: bool
    source: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that an item is wanted: from `due_from`, by `due_by`, and no later than `last_day`."""

    id: str  # "lead.12-months"
    at: str  # "12 months"
    due_from: Age
    due_by: Age
    last_day: Age


@dataclass(frozen=True, slots=True)
class Repeat:
    """An item wanted again and again: first between two ages, then between two lengths of time after the last."""

    at: str
    first: Age
    first_by: Age
    after: Age
    by: Age
    last_day: Age


@dataclass(frozen=True, slots=True)
class Item:
    """A service of the schedule.

    `shown_by` and `risk_shown_by` are defines of measures/common/Screenings.cql. `risk` holds the ages at which it is
    wanted only of a child with a known risk. `with_visit`: it is measured at every visit, and no reason of its own to
    call a child in.
    """

    id: str
    title: str
    order: tuple[str, str]  # (system, code) of what would be ordered
    shown_by: str
    risk_shown_by: str | None
    value_sets: tuple[str, ...]
    with_visit: bool
    universal: tuple[Occurrence, ...]
    risk: tuple[Occurrence, ...]
    repeat: Repeat | None
    source: str


@dataclass(frozen=True, slots=True)
class VisitSchedule:
    """One version of the schedule, with an overlay or without.

    `untracked` has, for each slot, what is asked at that age and can't be shown by our data; `risk_questions` are those
    of them that ask about the risk that an item is for, with the item's id.
    """

    name: str
    version: str
    effective: date
    windows: str
    notice: int  # days
    overlay: str | None  # its title
    slots: tuple[Slot, ...]
    items: tuple[Item, ...]
    untracked: tuple[tuple[str, ...], ...]
    risk_questions: tuple[tuple[str, str], ...]
    sources: Mapping[str, str]

    @property
    def label(self) -> str:
        """As results name it: "Bright Futures/AAP periodicity 2024-06, windows gapsvc 2026-11, Medi-Cal"."""
        laid_over = f", {self.overlay}" if self.overlay else ""
        return f"{self.name} {self.version}, windows {self.windows}{laid_over}"

    @property
    def defines(self) -> tuple[str, ...]:
        """The defines of Screenings.cql that it needs, each once."""
        named = [name for item in self.items for name in (item.shown_by, item.risk_shown_by) if name]
        return tuple(dict.fromkeys(named))
