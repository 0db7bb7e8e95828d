"""Who may ask for what: bearer tokens on every request but the open ones, scopes per resource type.

A page for people may be asked for with a session instead (gapsvc.web.signed_in), which stands for a client as well.

Fails closed: a request to an endpoint that is not listed as open needs a known client, and an endpoint that reads
records says with `reads(...)` which resource types it shows; one that says nothing shows nothing (403).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, g, request

from fhir_profiles.outcome import OutcomeIssue
from gapsvc.api.answers import Refusal
from gapsvc.api.service import service
from gapsvc.security.clients import Client

OPEN_ENDPOINTS = frozenset(
    {"health.healthz", "capability.metadata", "pages.sign_in", "pages.sign_out", "pages.style", "pages.icon"}
)
CHALLENGE = 'Bearer realm="gapsvc"'  # RFC 6750 §3


def register_access(app: Flask, signed_in: Callable[[], Client | None] = lambda: None) -> None:
    """Ask for a bearer token before anything else is done, for unknown addresses too.

    `signed_in` gives the client of the request's session, where it has one and may be answered by it.
    """

    @app.before_request
    def authenticate() -> None:
        if request.endpoint in OPEN_ENDPOINTS:
            return
        g.client = (None if "Authorization" in request.headers else signed_in()) or _client()
        view = app.view_functions.get(request.endpoint or "")
        if view is not None and not getattr(view, "declares_reads", False):
            raise _forbidden("this endpoint is not open to clients")


def _client() -> Client:
    scheme, _, token = request.headers.get("Authorization", "").strip(" ").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthenticated("send Authorization: Bearer <token>", CHALLENGE)
    client = service().clients.authenticate(token.strip(" "))
    if client is None:
        raise _unauthenticated("the token is not known", f'{CHALLENGE}, error="invalid_token"')
    return client


def _unauthenticated(text: str, challenge: str) -> Refusal:
    issue = OutcomeIssue("error", "login", diagnostics=text)
    return Refusal(401, (issue,), (("WWW-Authenticate", challenge),))


def _forbidden(text: str, scope: str = "") -> Refusal:
    challenge = f'{CHALLENGE}, error="insufficient_scope"' + (f', scope="{scope}"' if scope else "")
    issue = OutcomeIssue("error", "forbidden", diagnostics=text)
    return Refusal(403, (issue,), (("WWW-Authenticate", challenge),))


def require_read(*resource_types: str) -> None:
    """See that the client may read all of these types.

    Raises:
        Refusal: 403 that names the scopes that are missing.
    """
    lacking = [name for name in resource_types if not g.client.may_read(name)]
    if lacking:
        wanted = " ".join(f"system/{name}.rs" for name in lacking)
        raise _forbidden(f"the token lacks the scope {wanted}", wanted)


def reads(*resource_types: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a view: the client needs read scopes for all of these types."""

    def mark(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            require_read(*resource_types)
            return view(*args, **kwargs)

        guarded.declares_reads = True  # type: ignore[attr-defined]
        return guarded

    return mark
