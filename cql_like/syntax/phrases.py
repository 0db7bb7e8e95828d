"""Literals and the phrases of CQL that are several words long: quantities with their units, and timing phrases.

Source: CQL grammar, productions literal, quantity, ratio, quantityOffset, temporalRelationship and
intervalOperatorPhrase; CQL Author's Guide, Timing Relationships.
"""

from decimal import Decimal
from typing import NoReturn

from cql_like.ir import Precision
from cql_like.syntax import literals, tree
from cql_like.syntax.cursor import CALENDAR_UNITS, PLURAL_PRECISIONS, PRECISIONS, Cursor
from cql_like.syntax.lexer import ITERATIONS, KEYWORD_IDENTIFIERS, Token
from cql_like.syntax.literals import LiteralError

_BOUNDARIES: dict[str, tree.Boundary | None] = {"starts": "start", "ends": "end", "occurs": None}
_RIGHT_BOUNDARIES: dict[str, tree.Boundary] = {"start": "start", "end": "end"}
_BEFORE_OR_AFTER = frozenset({"before", "after"})
_ON_OR: dict[str, tree.TimingRelation] = {"before": "on or before", "after": "on or after"}
_PLAIN: dict[str, tree.TimingRelation] = {"before": "before", "after": "after"}
_SAME_OR: dict[str, tree.TimingRelation] = {"before": "same or before", "after": "same or after"}
_MEETS: dict[str, tree.TimingRelation] = {"before": "meets before", "after": "meets after"}
_OVERLAPS: dict[str, tree.TimingRelation] = {"before": "overlaps before", "after": "overlaps after"}
# What may follow starts, ends or occurs when they are the first word of a longer phrase.
_CONTINUES = frozenset(
    {"same", "properly", "during", "included in", "within", "before", "after", "on or", "less than", "more than"}
) | {"number"}
# What the first token of an expression can be: tells `start X` (a boundary) from `start` (a name).
_INFIX_KEYWORDS = frozenset(
    {"asc", "ascending", "by", "contains", "desc", "descending", "div", "end", "ends", "except", "implies", "includes"}
) | {"intersect", "meets", "mod", "overlaps", "starts", "union", "where", "xor", "define", "context", "default"}
_BEGINS_OPERAND = (
    (KEYWORD_IDENTIFIERS - _INFIX_KEYWORDS)
    | CALENDAR_UNITS
    | ITERATIONS
    | {"word", "quoted", "string", "number", "long", "@date", "@datetime", "@time", "(", "{", "[", "%"}
    | {"null", "true", "false", "not", "exists", "cast", "if", "case", "distinct", "flatten", "expand", "collapse"}
    | {"convert", "minimum", "maximum", "singleton", "point", "duration", "difference", "from"}
    | {"Interval", "Tuple", "List", "Code", "Concept"}
)
TIMING_WORDS = frozenset(
    {"starts", "ends", "occurs", "same", "properly", "includes", "during", "before", "after", "within", "meets"}
) | {"overlaps", "number", "included in", "on or", "less than", "more than"}


