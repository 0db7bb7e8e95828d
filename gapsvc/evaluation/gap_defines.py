"""What a measure's library says of its gaps: the defines beside its populations, read into `Said` (design/gaps.md)."""

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any

import cql_like
from gapsvc.evaluation import wording
from gapsvc.evaluation.gap import Said
from gapsvc.evaluation.result import Coding, Counted, Discounted, Need
from gapsvc.measures import Group

CHANGES_ON = "Changes On"
# Each is looked for with the group's suffix
# (`Gap Need Two Visits`), then without (`Gap Need`), so that what rates share is said once.
GAP_PARTS = (
    "Need",
    "Needed",
    "Done",
    "Due From",
    "Due By",
    "Last Day",
    CHANGES_ON,
    "Outlook",
    "Counted",
    "Discounted",
    "Exclusion",
)
Say = Callable[[str], Any]


def gap_defines(group: Group, defines: Collection[str]) -> dict[str, str]:
    """Gap part -> the define that says it, for those that the library has."""
    found: dict[str, str] = {}
    for part in GAP_PARTS:
        own, shared = f"Gap {part} {group.gap}", f"Gap {part}"
        if group.gap is not None and own in defines:
            found[part] = own
        elif shared in defines:
            found[part] = shared
    return found


def said(gap: Mapping[str, str], say: Say, *, looked_at: bool) -> Said:
    """What the gap defines say. Outside the initial population only the day on which that changes is asked."""
    if not gap:
        return Said(defined=False)
    if not looked_at:
        changes_on = gap.get(CHANGES_ON)
        return Said(defined=changes_on is not None, changes_on=None if changes_on is None else day(say(changes_on)))
    values = {part: say(name) for part, name in gap.items()}
    return Said(
        defined=CHANGES_ON in gap,
        need=_need(values.get("Need")),
        needed=values.get("Needed"),
        done=values.get("Done"),
        due_from=day(values.get("Due From")),
        due_by=day(values.get("Due By")),
        last_day=day(values.get("Last Day")),
        changes_on=day(values.get(CHANGES_ON)),
        outlook=values.get("Outlook"),
        counted=tuple(Counted(row["resource"], day(row["onDay"])) for row in values.get("Counted") or ()),
        discounted=tuple(
            Discounted(row["resource"], day(row["onDay"]), row["reason"], wording.discounted(row["reason"]))
            for row in values.get("Discounted") or ()
        ),
        exclusion=values.get("Exclusion"),
    )


def _need(concept: cql_like.Concept | None) -> Need | None:
    if concept is None:
        return None
    first, *others = (Coding(code.system or "", code.code or "", code.display) for code in concept.codes)
    further = tuple(dict.fromkeys(coding for coding in others if coding != first))
    return Need(concept.display or first.display or first.code, first, further)


def day(value: cql_like.Date | None) -> date | None:
    """A CQL Date as a Python date; one without a day is no day."""
    if value is None or value.month is None or value.day is None:
        return None
    return date(value.year, value.month, value.day)
