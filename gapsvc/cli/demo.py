"""`demo`: the whole way once: sandbox EHR -> pull -> evaluate -> gaps -> the service, with lines to try."""

import errno
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from urllib.request import Request, urlopen

import click
import orjson

from adapters import open_source
from adapters.base import Source
from gapsvc.child_reader import child_reader
from gapsvc.cli import show
from gapsvc.cli.console import OUT, Day, ended_by_signals, progress, today
from gapsvc.cli.data import evaluate_store, open_store, period_of, pull_source
from gapsvc.cli.main import EXIT_CHECK, EXIT_NOT_FOUND, EXIT_SOURCE, Failure, load_settings
from gapsvc.cli.story import story
from gapsvc.config import ClientSettings, Settings
from gapsvc.evaluation.catalogue import types_to_pull
from gapsvc.evaluation.evaluator import Evaluator
from gapsvc.evaluation.result import GapRecord, GapStatus, Outlook
from gapsvc.measures_in_use import measures_in_use
from gapsvc.publishing import page_of
from gapsvc.records.record import PatientRecord
from gapsvc.sandbox import EARLIEST, LARGEST, LATEST, generate, write
from gapsvc.sandbox.server import serve as serve_sandbox
from gapsvc.security.clients import new_token
from gapsvc.server import RunningServer, serving
from gapsvc.store import Store

SEED = 120


@click.command("demo")
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="Your own folder of FHIR NDJSON instead.")
@click.option("--exit", "leave", is_flag=True, help="End after the summary, instead of serving until Ctrl-C.")
@click.option(
    "--size", default=400, show_default=True, type=click.IntRange(50, LARGEST), help="Children in the sandbox."
)
@click.option("--as-of", type=Day(), help="The day that counts as today.  [today; with --data its last visit]")
def demo_command(data: Path | None, leave: bool, size: int, as_of: date | None) -> None:
    """Start a sandbox EHR, pull from it, evaluate, show rates and one child's gaps, and leave the service running.

    Everything lives in a temporary folder; Ctrl-C ends all of it.
    """
    if data is None and as_of is not None and not EARLIEST <= as_of <= LATEST:
        raise click.BadParameter(f"the sandbox knows the days from {EARLIEST} to {LATEST}", param_hint="--as-of")
    with ended_by_signals(), ExitStack() as ends:
        home = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="gapsvc-demo-")))
        token, digest = new_token()
        base = load_settings(home)
        settings = replace(base, clients=(*base.clients, ClientSettings("demo", digest, ("system/*.rs",))))
        settings = settings.with_values(database__url="", server__base_url="", log__level="warning")
        chosen = list(measures_in_use(settings).values())
        with open_store(settings) as store:
            if data is None:
                day = as_of or today()
                source = _sandbox(ends, home, size, day)
            else:
                source = open_source(str(data), name=data.resolve().name)
            report = pull_source(store, source, types_to_pull(chosen))
            show.pull_report(report)
            if not report.complete:
                raise Failure("the pull did not complete; see above", EXIT_SOURCE)
            people = store.person_ids()
            if not people:
                raise Failure(f"{data} holds no Patient that can be used: nobody to evaluate", EXIT_NOT_FOUND)
            if data is not None:
                day = as_of or _last_visit_day(store)
            period = period_of(None, None, day)
            done = evaluate_store(store, chosen, period, day)
            show.failures(done.failures)
            OUT.print(f"{done.results:,} results for {done.persons:,} children\n")
            show.rates_of_store(store, [evaluator.measure for evaluator in chosen], period, day)
            child = _telling_child(store, chosen, period)
            if child is None:
                OUT.print("no child of this population has an open gap in these measures", style="yellow")
            else:
                OUT.print("\none child's story:")
                by_id = {evaluator.measure.id: evaluator for evaluator in chosen}
                story(child_reader(settings, by_id).on(day, period).view(child))
        server = _served(ends, settings.with_values(evaluation__as_of=day), any_port=leave)
        shown = child.person_id if child else people[0]
        lines = _lines(server.base_url, shown, period)
        OUT.print(f"\nthe service is at {server.base_url}; try (the token is this demo's own):")
        for line in lines:
            OUT.print(line.curl(token), soft_wrap=True, style="cyan")
        OUT.print("\nthe child's page, for people (sign in with the token):")
        OUT.print(f"{page_of(server.base_url, shown)}\n{token}", soft_wrap=True, style="cyan")
        if leave:
            for line in lines:
                line.check(token)
            OUT.print("\ndemo-check: the service answers these three; ending")
            return
        OUT.print("\nCtrl-C ends the service" + (" and the sandbox EHR" if data is None else ""))
        server.wait()
        OUT.print("ended")


