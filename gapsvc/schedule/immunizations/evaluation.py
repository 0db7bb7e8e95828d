"""Evaluate the doses of one antigen against one series (Logic Specification 4.4 and chapter 6)."""

from collections.abc import Sequence

from .calendar import iso
from .history import Dose, EarlierConflict, Person
from .patient_series import PatientSeries
from .schedule import IntervalRule, SeriesDose
from .skipping import can_skip
from .verdicts import (
    AGE_GRACE,
    ALLOWABLE_INTERVAL,
    CONFLICT,
    EXTRANEOUS,
    INADVERTENT,
    INTERVAL_GRACE,
    LOW_VOLUME,
    NONE_LEFT,
    SUB_STANDARD,
    TOO_OLD,
    TOO_SOON,
    TOO_YOUNG,
    VALID,
    WRONG_VACCINE,
    Reason,
    Trace,
    Verdict,
    verdict_of,
)


def evaluate(patient_series: PatientSeries, person: Person, trace: Trace = None) -> None:
    """Figure 4-6: hold every record against the target doses, in order of date."""
    verdicts: list[Verdict] = []
    patient_series.verdicts = verdicts
    for record in patient_series.records:
        verdict = _place(patient_series, person, record, trace)
        verdicts.append(verdict)
        if trace:
            words = ", ".join(reason.text for reason in (*verdict.reasons, *verdict.notes))
            trace(f"    verdict: {verdict.status}{f' ({words})' if words else ''} [{verdict.rule}]")


def _place(patient_series: PatientSeries, person: Person, record: Dose, trace: Trace) -> Verdict:
    """The verdict on the next record; moves the pointer past skipped and satisfied targets."""
    if trace:
        trace(f"  dose of {iso(record.day)}, CVX {record.cvx}")
    while patient_series.pointer < len(patient_series.doses):
        dose = patient_series.doses[patient_series.pointer]
        if record.substandard is not None:
            return Verdict(SUB_STANDARD, dose.number, (Reason(record.substandard, "Table 6-3"),))
        if dose.evaluation_skips and can_skip(dose.evaluation_skips, patient_series, person, record.day, record.day):
            if trace:
                trace(f"    target dose {dose.number} is skipped [Table 6-11]")
            patient_series.pointer += 1
            continue
        if trace:
            trace(f"    held against target dose {dose.number}")
        if record.cvx in dose.inadvertent:
            return verdict_of(dose.number, inadvertent=INADVERTENT)
        verdict = _judge(patient_series, person, record, dose, trace)
        if verdict.status is VALID:
            at = patient_series.pointer
            patient_series.given = (*patient_series.given, (at, record))
            if dose.recurring:
                patient_series.doses = (*patient_series.doses[: at + 1], dose, *patient_series.doses[at + 1 :])
            patient_series.pointer = at + 1
        if verdict.status is not EXTRANEOUS:
            patient_series.previous = record.day
        return verdict
    return NONE_LEFT


def _judge(patient_series: PatientSeries, person: Person, record: Dose, dose: SeriesDose, trace: Trace) -> Verdict:
    """Sections 6.4 to 6.10: age, intervals, conflicts, vaccine; all failing reasons are collected."""
    age = _age(person, record.day, dose)
    interval = _interval(patient_series, person, record, dose) if dose.intervals else None
    conflicts = person.conflicts.get(record.order) if person.conflicts else None
    conflict = CONFLICT if conflicts is not None and _conflicts(patient_series, record, conflicts) else None
    vaccine = _vaccine(person, record, dose)
    if trace:
        trace(f"    age: {age.text if age else 'valid'} [Table 6-15]")
        trace(f"    interval: {interval.text if interval else 'valid'} [Tables 6-18, 6-21]")
        trace(f"    conflict with an earlier vaccine: {'yes' if conflict else 'no'} [Table 6-24]")
        trace(f"    vaccine: {vaccine.text if vaccine else 'preferable or allowable'} [Tables 6-26, 6-29]")
    return verdict_of(dose.number, age, interval, conflict, vaccine)


def _age(person: Person, day: int, dose: SeriesDose) -> Reason | None:
    """Table 6-15: None, TOO_YOUNG, TOO_OLD or a note."""
    rule = dose.only_age or dose.age_rule(day)
    if rule is None:
        return None
    ages = person.ages
    if rule.absolute_minimum is not None and day < ages[rule.absolute_minimum]:
        return TOO_YOUNG
    if rule.maximum is not None and day >= ages[rule.maximum]:
        return TOO_OLD
    return AGE_GRACE if rule.minimum is not None and day < ages[rule.minimum] else None


