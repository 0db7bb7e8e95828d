"""The parser's base: where it stands in the tokens, how it reads names and types, and how it reports errors.

Source: CQL grammar, productions identifier, referentialIdentifier, qualifiedIdentifier and typeSpecifier.
"""

from difflib import get_close_matches
from typing import NoReturn

from cql_like.errors import CqlError
from cql_like.ir import Precision, Span
from cql_like.syntax import tree
from cql_like.syntax.lexer import END, KEYWORDS, PAIR_KEYWORDS, RESERVED_WORDS, Source, Token, Tokens
from cql_like.syntax.limits import Limits
from cql_like.syntax.literals import shortened

PRECISIONS: dict[str, Precision] = {
    "year": "year",
    "month": "month",
    "week": "week",
    "day": "day",
    "hour": "hour",
    "minute": "minute",
    "second": "second",
    "millisecond": "millisecond",
}
PLURAL_PRECISIONS: dict[str, Precision] = {f"{name}s": precision for name, precision in PRECISIONS.items()}
CALENDAR_UNITS = frozenset(PRECISIONS) | frozenset(PLURAL_PRECISIONS)

_IDENTIFIER = frozenset({"word", "quoted"})
_REFERENTIAL = _IDENTIFIER | (KEYWORDS - RESERVED_WORDS)
_NAME_OF_ELEMENT = _IDENTIFIER | KEYWORDS
_TYPE_NAME = _REFERENTIAL | {"Code", "Concept"}
_WORDS_OF_THE_LANGUAGE = sorted(KEYWORDS | {word for pair in PAIR_KEYWORDS for word in pair.split()})


class SyntaxProblem(Exception):
    """Parsing can't go on here; caught where the parser recovers, at the next declaration."""

    def __init__(self, error: CqlError) -> None:
        super().__init__(str(error))
        self.error = error


