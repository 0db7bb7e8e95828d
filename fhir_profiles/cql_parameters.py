"""CQL values as FHIR Parameters, as the `$cql` operation answers.

Source: Using CQL with FHIR, Conformance Requirement 4.3 (FHIR Type Mapping), for R4: Long as a string of digits,
numeric intervals as Range, Interval<Time> as a Period on 0001-01-01, null, empty lists and empty tuples by
extensions, and the extension cqf-cqlType wherever FHIR's type leaves the CQL type open. FHIR has no open ends: an
interval is written with the ends that it effectively has.

Decimals stay `Decimal`, so that a JSON writer can keep their digits.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, cast

from cql_like.runtime import interval
from cql_like.runtime.errors import LimitExceeded
from cql_like.runtime.numbers import CONTEXT, decimal_places
from cql_like.runtime.units import CALENDAR, singular
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
from cql_like.types import (
    ANY,
    BOOLEAN,
    CODE,
    CODESYSTEM,
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
    VALUESET,
    ChoiceOf,
    IntervalOf,
    ListOf,
    Named,
    TupleOf,
    Type,
)
from fhir_profiles.plain import Resource, extension

_EXTENSIONS: Final = "http://hl7.org/fhir/StructureDefinition"
CQL_TYPE: Final = f"{_EXTENSIONS}/cqf-cqlType"
EMPTY_LIST: Final = f"{_EXTENSIONS}/cqf-isEmptyList"
EMPTY_TUPLE: Final = f"{_EXTENSIONS}/cqf-isEmptyTuple"
ABSENT: Final = f"{_EXTENSIONS}/data-absent-reason"
PRECISION: Final = f"{_EXTENSIONS}/quantity-precision"
TIME_PRECISION: Final = f"{_EXTENSIONS}/time-precision"
HAS_OFFSET: Final = f"{_EXTENSIONS}/time-hasOffset"
UCUM: Final = "http://unitsofmeasure.org"
EVALUATION_ERROR: Final = "evaluation error"  # the name under which engines answer with an OperationOutcome

# FHIR R4 §2.24.0.3 open types: what a value[x] may hold.
_OPEN_TYPES: Final = frozenset(
    {
        "base64Binary", "boolean", "canonical", "code", "date", "dateTime", "decimal", "id", "instant", "integer",
        "markdown", "oid", "positiveInt", "string", "time", "unsignedInt", "uri", "url", "uuid",
        "Address", "Age", "Annotation", "Attachment", "CodeableConcept", "Coding", "ContactPoint", "Count", "Distance",
        "Duration", "HumanName", "Identifier", "Money", "Period", "Quantity", "Range", "Ratio", "Reference",
        "SampledData", "Signature", "Timing", "ContactDetail", "Contributor", "DataRequirement", "Expression",
        "ParameterDefinition", "RelatedArtifact", "TriggerDefinition", "UsageContext", "Dosage", "Meta",
    }
)  # fmt: skip
_MOST_PARTS: Final = 200_000  # values in one answer; a list that holds itself twice, forty times over, has more
_NUMERIC: Final = (INTEGER, LONG, DECIMAL)
_TIME_NAMES: Final = ("hour", "minute")  # by how many components of the time are given: 1, 2

# The elements of a FHIR object that no value[x] can hold: (name, type, value) of each that is there.
ElementsOf = Callable[[Named, Mapping[str, Any]], Iterable[tuple[str, Type, Any]]]


def cql_parameters(
    value: Any, kind: Type, elements_of: ElementsOf, *, offset: int = 0, name: str = "return"
) -> list[Resource]:
    """The entries of Parameters.parameter that stand for a value: one, or one for each element of a list.

    Args:
        value: the value, as a session gives it.
        kind: its static type.
        elements_of: how to take apart objects of types that no value[x] can hold (backbone elements).
        offset: minutes east of UTC, for date-times that state none; FHIR wants one where there is a time.
        name: of the entries.

    Raises:
        LimitExceeded: the value has too many parts, or is nested too deeply.
    """
    try:
        return _Writer(elements_of, offset).entries(name, value, kind)
    except RecursionError:
        raise LimitExceeded("the result is nested too deeply to be written as FHIR Parameters") from None


class _Writer:
    def __init__(self, elements_of: ElementsOf, offset: int) -> None:
        self._elements_of, self._offset = elements_of, offset
        self._parts_left = _MOST_PARTS

    def entries(self, name: str, value: Any, kind: Type) -> list[Resource]:
        kind = _precise(value, kind)
        said = {"extension": [extension(CQL_TYPE, valueString=str(kind))], "name": name}
        if not isinstance(value, list | tuple):
            return [said | self._value(value, kind)]
        items = cast("Sequence[Any]", value)
        if not items:
            return [said | _marker(EMPTY_LIST, valueBoolean=True)]
        element = kind.element if isinstance(kind, ListOf) else ANY
        return [said | self._value(item, _precise(item, element)) for item in items]

    def _part(self, name: str, value: Any, kind: Type) -> Resource:
        """A part. It says its CQL type where FHIR's type leaves it open."""
        kind = _precise(value, kind)
        made: Resource = {"name": name} | self._value(value, kind)
        if value is not None and _is_open(kind):
            made["extension"] = [extension(CQL_TYPE, valueString=str(kind))]
        return made

    def _parts(self, name: str, value: Any, kind: Type) -> list[Resource]:
        """The element of a tuple or object under its name; a list that has elements repeats the name."""
        kind = _precise(value, kind)
        if isinstance(value, list | tuple) and value and isinstance(kind, ListOf):
            return [self._part(name, item, kind.element) for item in cast("Sequence[Any]", value)]
        return [self._part(name, value, kind)]

    # ---------------------------------------------------------------------------------------- one value

    def _value(self, value: Any, kind: Type) -> Resource:
        """`{"valueInteger": 1}`, `{"part": [...]}`, `{"resource": ...}` or a marker for what has no value."""
        self._parts_left -= 1
        if self._parts_left < 0:
            raise LimitExceeded(f"the result has more than {_MOST_PARTS} values")
        match value:
            case None:
                return _marker(ABSENT, valueCode="unknown")
            case ModelValue():
                return self._model_value(value.value, value.type)
            case list() | tuple():
                items = cast("Sequence[Any]", value)
                element = kind.element if isinstance(kind, ListOf) else ANY
                if not items:
                    return _marker(EMPTY_LIST, valueBoolean=True)
                return {"part": [self._part("element", item, element) for item in items]}
            case Interval() | Uncertainty():
                return self._interval(value, kind)
            case CqlTuple():
                return self._tuple(value, kind)
            case _ if isinstance(kind, Named) and kind.model != "System":
                return self._model_value(value, kind)
            case bool():
                return {"valueBoolean": value}
            case Long():
                return {"valueString": str(int(value))}
            case int():
                return {"valueInteger": value}
            case str():
                return {"valueString": value}
            case Decimal():
                return _primitive("Decimal", _plain(value), _precision_of(value))
            case Date():
                return {"valueDate": str(value)}
            case DateTime():
                return _primitive("DateTime", *self._datetime(value))
            case Time():
                return _primitive("Time", *_time(value))
            case Quantity():
                return {"valueQuantity": _quantity(value)}
            case Ratio():
                return {
                    "valueRatio": {"numerator": _quantity(value.numerator), "denominator": _quantity(value.denominator)}
                }
            case Code():
                return {"valueCoding": _coding(value)}
            case Concept():
                concept: Resource = {"coding": [_coding(code) for code in value.codes]} if value.codes else {}
                return {"valueCodeableConcept": concept | ({"text": value.display} if value.display else {})}
            case ValueSet():
                return {"resource": _vocabulary("ValueSet", value)}
            case CodeSystem():
                return {"resource": _vocabulary("CodeSystem", value) | {"content": "not-present"}}
            case _:
                return self._model_value(value, kind if isinstance(kind, Named) else Named("FHIR", "Element"))

    def _tuple(self, value: CqlTuple, kind: Type) -> Resource:
        if not len(value):
            return _marker(EMPTY_TUPLE, valueBoolean=True)
        kinds = dict(kind.elements) if isinstance(kind, TupleOf) else {}
        parts = [part for name in value for part in self._parts(name, value[name], kinds.get(name, ANY))]
        return {"part": parts}

    def _model_value(self, value: Any, kind: Named) -> Resource:
        if isinstance(value, Mapping):
            fields = cast("Mapping[str, Any]", value)
            if "resourceType" in fields:
                return {"resource": dict(fields)}
            if kind.name not in _OPEN_TYPES:
                parts = [
                    p for name, each, item in self._elements_of(kind, fields) for p in self._parts(name, item, each)
                ]
                return {"part": parts} if parts else _marker(EMPTY_TUPLE, valueBoolean=True)
        name = kind.name if kind.name in _OPEN_TYPES else _json_type(value, kind)
        return {f"value{name[:1].upper()}{name[1:]}": value}

    # ---------------------------------------------------------------------------------------- intervals and times

    def _interval(self, value: Interval | Uncertainty, kind: Type) -> Resource:
        point = kind.point if isinstance(kind, IntervalOf) else ANY
        if isinstance(value, Uncertainty):
            value = Interval(value.low, value.high, True, True)
        if point == DECIMAL:
            low, high = _decimal_end(value.low, value.low_closed, 1), _decimal_end(value.high, value.high_closed, -1)
        else:
            low = None if value.low is None else interval.start(value)
            high = None if value.high is None else interval.end(value)
        if point in (DATE, DATETIME, TIME):
            return {"valuePeriod": self._period(low, high) or _no_boundary()}
        found: Resource = {}
        for name, end in (("low", low), ("high", high)):
            if isinstance(end, Quantity):
                found[name] = _quantity(end)
            elif end is not None:
                number = _plain(end) if isinstance(end, Decimal) else int(end)
                found[name] = {"value": number, "system": UCUM, "code": "1"}
                if isinstance(end, Decimal):
                    found[name]["extension"] = [extension(PRECISION, valueInteger=decimal_places(end))]
        return {"valueRange": found or _no_boundary()}

    def _period(self, low: Any, high: Any) -> Resource:
        found: Resource = {}
        for name, end in (("start", low), ("end", high)):
            if end is None or isinstance(end, Uncertainty):
                continue
            if isinstance(end, Time):
                end = DateTime(1, 1, 1, *end.components)
            text, extensions = (str(end), []) if isinstance(end, Date) else self._datetime(end)
            found[name] = text
            if extensions:
                found[f"_{name}"] = {"extension": extensions}
        return found

    def _datetime(self, value: DateTime) -> tuple[str, list[Resource]]:
        """FHIR dateTime: with a time it has seconds and an offset; extensions say what was not given."""
        extensions: list[Resource] = []
        if value.count <= 3:
            return str(value).removesuffix("T"), extensions
        if value.count < 6:
            extensions.append(extension(TIME_PRECISION, valueCode=_TIME_NAMES[value.count - 4]))
        if value.offset is None:
            extensions.append(extension(HAS_OFFSET, valueBoolean=False))
        whole = DateTime(
            value.year, value.month, value.day, value.hour, value.minute or 0, value.second or 0, value.millisecond,
            self._offset if value.offset is None else value.offset,
        )  # fmt: skip
        return str(whole), extensions


