"""Conditional skip (Logic Specification 6.2, also 7.1 and 7.6): may a target dose be left out?"""

from collections.abc import Sequence

from .history import Dose, Person
from .patient_series import PatientSeries
from .schedule import Skip, SkipCondition


def can_skip(skips: Sequence[Skip], patient_series: PatientSeries, person: Person, reference: int, anchor: int) -> bool:
    """Table 6-11 for a target dose: whether any of its skips applies, by the doses that the series has judged so far.

    `reference`: CONDSKIP-2's reference date. `anchor`: the day on which a set must be in force (RELEVANT-1, 2).
    """
    for skip in skips:
        # Plain loops: this is asked for most targets of most series, and generators cost more than the conditions do.
        in_force = False
        met = skip.all_of
        for one in skip.sets:
            if not one.effective <= anchor <= one.cessation:
                continue
            in_force = True
            all_of = one.all_of
            set_met = all_of
            for condition in one.conditions:
                if _is_met(condition, patient_series, person, reference) != all_of:
                    set_met = not all_of
                    break
            if set_met != skip.all_of:
                met = set_met
                break
        if in_force and met:
            return True
    return False


def _is_met(condition: SkipCondition, patient_series: PatientSeries, person: Person, reference: int) -> bool:
    """Tables 6-6 (age), 6-7 (completed series), 6-8 (interval), 6-9 (count)."""
    kind = condition.kind
    if kind == "count":
        return _count_is_met(condition, patient_series, person)
    if kind == "age":
        begin, end = condition.begin, condition.end
        return (begin is None or reference >= person.ages[begin]) and (end is None or reference < person.ages[end])
    if kind == "interval":
        interval, judged = condition.interval, len(patient_series.verdicts)
        return (
            judged > 0 and interval is not None and reference >= interval.after(patient_series.records[judged - 1].day)
        )
    return not condition.series_groups.isdisjoint(patient_series.completed)


def _count_is_met(condition: SkipCondition, patient_series: PatientSeries, person: Person) -> bool:
    """CONDSKIP-1 and Table 6-9. Valid doses are those that satisfied a target."""
    doses: Sequence[Dose]
    if condition.valid_only:
        doses = [dose for _, dose in patient_series.given]
    else:
        doses = patient_series.records[: len(patient_series.verdicts)]
    comparison, wanted = condition.comparison, condition.count
    if comparison == ">":  # where there are too few doses, it doesn't matter which of them count
        return len(doses) > wanted and _count(condition, doses, person) > wanted
    count = _count(condition, doses, person)
    return count == wanted if comparison == "=" else count < wanted


def _count(condition: SkipCondition, doses: Sequence[Dose], person: Person) -> int:
    """The doses given between the condition's days and ages, of its vaccines."""
    begin, end, vaccines = condition.begin, condition.end, condition.vaccines
    start = condition.start_day if begin is None else max(condition.start_day, person.ages[begin])
    stop = condition.end_day if end is None else min(condition.end_day, person.ages[end])
    count = 0
    for dose in doses:
        if start <= dose.day < stop and (not vaccines or dose.cvx in vaccines):
            count += 1
    return count
