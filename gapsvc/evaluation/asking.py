"""What measures, the immunization schedule and the visit schedule ask for, each need as one ask. Pure.

An ask says what would satisfy it (`key`): a dose of a vaccine group, a well visit, a service. `joining` makes actions
of asks with the same key. Only needs that are not met ask: nothing comes from a closed gap.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from gapsvc.evaluation import wording
from gapsvc.evaluation.actions import ActionKind, Wish
from gapsvc.evaluation.evaluator import MEASURE_POPULATION_SYSTEM
from gapsvc.evaluation.products import VaccineNames
from gapsvc.evaluation.result import Coding, GapRecord, GapStatus, GroupResult, MeasureResult, Need, Outlook
from gapsvc.evaluation.seasons import NOT_KNOWN, unknown_season
from gapsvc.evaluation.services import WELL_VISIT, WELL_VISIT_SET, service_of_item, service_of_need
from gapsvc.evaluation.vaccines import Vaccines
from gapsvc.schedule.immunizations.due import ImmunizationNeed
from gapsvc.schedule.immunizations.fhir_input import CVX
from gapsvc.schedule.immunizations.verdicts import AGED_OUT, COMPLETE, CONTRAINDICATED, IMMUNE, NOT_RECOMMENDED
from gapsvc.schedule.visits.plan import ServiceState, SlotState, SlotStatus, VisitPlan

DAY = timedelta(days=1)
NO_LONGER = "no longer possible"
CONFIDENTIAL = "confidential: speak of it with the patient alone"


@dataclass(frozen=True, slots=True)
class Ask:
    """One need. `ready`: the day from which it is wanted, where that is later than `wish.due_from`, the first that
    counts. `leads`: a schedule says what is done and when, a measure only until when it counts. `apart`: one service
    never satisfies two such asks (a visit fills one slot). `of`: how many asks the need makes (a combination: one a
    vaccine). `lost`: why it can't be satisfied any more. `bare`: a measure's wish in words, without how it looks;
    `rate`: which rate of which measure it is.
    `left`: how many more services the need asks for; `until`: the last day on which this one helps with them, where
    that is before the wish's. `remarks` go to the action."""

    kind: ActionKind
    key: str
    wish: Wish
    text: str
    coding: Coding | None = None
    products: tuple[str, ...] = ()
    ready: date | None = None
    leads: bool = False
    apart: bool = False
    of: int = 1
    lost: str | None = None
    bare: str = ""
    rate: str = ""
    confidential: bool = False
    left: int = 1
    until: date | None = None
    remarks: tuple[str, ...] = ()

    @property
    def first(self) -> date:
        return self.wish.due_from or date.min

    @property
    def last(self) -> date:
        return min(self.wish.last_day or date.max, self.until or date.max)


# ---- the immunization schedule


def of_vaccines(vaccines: Vaccines, names: VaccineNames) -> list[Ask]:
    """A dose for each vaccine group that the schedule wants one for, now or later; and for one of whose season it has
    no data, that somebody look what is recommended."""
    return [
        _season(need, vaccines.schedule, names) if need.status == NOT_KNOWN else _dose(need, vaccines.schedule, names)
        for need in vaccines.needs
        if need.urgency != "none" or (need.status == NOT_KNOWN and need.due_from is not None)
    ]


def _season(need: ImmunizationNeed, version: str, names: VaccineNames) -> Ask:
    said = unknown_season(version)
    text = f"CDC's immunization schedule {version}: no data of this season"
    wish = Wish("immunizations", need.group, text, need.due_from, None, need.last_day, Outlook.UNKNOWN)
    name = f"{names.dose(need.group)}, this season"
    return Ask(ActionKind.IMMUNIZATION, need.group, wish, name, leads=True, remarks=(said,))


def _dose(need: ImmunizationNeed, version: str, names: VaccineNames) -> Ask:
    said = (
        f"overdue since {wording.day(need.overdue_since)}"
        if need.overdue_since
        else f"recommended from {wording.day(need.recommended)}"
        if need.recommended
        else "recommended"
    )
    name = names.dose(need.group, need.vaccines)
    wish = Wish(
        origin="immunizations",
        id=need.group if need.series_type == "standard" else f"{need.group}/{need.series_type}",
        text=f"CDC's immunization schedule {version}: {said}",
        due_from=need.due_from,
        due_by=need.due_by,
        last_day=need.last_day,
        outlook=Outlook.AT_RISK if need.urgency == "overdue" else Outlook.ON_TRACK,
    )
    return Ask(
        ActionKind.IMMUNIZATION,
        need.group,
        wish,
        # The number counts the whole series: nobody calls an adolescent's one Tdap the sixth.
        name if need.number is None or name in ("Tdap", "Td") else f"{name}, dose {need.number}",
        coding=Coding(CVX, need.vaccines[0], names.described.get(need.vaccines[0])) if need.vaccines else None,
        products=names.products(need.vaccines),
        ready=need.recommended,
        leads=True,
    )


