"""Where an expression stands while it is analysed: its library, the names in scope, and how to go on.

A `Context` is frozen; entering a query or a function makes a new one with a longer scope. The handlers of syntax
nodes (`cql_like.analysis.expressions.HANDLERS`) get the node and the context and give typed IR.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cql_like.analysis.conversions import Conversions
from cql_like.analysis.overloads import Overloads
from cql_like.analysis.problems import UNKNOWN, Problems, broken
from cql_like.analysis.walk import is_small
from cql_like.ir import AliasRef, Constant, Expression, ListSelector, Precision, Query, Source, Span
from cql_like.model.registry import Models
from cql_like.syntax import tree
from cql_like.types import BOOLEAN, ListOf, Type

if TYPE_CHECKING:
    from cql_like.analysis.libraries import LibraryUnit

Handler = Callable[[Any, "Context"], Expression]


class UniqueNames:
    """Makes the alias and let names of one define distinct (ir: names are unique within a define)."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def unique(self, name: str) -> str:
        """The name itself at its first use, then `name:2`, `name:3` (a colon cannot be in an unquoted name)."""
        count = self._used[name] = self._used.get(name, 0) + 1
        return name if count == 1 else f"{name}:{count}"


@dataclass(frozen=True, slots=True)
class Services:
    """What all expressions of a program share."""

    models: Models
    conversions: Conversions
    overloads: Overloads
    problems: Problems
    handlers: Mapping[type, Handler]


@dataclass(frozen=True, slots=True)
class Context:
    """One place in one define. `names` are aliases, lets, operands and iteration names, each as its IR node.

    `implicit`: the element whose elements may be named without qualifier (in a sort clause).
    `context_name`: Patient, Unfiltered ..., as declared before the define.
    """

    unit: "LibraryUnit"
    services: Services
    names: Mapping[str, Expression] = field(default_factory=dict[str, Expression])
    implicit: Expression | None = None
    unique: UniqueNames = field(default_factory=UniqueNames)
    context_name: str = "Patient"

    def bind(self, names: Mapping[str, Expression], implicit: Expression | None = None) -> "Context":
        """The context with more names; inner ones hide outer ones."""
        return replace(self, names={**self.names, **names}, implicit=self.implicit if implicit is None else implicit)

    # ------------------------------------------------------------------------------------------- analysis

    def analyse(self, node: tree.Expression) -> Expression:
        """The typed IR of a syntax node; a wrong one is reported and stands as `broken`."""
        return self.services.handlers[type(node)](node, self)

    def analyse_as(self, node: tree.Expression, target: Type, what: str) -> Expression:
        """The same, converted to `target`; `what` names its role in a message (`an if condition`)."""
        return self.coerce(self.analyse(node), target, node.span, what)

    def coerce(self, expression: Expression, target: Type, span: Span, what: str) -> Expression:
        """The expression as a `target`, or a problem."""
        conversions = self.services.conversions
        if conversions.cost(expression.type, target) is None:
            self.problem(span, f"{what} is {show(expression.type)}", show(target))
            return Constant(type=target, span=span, value=None)
        return conversions.coerce(expression, target)

    def condition(self, node: tree.Expression, what: str) -> Expression:
        """A Boolean."""
        return self.analyse_as(node, BOOLEAN, what)

    def apply(
        self,
        name: str,
        operands: Sequence[Expression],
        span: Span,
        precision: Precision | None = None,
        *,
        written: str | None = None,
    ) -> Expression:
        """An operator of the table applied to operands; no fitting overload is a problem. `written`: as CQL has it."""
        if any(operand.type == UNKNOWN for operand in operands):
            return broken(span)
        overloads = self.services.overloads
        found = overloads.operator(name, operands, span, precision)
        if found is not None:
            return found
        kinds = ", ".join(show(operand.type) for operand in operands)
        label = written or name
        if precision is not None and overloads.match(name, tuple(operand.type for operand in operands)) is not None:
            return self.problem(span, f"{label} takes no precision ({precision}) for ({kinds})")
        expected = " or ".join(overloads.signatures(name)[:8])
        return self.problem(span, f"{label} cannot take ({kinds})", expected or None)

    def once(self, expression: Expression, span: Span, build: Callable[[Expression], Expression]) -> Expression:
        """What `build` makes of an expression that it uses several times, without growing with each use.

        A small expression is repeated. A large one becomes the one element of a query's source, and `build` gets the
        alias: `First({expression} once return all build(once))`.
        """
        if is_small(expression):
            return build(expression)
        alias = self.unique.unique("once")
        value = build(AliasRef(type=expression.type, span=span, name=alias))
        if value.type == UNKNOWN:
            return value
        source = ListSelector(type=ListOf(expression.type), span=expression.span, items=(expression,))
        query = Query(
            type=ListOf(value.type),
            span=span,
            sources=(Source(alias, source),),
            lets=(),
            relationships=(),
            where=None,
            returning=value,
            distinct=False,
            aggregate=None,
            sort=(),
            singular=False,
        )
        return self.apply("First", [query], span)

    def fits(self, name: str, *types: Type) -> bool:
        """Does an overload of the operator fit these types?"""
        return self.services.overloads.match(name, types) is not None

    def problem(self, span: Span, message: str, expected: str | None = None) -> Expression:
        """Report, and give what stands for the broken expression."""
        self.services.problems.report(span, message, expected)
        return broken(span)


def show(kind: Type) -> str:
    """A type as a reader writes it: System's own without qualifier."""
    if kind == UNKNOWN:
        return "of a type that could not be found"
    text = str(kind).replace("System.", "")
    return "null" if text == "Any" else text
