"""The CapabilityStatement of this service: what it can do, from a declarative list.

Source: FHIR R4 CapabilityStatement (kind `instance`); DEQM 5.0.0 gic-server, which it instantiates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fhir_profiles.plain import Resource, clean
from fhir_profiles.terms import GIC_SERVER

# FHIR R4 value sets (required bindings)
TYPE_INTERACTIONS: Final = frozenset(
    {
        "read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create",
        "search-type",
    }
)  # fmt: skip
SEARCH_TYPES: Final = frozenset(
    {"number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special"}
)


@dataclass(frozen=True, slots=True)
class SearchParameterUse:
    """A search parameter that a resource type answers to."""

    name: str
    type: str
    definition: str | None = None
    documentation: str | None = None

    def __post_init__(self) -> None:
        if self.type not in SEARCH_TYPES:
            raise ValueError(f"search parameter {self.name}: type {self.type!r} is not in FHIR's search-param-type")


@dataclass(frozen=True, slots=True)
class OperationUse:
    """An operation: its name without `$`, and the canonical of its OperationDefinition."""

    name: str
    definition: str
    documentation: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceUse:
    """What the service does with one resource type."""

    type: str
    interactions: tuple[str, ...] = ()
    search: tuple[SearchParameterUse, ...] = ()
    operations: tuple[OperationUse, ...] = ()
    profiles: tuple[str, ...] = ()
    documentation: str | None = None

    def __post_init__(self) -> None:
        unknown = [each for each in self.interactions if each not in TYPE_INTERACTIONS]
        if unknown:
            raise ValueError(f"{self.type}: {unknown[0]!r} is no interaction of a FHIR R4 resource type")


@dataclass(frozen=True, slots=True)
class Software:
    """The software and its installation: `base_url` is the FHIR base that clients use."""

    name: str
    version: str
    base_url: str
    description: str
    publisher: str


def capability_statement(
    software: Software,
    resources: Sequence[ResourceUse],
    *,
    date: str,
    security: str,
    security_services: Sequence[str] = (),
    instantiates: Sequence[str] = (GIC_SERVER,),
    implementation_guides: Sequence[str] = (),
    operations: Sequence[OperationUse] = (),
    interactions: Sequence[str] = (),
    formats: Sequence[str] = ("application/fhir+json", "json"),
) -> Resource:
    """The statement, as of `date` (FHIR dateTime: when the statement last changed, not the moment of asking).

    `security` says in words how to be let in; `security_services` are codes of restful-security-service
    (`SMART-on-FHIR`, `OAuth`). A resource that lists `patch` makes the statement name JSON patch.
    """
    rest: dict[str, Any] = {"mode": "server", "security": _security(security, security_services)}
    if resources:
        rest["resource"] = [_resource(use) for use in resources]
    if interactions:
        rest["interaction"] = [{"code": code} for code in interactions]
    if operations:
        rest["operation"] = [_operation(use) for use in operations]
    statement: Resource = {
        "resourceType": "CapabilityStatement",
        "id": "metadata",
        "url": f"{software.base_url.rstrip('/')}/metadata",
        "version": software.version,
        "name": "".join(part.capitalize() for part in software.name.split()) + "CapabilityStatement",
        "title": f"{software.name} {software.version}",
        "status": "active",
        "date": date,
        "publisher": software.publisher,
        "description": clean(software.description),
        "kind": "instance",
        "software": {"name": software.name, "version": software.version},
        "implementation": {"description": clean(software.description), "url": software.base_url.rstrip("/")},
        "fhirVersion": "4.0.1",
        "format": list(formats),
        "rest": [rest],
    }
    if instantiates:
        statement["instantiates"] = list(instantiates)
    if implementation_guides:
        statement["implementationGuide"] = list(implementation_guides)
    if any("patch" in use.interactions for use in resources):
        statement["patchFormat"] = ["application/json-patch+json", "application/fhir+json"]
    return statement


def _security(text: str, services: Sequence[str]) -> Resource:
    found: Resource = {"cors": False, "description": clean(text)}
    if services:
        system = "http://terminology.hl7.org/CodeSystem/restful-security-service"
        found["service"] = [{"coding": [{"system": system, "code": code}]} for code in services]
    return found


def _resource(use: ResourceUse) -> Resource:
    found: Resource = {"type": use.type}
    if use.profiles:
        found["supportedProfile"] = list(use.profiles)
    if use.documentation:
        found["documentation"] = clean(use.documentation)
    if use.interactions:
        found["interaction"] = [{"code": code} for code in use.interactions]
    if use.search:
        found["searchParam"] = [_search(each) for each in use.search]
    if use.operations:
        found["operation"] = [_operation(each) for each in use.operations]
    return found


def _search(use: SearchParameterUse) -> Resource:
    found: Resource = {"name": use.name}
    if use.definition:
        found["definition"] = use.definition
    found["type"] = use.type
    if use.documentation:
        found["documentation"] = clean(use.documentation)
    return found


def _operation(use: OperationUse) -> Resource:
    found: Resource = {"name": use.name, "definition": use.definition}
    if use.documentation:
        found["documentation"] = clean(use.documentation)
    return found
