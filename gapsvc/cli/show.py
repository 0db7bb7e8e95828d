"""What the commands show of pulls and results: tables, and one child's story in words."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Protocol

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from gapsvc import jobs
from gapsvc.cli.console import OUT
from gapsvc.evaluation import wording
from gapsvc.evaluation.result import GapRecord, GapStatus, GroupResult, MeasureResult
from gapsvc.evaluation.tally import Tally
from gapsvc.evaluation.vaccines import Vaccines, met_with_invalid_doses
from gapsvc.measures import MeasureDefinition
from gapsvc.records.record import PatientRecord
from gapsvc.schedule.immunizations.due import ImmunizationNeed
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
            )
        OUT.print(table, soft_wrap=False)
    for line in LEGEND:
        OUT.print(line, style="dim")


LEGEND = (
    "met so far: of all children who count, those who have what it asks for; others may still follow.",
    "met, final: only the children whose last day is past: no visit can change it any more.",
    "open: something is missing (in brackets: too late). prospective: not due yet. closed: met, or excluded.",
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


def story(record: PatientRecord, results: Sequence[MeasureResult]) -> None:
    """One child: each gap with its need, its window, why, and the evidence."""
    born = record.patient.get("birthDate", "birth date not known")
    OUT.print(Text(f"Patient/{record.person_id}, born {born}", style="bold"))
    for finding in record.findings:
        OUT.print(f"  data: {finding.reference}: {finding.text}", style="yellow")
    for result in results:
        told = [group for group in result.groups if group.gap.status is not GapStatus.NOT_APPLICABLE]
        if not told:
            continue
        OUT.print(Text(f"\n{result.measure_title}", style="underline"))
        for group in told:
            _gap(group)
    if all(group.gap.status is GapStatus.NOT_APPLICABLE for result in results for group in result.groups):
        OUT.print("in no measure's population for this period")


URGENCY = {"overdue": ("OVERDUE", "bold red"), "due": ("DUE", "yellow"), "later": ("later", "dim")}
SOON = timedelta(days=183)  # a need that begins later than this is not today's matter


def vaccines(found: Vaccines, results: Sequence[MeasureResult], as_of: date) -> None:
    """The child's immunizations: what is overdue, due, or coming up; doses that don't count; what was not judged."""
    OUT.print(Text(f"\nImmunizations (CDC schedule {found.schedule})", style="underline"))
    told = [
        need
        for need in found.needs
        if need.urgency in ("overdue", "due")
        or (need.urgency == "later" and need.recommended is not None and need.recommended <= as_of + SOON)
    ]
    for need in sorted(told, key=lambda one: list(URGENCY).index(one.urgency)):
        word, style = URGENCY[need.urgency]
        line = Text("  ")
        line.append(word, style=style)
        line.append(f"  {need.group}, dose {need.number}{_vaccine_window(need)}")
        OUT.print(line)
    if not told:
        OUT.print("  nothing due in the next half year", style="green")
    for dose in found.invalid:
        given = f" of {wording.day(dose.given)}" if dose.given else ""
        OUT.print(f"    not     {dose.reference}{given} for {dose.group}: {'; '.join(dose.reasons)}", style="dim")
    for rate, dose in met_with_invalid_doses(results, found.invalid):
        OUT.print(f"    repeat  {dose.reference}: counted by “{rate}”, but not valid for {dose.group}", style="yellow")
    for reference, text in found.remarks:
        OUT.print(f"    left out {reference}: {text}", style="dim")


def _vaccine_window(need: ImmunizationNeed) -> str:
    parts = [
        f"overdue since {wording.day(need.overdue_since)}" if need.overdue_since else "",
        f"from {wording.day(need.due_from)}" if need.due_from and not need.overdue_since else "",
        f"recommended {wording.day(need.recommended)}" if need.recommended and not need.overdue_since else "",
        f"last day {wording.day(need.last_day)}" if need.last_day else "",
    ]
    said = ", ".join(part for part in parts if part)
    return f": {said}" if said else ""


def _gap(group: GroupResult) -> None:
    gap = group.gap
    head = Text("  ")
    head.append(STATUS_WORD[gap.status.value].upper(), style=STATUS_STYLE[gap.status.value])
    head.append(f"  {group.description}: {'; '.join(reason.text for reason in gap.reasons)}")
    OUT.print(head)
    if gap.need is not None:
        OUT.print(f"    needs         {gap.need.text}{_window(gap)}")
        OUT.print(f"    outlook       {gap.outlook.value}")
    for counted in gap.counted:
        OUT.print(f"    counts        {counted.reference} {_on(counted.on)}", style="green")
    for item in gap.discounted:
        OUT.print(f"    doesn't count {item.reference} {_on(item.on)}: {item.text}", style="dim")
    if gap.changes_on is not None:
        OUT.print(f"    looked at again on {wording.day(gap.changes_on)}, if nothing is done before", style="dim")


def _window(gap: GapRecord) -> str:
    parts = [
        f"counts from {wording.day(gap.due_from)}" if gap.due_from else "",
        f"wanted by {wording.day(gap.due_by)}" if gap.due_by else "",
        f"last day {wording.day(gap.last_day)}" if gap.last_day else "",
    ]
    said = "; ".join(part for part in parts if part)
    return f": {said}" if said else ""


def _on(day: date | None) -> str:
    return f"on {wording.day(day)}" if day else "without a day"
