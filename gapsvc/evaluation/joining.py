"""Asks -> actions: needs that one service would satisfy become one action with several reasons (design/gaps.md). Pure.

Asks with the same key are joined while their windows have a day in common, beginning with the one that ends first: the
fewest services that serve all (piercing intervals on a line). For doses and visits a schedule leads: a measure that
counts a dose which the schedule wants later, or not at all, gets no dose for its own sake.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from gapsvc.evaluation import wording
from gapsvc.evaluation.actions import Action, ActionKind, Urgency
from gapsvc.evaluation.asking import DAY, NO_LONGER, Ask, of_measures, of_vaccines, of_visits, season_over, why_no_dose
from gapsvc.evaluation.products import VaccineNames
from gapsvc.evaluation.result import MeasureResult, Outlook
from gapsvc.evaluation.vaccines import InvalidDose, NotGiven, Vaccines, met_with_invalid_doses
from gapsvc.schedule.visits.plan import VisitPlan

HORIZON = timedelta(days=92)  # what only a schedule asks for later than this is not yet told
FAR = timedelta(days=365)  # a last day later than this presses nobody, and is not said
_Slot = tuple[ActionKind, str]


def actions_of(
    results: Sequence[MeasureResult],
    vaccines: Vaccines | None,
    visits: VisitPlan | None,
    as_of: date,
    *,
    names: VaccineNames,
    horizon: timedelta = HORIZON,
) -> tuple[Action, ...]:
    """One list: what can be done on `as_of` first, then what comes later, then what can no longer be done in time.

    Within each, by last day, then by the day by which it is wanted.

    Args:
        results: the child's results, of any measures.
        vaccines: what the immunization schedule says; None where it can say nothing (no whole birth date).
        visits: what the visit schedule says; likewise.
        names: of the immunization schedule in use.
        horizon: what only a schedule wants, and later than so long after `as_of`, is left out.
    """
    led = _by_key([*(of_vaccines(vaccines, names) if vaccines else ()), *(of_visits(visits) if visits else ())])
    measured = _by_key(_placed(list(of_measures(results, names, as_of)), vaccines, led))
    found = [
        action
        for key in {**led, **measured}
        for action in _joined([*led.get(key, ()), *measured.get(key, ())], as_of, horizon)
    ]
    actions = sorted(_with_unique_keys(found), key=_order)
    return tuple(_remarked(actions, results, vaccines, names))


def _by_key(asks: Iterable[Ask]) -> dict[_Slot, list[Ask]]:
    found: dict[_Slot, list[Ask]] = {}
    for one in asks:
        found.setdefault((one.kind, one.key), []).append(one)
    return found


# ---- which measures' asks a dose serves


def _placed(
    gaps: Sequence[tuple[Ask, ...]], vaccines: Vaccines | None, led: Mapping[_Slot, Sequence[Ask]]
) -> Iterable[Ask]:
    """The measures' asks. Where the schedule wants no dose in time, that dose is lost for the measure, and with it each
    of its combinations that lack the vaccine; what is lost of a combination is told once, at the vaccine that is."""
    lost: set[tuple[str, str]] = set()
    for gap in gaps:
        if len(gap) == 1:
            one = _allowed(gap[0], vaccines, led)
            if one.lost:
                lost.add((_measure(one), one.key))
            yield one
    for gap in gaps:
        if len(gap) > 1:
            allowed = [_allowed(one, vaccines, led) for one in gap]
            barring = [one for one in allowed if (_measure(one), one.key) in lost] or [
                one for one in allowed if one.lost
            ]
            if barring:
                yield replace(barring[0], lost=barring[0].lost or NO_LONGER)
            else:
                yield from allowed


def _measure(one: Ask) -> str:
    return one.wish.id.split("/")[0]


def _allowed(one: Ask, vaccines: Vaccines | None, led: Mapping[_Slot, Sequence[Ask]]) -> Ask:
    """The ask, lost where the immunization schedule allows no dose while it counts."""
    if one.lost or one.kind is not ActionKind.IMMUNIZATION or vaccines is None:
        return one
    wanted = led.get((one.kind, one.key), ())
    if not wanted:
        silent = season_over(vaccines, one.key)
        return replace(one, remarks=(silent,)) if silent else replace(one, lost=why_no_dose(vaccines, one.key))
    if any(each.first <= one.last and one.first <= each.last for each in wanted):
        return one
    first = min(each.first for each in wanted)
    if first > one.last:
        return replace(one, lost=f"the next dose is valid from {wording.day(first)} on, too late for it")
    return replace(one, lost="a dose is valid only before it counts for it")


# ---- one action of asks


def _joined(asks: Sequence[Ask], as_of: date, horizon: timedelta) -> Iterable[Action]:
    lost = [one for one in asks if one.lost]
    if lost:
        yield _lost(lost)
    wanted = _hastened([one for one in asks if not one.lost], as_of)
    left = sorted(wanted, key=lambda one: (one.last, one.first, one.wish.id))
    until = as_of + horizon
    while left:
        first, *others = left
        members = [first]
        left = list[Ask]()
        for one in others:
            if one.first > first.last or (one.apart and any(each.apart for each in members)):
                left.append(one)
            else:
                members.append(one)
        scheduled = all(one.leads for one in members)
        if scheduled and first.first > until and len(members) == 1:
            continue  # most of what a schedule has for a child: not told, so not put together either
        action = _action(members, as_of)
        beyond = action.due_from is not None and action.due_from > until
        ready = min((one.ready for one in members if one.ready is not None), default=None)
        beyond |= ready is not None and ready > until and action.urgency is Urgency.LATER
        if not (beyond and scheduled):
            yield action


def _hastened(asks: Sequence[Ask], as_of: date) -> Iterable[Ask]:
    """The asks; a measure that needs more visits than the schedule has slots left in its time does not wait for the
    next slot to open: it wants one before."""
    slots = [one for one in asks if one.apart and one.kind is ActionKind.VISIT]
    opens = min((slot.first for slot in slots if slot.first > as_of), default=date.max)
    for one in asks:
        if one.kind is ActionKind.VISIT and not one.leads and one.first < opens <= one.last:
            chances = sum(slot.first <= one.last and one.first <= slot.last for slot in slots)
            yield replace(one, until=opens - DAY) if one.left > chances else one
        else:
            yield one


def _action(members: Sequence[Ask], as_of: date) -> Action:
    speaker = min(members, key=lambda one: (not one.leads, one.of, one.last, one.wish.id))
    last_day = min((one.last for one in members if one.last != date.max), default=None)
    starts = [one.wish.due_from for one in members if one.wish.due_from]
    leading = [one for one in members if one.leads] or members
    if any(_is_overdue(one, as_of) for one in leading):
        starts = [day for day in starts if day <= as_of]
    due_from = max(starts, default=None)
    due_by = _earliest((one.wish.due_by for one in leading), last_day)
    if due_by is not None and due_from is not None:
        due_by = max(due_by, due_from) if due_from > as_of else due_by
    ready = min((one.ready for one in leading if one.ready is not None), default=due_from)
    ready = _earliest((ready,), last_day)
    if due_from is not None and ready is not None:
        ready = max(ready, due_from)
    if due_from is not None and as_of < due_from:
        urgency = Urgency.LATER
    elif due_by is not None and as_of > due_by:
        urgency = Urgency.OVERDUE
    elif ready is not None and as_of < ready:
        urgency = Urgency.LATER
    else:
        urgency = Urgency.DUE
    return Action(
        kind=speaker.kind,
        key=_key(speaker),
        text=speaker.text,
        when=_when(
            urgency,
            ready,
            due_by,
            None if last_day is None or last_day - as_of > FAR else last_day,
            can_be_now=speaker.kind is ActionKind.IMMUNIZATION and due_from is not None and due_from <= as_of,
        ),
        coding=speaker.coding,
        products=speaker.products,
        urgency=urgency,
        due_from=due_from,
        due_by=due_by,
        last_day=last_day,
        wishes=tuple(one.wish for one in sorted(members, key=_wish_order)),
        remarks=tuple(dict.fromkeys(remark for one in members for remark in one.remarks)),
        confidential=any(one.confidential for one in members),
    )


def _wish_order(one: Ask) -> tuple[bool, int, str]:
    """A schedule's wish first, a single vaccine's before combinations'."""
    return (not one.leads, one.of, one.wish.id)


