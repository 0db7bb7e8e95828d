"""The typed intermediate representation: what the analysis makes of a library and both evaluators run.

Three ideas a reader needs:

* **Every question is already answered.** Names are resolved, overloads chosen, implicit conversions made explicit,
  timing phrases reduced to operators with a precision. An evaluator decides nothing; it only computes.
* **One node per kind of thing, one row per operator.** All of CQL's operators are `Operator` nodes that carry a
  row of the operator table (`cql_like.operators`): the language grows by rows, hardly ever by nodes.
* **A node is valid or it does not exist.** Constructors check what the types can't say; a wrong tree is our bug
  and raises `TypeError`/`ValueError`, never a wrong answer.

Every node has `type` (its static result type) and `span` (where it stands in the source; None where synthesised).
The shape follows ELM (HL7 Expression Logical Model), whose names are used wherever they exist.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cql_like.types import BOOLEAN, IntervalOf, ListOf, TupleOf, Type

Precision = Literal["year", "month", "week", "day", "hour", "minute", "second", "millisecond"]


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a library's text; lines and columns count from 1, the end is exclusive."""

    library: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.library}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """One overload of one operator: a row of the table in `cql_like.operators`.

    `implementation` is called with the operand values in order. Then, by keyword, with `precision=` (a Precision or
    None) if `takes_precision`, and with `context=` (the evaluation context: now, default offset, terminology,
    messages, limits) if `takes_context`. If `propagates_null`, an evaluator answers None as soon as an operand is
    None and does not call it; otherwise the implementation is given Nones.
    """

    name: str  # ELM operator name: Add, SameOrBefore, In, CalculateAgeAt ...
    operands: tuple[Type, ...]
    result: Type
    implementation: Callable[..., Any]
    propagates_null: bool = True
    takes_precision: bool = False
    takes_context: bool = False

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.operands))}) -> {self.result}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What every expression node has."""

    type: Type
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """A value known at compile time (literals, code and concept references, folded constants). None is null."""

    value: Any


@dataclass(frozen=True, slots=True)
class ParameterRef(Node):
    library: str  # key of the library in the Program
    name: str


@dataclass(frozen=True, slots=True)
class ExpressionRef(Node):
    """A define of this or an included library; memoised per session."""

    library: str
    name: str


@dataclass(frozen=True, slots=True)
class FunctionCall(Node):
    """A call of a user-defined function. `function` is the key of one overload in its library's `functions`."""

    library: str
    function: str
    operands: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class OperandRef(Node):
    """An operand of the function that is being defined."""

    name: str


@dataclass(frozen=True, slots=True)
class AliasRef(Node):
    """The current element of a query source or a relationship. Names are unique within a define after analysis."""

    name: str


@dataclass(frozen=True, slots=True)
class LetRef(Node):
    name: str


@dataclass(frozen=True, slots=True)
class IterationRef(Node):
    """`$this`, `$index`, `$total` and the accumulator of an `aggregate` clause (by its own name)."""

    name: str


@dataclass(frozen=True, slots=True)
class ValueSetRef(Node):
    """A declared value set, as a value (System.ValueSet)."""

    library: str
    name: str
    url: str
    version: str | None


@dataclass(frozen=True, slots=True)
class CodeSystemRef(Node):
    library: str
    name: str
    url: str
    version: str | None


@dataclass(frozen=True, slots=True)
class Operator(Node):
    """An operator row applied to operands. And, Or, Implies and Coalesce short-circuit in both evaluators."""

    row: OperatorRow
    operands: "tuple[Expression, ...]"
    precision: Precision | None = None

    def __post_init__(self) -> None:
        if self.precision is not None and not self.row.takes_precision:
            raise ValueError(f"{self.row} takes no precision")


