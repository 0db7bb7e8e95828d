"""`$evaluate` of many people as one: summary reports, by strata where asked, and subject lists.

A summary by strata is small-cell suppressed (setting `reporting.suppress_below`), for it is made to be passed on; one
without strata, and a subject list, tell a client that may read Patients no more than it could count itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fhir_profiles.deqm import evaluation_bundle, individual_measure_report, subject_list, summary_measure_report
from fhir_profiles.outcome import OutcomeIssue, operation_outcome
from gapsvc.api.answers import Refusal
from gapsvc.api.evaluating import Question, failure, members_only
from gapsvc.evaluation.evaluator import PreparedEvaluation
from gapsvc.evaluation.result import MeasureResult
from gapsvc.evaluation.rollup import Adding, Category, named_apart
from gapsvc.evaluation.strata import StrataContext, strata_of
from gapsvc.evaluation.stratified import POPULATIONS_SAID, stratified, told_apart
from gapsvc.evaluation.summary import MeasureSummary, Summing
from gapsvc.evaluation.suppression import suppress
from gapsvc.records.record import PatientRecord


@dataclass(frozen=True, slots=True)
class Stratifying:
    """By what people are told apart, and which counts are small."""

    dimensions: tuple[str, ...]
    context: StrataContext
    below: int


@dataclass(slots=True)
class _Counted:
    """Everybody asked: a sum of each measure, on how many records its rules failed, and what `each` is wanted for."""

    sums: Mapping[str, Summing]
    failures: dict[str, int]
    results: dict[str, list[MeasureResult]] = field(default_factory=dict[str, list[MeasureResult]])
    patients: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])

    def summaries(self) -> tuple[list[MeasureSummary], list[OutcomeIssue]]:
        """The summaries, and what has to be said of them.

        Raises:
            Refusal: 500, the rules of every measure failed on every record.
        """
        issues = [failure(name, count) for name, count in self.failures.items() if count]
        found = [one.summary() for one in self.sums.values()]
        if issues and not any(one.persons for one in found):
            raise Refusal(500, issues)
        return found, issues


def summaries(
    records: Iterable[PatientRecord], question: Question, whose: str, strata: Stratifying | None = None
) -> dict[str, Any]:
    """One Bundle with a summary of each measure, by strata where asked.

    Raises:
        Refusal: 500, a measure's rules failed on every record.
    """
    first = question.measures[0]
    adding = Adding(first.period_start, first.period_end, first.as_of)
    counted = _Counted(*_nobody(question))
    for record in records:
        results = _count(record, question, counted)
        if strata is not None:
            adding.add(results, strata_of(record, strata.context, strata.dimensions))
    found, issues = counted.summaries()
    said: Mapping[str, str] = {}
    if strata is not None:
        rollup = adding.rollup()
        suppression = suppress(rollup, strata.below)
        found = [stratified(one, rollup, suppression) for one in found]
        said = POPULATIONS_SAID
        whose = "/".join((whose, *strata.dimensions))
    issues += [_remark(one, text) for one in found for text in one.problems]
    reports = [summary_measure_report(one, question.reporting, asked=whose, said=said) for one in found if one.groups]
    return evaluation_bundle(reports, (), question.reporting, outcome=operation_outcome(issues) if issues else None)


def subject_lists(
    records: Iterable[PatientRecord],
    question: Question,
    whose: str,
    group: Mapping[str, Any] | None = None,
    strata: Stratifying | None = None,
) -> dict[str, Any]:
    """One Bundle with a subject list of each measure, by strata where asked, the Lists, and the individual reports and
    Patients in them.

    `group` is the Group that was asked for, which the reports are then about.

    Raises:
        Refusal: 500, a measure's rules failed on every record.
    """
    counted = _Counted(*_nobody(question))
    people: dict[str, Mapping[str, Category]] = {}
    for record in records:
        members = members_only(_count(record, question, counted))
        for result in members:
            counted.results.setdefault(result.measure_id, []).append(result)
        if members:
            counted.patients.append(record.patient)
            if strata is not None:
                people[members[0].subject] = strata_of(record, strata.context, strata.dimensions)
    found, issues = counted.summaries()
    issues += [_remark(one, text) for one in found for text in one.problems]
    if strata is not None:
        whose = "/".join((whose, *strata.dimensions))
    names = named_apart(category for one in people.values() for category in one.values())
    apart = {person: {dimension: names[one] for dimension, one in of.items()} for person, of in people.items()}
    reports: list[dict[str, Any]] = []
    inside: list[Mapping[str, Any]] = []
    for one, prepared in zip(found, question.measures, strict=True):
        results = counted.results.get(one.measure_id, [])
        told = results if strata is None else [told_apart(result, apart[result.subject]) for result in results]
        report, lists = subject_list(
            one if strata is None else _by_strata(one, prepared, told), told, question.reporting, asked=whose
        )
        reports.append(report if group is None else _about(report, group))
        inside += lists
        inside += [individual_measure_report(result, question.reporting) for result in results]
    inside += counted.patients if group is None else [*counted.patients, group]
    return evaluation_bundle(reports, inside, question.reporting, outcome=operation_outcome(issues) if issues else None)


def _by_strata(whole: MeasureSummary, prepared: PreparedEvaluation, members: Iterable[MeasureResult]) -> MeasureSummary:
    """The summary with the strata that its members' results are told apart by; who is no member is in none."""
    summing = Summing.of(prepared)
    for result in members:
        summing.add(result)
    return replace(whole, groups=summing.summary().groups)


def _about(report: Mapping[str, Any], group: Mapping[str, Any]) -> dict[str, Any]:
    return {**report, "subject": {"reference": f"Group/{group['id']}"}}


def _nobody(question: Question) -> tuple[dict[str, Summing], dict[str, int]]:
    names = [one.measure.id for one in question.measures]
    return dict(zip(names, map(Summing.of, question.measures), strict=True)), dict.fromkeys(names, 0)


def _count(record: PatientRecord, question: Question, counted: _Counted) -> Sequence[MeasureResult]:
    results, failed = question.ask(record)
    for result in results:
        counted.sums[result.measure_id].add(result)
    for name in failed:
        counted.failures[name] += 1
    return results


def _remark(summary: MeasureSummary, text: str) -> OutcomeIssue:
    return OutcomeIssue("warning", "business-rule", diagnostics=f"Measure/{summary.measure_id}: {text}")
