"""`forecast` and `schedule`: CDC's immunization schedule over cases, and which versions of it are installed."""

import sys
from pathlib import Path

import click

from gapsvc.cli.console import ERR, OUT
from gapsvc.cli.main import EXIT_SCHEDULE, Failure
from gapsvc.config import load
from gapsvc.schedule.immunizations import ScheduleRefused, installed
from gapsvc.schedule.immunizations.commands import check_conformance, explain_case, forecast_files
from gapsvc.schedule.immunizations.files import import_schedule
from gapsvc.schedule.visits import installed as installed_visits
from gapsvc.schedules import active_schedule, active_visit_schedule, schedules_folder, visit_schedules_folder


@click.command("forecast")
@click.argument("cases", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Result lines.  [standard output]")
@click.option(
    "--conformance", is_flag=True, help="Compare with what the cases expect: a line per mismatch, and counts."
)
@click.option("--explain", metavar="ID", help="Follow one case through every series and step.")
@click.option("--group", help="With --explain: one vaccine group only.")
@click.option("--schedule", "version", help="The schedule's version.  [schedule.immunizations]")
def forecast_command(
    cases: tuple[Path, ...],
    out: Path | None,
    conformance: bool,
    explain: str | None,
    group: str | None,
    version: str | None,
) -> None:
    """Evaluate and forecast immunizations: a JSON line in, a JSON line out, for each child (docs/immunizations.md)."""
    if group is not None and explain is None:
        raise click.UsageError("--group goes with --explain")
    schedule = active_schedule(load(), version)
    if conformance:
        sys.exit(check_conformance(schedule, cases, OUT.print))
    if explain is not None:
        sys.exit(explain_case(schedule, cases, explain, group, click.echo))
    if out is None:
        sys.exit(forecast_files(schedule, cases, sys.stdout.buffer, ERR.print))
    partial = out.with_name(out.name + ".part")  # a file under its own name is a whole one
    with partial.open("wb") as file:
        code = forecast_files(schedule, cases, file, ERR.print)
    partial.replace(out)
    OUT.print(f"result lines in {out}, by schedule {schedule.version}")
    sys.exit(code)


@click.group("schedule")
def schedule_group() -> None:
    """The installed versions of CDC's immunization schedule and of the visit schedule."""


@schedule_group.command("import")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--version", help="The supporting data's version, where the files' name does not tell.")
def import_command(source: Path, version: str | None) -> None:
    """Read CDC's supporting data (a folder or zip of XML, as CDC publishes it) into our own format."""
    settings = load()
    try:
        written = import_schedule(source, schedules_folder(settings), version)
    except ScheduleRefused as error:
        raise Failure(str(error), EXIT_SCHEDULE) from error
    OUT.print(f"schedule {written.version} is installed as {written.path}")
    wanted = settings["schedule.immunizations"]
    if wanted not in ("latest", written.version):
        OUT.print(f"the active schedule is {wanted}: set schedule.immunizations to change that", style="dim")


@schedule_group.command("list")
def list_command() -> None:
    """The installed versions of both schedules, oldest first; the active ones are marked."""
    settings = load()
    active, visits = active_schedule(settings).version, active_visit_schedule(settings)
    OUT.print("immunizations (CDC)")
    for one in installed(schedules_folder(settings)):
        OUT.print(f"{'*' if one.version == active else ' '} {one.version}  {one.path}")
    OUT.print("visits (Bright Futures/AAP)")
    named = settings["schedule.visits"]
    if named.endswith(".toml"):
        OUT.print(f"* {visits.version}  {named}")
    for one in installed_visits(visit_schedules_folder(settings)):
        marked = not named.endswith(".toml") and one.version == visits.version
        OUT.print(f"{'*' if marked else ' '} {one.version}  {one.path}")
