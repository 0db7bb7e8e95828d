"""`$evaluate` (Da Vinci DEQM 5.0.0, OperationDefinition evaluate): type and instance level, GET and POST.

`reportType` subject answers with one Bundle a person (individual MeasureReports and the data they rest on), population
with one Bundle of summary MeasureReports. What goes wrong on a record is never silent: the person's Bundle, or that of
the summaries, holds an OperationOutcome which names the measure and, for summaries, how many records are left out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from fhir_profiles.deqm import (
    Reporting,
    care_gaps_parameters,
    evaluation_bundle,
    individual_measure_report,
    summary_measure_report,
)
from fhir_profiles.outcome import OutcomeIssue, operation_outcome
from gapsvc.api.access import reads, require_read
from gapsvc.api.answers import FHIR_JSON, Refusal, fhir, refuse
from gapsvc.api.care_gaps import NAMING, measures_asked, panel_asked
from gapsvc.api.gap_bundles import RequestLog, written
from gapsvc.api.parameters import FhirDate, Reference, Text, read
from gapsvc.api.service import Service, service
from gapsvc.evaluation.catalogue import types_read
from gapsvc.evaluation.evaluator import PreparedEvaluation
from gapsvc.evaluation.result import MeasureResult
from gapsvc.evaluation.summary import Summing
from gapsvc.records.record import PatientRecord

evaluate = Blueprint("evaluate", __name__)

SUBJECT, POPULATION = "subject", "population"
# DEQM's codes, and what earlier versions and other servers call them.
REPORT_TYPES = {
    "subject": SUBJECT,
    "individual": SUBJECT,
    "population": POPULATION,
    "summary": POPULATION,
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


class EvaluateParameters(Schema):
    """The `in` parameters that we support, with DEQM's cardinalities."""

    periodStart = FhirDate(required=True)  # noqa: N815 - FHIR's names
    periodEnd = FhirDate(required=True, last=True)  # noqa: N815
    reportType = fields.String(  # noqa: N815
        validate=validate.OneOf(
            list(REPORT_TYPES), error="expected subject or population, not {input!r} (subject-list is not supported)"
        )
    )
    subject = Reference("Patient", "Group")
    practitioner = Reference("Practitioner")
    reporter = Reference("Organization")
    measureId = fields.List(Text())  # noqa: N815
    measureIdentifier = fields.List(Text())  # noqa: N815
    measureUrl = fields.List(Text())  # noqa: N815
    measure = fields.List(Text())

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


@dataclass(frozen=True, slots=True)
class _Question:
    measures: tuple[PreparedEvaluation, ...]
    reporting: Reporting
    log: RequestLog


def _answer(here: Service, asked: Mapping[str, Any], names: Sequence[str]) -> Response:
    chosen = [here.evaluators[name] for name in names]
    types = types_read(chosen)
    kind = REPORT_TYPES[asked["reportType"]] if "reportType" in asked else SUBJECT if "subject" in asked else POPULATION
    require_read(*sorted(types))
    question = _Question(
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
    if kind == POPULATION:
        whose = "/".join(asked.get("subject") or asked.get("practitioner") or ("all",))
        return fhir(care_gaps_parameters([_summaries(records, question, whose)]))
    bundles = (bundle for record in records if (bundle := _bundle(record, question, only_members=True)) is not None)
    first = next(bundles, None)  # before the answer begins: what fails at once fails as an error
    response = Response(written(first, bundles, question.log), content_type=f"{FHIR_JSON}; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response


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


def _one(record: PatientRecord, question: _Question) -> Response:
    results, failed = _ask(record, question)
    if not results:
        raise Refusal(500, [_failure(name) for name in failed])
    return fhir(care_gaps_parameters([_person_bundle(record, results, failed, question)]))


def _bundle(record: PatientRecord, question: _Question, *, only_members: bool) -> dict[str, Any] | None:
    """One person's Bundle; None for who is in no initial population, where only its members are wanted."""
    results, failed = _ask(record, question)
    if only_members:
        results = [result for result in results if _is_member(result)]
    return _person_bundle(record, results, failed, question) if results or failed else None


def _is_member(result: MeasureResult) -> bool:
    return any(
        count for group in result.groups for name, count in group.populations.items() if name.startswith("initial")
    )


def _ask(record: PatientRecord, question: _Question) -> tuple[list[MeasureResult], list[str]]:
    results: list[MeasureResult] = []
    failed: list[str] = []
    for measure in question.measures:
        try:
            results.append(measure.evaluate(record))
        except Exception as error:  # noqa: BLE001 - whatever a rule meets in one record, the others are answered
            question.log.failed("a measure's rules failed on a record", error, measure=measure.measure.id)
            failed.append(measure.measure.id)
    return results, failed


def _person_bundle(
    record: PatientRecord, results: Sequence[MeasureResult], failed: Sequence[str], question: _Question
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
        outcome=operation_outcome([_failure(name) for name in failed]) if failed else None,
    )


def _resources(record: PatientRecord) -> Iterator[Mapping[str, Any]]:
    yield record.patient
    for found in record.resources.values():
        yield from found


def _failure(measure: str, records: int | None = None) -> OutcomeIssue:
    of = "this record" if records is None else f"{records} record(s), which are left out"
    text = f"the rules of Measure/{measure} failed on {of}; the service's log says where"
    return OutcomeIssue("error", "exception", diagnostics=text)


# ------------------------------------------------------------------------------------------------ many people


def _summaries(records: Iterable[PatientRecord], question: _Question, whose: str) -> dict[str, Any]:
    """One Bundle with a summary of each measure. Fails (500) where a measure's rules failed on every record."""
    sums = [Summing.of(one) for one in question.measures]
    failures = dict.fromkeys((one.measure.id for one in question.measures), 0)
    for record in records:
        results, failed = _ask(record, question)
        for result in results:
            next(one for one in sums if one.measure.id == result.measure_id).add(result)
        for name in failed:
            failures[name] += 1
    issues = [_failure(name, count) for name, count in failures.items() if count]
    summaries = [one.summary() for one in sums]
    if issues and not any(one.persons for one in summaries):
        raise Refusal(500, issues)
    for summary in summaries:
        issues += [
            OutcomeIssue("warning", "business-rule", diagnostics=f"Measure/{summary.measure_id}: {text}")
            for text in summary.problems
        ]
    return evaluation_bundle(
        [summary_measure_report(one, question.reporting, asked=whose) for one in summaries],
        (),
        question.reporting,
        outcome=operation_outcome(issues) if issues else None,
    )
