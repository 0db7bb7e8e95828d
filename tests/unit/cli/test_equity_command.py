"""`equity`: from a folder or the store to the report, in each format; and what is refused."""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

import cql_like
from gapsvc.cli import main
from gapsvc.cli.main import EXIT_NOT_FOUND, EXIT_PARTIAL, EXIT_SETTINGS, EXIT_USAGE
from gapsvc.config import Settings
from gapsvc.evaluation.evaluator import PreparedEvaluation
from gapsvc.evaluation.result import MeasureResult
from gapsvc.measures_in_use import measures_in_use
from gapsvc.records.record import PatientRecord
from gapsvc.sandbox import Disorder, generate, write

Run = Callable[..., Result]
AS_OF = "2026-11-22"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few children of all ages."""
    path = tmp_path_factory.mktemp("population") / "clinic"
    write(generate(11, 160, date.fromisoformat(AS_OF), Disorder.none()), path)
    return path


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `equity` with its own GAPSVC_HOME."""
    monkeypatch.setenv("GAPSVC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GAPSVC_LOG_FORMAT", "json")

    def command(*words: Any) -> Result:
        found = CliRunner().invoke(main, ["equity", *(str(word) for word in words)])
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return found

    return command


@pytest.fixture
def told(run: Run, folder: Path) -> Callable[..., Any]:
    """The JSON report of the folder."""

    def command(*words: Any) -> Any:
        result = run("--data", folder, "--as-of", AS_OF, "--format", "json", "--measure", "wcv", *words)
        assert result.exit_code == 0, result.output
        return orjson.loads(result.stdout)

    return command


def failed(result: Result, code: int, *said: str) -> None:
    assert result.exit_code == code, result.output
    words = " ".join(result.stderr.replace("│", " ").split())
    for text in said:
        assert text in words
    assert "Traceback" not in result.output


# ---- what it says


def test_a_folder_is_reported_in_words(run: Run, folder: Path) -> None:
    result = run("--data", folder, "--as-of", AS_OF, "--measure", "wcv", "--rate", "total", "--goal", "50%@2027-12-31")
    assert result.exit_code == 0, result.output
    assert "2026-01-01 to 2026-12-31, as of 2026-11-22\nbaseline 2025-01-01 to 2025-12-31\n" in result.stdout
    assert "A well-care visit, 3 to 21 years (wcv), by race" in result.stdout
    assert "against all children" in result.stdout
    assert "All children: MPL 51.81% (MY 2024): " in result.stdout
    assert "All children since the baseline: rate " in result.stdout
    assert "results so far: some children still have time" in result.stdout
    assert "not shown: fewer than 11 children, or it would tell such a number" in result.stdout


