"""One resource as an EHR wrote it -> one usable R4 resource with the repairs named, or the reason why not.

Never a whole record lost to one field: what is known (adapters.deviations) is repaired, an element that can't be
read is dropped alone, and only a resource that nothing could refer to (no type, no usable id) is kept aside.
Pure. A clean resource, the usual case, is recognised in one walk (about 4 µs) and handed on untouched.
"""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, cast

import orjson

from adapters.base import Fetched, JsonObject, Rejected
from adapters.dates import USUAL_DATE, USUAL_DATETIME, Kind, is_fhir, read_date
from adapters.deviations import (
    ACT_CODE,
    BOOLEAN_NAMES,
    CVX,
    DATE_NAMES,
    DATETIME_NAMES,
    ICD10CM,
    NO_SHAPES,
    R5_ENCOUNTER_STATUS,
    REFERENCE_TARGETS,
    SHAPES,
    SPELLED_NAMES,
    SYSTEM_ALIASES,
    SYSTEM_CANONICALS,
    TEXT_NAMES,
    TEXT_VALUE_PARENTS,
    TRIMMED_NAMES,
    USUAL_CODES,
    Shape,
)

MAX_DEPTH = 64  # no R4 resource comes near it; orjson itself stops writing at 254

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z", re.ASCII)
_TYPE = re.compile(r"[A-Z][A-Za-z]{2,63}\Z", re.ASCII)
_LOCAL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(/_history/[A-Za-z0-9\-.]+)?\Z", re.ASCII)
_ELEMENT = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}\Z", re.ASCII)
_LONE_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_CODE_SEPARATORS = re.compile(r"[\s_-]+")
_NO_TARGETS: Mapping[str, str] = MappingProxyType({})


def repair(
    raw: bytes | JsonObject,
    expected_type: str | None,
    origin: str,
    *,
    base_url: str | None = None,
    targets: Mapping[str, str] = _NO_TARGETS,
) -> Fetched | Rejected:
    """One resource (JSON bytes, or already parsed) repaired, with the repairs as `code:Type.element`.

    Args:
        raw: the resource; a dict is never changed, and returned itself where nothing had to be repaired.
        expected_type: the only resource type that is acceptable here; None takes any.
        origin: where it was read, for people (`FILE:LINE`, or a URL without its query values).
        base_url: the server's own base: absolute references to it become relative.
        targets: `urn:uuid:...` (Bundle.entry.fullUrl) -> `Type/id`.

    Never raises for any JSON value; the codes are those of adapters.deviations.
    """
    resource: Any
    encoding: tuple[str, ...] = ()
    if isinstance(raw, dict):
        resource = raw
    else:
        try:
            resource, is_utf8 = read_json(raw)
        except orjson.JSONDecodeError:
            return Rejected(origin, "not-json", _not_json(raw), raw)
        encoding = () if is_utf8 else ("text-encoding",)
    if not isinstance(resource, dict):
        return Rejected(origin, "not-an-object", "expected one FHIR resource: a JSON object", _raw(raw, resource))
    resource = cast(JsonObject, resource)
    try:
        if _clean_resource(resource) and (expected_type is None or resource["resourceType"] == expected_type):
            return Fetched(resource, origin, encoding)
        result = _repaired(raw, resource, expected_type, origin, base_url, targets)
    except RecursionError:
        reason = f"nested more than {MAX_DEPTH} levels deep; no FHIR resource is"
        return Rejected(origin, "too-deep", reason, _raw(raw, resource))
    if encoding and isinstance(result, Fetched):
        return Fetched(result.resource, origin, encoding + result.repairs)
    return result


def read_json(raw: bytes) -> tuple[Any, bool]:
    """JSON text -> (value, whether it was proper JSON in UTF-8).

    What EHRs write beside that is read too: Windows-1252, line breaks inside texts, halves of surrogate pairs (from
    texts cut to a length), NaN (becomes null).

    Raises:
        orjson.JSONDecodeError: it is no JSON even so, e.g. cut short.
    """
    try:
        return orjson.loads(raw), True
    except orjson.JSONDecodeError:
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = raw.decode("cp1252", "replace")
        text = _LONE_SURROGATE.sub(r"\\ufffd", text)
        try:
            return json.loads(text, strict=False, parse_constant=_nothing, parse_int=_integer), False
        except (ValueError, RecursionError):
            pass
        raise


