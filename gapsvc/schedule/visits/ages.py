"""Ages as the visit schedule writes them, and the day on which a child reaches one.

Arithmetic is FHIR's and CQL's (CQL 1.5, Add): months move the calendar fields, and a day that the month doesn't have
becomes its last (29 February + 1 year = 28 February); days are added afterwards. CDSi's differs: see
schedule/immunizations/calendar.py.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

MOST_YEARS = 130
_TERM = re.compile(r"\s*([+-]?)\s*(\d{1,5})\s*(year|month|week|day)s?(?![a-z])", re.IGNORECASE)
_PER_UNIT = {"year": (12, 0), "month": (1, 0), "week": (0, 7), "day": (0, 1)}


class NotAnAge(ValueError):
    """The text does not read as years, months, weeks and days."""


@dataclass(frozen=True, slots=True, eq=False)
class Age:
    """Calendar months and then days (which may be negative) from a day. `text` is how it was written.

    Compared by identity, so that `AgeDates` finds it fast; `age_of` makes each only once.
    """

    months: int
    days: int
    text: str = ""

    def after(self, day: date) -> date:
        """The day that lies this much after `day`; the last day that there is, where it lies beyond."""
        try:
            if self.months:
                year, month = divmod(day.year * 12 + day.month - 1 + self.months, 12)
                of_month = day.day
                if of_month > 28:
                    of_month = min(of_month, monthrange(year, month + 1)[1])
                day = date(year, month + 1, of_month)
            return day + timedelta(days=self.days) if self.days else day
        except (ValueError, OverflowError):
            return date.max

    def day_before(self) -> "Age":
        """The age one day younger."""
        return age_of(self.months, self.days - 1, f"{self.text} - 1 day")


@lru_cache(maxsize=4096)
def age_of(months: int, days: int, text: str) -> Age:
    """The age of so many months and then days."""
    return Age(months, days, text)


class AgeDates(dict[Age, date]):
    """The day on which one child reaches each age, worked out when first asked for."""

    __slots__ = ("_day", "_months", "birth")

    def __init__(self, birth: date) -> None:
        super().__init__()
        self.birth = birth
        self._months = birth.year * 12 + birth.month - 1
        self._day = birth.day

    def __missing__(self, age: Age) -> date:
        if self._day > 28 or age.months > MOST_YEARS * 12 or self.birth.year > 9000:
            day = age.after(self.birth)
        else:  # nearly always; every month has the day
            year, month = divmod(self._months + age.months, 12)
            day = date(year, month + 1, self._day)
            if age.days:
                day += timedelta(age.days)
        self[age] = day
        return day


def parse_age(text: str) -> Age:
    """`6 weeks`, `3 months + 15 days`, `22 years - 1 day`: a sum of years, months, weeks and days.

    Raises:
        NotAnAge: it is no such sum, is below zero, or is beyond any life.
    """
    months = days = position = 0
    for number in range(8):
        term = _TERM.match(text, position)
        if term is None or bool(term[1]) != bool(number):
            break
        amount = -int(term[2]) if term[1] == "-" else int(term[2])
        per_months, per_days = _PER_UNIT[term[3].lower()]
        months, days = months + amount * per_months, days + amount * per_days
        position = term.end()
    if not position or text[position:].strip():
        raise NotAnAge(f"{text!r} is no age; expected one such as '3 months + 15 days'")
    if months < 0 or months * 28 + days < 0 or months + days // 28 > MOST_YEARS * 12:
        raise NotAnAge(f"{text!r} lies outside a life of {MOST_YEARS} years")
    return age_of(months, days, " ".join(text.split()))
