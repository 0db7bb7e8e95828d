"""Evaluate the doses of one antigen against one series (Logic Specification 4.4 and chapter 6)."""

from collections.abc import Sequence

from .calendar import iso
from .history import Dose, EarlierConflict, Person
from .schedule import IntervalRule, Series, SeriesDose
from .skipping import can_skip
from .verdicts import (
    AGE_GRACE,
    ALLOWABLE_INTERVAL,
    ALREADY_COMPLETE,
    CONFLICT,
    EXTRANEOUS,
    FAILURES,
    INADVERTENT,
    INTERVAL_GRACE,
    LOW_VOLUME,
    NOT_SATISFIED,
    NOT_VALID,
    SATISFIED,
    SKIPPED,
    SUB_STANDARD,
    TOO_OLD,
    TOO_SOON,
    TOO_YOUNG,
    VALID,
    WRONG_VACCINE,
    Reason,
    Trace,
    Verdict,
    plainly_valid,
)


class Target:
    """A target dose of one person (3.1): the series dose it tracks, its status, and the dose that satisfied it."""

    __slots__ = ("dose", "satisfied_by", "status")

    def __init__(self, dose: SeriesDose, status: str = NOT_SATISFIED, satisfied_by: Dose | None = None) -> None:
        self.dose = dose
        self.status = status
        self.satisfied_by = satisfied_by


class PatientSeries:
    """A relevant patient series: its target doses, the verdict on each record, and where evaluation stands.

    Mutable while the engine works on it; `pointer` is the next target dose.
    """

    __slots__ = ("completed", "pointer", "previous", "records", "satisfied", "series", "targets", "verdicts")

    def __init__(self, series: Series, records: Sequence[Dose], completed: frozenset[str]) -> None:
        self.series = series
        self.records = records
        self.completed = completed
        self.targets = [Target(dose) for dose in series.doses]
        self.pointer = 0
        self.satisfied = 0  # SELECTB-21: the number of valid doses
        self.verdicts: list[Verdict] = []
        self.previous: int | None = None  # day of the latest dose that CALCDTINT-1 counts from

    @property
    def unsatisfied(self) -> int:
        """Target doses that still wait."""
        return sum(1 for target in self.targets if target.status == NOT_SATISFIED)

    def first_valid_day(self) -> int | None:
        """The day of the earliest valid dose."""
        for dose, verdict in zip(self.records, self.verdicts, strict=True):
            if verdict.status == VALID:
                return dose.day
        return None


def evaluate(patient_series: PatientSeries, person: Person, trace: Trace = None) -> None:
    """Figure 4-6: hold every record against the target doses, in order of date."""
    for position, record in enumerate(patient_series.records):
        verdict = _place(patient_series, person, record, position, trace)
        patient_series.verdicts.append(verdict)
        if trace:
            words = ", ".join(reason.text for reason in (*verdict.reasons, *verdict.notes))
            trace(f"    verdict: {verdict.status}{f' ({words})' if words else ''} [{verdict.rule}]")


def _place(patient_series: PatientSeries, person: Person, record: Dose, position: int, trace: Trace) -> Verdict:
    """The verdict on one record; moves the pointer past skipped and satisfied targets."""
    targets = patient_series.targets
    if trace:
        trace(f"  dose of {iso(record.day)}, CVX {record.cvx}")
    while patient_series.pointer < len(targets):
        target = targets[patient_series.pointer]
        dose = target.dose
        if record.substandard is not None:
            return Verdict(SUB_STANDARD, dose.number, (Reason(record.substandard, "Table 6-3"),))
        if dose.evaluation_skips and can_skip(
            dose.evaluation_skips,
            person,
            patient_series.records[:position],
            patient_series.verdicts,
            patient_series.completed,
            record.day,
            record.day,
        ):
            if trace:
                trace(f"    target dose {dose.number} is skipped [Table 6-11]")
            target.status = SKIPPED
            patient_series.pointer += 1
            continue
        if trace:
            trace(f"    held against target dose {dose.number}")
        if record.cvx in dose.inadvertent:
            return Verdict(NOT_VALID, dose.number, (INADVERTENT,))
        verdict = _judge(patient_series, person, record, dose, trace)
        status = verdict.status
        if status == VALID:
            target.status = SATISFIED
            target.satisfied_by = record
            patient_series.satisfied += 1
            if dose.recurring:
                targets.insert(patient_series.pointer + 1, Target(dose))
            patient_series.pointer += 1
        if status != EXTRANEOUS:
            patient_series.previous = record.day
        return verdict
    return Verdict(EXTRANEOUS, None, (ALREADY_COMPLETE,))


def _judge(patient_series: PatientSeries, person: Person, record: Dose, dose: SeriesDose, trace: Trace) -> Verdict:
    """Sections 6.4 to 6.10: age, intervals, conflicts, vaccine; all failing reasons are collected."""
    age = _age(person, record.day, dose)
    interval = _interval(patient_series, person, record, dose) if dose.intervals else None
    conflicts = person.conflicts.get(record.order)
    conflict = CONFLICT if conflicts is not None and _conflicts(patient_series, record, conflicts) else None
    vaccine = _vaccine(person, record, dose)
    if trace:
        trace(f"    age: {age.text if age else 'valid'} [Table 6-15]")
        trace(f"    interval: {interval.text if interval else 'valid'} [Tables 6-18, 6-21]")
        trace(f"    conflict with an earlier vaccine: {'yes' if conflict else 'no'} [Table 6-24]")
        trace(f"    vaccine: {vaccine.text if vaccine else 'preferable or allowable'} [Tables 6-26, 6-29]")

    if age is None and interval is None and conflict is None and vaccine is None:
        return plainly_valid(dose.number)
    found = [one for one in (age, interval, conflict, vaccine) if one is not None]
    reasons = tuple(one for one in found if one in FAILURES)
    if not reasons:
        return Verdict(VALID, dose.number, (), tuple(found))
    # Table 6-31: too old is extraneous, whatever else is wrong.
    return Verdict(EXTRANEOUS if age is TOO_OLD else NOT_VALID, dose.number, reasons)


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
        for target in reversed(patient_series.targets):
            if target.dose.number == rule.from_target and target.satisfied_by is not None:
                return target.satisfied_by.day
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
