"""CDS Hooks 2.0: discovery, the `patient-view` service with its one card, and feedback (https://cds-hooks.hl7.org/2.0/).

The answers are those of the specification, its errors too: JSON, no OperationOutcome. 400: the request can't be read,
every problem named. 404: there is no such service. 412: the child's record can't be had ("unable to retrieve the
necessary FHIR data"), or it can't be told whose it is: there is no answer about another child. 401, 403: as everywhere.

The record is what was pulled; a request's own data are only held against it. Its access token is not used, nor kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson
from flask import Blueprint, Flask, Response, current_app, g, request

from fhir_profiles import cds_hooks
from fhir_profiles.outcome import OutcomeIssue
from gapsvc.api.access import reads, require_read
from gapsvc.api.answers import Refusal, refuse
from gapsvc.api.card import card_content
from gapsvc.api.gap_bundles import RequestLog
from gapsvc.api.hook_request import FeedbackRequest, HookRequest, read_hook
from gapsvc.api.service import Service, service
from gapsvc.publishing import page_of
from gapsvc.records.record import PatientRecord

hooks = Blueprint("hooks", __name__)
ROOT = "/cds-services"
RELATIVES = ("Patient/", "RelatedPerson/")  # a portal's users: a parent may look at a young person's chart

# ---- endpoints


@hooks.get(ROOT)
@reads("Patient", "MeasureReport")
def discover() -> Response:
    """The services that there are: one."""
    return _json(cds_hooks.discovery())


@hooks.post(f"{ROOT}/<service_id>")
@reads("Patient", "MeasureReport")
def call(service_id: str) -> Response:
    """The card of the patient whose chart was opened; no card where nothing is due today."""
    here = service()
    _known(service_id)
    require_read(*sorted(here.children.types))  # the card tells what these hold
    asked = read_hook(request, HookRequest())
    record = _record(here, asked)
    log = RequestLog.of_request()

    def on_failure(name: str, error: Exception) -> None:
        log.failed("rules failed on a record", error, measure=name)

    view = here.children.on(here.today).view(record, on_failure=on_failure)
    content = card_content(
        view,
        source=here.settings["reporter.name"],
        page_url=page_of(here.base_url, record.person_id),
        for_relatives=asked["context"]["userId"].startswith(RELATIVES),
    )
    return _json(cds_hooks.cards(content, asked["hookInstance"]))


@hooks.post(f"{ROOT}/<service_id>/feedback")
@reads("Patient", "MeasureReport")
def feedback(service_id: str) -> Response:
    """What became of cards: counted in the log, and not kept."""
    _known(service_id)
    outcomes = [one["outcome"] for one in read_hook(request, FeedbackRequest())["feedback"]]
    current_app.extensions["gapsvc.log"].info(
        "cds hooks feedback",
        request_id=g.request_id,
        client=g.client.id,
        accepted=outcomes.count("accepted"),
        overridden=outcomes.count("overridden"),
    )
    answer = _headed(Response(status=200))
    del answer.headers["Content-Type"]  # there is no content
    return answer


def _known(service_id: str) -> None:
    if service_id != cds_hooks.SERVICE_ID:
        raise refuse(404, "not-found", f"there is no such service; GET {ROOT} lists what there is")


# ---- whose record


def _record(here: Service, asked: Mapping[str, Any]) -> PatientRecord:
    """The record of the patient in context.

    A Patient id means something at one server only. Where `fhirServer` is the location of a source, it is that source's
    id. Otherwise it has to mean one person whatever the source; and where `fhirServer` is a server that we don't know,
    the prefetched Patient has to show that it is this one.

    Raises:
        Refusal: 412 where no record can be had, or it can't be told which.
    """
    patient_id: str = asked["context"]["patientId"]
    found = here.store.persons_by_source(patient_id)
    server: str | None = asked.get("fhirServer")
    names = [source.name for source in here.settings.sources if server and _same_server(source.location, server)]
    if names:
        persons = {found[name] for name in names if name in found}
    else:
        persons = set(found.values())
    if len(persons) > 1:
        raise _no_data("context.patientId", "several sources have a patient of this id; send the fhirServer it is of")
    record = here.store.record(persons.pop()) if persons else None
    if record is None:
        raise _no_data("context.patientId", "there is no record of this patient here: it has not been pulled")
    prefetched = (asked.get("prefetch") or {}).get("patient")
    shown = prefetched if prefetched and prefetched.get("resourceType") == "Patient" else None
    if shown is not None:
        _check_same(shown, record, patient_id)
    elif server is not None and not names:
        raise _no_data(
            "fhirServer",
            "no [[source]] of the settings has this location, so prefetch.patient has to show whose record it is",
        )
    return record


def _check_same(shown: Mapping[str, Any], record: PatientRecord, patient_id: str) -> None:
    """See that the EHR's Patient is the one whose record this is: its id is the one in context, its birth date ours."""
    if shown.get("id") not in (None, patient_id):
        raise _no_data("prefetch.patient", "its id is not context.patientId")
    theirs, ours = shown.get("birthDate"), record.patient.get("birthDate")
    if isinstance(theirs, str) and isinstance(ours, str):
        known = min(len(theirs), len(ours))  # either may be partial
        if theirs[:known] != ours[:known]:
            raise _no_data("prefetch.patient", "its birth date is not that of the record here: not the same child")