def test_the_counts_are_those_of_evaluate(told: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    said = told("--unsuppressed", "--no-baseline")
    out = tmp_path / "reports.ndjson"
    CliRunner().invoke(
        main, ["evaluate", "--data", str(folder), "--as-of", AS_OF, "--measure", "wcv", "--out", str(out)]
    )
    reports = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    counted = {
        rate: [
            sum(one["count"] for report in reports for group in report["group"] if group["id"] == rate
                for one in group["population"] if one["code"]["coding"][0]["code"] == name)
            for name in ("numerator", "denominator", "denominator-exclusion")
        ]
        for rate in ("3-11-years", "12-17-years", "18-21-years", "total")
    }  # fmt: skip
    for rate in said["rates"]:
        numerator, denominator, excluded = counted[rate["rate"]]
        assert (rate["overall"]["numerator"], rate["overall"]["denominator"]) == (numerator, denominator - excluded)
        assert sum(group["numerator"] or 0 for group in rate["groups"]) == numerator
        assert sum(group["denominator"] or 0 for group in rate["groups"]) == denominator - excluded


def test_small_counts_are_hidden_unless_asked_for(told: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def statuses(*words: str) -> tuple[int | None, set[str]]:
        said = told("--rate", "total", "--no-baseline", *words)
        every = {group["status"] for rate in said["rates"] for group in rate["groups"]}
        return said["suppress_below"], every - {"nobody"}

    assert statuses("--unsuppressed") == (None, {"shown"})
    assert statuses() == (11, {"suppressed"})
    monkeypatch.setenv("GAPSVC_REPORTING_SUPPRESS_BELOW", "2")
    assert statuses() == (2, {"shown", "suppressed"})
    monkeypatch.setenv("GAPSVC_REPORTING_SUPPRESS_BELOW", "0")
    assert statuses() == (None, {"shown"})


def test_the_store_says_the_same_as_the_folder(run: Run, told: Callable[..., Any], folder: Path) -> None:
    pulled = CliRunner().invoke(main, ["pull", "--from", str(folder)])
    assert pulled.exit_code == 0, pulled.output
    words = ("--as-of", AS_OF, "--format", "json", "--measure", "wcv", "--by", "race", "--by", "clinic")
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert orjson.loads(result.stdout) == told("--by", "race", "--by", "clinic")


def test_a_reference_a_basis_and_a_confidence_are_taken(told: Callable[..., Any]) -> None:
    said = told("--reference", "black", "--basis", "so-far", "--confidence", "0.9", "--rate", "total", "--unsuppressed")
    (rate,) = said["rates"]
    assert (said["confidence"], rate["basis"], rate["reference"]) == (0.9, "so-far", "Black or African American")
    assert [group["text"] for group in rate["groups"] if group["is_reference"]] == ["Black or African American"]


def test_a_baseline_is_taken(told: Callable[..., Any]) -> None:
    assert told()["baseline"] == {"start": "2025-01-01", "end": "2025-12-31"}
    said = told("--baseline-start", "2024-01-01", "--baseline-end", "2024-06-30")
    assert said["baseline"] == {"start": "2024-01-01", "end": "2024-06-30"}
    assert told("--baseline-end", "2024-12-31")["baseline"] == {"start": "2024-01-01", "end": "2024-12-31"}
    assert told("--no-baseline")["baseline"] is None


def test_a_leap_day_has_a_year_before(run: Run, folder: Path) -> None:
    result = run("--data", folder, "--measure", "wcv", "--format", "json", "--as-of", "2024-03-01",
                 "--period-start", "2024-01-01", "--period-end", "2024-02-29")  # fmt: skip
    assert orjson.loads(result.stdout)["baseline"] == {"start": "2023-01-01", "end": "2023-02-28"}


def test_a_goal_brings_its_baseline_and_its_reference(told: Callable[..., Any], run: Run, tmp_path: Path) -> None:
    file = tmp_path / "goals.toml"
    file.write_text(
        """
        [[goal]]
        id = "ours"
        title = "A third less"
        measures = ["wcv"]
        dimension = "race"
        categories = []
        reduction_percent = 33
        due = 2028-12-31
        reference = "white"
        baseline_start = 2024-01-01
        baseline_end = 2024-12-31
        source = "board"
        certainty = "certain"
        """
    )
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "gapsvc.toml").write_text(f'[equity]\ngoals = "{file}"\n')
    said = told("--goal", "ours", "--unsuppressed")
    assert said["baseline"] == {"start": "2024-01-01", "end": "2024-12-31"}
    assert {rate["reference"] for rate in said["rates"]} == {"White"}
    goals = {goal["goal"] for rate in said["rates"] for group in rate["groups"] for goal in group["goals"]}
    assert goals == {"ours"}


def test_benchmarks_of_a_file_take_the_place_of_ours(
    told: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "benchmarks.toml"
    file.write_text(
        '[[benchmark]]\nname = "MPL"\nmeasure = "wcv"\nrate = "total"\nmeasurement_year = 2026\n'
        'reporting_year = 2027\npercent = 50.01\nsource = "DHCS"\ncertainty = "checked"\n'
    )
    monkeypatch.setenv("GAPSVC_EQUITY_BENCHMARKS", str(file))
    levels = [(one["name"], one["level"]) for rate in told()["rates"] for one in rate["benchmarks"]]
    assert levels == [("MPL", 0.5001)]


def test_csv_goes_to_a_file_and_a_chart_beside_it(run: Run, folder: Path, tmp_path: Path) -> None:
    out, chart = tmp_path / "equity.csv", tmp_path / "equity.svg"
    result = run(
        "--data", folder, "--as-of", AS_OF, "--measure", "wcv", "--format", "csv", "--out", out, "--chart", chart
    )
    assert (result.exit_code, result.stdout) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out.read_bytes().decode(), newline="")))
    assert {row["rate"] for row in rows} == {"3-11-years", "12-17-years", "18-21-years", "total"}
    assert chart.read_bytes().startswith(b"<?xml")
    assert f"chart in {chart}" in " ".join(result.stderr.split())


