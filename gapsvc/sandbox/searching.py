"""FHIR R4 search over an archive: parameters are read strictly, then matched (R4 §3.1.1, search.html).

What is supported is in PARAMETERS; the CapabilityStatement and _include are made from the same table. A parameter
that is not there is a mistake of the caller and says so; nothing is ignored in silence.
A date without an offset is taken in the server's own time, Los Angeles.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from gapsvc.sandbox.archive import Archive, JsonObject, Shelf
from gapsvc.sandbox.days import pacific_offset

LARGEST_PAGE = 1000
Span = tuple[float, float]  # epoch seconds, from and to (not included)


class SearchError(ValueError):
    """The search is not understood. `parameter` names the culprit."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class Parameter:
    kind: str  # reference | token | date | string
    path: str  # elements, separated by dots; lists are walked through


def _of(kind: str, **paths: str) -> dict[str, Parameter]:
    return {name.replace("_", "-"): Parameter(kind, path) for name, path in paths.items()}


_SUBJECT = _of("reference", patient="subject", subject="subject")
PARAMETERS: Mapping[str, Mapping[str, Parameter]] = MappingProxyType(
    {
        "Organization": _of("token", identifier="identifier")
        | _of("string", name="name")
        | _of("reference", partof="partOf"),
        "Location": _of("string", name="name") | _of("reference", organization="managingOrganization"),
        "Practitioner": _of("token", identifier="identifier") | _of("string", name="name"),
        "PractitionerRole": _of(
            "reference", practitioner="practitioner", organization="organization", location="location"
        ),
        "Patient": _of("token", identifier="identifier", gender="gender")
        | _of("string", name="name", family="name.family", given="name.given")
        | _of("date", birthdate="birthDate")
        | _of(
            "reference",
            organization="managingOrganization",
            general_practitioner="generalPractitioner",
            link="link.other",
        ),
        "RelatedPerson": _of("token", identifier="identifier") | _of("reference", patient="patient"),
        "Coverage": _of("token", identifier="identifier", status="status")
        | _of("reference", patient="beneficiary", beneficiary="beneficiary", payor="payor"),
        "Claim": _of("token", identifier="identifier", status="status", use="use")
        | _of("date", created="created")
        | _of("reference", patient="patient", provider="provider"),
        "Encounter": _SUBJECT
        | _of("token", identifier="identifier", status="status", type="type.coding")
        | _of("token", **{"class": "class"})
        | _of("date", date="period")
        | _of(
            "reference",
            location="location.location",
            participant="participant.individual",
            practitioner="participant.individual",
            service_provider="serviceProvider",
            diagnosis="diagnosis.condition",
        ),
        "Condition": _SUBJECT
        | _of("token", code="code.coding", category="category.coding")
        | _of("date", recorded_date="recordedDate")
        | _of("reference", encounter="encounter"),
        "Procedure": _SUBJECT
        | _of("token", code="code.coding", status="status")
        | _of("date", date="performedDateTime")
        | _of("reference", encounter="encounter"),
        "Observation": _SUBJECT
        | _of("token", code="code.coding", category="category.coding", status="status")
        | _of("date", date="effectiveDateTime")
        | _of("reference", encounter="encounter"),
        "Immunization": _of("reference", patient="patient", location="location", performer="performer.actor")
        | _of("token", status="status", vaccine_code="vaccineCode.coding")
        | _of("date", date="occurrenceDateTime"),
        "AllergyIntolerance": _of("reference", patient="patient") | _of("token", code="code.coding"),
        "Group": _of("reference", member="member.entity", managing_entity="managingEntity") | _of("token", type="type"),
    }
)
# What any type takes beside its own.
_COMMON = ("_id", "_lastUpdated")
RESULT = ("_count", "_include", "_total", "_sort", "_format")


@dataclass(frozen=True, slots=True)
class Include:
    path: str
    target: str | None


@dataclass(frozen=True, slots=True)
class Search:
    """A search that is understood. `filters` are the parameters as given; `count` is the page size."""

    resource_type: str
    filters: tuple[tuple[str, str], ...]
    count: int
    includes: tuple[Include, ...]
    total: bool
    unsorted: bool  # _sort was asked for; it is not done


