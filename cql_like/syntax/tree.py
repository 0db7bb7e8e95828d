"""The syntax tree of CQL 1.5: what the parser makes of a text, before any name or type is resolved.

Source: CQL grammar (https://cql.hl7.org/grammar.html), whose nouns are used. Ideas a reader needs:

* **Nothing is resolved.** `A.b` is a `Member` whether `A` is a library, an alias or a define. A call is a `Call`
  whether it is a function, an operator written as a function or a fluent function.
* **Operators are text.** `Unary`, `Binary`, `Membership` and `Timing` carry the operator as CQL writes it, in one
  spelling each, so that the analysis can look it up in a table.
* **Every node has a `span`** that covers exactly its text; spans do not take part in equality.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, cast

from cql_like.ir import Precision, Span

Component = Literal[
    "year", "month", "week", "day", "hour", "minute", "second", "millisecond", "date", "time", "timezoneoffset"
]
TestedValue = Literal["null", "true", "false"]
Measure = Literal["duration", "difference"]
CodeComparator = Literal["in", "=", "~"]
Boundary = Literal["start", "end"]
UnaryOperator = Literal[
    "not",
    "exists",
    "+",
    "-",
    "start of",
    "end of",
    "width of",
    "successor of",
    "predecessor of",
    "singleton from",
    "point from",
    "distinct",
    "flatten",
]
BinaryOperator = Literal[
    "^",
    "*",
    "/",
    "div",
    "mod",
    "+",
    "-",
    "&",
    "<=",
    "<",
    ">",
    ">=",
    "=",
    "!=",
    "~",
    "!~",
    "and",
    "or",
    "xor",
    "implies",
    "union",  # also written |
    "intersect",
    "except",
]
TimingRelation = Literal[
    "same as",
    "same or before",
    "same or after",
    "includes",
    "included in",  # also written during
    "before",
    "after",
    "on or before",  # also written before or on
    "on or after",  # also written after or on
    "within",
    "meets",
    "meets before",
    "meets after",
    "overlaps",
    "overlaps before",
    "overlaps after",
    "starts",
    "ends",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What every node has: the place of its text."""

    span: Span = field(compare=False, repr=False)


def children(node: Node) -> Iterator[Node]:
    """The nodes directly within a node, in the order of its fields."""
    for name in node.__dataclass_fields__:
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in cast("tuple[object, ...]", value) if isinstance(item, Node))


# --- names and types --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QualifiedName(Node):
    """`name`, `Library.name` or `Namespace.Library`: the parts in order, unquoted."""

    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        """The last part."""
        return self.parts[-1]

    @property
    def qualifier(self) -> str | None:
        """What stands before the last part, joined by dots; None if nothing does."""
        return ".".join(self.parts[:-1]) or None


@dataclass(frozen=True, slots=True)
class NamedType(Node):
    """`Integer`, `System.Integer`, `FHIR.Encounter`, `"Encounter, Performed"`."""

    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        """The last part."""
        return self.parts[-1]

    @property
    def qualifier(self) -> str | None:
        """The model (what stands before the last part); None if nothing does."""
        return ".".join(self.parts[:-1]) or None


@dataclass(frozen=True, slots=True)
class ListType(Node):
    """`List<element>`."""

    element: "TypeSpecifier"


@dataclass(frozen=True, slots=True)
class IntervalType(Node):
    """`Interval<point>`."""

    point: "TypeSpecifier"


@dataclass(frozen=True, slots=True)
class TupleTypeElement(Node):
    """`name type` within a tuple type."""

    name: str
    type: "TypeSpecifier"


@dataclass(frozen=True, slots=True)
class TupleType(Node):
    """`Tuple { name type, ... }`."""

    elements: tuple[TupleTypeElement, ...]


@dataclass(frozen=True, slots=True)
class ChoiceType(Node):
    """`Choice<type, ...>`."""

    alternatives: "tuple[TypeSpecifier, ...]"


