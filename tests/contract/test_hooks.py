"""CDS Hooks 2.0 over HTTP: discovery, the card, whose record it is, errors, feedback, browsers of other origins."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from contract_client import AS_OF, NOW, Api, settings_for
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from adapters.files import FileSource
from gapsvc import jobs
from gapsvc.api import Service
from gapsvc.api.hook_request import USERS
from gapsvc.app import create_app
from gapsvc.config import ClientSettings, Settings, SettingsError, SourceSettings, load
from gapsvc.evaluation.catalogue import types_to_pull
from gapsvc.store import Store
from gapsvc.telemetry import configure_logging

SERVICE = "/cds-services/childrens-care-gaps"
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"


def asked(patient: str, **more: Any) -> dict[str, Any]:
    return {
        "hook": "patient-view",
        "hookInstance": INSTANCE,
        "context": {"userId": "Practitioner/nurse", "patientId": patient},
        **more,
    }


def problems(response: TestResponse) -> dict[str | None, str]:
    """at -> problem of an error; errors of CDS Hooks are JSON, no FHIR."""
    assert response.content_type == "application/json"
    body = response.get_json()
    assert set(body) == {"error", "problems"}
    return {one.get("at"): one["problem"] for one in body["problems"]}


# ---- two clinics that use the same ids, and an EHR in a browser

CHILD = {"resourceType": "Patient", "id": "p1", "birthDate": "2026-05-02", "gender": "male"}
OTHER = {"resourceType": "Patient", "id": "p1", "birthDate": "2014-03-01", "gender": "female"}
WELL = {"resourceType": "Patient", "id": "grown", "birthDate": "1950-01-01", "gender": "female"}
DOSE = {
    "resourceType": "Immunization",
    "id": "i1",
    "status": "completed",
    "patient": {"reference": "Patient/p1"},
    "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "110"}]},
    "occurrenceDateTime": "2026-07-02",
}
EVIL = "[x](http://evil.example) <script>"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("hooks")
    for name, resources in (("east", [CHILD, DOSE]), ("west", [OTHER]), ("north", [WELL, {**CHILD, "id": "only"}])):
        (home / name).mkdir()
        (home / name / "all.ndjson").write_bytes(b"\n".join(orjson.dumps(one) for one in resources))
    base = settings_for(home).with_values(hooks__origins=("https://ehr.example",), reporter__name=EVIL)
    reader = hashlib.sha256(b"token-reader").hexdigest()
    settings = Settings(
        home,
        base.values,
        (*base.clients, ClientSettings("reader", reader, ("system/Patient.rs", "system/MeasureReport.rs"))),
        (
            SourceSettings("east", "https://east.example/fhir"),
            SourceSettings("west", "https://west.example:8443/r4/"),
            SourceSettings("north", str(home / "north")),
        ),
    )
    with Store.open(settings.database_url) as store:
        store.migrate()
        made = Service.start(settings, store, base_url="https://gaps.example/fhir", now=lambda: NOW)
        for name in ("east", "west", "north"):
            jobs.pull(store, FileSource(home / name, name), types_to_pull(made.evaluators.values()), now=NOW)
        yield made


@pytest.fixture
def ehr(service: Service) -> FlaskClient:
    return create_app(service).test_client()


def call(ehr: FlaskClient, body: Any, token: str = "token-all", path: str = SERVICE, **headers: str) -> TestResponse:
    return ehr.post(path, json=body, headers={"Authorization": f"Bearer {token}", **headers})


EAST = "https://east.example/fhir/"
WEST = "https://WEST.example:8443/r4"


# ---- discovery and the card


def test_discovery_says_what_there_is(api: Api) -> None:
    response = api.get("/cds-services")
    assert (response.status_code, response.content_type) == (200, "application/json")
    (found,) = response.get_json()["services"]
    assert (found["hook"], found["id"]) == ("patient-view", "childrens-care-gaps")


def test_the_card_of_a_child_who_is_behind(ehr: FlaskClient) -> None:
    response = call(ehr, asked("p1", fhirServer=EAST))
    assert (response.status_code, response.content_type) == (200, "application/json")
    assert response.headers["Cache-Control"] == "no-store"
    (card,) = response.get_json()["cards"]
    assert set(card) == {"uuid", "summary", "indicator", "detail", "source", "links"}
    assert " due today: " in card["summary"]
    assert len(card["summary"]) < 140
    assert card["indicator"] == "warning"
    assert "**DTaP, dose 2**: overdue since" in card["detail"]
    assert "   - CDC's immunization schedule 4.64: overdue since " in card["detail"]
    assert "   - Bright Futures/AAP periodicity 2024-06: " in card["detail"]
    assert "_As of Nov 22, 2026._" in card["detail"]
    (link,) = card["links"]
    assert link["type"] == "absolute"
    assert link["url"].startswith("https://gaps.example/patients/")


def test_what_a_clinic_is_called_is_no_markup(ehr: FlaskClient) -> None:
    (card,) = call(ehr, asked("p1", fhirServer=EAST)).get_json()["cards"]
    assert card["source"] == {"label": "[x](http://evil.example) ‹script›"}  # plain text
    assert "<" not in card["detail"] and "<" not in card["summary"]


def test_a_portals_user_sees_nothing_confidential(service: Service, ehr: FlaskClient, monkeypatch: Any) -> None:
    record = service.store.record_of_patient("only")
    assert record is not None
    teen = replace(record, patient={**record.patient, "birthDate": "2010-03-01"})
    monkeypatch.setattr(Store, "record", lambda *_: teen)

    def said(user: str) -> str:
        body = asked("only") | {"context": {"userId": user, "patientId": "only"}}
        return call(ehr, body).get_json()["cards"][0]["detail"]

    clinical = said("Practitioner/nurse")
    assert "HIV test" in clinical or "Depression and suicide risk screening" in clinical
    for user in ("Patient/only", "RelatedPerson/mother"):
        assert "HIV" not in said(user) and "Depression" not in said(user) and "onfidential" not in said(user)


def test_no_card_for_whom_nothing_is_due_and_none_for_a_child_who_has_died(
    service: Service, ehr: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = service.store.record_of_patient("only")
    assert record is not None
    died = replace(record, patient={**record.patient, "deceasedBoolean": True})
    monkeypatch.setattr(Store, "record", lambda *_: died)
    response = call(ehr, asked("only"))
    assert (response.status_code, response.get_json()) == (200, {"cards": []})


def test_every_child_of_the_sandbox_is_answered(api: Api) -> None:
    shown = 0
    for child in list(api.truth)[:40]:
        response = api.post(SERVICE, asked(child))
        assert response.status_code == 200, response.text
        for card in response.get_json()["cards"]:
            shown += 1
            assert 0 < len(card["summary"]) < 140
            assert card["indicator"] in ("info", "warning")
    assert shown > 10


def test_the_documented_request_is_answered_with_a_card_like_the_documented_one(api: Api) -> None:
    page = (Path(__file__).parents[2] / "docs" / "cds-hooks.md").read_text()
    (body,) = re.findall(r"--data '(.*?)'\n", page, re.DOTALL)
    (documented,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    (shown,) = orjson.loads(documented)["cards"]
    for child, truth in api.truth.items():
        request = orjson.loads(body.replace("child-000031", child).replace("2024-12-27", truth["birth_date"]))
        cards = api.post(SERVICE, request).get_json()["cards"]
        if cards:
            assert set(cards[0]) == set(shown)
            assert cards[0]["uuid"] == shown["uuid"]  # of the same hookInstance
            return
    raise AssertionError("no child has a card")


# ---- whose record


def test_the_fhir_server_says_which_source_an_id_is_of(ehr: FlaskClient) -> None:
    def page(server: str) -> str:
        (card,) = call(ehr, asked("p1", fhirServer=server)).get_json()["cards"]
        return card["links"][0]["url"]

    assert page(EAST) != page(WEST)
    assert "Well-child visit, 12 years" in call(ehr, asked("p1", fhirServer=WEST)).get_json()["cards"][0]["detail"]


def test_an_id_of_several_sources_without_a_server_is_not_guessed(ehr: FlaskClient) -> None:
    response = call(ehr, asked("p1"))
    assert response.status_code == 412
    assert problems(response) == {
        "context.patientId": "several sources have a patient of this id; send the fhirServer it is of"
    }


def test_an_id_of_one_source_needs_no_server(ehr: FlaskClient) -> None:
    assert call(ehr, asked("only")).status_code == 200


@pytest.mark.parametrize("patient", ["nobody", "only"])
def test_a_patient_that_this_server_does_not_have_is_not_answered(ehr: FlaskClient, patient: str) -> None:
    response = call(ehr, asked(patient, fhirServer=EAST))
    assert response.status_code == 412
    assert problems(response) == {
        "context.patientId": "there is no record of this patient here: it has not been pulled"
    }


def test_a_server_that_is_no_source_needs_the_prefetched_patient(ehr: FlaskClient) -> None:
    unknown = "https://elsewhere.example/fhir"
    response = call(ehr, asked("only", fhirServer=unknown))
    assert response.status_code == 412
    assert "prefetch.patient has to show whose record it is" in problems(response)["fhirServer"]
    shown = {"resourceType": "Patient", "id": "only", "birthDate": "2026-05-02"}
    assert call(ehr, asked("only", fhirServer=unknown, prefetch={"patient": shown})).status_code == 200


@pytest.mark.parametrize(
    ("shown", "problem"),
    [
        (
            {"resourceType": "Patient", "id": "p1", "birthDate": "2026-05-03"},
            "its birth date is not that of the record",
        ),
        ({"resourceType": "Patient", "id": "p1", "birthDate": "2025"}, "its birth date is not that of the record"),
        ({"resourceType": "Patient", "id": "p2", "birthDate": "2026-05-02"}, "its id is not context.patientId"),
    ],
)
def test_there_is_no_answer_about_another_child(ehr: FlaskClient, shown: dict[str, Any], problem: str) -> None:
    response = call(ehr, asked("p1", fhirServer=EAST, prefetch={"patient": shown}))
    assert response.status_code == 412
    assert problem in problems(response)["prefetch.patient"]
    assert "2026" not in response.text


@pytest.mark.parametrize(
    "shown",
    [
        None,
        {"resourceType": "Patient", "id": "p1", "birthDate": "2026-05-02"},
        {"resourceType": "Patient", "id": "p1", "birthDate": "2026-05"},
        {"resourceType": "Patient", "id": "p1"},
        {"resourceType": "OperationOutcome", "issue": []},
    ],
)
def test_a_prefetch_that_agrees_or_says_nothing_is_answered(ehr: FlaskClient, shown: Any) -> None:
    assert call(ehr, asked("p1", fhirServer=EAST, prefetch={"patient": shown})).status_code == 200


# ---- errors


def test_every_problem_of_a_request_is_named_at_once(ehr: FlaskClient) -> None:
    body = {
        "hook": "order-sign",
        "hookInstance": "7",
        "fhirServer": "ftp://east.example",
        "fhirAuthorization": {"access_token": "secret", "token_type": "MAC", "expires_in": "300"},
        "context": {"patientId": "a/b", "userId": "Organization/1"},
        "prefetch": {"patient": "Patient/1"},
    }
    response = call(ehr, body)
    assert response.status_code == 400
    assert problems(response) == {
        "hook": "expected patient-view",
        "hookInstance": "expected a UUID",
        "fhirServer": "expected a FHIR base URL, http or https",
        "fhirAuthorization.token_type": "expected Bearer",
        "fhirAuthorization.expires_in": "expected a whole number",
        "fhirAuthorization.scope": "required",
        "fhirAuthorization.subject": "required",
        "context.patientId": "expected a FHIR id: 1 to 64 of A-Z a-z 0-9 - .",
        "context.userId": "expected <type>/<id>, the type one of " + ", ".join(USERS),
        "prefetch.patient": "expected an object",
    }
    assert "secret" not in response.text


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({}, {"hook", "hookInstance", "context"}),
        ({**asked("p1"), "context": {}}, {"context.userId", "context.patientId"}),
        ({**asked("p1"), "context": None}, {"context"}),
        ({**asked("p1"), "prefetch": []}, {"prefetch"}),
        (
            {
                **asked("p1"),
                "fhirAuthorization": {
                    "access_token": "t",
                    "token_type": "Bearer",
                    "expires_in": 300,
                    "scope": "patient/*.read",
                    "subject": "s",
                },
            },
            {"fhirServer"},
        ),
        ([], {None}),
        ("text", {None}),
    ],
)
def test_a_request_that_can_not_be_read_says_where(ehr: FlaskClient, body: Any, at: set[str | None]) -> None:
    response = call(ehr, body)
    assert response.status_code == 400
    assert set(problems(response)) == at


@pytest.mark.parametrize(
    "instance",
    [f"{{{INSTANCE}}}", f"urn:uuid:{INSTANCE}", INSTANCE.replace("-", ""), INSTANCE + "\n", INSTANCE[:-1] + "٣"],
)
def test_a_uuid_has_one_form(ehr: FlaskClient, instance: str) -> None:
    response = call(ehr, {**asked("p1", fhirServer=EAST), "hookInstance": instance})
    assert problems(response) == {"hookInstance": "expected a UUID"}


@pytest.mark.parametrize("server", ["http://[", "http://a:99999/", "http://:80/", "http://a b/", "http://a/\u202e"])
def test_an_address_that_is_none_is_refused(ehr: FlaskClient, server: str) -> None:
    assert problems(call(ehr, asked("p1", fhirServer=server))) == {
        "fhirServer": "expected a FHIR base URL, http or https"
    }


def test_two_patients_in_one_request_are_not_chosen_between(ehr: FlaskClient) -> None:
    whole = orjson.dumps(asked("p1", fhirServer=EAST))
    for body, twice in (
        (whole.replace(b'"patientId":"p1"', b'"patientId":"other","patientId":"p1"'), "patientId"),
        (whole.replace(b'"context":', b'"context":{},"context":'), "context"),
    ):
        response = ehr.post(
            SERVICE, data=body, content_type="application/json", headers={"Authorization": "Bearer token-all"}
        )
        assert response.status_code == 400
        assert problems(response) == {None: f"the body is ambiguous: an object names {twice} twice"}


def test_what_the_specification_does_not_name_is_passed_over(ehr: FlaskClient) -> None:
    body = asked("p1", fhirServer=EAST, extension={"com.example.x": 1}, later="field")
    assert call(ehr, body).status_code == 200


def test_forms_of_bodies_and_addresses(ehr: FlaskClient) -> None:
    headers = {"Authorization": "Bearer token-all"}
    broken = ehr.post(SERVICE, data="{", content_type="application/json", headers=headers)
    assert (broken.status_code, list(problems(broken))) == (400, [None])
    text = ehr.post(SERVICE, data="{}", content_type="text/plain", headers=headers)
    assert (text.status_code, problems(text)[None]) == (415, "the body must be application/json")
    unknown = call(ehr, asked("p1"), path="/cds-services/other")
    assert unknown.status_code == 404
    assert "GET /cds-services lists what there is" in problems(unknown)[None]
    wrong = ehr.get(SERVICE, headers=headers)
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "POST")
    assert problems(wrong)


def test_an_error_nobody_foresaw_says_nothing(ehr: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise KeyError("Maria Canary")

    monkeypatch.setattr(Store, "persons_by_source", fail)
    response = call(ehr, asked("p1"))
    assert response.status_code == 500
    assert "Canary" not in response.text
    assert problems(response)


# ---- who may ask


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/cds-services"), ("POST", SERVICE), ("POST", f"{SERVICE}/feedback")]
)
def test_the_same_authorization_as_the_api(ehr: FlaskClient, method: str, path: str) -> None:
    def status(**headers: str) -> TestResponse:
        return ehr.open(path, method=method, json=asked("only"), headers=headers)

    assert status().status_code == 401
    assert status().headers["WWW-Authenticate"] == 'Bearer realm="gapsvc"'
    assert status(Authorization="Bearer wrong").status_code == 401
    assert status(Authorization="Bearer token-none").status_code == 403
    assert status(Authorization="Bearer token-measures").status_code == 403
    assert problems(status(Authorization="Bearer token-none"))


def test_the_card_needs_scopes_for_all_that_it_rests_on(ehr: FlaskClient) -> None:
    response = call(ehr, asked("only"), token="token-reader")
    assert response.status_code == 403
    assert "system/Immunization.rs" in response.headers["WWW-Authenticate"]
    assert ehr.get("/cds-services", headers={"Authorization": "Bearer token-reader"}).status_code == 200


# ---- feedback


def outcome_of(card: str = INSTANCE, outcome: str = "overridden", **more: Any) -> dict[str, Any]:
    return {"card": card, "outcome": outcome, "outcomeTimestamp": "2026-11-22T17:00:00Z", **more}


def test_feedback_is_counted_and_what_was_written_is_not_kept(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("info", "json")
    ehr = create_app(service).test_client()
    said = {"reason": {"system": "http://x.example", "code": "y"}, "userComment": "Maria Canary moved away"}
    body = {"feedback": [outcome_of(overrideReason=said), outcome_of(), outcome_of(outcome="accepted")]}
    response = call(ehr, body, path=f"{SERVICE}/feedback")
    assert (response.status_code, response.data) == (200, b"")
    assert "Content-Type" not in response.headers
    lines = [orjson.loads(line) for line in capsys.readouterr().err.splitlines()]
    configure_logging("error")
    (line,) = [line for line in lines if line["event"] == "cds hooks feedback"]
    assert (line["client"], line["accepted"], line["overridden"]) == ("all", 1, 2)
    assert "Canary" not in str(lines)


@pytest.mark.parametrize(
    ("feedback", "at"),
    [
        ([], "feedback"),
        ([outcome_of(card="7")], "feedback[0].card"),
        ([outcome_of(), outcome_of(outcome="ignored")], "feedback[1].outcome"),
        ([{**outcome_of(), "outcomeTimestamp": "2026-11-22"}], "feedback[0].outcomeTimestamp"),
    ],
)
def test_feedback_that_can_not_be_read_is_refused(ehr: FlaskClient, feedback: list[Any], at: str) -> None:
    response = call(ehr, {"feedback": feedback}, path=f"{SERVICE}/feedback")
    assert response.status_code == 400
    assert list(problems(response)) == [at]


# ---- browsers of other origins


def preflight(ehr: FlaskClient, origin: str, path: str = SERVICE) -> TestResponse:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return ehr.open(path, method="OPTIONS", headers=headers)


def test_a_page_of_a_configured_origin_may_call(ehr: FlaskClient) -> None:
    response = preflight(ehr, "https://ehr.example")
    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == "https://ehr.example"
    assert response.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert "Access-Control-Allow-Credentials" not in response.headers
    called = call(ehr, asked("only"), Origin="https://ehr.example")
    assert called.headers["Access-Control-Allow-Origin"] == "https://ehr.example"
    assert "Origin" in called.headers["Vary"]


def test_an_error_can_be_read_by_that_page_too(ehr: FlaskClient) -> None:
    refused = call(ehr, {}, token="wrong", Origin="https://ehr.example")
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, "https://ehr.example")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://ehr.example.evil.example", "*"])
def test_no_other_origin_may(ehr: FlaskClient, origin: str) -> None:
    assert preflight(ehr, origin).status_code == 401
    assert "Access-Control-Allow-Origin" not in call(ehr, asked("only"), Origin=origin).headers


def test_the_rest_of_the_api_is_not_for_other_origins(ehr: FlaskClient) -> None:
    response = preflight(ehr, "https://ehr.example", "/fhir/Patient")
    assert response.status_code == 401
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("origin", ["*", "ehr.example", "https://ehr.example/", "https://*.example", "null"])
def test_a_setting_that_is_no_origin_is_refused(tmp_path: Path, origin: str) -> None:
    with pytest.raises(SettingsError, match="expected origins"):
        load({"GAPSVC_HOOKS_ORIGINS": origin}, home=tmp_path)


def test_the_day_is_the_services(service: Service) -> None:
    assert service.today == AS_OF == date(2026, 11, 22)
