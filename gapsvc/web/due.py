"""What is to be done for a child, as its page says it: today's actions, those to come, those no longer possible."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from gapsvc.evaluation import wording
from gapsvc.evaluation.actions import Action, ActionKind, Urgency
from gapsvc.web.words import capital, counted, joined

KINDS: Final = MappingProxyType(
    {ActionKind.IMMUNIZATION: "Vaccine", ActionKind.VISIT: "Visit", ActionKind.SERVICE: "Service"}
)
ASKED_BY: Final = MappingProxyType(
    {"measure": "Quality measure", "immunizations": "Immunization schedule", "visits": "Visit schedule"}
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Who asks for an action, and in which words."""

    asked_by: str
    text: str


@dataclass(frozen=True, slots=True)
class Todo:
    """One action in words. `state` names its urgency, `label` says it."""

    state: str
    label: str
    kind: str
    text: str
    when: str
    products: str
    remarks: tuple[str, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Due:
    """The lists of the page, each in the order in which its actions are to be done; and `summary`, one line of all."""

    today: tuple[Todo, ...]
    later: tuple[Todo, ...]
    lost: tuple[Todo, ...]
    summary: str


_LABELS = {Urgency.OVERDUE: "Overdue", Urgency.DUE: "Due", Urgency.LATER: "Later", Urgency.LOST: "No longer possible"}


FAR = timedelta(days=365)  # a last day later than this presses nobody: it is left to the reasons


def due(actions: Iterable[Action], as_of: date) -> Due:
    """The lists from a child's actions; what is overdue stands before what is due."""
    made = _told_once([(action.urgency, _todo(action, as_of)) for action in actions])
    today = [todo for wanted in (Urgency.OVERDUE, Urgency.DUE) for urgency, todo in made if urgency is wanted]
    return Due(
        tuple(today),
        tuple(todo for urgency, todo in made if urgency is Urgency.LATER),
        tuple(todo for urgency, todo in made if urgency is Urgency.LOST),
        _summary(today),
    )


def _told_once(made: list[tuple[Urgency, Todo]]) -> list[tuple[Urgency, Todo]]:
    """Each remark at the first action that has it: one on a vaccine that serves three needs comes with all three."""
    told: set[str] = set()
    found: list[tuple[Urgency, Todo]] = []
    for urgency, todo in sorted(made, key=lambda one: one[0] is not Urgency.OVERDUE):
        found.append((urgency, replace(todo, remarks=tuple(one for one in todo.remarks if one not in told))))
        told.update(todo.remarks)
    return found


def _todo(action: Action, as_of: date) -> Todo:
    label = _LABELS[action.urgency]
    return Todo(
        state=action.urgency.value,
        label=label,
        kind=KINDS[action.kind],
        text=capital(action.text),
        when=_when(action, label, as_of),
        products=joined(action.products, "or"),
        remarks=tuple(capital(remark) for remark in action.remarks),
        reasons=tuple(Reason(ASKED_BY.get(wish.origin, wish.origin), capital(wish.text)) for wish in action.wishes),
    )


def _when(action: Action, label: str, as_of: date) -> str:
    """The action's timing as it goes on after its label: "Overdue" "since May 2, 2026"."""
    said = action.when
    if action.last_day is not None and action.last_day - as_of > FAR:
        said = said.removesuffix(f", last day {wording.day(action.last_day)}")
    return said.removeprefix(label.lower()).removeprefix(":").strip()


def _summary(today: list[Todo]) -> str:
    if not today:
        return "Nothing is due today."
    overdue = sum(todo.state == Urgency.OVERDUE.value for todo in today)
    said = f"{counted(len(today), 'thing')} can be done today"
    if not overdue:
        return f"{said}."
    return f"{said}, {'all' if overdue == len(today) > 1 else overdue if len(today) > 1 else 'and it is'} overdue."
