"""The answer of `$care-gaps`: one gaps Bundle a person, at once for one, as a stream for many.

A panel is written as it is evaluated, so a large one needs no more memory than a small one. Two things may go wrong
on the way, and neither is silent:

- A measure's rules fail on one record. The others are answered all the same; that person's Bundle holds an
  OperationOutcome (severity error, code exception) which names the measure. Where one person was asked for and no
  measure could be evaluated, the answer is a 500.
- The service fails (a lost database). What was sent can't be taken back, so the answer breaks off: the connection is
  closed before the JSON ends, and no client can take it for a whole answer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Response, current_app, g

from fhir_profiles.deqm import Reporting, care_gaps_parameters, gaps_bundle
from fhir_profiles.outcome import OutcomeIssue, operation_outcome
from fhir_profiles.plain import stable_id
from fhir_profiles.references import logical_reference, with_references
from fhir_profiles.terms import GAPS_BUNDLE, URI_SYSTEM
from gapsvc.api.answers import FHIR_JSON, Refusal, fhir
from gapsvc.evaluation.evaluator import PreparedEvaluation
from gapsvc.evaluation.result import MeasureResult
from gapsvc.records.record import PatientRecord
from gapsvc.telemetry import places


class AnswerBrokenOff(Exception):
    """A streamed answer can't be ended. Carries nothing: servers log what ends a stream."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every person: measures bound to a period and a day, which gap statuses, in which form."""

    measures: tuple[PreparedEvaluation, ...]
    statuses: frozenset[str]
    document: bool
    reporting: Reporting


@dataclass(frozen=True, slots=True)
class _Found:
    """One person's answer: a Bundle, if there is something to say, and the measures whose rules failed."""

    bundle: dict[str, Any] | None
    failed: tuple[str, ...]


def answer_person(record: PatientRecord, question: Question) -> Response:
    """The answer for one person.

    Raises:
        Refusal: 500, no measure could be evaluated.
    """
    found = _ask(record, question, RequestLog.of_request())
    if found.failed and len(found.failed) == len(question.measures):
        raise Refusal(500, [_issue(name) for name in found.failed])
    return fhir(care_gaps_parameters([found.bundle] if found.bundle is not None else []))


def answer_panel(records: Iterable[PatientRecord], question: Question) -> Response:
    """The answer for many: a stream. The first Bundle is made before the answer begins, so that what fails at once
    fails as an error."""
    log = RequestLog.of_request()
    bundles = (found.bundle for record in records if (found := _ask(record, question, log)).bundle is not None)
    first = next(bundles, None)
    response = Response(written(first, bundles, log), content_type=f"{FHIR_JSON}; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response


def written(first: Any, others: Iterator[Any], log: "RequestLog") -> Iterator[bytes]:
    """Parameters with one `return` a Bundle, as they are made.

    Raises:
        AnswerBrokenOff: a Bundle could not be made; the JSON is left without its end.
    """
    if first is None:
        yield orjson.dumps(care_gaps_parameters([]))
        return
    yield b'{"resourceType":"Parameters","parameter":[{"name":"return","resource":' + orjson.dumps(first)
    sent = 1
    try:
        for bundle in others:
            yield b'},{"name":"return","resource":' + orjson.dumps(bundle)
            sent += 1
    except Exception as error:  # noqa: BLE001 - whatever it is, servers would log it with the data that it quotes
        log.failed("an answer broke off", error, sent=sent)
        raise AnswerBrokenOff from None
    yield b"}]}"


@dataclass(frozen=True, slots=True)
class RequestLog:
    """The log with the request's id, which outlives the request's context in a stream."""

    log: Any
    request_id: str

    @staticmethod
    def of_request() -> "RequestLog":
        return RequestLog(current_app.extensions["gapsvc.log"], g.request_id)

    def failed(self, event: str, error: Exception, **said: Any) -> None:
        self.log.error(event, request_id=self.request_id, error=type(error).__name__, place=places(error), **said)


def _ask(record: PatientRecord, question: Question, log: RequestLog) -> _Found:
    results: list[MeasureResult] = []
    failed: list[str] = []
    for measure in question.measures:
        try:
            results.append(measure.evaluate(record))
        except Exception as error:  # noqa: BLE001 - whatever a rule meets in one record, the others are answered
            log.failed("a measure's rules failed on a record", error, measure=measure.measure.id)
            failed.append(measure.measure.id)
    bundle = gaps_bundle(
        results,
        [resource for found in record.resources.values() for resource in found],
        question.reporting,
        document=question.document,
        statuses=question.statuses,
    )
    if failed:
        bundle = _with_failures(bundle, record, question.reporting, failed)
    return _Found(bundle, tuple(failed))


def _with_failures(
    bundle: dict[str, Any] | None, record: PatientRecord, reporting: Reporting, failed: list[str]
) -> dict[str, Any]:
    """The Bundle with an OperationOutcome at its end; where there is none, one with the Patient and that."""
    key = (record.person_id, *failed, reporting.moment)
    outcome_id = stable_id("OperationOutcome", *key)
    outcome = {
        "fullUrl": reporting.full_url(f"OperationOutcome/{outcome_id}"),
        "resource": {**operation_outcome([_issue(name) for name in failed]), "id": outcome_id},
    }
    if bundle is not None:
        return {**bundle, "entry": [*bundle["entry"], outcome]}
    alone = with_references(record.patient, logical_reference)  # nothing that it refers to is in the Bundle
    patient = {"fullUrl": reporting.full_url(f"Patient/{record.person_id}"), "resource": alone}
    return {
        "resourceType": "Bundle",
        "id": stable_id("Bundle.failed", *key),
        "meta": {"profile": [GAPS_BUNDLE]},
        "identifier": {"system": URI_SYSTEM, "value": f"urn:uuid:{stable_id('Bundle.failed.identifier', *key)}"},
        "type": "collection",
        "timestamp": reporting.moment,
        "entry": [patient, outcome],
    }


def _issue(measure: str) -> OutcomeIssue:
    text = (
        f"the rules of Measure/{measure} failed on this record, so its gaps are not known; the service's log says where"
    )
    return OutcomeIssue("error", "exception", diagnostics=text)