def _time(value: Time) -> tuple[str, list[Resource]]:
    """FHIR time: seconds are required; an extension says what was not given."""
    whole = Time(value.hour, value.minute or 0, value.second or 0, value.millisecond)
    if value.count >= 3:
        return str(whole), []
    return str(whole), [extension(TIME_PRECISION, valueCode=_TIME_NAMES[value.count - 1])]


# ------------------------------------------------------------------------------------------------ small shapes


def _marker(url: str, **said: Any) -> Resource:
    """A parameter without a value: the extension stands at an (arbitrary) boolean that is not there."""
    return {"_valueBoolean": {"extension": [extension(url, **said)]}}


def _no_boundary() -> Resource:
    """The content of an interval of which neither end is known: an element may not be empty (ele-1)."""
    return {"extension": [extension(ABSENT, valueCode="unknown")]}


def _primitive(kind: str, value: Any, extensions: Sequence[Resource] = ()) -> Resource:
    found: Resource = {f"value{kind}": value}
    if extensions:
        found[f"_value{kind}"] = {"extension": list(extensions)}
    return found


def _plain(value: Decimal) -> Decimal:
    """The decimal without an exponent: FHIR allows one, JSON readers differ."""
    return value.quantize(Decimal(1), context=CONTEXT) if cast("int", value.as_tuple().exponent) > 0 else value


