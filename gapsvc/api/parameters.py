"""Reading request parameters: from a query string, a form, or a FHIR Parameters body; every mistake named, all at once.

The rules of one operation are a marshmallow schema; what comes out of `read` is checked and typed, or a Refusal (400)
whose issues name each parameter. A parameter that DEQM defines and we do not support is said to be unsupported, not
ignored; one that nobody defines is an error with a suggestion.
"""

import difflib
import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from typing import Any, cast

import orjson
from flask import Request
from marshmallow import Schema, ValidationError, fields

from fhir_profiles.outcome import OutcomeIssue
from gapsvc.api.answers import FHIR_JSON, Refusal, refuse
from gapsvc.api.forms import check_formats, is_utf8

FORM = "application/x-www-form-urlencoded"
LONGEST_VALUE = 10_000  # characters of one parameter
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Parameters of HTTP and of FHIR's own (R4 §3.2.0.1.9), which are about the answer's form, not its content.
GENERAL = frozenset({"_format", "_pretty"})


def is_id(text: str) -> bool:
    """Whether this can be a FHIR id."""
    return _ID.fullmatch(text) is not None


class FhirDate(fields.Field[date]):
    """A FHIR date: YYYY-MM-DD; of a partial one the first day (or, with `last`, the last) is meant."""

    def __init__(self, *, last: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.last = last

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> date:
        match = _DATE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValidationError(f"expected a date, YYYY-MM-DD, not {_shown(value)}")
        year, month, day = int(match[1]), match[2], match[3]
        try:
            if day is not None:
                return date(year, int(month), int(day))
            known_month = int(month) if month is not None else (12 if self.last else 1)
            return date(year, known_month, monthrange(year, known_month)[1] if self.last else 1)
        except ValueError:
            raise ValidationError(f"there is no such day: {_shown(value)}") from None


class Reference(fields.Field[tuple[str, str]]):
    """A relative reference, `Type/id`, to one of the given types; (type, id). A bare id is of the first type."""

    def __init__(self, *types: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.types = types

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> tuple[str, str]:
        expected = " or ".join(f"{name}/<id>" for name in self.types)
        if not isinstance(value, str):
            raise ValidationError(f"expected {expected}, not {_shown(value)}")
        resource_type, slash, resource_id = value.rpartition("/")
        if slash and resource_type not in self.types:
            raise ValidationError(f"expected {expected}, not {_shown(value)}")
        if not is_id(resource_id):
            raise ValidationError(f"expected {expected}; an id has 1 to 64 of A-Z a-z 0-9 - .")
        return (resource_type or self.types[0], resource_id)


class FhirBoolean(fields.Field[bool]):
    """`true` or `false`, nothing else."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if isinstance(value, bool):
            return value
        if value not in ("true", "false"):
            raise ValidationError(f"expected true or false, not {_shown(value)}")
        return value == "true"


class WholeNumber(fields.Field[int]):
    """A number of one to nine digits, nothing else (no sign, no blank, no other script's digits)."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if not (isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 9):
            raise ValidationError(f"expected a whole number from 0 to 999999999, not {_shown(value)}")
        return int(value)


class Text(fields.Field[str]):
    """A text that is not empty."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise ValidationError("expected a value")
        return value


class Alternatives(fields.Field[tuple[str, ...]]):
    """Texts separated by commas, any of which may match (FHIR R4 §3.1.1.4.11)."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> tuple[str, ...]:
        parts = tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else ()
        if not parts or not all(parts):
            raise ValidationError("expected one value, or several with commas between them")
        return parts


def _shown(value: Any) -> str:
    """A value quoted back to who sent it, shortened."""
    text = str(value)
    return repr(text if len(text) <= 60 else text[:57] + "...")


def many(schema: Schema, name: str) -> bool:
    """Whether the schema lets a parameter repeat (0..*)."""
    return isinstance(schema.fields[name], fields.List)


def read(request: Request, schema: Schema, unsupported: Mapping[str, str]) -> dict[str, Any]:
    """The request's parameters, checked. `unsupported` maps names that are defined but not supported to why.

    A POST to `_search` carries a form (FHIR R4 §3.1.0.2), any other POST a Parameters resource; the query of the
    address counts too.

    Raises:
        Refusal: 400 with an issue for each mistake, or 415 for a body of another type.
    """
    given: dict[str, list[Any]] = {}
    if request.method == "POST":
        given = _from_form(request) if is_search(request) else _from_body(request, unsupported)
    for name, values in request.args.lists():
        if name not in GENERAL:
            given.setdefault(name, []).extend(values)
    issues: list[OutcomeIssue] = []
    data: dict[str, Any] = {}
    for name, values in given.items():
        if name in unsupported:
            issues.append(_issue("not-supported", name, unsupported[name]))
        elif name not in schema.fields:
            close = difflib.get_close_matches(name[:64], list(schema.fields), n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(_listed(schema))}"
            issues.append(_issue("not-supported", name[:64], f"there is no parameter {_shown(name)}{hint}"))
        elif wrong := next((text for value in values if (text := _unreadable(value))), None):
            issues.append(_issue("value", name, wrong))
        elif many(schema, name):
            data[name] = values
        elif len(values) > 1:
            issues.append(_issue("invalid", name, "given more than once; expected one value"))
        else:
            data[name] = values[0]
    spoilt = {name for issue in issues for name in issue.expression}
    try:
        loaded = cast("dict[str, Any]", schema.load(data))
    except ValidationError as error:
        messages = cast("dict[str, Any]", error.messages)
        issues.extend(_schema_issues({k: v for k, v in messages.items() if k not in spoilt}, given))
        loaded = {}
    if issues:
        raise Refusal(400, issues)
    return loaded


def is_search(request: Request) -> bool:
    """Whether this is a search by POST."""
    return request.method == "POST" and request.path.endswith("/_search")


def _listed(schema: Schema) -> list[str]:
    return [name for name in schema.fields if name != "_page"]


def _unreadable(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    if len(value) > LONGEST_VALUE:
        return f"longer than {LONGEST_VALUE} characters"
    return "holds a control character" if _CONTROL.search(value) else None


def _issue(code: str, name: str, text: str) -> OutcomeIssue:
    return OutcomeIssue("error", code, diagnostics=f"{name}: {text}", expression=(name,))


def _schema_issues(messages: Mapping[str, Any], given: Mapping[str, Any]) -> list[OutcomeIssue]:
    found: list[OutcomeIssue] = []
    for name, said in messages.items():
        texts = [text for part in said.values() for text in part] if isinstance(said, dict) else said
        code = "value" if name in given else "required"
        found.extend(_issue(code, name, text) for text in cast("list[str]", texts))
    return found


def _from_form(request: Request) -> dict[str, list[Any]]:
    body = request.get_data()
    if body and request.mimetype != FORM:
        raise refuse(415, "not-supported", f"the body of _search must be {FORM}")
    if not is_utf8(body):
        raise refuse(400, "invalid", "the form has a broken %-escape or is not UTF-8")
    check_formats(request.form.getlist("_format"))
    return {name: list(values) for name, values in request.form.lists() if name not in GENERAL}


# The value[x] that a Parameters body may use for parameters that a query string would carry as text.
_PRIMITIVES = frozenset(
    f"value{name}"
    for name in ("Date", "DateTime", "String", "Code", "Id", "Uri", "Url", "Canonical", "Boolean", "Integer")
)


def parameters_resource(request: Request) -> dict[str, Any]:
    """The Parameters resource that a request carries; its `parameter`, where given, is a list.

    Raises:
        Refusal: 415 for a body of another type, 400 where it is no such resource.
    """
    if request.mimetype not in (FHIR_JSON, "application/json"):
        raise refuse(415, "not-supported", "a body must be application/fhir+json or application/json")
    try:
        body = orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        raise refuse(400, "structure", f"the body is not JSON: {error.msg} at character {error.pos}") from None
    if not isinstance(body, dict) or body.get("resourceType") != "Parameters":
        raise refuse(400, "structure", "the body must be a FHIR Parameters resource", "Parameters")
    if not isinstance(body.get("parameter", []), list):
        raise refuse(400, "structure", "parameter must be a list", "Parameters.parameter")
    return body


def _from_body(request: Request, unsupported: Mapping[str, str]) -> dict[str, list[Any]]:
    if not request.get_data():
        return {}
    parameters = parameters_resource(request).get("parameter", [])
    given: dict[str, list[Any]] = {}
    issues: list[OutcomeIssue] = []
    for at, parameter in enumerate(cast("list[Any]", parameters)):
        where = f"Parameters.parameter[{at}]"
        if not isinstance(parameter, dict) or not isinstance(parameter.get("name"), str):
            issues.append(OutcomeIssue("error", "structure", f"{where}: a parameter has a name", (where,)))
            continue
        name = parameter["name"]
        carried = [key for key in parameter if key in _PRIMITIVES]
        if name in unsupported:
            given.setdefault(name, []).append("")
        elif len(carried) != 1 or parameter[carried[0]] is None or isinstance(parameter[carried[0]], (dict, list)):
            said = f"{name[:64]}: expected one primitive value (valueDate, valueString, valueCode, ...)"
            issues.append(OutcomeIssue("error", "structure", said, (where,)))
        else:
            given.setdefault(name, []).append(parameter[carried[0]])
    if issues:
        raise Refusal(400, issues)
    return given
