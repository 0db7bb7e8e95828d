"""`gaps`: one child's list of what to do with its evidence; without a child, the most urgent open gaps of all."""

from datetime import date

import click

from gapsvc.child_reader import child_reader
from gapsvc.cli import show
from gapsvc.cli.console import ERR, today
from gapsvc.cli.data import AS_OF, MEASURE, PERIOD_END, PERIOD_START, open_store, period_of
from gapsvc.cli.main import EXIT_NOT_FOUND, EXIT_PARTIAL, Failure, load_settings
from gapsvc.cli.story import story
from gapsvc.measures_in_use import measures_in_use
from gapsvc.telemetry import places


@click.command("gaps")
@click.argument("patient", required=False)
@MEASURE
@PERIOD_START
@PERIOD_END
@AS_OF
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="How many of the worklist.")
def gaps_command(
    patient: str | None,
    measures: tuple[str, ...],
    period_start: date | None,
    period_end: date | None,
    as_of: date | None,
    limit: int,
) -> None:
    """One child's list of what to do, and what it rests on (PATIENT: an id); without PATIENT, the most urgent gaps."""
    settings = load_settings()
    day = as_of or settings["evaluation.as_of"] or today()
    period = period_of(period_start, period_end, day)
    chosen = measures_in_use(settings, measures)
    with open_store(settings) as store:
        if patient is None:
            if not store.person_ids():
                raise Failure("the store holds no children; `python -m gapsvc pull` reads them", EXIT_NOT_FOUND)
            show.worklist(store, [evaluator.measure for evaluator in chosen.values()], period, limit)
            return
        record = store.record_of_patient(patient.removeprefix("Patient/"))
        if record is None:
            raise Failure("there is no such Patient in the store; `python -m gapsvc gaps` lists some", EXIT_NOT_FOUND)
    view = child_reader(settings, chosen).on(day, period).view(record, on_failure=_tell)
    story(view)
    if view.failed:
        raise Failure("some rules failed on this child's record; what they say is left out", EXIT_PARTIAL)


def _tell(name: str, error: Exception) -> None:
    # Type and place only: a message may quote the record.
    ERR.print(f"{name}: {type(error).__name__} at {', '.join(places(error, 2))}", style="red")