def read_search(resource_type: str, query: Iterable[tuple[str, str]], page_size: int) -> Search:
    """The search that a query string asks for.

    Raises:
        SearchError: a parameter is unknown, or its value is.
    """
    known = PARAMETERS.get(resource_type, {})
    filters: list[tuple[str, str]] = []
    includes: list[Include] = []
    count, total, unsorted = page_size, True, False
    for name, value in query:
        if name == "_count":
            if not value.isascii() or not value.isdigit():
                raise SearchError(name, f"_count must be a whole number from 0; it is {value!r}")
            count = min(int(value), LARGEST_PAGE)
        elif name == "_total":
            if value not in ("none", "estimate", "accurate"):
                raise SearchError(name, "_total must be none, estimate or accurate")
            total = value != "none"
        elif name == "_sort":
            unsorted = True
        elif name == "_format":
            if value not in ("json", "application/json", "application/fhir+json"):
                raise SearchError(name, "_format must be json: this server speaks nothing else")
        elif name == "_include":
            includes.append(_include(resource_type, value))
        elif name in known or name in _COMMON:
            _check(name, value, known.get(name))
            filters.append((name, value))
        else:
            near = get_close_matches(name, [*known, *_COMMON, *RESULT], n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join([*known, *_COMMON, *RESULT])}"
            raise SearchError(name, f"{resource_type} has no search parameter {name!r}; {hint}")
    return Search(resource_type, tuple(filters), count, tuple(includes), total, unsorted)


def _include(resource_type: str, value: str) -> Include:
    source, _, rest = value.partition(":")
    name, _, target = rest.partition(":")
    found = PARAMETERS.get(source, {}).get(name)
    if source != resource_type or found is None or found.kind != "reference":
        able = [f"{resource_type}:{n}" for n, p in PARAMETERS.get(resource_type, {}).items() if p.kind == "reference"]
        raise SearchError("_include", f"_include {value!r} is not known here; known: {', '.join(able) or 'none'}")
    return Include(found.path, target or None)


def _check(name: str, value: str, parameter: Parameter | None) -> None:
    if not value:
        raise SearchError(name, f"{name} needs a value")
    if name == "_lastUpdated" or (parameter and parameter.kind == "date"):
        for part in _parts(value):
            _dated(name, part)


def positions(archive: Archive, search: Search) -> list[int]:
    """Where the matches stand on their shelf, in its order."""
    shelf = archive.shelves.get(search.resource_type)
    if shelf is None:
        return []
    known = PARAMETERS.get(search.resource_type, {})
    found: Iterable[int] = range(len(shelf.bodies))
    slow: list[Callable[[JsonObject], bool]] = []
    for name, value in search.filters:
        parts = _parts(value)
        if name == "_id":
            wanted = {shelf.by_id[part] for part in parts if part in shelf.by_id}
            found = [at for at in found if at in wanted]
        elif name == "_lastUpdated":
            tests = [_dated(name, part) for part in parts]
            found = [at for at in found if any(test(_second(shelf.updated[at])) for test in tests)]
        elif name in ("patient", "subject", "beneficiary"):
            found = _among(found, shelf.by_patient, [_reference_id(part, "Patient") for part in parts])
        else:
            if name == "identifier":  # narrows; the system is checked below
                found = _among(found, shelf.by_identifier, [part.rpartition("|")[2] for part in parts])
            slow.append(_matcher(known[name], name, parts))
    if not slow:
        return list(found)
    return [at for at in found if _all(slow, shelf, at)]


def _all(tests: Sequence[Callable[[JsonObject], bool]], shelf: Shelf, at: int) -> bool:
    resource = shelf.parsed(at)
    return all(test(resource) for test in tests)


def _among(found: Iterable[int], index: Mapping[str, list[int]], keys: Iterable[str]) -> list[int]:
    wanted = sorted({at for key in keys for at in index.get(key, ())})
    if isinstance(found, range):
        return wanted
    held = set(found)
    return [at for at in wanted if at in held]


def included(archive: Archive, search: Search, bodies: Iterable[JsonObject]) -> list[tuple[str, str]]:
    """(type, id) of what _include adds to a page, once each, in order of mention."""
    found: dict[tuple[str, str], None] = {}
    for resource in bodies:
        for include in search.includes:
            for target in walk(resource, include.path):
                mention = target.get("reference", "") if isinstance(target, dict) else ""
                kind, _, ident = mention.rpartition("/")
                kind = kind.rpartition("/")[2]
                if include.target in (None, kind) and archive.find(kind, ident) is not None:
                    found[(kind, ident)] = None
    return list(found)


def walk(node: Any, path: str) -> Iterator[Any]:
    """The values at a dotted path, through lists."""
    head, _, rest = path.partition(".")
    value = node.get(head) if isinstance(node, dict) else None
    for item in value if isinstance(value, list) else [] if value is None else [value]:
        if rest:
            yield from walk(item, rest)
        else:
            yield item


