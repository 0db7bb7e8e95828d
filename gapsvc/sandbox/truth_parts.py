"""What the truths of all measures share: who is excluded, and the shape of an answer. Plan values and days only."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from gapsvc.sandbox.days import add_days
from gapsvc.sandbox.plan import ChildPlan, Frame

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A resource on its day. `why`: the reason why it never counts, None where it may."""

    reference: str
    on: date
    why: str | None = None

    @property
    def order(self) -> tuple[date, bool, str]:
        """By day; of one day what the provider wrote before what the payer was billed, then by reference."""
        return self.on, self.reference.startswith("Claim/"), self.reference


@dataclass(frozen=True, slots=True)
class Tally:
    """What counts in a window, in order, and why everything else that was looked at does not."""

    counted: tuple[Row, ...]
    discounted: dict[str, str]

    @property
    def done(self) -> int:
        return len(self.counted)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a child stands with one need. The days are None where it is met."""

    met: bool
    needed: int | None
    done: int | None
    counted: tuple[Row, ...]
    discounted: dict[str, str]
    due_from: date | None
    last_day: date | None
    missed: bool


def not_applicable() -> Answer:
    """Outside of the population."""
    return {
        "populations": {"initial-population": 0, "denominator": 0, "denominator-exclusion": 0, "numerator": 0},
        "status": "not-applicable",
    }


def tally(rows: list[Row], first: date, last: date) -> Tally:
    """Rows that count one a day from `first` to `last`; of one day the first in order counts."""
    counted: list[Row] = []
    discounted: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: row.order):
        if row.why is not None:
            discounted[row.reference] = row.why
        elif row.on < first:
            discounted[row.reference] = "before-window"
        elif row.on > last:
            discounted[row.reference] = "after-window"
        elif counted and counted[-1].on == row.on:
            discounted[row.reference] = "same-day"
        else:
            counted.append(row)
    return Tally(tuple(counted), discounted)


def standing(found: Tally, frame: Frame, *, needed: int, window: tuple[date, date], spacing: int = 1) -> Standing:
    """`needed` times within the window, `spacing` days apart: when the next would count, and whether all still fit."""
    first, last = window
    due_from = add_days(found.counted[-1].on, spacing) if found.counted else first
    last_start = add_days(last, -(needed - found.done - 1) * spacing)
    return standing_until(found, frame, needed=needed, due_from=due_from, last_day=last, last_start=last_start)


def standing_until(
    found: Tally, frame: Frame, *, needed: int, due_from: date, last_day: date, last_start: date
) -> Standing:
    """The same where the rule itself says the last day to start on what is still needed."""
    met = found.done >= needed
    return Standing(
        met=met,
        needed=needed,
        done=found.done,
        counted=found.counted,
        discounted=found.discounted,
        due_from=None if met else due_from,
        last_day=None if met else last_day,
        missed=not met and max(due_from, frame.as_of) > last_start,
    )


def answer(one: Standing, frame: Frame, *, excluded: bool) -> Answer:
    """A rate's line of truth for a child of its population."""
    pending = not (excluded or one.met)
    status = "closed-gap"
    if pending:
        early = one.due_from is not None and frame.as_of < one.due_from
        status = "prospective-gap" if early and not one.missed else "open-gap"
    return {
        "populations": {
            "initial-population": 1,
            "denominator": 1,
            "denominator-exclusion": int(excluded),
            "numerator": int(one.met and not excluded),
        },
        "status": status,
        "needed": one.needed,
        "done": one.done,
        "due_from": one.due_from.isoformat() if pending and one.due_from else None,
        "last_day": one.last_day.isoformat() if pending and one.last_day else None,
        "outlook": None if excluded else "met" if one.met else "missed" if one.missed else "possible",
        "counted": [row.reference for row in one.counted],
        "discounted": one.discounted,
    }


def excluded(child: ChildPlan, frame: Frame) -> bool:
    """Out of every measure: death by the period's end, or hospice care in the period."""
    until = min(frame.period[1], frame.as_of)
    if child.deceased is not None and (child.deceased_as_boolean or child.deceased <= until):
        return True
    return any(frame.period[0] <= stay.on <= until for stay in child.hospice)
