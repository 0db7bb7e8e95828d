"""From a child's view to what the card says: today's few actions, what comes later, how fresh the data are."""

from datetime import date

from fhir_profiles.cds_hooks import Advice, CardContent
from gapsvc.evaluation import wording
from gapsvc.evaluation.actions import Action, Urgency, most_pressing
from gapsvc.evaluation.child import ChildView


def card_content(
    view: ChildView, *, source: str, page_url: str, source_url: str | None = None, for_relatives: bool = False
) -> CardContent | None:
    """What the card of a child says; None where there is nothing to do today.

    Args:
        source: who gives the advice, as it is shown.
        page_url: the absolute address of the child's page.
        source_url: where to learn about who gives it.
        for_relatives: whoever reads it may be a parent: what is confidential is left out.
    """
    shown = [one for one in view.actions if not (one.confidential and for_relatives)]
    actions = most_pressing(shown, view.as_of)  # a card shows a few
    today = [action for action in actions if action.urgency in (Urgency.OVERDUE, Urgency.DUE)]
    if not today:
        return None
    later = [action for action in actions if action.urgency is Urgency.LATER]
    urgent = any(action.urgency is Urgency.OVERDUE or action.presses(view.as_of) for action in today)
    return CardContent(
        today=tuple(_advice(action, view.as_of) for action in today),
        later=tuple(_advice(action, view.as_of) for action in later),
        urgent=urgent,
        notices=tuple(f"{notice[:1].upper()}{notice[1:]}." for notice in view.notices),
        notes=tuple(_notes(view)),
        source=source,
        source_url=source_url,
        page_url=page_url,
    )


def _advice(action: Action, as_of: date) -> Advice:
    short = ""
    if action.last_day is not None and action.presses(as_of):
        short = f"last day {wording.day(action.last_day)}"
    elif action.urgency is Urgency.OVERDUE:
        short = action.when.split(", last day")[0]
    return Advice(
        text=action.text,
        when=action.when,
        short=short,
        products=action.products,
        reasons=tuple(wish.text for wish in action.wishes),
        remarks=action.remarks,
    )


def _notes(view: ChildView) -> list[str]:
    notes = [f"As of {wording.day(view.as_of)}."]
    notes += [f"Data of {name} as of {instant[:10]}." for name, instant in sorted(view.record.data_as_of.items())]
    if view.failed:
        notes.append(f"Could not be evaluated, and is not in this list: {', '.join(view.failed)}.")
    return notes
