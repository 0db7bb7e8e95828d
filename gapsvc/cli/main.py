"""The command group, its exit codes, and how errors that are the user's to mend are shown."""

from pathlib import Path
from typing import Any

import click

import cql_like
from adapters.base import SourceError
from gapsvc import VERSION
from gapsvc.config import Settings, SettingsError, load
from gapsvc.equity.configuration import EquityError
from gapsvc.measures import MeasureError
from gapsvc.records.codemaps import CodeMapRefused
from gapsvc.sandbox.archive import ArchiveError
from gapsvc.schedule.immunizations import NoSuchSchedule
from gapsvc.schedule.immunizations.compiling import UnknownFormat
from gapsvc.schedule.immunizations.ndc_table import NdcTableRefused
from gapsvc.schedule.visits import NoSuchVisitSchedule, VisitScheduleError
from gapsvc.store import StoreError
from gapsvc.telemetry import configure_logging, places

# Exit codes. Never reused: a retired one stays here as a comment.
EXIT_USAGE = 2  # click's own: an option or argument is wrong
EXIT_SETTINGS = 3  # settings can't be used
EXIT_SOURCE = 4  # a source could not be read to its end; what was read is kept, the next pull goes on
EXIT_MEASURE = 5  # a measure is wrong, or there is no such measure
EXIT_STORE = 6  # the database can't be used
EXIT_NOT_FOUND = 7  # there is no such child, or there are no children at all
EXIT_SYSTEM = 8  # a file can't be read or written, or a port can't be listened on
EXIT_PARTIAL = 9  # a measure's rules failed on some records; everything else was done
EXIT_CHECK = 10  # demo --exit: the service did not answer as it should
EXIT_SCHEDULE = 11  # an immunization or visit schedule is not installed, or was refused
EXIT_REJECTED = 12  # some rows or resources could not be used; they are kept aside, the rest was taken

_EXITS: tuple[tuple[type[Exception], int], ...] = (
    (SettingsError, EXIT_SETTINGS),
    (EquityError, EXIT_SETTINGS),
    (SourceError, EXIT_SOURCE),
    (MeasureError, EXIT_MEASURE),
    (cql_like.CqlErrors, EXIT_MEASURE),
    (StoreError, EXIT_STORE),
    (ArchiveError, EXIT_SOURCE),
    (NoSuchSchedule, EXIT_SCHEDULE),
    (UnknownFormat, EXIT_SCHEDULE),
    (NoSuchVisitSchedule, EXIT_SCHEDULE),
    (VisitScheduleError, EXIT_SCHEDULE),
    (NdcTableRefused, EXIT_SCHEDULE),
    (CodeMapRefused, EXIT_SETTINGS),
)
_UNFORESEEN = 1


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
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except tuple(kind for kind, _ in _EXITS) as error:
            code = next(code for kind, code in _EXITS if isinstance(error, kind))
            raise Failure(str(error), code) from error
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise Failure(f"{where}{error.strerror or type(error).__name__}", EXIT_SYSTEM) from error
        except Exception as error:  # noqa: BLE001 - the last place: what nobody foresaw is shown without its data
            # Not the message, nor the traceback that ends with it: either may quote a record.
            place = "\n  ".join(places(error))
            message = f"unforeseen {type(error).__name__}, a mistake in this program; please report it with\n  {place}"
            raise Failure(message, _UNFORESEEN) from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="gapsvc")
def main() -> None:
    """gapsvc: children's care gaps, found in the EHR and shown where they can be closed."""
    configure_logging("warning")


def load_settings(home: Path | None = None) -> Settings:
    """The settings; logging as they want it."""
    settings = load(home=home)
    configure_logging(settings["log.level"], settings["log.format"])
    return settings