def _interval(patient_series: PatientSeries, person: Person, record: Dose, dose: SeriesDose) -> Reason | None:
    """Tables 6-18 and 6-21: None, a note, or TOO_SOON. Allowable intervals count where preferable ones fail."""
    day = record.day
    note = None
    for rule in dose.intervals:
        if not rule.effective <= day <= rule.cessation:
            continue
        if rule.from_previous:  # nearly all are
            reference = patient_series.previous
        else:
            reference = reference_day(rule, patient_series, person, record.order)
        if reference is None:
            continue
        if rule.absolute_minimum is not None and day < rule.absolute_minimum.after(reference):
            break
        if rule.minimum is not None and day < rule.minimum.after(reference):
            note = INTERVAL_GRACE
    else:
        return note
    allowable = [rule for rule in dose.allowable_intervals if rule.effective <= day <= rule.cessation]
    for rule in allowable:
        reference = reference_day(rule, patient_series, person, record.order)
        if reference is not None and rule.absolute_minimum is not None and day < rule.absolute_minimum.after(reference):
            return TOO_SOON
    return ALLOWABLE_INTERVAL if allowable else TOO_SOON


def reference_day(rule: IntervalRule, patient_series: PatientSeries, person: Person, before: int | None) -> int | None:
    """CALCDTINT-1, 2, 8, 9: the day that an interval counts from, None when there is none.

    `before`: the place in the person's history of the dose in question; None looks at the whole history.
    """
    if rule.from_previous:
        return patient_series.previous
    if rule.from_target is not None:
        for at, given in reversed(patient_series.given):
            if patient_series.doses[at].number == rule.from_target:
                return given.day
        return None
    if rule.from_observation is not None:
        return person.observed_on.get(rule.from_observation)
    doses = person.doses if before is None else person.doses[:before]
    for dose in reversed(doses):
        if dose.cvx in rule.from_recent and not _was_inadvertent(patient_series, dose):
            return dose.day
    return None


def _was_inadvertent(patient_series: PatientSeries, dose: Dose) -> bool:
    verdict = _verdict_on(patient_series, dose)
    return verdict is not None and INADVERTENT in verdict.reasons


def _verdict_on(patient_series: PatientSeries, dose: Dose) -> Verdict | None:
    """What this series has made of a dose so far; None for a dose of other antigens."""
    for record, verdict in zip(patient_series.records, patient_series.verdicts, strict=False):
        if record is dose:
            return verdict
    return None


def _conflicts(patient_series: PatientSeries, record: Dose, conflicts: Sequence[EarlierConflict]) -> bool:
    """CALCDTCONFLICT-1, 2 and CONFLICT-3."""
    for conflict in conflicts:
        if record.day < conflict.begins:
            continue
        verdict = _verdict_on(patient_series, conflict.dose)
        ends = conflict.ends_if_valid if verdict is None or verdict.status == VALID else conflict.ends
        if record.day < ends:
            return True
    return False


def _vaccine(person: Person, record: Dose, dose: SeriesDose) -> Reason | None:
    """Tables 6-26 and 6-29: WRONG_VACCINE, a note on the volume, or None."""
    day, ages = record.day, person.ages
    low = False
    for vaccine in dose.preferable.get(record.cvx, ()):
        if (
            (vaccine.begin is None or day >= ages[vaccine.begin])
            and (vaccine.end is None or day < ages[vaccine.end])
            and _same_product(vaccine.mvx, record.mvx)
            and _same_product(vaccine.trade_name, record.trade_name)
        ):
            if vaccine.volume is None or record.volume is None or record.volume >= vaccine.volume:
                return None
            low = True
    if low:
        return LOW_VOLUME
    for begin, end in dose.allowable.get(record.cvx, ()):
        if (begin is None or day >= ages[begin]) and (end is None or day < ages[end]):
            return None
    return WRONG_VACCINE


def _same_product(wanted: str | None, found: str | None) -> bool:
    """A maker or trade name that the row doesn't ask for, or that the record doesn't tell, doesn't count against."""
    return wanted is None or found is None or wanted.casefold() == found.casefold()
