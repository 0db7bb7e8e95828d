"""Keeping results: the latest of each person, measure and period, whole, and a row per rate for lists and roll-ups."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from fhir_profiles.deqm import measure_report_id
from gapsvc.evaluation.result import GapStatus, GroupResult, MeasureResult
from gapsvc.evaluation.serialize import from_json, to_json
from gapsvc.store import tables as t
from gapsvc.store.affiliation import affiliated
from gapsvc.store.database import Connected
from gapsvc.store.dialect import chunks, rows

_EXCLUDED = ("denominator-exclusion", "denominator-exception")


@dataclass(frozen=True, slots=True)
class RateSummary:
    """How one rate of a measure stands over a period; counts are of persons.

    `denominator` counts those that remain once exclusions and exceptions are taken off; `numerator` is among them.
    `final_denominator` and `final_numerator` are of those whose last day (or the period) is past (see RateTally).
    `statuses` and `outlooks` count those in the initial population.
    """

    group_id: str
    initial_population: int
    excluded: int
    denominator: int
    numerator: int
    final_denominator: int
    final_numerator: int
    statuses: Mapping[str, int]
    outlooks: Mapping[str, int]

    @property
    def outside(self) -> int:
        """Who is in the initial population and not in the denominator (of the population "plan": not enrolled)."""
        return self.initial_population - self.excluded - self.denominator

    @property
    def rate(self) -> float | None:
        """numerator / denominator; None where nobody is in the denominator."""
        return self.numerator / self.denominator if self.denominator else None

    @property
    def final_rate(self) -> float | None:
        """The rate over those whose result is final; None where there is nobody yet."""
        return self.final_numerator / self.final_denominator if self.final_denominator else None


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One page of a search for results; `total` counts all that match."""

    total: int
    results: tuple[MeasureResult, ...]


