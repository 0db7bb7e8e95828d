"""What is wrong with a library or expression: every problem at once, each with its place and what was expected.

Used by the syntax and analysis rooms alike, so that a reader sees one form of message:

    WellChild:12:8: unexpected 'whre'
      expected: where, return, sort
      define "Visits": [Encounter] E whre E.status = 'finished'
                                     ^^^^
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cql_like.ir import Span

_EXCERPT_LIMIT = 160


@dataclass(frozen=True, slots=True)
class CqlError:
    """One problem. Lines and columns count from 1; `excerpt` is the source line with a caret line below it."""

    library: str
    line: int
    column: int
    message: str
    expected: str | None = None
    excerpt: str = ""

    def __str__(self) -> str:
        parts = [f"{self.library}:{self.line}:{self.column}: {self.message}"]
        if self.expected:
            parts.append(f"  expected: {self.expected}")
        if self.excerpt:
            parts.extend("  " + line for line in self.excerpt.split("\n"))
        return "\n".join(parts)


class CqlErrors(Exception):
    """A library or expression is wrong. `errors` lists every problem found, in the order of the text."""

    def __init__(self, errors: Iterable[CqlError]) -> None:
        self.errors: tuple[CqlError, ...] = tuple(
            sorted(errors, key=lambda error: (error.library, error.line, error.column))
        )
        if not self.errors:
            raise ValueError("CqlErrors without an error")
        super().__init__("\n".join(map(str, self.errors)))

    def __reduce__(self) -> tuple[type["CqlErrors"], tuple[tuple[CqlError, ...]]]:
        return (CqlErrors, (self.errors,))


def excerpt(text: str, line: int, column: int, end_line: int, end_column: int) -> str:
    """The source line at (line, column) of `text` and a line of carets under the span; "" if outside the text."""
    lines = text.split("\n", line)
    if not 1 <= line <= len(lines):
        return ""
    source = lines[line - 1].rstrip("\r").replace("\t", " ")
    width = max(1, (end_column if end_line == line else len(source) + 1) - column)
    first = max(0, column - _EXCERPT_LIMIT // 2) if len(source) > _EXCERPT_LIMIT else 0
    shown = source[first : first + _EXCERPT_LIMIT]
    width = min(width, max(1, len(shown) - (column - 1 - first)))
    return f"{shown}\n{' ' * (column - 1 - first)}{'^' * width}"


def error_at(span: Span, message: str, expected: str | None = None, text: str | None = None) -> CqlError:
    """A `CqlError` at a span; with the library's `text` it shows the line and a caret."""
    shown = excerpt(text, span.line, span.column, span.end_line, span.end_column) if text is not None else ""
    return CqlError(span.library, span.line, span.column, message, expected, shown)
