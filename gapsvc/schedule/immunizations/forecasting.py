"""Forecast one patient series (Logic Specification chapter 7)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from .calendar import EARLIEST_DAY, LATEST_DAY, Offset, iso
from .evaluation import reference_day
from .history import Person
from .patient_series import PatientSeries
from .schedule import Antigen, PreferableVaccine, Series, SeriesDose
from .skipping import can_skip
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
    vaccines: Mapping[str, str]


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


NOTHING_BARRED: Final = Bars(immune=False, antigen=(), vaccines=MappingProxyType({}))


def bars(antigen: Antigen, person: Person) -> Bars:
    """Tables 7-3, 7-5 and 7-6 for one antigen and person."""
    active, ages, assessed = person.active, person.ages, person.assessed
    if not active and not antigen.birth_immunity:
        return NOTHING_BARRED
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
    assessed = person.assessed
    while True:
        _skip_targets(patient_series, person, trace)
        made = _forecast_target(patient_series, person, barred)
        if made.dose is None or made.earliest is None or not made.dose.forecast_skips:
            break
        # 7.6: on the day that it names, would this dose still be asked for?
        if not can_skip(made.dose.forecast_skips, patient_series, person, made.earliest, assessed):
            break
        if trace:
            trace(f"  target dose {made.dose.number} would be skipped on {iso(made.earliest)}: forecast again [7.6]")
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


def _skip_targets(patient_series: PatientSeries, person: Person, trace: Trace) -> None:
    """7.1: pass over the targets that needn't be given."""
    doses, assessed = patient_series.doses, person.assessed
    while patient_series.pointer < len(doses):
        dose = doses[patient_series.pointer]
        if not dose.forecast_skips or not can_skip(dose.forecast_skips, patient_series, person, assessed, assessed):
            return
        if trace:
            trace(f"  target dose {dose.number} is skipped in the forecast [7.1, Table 6-11]")
        patient_series.pointer += 1


def _forecast_target(patient_series: PatientSeries, person: Person, barred: Bars) -> Forecast:
    """Table 7-10, first column that applies, and the dates where another dose is needed."""
    doses, given, pointer = patient_series.doses, patient_series.given, patient_series.pointer
    if pointer >= len(doses):
        return IS_COMPLETE if given else IS_NOT_NEEDED
    if barred.immune:
        return IS_IMMUNE
    if is_contraindicated(patient_series.series, barred):
        return IS_BARRED
    assessed, ages = person.assessed, person.ages
    dose = doses[pointer]
    if dose.season_end is not None and assessed > dose.season_end:
        return IS_PAST_SEASON
    rule = dose.only_age or dose.age_rule(assessed)
    if rule is None:
        minimum = recommended = overdue = maximum = None
    else:
        maximum = None if rule.maximum is None else ages[rule.maximum]
        if maximum is not None and assessed >= maximum:
            return IS_TOO_OLD
        # An age beats any interval (FORECASTDT-2, FORECASTDT-3).
        minimum = None if rule.minimum is None else ages[rule.minimum]
        recommended = None if rule.earliest_recommended is None else ages[rule.earliest_recommended]
        overdue = None if rule.latest_recommended is None else ages[rule.latest_recommended] - 1
    start = minimum or 0
    if dose.intervals:
        waits = _interval_days(patient_series, person, dose)
        start = max(start, waits.minimum)
        if rule is None or rule.earliest_recommended is None:
            recommended = waits.earliest_recommended
        if rule is None or rule.latest_recommended is None:
            overdue = waits.latest_recommended
    start = max(start, _conflicts_end(person, dose), dose.season_start or 0)
    if patient_series.records:
        # The most recent dose also covers FORECASTDTCAN-1's inadvertent administrations: none is later.
        start = max(start, patient_series.records[-1].day)
    earliest = start or (person.born if recommended is None else recommended)
    if maximum is not None and earliest >= maximum:
        return IS_TOO_LATE
    # In the order of the fields, since there are many and most series of every child come here.
    return Forecast(
        NOT_COMPLETE,
        None,
        dose,
        len(given) + 1 if dose.season_start is None else _number_in_season(patient_series, dose.season_start),
        start or None,
        earliest,
        earliest if recommended is None or recommended < earliest else recommended,
        earliest if recommended is None else recommended,
        None if overdue is None else max(earliest, overdue),
        overdue,
        None if maximum is None else maximum - 1,
    )


class _Waits(NamedTuple):
    """What the intervals of a dose come to: the latest day of each kind."""

    minimum: int  # FORECASTDTCAN-1; 0: none. No absolute minimum enters: a forecast never offers the grace period.
    earliest_recommended: int | None  # FORECASTDT-2
    latest_recommended: int | None  # FORECASTDT-3


def _interval_days(patient_series: PatientSeries, person: Person, dose: SeriesDose) -> _Waits:
    """The days that the intervals in force give, each counted from its reference date."""
    assessed = person.assessed
    minimum, recommended, overdue = 0, None, None
    for rule in dose.intervals:
        if not rule.effective <= assessed <= rule.cessation:
            continue
        reference = patient_series.previous if rule.from_previous else reference_day(rule, patient_series, person, None)
        if reference is None:
            continue
        if rule.minimum is not None:
            minimum = max(minimum, rule.minimum.after(reference))
        if rule.earliest_recommended is not None:
            recommended = max(recommended or 0, rule.earliest_recommended.after(reference))
        if rule.latest_recommended is not None:
            overdue = max(overdue or 0, rule.latest_recommended.after(reference) - 1)
    return _Waits(minimum, recommended, overdue)


def _conflicts_end(person: Person, dose: SeriesDose) -> int:
    """CALCDTCONFLICT-3 for the vaccines that the dose prefers; 0 where none may conflict with an earlier one."""
    ends = person.conflict_ends
    return max((ends[cvx] for cvx in dose.live if cvx in ends), default=0) if ends and dose.live else 0


def _number_in_season(patient_series: PatientSeries, start: int) -> int:
    """FORECASTDN-1 for a seasonal dose: the targets that were satisfied since the season began, plus one."""
    return sum(1 for _, given in patient_series.given if given.day >= start) + 1


def has_priority(made: Forecast, person: Person) -> bool:
    """FORECASTPRIORITY-1: the target has preferable intervals, and each has the priority flag."""
    intervals = made.dose.intervals if made.dose is not None else ()
    in_force = [one for one in intervals if one.effective <= person.assessed <= one.cessation]
    return bool(in_force) and all(one.has_priority for one in in_force)


def recommended_vaccines(person: Person, made: Forecast, barred: Bars) -> tuple[str, ...]:
    """FORECASTRECVAC-1: the CVX codes that a forecast recommends, each once, in the schedule's order.

    CDC flags them only where the product matters; `suitable_vaccines` has all that may be given.
    """
    if made.dose is None or not made.dose.offered or made.earliest is None or made.recommended is None:
        return ()
    return _fitting(person, barred, made.dose.offered, (made.earliest, made.recommended))


def suitable_vaccines(person: Person, made: Forecast, barred: Bars) -> tuple[str, ...]:
    """The preferable vaccines that fit on the day on which the dose can really be given, flagged or not.

    That is the earliest or the recommended day, or the day of assessment where they lie in the past.
    """
    if made.dose is None or made.earliest is None or made.recommended is None:
        return ()
    days = max(person.assessed, made.earliest), max(person.assessed, made.recommended)
    return _fitting(person, barred, made.dose.products, days)


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