def _precision_of(value: Decimal) -> list[Resource]:
    """The digits behind the point, where a reader of JSON numbers loses them: 1.50 is 1.5 there."""
    places = decimal_places(value)
    return [extension(PRECISION, valueInteger=places)] if places and value.as_tuple().digits[-1] == 0 else []


def _decimal_end(end: Decimal | None, closed: bool, towards: int) -> Decimal | None:
    """An end as a closed one: the mapping steps from an open end by the last digit that it states."""
    if end is None or closed:
        return end
    return CONTEXT.add(end, towards * Decimal(1).scaleb(-decimal_places(end)))


def _quantity(value: Quantity) -> Resource:
    """A Quantity with its UCUM code; a calendar duration keeps its word as the unit for the reader."""
    word = singular(value.unit)
    code = CALENDAR.get(word, value.unit)
    unit = {"unit": word if word in CALENDAR else value.unit}
    found: Resource = {"value": _plain(value.value), **unit, "system": UCUM, "code": code}
    precision = _precision_of(value.value)
    if precision:
        found["_value"] = {"extension": precision}
    return found


def _coding(value: Code) -> Resource:
    named = (("system", value.system), ("version", value.version), ("code", value.code), ("display", value.display))
    return {name: text for name, text in named if text is not None}


def _vocabulary(resource_type: str, value: ValueSet | CodeSystem) -> Resource:
    """The definition that a reference to a value set or code system stands for, as far as CQL knows it."""
    named = (("url", value.id), ("version", value.version), ("title", value.name))
    found: Resource = {"resourceType": resource_type}
    found |= {name: text for name, text in named if text is not None}
    return found | {"status": "unknown"}


