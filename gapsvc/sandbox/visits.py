"""One child's encounters are planned: Bright Futures slots, kept or missed, and the disorder dealt to the child.

Slots and their windows: design/bright-futures.md. What counts is fixed here, by construction (see plan.py): anchors
of one W30 window stand at least 14 days apart; follow-ups stand 1 to 13 days after an anchor, inside its window.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from gapsvc.sandbox.codes import COMPLAINTS
from gapsvc.sandbox.days import add_days, add_years, fifteen_months, thirty_months
from gapsvc.sandbox.plan import (
    MOTHER,
    Flaw,
    Frame,
    Illness,
    OtherVisitPlan,
    Recognised,
    Role,
    VisitPlan,
)
from gapsvc.sandbox.rates import VISIT_RATES, age_at_end
from gapsvc.sandbox.visit_flaws import FLAWS, Flawing, anchor, weekday

SPACING = 14  # days between anchors of one W30 window
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """A visit of the schedule, in days from birth: first day, usual days, and the day after which it is overdue."""

    name: str
    opens: int
    usual_from: int
    usual_to: int
    overdue: int


# 3 years and later are by birthday; see _slots.
SLOTS: Sequence[Slot] = (
    Slot("3-5d", 2, 3, 5, 7),
    Slot("1mo", 8, 17, 32, 42),
    Slot("2mo", 42, 56, 70, 91),
    Slot("4mo", 106, 112, 131, 152),
    Slot("6mo", 167, 178, 200, 228),
    Slot("9mo", 243, 268, 292, 335),
    Slot("12mo", 365, 366, 385, 426),
    Slot("15mo", 441, 444, 470, 517),
    Slot("18mo", 532, 545, 570, 639),
    Slot("24mo", 700, 731, 752, 822),
    Slot("30mo", 883, 900, 930, 1004),
)


@dataclass(frozen=True, slots=True)
class VisitSetting:
    """What one child's planning depends on. `attends`: chance that a slot is kept; `late`: that it is kept late.

    `completes` overrides both, see disparity.py: True keeps all, False falls short of every rate of visits.
    """

    frame: Frame
    attends: float
    late: float
    combination: str
    completes: bool | None = None


@dataclass(frozen=True, slots=True)
class PlannedVisits:
    visits: tuple[VisitPlan, ...]
    kinds: frozenset[str]  # the kinds of disorder that came to be


def _slots(birth: date, horizon: date) -> list[Slot]:
    found = list(SLOTS)
    for years in range(3, 22):
        opens = (add_years(birth, years) - birth).days
        if add_days(birth, opens) > horizon:
            break
        closes = (add_years(birth, years + 1) - birth).days - 1
        found.append(Slot(f"{years}y", opens, opens + 3, opens + 80, closes))
    return found


def window_of(birth: date, on: date) -> int:
    """0 up to the 15-month day, 1 from then to the 30-month day, 2 after it."""
    return 0 if on <= fifteen_months(birth) else 1 if on <= thirty_months(birth) else 2


def plan_visits(
    rng: Random,
    setting: VisitSetting,
    *,
    birth: date,
    number: int,
    history_from: date,
    deceased: date | None,
    dealt: Collection[str],
    clinics: int,
    under_mother: str | bool,
) -> PlannedVisits:
    """All encounters of one child that look like well visits.

    `dealt` are the kinds of disorder to work in; `clinics` is in how many clinics the child is registered;
    `under_mother` is `"linked"` or `"unlinked"` where the first visit goes under the mother's Patient, else False.
    """
    horizon = min(setting.frame.as_of, deceased or setting.frame.as_of)
    kinds: set[str] = set()
    visits = _kept_slots(rng, setting, birth, history_from, horizon, kinds, force_first=bool(under_mother))
    if setting.completes is True:
        visits = _caught_up(rng, setting.frame, birth, history_from, horizon, visits)
    elif setting.completes is False:
        visits = _cut_short(setting.frame, birth, visits)
    if setting.completes is not False:
        visits = _with_follow_ups(rng, birth, visits, horizon)
    if clinics > 1:
        visits = [replace(v, registration=rng.randrange(clinics)) for v in visits]
    if under_mother:
        visits = _under_mother(rng, visits, linked=under_mother == "linked", kinds=kinds)
    for kind, work in FLAWS.items():
        if kind in dealt:
            visits = work(Flawing(rng, setting.frame, birth, history_from, horizon, deceased is not None, visits))
            kinds.add(kind)
    if clinics > 1:
        visits = _with_copies(rng, visits, clinics)
    # On one day the visit that counts comes first: earlier, and with the smaller id.
    visits.sort(key=lambda v: (v.on, v.role is Role.FLAWED, v.role is Role.COPY))
    named: list[VisitPlan] = []
    at = 0
    for visit in visits:
        if visit.role is Role.COPY:
            # It follows its anchor, which is the last unflawed visit of that day.
            named.append(replace(visit, id=f"{named[-1].id}-b", minute=named[-1].minute + 30))
            continue
        at += 1
        minute = 15 * rng.randrange(32, 55) if visit.minute < 0 else visit.minute
        if visit.role is Role.FLAWED and visit.setting == "AMB" and visit.minute < 0:
            minute = 15 * rng.randrange(55, 60)
        named.append(replace(visit, id=f"enc-{number:06d}-{at:02d}", minute=minute))
    return PlannedVisits(tuple(named), frozenset(kinds))


def _kept_slots(
    rng: Random,
    setting: VisitSetting,
    birth: date,
    history_from: date,
    horizon: date,
    kinds: set[str],
    *,
    force_first: bool,
) -> list[VisitPlan]:
    visits: list[VisitPlan] = []
    previous: date | None = None
    attends, often_late = (1.0, 0.0) if setting.completes else (setting.attends, setting.late)
    for slot in _slots(birth, horizon):
        if add_days(birth, slot.opens) > horizon:
            break
        if add_days(birth, slot.usual_from) < history_from:
            continue
        forced = force_first and slot.name == "3-5d"
        if rng.random() >= attends and not forced:
            if add_days(birth, slot.overdue) < horizon:
                kinds.add("missed_visits")
            continue
        late = rng.random() < often_late and not forced
        day = _late_day(rng, birth, slot) if late else _usual_day(rng, birth, slot, setting.frame.period)
        if previous is not None:
            day = max(day, add_days(previous, 1))
            if window_of(birth, previous) == window_of(birth, day):
                day = max(day, add_days(previous, SPACING))
        if day > horizon:
            continue
        if late and day > add_days(birth, slot.overdue):
            kinds.add("late_visits")
        visits.append(anchor(day, slot.name))
        previous = day
    return visits


def _caught_up(
    rng: Random, frame: Frame, birth: date, history_from: date, horizon: date, visits: list[VisitPlan]
) -> list[VisitPlan]:
    """With a visit in the period, where the yearly rates ask for one and the usual days left it to another year."""
    first, last = frame.period[0], min(frame.period[1], horizon)
    if age_at_end(birth, frame) < 3 or any(first <= visit.on <= last for visit in visits):
        return visits
    first = max(first, history_from, add_days(thirty_months(birth), 1))
    if first > last:
        return visits
    extra = anchor(add_days(first, rng.randrange((last - first).days + 1)), "catch-up")
    return sorted([*visits, extra], key=lambda visit: visit.on)


def _cut_short(frame: Frame, birth: date, visits: list[VisitPlan]) -> list[VisitPlan]:
    """One visit too few in every window that the child is measured by: the last ones did not happen."""
    for rate in VISIT_RATES:
        if rate.applies(birth, frame):
            first, last = rate.window(birth, frame)
            inside = [visit for visit in visits if first <= visit.on <= last]
            gone = inside[rate.needed - 1 :]
            visits = [visit for visit in visits if not any(visit is other for other in gone)]
    return visits


def _usual_day(rng: Random, birth: date, slot: Slot, period: tuple[date, date]) -> date:
    """A weekday of the usual time; now and then the very edge of a window, which is where rules go wrong."""
    if slot.opens > SLOTS[-1].opens:
        turn = [day for day in (period[0] - _DAY, period[0], period[1]) if _belongs(birth, slot, day)]
        return rng.choice(turn) if turn and rng.random() < 0.12 else _in_usual_days(rng, birth, slot)
    edges = {
        "3-5d": [birth, birth + _DAY, add_days(birth, 2)],  # on the day of birth, by a birth center or a midwife
        "4mo": [add_days(birth, 119), add_days(birth, 120), add_days(birth, 121)],
        "15mo": [add_days(fifteen_months(birth), offset) for offset in (-1, 0, 1)],
        "30mo": [add_days(thirty_months(birth), offset) for offset in (-1, 0, 1)],
    }.get(slot.name)
    if edges and rng.random() < (0.05 if slot.name == "3-5d" else 0.12):
        return rng.choice(edges)
    if slot.name == "1mo" and rng.random() < 0.10:
        return birth  # as early as the spacing allows: 14 days after the visit before
    return _in_usual_days(rng, birth, slot)


def _belongs(birth: date, slot: Slot, day: date) -> bool:
    return slot.opens <= (day - birth).days <= slot.overdue


def _in_usual_days(rng: Random, birth: date, slot: Slot) -> date:
    return weekday(add_days(birth, rng.randint(slot.usual_from, slot.usual_to)))


def _late_day(rng: Random, birth: date, slot: Slot) -> date:
    if slot.opens > SLOTS[-1].opens:  # a yearly visit: late in its year of age
        return weekday(add_days(birth, rng.randint(slot.usual_to + 10, slot.overdue - 3)))
    return weekday(add_days(birth, slot.overdue + rng.randint(1, max(5, (slot.overdue - slot.opens) // 2))))


def _with_follow_ups(rng: Random, birth: date, visits: Sequence[VisitPlan], horizon: date) -> list[VisitPlan]:
    """Weight checks and second appointments soon after a visit: another day, but too soon for W30's spacing."""
    found: list[VisitPlan] = []
    for at, visit in enumerate(visits):
        if visit.slot == "1mo" and at == 0 and visit.on == birth:
            visit = replace(visit, slot="3-5d")  # nothing before it: it simply was the first visit
        found.append(visit)
        if rng.random() >= (0.40 if visit.slot == "3-5d" else 0.06):
            continue
        after = 13 if rng.random() < 0.15 else rng.randint(5, 9) if visit.slot == "3-5d" else rng.randint(1, 12)
        day = add_days(visit.on, after)
        next_day = visits[at + 1].on if at + 1 < len(visits) else None
        same_window = window_of(birth, day) == window_of(birth, visit.on) < 2
        if day <= horizon and same_window and (next_day is None or day < next_day):
            found.append(VisitPlan(id="", on=day, minute=-1, role=Role.FOLLOW_UP, slot=f"{visit.slot} follow-up"))
    return found


