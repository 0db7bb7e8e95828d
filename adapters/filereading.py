"""Reading FHIR files: bytes, lines, limits, what types a file mentions, and where reading stopped.

Nothing here knows FHIR beyond the word `resourceType`. Memory is bounded by the limits whatever a file holds.
"""

import gc
import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import orjson

from adapters.base import Rejected

_BLOCK = 1 << 20
_GZIP = b"\x1f\x8b"  # RFC 1952 §2.3.1
_JSON_BEGINS = b"{[ \t\r\n\xef"  # an object, an array, white space, a byte order mark
_KEPT = 1 << 16  # of an oversized line, what is kept aside
_TYPE_MENTION = re.compile(rb'"resourceType"\s{0,64}:\s{0,64}"([A-Za-z]{2,64})"')
_DELETE_MENTION = re.compile(rb'"method"\s{0,64}:\s{0,64}"DELETE"')
_OVERLAP = 256  # longer than any mention, so that none is lost between two blocks


@dataclass(frozen=True, slots=True)
class Limits:
    """Lengths in bytes (decompressed) beyond which something is kept aside instead of read."""

    line: int = 32 << 20
    document: int = 512 << 20


class Readable(Protocol):
    """An open file, plain or gzipped."""

    def read1(self, size: int = ..., /) -> bytes: ...
    def seek(self, offset: int, /) -> int: ...


class _Opened(Readable, Protocol):
    def __enter__(self) -> Readable: ...
    def __exit__(self, *args: object) -> None: ...


def opened(path: Path) -> _Opened:
    """A file for reading; gzip decompressed on the way, with offsets of the decompressed bytes.

    The first bytes decide before the name: a download often keeps `.gz` on what was unpacked on the way, or loses it.
    """
    with path.open("rb") as handle:
        beginning = handle.read(2)
    zipped = beginning == _GZIP or (path.suffix.lower() == ".gz" and beginning[:1] not in _JSON_BEGINS)
    return cast(_Opened, gzip.open(path, "rb") if zipped else path.open("rb"))


def blocks(handle: Readable) -> Iterator[bytes]:
    """A file's bytes in blocks. read1, because read would throw away what precedes damage in a gzip file."""
    while block := handle.read1(_BLOCK):
        yield block


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the cycle collector for a moment: parsed JSON has no cycles, and looking for them takes a third of
    the time of reading it. Reference counting goes on as ever."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass(frozen=True, slots=True)
class OversizedLine:
    """A line longer than the limit: its beginning, for the quarantine."""

    beginning: bytes

    def rejected(self, origin: str, limits: Limits) -> Rejected:
        """The line as it goes into quarantine. Only its beginning is kept: the rest was never held in memory."""
        reason = f"the line is longer than {limits.line} bytes; its first {len(self.beginning)} are kept"
        return Rejected(origin, "too-large", reason, self.beginning)


def lines_of(parts: Iterator[bytes], limits: Limits, at_most: int) -> Iterator[tuple[list[bytes | OversizedLine], int]]:
    """Lines without their newline, up to `at_most` at a time, each time with the bytes they took in the file."""
    tail = b""
    skipped = 0  # bytes of an oversized line so far, beyond what `tail` keeps
    damage: Exception | None = None
    while True:
        try:
            block = next(parts, None)
        except (OSError, EOFError, zlib.error) as bad:
            block, damage = None, bad  # first give what was readable before the damage
        if block is None:
            break
        if skipped:
            end = block.find(b"\n")
            if end < 0:
                skipped += len(block)
                continue
            yield [OversizedLine(tail)], len(tail) + skipped + end + 1
            tail, skipped, block = b"", 0, block[end + 1 :]
        *lines, tail = (tail + block).split(b"\n")
        for start in range(0, len(lines), at_most):
            some = lines[start : start + at_most]
            size = sum(map(len, some)) + len(some)
            if size > limits.line:
                yield [line if len(line) <= limits.line else OversizedLine(line[:_KEPT]) for line in some], size
            else:
                yield cast("list[bytes | OversizedLine]", some), size
        if len(tail) > limits.line:
            skipped = len(tail) - _KEPT
            tail = tail[:_KEPT]
    if skipped:
        yield [OversizedLine(tail)], len(tail) + skipped
    elif tail:
        yield [tail], len(tail)
    if damage is not None:
        raise damage


@dataclass(frozen=True, slots=True)
class Scan:
    """What a file holds, from one fast pass over its bytes.

    `types` may name too many (contained resources), never too few. `stamp` changes when the file does. `deletes`: it
    mentions a deletion (an entry of a Bundle).
    """

    types: frozenset[str]
    is_document: bool
    lines: int
    size: int
    stamp: str
    error: str | None = None
    deletes: bool = False


def scan(path: Path, limits: Limits) -> Scan:
    """Scan one file; damage is noted in `error`, what precedes it is scanned."""
    types: set[str] = set()
    lines = size = 0
    ended = True
    beginning = b""
    rest = b""
    error: str | None = None
    deletes = False
    stamp = ""
    try:
        facts = path.stat()
        stamp = f"{facts.st_size}-{facts.st_mtime_ns}"
        with opened(path) as handle:
            for block in blocks(handle):
                if len(beginning) < _BLOCK:
                    beginning += block
                size += len(block)
                lines += block.count(b"\n")
                ended = block.endswith(b"\n")
                types.update(name.decode() for name in set(_TYPE_MENTION.findall(rest + block)))
                deletes = deletes or _DELETE_MENTION.search(rest + block) is not None
                rest = block[-_OVERLAP:] if len(block) >= _OVERLAP else (rest + block)[-_OVERLAP:]
    except (OSError, EOFError, zlib.error):
        error = "could be read only in part"
    is_json = path.name.lower().removesuffix(".gz").endswith(".json")
    return Scan(
        types=frozenset(types),
        is_document=_is_document(beginning, is_json),
        lines=lines + (not ended),
        size=size,
        stamp=stamp,
        error=error,
        deletes=deletes,
    )


def _is_document(beginning: bytes, is_json: bool) -> bool:
    """One JSON value, rather than one in each line? Names mislead: `.json` may hold lines and `.ndjson` a Bundle."""
    first, newline, rest = beginning.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")
    if not is_json:
        return first.strip() in (b"{", b"[")
    if not newline or not rest.strip():
        return True
    try:
        return not isinstance(orjson.loads(first), dict)
    except orjson.JSONDecodeError:
        return True


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading stopped: a file, the byte after the last line read (decompressed), lines or entries so far."""

    file: str
    offset: int
    line: int
    stamp: str

    def cursor(self) -> str:
        """As text, for the store."""
        row = {"file": self.file, "offset": self.offset, "line": self.line, "stamp": self.stamp}
        return orjson.dumps(row).decode()

    @staticmethod
    def read(cursor: str) -> "Position | None":
        """A position from its text; None where the text is not one."""
        try:
            row = orjson.loads(cursor)
        except orjson.JSONDecodeError:
            return None
        match row:
            case {"file": str(file), "offset": int(offset), "line": int(line), "stamp": str(stamp)} if offset >= 0:
                return Position(file, offset, max(0, line), stamp)
            case _:
                return None
