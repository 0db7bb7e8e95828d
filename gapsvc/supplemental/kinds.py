"""What a row can become: each kind of row with its FHIR R4 resource, its fields and how they are read. Pure.

Elements: FHIR R4 Immunization, Encounter, Procedure, Observation, Condition, Coverage, Patient. Statuses that a file
doesn't say are what its rows are: a registry lists doses that were given, a claim what was done.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

JsonObject = dict[str, Any]


class Reading(Enum):
    """How a field's cells are read."""

    TEXT = "text"
    DAY = "day"
    CODE = "code"  # a Coding
    NUMBER = "number"  # a Quantity
    CHOICE = "choice"  # one of a few texts
    FLAG = "flag"  # true or false


@dataclass(frozen=True, slots=True)
class FieldKind:
    """One field: how it is read, whether every row must have it, whether several columns may give it."""

    reading: Reading
    meaning: str
    required: bool = False
    many: bool = False
    choices: tuple[str, ...] = ()


# What a row's fields come to: field -> value (a list of Codings, a Quantity, a text, a boolean).
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of row. `build` makes the elements beside resourceType, id, meta and the person's."""

    type: str
    person: str | None  # the element that refers to the Patient; None: the Patient itself
    fields: Mapping[str, FieldKind]
    build: Callable[[Values], JsonObject]


_CODES = FieldKind(Reading.CODE, "codes of what was done, { column = ..., system = ... }", required=True, many=True)
_DATE = FieldKind(Reading.DAY, "the day, { column = ..., format = ... }", required=True)
_PLACE = FieldKind(Reading.TEXT, "where: the name of a clinic, pharmacy or laboratory")
_NPI = FieldKind(Reading.TEXT, "who: a National Provider Identifier")
_FLAGS = ("true", "false")
_NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"
_MVX = "http://hl7.org/fhir/sid/mvx"
_UCUM = "http://unitsofmeasure.org"
_TERMS = "http://terminology.hl7.org/CodeSystem"


def _status(default: str, *others: str) -> FieldKind:
    return FieldKind(Reading.CHOICE, f"the status; {default} where it isn't mapped", choices=(default, *others))


def _immunization(values: Values) -> JsonObject:
    status = values.get("status", "completed")
    found: JsonObject = {
        "status": status,
        "vaccineCode": {"coding": values["vaccine"]},
        "occurrenceDateTime": values["date"],
    }
    if status == "not-done" and "reason" in values:
        found["statusReason"] = {"coding": values["reason"]}
    if "primary_source" in values:
        found["primarySource"] = values["primary_source"]
    for field, element in (("lot", "lotNumber"), ("expiration", "expirationDate"), ("volume", "doseQuantity")):
        if field in values:
            found[element] = values[field]
    if "manufacturer" in values:
        found["manufacturer"] = {"identifier": {"system": _MVX, "value": values["manufacturer"][0]["code"]}}
    return found | _where(values, "location") | _who(values, "performer", "actor")


def _visit(values: Values) -> JsonObject:
    period = {"start": values["date"]} | ({"end": values["end"]} if "end" in values else {})
    found: JsonObject = {
        "status": values.get("status", "finished"),
        "class": {"system": f"{_TERMS}/v3-ActCode", "code": values.get("class", "AMB")},
        "type": [{"coding": values["code"]}],
        "period": period,
    }
    if "reason" in values:
        found["reasonCode"] = [{"coding": [coding]} for coding in values["reason"]]
    return found | _where(values, "serviceProvider") | _who(values, "participant", "individual")


def _procedure(values: Values) -> JsonObject:
    found: JsonObject = {
        "status": values.get("status", "completed"),
        "code": {"coding": values["code"]},
        "performedDateTime": values["date"],
    }
    return found | _where(values, "location") | _who(values, "performer", "actor")


def _observation(values: Values) -> JsonObject:
    found: JsonObject = {
        "status": values.get("status", "final"),
        "code": {"coding": values["code"]},
        "effectiveDateTime": values["date"],
    }
    if "category" in values:
        found["category"] = [{"coding": [{"system": f"{_TERMS}/observation-category", "code": values["category"]}]}]
    if "value" in values:
        found["valueQuantity"] = values["value"]
    elif "result" in values:
        found["valueCodeableConcept"] = {"coding": values["result"]}
    if "place" in values:
        found["performer"] = [{"display": values["place"]}]
    return found


