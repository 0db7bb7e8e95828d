"""Calendar arithmetic: adding durations, and durations and differences between two moments (CQL Author's Guide
§Date/time arithmetic, §Uncertainty; Appendix B §Add, §Duration, §Difference).

* A *duration* counts whole periods that have passed; a *difference* counts boundaries that were crossed.
* Where a value is less precise than the asked-for precision (or two values are partial in different ways), the
  result is an uncertainty between the smallest and the greatest value over all completions.
* 29 February: adding years clamps to the 28th; a year has passed on 1 March of a common year.
"""

from datetime import date as _date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from cql_like.ir import Precision
from cql_like.runtime import temporal
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.units import singular
from cql_like.runtime.values import Date, DateTime, Quantity, Time, days_in_month, uncertain

MS_PER_DAY = 86_400_000
_MS = {"week": 7 * MS_PER_DAY, "day": MS_PER_DAY, "hour": 3_600_000, "minute": 60_000, "second": 1000, "millisecond": 1}
_UCUM: dict[str, Precision] = {
    "a": "year", "mo": "month", "wk": "week", "d": "day", "h": "hour", "min": "minute", "s": "second",
    "ms": "millisecond",
}  # fmt: skip
_ORDER: tuple[Precision, ...] = ("millisecond", "second", "minute", "hour", "day", "month", "year")
# how many of one precision make one of the next coarser; 30 days a month where no calendar decides (§Add)
_PER = {"millisecond": 1000, "second": 60, "minute": 60, "hour": 24, "day": 30, "month": 12}
_COARSEST_KNOWN: tuple[Precision, ...] = ("year", "month", "day", "hour", "minute", "second", "millisecond")


def _period(quantity: Quantity) -> Precision:
    """The calendar period a duration is counted in.

    Raises:
        CqlRuntimeError: the unit is not one of time.
    """
    unit = singular(quantity.unit)
    if unit in _UCUM:
        return _UCUM[unit]
    if unit in temporal.DATE_COUNT:
        return unit  # type: ignore[return-value]  # the keys of DATE_COUNT are the precisions
    raise CqlRuntimeError(
        f"a duration in '{quantity.unit}' can't be added to a date or time; expected years, months, weeks, days, "
        "hours, minutes, seconds or milliseconds"
    )


@lru_cache(maxsize=1024)
def _amount(quantity: Quantity, sign: int) -> tuple[int, Precision]:
    """A whole number of periods. Fractions of seconds become milliseconds; other fractions are dropped (§Add)."""
    period = _period(quantity)
    value = quantity.value * sign
    if period == "week":
        return int(value) * 7, "day"
    if period == "second" and value != int(value):
        return int(value * 1000), "millisecond"
    return int(value), period


def _coarsen(amount: int, period: Precision, target: Precision) -> int:
    """An amount in a coarser period, rounded towards zero: 730 days are 2 years of 365 days, or 24 months of 30."""
    if period == target:
        return amount
    magnitude = abs(amount)
    position, goal = _ORDER.index(period), _ORDER.index(target)
    while position < goal:
        if _ORDER[position] == "day" and target == "year":
            magnitude //= 365
            break
        magnitude //= _PER[_ORDER[position]]
        position += 1
    return magnitude if amount >= 0 else -magnitude


def add(value: Any, quantity: Quantity) -> Any:
    """`value + quantity`, at the precision of the value.

    Raises:
        CqlRuntimeError: the result leaves years 1 to 9999, or the unit is not one of time.
    """
    return _add(value, quantity, 1)


def subtract(value: Any, quantity: Quantity) -> Any:
    """`value - quantity`, at the precision of the value.

    Raises:
        CqlRuntimeError: as `add`.
    """
    return _add(value, quantity, -1)