_NO_DOSE: Mapping[str, str] = {
    COMPLETE: "CDC's schedule asks for no further dose",
    IMMUNE: "the child is immune, by CDC's schedule",
    CONTRAINDICATED: "the vaccine is contraindicated",
    AGED_OUT: "the child is too old for a further dose by CDC's schedule",
    NOT_RECOMMENDED: "not recommended by CDC's schedule",
}


def why_no_dose(vaccines: Vaccines, group: str) -> str:
    """Why the schedule wants no dose of a group, in words."""
    for need in vaccines.needs:
        if need.group == group and need.status in _NO_DOSE:
            reasons = "; ".join(need.reasons)
            return _NO_DOSE[need.status] + (f" ({reasons})" if reasons else "")
    return "CDC's schedule asks for no dose"


def season_over(vaccines: Vaccines, group: str) -> str | None:
    """What to say where the schedule is silent only because it knows no season after its last one (influenza): its
    edition is older than the day, which is no reason to let a dose go."""
    silent = any(need.group == group and need.status == NOT_KNOWN for need in vaccines.needs)
    return unknown_season(vaccines.schedule) if silent else None


# ---- the visit schedule

_NOW = frozenset({SlotStatus.DUE, SlotStatus.OVERDUE})
_ASKING = _NOW | {SlotStatus.NOT_DUE, SlotStatus.DUE_SOON}


def of_visits(plan: VisitPlan) -> list[Ask]:
    """A visit for each slot, and a service for each age, that is still to come, due or overdue.

    What takes place in the birth hospital is nobody's to do here; what is measured at every visit goes with the visit.
    """
    measured = tuple(state.title for state in plan.services if state.with_visit and state.status in _NOW)
    found: list[Ask] = []
    free = date.min
    for slot in plan.slots:
        if slot.status in _ASKING and not slot.in_hospital:
            # A visit is asked for when the one before is done or its window closed: windows overlap a little.
            opens = max(slot.opens, free)
            if opens <= slot.closes:
                found.append(_slot(slot, opens, plan.schedule, measured if slot.status in _NOW else ()))
                free = slot.closes + DAY
    found += [
        _service(state, plan.schedule) for state in plan.services if state.status in _ASKING and not state.with_visit
    ]
    return found


def _slot(slot: SlotState, opens: date, schedule: str, measured: Sequence[str]) -> Ask:
    late = slot.status is SlotStatus.OVERDUE
    wish = Wish(
        origin="visits",
        id=slot.id,
        text=f"{_name(schedule)}: visit at {slot.title}",
        due_from=opens,
        due_by=slot.overdue_after,
        last_day=slot.closes,
        outlook=Outlook.AT_RISK if late else Outlook.ON_TRACK,
    )
    text = f"Well-child visit, {slot.title}"
    remarks = (f"to measure: {', '.join(measured)}",) if measured else ()
    return Ask(ActionKind.VISIT, "", wish, text, coding=WELL_VISIT, leads=True, apart=True, remarks=remarks)


def _service(state: ServiceState, schedule: str) -> Ask:
    late = state.status is SlotStatus.OVERDUE
    known = service_of_item(state.item)
    confidential = known is not None and known.confidential
    wish = Wish(
        origin="visits",
        id=state.id,
        text=f"{_name(schedule)}: {state.at}",
        due_from=state.due_from,
        due_by=state.due_by,
        last_day=state.last_day,
        outlook=Outlook.AT_RISK if late else Outlook.ON_TRACK,
    )
    return Ask(
        ActionKind.SERVICE,
        state.item if known is None else known.id,
        wish,
        state.title if "," in state.at else f"{state.title}, {state.at}",  # "6 months to 5 years, every 3 to 6 months"
        coding=None if state.coding is None else Coding(*state.coding, state.title),
        products=() if known is None else known.products,
        leads=True,
        apart=True,
        remarks=(CONFIDENTIAL,) if confidential else (),
        confidential=confidential,
    )


def _name(schedule: str) -> str:
    """The chart's name and edition, without whose windows and overlays it is read with."""
    return schedule.split(",")[0]


