"""Forecast one patient series (Logic Specification chapter 7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from .calendar import EARLIEST_DAY, LATEST_DAY, Offset, iso
from .evaluation import PatientSeries, reference_day
from .history import Person
from .schedule import AgeRule, Antigen, IntervalRule, PreferableVaccine, Series, SeriesDose
from .skipping import can_skip
from .verdicts import (
    AGED_OUT,
    COMPLETE,
    CONTRAINDICATED,
    IMMUNE,
    NOT_COMPLETE,
    NOT_RECOMMENDED,
    SKIPPED,
    Reason,
    Trace,
)

SERIES_COMPLETE = Reason("Patient series is complete", "Table 7-10")
PAST_HISTORY = Reason("Not recommended at this time due to past immunization history", "Table 7-10")
EVIDENCE_OF_IMMUNITY = Reason("Patient has evidence of immunity", "Table 7-10")
HAS_CONTRAINDICATION = Reason("Patient has a contraindication", "Table 7-10")
PAST_SEASON = Reason("Past seasonal recommendation end date", "Table 7-10")
TOO_OLD_NOW = Reason("Patient has exceeded the maximum age", "Table 7-10")
CANNOT_FINISH = Reason("Patient is unable to finish the series prior to the maximum age", "Table 7-10")


@dataclass(frozen=True, slots=True)
class Bars:
    """What applies to a person for one antigen before any series is looked at (7.2, 7.3).

    `antigen`: observations that bar the antigen; `vaccines`: barred CVX codes, each with the observation.
    """

    immune: bool
    antigen: tuple[str, ...]
    vaccines: dict[str, str]


class Forecast(NamedTuple):
    """A patient series forecast (7.4, 7.5). Days are ordinals and set only when the status is Not Complete.

    `number`: dose number (FORECASTDN-1). `latest`: the last day on which the dose counts.
    `dose`: the series dose that is forecast. `start`: the candidate
    earliest date, None where no rule gives one ("no assumptions will be made", 7.5): series selection then knows no
    start or finish; `earliest`, which people read, falls back on the recommended age, or else the day of birth.
    """

    status: str
    reason: Reason | None = None
    dose: SeriesDose | None = None
    number: int | None = None
    start: int | None = None
    earliest: int | None = None
    recommended: int | None = None
    unadjusted_recommended: int | None = None
    past_due: int | None = None
    unadjusted_past_due: int | None = None
    latest: int | None = None


# The outcomes without dates: the columns of table 7-10 but the first.
IS_COMPLETE: Final = Forecast(COMPLETE, SERIES_COMPLETE)
IS_NOT_NEEDED: Final = Forecast(NOT_RECOMMENDED, PAST_HISTORY)
IS_IMMUNE: Final = Forecast(IMMUNE, EVIDENCE_OF_IMMUNITY)
IS_BARRED: Final = Forecast(CONTRAINDICATED, HAS_CONTRAINDICATION)
IS_PAST_SEASON: Final = Forecast(NOT_RECOMMENDED, PAST_SEASON)
IS_TOO_OLD: Final = Forecast(AGED_OUT, TOO_OLD_NOW)
IS_TOO_LATE: Final = Forecast(AGED_OUT, CANNOT_FINISH)


def bars(antigen: Antigen, person: Person) -> Bars:
    """Tables 7-3, 7-5 and 7-6 for one antigen and person."""
    active, ages, assessed = person.active, person.ages, person.assessed
    immune = bool(active) and not active.isdisjoint(antigen.immunity_observations)
    for row in antigen.birth_immunity:
        if (
            person.born < row.before
            and active.isdisjoint(row.exceptions)
            and (row.country is None or row.country == person.birth_country)
        ):
            immune = True
    if not active:
        return Bars(immune, (), {})

    def holds(begin: Offset | None, end: Offset | None) -> bool:
        return (begin is None or assessed >= ages[begin]) and (end is None or assessed < ages[end])

    return Bars(
        immune,
        tuple(one.code for one in antigen.contraindications if one.code in active and holds(one.begin, one.end)),
        {
            cvx: one.code
            for one in antigen.product_contraindications
            if one.code in active
            for cvx, begin, end in one.vaccines
            if holds(begin, end)
        },
    )


def is_contraindicated(series: Series, barred: Bars) -> bool:
    """Table 7-7: the antigen is barred, or every vaccine that the series prefers is."""
    if barred.antigen:
        return True
    return (
        bool(barred.vaccines)
        and bool(series.preferable_vaccines)
        and series.preferable_vaccines.issubset(barred.vaccines)
    )


def forecast(patient_series: PatientSeries, person: Person, barred: Bars, trace: Trace = None) -> Forecast:
    """Figure 7-1. Skips targets (7.1), decides the need (7.4), dates it (7.5) and checks the result (7.6)."""
    contraindicated = is_contraindicated(patient_series.series, barred)
    while True:
        _skip_targets(patient_series, person, person.assessed, trace)
        made = _forecast_target(patient_series, person, barred, contraindicated)
        if made.status != NOT_COMPLETE or made.dose is None or made.earliest is None:
            break
        # 7.6: on the day that it names, would this dose still be asked for?
        if not made.dose.forecast_skips or not _skippable(patient_series, person, made.dose, made.earliest):
            break
        if trace:
            trace(f"  target dose {made.dose.number} would be skipped on {iso(made.earliest)}: forecast again [7.6]")
        patient_series.targets[patient_series.pointer].status = SKIPPED
        patient_series.pointer += 1
    if trace:
        words = f" ({made.reason.text})" if made.reason else ""
        trace(f"  forecast: {made.status}{words} [Table 7-10]")
        if made.status == NOT_COMPLETE:
            trace(
                f"    dose {made.number}: earliest {iso(made.earliest)}, recommended {iso(made.recommended)}, "
                f"past due {iso(made.past_due)}, latest {iso(made.latest)} [Table 7-13]"
            )
    return made


def _skippable(patient_series: PatientSeries, person: Person, dose: SeriesDose, reference: int) -> bool:
    return can_skip(
        dose.forecast_skips,
        person,
        patient_series.records,
        patient_series.verdicts,
        patient_series.completed,
        reference,
        person.assessed,
    )


def _skip_targets(patient_series: PatientSeries, person: Person, reference: int, trace: Trace) -> None:
    """7.1: pass over the targets that needn't be given."""
    targets = patient_series.targets
    while patient_series.pointer < len(targets):
        target = targets[patient_series.pointer]
        if not target.dose.forecast_skips or not _skippable(patient_series, person, target.dose, reference):
            return
        if trace:
            trace(f"  target dose {target.dose.number} is skipped in the forecast [7.1, Table 6-11]")
        target.status = SKIPPED
        patient_series.pointer += 1


