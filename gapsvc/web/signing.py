"""Signing in and out: a person shows a token of the API once and has a session from then on (gapsvc.web.sessions)."""

import re
from datetime import timedelta

from flask import Response, current_app, g, request

from gapsvc.api.service import service
from gapsvc.security.clients import Client
from gapsvc.web.html import is_secure, page, pages, path, see_other, set_cookie
from gapsvc.web.session_key import SessionKeyUnusable, session_key
from gapsvc.web.sessions import Sessions, new_nonce
from gapsvc.web.throttle import Throttle

SESSION_COOKIE = "gapsvc-session"
FORM_COOKIE = "gapsvc-sign-in"  # ties the sign-in form to the browser that asked for it
FORM_LASTS = timedelta(hours=1)
LONGEST_TOKEN = 1000  # characters
_LOCAL = re.compile(r"/(?:patients/[A-Za-z0-9.\-]{1,64})?")  # where a sign-in may lead


def sessions() -> Sessions:
    """The sessions of the app that answers the current request."""
    found = current_app.extensions.get("gapsvc.sessions")
    if found is None:
        here = service()
        made = Sessions(lambda: session_key(here.settings.home), here.clients, here.now)
        found = current_app.extensions.setdefault("gapsvc.sessions", made)
    return found


def _throttle() -> Throttle:
    return current_app.extensions.get("gapsvc.throttle") or current_app.extensions.setdefault(
        "gapsvc.throttle", Throttle(service().now)
    )


def signed_in() -> Client | None:
    """The client of the request's session; sessions open pages only, never the API."""
    cookie = request.cookies.get(SESSION_COOKIE)
    is_page = request.blueprint == "pages" or (request.blueprint is None and not request.path.startswith("/fhir"))
    if not cookie or not is_page:
        return None
    found = sessions().read(cookie)
    if found is None:
        return None
    g.session, client = found
    g.form_field = sessions().form_field(g.session.nonce)  # for the form that signs out
    return client


@pages.after_request
def renew(response: Response) -> Response:
    """Each page that a session opens begins its idle time anew."""
    session = g.get("session")
    if session is not None and request.endpoint not in ("pages.sign_in", "pages.sign_out"):
        set_cookie(response, SESSION_COOKIE, sessions().cookie(sessions().renewed(session)))
    return response


@pages.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Response:
    """The form, and its answer: a session, or the form again with what was wrong."""
    target = request.values.get("next", "/")
    target = target if _LOCAL.fullmatch(target) else "/"
    if request.method != "POST":
        return _form(target)
    if not _is_own_form(request.cookies.get(FORM_COOKIE, "")):
        return _form(target, 403, "This form was too old, or came from elsewhere. Try again.")
    address = request.remote_addr or ""
    seconds = _throttle().wait(address)
    if seconds:
        said = f"Too many wrong tokens. Wait {seconds} seconds, then try again."
        return _form(target, 429, said, headers=[("Retry-After", str(seconds))])
    token = request.form.get("token", "").strip()
    client = service().clients.authenticate(token) if 0 < len(token) <= LONGEST_TOKEN else None
    if client is None:
        _throttle().wrong(address)
        return _form(
            target, 401, "This token is not known here.", headers=[("WWW-Authenticate", 'Bearer realm="gapsvc"')]
        )
    g.client = client
    response = see_other(target)
    set_cookie(response, SESSION_COOKIE, sessions().cookie(sessions().begin(client)))
    _drop(response, FORM_COOKIE)
    return response


@pages.post("/sign-out")
def sign_out() -> Response:
    """End the session in this browser; a form from elsewhere changes nothing."""
    found = sessions().read(request.cookies.get(SESSION_COOKIE, ""))
    if found is not None and not sessions().is_own_form(request.form.get("form", ""), found[0].nonce):
        return see_other("/")
    response = see_other("/sign-in")
    _drop(response, SESSION_COOKIE)
    return response


def _form(target: str, status: int = 200, problem: str = "", headers: list[tuple[str, str]] | None = None) -> Response:
    nonce = new_nonce()
    field = sessions().form_field(nonce)
    response = page("sign_in.html", status, headers=headers or (), target=target, field=field, problem=problem)
    set_cookie(response, FORM_COOKIE, nonce, FORM_LASTS)
    return response


def _is_own_form(nonce: str) -> bool:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    return sessions().is_own_form(request.form.get("form", ""), nonce)


def _drop(response: Response, cookie: str) -> None:
    response.delete_cookie(cookie, path=path("/"), secure=is_secure(), httponly=True, samesite="Strict")


@pages.app_errorhandler(SessionKeyUnusable)
def no_key(error: SessionKeyUnusable) -> Response:
    """Nobody can sign in; why is for the log, which names a file or a variable and nothing of anybody."""
    current_app.extensions["gapsvc.log"].error("no session key", request_id=g.get("request_id"), reason=str(error))
    return page(
        "error.html", 503, title="Signing in is not possible now", advice="Tell your administrator: the log says why."
    )
