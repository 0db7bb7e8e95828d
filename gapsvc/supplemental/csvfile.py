"""A delimited file as rows, in bounded memory, whatever is wrong with it: damage costs the row that it is in.

Source: RFC 4180, and what registries and payers send instead: a byte order mark, gzip, blank lines, rows that are too
short, quotes that never end. A row of several lines is taken only where it comes out with as many fields as the
heading has; else its first line alone is refused and reading goes on at the next.
"""

import csv
import io
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self, cast

from adapters.base import SourceError
from adapters.filereading import opened

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # zip (xlsx), OLE2 (xls)
_REPLACED = "\ufffd"  # what undecodable bytes become


@dataclass(frozen=True, slots=True)
class Layout:
    """How the file is written. `empty`: cells that mean nothing is known, beside the empty one."""

    delimiter: str = ","
    encoding: str = "utf-8"
    quote: str = '"'
    empty: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FileLimits:
    """In characters after decompression: of a line, and of the whole file; and lines that one quoted row may take."""

    line: int = 1 << 20
    row_lines: int = 50
    total: int = 64 << 30


class Row(NamedTuple):
    """A row by the number of its first line. `cells` is None where it can't be used: `problem` (code, words) says why.

    `raw` is its text, cut to the line limit.
    """

    line: int
    cells: list[str] | None
    raw: str
    problem: tuple[str, str] | None = None


class DelimitedFile:
    """An open file: `heading`, the names in its heading, trimmed; `rows`, the rows after it. Closed by `with`.

    Raises:
        SourceError: the file can't be read, or is no text in this encoding; also while the rows are read.
    """

    def __init__(self, path: Path, layout: Layout, limits: FileLimits) -> None:
        self._layout = layout
        self._limits = limits
        self._lines = _Lines(path, layout, limits)
        try:
            self.heading = _heading(path, self._lines, layout)
        except SourceError:
            self._lines.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()

    def rows(self) -> Iterator[Row]:
        """The rows that follow, each once."""
        return _rows(self._lines, self._layout, self._limits, len(self.heading))


def _heading(path: Path, lines: "_Lines", layout: Layout) -> list[str]:
    while True:
        first = lines.take()
        if first is None:
            raise SourceError(f"{path}: it is empty; expected a heading and rows")
        if first.text.strip():
            break
    if first.oversized:
        raise SourceError(f"{path}:{first.number}: the heading is longer than {len(first.text)} characters: no heading")
    if _REPLACED in first.text:
        raise SourceError(f"{path}:{first.number}: the heading can't be read as {layout.encoding}; see file.encoding")
    cells = _cells(first.text.rstrip("\r\n"), layout)
    if not isinstance(cells, list):
        raise SourceError(f"{path}:{first.number}: the heading can't be used: {cells[1]}; see file.quote")
    return [name.strip() for name in cells]


class _Line(NamedTuple):
    number: int
    text: str
    oversized: bool = False


class _Lines:
    """The lines of a file, one at a time; some can be put back."""

    def __init__(self, path: Path, layout: Layout, limits: FileLimits) -> None:
        self._path = path
        self._limits = limits
        self._encoding = layout.encoding
        self._back: deque[_Line] = deque()
        self._number = 0
        self._read = 0
        if not path.is_file():
            raise SourceError(f"{path}: this is no file; a pipe or device can't be read twice")
        try:
            with opened(path) as handle:
                beginning = handle.read1(4)
        except (OSError, EOFError, zlib.error) as bad:
            raise _damaged(path, bad) from bad
        encoding = layout.encoding.lower().replace("_", "-")
        if beginning.startswith(_WORKBOOKS):
            raise SourceError(f"{path}: this is a workbook or a zip archive; save it as delimited text (CSV)")
        if beginning.startswith(_UTF16) and not encoding.startswith(("utf-16", "utf16")):
            raise SourceError(f"{path}: the text is UTF-16; say so in the mapping: file.encoding = 'utf-16'")
        named = "utf-8-sig" if encoding in ("utf-8", "utf8") else layout.encoding
        # newline="": RFC 4180 keeps line ends inside quotes as they are.
        self._text = io.TextIOWrapper(cast("BinaryIO", opened(path)), encoding=named, errors="replace", newline="")

    def take(self) -> _Line | None:
        if self._back:
            return self._back.popleft()
        line = self._readline()
        if not line:
            return None
        self._number += 1
        if len(line) <= self._limits.line:
            return _Line(self._number, line)
        while (more := self._readline()) and not more.endswith(("\n", "\r")):
            pass
        return _Line(self._number, line[: self._limits.line], oversized=True)

    def close(self) -> None:
        self._text.close()

    def put_back(self, lines: list[_Line]) -> None:
        self._back.extendleft(reversed(lines))

    def _readline(self) -> str:
        try:
            line = self._text.readline(self._limits.line + 1)
        except (OSError, EOFError, zlib.error) as bad:
            raise _damaged(self._path, bad) from bad
        except UnicodeError as bad:  # an encoding that must begin with a mark (UTF-16)
            raise SourceError(f"{self._path}: the text is no {self._encoding}; see file.encoding") from bad
        self._read += len(line)
        if self._read > self._limits.total:
            raise SourceError(f"{self._path}: more than {self._limits.total} characters; split it into several files")
        return line