def _forecast_target(patient_series: PatientSeries, person: Person, barred: Bars, contraindicated: bool) -> Forecast:
    """Table 7-10, first column that applies, and the dates where another dose is needed."""
    targets = patient_series.targets
    if patient_series.pointer >= len(targets):
        if patient_series.satisfied:
            return IS_COMPLETE
        return IS_NOT_NEEDED
    if barred.immune:
        return IS_IMMUNE
    if contraindicated:
        return IS_BARRED
    assessed, ages = person.assessed, person.ages
    dose = targets[patient_series.pointer].dose
    if dose.season_end is not None and assessed > dose.season_end:
        return IS_PAST_SEASON
    rule = dose.only_age or dose.age_rule(assessed)
    maximum = ages[rule.maximum] if rule is not None and rule.maximum is not None else None
    if maximum is not None and assessed >= maximum:
        return IS_TOO_OLD
    intervals: list[tuple[IntervalRule, int]] = []
    for interval in dose.intervals:
        if interval.effective <= assessed <= interval.cessation:
            reference = reference_day(interval, patient_series, person, None)
            if reference is not None:
                intervals.append((interval, reference))
    start = _candidate_earliest(patient_series, person, dose, rule, intervals)
    unadjusted = _unadjusted_recommended(person, rule, intervals)
    earliest = start
    if earliest is None:
        earliest = person.born if unadjusted is None else unadjusted
    if maximum is not None and earliest >= maximum:
        return IS_TOO_LATE

    recommended = earliest if unadjusted is None or unadjusted < earliest else unadjusted
    overdue = _unadjusted_past_due(person, rule, intervals)
    return Forecast(
        NOT_COMPLETE,
        dose=dose,
        number=_dose_number(patient_series, dose),
        start=start,
        earliest=earliest,
        recommended=recommended,
        unadjusted_recommended=earliest if unadjusted is None else unadjusted,
        past_due=None if overdue is None else max(earliest, overdue),
        unadjusted_past_due=overdue,
        latest=None if maximum is None else maximum - 1,
    )


