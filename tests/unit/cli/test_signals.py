"""Ctrl-C and SIGTERM end what runs until then: quietly, with everything that it started."""

import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from gapsvc.sandbox import generate, write

ROOT = Path(__file__).parents[3]
SECONDS = 60.0


@contextmanager
def running(home: Path, *words: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m gapsvc ...` with its own home and temporary folder; killed at the end if it still runs."""
    (home / "tmp").mkdir(parents=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GAPSVC_")}
    environ = {**kept, "GAPSVC_HOME": str(home), "TMPDIR": str(home / "tmp"), "PYTHONUNBUFFERED": "1", **variables}
    process = subprocess.Popen(
        [sys.executable, "-m", "gapsvc", *words],
        cwd=ROOT, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], pattern: str) -> tuple[re.Match[str], str]:
    """Read stdout until a line matches; the match and all that was read. A process that says nothing is ended."""
    assert process.stdout is not None
    read = ""
    watchdog = threading.Timer(SECONDS, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            read += line
            if found := re.search(pattern, line):
                return found, read
    finally:
        watchdog.cancel()
    raise AssertionError(f"no line with {pattern!r}: {read}")


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - our own service
            return response.status
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code


def ended(process: subprocess.Popen[str], number: int) -> tuple[int, str, str]:
    process.send_signal(number)
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_ends_with_all_that_it_started(tmp_path: Path, number: int) -> None:
    with running(tmp_path / "home", "demo", "--size", "50", GAPSVC_SERVER_PORT="0") as process:
        sandbox, _ = wait_for(process, r"sandbox EHR .* at (\S+) ")
        lines = [wait_for(process, r"^curl -s .*?'?(http://\S+?)'?$")[0] for _ in range(3)]
        assert status_of(lines[0][1]) == 200
        assert status_of(lines[1][1]) == 401  # without the token
        wait_for(process, "Ctrl-C ends the service and the sandbox EHR")
        assert ended(process, number) == (0, "ended\n", "")
    for url in (sandbox[1] + "/metadata", lines[0][1]):
        with pytest.raises(urllib.error.URLError):
            status_of(url)
    assert list((tmp_path / "home" / "tmp").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_interrupted_in_the_middle(tmp_path: Path, number: int) -> None:
    with running(tmp_path / "home", "demo", "--size", "2000", GAPSVC_SERVER_PORT="0") as process:
        wait_for(process, "sandbox EHR")
        code, _, err = ended(process, number)
    said = [line for line in err.splitlines() if line and not line.startswith(("planning", "pulling", "evaluating"))]
    # Where the interrupt meets exec() of a text (dataclasses make their methods so), CPython remembers it though it is
    # caught (_Py_UnhandledKeyboardInterrupt), and `python -m` ends by SIGINT whatever exit code was asked for.
    assert code in (1, -signal.SIGINT)
    assert said == ["Aborted!"]
    assert list((tmp_path / "home" / "tmp").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_service_ends(tmp_path: Path, number: int) -> None:
    with running(tmp_path / "home", "serve", "--port", "0") as process:
        found, read = wait_for(process, r"gapsvc at (\S+) ")
        assert "no [[client]] in the settings: every request will be refused" in read
        assert status_of(f"{found[1]}/metadata") == 200
        assert status_of(f"{found[1]}/Measure") == 401
        code, out, err = ended(process, number)
    assert (code, out) == (0, "ended\n")
    assert [line for line in err.splitlines() if not line.startswith('{"logger": ')] == [], err  # log lines only


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_ends(tmp_path: Path, number: int) -> None:
    write(generate(5, 20, date(2026, 11, 22)), tmp_path / "clinic")
    with running(tmp_path / "home", "sandbox", "serve", str(tmp_path / "clinic"), "--port", "0") as process:
        found, _ = wait_for(process, r"sandbox EHR at (\S+) ")
        wait_for(process, "next: python -m gapsvc pull")
        assert status_of(f"{found[1]}/Patient?_count=1") == 200
        assert ended(process, number) == (0, "ended\n", "")


def test_the_demo_takes_a_free_port_where_its_own_is_taken(tmp_path: Path) -> None:
    with running(tmp_path / "a", "serve", "--port", "0") as first:
        found, _ = wait_for(first, r"gapsvc at http://127\.0\.0\.1:(\d+)/fhir")
        with running(tmp_path / "b", "demo", "--size", "50", GAPSVC_SERVER_PORT=found[1]) as second:
            wait_for(second, f"port {found[1]} is taken; a free one is used instead")
            line, _ = wait_for(second, r"'(http://127\.0\.0\.1:(\d+)/fhir/metadata\S*)'")
            assert line[2] != found[1]
            assert status_of(line[1]) == 200
            wait_for(second, "Ctrl-C ends")
            assert ended(second, signal.SIGINT) == (0, "ended\n", "")