def _nothing(_: str) -> None:
    return None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 19 else float(digits)  # as orjson: what 64 bits can't hold is a float


_WRITTEN_SYSTEMS = frozenset({CVX, ICD10CM})  # whose codes vendors write in a way of their own

# --- the fast path: is there anything to do? ---------------------------------------------------------------------


_KINDS: tuple[tuple[frozenset[str], Kind], ...] = ((DATE_NAMES, "date"), (DATETIME_NAMES, "dateTime"))
_DATE_KINDS: Mapping[str, Kind] = MappingProxyType({name: kind for names, kind in _KINDS for name in names})
# A first look at a text, by the element's name: a C-level test that knows the usual clean values and gives nothing
# true for the rest, which get a second look. (Python-level tests here would double the time of the walk.)
_FIRST_LOOK: Callable[[str], Callable[[str], Any] | None] = (
    dict.fromkeys(TRIMMED_NAMES, re.compile(r"\S+\Z").match)
    | dict.fromkeys(SPELLED_NAMES, USUAL_CODES.__contains__)
    | dict.fromkeys(DATE_NAMES, USUAL_DATE.match)
    | dict.fromkeys(DATETIME_NAMES, USUAL_DATETIME.match)
    | dict.fromkeys(BOOLEAN_NAMES, frozenset[str]().__contains__)
    | {
        "reference": re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]+\Z").match,
        "system": dict.fromkeys(SYSTEM_CANONICALS - _WRITTEN_SYSTEMS, True).get,
    }
).get


def _second_look(key: str, value: str, element: JsonObject) -> bool:
    """Whether a text that the first look did not know is clean all the same."""
    kind = _DATE_KINDS.get(key)
    if kind is not None:
        return is_fhir(value, kind)
    if key in BOOLEAN_NAMES or not value or value.strip() != value:
        return False
    if key in SPELLED_NAMES:
        return _spelled(value) == value
    if key == "reference":
        return ":" not in value and "/_history/" not in value
    if key != "system":
        return True
    code = element.get("code")
    return value not in SYSTEM_ALIASES and (
        value not in _WRITTEN_SYSTEMS or not isinstance(code, str) or _system_code(value, code) == code
    )


# Names under which a number can only be a date or a text that lost its quotes (`start`, `date`, ... can be more).
_NUMBER_NAMES = TEXT_NAMES | {name for name in _DATE_KINDS if name.endswith(("Date", "DateTime"))}
_PYTHON: Mapping[Shape, type] = MappingProxyType({"object": dict, "list": list, "text": str, "boolean": bool})
# The same per resource type, as (element, default) -> Python type.
_SHAPE_OF: Mapping[str, Callable[[str, type], type]] = MappingProxyType(
    {name: {key: _PYTHON[shape] for key, shape in rows.items()}.get for name, rows in SHAPES.items()}
)


def _clean_resource(resource: JsonObject) -> bool:
    name = resource.get("resourceType")
    identity = resource.get("id")
    if type(name) is not str or type(identity) is not str or not _ID.match(identity) or not _TYPE.match(name):
        return False
    shape = _SHAPE_OF.get(name)
    if shape is not None:
        for key, value in resource.items():
            if shape(key, type(value)) is not type(value):  # pyright: ignore[reportUnknownArgumentType]
                return False
    if name == "Encounter" and (
        "actualPeriod" in resource
        or resource.get("status") in R5_ENCOUNTER_STATUS
        or "coding" in resource.get("class", ())
    ):
        return False
    return _clean(resource, MAX_DEPTH, "")