@dataclass(frozen=True, slots=True)
class If(Node):
    condition: "Expression"
    then: "Expression"
    otherwise: "Expression"

    def __post_init__(self) -> None:
        if self.condition.type != BOOLEAN:
            raise TypeError(f"an if condition is a Boolean, not {self.condition.type}")


@dataclass(frozen=True, slots=True)
class Case(Node):
    """`case when ... then ...`: conditions are Boolean (a comparand has become Equal in each condition)."""

    items: "tuple[tuple[Expression, Expression], ...]"
    otherwise: "Expression"


@dataclass(frozen=True, slots=True)
class IntervalSelector(Node):
    """`Interval[low, high)`; the closed flags are expressions too (ELM lowClosedExpression)."""

    low: "Expression"
    high: "Expression"
    low_closed: "Expression"
    high_closed: "Expression"

    def __post_init__(self) -> None:
        if not isinstance(self.type, IntervalOf):
            raise TypeError(f"an interval selector makes an interval, not {self.type}")


@dataclass(frozen=True, slots=True)
class ListSelector(Node):
    items: "tuple[Expression, ...]"

    def __post_init__(self) -> None:
        if not isinstance(self.type, ListOf):
            raise TypeError(f"a list selector makes a list, not {self.type}")


@dataclass(frozen=True, slots=True)
class TupleSelector(Node):
    elements: "tuple[tuple[str, Expression], ...]"

    def __post_init__(self) -> None:
        if not isinstance(self.type, TupleOf):
            raise TypeError(f"a tuple selector makes a tuple, not {self.type}")


@dataclass(frozen=True, slots=True)
class InstanceSelector(Node):
    """`Quantity { value: 5, unit: 'mg' }` or `FHIR.Period { ... }`: System types by their constructor, model types as
    a FHIR JSON object."""

    elements: "tuple[tuple[str, Expression], ...]"


@dataclass(frozen=True, slots=True)
class JsonChoice:
    """One alternative of an element in JSON: key `valueQuantity` holds a value of `type`."""

    key: str
    type: Type


@dataclass(frozen=True, slots=True)
class ModelProperty(Node):
    """An element of a model class, read from its JSON object.

    `choices` has one entry for an ordinary element, several for a choice (`value[x]`), whose value is then boxed with
    its type (`cql_like.runtime.values.ModelValue`). A list element that is absent is an empty list -> evaluators
    give an empty list for a ListOf type, None otherwise.
    """

    source: "Expression"
    name: str
    choices: tuple[JsonChoice, ...]


@dataclass(frozen=True, slots=True)
class Property(Node):
    """An element of a tuple or of a System class (`Quantity.value`, `Code.display`, `Interval.low`)."""

    source: "Expression"
    name: str


@dataclass(frozen=True, slots=True)
class Convert(Node):
    """An implicit or explicit conversion by a function of one operand: a System conversion row, or one that a model
    declares between its types and System's (`FHIR.Period -> Interval<System.DateTime>`)."""

    operand: "Expression"
    conversion: OperatorRow


@dataclass(frozen=True, slots=True)
class ListConvert(Node):
    """The same conversion for each element of a list (`List<FHIR.code>` -> `List<String>`); null elements stay."""

    operand: "Expression"
    item: "Expression"  # an expression over IterationRef("$this")


@dataclass(frozen=True, slots=True)
class IntervalConvert(Node):
    """The same conversion for both ends of an interval; closedness stays."""

    operand: "Expression"
    point: "Expression"  # an expression over IterationRef("$this")


@dataclass(frozen=True, slots=True)
class As(Node):
    """A cast. Not strict: null where the value has another type. Strict (`cast x as T`): an error."""

    operand: "Expression"
    target: Type
    strict: bool


@dataclass(frozen=True, slots=True)
class Is(Node):
    operand: "Expression"
    target: Type


@dataclass(frozen=True, slots=True)
class Source:
    """An aliased query source. A source that is not a list is a list of one (`singular` queries give one result)."""

    alias: str
    expression: "Expression"


