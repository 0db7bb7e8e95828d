"""ImmunizationEvaluation and ImmunizationRecommendation, as the HL7 ImmDS guide's $immds-forecast returns them.

Source: FHIR R4; HL7 Immunization Decision Support (hl7.fhir.us.immds): ForecastStatus code system, LOINC answer list
LL940-8 for the status and LOINC terms for the dates. Pure builders: plain dicts in, plain dicts out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from fhir_profiles.plain import Resource, bullets, clean, narrative, stable_id

CVX: Final = "http://hl7.org/fhir/sid/cvx"
LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
FORECAST_STATUS: Final = "http://hl7.org/fhir/us/immds/CodeSystem/ForecastStatus"
DOSE_STATUS: Final = "http://terminology.hl7.org/CodeSystem/immunization-evaluation-dose-status"
STATUS_REASON: Final = "http://terminology.hl7.org/CodeSystem/immunization-evaluation-dose-status-reason"
OPERATION: Final = "http://hl7.org/fhir/us/immds/OperationDefinition/immds-forecast"

# CDSi status -> LOINC answer (LL940-8); Not Complete is told apart by the day.
_ANSWERS: Final = MappingProxyType(
    {
        "Complete": ("LA13421-5", "Complete"),
        "Immune": ("LA27183-5", "Immune"),
        "Contraindicated": ("LA4216-3", "Contraindicated"),
        "Not Recommended": ("LA4695-8", "Not Recommended"),
        "Aged Out": ("LA13424-9", "Too old"),
    }
)
_ON_SCHEDULE: Final = ("LA13422-3", "On schedule")
_OVERDUE: Final = ("LA13423-1", "Overdue")
# LOINC terms of an immunization forecast's dates.
_EARLIEST: Final = ("30981-5", "Earliest date to give")
_DUE: Final = ("30980-7", "Date vaccine due")
_PAST_DUE: Final = ("59778-1", "Date when overdue for immunization")
_LATEST: Final = ("59777-3", "Latest date to give immunization")

# Antigen of the CDSi schedule -> SNOMED CT disease.
TARGET_DISEASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "COVID-19": "840539006",
        "Chikungunya": "111864006",
        "Cholera": "63650001",
        "Dengue": "38362002",
        "Diphtheria": "397430003",
        "Ebola": "37109004",
        "HPV": "240532009",
        "HepA": "40468003",
        "HepB": "66071002",
        "Hib": "709410003",
        "Influenza": "6142004",
        "Japanese Encephalitis": "52947006",
        "Measles": "14189004",
        "Meningococcal": "23511006",
        "Meningococcal B": "23511006",
        "Mumps": "36989005",
        "Pertussis": "27836007",
        "Pneumococcal": "16814004",
        "Polio": "398102009",
        "RSV": "55735004",
        "Rabies": "14168008",
        "Rotavirus": "18624000",
        "Rubella": "36653000",
        "TBE": "712986001",
        "Tetanus": "76902006",
        "Typhoid": "4834000",
        "Varicella": "38907003",
        "Yellow Fever": "16541001",
        "Zoster": "4740000",
    }
)


@dataclass(frozen=True, slots=True)
class DoseEvaluation:
    """What a schedule makes of one dose for one antigen.

    `status` is CDSi's (Valid, Not Valid, Extraneous, Sub-standard); `series` the antigen series' name; `target` the
    number of the series dose it was held against, of `series_doses`; `immunization` a literal reference.
    """

    immunization: str
    antigen: str
    series: str
    status: str
    reasons: Sequence[str]
    target: int | None
    series_doses: int


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A vaccine group forecast. `status` is CDSi's; `vaccines` are (CVX, name); `antigens` what is still needed."""

    group: str
    series_type: str
    status: str
    number: int | None
    earliest: date | None
    recommended: date | None
    past_due: date | None
    latest: date | None
    vaccines: Sequence[tuple[str, str]]
    antigens: Sequence[str]
    reasons: Sequence[str]
    series: Sequence[str]
    supporting: Sequence[str]


@dataclass(frozen=True, slots=True)
class Basis:
    """Whose, when and by which schedule: `patient` is a literal reference, `authority` the schedule in words."""

    patient: str
    assessed: date
    authority: str


