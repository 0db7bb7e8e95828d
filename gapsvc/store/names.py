"""Names as a search compares them: without case, accents and NULs (FHIR R4 search, string parameters)."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from gapsvc.records.references import objects

_SEPARATOR = "|"


def folded(text: str) -> str:
    """`text` without case and accents, so that "José" and "jose" are equal."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(kept.replace("\0", "").replace(_SEPARATOR, " ").split())


def folded_names(patient: Mapping[str, Any]) -> str:
    """Every part of every name, each after a separator: a search for `|jo` finds parts that start with "jo"."""
    parts: dict[str, None] = {}
    for name in objects(patient.get("name")):
        given = name.get("given")
        for part in (name.get("text"), name.get("family"), *(given if isinstance(given, list) else ())):
            if isinstance(part, str) and (found := folded(part)):
                parts[found] = None
    return "".join(_SEPARATOR + part for part in parts)


def starts_with(text: str) -> str:
    """The LIKE pattern (escape character `\\`) of names with a part that starts with `text`."""
    escaped = folded(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{_SEPARATOR}{escaped}%"
