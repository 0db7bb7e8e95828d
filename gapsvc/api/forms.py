"""The form of requests and answers: which content types, how long, in which encoding (FHIR R4 §3.1.0.1.8-11).

Answers are JSON. A client that asks for another form, by `Accept` or by `_format` (which goes before it), is told so
(406). An address that is not UTF-8, or that is too long, is refused before anything reads it.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from flask import Flask, request
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import NotAcceptable, RequestURITooLarge

from gapsvc.api.answers import refuse

LONGEST_QUERY = 16_384  # bytes
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_JSON = frozenset({"json", "application/json", "application/fhir+json"})
_RANGES = _JSON | {"*/*", "application/*"}
_FHIR_VERSIONS = frozenset({"4.0", "4.0.1"})
_NOT_FHIR = frozenset({"health", "pages"})  # blueprints


def register_forms(app: Flask) -> None:
    """Look at the form of every request. Comes after authentication: a stranger learns nothing from it."""

    @app.before_request
    def look() -> None:
        if len(request.query_string) > LONGEST_QUERY:
            raise RequestURITooLarge
        if not is_utf8(request.query_string):
            raise refuse(400, "invalid", "the query has a broken %-escape or is not UTF-8")
        nowhere = request.url_rule is None and not request.path.startswith("/fhir")
        if nowhere or request.blueprint in _NOT_FHIR:
            return
        formats = request.args.getlist("_format")
        if formats:
            check_formats(formats)
        elif not _accepts_json(request.accept_mimetypes):
            raise NotAcceptable


def check_formats(formats: Iterable[str]) -> None:
    """See that `_format` asks for JSON; an unescaped `+` in a query is a blank by the time it is read.

    Raises:
        NotAcceptable: it asks for another form.
    """
    for text in formats:
        kind, *parameters = text.strip().lower().replace(" ", "+").split(";")
        if kind not in _JSON or not _is_r4(parameters):
            raise NotAcceptable


def is_utf8(query: bytes) -> bool:
    """Whether a query (or a form) is whole: every %-escape is one, and together they are UTF-8."""
    if _BROKEN_ESCAPE.search(query):
        return False
    try:
        unquote_to_bytes(query).decode()
    except UnicodeDecodeError:
        return False
    return True


def _accepts_json(accepted: MIMEAccept) -> bool:
    wanted = [(value.lower(), quality) for value, quality in accepted]
    if not wanted:
        return True  # nothing asked for, or nothing that can be read
    for value, quality in wanted:
        kind, *parameters = value.split(";")
        if quality > 0 and kind.strip() in _RANGES and _is_r4(parameters):
            return True
    return False


def _is_r4(parameters: Iterable[str]) -> bool:
    """Whether the media type's parameters leave FHIR R4 in (`fhirVersion=4.0`)."""
    named = (parameter.strip().partition("=") for parameter in parameters)
    return all(value.strip('" ') in _FHIR_VERSIONS for name, _, value in named if name == "fhirversion")
