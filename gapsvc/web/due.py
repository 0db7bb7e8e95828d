"""What is to be done for a child, as its page says it: today's actions, those to come, those no longer possible."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from gapsvc.evaluation.actions import Action, ActionKind, Urgency, most_pressing
from gapsvc.web.words import capital, counted, joined

KINDS: Final = MappingProxyType(
    {ActionKind.IMMUNIZATION: "Vaccine", ActionKind.VISIT: "Visit", ActionKind.SERVICE: "Service"}
)
MANY: Final = 4  # of today's actions: from so many on they are named by kind first
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
    """One action in words. `state` names its urgency, `label` says it. `confidential`: it is not printed."""

    state: str
    label: str
    kind: str
    text: str
    when: str
    products: str
    remarks: tuple[str, ...]
    reasons: tuple[Reason, ...]
    confidential: bool = False


@dataclass(frozen=True, slots=True)
class Glance:
    """One kind of today's actions by name: what to take out of the refrigerator, what to do in the room."""

    kind: str
    todos: tuple[Todo, ...]


@dataclass(frozen=True, slots=True)
class Due:
    """The lists of the page, each in the order in which its actions are to be done; `summary`, one line of all; and
    where today's are many `glance`, a line for each kind."""

    today: tuple[Todo, ...]
    later: tuple[Todo, ...]
    lost: tuple[Todo, ...]
    summary: str
    glance: tuple[Glance, ...] = ()


_LABELS = {Urgency.OVERDUE: "Overdue", Urgency.DUE: "Due", Urgency.LATER: "Later", Urgency.LOST: "No longer possible"}


def due(actions: Iterable[Action], as_of: date, *, can_be_told: bool = True) -> Due:
    """The lists from a child's actions; today's with those first that press most. `can_be_told`: whether it is known
    what is due (it is not without a birth date)."""
    lists: dict[bool | Urgency, list[Todo]] = {}
    for action in most_pressing(actions, as_of):
        today = action.urgency in (Urgency.OVERDUE, Urgency.DUE)
        lists.setdefault(today or action.urgency, []).append(_todo(action))
    today = lists.get(True, [])
    return Due(
        tuple(today),
        tuple(lists.get(Urgency.LATER, ())),
        tuple(lists.get(Urgency.LOST, ())),
        _summary(today) if can_be_told else "What is due can’t be told.",
        tuple(_glance(today)) if len(today) >= MANY else (),
    )


def _glance(today: list[Todo]) -> Iterable[Glance]:
    for kind in KINDS.values():
        todos = tuple(todo for todo in today if todo.kind == kind)
        if todos:
            yield Glance(kind if len(todos) == 1 else f"{kind}s", todos)


def _todo(action: Action) -> Todo:
    label = _LABELS[action.urgency]
    return Todo(
        state=action.urgency.value,
        label=label,
        kind=KINDS[action.kind],
        text=capital(action.text),
        when=action.when.removeprefix(label.lower()).removeprefix(":").removeprefix(",").strip(),  # after its label
        products=joined(action.products, "or"),
        remarks=tuple(capital(remark) for remark in action.remarks),
        reasons=tuple(Reason(ASKED_BY.get(wish.origin, wish.origin), capital(wish.text)) for wish in action.wishes),
        confidential=action.confidential,
    )


def _summary(today: list[Todo]) -> str:
    if not today:
        return "Nothing is due today."
    overdue = sum(todo.state == Urgency.OVERDUE.value for todo in today)
    said = f"{counted(len(today), 'thing')} can be done today"
    if not overdue:
        return f"{said}."
    return f"{said}, {'all' if overdue == len(today) > 1 else overdue if len(today) > 1 else 'and it is'} overdue."
