"""`evaluate --stratify`: rates by strata, over a folder and over the store; small counts are not shown."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from gapsvc.cli import main

CDC = "urn:oid:2.16.840.1.113883.6.238"
RACES = {"White": "2106-3", "Black": "2054-5", "Asian": "2028-9"}
# race, sex -> children who had their well visit, and who had not
CHILDREN = {
    ("White", "female"): (30, 20),
    ("White", "male"): (20, 25),
    ("Black", "female"): (12, 13),
    ("Black", "male"): (15, 14),
    ("Asian", "male"): (4, 3),
}
WCV = ("--measure", "wcv", "--as-of", "2026-11-22", "--period-start", "2026-01-01", "--period-end", "2026-12-31")


def resources() -> Iterator[dict[str, Any]]:
    number = 0
    for (race, sex), groups in CHILDREN.items():
        for seen, size in zip((True, False), groups, strict=True):
            for _ in range(size):
                number += 1
                name = f"c{number:03}"
                coding = {"system": CDC, "code": RACES[race], "display": race}
                yield {
                    "resourceType": "Patient", "id": name, "birthDate": "2018-05-05", "gender": sex,
                    "extension": [{
                        "url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race",
                        "extension": [{"url": "ombCategory", "valueCoding": coding}],
                    }],
                }  # fmt: skip
                if seen:
                    yield {
                        "resourceType": "Encounter", "id": f"e{number}", "status": "finished", "class": {"code": "AMB"},
                        "type": [{"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "99393"}]}],
                        "subject": {"reference": f"Patient/{name}"}, "period": {"start": "2026-03-01"},
                    }  # fmt: skip


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GAPSVC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "160")
    (tmp_path / "home").mkdir()
    folder = tmp_path / "clinic"
    folder.mkdir()
    for kind in ("Patient", "Encounter"):
        lines = [orjson.dumps(one) for one in resources() if one["resourceType"] == kind]
        (folder / f"{kind}.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    return folder


def run(*words: Any) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def rows(result: Result, title: str) -> list[list[str]]:
    """The rows of the 6 to 11 years' rate in a table, without blanks."""
    assert result.exit_code == 0, result.output
    lines = iter(result.output.splitlines())
    assert any(line.strip().endswith(title) for line in lines), result.output
    found: list[list[str]] = []
    for line in lines:
        if line.strip().startswith("A well-care visit, 3 to 11 years"):
            found.append(line.replace("A well-care visit, 3 to 11 years", "").split())
        elif found and (line.strip().startswith("A well-care") or not line.strip()):
            break
        elif found:
            found.append(line.split())
    return found


EXPECTED = [
    ["everybody", "51.9%", "81", "156"],
    ["White", "52.6%", "50", "95"],
    ["Asian,", "Black", "or", "African", "American", "not", "shown"],
]


def test_a_folder_by_race(clinic: Path) -> None:
    """Seven Asian children are few; the Black ones are hidden beside them, or they would be what is left."""
    result = run("evaluate", "--data", clinic, "--out", clinic / "out.ndjson", *WCV, "--stratify", "race,sex")
    assert rows(result, "by race") == EXPECTED
    assert rows(result, "by sex") == [
        ["everybody", "51.9%", "81", "156"],
        ["Female", "56.0%", "42", "75"],
        ["Male", "48.1%", "39", "81"],
    ]
    assert "not shown: fewer than 11 children, or it would tell such a number" in result.output


def test_the_store_says_the_same(clinic: Path) -> None:
    assert run("pull", "--from", clinic).exit_code == 0
    result = run("evaluate", *WCV, "--stratify", "race")
    assert rows(result, "by race") == EXPECTED


def test_two_at_once(clinic: Path) -> None:
    """Of a hidden row not even the cells are listed: which are empty would tell."""
    result = run("evaluate", "--data", clinic, "--out", clinic / "out.ndjson", *WCV, "--stratify", "race*sex")
    assert rows(result, "by race, sex") == [
        ["everybody", "51.9%", "81", "156"],
        ["White", "/", "Female", "60.0%", "30", "50"],
        ["White", "/", "Male", "44.4%", "20", "45"],
        ["others", "not", "shown"],
    ]


def test_all_is_shown_where_the_settings_say_so(clinic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPSVC_REPORTING_SUPPRESS_BELOW", "0")
    result = run("evaluate", "--data", clinic, "--out", clinic / "out.ndjson", *WCV, "--stratify", "race")
    assert rows(result, "by race")[1:] == [
        ["Asian", "57.1%", "4", "7"],
        ["Black", "or", "African", "American", "50.0%", "27", "54"],
        ["White", "52.6%", "50", "95"],
    ]
    assert "not shown" not in result.output


def test_internal_tables_hide_nothing_and_say_what_they_are(clinic: Path) -> None:
    words = ("evaluate", "--data", clinic, "--out", clinic / "out.ndjson", *WCV)
    result = run(*words, "--stratify", "race", "--unsuppressed")
    assert rows(result, "by race")[1] == ["Asian", "57.1%", "4", "7"]
    assert "internal: not for publication; small counts are shown" in result.output
    assert "not for publication" not in run(*words, "--stratify", "race").output
    refused = run(*words, "--unsuppressed")
    assert (refused.exit_code, "--unsuppressed goes with --stratify" in refused.output) == (2, True)


@pytest.mark.parametrize("name", ["colour", "race,", "race*sex*zip"])
def test_what_is_no_dimension_is_refused(clinic: Path, name: str) -> None:
    result = run("evaluate", "--data", clinic, "--out", clinic / "out.ndjson", "--stratify", name)
    assert (result.exit_code, "--stratify" in result.output) == (2, True)