def _clean(element: JsonObject, depth: int, parent: str) -> bool:
    if not depth:
        raise RecursionError
    for key, value in element.items():
        kind = type(value)  # pyright: ignore[reportUnknownVariableType]
        if kind is str:
            look = _FIRST_LOOK(key)
            if look is None:
                if not value:
                    return False
            elif not look(value) and not _second_look(key, value, element):
                return False
        elif kind is dict:
            if not value or key == "coding" or not _clean(value, depth - 1, key):
                return False
        elif kind is list:
            if not value:
                return False
            for item in value:
                if type(item) is dict:
                    # pyright would have a cast; at run time each costs as much as a dict lookup
                    if not item or not _clean(item, depth - 1, key):  # pyright: ignore[reportUnknownArgumentType]
                        return False
                elif item is None or item == "" or type(item) is list:  # FHIR has no list in a list
                    return False  # null may be right beside `_name`: the slow path decides
        elif value is None or (kind is not bool and _is_text(key, parent)):
            return False
    return True


def _is_text(key: str, parent: str) -> bool:
    return key in _NUMBER_NAMES or (key == "value" and parent in TEXT_VALUE_PARENTS)


# --- the slow path ------------------------------------------------------------------------------------------------


def _repaired(
    raw: bytes | JsonObject,
    resource: JsonObject,
    expected_type: str | None,
    origin: str,
    base_url: str | None,
    targets: Mapping[str, str],
) -> Fetched | Rejected:
    name: Any = resource.get("resourceType")
    identity: Any = resource.get("id")
    if isinstance(identity, int) and not isinstance(identity, bool):
        identity = str(identity)
    known_id = identity if isinstance(identity, str) else None
    if not isinstance(name, str) or not _TYPE.match(name):
        reason = "resourceType is missing" if not name else "resourceType is not the name of a resource type"
        return Rejected(origin, "no-resource-type", reason, _raw(raw, resource), None, known_id)
    if expected_type is not None and name != expected_type:
        reason = f"expected a {expected_type}, found a {name}"
        return Rejected(origin, "wrong-type", reason, _raw(raw, resource), name, known_id)
    if known_id is None or not known_id.strip():
        reason = f"{name}.id is missing: nothing can refer to this resource"
        return Rejected(origin, "no-id", reason, _raw(raw, resource), name)
    if not _ID.match(known_id.strip()):
        reason = f"{name}.id must be 1 to 64 characters of A-Z a-z 0-9 - . (FHIR R4 id)"
        return Rejected(origin, "bad-id", reason, _raw(raw, resource), name, known_id)
    work = _Repair(base_url.rstrip("/") + "/" if base_url else None, targets)
    whole = work.shaped(name, resource)
    whole = work.object(whole, name, "", MAX_DEPTH)
    if name == "Encounter" and whole.get("status") in R5_ENCOUNTER_STATUS:
        whole["status"] = R5_ENCOUNTER_STATUS[whole["status"]]
        work.note("r5-encounter-status", "Encounter.status")
    if not work.codes:
        return Fetched(resource, origin)
    if whole == resource:  # remarks only
        whole = resource
    return Fetched(whole, origin, tuple(work.codes))