def evaluation(basis: Basis, dose: DoseEvaluation) -> Resource:
    """An ImmunizationEvaluation (R4). FHIR's dose status is valid or not valid; CDSi's own word is its text."""
    counts = dose.status == "Valid"
    identity = stable_id("ImmunizationEvaluation", basis.patient, dose.immunization, dose.antigen, dose.series)
    found: Resource = {
        "resourceType": "ImmunizationEvaluation",
        "id": identity,
        "text": narrative(bullets([f"{dose.antigen}: {dose.status}", *dose.reasons])),
        "status": "completed",
        "patient": {"reference": basis.patient},
        "date": basis.assessed.isoformat(),
        "authority": {"display": clean(basis.authority)},
        "targetDisease": _disease(dose.antigen),
        "immunizationEvent": {"reference": dose.immunization},
        "doseStatus": {
            "coding": [{"system": DOSE_STATUS, "code": "valid" if counts else "notvalid"}],
            "text": clean(dose.status),
        },
        "series": clean(dose.series),
        "seriesDosesPositiveInt": dose.series_doses,
    }
    if dose.reasons:
        found["doseStatusReason"] = [_reason(text) for text in dose.reasons]
    if dose.target is not None:
        found["doseNumberPositiveInt"] = dose.target
    return found


def _reason(text: str) -> Resource:
    """CDSi's reason in words; FHIR's example codes where one says the same."""
    code = {"Expired lot": "explot", "Age: Too Young": "outsidesched", "Interval: Too Soon": "outsidesched"}.get(text)
    return {**({"coding": [{"system": STATUS_REASON, "code": code}]} if code else {}), "text": clean(text)}


def _disease(antigen: str) -> Resource:
    code = TARGET_DISEASES.get(antigen)
    coding = {"coding": [{"system": SNOMED, "code": code}]} if code else {}
    return {**coding, "text": clean(antigen)}


def recommendation(basis: Basis, forecasts: Iterable[Recommendation]) -> Resource:
    """The ImmunizationRecommendation (R4) of one patient. Raises ValueError without any forecast (FHIR: 1..*)."""
    listed = list(forecasts)
    if not listed:
        raise ValueError("an ImmunizationRecommendation needs at least one forecast")
    lines = [
        f"{one.group}: {one.status}{f', due {one.recommended.isoformat()}' if one.recommended else ''}"
        for one in listed
    ]
    return {
        "resourceType": "ImmunizationRecommendation",
        "id": stable_id("ImmunizationRecommendation", basis.patient, basis.authority),
        "text": narrative(bullets(lines)),
        "patient": {"reference": basis.patient},
        "date": basis.assessed.isoformat(),
        "authority": {"display": clean(basis.authority)},
        "recommendation": [_recommended(basis, one) for one in listed],
    }


def _recommended(basis: Basis, one: Recommendation) -> Resource:
    # R4 imr-1: a vaccine code or a target disease. The group is always named; products follow.
    found: Resource = {
        "vaccineCode": [
            {"text": clean(one.group)},
            *({"coding": [{"system": CVX, "code": cvx, "display": clean(name)}]} for cvx, name in one.vaccines),
        ],
        "forecastStatus": _status(basis, one),
        "description": clean(f"{one.group} ({one.series_type})"),
    }
    if one.antigens:
        found["targetDisease"] = _disease(one.antigens[0])
    if one.reasons:
        found["forecastReason"] = [{"text": clean(text)} for text in one.reasons]
    criteria = [
        {"code": {"coding": [{"system": LOINC, "code": code, "display": display}]}, "value": day.isoformat()}
        for (code, display), day in (
            (_EARLIEST, one.earliest),
            (_DUE, one.recommended),
            (_PAST_DUE, one.past_due),
            (_LATEST, one.latest),
        )
        if day is not None
    ]
    if criteria:
        found["dateCriterion"] = criteria
    if one.series:
        found["series"] = clean("; ".join(one.series))
    if one.number is not None:
        found["doseNumberPositiveInt"] = one.number
    if one.supporting:
        found["supportingImmunization"] = [{"reference": reference} for reference in one.supporting]
    return found


def _status(basis: Basis, one: Recommendation) -> Resource:
    late = one.past_due is not None and basis.assessed > one.past_due
    code, display = _ANSWERS.get(one.status, _OVERDUE if late else _ON_SCHEDULE)
    return {
        "coding": [
            {"system": FORECAST_STATUS, "code": clean(one.status), "display": clean(one.status)},
            {"system": LOINC, "code": code, "display": display},
        ],
        "text": clean(one.status),
    }


def forecast_parameters(evaluations: Iterable[Resource], recommended: Resource) -> Resource:
    """The Parameters that $immds-forecast answers: `evaluation` 0..*, `recommendation` 1..1."""
    return {
        "resourceType": "Parameters",
        "parameter": [
            *({"name": "evaluation", "resource": one} for one in evaluations),
            {"name": "recommendation", "resource": recommended},
        ],
    }