TypeSpecifier = NamedType | ListType | IntervalType | TupleType | ChoiceType


# --- literals ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NullLiteral(Node):
    """`null`."""


@dataclass(frozen=True, slots=True)
class BooleanLiteral(Node):
    """`true`, `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class StringLiteral(Node):
    """`'text'`, escapes resolved."""

    value: str


@dataclass(frozen=True, slots=True)
class IntegerLiteral(Node):
    """`42`; in range, so never negative except for -2147483648, whose minus sign belongs to the literal."""

    value: int


@dataclass(frozen=True, slots=True)
class LongLiteral(Node):
    """`42L`; in range, so never negative except for -2^63, whose minus sign belongs to the literal."""

    value: int


@dataclass(frozen=True, slots=True)
class DecimalLiteral(Node):
    """`4.20`: at most 20 digits before the point and 8 after it; trailing zeros are kept."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class DateLiteral(Node):
    """`@2024-02-29`, `@2024-02`, `@2024`; a real calendar date."""

    year: int
    month: int | None
    day: int | None


@dataclass(frozen=True, slots=True)
class DateTimeLiteral(Node):
    """`@2024-02-29T10:30:00.000+01:00`, `@2024T`; parts that were not written are None; offset in minutes."""

    year: int
    month: int | None
    day: int | None
    hour: int | None
    minute: int | None
    second: int | None
    millisecond: int | None
    offset: int | None


@dataclass(frozen=True, slots=True)
class TimeLiteral(Node):
    """`@T10:30:00.000`; parts that were not written are None."""

    hour: int
    minute: int | None
    second: int | None
    millisecond: int | None


@dataclass(frozen=True, slots=True)
class QuantityLiteral(Node):
    """`5 'mg'`, `3 days`. `calendar`: the unit is a calendar word, kept as written (`day` or `days`), not UCUM."""

    value: Decimal
    unit: str
    calendar: bool


@dataclass(frozen=True, slots=True)
class RatioLiteral(Node):
    """`1 'mg' : 2 'mL'`; a number without unit is a quantity with unit '1'."""

    numerator: QuantityLiteral
    denominator: QuantityLiteral


# --- terms ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Identifier(Node):
    """A name on its own: a define, parameter, alias, let, operand, library, model or terminology declaration."""

    name: str


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`source.name`: an element, or a declaration of an included library."""

    source: "Expression"
    name: str


@dataclass(frozen=True, slots=True)
class Indexer(Node):
    """`source[index]`."""

    source: "Expression"
    index: "Expression"


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`name(operands)` or, with a source, `source.name(operands)`: a library's function, a fluent one or a method."""

    source: "Expression | None"
    name: str
    operands: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Iteration(Node):
    """`$this`, `$index` or `$total`."""

    name: Literal["$this", "$index", "$total"]


@dataclass(frozen=True, slots=True)
class ExternalConstant(Node):
    """`%name` or `%'name'`: a constant of the environment (FHIRPath)."""

    name: str


@dataclass(frozen=True, slots=True)
class IntervalSelector(Node):
    """`Interval[low, high)`."""

    low: "Expression"
    high: "Expression"
    low_closed: bool
    high_closed: bool


@dataclass(frozen=True, slots=True)
class ElementSelector(Node):
    """`name: value` within a tuple or instance selector."""

    name: str
    value: "Expression"


@dataclass(frozen=True, slots=True)
class TupleSelector(Node):
    """`Tuple { name: value, ... }`, `{ name: value }`, `Tuple { : }`."""

    elements: tuple[ElementSelector, ...]


@dataclass(frozen=True, slots=True)
class InstanceSelector(Node):
    """`FHIR.Period { start: ..., end: ... }`."""

    type: NamedType
    elements: tuple[ElementSelector, ...]


