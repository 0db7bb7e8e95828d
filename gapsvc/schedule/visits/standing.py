"""Where a window that nothing fills stands on a day, and the next day on which time alone moves it. One rule for visits
and services.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from .ages import AgeDates
from .plan import SlotStatus
from .schedule import VisitSchedule

DAY = timedelta(days=1)
# Looked up once: this is asked of every window of every child.
_NOT_DUE, _DUE_SOON, _DUE = SlotStatus.NOT_DUE, SlotStatus.DUE_SOON, SlotStatus.DUE
_OVERDUE, _MISSED, _AGED_OUT = SlotStatus.OVERDUE, SlotStatus.MISSED, SlotStatus.AGED_OUT


@dataclass(frozen=True, slots=True)
class Clock:
    """What is the same for all windows of one child on one day.

    `soon`: the last day of the schedule's notice. `known_from`: the first day from which the record would show a visit.
    `ends`: the last day of the schedule's last slot; after it nothing is asked any more. `dates`: the child's days by
    age.
    """

    as_of: date
    notice: timedelta
    soon: date
    known_from: date
    ends: date
    dates: AgeDates

    @staticmethod
    def of(schedule: VisitSchedule, birth: date, as_of: date, known_from: date | None) -> "Clock":
        dates = AgeDates(birth)
        ends = dates[schedule.slots[-1].closes]
        notice = timedelta(days=schedule.notice)
        soon = as_of + notice if date.max - as_of > notice else date.max
        return Clock(as_of, notice, soon, known_from or birth, ends, dates)

    def stand(self, opens: date, overdue_after: date, closes: date) -> tuple[SlotStatus, date | None]:
        """The status of an unfilled window, and the next day on which time changes it."""
        as_of = self.as_of
        last = closes if closes < self.ends else self.ends
        if as_of > last:
            return self.passed(closes)
        if as_of < opens:
            status, changes_on = (_DUE_SOON, opens) if opens <= self.soon else (_NOT_DUE, opens - self.notice)
            return status, changes_on if changes_on <= last else _next(last)
        if as_of <= overdue_after:
            return _DUE, _next(overdue_after if overdue_after < last else last)
        return _OVERDUE, _next(last)

    def passed(self, closes: date) -> tuple[SlotStatus, date | None]:
        """The same for a window that is over, or that a later visit has passed by."""
        if self.as_of > self.ends or closes < self.known_from:
            return _AGED_OUT, None
        return _MISSED, _next(self.ends)


def _next(day: date) -> date | None:
    return day + DAY if day < date.max else None
