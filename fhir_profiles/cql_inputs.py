"""FHIR Parameters as CQL values: what a caller of `$cql` gives as the parameters of an expression.

Source: Using CQL with FHIR, Conformance Requirement 4.3 (FHIR Type Mapping) and OperationDefinition cql-cql: a
parameter that occurs more than once is a list, one with parts a tuple. The CQL type is that of the FHIR value, or
what the extension cqf-cqlType says where FHIR's type leaves it open.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, cast

from cql_like.model import fhir_conversions as fhir
from cql_like.runtime.numbers import CONTEXT, decimal_places
from cql_like.runtime.values import CqlTuple, Date, DateTime, Interval, Long, Quantity, Time
from cql_like.types import (
    ANY,
    BOOLEAN,
    CODE,
    CONCEPT,
    DATE,
    DATETIME,
    DECIMAL,
    INTEGER,
    LONG,
    QUANTITY,
    RATIO,
    STRING,
    TIME,
    IntervalOf,
    ListOf,
    Named,
    TupleOf,
    Type,
)
from fhir_profiles.cql_parameters import (
    ABSENT,
    CQL_TYPE,
    EMPTY_LIST,
    EMPTY_TUPLE,
    HAS_OFFSET,
    PRECISION,
    TIME_PRECISION,
)
from fhir_profiles.plain import JsonMapping


class UnreadableParameter(ValueError):
    """A parameter that can't be read as a CQL value; `name` says which, the message why."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        super().__init__(text)


_TEXTS: Final = ("String", "Code", "Id", "Uri", "Url", "Canonical", "Oid", "Uuid", "Markdown", "Base64Binary")
_READERS: Final[Mapping[str, tuple[Type, Callable[[Any], Any]]]] = {
    "Boolean": (BOOLEAN, fhir.to_boolean),
    "Integer": (INTEGER, fhir.to_integer),
    "PositiveInt": (INTEGER, fhir.to_integer),
    "UnsignedInt": (INTEGER, fhir.to_integer),
    "Decimal": (DECIMAL, fhir.to_decimal),
    **dict.fromkeys(_TEXTS, (STRING, fhir.to_string)),
    "Date": (DATE, fhir.to_date),
    "DateTime": (DATETIME, fhir.to_datetime),
    "Instant": (DATETIME, fhir.to_datetime),
    "Time": (TIME, fhir.to_time),
    "Quantity": (QUANTITY, fhir.to_quantity),
    "Age": (QUANTITY, fhir.to_quantity),
    "Duration": (QUANTITY, fhir.to_quantity),
    "Ratio": (RATIO, fhir.to_ratio),
    "Coding": (CODE, fhir.to_code),
    "CodeableConcept": (CONCEPT, fhir.to_concept),
    "Period": (IntervalOf(DATETIME), fhir.to_datetime_interval),
    "Range": (IntervalOf(QUANTITY), fhir.to_quantity_interval),
}
_POINTS: Final[Mapping[str, Type]] = {str(each): each for each in (INTEGER, LONG, DECIMAL, DATE, DATETIME, TIME)}


def cql_inputs(parameters: JsonMapping) -> dict[str, tuple[Type, Any]]:
    """The type and value of each parameter of a FHIR Parameters resource, by name.

    Raises:
        UnreadableParameter: a parameter has no name, no value, or one that is not of its FHIR type.
    """
    listed = parameters.get("parameter", [])
    if parameters.get("resourceType") != "Parameters" or not isinstance(listed, list):
        raise UnreadableParameter("parameters", "expected a FHIR Parameters resource")
    return dict(_elements(cast("list[Any]", listed)))


def _elements(listed: Sequence[Any]) -> list[tuple[str, tuple[Type, Any]]]:
    """Name and value of each; values of one name are collected in a list."""
    by_name: dict[str, list[tuple[Type, Any]]] = {}
    said_list: set[str] = set()
    for each in listed:
        if not isinstance(each, dict) or not isinstance(cast("dict[str, Any]", each).get("name"), str):
            raise UnreadableParameter("parameters", "each parameter has a name")
        entry = cast("dict[str, Any]", each)
        name: str = entry["name"]
        if _cql_type(entry).startswith("List<"):
            said_list.add(name)
        by_name.setdefault(name, []).append(_value(name, entry))
    found: list[tuple[str, tuple[Type, Any]]] = []
    for name, values in by_name.items():
        if len(values) == 1 and (name not in said_list or isinstance(values[0][0], ListOf)):
            found.append((name, values[0]))
            continue
        kinds = {kind for kind, value in values if value is not None}
        element = kinds.pop() if len(kinds) == 1 else ANY
        found.append((name, (ListOf(element), [value for _, value in values])))
    return found