def test_a_table_goes_to_a_file(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "equity.txt"
    result = run("--data", folder, "--as-of", AS_OF, "--measure", "wcv", "--out", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "by race" in out.read_text(encoding="utf-8")
    assert "\x1b" not in out.read_text(encoding="utf-8")


def test_the_bytes_of_a_report_are_the_same_each_time(run: Run, folder: Path) -> None:
    words = ("--data", folder, "--as-of", AS_OF, "--measure", "wcv", "--format", "csv")
    assert run(*words).stdout_bytes == run(*words).stdout_bytes


# ---- what is refused


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--by", "shoe-size"), "shoe-size"),
        (("--reference", "blue"), "no one category is called 'blue'; there are: "),
        (("--reference", "white", "--by", "race", "--by", "ethnicity"), "a group as --reference goes with one --by"),
        (("--rate", "totl"), "there is no rate totl; there are 12-17-years"),
        (
            ("--goal", "nobody"),
            "'nobody' is no goal; expected an id (3-by-120, bold-goals-50x2025) or e.g. 50%",
        ),
        (("--goal", "50%@tomorrow"), "is no goal"),
        (("--goal", "0@2027-12-31"), "is no goal"),
        (("--goal", "1/0@2027-12-31"), "is no goal"),
        (("--baseline-end", "2026-06-30"), "the baseline must end (2026-06-30) before the period starts (2026-01-01)"),
        (("--baseline-start", "2025-06-01", "--baseline-end", "2025-01-01"), "before it starts"),
        (("--no-baseline", "--goal", "3-by-120"), "does not go with them"),
        (("--period-start", "0001-01-01"), "there is no year before 0001-01-01"),
        (("--chart", "equity.pdf"), "expected a file .svg or .png"),
        (("--chart", "nowhere/equity.svg"), "there is no folder nowhere"),
        (("--out", "nowhere/equity.csv"), "there is no folder nowhere"),
        (("--confidence", "95"), "0.5<=x<=0.999"),
        (("--format", "xml"), "'xml' is not one of"),
    ],
)
def test_what_can_not_be_meant_is_refused(run: Run, folder: Path, words: tuple[str, ...], said: str) -> None:
    failed(run("--data", folder, "--as-of", AS_OF, "--measure", "wcv", *words), EXIT_USAGE, said)


def test_a_chart_of_too_many_rates_is_refused(run: Run, folder: Path, tmp_path: Path) -> None:
    chart = tmp_path / "all.svg"
    result = run("--data", folder, "--as-of", AS_OF, "--measure", "cis", "--no-baseline", "--chart", chart)
    failed(result, EXIT_USAGE, "a chart shows up to 12 rates", "choose with --measure and --rate")
    assert not chart.exists()


def test_a_file_of_goals_that_is_wrong_is_a_setting_that_is_wrong(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "goals.toml"
    file.write_text("[[goal]]\nid = 3\n")
    monkeypatch.setenv("GAPSVC_EQUITY_GOALS", str(file))
    failed(run("--data", folder, "--as-of", AS_OF), EXIT_SETTINGS, "[[goal]] 1: id: expected text", "due is missing")


def test_an_empty_store_says_what_to_do(run: Run) -> None:
    failed(run("--as-of", AS_OF, "--measure", "wcv"), EXIT_NOT_FOUND, "`python -m gapsvc pull` reads them")


# ---- measures that can't be compared, and rules that fail


def test_a_record_that_a_measure_fails_on_is_left_out_and_told(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate = PreparedEvaluation.evaluate
    seen: list[str] = []

    def failing(self: PreparedEvaluation, record: PatientRecord) -> MeasureResult:
        seen.append(record.person_id)
        if record.person_id == seen[0]:
            raise cql_like.CqlRuntimeError("no such thing")
        return evaluate(self, record)

    monkeypatch.setattr(PreparedEvaluation, "evaluate", failing)
    result = run("--data", folder, "--as-of", AS_OF, "--measure", "wcv", "--format", "json")
    failed(result, EXIT_PARTIAL, "wcv: the logic failed on 1 records: ", "some children could not be evaluated")
    assert orjson.loads(result.stdout)["rates"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"improvement_notation": "decrease"}, "fewer is better there; only rates where more is better are compared"),
        ({"scoring": "ratio"}, "only proportions of persons are compared"),
    ],
)
def test_a_measure_that_can_not_be_compared_is_left_out_or_refused_where_it_is_named(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], reason: str
) -> None:
    def other(settings: Settings, wanted: Iterable[str] = (), **options: Any) -> dict[str, Any]:
        found = dict(measures_in_use(settings, ("wcv", "lsc"), **options))
        found["lsc"].measure = replace(found["lsc"].measure, **change)
        return found

    monkeypatch.setattr("gapsvc.cli.equity.measures_in_use", other)
    result = run("--data", folder, "--as-of", AS_OF, "--format", "json", "--no-baseline")
    assert f"lsc is left out: {reason}" in " ".join(result.stderr.split())
    assert {rate["measure"] for rate in orjson.loads(result.stdout)["rates"]} == {"wcv"}
    failed(run("--data", folder, "--as-of", AS_OF, "--measure", "lsc"), EXIT_USAGE, f"lsc: {reason}")
