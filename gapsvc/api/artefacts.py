"""What we publish: the measures' Measure, Library and ValueSet, and our own CodeSystem, read and search."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, request

from fhir_profiles.artifacts import code_system_resource, library_resource, measure_resource, value_set_expansion
from gapsvc.api.access import reads
from gapsvc.api.answers import fhir, refuse
from gapsvc.api.parameters import Alternatives, Text, read
from gapsvc.api.searchsets import Paged, criteria, page_of, searchset
from gapsvc.api.service import Service, service
from gapsvc.measures import MeasureDefinition
from gapsvc.records.references import SUPPLEMENTAL

artefacts = Blueprint("artefacts", __name__)

CANONICAL_BASE = "https://gapsvc.example/fhir"

Artefacts = Mapping[str, dict[str, Any]]  # by id


class ArtefactSearch(Paged):
    """Parameters of a search for what the measures publish."""

    _id = Alternatives()
    url = Text()
    name = Text()


_TESTS: Mapping[str, Callable[[Mapping[str, Any], Any], bool]] = {
    "_id": lambda found, ids: found["id"] in ids,
    "url": lambda found, url: url in (found.get("url"), f"{found.get('url')}|{found.get('version')}"),
    "name": lambda found, start: str(found.get("name", "")).lower().startswith(start.lower()),
}


def measures(here: Service) -> Artefacts:
    """The Measures in use."""
    return {
        name: dict(measure.resources[0]) if measure.resources else _measure(measure)
        for name, measure in here.measures.items()
    }


def libraries(here: Service) -> Artefacts:
    """The CQL libraries of the measures, and those that they include."""
    found: dict[str, dict[str, Any]] = {}
    for measure in _own(here):
        texts = {measure.library_name: (_version_of(measure.cql), measure.cql)}
        texts |= {name: (version, cql) for (name, version), cql in measure.libraries.items()}
        for name, (version, cql) in texts.items():
            found.setdefault(name, _library(name, version, cql))
    return _brought(here, "Library", found)


def _brought(here: Service, resource_type: str, own: Artefacts) -> Artefacts:
    """Our own artefacts with those that came with measures of users, as they came. One whose id is that of another
    goes by an id with its measure's before it."""
    found = dict(own)
    seen: set[tuple[Any, Any]] = set()  # measures share libraries and value sets: each version once
    for measure in here.measures.values():
        for resource in measure.resources:
            canonical = (resource.get("url"), resource.get("version"))
            if resource["resourceType"] == resource_type and canonical not in seen:
                seen.add(canonical)
                name = str(resource.get("id") or resource.get("name") or resource_type)
                if name in found:
                    name = f"{measure.id}-{name}"[-64:]
                found[name] = {**resource, "id": name}
    return found


def value_sets(here: Service) -> Artefacts:
    """The value sets that the measures use, expanded."""
    own = {
        value_set["id"]: value_set_expansion(value_set, timestamp=value_set["version"])
        for measure in _own(here)
        for value_set in measure.value_sets
    }
    return _brought(here, "ValueSet", own)


def code_systems(_here: Service) -> Artefacts:
    """The code systems of our own whose codes stand in what we send."""
    origin = code_system_resource(
        SUPPLEMENTAL["system"],
        "1.0.0",
        name="DataOrigin",
        title="Where a record came from",
        description="Tags (meta.tag) of resources that are in a child's record and came from no EHR. meta.source names "
        "who reported them.",
        concepts={
            SUPPLEMENTAL["code"]: (
                "Supplemental data",
                "Imported from a registry, a payer or a laboratory; not recorded in an EHR.",
            )
        },
    )
    return {origin["id"]: origin}


def _own(here: Service) -> list[MeasureDefinition]:
    """The measures that come with the program."""
    return [measure for measure in here.measures.values() if not measure.resources]


_PUBLISHED: Mapping[str, Callable[[Service], Artefacts]] = {
    "Measure": measures,
    "Library": libraries,
    "ValueSet": value_sets,
    "CodeSystem": code_systems,
}


def _read(resource_type: str, resource_id: str) -> Response:
    found = _PUBLISHED[resource_type](service()).get(resource_id)
    if found is None:
        raise refuse(404, "not-found", f"there is no such {resource_type}")
    return fhir(found)


def _search(resource_type: str) -> Response:
    asked = read(request, ArtefactSearch(), {})
    wanted = criteria(asked)
    found = [
        artefact
        for artefact in _PUBLISHED[resource_type](service()).values()
        if all(_TESTS[name](artefact, value) for name, value in wanted.items())
    ]
    count, start = page_of(asked)
    return fhir(searchset(found[start : start + count], len(found), asked))


@artefacts.get("/Measure/<measure_id>")
@reads("Measure")
def read_measure(measure_id: str) -> Response:
    """One Measure."""
    return _read("Measure", measure_id)


@artefacts.get("/Measure")
@artefacts.post("/Measure/_search")
@reads("Measure")
def search_measures() -> Response:
    """Measures by `_id`, `url` (with or without version) or the beginning of `name`."""
    return _search("Measure")


@artefacts.get("/Library/<library_id>")
@reads("Library")
def read_library(library_id: str) -> Response:
    """The CQL library of a measure, or one that a measure includes."""
    return _read("Library", library_id)


@artefacts.get("/Library")
@artefacts.post("/Library/_search")
@reads("Library")
def search_libraries() -> Response:
    """Libraries, as Measures are searched."""
    return _search("Library")


@artefacts.get("/ValueSet/<value_set_id>")
@reads("ValueSet")
def read_value_set(value_set_id: str) -> Response:
    """A value set that a measure uses, expanded."""
    return _read("ValueSet", value_set_id)


@artefacts.get("/ValueSet")
@artefacts.post("/ValueSet/_search")
@reads("ValueSet")
def search_value_sets() -> Response:
    """Value sets, as Measures are searched."""
    return _search("ValueSet")


@artefacts.get("/CodeSystem/<code_system_id>")
@reads("CodeSystem")
def read_code_system(code_system_id: str) -> Response:
    """A code system of ours."""
    return _read("CodeSystem", code_system_id)


@artefacts.get("/CodeSystem")
@artefacts.post("/CodeSystem/_search")
@reads("CodeSystem")
def search_code_systems() -> Response:
    """Code systems, as Measures are searched."""
    return _search("CodeSystem")


def _measure(measure: MeasureDefinition) -> dict[str, Any]:
    library = f"{CANONICAL_BASE}/Library/{measure.library_name}|{_version_of(measure.cql)}"
    return measure_resource(measure, library=library)


_INCLUDE = re.compile(r"^include (?P<name>\S+) version '(?P<version>[^']+)'", re.MULTILINE)
_VALUE_SET = re.compile(r"^valueset \"[^\"]+\": '(?P<url>[^']+)'", re.MULTILINE)
_HEADER = re.compile(r"^library \S+ version '(?P<version>[^']+)'", re.MULTILINE)


def _version_of(cql: str) -> str:
    match = _HEADER.search(cql)
    return match["version"] if match else ""


def _library(name: str, version: str, cql: str) -> dict[str, Any]:
    depends = [
        *(f"{CANONICAL_BASE}/Library/{found['name']}|{found['version']}" for found in _INCLUDE.finditer(cql)),
        *(found["url"] for found in _VALUE_SET.finditer(cql)),
    ]
    return library_resource(name, version, cql, canonical_base=CANONICAL_BASE, status="active", depends_on=depends)
