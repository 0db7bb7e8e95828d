"""The parser's two entrances. Whatever the text, they return a tree or raise `CqlErrors`, nothing else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cql_like.errors import CqlError, CqlErrors
from cql_like.syntax import tree
from cql_like.syntax.declarations import LibraryParser
from cql_like.syntax.lexer import Source, tokenize, unescape
from cql_like.syntax.limits import Limits

_NAME_LINE = re.compile(
    r"""(?:\s|//[^\r\n]*|/\*.*?\*/)*library\s+((?:[A-Za-z_]\w*|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`)
    (?:\s*\.\s*(?:[A-Za-z_]\w*|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`))*)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


def parse_library(text: str, name_hint: str = "library", limits: Limits | None = None) -> tree.Library:
    """The syntax tree of a library's text.

    `name_hint` (a file's name, say) is what spans and errors call the library if its text has no `library` line.
    Raises `CqlErrors` with every syntax error found.
    """
    read = read_library(text, name_hint, limits)
    if read.errors:
        raise CqlErrors(read.errors)
    return read.library


@dataclass(frozen=True, slots=True)
class ReadLibrary:
    """What could be read of a library's text, and the syntax errors of the rest.

    `unread` are the names of the defines that could not be read; None where what was lost is no define: without it the
    rest means nothing.
    """

    library: tree.Library
    errors: Sequence[CqlError]
    unread: frozenset[str] | None


def read_library(text: str, name_hint: str = "library", limits: Limits | None = None) -> ReadLibrary:
    """As much of a library as can be read. Raises `CqlErrors` where the text can't be looked at, or is too deep."""
    limits = limits or Limits()
    name = _library_name(text[:100_000]) or name_hint
    parser = _parser(text, name, limits)
    lexical = len(parser.errors)
    try:
        library = parser.library()
    except RecursionError:
        raise CqlErrors([_too_deep(parser)]) from None
    named = [found for found in parser.unread if found is not None]
    whole = lexical or len(named) < len(parser.unread) or len(named) < len(parser.errors)
    return ReadLibrary(library, parser.errors, None if whole else frozenset(named))


def parse_expression(text: str, name_hint: str = "expression", limits: Limits | None = None) -> tree.Expression:
    """The syntax tree of a text that is one expression. Raises `CqlErrors`."""
    limits = limits or Limits()
    parser = _parser(text, name_hint, limits)
    try:
        expression = parser.whole_expression()
    except RecursionError:
        raise CqlErrors([_too_deep(parser)]) from None
    if expression is None or parser.errors:
        raise CqlErrors(parser.errors)
    return expression


def _parser(text: str, name: str, limits: Limits) -> LibraryParser:
    if len(text) > limits.characters:
        message = f"the text has {len(text)} characters"
        raise CqlErrors([CqlError(name, 1, 1, message, f"at most {limits.characters}")])
    source = Source.of(name, text)
    return LibraryParser(source, tokenize(source), limits)


def _library_name(text: str) -> str | None:
    """The name in the text's `library` line, so that every span can carry it; None if there is none."""
    match = _NAME_LINE.match(text)
    if match is None:
        return None
    parts = re.findall(r'[A-Za-z_]\w*|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`', match[1], re.ASCII | re.DOTALL)
    return ".".join(unescape(part[1:-1]) if part[0] in '"`' else part for part in parts)


def _too_deep(parser: LibraryParser) -> CqlError:
    """The error where Python's own stack was too short for the limits given (a caller deep in recursion, say)."""
    token = parser.tokens[parser.index]
    return parser.source.error(token.start, token.end, "nested too deeply", "parts of it in defines of their own")