def _matcher(parameter: Parameter, name: str, parts: Sequence[str]) -> Callable[[JsonObject], bool]:
    path = parameter.path
    if parameter.kind == "date":
        tests = [_dated(name, part) for part in parts]
        return lambda r: any(test(span) for span in map(_span_of, walk(r, path)) if span for test in tests)
    if parameter.kind == "token":
        tokens = [_token(part) for part in parts]
        return lambda r: any(token(value) for value in walk(r, path) for token in tokens)
    if parameter.kind == "reference":
        ends = [part.rpartition("/")[2] for part in parts]
        kinds = [part.rpartition("/")[0].rpartition("/")[2] for part in parts]
        return lambda r: any(
            _refers(value, kind, ident) for value in walk(r, path) for kind, ident in zip(kinds, ends, strict=True)
        )
    wanted = [_plain(part) for part in parts]
    return lambda r: any(
        text.startswith(start) for value in walk(r, path) for text in _texts(value) for start in wanted
    )


def _refers(value: Any, kind: str, ident: str) -> bool:
    mention = value.get("reference", "") if isinstance(value, dict) else ""
    mentioned_kind, _, mentioned = mention.rpartition("/")
    return mentioned == ident and kind in ("", mentioned_kind.rpartition("/")[2])


def _token(part: str) -> Callable[[Any], bool]:
    system, bar, code = part.rpartition("|")

    def matches(value: Any) -> bool:
        if isinstance(value, dict):
            held_system, held = value.get("system"), value.get("code", value.get("value"))
        else:
            held_system, held = None, value
        return (not code or held == code) and (not bar or (held_system or "") == system)

    return matches


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield _plain(value)
    elif isinstance(value, dict):  # a HumanName
        for name in ("family", "given", "text"):
            for text in walk(value, name):
                yield from _texts(text)


def _plain(text: str) -> str:
    """Without case and accents, as string search wants."""
    spread = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in spread if not unicodedata.combining(letter))


def _reference_id(part: str, kind: str) -> str:
    head, _, ident = part.rpartition("/")
    return ident if not head or head.rpartition("/")[2] == kind else ""


def _parts(value: str) -> list[str]:
    """The alternatives of a value: split at commas that are not escaped."""
    return [re.sub(r"\\([,|$\\])", r"\1", part) for part in re.split(r"(?<!\\),", value)]


# -- dates ---------------------------------------------------------------------------------------------------------

_COMPARE: Mapping[str, Callable[[Span, Span], bool]] = MappingProxyType(
    {  # (of the parameter, of the resource), R4 search.html#prefix
        "eq": lambda p, r: p[0] <= r[0] and r[1] <= p[1],
        "ne": lambda p, r: not (p[0] <= r[0] and r[1] <= p[1]),
        "gt": lambda p, r: r[1] > p[1],
        "lt": lambda p, r: r[0] < p[0],
        "ge": lambda p, r: r[1] > p[1] or (p[0] <= r[0] and r[1] <= p[1]),
        "le": lambda p, r: r[0] < p[0] or (p[0] <= r[0] and r[1] <= p[1]),
        "sa": lambda p, r: r[0] >= p[1],
        "eb": lambda p, r: r[1] <= p[0],
    }
)


def _dated(name: str, part: str) -> Callable[[Span], bool]:
    prefix, text = (part[:2], part[2:]) if part[:2].isalpha() else ("eq", part)
    compare = _COMPARE.get(prefix)
    span = _span(text)
    if compare is None or span is None:
        raise SearchError(
            name, f"{name} takes a date or instant with one of {', '.join(_COMPARE)} before it; it is {part!r}"
        )
    return lambda held: compare(span, held)


def _second(moment: float) -> Span:
    return moment, moment + 1


def _span_of(value: Any) -> Span | None:
    if isinstance(value, dict):  # a Period; an open end is open
        start, end = _span(value.get("start", "")), _span(value.get("end", ""))
        return (start[0] if start else float("-inf"), end[1] if end else float("inf"))
    return _span(value) if isinstance(value, str) else None


def _span(text: str) -> Span | None:
    """What a date, dateTime or instant covers; None where it is none of them."""
    try:
        if len(text) == 4:
            return _midnight(date(int(text), 1, 1)), _midnight(date(int(text) + 1, 1, 1))
        if len(text) == 7:
            year, month = int(text[:4]), int(text[5:])
            following = date(year + month // 12, month % 12 + 1, 1)
            return _midnight(date(year, month, 1)), _midnight(following)
        if len(text) == 10:
            day = date.fromisoformat(text)
            return _midnight(day), _midnight(day + timedelta(days=1))
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # a plus sign that was not encoded
        if moment.tzinfo is None:
            moment = datetime.fromisoformat(text + pacific_offset(moment.date()))
        length = 60 if len(text) == 16 else 1
        return moment.timestamp(), moment.timestamp() + length
    except (ValueError, OverflowError):
        return None


def _midnight(day: date) -> float:
    return datetime.fromisoformat(f"{day.isoformat()}T00:00:00{pacific_offset(day)}").timestamp()
