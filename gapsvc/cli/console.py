"""What the commands print with: progress bars on a terminal, plain lines elsewhere; options that they share."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gapsvc.config import day_of

LOG_WIDTH = 110  # columns where the output is no terminal
_WIDTH = None if sys.stdout.isatty() else LOG_WIDTH
# No markup: what is printed may hold brackets, and is never meant as a style.
OUT = Console(highlight=False, soft_wrap=True, markup=False, emoji=False, width=_WIDTH)
ERR = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
LOG_EVERY_SECONDS = 5.0


class Day(click.ParamType):
    """A day, YYYY-MM-DD, from `earliest` to `latest`, both included, where they are given."""

    name = "DAY"

    def __init__(self, earliest: date = date.min, latest: date = date.max) -> None:
        self.earliest, self.latest = earliest, latest

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            day = day_of(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not self.earliest <= day <= self.latest:
            self.fail(f"{day} is not in the range {self.earliest} to {self.latest}", param, ctx)
        return day


def today() -> date:
    """The day of the machine's clock in UTC: what commands take "today" to be where they are not told."""
    return datetime.now(UTC).date()


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does: what it has started is stopped, its temporary files are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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
