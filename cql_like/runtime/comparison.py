"""Equality, equivalence and order of any two values (CQL Appendix B §Comparison operators).

`=` is three-valued, `~` never null. Both work on run-time values, so elements of lists and tuples whose static type
is Any or a choice compare too; values of different types are not equal (false), except the numeric types.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from cql_like.ir import Precision
from cql_like.runtime import quantity, temporal
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.logic import and_, not_, or_
from cql_like.runtime.values import (
    Code,
    CodeSystem,
    Concept,
    CqlTuple,
    Date,
    DateTime,
    Interval,
    Long,
    ModelValue,
    Quantity,
    Ratio,
    Time,
    Uncertainty,
    ValueSet,
)

_NUMBERS = frozenset({int, Long, Decimal, float})
_TEMPORAL = frozenset({Date, DateTime, Time})
_SEQUENCES = (list, tuple)


def is_list(value: object) -> bool:
    """Whether a run-time value is a CQL list."""
    return isinstance(value, _SEQUENCES)


# --- order -----------------------------------------------------------------------------------------------------


def compare(left: Any, right: Any, precision: Precision | None = None) -> int | None:
    """-1, 0 or 1 for two values of one ordered type; None where they can't be ordered for certain.

    Raises:
        CqlRuntimeError: the types have no order.
    """
    kind, other = left.__class__, right.__class__
    if kind is Date or kind is DateTime or kind is Time:
        if other is kind:
            return temporal.compare(left, right, precision)
        if {kind, other} == {Date, DateTime}:
            return temporal.compare(_datetime(left), _datetime(right), precision)
    elif kind is Quantity and other is Quantity:
        return quantity.compare(left, right)
    elif (kind is str and other is str) or (kind in _NUMBERS and other in _NUMBERS):
        return (left > right) - (left < right)
    elif kind is Quantity and other in _NUMBERS:
        return quantity.compare(left, Quantity(Decimal(right)))
    elif kind in _NUMBERS and other is Quantity:
        return quantity.compare(Quantity(Decimal(left)), right)
    if kind is ModelValue or other is ModelValue:
        return compare(_unboxed(left), _unboxed(right), precision)
    if kind is Uncertainty or other is Uncertainty:
        return _compare_ranges(left, right, precision)
    raise CqlRuntimeError(f"{_kind(left)} and {_kind(right)} have no order")


_NAMES: dict[str, str] = {"int": "Integer", "str": "String", "bool": "Boolean", "list": "List", "tuple": "List"}


def _kind(value: Any) -> str:
    return _NAMES.get(type(value).__name__, type(value).__name__)


def _datetime(value: Any) -> DateTime:
    return temporal.datetime_of(value) if type(value) is Date else value


def _unboxed(value: Any) -> Any:
    if type(value) is not ModelValue:
        return value
    inner: Any = value.value
    if isinstance(inner, dict):
        raise CqlRuntimeError(f"values of {value.type} have no order")
    return inner


def _compare_ranges(left: Any, right: Any, precision: Precision | None) -> int | None:
    if less(left, right, precision) is True:
        return -1
    if less(right, left, precision) is True:
        return 1
    low, high = bounds(left)
    other_low, other_high = bounds(right)
    same = (
        compare(low, high, precision),
        compare(other_low, other_high, precision),
        compare(low, other_low, precision),
    )
    return 0 if same == (0, 0, 0) else None


def bounds(value: Any) -> tuple[Any, Any]:
    """The least and greatest value that a (possibly uncertain) value can have."""
    return (value.low, value.high) if type(value) is Uncertainty else (value, value)


def less(left: Any, right: Any, precision: Precision | None = None) -> bool | None:
    """`left < right`, three-valued; operands are not null."""
    if type(left) is Uncertainty or type(right) is Uncertainty:
        (low, high), (other_low, other_high) = bounds(left), bounds(right)
        order = compare(high, other_low, precision)
        if order is not None and order < 0:
            return True
        order = compare(low, other_high, precision)
        return False if order is not None and order >= 0 else None
    order = compare(left, right, precision)
    return None if order is None else order < 0


def less_or_equal(left: Any, right: Any, precision: Precision | None = None) -> bool | None:
    """`left <= right`, three-valued; operands are not null."""
    if type(left) is Uncertainty or type(right) is Uncertainty:
        return not_(less(right, left, precision))
    order = compare(left, right, precision)
    return None if order is None else order <= 0


def greater(left: Any, right: Any) -> bool | None:
    """`left > right`."""
    return less(right, left)


def greater_or_equal(left: Any, right: Any) -> bool | None:
    """`left >= right`."""
    return less_or_equal(right, left)


def same(left: Any, right: Any, precision: Precision | None = None) -> bool | None:
    """Whether two ordered values are the same to `precision`, three-valued."""
    order = compare(left, right, precision)
    if order is not None:
        return order == 0
    if type(left) is Uncertainty or type(right) is Uncertainty:
        apart = or_(less(left, right, precision), less(right, left, precision))
        return False if apart is True else None
    return None


# --- equality --------------------------------------------------------------------------------------------------


def equal(left: Any, right: Any) -> bool | None:
    """`left = right`: null if either is null; lists and tuples element by element, the first difference decides."""
    if left is None or right is None:
        return None
    kind, other = left.__class__, right.__class__
    if kind is other and (kind is str or kind is int or kind is bool):
        return left == right
    if kind in _NUMBERS and other in _NUMBERS:
        return left == right
    handler = _EQUAL.get(kind)
    if handler is not None and kind is other:
        return handler(left, right)
    return _equal_mixed(left, right)


def _equal_mixed(left: Any, right: Any) -> bool | None:
    """Values of different run-time types, or of JSON."""
    if type(left) is ModelValue or type(right) is ModelValue:
        first = left.value if type(left) is ModelValue else left
        second = right.value if type(right) is ModelValue else right
        return equal(first, second)
    if type(left) is Uncertainty or type(right) is Uncertainty:
        return same(left, right)
    if is_list(left) and is_list(right):
        return _equal_lists(left, right)
    if {left.__class__, right.__class__} == {Date, DateTime}:
        return same(_datetime(left), _datetime(right))
    # JSON objects are equal when all their elements are; one that is absent from both is
    return isinstance(left, dict) and bool(left == right)


def _equal_elements(pairs: Iterable[tuple[Any, Any]]) -> bool | None:
    """Nulls on both sides are equal; the first pair that is not equal decides."""
    for first, second in pairs:
        if first is None and second is None:
            continue
        result = equal(first, second)
        if result is not True:
            return result
    return True


def _equal_lists(left: Sequence[Any], right: Sequence[Any]) -> bool | None:
    return _equal_elements(zip(left, right, strict=True)) if len(left) == len(right) else False


def _equal_tuples(left: CqlTuple, right: CqlTuple) -> bool | None:
    if left.keys() != right.keys():
        return False
    return _equal_elements((left[name], right[name]) for name in left)


def _equal_intervals(left: Interval, right: Interval) -> bool | None:
    from cql_like.runtime.interval import ends

    (low, high), (other_low, other_high) = ends(left, right)
    if low is None or high is None or other_low is None or other_high is None:
        return None
    return and_(same(low, other_low), same(high, other_high))


def _equal_codes(left: Code, right: Code) -> bool | None:
    return _equal_elements(
        (
            (left.code, right.code),
            (left.system, right.system),
            (left.version, right.version),
            (left.display, right.display),
        )
    )


def _equal_concepts(left: Concept, right: Concept) -> bool | None:
    return and_(_equal_lists(left.codes, right.codes), _equal_elements([(left.display, right.display)]))


def _equal_ratios(left: Ratio, right: Ratio) -> bool | None:
    return and_(quantity.equal(left.numerator, right.numerator), quantity.equal(left.denominator, right.denominator))


def _equal_vocabularies(left: Any, right: Any) -> bool | None:
    return _equal_elements([(left.id, right.id), (left.version, right.version)])


_EQUAL: dict[type, Callable[[Any, Any], bool | None]] = {
    Date: lambda left, right: temporal.same_as(left, right),
    DateTime: lambda left, right: temporal.same_as(left, right),
    Time: lambda left, right: temporal.same_as(left, right),
    Quantity: quantity.equal,
    Ratio: _equal_ratios,
    Interval: _equal_intervals,
    list: _equal_lists,
    tuple: _equal_lists,
    CqlTuple: _equal_tuples,
    Code: _equal_codes,
    Concept: _equal_concepts,
    ValueSet: _equal_vocabularies,
    CodeSystem: _equal_vocabularies,
}


def not_equal(left: Any, right: Any) -> bool | None:
    """`left != right`."""
    return not_(equal(left, right))


# --- equivalence -----------------------------------------------------------------------------------------------


def equivalent(left: Any, right: Any) -> bool:
    """`left ~ right`: never null; null ~ null is true."""
    if left is None or right is None:
        return left is right
    kind, other = left.__class__, right.__class__
    if kind in _NUMBERS and other in _NUMBERS:
        if kind is Decimal or other is Decimal:
            return quantity.equivalent_decimals(Decimal(left), Decimal(right))
        return left == right
    if kind is other:
        handler = _EQUIVALENT.get(kind)
        return handler(left, right) if handler is not None else left == right
    if kind is Code and other is Concept:
        return _concept_has(right, left)
    if kind is Concept and other is Code:
        return _concept_has(left, right)
    if kind is ModelValue or other is ModelValue:
        first = left.value if kind is ModelValue else left
        second = right.value if other is ModelValue else right
        return equivalent(first, second)
    if is_list(left) and is_list(right):
        return _equivalent_lists(left, right)
    if {kind, other} == {Date, DateTime}:
        return temporal.equivalent(_datetime(left), _datetime(right))
    return False


def _normalised(text: str) -> str:
    """Case and the kind of white space don't matter to `~`."""
    return "".join(" " if character.isspace() else character for character in text).casefold()


