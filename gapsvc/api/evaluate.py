"""`$evaluate` (Da Vinci DEQM 5.0.0, OperationDefinition evaluate): type and instance level, GET and POST.

`reportType` subject answers with one Bundle a person (individual MeasureReports and the data they rest on), population
with one Bundle of summary MeasureReports, subject-list with one Bundle of reports that name those whom they count; both
by strata with our parameter `stratify`. What goes wrong on a record is never silent: the person's Bundle, or that of
the summaries, holds an OperationOutcome which names the measure and, for summaries, how many records are left out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from fhir_profiles.deqm import (
    Reporting,
    care_gaps_parameters,
    evaluation_bundle,
    individual_measure_report,
)
from fhir_profiles.outcome import operation_outcome
from gapsvc.api.access import reads, require_read
from gapsvc.api.answers import FHIR_JSON, Refusal, fhir, refuse
from gapsvc.api.care_gaps import NAMING, measures_asked, panel_asked
from gapsvc.api.evaluating import Question, failure, members_only
from gapsvc.api.gap_bundles import RequestLog, written
from gapsvc.api.parameters import FhirDate, Reference, Text, read
from gapsvc.api.populations import Stratifying, subject_lists, summaries
from gapsvc.api.service import Service, service
from gapsvc.evaluation.catalogue import types_read
from gapsvc.evaluation.evaluator import Evaluator
from gapsvc.evaluation.result import MeasureResult
from gapsvc.evaluation.strata import check_dimensions, types_told_by
from gapsvc.evaluation.stratified import can_be_stratified
from gapsvc.records.record import PatientRecord
from gapsvc.stratifying import strata_context

evaluate = Blueprint("evaluate", __name__)

SUBJECT, POPULATION, SUBJECT_LIST = "subject", "population", "subject-list"
# DEQM's codes, and what earlier versions and other servers call them.
REPORT_TYPES = {
    "subject": SUBJECT,
    "individual": SUBJECT,
    "population": POPULATION,
    "summary": POPULATION,
    "subject-list": SUBJECT_LIST,
}
UNSUPPORTED = {
    "measureResource": "not supported: measures are installed on the server (gapsvc measures add)",
    "programIdentifier": "not supported; name the measures",
    "programUrl": "not supported; name the measures",
    "subjectGroup": "not supported: give subject=Group/<id> of a Group on the server",
    "parameters": "not supported: measures are evaluated with the parameters that they were installed with",
    "manifest": "not supported",
    "lastReceivedOn": "not supported: every answer holds all that a report rests on",
}


class Dimension(fields.Field[str]):
    """What people are told apart by: a dimension, or two (`race*clinic`)."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        try:
            check_dimensions([str(value)[:64]])
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return str(value)