@dataclass(frozen=True, slots=True)
class ListSelector(Node):
    """`{ a, b }`, `List<Integer> { }`."""

    element_type: TypeSpecifier | None
    items: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class CodeSelector(Node):
    """`Code '99392' from "CPT" display 'Well visit'`."""

    code: str
    system: QualifiedName
    display: str | None


@dataclass(frozen=True, slots=True)
class ConceptSelector(Node):
    """`Concept { Code ..., Code ... } display '...'`."""

    codes: tuple[CodeSelector, ...]
    display: str | None


# --- operators --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """An operator of one operand, by its words: `not x`, `exists x`, `start of x`, `-x`, `distinct x`."""

    operator: UnaryOperator
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """An infix operator without further words: arithmetic, comparison, logic and sets of lists or intervals."""

    operator: BinaryOperator
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class BooleanTest(Node):
    """`x is null`, `x is not true`."""

    operand: "Expression"
    value: TestedValue
    negated: bool


@dataclass(frozen=True, slots=True)
class TypeTest(Node):
    """`x is T`."""

    operand: "Expression"
    type: TypeSpecifier


@dataclass(frozen=True, slots=True)
class Cast(Node):
    """`x as T` (null for another type) or, strict, `cast x as T` (an error for another type)."""

    operand: "Expression"
    type: TypeSpecifier
    strict: bool


@dataclass(frozen=True, slots=True)
class Conversion(Node):
    """`convert x to T`."""

    operand: "Expression"
    type: TypeSpecifier


@dataclass(frozen=True, slots=True)
class UnitConversion(Node):
    """`convert x to 'g'`, `convert x to hours`; `calendar` as in `QuantityLiteral`."""

    operand: "Expression"
    unit: str
    calendar: bool


@dataclass(frozen=True, slots=True)
class TypeExtreme(Node):
    """`minimum Integer`, `maximum DateTime`."""

    extreme: Literal["minimum", "maximum"]
    type: NamedType


@dataclass(frozen=True, slots=True)
class ComponentFrom(Node):
    """`year from x`, `date from x`, `timezoneoffset from x`."""

    component: Component
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class ElapsedOf(Node):
    """`duration in days of x`, `difference in days of x`, for an interval x."""

    measure: Measure
    precision: Precision
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class ElapsedBetween(Node):
    """`days between a and b` (a duration), `duration in days between a and b`, `difference in days between ...`."""

    measure: Measure
    precision: Precision
    low: "Expression"
    high: "Expression"


@dataclass(frozen=True, slots=True)
class Between(Node):
    """`x between low and high`; `proper`: `x properly between low and high` leaves the ends out."""

    operand: "Expression"
    low: "Expression"
    high: "Expression"
    proper: bool


@dataclass(frozen=True, slots=True)
class Membership(Node):
    """`x in y`, `y contains x`, optionally `in day of`."""

    operator: Literal["in", "contains"]
    precision: Precision | None
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class QuantityOffset(Node):
    """The distance of a before/after phrase: `3 days` (exactly), `3 days or less`, `less than 3 days` ..."""

    quantity: QuantityLiteral
    comparison: Literal["exactly", "or more", "or less", "less than", "more than"]


@dataclass(frozen=True, slots=True)
class TimingPhrase(Node):
    """The words between the operands of a `Timing`, taken apart.

    `left_boundary`: `starts`/`ends` take the start/end of the left operand (`occurs` and nothing are both None).
    `right_boundary`: `... before start B` (`start of B` is an operand of its own, not this).
    `offset` belongs to (on or) before/after and to within (then "exactly"); `proper` to includes, included in, within.
    """

    relation: TimingRelation
    left_boundary: Boundary | None = None
    right_boundary: Boundary | None = None
    proper: bool = False
    precision: Precision | None = None
    offset: QuantityOffset | None = None


@dataclass(frozen=True, slots=True)
class Timing(Node):
    """`left <timing phrase> right`."""

    left: "Expression"
    phrase: TimingPhrase
    right: "Expression"


