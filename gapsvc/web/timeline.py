"""The visit timeline: the schedule's slots around today, each with its window as a bar and its visit as a dot.

Positions are percentages of the time shown, which is the same in every row, so that the rows' lines for today stand
one under the other. The same is said in words in the row (gapsvc/web/templates/visits.html).
"""

from dataclasses import dataclass
from datetime import date, timedelta

from gapsvc.evaluation import wording
from gapsvc.schedule.visits.plan import SlotState, SlotStatus, VisitPlan
from gapsvc.web.words import anniversary, counted, months_between

BEFORE, AFTER = 6, 2  # slots shown that have opened, and that have not
_DAY = timedelta(days=1)
_STATES = {
    SlotStatus.NOT_DUE: "later",
    SlotStatus.DUE_SOON: "later",
    SlotStatus.DUE: "due",
    SlotStatus.OVERDUE: "overdue",
    SlotStatus.DONE: "done",
    SlotStatus.MISSED: "lost",
    SlotStatus.AGED_OUT: "past",
}
_TICKS = (1, 2, 3, 6, 12, 24, 36)  # months between the axis' marks


@dataclass(frozen=True, slots=True)
class Bar:
    """A window: from `x` to `late`, and on to `x + width`, is in time and late. Percentages."""

    x: float
    width: float
    late: float
    late_width: float


@dataclass(frozen=True, slots=True)
class SlotRow:
    """One slot: drawn, and in words. `dot` is where its visit was."""

    title: str
    state: str
    label: str
    words: str
    window: str
    bar: Bar
    dot: float | None


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the axis: an age."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """`rows` are drawn; `earlier` are the slots before them, in words only. `today` is a percentage."""

    rows: tuple[SlotRow, ...]
    earlier: tuple[SlotRow, ...]
    summary: str
    ticks: tuple[Tick, ...]
    today: float


def timeline(plan: VisitPlan, born: date, as_of: date) -> Timeline:
    """The timeline of a child's visits around a day."""
    slots = sorted(plan.slots, key=lambda slot: (slot.opens, slot.target))
    opened = [slot for slot in slots if slot.opens <= as_of]
    ahead = [slot for slot in slots if slot.opens > as_of][:AFTER]
    shown = [*opened[-BEFORE:], *ahead]
    if not shown:
        return Timeline((), (), "", (), 0.0)
    start = min(as_of, *(slot.opens for slot in shown))
    end = max(as_of, *(slot.closes for slot in shown)) + _DAY
    scale = _Scale(start, end)
    return Timeline(
        rows=tuple(_row(slot, scale, as_of) for slot in shown),
        earlier=tuple(_row(slot, scale, as_of) for slot in opened[:-BEFORE]),
        summary=_summary(opened),
        ticks=_ticks(scale, born),
        today=scale.of(as_of),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    start: date
    end: date

    def of(self, day: date) -> float:
        """Where a day stands, in percent of the time shown; what lies outside stands at the edge."""
        share = (day - self.start) / (self.end - self.start)
        return round(100 * min(max(share, 0.0), 1.0), 2)


def _row(slot: SlotState, scale: _Scale, as_of: date) -> SlotRow:
    x, late, end = (
        scale.of(slot.opens),
        scale.of(min(slot.overdue_after, slot.closes) + _DAY),
        scale.of(slot.closes + _DAY),
    )
    label, words = _words(slot, as_of)
    return SlotRow(
        title=slot.title,
        state="past" if slot.in_hospital and slot.visit is None else _STATES[slot.status],
        label=label,
        words=words,
        window=f"{wording.day(slot.opens)} to {wording.day(slot.closes)}",
        bar=Bar(x, round(end - x, 2), late, round(end - late, 2)),
        dot=None if slot.visit is None else scale.of(slot.visit.on),
    )


def _words(slot: SlotState, as_of: date) -> tuple[str, str]:
    """A slot's status, and its days."""
    if slot.in_hospital and slot.status is not SlotStatus.DONE:
        return "In the hospital", "not in these records"
    match slot.status:
        case SlotStatus.DONE:
            return "Done", wording.day(slot.visit.on) if slot.visit else ""
        case SlotStatus.OVERDUE:
            return "Overdue", f"since {wording.day(slot.overdue_after + _DAY)}, until {wording.day(slot.closes)}"
        case SlotStatus.DUE:
            return "Due now", f"by {wording.day(slot.overdue_after)}"
        case SlotStatus.DUE_SOON:
            return "Due soon", f"from {wording.day(slot.opens)}, in {counted((slot.opens - as_of).days, 'day')}"
        case SlotStatus.NOT_DUE:
            return "Later", f"from {wording.day(slot.opens)}"
        case SlotStatus.MISSED:
            return "Missed", f"closed {wording.day(slot.closes)}"
        case SlotStatus.AGED_OUT:
            return "Not known", "before these records begin"


def _summary(opened: list[SlotState]) -> str:
    done = sum(slot.status is SlotStatus.DONE for slot in opened)
    counting = [
        slot
        for slot in opened
        if slot.status is SlotStatus.DONE or not (slot.in_hospital or slot.status is SlotStatus.AGED_OUT)
    ]
    return f"{done} of {counted(len(counting), 'visit')} so far done."


def _ticks(scale: _Scale, born: date) -> tuple[Tick, ...]:
    """At most five ages, evenly apart, on the child's month or birth days."""
    first, last = months_between(born, scale.start), months_between(born, scale.end)
    step = next((step for step in _TICKS if (last - max(first, 0)) / step <= 5), 60)
    months = [month for month in range(0, last + 1, step) if month >= first and anniversary(born, month) >= scale.start]
    return tuple(
        Tick(scale.of(day), "birth" if month == 0 else _short(month))
        for month in months
        if scale.of(day := anniversary(born, month)) <= 97
    )


def _short(months: int) -> str:
    years, rest = divmod(months, 12)
    return f"{years} y" if not rest and years > 1 else f"{months} mo"
