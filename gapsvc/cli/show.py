"""What the commands show of pulls and results: tables. One child's story is `gapsvc.cli.story`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Protocol

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from gapsvc import jobs
from gapsvc.cli.console import OUT
from gapsvc.evaluation.result import GapRecord, GapStatus
from gapsvc.evaluation.tally import Tally
from gapsvc.measures import MeasureDefinition
from gapsvc.measures.populations import PLAN
from gapsvc.store import Store

STATUS_STYLE = {"open-gap": "bold red", "prospective-gap": "yellow", "closed-gap": "green", "not-applicable": "dim"}
STATUS_WORD = {
    "open-gap": "open",
    "prospective-gap": "prospective",
    "closed-gap": "closed",
    "not-applicable": "not applicable",
}


class Rate(Protocol):
    """What a line of the rates table needs (a tally's rate, or the store's summary)."""

    @property
    def initial_population(self) -> int: ...
    @property
    def excluded(self) -> int: ...
    @property
    def outside(self) -> int: ...
    @property
    def denominator(self) -> int: ...
    @property
    def numerator(self) -> int: ...
    @property
    def final_denominator(self) -> int: ...
    @property
    def final_numerator(self) -> int: ...
    @property
    def statuses(self) -> Mapping[str, int]: ...
    @property
    def outlooks(self) -> Mapping[str, int]: ...
    @property
    def rate(self) -> float | None: ...
    @property
    def final_rate(self) -> float | None: ...


def pull_report(report: jobs.PullReport) -> None:
    """What a pull did, by type; what it was told; what it kept out."""
    table = Table(title=f"pulled from {report.source}", title_justify="left", title_style="bold")
    table.add_column("type")
    for column in ("new", "changed", "unchanged", "repaired", "kept out"):
        table.add_column(column, justify="right")
    for name, one in report.types.items():
        counts = one.counts
        table.add_row(
            name,
            *(f"{number:,}" for number in (counts.new, counts.changed, counts.unchanged)),
            f"{sum(one.repairs.values()):,}",
            f"{counts.quarantined:,}",
        )
    OUT.print(table, soft_wrap=False)
    for name, one in report.types.items():
        for code, number in one.rejections.items():
            OUT.print(f"  {name}: {number:,} kept out: {code} (whole, in the quarantine)", style="yellow")
        for notice in one.notices[:5]:
            OUT.print(f"  {name}: {notice}", style="dim")
        if one.error:
            OUT.print(f"  {name}: stopped: {one.error}", style="red")
    linked = report.linked
    OUT.print(
        f"{linked.new_persons:,} new persons, {linked.persons:,} whose record is new or changed; "
        f"{linked.newborn_visits:,} newborn visits found under the mother's record",
    )


def failures(found: Mapping[str, Sequence[str]]) -> None:
    """On whose records a measure's logic failed; nothing where there are none."""
    for measure, people in found.items():
        named = ", ".join(people[:5]) + (", ..." if len(people) > 5 else "")
        OUT.print(f"{measure}: the logic failed on {len(people):,} records: {named}", style="red")


def rates(tally: Tally, measures: Sequence[MeasureDefinition], period: tuple[date, date], as_of: date) -> None:
    """The rates table of a tally."""
    _rates(
        [
            (
                measure,
                {
                    group: tally.rates[measure.id, group]
                    for group in _groups(measure)
                    if (measure.id, group) in tally.rates
                },
            )
            for measure in measures
        ],
        period,
        as_of,
    )


def rates_of_store(store: Store, measures: Sequence[MeasureDefinition], period: tuple[date, date], as_of: date) -> None:
    """The rates table of what the store holds."""
    found = [
        (measure, {rate.group_id: rate for rate in store.summary(measure.url, period, as_of)}) for measure in measures
    ]
    _rates(found, period, as_of)


def _groups(measure: MeasureDefinition) -> list[str]:
    return [group.id for group in measure.groups]


def _rates(
    found: Iterable[tuple[MeasureDefinition, Mapping[str, Rate]]], period: tuple[date, date], as_of: date
) -> None:
    OUT.print(f"{period[0]} to {period[1]}, as of {as_of}", style="bold")
    for measure, by_group in found:
        if not measure.gaps_are_known:
            continue
        table = Table(
            title=measure.title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
        )
        table.add_column("rate")
        for column in ("met so far", "met, final"):
            table.add_column(column, justify="right", min_width=14)
        table.add_column("open (missed)", justify="right", style=STATUS_STYLE["open-gap"])
        for status in ("prospective-gap", "closed-gap"):
            table.add_column(STATUS_WORD[status], justify="right", style=STATUS_STYLE[status])
        table.add_column("excluded", justify="right")
        outside = any(rate.outside for rate in by_group.values())
        if outside:
            table.add_column("not enrolled" if measure.population == PLAN else "outside", justify="right")
        for group in measure.groups:
            rate = by_group.get(group.id)
            if rate is None:
                table.add_row(group.title, "nobody", "nobody")
                continue
            table.add_row(
                group.title,
                _share(rate.rate, rate.numerator, rate.denominator),
                _share(rate.final_rate, rate.final_numerator, rate.final_denominator),
                f"{rate.statuses.get('open-gap', 0):,} ({rate.outlooks.get('missed', 0):,})",
                *(f"{rate.statuses.get(name, 0):,}" for name in ("prospective-gap", "closed-gap")),
                f"{rate.excluded:,}",
                *([f"{rate.outside:,}"] if outside else ()),
            )
        OUT.print(table, soft_wrap=False)
    for line in LEGEND:
        OUT.print(line, style="dim")


LEGEND = (
    "met so far: of all children who count, those who have what it asks for; others may still follow.",
    "met, final: only the children whose last day is past: no visit can change it any more.",
    "open: something is missing (in brackets: too late). prospective: not due yet. closed: met, excluded or",
    "not enrolled with a plan (outside the denominator).",
)


def _share(rate: float | None, numerator: int, denominator: int) -> str:
    return "nobody" if rate is None else f"{rate:.1%} {f'{numerator:,}/{denominator:,}':>7}"


def worklist(store: Store, measures: Sequence[MeasureDefinition], period: tuple[date, date], limit: int) -> None:
    """The most urgent open gaps that can still be closed: by last day, then by the day the schedule wants them."""
    found: list[tuple[date, date, str, str, GapRecord]] = []
    for measure in measures:
        for result in store.results(measure_url=measure.url, period=period, statuses=[GapStatus.OPEN]):
            for group in result.groups:
                gap = group.gap
                if gap.status is GapStatus.OPEN and gap.outlook.value in ("on track", "at risk", "unknown"):
                    last = gap.last_day or period[1]
                    found.append((last, gap.due_by or last, result.subject, group.description, gap))
    found.sort(key=lambda row: row[:4])
    table = Table(title=f"{len(found):,} open gaps that can still be closed", title_justify="left", title_style="bold")
    for column in ("child", "measure", "needs", "due by", "last day", "outlook"):
        table.add_column(column)
    for last, due, subject, title, gap in found[:limit]:
        table.add_row(
            subject.removeprefix("Patient/"),
            title,
            gap.need.text if gap.need else "",
            str(due),
            str(last),
            Text(gap.outlook.value, style="red" if gap.outlook.value == "at risk" else ""),
        )
    OUT.print(table, soft_wrap=False)
    if not found:
        OUT.print("nothing evaluated for this period? `python -m gapsvc evaluate` does it", style="dim")
