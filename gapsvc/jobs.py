"""Background work: pulling a source into the store, and evaluating everybody who is due.

A pull may stop anywhere. Each batch is written with its checkpoint in one transaction, so what was read stays, and
the next pull goes on behind it. A type that the source refuses is reported and left for the next pull; the others are
read all the same.
"""

import gc
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from time import monotonic
from typing import Any, Protocol

from adapters.base import Batch, Source, SourceError, SourceUnreachable
from cql_like import CqlRuntimeError
from gapsvc.evaluation.result import MeasureResult
from gapsvc.records.record import PatientRecord
from gapsvc.store import BatchCounts, LinkCounts, Pull, Reading, Store

# (resource type, resources so far, what the source says there is in all or None)
PullProgress = Callable[[str, int, int | None], None]
# (persons done, persons in all)
EvaluationProgress = Callable[[int, int], None]


# Batches are committed together up to so many resources or seconds: index pages that several of them touch are then
# written once, which doubles the speed; a crash costs no more than reading these again.
COMMIT_RESOURCES = 5000
COMMIT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class TypeReport:
    """What a pull did with one type of the stream. `error` says why its reading stopped; None: it is complete."""

    counts: BatchCounts
    repairs: Mapping[str, int] = field(default_factory=dict[str, int])  # repair code -> resources
    rejections: Mapping[str, int] = field(default_factory=dict[str, int])  # rejection code -> resources
    notices: tuple[str, ...] = ()
    since: str | None = None
    resumed: bool = False
    error: str | None = None
    unreachable: bool = False  # the error is that the source gave no answer at all


@dataclass(frozen=True, slots=True)
class PullReport:
    """What a pull did. `types` is in the order of reading."""

    source: str
    pull_id: int
    types: Mapping[str, TypeReport]
    linked: LinkCounts

    @property
    def complete(self) -> bool:
        """Whether every type was read to its end."""
        return all(report.error is None for report in self.types.values())

    @property
    def counts(self) -> BatchCounts:
        """All types together."""
        return sum((report.counts for report in self.types.values()), BatchCounts())


class PatientCrawl(Protocol):
    """A source that can read given patients' resources. Where it can, new patients bypass `since`."""

    def patient_batches(self, resource_type: str, patient_ids: Sequence[str]) -> Iterator[Batch]:
        """All resources of one type of these patients, however old."""
        ...


def utc_now() -> datetime:
    """The time, for whoever may ask: jobs, never rules."""
    return datetime.now(UTC)


@contextmanager
def _few_collections() -> Iterator[None]:
    # Parsed JSON has no cycles, so looking for some in every batch is a quarter of a pull's time for nothing.
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], 500_000), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def pull(
    store: Store,
    source: Source,
    types: Iterable[str],
    *,
    now: datetime | None = None,
    progress: PullProgress | None = None,
    whole: bool = False,
    commit_resources: int = COMMIT_RESOURCES,
    clock: Callable[[], datetime] = utc_now,
) -> PullReport:
    """Read `types` of `source` into the store, Patients first; then link the patients that changed.

    Each type is read from where an unfinished reading stopped, else what the source says is new since the last
    complete reading (`whole`: everything). A source that reads by type says what is new about any patient, so a
    new one needs no special care; one that reads by patient (`PatientCrawl`) is asked for everything of patients
    that are new here, since their records may be older than `since`.

    Args:
        now: when the pull starts, with a time zone; by the clock where None.
        progress: called after every commit.
        commit_resources: how many resources are committed together at most, give or take a batch.

    Raises:
        Only what is no fault of the source: a database that can't be written, a signal. What was read stays.
    """
    started = clock() if now is None else now
    under_way = store.begin_pull(source.name, started)
    ordered = sorted(dict.fromkeys(types), key=lambda name: name != "Patient")
    reports: dict[str, TypeReport] = {}
    with _few_collections():
        for name in ordered:
            if any(report.unreachable for report in reports.values()):  # the next type would wait as long in vain
                reports[name] = TypeReport(BatchCounts(), error="not asked for: the source can't be reached")
            else:
                reports[name] = _pull_type(store, under_way, source, name, started, progress, whole, commit_resources)
    linked = store.link()
    report = PullReport(source.name, under_way.id, reports, linked)
    store.end_pull(under_way, clock(), ordered, complete=report.complete)
    return report