def _add(value: Any, quantity: Quantity, sign: int) -> Any:
    amount, period = _amount(quantity, sign)
    if isinstance(value, Time):
        return _add_time(value, amount, period)
    if isinstance(value, Date) and value.ordinal and period == "day":  # the everyday case
        return date_of(value.ordinal + amount)
    own = _COARSEST_KNOWN[value.count - 1]
    if _ORDER.index(period) < _ORDER.index(own):
        amount, period = _coarsen(amount, period, own), own
    if period in ("year", "month"):
        return _add_months(value, amount * 12 if period == "year" else amount)
    components = value.components
    ordinal = _date(*components[:3]).toordinal()
    if period == "day":
        day = date_of(ordinal + amount)
        return temporal.from_components(value, (*day.components, *components[3:]))
    clock = _clock(components[3:]) + amount * _MS[period]
    days, clock = divmod(clock, MS_PER_DAY)
    day = date_of(ordinal + days)
    return temporal.from_components(value, (*day.components, *_unclock(clock))[: len(components)])


def _add_months(value: Any, months: int) -> Any:
    components = value.components
    if len(components) == 1:
        year = components[0] + int(months / 12)
        _check_year(year)
        return temporal.from_components(value, (year,))
    index = components[0] * 12 + components[1] - 1 + months
    year, month = divmod(index, 12)
    _check_year(year)
    moved = (year, month + 1, *components[2:])
    if len(moved) > 2:
        moved = (*moved[:2], min(moved[2], days_in_month(year, month + 1)), *moved[3:])
    return temporal.from_components(value, moved)


def _check_year(year: int) -> None:
    if not 1 <= year <= 9999:
        raise CqlRuntimeError(f"date arithmetic gives the year {year}; expected 1 to 9999")


@lru_cache(maxsize=65_536)
def date_of(ordinal: int) -> Date:
    """The date with that ordinal.

    Raises:
        CqlRuntimeError: it leaves years 1 to 9999.
    """
    try:
        day = _date.fromordinal(ordinal)
    except (ValueError, OverflowError):
        raise CqlRuntimeError("date arithmetic leaves the years 1 to 9999") from None
    return Date(day.year, day.month, day.day)


def _add_time(value: Time, amount: int, period: Precision) -> Time:
    """Times go round the clock (FHIRPath §Date/Time arithmetic)."""
    if period not in temporal.TIME_COUNT:
        raise CqlRuntimeError(f"{period}s can't be added to a time; expected hours, minutes, seconds or milliseconds")
    own = ("hour", "minute", "second", "millisecond")[value.count - 1]
    if _ORDER.index(period) < _ORDER.index(own):
        amount, period = _coarsen(amount, period, own), own
    clock = (_clock(value.components) + amount * _MS[period]) % MS_PER_DAY
    return Time(*_unclock(clock)[: value.count])


def _clock(parts: tuple[int, ...]) -> int:
    """Milliseconds since midnight of hour, minute, second, millisecond (as many as are given)."""
    hour, minute, second, millisecond = (*parts, 0, 0, 0, 0)[:4]
    return ((hour * 60 + minute) * 60 + second) * 1000 + millisecond


def _unclock(clock: int) -> tuple[int, int, int, int]:
    seconds, millisecond = divmod(clock, 1000)
    minutes, second = divmod(seconds, 60)
    return (*divmod(minutes, 60), second, millisecond)


# --- durations and differences ---------------------------------------------------------------------------------


def duration_between(low: Any, high: Any, *, precision: Precision) -> Any:
    """`<precision>s between low and high`: whole periods, negative where `high` is earlier; maybe an Uncertainty.

    The operands are of one type. Values equally precise, and at least to the asked-for precision, give an exact
    number: what neither states can't tell them apart.
    """
    if type(low) is Date and type(high) is Date and low.ordinal and high.ordinal:
        return _date_duration(low, high, precision)
    count = temporal.needed(low, precision)
    if (low.count == high.count and low.count >= count) or (low.count >= 7 and high.count >= 7):
        return _duration(temporal.earliest(low), temporal.earliest(high), precision)
    return uncertain(
        _duration(temporal.latest(low), temporal.earliest(high), precision),
        _duration(temporal.earliest(low), temporal.latest(high), precision),
    )


