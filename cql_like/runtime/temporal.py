"""Dates, times and their comparison at a precision (CQL Author's Guide §Comparing dates and times; Appendix B
§Date and Time operators).

Values are compared component by component: the first that differs decides; where one value has a component and the
other has not, the answer is unknown (None). Date-times with different offsets are first brought to UTC.
"""

import re
from datetime import date as _date
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

from cql_like.ir import Precision
from cql_like.runtime.context import EvaluationContext
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.numbers import CONTEXT, fit
from cql_like.runtime.values import MS_PER_DAY, Date, DateTime, Time, Uncertainty, days_in_month

Temporal = Date | DateTime | Time

# How many components a precision needs: of a Date or DateTime, and of a Time. A week is made of days.
DATE_COUNT = {
    "year": 1, "month": 2, "week": 3, "day": 3, "hour": 4, "minute": 5, "second": 6, "millisecond": 7,
}  # fmt: skip
TIME_COUNT = {"hour": 1, "minute": 2, "second": 3, "millisecond": 4}

_MINUTES_PER_DAY = 1440
_MAX_ORDINAL = _date.max.toordinal()

_DATE_PATTERN = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_DATETIME_PATTERN = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?"
    r"(?:T(?:(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?(?:(Z)|([+-])(\d\d):(\d\d))?)?)?"
)
_TIME_PATTERN = re.compile(r"T?(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?(?:Z|[+-]\d\d:\d\d)?")


# --- reading ---------------------------------------------------------------------------------------------------


def _int(text: str | None) -> int | None:
    return None if text is None else int(text)


def _milliseconds(digits: str | None) -> int | None:
    return None if digits is None else int(digits[:3].ljust(3, "0"))


@lru_cache(maxsize=65_536)
def parse_date(text: str) -> Date | None:
    """A FHIR or CQL date (`2014`, `2014-05`, `2014-05-09`); None where the text is not one."""
    match = _DATE_PATTERN.fullmatch(text)
    if match is None:
        return None
    try:
        return Date(int(match[1]), _int(match[2]), _int(match[3]))
    except CqlRuntimeError:
        return None


@lru_cache(maxsize=65_536)
def parse_datetime(text: str) -> DateTime | None:
    """A FHIR dateTime or instant, or a CQL DateTime (without `@`); None where the text is not one.

    Digits of the second beyond the millisecond are dropped.
    """
    match = _DATETIME_PATTERN.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zulu, sign, offset_hours, offset_minutes = match.groups()
    if hour is not None and day is None:
        return None
    offset = 0 if zulu else None
    if sign:
        offset = int(offset_hours) * 60 + int(offset_minutes)
        offset = -offset if sign == "-" else offset
    try:
        return DateTime(
            int(year), _int(month), _int(day), _int(hour), _int(minute), _int(second), _milliseconds(fraction), offset
        )
    except CqlRuntimeError:
        return None


@lru_cache(maxsize=4096)
def parse_time(text: str) -> Time | None:
    """A FHIR time or CQL time, with or without `T`; an offset is read over, for times have none. None if not one."""
    match = _TIME_PATTERN.fullmatch(text)
    if match is None:
        return None
    try:
        return Time(int(match[1]), _int(match[2]), _int(match[3]), _milliseconds(match[4]))
    except CqlRuntimeError:
        return None


# --- making ----------------------------------------------------------------------------------------------------


def make_date(year: int | None, month: int | None = None, day: int | None = None) -> Date | None:
    """`Date(year, month, day)`: null without a year (Appendix B §Date)."""
    return None if year is None else Date(year, month, day)


def make_datetime(
    year: int | None,
    month: int | None = None,
    day: int | None = None,
    hour: int | None = None,
    minute: int | None = None,
    second: int | None = None,
    millisecond: int | None = None,
    offset: Any = None,
    *,
    context: EvaluationContext,
) -> DateTime | None:
    """`DateTime(year, ..., offset in hours)`: null without a year; without an offset, the evaluation's default."""
    if year is None:
        return None
    minutes = None if offset is None else round(offset * 60)
    value = DateTime(year, month, day, hour, minute, second, millisecond, minutes)
    return with_default_offset(value, context=context)


def make_time(
    hour: int | None, minute: int | None = None, second: int | None = None, millisecond: int | None = None
) -> Time | None:
    """`Time(hour, minute, second, millisecond)`: null without an hour."""
    return None if hour is None else Time(hour, minute, second, millisecond)


def with_default_offset(value: DateTime, *, context: EvaluationContext) -> DateTime:
    """A date-time that states no offset gets the evaluation's default, where that is not UTC."""
    if value.offset is not None or not context.default_offset or value.count < 4:
        return value
    return replace_offset(value, context.default_offset)


def replace_offset(value: DateTime, offset: int | None) -> DateTime:
    """The same clock reading, another offset."""
    return DateTime(
        value.year, value.month, value.day, value.hour, value.minute, value.second, value.millisecond, offset
    )