def _same_server(location: str, server: str) -> bool:
    """Whether two addresses are of one FHIR server: scheme, host and port, path without its last slash."""

    def parts(text: str) -> tuple[str, str | None, int | None, str] | None:
        try:
            split = urlsplit(text)
            port = split.port or {"http": 80, "https": 443}.get(split.scheme)
        except ValueError:
            return None
        return split.scheme, split.hostname, port, split.path.rstrip("/")

    return parts(location) == parts(server) is not None and "://" in location


def _no_data(at: str, text: str) -> Refusal:
    return Refusal(412, [OutcomeIssue("error", "processing", text, (at,))])


# ---- answers


def _json(answer: Any, status: int = 200) -> Response:
    return _headed(Response(orjson.dumps(answer), status, content_type="application/json"))


def _headed(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def hook_error(status: int, issues: Sequence[OutcomeIssue], headers: Iterable[tuple[str, str]]) -> Response | None:
    """An error to a CDS Hooks request as JSON: `error`, and each problem with its place; None: it was another request.

    The specification gives no form for errors beyond their status.
    """
    if not is_hook(request.path):
        return None
    problems = [
        {**({"at": issue.expression[0]} if issue.expression else {}), "problem": issue.diagnostics or issue.code}
        for issue in issues
    ]
    said = problems[0]["problem"] if len(problems) == 1 else f"{len(problems)} problems"
    response = _json({"error": said, "problems": problems}, status)
    for name, value in headers:
        response.headers[name] = value
    return response


def is_hook(path: str) -> bool:
    """Whether an address is one of CDS Hooks."""
    return path == ROOT or path.startswith(f"{ROOT}/")


# ---- browsers of other origins (Cross-Origin Resource Sharing)


def register_cors(app: Flask) -> None:
    """Let pages of the settings' origins (`hooks.origins`) call, and no others. Goes before authentication: a browser
    asks first (preflight) and sends no token with that."""

    @app.before_request
    def preflight() -> Response | None:
        if request.method != "OPTIONS" or not is_hook(request.path) or not _origin():
            return None
        if "Access-Control-Request-Method" not in request.headers:
            return None
        response = Response(status=204)
        response.headers["Access-Control-Allow-Methods"] = "GET, POST"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        response.headers["Access-Control-Max-Age"] = "600"
        return response

    @app.after_request
    def allow(response: Response) -> Response:
        if is_hook(request.path):
            response.headers.add("Vary", "Origin")
            origin = _origin()
            if origin:
                response.headers["Access-Control-Allow-Origin"] = origin
        return response


def _origin() -> str | None:
    """The request's Origin, if the settings list it."""
    origin = request.headers.get("Origin")
    return origin if origin in service().settings["hooks.origins"] else None