def _date_duration(low: Date, high: Date, precision: Precision) -> int:
    """The duration between two complete dates."""
    if precision == "day":
        return high.ordinal - low.ordinal
    if precision == "week":
        days = high.ordinal - low.ordinal
        return days // 7 if days >= 0 else -(-days // 7)
    if low.ordinal > high.ordinal:
        return -_date_duration(high, low, precision)
    temporal.needed(low, precision)  # a date has no hours
    months = (high.year - low.year) * 12 + (high.month or 1) - (low.month or 1) - ((high.day or 1) < (low.day or 1))
    return months // 12 if precision == "year" else months


def _moment(components: tuple[int, ...]) -> tuple[int, int]:
    """The day's ordinal and the milliseconds since midnight of complete components (a time is on day 0)."""
    if len(components) == 4:
        return 0, _clock(components)
    return _date(*components[:3]).toordinal(), _clock(components[3:])


def _pair(low: Any, high: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if isinstance(low, DateTime) and isinstance(high, DateTime) and (low.offset or 0) != (high.offset or 0):
        return temporal.utc_components(low), temporal.utc_components(high)
    return low.components, high.components


def _duration(low: Any, high: Any, precision: Precision) -> int:
    """The duration between two complete values of one kind."""
    if isinstance(low, Date):
        return _date_duration(low, high, precision)
    first, second = _pair(low, high)
    if first > second:
        return -_whole(second, first, precision)
    return _whole(first, second, precision)


def _whole(first: tuple[int, ...], second: tuple[int, ...], precision: Precision) -> int:
    if precision in ("year", "month"):
        months = (second[0] - first[0]) * 12 + second[1] - first[1] - (second[2:] < first[2:])
        return months // 12 if precision == "year" else months
    (day1, clock1), (day2, clock2) = _moment(first), _moment(second)
    return ((day2 - day1) * MS_PER_DAY + clock2 - clock1) // _MS[precision]


def difference_between(low: Any, high: Any, *, precision: Precision) -> Any:
    """`difference in <precision>s between low and high`: boundaries crossed; weeks begin on Sunday; maybe an
    Uncertainty."""
    count = temporal.needed(low, precision)
    if low.count >= count and high.count >= count:
        return _difference(low, high, precision)
    return uncertain(
        _difference(temporal.latest(low), temporal.earliest(high), precision),
        _difference(temporal.earliest(low), temporal.latest(high), precision),
    )


def _difference(low: Any, high: Any, precision: Precision) -> int:
    first, second = _pair(low, high)
    if precision == "year":
        return second[0] - first[0]
    if precision == "month":
        return (second[0] - first[0]) * 12 + second[1] - first[1]
    if precision == "week":
        return temporal.week_index(second) - temporal.week_index(first)
    day1, clock1 = _moment(temporal.earliest(low).components if len(first) < 3 else _full(first, low))
    day2, clock2 = _moment(temporal.earliest(high).components if len(second) < 3 else _full(second, high))
    if precision == "day":
        return day2 - day1
    step = _MS[precision]
    return (day2 * MS_PER_DAY + clock2) // step - (day1 * MS_PER_DAY + clock1) // step


def _full(components: tuple[int, ...], like: Any) -> tuple[int, ...]:
    size = 4 if isinstance(like, Time) else 7
    return (*components, *(0,) * (size - len(components)))


def age_at(birth: Any, moment: Any, *, precision: Precision) -> Any:
    """CalculateAgeAt: the age at a moment in whole periods; maybe an Uncertainty, where the birth date is partial.

    A birth date has no time of day and no offset: from years to days, ages are counted between dates, the moment's
    as its own offset shows it. So a child is one year old for the whole of the first birthday.
    """
    if temporal.DATE_COUNT[precision] <= 3:
        if isinstance(birth, DateTime) and birth.count <= 3:
            birth = temporal.date_from(birth)
        if isinstance(birth, Date) and isinstance(moment, DateTime):
            moment = temporal.date_from(moment)
    if isinstance(birth, Date) and isinstance(moment, DateTime):
        birth = temporal.replace_offset(temporal.datetime_of(birth), moment.offset)
    if isinstance(moment, Date) and isinstance(birth, DateTime):
        moment = temporal.datetime_of(moment)
    return duration_between(birth, moment, precision=precision)


def as_quantity(amount: int, period: Precision) -> Quantity:
    """A number of calendar periods as a quantity."""
    return Quantity(Decimal(amount), period)
