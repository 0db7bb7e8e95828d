"""Intervals as sets of points: union, intersection, difference, collapse, expand (CQL Appendix B §Interval
operators)."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from cql_like.ir import Precision
from cql_like.runtime import arithmetic, calendar, temporal, units
from cql_like.runtime.comparison import less, less_or_equal, sort_key
from cql_like.runtime.context import EvaluationContext
from cql_like.runtime.errors import CqlRuntimeError, LimitExceeded
from cql_like.runtime.interval import (
    ends,
    ends_of,
    includes,
    meets,
    overlaps,
    plus,
)
from cql_like.runtime.logic import or_
from cql_like.runtime.numbers import CONTEXT, decimal_of, decimal_places
from cql_like.runtime.values import Date, DateTime, Interval, Long, Quantity, Time, Uncertainty

_TEMPORAL = (Date, DateTime, Time)


def _bounded(low: Any, high: Any, like: Interval) -> Interval:
    """An interval of effective ends; an unknown end becomes an open null again."""
    low_known, high_known = type(low) is not Uncertainty, type(high) is not Uncertainty
    return Interval(low if low_known else None, high if high_known else None, low_known, high_known, like.point)


def _least(left: Any, right: Any) -> Any:
    """The lesser of two ends; an unknown one where that can't be told."""
    order = less_or_equal(left, right)
    if order is None:
        return left if type(left) is Uncertainty else right if type(right) is Uncertainty else None
    return left if order else right


def _greatest(left: Any, right: Any) -> Any:
    order = less_or_equal(right, left)
    if order is None:
        return left if type(left) is Uncertainty else right if type(right) is Uncertainty else None
    return left if order else right


def union(left: Interval, right: Interval) -> Interval | None:
    """`left union right`: null where they neither overlap nor meet, for then it is no interval."""
    if or_(overlaps(left, right), meets(left, right)) is not True:
        return None
    (low, high), (other_low, other_high) = ends(left, right)
    least, greatest = _least(low, other_low), _greatest(high, other_high)
    return None if least is None or greatest is None else _bounded(least, greatest, left)


def intersect(left: Interval, right: Interval) -> Interval | None:
    """`left intersect right`: null where they share no point."""
    if overlaps(left, right) is not True:
        return None
    (low, high), (other_low, other_high) = ends(left, right)
    greatest, least = _greatest(low, other_low), _least(high, other_high)
    return None if least is None or greatest is None else _bounded(greatest, least, left)


def except_(left: Interval, right: Interval) -> Interval | None:
    """`left except right`: null where nothing, or more than one interval, would be left."""
    shared = overlaps(left, right)
    if shared is None:
        return None
    if shared is False:
        return left
    if includes(right, left) is not False:
        return None
    (low, high), (other_low, other_high) = ends(left, right)
    starts_first, ends_last = less(low, other_low), less(other_high, high)
    if starts_first is True and ends_last is False:
        return _bounded(low, arithmetic.predecessor(other_low), left)
    if starts_first is False and ends_last is True:
        return _bounded(arithmetic.successor(other_high), high, left)
    return None


# --- collapse --------------------------------------------------------------------------------------------------


def collapse(
    intervals: Sequence[Interval | None] | None, per: Quantity | None = None, *, context: EvaluationContext
) -> list[Interval] | None:
    """`collapse ... per`: the fewest intervals that cover the same points, in order; gaps of up to `per` are closed.

    Nulls are dropped. Intervals whose ends are unknown stay as they are.
    """
    if intervals is None:
        return None
    _limit(len(intervals), context)
    known: list[tuple[Any, Any, Interval]] = []
    unknown: list[Interval] = []
    example = next(
        (i.low if i.low is not None else i.high for i in intervals if i and (i.low, i.high) != (None, None)), None
    )
    for value in intervals:
        if value is None:
            continue
        low, high = ends_of(value, example)
        if low is None or high is None or Uncertainty in (type(low), type(high)):
            unknown.append(value)
        else:
            known.append((low, high, value))
    known.sort(key=lambda entry: (sort_key(entry[0]), sort_key(entry[1])))
    result: list[Interval] = []
    current: tuple[Any, Any, Interval] | None = None
    for low, high, value in known:
        if current is not None and _reaches(current[1], low, per):
            current = (current[0], _later(current[1], high), current[2])
            continue
        if current is not None:
            result.append(_bounded(*current))
        current = (low, high, value)
    if current is not None:
        result.append(_bounded(*current))
    return result + unknown


def _later(left: Any, right: Any) -> Any:
    return right if less(left, right) is True else left


def _reaches(high: Any, low: Any, per: Quantity | None) -> bool:
    """Whether an interval that ends at `high` joins one that starts at `low`."""
    if less_or_equal(low, high) is True:
        return True
    try:
        if per is None:
            reach, precision = arithmetic.successor(high), None
        elif isinstance(high, _TEMPORAL):
            precision = _temporal_precision(per)
            reach = calendar.add(high, per)
        else:
            reach, precision = plus(high, _step_like(high, per)), None
    except CqlRuntimeError:  # the end of the type
        return False
    return reach is not None and less_or_equal(low, reach, precision) is True


def _step_like(point: Any, per: Quantity) -> Any:
    """A `per` quantity as a distance for the point type."""
    if isinstance(point, Quantity):
        return Quantity(per.value, point.unit) if per.unit in ("1", "") else per
    if isinstance(point, Decimal):
        return per.value
    return Long(int(per.value)) if type(point) is Long else int(per.value)


