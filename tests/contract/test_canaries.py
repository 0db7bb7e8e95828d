"""No patient data in logs (architecture.md, rule 7): canaries in records and in requests, everything run, logs read."""

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from contract_client import PERIOD, outcome, settings_for
from flask.testing import FlaskClient

from adapters.files import FileSource
from gapsvc import jobs
from gapsvc.api import Service
from gapsvc.app import create_app
from gapsvc.cli import main
from gapsvc.evaluation.catalogue import types_to_pull
from gapsvc.evaluation.evaluator import PreparedEvaluation
from gapsvc.store import Store
from gapsvc.telemetry import configure_logging, logger

CANARY = "Zebedee"  # in every value below: nothing else in the program holds it
AS_OF = date(2026, 11, 22)
PATIENT = {
    "resourceType": "Patient",
    "id": f"{CANARY}-1",
    "identifier": [{"system": "http://mrn.example", "value": f"{CANARY}-mrn"}],
    "name": [{"family": CANARY, "given": [f"Little{CANARY}"]}],
    "birthDate": "2026-08-01",
    "gender": "female",
    "address": [{"line": [f"1 {CANARY} Street"], "city": CANARY}],
    "telecom": [{"system": "phone", "value": f"555-{CANARY}"}],
    "managingOrganization": {"reference": "Organization/o"},
}
VISIT = {
    "resourceType": "Encounter",
    "id": f"{CANARY}-2",
    "status": "finished",
    "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
    "type": [{"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "99381"}], "text": CANARY}],
    "subject": {"reference": f"Patient/{CANARY}-1"},
    "period": {"start": "2026-08-10", "end": "2026-08-10"},
}
LINES = [
    orjson.dumps(PATIENT),
    orjson.dumps(VISIT),
    orjson.dumps({"resourceType": "Organization", "id": "o", "name": "Clinic"}),
    orjson.dumps({**VISIT, "id": f"{CANARY} bad id"}),
    orjson.dumps({**VISIT, "id": f"{CANARY}-3", "period": CANARY, "status": CANARY}),
    b'{"resourceType": "Encounter", "id": "' + CANARY.encode() + b'", broken',
]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    folder = tmp_path / "clinic"
    folder.mkdir()
    (folder / "all.ndjson").write_bytes(b"\n".join(LINES))
    return folder


@pytest.fixture
def api(tmp_path: Path, records: Path) -> Iterator[FlaskClient]:
    settings = settings_for(tmp_path)
    with Store.open(settings.database_url) as store:
        store.migrate()
        service = Service.start(settings, store, now=lambda: datetime(2026, 11, 22, tzinfo=UTC))
        chosen = list(service.evaluators.values())
        jobs.pull(store, FileSource(records, "clinic"), types_to_pull(chosen))
        jobs.evaluate_all(store, chosen, (date(2026, 1, 1), date(2026, 12, 31)), AS_OF)
        configure_logging("debug", "json")
        yield create_app(service).test_client()


def hook_request(patient: str) -> dict[str, Any]:
    """A CDS Hooks request whose every value holds the canary."""
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "fhirServer": f"https://{CANARY}.example/fhir",
        "fhirAuthorization": {
            "access_token": CANARY,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": CANARY,
            "subject": CANARY,
        },
        "context": {"userId": f"Practitioner/{CANARY}", "patientId": patient},
        "prefetch": {"patient": {**PATIENT, "id": patient}},
    }


def everything_is_asked(api: FlaskClient) -> list[Any]:
    """Each address with the canary wherever a value goes, in all ways that end well or badly."""
    child, gaps = f"Patient/{CANARY}-1", {**PERIOD, "status": "open-gap"}
    paths = {rule.rule for rule in api.application.url_map.iter_rules()}
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", f"/fhir/{child}", {}),
        ("GET", f"/fhir/{CANARY}/1", {}),
        ("DELETE", f"/fhir/{child}", {}),
        ("GET", "/fhir/Patient", {"query_string": {"name": CANARY}}),
        ("GET", "/fhir/Patient", {"query_string": {"birthdate": CANARY}}),
        ("GET", "/fhir/Patient", {"query_string": {CANARY: "1"}}),
        ("GET", "/fhir/Patient", {"query_string": f"name=%ff{CANARY}"}),
        ("POST", "/fhir/Patient/_search", {"data": {"identifier": f"http://mrn.example|{CANARY}-mrn"}}),
        ("GET", "/fhir/MeasureReport", {"query_string": {"patient": child}}),
        ("GET", "/fhir/MeasureReport", {"query_string": {"patient": f"{CANARY}-none"}}),
        ("GET", "/fhir/Measure/$care-gaps", {"query_string": {**gaps, "subject": child}}),
        ("GET", "/fhir/Measure/$care-gaps", {"query_string": {**gaps, "subject": f"Patient/{CANARY}"}}),
        ("GET", "/fhir/Measure/$care-gaps", {"query_string": {**gaps, "subject": CANARY * 100}}),
        ("GET", "/fhir/Measure/$care-gaps", {"query_string": {**gaps, "organization": "o"}}),
        ("POST", "/fhir/Measure/$care-gaps", {"data": f"{{{CANARY}", "content_type": "application/fhir+json"}),
        ("POST", "/cds-services/childrens-care-gaps", {"json": hook_request(f"{CANARY}-1")}),
        ("POST", "/cds-services/childrens-care-gaps", {"json": hook_request(f"{CANARY}-none")}),
        ("POST", "/cds-services/childrens-care-gaps", {"json": {**hook_request(CANARY), "hook": CANARY}}),
        ("POST", f"/cds-services/{CANARY}", {"json": hook_request(CANARY)}),
        ("POST", "/cds-services/childrens-care-gaps/feedback", {"json": {"feedback": [{"card": CANARY}]}}),
        *(
            (method, path.replace("<", "").replace(">", ""), {"query_string": {"x": CANARY, "subject": child}})
            for path in sorted(paths)
            for method in ("GET", "POST")
        ),
    ]
    answers = []
    for method, path, options in asked:
        for token in ("token-all", f"token-{CANARY}"):
            headers = {"Authorization": f"Bearer {token}", "X-Request-Id": CANARY, "User-Agent": CANARY}
            response = api.open(path, method=method, headers=headers, **options)
            assert response.data is not None
            answers.append(response)
    return answers