class EvaluateParameters(Schema):
    """The `in` parameters that we support, with DEQM's cardinalities."""

    periodStart = FhirDate(required=True)  # noqa: N815 - FHIR's names
    periodEnd = FhirDate(required=True, last=True)  # noqa: N815
    reportType = fields.String(  # noqa: N815
        validate=validate.OneOf(list(REPORT_TYPES), error="expected subject, subject-list or population, not {input!r}")
    )
    subject = Reference("Patient", "Group")
    practitioner = Reference("Practitioner")
    reporter = Reference("Organization")
    measureId = fields.List(Text())  # noqa: N815
    measureIdentifier = fields.List(Text())  # noqa: N815
    measureUrl = fields.List(Text())  # noqa: N815
    measure = fields.List(Text())
    stratify = fields.List(Dimension())  # ours: DEQM has no parameter for it

    @validates_schema
    def period_is_forward(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["periodEnd"] < data["periodStart"]:
            raise ValidationError("is before periodStart", "periodEnd")

    @validates_schema
    def says_whose(self, data: Mapping[str, Any], **_: Any) -> None:
        if "subject" in data and "practitioner" in data:
            raise ValidationError("can't be combined with practitioner", "subject")


@evaluate.route("/Measure/$evaluate", methods=["GET", "POST"])
@reads("MeasureReport", "Patient")
def type_level() -> Response:
    """`[base]/Measure/$evaluate`: the measures are named by parameters."""
    here = service()
    asked = read(request, EvaluateParameters(), UNSUPPORTED)
    named = _with_measures(asked)
    if NAMING.isdisjoint(named):
        raise refuse(
            400, "required", "measureId, measureUrl, measureIdentifier or measure: say which measure", "measureId"
        )
    return _answer(here, asked, measures_asked(here, named))


@evaluate.route("/Measure/<measure_id>/$evaluate", methods=["GET", "POST"])
@reads("MeasureReport", "Patient")
def instance_level(measure_id: str) -> Response:
    """`[base]/Measure/<id>/$evaluate`: the measure is the one addressed."""
    here = service()
    if measure_id not in here.evaluators:
        raise refuse(404, "not-found", f"there is no Measure/{measure_id}; there are {', '.join(here.evaluators)}")
    asked = read(request, EvaluateParameters(), UNSUPPORTED)
    for name in (*sorted(NAMING), "measure"):
        if name in asked:
            raise refuse(400, "invalid", f"{name}: the address names the measure already", name)
    return _answer(here, asked, (measure_id,))


def _with_measures(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with `measure` (a reference, an id, or a canonical) said as measureId or measureUrl."""
    named = {name: list(asked[name]) for name in NAMING if name in asked}
    for value in asked.get("measure", ()):
        if "://" in value or value.startswith("urn:"):
            named.setdefault("measureUrl", []).append(value)
        else:
            named.setdefault("measureId", []).append(value.removeprefix("Measure/"))
    return named


def _answer(here: Service, asked: Mapping[str, Any], names: Sequence[str]) -> Response:
    chosen = [here.evaluators[name] for name in names]
    kind = REPORT_TYPES[asked["reportType"]] if "reportType" in asked else SUBJECT if "subject" in asked else POPULATION
    dimensions = _dimensions(asked, kind, chosen)
    types = types_read(chosen) | types_told_by(dimensions)
    require_read(*sorted(types))
    question = Question(
        measures=tuple(one.on(asked["periodStart"], asked["periodEnd"], here.today) for one in chosen),
        reporting=_reporting(here, asked),
        log=RequestLog.of_request(),
    )
    subject_type, subject_id = asked.get("subject", (None, None))
    if subject_type == "Patient":
        record = here.store.record_of_patient(subject_id, types=types)
        if record is None:
            raise refuse(404, "not-found", "subject: there is no such Patient", "subject")
        if kind == SUBJECT:
            return _one(record, question)
        records: Iterable[PatientRecord] = (record,)
    else:
        persons = None if subject_type is None and "practitioner" not in asked else panel_asked(here, asked)
        records = here.store.records(person_ids=persons, types=types)
    whose = "/".join(asked.get("subject") or asked.get("practitioner") or ("all",))
    strata = _strata(here, dimensions)
    if kind == POPULATION:
        return fhir(care_gaps_parameters([summaries(records, question, whose, strata)]))
    if kind == SUBJECT_LIST:
        group = None
        if subject_type == "Group":
            require_read("Group")  # the answer holds it
            group = here.store.resource("Group", subject_id)
        return fhir(care_gaps_parameters([subject_lists(records, question, whose, group, strata)]))
    bundles = (bundle for record in records if (bundle := _bundle(record, question, only_members=True)) is not None)
    first = next(bundles, None)  # before the answer begins: what fails at once fails as an error
    response = Response(written(first, bundles, question.log), content_type=f"{FHIR_JSON}; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response


def _dimensions(asked: Mapping[str, Any], kind: str, chosen: Sequence[Evaluator]) -> tuple[str, ...]:
    """What `stratify` names.

    Raises:
        Refusal: 400, with a word on what it goes with.
    """
    named = tuple(dict.fromkeys(asked.get("stratify", ())))
    if named and kind == SUBJECT:
        raise refuse(400, "invalid", f"stratify: goes with reportType {POPULATION} or {SUBJECT_LIST}", "stratify")
    for one in chosen if named and kind == POPULATION else ():
        if not can_be_stratified(one.measure):
            text = (
                f"stratify: only proportions of persons are told apart by strata; Measure/{one.measure.id} has others"
            )
            raise refuse(400, "not-supported", text, "stratify")
    return named


def _strata(here: Service, dimensions: tuple[str, ...]) -> Stratifying | None:
    if not dimensions:
        return None
    names = here.store.organization_names()
    context = strata_context(here.settings, here.today, names)
    return Stratifying(dimensions, context, here.settings["reporting.suppress_below"])


def _reporting(here: Service, asked: Mapping[str, Any]) -> Reporting:
    reporting = here.reporting()
    if "reporter" not in asked:
        return reporting
    organization = here.store.resource(*asked["reporter"])
    if organization is None:
        raise refuse(404, "not-found", "reporter: there is no such Organization", "reporter")
    require_read("Organization")
    return replace(reporting, reporter=organization)


# ------------------------------------------------------------------------------------------------ one person


def _one(record: PatientRecord, question: Question) -> Response:
    results, failed = question.ask(record)
    if not results:
        raise Refusal(500, [failure(name) for name in failed])
    return fhir(care_gaps_parameters([_person_bundle(record, results, failed, question)]))


def _bundle(record: PatientRecord, question: Question, *, only_members: bool) -> dict[str, Any] | None:
    """One person's Bundle; None for who is in no initial population, where only its members are wanted."""
    results, failed = question.ask(record)
    if only_members:
        results = members_only(results)
    return _person_bundle(record, results, failed, question) if results or failed else None


def _person_bundle(
    record: PatientRecord, results: Sequence[MeasureResult], failed: Sequence[str], question: Question
) -> dict[str, Any]:
    wanted = {f"Patient/{record.person_id}", *(reference for result in results for reference in result.evaluated)}
    wanted |= {
        value.reference
        for result in results
        for one in result.supplemental
        for value in one.values
        if value.reference is not None
    }
    return evaluation_bundle(
        [individual_measure_report(result, question.reporting) for result in results],
        [one for one in _resources(record) if f"{one['resourceType']}/{one.get('id')}" in wanted],
        question.reporting,
        outcome=operation_outcome([failure(name) for name in failed]) if failed else None,
    )


def _resources(record: PatientRecord) -> Iterator[Mapping[str, Any]]:
    yield record.patient
    for found in record.resources.values():
        yield from found