def _rows(lines: _Lines, layout: Layout, limits: FileLimits, width: int) -> Iterator[Row]:
    while (line := lines.take()) is not None:
        text = line.text.rstrip("\r\n")
        if line.oversized:
            yield Row(line.number, None, text, ("too-large", f"the line is longer than {limits.line} characters"))
        elif not text.strip():
            continue
        elif _REPLACED in text:
            words = f"bytes that are no {layout.encoding}; see file.encoding"
            yield Row(line.number, None, text, ("text-encoding", words))
        elif "\0" in text:
            yield Row(line.number, None, text, ("text-encoding", "a NUL character: this is no text"))
        else:
            yield _row(lines, line, text, layout, limits, width)


def _row(lines: _Lines, line: _Line, text: str, layout: Layout, limits: FileLimits, width: int) -> Row:
    further: list[_Line] = []
    whole = text
    if layout.quote and text.count(layout.quote) % 2:
        whole = line.text
        while whole.count(layout.quote) % 2 and len(further) < limits.row_lines and len(whole) <= limits.line:
            following = lines.take()
            if following is None:
                break
            further.append(following)
            whole += following.text
    cells = _cells(whole.rstrip("\r\n"), layout)
    if isinstance(cells, list):
        fitted = _fitted(cells, width)
        if fitted is not None:
            return Row(line.number, fitted, whole)
    lines.put_back(further)
    if not isinstance(cells, list):
        return Row(line.number, None, text, cells)
    if further:
        return Row(line.number, None, text, _unmatched(layout))
    return Row(line.number, None, text, ("ragged", f"{len(cells)} fields where the heading has {width}"))


def _fitted(cells: list[str], width: int) -> list[str] | None:
    """Cells as many as the heading's; a delimiter too many at the end does no harm."""
    if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
        return cells[:width]
    return cells if len(cells) == width else None


def _unmatched(layout: Layout) -> tuple[str, str]:
    return "quotes", f"the quotes ({layout.quote}) of this row don't match"


def _cells(text: str, layout: Layout) -> list[str] | tuple[str, str]:
    """The fields of a row, or what is wrong with it."""
    quoting = csv.QUOTE_MINIMAL if layout.quote else csv.QUOTE_NONE
    try:
        found = list(
            csv.reader([text], delimiter=layout.delimiter, quotechar=layout.quote or None, quoting=quoting, strict=True)
        )
    except csv.Error:
        longest = csv.field_size_limit()
        if len(text) > longest and any(len(part) > longest for part in text.split(layout.delimiter)):
            return "too-large", f"a field is longer than {longest} characters"
        return _unmatched(layout)
    return found[0] if len(found) == 1 else _unmatched(layout)


def _damaged(path: Path, bad: Exception) -> SourceError:
    if isinstance(bad, OSError) and bad.errno is not None:
        return SourceError(f"{path}: {bad.strerror}")
    why = "ends too early" if isinstance(bad, EOFError) else "is damaged"
    return SourceError(f"{path}: the compressed data {why}; get the file again. What was read before it is kept")