def _equivalent_strings(left: str, right: str) -> bool:
    return left == right or _normalised(left) == _normalised(right)


def _equivalent_lists(left: Sequence[Any], right: Sequence[Any]) -> bool:
    return len(left) == len(right) and all(map(equivalent, left, right))


def _equivalent_tuples(left: CqlTuple, right: CqlTuple) -> bool:
    return left.keys() == right.keys() and all(equivalent(left[name], right[name]) for name in left)


def _equivalent_intervals(left: Interval, right: Interval) -> bool:
    from cql_like.runtime.interval import ends

    (low, high), (other_low, other_high) = ends(left, right)
    return _equivalent_ends(low, other_low) and _equivalent_ends(high, other_high)


def _equivalent_ends(left: Any, right: Any) -> bool:
    if type(left) is Uncertainty or type(right) is Uncertainty:
        return type(left) is type(right)  # two unknown ends are equivalent, as null ~ null
    return equivalent(left, right)


def _equivalent_codes(left: Code, right: Code) -> bool:
    """Versions and displays don't matter (Appendix B §Equivalent, Code)."""
    return left.code == right.code and left.system == right.system


def _concept_has(concept: Concept, code: Code) -> bool:
    return any(_equivalent_codes(member, code) for member in concept.codes)


def _equivalent_concepts(left: Concept, right: Concept) -> bool:
    return any(_concept_has(right, code) for code in left.codes)


