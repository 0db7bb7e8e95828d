"""What a child needs from the immunization schedule, one line per vaccine group: the immunization gaps (gaps.md).

A pure reading of an outcome as of its day of assessment; the gap list joins these with measure gaps.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from typing import Literal

from .engine import Outcome
from .grouping import GroupForecast, products
from .verdicts import NOT_COMPLETE, NOT_VALID, SUB_STANDARD

Urgency = Literal["overdue", "due", "later", "none"]


@dataclass(frozen=True, slots=True)
class ImmunizationNeed:
    """A vaccine group's need. `due_from`: first day that counts; `due_by`: last day before it is past due;
    `last_day`: last day on which the dose counts; `overdue_since`: set when that day has passed.

    `changes_on`: no earlier day changes this line by time alone (None: none ever does under this schedule).
    `to_repeat`: positions in the case of doses that were given but don't count here, so that "measure met but dose
    invalid" can be shown. `vaccines`: the CVX codes that fit.
    """

    group: str
    series_type: str
    status: str
    urgency: Urgency
    number: int | None
    due_from: date | None
    recommended: date | None
    due_by: date | None
    last_day: date | None
    overdue_since: date | None
    vaccines: tuple[str, ...]
    changes_on: date | None
    to_repeat: tuple[int, ...]
    reasons: tuple[str, ...]


def needs(outcome: Outcome) -> list[ImmunizationNeed]:
    """The needs of a case in the order of the schedule's groups, groups without a need included (urgency `none`)."""
    today = outcome.person.assessed
    found: list[ImmunizationNeed] = []
    for forecasts in outcome.forecasts.values():
        for one in forecasts:
            urgency: Urgency = "none"
            if one.status == NOT_COMPLETE and one.earliest is not None and one.recommended is not None:
                urgency = "later"
                if one.past_due is not None and today > one.past_due:
                    urgency = "overdue"
                elif today >= one.recommended:
                    urgency = "due"
            repeat = {
                dose.position
                for part in one.series
                if part.progress.records
                for dose, verdict in zip(part.progress.records, part.progress.verdicts, strict=True)
                if verdict.status in (NOT_VALID, SUB_STANDARD)
            }
            found.append(
                ImmunizationNeed(
                    group=one.group,
                    series_type=one.series_type,
                    status=one.status,
                    urgency=urgency,
                    number=one.number,
                    due_from=_date(one.earliest),
                    recommended=_date(one.recommended),
                    due_by=_date(one.past_due),
                    last_day=_date(one.latest),
                    overdue_since=_date(_after(one.past_due)) if urgency == "overdue" else None,
                    vaccines=products(outcome.person, one),
                    changes_on=_date(_changes_on(outcome, one)),
                    to_repeat=tuple(sorted(repeat)),
                    reasons=tuple(reason.text for reason in one.reasons),
                )
            )
    return found


def _changes_on(outcome: Outcome, one: GroupForecast) -> int | None:
    """The first day after today on which anything that this forecast rests on may begin or end."""
    person, schedule = outcome.person, outcome.schedule
    today = person.assessed
    days: list[int | None] = [one.earliest, one.recommended, _after(one.past_due), _after(one.latest)]
    for name in schedule.groups[one.group].antigens:
        antigen = schedule.antigens[name]
        days.append(person.ages.first_after(antigen.ages, today))
        days.extend(antigen.days[bisect_right(antigen.days, today) :][:1])
        for each in outcome.evaluated.get(name, ()):
            made = each.forecast
            if made.status == NOT_COMPLETE:
                days += [made.earliest, made.recommended, _after(made.past_due), _after(made.latest)]
            if each.series.skip_intervals and each.progress.records:
                last = each.progress.records[-1].day
                days.extend(interval.after(last) for interval in each.series.skip_intervals)
    return min([day for day in days if day is not None and day > today], default=None)


def _after(day: int | None) -> int | None:
    return None if day is None else day + 1


def _date(day: int | None) -> date | None:
    return None if day is None else date.fromordinal(day)