def _under_mother(rng: Random, visits: list[VisitPlan], *, linked: bool, kinds: set[str]) -> list[VisitPlan]:
    """The first visit goes under the mother's Patient. Unlinked, it counts for nobody, nor do its follow-ups."""
    first = next((v for v in visits if v.slot == "3-5d" and v.role is Role.ANCHOR), None)
    if first is None:
        return visits
    kinds.add("mothers_record")
    if linked:
        return [replace(v, registration=MOTHER) if v is first else v for v in visits]
    flawed = replace(first, registration=MOTHER, role=Role.FLAWED, flaw=Flaw.UNDER_MOTHER)
    return [flawed if v is first else v for v in visits if v.slot != "3-5d follow-up"]


def _with_copies(rng: Random, visits: list[VisitPlan], clinics: int) -> list[VisitPlan]:
    """Some visits are written down by both clinics, on the same day."""
    able = [v for v in visits if v.role is Role.ANCHOR and v.registration != MOTHER]
    chosen = {id(v) for v in rng.sample(able, max(min(len(able), 1), len(able) // 3))}
    found: list[VisitPlan] = []
    for visit in visits:
        found.append(visit)
        if id(visit) in chosen:
            other = (visit.registration + 1) % clinics
            found.append(replace(visit, role=Role.COPY, registration=other, recognised=Recognised.BY_TYPE))
    return found


def plan_other_visits(
    rng: Random, setting: VisitSetting, *, birth: date, number: int, history_from: date, deceased: date | None
) -> tuple[OtherVisitPlan, ...]:
    """The birth stay, sick visits and emergency visits: of infancy, and of the last two years."""
    horizon = min(setting.frame.as_of, deceased or setting.frame.as_of)
    found: list[OtherVisitPlan] = []
    if history_from == birth:
        found.append(OtherVisitPlan("", birth, 8 * 60 + 5 * rng.randrange(12), Illness.BIRTH, 0))
    spans = ((history_from, min(horizon, add_days(birth, 900))), (add_days(horizon, -730), horizon))
    begin = None
    for start, end in spans:
        start = max(start, history_from, begin or start)
        length = (end - start).days
        if length <= 0:
            continue
        begin = end + _DAY
        for rate, kind in ((1.1, Illness.SICK), (0.2, Illness.EMERGENCY)):
            expected = rate * length / 365
            count = int(expected) + (rng.random() < expected % 1)
            for _ in range(count):
                day = add_days(start, 1 + rng.randrange(length))
                complaint = rng.randrange(len(COMPLAINTS))
                found.append(OtherVisitPlan("", day, 15 * rng.randrange(34, 58), kind, complaint))
    found.sort(key=lambda v: (v.on, v.minute))
    return tuple(replace(v, id=f"enc-{number:06d}-s{at + 1:02d}") for at, v in enumerate(found))
