"""FHIR read and search: Measure, Library, ValueSet, MeasureReport, Patient; and the CapabilityStatement.

MeasureReports are those of the stored results (`gapsvc evaluate`); `$care-gaps` answers with what holds at the moment
under the same ids. Searches are paged with `_count` and an opaque `_page`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from marshmallow import Schema, fields, validate

from fhir_profiles.artifacts import library_resource, measure_resource, value_set_expansion
from fhir_profiles.capability import OperationUse, ResourceUse, SearchParameterUse, Software, capability_statement
from fhir_profiles.deqm import individual_measure_report
from fhir_profiles.terms import DEQM, INDIVIDUAL_MEASURE_REPORT
from gapsvc import SOFTWARE, VERSION
from gapsvc.api.access import reads
from gapsvc.api.answers import Refusal, fhir, refuse
from gapsvc.api.parameters import Reference, read
from gapsvc.api.service import Service, service
from gapsvc.measures import MeasureDefinition

resources = Blueprint("resources", __name__)

LARGEST_PAGE = 500
STATEMENT_DATE = "2026-11-22"  # when this statement last changed
CANONICAL_BASE = "https://gapsvc.example/fhir"

_SEARCH = "http://hl7.org/fhir/SearchParameter/"
_GENERAL_SEARCH = (SearchParameterUse("_id", "token"), SearchParameterUse("_count", "number"))
SERVED = (
    ResourceUse(
        "Measure",
        interactions=("read", "search-type"),
        search=(
            SearchParameterUse("_id", "token"),
            SearchParameterUse("url", "uri", f"{_SEARCH}Measure-url"),
            SearchParameterUse("name", "string", f"{_SEARCH}Measure-name"),
        ),
        operations=(OperationUse("care-gaps", f"{DEQM}/OperationDefinition/care-gaps"),),
    ),
    ResourceUse("Library", interactions=("read",)),
    ResourceUse("ValueSet", interactions=("read",)),
    ResourceUse(
        "MeasureReport",
        interactions=("read", "search-type"),
        profiles=(INDIVIDUAL_MEASURE_REPORT,),
        search=(
            *_GENERAL_SEARCH,
            SearchParameterUse("patient", "reference", f"{_SEARCH}MeasureReport-patient"),
            SearchParameterUse("subject", "reference", f"{_SEARCH}MeasureReport-subject"),
            SearchParameterUse("measure", "reference", f"{_SEARCH}MeasureReport-measure"),
        ),
    ),
    ResourceUse(
        "Patient",
        interactions=("read", "search-type"),
        search=(
            *_GENERAL_SEARCH,
            SearchParameterUse("identifier", "token", f"{_SEARCH}Patient-identifier"),
            SearchParameterUse("name", "string", f"{_SEARCH}Patient-name"),
            SearchParameterUse("birthdate", "date", f"{_SEARCH}individual-birthdate"),
            SearchParameterUse("gender", "token", f"{_SEARCH}individual-gender"),
        ),
    ),
)


@resources.get("/metadata")
def metadata() -> Response:
    """The CapabilityStatement; open to all."""
    software = Software(
        name=SOFTWARE,
        version=VERSION,
        base_url=service().base_url,
        description="Children's care gaps: well-child visits, found in EHR records, as Da Vinci DEQM reports.",
        publisher=service().settings["reporter.name"],
    )
    return fhir(
        capability_statement(
            software,
            SERVED,
            date=STATEMENT_DATE,
            instantiates=(),  # DEQM's gic-server asks for MeasureReport patch too
            security="Bearer tokens, issued to registered clients, with SMART system scopes (system/<Type>.rs).",
            implementation_guides=(f"{DEQM}/ImplementationGuide/hl7.fhir.us.davinci-deqm|5.0.0",),
        )
    )


# ---- artefacts


@resources.get("/Measure/<measure_id>")
@reads("Measure")
def read_measure(measure_id: str) -> Response:
    """One Measure."""
    measure = service().measures.get(measure_id)
    if measure is None:
        raise _unknown("Measure")
    return fhir(_measure(measure))


class MeasureSearch(Schema):
    """Parameters of a Measure search."""

    _id = fields.String()
    url = fields.String()
    name = fields.String()


@resources.get("/Measure")
@reads("Measure")
def search_measures() -> Response:
    """Measures by `_id`, `url` (with or without version) or the beginning of `name`."""
    asked = read(request, MeasureSearch(), {})
    tests: Mapping[str, Callable[[MeasureDefinition, str], bool]] = {
        "_id": lambda measure, value: value == measure.id,
        "url": lambda measure, value: value in (measure.url, measure.canonical),
        "name": lambda measure, value: measure.name.lower().startswith(value.lower()),
    }
    found = [
        measure
        for measure in service().measures.values()
        if all(tests[name](measure, value) for name, value in asked.items())
    ]
    return fhir(_searchset([_measure(measure) for measure in found], total=len(found)))


@resources.get("/Library/<name>")
@reads("Library")
def read_library(name: str) -> Response:
    """The CQL library of a measure, or one that a measure includes."""
    for measure in service().measures.values():
        if name == measure.library_name:
            return fhir(_library(name, _version_of(measure.cql), measure.cql))
        for (included, version), cql in measure.libraries.items():
            if included == name:
                return fhir(_library(name, version, cql))
    raise _unknown("Library")


@resources.get("/ValueSet/<value_set_id>")
@reads("ValueSet")
def read_value_set(value_set_id: str) -> Response:
    """A value set that a measure uses, expanded."""
    for measure in service().measures.values():
        for value_set in measure.value_sets:
            if value_set["id"] == value_set_id:
                return fhir(value_set_expansion(value_set, timestamp=value_set["version"]))
    raise _unknown("ValueSet")


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


# ---- records and reports


@resources.get("/Patient/<patient_id>")
@reads("Patient")
def read_patient(patient_id: str) -> Response:
    """The Patient that stands for a person; any of the ids that are linked to the person finds it."""
    record = service().store.record_of_patient(patient_id, types=["Patient"])
    if record is None:
        raise _unknown("Patient")
    return fhir(record.patient)


class PatientSearch(Schema):
    """Parameters of a Patient search."""

    _id = fields.String()
    identifier = fields.String()
    name = fields.String(validate=validate.Length(min=1))
    birthdate = fields.String(
        validate=validate.Regexp(r"\d{4}(-\d\d(-\d\d)?)?\Z", error="expected YYYY-MM-DD, YYYY-MM or YYYY")
    )
    gender = fields.String(validate=validate.OneOf(["male", "female", "other", "unknown"]))
    _count = fields.Integer(load_default=50, validate=validate.Range(min=0))
    _page = fields.Integer(load_default=0, validate=validate.Range(min=0))


@resources.get("/Patient")
@reads("Patient")
def search_patients() -> Response:
    """Patients by `_id`, `identifier`, `name`, `birthdate`, `gender`; at least one must be given."""
    asked = read(request, PatientSearch(), {})
    if not asked.keys() - {"_count", "_page"}:
        raise refuse(400, "required", "give at least one of _id, identifier, name, birthdate, gender")
    count = min(asked["_count"], LARGEST_PAGE)
    found = service().store.search_patients(
        ids=asked["_id"].split(",") if "_id" in asked else (),
        identifier=_token(asked["identifier"]) if "identifier" in asked else None,
        name=asked.get("name"),
        birth_date=asked.get("birthdate"),
        gender=asked.get("gender"),
        count=count,
        offset=asked["_page"],
    )
    return fhir(_searchset(found.patients, found.total, _next(asked["_page"], count, found.total)))


def _token(text: str) -> tuple[str | None, str]:
    """`system|value`, `|value` (no system) or `value` (any system)."""
    system, bar, value = text.rpartition("|")
    return (system if bar else None, value)


@resources.get("/MeasureReport/<report_id>")
@reads("MeasureReport")
def read_measure_report(report_id: str) -> Response:
    """One individual MeasureReport of the stored results."""
    here = service()
    result = here.store.result_of_report(report_id)
    if result is None:
        raise _unknown("MeasureReport")
    return fhir(individual_measure_report(result, here.reporting()))


class MeasureReportSearch(Schema):
    """Parameters of a MeasureReport search."""

    _id = fields.String()
    patient = Reference("Patient")
    subject = Reference("Patient")
    measure = fields.String()
    _count = fields.Integer(load_default=50, validate=validate.Range(min=0))
    _page = fields.Integer(load_default=0, validate=validate.Range(min=0))


@resources.get("/MeasureReport")
@reads("MeasureReport")
def search_measure_reports() -> Response:
    """Stored reports by `_id`, `patient` (or `subject`) and `measure` (canonical, with or without version)."""
    here = service()
    asked = read(request, MeasureReportSearch(), {})
    count = min(asked["_count"], LARGEST_PAGE)
    persons: list[str] | None = None
    for name in ("patient", "subject"):
        if name in asked:
            person = here.store.person_of(asked[name][1])
            if person is None:
                raise refuse(404, "not-found", f"{name}: there is no such Patient", name)
            persons = [person] if persons in (None, [person]) else []
    found = here.store.search_results(
        report_ids=asked["_id"].split(",") if "_id" in asked else None,
        person_ids=persons,
        measure_url=_measure_url(here, asked["measure"]) if "measure" in asked else None,
        count=count,
        offset=asked["_page"],
    )
    reporting = here.reporting()
    reports = [individual_measure_report(result, reporting) for result in found.results]
    return fhir(_searchset(reports, found.total, _next(asked["_page"], count, found.total)))


def _measure_url(here: Service, value: str) -> str:
    for measure in here.measures.values():
        if value in (measure.url, measure.canonical, f"Measure/{measure.id}"):
            return measure.url
    raise refuse(404, "not-found", f"measure: there is no measure {value!r:.120}", "measure")


# ---- searchsets


def _next(offset: int, count: int, total: int) -> int | None:
    return offset + count if count and offset + count < total else None


def _searchset(
    found: Sequence[Mapping[str, Any]] | Iterable[Mapping[str, Any]], total: int, following: int | None = None
) -> dict[str, Any]:
    """A searchset Bundle with `self` and, where there is more, `next`."""
    base = service().base_url
    path = f"{base}{request.path.removeprefix('/fhir')}"
    asked = [(name, value) for name, value in request.args.items(multi=True)]

    def link(relation: str, parameters: list[tuple[str, str]]) -> dict[str, str]:
        query = urlencode(parameters)
        return {"relation": relation, "url": f"{path}?{query}" if query else path}

    links = [link("self", asked)]
    if following is not None:
        links.append(link("next", [*((n, v) for n, v in asked if n != "_page"), ("_page", str(following))]))
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links}
    entries = [
        {
            "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in found
    ]
    if entries:
        bundle["entry"] = entries
    return bundle


def _unknown(resource_type: str) -> Refusal:
    return refuse(404, "not-found", f"there is no such {resource_type}")
