"""`equity`: is the disparity closing? Rates by group with their gaps, changes, goals and benchmarks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import click
import orjson

from cql_like import CqlRuntimeError
from gapsvc.cli import equity_tables
from gapsvc.cli.console import ERR, OUT, Day, progress, today
from gapsvc.cli.data import AS_OF, MEASURE, PERIOD_END, PERIOD_START, open_store, period_of, read_folder
from gapsvc.cli.main import EXIT_NOT_FOUND, EXIT_PARTIAL, Failure, load_settings
from gapsvc.config import Settings, day_of
from gapsvc.equity import tables
from gapsvc.equity.configuration import BENCHMARKS, GOALS, EquityGoal, read_benchmarks, read_goals
from gapsvc.equity.goal_periods import Period, further_periods, year_before
from gapsvc.equity.report import AUTO, BEST, FINAL, OVERALL, Asked, EquityReport, NoSuchReference, report
from gapsvc.evaluation.catalogue import types_read, types_to_pull
from gapsvc.evaluation.disparity import Goal
from gapsvc.evaluation.evaluator import Evaluator
from gapsvc.evaluation.proportions import CONFIDENCE
from gapsvc.evaluation.rollup import Adding, Rollup
from gapsvc.evaluation.strata import check_dimensions, names_of, strata_of, types_told_by
from gapsvc.evaluation.suppression import SO_FAR
from gapsvc.measures import MeasureDefinition, catalog
from gapsvc.measures.installing import installed
from gapsvc.measures.populations import CLINIC, PLAN
from gapsvc.measures_in_use import measures_in_use
from gapsvc.records import population as people
from gapsvc.records.record import PatientRecord
from gapsvc.stratifying import strata_context


@click.command("equity")
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="A folder of NDJSON instead of the store.")
@click.option("--by", "dimensions", multiple=True, metavar="DIMENSION", help="Tell apart by this; repeat it.  [race]")
@click.option("--reference", help="Compare with: overall, best, or a group by name or code.  [overall]")
@MEASURE
@click.option("--rate", "rates", multiple=True, metavar="ID", help="A rate of the measures; repeat it.  [all]")
@PERIOD_START
@PERIOD_END
@AS_OF
@click.option(
    "--population",
    type=click.Choice([CLINIC, PLAN]),
    help="The clinic's registry, or who is enrolled with a plan.  [evaluation.population]",
)
@click.option("--baseline-start", type=Day(), help="First day of the baseline.  [a year before the period]")
@click.option("--baseline-end", type=Day(), help="Last day of the baseline.  [a year before the period]")
@click.option("--no-baseline", is_flag=True, help="No change and no goals: this period alone.")
@click.option("--goal", "goals", multiple=True, metavar="GOAL", help="A goal's id, or PERCENT@DAY; repeat it.  [all]")
@click.option(
    "--basis",
    type=click.Choice([AUTO, FINAL, SO_FAR]),
    default=AUTO,
    show_default=True,
    help="Count final results only, all so far, or the final ones where there are any.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0.5, 0.999),
    default=CONFIDENCE,
    show_default=True,
    help="Confidence level of the intervals.",
)
@click.option("--format", "as_format", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
@click.option("--chart", type=click.Path(dir_okay=False, path_type=Path), help="A chart: a file .svg or .png.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of standard output.")
@click.option("--unsuppressed", is_flag=True, help="Show small counts too: for internal use, not for publication.")
def equity_command(
    data: Path | None,
    dimensions: tuple[str, ...],
    reference: str | None,
    measures: tuple[str, ...],
    rates: tuple[str, ...],
    period_start: date | None,
    period_end: date | None,
    as_of: date | None,
    population: str | None,
    baseline_start: date | None,
    baseline_end: date | None,
    no_baseline: bool,
    goals: tuple[str, ...],
    basis: str,
    confidence: float,
    as_format: str,
    chart: Path | None,
    out: Path | None,
    unsuppressed: bool,
) -> None:
    """Is the disparity closing? Each measure's rates by group: with intervals, the gap to a reference and to all
    children, its change since a baseline, goals, and how many more children a goal or benchmark takes.

    Counts are small-cell suppressed unless --unsuppressed.
    """
    if chart is not None and chart.suffix.lower() not in (".svg", ".png"):
        raise click.BadParameter("expected a file .svg or .png", param_hint="--chart")
    for option, file in (("--out", out), ("--chart", chart)):
        if file is not None and not file.parent.is_dir():
            raise click.BadParameter(f"there is no folder {file.parent}", param_hint=option)
    dimensions = tuple(dict.fromkeys(dimensions)) or ("race",)
    try:
        check_dimensions(dimensions)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--by") from error
    settings = load_settings()
    day = as_of or settings["evaluation.as_of"] or today()
    period = period_of(period_start, period_end, day)
    chosen = _chosen(settings, measures, rates, population)
    named, found_goals = _goals(settings, goals)
    baseline = None if no_baseline else _baseline(baseline_start, baseline_end, named, period, day)
    if no_baseline and (baseline_start or baseline_end or goals):
        raise click.UsageError("--no-baseline leaves out changes and goals; it does not go with them")
    asked = Asked(
        dimensions=dimensions,
        rates=frozenset(rates),
        reference=reference or _reference(named),
        basis=basis,
        confidence=confidence,
        goals=found_goals,
        benchmarks=read_benchmarks(Path(settings["equity.benchmarks"] or BENCHMARKS), _all_rates(settings)),
        suppress_below=None if unsuppressed else settings["reporting.suppress_below"] or None,
        population=population or settings["evaluation.population"],
    )
    if asked.reference not in (OVERALL, BEST) and len(dimensions) > 1:
        raise click.UsageError("a group as --reference goes with one --by")
    periods = [Looked(period, day)]
    if baseline is not None:
        # The day after its end: everybody's result is final then, as it was for the year that was reported.
        periods.append(Looked(baseline, baseline[1] + timedelta(days=1)))
        periods += _of_goals(asked, chosen, period, baseline, day)
    rollups, failures = _roll_up(settings, data, chosen, periods, dimensions)
    try:
        found = report(rollups[0], asked, rollups[1] if baseline else None, rollups[2:])
    except NoSuchReference as error:
        raise click.BadParameter(str(error), param_hint="--reference") from error
    _put(found, as_format, out)
    if not rates and any(group.figure.hidden for one in found.rates for group in one.compared.groups):
        ERR.print(
            "of one rate a measure more groups can be shown (--rate); for internal use all are (--unsuppressed)",
            style="dim",
        )
    if chart is not None:
        from gapsvc.equity.chart import TooMuch, draw  # matplotlib: only who draws waits for it

        try:
            draw(found, chart)
        except TooMuch as error:
            raise click.BadParameter(f"{error}; choose with --measure and --rate", param_hint="--chart") from error
        ERR.print(f"chart in {chart}", style="dim")
    if failures:
        for measure, people in failures.items():
            ERR.print(f"{measure}: the logic failed on {len(people):,} records: {', '.join(people[:5])}", style="red")
        raise Failure("some children could not be evaluated; all others were", EXIT_PARTIAL)


@dataclass(frozen=True, slots=True)
class Looked:
    """A period, the day as of which it is looked at, and for which measures (none: all chosen)."""

    period: Period
    as_of: date
    measures: frozenset[str] = frozenset()


def _of_goals(asked: Asked, chosen: Sequence[Evaluator], period: Period, baseline: Period, as_of: date) -> list[Looked]:
    """The further periods that the goals are judged by: of those that are about something asked for."""
    rates = [(one.measure.id, group.id) for one in chosen for group in one.measure.groups]
    about = [
        goal
        for goal in asked.goals
        if any(
            goal.is_about(measure, rate, dimension)
            for dimension in asked.dimensions
            for measure, rate in rates
            if not asked.rates or rate in asked.rates
        )
    ]
    found = further_periods(about, period, baseline)
    return [
        Looked(one, one[1] + timedelta(days=1), measures)
        for one, measures in found.items()
        if one[1] < min(period[0], as_of)  # a goal whose baseline is not over yet can't be judged, which is said
    ]


def _put(found: EquityReport, as_format: str, out: Path | None) -> None:
    if as_format == "table":
        if out is None:
            equity_tables.show(found, OUT)
        else:
            with out.open("w", encoding="utf-8") as file:
                equity_tables.show(found, equity_tables.console_of(file))
    else:
        text = (
            orjson.dumps(tables.as_json(found), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
            if as_format == "json"
            else tables.as_csv(found)
        )
        if out is None:
            click.echo(text, nl=False)
        else:
            out.write_bytes(text.encode())
    if out is not None:
        ERR.print(f"{len(found.rates):,} rates in {out}", style="dim")


def _all_rates(settings: Settings) -> Mapping[str, Sequence[str]]:
    """The rates of every measure there is, in use or not: what files of goals and benchmarks may name."""
    every = [*catalog().values(), *installed(settings.measures_folder)]
    return {one.id: [group.id for group in one.groups] for one in every}


def _chosen(
    settings: Settings, measures: Sequence[str], rates: Sequence[str], population: str | None
) -> list[Evaluator]:
    """The measures whose rates can be compared; which are left out is said."""
    every = measures_in_use(settings, measures, population=population).values()
    chosen: list[Evaluator] = []
    for one in every:
        reason = _not_compared(one.measure)
        if reason is None:
            chosen.append(one)
        elif one.measure.id in measures:
            raise click.BadParameter(f"{one.measure.id}: {reason}", param_hint="--measure")
        else:
            ERR.print(f"{one.measure.id} is left out: {reason}", style="yellow")
    there = {group.id for one in chosen for group in one.measure.groups}
    unknown = [name for name in rates if name not in there]
    if unknown:
        raise click.BadParameter(
            f"there is no rate {', '.join(unknown)}; there are {', '.join(sorted(there))}", param_hint="--rate"
        )
    if not chosen:
        raise click.UsageError("no measure in use has rates that can be compared")
    return chosen


def _not_compared(measure: MeasureDefinition) -> str | None:
    for group in measure.groups:
        if (group.scoring or measure.scoring) != "proportion" or group.basis != "boolean":
            return "only proportions of persons are compared"
        if (group.improvement_notation or measure.improvement_notation) == "decrease":
            return "fewer is better there; only rates where more is better are compared"
    return None


def _goals(settings: Settings, asked: Sequence[str]) -> tuple[tuple[EquityGoal, ...], tuple[EquityGoal, ...]]:
    """The goals that were named, and those to report: the named ones, or all where none is."""
    file = Path(settings["equity.goals"] or GOALS)
    by_id = {one.goal.id: one for one in read_goals(file, _all_rates(settings))}
    named: list[EquityGoal] = []
    for text in asked:
        if text in by_id:
            named.append(by_id[text])
            continue
        percent, at, due = text.rpartition("@")
        try:
            reduction = Fraction(percent.strip().removesuffix("%")) / 100
            if not at or not 0 < reduction <= 1:
                raise ValueError
            goal = Goal(text, f"{percent} less by {due}", reduction, day_of(due))
        except (ValueError, ZeroDivisionError):
            raise click.BadParameter(
                f"{text!r} is no goal; expected an id ({', '.join(by_id) or 'there are none'}) or e.g. 50%@2026-12-31",
                param_hint="--goal",
            ) from None
        named.append(EquityGoal(goal, (), (), "", frozenset(), None, None, "--goal", "as asked"))
    return tuple(named), tuple(named) or tuple(by_id.values())


def _reference(named: Sequence[EquityGoal]) -> str:
    references = {one.reference for one in named if one.reference}
    if len(references) > 1:
        raise click.UsageError(f"the goals' references differ ({', '.join(sorted(references))}): give --reference")
    return next(iter(references), OVERALL)


def _baseline(start: date | None, end: date | None, named: Sequence[EquityGoal], period: Period, as_of: date) -> Period:
    """The baseline: what was asked for, else that of the goal named, else the period a year before."""
    theirs = {one.baseline for one in named if one.baseline}
    if start is not None or end is not None:
        year = (end or start or as_of).year
        found = (start or date(year, 1, 1), end or date(year, 12, 31))
    elif len(theirs) == 1:
        found = next(iter(theirs))
    else:  # of several goals each is measured from its own
        before = year_before(period)
        if before is None:
            raise click.UsageError(f"there is no year before {period[0]}: give the baseline, or --no-baseline")
        found = before
    if found[1] < found[0]:
        raise click.UsageError(f"the baseline ends ({found[1]}) before it starts ({found[0]})")
    if found[1] >= period[0]:
        raise click.UsageError(f"the baseline must end ({found[1]}) before the period starts ({period[0]})")
    if found[1] >= as_of:
        raise click.UsageError(f"the baseline must be over on the as-of day ({as_of}); it ends {found[1]}")
    return found


def _roll_up(
    settings: Settings,
    data: Path | None,
    chosen: Sequence[Evaluator],
    periods: Sequence[Looked],
    dimensions: Sequence[str],
) -> tuple[list[Rollup], Mapping[str, Sequence[str]]]:
    """A roll-up for each period, of the same records; and by measure the persons on whose records its rules failed."""
    if data is not None:
        sourced = read_folder(data, types_to_pull(chosen))
        records = people.population(sourced, settings["linking.person_systems"])
        if not records:
            raise Failure(f"{data} holds no Patient that can be used: nobody to evaluate", EXIT_NOT_FOUND)
        names = names_of(item.resource for item in sourced)
        return _counted(records, len(records), settings, chosen, periods, dimensions, names)
    with open_store(settings) as store:
        persons = store.person_ids()
        if not persons:
            raise Failure("the store holds no children; `python -m gapsvc pull` reads them", EXIT_NOT_FOUND)
        types = types_read(chosen) | types_told_by(dimensions)
        names = store.organization_names()
        return _counted(store.records(types=types), len(persons), settings, chosen, periods, dimensions, names)


def _counted(
    records: Iterable[PatientRecord],
    size: int,
    settings: Settings,
    chosen: Sequence[Evaluator],
    periods: Sequence[Looked],
    dimensions: Sequence[str],
    names: Mapping[str, str],
) -> tuple[list[Rollup], Mapping[str, Sequence[str]]]:
    failures: dict[str, list[str]] = {}
    looks = [
        (
            Adding(*one.period, one.as_of),
            strata_context(settings, one.as_of, names),
            [
                evaluator.on(*one.period, one.as_of)
                for evaluator in chosen
                if not one.measures or evaluator.measure.id in one.measures
            ],
        )
        for one in periods
    ]
    with progress("evaluating") as tell:
        for number, record in enumerate(records, 1):
            for adding, context, prepared in looks:
                results = []
                for each in prepared:
                    try:
                        results.append(each.evaluate(record))
                    except CqlRuntimeError:  # one record that a measure's logic can't take must not stop the others
                        failed = failures.setdefault(each.measure.id, [])
                        if record.person_id not in failed:
                            failed.append(record.person_id)
                adding.add(results, strata_of(record, context, dimensions))
            if number % 100 == 0 or number == size:
                tell(number, size)
    return [adding.rollup() for adding, _context, _prepared in looks], failures