class _Repair:
    """The repairs of one resource: builds a repaired copy and notes each code with its element, once."""

    def __init__(self, base: str | None, targets: Mapping[str, str]) -> None:
        self.codes: dict[str, None] = {}
        self._base = base
        self._targets = targets

    def note(self, code: str, path: str) -> None:
        self.codes[f"{code}:{path}"] = None

    def shaped(self, name: str, resource: JsonObject) -> JsonObject:
        """The top-level elements in the shape that R4 gives them."""
        shapes = SHAPES.get(name, NO_SHAPES)
        fixed: JsonObject = {}
        for key, value in resource.items():
            target = key
            if name == "Encounter":
                if key == "actualPeriod" and "period" not in resource:
                    target = "period"
                    self.note("r5-element-name", "Encounter.actualPeriod")
                elif key == "class":
                    value = self._encounter_class(value)
            shape = shapes.get(target)
            if shape is None or value is None or value == "" or value == [] or value == {}:
                fixed[target] = value
                continue
            formed = self._formed(target, value, shape, f"{name}.{target}")
            if formed is not None:
                fixed[target] = formed
        return fixed

    def _encounter_class(self, value: Any) -> Any:
        found = value
        if isinstance(found, list) and found:
            found = cast(list[Any], found)[0]
        if isinstance(found, dict) and "coding" in found:  # a CodeableConcept
            concept = cast(JsonObject, found)
            codings: Any = concept["coding"]
            if isinstance(codings, list) and codings:
                codings = cast(list[Any], codings)[0]
            found = cast(JsonObject, codings) if isinstance(codings, dict) else {"display": concept.get("text")}
        elif isinstance(found, str) and found.strip():
            found = {"system": ACT_CODE, "code": found.strip()}
        if found is not value:
            self.note("encounter-class-shape", "Encounter.class")
        return cast(Any, found)

    def _formed(self, key: str, value: Any, shape: Shape, path: str) -> Any:
        wanted = _PYTHON[shape]
        if isinstance(value, wanted):
            return value
        if shape == "list" and isinstance(value, dict):
            self.note("list-made", path)
            return [value]
        if isinstance(value, list):
            items = cast(list[Any], value)
            if len(items) == 1 and isinstance(items[0], wanted):
                self.note("list-unwrapped", path)
                return items[0]
        elif isinstance(value, str):
            if shape == "object" and key in REFERENCE_TARGETS and _LOCAL.match(value.strip()):
                self.note("reference-text", path)
                return {"reference": value.strip()}
            if shape == "boolean" and key in BOOLEAN_NAMES:
                return value  # the walk reads it
        elif shape == "text" and not isinstance(value, bool | dict) and key in _NUMBER_NAMES:
            return value  # the walk reads it
        self.note("wrong-shape", path)
        return None

    def object(self, element: JsonObject, path: str, parent: str, depth: int) -> JsonObject:
        if not depth:
            raise RecursionError
        fixed: JsonObject = {}
        for key, value in element.items():
            at = f"{path}.{key if _ELEMENT.match(key.removeprefix('_')) else '*'}"
            new = self._value(key, value, at, parent, element, depth - 1)
            if new is not None:
                fixed[key] = new
        for key, value in list(fixed.items()):  # null held a place beside `_name`, but `_name` was dropped
            if isinstance(value, list) and None in value and key[0] != "_" and f"_{key}" not in fixed:
                fixed[key] = [item for item in cast(list[Any], value) if item is not None]
                self.note("empty-removed", f"{path}.{key}")
        system, code = fixed.get("system"), fixed.get("code")
        if isinstance(system, str) and isinstance(code, str):
            proper = _system_code(system, code)
            if proper != code:
                fixed["code"] = proper
                self.note("cvx-padding" if system == CVX else "icd10-dot", f"{path}.code")
        return fixed

    def _value(self, key: str, value: Any, at: str, parent: str, element: JsonObject, depth: int) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool) and _is_text(key, parent):
            whole = isinstance(value, float) and value.is_integer()
            value = str(int(value) if whole else value)
            if key not in _DATE_KINDS:
                self.note("number-as-text", at)
        if isinstance(value, str):
            return self._text(key, value, at, parent, element)
        if isinstance(value, dict) and value:
            new = self.object(cast(JsonObject, value), at, key, depth)
            if key == "coding" and new:
                self.note("list-made", at)
                return [new]
        elif isinstance(value, list) and value:
            aligned = key.startswith("_") or isinstance(element.get(f"_{key}"), list)
            new = self._list(key, cast(list[Any], value), at, aligned, depth)
        elif isinstance(value, bool | int | float):
            return value
        else:
            new = None
        if not new:
            self.note("empty-removed", at)
            return None
        return new

    def _list(self, key: str, items: list[Any], at: str, aligned: bool, depth: int) -> list[Any] | None:
        """`aligned`: null keeps a place, as in `given` beside `_given` (R4 §2.6.2, primitive extensions)."""
        if not depth:
            raise RecursionError
        fixed: list[Any] = []
        for item in items:
            new: Any = item
            if isinstance(item, dict):
                new = self.object(cast(JsonObject, item), at, key, depth - 1) or None
            elif isinstance(item, list):
                new = self._list(key, cast(list[Any], item), at, aligned, depth - 1)
            elif item == "":
                new = None
            if new is not None or aligned:
                fixed.append(new)
            if new is None and (item is not None or not aligned):
                self.note("empty-removed", at)
        return None if all(item is None for item in fixed) else fixed

    def _text(self, key: str, value: str, at: str, parent: str, element: JsonObject) -> Any:
        if not value:
            self.note("empty-removed", at)
            return None
        kind = _DATE_KINDS.get(key)
        if kind is not None:
            date, codes = read_date(value, kind)
            for code in codes:
                self.note(code, at)
            return date
        if key in BOOLEAN_NAMES:
            told = {"true": True, "false": False}.get(value.strip().lower())
            self.note("wrong-shape" if told is None else "text-as-boolean", at)
            return told
        if key in TRIMMED_NAMES or key in SPELLED_NAMES:
            trimmed = value.strip()
            if trimmed != value:
                self.note("text-trimmed" if trimmed else "empty-removed", at)
            value = trimmed
            if not value:
                return None
        if key in SPELLED_NAMES:
            spelled = _spelled(value)
            if spelled != value:
                self.note("code-spelling", at)
            return spelled
        if key == "system" and value in SYSTEM_ALIASES:
            self.note("code-system-alias", at)
            return SYSTEM_ALIASES[value]
        if key == "reference":
            return self._reference(value, at, parent, element)
        return value

    def _reference(self, value: str, at: str, parent: str, element: JsonObject) -> str:
        found = value
        if value in self._targets:
            found = self._targets[value]
            self.note("reference-urn" if value.startswith("urn:") else "reference-absolute", at)
        elif value.startswith(("urn:uuid:", "urn:oid:")):
            target: Any = element.get("type") or REFERENCE_TARGETS.get(parent)
            local = f"{target}/{value.split(':', 2)[2]}"
            if isinstance(target, str) and _LOCAL.match(local):
                found = local
                self.note("reference-urn", at)
        elif self._base is not None and value.startswith(self._base):
            rest = value[len(self._base) :]
            if _LOCAL.match(rest):
                found = rest
                self.note("reference-absolute", at)
        local_match = _LOCAL.match(found)
        if local_match is not None and local_match[3]:
            self.note("reference-version", at)
            found = f"{local_match[1]}/{local_match[2]}"
        return found


