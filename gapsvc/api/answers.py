"""Answers in FHIR JSON, and errors as OperationOutcome: every answer of the API is made here.

An error of a request that a person's browser sent to a page becomes a page (gapsvc.web.errors).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from fhir_profiles.outcome import OutcomeIssue, operation_outcome
from gapsvc.store import StoreError
from gapsvc.telemetry import places

FHIR_JSON = "application/fhir+json"


class Refusal(Exception):
    """A request that can't be answered: an HTTP status and the issues that say why."""

    def __init__(self, status: int, issues: Sequence[OutcomeIssue], headers: Iterable[tuple[str, str]] = ()) -> None:
        self.status, self.issues, self.headers = status, tuple(issues), tuple(headers)
        super().__init__(f"{status}: {len(self.issues)} issues")


def refuse(status: int, code: str, text: str, *parameters: str) -> Refusal:
    """A refusal with one issue; `parameters` are the names at fault."""
    return Refusal(status, (OutcomeIssue("error", code, diagnostics=text, expression=parameters),))


def fhir(resource: Any, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """A resource as `application/fhir+json`. Health data is never cached on the way."""
    options = orjson.OPT_INDENT_2 if request.args.get("_pretty") == "true" else 0
    response = Response(orjson.dumps(resource, option=options), status, content_type=f"{FHIR_JSON}; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    for name, value in headers:
        response.headers[name] = value
    return response


@dataclass(frozen=True, slots=True)
class _Said:
    """What an HTTP error says when Flask itself refuses: FHIR issue code and a sentence."""

    code: str
    text: str


_BY_STATUS = {
    400: _Said("invalid", "the request can't be read"),
    404: _Said("not-found", "there is nothing at this address; GET [base]/metadata lists what there is"),
    405: _Said("not-supported", "this address does not answer to that method"),
    406: _Said("not-supported", "answers are application/fhir+json; ask for that or for */*"),
    413: _Said("too-costly", "the request is larger than is accepted"),
    414: _Said("too-long", "the query is longer than is accepted; POST the parameters"),
    415: _Said("not-supported", "a body must be application/fhir+json or application/json"),
}
RETRY_AFTER_SECONDS = 5


# Status, issues and headers of an error to a page for the person who asked; None: it was not a person.
ErrorPage = Callable[[int, Sequence[OutcomeIssue], Iterable[tuple[str, str]]], Response | None]


def register_errors(app: Flask, page: ErrorPage = lambda *_: None) -> None:
    """Make every error of the app an OperationOutcome, or a `page` for a person. An unforeseen one says nothing of
    what it met."""

    def answer(status: int, issues: Sequence[OutcomeIssue], headers: Iterable[tuple[str, str]] = ()) -> Response:
        shown = page(status, issues, tuple(headers))
        return fhir(operation_outcome(issues), status, headers) if shown is None else shown

    @app.errorhandler(Refusal)
    def refused(error: Refusal) -> Response:
        return answer(error.status, error.issues, error.headers)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        said = _BY_STATUS.get(status, _Said("processing", error.name))
        headers = [(name, value) for name, value in error.get_headers() if name == "Allow"]
        return answer(status, [OutcomeIssue("error", said.code, diagnostics=said.text)], headers)

    @app.errorhandler(StoreError)
    def store_failed(error: StoreError) -> Response:
        _log_failure(app, "the store can't be used", error)
        issue = OutcomeIssue("error", "transient", diagnostics="the service can't reach its records now; ask again")
        return answer(503, [issue], [("Retry-After", str(RETRY_AFTER_SECONDS))])

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> Response:
        _log_failure(app, "unforeseen error", error)
        issue = OutcomeIssue(
            "fatal", "exception", diagnostics="the service failed on this request; its log has the request's id"
        )
        return answer(500, [issue])


def _log_failure(app: Flask, event: str, error: Exception) -> None:
    # Type and place only: a message may quote the data that caused it.
    app.extensions["gapsvc.log"].error(
        event,
        request_id=g.get("request_id"),
        endpoint=request.endpoint,
        error=type(error).__name__,
        place=places(error),
    )
