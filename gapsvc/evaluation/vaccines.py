"""What a child needs from the immunization schedule, beside what measures say: from a record to needs and judged doses.

Pure. The schedule's verdict and a quality measure's count are different things (HEDIS-like counting ignores minimum
intervals): a dose that a measure counts and the schedule calls invalid is named, since it has to be repeated.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from gapsvc.evaluation.products import GROUP_NAMES, VaccineNames
from gapsvc.evaluation.result import Coding, MeasureResult
from gapsvc.evaluation.seasons import unknown_season, with_unknown_seasons
from gapsvc.records.record import PatientRecord
from gapsvc.records.references import objects
from gapsvc.schedule.immunizations import Outcome, Schedule, UnusableCase, assess
from gapsvc.schedule.immunizations.answers import group_verdicts
from gapsvc.schedule.immunizations.due import ImmunizationNeed, needs
from gapsvc.schedule.immunizations.fhir_input import DUPLICATE, DUPLICATE_APART, FhirCase, FhirRemark, read_resources
from gapsvc.schedule.immunizations.vaccine_codes import STANDARD_CODES, CodeTable
from gapsvc.schedule.immunizations.verdicts import NOT_VALID, SUB_STANDARD, VALID

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
    verdict: str  # "valid", "not valid", "sub-standard", "extraneous"; "not judged": of a season without data
    number: int | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DoseRemark:
    """Why a resource was not judged: a code of ours and words. `on` is its day, if it says a whole one."""

    reference: str
    code: str
    text: str
    on: date | None = None

    @property
    def is_repeat(self) -> bool:
        """Whether it only tells again of a dose that another record stands for."""
        return self.code in (DUPLICATE, DUPLICATE_APART)


@dataclass(frozen=True, slots=True)
class NotGiven:
    """A dose for a vaccine group that the record says was not given. `reason`: "refused", "contraindicated", "immune",
    "out-of-stock"; "not-done" where it says none of these."""

    reference: str
    group: str
    reason: str
    on: date | None


@dataclass(frozen=True, slots=True)
class VaccineHistory:
    """A vaccine group's doses in order of day, and what it needs next."""

    group: str
    doses: tuple[JudgedDose, ...]
    need: ImmunizationNeed | None


@dataclass(frozen=True, slots=True)
class Vaccines:
    """A child's immunizations as of a day, by one version of the schedule.

    A need of a season that the schedule has no data of has the status `seasons.NOT_KNOWN`.
    """

    schedule: str
    needs: tuple[ImmunizationNeed, ...]
    invalid: tuple[InvalidDose, ...]
    remarks: tuple[DoseRemark, ...]
    histories: tuple[VaccineHistory, ...] = ()
    not_given: tuple[NotGiven, ...] = ()


# CDC's words for why a dose counts or doesn't, as a nurse reads them (Logic Specification, tables 6-15 to 6-29).
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "Age: Too Young": "given too young",
        "Age: Too Old": "given too old",
        "Age: Grace Period": "a few days early, within the grace period",
        "Interval: Too Soon": "too soon after the dose before",
        "Interval: Grace Period": "a few days too soon, within the grace period",
        "Interval: Allowable": "at the shortest interval that is allowed",
        "Live Virus Conflict": "too close to another live vaccine",
        "Not a preferable or allowable vaccine": "not a vaccine that counts for this dose",
        "Volume administered is less than recommended volume": "less than the recommended volume",
        "Inadvertent Vaccine": "a vaccine that must not be given for this dose",
        "Series Already Complete": "the series was complete",
    }
)


def vaccines(
    schedule: Schedule,
    record: PatientRecord,
    as_of: date,
    codes: CodeTable = STANDARD_CODES,
    names: VaccineNames | None = None,
) -> Vaccines | None:
    """The immunizations of a record; None where its birth date is not a whole day on or before `as_of`.

    `names` are the schedule's (made anew where None: a loop over children brings them).
    """
    resources = [one for kind in TYPES_READ for one in record.resources.get(kind, ())]
    try:
        source = read_resources(
            schedule, record.patient, resources, assessed=as_of, codes=codes, sources=record.sources
        )
    except UnusableCase:
        return None
    outcome = assess(schedule, source.case)
    found, unknown = with_unknown_seasons(outcome, needs(outcome))
    names = names or VaccineNames.of(schedule, codes)
    histories = _histories(outcome, source, found, unknown, names)
    return Vaccines(
        schedule=schedule.version,
        needs=found,
        invalid=tuple(
            InvalidDose(dose.reference, dose.given, history.group, dose.reasons)
            for history in histories
            for dose in history.doses
            if dose.verdict in _TO_REPEAT
        )
        + _told_a_day_apart(source.remarks, histories),
        remarks=(
            *(DoseRemark(one.reference, one.code, one.text, one.on) for one in source.remarks),
            *(
                DoseRemark(
                    source.references[remark.dose], remark.code, remark.text, source.case.doses[remark.dose].given
                )
                for remark in outcome.person.remarks
                if remark.dose is not None
            ),
        ),
        histories=histories,
        not_given=tuple(_not_given(record, source.remarks, histories, names)),
    )