def _candidate_earliest(
    patient_series: PatientSeries,
    person: Person,
    dose: SeriesDose,
    rule: AgeRule | None,
    intervals: Iterable[tuple[IntervalRule, int]],
) -> int | None:
    """FORECASTDTCAN-1. No absolute minimum enters: a forecast never offers the grace period."""
    found = 0
    if rule is not None and rule.minimum is not None:
        found = person.ages[rule.minimum]
    for interval, reference in intervals:
        if interval.minimum is not None:
            found = max(found, interval.minimum.after(reference))
    for vaccine, ends in person.conflict_ends.items():
        if vaccine in dose.preferable:
            found = max(found, ends)
    if dose.season_start is not None:
        found = max(found, dose.season_start)
    if patient_series.records:
        # The most recent dose also covers FORECASTDTCAN-1's inadvertent administrations: none is later.
        found = max(found, patient_series.records[-1].day)
    return found or None


def _unadjusted_recommended(
    person: Person, rule: AgeRule | None, intervals: Iterable[tuple[IntervalRule, int]]
) -> int | None:
    """FORECASTDT-2, without its last line: an age beats any interval."""
    if rule is not None and rule.earliest_recommended is not None:
        return person.ages[rule.earliest_recommended]
    found = None
    for interval, reference in intervals:
        if interval.earliest_recommended is not None:
            day = interval.earliest_recommended.after(reference)
            found = day if found is None or day > found else found
    return found


def _unadjusted_past_due(
    person: Person, rule: AgeRule | None, intervals: Iterable[tuple[IntervalRule, int]]
) -> int | None:
    """FORECASTDT-3."""
    if rule is not None and rule.latest_recommended is not None:
        return person.ages[rule.latest_recommended] - 1
    found = None
    for interval, reference in intervals:
        if interval.latest_recommended is not None:
            day = interval.latest_recommended.after(reference) - 1
            found = day if found is None or day > found else found
    return found


def _dose_number(patient_series: PatientSeries, dose: SeriesDose) -> int:
    """FORECASTDN-1: satisfied targets plus one; for a seasonal dose, those satisfied since the season began."""
    start = dose.season_start
    if start is None:
        return patient_series.satisfied + 1
    given = [target.satisfied_by for target in patient_series.targets if target.satisfied_by is not None]
    return sum(1 for one in given if one.day >= start) + 1


def has_priority(made: Forecast, person: Person) -> bool:
    """FORECASTPRIORITY-1: the target has preferable intervals, and each has the priority flag."""
    intervals = made.dose.intervals if made.dose is not None else ()
    in_force = [one for one in intervals if one.effective <= person.assessed <= one.cessation]
    return bool(in_force) and all(one.has_priority for one in in_force)


def recommended_vaccines(person: Person, made: Forecast, barred: Bars) -> tuple[str, ...]:
    """FORECASTRECVAC-1: the CVX codes that a forecast recommends, each once, in the schedule's order.

    CDC flags them only where the product matters; `suitable_vaccines` has all that may be given.
    """
    if made.dose is None or made.earliest is None or made.recommended is None:
        return ()
    return _fitting(person, barred, made.dose.offered, (made.earliest, made.recommended))


def suitable_vaccines(person: Person, made: Forecast, barred: Bars) -> tuple[str, ...]:
    """The preferable vaccines that fit on the day on which the dose can really be given, flagged or not.

    That is the earliest or the recommended day, or the day of assessment where they lie in the past.
    """
    if made.dose is None or made.earliest is None or made.recommended is None:
        return ()
    vaccines = [one for rows in made.dose.preferable.values() for one in rows]
    days = max(person.assessed, made.earliest), max(person.assessed, made.recommended)
    return _fitting(person, barred, vaccines, days)


def _fitting(
    person: Person, barred: Bars, vaccines: Iterable[PreferableVaccine], days: tuple[int, int]
) -> tuple[str, ...]:
    """CVX codes that aren't contraindicated, and whose ages hold one of the days."""
    found: dict[str, None] = {}
    ages = person.ages
    for vaccine in vaccines:
        if vaccine.cvx in barred.vaccines:
            continue
        begin = EARLIEST_DAY if vaccine.begin is None else ages[vaccine.begin]
        end = LATEST_DAY if vaccine.end is None else ages[vaccine.end]
        if begin <= days[0] < end or begin <= days[1] < end:
            found[vaccine.cvx] = None
    return tuple(found)
