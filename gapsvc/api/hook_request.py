"""What CDS Hooks 2.0 sends: the body of a service call (hook patient-view) and of feedback, checked.

Every problem of a request is named at once, with its place. What the specification doesn't name is passed over.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import orjson
from flask import Request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from fhir_profiles.outcome import OutcomeIssue
from gapsvc.api.answers import FHIR_JSON, Refusal, refuse
from gapsvc.api.parameters import is_id

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)  # RFC 9562, section 4
USERS = ("Practitioner", "PractitionerRole", "Patient", "RelatedPerson")
MOST_FEEDBACK = 1000


def _uuid(text: str) -> None:
    if not _UUID.fullmatch(text):
        raise ValidationError("expected a UUID")


def _patient_id(text: str) -> None:
    if not is_id(text):
        raise ValidationError("expected a FHIR id: 1 to 64 of A-Z a-z 0-9 - .")


def _user(text: str) -> None:
    kind, _, user = text.partition("/")
    if kind not in USERS or not is_id(user):
        raise ValidationError(f"expected <type>/<id>, the type one of {', '.join(USERS)}")


def _url(text: str) -> None:
    try:
        parts = urlsplit(text)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or not text.isprintable() or " " in text:
        raise ValidationError("expected a FHIR base URL, http or https")


class _Reading(Schema):
    """What the specification doesn't name is passed over: `extension`, and fields of later versions."""

    class Meta:
        unknown = EXCLUDE


class PatientViewContext(_Reading):
    """The context of the hook patient-view."""

    userId = fields.String(required=True, validate=_user)  # noqa: N815
    patientId = fields.String(required=True, validate=_patient_id)  # noqa: N815
    encounterId = fields.String(validate=_patient_id)  # noqa: N815


class FhirAuthorization(_Reading):
    """The access token that an EHR may send along; checked for its form, and not used."""

    access_token = fields.String(required=True)
    token_type = fields.String(required=True, validate=validate.Equal("Bearer", error="expected Bearer"))
    expires_in = fields.Integer(required=True, strict=True)
    scope = fields.String(required=True)
    subject = fields.String(required=True)


class Prefetch(_Reading):
    """The one prefetch that discovery asks for. Null: the EHR has none."""

    patient = fields.Dict(keys=fields.String(), allow_none=True)


class HookRequest(_Reading):
    """The body of a service call."""

    hook = fields.String(required=True, validate=validate.Equal("patient-view", error="expected patient-view"))
    hookInstance = fields.String(required=True, validate=_uuid)  # noqa: N815
    fhirServer = fields.String(validate=_url)  # noqa: N815
    fhirAuthorization = fields.Nested(FhirAuthorization)  # noqa: N815
    context = fields.Nested(PatientViewContext, required=True)
    prefetch = fields.Nested(Prefetch)

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def server_of_token(self, _: Any, given: Any, **__: Any) -> None:
        """CDS Hooks 2.0, Calling a CDS Service: fhirServer is required where fhirAuthorization is given."""
        if "fhirAuthorization" in given and "fhirServer" not in given:
            raise ValidationError("required where fhirAuthorization is given", "fhirServer")


class Feedback(_Reading):
    """One card's outcome. What the user wrote is not read."""

    card = fields.String(required=True, validate=_uuid)
    outcome = fields.String(
        required=True, validate=validate.OneOf(["accepted", "overridden"], error="expected one of {choices}")
    )
    outcomeTimestamp = fields.AwareDateTime(required=True, format="iso")  # noqa: N815


class FeedbackRequest(_Reading):
    """The body of a feedback call."""

    feedback = fields.List(
        fields.Nested(Feedback), required=True, validate=validate.Length(1, MOST_FEEDBACK, error="expected 1 to {max}")
    )


def read_hook(request: Request, schema: Schema) -> dict[str, Any]:
    """The request's body, checked.

    Raises:
        Refusal: 415 for another type of body, 400 with an issue for each problem.
    """
    if request.mimetype not in ("application/json", FHIR_JSON):
        raise refuse(415, "not-supported", "the body must be application/json")
    try:
        body = orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        raise refuse(400, "structure", f"the body is not JSON: {error.msg} at character {error.pos}") from None
    if not isinstance(body, dict):
        raise refuse(400, "structure", "the body must be a JSON object")
    twice = _ambiguity(request.get_data())
    if twice is not None:
        raise refuse(400, "structure", twice)
    try:
        return cast("dict[str, Any]", schema.load(cast("dict[str, Any]", body)))
    except ValidationError as error:
        problems = _problems(cast("Mapping[str, Any]", error.messages), "")
        raise Refusal(400, [OutcomeIssue("error", "value", text, (at,)) for at, text in problems]) from None


def _ambiguity(body: bytes) -> str | None:
    """What to say of a body in which an object names twice what we read: two patientIds are two children, and a reader
    that takes the last answers about the wrong one (RFC 8259, section 4). None: there is nothing to say."""
    found: list[str] = []

    def pairs(members: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in members]
        found.extend(name for name in _READ if names.count(name) > 1)

    try:
        json.loads(body, object_pairs_hook=pairs)
    except (RecursionError, ValueError):  # deeper than any request is, or not what orjson took for JSON
        return "the body is nested too deeply"
    return f"the body is ambiguous: an object names {found[0]} twice" if found else None


_READ = (
    "hook",
    "hookInstance",
    "fhirServer",
    "context",
    "prefetch",
    "patient",
    "patientId",
    "userId",
    "id",
    "birthDate",
)

# marshmallow's own words for what is no value at all, in ours
_PLAIN = {
    "Missing data for required field.": "required",
    "Field may not be null.": "expected a value, not null",
    "Not a valid string.": "expected text",
    "Not a valid integer.": "expected a whole number",
    "Not a valid mapping type.": "expected an object",
    "Not a valid list.": "expected a list",
    "Invalid input type.": "expected an object",
    "Not a valid aware datetime.": "expected a moment with its time zone, e.g. 2026-11-22T17:00:00Z",
}


def _problems(messages: Mapping[Any, Any], before: str) -> Iterable[tuple[str, str]]:
    """(path, what is wrong) of each problem that marshmallow found."""
    for name, said in messages.items():
        path = f"{before}[{name}]" if isinstance(name, int) else f"{before}.{name}".lstrip(".")
        path = path.removesuffix("._schema")  # what is wrong with an object as a whole
        if isinstance(said, dict):
            yield from _problems(cast("Mapping[Any, Any]", said), path)
        else:
            yield from ((path, _PLAIN.get(str(text), str(text))) for text in cast("Sequence[Any]", said))
