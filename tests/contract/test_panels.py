"""Streams for many children, and what happens when something fails on the way."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from contract_client import PERIOD, Api, outcome
from fhir.resources.R4B.parameters import Parameters
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import cql_like
from fhir_profiles.validate_bundle import validate_bundle
from gapsvc.api.gap_bundles import AnswerBrokenOff
from gapsvc.app import create_app
from gapsvc.evaluation.evaluator import Evaluator, PreparedEvaluation
from gapsvc.records.record import PatientRecord
from gapsvc.store import Store, StoreError

STATUSES = ["open-gap", "closed-gap", "prospective-gap", "not-applicable"]
HEADERS = {"Authorization": "Bearer token-all"}


class _Failing:
    """An evaluator whose rules fail on one child, with a message that quotes her."""

    def __init__(self, sound: Evaluator, child: str) -> None:
        self.sound, self.child = sound, child
        self.measure, self.library = sound.measure, sound.library

    def on(self, *period: Any) -> Any:
        prepared = self.sound.on(*period)
        return _FailingOn(prepared, self.child)


class _FailingOn:
    def __init__(self, prepared: PreparedEvaluation, child: str) -> None:
        self.prepared, self.child, self.measure = prepared, child, prepared.measure

    def evaluate(self, record: PatientRecord) -> Any:
        if record.person_id == self.child:
            raise cql_like.CqlRuntimeError(f"no such day in the record of {self.child}")
        return self.prepared.evaluate(record)


def failing(api: Api, child: str, *measures: str) -> FlaskClient:
    evaluators = {
        name: _Failing(one, child) if name in measures else one for name, one in api.service.evaluators.items()
    }
    service = replace(api.service, evaluators=evaluators)  # type: ignore[arg-type]
    return create_app(service).test_client()


def ask(client: FlaskClient, **query: Any) -> TestResponse:
    asked = {**PERIOD, "status": STATUSES, **query}
    return client.get("/fhir/Measure/$care-gaps", query_string=asked, headers=HEADERS)


def bundles(response: TestResponse) -> list[dict[str, Any]]:
    body = orjson.loads(response.data)
    Parameters.model_validate(body)
    found = [parameter["resource"] for parameter in body["parameter"]]
    assert [problem for bundle in found for problem in validate_bundle(bundle)] == []
    return found


def subject(bundle: dict[str, Any]) -> str:
    (patient,) = [e["resource"]["id"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient"][:1]
    return patient


def failures(bundle: dict[str, Any]) -> list[str]:
    return [
        issue["diagnostics"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "OperationOutcome"
        for issue in entry["resource"]["issue"]
    ]


def test_one_child_whose_rules_fail_does_not_stop_the_others(api: Api) -> None:
    members = api.service.store.person_ids(group=api.group)
    child = members[3]
    found = bundles(ask(failing(api, child, *api.service.evaluators), subject=f"Group/{api.group}"))
    assert [subject(bundle) for bundle in found] == members
    said = {subject(bundle): failures(bundle) for bundle in found if failures(bundle)}
    assert list(said) == [child]
    assert [text.split(" failed")[0] for text in said[child]] == [
        f"the rules of Measure/{measure}" for measure in api.service.evaluators
    ]


@pytest.mark.parametrize("document", ["true", "false"])
def test_what_can_be_evaluated_is_answered_beside_the_failure(api: Api, document: str) -> None:
    child = api.service.store.person_ids(group=api.group)[0]
    asked = {"subject": f"Patient/{child}", "measureId": ["w30", "three-by-120"], "isDocument": document}
    (bundle,) = bundles(ask(failing(api, child, "w30"), **asked))
    measures = [e["resource"]["measure"] for e in bundle["entry"] if e["resource"]["resourceType"] == "MeasureReport"]
    assert measures == ["https://gapsvc.example/fhir/Measure/three-by-120|1.0.0"]
    assert len(failures(bundle)) == 1
    assert child not in failures(bundle)[0]


def test_a_failure_is_said_even_where_no_gap_has_the_asked_status(api: Api) -> None:
    child = next(
        person
        for person, truth in api.truth.items()
        if all(gap["status"] == "not-applicable" for gap in truth["measures"]["three-by-120"].values())
    )
    asked = {"subject": f"Patient/{child}", "measureId": ["w30", "three-by-120"], "status": "open-gap"}
    (bundle,) = bundles(ask(failing(api, child, "w30"), **asked))
    assert (bundle["type"], len(failures(bundle))) == ("collection", 1)


def test_one_child_of_whom_nothing_can_be_said_is_an_error(api: Api) -> None:
    child = api.service.store.person_ids()[0]
    response = ask(failing(api, child, *api.service.evaluators), subject=f"Patient/{child}")
    assert response.status_code == 500
    issues = outcome(response)
    assert [code for code, _, _ in issues] == ["exception"] * len(api.service.evaluators)
    assert child not in str(issues)


def lost_after(records: Iterator[PatientRecord], count: int) -> Iterator[PatientRecord]:
    for number, record in enumerate(records):
        if number == count:
            raise StoreError("the disk of Maria Canary is full")
        yield record


def test_an_answer_that_cannot_be_ended_breaks_off(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three children are sent, then the database is gone: no client may take that for the whole panel."""
    whole = Store.records
    monkeypatch.setattr(Store, "records", lambda self, **asked: lost_after(whole(self, **asked), 3))
    response = ask(api.flask, subject=f"Group/{api.group}")
    sent = b""
    with pytest.raises(AnswerBrokenOff) as caught:
        for part in response.response:
            sent += part
    assert (caught.value.args, caught.value.__cause__, caught.value.__suppress_context__) == ((), None, True)
    assert sent.count(b'"name":"return"') == 3
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(sent)
    logged = capsys.readouterr().err
    assert response.headers["X-Request-Id"] in logged
    assert "an answer broke off" in logged
    assert "Canary" not in logged


def test_a_database_that_is_gone_at_once_is_an_error(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "records", lambda self, **asked: lost_after(iter(()), 0))

    def gone(*_: Any, **__: Any) -> None:
        raise StoreError("the disk of Maria Canary is full")

    monkeypatch.setattr(Store, "record_of_patient", gone)
    response = ask(api.flask, subject="Patient/any")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    ((code, text, _),) = outcome(response)
    assert code == "transient"
    assert "Canary" not in text


def test_an_empty_panel_is_an_empty_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "person_ids", lambda self, **_: [])
    response = ask(api.flask, subject=f"Group/{api.group}")
    assert (response.status_code, orjson.loads(response.data)) == (200, {"resourceType": "Parameters"})
