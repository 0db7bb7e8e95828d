"""`sandbox generate` and `sandbox serve`: a synthetic population with known truth, and an EHR that serves it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import click

from gapsvc.cli.console import OUT, Day, ended_by_signals, progress, today
from gapsvc.cli.main import EXIT_SYSTEM, Failure
from gapsvc.sandbox import EARLIEST, LARGEST, LATEST, Disorder, Disparity, generate, write


@click.group("sandbox")
def sandbox_group() -> None:
    """A synthetic pediatric population with known truth, and a small EHR FHIR server that serves it."""


def _disorder(ctx: click.Context, param: click.Parameter, value: str) -> Disorder:
    try:
        if value in ("all", "none"):
            return Disorder.all() if value == "all" else Disorder.none()
        return Disorder.only(*(name.strip() for name in value.split(",")))
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error


def _disparity(ctx: click.Context, param: click.Parameter, value: str | None) -> Disparity | None:
    try:
        return None if value is None else Disparity.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error


@sandbox_group.command("generate")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write.")
@click.option("--seed", default=1, show_default=True, help="The same seed, size and day give the same bytes.")
@click.option("--size", default=500, show_default=True, type=click.IntRange(1, LARGEST), help="How many children.")
@click.option(
    "--as-of", type=Day(EARLIEST, LATEST), default=None, help="The day up to which everything has happened.  [today]"
)
@click.option(
    "--disorder",
    default="all",
    callback=_disorder,
    help=f"all, none, or some of: {', '.join(Disorder.names())}.  [all]",
)
@click.option(
    "--disparity",
    default=None,
    callback=_disparity,
    metavar="RACE=CHANCE,...",
    help="Plant how often children of each race complete their care, for example black=0.45,white=0.6.",
)
@click.option(
    "--year", type=click.IntRange(1901, 2100), default=None, help="The year that truth is about.  [that of --as-of]"
)
def generate_command(
    out: Path,
    seed: int,
    size: int,
    as_of: date | None,
    disorder: Disorder,
    disparity: Disparity | None,
    year: int | None,
) -> None:
    """Write a population as NDJSON, with truth.ndjson: what is true of each child, known from how it was planned."""
    period = (date(year, 1, 1), date(year, 12, 31)) if year else None
    with progress("generating children") as show:
        population = generate(seed, size, as_of or today(), disorder, period, progress=show, disparity=disparity)
        manifest = write(population, out)
    resources = sum(manifest["counts"].values())
    OUT.print(f"{size:,} children, {resources:,} resources as of {manifest['as_of']} in {out}")
    OUT.print(f"next: python -m gapsvc sandbox serve {out}", style="dim")


@sandbox_group.command("serve")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--port", default=8088, show_default=True, type=click.IntRange(0, 65535), help="0 picks a free one.")
@click.option("--token", default=None, envvar="SANDBOX_TOKEN", help="Bearer token that clients must send.")
@click.option(
    "--misbehave", is_flag=True, help="Answer as the worst EHRs do: 429, 500, truncated bodies, dropped connections."
)
def serve_command(folder: Path, port: int, token: str | None, misbehave: bool) -> None:
    """Serve a generated folder as an EHR's FHIR endpoint, until Ctrl-C."""
    from gapsvc.sandbox.server import Misbehaviour, serve

    how = Misbehaviour.all() if misbehave else None
    with ended_by_signals(), _listening_on(port), serve(folder, port=port, misbehave=how, token=token) as ehr:
        OUT.print(f"sandbox EHR at {ehr.url} (Ctrl-C ends it)")
        given = "GAPSVC_TOKEN_SOURCE=... " if token else ""
        OUT.print(f"next: {given}python -m gapsvc pull --from {ehr.url} --name sandbox", style="dim")
        try:
            ehr.wait()
        except KeyboardInterrupt:
            OUT.print("ended")


@contextmanager
def _listening_on(port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise Failure(f"port {port} is taken: choose another with --port (0 picks a free one)", EXIT_SYSTEM) from error
