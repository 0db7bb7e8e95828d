"""System values in the JSON of a model whose elements are of System types themselves (ModelInfo: `System.DateTime`).

FHIR's elements are of FHIR types, and its conversions are in `fhir_conversions`. Another model may name System types
directly; its instances then hold texts for dates and times (ISO 8601, as CQL's literals without the `@`), numbers,
and objects with the elements that the System types have (`Quantity`: value, unit; `Code`: code, system, version,
display; `Concept`: codes, display; `Interval`: low, high, lowClosed, highClosed). Texts, booleans and whole numbers
are System values as they stand. What is not of its type is null.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

from cql_like.ir import OperatorRow
from cql_like.model.fhir_conversions import (
    to_code,
    to_concept,
    to_date,
    to_datetime,
    to_decimal,
    to_quantity,
    to_ratio,
    to_string,
    to_time,
)
from cql_like.runtime.values import Concept, Interval
from cql_like.types import (
    ANY,
    CODE,
    CONCEPT,
    DATE,
    DATETIME,
    DECIMAL,
    QUANTITY,
    RATIO,
    TIME,
    IntervalOf,
    Type,
)


def _concept(value: Any) -> Concept | None:
    if not isinstance(value, Mapping) or "codes" not in value:
        return to_concept(value)
    concept = cast("Mapping[str, Any]", value)
    listed = concept["codes"]
    codes = tuple(map(to_code, cast("list[Any]", listed))) if isinstance(listed, list) else ()
    return Concept(tuple(code for code in codes if code is not None), to_string(concept.get("display")))


_READERS: Mapping[Type, Callable[[Any], Any]] = {
    DECIMAL: to_decimal,
    DATE: to_date,
    DATETIME: to_datetime,
    TIME: to_time,
    QUANTITY: to_quantity,
    RATIO: to_ratio,
    CODE: to_code,
    CONCEPT: _concept,
}


def _reader(kind: Type) -> Callable[[Any], Any] | None:
    if not isinstance(kind, IntervalOf):
        return _READERS.get(kind)
    point, of = _READERS.get(kind.point, lambda bound: bound), kind.point

    def interval(value: Any) -> Interval | None:
        if not isinstance(value, Mapping):
            return None
        bounds = cast("Mapping[str, Any]", value)
        low, high = (None if bounds.get(name) is None else point(bounds[name]) for name in ("low", "high"))
        return Interval(low, high, bounds.get("lowClosed", True) is True, bounds.get("highClosed", True) is True, of)

    return interval


@cache
def system_reading(kind: Type) -> OperatorRow | None:
    """The row that reads the JSON of a System type; None where it stands as it is, or the type is none of System's."""
    reader = _reader(kind)
    return None if reader is None else OperatorRow(f"Read{kind}", (ANY,), kind, reader)
