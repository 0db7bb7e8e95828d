"""EHR products as data: one TOML file each, with the source and date of what it says. Adding one touches no code."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

Strategy = Literal["type", "patient"]
_FOLDER = Path(__file__).parent
_KINDS: Mapping[str, type | tuple[type, ...]] = MappingProxyType(
    {
        "product": str,
        "source": str,
        "date": date,
        "notes": list,
        "strategy": str,
        "page_size": int,
        "supports_last_updated": bool,
        "supports_include": bool,
        "client_id_header": str,
        "headers": dict,
        "retry_statuses": list,
        "retry_bare_400": bool,
        "expired_page_codes": list,
        "outcome_codes": dict,
        "search_parameters": dict,
    }
)
_NEEDED = ("product", "source", "date")


@dataclass(frozen=True, slots=True)
class Vendor:
    """What one EHR product does its own way. `source` and `date`: where that is written, and as of when."""

    name: str
    product: str
    source: str
    date: date
    notes: tuple[str, ...] = ()
    strategy: Strategy = "type"
    page_size: int = 200
    supports_last_updated: bool = True
    supports_include: bool = True
    client_id_header: str | None = None  # a header that must carry the client's id
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    retry_statuses: frozenset[int] = frozenset()  # beyond those of adapters.http.RetryPolicy
    retry_bare_400: bool = False
    expired_page_codes: frozenset[str] = frozenset()  # OperationOutcome codes for a page that is gone
    outcome_codes: Mapping[str, str] = field(default_factory=dict[str, str])  # code -> what it means
    # resource type -> search parameters without which the server refuses the search
    search_parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])


def vendor_names() -> tuple[str, ...]:
    """The vendors there are files for, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def load_vendor(name: str) -> Vendor:
    """A vendor by name.

    Raises:
        ValueError: there is no such vendor; the nearest name is suggested.
    """
    if name not in vendor_names():
        raise ValueError(f"no vendor {name!r}{_suggestion(name, vendor_names())}")
    return read_vendor(name, (_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def read_vendor(name: str, text: str) -> Vendor:
    """A vendor from TOML text.

    Raises:
        ValueError: not TOML, an unknown or missing key, or a value of the wrong kind; the message says which.
    """
    where = f"vendor {name}"
    try:
        rows = tomllib.loads(text)
    except tomllib.TOMLDecodeError as bad:
        raise ValueError(f"{where}: not TOML: {bad}") from bad
    for key, value in rows.items():
        kind = _KINDS.get(key)
        if kind is None:
            raise ValueError(f"{where}: unknown key {key!r}{_suggestion(key, tuple(_KINDS))}")
        if not isinstance(value, kind) or (kind is int and (isinstance(value, bool) or value < 1)):
            raise ValueError(f"{where}: {key} must be {_wanted(kind)}, not {value!r}")
    missing = [key for key in _NEEDED if not rows.get(key)]
    if missing:
        raise ValueError(f"{where}: {', '.join(missing)} must be given: every quirk needs its source and date")
    if rows.get("strategy", "type") not in ("type", "patient"):
        raise ValueError(f"{where}: strategy must be 'type' or 'patient', not {rows['strategy']!r}")
    values: dict[str, Any] = dict(rows)
    for key in ("retry_statuses", "expired_page_codes"):
        if key in values:
            values[key] = frozenset(values[key])
    if "notes" in values:
        values["notes"] = tuple(values["notes"])
    for key in ("headers", "outcome_codes", "search_parameters"):
        if key in values:
            values[key] = MappingProxyType(values[key])
    return Vendor(name=name, **values)


def _suggestion(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"


def _wanted(kind: type | tuple[type, ...]) -> str:
    names = {str: "text", int: "a whole number above 0", bool: "true or false", list: "a list", dict: "a table"}
    return names.get(kind, "a date (2026-11-22)") if isinstance(kind, type) else "a value"
