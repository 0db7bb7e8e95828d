"""Plain-dict FHIR: the small shapes that every builder shares (Coding, CodeableConcept, Extension, Narrative).

Resources are plain dicts because validating models cost milliseconds where a dict costs microseconds; the
dicts are held to fhir.resources and to the DEQM constraint tables in the tests.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from html import escape
from typing import Any, Final
from uuid import UUID, uuid5

Resource = dict[str, Any]
JsonMapping = Mapping[str, Any]

# Root of every id we mint: the same subject, measure, period and rate give the same id in every run.
_NAMESPACE = UUID("6f2ad2f6-8c0e-5d0a-9c83-0f9b8a3b5a51")

# FHIR R4 `string`: no control characters but tab, CR, LF; XML 1.0 and UTF-8 forbid lone surrogates,
# and XML forbids the two non-characters of the basic plane.
# Its pattern knows no other white space than the plain one: other kinds become a blank.
_OTHER_SPACE: Final = (0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
_CONTROL: Final = tuple(code for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\r\n\x85")
_REPLACED: Final[dict[int, str | None]] = {
    **dict.fromkeys((*_CONTROL, *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)),
    **dict.fromkeys(_OTHER_SPACE, " "),
}

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def clean(text: str) -> str:
    """`text` without the characters that FHIR's `string` and XHTML forbid; never empty (FHIR strings are not)."""
    if not text.isprintable():
        text = text.translate(_REPLACED)
    return text if text.strip() else "(no text)"


def escaped(text: str) -> str:
    """`text`, fit to stand in XHTML content or in a quoted attribute."""
    return escape(clean(text))


def words(day: date) -> str:
    """A date as a nurse in the US reads it, whatever the machine's locale: `Mar 4, 2026`."""
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"


def instant(moment: datetime) -> str:
    """FHIR `instant`. Raises ValueError for a moment without time zone: an instant must be one."""
    if moment.tzinfo is None:
        raise ValueError("an instant needs a time zone; give an aware datetime, e.g. datetime.now(UTC)")
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def stable_id(*parts: str) -> str:
    """A UUID that depends on `parts` only (uuid5), as a FHIR id."""
    # Length-prefixed, so that ("a", "bc") and ("ab", "c") differ.
    return str(uuid5(_NAMESPACE, "".join(f"{len(part)}:{part};" for part in parts)))


def coding(system: str, code: str, display: str | None = None) -> Resource:
    """A Coding; `display` only when known."""
    found: Resource = {"system": system, "code": code}
    if display:
        found["display"] = clean(display)
    return found


def concept(system: str, code: str, display: str | None = None, text: str | None = None) -> Resource:
    """A CodeableConcept of one coding."""
    found: Resource = {"coding": [coding(system, code, display)]}
    if text:
        found["text"] = clean(text)
    return found


def extension(url: str, **value: Any) -> Resource:
    """An Extension with one `value[x]` (give it by its JSON name, e.g. `valueDate=`)."""
    return {"url": url, **value}


def group_extension(url: str, parts: Iterable[Resource]) -> Resource:
    """An Extension made of nested extensions (`ext-1`: nested extensions or a value, never both)."""
    return {"url": url, "extension": list(parts)}


def narrative(body: str) -> Resource:
    """A generated Narrative; `body` is XHTML whose text has been through `escaped`."""
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>'}


def paragraphs(lines: Iterable[str]) -> str:
    """Each line as an escaped XHTML paragraph."""
    return "".join(f"<p>{escaped(line)}</p>" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    """The lines as an escaped XHTML list; nothing when there are none (an empty `ul` is not valid XHTML)."""
    items = "".join(f"<li>{escaped(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""
