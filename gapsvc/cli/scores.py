"""The scores of measures that have no gaps (continuous-variable, cohort): what `evaluate` shows of them."""

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from fhir_profiles.deqm.groups import in_order
from fhir_profiles.terms import POPULATION_DISPLAY
from gapsvc.cli.console import ERR, OUT
from gapsvc.evaluation.evaluator import PreparedEvaluation
from gapsvc.evaluation.result import MeasureResult
from gapsvc.evaluation.summary import GroupSummary, Summing


def without_gaps(prepared: Iterable[PreparedEvaluation]) -> dict[str, Summing]:
    """A sum, by measure id, for each measure that the rates table can't show."""
    return {one.measure.id: Summing.of(one) for one in prepared if not one.measure.gaps_are_known}


def add(sums: dict[str, Summing], result: MeasureResult) -> None:
    """Count a result, if its measure is among the sums."""
    if result.measure_id in sums:
        sums[result.measure_id].add(result)


def show(sums: Iterable[Summing]) -> None:
    """One table a measure: each group's score and the members of its populations."""
    for summary in (one.summary() for one in sums):
        table = Table(
            title=Text(summary.measure_title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1)
        )
        for column in ("group", "score", "of"):
            table.add_column(column)
        for group in summary.groups:
            table.add_row(Text(group.description), _score(group), _counts(group))
        OUT.print(table, soft_wrap=False)
        for problem in summary.problems:
            ERR.print(f"{summary.measure_id}: {problem}", style="yellow", markup=False)


def _score(group: GroupSummary) -> str:
    if group.score is None:
        return "not scored"
    observations = group.observations
    aggregate = f"{observations[0].aggregate} " if len(observations) == 1 else ""
    unit = (
        f" {observations[0].unit}" if len(observations) == 1 and observations[0].unit and aggregate != "count " else ""
    )
    return f"{aggregate}{group.score}{unit}"


def _counts(group: GroupSummary) -> str:
    named = in_order(group.populations)
    return ", ".join(f"{POPULATION_DISPLAY[name.partition('.')[0]].lower()} {count:,}" for name, count in named)
