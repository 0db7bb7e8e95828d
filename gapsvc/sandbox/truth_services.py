"""The truth of the measures that count tests and services: LSC, DEV and TFL, from plans and plain day arithmetic.

Rules: docs/measures/lsc.md, dev.md and tfl.md. A result or a procedure counts on its day, one a day.
"""

from dataclasses import replace
from datetime import date

from gapsvc.sandbox.days import add_days, add_months, add_years
from gapsvc.sandbox.plan import ChildPlan, Frame, ServiceFlaw, ServicePlan
from gapsvc.sandbox.rates import age_at_end, turns, year_before
from gapsvc.sandbox.service_codes import SERVICES, Kind, Service
from gapsvc.sandbox.truth_parts import Answer, Row, Standing, answer, excluded, not_applicable, standing, tally

_AROUND_BIRTHDAY = 30  # days before a birthday that a lead test may be the one at that age
_AFTER_SECOND = 3  # months after the second birthday for the test at 24 months
_TFL_AGES = (1, 20)
_BIRTHDAYS = ("first-birthday", "second-birthday", "third-birthday")


def service_rates(child: ChildPlan, frame: Frame) -> dict[str, dict[str, Answer]]:
    """Measure -> group -> truth, for LSC, DEV and TFL."""
    known = child.birth_precision == "day"
    out = excluded(child, frame)
    return {
        "lsc": _lead(child, frame, known=known, out=out),
        "dev": _development(child, frame, known=known, out=out),
        "tfl": _fluoride(child, frame, known=known, out=out),
    }


def _rows(child: ChildPlan, kind: Kind) -> list[tuple[ServicePlan, Service, Row]]:
    """The services that the record shows to be of this kind."""
    found: list[tuple[ServicePlan, Service, Row]] = []
    for one in child.services:
        service = SERVICES[one.code]
        if service.kind is kind and one.flaw is not ServiceFlaw.LOCAL_CODE:
            why = one.flaw.value if one.flaw else None
            if one.billed and one.flaw is ServiceFlaw.REFUSED:
                why = "not-billed"  # the claim was cancelled
            resource_type = "Claim" if one.billed else service.resource_type
            found.append((one, service, Row(f"{resource_type}/{one.id}", one.on, why)))
    return found


def _lead(child: ChildPlan, frame: Frame, *, known: bool, out: bool) -> dict[str, Answer]:
    if not (known and turns(child.birth, 2, frame)):
        return {"by-second-birthday": not_applicable(), "medi-cal-12-24-months": not_applicable()}
    rows = [row for _, _, row in _rows(child, Kind.LEAD)]
    first, second = add_years(child.birth, 1), add_years(child.birth, 2)
    window = (child.birth, second)
    early = (add_days(first, -_AROUND_BIRTHDAY), add_days(second, -_AROUND_BIRTHDAY - 1))
    late = (add_days(second, -_AROUND_BIRTHDAY), add_months(second, _AFTER_SECOND))
    at_12, at_24 = (standing(tally(rows, *part), frame, needed=1, window=part) for part in (early, late))
    missing = at_24 if at_12.met else at_12
    both = Standing(
        met=at_12.met and at_24.met,
        needed=2,
        done=at_12.met + at_24.met,
        counted=(*at_12.counted, *at_24.counted),
        discounted=tally(rows, early[0], late[1]).discounted,
        due_from=missing.due_from,
        last_day=missing.last_day,
        missed=missing.missed,
    )
    once = standing(tally(rows, *window), frame, needed=1, window=window)
    return {
        "by-second-birthday": answer(once, frame, excluded=out),
        "medi-cal-12-24-months": answer(both, frame, excluded=out),
    }


def _development(child: ChildPlan, frame: Frame, *, known: bool, out: bool) -> dict[str, Answer]:
    found = {group: not_applicable() for group in (*_BIRTHDAYS, "combined")}
    years = next((years for years in (1, 2, 3) if known and turns(child.birth, years, frame)), None)
    if years is None:
        return found
    window = (_after_birthday(child.birth, years - 1), add_years(child.birth, years))
    rows = [
        replace(row, why=row.why or ("autism-screen" if _for_autism(service) else None))
        for _, service, row in _rows(child, Kind.SCREEN)
    ]
    one = answer(standing(tally(rows, *window), frame, needed=1, window=window), frame, excluded=out)
    return found | {_BIRTHDAYS[years - 1]: one, "combined": one}


def _after_birthday(birth: date, years: int) -> date:
    """The first day of a year of life: the day after that birthday, or birth."""
    return add_days(add_years(birth, years), 1) if years else birth


def _for_autism(service: Service) -> bool:
    return service.modifier == "KX" or ("Z13.41" in service.reasons and "Z13.42" not in service.reasons)


def _fluoride(child: ChildPlan, frame: Frame, *, known: bool, out: bool) -> dict[str, Answer]:
    groups = ("dental-or-oral-health", "dental", "oral-health")
    if not known or not _TFL_AGES[0] <= age_at_end(child.birth, frame) <= _TFL_AGES[1]:
        return {group: not_applicable() for group in groups}
    rows = [
        (service.dental, row)
        for one, service, row in _rows(child, Kind.FLUORIDE)
        if not _over_before(one, year_before(frame))
    ]
    chosen = {
        "dental-or-oral-health": [row for _, row in rows],
        "dental": [row for dental, row in rows if dental],
        "oral-health": [row for dental, row in rows if not dental],
    }
    return {
        group: answer(
            standing(tally(chosen[group], *frame.period), frame, needed=2, window=frame.period), frame, excluded=out
        )
        for group in groups
    }


def _over_before(one: ServicePlan, day: date) -> bool:
    """Whether the record shows that it was before that day: of a month, that the month was over."""
    if one.flaw is ServiceFlaw.IMPRECISE:
        return (one.on.year, one.on.month) < (day.year, day.month)
    return one.on < day
