"""Text -> tokens of CQL 1.5 (CQL grammar, lexical rules; FHIRPath grammar, which it imports).

One compiled regular expression finds every token. A token's `kind` is what the parser dispatches on: a keyword or a
mark is its own kind (`define`, `<=`); words that are keywords only together are one token (`such that`); the rest is
`word`, `quoted`, `string`, `number`, `long`, `@date`, `@datetime`, `@time` and, last, `end of text`.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field

from cql_like.errors import CqlError, error_at
from cql_like.ir import Span

END = "end of text"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Keywords that are identifiers wherever a name is referred to (grammar: keywordIdentifier).
KEYWORD_IDENTIFIERS = _words(
    """asc ascending by called code codesystem codesystems concept contains context date default define desc
    descending display div end ends except fluent function implies include includes intersect library meets mod
    overlaps parameter predecessor private public start starting starts successor time timezoneoffset union using
    valueset version where width xor"""
)
# Keywords that are never identifiers unless quoted (grammar: reservedWord).
RESERVED_WORDS = _words(
    """aggregate all and as after before between case cast Code collapse Concept convert day days difference distinct
    duration during else exists expand false flatten from if in is hour hours Interval let List maximum millisecond
    milliseconds minimum minute minutes month months not null occurs of or per point properly return same second
    seconds singleton sort then to true Tuple week weeks when with within without year years"""
)
KEYWORDS = KEYWORD_IDENTIFIERS | RESERVED_WORDS
# Two words that are one keyword; neither is a keyword alone.
_PAIRS = {"included": "included in", "less": "less than", "more": "more than", "on": "on or", "such": "such that"}
PAIR_KEYWORDS = frozenset(_PAIRS.values())
ITERATIONS = frozenset({"$this", "$index", "$total"})

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n\f]+)
    | (?P<pair>(?:included\s+in|(?:less|more)\s+than|on\s+or|such\s+that)\b)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<comment>//[^\r\n]*|/\*.*?\*/)
    | (?P<open>/\*)
    | (?P<mark>->|<=|>=|!=|!~|[-+*/^&|<>=~.,:()\[\]{}%])
    | (?P<quoted>"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`)
    | (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<long>[0-9]+L\b)
    | (?P<number>[0-9]+(?:\.[0-9]+)?)
    | (?P<datetime>@[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?T
        (?:[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?)?(?:Z|[-+][0-9]{2}:[0-9]{2})?)
    | (?P<date>@[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?)
    | (?P<time>@T[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?)
    | (?P<iteration>\$[A-Za-z]+)
    | (?P<bad>.)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|[`'\"\\/fnrt])")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED = {"f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_UNTERMINATED = {
    "'": ("this string has no closing quote", "'"),
    '"': ("this quoted identifier has no closing quote", '"'),
    "`": ("this delimited identifier has no closing back-tick", "`"),
    "@": ("this is not a date, DateTime or time literal", "@2024-02-29, @2024-02-29T10:30:00.000 or @T10:30"),
}


def unescape(text: str) -> str:
    r"""The characters that `text` (without its quotes) stands for: `\n`, `\'`, `\u00e9` ...

    A backslash before any other character stands for itself, as the grammar's rule for strings has it.
    """
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(lambda match: _unescape_one(match.group(1)), text)
    if _SURROGATE.search(plain):  # an emoji is written as two \\u escapes; one of them alone is no character
        return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return plain


def _unescape_one(escape: str) -> str:
    return chr(int(escape[1:], 16)) if len(escape) == 5 else _ESCAPED.get(escape, escape)


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its kind, its value (unquoted and unescaped) and its place, as offsets into the text."""

    kind: str
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Source:
    """A text with what is needed to tell places in it. `library` is the name that spans carry."""

    library: str
    text: str
    line_starts: tuple[int, ...] = field(repr=False)

    @classmethod
    def of(cls, library: str, text: str) -> "Source":
        """The source of a library's text."""
        return cls(library, text, (0, *(match.end() for match in re.finditer("\n", text))))

    def span(self, start: int, end: int) -> Span:
        """The span of `text[start:end]`."""
        starts = self.line_starts
        line = bisect_right(starts, start)
        end_line = line if line == len(starts) or end <= starts[line] else bisect_right(starts, end)
        return Span(self.library, line, start - starts[line - 1] + 1, end_line, end - starts[end_line - 1] + 1)

    def error(self, start: int, end: int, message: str, expected: str | None = None) -> CqlError:
        """An error about `text[start:end]`."""
        return error_at(self.span(start, end), message, expected, self.text)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a source, the last being `END`; comments by the index of the token they stand before."""

    tokens: list[Token]
    comments: dict[int, list[Token]]
    errors: list[CqlError]


def tokenize(source: Source) -> Tokens:
    """All tokens of the source. What is no token is an error in `errors` and left out of `tokens`."""
    tokens: list[Token] = []
    comments: dict[int, list[Token]] = {}
    errors: list[CqlError] = []
    text = source.text
    position = 1 if text.startswith("\ufeff") else 0
    while True:
        resume = -1
        for match in _TOKEN.finditer(text, position):
            kind = match.lastgroup
            if kind == "space":
                continue
            start, end = match.span()
            value = match.group()
            if kind == "word":
                tokens.append(Token(value if value in KEYWORDS else "word", value, start, end))
            elif kind == "mark":
                tokens.append(Token(value, value, start, end))
            elif kind == "string" or kind == "quoted":
                tokens.append(Token(kind, unescape(value[1:-1]), start, end))
            elif kind == "pair":
                tokens.append(Token(_PAIRS[value.split(None, 1)[0]], value, start, end))
            elif kind == "comment":
                comments.setdefault(len(tokens), []).append(Token(kind, value, start, end))
            elif kind == "iteration" and value in ITERATIONS:
                tokens.append(Token(value, value, start, end))
            elif kind == "open":
                errors.append(source.error(start, end, "this comment has no end", "*/"))
                break
            elif kind == "bad" or kind == "iteration":
                error, resume = _bad_token(source, start, end)
                errors.append(error)
                if resume != end:
                    position = resume
                    break
                resume = -1
            elif kind == "number" or kind == "long":
                tokens.append(Token(kind, value, start, end))
            else:  # date, datetime, time: marked, since `date` and `time` are keywords
                tokens.append(Token(f"@{kind}", value, start, end))
        if resume < 0:
            break
    tokens.append(Token(END, END, len(text), len(text)))
    return Tokens(tokens, comments, errors)


def _bad_token(source: Source, start: int, end: int) -> tuple[CqlError, int]:
    """The error about the text at `start`, which is no token, and the offset from which to go on."""
    text = source.text
    character = text[start]
    if character in _UNTERMINATED:
        line_end = text.find("\n", start)
        stop = len(text) if line_end < 0 else line_end
        if character == "@":
            literal = re.compile(r"@[\w:.+-]*").match(text, start)
            stop = literal.end() if literal else end
        message, expected = _UNTERMINATED[character]
        return source.error(start, stop, message, expected), stop
    if character == "$":
        return source.error(start, end, f"unknown name {text[start:end]}", "$this, $index or $total"), end
    if character.isidentifier() or ord(character) > 126:
        message = (
            f"the character {character!r} (U+{ord(character):04X}) may stand only in strings and quoted identifiers"
        )
        return source.error(start, end, message), end
    return source.error(start, end, f"unexpected character {character!r}"), end
