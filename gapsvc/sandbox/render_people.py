"""A family as FHIR: Patient (one per registration, and the mother where she is a patient), RelatedPerson, Coverage.

Profiles: US Core 6.1 Patient (race, ethnicity, birthsex), RelatedPerson, Coverage.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType

from gapsvc.sandbox import codes
from gapsvc.sandbox.codes import ACT_CODE, CIN, NULL_FLAVOR, RACE_ETHNICITY, ROLE_CODE, US_CORE
from gapsvc.sandbox.people import ETHNICITIES, LANGUAGE_DISPLAY, OTHER_RACE, RACE_DISPLAY, RACES
from gapsvc.sandbox.places import CLINICS, PAYERS, ZIPS
from gapsvc.sandbox.plan import ChildPlan, FamilyPlan, RaceSaid, Registration
from gapsvc.sandbox.stamps import JsonObject, Stamper, coding, reference

_SELF_PAY = "http://terminology.hl7.org/CodeSystem/coverage-selfpay"

# The payer's model wrote it; the shape is that of docs/stratification.md.
IMPUTED_RACE = "https://payer.sandbox.example.org/fhir/StructureDefinition/imputed-race"
_NO_ANSWER: Mapping[RaceSaid, tuple[str, str, str]] = MappingProxyType(
    {
        RaceSaid.DECLINED: ("ASKU", "asked but unknown", "Asked but no answer"),
        RaceSaid.UNKNOWN: ("UNK", "unknown", "Unknown"),
    }
)


def render_people(stamp: Stamper, family: FamilyPlan) -> Iterator[JsonObject]:
    """Everyone of one family, and the children's coverage."""
    if family.mother.patient:
        yield _mother(stamp, family)
    for child in family.children:
        for registration in child.registrations:
            yield _patient(stamp, family, child, registration)
            yield from _coverage(stamp, child, registration)
        if child.related:
            yield _related(stamp, family, child, child.related)


def _patient(stamp: Stamper, family: FamilyPlan, child: ChildPlan, registration: Registration) -> JsonObject:
    clinic = CLINICS[registration.organization]
    touched = child.deceased or child.history_from
    found: JsonObject = {
        "resourceType": "Patient",
        "id": registration.patient,
        "meta": stamp.meta(registration.patient, touched, profile="us-core-patient"),
        "extension": [*_race(child), *_ethnicity(child), _birth_sex(child.sex)],
        "identifier": [
            _identifier("MR", clinic.mrn_system, registration.mrn),
            _identifier("MA", CIN, child.cin),
        ],
        "active": True,
        "name": [{"use": "official", "family": family.name, "given": [child.given]}],
        "telecom": [{"system": "phone", "value": family.phone, "use": "mobile"}],
        "gender": child.sex,
        "birthDate": child.birth.isoformat()[: 10 if child.birth_precision == "day" else 7],
        "address": [_address(family)],
        "communication": [_communication(family.language)],
        "generalPractitioner": [reference("Practitioner", clinic.practitioners[registration.practitioner].id)],
        "managingOrganization": reference("Organization", clinic.id),
    }
    if child.deceased_as_boolean:
        found["deceasedBoolean"] = True
    elif child.deceased:
        found["deceasedDateTime"] = child.deceased.isoformat()
    if any(sibling.birth == child.birth and sibling is not child for sibling in family.children):
        found["multipleBirthInteger"] = child.multiple
    if child.related and registration is child.registrations[0]:
        found["link"] = [{"other": reference("RelatedPerson", child.related), "type": "seealso"}]
    return found


def _mother(stamp: Stamper, family: FamilyPlan) -> JsonObject:
    mother = family.mother
    clinic = CLINICS[mother.organization]
    ident = str(mother.patient)
    registered = max(date(2003, 1, 6), min(child.birth for child in family.children))
    return {
        "resourceType": "Patient",
        "id": ident,
        "meta": stamp.meta(ident, registered, profile="us-core-patient"),
        "extension": [_birth_sex("female")],
        "identifier": [_identifier("MR", clinic.mrn_system, mother.mrn), _identifier("MA", CIN, mother.cin)],
        "active": True,
        "name": [{"use": "official", "family": family.name, "given": [mother.given]}],
        "telecom": [{"system": "phone", "value": family.phone, "use": "mobile"}],
        "gender": "female",
        "birthDate": mother.birth.isoformat(),
        "address": [_address(family)],
        "communication": [_communication(family.language)],
        "generalPractitioner": [reference("Practitioner", clinic.practitioners[mother.practitioner].id)],
        "managingOrganization": reference("Organization", clinic.id),
    }


