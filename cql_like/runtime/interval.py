"""Intervals: their ends and how they lie to each other (CQL Author's Guide §Interval values, Appendix B §Interval
operators).

Every relation is computed on *effective* ends: an open end that is given is moved to the next value inside; a closed
null end is the minimum or maximum of the point type; an open null end is unknown, an `Uncertainty` from the type's
extreme to the other end. `None` for an end means that the point type itself is unknown (`Interval[null, null]`).
"""

from decimal import Decimal
from typing import Any

from cql_like.ir import Precision
from cql_like.runtime import arithmetic, temporal
from cql_like.runtime.comparison import bounds, compare, less, less_or_equal, same
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.logic import and_, not_, or_
from cql_like.runtime.numbers import STEP
from cql_like.runtime.values import Date, DateTime, Interval, Long, Quantity, Time, Uncertainty
from cql_like.types import Type

Ends = tuple[Any, Any]

_TEMPORAL = (Date, DateTime, Time)


def interval(
    low: Any, high: Any, low_closed: bool | None = True, high_closed: bool | None = True, point: Type | None = None
) -> Interval:
    """An interval selector. `point` is the static point type; it matters when both bounds are null.

    Raises:
        CqlRuntimeError: the interval would end before it starts.
    """
    made = Interval(low, high, low_closed is not False, high_closed is not False, point)
    if low is not None and high is not None and not (low is high and made.low_closed and made.high_closed):
        order = compare(low, high)
        if order is not None and (order > 0 or (order == 0 and not (made.low_closed and made.high_closed))):
            raise CqlRuntimeError(_backwards(low, high))
    return made


def _backwards(low: Any, high: Any) -> str:
    from cql_like.runtime.literals import to_cql

    return f"an interval can't end before it starts: low {to_cql(low)}, high {to_cql(high)}"


# --- ends ------------------------------------------------------------------------------------------------------


def _extremes(value: Interval, like: Any) -> Ends | None:
    for example in (value.low, value.high, like):
        if example is not None:
            return arithmetic.extremes_like(example)
    if value.point is not None:
        try:
            return arithmetic.minimum_of(value.point), arithmetic.maximum_of(value.point)
        except CqlRuntimeError:
            return None
    return None


def ends_of(value: Interval, like: Any = None) -> Ends:
    """The effective low and high end. `like` is a value of the point type, if the interval may not show it."""
    low, high = value.low, value.high
    if low is not None and high is not None:
        return (
            low if value.low_closed else arithmetic.successor(low),
            high if value.high_closed else arithmetic.predecessor(high),
        )
    extremes = _extremes(value, like)
    if extremes is None:
        return None, None
    least, greatest = extremes
    if low is not None:
        low = low if value.low_closed else arithmetic.successor(low)
    elif value.low_closed:
        low = least
    if high is not None:
        high = high if value.high_closed else arithmetic.predecessor(high)
    elif value.high_closed:
        high = greatest
    if low is None:
        low = Uncertainty(least, greatest if high is None else bounds(high)[1])
    if high is None:
        high = Uncertainty(bounds(low)[0], greatest)
    return low, high


def _example(value: Interval) -> Any:
    return value.low if value.low is not None else value.high


def ends(left: Interval, right: Interval) -> tuple[Ends, Ends]:
    """The effective ends of two intervals of one type; each shows the other its point type."""
    return ends_of(left, _example(right)), ends_of(right, _example(left))


def start(value: Interval) -> Any:
    """`start of`: null if unknown."""
    if value.low is not None and value.low_closed:
        return value.low
    low = ends_of(value)[0]
    return None if type(low) is Uncertainty and value.low is None else low


def end(value: Interval) -> Any:
    """`end of`: null if unknown."""
    if value.high is not None and value.high_closed:
        return value.high
    high = ends_of(value)[1]
    return None if type(high) is Uncertainty and value.high is None else high


def _certain_ends(value: Interval) -> Ends | None:
    low, high = ends_of(value)
    return None if low is None or high is None or Uncertainty in (type(low), type(high)) else (low, high)


def width(value: Interval) -> Any:
    """`width of`: end - start; numbers and quantities only."""
    both = _certain_ends(value)
    return None if both is None else _minus(both[1], both[0])


