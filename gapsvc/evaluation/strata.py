"""What a person is told apart by: one category of each dimension, out of their record. Pure.

Each dimension parts everybody: who can't be placed is "Unknown", never left out. Which clinic and which plan a child
belongs to is decided here, in words, in `_clinic` and `_plan` (docs/stratification.md says it for readers).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gapsvc.evaluation.result import Coding
from gapsvc.evaluation.rollup import CROSS, Category
from gapsvc.evaluation.stratification import RaceTable, age_bands, dimensions, languages, race_table
from gapsvc.evaluation.stratification.race import element, race_and_ethnicity, unknown
from gapsvc.records.record import JsonObject, PatientRecord
from gapsvc.records.references import happened, literal, objects

# What a record must hold to be told apart by every dimension.
STRATA_TYPES = frozenset({"Patient", "Encounter", "Coverage"})
SEVERAL, NONE = "several", "none"
BCP_47 = "urn:ietf:bcp:47"
ADMINISTRATIVE_GENDER = "http://hl7.org/fhir/administrative-gender"
_SEXES = {"female": "Female", "male": "Male", "other": "Other"}
_ZIP = re.compile(r"(\d{5})(?:[- ]?\d{4})?", re.ASCII)
_ZIPS = ("00501", "99950")  # the lowest and the highest that are in use (USPS; from memory)
# Encounter.class of stays and emergencies (HL7 v3 ActCode): they don't say where a child is at home.
_NOT_A_CLINIC_VISIT = frozenset({"IMP", "ACUTE", "NONAC", "OBSENC", "EMER", "PRENC"})


@dataclass(frozen=True, slots=True)
class StrataContext:
    """What deciding needs beside the record: the day that counts as today; the table of categories of race and
    ethnicity; names of organizations ("Organization/7" -> "Clinic Seven"); how many digits of a ZIP code count (5, 3).
    """

    as_of: date
    table: RaceTable = field(default_factory=lambda: race_table("omb-1997"))
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    zip_digits: int = 5

    def __post_init__(self) -> None:
        if self.zip_digits not in (3, 5):
            raise ValueError(f"a ZIP code is told apart by 3 or 5 digits, not {self.zip_digits}")


def strata_of(record: PatientRecord, context: StrataContext, wanted: Iterable[str] = ()) -> Mapping[str, Category]:
    """The person's category of each dimension (`wanted` ones; all, if none is named), in the table's order.

    A dimension may be two at once (`race*clinic`).

    Raises:
        ValueError: there is no such dimension.
    """
    asked = tuple(dict.fromkeys(wanted)) or tuple(dimensions())
    single = check_dimensions(asked)
    patients = _patients(record)
    found: dict[str, Category] = {}
    if any(name.startswith(("race", "ethnicity")) for name in single):
        found |= race_and_ethnicity(patients, context.table)
    if "language" in single:
        found["language"] = _language(patients)
    if "clinic" in single:
        found["clinic"] = _clinic(record, patients, context)
    if "plan" in single:
        found["plan"] = _plan(record, context)
    if "zip" in single:
        found["zip"] = _zip(patients, context)
    if "age" in single:
        found["age"] = _age(record.patient, context.as_of)
    if "sex" in single:
        found["sex"] = _sex(patients)
    return {name: _crossed(name, found) if CROSS in name else found[name] for name in asked}


def check_dimensions(asked: Iterable[str]) -> frozenset[str]:
    """The single dimensions that these are made of.

    Raises:
        ValueError: there is no such dimension, or a cross isn't of two.
    """
    single: set[str] = set()
    for name in asked:
        parts = name.split(CROSS)
        wrong = next((part for part in parts if part not in dimensions()), None)
        if wrong is not None:
            raise ValueError(f"there is no dimension {wrong!r}; there are {', '.join(dimensions())}")
        if len(parts) > 2 or len(set(parts)) < len(parts):
            raise ValueError(f"{name!r}: people are told apart by one dimension, or by two: race*clinic")
        single.update(parts)
    return frozenset(single)


def types_told_by(asked: Iterable[str]) -> frozenset[str]:
    """The resource types that a record must hold for these dimensions."""
    needed = {"clinic": {"Encounter"}, "plan": {"Coverage"}}
    return frozenset({"Patient"}).union(*(needed.get(name, set[str]()) for name in check_dimensions(asked)))


def _crossed(name: str, found: Mapping[str, Category]) -> Category:
    """Both categories as one; which of them is imputed stands in its code and text."""
    first, second = (found[part] for part in name.split(CROSS))
    keys = (one.key.replace(CROSS, "-") for one in (first, second))  # a payer's name may hold anything
    return Category(name, CROSS.join(keys), f"{first.label} / {second.label}", parts=(first, second))


def _patients(record: PatientRecord) -> list[JsonObject]:
    """The Patient that stands for the person, then the linked others."""
    return [record.patient, *record.resources.get("Patient", ())[1:]]


# ------------------------------------------------------------------------------------------------ language


def _language(patients: Sequence[JsonObject]) -> Category:
    """The preferred language, else the only or first one named; by its base subtag (`es-MX` is Spanish)."""
    for patient in patients:
        told = sorted(objects(patient.get("communication")), key=lambda one: one.get("preferred") is not True)
        for one in told:
            found = _language_of(one.get("language"))
            if found is not None:
                return found
    return unknown("language")


def _language_of(concept: Any) -> Category | None:
    table = languages()
    for coding in objects(element(concept).get("coding")):
        code = coding.get("code")
        base = re.split("[-_]", code.strip())[0].casefold() if isinstance(code, str) else ""
        base = table.instead.get(base, base)
        if base in table.names or (re.fullmatch("[a-z]{2,3}", base) and coding.get("system") == BCP_47):
            if base in ("und", "mis", "zxx", "mul"):  # ISO 639-2: undetermined, uncoded, none, several
                continue
            text = table.names.get(base) or _text(coding.get("display")) or base
            return Category("language", base, text, "", Coding(BCP_47, base, text))
    word = _text(element(concept).get("text")) or ""
    by_name = {name.casefold(): code for code, name in table.names.items()}
    base = by_name.get(word.casefold())
    return Category("language", base, table.names[base], "", Coding(BCP_47, base, table.names[base])) if base else None


# ------------------------------------------------------------------------------------------------ clinic and plan


def _clinic(record: PatientRecord, patients: Sequence[JsonObject], context: StrataContext) -> Category:
    """Where the child is empanelled: Patient.managingOrganization of the charts in use. If they name several, that
    of them with the child's latest visit (finished, no stay and no emergency, up to today); without any such visit,
    that of the chart that stands for the person. If they name none, where the latest visit was.
    """
    managing = _managing(patients)
    chosen = managing[0] if managing else None
    if len(set(managing)) != 1:
        visited = _visited(record, context.as_of)
        chosen = next((name for name in visited if not managing or name in managing), chosen)
    return unknown("clinic") if chosen is None else _named("clinic", chosen, record, context)


def _managing(patients: Sequence[JsonObject]) -> list[str]:
    return [
        name
        for patient in patients
        if patient.get("active") is not False
        and (name := _organization(patient.get("managingOrganization"))) is not None
    ]


def visits_decide(record: PatientRecord) -> bool:
    """Whether it takes the person's Encounters to say to which clinic they belong."""
    return len(set(_managing(_patients(record)))) != 1


