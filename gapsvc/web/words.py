"""Words of the pages: ages, lists, numbers. Days are written as everywhere (gapsvc.evaluation.wording.day)."""

import calendar
import re
from collections.abc import Sequence
from datetime import date, timedelta


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """`1 dose`, `3 doses`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def joined(words: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def capital(text: str) -> str:
    """The text with a capital first letter; the others stay as they are."""
    return text[:1].upper() + text[1:]


def day_in(text: str | None) -> date | None:
    """The day that a FHIR date or dateTime names; None where it names none to the day."""
    if text is None or not re.match(r"\d{4}-\d\d-\d\d(?:T|$)", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def anniversary(born: date, months: int) -> date:
    """The day on which somebody born then is so many months old; of a day that a month lacks, its last."""
    year, month = divmod(born.year * 12 + born.month - 1 + months, 12)
    return date(year, month + 1, min(born.day, calendar.monthrange(year, month + 1)[1]))


def months_between(born: date, on: date) -> int:
    """Completed months of age."""
    months = (on.year - born.year) * 12 + on.month - born.month
    return months - 1 if anniversary(born, months) > on else months


def age(born: date, on: date) -> str:
    """An age as one says it at a desk: days in the first month, months (and weeks at first) to two years, then years.

    >>> age(date(2024, 9, 1), date(2026, 11, 22))
    '2 years 2 months'
    """
    if on < born:
        return "not born yet"
    months = months_between(born, on)
    if months < 1:
        return counted((on - born).days, "day")
    if months < 24:
        weeks = (on - anniversary(born, months)) // timedelta(weeks=1)
        return counted(months, "month") + (f" {counted(weeks, 'week')}" if months < 6 and weeks else "")
    years, months = divmod(months, 12)
    return counted(years, "year") + (f" {counted(months, 'month')}" if months and years < 6 else "")