def _related(stamp: Stamper, family: FamilyPlan, child: ChildPlan, ident: str) -> JsonObject:
    found: JsonObject = {
        "resourceType": "RelatedPerson",
        "id": ident,
        "meta": stamp.meta(ident, child.history_from, profile="us-core-relatedperson"),
        "active": True,
        "patient": reference("Patient", child.person),
        "relationship": [{"coding": [coding(ROLE_CODE, "MTH", "mother")]}],
        "name": [{"use": "official", "family": family.name, "given": [family.mother.given]}],
        "telecom": [{"system": "phone", "value": family.phone, "use": "mobile"}],
        "address": [_address(family)],
    }
    if child.related_identified:
        found["identifier"] = [_identifier("MA", CIN, family.mother.cin)]
    return found


def _coverage(stamp: Stamper, child: ChildPlan, registration: Registration) -> Iterator[JsonObject]:
    for number, span in enumerate(child.coverage, 1):
        ident = registration.patient.replace("child-", "cov-") + (f"-{number}" if number > 1 else "")
        written = max(child.history_from, span.start)
        found: JsonObject = {
            "resourceType": "Coverage",
            "id": ident,
            "meta": stamp.meta(ident, written, profile="us-core-coverage"),
            "identifier": [_identifier("MB", CIN, child.cin)],
            "status": span.status,
            "type": {"coding": [coding(ACT_CODE, "PUBLICPOL", "public healthcare")], "text": "Medi-Cal managed care"},
            "subscriberId": child.cin,
            "beneficiary": reference("Patient", registration.patient),
            "relationship": {
                "coding": [coding("http://terminology.hl7.org/CodeSystem/subscriber-relationship", "self")]
            },
            "period": {"start": span.start.isoformat()[: 7 if span.by_month else 10]},
        }
        if span.end:
            found["period"]["end"] = span.end.isoformat()
        if span.self_pay:
            found["type"] = {"coding": [coding(_SELF_PAY, "pay", "pay")], "text": "The family pays"}
            found["payor"] = [reference("Patient", registration.patient)]
        else:
            payer = PAYERS[span.payer]
            found["payor"] = [reference("Organization", payer.id)]
            found["class"] = [
                {
                    "type": {"coding": [coding("http://terminology.hl7.org/CodeSystem/coverage-class", "plan")]},
                    "value": payer.id.removeprefix("org-"),
                    "name": payer.name,
                }
            ]
        yield found


def _identifier(kind: str, system: str, value: str) -> JsonObject:
    return {"type": {"coding": [coding(codes.V2_IDENTIFIER_TYPE, kind)]}, "system": system, "value": value}


def _address(family: FamilyPlan) -> JsonObject:
    code, city, _ = ZIPS[family.zip_at]
    return {
        "use": "home",
        "line": [family.street],
        "city": city,
        "state": "CA",
        "postalCode": code,
        "country": "US",
    }


def _communication(language: str) -> JsonObject:
    display = LANGUAGE_DISPLAY[language]
    return {
        "language": {"coding": [coding("urn:ietf:bcp:47", language, display)], "text": display},
        "preferred": True,
    }


def _race(child: ChildPlan) -> list[JsonObject]:
    found: list[JsonObject] = []
    if child.race is not None:
        found.append({"url": f"{US_CORE}us-core-race", "extension": _race_parts(child.race)})
    elif child.race_said is not RaceSaid.SILENT:
        code, display, text = _NO_ANSWER[child.race_said]
        parts = [
            {"url": "ombCategory", "valueCoding": coding(NULL_FLAVOR, code, display)},
            {"url": "text", "valueString": text},
        ]
        found.append({"url": f"{US_CORE}us-core-race", "extension": parts})
    if child.race_imputed is not None:  # in an extension of its own: nobody's answer
        parts = [*_race_parts(child.race_imputed), {"url": "method", "valueString": "By surname and address"}]
        found.append({"url": IMPUTED_RACE, "extension": parts})
    return found


def _race_parts(race: str) -> list[JsonObject]:
    parts: list[JsonObject] = [
        {"url": "ombCategory", "valueCoding": coding(RACE_ETHNICITY, code, RACE_DISPLAY[code])} for code in RACES[race]
    ]
    if not parts:
        parts.append({"url": "detailed", "valueCoding": coding(RACE_ETHNICITY, *OTHER_RACE)})
    return [*parts, {"url": "text", "valueString": race}]


def _ethnicity(child: ChildPlan) -> list[JsonObject]:
    if child.ethnicity is not None:
        parts = [
            {
                "url": "ombCategory",
                "valueCoding": coding(RACE_ETHNICITY, ETHNICITIES[child.ethnicity], child.ethnicity),
            },
            {"url": "text", "valueString": child.ethnicity},
        ]
    elif child.race_said is not RaceSaid.SILENT:  # the binding of ethnicity has no NullFlavor
        parts = [{"url": "text", "valueString": _NO_ANSWER[child.race_said][2]}]
    else:
        return []
    return [{"url": f"{US_CORE}us-core-ethnicity", "extension": parts}]


def _birth_sex(sex: str) -> JsonObject:
    return {"url": f"{US_CORE}us-core-birthsex", "valueCode": "F" if sex == "female" else "M"}
