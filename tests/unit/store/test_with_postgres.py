"""scripts/with-postgres.sh: the command's exit code is kept, the server goes with it, and none is needed."""

import os
import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[3]
SCRIPT = str(HOUSE / "scripts" / "with-postgres.sh")


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, *command], env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=120
    )


def test_without_a_command_it_says_what_it_is_for() -> None:
    found = run()

    assert found.returncode == 2
    assert "runs COMMAND with a private PostgreSQL for the tests" in found.stderr


def test_a_server_that_is_there_already_is_used() -> None:
    found = run("sh", "-c", "echo $GAPSVC_TEST_POSTGRES; exit 7", GAPSVC_TEST_POSTGRES="postgresql+psycopg://there")

    assert (found.returncode, found.stdout) == (7, "postgresql+psycopg://there\n")


@pytest.mark.postgres
def test_a_server_is_started_for_the_command_and_goes_with_it() -> None:
    if not os.environ.get("GAPSVC_TEST_POSTGRES"):
        pytest.skip("GAPSVC_TEST_POSTGRES is not set: run by scripts/with-postgres.sh, with PostgreSQL installed")
    found = run("sh", "-c", 'echo "$GAPSVC_TEST_POSTGRES"; exit 7', GAPSVC_TEST_POSTGRES="")

    assert found.returncode == 7
    url = found.stdout.strip()
    assert url.startswith("postgresql+psycopg://gapsvc@/postgres?host=/tmp/gapsvc-pg.")
    assert not Path(url.partition("host=")[2]).exists()


def test_where_none_can_be_had_the_command_runs_all_the_same(tmp_path: Path) -> None:
    # A machine with nothing but bash's own needs: no PostgreSQL to be found, nothing to install one with.
    for name in ("bash", "sh", "id", "sed", "ls", "sort", "tail"):
        (tmp_path / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")
    copy = tmp_path / "with-postgres.sh"
    copy.write_text(Path(SCRIPT).read_text().replace("/usr/lib/postgresql", "/nowhere"))
    copy.chmod(0o755)

    found = subprocess.run(
        ["/bin/bash", str(copy), "sh", "-c", 'echo "url:$GAPSVC_TEST_POSTGRES"; exit 7'],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert (found.returncode, found.stdout) == (7, "url:\n")
    assert "the tests that need PostgreSQL will be skipped" in found.stderr
