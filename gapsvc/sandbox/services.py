"""One child's lead tests, developmental screenings and fluoride applications, with the disorder dealt to the child.

Tests and screens happen at well visits of their age, fluoride there and at the dentist's twice a year, each by chance.
Edges are those of docs/measures: lsc.md (a month before the birthdays, the second birthday, three months after it),
dev.md (the birthdays), tfl.md (the period's first and last day).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from types import MappingProxyType

from gapsvc.sandbox.codes import CDT, CPT
from gapsvc.sandbox.days import add_days, add_months, add_years
from gapsvc.sandbox.plan import MOTHER, Role, ServiceFlaw, ServicePlan, VisitPlan
from gapsvc.sandbox.service_codes import SERVICES, Kind
from gapsvc.sandbox.visits import VisitSetting

# Ages in days (first, last) of the visits at which it is offered, and how often it is then done.
_LEAD_AGES, _LEAD_DONE = ((360, 440), (700, 830)), 0.70
_SCREEN_AGES, _SCREEN_DONE = ((243, 335), (532, 639), (883, 1004)), 0.60
_VARNISH_AGES, _VARNISH_DONE = ((180, 2190),), 0.30
_DENTIST_FROM, _DENTIST_DONE, _DENTIST_PAST = 366, 0.55, 800
_DENTAL = ("varnish-dental", "varnish-dental", "fluoride-dental", "fluoride-treatment")
_LEAD_CODES = ("lead-capillary", "lead-capillary", "lead-venous", "lead-blood")
_AUTISM = (
    "screen-autism-modifier",
    "screen-autism-modifier",
    "screen-autism-reason",
    "screen-milestones-modifier",
    "screen-both-reasons",
    "screen-emotional",
)
Services = list[ServicePlan]


@dataclass(frozen=True, slots=True)
class _Life:
    """What a change of plan needs to know of the child. Nothing happens before `since` or after `until`."""

    rng: Random
    birth: date
    since: date
    until: date
    period: tuple[date, date]


def plan_services(
    rng: Random,
    setting: VisitSetting,
    *,
    birth: date,
    number: int,
    history_from: date,
    visits: Sequence[VisitPlan],
    deceased: date | None,
    dealt: Collection[str],
    clinics: int,
) -> tuple[tuple[ServicePlan, ...], frozenset[str]]:
    """The services of one child, and the kinds of disorder that came to be among them."""
    frame = setting.frame
    until = min(frame.as_of, deceased or frame.as_of)
    found: Services = []
    for visit in visits:
        if visit.role is Role.ANCHOR and visit.registration != MOTHER:
            found += _at_visit(rng, birth, visit)
    found += _at_dentist(rng, birth, max(history_from, add_days(frame.as_of, -_DENTIST_PAST)), until)
    life = _Life(rng, birth, history_from, until, frame.period)
    kinds: set[str] = set()
    for kind, change in _CHANGES.items():
        if kind in dealt and (changed := change(life, found)) is not None:
            found = changed
            kinds.add(kind)
    found.sort(key=lambda one: (one.on, one.minute))
    named = [replace(one, id=f"svc-{number:06d}-{at + 1:02d}") for at, one in enumerate(found)]
    return tuple(_copied(rng, named, clinics) if clinics > 1 else named), frozenset(kinds)


def _at_visit(rng: Random, birth: date, visit: VisitPlan) -> Services:
    age = (visit.on - birth).days

    def offered(ages: Sequence[tuple[int, int]], done: float) -> bool:
        return any(first <= age <= last for first, last in ages) and rng.random() < done

    def service(code: str, later: int, value: float | None = None) -> ServicePlan:
        return ServicePlan("", visit.on, visit.minute + later, code, visit.registration, visit.id, value=value)

    found: Services = []
    if offered(_LEAD_AGES, _LEAD_DONE):
        how = rng.random()
        if how < 0.9:
            found.append(service(rng.choice(_LEAD_CODES), 5, _micrograms(rng)))
        if how > 0.7:  # billed too, or known from the claim alone
            found.append(service("lead-claim", 6))
    if offered(_SCREEN_AGES, _SCREEN_DONE):
        found.append(service(rng.choice(("screen", "screen-milestones")), 7))
    if offered(_VARNISH_AGES, _VARNISH_DONE):
        found.append(service("varnish-medical", 8))
    return found


def _micrograms(rng: Random) -> float:
    return round(max(0.5, rng.lognormvariate(0.1, 0.7)), 1)


def _at_dentist(rng: Random, birth: date, since: date, until: date) -> Services:
    found: Services = []
    day = add_days(max(since, add_days(birth, _DENTIST_FROM)), rng.randrange(180))
    while day <= until:
        if rng.random() < _DENTIST_DONE:
            found.append(ServicePlan("", day, 600, rng.choice(_DENTAL), elsewhere=rng.random() < 0.1))
        day = add_days(day, rng.randint(150, 220))
    return found


# ---- disorder


def _spoilt(
    life: _Life, services: Services, flaw: ServiceFlaw, kinds: Collection[Kind] = tuple(Kind), **changes: str
) -> Services | None:
    """The services with one flawed; None where there is none of these kinds."""
    able = [one for one in services if one.flaw is None and SERVICES[one.code].kind in kinds]
    if not able:
        return None
    target = life.rng.choice(able)
    return [replace(one, flaw=flaw, **changes) if one is target else one for one in services]


def _in_error(life: _Life, services: Services) -> Services | None:
    """Half of the time the service itself, else the same once more, taken back."""
    spoilt = _spoilt(life, services, ServiceFlaw.ENTERED_IN_ERROR)
    if spoilt is None or life.rng.random() < 0.5:
        return spoilt
    (at,) = (at for at, one in enumerate(spoilt) if one.flaw and services[at].flaw is None)
    return [*services, replace(spoilt[at], minute=spoilt[at].minute + 1)]


def _refused(life: _Life, services: Services) -> Services | None:
    spoilt = _spoilt(life, services, ServiceFlaw.REFUSED)
    if spoilt is None:
        return None
    # What was refused left no result: of a lead test, the order.
    return [
        replace(one, code="lead-claim", value=None)
        if one.flaw is ServiceFlaw.REFUSED and SERVICES[one.code].kind is Kind.LEAD
        else one
        for one in spoilt
    ]


def _without_result(life: _Life, services: Services) -> Services | None:
    flaw = life.rng.choice((ServiceFlaw.NO_RESULT, ServiceFlaw.NO_RESULT, ServiceFlaw.NOT_FINAL))
    results = [one for one in services if one.code in _LEAD_CODES and one.flaw is None]
    if not results:
        return None
    target = life.rng.choice(results)
    value = None if flaw is ServiceFlaw.NO_RESULT else target.value
    billed = life.rng.random() < 0.7  # else the claim goes too: a claim alone would show a test
    return [
        replace(one, flaw=flaw, value=value) if one is target else one
        for one in services
        if billed or not (one.code == "lead-claim" and one.on == target.on)
    ]


def _autism(life: _Life, services: Services) -> Services | None:
    """A screen for autism in place of one of development, or beside it."""
    screens = [one for one in services if SERVICES[one.code].kind is Kind.SCREEN and one.flaw is None]
    if not screens:
        return None
    target, code = life.rng.choice(screens), life.rng.choice(_AUTISM)
    if life.rng.random() < 0.6:
        return [replace(one, code=code) if one is target else one for one in services]
    later = add_days(target.on, life.rng.choice((0, 0, 30)))
    return [*services, replace(target, code=code, on=min(later, life.until), minute=target.minute + 1, visit=None)]


_EDGES: Mapping[Kind, Sequence[Callable[[_Life], date]]] = MappingProxyType(
    {
        Kind.LEAD: (
            lambda life: add_years(life.birth, 2),
            lambda life: add_days(add_years(life.birth, 1), -30),
            lambda life: add_days(add_years(life.birth, 2), -30),
            lambda life: add_months(add_years(life.birth, 2), 3),
        ),
        Kind.SCREEN: (
            lambda life: life.birth,
            lambda life: add_years(life.birth, 1),
            lambda life: add_years(life.birth, 2),
            lambda life: add_years(life.birth, 3),
        ),
        Kind.FLUORIDE: (
            lambda life: life.period[0],
            lambda life: life.period[1],
            lambda life: add_years(life.period[0], -1),
        ),
    }
)  # fmt: skip


def _on_edges(life: _Life, services: Services) -> Services | None:
    """A service of each kind that the age has, moved to or added on an edge or the day before or after it."""
    changed = False
    young = life.until < add_years(life.birth, 4)
    for kind in (Kind.LEAD, Kind.SCREEN, Kind.FLUORIDE) if young else (Kind.FLUORIDE,):
        day = add_days(life.rng.choice(_EDGES[kind])(life), life.rng.choice((-1, 0, 1)))
        if not max(life.birth, life.since) <= day <= life.until:
            continue
        alike = [one for one in services if SERVICES[one.code].kind is kind and one.flaw is None]
        if alike and life.rng.random() < 0.7:
            only = life.rng.random() < 0.4
            gone = alike if only else [life.rng.choice(alike)]
            services = [one for one in services if not any(one is other for other in gone)]
        value = _micrograms(life.rng) if kind is Kind.LEAD else None
        code = {Kind.LEAD: "lead-venous", Kind.SCREEN: "screen"}.get(kind) or life.rng.choice(
            ("varnish-dental", "varnish-medical")
        )
        services = [*services, ServicePlan("", day, 620, code, value=value)]
        changed = True
    return services if changed else None


def _billed(life: _Life, services: Services) -> Services | None:
    """One or two services are known from what the payer was billed: instead of the provider's record, or beside it."""
    able = [one for one in services if SERVICES[one.code].system in (CPT, CDT)]
    if not able:
        return None
    only = life.rng.random() < 0.6
    chosen = life.rng.sample(able, min(len(able), life.rng.randint(1, 2)))
    claims = [replace(one, billed=True, visit=None, minute=one.minute + 2) for one in chosen]
    return [*(one for one in services if not (only and any(one is other for other in chosen))), *claims]


_CHANGES: Mapping[str, Callable[[_Life, Services], Services | None]] = MappingProxyType(
    {
        "edge_days": _on_edges,
        "autism_screens": _autism,
        "missing_results": _without_result,
        "refused_doses": _refused,
        "entered_in_error": _in_error,
        "partial_dates": lambda life, services: _spoilt(life, services, ServiceFlaw.IMPRECISE),
        "local_codes": lambda life, services: _spoilt(life, services, ServiceFlaw.LOCAL_CODE),
        "payer_claims": _billed,
    }
)


def _copied(rng: Random, services: Services, clinics: int) -> Services:
    """Some services are written down by both clinics."""
    found: Services = []
    for one in services:
        found.append(one)
        if one.flaw is None and rng.random() < 0.33:
            other = (one.registration + 1) % clinics
            found.append(replace(one, id=f"{one.id}-b", registration=other, minute=one.minute + 30, visit=None))
    return found
