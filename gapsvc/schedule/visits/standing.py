"""Where a window that nothing fills stands on a day, and the next day on which time alone moves it. One rule for visits
and services.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from .ages import AgeDates
from .plan import SlotStatus
from .schedule import VisitSchedule

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Clock:
    """What is the same for all windows of one child on one day.

    `known_from`: the first day from which the record would show a visit. `ends`: the last day of the schedule's last
    slot; after it nothing is asked any more. `dates`: the child's days by age.
    """

    as_of: date
    notice: timedelta
    known_from: date
    ends: date
    dates: AgeDates

    @staticmethod
    def of(schedule: VisitSchedule, birth: date, as_of: date, known_from: date | None) -> "Clock":
        dates = AgeDates(birth)
        ends = dates[schedule.slots[-1].closes]
        return Clock(as_of, timedelta(days=schedule.notice), known_from or birth, ends, dates)

    def stand(self, opens: date, overdue_after: date, closes: date) -> tuple[SlotStatus, date | None]:
        """The status of an unfilled window, and the next day on which time changes it."""
        as_of = self.as_of
        if as_of > closes or as_of > self.ends:
            return self.passed(closes)
        last = min(closes, self.ends)
        if as_of < opens:
            soon = _before(opens, self.notice)
            status, changes_on = (SlotStatus.NOT_DUE, soon) if as_of < soon else (SlotStatus.DUE_SOON, opens)
            return status, changes_on if changes_on <= last else _next(last)
        if as_of <= overdue_after:
            return SlotStatus.DUE, _next(min(overdue_after, last))
        return SlotStatus.OVERDUE, _next(last)

    def passed(self, closes: date) -> tuple[SlotStatus, date | None]:
        """The same for a window that is over, or that a later visit has passed by."""
        if self.as_of > self.ends or closes < self.known_from:
            return SlotStatus.AGED_OUT, None
        return SlotStatus.MISSED, _next(self.ends)


def _next(day: date) -> date | None:
    return day + DAY if day < date.max else None


def _before(day: date, notice: timedelta) -> date:
    return day - notice if (day - date.min) > notice else date.min
