"""What is derived from the visit schedule's data file is up to date: docs/visits.md and VisitSchedule.cql. And the page
says every key of the file, every status and every file of the room."""

import re
from pathlib import Path

import pytest

from gapsvc.schedule.visits import SlotStatus
from scripts import make_visit_schedule as script

ROOT = Path(__file__).parents[2]
ROOM = ROOT / "gapsvc" / "schedule" / "visits"
PAGE = (ROOT / "docs" / "visits.md").read_text("utf-8")
SCHEDULE = script.load(overlay=script.OVERLAY)


def test_the_measures_slots_are_what_the_script_makes() -> None:
    assert script.CQL.read_text("utf-8") == script.cql(SCHEDULE), "run scripts/make_visit_schedule.py"


def test_the_tables_are_what_the_data_says() -> None:
    assert script.page(PAGE, SCHEDULE) == PAGE, "run scripts/make_visit_schedule.py"
    assert len(re.findall(r"^\| .* \| `[0-9a-z-]+` \|", section("Visits"), re.MULTILINE)) == len(SCHEDULE.slots)


def test_a_page_without_a_place_for_a_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="no place for the table 'visits'"):
        script.page("# Visits\n", SCHEDULE)


def test_check_tells_what_is_out_of_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "visits.md"
    page.write_text(PAGE.replace("| 2 months |", "| 8 weeks |"), encoding="utf-8")
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(script, "PAGE", page)
    monkeypatch.setattr(script, "CQL", tmp_path / "VisitSchedule.cql")
    assert script.main(["--check"]) == 1
    assert "visits.md is out of date" in capsys.readouterr().err
    assert script.main([]) == 0
    assert script.main(["--check"]) == 0
    assert page.read_text("utf-8") == PAGE


def test_every_status_is_explained() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| ", section("Where a visit stands"), re.MULTILINE)
    assert rows == ["status", *(status.value for status in SlotStatus)]


def test_every_key_of_the_data_file_is_explained() -> None:
    reading = (ROOM / "reading.py").read_text("utf-8")
    keys = set(re.findall(r"\.(?:text|age|day|flag|texts|table|rows|inline_rows|number)\(\s*\"(\w+)\"", reading))
    said = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]*)`", section("The data file")))))
    assert keys - said == set()


def test_every_file_of_the_room_is_named() -> None:
    files = {file.name for file in ROOM.glob("*.py")} - {"__init__.py"}
    assert files <= set(re.findall(r"`([\w.]+\.py)`", PAGE))


def section(heading: str) -> str:
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]
