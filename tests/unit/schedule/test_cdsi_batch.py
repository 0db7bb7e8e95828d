"""The batch commands, the result line, bad input, conformance and explanations."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from gapsvc.schedule.immunizations import Schedule
from gapsvc.schedule.immunizations.commands import main
from gapsvc.schedule.immunizations.conformance import Tally, compare, group_name

Line = dict[str, Any]
INFANT: Line = {
    "id": "infant",
    "dob": "2025-11-10",
    "gender": "F",
    "assessment": "2026-03-10",
    "vaccine_group": "DTAP",
    "observations": [],
    "doses": [{"date": "2026-01-10", "cvx": "107", "mvx": None, "status": "Valid", "series_type": None}],
    "expected": {
        "status": "not complete",
        "number": 2,
        "earliest": "2026-02-07",
        "recommended": "2026-03-10",
        "past_due": "2026-05-07",
    },
}


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., Path]:
    """`files(line, ...)`: a JSON Lines file; bytes go in as they are."""

    def write(*lines: Line | bytes) -> Path:
        path = tmp_path / "cases.jsonl"
        path.write_bytes(b"\n".join(one if isinstance(one, bytes) else orjson.dumps(one) for one in lines) + b"\n")
        return path

    return write


def test_a_result_line(files: Callable[..., Path], tmp_path: Path) -> None:
    """The keys of the issue, in the schedule's own group names; null where there is nothing."""
    out = tmp_path / "out.jsonl"
    assert main(["forecast", str(files(INFANT)), "--out", str(out)]) == 0
    line = orjson.loads(out.read_bytes())
    assert line["id"] == "infant"
    assert line["schedule"] == {"version": "4.64", "source": "CDC CDSi supporting data 4.64"}
    (dtap,) = line["groups"]["DTaP/Tdap/Td"]
    assert {key: dtap[key] for key in ("series_type", "status", "number", "earliest", "recommended", "past_due")} == {
        "series_type": "standard",
        "status": "Not Complete",
        "number": 2,
        "earliest": "2026-02-07",
        "recommended": "2026-03-10",
        "past_due": "2026-05-07",
    }
    (rsv,) = line["groups"]["Zoster"]
    assert (rsv["earliest"], rsv["past_due"]) == ("2075-11-10", None)
    assert line["doses"] == [
        {
            "date": "2026-01-10",
            "cvx": "107",
            "groups": {
                "DTaP/Tdap/Td": {
                    "status": "Valid",
                    "reasons": None,
                    "rule": "Table 6-31",
                    "target": 1,
                    "by_type": {"standard": {"status": "Valid", "reasons": None, "rule": "Table 6-31", "target": 1}},
                }
            },
        }
    ]
    assert line["problems"] == []


