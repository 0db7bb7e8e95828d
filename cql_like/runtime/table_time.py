"""Operator rows: date and time, interval (CQL Appendix B, those sections)."""

from collections.abc import Callable
from typing import Any

from cql_like.ir import OperatorRow
from cql_like.runtime import calendar, interval, interval_sets, temporal
from cql_like.runtime.context import EvaluationContext
from cql_like.runtime.rows import context_row, open_row, row, timed_row
from cql_like.types import (
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    INTEGER,
    LONG,
    QUANTITY,
    TIME,
    IntervalOf,
    ListOf,
    T,
    Type,
)

_TEMPORAL: tuple[Type, ...] = (DATE, DATETIME, TIME)
_TEMPORAL_TIMING: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("SameAs", temporal.same_as),
    ("SameOrBefore", temporal.same_or_before),
    ("SameOrAfter", temporal.same_or_after),
    ("Before", temporal.before),
    ("After", temporal.after),
)


def _now(*, context: EvaluationContext) -> Any:
    return context.moment


def _today(*, context: EvaluationContext) -> Any:
    return context.today


def _time_of_day(*, context: EvaluationContext) -> Any:
    return context.time_of_day


_DATES: tuple[OperatorRow, ...] = (
    context_row("Now", (), DATETIME, _now),
    context_row("Today", (), DATE, _today),
    context_row("TimeOfDay", (), TIME, _time_of_day),
    *(open_row("Date", (INTEGER,) * count, DATE, temporal.make_date) for count in range(1, 4)),
    *(
        context_row("DateTime", (INTEGER,) * count, DATETIME, temporal.make_datetime, propagates_null=False)
        for count in range(1, 8)
    ),
    context_row("DateTime", (*(INTEGER,) * 7, DECIMAL), DATETIME, temporal.make_datetime, propagates_null=False),
    *(open_row("Time", (INTEGER,) * count, TIME, temporal.make_time) for count in range(1, 5)),
    row("DateFrom", (DATETIME,), DATE, temporal.date_from),
    row("TimeFrom", (DATETIME,), TIME, temporal.time_from),
    context_row("TimezoneOffsetFrom", (DATETIME,), DECIMAL, temporal.offset_from),
    *(timed_row("DateTimeComponentFrom", (kind,), INTEGER, temporal.component_from) for kind in _TEMPORAL),
    *(
        timed_row(name, (kind, kind), BOOLEAN, implementation)
        for name, implementation in _TEMPORAL_TIMING
        for kind in _TEMPORAL
    ),
    *(timed_row("DurationBetween", (kind, kind), INTEGER, calendar.duration_between) for kind in _TEMPORAL),
    *(timed_row("DifferenceBetween", (kind, kind), INTEGER, calendar.difference_between) for kind in _TEMPORAL),
)

_SPAN = IntervalOf(T)
_RELATIONS: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("SameAs", interval.same_as),
    ("SameOrBefore", interval.same_or_before),
    ("SameOrAfter", interval.same_or_after),
    ("Before", interval.before),
    ("After", interval.after),
    ("Includes", interval.includes),
    ("IncludedIn", interval.included_in),
    ("ProperIncludes", interval.properly_includes),
    ("ProperIncludedIn", interval.properly_included_in),
    ("Meets", interval.meets),
    ("MeetsBefore", interval.meets_before),
    ("MeetsAfter", interval.meets_after),
    ("Overlaps", interval.overlaps),
    ("OverlapsBefore", interval.overlaps_before),
    ("OverlapsAfter", interval.overlaps_after),
    ("Starts", interval.starts),
    ("Ends", interval.ends_with),
)
_WITH_POINT: tuple[tuple[str, Callable[..., Any], Callable[..., Any]], ...] = (
    ("Before", interval.before_point, interval.point_before),
    ("After", interval.after_point, interval.point_after),
    ("SameOrBefore", interval.same_or_before_point, interval.point_same_or_before),
    ("SameOrAfter", interval.same_or_after_point, interval.point_same_or_after),
)
_INTERVALS: tuple[OperatorRow, ...] = (
    row("Start", (_SPAN,), T, interval.start),
    row("End", (_SPAN,), T, interval.end),
    *(row("Width", (IntervalOf(kind),), kind, interval.width) for kind in (INTEGER, LONG, DECIMAL, QUANTITY)),
    *(row("Size", (IntervalOf(kind),), kind, interval.size) for kind in (INTEGER, LONG, DECIMAL, QUANTITY)),
    row("PointFrom", (_SPAN,), T, interval.point_from),
    *(timed_row(name, (_SPAN, _SPAN), BOOLEAN, implementation) for name, implementation in _RELATIONS),
    *(timed_row(name, (_SPAN, T), BOOLEAN, implementation) for name, implementation, _ in _WITH_POINT),
    *(timed_row(name, (T, _SPAN), BOOLEAN, implementation) for name, _, implementation in _WITH_POINT),
    timed_row("Contains", (_SPAN, T), BOOLEAN, interval.contains, propagates_null=False),
    timed_row("In", (T, _SPAN), BOOLEAN, interval.in_, propagates_null=False),
    timed_row("ProperContains", (_SPAN, T), BOOLEAN, interval.properly_contains, propagates_null=False),
    timed_row("ProperIn", (T, _SPAN), BOOLEAN, interval.properly_in, propagates_null=False),
    row("Union", (_SPAN, _SPAN), _SPAN, interval_sets.union),
    row("Intersect", (_SPAN, _SPAN), _SPAN, interval_sets.intersect),
    row("Except", (_SPAN, _SPAN), _SPAN, interval_sets.except_),
    *(
        context_row(name, operands, result, implementation, propagates_null=False)
        for name, source, result, implementation in (
            ("Collapse", ListOf(_SPAN), ListOf(_SPAN), interval_sets.collapse),
            ("Expand", ListOf(_SPAN), ListOf(_SPAN), interval_sets.expand),
            ("Expand", _SPAN, ListOf(T), interval_sets.expand_points),
        )
        for operands in ((source, QUANTITY), (source,))
    ),
)

TIME_ROWS: tuple[OperatorRow, ...] = (*_DATES, *_INTERVALS)
