"""`evaluate --population`, `--code-map`, `--everybody`, and a source's code map: through folder and store."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from gapsvc.cli import main
from gapsvc.cli.main import EXIT_SETTINGS, EXIT_USAGE

LOCAL = "urn:oid:1.2.3"
CPT = "http://www.ama-assn.org/go/cpt"
CHILD = {"resourceType": "Patient", "id": "child", "birthDate": "2018-05-05"}
VISIT = {
    "resourceType": "Encounter",
    "id": "visit",
    "status": "finished",
    "class": {"code": "AMB"},
    "type": [{"coding": [{"system": LOCAL, "code": "WELL"}]}],
    "subject": {"reference": "Patient/child"},
    "period": {"start": "2026-03-01"},
}
WCV = ("--measure", "wcv", "--as-of", "2026-11-22")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """GAPSVC_HOME beside a clinic's folder: one child, one visit in the clinic's own code."""
    monkeypatch.setenv("GAPSVC_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "clinic").mkdir()
    for resource in (CHILD, VISIT):
        (tmp_path / "clinic" / f"{resource['resourceType']}.ndjson").write_bytes(orjson.dumps(resource) + b"\n")
    (tmp_path / "map.csv").write_text(f"system,code,to_system,to_code,comment\n{LOCAL},WELL,{CPT},99393,well child\n")
    return tmp_path


def run(*words: Any) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def reports(home: Path, *options: Any) -> Mapping[str, Any]:
    out = home / "reports.ndjson"
    result = run("evaluate", "--data", home / "clinic", "--out", out, *WCV, *options)
    assert result.exit_code == 0, result.output
    (report,) = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    return report


def counts(report: Mapping[str, Any]) -> tuple[int, ...]:
    """Initial population, denominator, exclusion, numerator of the total."""
    (total,) = [group for group in report["group"] if group["id"] == "total"]
    return tuple(population["count"] for population in total["population"])


def basis(report: Mapping[str, Any]) -> str:
    (found,) = [one for one in report["extension"] if one["url"].endswith("/result-basis")]
    return next(part["valueString"] for part in found["extension"] if part["url"] == "population")


def test_a_code_map_makes_a_local_code_a_well_visit(home: Path) -> None:
    assert counts(reports(home)) == (1, 1, 0, 0)
    assert counts(reports(home, "--code-map", home / "map.csv")) == (1, 1, 0, 1)


def test_a_plans_rate_can_be_told_from_a_clinics(home: Path) -> None:
    clinic, plan = reports(home), reports(home, "--population", "plan")
    assert (clinic["measure"], basis(clinic), counts(clinic)) == (
        "https://gapsvc.example/fhir/Measure/wcv|1.0.0",
        "clinic",
        (1, 1, 0, 0),
    )
    assert (plan["measure"], basis(plan), counts(plan)) == (
        "https://gapsvc.example/fhir/Measure/wcv|1.0.0-plan",
        "plan",
        (1, 0, 0, 0),
    )


def test_the_setting_chooses_population_and_check(home: Path) -> None:
    settings = home / "home" / "gapsvc.toml"
    settings.write_text('[evaluation]\npopulation = "plan"\nenrolment_check = "monthly"\n')
    assert reports(home)["measure"] == "https://gapsvc.example/fhir/Measure/wcv|1.0.0-plan-monthly"
    assert reports(home, "--population", "clinic")["measure"] == "https://gapsvc.example/fhir/Measure/wcv|1.0.0"


def test_a_sources_code_map_changes_results_without_another_pull(home: Path) -> None:
    settings = home / "home" / "gapsvc.toml"
    source = f'[[source]]\nname = "clinic"\nlocation = "{home / "clinic"}"\n'

    def met(*options: str) -> int:
        result = run("evaluate", *WCV, *options)
        assert result.exit_code == 0, result.output
        return result.output.count(" 1/1 ")

    settings.write_text(source)
    assert run("pull").exit_code == 0
    before = met()
    settings.write_text(f'{source}code_map = "{home / "map.csv"}"\n')
    assert (before, met(), met("--everybody")) == (0, 0, 2)  # of 3 to 11, of all


def test_a_wrong_code_map_is_refused_with_its_lines(home: Path) -> None:
    (home / "map.csv").write_text("system,code,to_system,to_code\nx,WELL,CPT,99393\n")
    result = run(
        "evaluate", "--data", home / "clinic", "--out", home / "r.ndjson", "--code-map", home / "map.csv", *WCV
    )
    assert (result.exit_code, "map.csv:2: system 'x' is no URI" in result.stderr) == (EXIT_SETTINGS, True)
    (home / "home" / "gapsvc.toml").write_text(
        f'[[source]]\nname = "clinic"\nlocation = "x"\ncode_map = "{home / "none.csv"}"\n'
    )
    result = run("evaluate", *WCV)
    assert (result.exit_code, "none.csv: No such file or directory" in result.stderr) == (EXIT_SETTINGS, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--code-map", "map.csv"], "--code-map goes with --data"),
        (["--data", ".", "--out", "x.ndjson", "--everybody"], "--everybody goes with the store"),
    ],
)
def test_options_that_do_not_go_together(home: Path, options: list[str], said: str) -> None:
    result = run("evaluate", *options)
    assert (result.exit_code, said in result.stderr) == (EXIT_USAGE, True)
