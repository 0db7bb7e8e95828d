"""HL7's CQL test runner (https://github.com/cqframework/cql-tests-runner), its rules in Python: what it posts to
`$cql`, how it reads the answer back into plain values, and when it counts a test as passed.

Its rules, not its code: answers are read by their value[x] key; numbers agree within 10^-8, texts and date-times
exactly, as they are written; an interval by its ends after open ends have been closed; an expression that is meant to
be invalid passes if the answer is an error (a status beyond 2xx, or a parameter called `evaluation error`).

One thing is read that the runner (July 2026) does not read yet: the extensions time-precision and time-hasOffset, with
which the mapping (Conformance Requirement 4.3) says that a FHIR dateTime or time stands for a CQL value with fewer
components, or without an offset. `as_the_runner_does` leaves them unread.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cql_like import CqlTuple, Date, DateTime, Interval, Long, Quantity, Time, Uncertainty
from cql_like.runtime.values import Code, Concept, Ratio

EXTENSIONS = "http://hl7.org/fhir/StructureDefinition/"
STEP = Decimal("0.00000001")
NUMERIC_INTERVAL = re.compile(r"(?:List<)?Interval<(?:System\.)?(Integer|Long|Decimal)>>?")


def request_body(expression: str) -> dict[str, Any]:
    """What the runner posts."""
    return {"resourceType": "Parameters", "parameter": [{"name": "expression", "valueString": expression}]}


def is_error(status: int, body: Mapping[str, Any]) -> bool:
    """Whether the runner counts an answer as an error."""
    return not 200 <= status < 300 or any(each["name"] == "evaluation error" for each in body.get("parameter", ()))


@dataclass(frozen=True)
class Ends:
    """An interval as the runner reads it; `step` is the distance of two points."""

    low: Any
    high: Any
    low_closed: bool
    high_closed: bool
    step: Decimal = STEP


# ---------------------------------------------------------------------------------------------------- the answer


def read_answer(body: Mapping[str, Any], expected: Any, *, as_the_runner_does: bool = False) -> Any:
    """The value that an answer stands for. One entry is a list of one where a list is expected."""
    entries = _without_time_extensions(body["parameter"]) if as_the_runner_does else body["parameter"]
    return _read_entries(entries, isinstance(expected, list) and bool(expected))


def _without_time_extensions(found: Any) -> Any:
    if isinstance(found, list):
        return [_without_time_extensions(each) for each in found]
    if not isinstance(found, dict):
        return found
    kept = {name: _without_time_extensions(value) for name, value in found.items()}
    if "extension" in kept:
        kept["extension"] = [each for each in kept["extension"] if "/time-" not in each.get("url", "")]
    return kept


def _read_entries(entries: Sequence[Mapping[str, Any]], list_expected: bool) -> Any:
    by_name: dict[str, list[Any]] = {}
    for entry in entries:
        by_name.setdefault(entry["name"], []).append(_read_entry(entry))
    values = {
        name: found[0] if len(found) == 1 and not (list_expected and name in ("return", "element")) else found
        for name, found in by_name.items()
    }
    return next(iter(values.values())) if set(values) <= {"return", "element"} else values


def _read_entry(entry: Mapping[str, Any]) -> Any:
    if "part" in entry:
        return _read_entries(entry["part"], all(part["name"] == "element" for part in entry["part"]))
    for companion in (value for key, value in entry.items() if key.startswith("_value")):
        for marker in companion.get("extension", ()):
            match marker["url"].removeprefix(EXTENSIONS):
                case "data-absent-reason":
                    return None
                case "cqf-isEmptyList":
                    return []
                case "cqf-isEmptyTuple":
                    return {}
    key = next(key for key in entry if key.startswith("value"))
    value, declared = entry[key], _declared(entry)
    match key:
        case "valueDate":
            return f"@{value}"
        case "valueDateTime":
            return _datetime(value, entry.get("_valueDateTime"))
        case "valueTime":
            return f"@T{_cut(value, entry.get('_valueTime'))}"
        case "valueQuantity":
            return _quantity(value)
        case "valueRatio":
            return {name: _quantity(value[name]) for name in ("numerator", "denominator")}
        case "valuePeriod":
            point = re.search(r"Interval<(System\.\w+)>", declared)
            read = _PERIOD_READERS.get(point[1] if point else "", _datetime)
            low, high = (
                read(value[name], value.get(f"_{name}")) if name in value else None for name in ("start", "end")
            )
            return Ends(low, high, low is not None, high is not None)
        case "valueRange":
            return _range(value, declared)
        case "valueCodeableConcept":
            return {"codes": value["coding"]} | ({"display": value["text"]} if "text" in value else {})
        case _:
            return value


def _declared(entry: Mapping[str, Any]) -> str:
    found = [each["valueString"] for each in entry.get("extension", ()) if each["url"].endswith("cqf-cqlType")]
    return found[0] if found else ""


OFFSET = re.compile(r"(?:Z|[+-]\d\d:\d\d)$")


def _date(text: str, companion: Mapping[str, Any] | None) -> str:
    return f"@{text}"


def _datetime(text: str, companion: Mapping[str, Any] | None) -> str:
    return f"@{text}T" if len(text) <= 10 else f"@{_cut(text, companion)}"


def _time(text: str, companion: Mapping[str, Any] | None) -> str:
    return "@T" + OFFSET.sub("", _cut(text, companion).partition("T")[2])


def _cut(text: str, companion: Mapping[str, Any] | None) -> str:
    """A time without what the extensions beside it say was not given."""
    said = {each["url"].removeprefix(EXTENSIONS): each for each in (companion or {}).get("extension", ())}
    offset = OFFSET.search(text)
    text = OFFSET.sub("", text)
    if "time-precision" in said:
        count = 1 if said["time-precision"]["valueCode"] == "hour" else 2
        text = ":".join(text.split(":")[:count])
    return text if "time-hasOffset" in said or offset is None else text + offset[0]


_PERIOD_READERS = {"System.Time": _time, "System.Date": _date}


def _quantity(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"value": value["value"], "unit": value.get("code")}


def _range(value: Mapping[str, Any], declared: str) -> Ends:
    match = NUMERIC_INTERVAL.fullmatch(declared)
    low, high = (value.get(name) for name in ("low", "high"))
    if match is None:
        ends = [None if end is None else _quantity(end) for end in (low, high)]
        return Ends(ends[0], ends[1], low is not None, high is not None)
    step = STEP if match[1] == "Decimal" else Decimal(1)
    precisions = [each["valueInteger"] for end in (low, high) if end for each in end.get("extension", ())]
    if match[1] == "Decimal" and precisions:
        step = Decimal(1).scaleb(-precisions[0])
    ends = [None if end is None else end["value"] for end in (low, high)]
    return Ends(ends[0], ends[1], low is not None, high is not None, step)


# -------------------------------------------------------------------------------------------------- what is expected


def plain(value: Any) -> Any:
    """An expected CQL value as the runner's reader of CQL literals has it: date-times as texts, numbers as numbers."""
    match value:
        case Date():
            return f"@{value}"
        case DateTime():
            return f"@{value}" if value.count > 3 else f"@{str(value).removesuffix('T')}T"
        case Time():
            return f"@T{value}"
        case Quantity():
            return {"value": value.value, "unit": value.unit}
        case Ratio():
            return {"numerator": plain(value.numerator), "denominator": plain(value.denominator)}
        case Interval():
            return Ends(plain(value.low), plain(value.high), value.low_closed, value.high_closed)
        case Uncertainty():
            return Ends(plain(value.low), plain(value.high), True, True)
        case Code():
            named = (
                ("code", value.code),
                ("system", value.system),
                ("version", value.version),
                ("display", value.display),
            )
            return {name: text for name, text in named if text is not None}
        case Concept():
            codes = [plain(code) for code in value.codes]
            return {"codes": codes} | ({"display": value.display} if value.display else {})
        case CqlTuple():
            return {name: plain(value[name]) for name in value}
        case list() | tuple():
            return [plain(item) for item in value]
        case Long():
            return Long(value)
        case _:
            return value


