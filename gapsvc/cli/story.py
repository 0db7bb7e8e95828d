"""One child's story in words: what to do, then the measures, visits and doses behind it, each row with its source."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from rich.text import Text

from gapsvc.cli.console import OUT
from gapsvc.cli.show import STATUS_STYLE, STATUS_WORD
from gapsvc.evaluation import wording
from gapsvc.evaluation.actions import Action, Urgency, most_pressing
from gapsvc.evaluation.child import ChildView
from gapsvc.evaluation.products import GROUP_NAMES
from gapsvc.evaluation.result import GapRecord, GapStatus, GroupResult, MeasureResult
from gapsvc.evaluation.seasons import NOT_KNOWN
from gapsvc.evaluation.vaccines import Vaccines, met_with_invalid_doses
from gapsvc.schedule.immunizations.due import ImmunizationNeed
from gapsvc.schedule.visits.plan import SlotStatus, VisitPlan

_TODAY = (Urgency.OVERDUE, Urgency.DUE)
_URGENCY = {Urgency.OVERDUE: ("OVERDUE", "bold red"), Urgency.DUE: ("DUE", "yellow"), Urgency.LATER: ("later", "dim")}
_SLOT_STYLE = {
    SlotStatus.OVERDUE: "bold red",
    SlotStatus.DUE: "yellow",
    SlotStatus.DONE: "green",
    SlotStatus.MISSED: "red",
}
_MANY = 4  # products that are named


def story(view: ChildView) -> None:
    """Print it: the list of actions first, today's before later ones; then the evidence."""
    record = view.record
    born = record.patient.get("birthDate", "birth date not known")
    OUT.print(Text(f"Patient/{record.person_id}, born {born}, as of {wording.day(view.as_of)}", style="bold"))
    for finding in record.findings:
        OUT.print(f"  data: {finding.reference}: {finding.text}", style="yellow")
    for notice in view.notices:
        OUT.print(Text(f"  look first: {notice}", style="bold yellow"))
    _actions(most_pressing(view.actions, view.as_of))
    _measures(view.results, record.sources)
    if view.visits is not None:
        _visits(view.visits, record.sources)
    if view.vaccines is not None:
        _vaccines(view.vaccines, view.results, record.sources)
    for name in view.failed:
        OUT.print(f"\n{name}: its rules failed on this record; nothing above is of it", style="red")
    if view.changes_on is not None:
        OUT.print(f"\nall of this holds until {wording.day(view.changes_on)}, if nothing is done before", style="dim")


# ---- what to do


def _actions(actions: Sequence[Action]) -> None:
    today = [action for action in actions if action.urgency in _TODAY]
    _heading("To do now")
    for action in today:
        _action(action)
    if not today:
        OUT.print("  nothing that is known", style="dim")
    later = [action for action in actions if action.urgency is Urgency.LATER]
    if later:
        _heading("Later")
        for action in later:
            _action(action)
    lost = [action for action in actions if action.urgency is Urgency.LOST]
    if lost:
        _heading("Measures that can't be met any more")
        for action in lost:
            OUT.print(f"  {action.text}: {action.when}", style="dim")
            for wish in action.wishes:
                OUT.print(f"    {wish.text}", style="dim")


def _action(action: Action) -> None:
    word, style = _URGENCY[action.urgency]
    line = Text("  ")
    line.append(word, style=style)
    line.append(f"  {action.text}: {action.when}")
    OUT.print(line)
    if action.products:
        more = len(action.products) - _MANY
        OUT.print(f"    with          {', '.join(action.products[:_MANY])}" + (f" or {more} more" if more > 0 else ""))
    for remark in action.remarks:
        OUT.print(f"    note          {remark}", style="yellow")
    for wish in action.wishes:
        OUT.print(f"    why           {wish.text}", style="dim")


# ---- what it rests on


def _measures(results: Iterable[MeasureResult], sources: Mapping[str, str]) -> None:
    told = 0
    for result in results:
        groups = [group for group in result.groups if group.gap.status is not GapStatus.NOT_APPLICABLE]
        if groups:
            _heading(result.measure_title)
        shown: set[tuple[str, str]] = set()
        for group in groups:
            told += 1
            _gap(group, sources, shown)
    if not told:
        OUT.print("\nin no measure's population for this period")


