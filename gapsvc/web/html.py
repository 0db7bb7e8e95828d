"""Answers in HTML: every page is made here, with the headers that keep it to the person who asked."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, render_template, request

from gapsvc import SOFTWARE, VERSION
from gapsvc.api.service import service
from gapsvc.publishing import pages_base

pages = Blueprint("pages", __name__, template_folder="templates")

# Nothing but our own style sheet and pictures is loaded, no script runs, nobody frames the page, and no address of a
# child leaves with a link.
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
)


def page(template: str, status: int = 200, *, headers: Iterable[tuple[str, str]] = (), **values: Any) -> Response:
    """A page from a template. Every template knows `path` (addresses behind a prefix) and who is signed in."""
    body = render_template(
        template,
        path=path,
        software=f"{SOFTWARE} {VERSION}",
        client=g.get("client"),
        session=g.get("session"),
        form_field=g.get("form_field", ""),
        request_id=g.get("request_id", ""),
        **values,
    )
    response = Response(body, status, content_type="text/html; charset=utf-8")
    _guard(response, headers)
    return response


def see_other(local: str) -> Response:
    """Go on with a GET of one of our own addresses."""
    response = Response(status=303)
    _guard(response, [("Location", path(local))])
    response.autocorrect_location_header = False
    return response


def _guard(response: Response, headers: Iterable[tuple[str, str]]) -> None:
    for name, value in (*HEADERS.items(), *headers):
        response.headers[name] = value


def path(local: str) -> str:
    """An address of ours as the browser needs it: behind a proxy's prefix, where the public base has one."""
    return urlsplit(pages_base(service().base_url)).path + local


def is_secure() -> bool:
    """Whether people reach us over https: by the public base, or by this request."""
    return service().base_url.startswith("https://") or request.is_secure


def set_cookie(response: Response, name: str, value: str, lasts: timedelta | None = None) -> None:
    """A cookie that no script reads and no other site sends; without `lasts` the browser drops it when it ends."""
    response.set_cookie(
        name,
        value,
        max_age=lasts,
        path=path("/"),
        secure=is_secure(),
        httponly=True,
        samesite="Strict",
    )


def wants_html() -> bool:
    """Whether the request comes from a browser: it asks for HTML by name."""
    return any(value.lower().startswith("text/html") and quality > 0 for value, quality in request.accept_mimetypes)
