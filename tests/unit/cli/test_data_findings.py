"""What `evaluate --data`, `pull` and `gaps` say of data that are wrong: nothing goes by unsaid with exit code 0."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from gapsvc.cli import main
from gapsvc.cli.main import EXIT_SOURCE

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("GAPSVC_HOME", str(tmp_path / "home"))
    (tmp_path / "data").mkdir()

    def command(*words: Any) -> Result:
        found = CliRunner().invoke(main, [str(word) for word in words])
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return found

    return command


def ndjson(path: Path, *resources: dict[str, Any]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in resources))
    return path


def patient(name: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, **more}


def visit(name: str, of: str, day: str) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": name,
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "type": [{"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "99391"}]}],
        "subject": {"reference": f"Patient/{of}"},
        "period": {"start": day},
    }


def evaluate(run: Run, tmp_path: Path) -> Result:
    return run(
        "evaluate", "--data", tmp_path / "data", "--out", tmp_path / "out.ndjson", "--as-of", "2026-11-22",
        "--measure", "three-by-120",
    )  # fmt: skip


def said(result: Result) -> str:
    return " ".join(result.stderr.split())


def test_evaluate_says_what_is_wrong_with_whom(run: Run, tmp_path: Path) -> None:
    ndjson(
        tmp_path / "data" / "Patient.ndjson",
        patient("month", birthDate="2026-03"),
        patient("none"),
        patient("out", birthDate="2026-03-01", active=False),
        patient("twice", birthDate="2026-03-01"),
        patient("twice", birthDate="2026-04-01"),
        patient("fine", birthDate="2026-03-01"),
    )

    result = evaluate(run, tmp_path)

    assert result.exit_code == 0
    assert "data: 1 children (month): The birth date is not a full date" in said(result)
    assert "data: 1 children (none): The birth date is missing" in said(result)
    assert "data: 1 children (out): The EHR has put this Patient out of use" in said(result)
    assert "data: 1 children (twice): This Patient comes more than once with different birth dates" in said(result)


def test_gaps_says_it_of_the_child(run: Run, tmp_path: Path) -> None:
    ndjson(tmp_path / "data" / "Patient.ndjson", patient("month", birthDate="2026-03", active=False))
    run("pull", "--from", tmp_path / "data", "--name", "clinic")
    result = run("gaps", "month", "--as-of", "2026-11-22")
    told = " ".join(result.output.split())
    assert "The birth date is not a full date" in told
    assert "The EHR has put this Patient out of use" in told


def test_a_damaged_file_is_no_success(run: Run, tmp_path: Path) -> None:
    ndjson(tmp_path / "data" / "Patient.ndjson", patient("p", birthDate="2026-03-01"))
    (tmp_path / "data" / "Encounter.ndjson.gz").write_bytes(b"\x1f\x8bnot gzip at all")

    result = evaluate(run, tmp_path)

    assert result.exit_code == EXIT_SOURCE
    assert "Encounter.ndjson.gz could be read only in part" in said(result)
    assert (tmp_path / "out.ndjson").read_bytes().count(b"\n") == 1  # what could be read was evaluated

    pulled = run("pull", "--from", tmp_path / "data", "--name", "clinic")
    assert pulled.exit_code == EXIT_SOURCE


def test_a_deletion_in_a_bundle_file_is_honoured_by_evaluate_and_by_pull(run: Run, tmp_path: Path) -> None:
    ndjson(tmp_path / "data" / "Patient.ndjson", patient("p", birthDate="2026-03-01"))
    ndjson(tmp_path / "data" / "Encounter.ndjson", visit("a", "p", "2026-04-01"), visit("b", "p", "2026-05-01"))
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"request": {"method": "DELETE", "url": "Encounter/a"}}],
    }
    (tmp_path / "data" / "deleted.json").write_bytes(orjson.dumps(bundle))

    assert evaluate(run, tmp_path).exit_code == 0
    report = orjson.loads((tmp_path / "out.ndjson").read_bytes())
    assert [one["reference"] for one in report["evaluatedResource"]] == ["Encounter/b", "Patient/p"]

    run("pull", "--from", tmp_path / "data", "--name", "clinic")
    told = run("gaps", "p", "--as-of", "2026-11-22", "--measure", "three-by-120").stdout
    assert "Encounter/b" in told
    assert "Encounter/a" not in told
