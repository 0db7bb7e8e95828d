"""One list per child: what measures, the immunization schedule and the visit schedule ask for, one row an action.

Needs that one action would satisfy become one action with several reasons (design/gaps.md "One list per child").
Pure; everything is as of one day.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from gapsvc.evaluation.result import Coding, Outlook

NEAR = timedelta(days=14)  # a last day so near is urgent


class ActionKind(StrEnum):
    """What is done: a dose is given, a visit held, a service (screening, test, varnish) performed."""

    IMMUNIZATION = "immunization"
    VISIT = "visit"
    SERVICE = "service"


class Urgency(StrEnum):
    """When: OVERDUE and DUE can be done today; LATER is not yet due; LOST can't be done in time any more (told, never
    chased)."""

    OVERDUE = "overdue"
    DUE = "due"
    LATER = "later"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Wish:
    """One reason for an action: who asks for it, in words, and until when. Dates may be None where nobody says."""

    origin: str  # "measure" | "immunizations" | "visits"
    id: str  # "cis/combination-10" | "DTaP" | "2-months" | "lead.12-months"
    text: str  # "counts for Childhood immunization status: Combination 10, 8 of 10 so far, by Mar 2, 2027 ..."
    due_from: date | None
    due_by: date | None
    last_day: date | None
    outlook: Outlook


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do for a child. `text` is what a nurse reads: "DTaP, dose 3"; `when` its timing in words:
    "overdue since May 2, 2026", "due Mar 3 to Mar 17, 2026, last day Mar 29, 2026".

    The dates are the tightest of what its wishes say, so that done between `due_from` and `last_day` it serves all of
    them: the latest first day, the earliest last day. (Where one wish is overdue, it is not made to wait for another
    that counts later: that wish says so itself.) `due_by` is the schedule's day where a schedule asks for it, else the
    measures' earliest, and never after `last_day`. None: nobody says.

    `products` are what can be given or used, in words ("Pediarix", "Infanrix"; "ASQ-3"). `confidential`: a young person
    may have this without their parents' knowledge, so it is neither printed nor shown to relatives.
    """

    kind: ActionKind
    key: str  # stable within a child, and in no two actions: "immunization:MMR", "visit:2-months", "lost:visit"
    text: str
    when: str
    coding: Coding | None
    products: tuple[str, ...]
    urgency: Urgency
    due_from: date | None
    due_by: date | None
    last_day: date | None
    wishes: tuple[Wish, ...]
    remarks: tuple[str, ...] = ()  # "measure met, dose of 3 May invalid: repeat"
    confidential: bool = False

    def presses(self, as_of: date) -> bool:
        """Whether it can be done today, and not for much longer."""
        today = self.urgency in (Urgency.OVERDUE, Urgency.DUE)
        return today and self.last_day is not None and self.last_day - as_of <= NEAR


def most_pressing(actions: Iterable[Action], as_of: date) -> tuple[Action, ...]:
    """Actions as a reader in a hurry needs them: what can be done for a few days only, what is overdue, what is due,
    then the others; within each in their order (a late dose that may be given up to old age has no last day). A remark
    on several of them (one vaccine for three needs) stands at the first."""

    def rank(action: Action) -> int:
        if action.presses(as_of):
            return 0
        return 1 + tuple(Urgency).index(action.urgency)

    told: set[str] = set()
    found: list[Action] = []
    for action in sorted(actions, key=rank):
        found.append(replace(action, remarks=tuple(one for one in action.remarks if one not in told)))
        told.update(action.remarks)
    return tuple(found)
