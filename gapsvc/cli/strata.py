"""`evaluate --stratify`: the rates told apart by strata, small-cell suppressed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from gapsvc.cli.console import OUT
from gapsvc.config import Settings
from gapsvc.evaluation.result import MeasureResult
from gapsvc.evaluation.rollup import CROSS, Adding, Category, Cell, RateRollup, Rollup
from gapsvc.evaluation.strata import check_dimensions, names_of, strata_of
from gapsvc.evaluation.stratification import dimensions
from gapsvc.evaluation.stratified import can_be_stratified
from gapsvc.evaluation.suppression import INTERNAL, NOT_SHOWN, Suppression, suppress
from gapsvc.measures import MeasureDefinition
from gapsvc.records.assemble import Sourced
from gapsvc.records.record import PatientRecord
from gapsvc.store import Store
from gapsvc.stratifying import strata_context

MOST_NAMED = 4  # hidden categories; of more only the number is told


def _named(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for text in given for name in text.split(",")))
    try:
        check_dimensions(names)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return names


STRATIFY = click.option(
    "--stratify",
    multiple=True,
    metavar="DIMENSION",
    callback=_named,
    help="Also the rates by race, ethnicity, language, clinic, plan, zip, age or sex, or by two: race*clinic.",
)

UNSUPPRESSED = click.option(
    "--unsuppressed", is_flag=True, help="With --stratify: small counts too, for internal use, not for publication."
)


class Stratifying:
    """Counts a folder's children by strata while they are evaluated; nothing, where no dimension is wanted."""

    def __init__(
        self,
        settings: Settings,
        wanted: Sequence[str],
        period: tuple[date, date],
        as_of: date,
        resources: Iterable[Sourced] = (),
    ) -> None:
        self.wanted = tuple(wanted)
        self._adding = Adding(*period, as_of)
        names = names_of(item.resource for item in resources if item.resource["resourceType"] == "Organization")
        self._context = strata_context(settings, as_of, names)

    def add(self, record: PatientRecord, results: Sequence[MeasureResult]) -> None:
        """Count one child."""
        if self.wanted:
            self._adding.add(results, strata_of(record, self._context, self.wanted))

    def rollup(self) -> Rollup:
        """Everybody counted so far."""
        return self._adding.rollup()


def rollup_of_store(
    store: Store,
    settings: Settings,
    measures: Sequence[MeasureDefinition],
    wanted: Sequence[str],
    period: tuple[date, date],
    as_of: date,
) -> Rollup:
    """The roll-up of the store's results by what is wanted."""
    return store.rollup(measures, period, strata_context(settings, as_of, store.organization_names()), wanted)


def show(rollup: Rollup, measures: Sequence[MeasureDefinition], wanted: Sequence[str], below: int) -> None:
    """A table for each measure and dimension: a line a category, a column a rate. Small counts are not shown."""
    suppression = suppress(rollup, below)
    omitted = [one.title for one in measures if not can_be_stratified(one)]
    by_measure: Mapping[str, list[RateRollup]] = {one.id: [] for one in measures if can_be_stratified(one)}
    for rate in rollup.rates:
        if rate.measure_id in by_measure:
            by_measure[rate.measure_id].append(rate)
    hidden = False
    if below <= 1:
        OUT.print(INTERNAL, style="bold red")
    for measure in measures:
        rates = by_measure.get(measure.id, [])
        for dimension in wanted if rates else ():
            hidden |= _table(measure.title, dimension, rates, suppression)
    if hidden:
        OUT.print(suppression.words, style="dim")
    for title in omitted:
        OUT.print(f"{title}: not by strata; only proportions of persons are", style="dim")


def _table(title: str, dimension: str, rates: Sequence[RateRollup], suppression: Suppression) -> bool:
    """Whether anything in it is hidden."""
    head = ", ".join(dimensions()[part].title.lower() for part in dimension.split(CROSS))
    table = Table(
        title=Text(f"{title}, by {head}"),
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for column, justify in (
        ("rate", "left"),
        (head, "left"),
        ("met so far", "right"),
        ("met", "right"),
        ("of", "right"),
    ):
        table.add_column(column, justify=justify)
    hidden = False
    for rate in rates:
        hides = suppression.hides(rate.measure_id, rate.group_id)
        hidden |= hides
        table.add_row(Text(rate.title), "everybody", *_figures(rate.total, hides))
        cells = {} if hides else rate.strata.get(dimension, {})
        shown = {one: cell for one, cell in cells.items() if not suppression.hides(rate.measure_id, rate.group_id, one)}
        for category, cell in shown.items():
            if cell.denominator:
                table.add_row("", Text(category.label), *_figures(cell, False))
        others = [one for one in cells if one not in shown]
        if others:
            hidden = True
            # Two at once are hidden by rows, of which no cell may be listed or counted (see suppression).
            table.add_row("", Text("others" if CROSS in dimension else _listed(others)), NOT_SHOWN, "", "")
    OUT.print(table, soft_wrap=False)
    return hidden


def _listed(categories: Sequence[Category]) -> str:
    named = [one.label for one in categories]
    return ", ".join(named) if len(named) <= MOST_NAMED else f"{len(named)} others"


def _figures(cell: Cell, hidden: bool) -> tuple[str, str, str]:
    if hidden:
        return (NOT_SHOWN, "", "")
    if cell.rate is None:
        return ("nobody", "0", "0")
    return (f"{cell.rate:.1%}", f"{cell.numerator:,}", f"{cell.denominator:,}")
