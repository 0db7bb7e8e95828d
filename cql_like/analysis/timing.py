"""Timing phrases -> operators (CQL Author's Guide §Timing and Interval Operators; ELM mapping of timing phrases).

`A starts 3 days or less before start B` is taken apart by the parser; here its boundaries become Start and End, and
what is left is either one operator (`vocabulary.TIMING`) or, with a distance, a comparison with a shifted point:

    exactly 3 days before B      A same day as B - 3 days
    3 days or more before B      A same or before B - 3 days
    more than 3 days before B    A before B - 3 days
    3 days or less before B      A in Interval[B - 3 days, B)   and B is not null
    less than 3 days before B    A in Interval(B - 3 days, B)   and B is not null
    within 3 days of B           A in Interval[B - 3 days, B + 3 days]   and B is not null

`after` is the mirror image; `on or before`/`on or after` close the interval at B; `properly within` opens both ends.
An interval A before B is measured from its end, after B from its start; B likewise from the nearer boundary.
"""

from cql_like.analysis.context import Context, show
from cql_like.analysis.literals import quantity_value
from cql_like.analysis.operators import not_null
from cql_like.analysis.problems import UNKNOWN, broken
from cql_like.analysis.vocabulary import CALENDAR_PRECISIONS, TIMING, TIMING_OF_POINT
from cql_like.ir import Constant, Expression, IntervalSelector, Precision, Span
from cql_like.syntax import tree
from cql_like.types import ANY, BOOLEAN, CODESYSTEM, QUANTITY, VALUESET, IntervalOf, ListOf, Type


def timing(node: tree.Timing, context: Context) -> Expression:
    """`left <timing phrase> right`."""
    left, right, phrase = context.analyse(node.left), context.analyse(node.right), node.phrase
    if left.type == UNKNOWN or right.type == UNKNOWN:
        return broken(node.span)
    left = _boundary(left, phrase.left_boundary, node.left.span, context)
    right = _boundary(right, phrase.right_boundary, node.right.span, context)
    if left.type == UNKNOWN or right.type == UNKNOWN:
        return broken(node.span)
    if phrase.offset is not None:
        offset = phrase.offset
        return context.once(
            right, node.span, lambda shared: _distance(left, shared, phrase, offset, node.span, context)
        )
    return _relation(left, right, phrase, node.span, context)


def _boundary(operand: Expression, boundary: tree.Boundary | None, span: Span, context: Context) -> Expression:
    if boundary is None:
        return operand
    return context.apply("Start" if boundary == "start" else "End", [operand], span, written=f"{boundary} of")


def is_interval(kind: Type, context: Context) -> bool:
    """Is the type an interval, or a model's type (FHIR.Period) or choice that can only be used as one?"""
    return isinstance(kind, IntervalOf) or any(
        isinstance(row.result, IntervalOf) for row in context.services.models.conversions(kind)
    )


def _is_collection(kind: Type, context: Context) -> bool:
    return isinstance(kind, ListOf) or is_interval(kind, context)


def _relation(
    left: Expression, right: Expression, phrase: tree.TimingPhrase, span: Span, context: Context
) -> Expression:
    name, proper = TIMING[phrase.relation]
    point = TIMING_OF_POINT.get(name)
    if point is not None:
        whole, element = (left, right) if name == "Includes" else (right, left)
        if whole.type in (VALUESET, CODESYSTEM):
            return context.problem(span, f"{phrase.relation} takes no value set", "in")
        if (element.type != ANY or phrase.proper) and (
            not _is_collection(element.type, context)
            or (_is_collection(whole.type, context) and not context.fits(name, left.type, right.type))
        ):
            name = point[1] if phrase.proper else point[0]
            return context.apply(name, [left, right], span, phrase.precision, written=phrase.relation)
    if phrase.proper and proper is not None:
        name = proper
    if not context.fits(name, left.type, right.type) and is_interval(left.type, context) != is_interval(
        right.type, context
    ):
        left, right = _meet(left, right, name, span, context)
    return context.apply(name, [left, right], span, phrase.precision, written=phrase.relation)