def _visited(record: PatientRecord, as_of: date) -> list[str]:
    """Organizations by their latest visit, latest first; of one day, by reference."""
    latest: dict[str, str] = {}
    for visit in record.resources.get("Encounter", ()):
        at_clinic = element(visit.get("class")).get("code") not in _NOT_A_CLINIC_VISIT
        name = _organization(visit.get("serviceProvider"))
        day = happened(visit)[:10]
        if name and at_clinic and visit.get("status") == "finished" and len(day) == 10 and day <= as_of.isoformat():
            latest[name] = max(day, latest.get(name, ""))
    return [name for name, _ in sorted(sorted(latest.items()), key=lambda item: item[1], reverse=True)]


def _organization(reference: Any) -> str | None:
    found = literal(reference)
    return f"Organization/{found[1]}" if found is not None and found[0] == "Organization" else None


def _plan(record: PatientRecord, context: StrataContext) -> Category:
    """The payer of the coverage in force today: status active (or not said) and a period that holds the day."""
    payers: dict[str, str] = {}
    for coverage in record.resources.get("Coverage", ()):
        if coverage.get("status", "active") == "active" and _holds(coverage.get("period"), context.as_of):
            for payer in objects(coverage.get("payor")):
                shown = _text(payer.get("display")) or _text(element(payer.get("identifier")).get("value"))
                key = _organization(payer) or shown
                if key is not None:
                    payers.setdefault(key, shown or "")
    if not payers:
        return Category("plan", NONE, "No coverage on record")
    if len(payers) > 1:
        return Category("plan", SEVERAL, "Several plans")
    key, shown = next(iter(payers.items()))
    text = context.names.get(key) or shown or key
    return Category("plan", key.removeprefix("Organization/"), text)


