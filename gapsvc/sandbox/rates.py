"""Who is in which rate's population, and over which days it looks: plain day arithmetic, for the planner and the truth.

Windows are whole days, both ends inclusive. Source: docs/measures (the rules in words), never the measures' CQL.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from gapsvc.sandbox.days import add_days, add_years, fifteen_months, thirty_months
from gapsvc.sandbox.plan import Frame, Role

Window = tuple[date, date]
ENROLMENT_FROM_DAY = 31  # of life: a newborn is its mother's before


@dataclass(frozen=True, slots=True)
class VisitRate:
    """One rate that counts visits.

    `window` gives first and last day for a birth date, `applies` whether a child born then is in the population.
    `roles` of the plan count, `spacing` days apart. `named_from`: visits before it are not named as evidence.
    """

    measure: str
    group: str
    needed: int
    spacing: int
    roles: frozenset[Role]
    window: Callable[[date, Frame], Window]
    applies: Callable[[date, Frame], bool]
    named_from: Callable[[Frame], date] | None = None


def age_at_end(birth: date, frame: Frame) -> int:
    """Whole years on the period's last day; -1 before birth."""
    end = frame.period[1]
    years = end.year - birth.year
    return years if add_years(birth, years) <= end else years - 1


def turns(birth: date, years: int, frame: Frame) -> bool:
    """Whether that birthday falls in the period, of a child who is born by the as-of day."""
    start, end = frame.period
    return birth <= frame.as_of and start <= add_years(birth, years) <= end


def year_before(frame: Frame) -> date:
    """The day a year before the period: yearly measures name older services no more."""
    return add_years(frame.period[0], -1)


def _first_120_days(birth: date, _frame: Frame) -> Window:
    return birth, add_days(birth, 120)


def _first_15_months(birth: date, _frame: Frame) -> Window:
    return birth, fifteen_months(birth)


def _15_to_30_months(birth: date, _frame: Frame) -> Window:
    return add_days(fifteen_months(birth), 1), thirty_months(birth)


def _the_period(_birth: date, frame: Frame) -> Window:
    return frame.period


def _ends_in_period(window: Callable[[date, Frame], Window], *, live: bool) -> Callable[[date, Frame], bool]:
    """The window's last day falls in the period; where `live`, or the child is inside its window today."""

    def applies(birth: date, frame: Frame) -> bool:
        if birth > frame.as_of:
            return False
        start, end = frame.period
        last_day = window(birth, frame)[1]
        return start <= last_day <= end or (live and start <= frame.as_of <= end and frame.as_of <= last_day)

    return applies


def _aged(youngest: int, oldest: int) -> Callable[[date, Frame], bool]:
    return lambda birth, frame: youngest <= age_at_end(birth, frame) <= oldest


_ANY_DAY = frozenset({Role.ANCHOR, Role.FOLLOW_UP})
_SPACED = frozenset({Role.ANCHOR})


def _infant(
    measure: str, group: str, needed: int, spacing: int, window: Callable[[date, Frame], Window], *, live: bool
) -> VisitRate:
    roles = _ANY_DAY if spacing == 1 else _SPACED
    return VisitRate(measure, group, needed, spacing, roles, window, _ends_in_period(window, live=live))


def _yearly(group: str, youngest: int, oldest: int) -> VisitRate:
    return VisitRate("wcv", group, 1, 1, _ANY_DAY, _the_period, _aged(youngest, oldest), year_before)


VISIT_RATES: tuple[VisitRate, ...] = (
    _infant("three-by-120", "two-visits", 2, 1, _first_120_days, live=True),
    _infant("three-by-120", "three-visits", 3, 1, _first_120_days, live=True),
    _infant("w30", "first-15-months", 6, 14, _first_15_months, live=False),
    _infant("w30", "15-30-months", 2, 14, _15_to_30_months, live=False),
    _yearly("3-11-years", 3, 11),
    _yearly("12-17-years", 12, 17),
    _yearly("18-21-years", 18, 21),
    _yearly("total", 3, 21),
)
_INFANT_COHORTS = ("three-visits", "first-15-months", "15-30-months")


def infant_cohorts(birth: date, frame: Frame) -> tuple[str, ...]:
    """The infants' visit rates whose population a child born on that day belongs to (one name per window)."""
    return tuple(rate.group for rate in VISIT_RATES if rate.group in _INFANT_COHORTS and rate.applies(birth, frame))


def cohorts(birth: date, frame: Frame) -> tuple[str, ...]:
    """The populations that disorder is dealt to by quota: infants' visits, and who turns two or thirteen."""
    found = infant_cohorts(birth, frame)
    if turns(birth, 2, frame):
        found += ("turns-two",)
    if turns(birth, 13, frame):
        found += ("turns-thirteen",)
    return found


def windows_of(birth: date, frame: Frame) -> list[Window]:
    """First and last day of every window of visits that a child born on that day is measured by."""
    return [rate.window(birth, frame) for rate in VISIT_RATES if rate.applies(birth, frame)]
