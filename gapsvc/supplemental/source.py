"""A delimited file as a Source (adapters.base), and any Source marked as supplemental.

Each type is one pass over the file, so that memory is bounded whatever its length. Rows that can't be used are kept
aside whole, with FILE:LINE:COLUMN and the reason, under the type that they would have been.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson

from adapters.base import Batch, Fetched, JsonObject, Rejected, Source, SourceError
from gapsvc.records.references import SUPPLEMENTAL, is_supplemental
from gapsvc.supplemental.csvfile import DelimitedFile, FileLimits, Row
from gapsvc.supplemental.mapping import Mapping
from gapsvc.supplemental.remembered import Contents
from gapsvc.supplemental.rows import Converted, RowConverter, source_uri

BATCH_ROWS = 1000
_PATIENTS_REMEMBERED = 200_000  # so many Patients are not told twice in one pass

# (identifier system, (identifier value, birth date)s) -> those of them that another source has a Patient of.
KnownPeople = Callable[[str, Collection[tuple[str, str]]], Collection[tuple[str, str]]]


@dataclass(slots=True)
class _Pass:
    """One reading of the file, for one type. What concerns whole rows is told in the pass of the type `home`."""

    type: str
    home: str
    contents: Contents
    told: set[str] = field(default_factory=set[str])  # Patients
    left_out: int = 0
    passed: int = 0

    def notices(self) -> tuple[str, ...]:
        """What is said at the end, of all rows."""
        found: list[str] = []
        if self.left_out and self.type == self.home:
            found.append(
                f"left out: rows of people whom no other source has (by identifier and birth date): "
                f"{self.left_out:,}; unmatched = 'keep' in the mapping's [person] takes them"
            )
        if self.passed and self.type == self.home:
            found.append(f"left out: rows of no kind that the mapping takes: {self.passed:,}")
        if shared := self.contents.contradicted():
            found.append(
                f"{shared:,} rows have the id of another row and say something else: the last one counts. Do the "
                "columns in `id` name a row?"
            )
        return tuple(found)


class CsvSource:
    """One delimited file with its mapping.

    Args:
        path: the file, plain or gzipped.
        name: the source's name in the store.
        mapping: what its columns mean.
        known: who is in the store; needed where the mapping reports rows of nobody.
        seen: told of the ids that the file holds, per batch: (type, id)s, and whether any row's id can't be known.

    Raises:
        SourceError: the file can't be read, or lacks a column that the mapping names.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        mapping: Mapping,
        *,
        known: KnownPeople | None = None,
        seen: Callable[[Collection[tuple[str, str]], bool], None] | None = None,
        limits: FileLimits | None = None,
    ) -> None:
        self._path = path
        self._name = name
        self._mapping = mapping
        self._known = known if mapping.person.unmatched == "report" else None
        self._seen = seen
        self._limits = limits or FileLimits()
        with DelimitedFile(path, mapping.layout, self._limits) as file:
            self._convert = RowConverter(mapping, name, _places(path, file.heading, mapping)).convert

    @property
    def name(self) -> str:
        return self._name

    def resource_types(self) -> tuple[str, ...]:
        """What the rows become, Patient first."""
        return self._mapping.types

    def batches(self, resource_type: str, *, since: str | None = None, cursor: str | None = None) -> Iterator[Batch]:
        """The rows' resources of one type; see `Source.batches`.

        `since` is not used: a file doesn't say what changed (ingest is idempotent). A cursor into a file that has
        changed, or was read by another mapping, starts it again.
        """
        stamp = self._stamp()
        done = _rows_done(cursor, stamp)
        last: Batch | None = None
        chunk: list[Row] = []
        with DelimitedFile(self._path, self._mapping.layout, self._limits) as file, Contents() as contents:
            reading = _Pass(resource_type, self._mapping.resources[0].kind.type, contents)
            for number, row in enumerate(file.rows(), 1):
                if number <= done:
                    continue
                chunk.append(row)
                if len(chunk) == BATCH_ROWS:
                    if last is not None:
                        yield last
                    # Held back by one, so that the last one can say that the type is complete.
                    last = self._batch(reading, chunk, _cursor(stamp, number))
                    chunk = []
            if chunk or last is None:
                if last is not None:
                    yield last
                last = self._batch(reading, chunk, None)
            yield replace(last, cursor=None, notices=reading.notices())

    def _batch(self, reading: "_Pass", rows: list[Row], cursor: str | None) -> Batch:
        converted = [(row, Converted() if row.cells is None else self._convert(row.cells)) for row in rows]
        strangers = self._strangers(converted)
        fetched: list[Fetched] = []
        rejected: list[Rejected] = []
        for row, one in converted:
            origin = f"{self._path.name}:{row.line}"
            if row.problem is not None or one.flaws:
                if reading.type == (one.type or reading.home):
                    rejected.append(_rejected(origin, row, one))
            elif one.passed:
                reading.passed += 1
            elif one.person in strangers:
                reading.left_out += 1
            else:
                fetched += [Fetched(found, origin) for found in _of_type(one, reading.type, reading.told)]
        if len(reading.told) > _PATIENTS_REMEMBERED:
            reading.told.clear()
        reading.contents.add(item.resource for item in fetched)
        if self._seen is not None:
            ids = {key for _row, one in converted for key in one.ids}
            self._seen(ids, any(row.problem is not None or _is_nameless(one) for row, one in converted))
        return Batch(reading.type, tuple(fetched), tuple(rejected), cursor)

    def _strangers(self, converted: list[tuple[Row, Converted]]) -> Collection[tuple[str, str]]:
        """Persons of these rows of whom no other source has a Patient, where the mapping wants them reported."""
        if self._known is None:
            return ()
        people = {person for _row, one in converted if (person := one.person) is not None}
        return people - set(self._known(self._mapping.person.system, people)) if people else ()

    def _stamp(self) -> str:
        facts = self._path.stat()
        return f"{self._path.name}-{facts.st_size}-{facts.st_mtime_ns}-{self._mapping.name}"


