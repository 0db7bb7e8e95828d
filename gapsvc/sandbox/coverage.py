"""A child's coverage over time: mostly one Medi-Cal plan without a break, with enrolment's disorder where it is dealt.

Gaps, changes of plan and late starts lie on the edges that enrolment rules have (docs/measures/README.md): 45 days, day
31 of life, the first and last day of a measure's window.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from random import Random
from types import MappingProxyType

from gapsvc.sandbox.days import add_days, add_years
from gapsvc.sandbox.places import PAYERS
from gapsvc.sandbox.plan import CoveragePlan, Frame
from gapsvc.sandbox.rates import ENROLMENT_FROM_DAY, Window, windows_of

_GAP_LENGTHS = (1, 30, 44, 45, 46, 47, 60, 120)
Spans = Sequence[CoveragePlan]


def plan_coverage(
    rng: Random, frame: Frame, *, birth: date, history_from: date, payer: int, dealt: Collection[str]
) -> tuple[tuple[CoveragePlan, ...], frozenset[str]]:
    """The spans of one child, in order, and whether enrolment's disorder came to be among them."""
    start = history_from
    if history_from > birth and rng.random() < 0.6:  # covered before the network knew it
        start = max(birth, add_days(history_from, -rng.randrange(1500)))
    whole = CoveragePlan(start, None, payer)
    if "coverage_gaps" not in dealt:
        return (whole,), frozenset()
    pattern = rng.choice(tuple(_PATTERNS.values()))
    return tuple(pattern(rng, whole, _window(rng, frame, birth))), frozenset({"coverage_gaps"})


def _window(rng: Random, frame: Frame, birth: date) -> Window:
    """One over which some measure asks for enrolment."""
    able: list[Window] = [
        (max(first, add_days(birth, ENROLMENT_FROM_DAY)) if first == birth else first, last)
        for first, last in windows_of(birth, frame)
    ]
    for years in (1, 2, 3, 13):
        last = add_years(birth, years)
        if frame.period[0] <= last <= frame.period[1]:
            able.append((add_years(birth, years - 1), last))
    return rng.choice(able or [frame.period])


def _without(span: CoveragePlan, first: date, last: date) -> list[CoveragePlan]:
    """The span less the days from first to last."""
    found: list[CoveragePlan] = []
    if span.start < first:
        found.append(replace(span, end=add_days(first, -1)))
    if span.end is None or last < span.end:
        found.append(replace(span, start=max(span.start, add_days(last, 1))))
    return found


def _day_in(rng: Random, window: Window) -> date:
    first, last = window
    return add_days(first, rng.randrange((last - first).days + 1))


def _gap(rng: Random, whole: CoveragePlan, window: Window) -> Spans:
    first = rng.choice((window[0], _day_in(rng, window), _day_in(rng, window)))
    return _without(whole, first, add_days(first, rng.choice(_GAP_LENGTHS) - 1))


def _two_gaps(rng: Random, whole: CoveragePlan, window: Window) -> Spans:
    first = _day_in(rng, window)
    early, *late = _without(whole, first, add_days(first, rng.randrange(1, 20)))
    second = add_days(first, rng.choice((40, 60, 100)))
    return [early, *(part for one in late for part in _without(one, second, add_days(second, 5)))]


def _change(rng: Random, whole: CoveragePlan, window: Window) -> Spans:
    """Another plan up to a day; now and then with an overlap, or a few days between."""
    day = max(_day_in(rng, window), add_days(whole.start, 1))
    other = (whole.payer + rng.randrange(1, len(PAYERS))) % len(PAYERS)
    until = max(whole.start, add_days(day, rng.choice((-1, -1, -1, 10, -8))))
    return [replace(whole, end=until, payer=other), replace(whole, start=day)]


def _late(rng: Random, whole: CoveragePlan, window: Window) -> Spans:
    return [replace(whole, start=add_days(window[0], rng.choice((-1, 0, 1, 44, 45, 46, 90))))]


def _ended(rng: Random, whole: CoveragePlan, window: Window) -> Spans:
    end = rng.choice((add_days(window[1], -1), window[1], add_days(window[1], 1), _day_in(rng, window)))
    return [replace(whole, end=max(end, whole.start))]


def _filled(rng: Random, whole: CoveragePlan, window: Window) -> Spans:
    """A gap that only a coverage fills which is none: rescinded, or the family paying for itself."""
    first = _day_in(rng, window)
    last = add_days(first, rng.choice(_GAP_LENGTHS) - 1)
    none = replace(whole, start=first, end=last)
    none = replace(none, status="cancelled") if rng.random() < 0.5 else replace(none, self_pay=True)
    return sorted([*_without(whole, first, last), none], key=lambda span: span.start)


def _by_month(rng: Random, whole: CoveragePlan, window: Window) -> Spans:
    """Known from a month on, in the window or before it."""
    return [replace(whole, start=add_days(window[0], rng.choice((-40, -20, 10))), by_month=True)]


def _never(_rng: Random, _whole: CoveragePlan, _window: Window) -> Spans:
    return ()


_PATTERNS: Mapping[str, Callable[[Random, CoveragePlan, Window], Spans]] = MappingProxyType(
    {
        "gap": _gap,
        "another gap": _gap,
        "two gaps": _two_gaps,
        "change": _change,
        "late": _late,
        "ended": _ended,
        "filled": _filled,
        "by month": _by_month,
        "never": _never,
    }
)
