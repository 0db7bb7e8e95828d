"""Seasons that the immunization schedule in use holds no data of, since its edition is older than the day. Pure.

CDC's data names each season's days (influenza, RSV) for the seasons of its edition only. Behind the last of them its
logic answers "Not Recommended" (table 7-10), or "Complete" by the doses of the last season: true of that edition, and
misleading at a desk. Such a need is told as not known here, from the day on which a season would begin again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from gapsvc.schedule.immunizations import Outcome
from gapsvc.schedule.immunizations.calendar import add_months
from gapsvc.schedule.immunizations.due import ImmunizationNeed
from gapsvc.schedule.immunizations.schedule import SeriesDose
from gapsvc.schedule.immunizations.verdicts import COMPLETE, NOT_RECOMMENDED

NOT_KNOWN = "Not Known"  # beside CDC's series statuses


def unknown_season(schedule: str) -> str:
    """What to say of one, given the schedule's version."""
    return f"CDC's schedule {schedule} ends with an earlier season: check this season's recommendation"


def with_unknown_seasons(
    outcome: Outcome, found: Iterable[ImmunizationNeed]
) -> tuple[tuple[ImmunizationNeed, ...], Mapping[str, date]]:
    """The needs, and for each vaccine group without data of the season that it is, that season's first day.

    Such a need has the status NOT_KNOWN; `due_from` and `last_day` are the ages of the last season that is known, and
    `due_from` is None where a dose was given since this season began.
    """
    needs: list[ImmunizationNeed] = []
    since: dict[str, date] = {}
    for need in found:
        doses = _seasonal(outcome, need.group) if need.status in (COMPLETE, NOT_RECOMMENDED) else []
        needs.append(_told(outcome, need, doses, since) if doses else need)
    return tuple(needs), since


def _seasonal(outcome: Outcome, group: str) -> list[SeriesDose]:
    """The first doses of the series about this person that have seasons."""
    firsts = (
        each.series.doses[0]
        for antigen in outcome.schedule.groups[group].antigens
        for each in outcome.evaluated.get(antigen, ())
    )
    return [dose for dose in firsts if dose.season_start is not None and dose.season_end is not None]


def _told(
    outcome: Outcome, need: ImmunizationNeed, doses: Iterable[SeriesDose], since: dict[str, date]
) -> ImmunizationNeed:
    today, ages = outcome.person.assessed, outcome.person.ages
    start = max(dose.season_start for dose in doses if dose.season_start is not None)
    years = 1
    while add_months(start, 12 * (years + 1)) <= today:
        years += 1
    begins, following = add_months(start, 12 * years), add_months(start, 12 * (years + 1))
    if begins > today:
        return _changing(need, begins)
    windows: list[tuple[int, int | None]] = []
    for dose in doses:
        rule = dose.age_rule(today)
        if rule is not None:
            opens = begins if rule.minimum is None else max(begins, ages[rule.minimum])
            closes = None if rule.maximum is None else ages[rule.maximum] - 1
            if closes is None or closes >= max(opens, today):
                windows.append((opens, closes))
    if not windows:
        return _changing(need, following)
    since[need.group] = date.fromordinal(begins)
    given = any(
        dose.day >= begins
        for antigen in outcome.schedule.groups[need.group].antigens
        for dose in outcome.person.records.get(antigen, ())
    )
    opens = min(opens for opens, _ in windows)
    last = None if any(closes is None for _, closes in windows) else max(closes or 0 for _, closes in windows)
    told = replace(
        need,
        status=NOT_KNOWN,
        due_from=None if given else date.fromordinal(opens),
        last_day=None if last is None else date.fromordinal(last),
        reasons=(unknown_season(outcome.schedule.version),),
    )
    return _changing(told, following, *((opens,) if opens > today else ()), *(() if last is None else (last + 1,)))


def _changing(need: ImmunizationNeed, *days: int) -> ImmunizationNeed:
    found = [date.fromordinal(day) for day in days]
    return replace(need, changes_on=min([*found, *((need.changes_on,) if need.changes_on else ())]))