def _not_given(
    record: PatientRecord, remarks: Iterable[FhirRemark], histories: Sequence[VaccineHistory], names: VaccineNames
) -> Iterable[NotGiven]:
    """The latest for each group, unless a dose was given since."""
    said = {remark.reference: remark for remark in remarks if remark.code in NOT_GIVEN}
    if not said:
        return
    given = {history.group: max(dose.given for dose in history.doses) for history in histories if history.doses}
    latest: dict[str, NotGiven] = {}
    for resource in record.resources.get("Immunization", ()):
        remark = said.get(f"Immunization/{resource.get('id')}")
        if remark is None:
            continue
        codings = (coding for each in objects(resource.get("vaccineCode")) for coding in objects(each.get("coding")))
        found = (Coding(str(coding.get("system")), str(coding.get("code"))) for coding in codings)
        for group in dict.fromkeys(group for coding in found for group in names.groups(coding)):
            one = NotGiven(remark.reference, group, remark.code, remark.on)
            last, on = latest.get(group), one.on or date.min
            if on >= given.get(group, date.min) and (last is None or on >= (last.on or date.min)):
                latest[group] = one
    yield from latest.values()


def _told_a_day_apart(remarks: Iterable[FhirRemark], histories: Sequence[VaccineHistory]) -> tuple[InvalidDose, ...]:
    """Records of a dose that another source has a day earlier or later. A measure that counts days counts both, so
    they are named with what doesn't count; the schedule asks for the dose that is missing."""
    return tuple(
        InvalidDose(remark.reference, remark.on, history.group, ("two sources report one dose, a day apart",))
        for remark in remarks
        if remark.code == DUPLICATE_APART
        for history in histories
        if any(dose.reference == remark.of for dose in history.doses)
    )


NOT_GIVEN = frozenset({"refused", "contraindicated", "immune", "out-of-stock", "not-done"})
_TO_REPEAT = frozenset({NOT_VALID.lower(), SUB_STANDARD.lower()})
_URGENCIES = ("overdue", "due", "later", "none")


def _histories(
    outcome: Outcome,
    source: FhirCase,
    found: Sequence[ImmunizationNeed],
    unknown: Mapping[str, date],
    names: VaccineNames,
) -> tuple[VaccineHistory, ...]:
    """The groups that a dose was given for, or that a forecast speaks of, in the schedule's order."""
    judged: dict[str, list[JudgedDose]] = {}
    verdicts = group_verdicts(outcome)
    for dose in outcome.person.doses:
        given, reference = date.fromordinal(dose.day), source.references[dose.position]
        product = names.product(dose.cvx)
        for group, ruled in verdicts[dose.position].items():
            valid, verdict = ruled.status == VALID, ruled.status.lower()
            words = (*ruled.reasons, *ruled.notes)
            # An edition without this season calls its doses extraneous: "the series was complete".
            if group in unknown and given >= unknown[group] and not valid:
                verdict, words = "not judged", (unknown_season(outcome.schedule.version),)
            judged.setdefault(group, []).append(
                JudgedDose(
                    reference=reference,
                    given=given,
                    cvx=dose.cvx,
                    product=product,
                    valid=valid,
                    verdict=verdict,
                    number=ruled.target if valid else None,
                    reasons=tuple([REASONS.get(text, text) for text in words]),
                )
            )
    by_group: dict[str, list[ImmunizationNeed]] = {}
    for need in found:
        by_group.setdefault(need.group, []).append(need)
    return tuple(
        VaccineHistory(
            group,
            tuple(judged.get(group, ())),
            min(by_group.get(group, ()), key=lambda need: _URGENCIES.index(need.urgency), default=None),
        )
        for group in outcome.schedule.groups
        if group in judged or group in by_group
    )


def met_with_invalid_doses(results: Iterable[MeasureResult], found: Vaccines) -> list[tuple[str, InvalidDose]]:
    """(rate, dose) for each dose that a measure counts and the schedule calls invalid: measure met, dose to repeat.

    A combination vaccine may be valid for one group and not for another. A rate is about the group that all the doses
    that it counts were given for; where these are several, about the one that its title names.
    """
    groups_of: dict[str, set[str]] = {}
    for history in found.histories:
        for dose in history.doses:
            groups_of.setdefault(dose.reference, set()).add(history.group)
    for dose in found.invalid:
        groups_of.setdefault(dose.reference, set()).add(dose.group)
    invalid = {(dose.reference, dose.group): dose for dose in found.invalid}
    named: list[tuple[str, InvalidDose]] = []
    for result in results:
        for group in result.groups:
            doses = [one.reference for one in group.gap.counted if one.reference in groups_of]
            about = _about(group.description, [groups_of[reference] for reference in doses])
            named += [
                (group.description, invalid[reference, about])
                for reference in doses
                if about is not None and (reference, about) in invalid
            ]
    return named


def _about(title: str, groups: Sequence[set[str]]) -> str | None:
    """The vaccine group that a rate is about, by the groups of each of its doses."""
    shared = sorted(groups[0].intersection(*groups[1:])) if groups else []
    if len(shared) == 1:
        return shared[0]
    return next((group for group in shared if title.startswith(GROUP_NAMES.get(group, group))), None)
