"""The key that signs sessions: GAPSVC_SESSION_KEY, or a file in GAPSVC_HOME made at first use. Never a setting.

Several processes that serve the same people need the same key: they share GAPSVC_HOME, or are given the variable.
"""

import contextlib
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "GAPSVC_SESSION_KEY"
FILE = "session.key"
SHORTEST = 32  # characters: 128 bits, were it hexadecimal


class SessionKeyUnusable(Exception):
    """There is no key that sessions could be signed with. The message says why, and what to do."""


def session_key(home: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The key of the environment, else of `home`/session.key, which is made (mode 0600) where it is missing.

    Raises:
        SessionKeyUnusable: it is too short, can't be read or made, or others may read it.
    """
    if VARIABLE in environ:
        return _long_enough(environ[VARIABLE], VARIABLE)
    file = home / FILE
    try:
        if not file.exists():
            _make(file)
        mode = stat.S_IMODE(file.stat().st_mode)
        if mode & 0o077:
            raise SessionKeyUnusable(
                f"{file}: others may read it (mode {mode:04o}). Delete it: a new one is made, and people sign in again"
            )
        return _long_enough(file.read_text(encoding="ascii").strip(), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise SessionKeyUnusable(f"{file}: {type(error).__name__}; or set {VARIABLE}") from error


def _long_enough(key: str, where: str) -> str:
    if len(key) < SHORTEST:
        raise SessionKeyUnusable(f"{where}: expected at least {SHORTEST} characters, found {len(key)}")
    return key


def _make(file: Path) -> None:
    """Write a new key whole, or leave the one that another process wrote meanwhile."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".session-", dir=file.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as new:
            new.write(secrets.token_urlsafe(48) + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(name, file)
    finally:
        Path(name).unlink()