def _is_overdue(one: Ask, as_of: date) -> bool:
    return one.wish.due_by is not None and one.first <= as_of and as_of > one.wish.due_by


def _earliest(days: Iterable[date | None], last_day: date | None) -> date | None:
    return min((day for day in (*days, last_day) if day is not None), default=None)


def _key(speaker: Ask) -> str:
    if speaker.kind is ActionKind.VISIT:
        return f"visit:{speaker.wish.id}"
    return f"{speaker.kind.value}:{speaker.key}"


def _when(urgency: Urgency, ready: date | None, due_by: date | None, last_day: date | None, *, can_be_now: bool) -> str:
    """The timing in words, the shortest that says it all. Where it is wanted by the last day on which it counts, that
    is said. `can_be_now`: a dose that is wanted later would be valid today already."""
    day = wording.day
    by = None if due_by == last_day else due_by
    if urgency is Urgency.OVERDUE and due_by is not None:
        said = f"overdue since {day(due_by + DAY)}"
    elif urgency is Urgency.LATER and ready is not None:
        said = f"due {day(ready)} to {day(by)}" if by is not None and by > ready else f"due from {day(ready)}"
        said += ", possible today" if can_be_now else ""
    else:
        said = "due now" if by is None else f"due now, by {day(by)}"
    return said if last_day is None else f"{said}, last day {day(last_day)}"


