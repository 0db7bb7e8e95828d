# pyright: strict
"""The one reader of FHIR dates and times at the edge: the R4 grammar, and what vendors write instead of it.

Source: FHIR R4 §2.24.0.1 (primitive types date, dateTime, instant; their regular expressions).
"""

import re
from calendar import monthrange
from typing import Literal

Kind = Literal["date", "dateTime"]

_DAY = r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01])%s)?)?\Z"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?"
_OFFSET = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"

FHIR_DATE = re.compile(_DAY % "", re.ASCII)
FHIR_DATETIME = re.compile(_DAY % f"(?:T{_CLOCK}{_OFFSET})?", re.ASCII)

# Most clean values, for a quick first look: days 29 to 31 need the calendar (is_fhir).
_USUAL_DAY = r"[12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
USUAL_DATE = re.compile(_USUAL_DAY + r"\Z", re.ASCII)
USUAL_DATETIME = re.compile(f"{_USUAL_DAY}(?:T{_CLOCK}{_OFFSET})?" + r"\Z", re.ASCII)

# What vendors write: a day, anything between, a clock with fewer or more parts, an offset with or without colon.
_LOOSE = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:(?P<mark>[Tt]|\s+)(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<fraction>[.,]\d*)?)?"
    r"\s*(?P<offset>[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?\Z",
    re.ASCII,
)
# HL7 v2 style: YYYYMMDD[hhmm[ss]][offset]. Six digits could be YYMMDD, so they are not read.
_COMPACT = re.compile(
    r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?\Z",
    re.ASCII,
)


def real_day(value: str) -> bool:
    """Whether the day of a date that matches the grammar exists in its month (and the year is not 0000)."""
    if value[:4] == "0000":
        return False
    if value[8:10] <= "28":
        return True
    return int(value[8:10]) <= monthrange(int(value[:4]), int(value[5:7]))[1]


def is_fhir(value: str, kind: Kind) -> bool:
    """Whether `value` is a date or dateTime of FHIR R4 whose day exists."""
    grammar = FHIR_DATE if kind == "date" else FHIR_DATETIME
    return grammar.match(value) is not None and real_day(value)


def read_date(value: str, kind: Kind) -> tuple[str | None, tuple[str, ...]]:
    """A vendor's date as FHIR writes it, and the codes of what had to be changed (see adapters.deviations).

    Nothing is guessed: no time zone is invented (a dateTime without an offset stays as it is, with the remark
    `datetime-without-offset`), `03/04/2024` is not read, and a day that does not exist gives (None,
    ("invalid-date",)). A `date` with a time part keeps the day that was written, whatever its offset:
    a birth date is a local day.
    """
    if is_fhir(value, kind):
        return value, ()
    codes: list[str] = []
    text = value.strip()
    if text != value:
        codes.append("text-trimmed")
    compact = _COMPACT.match(text)
    if compact is not None:
        year, month, day, hour, minute, second, fraction, offset = compact.groups()
        text = f"{year}-{month}-{day}"
        if hour is not None:
            text += f"T{hour}:{minute}:{second or '00'}{fraction or ''}{offset or ''}"
        codes.append("compact-date")
    if is_fhir(text, kind):
        return text, tuple(codes)
    loose = _LOOSE.match(text)
    if loose is None:
        return None, ("invalid-date",)
    day = loose["day"]
    if not is_fhir(day, "date"):
        return None, ("invalid-date",)
    if kind == "date":
        return day, (*codes, "date-with-time") if loose["hour"] is not None else tuple(codes)
    if loose["hour"] is None:
        return day, tuple(codes)
    text, clock_codes = _clock(loose)
    # The grammar decides on hours, minutes and offsets; a time without an offset is checked with one lent to it.
    if not is_fhir(text if clock_codes[-1:] != ("datetime-without-offset",) else text + "Z", "dateTime"):
        return None, ("invalid-date",)
    return text, (*codes, *clock_codes)


def _clock(loose: re.Match[str]) -> tuple[str, tuple[str, ...]]:
    codes: list[str] = []
    if loose["mark"] != "T":
        codes.append("datetime-separator")
    if loose["second"] is None:
        codes.append("datetime-without-seconds")
    fraction = (loose["fraction"] or "").replace(",", ".").rstrip(".")[:10]
    if fraction != (loose["fraction"] or ""):
        codes.append("datetime-fraction")
    text = f"{loose['day']}T{loose['hour']}:{loose['minute']}:{loose['second'] or '00'}{fraction}"
    offset = loose["offset"]
    if offset is None:
        return text, (*codes, "datetime-without-offset")
    if offset in ("z", "UTC", "GMT"):
        offset = "Z"
    elif offset != "Z" and ":" not in offset:
        offset = f"{offset[:3]}:{offset[3:] or '00'}"
    if offset != loose["offset"]:
        codes.append("datetime-offset")
    return text + offset, tuple(codes)