def _temporal_precision(per: Quantity) -> Precision:
    unit = units.singular(per.unit)
    for name, code in units.CALENDAR.items():
        if unit in (name, code):
            return "day" if name == "week" else name  # type: ignore[return-value]  # the calendar's names
    raise CqlRuntimeError(f"`per` for dates and times is a duration, not '{per.unit}'")


# --- expand ----------------------------------------------------------------------------------------------------


def _limit(count: int, context: EvaluationContext) -> None:
    if count > context.limits.expand_intervals:
        raise LimitExceeded(
            f"collapse or expand over more than {context.limits.expand_intervals} intervals; "
            "use a larger `per` or raise the limit `expand_intervals`"
        )


def expand(
    intervals: Sequence[Interval | None] | None, per: Quantity | None = None, *, context: EvaluationContext
) -> list[Interval] | None:
    """`expand { intervals } per`: every interval cut into pieces of `per` (the point size if null), without doubles.

    Intervals with unknown ends, and nulls, give nothing.
    """
    if intervals is None:
        return None
    result: list[Interval] = []
    seen: set[Interval] = set()
    for value in intervals:
        for piece in _pieces(value, per):
            if piece not in seen:
                seen.add(piece)
                result.append(piece)
                _limit(len(result), context)
    return result


def expand_points(
    value: Interval | None, per: Quantity | None = None, *, context: EvaluationContext
) -> list[Any] | None:
    """`expand interval per`: the starts of its pieces."""
    if value is None:
        return None
    result: list[Any] = []
    for piece in _pieces(value, per):
        result.append(piece.low)
        _limit(len(result), context)
    return result


def _pieces(value: Interval | None, per: Quantity | None) -> Iterator[Interval]:
    if value is None:
        return iter(())
    low, high = ends_of(value)
    if low is None or high is None or Uncertainty in (type(low), type(high)):
        return iter(())
    if per is not None and per.value <= 0:
        raise CqlRuntimeError(f"`per` must be greater than zero, not {per.value}")
    if isinstance(low, _TEMPORAL):
        return _temporal_pieces(low, high, per)
    if isinstance(low, Quantity):
        return _quantity_pieces(low, high, per)
    return _number_pieces(low, high, per)


def _temporal_pieces(low: Any, high: Any, per: Quantity | None) -> Iterator[Interval]:
    """Pieces at the precision of `per`; a value that is less precise can't be cut so finely and gives none."""
    if per is None:
        kinds: tuple[Precision, ...] = ("year", "month", "day", "hour", "minute", "second", "millisecond")
        names = kinds[3:] if isinstance(low, Time) else kinds
        per = calendar.as_quantity(1, names[low.count - 1])
    precision = _temporal_precision(per)
    if isinstance(low, Date) and precision not in ("year", "month", "day"):
        return
    count = temporal.needed(low, precision)
    if low.count < count or high.count < count:
        return
    low, high = temporal.truncate(low, precision), temporal.truncate(high, precision)
    while True:
        try:
            following = calendar.add(low, per)
            last = arithmetic.predecessor(following)
        except CqlRuntimeError:  # the end of the calendar
            return
        if less_or_equal(last, high) is not True or less(low, following) is not True:
            return
        yield Interval(low, last)
        low = following


def _number_pieces(low: Any, high: Any, per: Quantity | None) -> Iterator[Interval]:
    step = Decimal(1) if per is None else per.value
    whole = not isinstance(low, Decimal) and step == step.to_integral_value()
    if per is None and isinstance(low, Decimal):
        step = arithmetic.STEP
    places = decimal_places(step.normalize(CONTEXT)) if step != step.to_integral_value() else 0
    first, last = _at_scale(decimal_of(low), places, False), _at_scale(decimal_of(high), places, True)
    kind = low.__class__ if whole else None
    for start, stop in _steps(first, last, step, places):
        yield Interval(kind(start), kind(stop)) if kind else Interval(start, stop)


def _quantity_pieces(low: Quantity, high: Quantity, per: Quantity | None) -> Iterator[Interval]:
    from cql_like.runtime.quantity import convert

    unit = low.unit if per is None or per.unit in ("1", "") else per.unit
    low_there, high_there = convert(low, unit), convert(high, unit)
    if low_there is None or high_there is None:
        return
    step = arithmetic.STEP if per is None else per.value
    places = decimal_places(step.normalize(CONTEXT)) if step != step.to_integral_value() else 0
    first, last = _at_scale(low_there.value, places, False), _at_scale(high_there.value, places, True)
    for start, stop in _steps(first, last, step, places):
        yield Interval(Quantity(start, unit), Quantity(stop, unit))


def _at_scale(value: Decimal, places: int, high: bool) -> Decimal:
    """An end at the scale of `per`: cut off if finer, and if coarser, the least or greatest value it can stand for."""
    boundary = arithmetic.high_boundary if high else arithmetic.low_boundary
    return boundary(value, places)


def _steps(first: Decimal, last: Decimal, step: Decimal, places: int) -> Iterator[tuple[Decimal, Decimal]]:
    unit = Decimal(1).scaleb(-places)
    while True:
        following = CONTEXT.add(first, step)
        stop = CONTEXT.subtract(following, unit)
        if stop > last:
            return
        yield first, stop
        first = following
