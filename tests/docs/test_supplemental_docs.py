"""docs/supplemental.md: its example was run, and its tables are the program's."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from gapsvc.cli import main
from gapsvc.cli.main import EXIT_REJECTED
from gapsvc.supplemental import read_mapping, shipped_mappings
from gapsvc.supplemental.formats import CODE_SYSTEMS
from gapsvc.supplemental.kinds import KINDS, PERSON_FIELDS, FieldKind

PAGE = (Path(__file__).parents[2] / "docs" / "supplemental.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def plain(text: str) -> str:
    return " ".join(text.split())


def test_the_worked_example_comes_out_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPSVC_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ehr").mkdir()
    (tmp_path / "ehr" / "maya.ndjson").write_text(blocks("json")[0])
    (tmp_path / "registry.csv").write_text(blocks("csv")[0])
    lines = [line.removeprefix("python -m gapsvc ") for line in blocks("sh")[0].splitlines()]

    ran = [CliRunner().invoke(main, line.split(), env={"COLUMNS": "200"}) for line in lines]

    assert [one.exit_code for one in ran] == [0, EXIT_REJECTED, 0]
    taken, told = blocks("text")
    for expected, one in ((taken, ran[1]), (told, ran[2])):
        for line in expected.splitlines():
            assert plain(line) in plain(one.output)


def test_every_ready_mapping_is_in_the_table_with_what_it_does_with_rows_of_nobody() -> None:
    table = dict(re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| (reported|kept) \|$", PAGE, re.MULTILINE))
    words = {"report": "reported", "keep": "kept"}
    assert table == {name: words[read_mapping(name).person.unmatched] for name in shipped_mappings()}


def test_every_kind_is_in_the_table_with_its_fields() -> None:
    def fields(kinds: dict[str, FieldKind]) -> list[str]:
        return [f"**{name}**" if kind.required else name for name, kind in kinds.items()]

    rows = re.findall(r"^\| `(\[?[a-z]+\]?)` \| ([^|]+) \|([^|]*)\|$", PAGE, re.MULTILINE)
    table = {name: (made, [field.strip() for field in cell.split(",") if field.strip()]) for name, made, cell in rows}
    assert table.pop("[person]") == ("Patient", fields(dict(PERSON_FIELDS)))
    assert table.pop("patient") == ("the row's Patient alone", [])
    kinds = {name: (kind.type, fields(dict(kind.fields))) for name, kind in KINDS.items() if name != "patient"}
    assert {name: row for name, row in table.items() if name in kinds} == kinds


def test_every_code_system_is_named() -> None:
    (named,) = re.findall(r"^- A code \*\*system\*\* is (.*?), or a URI", PAGE, re.MULTILINE)
    assert re.findall(r"`([a-z0-9-]+)`", named) == list(CODE_SYSTEMS)