def _places(path: Path, heading: list[str], mapping: Mapping) -> dict[str, int]:
    """Column -> its place; columns are known by their name whatever its case.

    Raises:
        SourceError: the heading lacks a column that the mapping names, or has it twice.
    """
    found = [name.casefold() for name in heading]
    wanted = {column: column.strip().casefold() for column in mapping.columns}
    missing = [column for column, name in wanted.items() if name not in found]
    problems = [f"has no column {', '.join(missing)}"] if missing else []
    problems += [f"has the column {column} twice" for column, name in wanted.items() if found.count(name) > 1]
    if problems:
        raise SourceError(
            f"{path}: the heading {'; '.join(problems)}. The mapping {mapping.name} names them; the delimiter that it "
            f"gives is {mapping.layout.delimiter!r}, and the heading has {len(heading)} columns"
        )
    return {column: found.index(name) for column, name in wanted.items()}


def _of_type(one: Converted, resource_type: str, told: set[str]) -> list[JsonObject]:
    if resource_type != "Patient":
        return [found for found in one.resources if found["resourceType"] == resource_type]
    if one.patient is None or one.patient["id"] in told:
        return []
    told.add(one.patient["id"])
    return [one.patient]


def _rejected(origin: str, row: Row, one: Converted) -> Rejected:
    raw = row.raw.encode(errors="replace")
    if row.problem is not None:
        return Rejected(origin, row.problem[0], row.problem[1], raw)
    first = one.flaws[0]
    named = next((found for kind, found in one.ids if kind == one.type and kind != "Patient"), None)
    reason = "; ".join(flaw.text for flaw in one.flaws)
    return Rejected(f"{origin}:{first.column}", first.code, reason, raw, one.type, named)


def _is_nameless(one: Converted) -> bool:
    """Whether it can't be told which resource a flawed row is."""
    return bool(one.flaws) and (not one.ids or any(flaw.code == "no-id" for flaw in one.flaws))


def _cursor(stamp: str, rows: int) -> str:
    return orjson.dumps({"stamp": stamp, "rows": rows}).decode()


def _rows_done(cursor: str | None, stamp: str) -> int:
    """How many rows an earlier, unfinished reading of this very file has taken."""
    if cursor is None:
        return 0
    try:
        found = orjson.loads(cursor)
    except orjson.JSONDecodeError:
        return 0
    match found:
        case {"stamp": str(before), "rows": int(rows)} if before == stamp:
            return rows
        case _:
            return 0


class TaggedSource:
    """A Source whose resources say that they are supplemental data, and of which source (`meta.source`, unless they
    name one). `seen` is told of their ids, as CsvSource tells it."""

    def __init__(
        self,
        inner: Source,
        *,
        seen: Callable[[Collection[tuple[str, str]], bool], None] | None = None,
    ) -> None:
        self._inner = inner
        self._seen = seen

    @property
    def name(self) -> str:
        return self._inner.name

    def batches(self, resource_type: str, *, since: str | None = None, cursor: str | None = None) -> Iterator[Batch]:
        """See `Source.batches`."""
        for batch in self._inner.batches(resource_type, since=since, cursor=cursor):
            fetched = tuple(replace(one, resource=_marked(one.resource, self.name)) for one in batch.fetched)
            if self._seen is not None:
                ids = {(one.resource["resourceType"], one.resource["id"]) for one in fetched}
                self._seen(ids | _named(batch.rejected), any(one.resource_id is None for one in batch.rejected))
            yield replace(batch, fetched=fetched)


def _named(rejected: tuple[Rejected, ...]) -> set[tuple[str, str]]:
    return {(one.resource_type, one.resource_id) for one in rejected if one.resource_type and one.resource_id}


def _marked(resource: JsonObject, source: str) -> JsonObject:
    given = resource.get("meta")
    meta: JsonObject = dict(given) if isinstance(given, dict) else {}
    meta.setdefault("source", source_uri(source))
    if not is_supplemental(resource):
        tags = meta.get("tag")
        meta["tag"] = [*(tags if isinstance(tags, list) else []), dict(SUPPLEMENTAL)]
    return {**resource, "meta": meta}
