"""FHIR R4 resources of one child to a CDSi case: Immunization, Condition, AllergyIntolerance, Observation.

Nothing raises for what a record holds. What can't be used is a `FhirRemark` with the resource's reference; what can
keeps its reference, so that every verdict leads back to the resource.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, cast

from gapsvc.records.duplicates import reported_twice

from .case_lines import UnusableCase
from .history import Case, GivenDose, Observation, plausible
from .same_dose import RecordedDose, told_once
from .schedule import Schedule
from .vaccine_codes import (
    ESTIMATED_DELIVERY,
    LAST_MENSTRUAL_PERIOD,
    LOINC_TO_OBSERVATION,
    ONSET_OF_PREGNANCY,
    STANDARD_CODES,
    CodeTable,
    normal_ndc,
)

JsonObject = Mapping[str, Any]

CVX = "http://hl7.org/fhir/sid/cvx"
MVX = "http://hl7.org/fhir/sid/mvx"
NDC = "http://hl7.org/fhir/sid/ndc"
CPT = "http://www.ama-assn.org/go/cpt"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
_SYSTEMS = {"urn:oid:2.16.840.1.113883.12.292": CVX, "urn:oid:2.16.840.1.113883.6.69": NDC}
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}(?=T|$)")
_ACTIVE = frozenset({"active", "recurrence", "relapse"})
_NOT_TRUE = frozenset({"refuted", "entered-in-error"})
# Observations that a resolved condition still shows: the disease leaves immunity behind.
_PAST_COUNTS = frozenset({"018", "019", "020", "021", "022", "023", "024", "025"})
_POSITIVE = frozenset({"POS", "RR", "10828004", "11214006", "LA6576-8", "LA15255-5"})
# Immunization.statusReason (v3-ActReason, SNOMED CT) of a dose that wasn't given, as codes of ours.
_NOT_GIVEN = {
    "PATOBJ": "refused",
    "RELIG": "refused",
    "PHILISOP": "refused",
    "VACEFF": "refused",
    "VACSAF": "refused",
    "591000119102": "refused",
    "MEDPREC": "contraindicated",
    "IMMUNE": "immune",
    "OSTOCK": "out-of-stock",
}
# Codes of remarks: another record tells of the same dose, of the same day or (APART) of the day before or after.
DUPLICATE, DUPLICATE_APART = "duplicate", "duplicate-apart"
GESTATION = timedelta(days=280)


@dataclass(frozen=True, slots=True)
class FhirRemark:
    """Something about one resource: a code of ours and words without patient data. `on`: its day, where it says a
    whole one; `of`: the resource that it repeats."""

    reference: str
    code: str
    text: str
    on: date | None = None
    of: str | None = None


@dataclass(frozen=True, slots=True)
class FhirCase:
    """A case from FHIR. `references[i]` is the Immunization of dose i; `historical`: positions of reported doses."""

    case: Case
    references: tuple[str, ...]
    historical: frozenset[int]
    remarks: tuple[FhirRemark, ...]


def read_resources(
    schedule: Schedule,
    patient: JsonObject,
    resources: Iterable[JsonObject],
    *,
    assessed: date,
    codes: CodeTable = STANDARD_CODES,
    sources: Mapping[str, str] = MappingProxyType({}),
) -> FhirCase:
    """The case of a Patient and its resources (of any type; others than the four are passed over).

    A dose that is reported twice is in the case once; the other record is a remark. `sources` names who
    reported a resource, by its reference (PatientRecord.sources).

    Raises UnusableCase when the Patient has no whole birth date on or before the day of assessment.
    """
    born = _whole_day(patient.get("birthDate"))
    if born is None or not plausible([born, assessed]):
        raise UnusableCase("Patient.birthDate is not a whole date between 1900 and 2999")
    if born > assessed:
        raise UnusableCase("Patient.birthDate lies after the day of assessment")
    reader = _Reader(schedule, codes, sources)
    for resource in resources:
        reader.read(resource)
    doses, repeats = told_once(schedule, reader.doses, (born, assessed))
    for repeat in repeats:
        text = reported_twice(repeat.of.reference, repeat.of.source, is_apart=repeat.is_apart)
        code = DUPLICATE_APART if repeat.is_apart else DUPLICATE
        given = repeat.record.dose.given
        reader.remarks.append(FhirRemark(repeat.record.reference, code, text, given, repeat.of.reference))
    gender = patient.get("gender")
    case = Case(
        id=str(patient.get("id", "")),
        born=born,
        assessed=assessed,
        gender=gender if gender in ("female", "male") else "unknown",
        doses=tuple(one.dose for one in doses),
        observations=tuple(reader.observations),
        birth_country=_birth_country(patient),
    )
    historical = frozenset(at for at, one in enumerate(doses) if one.historical)
    return FhirCase(case, tuple(one.reference for one in doses), historical, tuple(reader.remarks))


class _Reader:
    """Collects doses, observations and remarks, one resource at a time."""

    def __init__(self, schedule: Schedule, codes: CodeTable, sources: Mapping[str, str]) -> None:
        self.schedule = schedule
        self.codes = codes
        self.sources = sources
        self.doses: list[RecordedDose] = []
        self.observations: list[Observation] = []
        self.remarks: list[FhirRemark] = []

    def read(self, resource: JsonObject) -> None:
        kind = resource.get("resourceType")
        reference = f"{kind}/{resource.get('id', '')}"
        if kind == "Immunization":
            self.immunization(resource, reference)
        elif kind == "Condition":
            self.condition(resource)
        elif kind == "AllergyIntolerance":
            self.allergy(resource)
        elif kind == "Observation":
            self.observation(resource, reference)

    def remark(self, reference: str, code: str, text: str, on: date | None = None) -> None:
        self.remarks.append(FhirRemark(reference, code, text, on))

    def immunization(self, resource: JsonObject, reference: str) -> None:
        status = resource.get("status")
        given = resource.get("occurrenceDateTime")
        day = _whole_day(given)
        if status == "not-done":
            reasons = {_NOT_GIVEN[code] for _, code in _codings(resource.get("statusReason")) if code in _NOT_GIVEN}
            reason = min(reasons, default="not-done")
            self.remark(reference, reason, f"the dose wasn't given: {reason}", day)
            return
        if status != "completed":
            self.remark(reference, "not-completed", "the status isn't completed: not a dose", day)
            return
        if given is not None and day is None:
            self.remark(reference, "partial-date", "the day of administration isn't whole: not evaluated")
        quantity = _object(resource.get("doseQuantity"))
        volume = quantity.get("value") if quantity.get("code", quantity.get("unit")) == "mL" else None
        expires = resource.get("expirationDate")
        dose = GivenDose(
            given=day,
            cvx=self.cvx(resource.get("vaccineCode"), reference, day),
            mvx=_mvx(resource),
            volume=float(volume) if isinstance(volume, int | float) and not isinstance(volume, bool) else None,
            lot_expires=expires[:10] if isinstance(expires, str) else None,
            condition=resource.get("isSubpotent") is True,
        )
        historical = resource.get("primarySource") is False or bool(resource.get("reportOrigin"))
        self.doses.append(RecordedDose(dose, reference, self.sources.get(reference), historical))

    def cvx(self, vaccine_code: object, reference: str, day: date | None) -> str | None:
        """The CVX code of a vaccineCode: CVX itself, else by NDC, else by CPT."""
        codings = _codings(vaccine_code)
        for system, code in codings:
            if system == CVX:
                return code
        for system, code in codings:
            ndc = normal_ndc(code) if system == NDC else None
            if ndc is not None and ndc in self.codes.ndc:
                return self.codes.ndc[ndc]
        for system, code in codings:
            if system == CPT and code in self.codes.cpt:
                return self.codes.cpt[code]
        self.remark(reference, "no-cvx", "no vaccine code that leads to CVX (CVX, or a known NDC or CPT)", day)
        return None

    def condition(self, resource: JsonObject) -> None:
        if _NOT_TRUE & {code for _, code in _codings(resource.get("verificationStatus"))}:
            return
        clinical = {code for _, code in _codings(resource.get("clinicalStatus"))}
        is_active = (not clinical or bool(clinical & _ACTIVE)) and "abatementDateTime" not in resource
        day = _whole_day(resource.get("onsetDateTime") or _object(resource.get("onsetPeriod")).get("start"))
        for code in self.observation_codes(resource.get("code")):
            if is_active or code in _PAST_COUNTS:
                self.observations.append(Observation(code, day))

    def allergy(self, resource: JsonObject) -> None:
        """A severe reaction to a vaccine (CVX), or any allergy that CDC codes in SNOMED CT."""
        if _NOT_TRUE & {code for _, code in _codings(resource.get("verificationStatus"))}:
            return
        clinical = {code for _, code in _codings(resource.get("clinicalStatus"))}
        if clinical and "active" not in clinical:
            return
        reactions = _objects(resource.get("reaction"))
        severe = resource.get("criticality") == "high" or any(one.get("severity") == "severe" for one in reactions)
        day = _whole_day(resource.get("onsetDateTime"))
        concepts = [resource.get("code"), *(one.get("substance") for one in reactions)]
        for concept in concepts:
            for code in self.observation_codes(concept):
                self.observations.append(Observation(code, day))
            for system, code in _codings(concept):
                if system == CVX and severe:
                    for observed in self.schedule.observation_codes.get(("CVX", code.zfill(2)), ()):
                        self.observations.append(Observation(observed, day))

    def observation(self, resource: JsonObject, reference: str) -> None:
        if resource.get("status") not in ("final", "amended", "corrected"):
            return
        day = _whole_day(resource.get("effectiveDateTime") or _object(resource.get("effectivePeriod")).get("start"))
        value = resource.get("valueCodeableConcept")
        results = {code for concept in (value, *_list(resource.get("interpretation"))) for _, code in _codings(concept)}
        for system, code in _codings(resource.get("code")):
            if system != LOINC:
                continue
            if code in (LAST_MENSTRUAL_PERIOD, ESTIMATED_DELIVERY):
                onset = _whole_day(resource.get("valueDateTime"))
                if onset is not None:
                    onset -= GESTATION if code == ESTIMATED_DELIVERY else timedelta()
                    self.observations.append(Observation(ONSET_OF_PREGNANCY, onset))
            elif code in LOINC_TO_OBSERVATION:
                if results & _POSITIVE:
                    self.observations.append(Observation(LOINC_TO_OBSERVATION[code], day))
                elif not results:
                    text = "an antibody result without an interpretation: no evidence of immunity drawn from it"
                    self.remark(reference, "no-interpretation", text)
        # A finding as value (pregnancy status: pregnant), or a coded finding that is reported as present.
        for code in self.observation_codes(value):
            self.observations.append(Observation(code, day))
        if results & _POSITIVE or resource.get("valueBoolean") is True:
            for code in self.observation_codes(resource.get("code")):
                self.observations.append(Observation(code, day))

    def observation_codes(self, concept: object) -> Iterator[str]:
        """CDSi observations that CDC maps a concept's SNOMED CT codes to."""
        for system, code in _codings(concept):
            if system == SNOMED:
                yield from self.schedule.observation_codes.get(("SNOMED", code), ())


