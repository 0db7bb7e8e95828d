"""`schedule list` and the settings of the visit schedule, on the command line."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gapsvc.cli import main
from gapsvc.schedule.visits.installed import SHIPPED

TEXT = (SHIPPED / "2024-06.toml").read_text("utf-8")


def listed(home: Path, **settings: str) -> Result:
    variables = {f"GAPSVC_SCHEDULE_{name.upper()}": value for name, value in settings.items()}
    return CliRunner().invoke(main, ["schedule", "list"], env={"GAPSVC_HOME": str(home), "COLUMNS": "400", **variables})


def install(home: Path, text: str, version: str = "2031-02") -> Path:
    path = home / "schedules" / "visits" / f"{version}.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text.replace('version = "2024-06"', f'version = "{version}"'), encoding="utf-8")
    return path


def marks(result: Result) -> dict[str, str]:
    """Version -> its mark, of the visit schedules."""
    assert result.exit_code == 0, result.output
    _, visits = result.output.split("visits (Bright Futures/AAP)\n")
    return {line.split()[-2]: line[0] for line in visits.splitlines()}


def test_the_shipped_schedule_is_active(tmp_path: Path) -> None:
    assert marks(listed(tmp_path)) == {"2024-06": "*"}


def test_a_later_one_of_one_s_own_is_the_latest(tmp_path: Path) -> None:
    install(tmp_path, TEXT.replace("effective = 2024-06-01", "effective = 2031-02-01"))
    assert marks(listed(tmp_path)) == {"2024-06": " ", "2031-02": "*"}
    assert marks(listed(tmp_path, visits="2024-06")) == {"2024-06": "*", "2031-02": " "}


def test_a_file_can_be_named(tmp_path: Path) -> None:
    path = install(tmp_path, TEXT, "mine")
    assert path.name in listed(tmp_path, visits=str(path)).output
    assert marks(listed(tmp_path, visits=str(path)))["2024-06"] == " "


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"visits": "2031"}, "visit schedule 2031 is not installed (installed: 2024-06)"),
        ({"visits_overlay": "ohio"}, "there is none with the id 'ohio' (there are: medi-cal)"),
        ({"visits": "/nowhere/mine.toml"}, "there is no file /nowhere/mine.toml"),
    ],
    ids=["version", "overlay", "file"],
)
def test_what_is_not_there_is_refused(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    result = listed(tmp_path, **settings)
    assert result.exit_code == 11
    assert said in " ".join(result.output.split())


def test_a_wrong_file_is_told_whole(tmp_path: Path) -> None:
    install(tmp_path, TEXT.replace('"6 weeks"', '"6 wekks"').replace('title = "4 months"\n', ""))
    result = listed(tmp_path, visits="2031-02")
    assert result.exit_code == 11
    said = " ".join(result.output.split())
    assert "'6 wekks' is no age" in said
    assert "slot 5 (4-months), title: missing" in said
