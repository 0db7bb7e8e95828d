"""Reading what linking needs of plain FHIR JSON: references, days, and whose a resource is (FHIR R4 §2.3.0)."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, cast

JsonObject = Mapping[str, Any]

# The end of a literal reference, relative or absolute, with or without a version.
_REFERENCE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$")
# Elements by which a resource belongs to a Patient's compartment (R4 CompartmentDefinition/patient), in the
# order of preference. A resource is one person's: these are single-valued in the types we keep.
_SUBJECT_ELEMENTS = ("subject", "patient", "beneficiary", "individual", "for")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:T|$)")

# The tag (meta.tag) of what came by `gapsvc import` from a registry, a payer or a laboratory, and not from an EHR.
SUPPLEMENTAL: Mapping[str, str] = MappingProxyType(
    {"system": "https://gapsvc.example/fhir/CodeSystem/data-origin", "code": "supplemental"}
)

# Identifier systems whose values are one however they are typed. A Medi-Cal client index number is eight digits and a
# capital letter (DHCS, from memory); files have it in small letters, in groups, or with hyphens.
FREELY_TYPED = frozenset({"http://dhcs.ca.gov/medi-cal/cin"})
_FILLING = re.compile(r"[\s-]+")

# Where a resource says when it happened: elements in order of preference, `.start` reads a Period.
_WHEN = (
    "period.start",
    "occurrenceDateTime",
    "effectiveDateTime",
    "effectivePeriod.start",
    "performedDateTime",
    "performedPeriod.start",
    "onsetDateTime",
    "onsetPeriod.start",
    "authoredOn",
    "billablePeriod.start",
    "recordedDate",
    "issued",
    "date",
    "created",
)


def literal(reference: Any) -> tuple[str, str] | None:
    """(type, id) of a Reference with a literal `reference` that names them; None for `#contained`, `urn:` and the like.

    >>> literal({"reference": "https://ehr.example/fhir/Patient/7/_history/2"})
    ('Patient', '7')
    """
    if type(reference) is not dict and not isinstance(reference, Mapping):  # the usual type first: this is hot
        return None
    text = cast(JsonObject, reference).get("reference")
    if not isinstance(text, str):
        return None
    head, slash, tail = text.partition("/")
    if slash and "/" not in tail and head.isalpha() and head[0].isupper():  # the common `Type/id`, quickly
        return (head, tail) if tail else None
    found = _REFERENCE.search(text)
    return (found[1], found[2]) if found and not text.startswith(("#", "urn:")) else None


def patient_id_of(resource: JsonObject) -> str | None:
    """The id of the Patient that a resource is about: its own for a Patient, None where it names none."""
    if resource.get("resourceType") == "Patient":
        return resource["id"]
    for element in _SUBJECT_ELEMENTS:
        if element in resource:
            found = literal(resource[element])
            if found is not None and found[0] == "Patient":
                return found[1]
    return None


def encounter_id_of(resource: JsonObject) -> str | None:
    """The id of the Encounter that a resource was recorded in (`encounter`, or `context` in older content)."""
    for element in ("encounter", "context"):
        found = literal(resource.get(element))
        if found is not None and found[0] == "Encounter":
            return found[1]
    return None


def happened(resource: JsonObject) -> str:
    """When a resource happened, as it is written; empty where it doesn't say (so it sorts first)."""
    for element in _WHEN:
        name, _, part = element.partition(".")
        value: Any = resource.get(name)
        if part and isinstance(value, Mapping):
            value = cast(JsonObject, value).get(part)
        if isinstance(value, str):
            return value
    return ""


def day(text: str) -> str | None:
    """The day of a FHIR date or dateTime as written (no time zone conversion); None below day precision."""
    return text[:10] if _DAY.match(text) else None


def objects(value: Any) -> Iterator[JsonObject]:
    """The JSON objects in a list (or one alone); what is neither is passed over."""
    items: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [value]
    for item in items:
        if isinstance(item, Mapping):
            yield cast(JsonObject, item)


def identifiers(resource: JsonObject) -> Iterator[tuple[str, str]]:
    """(system, value) of each identifier with a value, as they are compared; no system is the empty one."""
    for found in objects(resource.get("identifier")):
        system, value = found.get("system"), found.get("value")
        if isinstance(value, str) and value:
            named = system if isinstance(system, str) else ""
            yield (named, identifier_value(named, value))


def identifier_value(system: str, value: str) -> str:
    """An identifier's value as it is compared with others of its system.

    >>> identifier_value("http://dhcs.ca.gov/medi-cal/cin", "9123 4567a")
    '91234567A'
    """
    return (_FILLING.sub("", value).upper() or value) if system in FREELY_TYPED else value


def is_supplemental(resource: JsonObject) -> bool:
    """Whether a resource carries the tag of supplemental data (`SUPPLEMENTAL`)."""
    meta = resource.get("meta")
    if not isinstance(meta, Mapping):
        return False
    tags = objects(cast(JsonObject, meta).get("tag") or [])
    return any(tag.get("system") == SUPPLEMENTAL["system"] and tag.get("code") == SUPPLEMENTAL["code"] for tag in tags)


def affiliations(resource: JsonObject) -> Iterator[tuple[str, str]]:
    """("Organization" | "Practitioner", id) that a Patient or an Encounter names as responsible."""
    if resource.get("resourceType") == "Patient":
        named = [resource.get("managingOrganization"), *objects(resource.get("generalPractitioner"))]
    else:
        named = [resource.get("serviceProvider")]
        named += [entry.get("individual") for entry in objects(resource.get("participant"))]
    for reference in named:
        found = literal(reference)
        if found is not None and found[0] in ("Organization", "Practitioner"):
            yield found
