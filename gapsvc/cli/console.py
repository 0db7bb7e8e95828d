"""What the commands print with: progress bars on a terminal, plain lines elsewhere; options that they share."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

LOG_WIDTH = 110  # columns where the output is no terminal
_WIDTH = None if sys.stdout.isatty() else LOG_WIDTH
OUT = Console(highlight=False, soft_wrap=True, width=_WIDTH)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)
LOG_EVERY_SECONDS = 5.0


class Day(click.ParamType):
    """A day, YYYY-MM-DD."""

    name = "DAY"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day; expected YYYY-MM-DD", param, ctx)


def today() -> date:
    """The day of the machine's clock in UTC: what commands take "today" to be where they are not told."""
    return datetime.now(UTC).date()


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show work going on: a bar on a terminal, else a line every few seconds and one at the end.

    Gives a function of (done, in all or None).
    """
    if ERR.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=ERR, transient=True) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
        return
    began = said = time.monotonic()
    last = 0

    def line(done: int, total: int | None) -> None:
        nonlocal said, last
        last = done
        if time.monotonic() - said >= LOG_EVERY_SECONDS:
            said = time.monotonic()
            ERR.print(f"{title}: {done:,}" + (f" of {total:,}" if total else ""))

    yield line
    if time.monotonic() - began >= LOG_EVERY_SECONDS:
        ERR.print(f"{title}: {last:,}, done in {time.monotonic() - began:.0f} s")
