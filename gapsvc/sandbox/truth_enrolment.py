"""The truth about enrolment, for the population "plan": from planned spans of coverage and plain day arithmetic.

Rule: docs/measures/README.md. Continuous over the measure's window as far as it has passed, with one gap of 45 days at
most, and covered on the day that decides, once it has come. Who died or was in hospice care is not asked.
"""

from collections.abc import Sequence
from datetime import date

from gapsvc.sandbox.days import add_days, add_months, add_years
from gapsvc.sandbox.plan import ChildPlan, CoveragePlan, Frame
from gapsvc.sandbox.rates import ENROLMENT_FROM_DAY, VISIT_RATES, VisitRate, Window
from gapsvc.sandbox.truth_parts import Answer, excluded

_LONGEST_GAP = 45
_FOREVER = date(9999, 12, 31)


def enrolment(
    child: ChildPlan, frame: Frame, measures: dict[str, dict[str, Answer]]
) -> dict[str, dict[str, str | None]]:
    """Measure -> group -> why the child is not in the plan's denominator, null where it is; of initial populations."""
    found: dict[str, dict[str, str | None]] = {}
    out = excluded(child, frame)
    for measure, groups in measures.items():
        for group, answer in groups.items():
            if answer["populations"]["initial-population"]:
                window = None if out else _window(measure, group, child.birth, frame)
                found.setdefault(measure, {})[group] = _problem(child.coverage, window, frame) if window else None
    return found


def _window(measure: str, group: str, birth: date, frame: Frame) -> Window:
    match measure:
        case "cis" | "lsc":
            last = add_years(birth, 2)
        case "ima":
            last = add_years(birth, 13)
        case "dev":
            last = next(
                day for years in (1, 2, 3) if frame.period[0] <= (day := add_years(birth, years)) <= frame.period[1]
            )
        case "tfl":
            return frame.period
        case _:
            rate = next(rate for rate in VISIT_RATES if (rate.measure, rate.group) == (measure, group))
            return _of_visits(rate, birth, frame)
    if measure == "lsc":
        return add_years(birth, 1), last
    return add_months(last, -12), last


def _of_visits(rate: VisitRate, birth: date, frame: Frame) -> Window:
    first, last = rate.window(birth, frame)
    return (add_days(birth, ENROLMENT_FROM_DAY) if first == birth else first), last


def _problem(coverage: Sequence[CoveragePlan], window: Window, frame: Frame) -> str | None:
    spans = sorted(days for span in coverage if (days := _covered(span)))
    if not spans:
        return "never-enrolled"
    if spans[0][0] > frame.as_of:
        return "not-yet-enrolled"
    gaps = _gaps(spans, window)
    too_long = min((add_days(a, _LONGEST_GAP) for a, b in gaps if (b - a).days >= _LONGEST_GAP), default=_FOREVER)
    second = gaps[1][0] if len(gaps) > 1 else _FOREVER
    absent = _FOREVER if any(a <= window[1] <= b for a, b in spans) else window[1]
    lost = min(too_long, second, absent)
    if lost > frame.as_of:
        return None
    if lost == too_long:
        return "enrolment-gap-too-long"
    return "enrolment-second-gap" if lost == second else "not-enrolled-on-the-day"


def _covered(span: CoveragePlan) -> Window | None:
    """First and last day that a span surely covers; None where it covers nothing."""
    if span.status != "active" or span.self_pay:
        return None
    start = span.start
    if span.by_month:
        start = add_days(add_months(start.replace(day=1), 1), -1)
    return None if span.end is not None and span.end < start else (start, span.end or _FOREVER)


def _gaps(spans: Sequence[Window], window: Window) -> list[Window]:
    """The days of the window that no span covers, as runs in order. `spans` are in order of their first day."""
    gaps: list[Window] = []
    free = window[0]  # the first day not seen to be covered
    for first, last in spans:
        if first > window[1]:
            break
        if free < first:
            gaps.append((free, add_days(first, -1)))
        if last >= window[1]:
            return gaps
        free = max(free, add_days(last, 1))
    return [*gaps, (free, window[1])]