def _meet(
    left: Expression, right: Expression, name: str, span: Span, context: Context
) -> tuple[Expression, Expression]:
    """A point and an interval, for an operator without a mixed overload: compare with the boundary that decides."""
    if name in ("Before", "SameOrBefore"):
        return _nearest(left, "End", span, context), _nearest(right, "Start", span, context)
    if name in ("After", "SameOrAfter"):
        return _nearest(left, "Start", span, context), _nearest(right, "End", span, context)
    return left, right


def _nearest(operand: Expression, boundary: str, span: Span, context: Context) -> Expression:
    return context.apply(boundary, [operand], span) if is_interval(operand.type, context) else operand


def _distance(
    left: Expression,
    right: Expression,
    phrase: tree.TimingPhrase,
    offset: tree.QuantityOffset,
    span: Span,
    context: Context,
) -> Expression:
    distance = Constant(type=QUANTITY, span=offset.span, value=quantity_value(offset.quantity))
    if phrase.relation == "within":
        return _within(left, right, distance, phrase, span, context)
    before = phrase.relation.endswith("before")
    inclusive = phrase.relation.startswith("on or")
    left = _nearest(left, "End" if before else "Start", span, context)
    right = _nearest(right, "Start" if before else "End", span, context)
    shifted = context.apply("Subtract" if before else "Add", [right, distance], span, written=phrase.relation)
    if shifted.type == UNKNOWN or left.type == UNKNOWN:
        return broken(span)
    precision = phrase.precision
    if offset.comparison == "exactly":
        return context.apply("SameAs", [left, shifted], span, precision or _precision_of(offset), written="same as")
    if offset.comparison == "or more":
        name = "SameOrBefore" if before else "SameOrAfter"
        return context.apply(name, [left, shifted], span, precision, written=phrase.relation)
    if offset.comparison == "more than":
        return context.apply("Before" if before else "After", [left, shifted], span, precision, written=phrase.relation)
    closed = offset.comparison == "or less"
    low, high = (shifted, right) if before else (right, shifted)
    low_closed, high_closed = (closed, inclusive) if before else (inclusive, closed)
    return _in_window(left, low, high, low_closed, high_closed, [right], precision, span, context)


def _within(
    left: Expression, right: Expression, distance: Expression, phrase: tree.TimingPhrase, span: Span, context: Context
) -> Expression:
    start, end = _nearest(right, "Start", span, context), _nearest(right, "End", span, context)
    low = context.apply("Subtract", [start, distance], span, written="within")
    high = context.apply("Add", [end, distance], span, written="within")
    closed = not phrase.proper
    return _in_window(left, low, high, closed, closed, [right], phrase.precision, span, context)


def _in_window(
    left: Expression,
    low: Expression,
    high: Expression,
    low_closed: bool,
    high_closed: bool,
    needed: list[Expression],
    precision: Precision | None,
    span: Span,
    context: Context,
) -> Expression:
    """`left` in the interval from low to high, and what the interval was made of is not null.

    Without the second half a null B would make a closed null boundary, which stands for the type's minimum.
    """
    if UNKNOWN in (left.type, low.type, high.type):
        return broken(span)
    point = context.services.conversions.common([low.type, high.type], choice=False)
    if point is None:
        return context.problem(span, f"no interval from {show(low.type)} to {show(high.type)}")
    coerce = context.services.conversions.coerce
    window = IntervalSelector(
        type=IntervalOf(point),
        span=span,
        low=coerce(low, point),
        high=coerce(high, point),
        low_closed=Constant(type=BOOLEAN, value=low_closed),
        high_closed=Constant(type=BOOLEAN, value=high_closed),
    )
    name = "IncludedIn" if is_interval(left.type, context) else "In"
    result = context.apply(name, [left, window], span, precision, written="in")
    for expression in needed:
        result = context.apply("And", [result, not_null(expression, span, context)], span)
    return result


def _precision_of(offset: tree.QuantityOffset) -> Precision | None:
    """The precision that an exact distance is compared at: its own unit."""
    precision = CALENDAR_PRECISIONS.get(offset.quantity.unit)
    return "day" if precision == "week" else precision  # dates have no week component
