"""The values of number, date and time literals, and their limits (CQL Author's Guide, Literals and Data Types).

Each function takes a token's text and gives the literal's parts; a literal that names no value (month 13, an Integer
beyond 32 bits) raises `LiteralError`, which the parser turns into an error with its place.
"""

import re
from calendar import monthrange
from decimal import Decimal, localcontext

MAX_INTEGER = 2**31 - 1
MAX_LONG = 2**63 - 1
_INTEGER_DIGITS = 20
_FRACTION_DIGITS = 8
_STEP = Decimal(1).scaleb(-_FRACTION_DIGITS)
_MAX_OFFSET = 14 * 60

_DATE = re.compile(r"@(\d{4})(?:-(\d\d))?(?:-(\d\d))?", re.ASCII)
_TIME = re.compile(r"(\d\d)(?::(\d\d))?(?::(\d\d))?(?:\.(\d+))?", re.ASCII)
_OFFSET = re.compile(r"([-+])(\d\d):(\d\d)$", re.ASCII)

DateParts = tuple[int, int | None, int | None]
TimeParts = tuple[int | None, int | None, int | None, int | None]


class LiteralError(ValueError):
    """A literal that is well formed and names no value; the message says why, `expected` what is possible."""

    def __init__(self, message: str, expected: str) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected


def integer(text: str) -> int:
    """`42` -> 42."""
    value = int(text) if len(text.lstrip("0")) <= 10 else MAX_INTEGER + 1
    if value > MAX_INTEGER:
        raise LiteralError(f"{shortened(text)} is out of range for an Integer", f"at most {MAX_INTEGER}, or a Long")
    return value


def long(text: str) -> int:
    """`42L` -> 42."""
    digits = text[:-1]
    value = int(digits) if len(digits.lstrip("0")) <= 19 else MAX_LONG + 1
    if value > MAX_LONG:
        raise LiteralError(f"{shortened(text)} is out of range for a Long", f"at most {MAX_LONG}L")
    return value


def decimal(text: str) -> Decimal:
    """`4.20` or `5` -> Decimal; zeros at the end are kept up to 8 places."""
    whole, _, fraction = text.partition(".")
    if len(whole.lstrip("0")) > _INTEGER_DIGITS:
        raise LiteralError(f"{shortened(text)} is out of range for a Decimal", "at most 20 digits before the point")
    if len(fraction.rstrip("0")) > _FRACTION_DIGITS:
        raise LiteralError(
            f"{shortened(text)} has more digits than a Decimal holds", "at most 8 digits after the point"
        )
    return Decimal(f"{whole}.{fraction[:_FRACTION_DIGITS]}") if fraction else Decimal(whole)


def measured(text: str) -> Decimal:
    """The value of a quantity: a measurement, so digits finer than a Decimal holds are rounded off."""
    whole, point, fraction = text.partition(".")
    if len(fraction) <= _FRACTION_DIGITS:
        return decimal(text)
    value = decimal(f"{whole}{point}{fraction[:_FRACTION_DIGITS]}")
    with localcontext() as context:
        context.prec = _INTEGER_DIGITS + _FRACTION_DIGITS + 1
        return value + _STEP if fraction[_FRACTION_DIGITS] >= "5" else value


def date(text: str) -> DateParts:
    """`@2024-02-29` -> (2024, 2, 29); parts that were not written are None."""
    match = _DATE.match(text)
    if match is None:
        raise LiteralError("this is not a date", "@2024-02-29")
    year = int(match[1])
    month = int(match[2]) if match[2] else None
    day = int(match[3]) if match[3] else None
    if year == 0:
        raise LiteralError("there is no year 0000", "a year from 0001 to 9999")
    if month is not None and not 1 <= month <= 12:
        raise LiteralError(f"there is no month {month:02}", "a month from 01 to 12")
    if month is not None and day is not None and not 1 <= day <= monthrange(year, month)[1]:
        raise LiteralError(f"there is no day {day:02} in {year:04}-{month:02}", f"01 to {monthrange(year, month)[1]}")
    return year, month, day


def time(text: str) -> TimeParts:
    """`10:30:00.5` -> (10, 30, 0, 500); the fraction is one of a second and is given in milliseconds."""
    match = _TIME.match(text)
    if match is None:
        return None, None, None, None
    hour = int(match[1])
    minute, second = (int(part) if part else None for part in (match[2], match[3]))
    fraction = match[4]
    if hour > 23:
        raise LiteralError(f"there is no hour {hour}", "an hour from 00 to 23")
    if minute is not None and minute > 59:
        raise LiteralError(f"there is no minute {minute}", "a minute from 00 to 59")
    if second is not None and second > 59:
        raise LiteralError(f"there is no second {second}", "a second from 00 to 59")
    if fraction and fraction[3:].strip("0"):
        raise LiteralError(f"the fraction .{shortened(fraction)} is finer than a millisecond", "at most three digits")
    return hour, minute, second, int(fraction[:3].ljust(3, "0")) if fraction else None


def offset(text: str) -> int | None:
    """The offset from UTC, in minutes, at the end of a DateTime literal: `Z` -> 0, `-05:30` -> -330, none -> None."""
    if text.endswith("Z"):
        return 0
    match = _OFFSET.search(text)
    if match is None:
        return None
    hours, minutes = int(match[2]), int(match[3])
    if minutes > 59 or hours * 60 + minutes > _MAX_OFFSET:
        raise LiteralError(f"there is no offset {match[0]}", "an offset from -14:00 to +14:00")
    return (hours * 60 + minutes) * (-1 if match[1] == "-" else 1)


def shortened(text: str) -> str:
    """The text, cut to a length that fits a message."""
    return text if len(text) <= 48 else f"{text[:44]}..."
