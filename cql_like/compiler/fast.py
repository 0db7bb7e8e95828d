"""Fast paths of what generated code calls: the usual case by Python's own means, the rest by `cql_like.leaves`."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from cql_like import ir, leaves
from cql_like.runtime.calendar import date_of
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.values import Date, Interval, Quantity, days_in_month

_BY_THEMSELVES = frozenset({str, int})


def exists(found: Sequence[Any] | None) -> bool:
    """Has a list an element that is not null? A null list has none."""
    if found is None:
        return False
    for item in found:  # noqa: SIM110 (twice as fast as any() over a generator)
        if item is not None:
            return True
    return False


def first(row: Sequence[Any]) -> Any:
    """The first element."""
    return row[0]


def is_a(value: Any, node: ir.Is) -> bool:
    """`value is T` where `value` has the operand's static type."""
    return value is not None and leaves.is_type(leaves.box(value, node.operand.type), node.target)


def sorted_by(values: list[Any], keys: list[Any], *, descending: bool) -> list[Any]:
    """See `leaves.sorted_by`: by Python's order where all keys are strings, integers or complete dates."""
    if len(values) < 2:
        return values
    key = _plain(keys)
    if key is None:
        return leaves.sorted_by(values, keys, descending=descending)
    order = sorted(range(len(values)), key=[key(item) for item in keys].__getitem__, reverse=descending)
    return [values[at] for at in order]


def _plain(values: Sequence[Any]) -> Callable[[Any], Any] | None:
    """A key in whose order CQL orders these values and by which it tells them apart; None if there is no such key."""
    kind = values[0].__class__
    if kind in _BY_THEMSELVES:
        return _same if all(value.__class__ is kind for value in values) else None
    if kind is Date and all(value.__class__ is Date and value.ordinal for value in values):
        return _ordinal
    return None


def _same(value: Any) -> Any:
    return value


def _ordinal(value: Date) -> int:
    return value.ordinal


# ------------------------------------------------------------------------------------------------- dates

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}

# A childhood has a few thousand days: dates are made once and found again.
day_of = lru_cache(maxsize=16_384)(date_of)
_made = lru_cache(maxsize=16_384)(Date)


def steps(quantity: Quantity | None) -> tuple[int, int] | None:
    """A constant duration as (days, 0) or (0, months); None if it is neither, or not a whole number of them."""
    if quantity is None or quantity.value != int(quantity.value):
        return None
    amount = int(quantity.value)
    if not amount or abs(amount) > 100_000:
        return None
    if quantity.unit in _DAYS:
        return amount * _DAYS[quantity.unit], 0
    return (0, amount * _MONTHS[quantity.unit]) if quantity.unit in _MONTHS else None


def plus_months(value: Date, months: int) -> Date:
    """A complete date some months on: the same day of the month, or the last one (CQL Appendix B §Add).

    Raises:
        CqlRuntimeError: it leaves years 1 to 9999.
    """
    year, month = divmod(value.year * 12 + (value.month or 1) - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise CqlRuntimeError(f"date arithmetic gives the year {year}; expected 1 to 9999")
    day = value.day or 1
    if day > 28:
        day = min(day, days_in_month(year, month + 1))
    return _made(year, month + 1, day)


def date_in(
    point: Date | None, interval: Interval | None, call: Callable[..., bool | None], precision: str | None
) -> bool | None:
    """`date in interval`: three integers where all three dates are complete."""
    if point is not None and interval is not None:
        low, high, day = interval.low, interval.high, point.ordinal
        if low.__class__ is Date and high.__class__ is Date and day and low.ordinal and high.ordinal:
            after = low.ordinal <= day if interval.low_closed else low.ordinal < day
            return after and (day <= high.ordinal if interval.high_closed else day < high.ordinal)
    return call(point, interval, precision=precision)