def _condition(values: Values) -> JsonObject:
    return {
        "clinicalStatus": {"coding": [{"system": f"{_TERMS}/condition-clinical", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": f"{_TERMS}/condition-ver-status", "code": "confirmed"}]},
        "code": {"coding": values["code"]},
        "onsetDateTime": values["date"],
    }


def _coverage(values: Values) -> JsonObject:
    period = {"start": values["start"]} | ({"end": values["end"]} if "end" in values else {})
    found: JsonObject = {
        "status": values.get("status", "active"),
        "period": period,
        "payor": [{"display": values["payor"]}],
    }
    if "subscriber" in values:
        found["subscriberId"] = values["subscriber"]
    if "type" in values:
        found["type"] = {"coding": values["type"]}
    return found


def _patient(_values: Values) -> JsonObject:
    return {}


def _where(values: Values, element: str) -> JsonObject:
    return {element: {"display": values["place"]}} if "place" in values else {}


def _who(values: Values, element: str, part: str) -> JsonObject:
    if "npi" not in values:
        return {}
    return {element: [{part: {"identifier": {"system": _NPI_SYSTEM, "value": values["npi"]}}}]}


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "immunization": Kind(
            "Immunization",
            "patient",
            MappingProxyType(
                {
                    "vaccine": FieldKind(
                        Reading.CODE, "the vaccine's codes, { column = 'CVX', system = 'cvx' }", True, True
                    ),
                    "date": _DATE,
                    "status": _status("completed", "not-done", "entered-in-error"),
                    "reason": FieldKind(Reading.CODE, "why it wasn't given", many=True),
                    "primary_source": FieldKind(Reading.FLAG, "whether its giver recorded it", choices=_FLAGS),
                    "lot": FieldKind(Reading.TEXT, "the lot number"),
                    "expiration": FieldKind(Reading.DAY, "the lot's expiration"),
                    "manufacturer": FieldKind(Reading.CODE, "the manufacturer, { column = ..., system = 'mvx' }"),
                    "volume": FieldKind(Reading.NUMBER, "the dose's volume, with its unit"),
                    "place": _PLACE,
                    "npi": _NPI,
                }
            ),
            _immunization,
        ),
        "visit": Kind(
            "Encounter",
            "subject",
            MappingProxyType(
                {
                    "code": _CODES,
                    "date": _DATE,
                    "end": FieldKind(Reading.DAY, "the last day"),
                    "reason": FieldKind(Reading.CODE, "diagnoses, { column = ..., system = 'icd-10-cm' }", many=True),
                    "class": FieldKind(
                        Reading.CHOICE,
                        "v3-ActCode of the setting",
                        choices=("AMB", "VR", "HH", "EMER", "IMP", "OBSENC"),
                    ),
                    "status": _status("finished", "cancelled", "entered-in-error"),
                    "place": _PLACE,
                    "npi": _NPI,
                }
            ),
            _visit,
        ),
        "procedure": Kind(
            "Procedure",
            "subject",
            MappingProxyType(
                {
                    "code": _CODES,
                    "date": _DATE,
                    "status": _status("completed", "not-done", "entered-in-error"),
                    "place": _PLACE,
                    "npi": _NPI,
                }
            ),
            _procedure,
        ),
        "observation": Kind(
            "Observation",
            "subject",
            MappingProxyType(
                {
                    "code": _CODES,
                    "date": _DATE,
                    "value": FieldKind(Reading.NUMBER, "the result, { column = ..., unit = 'ug/dL' }"),
                    "result": FieldKind(Reading.CODE, "a coded result", many=True),
                    "category": FieldKind(
                        Reading.CHOICE,
                        "observation-category",
                        choices=("laboratory", "survey", "exam", "vital-signs", "procedure"),
                    ),
                    "status": _status(
                        "final", "preliminary", "amended", "corrected", "cancelled", "entered-in-error", "registered"
                    ),
                    "place": _PLACE,
                }
            ),
            _observation,
        ),
        "condition": Kind("Condition", "subject", MappingProxyType({"code": _CODES, "date": _DATE}), _condition),
        "coverage": Kind(
            "Coverage",
            "beneficiary",
            MappingProxyType(
                {
                    "start": FieldKind(Reading.DAY, "the first day of enrolment", required=True),
                    "end": FieldKind(Reading.DAY, "the last day of enrolment"),
                    "payor": FieldKind(Reading.TEXT, "the plan's name, { column = ... } or { constant = ... }", True),
                    "subscriber": FieldKind(Reading.TEXT, "the subscriber's number"),
                    "type": FieldKind(Reading.CODE, "the kind of coverage", many=True),
                    "status": _status("active", "cancelled", "entered-in-error"),
                }
            ),
            _coverage,
        ),
        "patient": Kind("Patient", None, MappingProxyType({}), _patient),
    }
)

PERSON_FIELDS: Mapping[str, FieldKind] = MappingProxyType(
    {
        "birth_date": FieldKind(Reading.DAY, "the birth date, { column = 'DOB', format = 'MM/DD/YYYY' }", True),
        "family": FieldKind(Reading.TEXT, "the family name"),
        "given": FieldKind(Reading.TEXT, "given names", many=True),
        "gender": FieldKind(
            Reading.CHOICE, "the administrative gender", choices=("female", "male", "other", "unknown")
        ),
        "postal_code": FieldKind(Reading.TEXT, "the ZIP code"),
        "deceased": FieldKind(Reading.DAY, "the day of death"),
    }
)


def quantity(comparator: str | None, value: float | int, unit: str | None) -> JsonObject:
    """A FHIR Quantity; its unit is UCUM's."""
    found: JsonObject = {"value": value}
    if comparator is not None:
        found["comparator"] = comparator
    if unit is not None:
        found |= {"unit": unit, "system": _UCUM, "code": unit}
    return found