# --- spellings ----------------------------------------------------------------------------------------------------


def _spelled(code: str) -> str:
    """A code of a required R4 binding: all of them are lower case with hyphens."""
    return _CODE_SEPARATORS.sub("-", code.strip()).lower()


def _system_code(system: str, code: str) -> str:
    """A code as its system writes it: CVX with two digits at least, ICD-10-CM upper case with its dot."""
    if system == CVX and code.isascii() and code.isdigit():
        return str(int(code)).zfill(2) if len(code) < 4 else code
    if system == ICD10CM and code.isascii() and code.isalnum():
        return code.upper() if len(code) <= 3 else f"{code[:3]}.{code[3:]}".upper()
    return code


def _not_json(raw: bytes) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "the text is UTF-16; FHIR JSON is UTF-8: convert the file"
    return "not readable as JSON: cut short, or not FHIR JSON at all"


def _raw(raw: bytes | JsonObject, resource: Any) -> bytes:
    """The resource as bytes, to be kept aside whole."""
    if isinstance(raw, bytes):
        return raw
    try:
        return orjson.dumps(resource)
    except (orjson.JSONEncodeError, RecursionError):
        # orjson refuses what only hostile input holds (254 levels, integers over 64 bits): still kept aside.
        try:
            return json.dumps(resource, default=str).encode(errors="replace")
        except (RecursionError, ValueError):
            return b""
