"""scripts/with-chromium.sh: the command's exit code is kept, and it runs where no browser can be had."""

import os
import subprocess
from pathlib import Path

SCRIPT = str(Path(__file__).parents[3] / "scripts" / "with-chromium.sh")
SHOW = 'echo "$GAPSVC_TEST_CHROMIUM $GAPSVC_TEST_CHROMEDRIVER"; exit 7'


def bare_machine(folder: Path, *programs: str) -> dict[str, str]:
    """An environment with bash's own needs and empty programs of these names, and nothing to install with."""
    for name in ("bash", "sh", "id", "sed"):
        (folder / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")
    for name in programs:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return {"PATH": str(folder)}


def run(*command: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", SCRIPT, *command], env=env, capture_output=True, text=True, check=False, timeout=30
    )


def test_without_a_command_it_says_what_it_is_for() -> None:
    found = run(env=dict(os.environ))
    assert found.returncode == 2
    assert "runs COMMAND where Chromium can be driven" in found.stderr


def test_a_browser_that_was_named_is_used_as_it_is() -> None:
    env = {**os.environ, "GAPSVC_TEST_CHROMIUM": "/there", "GAPSVC_TEST_CHROMEDRIVER": "/driver"}
    found = run("sh", "-c", SHOW, env=env)
    assert (found.returncode, found.stdout, found.stderr) == (7, "/there /driver\n", "")


def test_a_browser_that_is_installed_is_found(tmp_path: Path) -> None:
    env = bare_machine(tmp_path, "chromium", "chromedriver")
    found = run("sh", "-c", SHOW, env=env)
    assert (found.returncode, found.stdout) == (7, f"{tmp_path}/chromium {tmp_path}/chromedriver\n")


def test_where_none_can_be_had_the_command_runs_all_the_same(tmp_path: Path) -> None:
    for programs in ((), ("chromium",)):  # a browser alone can't be driven
        folder = tmp_path / str(len(programs))
        folder.mkdir()
        found = run("sh", "-c", SHOW, env=bare_machine(folder, *programs))
        assert (found.returncode, found.stdout) == (7, " \n")
        assert "no Chromium with its driver here (apt-get install chromium chromium-driver)" in found.stderr


def test_ci_does_not_do_without(tmp_path: Path) -> None:
    env = bare_machine(tmp_path, "apt-get")  # one that installs nothing
    (tmp_path / "mktemp").symlink_to("/usr/bin/mktemp")
    (tmp_path / "rm").symlink_to("/bin/rm")
    found = run("sh", "-c", SHOW, env={**env, "CI": "true"})
    assert (found.returncode, found.stdout) == (1, "")
    assert "CI must run them (CI=true): giving up" in found.stderr