class Cursor:
    """A place in a text's tokens. `kind` is the kind of the token there; every reading method moves past it."""

    def __init__(self, source: Source, tokens: Tokens, limits: Limits) -> None:
        self.source = source
        self.tokens = tokens.tokens
        self.comments = tokens.comments
        self.limits = limits
        self.index = 0
        self.kind = self.tokens[0].kind
        self.nesting: int = 0

    # --- moving

    def advance(self) -> Token:
        """The token here; the cursor moves to the next one."""
        token = self.tokens[self.index]
        if token.kind != END:
            self.index += 1
            self.kind = self.tokens[self.index].kind
        return token

    def move_to(self, index: int) -> None:
        """Stand at the token with that index."""
        self.index = index
        self.kind = self.tokens[index].kind

    def kind_after(self, distance: int = 1) -> str:
        """The kind of the token `distance` after this one; END beyond the last."""
        index = self.index + distance
        return self.tokens[index].kind if index < len(self.tokens) else END

    def accept(self, kind: str) -> bool:
        """Move past a token of that kind, if it stands here."""
        if self.kind != kind:
            return False
        self.index += 1
        self.kind = self.tokens[self.index].kind
        return True

    def expect(self, kind: str, where: str) -> Token:
        """The token of that kind that must stand here; `where` completes "expected `kind` ..." for the reader."""
        if self.kind != kind:
            self.fail(f"{kind!r} {where}")
        return self.advance()

    def at_word(self, word: str) -> bool:
        """Whether a word that is not a keyword (`called`-like words of the grammar: `returns`, `Choice`) is here."""
        token = self.tokens[self.index]
        return token.kind == "word" and token.value == word

    def advance_one_of(self, one: str, other: str, where: str) -> str:
        """The kind of the token here, which must be one of two."""
        if self.kind != one and self.kind != other:
            self.fail(f"{one!r} or {other!r} {where}")
        return self.advance().kind

    # --- places and errors

    def start(self) -> int:
        """The offset at which the token here starts."""
        return self.tokens[self.index].start

    def since(self, start: int) -> Span:
        """The span from an offset to the end of the token before the cursor."""
        return self.source.span(start, self.tokens[self.index - 1].end if self.index else start)

    def fail(self, expected: str, hint: str = "") -> NoReturn:
        """Report the token here as unexpected."""
        token = self.tokens[self.index]
        message = "unexpected end of text" if token.kind == END else f"unexpected {self._shown(token)}"
        if hint:
            message = f"{message}: {hint}"
        elif token.kind == "word" and (near := get_close_matches(token.value, _WORDS_OF_THE_LANGUAGE, 1, 0.75)):
            message = f"{message}: did you mean '{near[0]}'?"
        elif token.kind in _IDENTIFIER and self.index and self.tokens[self.index - 1].kind in (")", "}", "]"):
            message = f"{message}: a query's source is a retrieve or a name, or stands in parentheses"
        raise SyntaxProblem(self.source.error(token.start, token.end, message, expected))

    def fail_at(self, start: int, end: int, message: str, expected: str | None = None) -> NoReturn:
        """Report a text that is well formed and not allowed."""
        raise SyntaxProblem(self.source.error(start, end, message, expected))

    def _shown(self, token: Token) -> str:
        text = shortened(self.source.text[token.start : token.end].split("\n", 1)[0])
        if token.kind in KEYWORDS or token.kind in PAIR_KEYWORDS:
            return f"keyword '{text}'"
        return text if token.kind in ("string", "quoted") else f"'{text}'"

    def enter(self) -> None:
        """Count one more level of nesting; too many are an error."""
        self.nesting += 1
        if self.nesting > self.limits.nesting:
            token = self.tokens[self.index]
            self.fail_at(
                token.start,
                token.end,
                f"nested more than {self.limits.nesting} levels deep",
                "parts of the expression in defines of their own",
            )

    # --- names

    def identifier(self, what: str) -> str:
        """A name that is being declared: a word that is no keyword, or a quoted one."""
        if self.kind not in _IDENTIFIER:
            if self.kind in KEYWORDS:
                self.fail(what, f'a keyword is a name only in quotes: "{self.kind}"')
            self.fail(what)
        return self.advance().value

    def referential_identifier(self, what: str) -> str:
        """A name that is being referred to: also a keyword that is not reserved (`code`, `version`, `start` ...)."""
        if self.kind not in _REFERENTIAL:
            if self.kind in KEYWORDS:
                self.fail(what, f'this keyword is a name only in quotes: "{self.kind}"')
            self.fail(what)
        return self.advance().value

    def element_name(self, what: str) -> str:
        """A name after a point or before an element's colon, where every keyword is unambiguous."""
        if self.kind not in _NAME_OF_ELEMENT:
            self.fail(what)
        return self.advance().value

    def at_referential_identifier(self) -> bool:
        """Whether such a name stands here."""
        return self.kind in _REFERENTIAL

    def at_element_name(self, distance: int = 0) -> bool:
        """Whether a name of an element stands here, or `distance` tokens on."""
        return self.kind_after(distance) in _NAME_OF_ELEMENT

    def qualified_name(self, what: str) -> tree.QualifiedName:
        """`name`, `Qualifier.name` ..."""
        start = self.start()
        parts = [self.identifier(what)]
        while self.accept("."):
            parts.append(self.identifier(what))
        return tree.QualifiedName(parts=tuple(parts), span=self.since(start))

    def string(self, what: str) -> str:
        """A string's value."""
        if self.kind != "string":
            hint = f"write it in single quotes: '{self.tokens[self.index].value}'" if self.kind == "quoted" else ""
            self.fail(what, hint)
        return self.advance().value

    # --- types

    def type_specifier(self) -> tree.TypeSpecifier:
        """`Integer`, `FHIR.Period`, `List<...>`, `Interval<...>`, `Tuple { ... }`, `Choice<...>`."""
        start = self.start()
        if self.kind == "List" or self.kind == "Interval":
            word = self.advance().kind
            inner = self._type_arguments(word, single=True)[0]
            span = self.since(start)
            return tree.ListType(element=inner, span=span) if word == "List" else tree.IntervalType(inner, span=span)
        if self.at_word("Choice") and self.kind_after() == "<":
            self.advance()
            return tree.ChoiceType(alternatives=self._type_arguments("Choice", single=False), span=self.since(start))
        if self.accept("Tuple"):
            return self._tuple_type(start)
        return self.named_type()

    def _type_arguments(self, word: str, single: bool) -> tuple[tree.TypeSpecifier, ...]:
        """`<type>` or, unless single, `<type, ...>`."""
        self.enter()
        self.expect("<", f"after {word}, as in {word}<Integer>")
        types = [self.type_specifier()]
        while not single and self.accept(","):
            types.append(self.type_specifier())
        self.expect(">", f"to end {word}<")
        self.nesting -= 1
        return tuple(types)

    def _tuple_type(self, start: int) -> tree.TupleType:
        self.enter()
        self.expect("{", "after Tuple, as in Tuple { name Integer }")
        elements: list[tree.TupleTypeElement] = []
        while True:
            first = self.start()
            name = self.element_name("the name of an element, as in Tuple { name Integer }")
            elements.append(tree.TupleTypeElement(name=name, type=self.type_specifier(), span=self.since(first)))
            if not self.accept(","):
                break
        self.expect("}", "to end Tuple {")
        self.nesting -= 1
        return tree.TupleType(elements=tuple(elements), span=self.since(start))

    def named_type(self) -> tree.NamedType:
        """`Integer`, `System.Integer`, `"Encounter, Performed"`."""
        start = self.start()
        what = "the name of a type, as in Integer or FHIR.Encounter"
        if self.kind not in _TYPE_NAME:
            self.fail(what)
        parts = [self.advance().value]
        while self.kind == "." and self.kind_after() in _TYPE_NAME:
            self.advance()
            parts.append(self.advance().value)
        return tree.NamedType(parts=tuple(parts), span=self.since(start))
