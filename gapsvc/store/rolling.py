"""Roll-ups of stored results: each rate counted, whole and by stratum, without reading the results themselves.

The rows of `gap` say in which populations a person is; strata are decided anew from the records, of which only the
resource types that the wanted dimensions need are read.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from types import MappingProxyType

import orjson
import sqlalchemy as sa

from gapsvc.evaluation.rollup import Adding, Category, Rollup, bits
from gapsvc.evaluation.strata import StrataContext, names_of, strata_of, types_told_by, visits_decide
from gapsvc.measures import MeasureDefinition
from gapsvc.records.record import PatientRecord
from gapsvc.store.database import Connected
from gapsvc.store.dialect import chunks, rows
from gapsvc.store.reading import read_records

_CHUNK = 500  # persons at a time
_RATES = """
SELECT g.person_id, g.measure_url, g.group_id, g.status, g.initial_population, g.excluded, g.denominator, g.numerator,
       COALESCE(g.last_day, g.period_end) < ? AS final
FROM gap g
WHERE g.person_id IN (?*) AND g.measure_url IN (?*) AND g.period_start = ? AND g.period_end = ?"""
_PERSONS = "SELECT id FROM person ORDER BY id"
_ORGANIZATIONS = """
SELECT body FROM resource
WHERE source_id IN (SELECT id FROM source) AND type = 'Organization' ORDER BY source_id, id"""


class RollingUp(Connected):
    """The store's side for roll-ups."""

    def organization_names(self) -> Mapping[str, str]:
        """Names of organizations by reference ("Organization/7"); the source registered first names one."""
        with self._reading() as connection:
            return names_of(orjson.loads(row[0]) for row in rows(connection, _ORGANIZATIONS))

    def rollup(
        self,
        measures: Sequence[MeasureDefinition],
        period: tuple[date, date],
        context: StrataContext,
        dimensions: Iterable[str],
        *,
        person_ids: Collection[str] | None = None,
    ) -> Rollup:
        """The rates of stored results of these measures over a period, as of `context.as_of`.

        Who has no result of a measure stored is counted in none of its rates. `persons` counts everybody looked at
        (`person_ids`, or all).

        Raises:
            ValueError: there is no such dimension.
        """
        wanted = tuple(dict.fromkeys(dimensions))
        types = types_told_by(wanted)
        adding = Adding(*period, context.as_of)
        by_url = {measure.url: measure for measure in measures}
        groups = {measure.id: {group.id: group.title for group in measure.groups} for measure in measures}
        with self._reading() as connection:
            everybody = [row[0] for row in rows(connection, _PERSONS)] if person_ids is None else sorted(person_ids)
        for part in chunks(everybody, _CHUNK):
            with self._reading() as connection:
                strata = {
                    one.person_id: strata_of(one, context, wanted)
                    for one in (self._telling(connection, part, types) if wanted else ())
                }
                found = rows(connection, _RATES, *_written(context.as_of), part, list(by_url), *_written(*period))
            rates: dict[tuple[str, str], dict[str, int]] = {}
            for person, url, group, status, initial, excluded, denominator, numerator, final in found:
                rates.setdefault((person, by_url[url].id), {})[group] = bits(
                    initial=bool(initial) and status != "not-applicable",
                    excluded=bool(excluded),
                    denominator=bool(denominator),
                    numerator=bool(numerator),
                    final=bool(final),
                )
            adding.persons += len(part)
            for (person, measure), by_group in rates.items():
                titles = groups[measure]
                adding.count(
                    measure, titles, (by_group.get(group, 0) for group in titles), strata.get(person, _NO_STRATA)
                )
        return adding.rollup()

    def _telling(self, connection: sa.Connection, part: list[str], types: frozenset[str]) -> list[PatientRecord]:
        """Records with what strata are decided from: Encounters, the most of a record, only where they decide."""
        found = read_records(connection, part, types - {"Encounter"}, self._code_maps)
        if "Encounter" not in types:
            return found
        undecided = [one.person_id for one in found if visits_decide(one)]
        whole = {one.person_id: one for one in read_records(connection, undecided, types, self._code_maps)}
        return [whole.get(one.person_id, one) for one in found]


_NO_STRATA: Mapping[str, Category] = MappingProxyType({})


def _written(*days: date) -> tuple[str, ...]:
    """Days as both databases read them in plain SQL."""
    return tuple(day.isoformat() for day in days)
