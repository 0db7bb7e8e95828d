"""Structured logs (structlog): console lines on a terminal, JSON lines elsewhere. No patient data in any of them.

What libraries log goes through here as well. Their messages may hold request paths (waitress) or addresses (urllib3),
and a traceback ends with a message that may quote data; so of a library's record only who said it, where in its code,
and the type of the error are kept.
"""

import logging
import sys
import traceback
from pathlib import Path
from typing import Any

import structlog

_HERE = Path(__file__).resolve().parent.parent
_LOUDEST = logging.WARNING  # what libraries say below this is theirs


class _Stderr:
    """Writes a line to stderr: the one of the moment, which tests and daemons replace."""

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    log = debug = info = warn = warning = error = critical = fatal = exception = msg


class _Libraries(logging.Handler):
    """Takes what libraries log, without the message."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        said = {"error": type(error).__name__, "place": places(error)} if error else {}
        level = record.levelname.lower()
        log = getattr(structlog.get_logger(), level if level in ("warning", "error", "critical") else "debug")
        log("a library reports", logger=record.name, line=f"{record.module}:{record.lineno}", **said)


def configure_logging(level: str = "info", form: str = "auto") -> None:
    """Set the least level, and the form: `console`, `json`, or `auto` (console on a terminal)."""
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    least = getattr(logging, level.upper())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *_: _Stderr(),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _Libraries)]:
        root.removeHandler(handler)
    root.addHandler(_Libraries(max(least, _LOUDEST)))
    # Their debug lines are never wanted: an HTTP client's name what it fetches.
    root.setLevel(max(least, _LOUDEST))


def logger(name: str) -> Any:
    """A logger; `log.info("event", key=value)`."""
    return structlog.get_logger().bind(logger=name)


def places(error: BaseException, most: int = 5) -> list[str]:
    """Where an error came from, as `file:line` of the innermost frames: what a log may keep of a traceback."""
    frames = traceback.extract_tb(error.__traceback__)[-most:]
    return [f"{_shortened(frame.filename)}:{frame.lineno}" for frame in frames]


def _shortened(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(_HERE)) if path.is_relative_to(_HERE) else f"{path.parent.name}/{path.name}"
