"""`to_cql`: any value as a canonical CQL literal, which the parser reads back to an equal value (CQL Author's Guide
§Literals and selectors)."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, cast

from cql_like.runtime.comparison import is_list
from cql_like.runtime.errors import LimitExceeded
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
    format_datetime,
)

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPES = {"'": "\\'", "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}


def to_cql(value: object) -> str:
    """A CQL literal or selector: `2`, `'a'`, `@2024-01-01`, `Interval[1, 10]`, `{1, 2}`, `Tuple{a: 1}`, `5 'mg'`.

    Null is `null`, an uncertainty the interval of its values. A FHIR object is written as a selector of its elements,
    named for its type where the value knows it.

    Raises:
        LimitExceeded: the value is nested too deeply, or too large, to be written.
    """
    try:
        return _literal(value)
    except RecursionError:
        raise LimitExceeded("the value is nested too deeply to be written as CQL") from None


def _literal(value: object) -> str:
    if value is None:
        return "null"
    writer = _WRITERS.get(type(value))
    if writer is not None:
        return writer(value)
    if is_list(value):
        return _bounded("{" + ", ".join(map(_literal, cast("list[object]", value))) + "}")
    if isinstance(value, Mapping):
        return _object(cast("Mapping[str, object]", value))
    raise TypeError(f"{type(value).__name__} is not a CQL value")


_LONGEST = 20_000_000  # characters; a list that holds one list twice, and so on forty times over, would have 10^13


def _bounded(text: str) -> str:
    if len(text) > _LONGEST:
        raise LimitExceeded(f"the value is too large to be written as CQL: more than {_LONGEST} characters")
    return text


def quote(text: str, mark: str = "'") -> str:
    """A string (or, with `"`, a quoted identifier) with CQL's escapes."""
    escaped = "".join(
        ("\\" + mark if c == mark else c if c == "'" else _ESCAPES.get(c) or (c if c.isprintable() else _unicode(c)))
        for c in text
    )
    return f"{mark}{escaped}{mark}"


def _unicode(character: str) -> str:
    encoded = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{encoded[i]:02x}{encoded[i + 1]:02x}" for i in range(0, len(encoded), 2))


def number(value: Decimal) -> str:
    """A decimal without exponent, at least one digit behind the point."""
    text = format(value, "f")
    return text if "." in text else f"{text}.0"


def quantity(value: Quantity) -> str:
    """`5 'mg'`, `1 year`, `2 days`."""
    text = format(value.value, "f")
    unit = singular(value.unit)
    if unit in CALENDAR:
        return f"{text} {unit if value.value == 1 else unit + 's'}"
    return f"{text} {quote(value.unit)}"


def _name(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else quote(name, '"')


def _elements(elements: Mapping[str, object]) -> str:
    return ", ".join(f"{_name(name)}: {_literal(element)}" for name, element in elements.items())


def _tuple(value: CqlTuple) -> str:
    return _bounded("Tuple{" + (_elements(value) or ":") + "}")


def _object(value: Mapping[str, object]) -> str:
    kind = value.get("resourceType")
    rest = {name: element for name, element in value.items() if name != "resourceType"}
    return f"{_name(kind) if isinstance(kind, str) else 'Tuple'}{{{_elements(rest) or ':'}}}"


def _boxed(value: ModelValue) -> str:
    inner: object = value.value
    if isinstance(inner, Mapping):
        return f"{value.type}{{{_elements(cast('Mapping[str, object]', inner)) or ':'}}}"
    return _literal(inner)


def _interval(value: Interval) -> str:
    opening, closing = "[" if value.low_closed else "(", "]" if value.high_closed else ")"
    return f"Interval{opening}{_literal(value.low)}, {_literal(value.high)}{closing}"


def _uncertainty(value: Uncertainty) -> str:
    return f"Interval[{_literal(value.low)}, {_literal(value.high)}]"


def _selector(kind: str, **elements: object) -> str:
    return f"{kind}{{{_elements({name: element for name, element in elements.items() if element is not None}) or ':'}}}"


def _code(value: Code) -> str:
    return _selector("Code", code=value.code, system=value.system, version=value.version, display=value.display)


def _concept(value: Concept) -> str:
    return _selector("Concept", codes=list(value.codes), display=value.display)


def _vocabulary(value: Any) -> str:
    return _selector(type(value).__name__, id=value.id, version=value.version, name=value.name)


_WRITERS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    int: str,
    Long: lambda value: f"{int(value)}L",
    float: lambda value: number(Decimal(repr(value))),
    Decimal: number,
    str: quote,
    Date: lambda value: f"@{value}",
    DateTime: lambda value: f"@{format_datetime(value)}",
    Time: lambda value: f"@T{value}",
    Quantity: quantity,
    Ratio: lambda value: f"{quantity(value.numerator)}:{quantity(value.denominator)}",
    Interval: _interval,
    Uncertainty: _uncertainty,
    CqlTuple: _tuple,
    Code: _code,
    Concept: _concept,
    ValueSet: _vocabulary,
    CodeSystem: _vocabulary,
    ModelValue: _boxed,
}
