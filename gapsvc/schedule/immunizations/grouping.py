"""Blend an antigen's forecasts into vaccine group forecasts (Logic Specification chapter 9)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .forecasting import has_priority, recommended_vaccines, suitable_vaccines
from .history import Person
from .schedule import Schedule, VaccineGroup
from .selection import Evaluated, Selected
from .verdicts import (
    AGED_OUT,
    COMPLETE,
    CONTRAINDICATED,
    IMMUNE,
    NOT_COMPLETE,
    NOT_RECOMMENDED,
    Reason,
    Trace,
)

# Which forecast speaks for an antigen where several best series of one type are left: a dose that is due comes first.
_SPEAKS_FIRST = (NOT_COMPLETE, COMPLETE, IMMUNE, NOT_RECOMMENDED, CONTRAINDICATED, AGED_OUT)
# Table 9-4: the first status that any antigen has decides.
_DECIDES_FIRST = (CONTRAINDICATED, AGED_OUT, NOT_RECOMMENDED, NOT_COMPLETE)


class GroupForecast(NamedTuple):
    """A vaccine group forecast. Days are ordinals, None where there is none.

    `series_type` is `standard` or `risk`; `antigens` are those to be given now or later (FORECASTVG-8); `vaccines`
    are recommended CVX codes; `series` are the best series it was made of.
    """

    group: str
    series_type: str
    status: str
    number: int | None
    earliest: int | None
    recommended: int | None
    past_due: int | None
    latest: int | None
    unadjusted_recommended: int | None
    unadjusted_past_due: int | None
    reasons: tuple[Reason, ...]
    antigens: tuple[str, ...]
    vaccines: tuple[str, ...]
    series: tuple[Evaluated, ...]


def group_forecasts(
    schedule: Schedule, person: Person, selected: Mapping[str, Selected], trace: Trace = None
) -> dict[str, list[GroupForecast]]:
    """Vaccine group → its forecasts, standard before risk; groups that concern nobody here are left out."""
    found: dict[str, list[GroupForecast]] = {}
    # Without an observation no risk series is relevant.
    types = ("standard", "risk") if person.active else ("standard",)
    for group in schedule.groups.values():
        made: list[GroupForecast] = []
        for series_type in types:
            contained = [
                chosen
                for antigen in group.antigens
                if antigen in selected and (chosen := _speaker(selected[antigen].best, series_type, person)) is not None
            ]
            if contained:
                made.append(_blend(group, series_type, contained, person, schedule))
        if made:
            found[group.name] = made
            if trace:
                for one in made:
                    names = ", ".join(part.series.name for part in one.series)
                    trace(f"{group.name}, {one.series_type}: {one.status} from {names} [chapter 9]")
    return found


def products(person: Person, one: GroupForecast) -> tuple[str, ...]:
    """The CVX codes that may be given next: those recommended by name first, then any other that is preferable.

    Of a group with several antigens, those that suit every antigen whose dose may be given on the group's earliest
    day: where pertussis hastens the group (priority interval), Td alone would come too soon and protect too little.
    """
    if one.status != NOT_COMPLETE or one.earliest is None:
        return ()
    waiting = [part for part in one.series if part.forecast.earliest is not None]
    hastening = [part for part in waiting if (part.forecast.earliest or 0) <= one.earliest]
    suitable = [suitable_vaccines(person, part.forecast, part.barred) for part in hastening]
    common = [cvx for cvx in suitable[0] if all(cvx in other for other in suitable)] if suitable else []
    named = [cvx for cvx in one.vaccines if cvx in common]
    return tuple(dict.fromkeys((*named, *common)))


def _speaker(best: Iterable[Evaluated], series_type: str, person: Person) -> Evaluated | None:
    """The one best series of this type that a single antigen contributes.

    The specification is silent where an antigen has two standard series groups that aren't equivalent (pneumococcal
    and RSV: children, and adults from 50 and 75 years): then series that the person hasn't started and may only start
    later (minimum age to start) are left out; aged-out forecasts give way; and of what is left a series that is for
    this age goes before one for later that a dose of childhood happens to have started.
    """
    candidates = [one for one in best if one.series.blends_as == series_type]
    if len(candidates) <= 1:
        return candidates[0] if candidates else None
    candidates = [one for one in candidates if one.progress.satisfied or not _lies_ahead(one, person)] or candidates
    candidates = [one for one in candidates if one.forecast.status != AGED_OUT] or candidates
    candidates = [one for one in candidates if not _lies_ahead(one, person)] or candidates
    return min(
        candidates,
        key=lambda one: (
            _SPEAKS_FIRST.index(one.forecast.status),
            one.forecast.recommended or 0,
            one.series.index,
        ),
    )


def _lies_ahead(one: Evaluated, person: Person) -> bool:
    start = one.series.min_age_to_start
    return start is not None and person.assessed < person.ages[start]


def _status(contained: Sequence[Evaluated]) -> str:
    """SINGLEANTVG-1 and Table 9-4."""
    statuses = [one.forecast.status for one in contained]
    for status in _DECIDES_FIRST:
        if status in statuses:
            return status
    return IMMUNE if all(status == IMMUNE for status in statuses) else COMPLETE


def _blend(
    group: VaccineGroup,
    series_type: str,
    contained: Sequence[Evaluated],
    person: Person,
    schedule: Schedule,
) -> GroupForecast:
    series = tuple(contained)
    if len(group.antigens) == 1:
        return _of_one_antigen(group, series_type, contained[0], person)
    status = _status(contained)
    forecasts = [one.forecast for one in contained]
    reasons = tuple(dict.fromkeys(one.reason for one in forecasts if one.reason is not None))
    if status != NOT_COMPLETE:
        none = None
        return GroupForecast(
            group.name, series_type, status, none, none, none, none, none, none, none, reasons, (), (), series
        )
    numbers = [one.number for one in forecasts if one.number is not None]
    earliest = _earliest(group, contained, person, schedule)
    past_due = _least(one.past_due for one in forecasts)
    return GroupForecast(
        group=group.name,
        series_type=series_type,
        status=status,
        number=min(numbers) if group.full else max(numbers),  # FORECASTDN-2
        earliest=earliest,
        recommended=_latest(_least(one.recommended for one in forecasts), earliest),  # FORECASTVG-2
        past_due=None if past_due is None else _latest(past_due, earliest),  # FORECASTVG-3
        latest=_least(one.latest for one in forecasts),
        unadjusted_recommended=_least(one.unadjusted_recommended for one in forecasts),
        unadjusted_past_due=_least(one.unadjusted_past_due for one in forecasts),
        reasons=reasons,
        antigens=tuple(one.series.antigen for one in contained if one.forecast.status == NOT_COMPLETE),
        vaccines=tuple(
            dict.fromkeys(cvx for one in contained for cvx in recommended_vaccines(person, one.forecast, one.barred))
        ),
        series=series,
    )


def _of_one_antigen(group: VaccineGroup, series_type: str, one: Evaluated, person: Person) -> GroupForecast:
    """SINGLEANTVG-1 and 2: what is forecast for the antigen is forecast for the group."""
    made = one.forecast
    waits = made.status == NOT_COMPLETE
    return GroupForecast(
        group.name,
        series_type,
        made.status,
        made.number,
        made.earliest,
        made.recommended,
        made.past_due,
        made.latest,
        made.unadjusted_recommended,
        made.unadjusted_past_due,
        (made.reason,) if made.reason is not None else (),
        (one.series.antigen,) if waits else (),
        recommended_vaccines(person, made, one.barred) if waits else (),
        (one,),
    )


def _earliest(group: VaccineGroup, contained: Sequence[Evaluated], person: Person, schedule: Schedule) -> int | None:
    """MULTIANTVG-1."""
    days = [one.forecast.earliest for one in contained if one.forecast.earliest is not None]
    if not days:
        return None
    if not any(has_priority(one.forecast, person) for one in contained):
        return max(days)
    given = [
        dose.day
        for dose in person.doses
        if dose.cvx in schedule.vaccines
        and any(antigen in group.antigens for antigen, _, _ in schedule.vaccines[dose.cvx].antigens)
    ]
    return max(min(days), max(given, default=person.born))


def _least(days: Iterable[int | None]) -> int | None:
    return min((day for day in days if day is not None), default=None)


def _latest(*days: int | None) -> int | None:
    return max((day for day in days if day is not None), default=None)
