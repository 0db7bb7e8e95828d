"""Libraries and their declarations (CQL grammar, productions library to functionDefinition).

A syntax error ends only its own declaration: parsing goes on at the next one, so that a reader is told of all of them.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from cql_like.errors import CqlError
from cql_like.ir import Span
from cql_like.syntax import tree
from cql_like.syntax.cursor import SyntaxProblem
from cql_like.syntax.expressions import ExpressionParser
from cql_like.syntax.lexer import END, KEYWORDS, Source, Token, Tokens, unescape
from cql_like.syntax.limits import Limits

_ACCESS = frozenset({"public", "private"})
_NAME = frozenset({"word", "quoted"})
_TAG = re.compile(r"@(?P<name>[A-Za-z_][A-Za-z0-9_-]*)[ \t]*(?::[ \t]*(?:\"(?P<quoted>[^\"]*)\"|(?P<value>[^\r\n]*)))?")
_COMMENT_MARKERS = re.compile(r"^/\*+|\*+/$")
_LINE_MARKER = re.compile(r"^[ \t]*(?://+|\*+(?!/))?[ \t]?", re.MULTILINE)


class LibraryParser(ExpressionParser):
    """Reads a library, or a single expression. `errors` holds what went wrong so far."""

    def __init__(self, source: Source, tokens: Tokens, limits: Limits) -> None:
        super().__init__(source, tokens, limits)
        self.errors: list[CqlError] = list(tokens.errors)
        self.unread: list[str | None] = []  # names of the defines that could not be read; None: another declaration
        self._context: str | None = None

    # --- whole texts

    def whole_expression(self) -> tree.Expression | None:
        """The expression that the whole text is; None, with `errors`, if it is none."""
        try:
            expression = self.expression()
            if self.kind != END:
                self.expected_operator()
            self._check_depth(expression, 0)
        except SyntaxProblem as problem:
            self.errors.append(problem.error)
            return None
        return expression

    def library(self) -> tree.Library:
        """The library that the text is; `errors` tells whether all of it could be read."""
        start = self.start()
        name: tree.LibraryName | None = None
        definitions: list[tree.Definition] = []
        statements: list[tree.Statement] = []
        while self.kind != END and len(self.errors) < self.limits.errors:
            begin = self.index
            try:
                if self.kind == "library":
                    if name is not None or definitions or statements:
                        self.fail("a definition or statement", "a library has one library line, which is its first")
                    name = self._library_name()
                elif self.kind == "define" or self.kind == "context":
                    statements.append(self._statement())
                else:
                    definitions.append(self._definition(bool(statements)))
                self._check_end()
            except SyntaxProblem as problem:
                self.errors.append(problem.error)
                self.unread.append(self._defined_name(begin))
                self.nesting = 0
                self._recover(begin)
        return tree.Library(name, tuple(definitions), tuple(statements), span=self.source.span(start, self._last_end()))

    def _defined_name(self, begin: int) -> str | None:
        """The name that a `define` at this token gives; None for any other declaration."""
        if self.tokens[begin].kind != "define":
            return None
        for token in self.tokens[begin + 1 : begin + 5]:
            text = self.source.text[token.start : token.end]
            if token.kind not in ("public", "private", "fluent", "function"):
                return unescape(text[1:-1]) if text[:1] in '"`' else text
        return None

    def _last_end(self) -> int:
        return self.tokens[-2].end if len(self.tokens) > 1 else 0

    def _check_end(self) -> None:
        """After a declaration the next one begins, or the text ends."""
        if self.kind != END and not self._at_declaration():
            self.expected_operator()

    def _at_declaration(self) -> bool:
        """Whether a declaration begins here."""
        following = self.kind_after()
        named = following in _NAME or (following in KEYWORDS and self._first_on_line())
        match self.kind:
            case "define":
                return named or following in ("function", "fluent", "public", "private")
            case "public" | "private":
                return following in _DEFINITIONS
            case "context" | "library" | "using" | "include" | "parameter":
                return named
            case "codesystem" | "valueset" | "code" | "concept":
                return named and (self.kind_after(2) == ":" or self._first_on_line())
            case _:
                return False

    def _recover(self, begin: int) -> None:
        """Go on to the next token at which a declaration begins on a line of its own. An unexpected end of the text may
        come from a bracket left open far above: then what that swallowed is looked at, from `begin` on."""
        index = begin + 1 if self.kind == END else max(begin + 1, self.index)
        self.move_to(min(index, len(self.tokens) - 1))
        while self.kind != END and not (self._at_declaration() and self._first_on_line()):
            self.advance()

    def _first_on_line(self) -> bool:
        start = self.tokens[self.index].start
        line_start = self.source.text.rfind("\n", 0, start) + 1
        return not self.source.text[line_start:start].strip()

    # --- comments and tags

    def _comment(self, index: int) -> tuple[str, tuple[tree.Tag, ...]]:
        """The comment above the token with that index, and its tags. A comment that ends the line of the declaration
        before belongs to that one."""
        comments = self.comments.get(index)
        if not comments:
            return "", ()
        text = self.source.text
        previous_end = self.tokens[index - 1].end if index else -1
        own = [token for token in comments if previous_end < 0 or "\n" in text[previous_end : token.start]]
        tags = tuple(tag for token in own for tag in self._tags(token))
        return "\n".join(filter(None, map(_plain, own))), tags

    def _tags(self, comment: Token) -> list[tree.Tag]:
        text = comment.value.removesuffix("*/")
        return [
            tree.Tag(
                name=match["name"],
                value=(match["quoted"] if match["quoted"] is not None else match["value"] or "").strip(),
                span=self.source.span(comment.start + match.start(), comment.start + match.end()),
            )
            for match in _TAG.finditer(text)
            if not text[: match.start()].rsplit("\n", 1)[-1].strip(" \t\r/*")
        ]

    # --- definitions

    def _library_name(self) -> tree.LibraryName:
        begin, start = self.index, self.start()
        self.advance()
        name = self.qualified_name("the name of the library")
        version = self._version()
        comment, tags = self._comment(begin)
        return tree.LibraryName(name, version, span=self.since(start), comment=comment, tags=tags)

    def _definition(self, late: bool) -> tree.Definition:
        """A definition; `late`: a statement came before it, which the grammar does not allow."""
        begin, start = self.index, self.start()
        comment, tags = self._comment(begin)
        access = self.advance().kind if self.kind in _ACCESS else None
        reader = _DEFINITIONS.get(self.kind)
        if reader is None:
            self.fail("library, using, include, codesystem, valueset, code, concept, parameter, context or define")
        if access is not None and self.kind in ("using", "include"):
            self.fail("codesystem, valueset, code, concept or parameter after public or private")
        word = self.advance()
        definition = reader(self, start, access != "private", comment, tags)
        if late:
            self.errors.append(
                self.source.error(
                    word.start,
                    word.end,
                    f"this {word.value} definition stands after a define or context",
                    "all definitions before the first statement",
                )
            )
        return definition

    def _version(self) -> str | None:
        return self.string("a version in single quotes") if self.accept("version") else None

    def using(self, start: int, public: bool, comment: str, tags: tuple[tree.Tag, ...]) -> tree.UsingDefinition:
        """`using FHIR version '4.0.1'`."""
        model = self.qualified_name("the name of a model, as in using FHIR version '4.0.1'")
        version = self._version()
        called = self.identifier("a local name after called") if self.accept("called") else None
        return tree.UsingDefinition(model, version, called, span=self.since(start), comment=comment, tags=tags)

    def include(self, start: int, public: bool, comment: str, tags: tuple[tree.Tag, ...]) -> tree.IncludeDefinition:
        """`include Common version '1' called C`."""
        name = self.qualified_name("the name of a library")
        version = self._version()
        alias = self.identifier("a local name after called") if self.accept("called") else name.name
        return tree.IncludeDefinition(name, version, alias, span=self.since(start), comment=comment, tags=tags)

    def codesystem(
        self, start: int, public: bool, comment: str, tags: tuple[tree.Tag, ...]
    ) -> tree.CodesystemDefinition:
        """`codesystem "CPT": '...'`."""
        name, identity = self._terminology("a code system")
        version = self._version()
        span = self.since(start)
        return tree.CodesystemDefinition(name, identity, version, public, span=span, comment=comment, tags=tags)

    def valueset(self, start: int, public: bool, comment: str, tags: tuple[tree.Tag, ...]) -> tree.ValuesetDefinition:
        """`valueset "Well Visits": '...'`."""
        name, identity = self._terminology("a value set")
        version = self._version()
        codesystems: list[tree.QualifiedName] = []
        if self.accept("codesystems"):
            codesystems = self._names("code system")
        span = self.since(start)
        return tree.ValuesetDefinition(
            name, identity, version, tuple(codesystems), public, span=span, comment=comment, tags=tags
        )

    def code(self, start: int, public: bool, comment: str, tags: tuple[tree.Tag, ...]) -> tree.CodeDefinition:
        """`code "Birth date": '21112-8' from "LOINC"`."""
        name, identity = self._terminology("a code")
        self.expect("from", "and a code system after the code")
        system = self.qualified_name("the name of a code system")
        display = self.display()
        span = self.since(start)
        return tree.CodeDefinition(name, identity, system, display, public, span=span, comment=comment, tags=tags)

    def concept(self, start: int, public: bool, comment: str, tags: tuple[tree.Tag, ...]) -> tree.ConceptDefinition:
        """`concept "Name": { "Code" }`."""
        name = self.identifier("the name of a concept")
        self.expect(":", "after the name of a concept")
        codes = self._names("code")
        display = self.display()
        span = self.since(start)
        return tree.ConceptDefinition(name, tuple(codes), display, public, span=span, comment=comment, tags=tags)

    def parameter(self, start: int, public: bool, comment: str, tags: tuple[tree.Tag, ...]) -> tree.ParameterDefinition:
        """`parameter "Measurement Period" Interval<DateTime> default ...`."""
        begin = self.index
        name = self.identifier("the name of a parameter")
        typed = self.kind in ("List", "Interval", "Tuple") or (self.kind != "default" and not self._at_next())
        kind = self.type_specifier() if typed else None
        default = self.expression() if self.accept("default") else None
        if kind is None and default is None:
            self.fail("a type or default after the name of a parameter")
        if default is not None:
            self._check_depth(default, begin)
        return tree.ParameterDefinition(name, kind, default, public, span=self.since(start), comment=comment, tags=tags)

    def _at_next(self) -> bool:
        return self.kind == END or self._at_declaration()

    def _terminology(self, what: str) -> tuple[str, str]:
        """`name: 'id'`."""
        name = self.identifier(f"the name of {what}")
        self.expect(":", f"after the name of {what}")
        return name, self.string(f"the identifier of {what} in single quotes")

    def _names(self, what: str) -> list[tree.QualifiedName]:
        """`{ name, Library.name }`."""
        self.expect("{", f"before the {what}s")
        names = [self.qualified_name(f"the name of a {what}")]
        while self.accept(","):
            names.append(self.qualified_name(f"the name of a {what}"))
        self.expect("}", f"or ',' after the name of a {what}")
        return names

    # --- statements

    def _statement(self) -> tree.Statement:
        begin, start = self.index, self.start()
        comment, tags = self._comment(begin)
        if self.accept("context"):
            name = self.identifier("the name of a context, as in context Patient")
            model: str | None = None
            if self.accept("."):
                model, name = name, self.identifier("the name of a context after the model")
            self._context = name
            return tree.ContextDefinition(model, name, span=self.since(start), comment=comment, tags=tags)
        self.advance()
        public = not (self.kind in _ACCESS and self.advance().kind == "private")
        fluent = self.kind == "fluent" and self.kind_after() == "function" and self.accept("fluent")
        if self.kind == "function":
            return self._function(begin, start, public, fluent, comment, tags)
        name = self.identifier("the name of the definition, or function")
        if self.kind == "(":
            self.fail("':' after the name of the definition", "a function is written: define function name(...)")
        self.expect(":", "after the name of the definition")
        expression = self.expression()
        self._check_depth(expression, begin)
        span = self.since(start)
        return tree.ExpressionDefinition(name, expression, self._context, public, span=span, comment=comment, tags=tags)

    def _function(
        self, begin: int, start: int, public: bool, fluent: bool, comment: str, tags: tuple[tree.Tag, ...]
    ) -> tree.FunctionDefinition:
        self.advance()
        name = self.element_name("the name of the function")
        self.expect("(", "after the name of the function")
        operands: list[tree.OperandDefinition] = []
        if self.kind != ")":
            operands.append(self._operand())
            while self.accept(","):
                operands.append(self._operand())
        self.expect(")", "or ',' after an operand")
        returns = None
        if self.at_word("returns"):
            self.advance()
            returns = self.type_specifier()
        self.expect(":", "before the body of the function")
        body: tree.Expression | None = None
        if self.at_word("external") and (self.kind_after() == END or self._declaration_follows()):
            self.advance()
        else:
            body = self.expression()
            self._check_depth(body, begin)
        return tree.FunctionDefinition(
            name=name,
            operands=tuple(operands),
            returns=returns,
            body=body,
            fluent=fluent,
            context=self._context,
            public=public,
            span=self.since(start),
            comment=comment,
            tags=tags,
        )

    def _declaration_follows(self) -> bool:
        index = self.index
        self.move_to(index + 1)
        follows = self._at_declaration()
        self.move_to(index)
        return follows

    def _operand(self) -> tree.OperandDefinition:
        start = self.start()
        name = self.referential_identifier("the name of an operand")
        return tree.OperandDefinition(name=name, type=self.type_specifier(), span=self.since(start))

    # --- limits

    def _check_depth(self, expression: tree.Expression, begin: int) -> None:
        """Refuse a tree too deep for what walks it later. A tree is never deeper than it has tokens."""
        limit = self.limits.depth
        if self.index - begin <= limit:
            return
        level: list[tree.Node] = [expression]
        deepest: Span = expression.span
        for _ in range(limit):
            level = [child for node in level for child in tree.children(node)]
            if not level:
                return
            deepest = level[0].span
        raise SyntaxProblem(
            CqlError(
                deepest.library,
                deepest.line,
                deepest.column,
                f"this expression is more than {limit} operators deep",
                "parts of it in defines of their own, or a list instead of a chain of operators",
            )
        )


def _plain(comment: Token) -> str:
    """A comment without its markers."""
    text = _COMMENT_MARKERS.sub("", comment.value) if comment.value.startswith("/*") else comment.value
    return "\n".join(line.rstrip() for line in _LINE_MARKER.sub("", text).strip().splitlines())


_Reader = Callable[[LibraryParser, int, bool, str, tuple[tree.Tag, ...]], tree.Definition]
_DEFINITIONS: Mapping[str, _Reader] = MappingProxyType(
    {
        "using": LibraryParser.using,
        "include": LibraryParser.include,
        "codesystem": LibraryParser.codesystem,
        "valueset": LibraryParser.valueset,
        "code": LibraryParser.code,
        "concept": LibraryParser.concept,
        "parameter": LibraryParser.parameter,
    }
)