def _lost(asks: Sequence[Ask]) -> Action:
    """What can no longer be done in time, one for a vaccine group, for visits, or for a service.

    It is told as what is lost, a measure's rate: the dose itself may well be due still, by the schedule.
    """
    speaker = min(asks, key=lambda one: (one.of, one.last, one.wish.id))
    last_day = max((one.wish.last_day for one in asks if one.wish.last_day), default=None)
    return Action(
        kind=speaker.kind,
        key="lost:"
        + (speaker.kind.value if speaker.kind is ActionKind.VISIT else f"{speaker.kind.value}:{speaker.key}"),
        text=speaker.rate,
        when=_lost_since(speaker),
        coding=speaker.coding,
        products=(),
        urgency=Urgency.LOST,
        due_from=None,
        due_by=None,
        last_day=last_day,
        wishes=tuple(
            replace(one.wish, text=f"{one.bare}: {one.lost}", outlook=Outlook.MISSED)
            for one in sorted(asks, key=_wish_order)
        ),
    )


def _lost_since(speaker: Ask) -> str:
    if speaker.lost == NO_LONGER and speaker.wish.last_day is not None:
        return f"{NO_LONGER} by {wording.day(speaker.wish.last_day)}"
    return speaker.lost or NO_LONGER


_BUCKETS = {Urgency.OVERDUE: 0, Urgency.DUE: 0, Urgency.LATER: 1, Urgency.LOST: 2}


def _order(action: Action) -> tuple[int, date, date, date, str]:
    """Today's before later ones, before lost ones; then by last day, by the day it is wanted, and for good."""
    end = date.max
    return (_BUCKETS[action.urgency], action.last_day or end, action.due_by or end, action.due_from or end, action.key)


def _with_unique_keys(actions: Iterable[Action]) -> Iterable[Action]:
    """A second action of a key (services at two ages) has its number behind it."""
    seen: dict[str, int] = {}
    for action in sorted(actions, key=lambda one: (one.key, one.due_from or date.min)):
        number = seen[action.key] = seen.get(action.key, 0) + 1
        yield action if number == 1 else replace(action, key=f"{action.key}:{number}")


# ---- what is remarked on doses


def _remarked(
    actions: Sequence[Action], results: Sequence[MeasureResult], vaccines: Vaccines | None, names: VaccineNames
) -> Iterable[Action]:
    """Doses to repeat, and combination vaccines that give several of today's doses at once."""
    if vaccines is None:
        return actions
    counted: dict[tuple[str, str], str] = {}
    for rate, dose in met_with_invalid_doses(results, vaccines):
        counted.setdefault((dose.reference, dose.group), rate)
    found: list[Action] = []
    together = _together(actions, vaccines, names)
    for action in actions:
        group = action.key.removeprefix(f"{ActionKind.IMMUNIZATION.value}:")
        if action.kind is ActionKind.IMMUNIZATION and action.urgency is not Urgency.LOST:
            repeated = [
                _repeat(dose, counted.get((dose.reference, group))) for dose in vaccines.invalid if dose.group == group
            ]
            declined = [_declined(one) for one in vaccines.not_given if one.group == group]
            action = replace(action, remarks=(*declined, *action.remarks, *together.get(group, ()), *repeated))
        found.append(action)
    return found


_DECLINED = {
    "refused": "refused{}: ask again",
    "contraindicated": "not given{} for a medical reason: look at it before this is given",
    "immune": "not given{}, as immune: look at it before this is given",
    "out-of-stock": "not given{}: out of stock",
}


def _declined(one: NotGiven) -> str:
    """What the record says of a dose that was not given."""
    return _DECLINED.get(one.reason, "not given{}").format(f" on {wording.day(one.on)}" if one.on else "")


def _repeat(dose: InvalidDose, rate: str | None) -> str:
    given = f"dose of {wording.day(dose.given)}" if dose.given else "a dose without a day"
    reasons = ", ".join(dose.reasons)
    if rate is None:
        return f"{given} does not count ({reasons})"
    return f"{given} is not valid ({reasons}) though “{rate}” counts it: repeat"


def _together(actions: Collection[Action], vaccines: Vaccines, names: VaccineNames) -> dict[str, list[str]]:
    """Vaccine group -> sentences on the combination vaccines that would give it with others that are due today."""
    prefix = f"{ActionKind.IMMUNIZATION.value}:"
    today = {
        action.key.removeprefix(prefix): action
        for action in actions
        if action.kind is ActionKind.IMMUNIZATION and action.urgency in (Urgency.OVERDUE, Urgency.DUE)
    }
    fitting: dict[str, set[str]] = {}
    for need in vaccines.needs:
        if need.group in today:
            fitting.setdefault(need.group, set()).update(need.vaccines)
    said: dict[str, list[str]] = {}
    for cvx in sorted({cvx for fit in fitting.values() for cvx in fit}):
        groups = names.groups_of_cvx.get(cvx, ())
        if len(groups) > 1 and all(cvx in fitting.get(group, ()) for group in groups):
            given = [today[group].text.split(",")[0] for group in groups]
            brand = " or ".join(names.products((cvx,)))
            sentence = f"{brand} would give {', '.join(given[:-1])} and {given[-1]} at once"
            for group in groups:
                said.setdefault(group, []).append(sentence)
    return said
