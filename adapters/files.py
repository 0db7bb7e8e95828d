"""A folder (or one file) of FHIR JSON as a Source: NDJSON and Bundles, plain or gzipped.

File names are a hint at most: each file is scanned once for the resource types it holds (about 1 GB/s), so
`part-1.ndjson` or an Encounter inside `Patient.ndjson` is found, and files without the type that is asked for
are not parsed. A damaged line, entry or file costs itself alone. Source: FHIR R4 §2.6.4 (NDJSON), Bulk Data
Access 2.0 (file naming is the server's affair).
"""

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from adapters.base import Batch, Fetched, JsonObject, Rejected, SourceError
from adapters.bundles import deletions_of, entries_of
from adapters.filereading import Limits, OversizedLine, Position, Scan, blocks, lines_of, opened, scan, uncollected
from adapters.repair import repair

BATCH_SIZE = 1000
_SUFFIX = re.compile(r"\.(ndjson|jsonl|json)(\.gz)?\Z", re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"
_TYPE_MENTION = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]+)"')


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What a stretch of a file gave, and where reading goes on after it."""

    found: list[Fetched | Rejected]
    position: Position
    notices: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()  # Type/id


class FileSource:
    """FHIR JSON files as a `Source`.

    Args:
        path: a folder, read with its subfolders, or one file.
        name: what the source is called in the store and in evidence; by default the folder's name.
        batch_size: resources per batch, at most.
        base_url: the server that wrote the files, if known: absolute references to it become relative.
        limits: lengths beyond which a line or document is kept aside instead of read.

    Raises:
        SourceError: there is no such path, or nothing in it is named like FHIR JSON.
    """

    def __init__(
        self,
        path: str | Path,
        name: str | None = None,
        *,
        batch_size: int = BATCH_SIZE,
        base_url: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._path = Path(path)
        self._batch_size = max(1, batch_size)
        self._base_url = base_url
        self._limits = limits or Limits()
        if not self._path.exists():
            raise SourceError(f"there is no folder or file {self._path}: give the path of the FHIR files")
        self._root = self._path if self._path.is_dir() else self._path.parent
        self._name = name or self._path.resolve().name
        if not self._files:
            raise SourceError(
                f"{self._path} holds no FHIR JSON: expected files named *.ndjson, *.jsonl or *.json (or .gz of them)"
            )

    @property
    def name(self) -> str:
        return self._name

    @cached_property
    def _files(self) -> tuple[str, ...]:
        """Paths below the root with `/`, in the order they are read. Hidden files are left out."""
        if not self._path.is_dir():
            return (self._path.name,)
        found = (p.relative_to(self._root) for p in self._root.rglob("*") if _SUFFIX.search(p.name) and p.is_file())
        return tuple(sorted(p.as_posix() for p in found if not any(part[0] == "." for part in p.parts)))

    @cached_property
    def _scans(self) -> dict[str, Scan]:
        return {file: scan(self._root / file, self._limits) for file in self._files}

    @property
    def damaged(self) -> tuple[str, ...]:
        """The files that can be read in part only (their compressed data are damaged, say)."""
        return tuple(file for file, found in self._scans.items() if found.error is not None)

    def resource_types(self) -> tuple[str, ...]:
        """The resource types that the files mention, sorted (a contained resource counts as a mention)."""
        return tuple(sorted({name for found in self._scans.values() for name in found.types} - {"Bundle"}))

    def batches(self, resource_type: str, *, since: str | None = None, cursor: str | None = None) -> Iterator[Batch]:
        """All resources of one type; see `Source.batches`.

        `since` is not used: files don't say what changed, so everything is read (ingest is idempotent).
        A cursor into a file that has changed starts that file again.
        """
        start, notices = self._start(cursor)
        total = self._total(resource_type)
        fetched: list[Fetched] = []
        rejected: list[Rejected] = []
        deleted: dict[str, None] = {}
        last: Batch | None = None
        for file in self._files:
            if start is not None and file < start.file:
                continue
            said = self._said(file, resource_type)
            if said:
                notices.append(said)
            if not self._is_wanted(file, resource_type):
                continue
            position = start if start is not None and start.file == file else None
            for chunk in self._chunks(file, resource_type, position):
                if chunk.deleted:  # of what came before it; in a batch, what is there has come after
                    fetched = [item for item in fetched if _name(item.resource) not in chunk.deleted]
                fetched.extend(item for item in chunk.found if isinstance(item, Fetched))
                rejected.extend(item for item in chunk.found if isinstance(item, Rejected))
                notices.extend(chunk.notices)
                deleted.update(dict.fromkeys(chunk.deleted))
                if len(fetched) + len(rejected) + len(deleted) >= self._batch_size:
                    # Held back by one, so that the last one can say that the type is complete.
                    if last is not None:
                        yield last
                    last = Batch(
                        resource_type,
                        tuple(fetched),
                        tuple(rejected),
                        chunk.position.cursor(),
                        tuple(notices),
                        total,
                        _extra(deleted),
                    )
                    fetched, rejected, notices, deleted = [], [], [], {}
        if last is not None and not (fetched or rejected or notices or deleted):
            yield replace(last, cursor=None)
            return
        if last is not None:
            yield last
        yield Batch(resource_type, tuple(fetched), tuple(rejected), None, tuple(notices), total, _extra(deleted))

    # --- which files ----------------------------------------------------------------------------------------------

    def _start(self, cursor: str | None) -> tuple[Position | None, list[str]]:
        if cursor is None:
            return None, []
        position = Position.read(cursor)
        if position is None or position.file not in self._files:
            return None, ["the place where the last run stopped is gone: reading from the start"]
        if position.stamp != self._scans[position.file].stamp:
            again = Position(position.file, 0, 0, self._scans[position.file].stamp)
            return again, [f"{position.file} has changed since the last run: reading it from its start"]
        return position, []

    def _home(self, file: str) -> str | None:
        """The type under which the lines of a file that name no type are reported."""
        types = self._scans[file].types
        named = _named_type(file)
        if named in types or not types:
            return named
        return "Patient" if "Patient" in types else min(types)

    def _is_wanted(self, file: str, resource_type: str) -> bool:
        found = self._scans[file]
        return resource_type in found.types or found.deletes or self._home(file) == resource_type

    def _said(self, file: str, resource_type: str) -> str | None:
        found = self._scans[file]
        home = self._home(file)
        if found.error is not None and home != resource_type:  # under its home it is a rejection
            told = resource_type in found.types or (home is None and resource_type == "Patient")
            return f"{file}: {found.error}" if told else None
        if not found.types and found.size and _named_type(file) is None and resource_type == "Patient":
            return f"{file}: nothing in it has a resourceType, so it is not FHIR: left out"
        return None

    def _total(self, resource_type: str) -> int | None:
        lines = 0
        for found in self._scans.values():
            if resource_type in found.types:
                if found.is_document or found.types != {resource_type}:
                    return None
                lines += found.lines
        return lines

    # --- one file -------------------------------------------------------------------------------------------------

    def _chunks(self, file: str, resource_type: str, start: Position | None) -> Iterator[_Chunk]:
        found = self._scans[file]
        begin = start or Position(file, 0, 0, found.stamp)
        reader = self._document if found.is_document else self._lines
        yield from reader(file, resource_type, begin)

    def _lines(self, file: str, resource_type: str, begin: Position) -> Iterator[_Chunk]:
        types = self._scans[file].types
        deletes = self._scans[file].deletes
        is_home = self._home(file) == resource_type
        is_mixed = bool(types) and types != {resource_type}
        offset, number = begin.offset, begin.line
        try:
            with opened(self._root / file) as handle:
                if offset:
                    handle.seek(offset)
                for lines, size in lines_of(blocks(handle), self._limits, self._batch_size):
                    with uncollected():
                        results = self._results(lines, file, number, resource_type, is_home, is_mixed)
                    gone = _deletions(lines, resource_type) if deletes else ()
                    number += len(lines)
                    offset += size
                    yield _Chunk(results, Position(file, offset, number, begin.stamp), deleted=gone)
        except (OSError, EOFError, zlib.error) as bad:
            yield self._damaged(file, bad, Position(file, offset, number, begin.stamp), is_home)

    def _results(
        self,
        lines: list[bytes | OversizedLine],
        file: str,
        before: int,
        resource_type: str,
        is_home: bool,
        is_mixed: bool,
    ) -> list[Fetched | Rejected]:
        """What some lines hold; `before`: how many lines of the file precede them."""
        results: list[Fetched | Rejected] = []
        for number, line in enumerate(lines, start=before + 1):
            if isinstance(line, OversizedLine):
                if is_home:
                    results.append(line.rejected(f"{file}:{number}", self._limits))
                continue
            if not line or line.isspace():
                continue
            text = line.removeprefix(_BOM) if number == 1 else line
            if is_mixed:
                results.extend(self._picked(text, f"{file}:{number}", resource_type, is_home))
            else:
                results.append(repair(text, None, f"{file}:{number}", base_url=self._base_url))
        return results

    def _picked(self, line: bytes, origin: str, resource_type: str, is_home: bool) -> list[Fetched | Rejected]:
        """What a line of a file of several types holds for one of them."""
        mentions = [name.decode() for name in _TYPE_MENTION.findall(line)]
        if resource_type not in mentions and not (is_home and not mentions):
            return []
        if "Bundle" in mentions:
            try:
                whole: Any = orjson.loads(line)
            except orjson.JSONDecodeError:
                whole = None
            if isinstance(whole, dict) and whole.get("resourceType") == "Bundle":
                return list(entries_of(whole, resource_type, origin, is_home, self._base_url))
        result = repair(line, None, origin, base_url=self._base_url)
        if isinstance(result, Fetched):
            return [result] if result.resource["resourceType"] == resource_type else []
        if result.resource_type is not None:
            return [result] if result.resource_type == resource_type else []
        owner = mentions[0] if mentions else resource_type
        return [result] if owner == resource_type else []

    def _document(self, file: str, resource_type: str, begin: Position) -> Iterator[_Chunk]:
        """A Bundle, a list of resources, or one resource. `Position.line` counts entries here."""
        is_home = self._home(file) == resource_type
        end = Position(file, 0, begin.line, begin.stamp)
        try:
            with opened(self._root / file) as handle:
                parts: list[bytes] = []
                size = 0
                for block in blocks(handle):
                    size += len(block)
                    if size > self._limits.document:
                        if is_home and not begin.line:
                            reason = f"longer than {self._limits.document} bytes: split it, or write NDJSON"
                            yield _Chunk([Rejected(file, "too-large", reason, b"".join(parts)[:65536])], end)
                        return
                    parts.append(block)
        except (OSError, EOFError, zlib.error) as bad:
            yield self._damaged(file, bad, end, is_home)
            return
        text = b"".join(parts).removeprefix(_BOM)
        try:
            whole: Any = orjson.loads(text)
        except orjson.JSONDecodeError:
            refused = repair(text, None, file)
            if is_home and isinstance(refused, Rejected):
                yield _Chunk([refused], end)
            return
        found = self._resources(whole, resource_type, file, is_home)
        gone = tuple(deletions_of(whole, resource_type))
        if gone and whole.get("type") == "history":
            found = [one for one in found if not (isinstance(one, Fetched) and _name(one.resource) in gone)]
        if gone and not begin.line:
            yield _Chunk([], begin, deleted=gone)
        for at in range(begin.line, len(found), self._batch_size):
            upto = min(at + self._batch_size, len(found))
            yield _Chunk(found[at:upto], Position(file, 0, upto, begin.stamp))

    def _resources(self, whole: Any, resource_type: str, file: str, is_home: bool) -> list[Fetched | Rejected]:
        if isinstance(whole, dict) and whole.get("resourceType") == "Bundle":
            return list(entries_of(whole, resource_type, file, is_home, self._base_url))
        bundle: JsonObject = {"entry": [{"resource": item} for item in whole]} if isinstance(whole, list) else {}
        if isinstance(whole, list):
            return list(entries_of(bundle, resource_type, file, is_home, self._base_url))
        result = repair(orjson.dumps(whole), None, file, base_url=self._base_url)
        owner = result.resource["resourceType"] if isinstance(result, Fetched) else result.resource_type
        return [result] if owner == resource_type or (owner is None and is_home) else []

    def _damaged(self, file: str, bad: Exception, position: Position, is_home: bool) -> _Chunk:
        reason = f"{file} could be read only in part ({_worded(bad)}): get the file again"
        rejected: list[Fetched | Rejected] = [Rejected(file, "truncated", reason, b"")] if is_home else []
        return _Chunk(rejected, position, (reason,))


def _name(resource: JsonObject) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _extra(deleted: Iterable[str]) -> dict[str, str]:
    """Deletions as a Batch says them."""
    said = " ".join(deleted)
    return {"deleted": said} if said else {}


def _deletions(lines: list[bytes | OversizedLine], resource_type: str) -> tuple[str, ...]:
    """What the Bundles among some lines delete."""
    found: list[str] = []
    for line in lines:
        if isinstance(line, bytes) and b'"DELETE"' in line:
            try:
                found += deletions_of(orjson.loads(line), resource_type)
            except orjson.JSONDecodeError:  # refused as a resource
                continue
    return tuple(found)


def _worded(bad: Exception) -> str:
    if isinstance(bad, EOFError):
        return "the compressed data ends too early"
    if isinstance(bad, PermissionError):
        return "no permission to read it"
    return "the compressed data is damaged" if not isinstance(bad, OSError) or bad.errno is None else "read error"


def _named_type(file: str) -> str | None:
    """The type a file is named for: `Patient.ndjson`, `Patient.000.ndjson.gz`, `Patient-1.ndjson`."""
    match = re.match(r"([A-Z][a-z]+[A-Za-z]*)(?=[.\-_0-9])", file.rsplit("/", 1)[-1])
    return match[1] if match else None