def from_components(like: Temporal, components: tuple[int, ...]) -> Any:
    """A value of the kind (and offset) of `like`, with other components."""
    if isinstance(like, Date):
        return Date(*components)
    if isinstance(like, Time):
        return Time(*components)
    padded = (*components, *(None,) * (7 - len(components)))
    return DateTime(*padded, like.offset)  # type: ignore[arg-type]  # padded is int | None by construction


def datetime_of(value: Date) -> DateTime:
    """ToDateTime(Date): the same components, the time unspecified."""
    return DateTime(value.year, value.month, value.day)


@lru_cache(maxsize=65_536)
def date_from(value: DateTime) -> Date:
    """`date from`: the date as the value's own offset shows it."""
    return Date(value.year, value.month, value.day)


def time_from(value: DateTime) -> Time | None:
    """`time from`: null where the value has no hour."""
    return None if value.hour is None else Time(value.hour, value.minute, value.second, value.millisecond)


def offset_from(value: DateTime, *, context: EvaluationContext) -> Decimal | None:
    """`timezoneoffset from`, in hours as a Decimal; the default where none was stated."""
    minutes = context.default_offset if value.offset is None else value.offset
    return fit(CONTEXT.divide(Decimal(minutes), Decimal(60)))


# --- components ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16_384)
def utc_components(value: DateTime) -> tuple[int, ...]:
    """The components in UTC, at the value's own precision (a half-hour offset is rounded down to it)."""
    offset = value.offset or 0
    if not offset or value.count < 4 or value.month is None or value.day is None or value.hour is None:
        return value.components
    minutes = value.hour * 60 + (value.minute or 0) - offset
    days, minutes = divmod(minutes, _MINUTES_PER_DAY)
    ordinal = _date(value.year, value.month, value.day).toordinal() + days
    if not 1 <= ordinal <= _MAX_ORDINAL:
        return value.components
    day = _date.fromordinal(ordinal)
    hour, minute = divmod(minutes, 60)
    return (day.year, day.month, day.day, hour, minute, *value.components[5:])[: value.count]


def _comparable(left: Temporal, right: Temporal) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if isinstance(left, DateTime) and isinstance(right, DateTime) and (left.offset or 0) != (right.offset or 0):
        return utc_components(left), utc_components(right)
    return left.components, right.components


def needed(value: Temporal, precision: Precision) -> int:
    """How many components a value needs to be known to `precision`.

    Raises:
        CqlRuntimeError: the kind of value has no such precision.
    """
    table = TIME_COUNT if type(value) is Time else DATE_COUNT
    count = table.get(precision)
    if count is None:
        raise CqlRuntimeError(f"a time has no {precision}; expected hour, minute, second or millisecond")
    if count > 3 and type(value) is Date:
        raise CqlRuntimeError(f"a date has no {precision}; expected year, month, week or day")
    return count


def week_index(components: tuple[int, ...]) -> int:
    """The number of the week that a day is in; weeks begin on Sunday."""
    return _date(*components[:3]).toordinal() // 7


# --- comparison ------------------------------------------------------------------------------------------------


def compare(left: Any, right: Any, precision: Precision | None = None) -> int | None:
    """-1, 0 or 1; None where the precision of the values does not decide.

    With `precision`, components beyond it are not looked at.
    """
    if precision is None:
        if type(left) is Date and type(right) is Date and left.ordinal and right.ordinal:
            return (left.ordinal > right.ordinal) - (left.ordinal < right.ordinal)
        if type(left) is DateTime and type(right) is DateTime and left.count >= 6 and right.count >= 6:
            if left.count == right.count:
                return (left.instant > right.instant) - (left.instant < right.instant)
            seconds, others = left.instant // 1000, right.instant // 1000
            return None if seconds == others else 1 if seconds > others else -1
    elif precision == "day" and type(left) is DateTime and type(right) is DateTime:
        order = _compare_days(left, right)
        if order is not None:
            return order
    first, second = _comparable(left, right)
    limit = 7 if precision is None else needed(left, precision)
    if precision == "week" and len(first) >= 3 and len(second) >= 3:
        weeks = week_index(first), week_index(second)
        return (weeks[0] > weeks[1]) - (weeks[0] < weeks[1])
    shared = min(len(first), len(second), limit)
    head, other = first[:shared], second[:shared]
    if head != other:
        return 1 if head > other else -1
    if precision is None:
        return 0 if len(first) == len(second) else None
    return 0 if shared == limit else None


def _compare_days(left: DateTime, right: DateTime) -> int | None:
    """`compare` by days, of moments known to the second; None: look closer."""
    if left.count < 6 or right.count < 6:
        return None
    if (left.offset or 0) == (right.offset or 0):
        own, other = left.components[:3], right.components[:3]
        return (own > other) - (own < other)
    day, other_day = left.instant // MS_PER_DAY, right.instant // MS_PER_DAY
    if 1 <= day <= _MAX_ORDINAL and 1 <= other_day <= _MAX_ORDINAL:
        return (day > other_day) - (day < other_day)
    return None