def test_lines_that_cannot_be_used_are_answered_too(
    files: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One result line per case line, in order; what is wrong is on standard error without any patient's data."""
    out = tmp_path / "out.jsonl"
    broken = [
        b"{not json",
        b"[1, 2]",
        orjson.dumps({"id": "a", "assessment": "2026-01-01"}),
        orjson.dumps({"id": "b", "dob": "2026-01-02", "assessment": "2026-01-01"}),
        orjson.dumps({"id": "c", "dob": "2020-02-30", "assessment": "2026-01-01"}),
        orjson.dumps({"id": "d", "dob": "2020-02-03", "assessment": 5, "doses": "none"}),
    ]
    assert main(["forecast", str(files(*broken, INFANT)), "--out", str(out)]) == 1
    lines = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    assert [(line["id"], [one["code"] for one in line["problems"]]) for line in lines] == [
        (None, ["unreadable"]),
        (None, ["unreadable"]),
        ("a", ["unusable"]),
        ("b", ["unusable"]),
        ("c", ["unusable"]),
        ("d", ["unusable"]),
        ("infant", []),
    ]
    errors = capsys.readouterr().err
    assert "cases.jsonl:4: 'assessment' lies before 'dob'" in errors
    assert "2026-01-02" not in errors


def test_doses_that_cannot_be_used_are_reported_and_the_rest_evaluated(result: Callable[..., Line]) -> None:
    found = result(
        "2025-01-10",
        "2026-01-10",
        ("2025-01-09", "08"),
        ("2026-01-11", "08"),
        {"date": None, "cvx": "08"},
        {"date": "2025-02", "cvx": "08"},
        ("2025-03-10", "900"),
        {"date": "2025-03-10"},
        ("2025-03-10", "8"),
        ("2025-03-10", "08"),
        "nonsense",  # type: ignore[arg-type]
    )
    assert [[one["code"] for one in dose.get("problems", [])] for dose in found["doses"]] == [
        ["before-birth"],
        ["after-assessment"],
        ["no-date"],
        ["no-date"],
        ["unknown-cvx"],
        ["no-cvx"],
        [],
        ["duplicate"],
        ["no-date"],
    ]
    assert found["doses"][6]["groups"]["HepB"]["status"] == "Valid"
    assert found["groups"]["HepB"][0]["number"] == 2


def test_two_records_of_one_dose_count_once_unless_they_contradict_each_other(result: Callable[..., Line]) -> None:
    """The fuller record is kept; different makers on one day are two doses, of which one is too soon."""
    sources = {"date": "2025-03-10", "cvx": "48"}, {"date": "2025-03-10", "cvx": "48", "mvx": "PMC"}
    found = result("2025-01-10", "2026-01-10", *sources)
    assert [bool(dose.get("problems")) for dose in found["doses"]] == [True, False]

    found = result("2025-01-10", "2026-01-10", {**sources[1], "mvx": "SKB"}, sources[1])
    assert sorted(dose["groups"]["Hib"]["status"] for dose in found["doses"]) == ["Not Valid", "Valid"]


def test_unknown_and_future_observations_are_reported(result: Callable[..., Line]) -> None:
    found = result("2025-01-10", "2026-01-10", observations=("555", ("007", "2026-02-01")))
    assert [one["code"] for one in found["problems"]] == ["unknown-observation", "observation-after-assessment"]


def test_conformance_prints_mismatches_and_counts(
    files: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {
        **INFANT,
        "id": "wrong",
        "expected": {**INFANT["expected"], "number": 3},
        "doses": [{**INFANT["doses"][0], "status": "Not Valid"}],
    }
    assert main(["forecast", "--conformance", str(files(INFANT, wrong))]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "wrong DTaP/Tdap/Td: forecast number is 2, expected 3",
        "wrong DTaP/Tdap/Td: dose 1 of 2026-01-10 (CVX 107) is Valid, expected Not Valid",
        "cases.jsonl: 1 of 2 forecasts and 1 of 2 dose verdicts agree (schedule 4.64)",
    ]
    assert main(["forecast", "--conformance", str(files(INFANT))]) == 0


def test_conformance_without_forecast_or_case(schedule: Schedule) -> None:
    """A group that nobody asks of this person, and a case that can't be assessed."""
    tally = Tally()
    assert compare(schedule, {**INFANT, "vaccine_group": "Rabies"}, tally) == [
        "infant Rabies: no forecast; expected status not complete, number 2, earliest 2026-02-07, "
        "recommended 2026-03-10, past_due 2026-05-07"
    ]
    assert compare(schedule, {"id": "x"}, tally) == [
        "x: not assessed: 'dob' is not a date (yyyy-mm-dd) between 1900 and 2999"
    ]
    assert (tally.forecasts_agreeing, tally.doses, tally.doses_agreeing) == (0, 1, 1)


@pytest.mark.parametrize(
    ("case_name", "name"),
    [
        ("DTAP", "DTaP/Tdap/Td"), ("POL", "Polio"), ("IPOL", "Polio"), ("PCV", "Pneumococcal"), ("Rota ", "Rotavirus"),
        ("MCV", "Meningococcal"), ("MENB", "Meningococcal B"), ("FLU", "Influenza"), ("VAR", "Varicella"),
        ("HIB", "Hib"), ("ZOSTER", "Zoster"), ("Yellow Fever", "Yellow Fever"), ("Elsewhere", "Elsewhere"),
    ],
)  # fmt: skip
def test_the_cases_names_of_vaccine_groups(schedule: Schedule, case_name: str, name: str) -> None:
    assert group_name(schedule, case_name) == name


def test_an_explanation_follows_series_doses_and_the_choice(
    files: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(files({**INFANT, "doses": [{"date": "2026-01-10", "cvx": "119"}, {"date": "2026-01-14", "cvx": "119"}]}))
    assert main(["forecast", path, "--explain", "infant", "--group", "ROTA"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "case infant, assessed 2026-03-10, schedule 4.64 (CDC CDSi supporting data 4.64)"
    assert "Rotavirus: Rotavirus 2-dose series (standard, series group 1)" in lines
    start = lines.index("Rotavirus: Rotavirus 2-dose series (standard, series group 1)")
    assert lines[start + 1 : start + 16] == [
        "  dose of 2026-01-10, CVX 119",
        "    held against target dose 1",
        "    age: valid [Table 6-15]",
        "    interval: valid [Tables 6-18, 6-21]",
        "    conflict with an earlier vaccine: no [Table 6-24]",
        "    vaccine: preferable or allowable [Tables 6-26, 6-29]",
        "    verdict: Valid [Table 6-31]",
        "  dose of 2026-01-14, CVX 119",
        "    held against target dose 2",
        "    age: Age: Too Young [Table 6-15]",
        "    interval: Interval: Too Soon [Tables 6-18, 6-21]",
        "    conflict with an earlier vaccine: no [Table 6-24]",
        "    vaccine: preferable or allowable [Tables 6-26, 6-29]",
        "    verdict: Not Valid (Age: Too Young, Interval: Too Soon) [Table 6-15]",
        "  forecast: Not Complete [Table 7-10]",
    ]
    assert any("is the prioritized series" in line for line in lines)
    assert any("is a best series" in line for line in lines)
    assert lines[-1] == "  2026-01-14 CVX 119: Rotavirus: Not Valid"

    assert main(["forecast", path, "--explain", "--group", "ROTA"]) == 0  # the first case of the file
    assert capsys.readouterr().out.splitlines() == lines
    assert main(["forecast", path, "--explain", "nobody"]) == 2
    assert main(["forecast", path, "--explain", "infant", "--group", "Mars"]) == 2


def test_wrong_usage_and_refused_files(
    files: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["forecast", str(files(INFANT)), "--version", "1.0"]) == 2
    assert main(["forecast", str(tmp_path / "absent.jsonl")]) == 2
    assert main(["import", str(tmp_path), "--into", str(tmp_path / "in")]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert "schedule 1.0 is not installed (installed: 4.64); import it first" in errors[0]
    assert "absent.jsonl" in errors[1]
    assert "holds no AntigenSupportingData" in errors[2]
