"""What to know of a child before any list of what to do is read: died, in hospice, without a birth date. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from gapsvc.evaluation import wording
from gapsvc.evaluation.result import MeasureResult
from gapsvc.records.record import PatientRecord

# exclusion that a measure found -> what it means for the whole list, which the schedules don't know of
_BY_EXCLUSION = {
    "hospice": "in hospice care by this record: ask what is wanted before anything below is done",
    "vaccine-exclusion": (
        "this record has a condition that rules out some vaccines for a quality measure: "
        "check contraindications before any below is given"
    ),
}


def notices(record: PatientRecord, results: Iterable[MeasureResult], as_of: date) -> tuple[str, ...]:
    """Sentences without their capital and stop, the weightiest first; none for most children."""
    died = death(record.patient, as_of)
    if died:
        return (f"{died}: nothing is to be done",)
    found: list[str] = []
    written = record.patient.get("birthDate")
    born = _whole_day(written)
    if born is None:
        known = "no birth date is recorded" if not isinstance(written, str) else f"the birth date is only {written}"
        found.append(f"{known}: what is due can't be told. Complete it in the record")
    elif born > as_of:
        found.append(f"born on {wording.day(born)}, after this list's day: what is due can't be told")
    said = {reason.text for result in results for group in result.groups for reason in group.gap.reasons}
    found += [text for code, text in _BY_EXCLUSION.items() if wording.not_counted(code) in said]
    return tuple(found)


def death(patient: Mapping[str, Any], as_of: date) -> str:
    """What a Patient says of a death by `as_of`, in words; empty for the living. A date may be partial (2026-05)."""
    when = patient.get("deceasedDateTime")
    if isinstance(when, str) and when:
        if when[:10] > as_of.isoformat():
            return ""
        day = _whole_day(when)
        return f"died on {wording.day(day)}" if day else f"died in {when}"
    return "died, on a day that is not recorded" if patient.get("deceasedBoolean") is True else ""


def _whole_day(written: Any) -> date | None:
    try:
        return date.fromisoformat(written[:10]) if isinstance(written, str) and len(written) >= 10 else None
    except ValueError:
        return None