def _equivalent_vocabularies(left: Any, right: Any) -> bool:
    return left.id == right.id


_EQUIVALENT: dict[type, Callable[[Any, Any], bool]] = {
    str: _equivalent_strings,
    Date: temporal.equivalent,
    DateTime: temporal.equivalent,
    Time: temporal.equivalent,
    Quantity: quantity.equivalent,
    Ratio: quantity.ratio_equivalent,
    Interval: _equivalent_intervals,
    list: _equivalent_lists,
    tuple: _equivalent_lists,
    CqlTuple: _equivalent_tuples,
    Code: _equivalent_codes,
    Concept: _equivalent_concepts,
    ValueSet: _equivalent_vocabularies,
    CodeSystem: _equivalent_vocabularies,
}


# --- sorting ---------------------------------------------------------------------------------------------------


def _sort_order(left: Any, right: Any) -> int:
    """A total order: nulls lowest; where precision leaves the order open, the less precise value first."""
    if left is None or right is None:
        return (left is not None) - (right is not None)
    order = compare(left, right)
    if order is not None:
        return order
    if type(left) in _TEMPORAL and type(right) in _TEMPORAL:
        return (left.count > right.count) - (left.count < right.count)
    raise CqlRuntimeError(f"{left} and {right} can't be sorted: their units can't be compared")


_by_order = cmp_to_key(_sort_order)


def sort_key(value: Any) -> Any:
    """A key for Python's `sorted`: CQL's order, nulls lowest. For `desc` use `reverse=True` (it keeps ties stable)."""
    return _by_order(value)


def sort_list(items: Sequence[Any], descending: bool = False) -> list[Any]:
    """The elements in CQL's order, stable."""
    return sorted(items, key=_by_order, reverse=descending)
