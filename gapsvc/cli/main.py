"""The command group, its exit codes, and how errors that are the user's to mend are shown."""

from typing import Any

import click

import cql_like
from adapters.base import SourceError
from gapsvc import VERSION
from gapsvc.config import SettingsError
from gapsvc.measures import MeasureError
from gapsvc.store import StoreError

# Exit codes. Never reused: a retired one stays here as a comment.
EXIT_USAGE = 2  # click's own: an option or argument is wrong
EXIT_SETTINGS = 3  # settings can't be used
EXIT_SOURCE = 4  # a source could not be read to its end; what was read is kept, the next pull goes on
EXIT_MEASURE = 5  # a measure is wrong, or there is no such measure
EXIT_STORE = 6  # the database can't be used
EXIT_NOT_FOUND = 7  # there is no such child

_EXITS: tuple[tuple[type[Exception], int], ...] = (
    (SettingsError, EXIT_SETTINGS),
    (SourceError, EXIT_SOURCE),
    (MeasureError, EXIT_MEASURE),
    (cql_like.CqlErrors, EXIT_MEASURE),
    (StoreError, EXIT_STORE),
)


class Failure(click.ClickException):
    """An error with one of our exit codes."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class _Group(click.Group):
    """Shows the errors that a user can mend as a message and an exit code, not as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except tuple(kind for kind, _ in _EXITS) as error:
            code = next(code for kind, code in _EXITS if isinstance(error, kind))
            raise Failure(str(error), code) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="gapsvc")
def main() -> None:
    """gapsvc: children's care gaps, found in the EHR and shown where they can be closed."""
