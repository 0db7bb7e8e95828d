"""Our own FHIR extensions: what a gap says that DEQM 5.0.0 has no element for, and their StructureDefinitions.

All live under one base, set by configuration (`EXTENSION_BASE` unless told otherwise), and none is a modifier:
a consumer that ignores them all still reads a correct DEQM report.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fhir_profiles.plain import Resource

EXTENSION_BASE: Final = "https://gapsvc.example/fhir/StructureDefinition"

OUTLOOK: Final = "gap-outlook"
NEED: Final = "gap-need"
PROGRESS: Final = "gap-progress"
DUE_BY: Final = "gap-due-by"
LAST_DAY: Final = "gap-last-day"
CHANGES_ON: Final = "gap-changes-on"
EVIDENCE: Final = "gap-evidence"
AS_OF: Final = "result-as-of"
BASIS: Final = "result-basis"
IMPUTED_RACE: Final = "imputed-race"
IMPUTED_ETHNICITY: Final = "imputed-ethnicity"


@dataclass(frozen=True, slots=True)
class ExtensionPart:
    """A nested part of an extension: its url, its FHIR type and how often it may stand."""

    url: str
    type: str
    min: int
    max: str
    short: str


@dataclass(frozen=True, slots=True)
class OwnExtension:
    """One extension of ours: where it may stand, and either the type of its value or its nested parts."""

    name: str
    contexts: tuple[str, ...]
    short: str
    type: str | None = None
    parts: tuple[ExtensionPart, ...] = ()


# As US Core's race and ethnicity are made, so that what fills those can fill these; and how it was imputed.
_IMPUTED_PARTS: Final = (
    ExtensionPart("ombCategory", "Coding", 0, "6", "A category of OMB's (CDC Race and Ethnicity Code Set)"),
    ExtensionPart("detailed", "Coding", 0, "*", "A detailed code of that code set"),
    ExtensionPart("text", "string", 0, "1", "In words"),
    ExtensionPart("method", "string", 0, "1", "How it was imputed, e.g. BISG 2020"),
)

OWN_EXTENSIONS: Final[tuple[OwnExtension, ...]] = (
    OwnExtension(
        OUTLOOK,
        ("DetectedIssue",),
        "Whether the need can still be met in this period: met, on track, at risk, missed or unknown",
        "code",
    ),
    OwnExtension(NEED, ("DetectedIssue",), "What would close the gap, coded and in words", "CodeableConcept"),
    OwnExtension(
        PROGRESS,
        ("DetectedIssue",),
        "How many services are needed and how many count so far",
        parts=(
            ExtensionPart("needed", "unsignedInt", 0, "1", "How many services the rate needs"),
            ExtensionPart("done", "unsignedInt", 0, "1", "How many services count so far"),
        ),
    ),
    OwnExtension(DUE_BY, ("DetectedIssue",), "The day by which the schedule wants the next service", "date"),
    OwnExtension(LAST_DAY, ("DetectedIssue",), "The last day on which the next service still counts", "date"),
    OwnExtension(
        CHANGES_ON,
        ("DetectedIssue",),
        "The next day on which time alone can change this gap; none when it cannot",
        "date",
    ),
    OwnExtension(
        EVIDENCE,
        ("DetectedIssue.implicated",),
        "Whether a resource that was looked at counts towards the need, for which day, and if not why",
        parts=(
            ExtensionPart("outcome", "code", 1, "1", "counted or discounted"),
            ExtensionPart("on", "date", 0, "1", "The day the service was given"),
            ExtensionPart("reason", "code", 0, "1", "Why it does not count, coded"),
            ExtensionPart("text", "string", 0, "1", "Why it does not count, in words"),
        ),
    ),
    OwnExtension(
        AS_OF,
        ("MeasureReport", "DetectedIssue"),
        "The day as of which the record was judged",
        "date",
    ),
    OwnExtension(
        BASIS,
        ("MeasureReport",),
        "What the result rests on: software, schedule, and how fresh each source's data are",
        parts=(
            ExtensionPart("software", "string", 1, "1", "Name and version of the software"),
            ExtensionPart("schedule", "string", 0, "1", "Visit or immunization schedule and its version"),
            ExtensionPart(
                "population", "string", 0, "1", "Whom the measure is about: clinic (registry) or plan (enrolled)"
            ),
            ExtensionPart("dataAsOf", "Extension", 0, "*", "A source and the moment of its last complete pull"),
        ),
    ),
    OwnExtension(
        IMPUTED_RACE,
        ("Patient",),
        "A race that was imputed (by name and address, say), not told by the person: kept apart from US Core's",
        parts=_IMPUTED_PARTS,
    ),
    OwnExtension(
        IMPUTED_ETHNICITY,
        ("Patient",),
        "An ethnicity that was imputed, not told by the person: kept apart from US Core's",
        parts=_IMPUTED_PARTS,
    ),
)


def extension_url(base: str, name: str) -> str:
    """The canonical URL of an extension of ours under a configured base."""
    return f"{base.rstrip('/')}/{name}"


def extension_definitions(base: str = EXTENSION_BASE, *, version: str, date: str) -> list[Resource]:
    """The StructureDefinition (differential) of each extension of ours, for publishing.

    `date` is a FHIR dateTime. Source: FHIR R4 StructureDefinition, Defining Extensions.
    """
    return [_definition(own, base, version, date) for own in OWN_EXTENSIONS]


def _definition(own: OwnExtension, base: str, version: str, date: str) -> Resource:
    url = extension_url(base, own.name)
    elements: list[Resource] = [{"id": "Extension", "path": "Extension", "short": own.short, "min": 0, "max": "1"}]
    if own.parts:
        elements.extend(_part_elements(own.parts))
    else:
        elements.append({"id": "Extension.extension", "path": "Extension.extension", "max": "0"})
    elements.append({"id": "Extension.url", "path": "Extension.url", "fixedUri": url})
    value: Resource = {"id": "Extension.value[x]", "path": "Extension.value[x]"}
    if own.type:
        value |= {"min": 1, "type": [{"code": own.type}]}
    else:
        value["max"] = "0"
    elements.append(value)
    return {
        "resourceType": "StructureDefinition",
        "id": own.name,
        "url": url,
        "version": version,
        "name": "".join(word.capitalize() for word in own.name.split("-")),
        "title": own.short,
        "status": "active",
        "date": date,
        "fhirVersion": "4.0.1",
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": where} for where in own.contexts],
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "differential": {"element": elements},
    }


def _part_elements(parts: Sequence[ExtensionPart]) -> list[Resource]:
    elements: list[Resource] = []
    for part in parts:
        here = f"Extension.extension:{part.url}"
        elements.append(
            {
                "id": here,
                "path": "Extension.extension",
                "sliceName": part.url,
                "short": part.short,
                "min": part.min,
                "max": part.max,
            }
        )
        elements.append({"id": f"{here}.url", "path": "Extension.extension.url", "fixedUri": part.url})
        value: Resource = {"id": f"{here}.value[x]", "path": "Extension.extension.value[x]"}
        # A part that is itself made of parts (source, instant) carries no value.
        if part.type == "Extension":
            value["max"] = "0"
        else:
            value |= {"min": 1, "type": [{"code": part.type}]}
        elements.append(value)
    return elements
