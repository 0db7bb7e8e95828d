"""Expressions, by operator precedence (a Pratt parser).

Source: CQL grammar, productions expression and expressionTerm. There the order of the alternatives is the precedence;
here it is a table of binding powers, higher binding tighter. Two levels matter: a *term* (arithmetic and everything
tighter) may stand wherever an expression may, but between the operands of an arithmetic operator, after `between` and
in `sort by` only terms may stand: a retrieve, query, `exists` or `not` must be in parentheses there.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NoReturn

from cql_like.ir import Precision
from cql_like.syntax import tree
from cql_like.syntax.cursor import CALENDAR_UNITS, PLURAL_PRECISIONS, PRECISIONS
from cql_like.syntax.lexer import ITERATIONS, KEYWORD_IDENTIFIERS
from cql_like.syntax.phrases import TIMING_WORDS
from cql_like.syntax.queries import CLAUSE_WORDS, TERM
from cql_like.syntax.selectors import SelectorParser

# Binding powers. The operand on the right of a left-associative operator must bind tighter than the operator.
SETS, IMPLIES, OR, AND, MEMBERSHIP, EQUALITY, TIMING, INEQUALITY, BETWEEN = range(10, 100, 10)
EXISTS, NOT, TYPE, EXPRESSION = 100, 110, 120, 130
ADD, MULTIPLY, POWER, PREFIX, POSTFIX = TERM, 150, 160, 170, 180

_BINARY: Mapping[str, tuple[int, tree.BinaryOperator]] = MappingProxyType(
    {
        "|": (SETS, "union"),
        "union": (SETS, "union"),
        "intersect": (SETS, "intersect"),
        "except": (SETS, "except"),
        "implies": (IMPLIES, "implies"),
        "or": (OR, "or"),
        "xor": (OR, "xor"),
        "and": (AND, "and"),
        "=": (EQUALITY, "="),
        "!=": (EQUALITY, "!="),
        "~": (EQUALITY, "~"),
        "!~": (EQUALITY, "!~"),
        "<=": (INEQUALITY, "<="),
        "<": (INEQUALITY, "<"),
        ">": (INEQUALITY, ">"),
        ">=": (INEQUALITY, ">="),
        "+": (ADD, "+"),
        "-": (ADD, "-"),
        "&": (ADD, "&"),
        "*": (MULTIPLY, "*"),
        "/": (MULTIPLY, "/"),
        "div": (MULTIPLY, "div"),
        "mod": (MULTIPLY, "mod"),
        "^": (POWER, "^"),
    }
)
_NONE = (-1, None)
_ASSOCIATIVE = frozenset({"and", "or", "union", "&"})
_LONG_CHAIN = 16  # operators; shorter chains keep the shape that they are read in
_POWERS: Mapping[str, int] = MappingProxyType(
    {kind: power for kind, (power, _) in _BINARY.items()}
    | dict.fromkeys(TIMING_WORDS, TIMING)
    | {"in": MEMBERSHIP, "contains": MEMBERSHIP, "between": BETWEEN, "is": TYPE, "as": TYPE, ".": POSTFIX, "[": POSTFIX}
)
# Keywords that begin a term together with `of` or `from`, and are names without it.
_OF: Mapping[str, tree.UnaryOperator] = MappingProxyType(
    {
        "start": "start of",
        "end": "end of",
        "width": "width of",
        "successor": "successor of",
        "predecessor": "predecessor of",
    }
)
_FROM: Mapping[str, tree.UnaryOperator] = MappingProxyType({"singleton": "singleton from", "point": "point from"})
_COMPONENTS: Mapping[str, tree.Component] = MappingProxyType(
    {**PRECISIONS, "date": "date", "time": "time", "timezoneoffset": "timezoneoffset"}
)
# `define` before one of these is the next statement, not a name.
_AFTER_DEFINE = frozenset({"word", "quoted", "function", "fluent", "public", "private"})
# What may follow the number of `A 3 days before B`.
_AFTER_OFFSET = CALENDAR_UNITS | {"string", "or", "on or", "before", "after"}
_SIGNS: Mapping[str, tree.UnaryOperator] = MappingProxyType({"+": "+", "-": "-"})
_BOOLEAN_TESTS: Mapping[str, tree.TestedValue] = MappingProxyType({"null": "null", "true": "true", "false": "false"})


class ExpressionParser(SelectorParser):
    """Reads expressions."""

    # --- the loop

    def expression(self, power: int = 0) -> tree.Expression:
        """An expression of operators that bind at least as tightly as `power`.

        `ceiling` is how tightly what has been read so far binds: no operator that binds tighter may follow it.
        """
        self.enter()
        start = self.tokens[self.index].start
        kind = self.kind
        ceiling = POSTFIX
        if kind == "word" or kind == "quoted" or (kind in KEYWORD_IDENTIFIERS and not self._begins_phrase(kind)):
            left = self._name_or_call(start)
            chain = sourceable = type(left) is tree.Identifier  # a.b.c: may become a query's source or a type's name
        else:
            ceiling, read = self._reader(power)
            left = read(self)
            chain = False
            sourceable = kind == "(" or kind == "["
        while True:
            kind = self.kind
            if sourceable and power <= EXPRESSION and (kind == "word" or kind == "quoted"):
                left = self.query_from(left, start)
                chain = sourceable = False
                ceiling = EXPRESSION
                continue
            binding = _POWERS.get(kind, -1)
            if binding < power or binding > ceiling or binding < 0:
                break
            if binding == POSTFIX:
                left = self._member_or_index(left, start)
                chain = sourceable = chain and type(left) is tree.Member
                if chain and self.kind == "{":
                    left = self.instance(start, left)
                    chain = sourceable = False
                continue
            chain = sourceable = False
            operator = _BINARY.get(kind)
            if operator is not None:
                left = self._chain(operator[1], binding, left, start)
            else:
                left, binding = self._wordy(kind, left, start)
            ceiling = binding
        self.nesting -= 1
        return left

    def _chain(self, operator: tree.BinaryOperator, binding: int, left: tree.Expression, start: int) -> tree.Expression:
        """`left op b`, and, where it makes no difference, `op c op d ...` as well: a long chain becomes a balanced tree
        instead of one that is as deep as the chain is long."""
        operands, starts, ends = [left], [start], [self.tokens[self.index - 1].end]
        while _BINARY.get(self.kind, _NONE)[1] == operator and (len(operands) == 1 or operator in _ASSOCIATIVE):
            self.advance()
            starts.append(self.start())
            operands.append(self.expression(binding + 1))
            ends.append(self.tokens[self.index - 1].end)

        def joined(first: int, last: int) -> tree.Expression:
            if first == last:
                return operands[first]
            split = last if last - first < _LONG_CHAIN else (first + last + 1) // 2
            span = self.source.span(starts[first], ends[last])
            return tree.Binary(operator, joined(first, split - 1), joined(split, last), span=span)

        return joined(0, len(operands) - 1)

    def _begins_phrase(self, kind: str) -> bool:
        """Whether a keyword that may be a name begins `start of`, `date from` ... here."""
        following = self.kind_after()
        return (
            (following == "of" and kind in _OF)
            or (following == "from" and kind in _COMPONENTS)
            or (kind == "define" and following in _AFTER_DEFINE)
        )

    def _reader(self, power: int) -> "tuple[int, _Reader]":
        """What reads the expression that begins here with a mark, literal or keyword, and how tightly that binds."""
        kind = self.kind
        reader = _READERS.get(kind)
        if reader is None or (kind == "define" and self.kind_after() in _AFTER_DEFINE):
            hint = "a clause of a query follows a source and its alias" if kind in CLAUSE_WORDS else ""
            self.fail("an expression", hint)
        ceiling, read = reader
        if (kind == "duration" or kind == "difference") and self.kind_after(3) == "between":
            ceiling = EXPRESSION
        if power >= TERM > ceiling:
            what = "a retrieve" if kind == "[" else "a query" if kind == "from" else f"an expression with {kind!r}"
            self.fail("an expression term", f"{what} stands in parentheses here")
        return ceiling, read

    def _wordy(self, kind: str, left: tree.Expression, start: int) -> tuple[tree.Expression, int]:
        """The operators that are more than a mark or a word, and how tightly each binds."""
        if kind == "is":
            return self._is(left, start), TYPE
        if kind == "as":
            self.advance()
            return tree.Cast(left, self.type_specifier(), False, span=self.since(start)), TYPE
        if kind == "between" or (kind == "properly" and self.kind_after() == "between"):
            return self._between(left, start), BETWEEN
        if kind == "in" or kind == "contains":
            self.advance()
            precision = self.precision_of()
            right = self.expression(MEMBERSHIP + 1)
            operator = "in" if kind == "in" else "contains"
            return tree.Membership(operator, precision, left, right, span=self.since(start)), MEMBERSHIP
        if kind == "number" and self.kind_after() not in _AFTER_OFFSET:
            self.expected_operator()
        phrase = self.timing_phrase()
        right = self.expression(TIMING + 1)
        return tree.Timing(left, phrase, right, span=self.since(start)), TIMING

    def _is(self, left: tree.Expression, start: int) -> tree.Expression:
        self.advance()
        negated = self.accept("not")
        value = _BOOLEAN_TESTS.get(self.kind)
        if value is not None:
            self.advance()
            return tree.BooleanTest(left, value, negated, span=self.since(start))
        if negated:
            self.fail("null, true or false after is not", "for a type write: not (x is T)")
        return tree.TypeTest(operand=left, type=self.type_specifier(), span=self.since(start))

    def _between(self, left: tree.Expression, start: int) -> tree.Between:
        proper = self.accept("properly")
        self.advance()
        low = self.expression(TERM)
        self.expect("and", "between the two bounds")
        return tree.Between(left, low, self.expression(TERM), proper, span=self.since(start))

    # --- names, calls, members

    def _name_or_call(self, start: int) -> tree.Expression:
        name = self.advance().value
        if self.kind == "(":
            operands = self.operands()
            return tree.Call(source=None, name=name, operands=operands, span=self.since(start))
        identifier = tree.Identifier(name=name, span=self.since(start))
        return self.instance(start, identifier) if self.kind == "{" else identifier

    def _member_or_index(self, left: tree.Expression, start: int) -> tree.Expression:
        if self.accept("["):
            index = self.expression()
            self.expect("]", "to end the index")
            return tree.Indexer(source=left, index=index, span=self.since(start))
        self.advance()
        name = self.element_name("a name after '.'")
        if self.kind == "(":
            return tree.Call(source=left, name=name, operands=self.operands(), span=self.since(start))
        return tree.Member(source=left, name=name, span=self.since(start))

    # --- literals without parts

    def simple_literal(self) -> tree.Expression:
        """`null`, `true`, `false`, a string, or an iteration variable."""
        token = self.advance()
        span = self.source.span(token.start, token.end)
        match token.kind:
            case "null":
                return tree.NullLiteral(span=span)
            case "string":
                return tree.StringLiteral(value=token.value, span=span)
            case "true" | "false":
                return tree.BooleanLiteral(value=token.kind == "true", span=span)
            case "$this":
                return tree.Iteration(name="$this", span=span)
            case "$index":
                return tree.Iteration(name="$index", span=span)
            case _:
                return tree.Iteration(name="$total", span=span)

    def external_constant(self) -> tree.ExternalConstant:
        """`%name`."""
        start = self.start()
        self.advance()
        if self.kind not in ("word", "quoted", "string"):
            self.fail("a name after '%'")
        return tree.ExternalConstant(name=self.advance().value, span=self.since(start))

    # --- prefix operators

    def sign(self) -> tree.Expression:
        """`-x`, `+x`."""
        start = self.start()
        operator = _SIGNS[self.advance().kind]
        if operator == "-" and (least := self.least_number()) is not None:
            return least
        return tree.Unary(operator=operator, operand=self.expression(PREFIX), span=self.since(start))

    def not_(self) -> tree.Unary:
        """`not x`."""
        start = self.start()
        self.advance()
        return tree.Unary(operator="not", operand=self.expression(NOT), span=self.since(start))

    def exists(self) -> tree.Unary:
        """`exists x`."""
        start = self.start()
        self.advance()
        return tree.Unary(operator="exists", operand=self.expression(EXISTS), span=self.since(start))

    def boundary(self) -> tree.Unary:
        """`start of x`, `width of x` ... (`_begins_phrase` has seen the `of`)."""
        start = self.start()
        operator = _OF[self.advance().kind]
        self.advance()
        return tree.Unary(operator=operator, operand=self.expression(PREFIX), span=self.since(start))

    def extractor(self) -> tree.Unary:
        """`singleton from x`, `point from x`."""
        start = self.start()
        operator = _FROM[self.advance().kind]
        self.expect("from", f"as in {operator} X")
        return tree.Unary(operator=operator, operand=self.expression(PREFIX), span=self.since(start))

    def component(self) -> tree.ComponentFrom:
        """`year from x`, `date from x`."""
        start = self.start()
        component = _COMPONENTS[self.advance().kind]
        self.expect("from", f"as in {component} from X")
        return tree.ComponentFrom(component=component, operand=self.expression(PREFIX), span=self.since(start))

    def list_operator(self) -> tree.Unary:
        """`distinct x`, `flatten x`."""
        start = self.start()
        operator: tree.UnaryOperator = "distinct" if self.advance().kind == "distinct" else "flatten"
        return tree.Unary(operator=operator, operand=self.expression(), span=self.since(start))

    def expand_or_collapse(self) -> tree.ExpandCollapse:
        """`expand x per day`, `collapse x`."""
        start = self.start()
        operator = "expand" if self.advance().kind == "expand" else "collapse"
        operand = self.expression()
        precision = per = None
        if self.accept("per"):
            if self.kind in PRECISIONS and self.kind_after() != "from":
                precision = PRECISIONS[self.advance().kind]
            else:
                per = self.expression()
        return tree.ExpandCollapse(operator, operand, precision, per, span=self.since(start))

    # --- words with several operands

    def elapsed(self) -> tree.Expression:
        """`duration in days of x` and `difference in days of x` (terms); the same with `between` (expressions)."""
        start = self.start()
        measure = "duration" if self.kind == "duration" else "difference"
        self.advance()
        self.expect("in", f"as in {measure} in days between")
        precision = self.plural_precision(f"{measure} in days between")
        if self.accept("of"):
            return tree.ElapsedOf(measure, precision, self.expression(PREFIX), span=self.since(start))
        if self.kind != "between":
            self.fail(f"between or of, as in {measure} in days between A and B, {measure} in days of I")
        return self._elapsed_between(start, measure, precision)

    def days_between(self) -> tree.ElapsedBetween:
        """`days between a and b`."""
        start = self.start()
        return self._elapsed_between(start, "duration", PLURAL_PRECISIONS[self.advance().kind])

    def _elapsed_between(self, start: int, measure: tree.Measure, precision: Precision) -> tree.ElapsedBetween:
        self.expect("between", "as in days between A and B")
        low = self.expression(TERM)
        self.expect("and", "between the two dates")
        return tree.ElapsedBetween(measure, precision, low, self.expression(TERM), span=self.since(start))

    def cast(self) -> tree.Cast:
        """`cast x as T`."""
        start = self.start()
        self.advance()
        operand = self.expression(EXPRESSION)
        self.expect("as", "and a type after cast")
        return tree.Cast(operand=operand, type=self.type_specifier(), strict=True, span=self.since(start))

    def convert(self) -> tree.Expression:
        """`convert x to T`, `convert x to 'g'`."""
        start = self.start()
        self.advance()
        operand = self.expression()
        self.expect("to", "and a type or unit after convert")
        if self.kind == "string" or self.kind in CALENDAR_UNITS:
            token = self.advance()
            return tree.UnitConversion(operand, token.value, token.kind != "string", span=self.since(start))
        return tree.Conversion(operand=operand, type=self.type_specifier(), span=self.since(start))

    def type_extreme(self) -> tree.TypeExtreme:
        """`minimum Integer`."""
        start = self.start()
        extreme = "minimum" if self.advance().kind == "minimum" else "maximum"
        return tree.TypeExtreme(extreme=extreme, type=self.named_type(), span=self.since(start))

    def if_(self) -> tree.If:
        """`if c then x else y`."""
        start = self.start()
        self.advance()
        condition = self.expression()
        self.expect("then", "after the condition of if")
        then = self.expression()
        self.expect("else", "after the then of if")
        return tree.If(condition, then, self.expression(), span=self.since(start))

    def case(self) -> tree.Case:
        """`case [x] when ... then ... else ... end`."""
        start = self.start()
        self.advance()
        comparand = self.expression() if self.kind != "when" else None
        items: list[tree.CaseItem] = []
        while self.kind == "when":
            first = self.start()
            self.advance()
            when = self.expression()
            self.expect("then", "after the condition of when")
            items.append(tree.CaseItem(when=when, then=self.expression(), span=self.since(first)))
        if not items:
            self.fail("when")
        self.expect("else", "or when, after the items of case")
        otherwise = self.expression()
        self.expect("end", "to end case")
        return tree.Case(comparand, tuple(items), otherwise, span=self.since(start))

    # --- the end

    def expected_operator(self) -> NoReturn:
        """Report that an expression has ended and the token here does not go on with it."""
        if self.kind in CLAUSE_WORDS:
            self.fail("an alias before the clause, as in [Encounter] E where ...", "this clause belongs to no query")
        if self.kind in ("string", "number", "long", "@date", "@datetime", "@time", "(", "{"):
            self.fail("an operator, or the end of the expression", "two expressions stand side by side")
        self.fail("an operator, or the end of the expression")


_Reader = Callable[[ExpressionParser], tree.Expression]
_P = ExpressionParser
# What reads an expression that begins with a token of that kind, and how tightly the result binds.
_READERS: Mapping[str, tuple[int, _Reader]] = MappingProxyType(
    {
        "(": (POSTFIX, _P.parenthesized),
        "{": (POSTFIX, _P.braces),
        "[": (EXPRESSION, _P.retrieve),
        "from": (EXPRESSION, _P.from_query),
        "number": (POSTFIX, _P.number),
        "long": (POSTFIX, _P.long),
        "%": (POSTFIX, _P.external_constant),
        "List": (POSTFIX, _P.list_selector),
        "Tuple": (POSTFIX, _P.tuple_selector),
        "Interval": (POSTFIX, _P.interval_selector),
        "not": (NOT, _P.not_),
        "exists": (EXISTS, _P.exists),
        "cast": (EXPRESSION, _P.cast),
        "convert": (POSTFIX, _P.convert),
        "if": (POSTFIX, _P.if_),
        "case": (POSTFIX, _P.case),
    }
    | dict.fromkeys(("Code", "Concept"), (POSTFIX, _P.code_or_instance))
    | dict.fromkeys(("null", "true", "false", "string", *ITERATIONS), (POSTFIX, _P.simple_literal))
    | dict.fromkeys(("@date", "@datetime", "@time"), (POSTFIX, _P.temporal))
    | dict.fromkeys(_SIGNS, (PREFIX, _P.sign))
    | dict.fromkeys(_OF, (PREFIX, _P.boundary))
    | dict.fromkeys(_FROM, (PREFIX, _P.extractor))
    | dict.fromkeys(("duration", "difference"), (PREFIX, _P.elapsed))
    | dict.fromkeys(_COMPONENTS, (PREFIX, _P.component))
    | dict.fromkeys(PLURAL_PRECISIONS, (EXPRESSION, _P.days_between))
    | dict.fromkeys(("distinct", "flatten"), (POSTFIX, _P.list_operator))
    | dict.fromkeys(("expand", "collapse"), (POSTFIX, _P.expand_or_collapse))
    | dict.fromkeys(("minimum", "maximum"), (POSTFIX, _P.type_extreme))
)
