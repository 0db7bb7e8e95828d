"""What a child needs from the immunization schedule, beside what measures say: from a record to needs and judged doses.

Pure. The schedule's verdict and a quality measure's count are different things (HEDIS-like counting ignores minimum
intervals): a dose that a measure counts and the schedule calls invalid is named, since it has to be repeated.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from gapsvc.evaluation.result import MeasureResult
from gapsvc.records.record import PatientRecord
from gapsvc.schedule.immunizations import Schedule, UnusableCase, assess
from gapsvc.schedule.immunizations.due import ImmunizationNeed, needs
from gapsvc.schedule.immunizations.fhir_input import read_resources
from gapsvc.schedule.immunizations.vaccine_codes import STANDARD_CODES, CodeTable
from gapsvc.schedule.immunizations.verdicts import NOT_VALID, SUB_STANDARD

TYPES_READ = ("Immunization", "Condition", "AllergyIntolerance", "Observation")


@dataclass(frozen=True, slots=True)
class InvalidDose:
    """A dose that was given and does not count for a vaccine group, with the schedule's reasons."""

    reference: str
    given: date | None
    group: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JudgedDose:
    """One dose as the schedule judges it for one vaccine group. `number`: which dose of the series it is, if valid."""

    reference: str
    given: date
    cvx: str
    product: str  # in words
    valid: bool
    verdict: str  # "valid", "not valid", "sub-standard", "extraneous"
    number: int | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VaccineHistory:
    """A vaccine group's doses in order of day, and what it needs next."""

    group: str
    doses: tuple[JudgedDose, ...]
    need: ImmunizationNeed | None


@dataclass(frozen=True, slots=True)
class Vaccines:
    """A child's immunizations as of a day, by one version of the schedule."""

    schedule: str
    needs: tuple[ImmunizationNeed, ...]
    invalid: tuple[InvalidDose, ...]
    remarks: tuple[tuple[str, str], ...]  # (reference, why this resource was not judged)
    histories: tuple[VaccineHistory, ...] = ()


def vaccines(
    schedule: Schedule, record: PatientRecord, as_of: date, codes: CodeTable = STANDARD_CODES
) -> Vaccines | None:
    """The immunizations of a record; None where its birth date is not a whole day on or before `as_of`."""
    resources = [one for kind in TYPES_READ for one in record.resources.get(kind, ())]
    try:
        source = read_resources(schedule, record.patient, resources, assessed=as_of, codes=codes)
    except UnusableCase:
        return None
    outcome = assess(schedule, source.case)
    invalid: dict[tuple[str, str], InvalidDose] = {}
    for forecasts in outcome.forecasts.values():
        for forecast in forecasts:
            for part in forecast.series:
                for dose, verdict in zip(part.progress.records, part.progress.verdicts, strict=True):
                    if verdict.status in (NOT_VALID, SUB_STANDARD):
                        reference = source.references[dose.position]
                        invalid.setdefault(
                            (reference, forecast.group),
                            InvalidDose(
                                reference,
                                source.case.doses[dose.position].given,
                                forecast.group,
                                tuple(reason.text for reason in verdict.reasons),
                            ),
                        )
    return Vaccines(
        schedule=schedule.version,
        needs=tuple(needs(outcome)),
        invalid=tuple(invalid.values()),
        remarks=tuple((remark.reference, remark.text) for remark in source.remarks),
    )


def met_with_invalid_doses(
    results: Iterable[MeasureResult], invalid: Sequence[InvalidDose]
) -> list[tuple[str, InvalidDose]]:
    """(rate, dose) for each dose that a measure counts and the schedule calls invalid: measure met, dose to repeat."""
    by_reference = {dose.reference: dose for dose in invalid}
    return [
        (group.description, by_reference[counted.reference])
        for result in results
        for group in result.groups
        for counted in group.gap.counted
        if counted.reference in by_reference
    ]
