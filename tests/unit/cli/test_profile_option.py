"""`evaluate --profile` says where the time went; compiled measures are kept under GAPSVC_HOME/cache."""

import os
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from gapsvc.cli import main
from gapsvc.sandbox import generate, write


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="the cache needs file owners")
def test_evaluate_with_a_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, clinic = tmp_path / "home", tmp_path / "clinic"
    monkeypatch.setenv("GAPSVC_HOME", str(home))
    write(generate(5, 20, date(2026, 11, 22)), clinic)
    command = ["evaluate", "--data", clinic, "--as-of", "2026-11-22", "--measure", "w30"]

    def reports(name: str, *options: str) -> tuple[int, str]:
        file = tmp_path / f"{name}.ndjson"
        result = CliRunner().invoke(main, [*map(str, command), "--out", str(file), *options])
        assert result.exit_code == 0, result.output
        return file.read_bytes().count(b"\n"), result.stderr

    count, _ = reports("plain")
    kept = sorted((home / "cache").iterdir())
    assert [file.suffix for file in kept] == [".cqlc"]
    profiled, said = reports("profiled", "--profile")
    assert profiled == count
    head, *rows, last = said[said.index("    own ms") :].splitlines()
    assert head.split() == ["own", "ms", "share", "total", "ms", "calls", "what"]
    assert any(row.endswith("W30.Initial Population First 15 Months") for row in rows)
    assert last.split()[1:] == ["100.0%", "all"]
    assert sorted((home / "cache").iterdir()) == kept
