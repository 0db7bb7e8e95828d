"""Structured logs (structlog): console lines on a terminal, JSON lines elsewhere. No patient data in any of them."""

import logging
import sys
from typing import Any

import structlog


def configure_logging(level: str = "info", form: str = "auto") -> None:
    """Set the least level, and the form: `console`, `json`, or `auto` (console on a terminal)."""
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def logger(name: str) -> Any:
    """A logger; `log.info("event", key=value)`."""
    return structlog.get_logger().bind(logger=name)
