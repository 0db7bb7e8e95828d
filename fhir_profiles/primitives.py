"""FHIR R4 primitive types: which JSON values they take. Source: FHIR R4 Data Types, primitive types table."""

import re
from typing import Any, Final

_DATE = r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?"
_TIME = r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"
_ZONE = r"(Z|[+-]((0\d|1[0-3]):[0-5]\d|14:00))"

_PATTERNS: Final = {
    "base64Binary": re.compile(r"(\s*([0-9a-zA-Z+/=]){4}\s*)+"),
    "canonical": re.compile(r"\S+"),
    "code": re.compile(r"[^\s]+(\s[^\s]+)*"),
    "date": re.compile(_DATE),
    "dateTime": re.compile(rf"\d{{4}}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])(T{_TIME}{_ZONE})?)?)?"),
    "id": re.compile(r"[A-Za-z0-9\-.]{1,64}"),
    "instant": re.compile(rf"\d{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T{_TIME}{_ZONE}"),
    "markdown": re.compile(r"\s*(\S|\s)*"),
    "oid": re.compile(r"urn:oid:[0-2](\.(0|[1-9]\d*))+"),
    "string": re.compile(r"[ \r\n\t\S]+"),
    "time": re.compile(_TIME),
    "uri": re.compile(r"\S+"),
    "url": re.compile(r"\S+"),
    "uuid": re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    # A div in the XHTML name space; txt-1 forbids active content.
    "xhtml": re.compile(
        r'<div xmlns="http://www\.w3\.org/1999/xhtml"[^>]*>(?!.*<(script|form|iframe|object)\b).+</div>', re.S
    ),
}

_LEAST: Final = {"integer": -(2**31), "unsignedInt": 0, "positiveInt": 1}

PRIMITIVE_TYPES: Final = frozenset((*_PATTERNS, *_LEAST, "boolean", "decimal"))


def primitive_problem(code: str, value: Any) -> str | None:
    """What is wrong with `value` as a primitive of type `code`, without repeating it; None when nothing is."""
    if code == "boolean":
        return None if isinstance(value, bool) else "expected true or false"
    if code == "decimal":
        return None if isinstance(value, (int, float)) and not isinstance(value, bool) else "expected a number"
    if code in _LEAST:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return None if whole and _LEAST[code] <= value < 2**31 else f"expected a whole number of type {code}"
    pattern = _PATTERNS.get(code)
    if pattern is None:
        return f"no primitive type {code!r} in FHIR R4"
    if not isinstance(value, str):
        return f"expected a JSON string ({code})"
    return None if pattern.fullmatch(value) else f"not a valid {code}"
