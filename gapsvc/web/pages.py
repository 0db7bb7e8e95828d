"""The pages' addresses: finding a child, the page of one child, and what the pages are drawn with."""

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, request
from jinja2 import StrictUndefined

from gapsvc.api.access import reads, require_read
from gapsvc.api.answers import refuse
from gapsvc.api.gap_bundles import RequestLog
from gapsvc.api.parameters import is_id
from gapsvc.api.service import Service, service
from gapsvc.evaluation.child import ChildView
from gapsvc.records.record import PatientRecord
from gapsvc.web.child_page import child_page
from gapsvc.web.finding import find
from gapsvc.web.html import page, pages, see_other

STATIC = Path(__file__).parent / "static"
KEPT = "public, max-age=86400, immutable"  # the address changes with the content


def register_pages(app: Flask) -> None:
    """Put the pages into the app."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["version_of"] = version_of
    app.register_blueprint(pages)


@pages.route("/", methods=["GET", "POST"])
@reads("Patient")
def find_child() -> Response:
    """A form, and whom it finds. What is typed is sent in the body: names are no part of an address."""
    here = service()
    if request.method != "POST":
        return page("find.html", asked={}, found=None)
    asked = {name: request.form.get(name, "")[:200] for name in ("name", "birth_date", "id")}
    found = find(here.store, asked, here.today)
    return page("find.html", 400 if found.problem else 200, asked=asked, found=found)


@pages.get("/patients/<patient_id>")
@reads("Patient", "MeasureReport")
def child(patient_id: str) -> Response:
    """The page of one child as of the service's day; an id of a linked record leads to the person's page."""
    here = service()
    require_read(*sorted(here.children.types))  # what the page shows, as evidence or in words
    record = here.store.record_of_patient(patient_id) if is_id(patient_id) else None
    if record is None:
        raise refuse(404, "not-found", "there is no such Patient")
    if record.person_id != patient_id:
        return see_other(f"/patients/{record.person_id}")
    return page("child.html", child=child_page(_view(here, record)))


def _view(here: Service, record: PatientRecord) -> ChildView:
    """All that is said of a child today; what failed on the way is logged."""
    log = RequestLog.of_request()

    def on_failure(name: str, error: Exception) -> None:
        log.failed("rules failed on a record", error, measure=name)

    return here.children.on(here.today).view(record, on_failure=on_failure)


def style() -> Response:
    """The style sheet. Open: the sign-in needs it."""
    return _asset("style.css", "text/css; charset=utf-8")


def icon() -> Response:
    """The icon. Open, as the style sheet is."""
    return _asset("icon.svg", "image/svg+xml")


pages.add_url_rule("/style.css", view_func=style)
pages.add_url_rule("/icon.svg", view_func=icon)


def _asset(name: str, content_type: str) -> Response:
    body, digest = _read(name)
    response = Response(body, content_type=content_type)
    response.headers["Cache-Control"] = KEPT if request.args.get("v") == digest else "no-cache"
    response.set_etag(digest)
    response.make_conditional(request)
    return response


@lru_cache
def _read(name: str) -> tuple[bytes, str]:
    """A file of ours, and the beginning of its digest. Files don't change while the service runs."""
    body = (STATIC / name).read_bytes()
    return body, sha256(body).hexdigest()[:16]


def version_of(name: str) -> str:
    """What an address of a file carries so that browsers ask anew when the file is another."""
    return _read(name)[1]