def _gap(group: GroupResult, sources: Mapping[str, str], shown: set[tuple[str, str]]) -> None:
    """One rate. Evidence that an earlier rate of the measure has `shown` is not told again."""
    gap = group.gap
    head = Text("  ")
    head.append(STATUS_WORD[gap.status.value].upper(), style=STATUS_STYLE[gap.status.value])
    head.append(f"  {group.description}: {gap.reasons[0].text if gap.reasons else ''}")
    OUT.print(head)
    if gap.need is not None:
        OUT.print(f"    needs         {gap.need.text}{_window(gap)}")
        OUT.print(f"    outlook       {gap.outlook.value}")
    new = [one for one in gap.counted if (one.reference, "") not in shown]
    for counted in new:
        OUT.print(f"    counts        {_evidence(counted.reference, counted.on, sources)}", style="green")
    if len(new) < len(gap.counted):
        OUT.print(f"    counts        {len(gap.counted) - len(new)} that are told above", style="green")
    for item in gap.discounted:
        if (item.reference, item.text) not in shown:
            OUT.print(f"    doesn't count {_evidence(item.reference, item.on, sources)}: {item.text}", style="dim")
    shown.update((one.reference, "") for one in gap.counted)
    shown.update((one.reference, one.text) for one in gap.discounted)
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


def _visits(plan: VisitPlan, sources: Mapping[str, str]) -> None:
    """The visits up to the next one, and those services that are done or wanted."""
    _heading(f"Visits ({plan.schedule})")
    ahead = 0
    for slot in plan.slots:
        if slot.status in (SlotStatus.NOT_DUE, SlotStatus.DUE_SOON):
            ahead += 1
            if ahead > 1:
                continue
        line = Text("  ")
        line.append(f"{slot.title}: {slot.status.value}", style=_SLOT_STYLE.get(slot.status, "dim"))
        if slot.visit is not None:
            line.append(f"  {_evidence(slot.visit.reference, slot.visit.on, sources)}")
        elif slot.status is not SlotStatus.AGED_OUT:
            line.append(f"  {wording.day(slot.opens)} to {wording.day(slot.closes)}")
        OUT.print(line)
    for state in plan.services:
        if state.status in (SlotStatus.DONE, SlotStatus.DUE, SlotStatus.OVERDUE):
            done = "".join(f"  {_evidence(one.reference, one.on, sources)}" for one in state.done)
            style = _SLOT_STYLE.get(state.status, "dim")
            OUT.print(f"    {state.title}, {state.at}: {state.status.value}{done}", style=style)


def _vaccines(found: Vaccines, results: Sequence[MeasureResult], sources: Mapping[str, str]) -> None:
    """Every dose by vaccine group, with its verdict and reasons; what was not judged."""
    _heading(f"Immunizations (CDC schedule {found.schedule})")
    given = [history for history in found.histories if history.doses]
    for history in given:
        OUT.print(f"  {GROUP_NAMES.get(history.group, history.group)}{_standing(history.need)}")
        for dose in history.doses:
            number = f"dose {dose.number}, " if dose.number else ""
            reasons = f": {', '.join(dose.reasons)}" if dose.reasons else ""
            said = f"{_evidence(dose.reference, dose.given, sources)}, {dose.product}: {number}{dose.verdict}{reasons}"
            OUT.print(f"    {said}", style="green" if dose.valid else "dim")
    if not given:
        OUT.print("  no dose is known")
    for rate, dose in met_with_invalid_doses(results, found):
        OUT.print(f"    repeat  {dose.reference}: counted by “{rate}”, but not valid for {dose.group}", style="yellow")
    for remark in found.remarks:
        OUT.print(f"    left out {_evidence(remark.reference, remark.on, sources)}: {remark.text}", style="dim")


def _standing(need: ImmunizationNeed | None) -> str:
    if need is None:
        return ""
    if need.urgency == "none" or need.recommended is None:
        return f": {need.status.lower()}" + (f" ({'; '.join(need.reasons)})" if need.status == NOT_KNOWN else "")
    dose = f"dose {need.number}" if need.number else "a dose"
    return f": {dose} {need.urgency}, recommended from {wording.day(need.recommended)}"


def _heading(text: str) -> None:
    OUT.print(Text(f"\n{text}", style="underline"))


def _evidence(reference: str, on: date | None, sources: Mapping[str, str]) -> str:
    source = sources.get(reference)
    said = f"{reference} on {wording.day(on)}" if on else f"{reference} without a day"
    return f"{said} (from {source})" if source else said