class ResultStoring(Connected):
    """The store's side for results."""

    def save_results(self, results: Iterable[MeasureResult], revisions: Mapping[str, int] | None = None) -> int:
        """Save results, each in place of the earlier one of its person, measure and period; how many were saved.

        `revisions` are those of the records that were evaluated (`Store.revisions`, read before the records), so
        that a record changed meanwhile is evaluated again; without it the records are taken to be the present ones.
        Results of persons that are no more (linked into another since) are left out.
        """
        saved = 0
        for chunk in chunks(results, 500):
            with self._writing() as connection:
                saved += _save(connection, chunk, revisions)
        return saved

    def results(
        self,
        person_id: str | None = None,
        *,
        person_ids: Collection[str] | None = None,
        measure_url: str | None = None,
        period: tuple[date, date] | None = None,
        statuses: Collection[GapStatus] | None = None,
        organization: str | None = None,
        practitioner: str | None = None,
    ) -> Iterator[MeasureResult]:
        """Stored results that match all that is given, sorted by person, measure and period.

        `statuses` keeps results with at least one rate of such a status. All matching results are read in pages of
        persons, so memory is bounded.
        """
        r = t.result
        query = sa.select(r.c.body).order_by(r.c.person_id, r.c.measure_url, r.c.period_start, r.c.period_end)
        if measure_url is not None:
            query = query.where(r.c.measure_url == measure_url)
        if period is not None:
            query = query.where(r.c.period_start == period[0], r.c.period_end == period[1])
        if statuses is not None:
            query = query.where(
                sa.exists().where(t.gap.c.result_id == r.c.id, t.gap.c.status.in_([str(one) for one in statuses]))
            )
        for kind, wanted in (("Organization", organization), ("Practitioner", practitioner)):
            if wanted is not None:
                with self._reading() as connection:
                    query = query.where(
                        r.c.person_id.in_(affiliated(connection, kind, wanted.removeprefix(f"{kind}/")))
                    )
        if person_id is not None:
            query = query.where(r.c.person_id == person_id)
        if person_ids is not None:
            pages: Iterable[Any] = chunks(sorted(person_ids), 500)
            for page in pages:
                yield from self._fetch(query.where(r.c.person_id.in_(page)))
        elif person_id is not None:
            yield from self._fetch(query)
        else:
            yield from self._keyset(query)

    def result_of_report(self, report_id: str) -> MeasureResult | None:
        """The stored result whose MeasureReport has this id; None: unknown."""
        page = self.search_results(report_ids=[report_id], count=1)
        return page.results[0] if page.results else None

    def search_results(
        self,
        *,
        report_ids: Collection[str] | None = None,
        person_ids: Collection[str] | None = None,
        measure_url: str | None = None,
        count: int = 50,
        offset: int = 0,
    ) -> ResultPage:
        """One page of the stored results that match all that is given, sorted by person, measure and period.

        `report_ids` are ids of their MeasureReports.
        """
        r = t.result
        query = sa.select(r.c.body)
        for column, wanted in ((r.c.report_id, report_ids), (r.c.person_id, person_ids)):
            if wanted is not None:
                query = query.where(column.in_(sorted(wanted)))
        if measure_url is not None:
            query = query.where(r.c.measure_url == measure_url)
        page = query.order_by(r.c.person_id, r.c.measure_url, r.c.period_start, r.c.period_end)
        with self._reading() as connection:
            total = connection.execute(query.with_only_columns(sa.func.count(r.c.id))).scalar_one()
            bodies = connection.execute(page.limit(count).offset(offset)).scalars().all()
        return ResultPage(total, tuple(from_json(bytes(body)) for body in bodies))

    def _keyset(self, query: sa.Select[Any]) -> Iterator[MeasureResult]:
        # Page by person, so that no transaction stays open while the reader works.
        r = t.result
        after = ""
        while True:
            people = (
                query.with_only_columns(r.c.person_id)
                .where(r.c.person_id > after)
                .order_by(None)
                .order_by(r.c.person_id)
                .limit(500)
            )
            with self._reading() as connection:
                found = connection.execute(people).scalars().all()
            if not found:
                return
            yield from self._fetch(query.where(r.c.person_id > after, r.c.person_id <= found[-1]))
            after = found[-1]

    def _fetch(self, query: sa.Select[Any]) -> list[MeasureResult]:
        with self._reading() as connection:
            bodies = connection.execute(query).scalars().all()
        return [from_json(bytes(body)) for body in bodies]

    def summary(
        self,
        measure_url: str,
        period: tuple[date, date],
        as_of: date,
        *,
        organization: str | None = None,
        practitioner: str | None = None,
    ) -> tuple[RateSummary, ...]:
        """How each rate of a measure stands, in the order of group ids; empty where nothing was evaluated.

        `as_of` is the day that decides whose last day is past (a result may have been stored before and still hold).
        """
        g = t.gap
        flags = (g.c.initial_population, g.c.denominator, g.c.excluded, g.c.numerator)
        final = sa.func.coalesce(g.c.last_day, g.c.period_end) < sa.literal(as_of, sa.Date, literal_execute=True)
        columns = (g.c.group_id, g.c.status, g.c.outlook, *flags, final.label("final"))
        query = (
            sa.select(*columns, sa.func.count())
            .where(g.c.measure_url == measure_url, g.c.period_start == period[0], g.c.period_end == period[1])
            .group_by(*columns)
            .order_by(*columns)
        )
        with self._reading() as connection:
            for kind, wanted in (("Organization", organization), ("Practitioner", practitioner)):
                if wanted is not None:
                    belong = affiliated(connection, kind, wanted.removeprefix(f"{kind}/"))
                    query = query.where(g.c.person_id.in_(belong))
            found = connection.execute(query).all()
        by_group: dict[str, list[Any]] = {}
        for row in found:
            by_group.setdefault(row[0], []).append(row)
        return tuple(_summary(group_id, rows) for group_id, rows in by_group.items())

    def due_for_evaluation(
        self, measure_url: str, period: tuple[date, date], as_of: date, measure_version: str
    ) -> list[str]:
        """Persons whose stored result of a measure and period no longer holds, sorted.

        None is stored, or it is of another version of the measure or of a later day; their record changed since; or
        its day of change has come.
        """
        r, p = t.result, t.person
        fresh = (
            sa.exists()
            .where(r.c.person_id == p.c.id, r.c.measure_url == measure_url)
            .where(r.c.period_start == period[0], r.c.period_end == period[1])
            .where(r.c.measure_version == measure_version, r.c.revision == p.c.revision, r.c.as_of <= as_of)
            .where(sa.or_(r.c.changes_on.is_(None), r.c.changes_on > as_of))
        )
        with self._reading() as connection:
            return list(connection.execute(sa.select(p.c.id).where(~fresh).order_by(p.c.id)).scalars())