@dataclass(frozen=True, slots=True)
class If(Node):
    """`if condition then ... else ...`."""

    condition: "Expression"
    then: "Expression"
    otherwise: "Expression"


@dataclass(frozen=True, slots=True)
class CaseItem(Node):
    """`when ... then ...`."""

    when: "Expression"
    then: "Expression"


@dataclass(frozen=True, slots=True)
class Case(Node):
    """`case [comparand] when ... then ... else ... end`."""

    comparand: "Expression | None"
    items: tuple[CaseItem, ...]
    otherwise: "Expression"


@dataclass(frozen=True, slots=True)
class ExpandCollapse(Node):
    """`expand x`, `collapse x per day` (precision) or `per 2 days` (an expression); at most one `per` is given."""

    operator: Literal["expand", "collapse"]
    operand: "Expression"
    per_precision: Precision | None
    per: "Expression | None"


# --- retrieves and queries --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PathStep(Node):
    """One step of a code path: `type`, or `type[0]`."""

    name: str
    index: int | str | None


@dataclass(frozen=True, slots=True)
class Retrieve(Node):
    """`[context -> Encounter: type in "Well Visits"]`; without a comparator the code path's default holds."""

    context: "Expression | None"
    type: NamedType
    code_path: tuple[PathStep, ...] | None
    comparator: CodeComparator | None
    terminology: "Expression | None"


@dataclass(frozen=True, slots=True)
class AliasedSource(Node):
    """`source alias`; the source is a retrieve, a name or a parenthesised expression."""

    source: "Expression"
    alias: str


@dataclass(frozen=True, slots=True)
class LetItem(Node):
    """`name: expression`."""

    name: str
    expression: "Expression"


@dataclass(frozen=True, slots=True)
class Relationship(Node):
    """`with` (or, negated, `without`) `source alias such that condition`."""

    source: AliasedSource
    such_that: "Expression"
    negated: bool


@dataclass(frozen=True, slots=True)
class ReturnClause(Node):
    """`return [all|distinct] expression`; without a word a return is distinct (CQL Author's Guide, Queries)."""

    distinct: bool
    expression: "Expression"


@dataclass(frozen=True, slots=True)
class AggregateClause(Node):
    """`aggregate [all|distinct] name [starting x]: expression`; without a word it takes all."""

    distinct: bool
    name: str
    starting: "Expression | None"
    expression: "Expression"


@dataclass(frozen=True, slots=True)
class SortItem(Node):
    """`by expression [asc|desc]`; `expression` None: `sort asc`, by the element itself."""

    expression: "Expression | None"
    descending: bool


@dataclass(frozen=True, slots=True)
class Query(Node):
    """`[from] sources let ... with ... where ... return|aggregate ... sort ...`."""

    sources: tuple[AliasedSource, ...]
    lets: tuple[LetItem, ...]
    relationships: tuple[Relationship, ...]
    where: "Expression | None"
    returning: ReturnClause | None
    aggregate: AggregateClause | None
    sort: tuple[SortItem, ...]


Expression = (
    NullLiteral
    | BooleanLiteral
    | StringLiteral
    | IntegerLiteral
    | LongLiteral
    | DecimalLiteral
    | DateLiteral
    | DateTimeLiteral
    | TimeLiteral
    | QuantityLiteral
    | RatioLiteral
    | Identifier
    | Member
    | Indexer
    | Call
    | Iteration
    | ExternalConstant
    | IntervalSelector
    | TupleSelector
    | InstanceSelector
    | ListSelector
    | CodeSelector
    | ConceptSelector
    | Unary
    | Binary
    | BooleanTest
    | TypeTest
    | Cast
    | Conversion
    | UnitConversion
    | TypeExtreme
    | ComponentFrom
    | ElapsedOf
    | ElapsedBetween
    | Between
    | Membership
    | Timing
    | If
    | Case
    | ExpandCollapse
    | Retrieve
    | Query
)


