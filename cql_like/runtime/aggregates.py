"""Aggregate functions (CQL Appendix B §Aggregate functions). Nulls in the list are left out; of nothing the result is
null, except for Count, AllTrue and AnyTrue."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from cql_like.runtime import arithmetic, quantity, units
from cql_like.runtime.comparison import equal, less_or_equal, sort_list
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.lists import distinct
from cql_like.runtime.numbers import CONTEXT, fit
from cql_like.runtime.values import Long, Quantity

Values = Sequence[Any] | None


def _known(items: Values) -> list[Any]:
    return [item for item in items or () if item is not None]


def count(items: Values) -> int:
    """How many elements are not null; 0 of null."""
    return len(_known(items))


def _fold(items: Values, function: Callable[[Any, Any], Any]) -> Any:
    known = _known(items)
    if not known:
        return None
    total = known[0]
    for item in known[1:]:
        total = function(total, item)
        if total is None:
            return None
    return total


def _adder(left: Any, right: Any) -> Any:
    if isinstance(left, Quantity):
        return quantity.add(left, right)
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return arithmetic.add_decimals(Decimal(left), Decimal(right))
    return arithmetic.add_longs(left, right) if type(left) is Long else arithmetic.add_integers(left, right)


def _multiplier(left: Any, right: Any) -> Any:
    if isinstance(left, Quantity):
        return quantity.multiply(left, right)
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return arithmetic.multiply_decimals(Decimal(left), Decimal(right))
    return arithmetic.multiply_longs(left, right) if type(left) is Long else arithmetic.multiply_integers(left, right)


def sum_(items: Values) -> Any:
    """The sum; null on overflow or where units don't add."""
    return _fold(items, _adder)


def product(items: Values) -> Any:
    """The product; null on overflow."""
    return _fold(items, _multiplier)


def _extreme(items: Values, highest: bool) -> Any:
    known = _known(items)
    if not known:
        return None
    if type(known[0]) in (int, str) and all(type(item) is type(known[0]) for item in known):
        return max(known) if highest else min(known)
    candidate = sort_list(known)[-1 if highest else 0]
    if any(
        (less_or_equal(item, candidate) if highest else less_or_equal(candidate, item)) is not True for item in known
    ):
        return None
    return candidate


def min_(items: Values) -> Any:
    """The least element; null where the precision of dates does not tell."""
    return _extreme(items, highest=False)


def max_(items: Values) -> Any:
    """The greatest element; null where the precision of dates does not tell."""
    return _extreme(items, highest=True)


def _numbers(items: Values) -> tuple[list[Decimal], str | None]:
    """The elements as decimals, and their unit if they are quantities (all in the unit of the first)."""
    known = _known(items)
    if not known or not isinstance(known[0], Quantity):
        return [Decimal(item) for item in known], None
    unit = known[0].unit
    converted = [quantity.convert(item, unit) for item in known]
    if None in converted:
        raise CqlRuntimeError(f"an aggregate of quantities whose units can't be converted to '{unit}'")
    return [item.value for item in converted if item is not None], unit


def _result(value: Decimal, unit: str | None) -> Any:
    fitted = fit(value)
    return fitted if fitted is None or unit is None else Quantity(fitted, unit)


def _mean(values: list[Decimal]) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = CONTEXT.add(total, value)
    return CONTEXT.divide(total, Decimal(len(values)))


def avg(items: Values) -> Any:
    """The arithmetic mean."""
    values, unit = _numbers(items)
    return _result(_mean(values), unit) if values else None


def median(items: Values) -> Any:
    """The middle element in order, the mean of the middle two of an even number."""
    values, unit = _numbers(items)
    if not values:
        return None
    values.sort()
    middle = len(values) // 2
    return _result(values[middle] if len(values) % 2 else _mean(values[middle - 1 : middle + 1]), unit)


def mode(items: Values) -> Any:
    """The element that occurs most often; of several, the first."""
    known = _known(items)
    if not known:
        return None
    return max(distinct(known), key=lambda candidate: sum(equal(candidate, item) is True for item in known))


def _squares(values: list[Decimal]) -> Decimal:
    mean = _mean(values)
    total = Decimal(0)
    for value in values:
        deviation = CONTEXT.subtract(value, mean)
        total = CONTEXT.add(total, CONTEXT.multiply(deviation, deviation))
    return total


def _spread(items: Values, population: bool, root: bool) -> Any:
    values, unit = _numbers(items)
    size = len(values) if population else len(values) - 1
    if size < 1:
        return None
    result = CONTEXT.divide(_squares(values), Decimal(size))
    if root:
        return _result(CONTEXT.sqrt(result), unit)
    return _result(result, None if unit is None else units.combine(units.parse(unit), units.parse(unit), 1))


def variance(items: Values) -> Any:
    """The sample variance (by n - 1); null of fewer than two."""
    return _spread(items, population=False, root=False)


def population_variance(items: Values) -> Any:
    """The variance of a whole population (by n)."""
    return _spread(items, population=True, root=False)


def std_dev(items: Values) -> Any:
    """The sample standard deviation."""
    return _spread(items, population=False, root=True)


def population_std_dev(items: Values) -> Any:
    """The standard deviation of a whole population."""
    return _spread(items, population=True, root=True)


def geometric_mean(items: Values) -> Decimal | None:
    """The n-th root of the product; null where an element is not positive (zero makes it zero)."""
    values, _ = _numbers(items)
    if not values or any(value < 0 for value in values):
        return None
    if not all(values):
        return Decimal(0)
    total = Decimal(0)
    for value in values:
        total = CONTEXT.add(total, CONTEXT.ln(value))
    return fit(CONTEXT.exp(CONTEXT.divide(total, Decimal(len(values)))))


def all_true(items: Values) -> bool:
    """Whether no element is false; true of nothing."""
    return not any(item is False for item in items or ())


def any_true(items: Values) -> bool:
    """Whether an element is true; false of nothing."""
    return any(item is True for item in items or ())
