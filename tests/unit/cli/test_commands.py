"""The commands: what they do, what they say when they are used wrongly, and the exit codes."""

import socket
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

import cql_like
from adapters.http import RetryPolicy
from fhir_profiles.validate import validate
from gapsvc.cli import demo as demo_module
from gapsvc.cli import main
from gapsvc.cli.main import (
    EXIT_CHECK,
    EXIT_MEASURE,
    EXIT_NOT_FOUND,
    EXIT_PARTIAL,
    EXIT_SETTINGS,
    EXIT_SOURCE,
    EXIT_STORE,
    EXIT_SYSTEM,
    EXIT_USAGE,
)
from gapsvc.config import load
from gapsvc.evaluation.evaluator import PreparedEvaluation
from gapsvc.sandbox import generate, write

Run = Callable[..., Result]
AS_OF = "2026-11-22"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small population as NDJSON."""
    path = tmp_path_factory.mktemp("population") / "clinic"
    write(generate(5, 60, date.fromisoformat(AS_OF)), path)
    return path


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command with its own GAPSVC_HOME."""
    monkeypatch.setenv("GAPSVC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GAPSVC_LOG_FORMAT", "json")

    def command(*words: Any) -> Result:
        found = CliRunner().invoke(main, [str(word) for word in words])
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return found

    return command


def failed(result: Result, code: int, *said: str) -> None:
    assert result.exit_code == code, result.output
    for text in said:
        assert text in result.stderr
    assert "Traceback" not in result.output


# ---- evaluate --data