# --- declarations -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tag(Node):
    """`@name: value` in the comment above a declaration; value is "" where only the name is written."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration(Node):
    """What every declaration has: the comment above it (its markers removed) and the tags in that comment."""

    comment: str = field(default="", compare=False)
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class LibraryName(Declaration):
    """`library Qualified.Name version 'v'`."""

    name: QualifiedName
    version: str | None


@dataclass(frozen=True, slots=True)
class UsingDefinition(Declaration):
    """`using FHIR version '4.0.1' [called Alias]`."""

    model: QualifiedName
    version: str | None
    called: str | None


@dataclass(frozen=True, slots=True)
class IncludeDefinition(Declaration):
    """`include Qualified.Name version 'v' called Alias`; `alias` is the local name, given or not."""

    name: QualifiedName
    version: str | None
    alias: str


@dataclass(frozen=True, slots=True)
class CodesystemDefinition(Declaration):
    """`codesystem "CPT": 'http://...' version 'v'`."""

    name: str
    id: str
    version: str | None
    public: bool


@dataclass(frozen=True, slots=True)
class ValuesetDefinition(Declaration):
    """`valueset "Well Visits": 'http://...' version 'v' codesystems { "CPT" }`."""

    name: str
    id: str
    version: str | None
    codesystems: tuple[QualifiedName, ...]
    public: bool


@dataclass(frozen=True, slots=True)
class CodeDefinition(Declaration):
    """`code "Birth date": '21112-8' from "LOINC" display 'Birth date'`."""

    name: str
    id: str
    system: QualifiedName
    display: str | None
    public: bool


@dataclass(frozen=True, slots=True)
class ConceptDefinition(Declaration):
    """`concept "Name": { "Code A", Common."Code B" } display '...'`."""

    name: str
    codes: tuple[QualifiedName, ...]
    display: str | None
    public: bool


@dataclass(frozen=True, slots=True)
class ParameterDefinition(Declaration):
    """`parameter "Measurement Period" Interval<DateTime> default Interval[...]`."""

    name: str
    type: TypeSpecifier | None
    default: Expression | None
    public: bool


@dataclass(frozen=True, slots=True)
class ContextDefinition(Declaration):
    """`context Patient`, `context FHIR.Patient`: holds for the statements below it."""

    model: str | None
    name: str


@dataclass(frozen=True, slots=True)
class ExpressionDefinition(Declaration):
    """`define "Numerator": ...`; `context` is the name of the context that holds, None before any."""

    name: str
    expression: Expression
    context: str | None
    public: bool


@dataclass(frozen=True, slots=True)
class OperandDefinition(Node):
    """`name type` in a function's head."""

    name: str
    type: TypeSpecifier


@dataclass(frozen=True, slots=True)
class FunctionDefinition(Declaration):
    """`define [fluent] function name(operands) [returns type]: body`; `body` None: external."""

    name: str
    operands: tuple[OperandDefinition, ...]
    returns: TypeSpecifier | None
    body: Expression | None
    fluent: bool
    context: str | None
    public: bool


Definition = (
    UsingDefinition
    | IncludeDefinition
    | CodesystemDefinition
    | ValuesetDefinition
    | CodeDefinition
    | ConceptDefinition
    | ParameterDefinition
)
Statement = ContextDefinition | ExpressionDefinition | FunctionDefinition


@dataclass(frozen=True, slots=True)
class Library(Node):
    """A whole text. `name` is None where the text has no `library` line; statements are in the order of the text."""

    name: LibraryName | None
    definitions: tuple[Definition, ...]
    statements: tuple[Statement, ...]

    @property
    def usings(self) -> tuple[UsingDefinition, ...]:
        """The models."""
        return tuple(item for item in self.definitions if isinstance(item, UsingDefinition))

    @property
    def includes(self) -> tuple[IncludeDefinition, ...]:
        """The included libraries."""
        return tuple(item for item in self.definitions if isinstance(item, IncludeDefinition))