def _served(ends: ExitStack, settings: Settings, *, any_port: bool) -> RunningServer:
    """The service, on the settings' port, or on a free one where that is taken or `any_port` will do."""
    if not any_port:
        try:
            return ends.enter_context(serving(settings))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            OUT.print(f"\nport {settings['server.port']} is taken; a free one is used instead", style="yellow")
    return ends.enter_context(serving(settings.with_values(server__port=0)))


def _sandbox(ends: ExitStack, home: Path, size: int, as_of: date) -> Source:
    """Generate a population and serve it; the running EHR as a source."""
    folder = home / "sandbox"
    with progress("planning children") as tell:
        population = generate(SEED, size, as_of, progress=tell)
        write(population, folder)
    ehr = ends.enter_context(serve_sandbox(folder))
    OUT.print(f"sandbox EHR with {size:,} children at {ehr.url} (synthetic; seed {SEED}, as of {as_of})")
    return open_source(ehr.url, name="sandbox")


def _last_visit_day(store: Store) -> date:
    """The as-of day for data of unknown age: the day of the last encounter that anybody has."""
    last = max(
        (
            str(encounter.get("period", {}).get("start", ""))[:10]
            for record in store.records(types=["Encounter"])
            for encounter in record.resources.get("Encounter", ())
        ),
        default="",
    )
    try:
        day = date.fromisoformat(last)
    except ValueError:
        raise Failure("the data has no dated encounter; say the day with --as-of", 2) from None
    OUT.print(f"as of {day}, the day of the last encounter in the data (--as-of says otherwise)")
    return day


def _telling_child(store: Store, chosen: Sequence[Evaluator], period: tuple[date, date]) -> PatientRecord | None:
    """A child with an open gap that can still be closed, and evidence of both kinds if there is one."""
    best: tuple[tuple[bool, bool, int], str] | None = None
    for evaluator in chosen:
        for result in store.results(measure_url=evaluator.measure.url, period=period, statuses=[GapStatus.OPEN]):
            for group in result.groups:
                worth = _worth(group.gap)
                if best is None or worth > best[0]:
                    best = (worth, result.subject.removeprefix("Patient/"))
    return store.record(best[1]) if best else None


def _worth(gap: GapRecord) -> tuple[bool, bool, int]:
    closable = gap.status is GapStatus.OPEN and gap.outlook in (Outlook.ON_TRACK, Outlook.AT_RISK)
    telling = {item.reason for item in gap.discounted} - {"not-a-well-visit"}
    return closable, bool(gap.counted), len(telling)


@dataclass(frozen=True, slots=True)
class _Line:
    """A request to try: an address, whether it needs the token, and the kind of resource that answers it."""

    url: str
    with_token: bool
    answer: str

    def curl(self, token: str) -> str:
        """The line to type."""
        return "curl -s " + (f"-H 'Authorization: Bearer {token}' " if self.with_token else "") + f"'{self.url}'"

    def check(self, token: str) -> None:
        """Ask it as the line would.

        Raises:
            Failure: the answer is not what it should be.
        """
        headers = {"Authorization": f"Bearer {token}"} if self.with_token else {}
        asked = Request(self.url, headers=headers)  # noqa: S310 - the address of the service just started
        try:
            with urlopen(asked, timeout=60) as response:  # noqa: S310
                kind = orjson.loads(response.read())["resourceType"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Failure(f"{self.url} did not answer as it should: {error}", EXIT_CHECK) from error
        if kind != self.answer:
            raise Failure(f"{self.url} answered with {kind}, not {self.answer}", EXIT_CHECK)


def _lines(base_url: str, person_id: str, period: tuple[date, date]) -> tuple[_Line, ...]:
    asked = f"periodStart={period[0]}&periodEnd={period[1]}&status=open-gap&subject=Patient/{person_id}"
    return (
        _Line(f"{base_url}/metadata?_pretty=true", False, "CapabilityStatement"),
        _Line(f"{base_url}/Measure/$care-gaps?{asked}&_pretty=true", True, "Parameters"),
        _Line(f"{base_url}/MeasureReport?patient={person_id}&_pretty=true", True, "Bundle"),
    )