def _value(name: str, entry: JsonMapping) -> tuple[Type, Any]:
    if isinstance(entry.get("resource"), dict):
        resource = cast("dict[str, Any]", entry["resource"])
        kind = resource.get("resourceType")
        if not isinstance(kind, str):
            raise UnreadableParameter(name, f"{name}: the resource has no resourceType")
        return Named("FHIR", kind), resource
    if isinstance(entry.get("part"), list):
        return _parts(cast("list[Any]", entry["part"]))
    values = [key for key in entry if key.startswith("value")]
    if not values:
        return _absent(name, entry)
    if len(values) > 1:
        raise UnreadableParameter(name, f"{name}: has {' and '.join(sorted(values))}; expected one value")
    key = values[0]
    reader = _READERS.get(key.removeprefix("value"))
    if reader is None:
        known = ", ".join(f"value{each}" for each in _READERS)
        raise UnreadableParameter(name, f"{name}: {key:.64} is not supported; expected one of {known}")
    kind, read = reader
    value = read(entry[key])
    if value is None:
        raise UnreadableParameter(name, f"{name}: {key} is not a {kind}")
    return _as_said(name, _cql_type(entry), kind, value, entry.get(f"_{key}"))


def _parts(listed: Sequence[Any]) -> tuple[Type, Any]:
    """A nested list, whose parts are all called `element`, or a tuple."""
    elements = dict(_elements(listed))
    if list(elements) == ["element"]:
        kind, value = elements["element"]
        return (kind, value) if len(listed) > 1 else (ListOf(kind), [value])
    kind = TupleOf(tuple(sorted((name, kind) for name, (kind, _) in elements.items())))
    return kind, CqlTuple({name: value for name, (_, value) in elements.items()})


def _absent(name: str, entry: JsonMapping) -> tuple[Type, Any]:
    """Null, an empty list or an empty tuple: an extension at the value that is not there says which."""
    companions = [companion for key, companion in entry.items() if key.startswith("_value")]
    urls = [extension.get("url") for companion in companions for extension in _extensions(companion)]
    if EMPTY_LIST in urls:
        return ListOf(ANY), []
    if EMPTY_TUPLE in urls:
        return TupleOf(()), CqlTuple({})
    if ABSENT in urls:
        return ANY, None
    raise UnreadableParameter(name, f"{name}: has no value")


_NOTHING: Final[JsonMapping] = {}


def _extensions(element: Any) -> list[JsonMapping]:
    """The extensions of a JSON object, without what is none."""
    listed: Any = cast("dict[str, Any]", element).get("extension") if isinstance(element, dict) else None
    found = cast("list[Any]", listed) if isinstance(listed, list) else []
    return [cast("dict[str, Any]", each) for each in found if isinstance(each, dict)]


def _cql_type(entry: JsonMapping) -> str:
    said = [each.get("valueString") for each in _extensions(entry) if each.get("url") == CQL_TYPE]
    return said[0] if said and isinstance(said[0], str) else ""


def _as_said(name: str, said: str, kind: Type, value: Any, companion: Any) -> tuple[Type, Any]:
    """The value as the type of its cqf-cqlType, where several CQL types share the FHIR type."""
    said = said.removeprefix("List<").removesuffix(">") if said.startswith("List<") else said
    point = _POINTS.get(said.removeprefix("Interval<").removesuffix(">")) if said.startswith("Interval<") else None
    if said == str(LONG) and kind == STRING:
        if not (value.removeprefix("-").isdecimal() and value.isascii()):
            raise UnreadableParameter(name, f"{name}: expected the digits of a Long")
        return LONG, Long(int(value))
    if isinstance(value, Decimal):
        return kind, _with_digits(value, companion)
    if isinstance(value, DateTime | Time):
        return kind, _as_given(value, companion)
    if point is not None and isinstance(value, Interval):
        low, high = (_point(end, point) for end in (value.low, value.high))
        return IntervalOf(point), Interval(low, high, value.low_closed, value.high_closed, point)
    return kind, value


def _with_digits(value: Decimal, companion: Any) -> Decimal:
    """The decimal with the digits that the extension quantity-precision says it had: 1.5 was 1.50."""
    said = [each.get("valueInteger") for each in _extensions(companion) if each.get("url") == PRECISION]
    places = said[0] if said and isinstance(said[0], int) else 0
    more = decimal_places(value) < places <= 8
    return value.quantize(Decimal(1).scaleb(-places), context=CONTEXT) if more else value


def _as_given(value: DateTime | Time, companion: Any) -> DateTime | Time:
    """The value without what FHIR wants and the extensions time-precision and time-hasOffset say was not given."""
    said = {str(each.get("url")): each for each in _extensions(companion)}
    precision = said.get(TIME_PRECISION, _NOTHING).get("valueCode")
    count = 1 if precision == "hour" else 2 if precision == "minute" else 4
    if isinstance(value, Time):
        return Time(*value.components[:count])
    offset = None if said.get(HAS_OFFSET, _NOTHING).get("valueBoolean") is False else value.offset
    return DateTime(*value.components[: 3 + count], offset=offset)


def _point(end: Any, point: Type) -> Any:
    """The end of a Range or Period as a point of the interval that it stands for."""
    if isinstance(end, Quantity):
        number: Decimal = end.value
        return Long(int(number)) if point == LONG else int(number) if point == INTEGER else number
    if isinstance(end, DateTime) and point == DATE:
        return Date(end.year, end.month, end.day)
    if isinstance(end, DateTime) and point == TIME and end.hour is not None:
        return Time(end.hour, end.minute, end.second, end.millisecond)
    return end