def _holds(period: Any, day: date) -> bool:
    """Whether a FHIR Period holds a day. An end that is partial holds all that it may mean; a missing one is open."""
    start, end = (str(element(period).get(name) or "")[:10] for name in ("start", "end"))
    today = day.isoformat()
    return start <= today[: len(start)] and (not end or today[: len(end)] <= end)


def _named(dimension: str, reference: str, record: PatientRecord, context: StrataContext) -> Category:
    text = context.names.get(reference) or _display(reference, record) or reference
    return Category(dimension, reference.removeprefix("Organization/"), text)


def _display(reference: str, record: PatientRecord) -> str | None:
    for visit in record.resources.get("Encounter", ()):
        provider = element(visit.get("serviceProvider"))
        if _organization(provider) == reference and _text(provider.get("display")):
            return _text(provider["display"])
    return None


def names_of(organizations: Iterable[JsonObject]) -> Mapping[str, str]:
    """Names of Organization resources, by reference; the first of a reference counts."""
    found: dict[str, str] = {}
    for one in organizations:
        name = _text(one.get("name"))
        if one.get("resourceType") == "Organization" and name:
            found.setdefault(f"Organization/{one.get('id')}", name)
    return found


# ------------------------------------------------------------------------------------------------ ZIP, age, sex


def _zip(patients: Sequence[JsonObject], context: StrataContext) -> Category:
    """Where the child lives today: the home address, else the first one that isn't old, for billing or temporary."""
    for patient in patients:
        for address in sorted(_addresses(patient, context.as_of), key=lambda one: one.get("use") != "home"):
            code = _ZIP.fullmatch(str(address.get("postalCode") or "").strip())
            if code is not None and _ZIPS[0] <= code[1] <= _ZIPS[1]:
                shown = code[1][: context.zip_digits]
                return Category("zip", shown, shown if context.zip_digits == 5 else f"{shown}xx")
    return unknown("zip")


def _addresses(patient: JsonObject, today: date) -> Iterator[JsonObject]:
    for one in objects(patient.get("address")):
        if one.get("use") not in ("old", "billing", "temp") and _holds(one.get("period"), today):
            yield one


def _age(patient: JsonObject, today: date) -> Category:
    """The band of age today. Of a partial birth date, only if every day that it may mean is in one band."""
    written = str(patient.get("birthDate") or "")
    months = {_months(born, today) for born in _possible(written)}
    if not months or min(months) < 0:
        return unknown("age")
    bands = {next(band for band in reversed(age_bands()) if band.months <= count) for count in months}
    if len(bands) > 1:
        return unknown("age")
    band = bands.pop()
    return Category("age", band.code, band.text)


def _possible(written: str) -> tuple[tuple[int, int, int], ...]:
    """The first and the last day that a FHIR date may mean; none where it is no date."""
    parts = written.split("-")
    if not (1 <= len(parts) <= 3) or not all(part.isascii() and part.isdecimal() for part in parts):
        return ()
    year, *rest = (int(part) for part in parts)
    month = rest[0] if rest else None
    if len(rest) == 2:
        return ((year, rest[0], rest[1]),)
    return ((year, month or 1, 1), (year, month or 12, 31))


def _months(born: tuple[int, int, int], today: date) -> int:
    """Completed months of age; below zero before birth."""
    year, month, day = born
    return (today.year - year) * 12 + today.month - month - (today.day < day)


def _sex(patients: Sequence[JsonObject]) -> Category:
    """Administrative sex (Patient.gender)."""
    for patient in patients:
        code = patient.get("gender")
        if isinstance(code, str) and code in _SEXES:
            return Category("sex", code, _SEXES[code], "", Coding(ADMINISTRATIVE_GENDER, code, _SEXES[code]))
    return unknown("sex")


def _text(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None
