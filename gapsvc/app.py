"""The Flask app factory: endpoints for programs (gapsvc.api) and pages for people (gapsvc.web) in one application."""

import secrets
import time

from flask import Flask, Response, g, request

from gapsvc.api.access import register_access
from gapsvc.api.answers import register_errors
from gapsvc.api.artefacts import artefacts
from gapsvc.api.capability import capability
from gapsvc.api.care_gaps import care_gaps
from gapsvc.api.cql import cql
from gapsvc.api.evaluate import evaluate
from gapsvc.api.forms import register_forms
from gapsvc.api.health import health
from gapsvc.api.hooks import hook_error, hooks, register_cors
from gapsvc.api.immds import immds
from gapsvc.api.records import records
from gapsvc.api.service import Service
from gapsvc.config import load
from gapsvc.storing import store_of
from gapsvc.telemetry import configure_logging, logger
from gapsvc.web import error_page, register_pages, signed_in

MAX_BODY_BYTES = 1_000_000  # the largest request is a Parameters of a few dozen lines


def create_app(service: Service | None = None) -> Flask:
    """The WSGI application. Without a service, one is started from the settings (wsgi.py, gunicorn, granian)."""
    app = Flask("gapsvc.api", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # OPTIONS is a wrong method here (405), as the scopes' check needs
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.extensions["gapsvc"] = service or _from_settings()
    app.extensions["gapsvc.log"] = logger("gapsvc.api")
    register_errors(app, page=lambda *error: hook_error(*error) or error_page(*error))
    _register_request_log(app)
    register_cors(app)
    register_access(app, signed_in=signed_in)
    register_forms(app)
    app.register_blueprint(health)
    app.register_blueprint(hooks)
    for part in (capability, care_gaps, evaluate, cql, immds, artefacts, records):
        app.register_blueprint(part, url_prefix="/fhir")
    register_pages(app)
    return app


def _from_settings() -> Service:
    settings = load()
    configure_logging(settings["log.level"], settings["log.format"])
    store = store_of(settings)
    store.migrate()
    return Service.start(settings, store)


def _register_request_log(app: Flask) -> None:
    """One line a request: who asked which endpoint, how it ended, how long it took. Never an address with its
    parameters: they name children."""

    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        g.request_id = secrets.token_hex(8)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        client = g.get("client")
        app.extensions["gapsvc.log"].info(
            "request",
            request_id=g.request_id,
            client=client.id if client else None,
            method=request.method,
            endpoint=request.endpoint,
            status=response.status_code,
            milliseconds=round((time.perf_counter() - g.started) * 1000, 1),
        )
        return response
