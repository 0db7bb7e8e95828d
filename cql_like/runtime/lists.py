"""List operators (CQL Appendix B §List operators).

Elements are compared with `=`, except that null equals null. An element whose equality is uncertain (dates of
different precision) makes a membership answer null, unless another element decides it.
"""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from cql_like.runtime.comparison import equal, is_list
from cql_like.runtime.context import EvaluationContext
from cql_like.runtime.errors import CqlRuntimeError, LimitExceeded
from cql_like.runtime.logic import and_
from cql_like.runtime.values import CqlTuple, Date

# types whose `=` is Python's: they can be looked up in a set
_PLAIN = frozenset({str, int, bool})

List = Sequence[Any]


def _is_plain(value: Any) -> bool:
    return type(value) in _PLAIN or (type(value) is Date and value.ordinal != 0)


def _same(left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        return left is right
    return equal(left, right)


def contains(items: List | None, element: Any) -> bool | None:
    """`list contains element`: false for a null list; a null element is found where a null stands."""
    if items is None:
        return False
    unknown = False
    for item in items:
        result = _same(item, element)
        if result is True:
            return True
        unknown = unknown or result is None
    return None if unknown else False


def in_(element: Any, items: List | None) -> bool | None:
    """`element in list`."""
    return contains(items, element)


def properly_contains(items: List | None, element: Any) -> bool | None:
    """`list properly includes element`: it contains it and something else."""
    if items is None:
        return False
    return and_(contains(items, element), _has_other(items, element))


def _has_other(items: List, element: Any) -> bool | None:
    if element is None:
        return any(item is not None for item in items)
    unknown = False
    for item in items:
        result = equal(item, element)
        if result is False:
            return True
        unknown = unknown or result is None
    return None if unknown else False


def properly_in(element: Any, items: List | None) -> bool | None:
    """`element properly included in list`."""
    return properly_contains(items, element)


def includes(left: List, right: List) -> bool | None:
    """`left includes right`: it contains every element."""
    result: bool | None = True
    for element in right:
        result = and_(result, contains(left, element))
        if result is False:
            return False
    return result


def included_in(left: List, right: List) -> bool | None:
    """`left included in right`."""
    return includes(right, left)


def properly_includes(left: List, right: List) -> bool | None:
    """`left properly includes right`: every element, and one that `right` has not."""
    other: bool | None = False
    for element in left:
        found = contains(right, element)
        if found is False:
            other = True
            break
        if found is None:
            other = None
    return and_(includes(left, right), other)


def properly_included_in(left: List, right: List) -> bool | None:
    """`left properly included in right`."""
    return properly_includes(right, left)


def exists(items: List | None) -> bool:
    """`exists list`: whether an element is not null."""
    if not items:
        return False
    return items[0] is not None or any(item is not None for item in items)


def distinct(items: Iterable[Any]) -> list[Any]:
    """The first of all elements that are equal; nulls are equal here."""
    items = list(items)
    if len(items) < 2:
        return items
    simple = _distinct_simple(items)
    if simple is not None:
        return simple
    result: list[Any] = []
    seen: set[tuple[type, Any]] = set()
    others: list[Any] = []  # what a set can't decide
    for item in items:
        if item is None or _is_plain(item):
            key = (cast("type", type(item)), item)
            if key in seen:
                continue
            if not any(_same(item, other) is True for other in others):
                seen.add(key)
                result.append(item)
        elif not any(_same(item, other) is True for other in result):
            result.append(item)
            others.append(item)
    return result


def _limit(size: int, context: EvaluationContext) -> None:
    if size > context.limits.list:
        raise LimitExceeded(f"a list of more than {context.limits.list} elements; see the limit `list`")


def _distinct_simple(items: list[Any]) -> list[Any] | None:
    """By hash where all are strings, all integers, all complete dates, or tuples of strings, complete dates and
    nulls; else None."""
    kind = items[0].__class__
    if kind is CqlTuple:
        return _distinct_tuples(items)
    if kind is Date:
        if all(item.__class__ is Date and item.ordinal for item in items):
            return list({item.ordinal: item for item in items}.values())
    elif (kind is str or kind is int) and all(item.__class__ is kind for item in items):
        return list(dict.fromkeys(items))
    return None


def _distinct_tuples(items: list[Any]) -> list[Any] | None:
    names = items[0].keys()
    found: dict[tuple[Any, ...], Any] = {}
    for item in items:
        if item.__class__ is not CqlTuple or item.keys() != names:
            return None
        key: list[Any] = []
        for name in names:
            value = item[name]
            kind = value.__class__
            if kind is Date and value.ordinal:
                key.append(value.ordinal)  # no string or null is equal to it
            elif kind is str or value is None:
                key.append(value)
            else:
                return None
        found.setdefault(tuple(key), item)
    return list(found.values())


def union(left: List | None, right: List | None, *, context: EvaluationContext) -> list[Any] | None:
    """`left union right`, without doubles; a null list counts as empty, two of them as null."""
    if left is None and right is None:
        return None
    _limit(len(left or ()) + len(right or ()), context)
    return distinct([*(left or ()), *(right or ())])


def intersect(left: List, right: List) -> list[Any]:
    """`left intersect right`, without doubles."""
    return distinct(item for item in left if contains(right, item) is True)


def except_(left: List | None, right: List | None) -> list[Any] | None:
    """`left except right`, without doubles; nothing is taken away by null."""
    if left is None:
        return None
    return distinct(item for item in left if not right or contains(right, item) is not True)


def first(items: List | None) -> Any:
    """The first element; null of an empty list."""
    return items[0] if items else None


def last(items: List | None) -> Any:
    """The last element; null of an empty list."""
    return items[-1] if items else None


def indexer(items: List, index: int) -> Any:
    """`list[index]`, from 0; null outside."""
    return items[index] if 0 <= index < len(items) else None


def index_of(items: List, element: Any) -> int:
    """The index of the first equal element, -1 if there is none."""
    return next((index for index, item in enumerate(items) if _same(item, element) is True), -1)


def length(items: List | None) -> int:
    """How many elements, nulls counted; 0 of null."""
    return len(items) if items is not None else 0


def singleton_from(items: List | None) -> Any:
    """The one element; null of an empty list.

    Raises:
        CqlRuntimeError: there are more.
    """
    if not items:
        return None
    if len(items) > 1:
        raise CqlRuntimeError(f"`singleton from` a list of {len(items)} elements; expected at most one")
    return items[0]


def flatten(items: List, *, context: EvaluationContext) -> list[Any]:
    """The elements of the lists in a list; elements that are not lists stay, null lists go."""
    result: list[Any] = []
    for item in items:
        if is_list(item):
            _limit(len(result) + len(cast("List", item)), context)
            result.extend(item)
        elif item is not None:
            result.append(item)
    return result


def slice_(items: List | None, start: int | None = None, stop: int | None = None) -> List | None:
    """`Slice(list, start, stop)`: from `start` (null: 0) up to, not including, `stop` (null: the end; negative:
    counted from the end). A negative start gives nothing."""
    if items is None:
        return None
    if start is not None and start < 0:
        return []
    return items[start or 0 : stop]


def skip(items: List | None, count: int | None) -> List | None:
    """All but the first `count` (null: 0) elements."""
    return slice_(items, count)


def take(items: List | None, count: int | None) -> List | None:
    """The first `count` elements; none for null or less."""
    if items is None:
        return None
    return items[: max(0, count or 0)]


def tail(items: List | None) -> List | None:
    """All but the first element."""
    return slice_(items, 1)


def to_list(operand: Any) -> list[Any]:
    """A value as a list of one; null as an empty list."""
    return [] if operand is None else [operand]


def children(operand: Any) -> list[Any] | None:
    """The elements of a tuple, class or list: what lies directly under a value (FHIRPath §children)."""
    if operand is None:
        return None
    if is_list(operand):
        return [child for item in operand for child in children(item) or ()]
    if isinstance(operand, CqlTuple | dict):
        result: list[Any] = []
        for value in cast("dict[str, Any]", operand).values():
            if is_list(value):
                result.extend(value)
            elif value is not None:
                result.append(value)
        return result
    return []


def descendents(operand: Any, *, context: EvaluationContext) -> list[Any] | None:
    """All that lies under a value, at any depth (FHIRPath §descendants)."""
    below = children(operand)
    if below is None:
        return None
    result: list[Any] = []
    level: list[Any] = below
    while level:
        _limit(len(result) + len(level), context)
        result.extend(level)
        level = [child for item in level for child in children(item) or ()]
    return result