def size(value: Interval) -> Any:
    """`Size`: how many points: end - start + the size of a point."""
    both = _certain_ends(value)
    if both is None:
        return None
    distance = _minus(both[1], both[0])
    return None if distance is None else plus(distance, point_size(both[0]))


def point_from(value: Interval) -> Any:
    """`point from`: the one point of an interval that has one; null for unknown ends.

    Raises:
        CqlRuntimeError: the interval has more than one point.
    """
    both = _certain_ends(value)
    if both is None:
        return None
    equal = same(both[0], both[1])
    if equal is False:
        raise CqlRuntimeError("`point from` needs an interval of one point")
    return both[0] if equal else None


def point_size(value: Any) -> Any:
    """The distance between neighbouring points of a type: 1 or 1e-8."""
    if isinstance(value, Quantity):
        return Quantity(STEP, value.unit)
    if isinstance(value, Decimal):
        return STEP
    return Long(1) if type(value) is Long else 1


def _minus(left: Any, right: Any) -> Any:
    from cql_like.runtime import quantity

    if isinstance(left, Quantity):
        return quantity.subtract(left, right)
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return arithmetic.subtract_decimals(Decimal(left), Decimal(right))
    if type(left) is Long:
        return arithmetic.subtract_longs(left, right)
    return arithmetic.subtract_integers(left, right)


def plus(left: Any, right: Any) -> Any:
    """A point moved by a distance: a number by a number, a quantity or moment by a quantity. None beyond the type."""
    from cql_like.runtime import calendar, quantity

    if isinstance(left, _TEMPORAL):
        return calendar.add(left, right)
    if isinstance(left, Quantity):
        return quantity.add(left, right)
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return arithmetic.add_decimals(Decimal(left), Decimal(right))
    if type(left) is Long:
        return arithmetic.add_longs(left, right)
    return arithmetic.add_integers(left, right)


# --- three-valued order of ends that may be unknown ------------------------------------------------------------


def _lt(left: Any, right: Any, precision: Precision | None) -> bool | None:
    return None if left is None or right is None else less(left, right, precision)


def _le(left: Any, right: Any, precision: Precision | None) -> bool | None:
    return None if left is None or right is None else less_or_equal(left, right, precision)


def _eq(left: Any, right: Any, precision: Precision | None) -> bool | None:
    return None if left is None or right is None else same(left, right, precision)


# --- a point and an interval -----------------------------------------------------------------------------------


def contains(value: Interval | None, point: Any, *, precision: Precision | None = None) -> bool | None:
    """`interval contains point`: false for a null interval, null for a null point."""
    if value is None:
        return False
    if point is None:
        return None
    low, high = ends_of(value, point)
    return and_(_le(low, point, precision), _le(point, high, precision))


def in_(point: Any, value: Interval | None, *, precision: Precision | None = None) -> bool | None:
    """`point in interval`, `during`."""
    return contains(value, point, precision=precision)


def properly_contains(value: Interval | None, point: Any, *, precision: Precision | None = None) -> bool | None:
    """`interval properly includes point`: inside, and neither its start nor its end."""
    if value is None:
        return False
    if point is None:
        return None
    low, high = ends_of(value, point)
    return and_(_lt(low, point, precision), _lt(point, high, precision))


def properly_in(point: Any, value: Interval | None, *, precision: Precision | None = None) -> bool | None:
    """`point properly included in interval`."""
    return properly_contains(value, point, precision=precision)


# --- two intervals ---------------------------------------------------------------------------------------------


