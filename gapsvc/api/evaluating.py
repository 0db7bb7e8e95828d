"""What the answers of `$evaluate` share: the question, and asking it of one record."""

from collections.abc import Sequence
from dataclasses import dataclass

from fhir_profiles.deqm import Reporting
from fhir_profiles.outcome import OutcomeIssue
from gapsvc.api.gap_bundles import RequestLog
from gapsvc.evaluation.evaluator import PreparedEvaluation
from gapsvc.evaluation.result import MeasureResult
from gapsvc.records.record import PatientRecord


@dataclass(frozen=True, slots=True)
class Question:
    """Measures bound to a period and a day, who reports, and where failures are logged."""

    measures: tuple[PreparedEvaluation, ...]
    reporting: Reporting
    log: RequestLog

    def ask(self, record: PatientRecord) -> tuple[list[MeasureResult], list[str]]:
        """The results for one record, and the ids of the measures whose rules failed on it."""
        results: list[MeasureResult] = []
        failed: list[str] = []
        for measure in self.measures:
            try:
                results.append(measure.evaluate(record))
            except Exception as error:  # noqa: BLE001 - whatever a rule meets in one record, the others are answered
                self.log.failed("a measure's rules failed on a record", error, measure=measure.measure.id)
                failed.append(measure.measure.id)
        return results, failed


def members_only(results: Sequence[MeasureResult]) -> list[MeasureResult]:
    """The results of measures in whose initial population the person is."""
    return [
        result
        for result in results
        if any(
            count for group in result.groups for name, count in group.populations.items() if name.startswith("initial")
        )
    ]


def failure(measure: str, records: int | None = None) -> OutcomeIssue:
    """That a measure's rules failed: on one record, or on so many."""
    of = "this record" if records is None else f"{records} record(s), which are left out"
    text = f"the rules of Measure/{measure} failed on {of}; the service's log says where"
    return OutcomeIssue("error", "exception", diagnostics=text)