def test_a_folder_is_evaluated_without_a_database(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "reports.ndjson"
    result = run("evaluate", "--data", folder, "--measure", "w30", "--as-of", AS_OF, "--out", out)
    assert result.exit_code == 0, result.output
    reports = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    assert {report["measure"] for report in reports} == {"https://gapsvc.example/fhir/Measure/w30|1.0.0"}
    assert len({report["subject"]["reference"] for report in reports}) == len(reports) > 60
    assert [problem for report in reports for problem in validate(report)] == []
    assert f"{len(reports)} MeasureReports in {out}" in result.stdout
    assert "2026-01-01 to 2026-12-31, as of 2026-11-22" in result.stdout
    assert list((tmp_path / "home").glob("*.db")) == []
    assert list(tmp_path.glob("*.part")) == []


def test_a_single_file_can_be_evaluated(run: Run, folder: Path, tmp_path: Path) -> None:
    patients = next(folder.glob("Patient.ndjson*"))
    result = run("evaluate", "--data", patients, "--as-of", AS_OF, "--out", tmp_path / "reports.ndjson")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--data", "{folder}"), EXIT_USAGE, "--data needs --out"),
        (("--out", "x.ndjson"), EXIT_USAGE, "--out goes with --data"),
        (("--data", "{tmp}/absent", "--out", "x"), EXIT_USAGE, "does not exist"),
        (("--data", "{tmp}/empty", "--out", "{tmp}/x"), EXIT_SOURCE, "holds no FHIR JSON"),
        (("--data", "{tmp}/visits", "--out", "{tmp}/x"), EXIT_NOT_FOUND, "holds no Patient"),
        (("--data", "{folder}", "--out", "{tmp}/none/x"), EXIT_USAGE, "there is no folder"),
        (("--data", "{folder}", "--out", "{tmp}/empty"), EXIT_USAGE, "is a directory"),
        (
            ("--data", "{folder}", "--out", "x", "--measure", "w3"),
            EXIT_MEASURE,
            "there is no measure 'w3'; there are ",
        ),
        (("--data", "{folder}", "--out", "x", "--as-of", "20261122"), EXIT_USAGE, "expected YYYY-MM-DD"),
        (("--data", "{folder}", "--out", "x", "--as-of", "2026-02-30"), EXIT_USAGE, "--as-of"),
        (
            ("--data", "{folder}", "--out", "x", "--period-start", "2026-06-01", "--period-end", "2026-01-01"),
            EXIT_USAGE,
            "the period ends (2026-01-01) before it starts (2026-06-01)",
        ),
    ],
)
def test_evaluate_used_wrongly(
    run: Run, folder: Path, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "visits").mkdir()
    visit = {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"}}
    (tmp_path / "visits" / "Encounter.ndjson").write_bytes(orjson.dumps(visit))
    failed(run("evaluate", *(word.format(folder=folder, tmp=tmp_path) for word in words)), code, said)
    assert not (tmp_path / "x").exists()


def test_one_record_that_the_rules_cannot_take_stops_no_other(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = PreparedEvaluation.evaluate

    def evaluate(self: PreparedEvaluation, record: Any) -> Any:
        if self.measure.id == "w30" and record.person_id == "child-000007":
            raise cql_like.CqlRuntimeError("a date in the record of Maria Canary is beyond year 9999")
        return sound(self, record)

    monkeypatch.setattr(PreparedEvaluation, "evaluate", evaluate)
    out = tmp_path / "reports.ndjson"
    two = ("--measure", "three-by-120", "--measure", "w30")
    result = run("evaluate", "--data", folder, "--as-of", AS_OF, *two, "--out", out)
    failed(result, EXIT_PARTIAL, "some children could not be evaluated; all others were")
    assert "w30: the logic failed on 1 records: child-000007" in result.stdout
    assert "Canary" not in result.output
    subjects = [orjson.loads(line)["subject"]["reference"] for line in out.read_bytes().splitlines()]
    assert subjects.count("Patient/child-000007") == 1
    assert run("pull", "--from", folder).exit_code == 0
    failed(run("evaluate", "--as-of", AS_OF), EXIT_PARTIAL)
    failed(run("gaps", "child-000007", "--as-of", AS_OF), EXIT_PARTIAL)


def test_what_nobody_foresaw_is_shown_without_its_data(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def evaluate(self: PreparedEvaluation, record: Any) -> Any:
        raise KeyError("Maria Canary")

    monkeypatch.setattr(PreparedEvaluation, "evaluate", evaluate)
    out = tmp_path / "reports.ndjson"
    result = run("evaluate", "--data", folder, "--as-of", AS_OF, "--out", out)
    failed(result, 1, "unforeseen KeyError", "gapsvc/cli/data.py:")
    assert "Canary" not in result.output
    assert list(tmp_path.glob("reports*")) == []


# ---- the store's way: pull, evaluate, gaps


def test_pull_evaluate_gaps(run: Run, folder: Path) -> None:
    pulled = run("pull", "--from", folder, "--name", "clinic")
    assert pulled.exit_code == 0, pulled.output
    assert "pulled from clinic" in pulled.stdout
    assert "next: python -m gapsvc evaluate" in pulled.stdout
    evaluated = run("evaluate", "--as-of", AS_OF)
    assert evaluated.exit_code == 0, evaluated.output
    assert "next: python -m gapsvc gaps" in evaluated.stdout
    assert "0 new results for 0 children who were due" in run("evaluate", "--as-of", AS_OF).stdout
    listed = run("gaps", "--as-of", AS_OF, "--limit", "3")
    assert listed.exit_code == 0, listed.output
    assert "open gaps that can still be closed" in listed.stdout
    child = next(line.split()[1] for line in listed.stdout.splitlines() if line.startswith("│"))
    for written in (child, f"Patient/{child}"):
        story = run("gaps", written, "--as-of", AS_OF)
        assert story.exit_code == 0, story.output
        assert story.stdout.startswith(f"Patient/{child}, born ")
        assert "OPEN" in story.stdout
        assert "needs" in story.stdout
    failed(run("gaps", "nobody"), EXIT_NOT_FOUND, "there is no such Patient in the store")


def test_output_without_a_terminal_fits_into_110_columns(run: Run, folder: Path) -> None:
    run("pull", "--from", folder)
    for words in (("evaluate", "--as-of", AS_OF), ("gaps", "--as-of", AS_OF), ("pull", "--from", folder)):
        shown = run(*words).stdout
        assert max(len(line) for line in shown.splitlines()) <= 110, shown
        assert "\x1b" not in shown


def test_brackets_in_names_are_no_markup(run: Run, folder: Path) -> None:
    result = run("pull", "--from", folder, "--name", "[red]clinic[/bold] :baby:")
    assert result.exit_code == 0, result.output
    assert "pulled from [red]clinic[/bold] :baby:" in result.stdout


def test_an_empty_store_says_what_to_do(run: Run) -> None:
    for words in (("evaluate",), ("gaps",)):
        failed(run(*words), EXIT_NOT_FOUND, "the store holds no children; `python -m gapsvc pull` reads them")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), EXIT_SETTINGS, "there is no [[source]] in the settings"),
        (("north",), EXIT_SETTINGS, "no source north; there are: none"),
        (("north", "--from", "{tmp}"), EXIT_USAGE, "not both"),
        (("--vendor", "epic"), EXIT_USAGE, "--vendor goes with --from"),
        (("--client-id", "x"), EXIT_USAGE, "--client-id goes with --from"),
        (("--from", "{tmp}", "--vendor", "epik"), EXIT_USAGE, "'epic'"),
        (("--from", "{tmp}/absent"), EXIT_SOURCE, "there is no folder or file"),
        (("--from", "{tmp}"), EXIT_SOURCE, "holds no FHIR JSON"),
        (("--from", "https://ehr.example/fhir", "--vendor", "epic"), EXIT_SOURCE, "Epic-Client-ID"),
        (("--from", "http://"), EXIT_SOURCE, "is not a FHIR base URL"),
    ],
)
def test_pull_used_wrongly(run: Run, tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    failed(run("pull", *(word.format(tmp=tmp_path) for word in words)), code, said)


def test_an_ehr_that_is_not_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.http.RetryPolicy", partial(RetryPolicy, attempts=1))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = run("pull", "--from", f"http://127.0.0.1:{port}/fhir")
    failed(result, EXIT_SOURCE, "Pull again to go on")


def test_sources_of_the_settings(run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "gapsvc.toml").write_text(
        f'[[source]]\nname = "north"\nlocation = "{folder}"\n'
        f'[[source]]\nname = "south"\nlocation = "https://ehr.example/fhir"\ntoken_variable = "SOUTH_TOKEN"\n'
        f'[[source]]\nname = "west"\nlocation = "https://ehr.example/fhir"\nvendor = "epik"\n'
    )
    assert "pulled from north" in run("pull", "north").stdout
    failed(run("pull", "south"), EXIT_SETTINGS, "SOUTH_TOKEN is not set")
    failed(run("pull", "west"), EXIT_SETTINGS, "source west: no vendor 'epik'")
    failed(run("pull", "east"), EXIT_SETTINGS, "no source east; there are: north, south, west")


def test_settings_that_cannot_be_used(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPSVC_SERVER_PROT", "1")
    for words in (("gaps",), ("pull",), ("evaluate",), ("serve",), ("demo", "--exit")):
        failed(run(*words), EXIT_SETTINGS, "did you mean GAPSVC_SERVER_PORT?")


def test_a_database_that_cannot_be_used(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPSVC_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    for words in (("gaps",), ("evaluate",), ("serve", "--port", "0")):
        failed(run(*words), EXIT_STORE, "the store can't be used")


# ---- sandbox, token, serve, demo


def test_a_population_is_generated(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "sandbox"
    result = run("sandbox", "generate", "--out", out, "--size", "12", "--as-of", AS_OF, "--disorder", "none")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("12 children, ")
    assert f"next: python -m gapsvc sandbox serve {out}" in result.stdout
    assert len((out / "truth.ndjson").read_bytes().splitlines()) >= 12


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("generate",), EXIT_USAGE, "--out"),
        (("generate", "--out", "{tmp}/x", "--size", "0"), EXIT_USAGE, "--size"),
        (("generate", "--out", "{tmp}/x", "--size", "500001"), EXIT_USAGE, "--size"),
        (("generate", "--out", "{tmp}/x", "--as-of", "1900-01-01"), EXIT_USAGE, "2010-01-01 to 2100-12-31"),
        (("generate", "--out", "{tmp}/x", "--disorder", "chaos"), EXIT_USAGE, "no disorder is called 'chaos'"),
        (("generate", "--out", "{tmp}/file/x", "--size", "3"), EXIT_SYSTEM, "Not a directory"),
        (("serve", "{tmp}/absent"), EXIT_USAGE, "does not exist"),
        (("serve", "{tmp}"), EXIT_SOURCE, "holds no FHIR NDJSON"),
    ],
)
def test_sandbox_used_wrongly(run: Run, tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    (tmp_path / "file").touch()
    failed(run("sandbox", *(word.format(tmp=tmp_path) for word in words)), code, said)


@pytest.mark.parametrize(("option", "value"), [("--as-of", "1900-01-01"), ("--size", "500001"), ("--size", "49")])
def test_a_demo_beyond_what_the_sandbox_can_make(run: Run, option: str, value: str) -> None:
    failed(run("demo", "--exit", option, value), EXIT_USAGE, option)


def test_a_port_that_is_taken(run: Run, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        failed(run("sandbox", "serve", folder, "--port", port), EXIT_SYSTEM, f"port {port} is taken", "--port")
        failed(run("serve", "--port", port), EXIT_SYSTEM, f"can't listen on port {port} of 127.0.0.1", "--port")


def test_an_address_that_is_not_ours(run: Run) -> None:
    failed(run("serve", "--host", "no-such-host.invalid"), EXIT_SYSTEM, "can't listen on port 8080")


def test_a_token_and_its_lines(run: Run, tmp_path: Path) -> None:
    result = run("token", "my-plan", "--scope", "system/Patient.rs", "--scope", "system/MeasureReport.read")
    assert result.exit_code == 0, result.output
    token = result.stdout.splitlines()[0].rsplit(" ", 1)[1]
    home = tmp_path / "home"
    home.mkdir()
    (home / "gapsvc.toml").write_text(result.stdout.split("\n\n", 1)[1])
    (client,) = load({}, home=home).clients
    assert (client.id, client.scopes) == ("my-plan", ("system/Patient.rs", "system/MeasureReport.read"))
    assert token not in (home / "gapsvc.toml").read_text()


@pytest.mark.parametrize(
    "words", [(), ('a"\nb',), ("",), ("plan", "--scope", "system/Patient.raed"), ("plan", "--scope", "user/*.rs")]
)
def test_token_used_wrongly(run: Run, words: tuple[str, ...]) -> None:
    failed(run("token", *words), EXIT_USAGE)


def test_the_demo_on_the_sandbox_and_on_a_folder(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPSVC_SERVER_BASE_URL", "https://elsewhere.example/fhir")  # the demo's own address counts
    for words in (("--size", "60", "--as-of", AS_OF), ("--data", folder)):
        result = run("demo", "--exit", *words)
        assert result.exit_code == 0, result.output
        assert result.stdout.count("\ncurl -s ") == 3
        assert "one child's story:" in result.stdout
        assert "the service answers these three" in result.stdout


def test_the_demo_fails_where_the_service_does_not_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = demo_module._lines
    monkeypatch.setattr(demo_module, "_lines", lambda base, child, period: lines(base, "nobody", period))
    failed(run("demo", "--exit", "--size", "50", "--as-of", AS_OF), EXIT_CHECK, "did not answer as it should", "404")


def test_a_demo_without_children(run: Run, tmp_path: Path) -> None:
    (tmp_path / "Organization.ndjson").write_bytes(orjson.dumps({"resourceType": "Organization", "id": "o"}))
    failed(run("demo", "--exit", "--data", tmp_path), EXIT_NOT_FOUND, "holds no Patient")


def test_help_is_there_for_every_command(run: Run) -> None:
    assert "children's care gaps" in run("--help").stdout
    for name in main.commands:
        assert run(name, "--help").exit_code == 0
    failed(run("gap"), EXIT_USAGE, "No such command 'gap'")
