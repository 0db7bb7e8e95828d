"""The truth of the measures that count well visits: 3 by 120, W30 and WCV.

Which visits count follows from the roles in the plan (see plan.py): 3 by 120 and WCV count every day with an anchor or
a follow-up in the window; W30 counts the anchors.
"""

from datetime import date

from gapsvc.sandbox.plan import ChildPlan, Flaw, Frame, Role, VisitPlan
from gapsvc.sandbox.rates import VISIT_RATES, VisitRate
from gapsvc.sandbox.truth_parts import Answer, Row, Tally, answer, excluded, not_applicable, standing


def visit_rates(child: ChildPlan, frame: Frame) -> dict[str, dict[str, Answer]]:
    """Measure -> group -> truth, for every measure of visits."""
    found: dict[str, dict[str, Answer]] = {}
    out = excluded(child, frame)
    for rate in VISIT_RATES:
        if child.birth_precision != "day" or not rate.applies(child.birth, frame):
            found.setdefault(rate.measure, {})[rate.group] = not_applicable()
            continue
        window = rate.window(child.birth, frame)
        one = standing(
            _tally(child, rate, frame, window), frame, needed=rate.needed, window=window, spacing=rate.spacing
        )
        found.setdefault(rate.measure, {})[rate.group] = answer(one, frame, excluded=out)
    return found


def _tally(child: ChildPlan, rate: VisitRate, frame: Frame, window: tuple[date, date]) -> Tally:
    first, last = window
    counted = tuple(
        Row(f"Encounter/{v.id}", v.on) for v in child.visits if v.role in rate.roles and first <= v.on <= last
    )
    taken = {row.reference for row in counted}
    named_from = rate.named_from(frame) if rate.named_from else None
    discounted = {
        f"Encounter/{v.id}": _reason(v, first, last)
        for v in child.visits
        if f"Encounter/{v.id}" not in taken
        and (v.flaw is not Flaw.NOT_RECOGNISED or first <= v.on <= last)
        and not (named_from and _surely_before(v, named_from))
    }
    return Tally(counted, discounted)


def _surely_before(visit: VisitPlan, day: date) -> bool:
    """Whether the record shows that it was before that day: of a month, that the month was over."""
    if visit.flaw is Flaw.IMPRECISE:
        return (visit.on.year, visit.on.month) < (day.year, day.month)
    return visit.on < day


def _reason(visit: VisitPlan, first_day: date, last_day: date) -> str:
    if visit.flaw is not None:
        return visit.flaw.value
    if visit.on < first_day:
        return "before-window"
    if visit.on > last_day:
        return "after-window"
    return "same-day" if visit.role is Role.COPY else "too-close"