def _summary(group_id: str, found: Iterable[Any]) -> RateSummary:
    counts = dict.fromkeys(
        ("initial_population", "excluded", "denominator", "numerator", "final_denominator", "final_numerator"), 0
    )
    statuses: dict[str, int] = {}
    outlooks: dict[str, int] = {}
    for _group, status, outlook, initial, denominator, excluded, numerator, final, number in found:
        if not initial:
            continue
        counts["initial_population"] += number
        if excluded:
            counts["excluded"] += number
        elif denominator:
            counts["denominator"] += number
            counts["numerator"] += number if numerator else 0
            counts["final_denominator"] += number if final else 0
            counts["final_numerator"] += number if final and numerator else 0
        statuses[status] = statuses.get(status, 0) + number
        outlooks[outlook] = outlooks.get(outlook, 0) + number
    return RateSummary(group_id=group_id, statuses=statuses, outlooks=outlooks, **counts)


def _save(connection: sa.Connection, results: list[MeasureResult], revisions: Mapping[str, int] | None) -> int:
    people = sorted({_person(result) for result in results})
    present = {row[0]: row[1] for row in rows(connection, "SELECT id, revision FROM person WHERE id IN (?*)", people)}
    kept = {
        (_person(result), result.measure_url, result.period_start, result.period_end): result
        for result in results
        if _person(result) in present
    }
    if not kept:
        return 0
    r = t.result
    replaced: list[dict[str, Any]] = [dict(zip(("person", "url", "start", "end"), key, strict=True)) for key in kept]
    old = sa.and_(
        r.c.person_id == sa.bindparam("person"),
        r.c.measure_url == sa.bindparam("url"),
        r.c.period_start == sa.bindparam("start"),
        r.c.period_end == sa.bindparam("end"),
    )
    connection.execute(sa.delete(r).where(old), replaced)
    taken = present if revisions is None else revisions
    ids = connection.execute(
        sa.insert(r).returning(r.c.id, sort_by_parameter_order=True),
        [
            {
                "report_id": measure_report_id(result),
                "person_id": key[0],
                "measure_id": result.measure_id,
                "measure_url": result.measure_url,
                "measure_version": result.measure_version,
                "period_start": result.period_start,
                "period_end": result.period_end,
                "as_of": result.as_of,
                "changes_on": min(
                    (group.gap.changes_on for group in result.groups if group.gap.changes_on), default=None
                ),
                "revision": taken.get(key[0], 0),
                "body": to_json(result),
            }
            for key, result in kept.items()
        ],
    ).scalars()
    gaps = [
        _gap_row(result_id, result, group)
        for result_id, result in zip(ids, kept.values(), strict=True)
        for group in result.groups
    ]
    if gaps:
        connection.execute(sa.insert(t.gap), gaps)
    return len(kept)


def _person(result: MeasureResult) -> str:
    return result.subject.removeprefix("Patient/")


def _gap_row(result_id: int, result: MeasureResult, group: GroupResult) -> dict[str, Any]:
    gap, populations = group.gap, group.populations
    return {
        "result_id": result_id,
        "group_id": group.id,
        "person_id": _person(result),
        "measure_url": result.measure_url,
        "period_start": result.period_start,
        "period_end": result.period_end,
        "status": str(gap.status),
        "outlook": str(gap.outlook),
        "initial_population": populations.get("initial-population", 0) > 0,
        "denominator": populations.get("denominator", 0) > 0,
        "excluded": any(populations.get(code, 0) > 0 for code in _EXCLUDED),
        "numerator": populations.get("numerator", 0) > 0 and not populations.get("numerator-exclusion"),
        "due_from": gap.due_from,
        "due_by": gap.due_by,
        "last_day": gap.last_day,
        "changes_on": gap.changes_on,
    }