def same(expected: Any, actual: Any) -> bool:
    """Whether the runner counts the value read from the answer as the one that is expected."""
    if isinstance(expected, Ends) and isinstance(actual, Ends):
        return _same_ends(expected, actual)
    if isinstance(expected, Long):
        return str(actual) == str(int(expected))
    if _is_number(expected):
        return _is_number(actual) and abs(float(actual) - float(expected)) < STEP  # JavaScript's numbers
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(same(expected[name], actual[name]) for name in expected)
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(same, expected, actual))
    return type(expected) is type(actual) and bool(expected == actual)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _same_ends(expected: Ends, actual: Ends) -> bool:
    pairs = (
        (expected.low, expected.low_closed, actual.low, actual.low_closed, actual.step),
        (expected.high, expected.high_closed, actual.high, actual.high_closed, -actual.step),
    )
    return all(_same_end(*pair) for pair in pairs)


def _same_end(expected: Any, expected_closed: bool, actual: Any, actual_closed: bool, step: Decimal) -> bool:
    if expected is None or actual is None:
        return expected is actual and expected_closed == actual_closed
    if isinstance(expected, dict) and isinstance(actual, dict):
        if expected.get("unit") != actual.get("unit"):
            return False
        expected, actual = expected["value"], actual["value"]
    if not (_is_number(expected) and _is_number(actual)):
        return expected_closed == actual_closed and expected == actual
    closed = Decimal(str(int(expected) if isinstance(expected, Long) else expected))
    if not expected_closed:
        closed += step
    return abs(closed - Decimal(str(actual))) < abs(step) / 2