def _object(value: object) -> JsonObject:
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def _list(value: object) -> Sequence[object]:
    return cast("list[object]", value) if isinstance(value, list) else ()


def _objects(value: object) -> list[JsonObject]:
    return [cast("JsonObject", one) for one in _list(value) if isinstance(one, dict)]


def _codings(concept: object) -> Sequence[tuple[str, str]]:
    """(system, code) of a CodeableConcept's codings that have a code; OIDs of known systems are put right."""
    if not isinstance(concept, dict):
        return ()
    found: list[tuple[str, str]] = []
    for coding in _objects(cast("JsonObject", concept).get("coding")):
        system, code = coding.get("system"), coding.get("code")
        if isinstance(code, str) and code.strip():
            name = system if isinstance(system, str) else ""
            found.append((_SYSTEMS.get(name, name), code.strip()))
    return found


def _whole_day(value: object) -> date | None:
    """The day of a FHIR date or dateTime, as written (no time zone is applied); None unless it is whole."""
    found = _DAY.match(value) if isinstance(value, str) else None
    return _day(found[0]) if found else None


@lru_cache(maxsize=1 << 14)
def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if plausible([day]) else None


def _mvx(resource: JsonObject) -> str | None:
    """The manufacturer's MVX code, from an identifier of the reference or of the contained Organization."""
    manufacturer = _object(resource.get("manufacturer"))
    if not manufacturer:
        return None
    identifiers = [_object(manufacturer.get("identifier"))]
    target = str(manufacturer.get("reference", ""))
    for contained in _objects(resource.get("contained")):
        if target == f"#{contained.get('id')}":
            identifiers.extend(_objects(contained.get("identifier")))
    for identifier in identifiers:
        value = identifier.get("value")
        if identifier.get("system") == MVX and isinstance(value, str) and value.strip():
            return value.strip()
    return None


def _birth_country(patient: JsonObject) -> str | None:
    """The patient-birthPlace extension's country."""
    for extension in _objects(patient.get("extension")):
        if extension.get("url") == "http://hl7.org/fhir/StructureDefinition/patient-birthPlace":
            country = _object(extension.get("valueAddress")).get("country")
            return country if isinstance(country, str) else None
    return None
