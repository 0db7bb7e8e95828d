"""CDSi's date arithmetic (Logic Specification 4.6, Table 3-6, CALCDT-1 to CALCDT-6).

A day is its proleptic Gregorian ordinal (`date.toordinal`): comparing and adding days is then integer arithmetic.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

# Bounds that stand for "no lower limit" and "no upper limit" (CDSi assumes 1900-01-01 and 2999-12-31).
EARLIEST_DAY = date(1900, 1, 1).toordinal()
LATEST_DAY = date(2999, 12, 31).toordinal()

_TERM = re.compile(r"\s*([+-]?)\s*(\d{1,4})\s*(years?|months?|weeks?|days?|[ymwd])", re.IGNORECASE)
_PER_UNIT = {"y": (12, 0), "m": (1, 0), "w": (0, 7), "d": (0, 1)}


@dataclass(frozen=True, slots=True, eq=False)
class Offset:
    """Calendar months and then days to go from a day. Compared by identity: a schedule interns its offsets."""

    text: str
    months: int
    days: int

    def after(self, day: int) -> int:
        """The day that lies this offset after `day` (an ordinal)."""
        return (add_months(day, self.months) if self.months else day) + self.days


class NotAnOffset(ValueError):
    """The text does not read as years, months, weeks and days."""


def parse_offset(text: str) -> Offset:
    """`16 years - 4 months`, `6 weeks - 4 days`, `6w-4d`: a sum of signed years, months, weeks, days.

    Years and months are one move of the calendar fields, weeks and days are added afterwards (CALCDT-6).
    Raises NotAnOffset. The result's `text` is the short form.
    """
    months = days = position = 0
    short = ""
    while position < len(text):
        term = _TERM.match(text, position)
        if term is None or (position and not term[1]):
            break
        unit = term[3][0].lower()
        amount = -int(term[2]) if term[1] == "-" else int(term[2])
        months += amount * _PER_UNIT[unit][0]
        days += amount * _PER_UNIT[unit][1]
        short += f"{amount:+d}{unit}" if short else f"{amount}{unit}"
        position = term.end()
    if not short or text[position:].strip():
        raise NotAnOffset(f"{text!r} is not a length of time such as '6 weeks - 4 days'")
    return Offset(short, months, days)


@lru_cache(maxsize=1 << 12)  # several series of a person ask for the same
def add_months(day: int, months: int) -> int:
    """CALCDT-1, 2, 5: move year and month, keep the day; a day that doesn't exist becomes the next month's first."""
    start = date.fromordinal(day)
    return _in_month(start.year * 12 + start.month - 1 + months, start.day)


def _in_month(month: int, day: int) -> int:
    """The n-th day of a month (counted from year 0), or the first of the next month where it has fewer."""
    return min(_first_of_month(month) + day - 1, _first_of_month(month + 1))


@lru_cache(maxsize=1 << 12)
def _first_of_month(month: int) -> int:
    return date(month // 12, month % 12 + 1, 1).toordinal()


class AgeDates(dict[Offset, int]):
    """The day on which one person reaches each age, worked out when first asked for."""

    __slots__ = ("born", "day", "month")

    def __init__(self, born: int) -> None:
        super().__init__()
        birth = date.fromordinal(born)
        self.born = born
        self.month, self.day = birth.year * 12 + birth.month - 1, birth.day

    def __missing__(self, age: Offset) -> int:
        start = _in_month(self.month + age.months, self.day) if age.months else self.born
        day = self[age] = start + age.days
        return day

    def first_after(self, ages: "AgeScale", day: int) -> int | None:
        """The first day after `day` on which the person reaches one of some ages; None if they reach no more."""
        found = None
        for at in range(bisect_left(ages.lengths, day - self.born - SLACK), len(ages.lengths)):
            if found is not None and ages.lengths[at] > found - self.born + SLACK:
                break
            reached = self[ages.offsets[at]]
            if reached > day and (found is None or reached < found):
                found = reached
        return found


# How far months of mean length and months of the calendar can lie apart, in days: less than four, over any stretch.
SLACK = 5
_MEAN_MONTH = 365.2425 / 12


@dataclass(frozen=True, slots=True)
class AgeScale:
    """Ages from the shortest to the longest. Their lengths are of mean months: which of two comes first depends on the
    calendar where they are a few days apart (`361d`, `12m-4d`)."""

    offsets: tuple[Offset, ...]
    lengths: tuple[float, ...]

    @staticmethod
    def of(ages: Iterable[Offset]) -> "AgeScale":
        """A scale of these ages, each once."""
        measured = sorted(((age.months * _MEAN_MONTH + age.days, age) for age in dict.fromkeys(ages)), key=_length)
        return AgeScale(tuple(age for _, age in measured), tuple(length for length, _ in measured))


def _length(measured: tuple[float, Offset]) -> float:
    return measured[0]


def iso(day: int | None) -> str | None:
    """`2026-11-22`, or None."""
    return None if day is None else date.fromordinal(day).isoformat()


OffsetReader = Callable[[str], Offset]
