"""Who a child is: what a page's head and a list of search results say of a Patient (FHIR R4 Patient)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from gapsvc.evaluation import wording
from gapsvc.evaluation.notices import death
from gapsvc.records.references import objects
from gapsvc.web.words import age, capital, day_in

_USES = ("official", "usual", None, "nickname", "temp", "old", "anonymous", "maiden")  # which name stands first
_KINDS = {"MR": "Record number", "MA": "Medicaid number"}  # HL7 v2 table 0203


@dataclass(frozen=True, slots=True)
class Person:
    """A child in words. `born` is as the record has it, a partial date too; `died` is empty for the living.

    `numbers` are (what it is, number). `age` is empty where the birth date is not a whole day.
    """

    id: str
    name: str
    born: str
    age: str
    sex: str
    numbers: tuple[tuple[str, str], ...]
    died: str


def person_of(patient: Mapping[str, Any], today: date) -> Person:
    """A Patient in words; what the record doesn't say is said to be missing."""
    written = _text(patient.get("birthDate"))
    born = day_in(written)
    died = capital(death(patient, today))
    until = day_in(_text(patient.get("deceasedDateTime"))) or today
    return Person(
        id=str(patient["id"]),
        name=_name(patient),
        born=wording.day(born) if born else written or "not recorded",
        age=age(born, min(until, today)) if born else "",
        sex=_text(patient.get("gender")) or "sex not recorded",
        numbers=tuple(_numbers(patient)),
        died=died,
    )


def _name(patient: Mapping[str, Any]) -> str:
    names = objects(patient.get("name"))
    ranked = sorted(names, key=lambda name: _USES.index(name["use"] if name.get("use") in _USES else None))
    for name in ranked:
        given = name.get("given")
        parts = [*(given if isinstance(given, list) else ()), name.get("family")]
        said = " ".join(part.strip() for part in parts if isinstance(part, str) and part.strip())
        if said or (said := _text(name.get("text")).strip()):
            return said
    return "Name not recorded"


def _numbers(patient: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for identifier in objects(patient.get("identifier")):
        kind = identifier.get("type")
        codes = [coding.get("code") for coding in objects(kind.get("coding"))] if isinstance(kind, Mapping) else []
        value = _text(identifier.get("value"))
        for code in codes:
            if code in _KINDS and value:
                yield _KINDS[code], value
                break


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