def includes(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left includes right`."""
    (low, high), (other_low, other_high) = ends(left, right)
    return and_(_le(low, other_low, precision), _le(other_high, high, precision))


def included_in(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left included in right`, `during`."""
    return includes(right, left, precision=precision)


def properly_includes(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left properly includes right`: includes it and is larger."""
    (low, high), (other_low, other_high) = ends(left, right)
    inside = and_(_le(low, other_low, precision), _le(other_high, high, precision))
    return and_(inside, or_(_lt(low, other_low, precision), _lt(other_high, high, precision)))


def properly_included_in(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left properly included in right`."""
    return properly_includes(right, left, precision=precision)


def before(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left before right`: it ends before the other starts."""
    (_, high), (other_low, _) = ends(left, right)
    return _lt(high, other_low, precision)


def after(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left after right`."""
    return before(right, left, precision=precision)


def same_or_before(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left on or before right`: it ends on or before the other's start."""
    (_, high), (other_low, _) = ends(left, right)
    return _le(high, other_low, precision)


def same_or_after(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left on or after right`: it starts on or after the other's end."""
    return same_or_before(right, left, precision=precision)


def same_as(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left same <precision> as right`: both ends are."""
    (low, high), (other_low, other_high) = ends(left, right)
    return and_(_eq(low, other_low, precision), _eq(high, other_high, precision))


def overlaps(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left overlaps right`: they share a point."""
    (low, high), (other_low, other_high) = ends(left, right)
    return and_(_le(low, other_high, precision), _le(other_low, high, precision))


def overlaps_before(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left overlaps before right`: it starts before the other and reaches into it."""
    (low, high), (other_low, _) = ends(left, right)
    return and_(_lt(low, other_low, precision), _le(other_low, high, precision))


def overlaps_after(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left overlaps after right`: it starts within the other and ends after it."""
    (low, high), (_, other_high) = ends(left, right)
    return and_(_lt(other_high, high, precision), _le(low, other_high, precision))


def starts(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left starts right`: the same start, and no later end."""
    (low, high), (other_low, other_high) = ends(left, right)
    return and_(_eq(low, other_low, precision), _le(high, other_high, precision))


def ends_with(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left ends right`: the same end, and no earlier start."""
    (low, high), (other_low, other_high) = ends(left, right)
    return and_(_eq(high, other_high, precision), _le(other_low, low, precision))


def _next(value: Any, precision: Precision | None) -> Any:
    """The point after an end, at a precision; None at the end of the type."""
    if type(value) is Uncertainty:
        low, high = _next(value.low, precision), _next(value.high, precision)
        return None if low is None else Uncertainty(low, value.high if high is None else high)
    if precision is not None and isinstance(value, _TEMPORAL):
        value = temporal.truncate(value, "day" if precision == "week" else precision)
    try:
        return arithmetic.successor(value)
    except CqlRuntimeError:
        return None


def _touches(high: Any, low: Any, precision: Precision | None) -> bool | None:
    if high is None or low is None:
        return None
    following = _next(high, precision)
    return False if following is None else same(following, low, precision)


def meets_before(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left meets before right`: the other starts at the point after its end."""
    (_, high), (other_low, _) = ends(left, right)
    return _touches(high, other_low, precision)


def meets_after(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left meets after right`."""
    return meets_before(right, left, precision=precision)


def meets(left: Interval, right: Interval, *, precision: Precision | None = None) -> bool | None:
    """`left meets right`, on either side."""
    return or_(meets_before(left, right, precision=precision), meets_after(left, right, precision=precision))


# --- an interval and a point as intervals ----------------------------------------------------------------------


def point_before(point: Any, value: Interval, *, precision: Precision | None = None) -> bool | None:
    """`point before interval`."""
    return _lt(point, ends_of(value, point)[0], precision)


def point_after(point: Any, value: Interval, *, precision: Precision | None = None) -> bool | None:
    """`point after interval`."""
    return _lt(ends_of(value, point)[1], point, precision)


def before_point(value: Interval, point: Any, *, precision: Precision | None = None) -> bool | None:
    """`interval before point`."""
    return _lt(ends_of(value, point)[1], point, precision)


def after_point(value: Interval, point: Any, *, precision: Precision | None = None) -> bool | None:
    """`interval after point`."""
    return _lt(point, ends_of(value, point)[0], precision)


def point_same_or_before(point: Any, value: Interval, *, precision: Precision | None = None) -> bool | None:
    """`point on or before interval`."""
    return _le(point, ends_of(value, point)[0], precision)


def point_same_or_after(point: Any, value: Interval, *, precision: Precision | None = None) -> bool | None:
    """`point on or after interval`."""
    return _le(ends_of(value, point)[1], point, precision)


def same_or_before_point(value: Interval, point: Any, *, precision: Precision | None = None) -> bool | None:
    """`interval on or before point`."""
    return _le(ends_of(value, point)[1], point, precision)


def same_or_after_point(value: Interval, point: Any, *, precision: Precision | None = None) -> bool | None:
    """`interval on or after point`."""
    return _le(point, ends_of(value, point)[0], precision)


def disjoint(left: Interval, right: Interval) -> bool | None:
    """Whether they share no point."""
    return not_(overlaps(left, right))