def _pull_type(
    store: Store,
    under_way: Pull,
    source: Source,
    resource_type: str,
    started: datetime,
    progress: PullProgress | None,
    whole: bool,
    commit_resources: int,
) -> TypeReport:
    reading = store.begin_type(under_way, resource_type, started, whole=whole)
    counts = BatchCounts()
    repairs: Counter[str] = Counter()
    rejections: Counter[str] = Counter()
    notices: dict[str, None] = {}
    error: str | None = None
    unreachable = False
    seen = 0
    try:
        for group in _committed_together(_batches(store, under_way, source, reading), commit_resources):
            counts += store.write_batches(under_way, group)
            for batch in group:
                repairs.update(code for item in batch.fetched for code in set(item.repairs))
                rejections.update(item.code for item in batch.rejected)
                notices.update(dict.fromkeys(batch.notices))
                seen += _size(batch)
            if progress is not None:
                progress(resource_type, seen, group[-1].total)
        store.end_type(under_way, resource_type)
    except SourceError as stopped:
        error, unreachable = str(stopped), isinstance(stopped, SourceUnreachable)
    if counts.contradicted:
        told = f"{counts.contradicted:,} come more than once with different birth dates; the last one counts"
        notices = {f"{told}. Correct the source.": None} | notices
    return TypeReport(
        counts=counts,
        repairs=dict(sorted(repairs.items())),
        rejections=dict(sorted(rejections.items())),
        notices=tuple(notices),
        since=reading.since,
        resumed=reading.resumed,
        error=error,
        unreachable=unreachable,
    )


def _size(batch: Batch) -> int:
    return len(batch.fetched) + len(batch.rejected)


def _committed_together(batches: Iterator[Batch], resources: int) -> Iterator[list[Batch]]:
    """Batches in groups. What had arrived when the source failed is still given, and then the failure."""
    group: list[Batch] = []
    waiting = 0
    since = monotonic()
    try:
        for batch in batches:
            group.append(batch)
            waiting += _size(batch)
            if waiting >= resources or monotonic() - since >= COMMIT_SECONDS:
                yield group
                group, waiting, since = [], 0, monotonic()
    except Exception:
        if group:
            yield group
        raise
    if group:
        yield group


def _batches(store: Store, under_way: Pull, source: Source, reading: Reading) -> Iterator[Batch]:
    crawl = getattr(source, "patient_batches", None)
    if crawl is not None and reading.since is not None and reading.resource_type != "Patient":
        newcomers = store.unlinked_patients(under_way.source)
        if newcomers:
            for batch in crawl(reading.resource_type, newcomers):
                # The checkpoint is the stream's, which hasn't moved yet.
                yield replace(batch, resource_type=reading.resource_type, cursor=reading.cursor)
    yield from source.batches(reading.resource_type, since=reading.since, cursor=reading.cursor)


class Evaluator(Protocol):
    """What evaluates a record by one measure (gapsvc.evaluation.evaluator.Evaluator)."""

    @property
    def measure(self) -> Any: ...

    def evaluate(self, record: PatientRecord, period_start: date, period_end: date, as_of: date) -> MeasureResult: ...


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """What an evaluation did: persons looked at, results saved, and whose evaluation failed.

    `failures` maps a measure's id to the persons on whose records its logic ended in an error: they keep their earlier
    result, if any, and stay due.
    """

    persons: int
    results: int
    failures: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


def evaluate_all(
    store: Store,
    evaluators: Sequence[Evaluator],
    period: tuple[date, date],
    as_of: date,
    *,
    progress: EvaluationProgress | None = None,
    person_ids: Collection[str] | None = None,
    types: Collection[str] | None = None,
    everybody: bool = False,
    chunk: int = 500,
) -> EvaluationReport:
    """Evaluate each measure for whom its stored result no longer holds, and save the results, a chunk at a time.

    Due is who has no result for the period, whose record or whose measure's version changed, or whose result's
    day of change has come by `as_of`; `everybody` evaluates them all. Stopped and begun again it goes on.

    Args:
        period: first and last day, both inclusive.
        person_ids: only these persons.
        types: the resource types that the measures read (None: all that are stored).
    """
    due: dict[str, list[Evaluator]] = {}
    everyone = store.person_ids() if everybody else []
    for evaluator in evaluators:
        measure = evaluator.measure
        names = everyone if everybody else store.due_for_evaluation(measure.url, period, as_of, measure.version)
        for name in names:
            due.setdefault(name, []).append(evaluator)
    wanted = sorted(due if person_ids is None else due.keys() & set(person_ids))
    saved = 0
    failures: dict[str, list[str]] = {}

    def evaluated(record: PatientRecord) -> Iterator[MeasureResult]:
        for evaluator in due[record.person_id]:
            try:
                yield evaluator.evaluate(record, *period, as_of)
            except CqlRuntimeError:  # one record that a measure's logic can't take must not stop the others
                failures.setdefault(evaluator.measure.id, []).append(record.person_id)

    for at in range(0, len(wanted), chunk):
        part = wanted[at : at + chunk]
        revisions = store.revisions(part)  # before the records: a change in between makes them due again
        records = store.records(part, types=types)
        saved += store.save_results([result for record in records for result in evaluated(record)], revisions)
        if progress is not None:
            progress(min(at + chunk, len(wanted)), len(wanted))
    return EvaluationReport(len(wanted), saved, {name: tuple(people) for name, people in failures.items()})