def _json_type(value: Any, kind: Named) -> str:
    """The FHIR type for a JSON scalar whose class has no value[x] of its own: FHIR.AdministrativeGender is a code."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float | Decimal):
        return "decimal"
    return "string" if kind.name in ("Element", "xhtml") else "code"


# ------------------------------------------------------------------------------------------------ types

_SIMPLE: Final[Mapping[type[object], Named]] = {
    bool: BOOLEAN,
    int: INTEGER,
    Long: LONG,
    str: STRING,
    Decimal: DECIMAL,
    Date: DATE,
    DateTime: DATETIME,
    Time: TIME,
    Quantity: QUANTITY,
    Ratio: RATIO,
    Code: CODE,
    Concept: CONCEPT,
    ValueSet: VALUESET,
    CodeSystem: CODESYSTEM,
}


def _precise(value: Any, kind: Type) -> Type:
    """The type to write for a value: the static one, or the value's own where that is open."""
    if isinstance(value, Uncertainty):  # a number that is not certain answers as the interval of what it can be
        return IntervalOf(_precise(value.low, ANY))
    if value is None or not _is_vague(kind):
        return kind
    return _type_of(value, kind)


def _is_vague(kind: Type) -> bool:
    if kind == ANY or isinstance(kind, ChoiceOf):
        return True
    if isinstance(kind, ListOf):
        return _is_vague(kind.element)
    return isinstance(kind, IntervalOf) and _is_vague(kind.point)


def _type_of(value: Any, otherwise: Type) -> Type:
    match value:
        case ModelValue():
            return value.type
        case list() | tuple():
            items = cast("Sequence[Any]", value)
            inner = otherwise.element if isinstance(otherwise, ListOf) else ANY
            kinds = {_type_of(item, inner) for item in items if item is not None}
            return ListOf(kinds.pop() if len(kinds) == 1 else inner)
        case Interval():
            ends = [end for end in (value.low, value.high) if end is not None]
            return IntervalOf(_type_of(ends[0], ANY) if ends else value.point or ANY)
        case CqlTuple():
            return TupleOf(tuple((name, _type_of(value[name], ANY)) for name in sorted(value)))
        case Mapping():
            name = cast("Mapping[str, Any]", value).get("resourceType")
            return Named("FHIR", name) if isinstance(name, str) else otherwise
        case _:
            return _SIMPLE.get(cast("type[object]", type(value)), otherwise)


def _is_open(kind: Type) -> bool:
    """Whether FHIR's type of the value is also that of another CQL type."""
    return kind in (LONG, QUANTITY) or (isinstance(kind, IntervalOf) and kind.point in (*_NUMERIC, DATE, TIME))


__all__ = ["EVALUATION_ERROR", "ElementsOf", "cql_parameters"]
