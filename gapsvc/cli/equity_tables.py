"""The equity report as people read it in a terminal: a table for each rate, and below it what has changed."""

from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gapsvc.cli.console import LOG_WIDTH
from gapsvc.equity import words
from gapsvc.equity.report import EquityReport, RateReport, benchmark_shorts
from gapsvc.evaluation.disparity import Disparity, Standing
from gapsvc.evaluation.suppression import NOT_SHOWN


def console_of(file: TextIO) -> Console:
    """A console that writes plain text to a file."""
    return Console(file=file, highlight=False, soft_wrap=True, markup=False, emoji=False, width=LOG_WIDTH)


def show(report: EquityReport, out: Console) -> None:
    """Print the report."""
    start, end = report.period
    out.print(f"{start} to {end}, as of {report.as_of}", style="bold")
    if report.baseline is not None:
        out.print(f"baseline {report.baseline[0]} to {report.baseline[1]}", style="bold")
    if report.notice is not None:
        out.print(report.notice, style="bold red")
    for one in report.rates:
        _rate(one, out)
    confidence = words.percent(report.asked.confidence, 0)
    for line in (
        f"in brackets: {confidence} intervals; could be chance: the difference's interval holds 0, none is shown",
        *report.notes,
    ):
        out.print(line, style="dim")


def _rate(one: RateReport, out: Console) -> None:
    table = Table(
        title=Text(f"{one.title} ({one.measure_id}), by {one.dimension}"),
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("group")
    table.add_column("children", justify="right")
    table.add_column("met")
    table.add_column(f"against {one.reference}")
    table.add_column("to close it", justify="right")
    overall, groups = one.compared.overall, one.compared.groups
    for each in (overall, *(each for each in groups if each.figure.found is not None)):
        table.add_row(*_cells(each))
    hidden = [words.name(each.figure) for each in groups if each.figure.hidden]
    if hidden and not overall.figure.hidden:
        table.add_row(Text(words.listed(hidden), style="dim"), Text(NOT_SHOWN, style="dim"))
    out.print(table, soft_wrap=False)
    for line in _lines(one):
        out.print(f"  {line}")
    out.print(f"  {words.BASIS[one.basis]}", style="dim")
    for note in one.notes:
        out.print(f"  {note}", style="dim")
    out.print()


def _cells(each: Disparity) -> tuple[Text, ...]:
    found, interval, gap = each.figure.found, each.interval, each.gap
    name = Text(words.name(each.figure), style="bold" if each.figure.category is None else "")
    if found is None or interval is None:
        return (name, Text(words.rate(each), style="dim"), Text(), Text(), Text())
    against = Text("the reference" if each.is_reference else "")
    if gap is not None:
        behind = gap.is_shown and gap.points > 0
        against = Text(words.gap_in_brief(gap), style="red" if behind else "")
    to_close = "" if gap is None or gap.more <= 0 else words.children(gap.more)
    return (
        name,
        Text(f"{found.denominator:,}"),
        Text(f"{words.percent(found.rate)} ({words.span(interval)})"),
        against,
        Text(to_close),
    )


def _lines(one: RateReport) -> list[str]:
    """What the table has no room for: benchmarks, changes, goals, and groups too small to go by."""
    rows = (one.compared.overall, *one.compared.groups)
    overall = one.compared.overall
    lines = [
        f"{words.name(overall.figure)}: {words.benchmark(benchmark, more)}"
        for benchmark, more in benchmark_shorts(overall.figure, one.benchmarks)
    ]
    unknown: dict[str, list[str]] = {}
    for each in rows:
        if each.change is not None:
            lines.append(f"{words.name(each.figure)} since the baseline: {words.change(each.change)}")
        for goal in each.progress:
            if goal.standing is Standing.UNKNOWN and goal.more is None:
                unknown.setdefault(goal.goal.id, []).append(words.name(each.figure))
            else:
                lines.append(f"{words.name(each.figure)}, goal {goal.goal.id}: {words.progress(goal)}")
    lines += [
        f"goal {goal} can't be judged (not shown, or nobody, then or now) for: {words.listed(who)}"
        for goal, who in unknown.items()
    ]
    few = [words.name(each.figure) for each in rows if words.is_few(each.figure)]
    if few:
        lines.append(f"fewer than {words.FEW} children, read with care: {', '.join(few)}")
    return lines