def test_requests_leave_no_data_in_the_log(api: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    answers = everything_is_asked(api)
    assert any(CANARY in answer.text for answer in answers)  # they were answered
    logged = capsys.readouterr().err
    lines = [orjson.loads(line) for line in logged.splitlines()]
    assert {line["request_id"] for line in lines} == {answer.headers["X-Request-Id"] for answer in answers}
    assert {line["event"] for line in lines} == {"request"}
    assert CANARY not in logged


def test_failures_leave_no_data_in_the_log_or_the_answer(
    api: FlaskClient, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyError(f"{CANARY}, 1 {CANARY} Street")

    for name in ("record_of_patient", "search_patients", "person_of", "search_results", "person_ids", "exists"):
        monkeypatch.setattr(Store, name, fail)
    answers = [answer for answer in everything_is_asked(api) if answer.status_code == 500]
    assert len(answers) >= 5
    for answer in answers:
        assert [code for code, _, _ in outcome(answer)] == ["exception"]
        assert CANARY not in answer.text
    logged = capsys.readouterr().err
    assert CANARY not in logged
    errors = [line for line in map(orjson.loads, logged.splitlines()) if line["level"] == "error"]
    assert {(line["event"], line["error"]) for line in errors} == {("unforeseen error", "KeyError")}
    assert {line["request_id"] for line in errors} == {answer.headers["X-Request-Id"] for answer in answers}
    assert all(line["place"] for line in errors)


def test_what_libraries_log_is_kept_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("debug", "json")
    library = logging.getLogger("waitress")
    library.debug("GET /fhir/Patient/%s", CANARY)
    try:
        raise ValueError(CANARY)
    except ValueError:
        library.exception(f"Exception while serving /fhir/Patient/{CANARY}")  # as waitress does
    logger("gapsvc.test").debug("ours", number=1)
    logged = capsys.readouterr().err
    assert CANARY not in logged
    (foreign, ours) = [orjson.loads(line) for line in logged.splitlines()]
    assert (foreign["event"], foreign["logger"], foreign["error"], foreign["level"]) == (
        "a library reports",
        "waitress",
        "ValueError",
        "error",
    )
    assert foreign["line"].startswith("test_canaries:")
    assert (ours["event"], ours["number"]) == ("ours", 1)


def test_commands_leave_no_data_on_stderr(tmp_path: Path, records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes to stderr is logged by whoever runs a command; what it is asked for goes to stdout."""
    monkeypatch.setenv("GAPSVC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GAPSVC_LOG_LEVEL", "debug")
    out = tmp_path / "reports.ndjson"
    data = ("evaluate", "--data", str(records), "--as-of", "2026-11-22", "--out", str(out))
    commands = [
        data,
        ("pull", "--from", str(records)),
        ("pull", "--from", f"http://127.0.0.1:1/fhir?name={CANARY}"),
        ("evaluate", "--as-of", "2026-11-22"),
        ("gaps", "--as-of", "2026-11-22"),
        ("gaps", f"{CANARY}-1", "--as-of", "2026-11-22"),
        ("gaps", f"{CANARY}-none"),
    ]

    def run() -> list[tuple[int, str]]:
        found = [CliRunner().invoke(main, command) for command in commands]
        assert [one.stderr for one in found if CANARY in one.stderr] == []
        return [(one.exit_code, one.stderr) for one in found]

    assert [code for code, _ in run()] == [0, 0, 4, 0, 0, 0, 7]
    assert CANARY in out.read_text()

    def fail(*_: Any, **__: Any) -> None:
        raise KeyError(f"{CANARY}, 1 {CANARY} Street")

    monkeypatch.setattr(PreparedEvaluation, "evaluate", fail)
    monkeypatch.setattr(Store, "write_batches", fail)
    codes = [code for code, _ in run()]
    assert codes.count(1) >= 2
