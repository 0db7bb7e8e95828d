"""Fast paths of what generated code calls: the usual case by Python's own means, the rest by `cql_like.leaves`."""

from collections.abc import Callable, Sequence
from typing import Any

from cql_like import ir, leaves
from cql_like.runtime.values import Date

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


def distinct(values: list[Any]) -> list[Any]:
    """Without duplicates, in order: by hash where all are strings, integers or complete dates."""
    if len(values) < 2:
        return values
    return list(dict.fromkeys(values)) if _plain(values) is not None else leaves.distinct(values)


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