class PhraseParser(Cursor):
    """Reads literals and timing phrases."""

    # --- literals

    def number(self) -> tree.Expression:
        """An Integer, Decimal, Quantity or Ratio, whichever the tokens from here make."""
        following = self.kind_after()
        if (
            following in CALENDAR_UNITS
            or following == "string"
            or (following == ":" and self.kind_after(2) == "number")
        ):
            return self._quantity_or_ratio()
        return self.plain_number()

    def plain_number(self) -> tree.IntegerLiteral | tree.DecimalLiteral:
        """A number without unit."""
        token = self.advance()
        span = self.source.span(token.start, token.end)
        try:
            if "." in token.value:
                return tree.DecimalLiteral(value=literals.decimal(token.value), span=span)
            return tree.IntegerLiteral(value=literals.integer(token.value), span=span)
        except LiteralError as error:
            self._refuse(token, error)

    def long(self) -> tree.LongLiteral:
        """`42L`."""
        token = self.advance()
        try:
            return tree.LongLiteral(value=literals.long(token.value), span=self.source.span(token.start, token.end))
        except LiteralError as error:
            self._refuse(token, error)

    def least_number(self) -> tree.Expression | None:
        """`2147483648` or `9223372036854775808L` after a minus sign (which is the token before): the least Integer or
        Long, whose digits alone are out of range. None if anything else stands here."""
        digits = self.tokens[self.index].value
        least_integer = self.kind == "number" and digits == str(literals.MAX_INTEGER + 1)
        least_long = self.kind == "long" and digits == f"{literals.MAX_LONG + 1}L"
        if not (least_integer or least_long):
            return None
        if self.kind_after() in CALENDAR_UNITS or self.kind_after() in ("string", ":", ".", "["):
            return None
        start = self.tokens[self.index - 1].start
        self.advance()
        if least_long:
            return tree.LongLiteral(value=-literals.MAX_LONG - 1, span=self.since(start))
        return tree.IntegerLiteral(value=-literals.MAX_INTEGER - 1, span=self.since(start))

    def _quantity_or_ratio(self) -> tree.QuantityLiteral | tree.RatioLiteral:
        start = self.start()
        quantity = self.quantity()
        if self.kind != ":" or self.kind_after() != "number":
            return quantity
        self.advance()
        return tree.RatioLiteral(numerator=quantity, denominator=self.quantity(), span=self.since(start))

    def quantity(self) -> tree.QuantityLiteral:
        """`5 'mg'`, `3 days`, or a number alone, whose unit is '1'."""
        start = self.start()
        if self.kind != "number":
            self.fail("a quantity, as in 3 days or 5 'mg'")
        value = self._measured(self.advance())
        unit = self.unit()
        text, calendar = unit if unit is not None else ("1", False)
        return tree.QuantityLiteral(value=value, unit=text, calendar=calendar, span=self.since(start))

    def unit(self) -> tuple[str, bool] | None:
        """A unit, if one stands here, and whether it is a calendar word."""
        if self.kind in CALENDAR_UNITS:
            return self.advance().value, True
        if self.kind == "string":
            return self.advance().value, False
        return None

    def _measured(self, token: Token) -> Decimal:
        try:
            return literals.measured(token.value)
        except LiteralError as error:
            self._refuse(token, error)

    def temporal(self) -> tree.Expression:
        """A Date, DateTime or Time literal."""
        token = self.advance()
        span = self.source.span(token.start, token.end)
        try:
            if token.kind == "@time":
                hour, minute, second, millisecond = literals.time(token.value[2:])
                return tree.TimeLiteral(hour or 0, minute, second, millisecond, span=span)
            year, month, day = literals.date(token.value)
            if token.kind == "@date":
                return tree.DateLiteral(year, month, day, span=span)
            clock = token.value[token.value.index("T") + 1 :]
            offset = literals.offset(clock)
            return tree.DateTimeLiteral(year, month, day, *literals.time(clock), offset, span=span)
        except LiteralError as error:
            self._refuse(token, error)

    def _refuse(self, token: Token, error: LiteralError) -> NoReturn:
        self.fail_at(token.start, token.end, error.message, error.expected)

    # --- precisions

    def precision_of(self) -> Precision | None:
        """`day of`, if it stands here."""
        precision = PRECISIONS.get(self.kind)
        if precision is None or self.kind_after() != "of":
            return None
        self.move_to(self.index + 2)
        return precision

    def plural_precision(self, example: str) -> Precision:
        """`days`."""
        precision = PLURAL_PRECISIONS.get(self.kind)
        if precision is None:
            self.fail(f"years, months, weeks, days, hours, minutes, seconds or milliseconds, as in {example}")
        self.advance()
        return precision

    # --- timing phrases

    def timing_phrase(self) -> tree.TimingPhrase:
        """The words between the operands of a timing expression, all of them."""
        start = self.start()
        left: tree.Boundary | None = None
        if self.kind in _BOUNDARIES:
            word = self.advance().kind
            if word != "occurs" and self.kind not in _CONTINUES:
                precision = self.precision_of()
                return tree.TimingPhrase(
                    relation="starts" if word == "starts" else "ends", precision=precision, span=self.since(start)
                )
            left = _BOUNDARIES[word]
        if self.accept("same"):
            return self._same(start, left)
        if self.kind == "meets" or self.kind == "overlaps":
            return self._meets_or_overlaps(start)
        proper = self.accept("properly")
        if self.kind == "includes":
            return self._includes(start, proper)
        if self.kind == "during" or self.kind == "included in":
            self.advance()
            precision = self.precision_of()
            return tree.TimingPhrase("included in", left, None, proper, precision, None, span=self.since(start))
        if self.accept("within"):
            return self._within(start, left, proper)
        if proper:
            self.fail("includes, included in, during, within or between after properly")
        return self._before_or_after(start, left)

    def _same(self, start: int, left: tree.Boundary | None) -> tree.TimingPhrase:
        precision = PRECISIONS.get(self.kind)
        if precision is not None:
            self.advance()
        relation: tree.TimingRelation
        if self.accept("as"):
            relation = "same as"
        elif self.kind == "or" and self.kind_after() in _BEFORE_OR_AFTER:
            self.advance()
            relation = _SAME_OR[self.advance().kind]
        else:
            self.fail("as, or before, or after, as in same day as")
        right = self._right_boundary()
        return tree.TimingPhrase(relation, left, right, False, precision, None, span=self.since(start))

    def _meets_or_overlaps(self, start: int) -> tree.TimingPhrase:
        word = self.advance().kind
        relation: tree.TimingRelation = "meets" if word == "meets" else "overlaps"
        if self.kind in _BEFORE_OR_AFTER:
            relation = (_MEETS if word == "meets" else _OVERLAPS)[self.advance().kind]
        return tree.TimingPhrase(relation=relation, precision=self.precision_of(), span=self.since(start))

    def _includes(self, start: int, proper: bool) -> tree.TimingPhrase:
        self.advance()
        precision = self.precision_of()
        right = self._right_boundary()
        return tree.TimingPhrase("includes", None, right, proper, precision, None, span=self.since(start))

    def _within(self, start: int, left: tree.Boundary | None, proper: bool) -> tree.TimingPhrase:
        first = self.start()
        quantity = self.quantity()
        offset = tree.QuantityOffset(quantity=quantity, comparison="exactly", span=self.since(first))
        self.expect("of", "as in within 3 days of")
        right = self._right_boundary()
        return tree.TimingPhrase("within", left, right, proper, None, offset, span=self.since(start))

    def _before_or_after(self, start: int, left: tree.Boundary | None) -> tree.TimingPhrase:
        offset = self._quantity_offset()
        relation: tree.TimingRelation
        if self.accept("on or"):
            if self.kind not in _BEFORE_OR_AFTER:
                self.fail("before or after, as in on or before")
            relation = _ON_OR[self.advance().kind]
        elif self.kind in _BEFORE_OR_AFTER:
            word = self.advance().kind
            relation = _PLAIN[word]
            if self.kind == "or" and self.tokens[self.index + 1].value == "on":
                self.move_to(self.index + 2)
                relation = _ON_OR[word]
        else:
            self.fail("a timing phrase, as in 3 days or less before, on or after, during, within 3 days of")
        precision = self.precision_of()
        right = self._right_boundary()
        return tree.TimingPhrase(relation, left, right, False, precision, offset, span=self.since(start))

    def _quantity_offset(self) -> tree.QuantityOffset | None:
        """`3 days`, `3 days or less`, `less than 3 days`, if one stands here."""
        start = self.start()
        if self.kind == "less than" or self.kind == "more than":
            comparison = "less than" if self.advance().kind == "less than" else "more than"
            return tree.QuantityOffset(self.quantity(), comparison, span=self.since(start))
        if self.kind != "number":
            return None
        quantity = self.quantity()
        here = self.tokens[self.index]
        following = self.tokens[self.index + 1].value if here.kind == "or" else ""
        if following == "more" or following == "less":
            self.move_to(self.index + 2)
            comparison = "or more" if following == "more" else "or less"
            return tree.QuantityOffset(quantity, comparison, span=self.since(start))
        return tree.QuantityOffset(quantity, "exactly", span=self.since(start))

    def _right_boundary(self) -> tree.Boundary | None:
        """`start` or `end` as the last word of the phrase; `start of X` is the operand's and `start` alone a name."""
        boundary = _RIGHT_BOUNDARIES.get(self.kind)
        if boundary is None or self.kind_after() not in _BEGINS_OPERAND:
            return None
        self.advance()
        return boundary
