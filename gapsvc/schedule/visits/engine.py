"""A child's visit plan as of a day: which visit fills which slot, what is due, and when time alone changes that. Pure.

The same rows give the same plan in whatever order they come.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from .matching import match
from .plan import Done, LeftOut, SlotState, SlotStatus, VisitPlan
from .schedule import VisitSchedule
from .services import NOT_SCHEDULED, Services, Shown
from .standing import Clock

FUTURE = "future"
SAME_DAY = "same-day"
SLOT_FILLED = "slot-filled"
IMPRECISE = "imprecise-date"

_DAY = timedelta(days=1)
# A status, and the next day on which time alone changes it.
_Stand = tuple[SlotStatus, date | None]


@dataclass(frozen=True, slots=True)
class Row:
    """A visit or service that was found. `problem`: why it does not qualify (a code of evaluation.wording); None where
    it does."""

    reference: str
    on: date | None
    problem: str | None = None


def assess(
    schedule: VisitSchedule,
    birth: date,
    visits: Iterable[Row],
    services: Mapping[str, Iterable[Row]],
    as_of: date,
    known_from: date | None = None,
    risks: Mapping[str, date] | None = None,
) -> VisitPlan:
    """The plan of one child.

    Args:
        schedule: the visit schedule.
        birth: the birth date.
        visits: the child's well visits, those that do not qualify included.
        services: rows that show an item done, by the item's id; an item may be left out.
        as_of: the day that counts as today; rows dated later are left out until then.
        known_from: the first day from which the record would show a visit; from birth on, if left out. What closed
            before it is AGED_OUT, not MISSED.
        risks: for items that a risk makes due, the day since which the child's risk is known.
    """
    clock = Clock.of(schedule, birth, as_of, known_from)
    left_out: list[LeftOut] = []
    changes: list[date] = []
    slots = _slots(schedule, clock, _usable(visits, as_of, left_out, changes), left_out, changes)
    since = risks or {}
    found = Services(clock, [], left_out, changes)
    for item in schedule.items:
        rows = services.get(item.id)
        # Of what is measured at every visit nothing is told that does not count: it would be said at each one.
        aside = [] if item.with_visit else left_out
        shown = _usable(rows, as_of, aside, changes, item.id) if rows else ()
        found.add(item, shown, since.get(item.id))
    left_out.sort(key=_order)
    return VisitPlan(
        schedule.label,
        tuple(slots),
        tuple(found.states),
        tuple(left_out),
        _untracked(schedule, slots, as_of, {item for item, day in since.items() if day <= as_of}, changes),
        min(changes) if changes else None,
    )


def _usable(
    rows: Iterable[Row], as_of: date, left_out: list[LeftOut], changes: list[date], item: str = ""
) -> list[Shown]:
    """The rows that qualify, in order; the others are left out. One of the future changes the plan on its day."""
    found: list[Shown] = []
    for row in rows:
        on, problem = row.on, row.problem
        if problem is None or problem == FUTURE:
            if on is None:
                problem = IMPRECISE
            elif on <= as_of:
                found.append((on, row.reference))
                continue
            else:
                problem = FUTURE
                changes.append(on)
        left_out.append(LeftOut(row.reference, on, problem, item))
    found.sort()
    return found


def _order(one: LeftOut) -> tuple[date, str, str, str]:
    return one.on or date.min, one.reference, one.reason, one.item


# ------------------------------------------------------------------------------------------------------------- slots


def _slots(
    schedule: VisitSchedule, clock: Clock, visits: Sequence[Shown], left_out: list[LeftOut], changes: list[date]
) -> list[SlotState]:
    dates = clock.dates
    windows = [(dates[slot.opens], dates[slot.closes], dates[slot.target]) for slot in schedule.slots]
    filled = _filled(windows, visits, left_out)
    last_filled = max(filled, default=-1)
    asked_until: date | None = None  # the last day of the earlier slots that are still asked for
    states: list[SlotState] = []
    for at, slot in enumerate(schedule.slots):
        opens, closes, target = windows[at]
        overdue_after = dates[slot.overdue_after]
        visit = filled.get(at)
        stand: _Stand
        if visit is not None:
            stand = SlotStatus.DONE, None
        elif slot.in_hospital:
            over = at < last_filled or clock.as_of > closes
            stand = (SlotStatus.AGED_OUT, None) if over else (SlotStatus.NOT_DUE, closes + _DAY)
        elif at < last_filled:
            stand = clock.passed(closes)
        else:
            # One visit at a time: a slot is asked for when no earlier one is any more.
            asked_from = opens if asked_until is None or opens > asked_until else asked_until + _DAY
            stand = clock.stand(asked_from, overdue_after, closes)
            if closes >= clock.as_of:
                asked_until = closes
        status, changes_on = stand
        if changes_on is not None:
            changes.append(changes_on)
        states.append(
            SlotState(slot.id, slot.title, opens, target, overdue_after, closes, status, visit, slot.in_hospital)
        )
    return states


def _filled(
    windows: Sequence[tuple[date, date, date]], visits: Sequence[Shown], left_out: list[LeftOut]
) -> dict[int, Done]:
    """The visit of each slot that has one; the others are left out, each with why."""
    first_of_day: list[Shown] = []
    for visit in visits:
        if first_of_day and first_of_day[-1][0] == visit[0]:
            left_out.append(LeftOut(visit[1], visit[0], SAME_DAY))
        else:
            first_of_day.append(visit)
    matched = match(windows, [on for on, _ in first_of_day])
    used = set(matched.values())
    for at, (on, reference) in enumerate(first_of_day):
        if at not in used:
            held = any(opens <= on <= closes for opens, closes, _ in windows)
            left_out.append(LeftOut(reference, on, SLOT_FILLED if held else NOT_SCHEDULED))
    return {slot: Done(first_of_day[at][1], first_of_day[at][0]) for slot, at in matched.items()}


# --------------------------------------------------------------------------------------------------------- untracked


def _untracked(
    schedule: VisitSchedule, slots: Sequence[SlotState], as_of: date, risks: Collection[str], changes: list[date]
) -> tuple[str, ...]:
    """What the schedule asks for at this age and our data can't show: that of the slot which opened last, until it
    closes. A known risk is not asked about."""
    said = schedule.untracked
    if risks:
        known = {text for item, text in schedule.risk_questions if item in risks}
        said = tuple(tuple(text for text in texts if text not in known) for texts in said)
    at = sum(slot.opens <= as_of for slot in slots) - 1
    now = said[at] if at >= 0 and as_of <= slots[at].closes else ()
    for after in range(at + 1, len(slots) + 1):
        over = slots[after - 1].closes + _DAY if after and as_of <= slots[after - 1].closes else None
        opens = slots[after].opens if after < len(slots) else None
        if now and over is not None and (opens is None or over < opens):
            changes.append(over)
            break
        if opens is not None and said[after] != now:
            changes.append(opens)
            break
    return now