# ---- measures


def of_measures(results: Iterable[MeasureResult], names: VaccineNames, as_of: date) -> Iterator[tuple[Ask, ...]]:
    """Each gap that is not closed as the asks that it makes together: one, or one a vaccine of a combination."""
    for result in results:
        for group in result.groups:
            if group.gap.status in (GapStatus.OPEN, GapStatus.PROSPECTIVE):
                yield tuple(_asks(result, group, names, as_of))


def _asks(result: MeasureResult, group: GroupResult, names: VaccineNames, as_of: date) -> Iterator[Ask]:
    gap = group.gap
    need = gap.need or Need(group.description, Coding("", ""))
    bare = _counts_for(result, group)
    wish = Wish(
        origin="measure",
        id=f"{result.measure_id}/{group.id}",
        text=bare + _looks(group.gap, as_of),
        due_from=gap.due_from,
        due_by=gap.due_by,
        last_day=gap.last_day,
        outlook=gap.outlook,
    )
    text = need.text[:1].upper() + need.text[1:]
    measure = _short(result.measure_title)
    asked = Ask(
        ActionKind.SERVICE,
        wish.id,
        wish,
        text,
        coding=need.coding if need.coding.code and need.coding.system != MEASURE_POPULATION_SYSTEM else None,
        lost=NO_LONGER if gap.outlook is Outlook.MISSED else None,
        bare=bare,
        rate=f"{measure}: {_short(group.description)}",
        left=1 if gap.needed is None or gap.done is None else gap.needed - gap.done,
    )
    vaccine_groups: dict[str, Coding] = {}
    for coding in need.codings:
        for name in names.groups(coding):
            vaccine_groups.setdefault(name, coding)
    count = len(vaccine_groups)
    for name, coding in vaccine_groups.items():
        said = text if count == 1 else names.dose(name)
        yield replace(asked, kind=ActionKind.IMMUNIZATION, key=name, text=said, coding=coding, of=count)
    if count:
        return
    value_set = next((reason.requirement.value_set for reason in gap.reasons if reason.requirement), None)
    if (need.coding.system, need.coding.code) == (WELL_VISIT.system, WELL_VISIT.code) or value_set == WELL_VISIT_SET:
        counted = gap.needed is not None and gap.needed > 1
        yield replace(asked, kind=ActionKind.VISIT, key="", text=f"{text} ({measure})" if counted else text)
        return
    known = service_of_need(need.coding, value_set)
    if known is not None:
        said = text if text.startswith(known.title) else known.title
        if said is not text and gap.needed is not None and gap.done is not None and gap.needed > 1:
            said = f"{said}, {gap.done + 1} of {gap.needed}"
        ready = _ready(gap, known.months_between)
        yield replace(asked, key=known.id, text=said, products=known.products, ready=ready)
    elif asked.coding is not None:
        yield replace(asked, key=f"{need.coding.system}|{need.coding.code}")
    else:  # a measure that a user brought, without gap defines: nothing is known of what would close it
        yield asked


def _ready(gap: GapRecord, months: int) -> date | None:
    """The day from which one more is wanted: so many months after the last that counts, while that is in time."""
    last = max((one.on for one in gap.counted if one.on is not None), default=None)
    if last is None or not months:
        return None
    # about a month each: a wish of ours, no rule of the chart
    ready = last + timedelta(days=round(months * 30.4))
    return ready if gap.last_day is None else min(ready, gap.last_day)


def _counts_for(result: MeasureResult, group: GroupResult) -> str:
    """What it counts for, how many of how many are done, and until when."""
    gap = group.gap
    words = f"counts for {_short(result.measure_title)}: {_short(group.description)}"
    if gap.needed is not None and gap.done is not None and gap.needed > 1:
        words += f", {gap.done} of {gap.needed} so far"
    return words if gap.last_day is None else f"{words}, by {wording.day(gap.last_day)}"


def _looks(gap: GapRecord, as_of: date) -> str:
    """The outlook, and the days that are left."""
    if gap.outlook is Outlook.MISSED:
        return f": {NO_LONGER}"
    said = [] if gap.outlook is Outlook.UNKNOWN else [gap.outlook.value]
    if gap.last_day is not None and gap.last_day >= as_of:
        days = (gap.last_day - as_of).days + 1
        said.append("today is the last day" if days == 1 else f"{days} days left")
    return f" ({', '.join(said)})" if said else ""


def _short(title: str) -> str:
    """A title without what follows a colon or stands in brackets at its end."""
    return title.split(":")[0].split(" (")[0].strip()