@dataclass(frozen=True, slots=True)
class Relationship:
    """`with` (or `without`, if negated) `expression alias such that condition`."""

    alias: str
    expression: "Expression"
    such_that: "Expression"
    negated: bool


@dataclass(frozen=True, slots=True)
class SortItem:
    """`by expression asc|desc` over IterationRef("$this"); nulls sort lowest."""

    expression: "Expression"
    descending: bool


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`aggregate [all|distinct] name starting start: expression`; the accumulator is IterationRef(name)."""

    name: str
    starting: "Expression"
    expression: "Expression"
    distinct: bool


@dataclass(frozen=True, slots=True)
class Query(Node):
    """CQL §Queries, in the order of evaluation: sources, lets, relationships, where, return | aggregate, sort.

    Without `returning` and `aggregate`, a single-source query gives its elements and a multi-source query tuples of
    its aliases (analysis has made that `returning` explicit). `distinct` belongs to the return. `singular`: all
    sources are single values, so the result is one value or null.
    """

    sources: tuple[Source, ...]
    lets: "tuple[tuple[str, Expression], ...]"
    relationships: tuple[Relationship, ...]
    where: "Expression | None"
    returning: "Expression | None"
    distinct: bool
    aggregate: Aggregate | None
    sort: tuple[SortItem, ...]
    singular: bool

    def __post_init__(self) -> None:
        if not self.sources:
            raise ValueError("a query has at least one source")
        if self.returning is not None and self.aggregate is not None:
            raise ValueError("a query returns or aggregates, not both")


@dataclass(frozen=True, slots=True)
class Retrieve(Node):
    """`[Encounter: type in "Well Visits"]`. `codes` is an expression giving a ValueSet, a CodeSystem, Codes, a
    Concept, or a list of Codes; None retrieves all of the type. `unfiltered`: the library context was Unfiltered."""

    resource_type: str
    code_path: str | None
    codes: "Expression | None"
    comparator: Literal["in", "~", "="]
    unfiltered: bool


Expression = (
    Constant
    | ParameterRef
    | ExpressionRef
    | FunctionCall
    | OperandRef
    | AliasRef
    | LetRef
    | IterationRef
    | ValueSetRef
    | CodeSystemRef
    | Operator
    | If
    | Case
    | IntervalSelector
    | ListSelector
    | TupleSelector
    | InstanceSelector
    | ModelProperty
    | Property
    | Convert
    | ListConvert
    | IntervalConvert
    | As
    | Is
    | Query
    | Retrieve
)


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: Type
    default: Expression | None
    span: Span | None


@dataclass(frozen=True, slots=True)
class Define:
    name: str
    context: str  # Patient | Unfiltered | ...
    expression: Expression
    public: bool
    span: Span | None


@dataclass(frozen=True, slots=True)
class Function:
    """One overload. `key` is unique in its library: the name and the operand types. `body` None: external."""

    key: str
    name: str
    operands: tuple[tuple[str, Type], ...]
    result: Type
    body: Expression | None
    fluent: bool
    span: Span | None


@dataclass(frozen=True, slots=True)
class Library:
    """One analysed library. Keys of the mappings are the declared names (for functions: `Function.key`)."""

    key: str  # unique in the Program: "Name" or "Name|version"
    name: str | None
    version: str | None
    parameters: Mapping[str, Parameter]
    defines: Mapping[str, Define]
    functions: Mapping[str, Function]


@dataclass(frozen=True, slots=True)
class DataRequirement:
    """What a library retrieves: a type, the code path and terminology that filter it, and the elements read."""

    resource_type: str
    code_path: str | None
    value_sets: tuple[str, ...]
    codes: tuple[tuple[str | None, str], ...]
    date_path: str | None
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A library with all that it includes, ready to run. `main` is the key of the library that was compiled."""

    main: str
    libraries: Mapping[str, Library]
    requirements: tuple[DataRequirement, ...]
