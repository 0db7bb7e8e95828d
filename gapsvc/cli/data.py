"""`pull` and `evaluate`: from an EHR or a folder to results."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click
import orjson

from adapters import open_source
from adapters.base import Source
from adapters.files import FileSource
from adapters.vendors import vendor_names
from cql_like import CqlRuntimeError, Profile
from fhir_profiles.deqm import Reporting, individual_measure_report
from gapsvc import jobs
from gapsvc.cli import findings, scores, show, strata
from gapsvc.cli.console import ERR, OUT, Day, progress, today
from gapsvc.cli.main import EXIT_NOT_FOUND, EXIT_PARTIAL, EXIT_SETTINGS, EXIT_SOURCE, Failure, load_settings
from gapsvc.config import Settings, SourceSettings
from gapsvc.evaluation.catalogue import types_read, types_to_pull
from gapsvc.evaluation.evaluator import Evaluator
from gapsvc.evaluation.result import MeasureResult
from gapsvc.evaluation.summary import Summing
from gapsvc.evaluation.tally import Tally
from gapsvc.measures.populations import CLINIC, PLAN
from gapsvc.measures_in_use import measures_in_use
from gapsvc.publishing import reporting_of
from gapsvc.records.assemble import Sourced
from gapsvc.records.population import population
from gapsvc.store import Store
from gapsvc.storing import code_map_of, store_of

MEASURE = click.option("--measure", "measures", multiple=True, metavar="ID", help="A measure; repeat it.  [all]")
PERIOD_START = click.option("--period-start", type=Day(), help="First day of the period.  [1 January of that year]")
PERIOD_END = click.option("--period-end", type=Day(), help="Last day of the period.  [31 December of the as-of year]")
AS_OF = click.option("--as-of", type=Day(), help="The day that counts as today.  [today]")


def period_of(start: date | None, end: date | None, as_of: date) -> tuple[date, date]:
    """The measurement period: what was asked for, else the calendar year of the as-of day."""
    period = (start or date((end or as_of).year, 1, 1), end or date((start or as_of).year, 12, 31))
    if period[1] < period[0]:
        raise click.UsageError(f"the period ends ({period[1]}) before it starts ({period[0]})")
    return period


def open_store(settings: Settings) -> Store:
    """The settings' store, at this program's schema."""
    store = store_of(settings)
    store.migrate()
    return store


@click.command("pull")
@click.argument("names", nargs=-1)
@click.option("--from", "location", help="A FHIR base URL or a folder, instead of the settings' [[source]]s.")
@click.option("--name", help="What to call the source that --from names.  [the folder's or host's name]")
@click.option("--vendor", type=click.Choice(vendor_names()), help="The EHR product of --from.  [generic]")
@click.option("--client-id", help="The client id that the product of --from wants in a header, if it does.")
@click.option("--group", help="Id of the Group at --from whose members are read, instead of all patients.")
@click.option("--whole", is_flag=True, help="Read everything again, not only what is new since the last pull.")
def pull_command(names: tuple[str, ...], location: str | None, whole: bool, **of_location: str | None) -> None:
    """Pull records into the store: from the settings' sources (or those NAMED), or from --from.

    A pull that was cut off goes on where it stopped. A bearer token is read from the variable that the source's
    `token_variable` names; with --from, from GAPSVC_TOKEN_SOURCE.
    """
    settings = load_settings()
    said = {key: value for key, value in of_location.items() if value is not None}
    if location is None and said:
        option = next(iter(said)).replace("_", "-")
        raise click.UsageError(f"--{option} goes with --from; for a [[source]] it stands in the settings")
    if location is not None and names:
        raise click.UsageError("name sources of the settings, or give --from, not both")
    if location is None:
        sources = [_of_settings(source) for source in _chosen(settings, names)]
    else:
        source = SourceSettings(**{"name": "", "location": location, **said})
        sources = [_opened(source, os.environ.get("GAPSVC_TOKEN_SOURCE"))]
    incomplete = False
    with open_store(settings) as store:
        chosen = measures_in_use(settings).values()
        for source in sources:
            types = types_to_pull(chosen, claims=isinstance(source, FileSource))
            report = pull_source(store, source, types, whole=whole)
            show.pull_report(report)
            incomplete |= not report.complete or bool(getattr(source, "damaged", ()))
    if incomplete:
        raise Failure("not everything could be read; what was read is kept. Pull again to go on.", EXIT_SOURCE)
    OUT.print("next: python -m gapsvc evaluate", style="dim")


def pull_source(store: Store, source: Source, types: Sequence[str], *, whole: bool = False) -> jobs.PullReport:
    """Pull one source, with a progress bar."""
    seen: dict[str, int] = {}
    totals: dict[str, int | None] = {}
    with progress(f"pulling {source.name}") as tell:

        def on(resource_type: str, done: int, total: int | None) -> None:
            seen[resource_type], totals[resource_type] = done, total
            known = [total for total in totals.values() if total is not None]
            tell(sum(seen.values()), sum(known) if len(known) == len(types) else None)

        return jobs.pull(store, source, types, progress=on, whole=whole)


def _chosen(settings: Settings, names: Sequence[str]) -> list[SourceSettings]:
    unknown = set(names) - {source.name for source in settings.sources}
    if unknown:
        known = ", ".join(source.name for source in settings.sources) or "none"
        raise Failure(f"the settings have no source {', '.join(sorted(unknown))}; there are: {known}", EXIT_SETTINGS)
    if not settings.sources:
        raise Failure("there is no [[source]] in the settings; give one there, or use --from", EXIT_SETTINGS)
    return [source for source in settings.sources if not names or source.name in names]


def _of_settings(source: SourceSettings) -> Source:
    token = os.environ.get(source.token_variable) if source.token_variable else None
    if source.token_variable and token is None:
        raise Failure(f"source {source.name}: {source.token_variable} is not set", EXIT_SETTINGS)
    return _opened(source, token)


def _opened(source: SourceSettings, token: str | None) -> Source:
    try:
        return open_source(
            source.location,
            name=source.name or None,
            vendor=source.vendor,
            token=token,
            client_id=source.client_id,
            group=source.group,
        )
    except ValueError as error:  # no such vendor
        raise Failure(f"source {source.name or source.location}: {error}", EXIT_SETTINGS) from error


@click.command("evaluate")
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="A folder of NDJSON; no database is used.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="With --data: MeasureReports, as NDJSON.")
@click.option(
    "--code-map",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --data: a file that says which standard codes the folder's own codes stand for.",
)
@MEASURE
@PERIOD_START
@PERIOD_END
@AS_OF
@click.option("--everybody", is_flag=True, help="Also whose result still holds; after a code map was changed.")
@click.option(
    "--population",
    type=click.Choice((CLINIC, PLAN)),
    help="Whom the measures are about: the clinic's registry, or who is enrolled with a plan.  [evaluation.population]",
)
@strata.STRATIFY
@strata.UNSUPPRESSED
@click.option("--profile", is_flag=True, help="Say on stderr where the measures' time went, define by define.")
def evaluate_command(
    data: Path | None,
    out: Path | None,
    code_map: Path | None,
    measures: tuple[str, ...],
    period_start: date | None,
    period_end: date | None,
    as_of: date | None,
    everybody: bool,
    population: str | None,
    stratify: tuple[str, ...],
    unsuppressed: bool,
    profile: bool,
) -> None:
    """Evaluate measures: over a folder of NDJSON (--data, --out), or over the store's records, keeping the results.

    With --data, one individual MeasureReport is written per child and measure.
    """
    settings = load_settings()
    if unsuppressed:
        if not stratify:
            raise click.UsageError("--unsuppressed goes with --stratify; nothing else is suppressed")
        settings = settings.with_values(reporting__suppress_below=0)
    day = as_of or settings["evaluation.as_of"] or today()
    period = period_of(period_start, period_end, day)
    timed = Profile() if profile else None
    chosen = list(measures_in_use(settings, measures, population=population, profile=timed).values())
    if data is None:
        for option, given in (("--out", out), ("--code-map", code_map)):
            if given is not None:
                raise click.UsageError(f"{option} goes with --data; the store's results are served by the API")
        _evaluate_stored(settings, chosen, period, day, stratify, everybody=everybody)
    else:
        if everybody:
            raise click.UsageError("--everybody goes with the store; a folder is always evaluated whole")
        if out is None:
            raise click.UsageError("--data needs --out FILE.ndjson")
        if not out.parent.is_dir():
            raise click.BadParameter(f"there is no folder {out.parent}", param_hint="--out")
        found = read_folder(data, types_to_pull(chosen, claims=True), code_map)
        if not any(one.resource["resourceType"] == "Patient" for one in found):
            raise Failure(f"{data} holds no Patient that can be used: nobody to evaluate", EXIT_NOT_FOUND)
        _evaluate_loose(settings, found, out, chosen, period, day, stratify)
        _end_if_damaged(FileSource(data))
    if timed is not None:
        click.echo(timed.table(), err=True)


def _evaluate_stored(
    settings: Settings,
    chosen: Sequence[Evaluator],
    period: tuple[date, date],
    day: date,
    stratify: Sequence[str],
    *,
    everybody: bool,
) -> None:
    definitions = [evaluator.measure for evaluator in chosen]
    with open_store(settings) as store:
        if not store.person_ids():
            raise Failure("the store holds no children; `python -m gapsvc pull` reads them", EXIT_NOT_FOUND)
        report = evaluate_store(store, chosen, period, day, everybody=everybody)
        OUT.print(f"{report.results:,} new results for {report.persons:,} children who were due")
        show.rates_of_store(store, definitions, period, day)
        if stratify:
            rollup = strata.rollup_of_store(store, settings, definitions, stratify, period, day)
            strata.show(rollup, definitions, stratify, settings["reporting.suppress_below"])
        sums = scores.without_gaps(evaluator.on(*period, day) for evaluator in chosen)
        for one in sums.values():
            for result in store.results(measure_url=one.measure.url, period=period):
                one.add(result)
        scores.show(sums.values())
    _end_if_failed(report.failures)
    OUT.print("next: python -m gapsvc gaps, or python -m gapsvc serve", style="dim")


def _evaluate_loose(
    settings: Settings,
    found: Sequence[Sourced],
    out: Path,
    chosen: Sequence[Evaluator],
    period: tuple[date, date],
    day: date,
    stratify: Sequence[str],
) -> None:
    definitions = [evaluator.measure for evaluator in chosen]
    sums = scores.without_gaps(evaluator.on(*period, day) for evaluator in chosen)
    told_apart = strata.Stratifying(settings, stratify, period, day, found)
    tally, failures = _write_reports(settings, found, out, chosen, period, day, sums, told_apart)
    show.rates(tally, definitions, period, day)
    if stratify:
        strata.show(told_apart.rollup(), definitions, stratify, settings["reporting.suppress_below"])
    scores.show(sums.values())
    OUT.print(f"{tally.results:,} MeasureReports in {out}")
    _end_if_failed(failures)


def _end_if_damaged(source: Source) -> None:
    damaged: Sequence[str] = getattr(source, "damaged", ())
    if damaged:
        raise Failure(f"{', '.join(damaged)} could be read only in part: get it again, and repeat this", EXIT_SOURCE)


def _end_if_failed(failures: Mapping[str, Sequence[str]]) -> None:
    if failures:
        show.failures(failures)
        raise Failure("some children could not be evaluated; all others were", EXIT_PARTIAL)


def evaluate_store(
    store: Store, chosen: Sequence[Evaluator], period: tuple[date, date], as_of: date, *, everybody: bool = False
) -> jobs.EvaluationReport:
    """Evaluate whoever is due (or everybody), with a progress bar."""
    with progress("evaluating") as tell:
        return jobs.evaluate_all(
            store, chosen, period, as_of, progress=tell, types=types_read(chosen), everybody=everybody
        )


def _write_reports(
    settings: Settings,
    found: Sequence[Sourced],
    out: Path,
    chosen: Sequence[Evaluator],
    period: tuple[date, date],
    as_of: date,
    sums: dict[str, Summing],
    told_apart: strata.Stratifying,
) -> tuple[Tally, dict[str, list[str]]]:
    """The counts, and by measure the persons on whose records its rules failed. Results are added to `sums` and
    counted by strata in `told_apart`."""
    records = population(found, settings["linking.person_systems"])
    findings.tell(records)
    prepared = [evaluator.on(*period, as_of) for evaluator in chosen]
    reporting = reporting_of(settings, datetime.now(UTC))
    tally = Tally()
    failures: dict[str, list[str]] = {}
    partial = out.with_name(out.name + ".part")  # a file under its own name is a whole one
    try:
        with partial.open("wb") as file, progress("evaluating") as tell:
            for number, record in enumerate(records, 1):
                results: list[MeasureResult] = []
                for each in prepared:
                    try:
                        result = each.evaluate(record)
                    except CqlRuntimeError:  # one record that a measure's logic can't take must not stop the others
                        failures.setdefault(each.measure.id, []).append(record.person_id)
                        continue
                    tally.add(result)
                    results.append(result)
                    scores.add(sums, result)
                    write_report(file, result, reporting)
                told_apart.add(record, results)
                if number % 100 == 0 or number == len(records):
                    tell(number, len(records))
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return tally, failures


def read_folder(data: Path, types: Sequence[str], code_map: Path | None = None) -> list[Sourced]:
    """The resources of these types in a folder (or one file), read through a code map if one is given, with a progress
    bar; what can't be used is said."""
    source = FileSource(data)
    mapped = None if code_map is None else code_map_of(code_map).applied
    rejected = 0
    found: list[Sourced] = []
    gone: dict[str, int] = {}  # Type/id that a Bundle deletes -> how many resources were read before
    with progress("reading") as tell:
        for name in types:
            for batch in source.batches(name):
                gone.update(dict.fromkeys(batch.extra.get("deleted", "").split(), len(found)))
                found.extend(
                    Sourced(source.name, item.resource if mapped is None else mapped(item.resource))
                    for item in batch.fetched
                )
                rejected += len(batch.rejected)
                for refusal in batch.rejected[:10]:
                    ERR.print(f"kept out: {refusal.origin}: {refusal.reason}", style="yellow")
                for notice in batch.notices:
                    ERR.print(notice, style="yellow")
                tell(len(found), None)
    if rejected:
        ERR.print(f"{rejected:,} resources could not be used", style="yellow")
    if gone:
        # What was read before its deletion is gone; what came after it is there.
        found = [one for at, one in enumerate(found) if at >= gone.get(_name(one.resource), 0)]
    return found


def _name(resource: Mapping[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def write_report(file: BinaryIO, result: MeasureResult, reporting: Reporting) -> None:
    """One individual MeasureReport as one NDJSON line."""
    file.write(orjson.dumps(individual_measure_report(result, reporting), option=orjson.OPT_APPEND_NEWLINE))