def equivalent(left: Temporal, right: Temporal) -> bool:
    """`~`: the same components at the same precision."""
    return compare(left, right) == 0


# --- bounds and neighbours -------------------------------------------------------------------------------------

_FIRST = (1, 1, 1, 0, 0, 0, 0)
_LAST = (9999, 12, 31, 23, 59, 59, 999)


def earliest(value: Any, count: int | None = None) -> Any:
    """The earliest moment that a partial value can be, to `count` components (default: all of its kind)."""
    components = value.components
    first = _FIRST[3:] if isinstance(value, Time) else _FIRST[:3] if isinstance(value, Date) else _FIRST
    wanted = len(first) if count is None else count
    return from_components(value, (*components, *first[len(components) : wanted])[:wanted])


def latest(value: Any, count: int | None = None) -> Any:
    """The latest moment that a partial value can be, to `count` components (default: all of its kind)."""
    components = value.components
    last = _LAST[3:] if isinstance(value, Time) else _LAST[:3] if isinstance(value, Date) else _LAST
    wanted = len(last) if count is None else count
    filled = list((*components, *last[len(components) : wanted])[:wanted])
    if not isinstance(value, Time) and wanted >= 3 and len(components) < 3:
        filled[2] = days_in_month(filled[0], filled[1])
    return from_components(value, tuple(filled))


def truncate(value: Any, precision: Precision) -> Any:
    """The value without the components beyond `precision`."""
    count = needed(value, precision)
    return value if value.count <= count else from_components(value, value.components[:count])


def _carry(components: list[int], last: int, clock: bool) -> tuple[int, ...] | None:
    """Components after their last was moved by one beyond its range; None where they leave the calendar."""
    first = _FIRST[3:] if clock else _FIRST
    final = _LAST[3:] if clock else _LAST
    for position in range(last, -1, -1):
        is_day = not clock and position == 2
        maximum = days_in_month(components[0], components[1]) if is_day else final[position]
        if components[position] > maximum:
            components[position] = first[position]
            step = 1
        elif components[position] < first[position]:
            # the day of the month before depends on that month, set when the month has moved
            components[position] = -1 if is_day else final[position]
            step = -1
        else:
            break
        if position == 0:
            return None
        components[position - 1] += step
    if not clock and last >= 2 and components[2] == -1:
        components[2] = days_in_month(components[0], components[1])
    return tuple(components)


@lru_cache(maxsize=16_384)
def _neighbour(value: Any, step: int) -> Any:
    components = list(value.components)
    components[-1] += step
    carried = _carry(components, len(components) - 1, isinstance(value, Time))
    if carried is None:
        which = "maximum" if step > 0 else "minimum"
        raise CqlRuntimeError(f"the {which} {type(value).__name__} has no {'successor' if step > 0 else 'predecessor'}")
    return from_components(value, carried)


def successor(value: Any) -> Any:
    """The next value at the precision of `value`.

    Raises:
        CqlRuntimeError: it is the last one.
    """
    return _neighbour(value, 1)


def predecessor(value: Any) -> Any:
    """The value before at the precision of `value`.

    Raises:
        CqlRuntimeError: it is the first one.
    """
    return _neighbour(value, -1)


# --- timing operators ------------------------------------------------------------------------------------------


def same_as(left: Temporal, right: Temporal, *, precision: Precision | None = None) -> bool | None:
    """`same <precision> as`."""
    order = compare(left, right, precision)
    return None if order is None else order == 0


def before(left: Temporal, right: Temporal, *, precision: Precision | None = None) -> bool | None:
    """`before <precision> of`."""
    order = compare(left, right, precision)
    return None if order is None else order < 0


def after(left: Temporal, right: Temporal, *, precision: Precision | None = None) -> bool | None:
    """`after <precision> of`."""
    order = compare(left, right, precision)
    return None if order is None else order > 0


def same_or_before(left: Temporal, right: Temporal, *, precision: Precision | None = None) -> bool | None:
    """`same <precision> or before`, `on or before`."""
    order = compare(left, right, precision)
    return None if order is None else order <= 0


def same_or_after(left: Temporal, right: Temporal, *, precision: Precision | None = None) -> bool | None:
    """`same <precision> or after`, `on or after`."""
    order = compare(left, right, precision)
    return None if order is None else order >= 0


def boundaries(value: Any) -> Any:
    """A partial value as the uncertainty between its earliest and latest completion."""
    low, high = earliest(value), latest(value)
    return low if low == high else Uncertainty(low, high)


def component_from(value: Any, *, precision: Precision) -> int | None:
    """`year from`, `hour from`, ...: null where the value does not go so far."""
    index = needed(value, precision) - 1
    components = cast("tuple[int, ...]", value.components)
    return components[index] if index < len(components) else None
