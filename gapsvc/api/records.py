"""Persons and their reports: Patient and MeasureReport, read and search.

A Patient of this service is a person: the records that all sources have of one child, linked. Each person is found
once, under one id; the ids under which single sources know the child can be read too, and say which person they are.
MeasureReports are those of the stored results (`gapsvc evaluate`); `$care-gaps` answers with what holds at the moment
under the same ids.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import ValidationError, fields, validate

from fhir_profiles.deqm import individual_measure_report
from gapsvc.api.access import reads
from gapsvc.api.answers import Refusal, fhir, refuse
from gapsvc.api.parameters import Alternatives, Reference, Text, is_id, read
from gapsvc.api.searchsets import Paged, criteria, page_of, searchset
from gapsvc.api.service import Service, service
from gapsvc.evaluation.result import MeasureResult

records = Blueprint("records", __name__)


@records.get("/Patient/<patient_id>")
@reads("Patient")
def read_patient(patient_id: str) -> Response:
    """One Patient: a person, or what one source says of them with a link to the person."""
    store = service().store
    record = store.record_of_patient(patient_id, types=["Patient"]) if is_id(patient_id) else None
    if record is None:
        raise _unknown("Patient")
    if record.person_id == patient_id:
        return fhir(record.patient)
    sent = store.resource("Patient", patient_id)
    if sent is None:
        raise _unknown("Patient")
    # FHIR R4 Patient.link: refer, "the main record is there".
    link = {"other": {"reference": f"Patient/{record.person_id}"}, "type": "refer"}
    return fhir({**sent, "link": [*sent.get("link", ()), link]})


def _is_birth_date(text: str) -> None:
    parts = text.split("-")
    sizes = [len(part) for part in parts]
    if not text.isascii() or sizes not in ([4], [4, 2], [4, 2, 2]) or not all(part.isdecimal() for part in parts):
        raise ValidationError("expected YYYY-MM-DD, YYYY-MM or YYYY; of the prefixes only eq")
    try:
        date(*(int(part) for part in [*parts, "1", "1"][:3]))
    except ValueError:
        raise ValidationError(f"there is no such day, month or year: {text!r}") from None


class PatientSearch(Paged):
    """Parameters of a Patient search."""

    _id = Alternatives()
    identifier = fields.String(validate=validate.Regexp(r"[^|]*\|[^|]+\Z|[^|]+\Z", error="expected [system|]value"))
    name = Text()
    birthdate = fields.String(validate=lambda text: _is_birth_date(text.removeprefix("eq")))
    gender = fields.String(
        validate=validate.OneOf(["male", "female", "other", "unknown"], error="expected one of {choices}")
    )


@records.get("/Patient")
@records.post("/Patient/_search")
@reads("Patient")
def search_patients() -> Response:
    """Persons by `_id`, `identifier`, `name`, `birthdate`, `gender`; at least one must be given."""
    asked = read(request, PatientSearch(), {})
    if not criteria(asked):
        raise refuse(400, "required", "give at least one of _id, identifier, name, birthdate, gender")
    count, start = page_of(asked)
    found = service().store.search_patients(
        ids=asked.get("_id", ()),
        identifier=_token(asked["identifier"]) if "identifier" in asked else None,
        name=asked.get("name"),
        birth_date=asked["birthdate"].removeprefix("eq") if "birthdate" in asked else None,
        gender=asked.get("gender"),
        count=count,
        offset=start,
    )
    return fhir(searchset(found.patients, found.total, asked))


def _token(text: str) -> tuple[str | None, str]:
    """`system|value`, `|value` (no system) or `value` (any system)."""
    system, bar, value = text.rpartition("|")
    return (system if bar else None, value)


@records.get("/MeasureReport/<report_id>")
@reads("MeasureReport")
def read_measure_report(report_id: str) -> Response:
    """One individual MeasureReport of the stored results."""
    here = service()
    result = here.store.result_of_report(report_id) if is_id(report_id) else None
    if result is None:
        raise _unknown("MeasureReport")
    return fhir(_report(here, result))


class MeasureReportSearch(Paged):
    """Parameters of a MeasureReport search."""

    _id = Alternatives()
    patient = Reference("Patient")
    subject = Reference("Patient")
    measure = Text()


@records.get("/MeasureReport")
@records.post("/MeasureReport/_search")
@reads("MeasureReport")
def search_measure_reports() -> Response:
    """Stored reports by `_id`, `patient` (or `subject`) and `measure` (canonical, with or without version)."""
    here = service()
    asked = read(request, MeasureReportSearch(), {})
    count, start = page_of(asked)
    persons: list[str] | None = None
    for name in ("patient", "subject"):
        if name in asked:
            person = here.store.person_of(asked[name][1])
            if person is None:
                raise refuse(404, "not-found", f"{name}: there is no such Patient", name)
            persons = [person] if persons in (None, [person]) else []
    found = here.store.search_results(
        report_ids=asked.get("_id"),
        person_ids=persons,
        measure_url=_measure_url(here, asked["measure"]) if "measure" in asked else None,
        count=count,
        offset=start,
    )
    return fhir(searchset([_report(here, result) for result in found.results], found.total, asked))


def _report(here: Service, result: MeasureResult) -> dict[str, Any]:
    """A stored result's report. Its date is the day as of which it was judged, not the moment of being read."""
    judged = datetime.combine(result.as_of, time.min, UTC)
    return individual_measure_report(result, replace(here.reporting(), calculated_at=judged))


def _measure_url(here: Service, value: str) -> str:
    for measure in here.measures.values():
        if value in (measure.url, measure.canonical, f"Measure/{measure.id}"):
            return measure.url
    raise refuse(404, "not-found", f"measure: there is no measure {value!r:.120}", "measure")


def _unknown(resource_type: str) -> Refusal:
    return refuse(404, "not-found", f"there is no such {resource_type}")
