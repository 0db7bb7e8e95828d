"""Choosing an overload: the cheapest row of the operator table, or function, that the operands fit.

CQL §Function resolution and §Conversion Precedence. Type variables are bound to what makes the whole cheapest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from cql_like.analysis.conversions import Conversions
from cql_like.analysis.problems import UNKNOWN
from cql_like.ir import Expression, Operator, OperatorRow, Precision, Span
from cql_like.types import ANY, CODE, VALUESET, ChoiceOf, IntervalOf, ListOf, TupleOf, Type, Variable

# Operators that compare values: a model's value is compared as its System value, never as JSON.
COMPARING = frozenset(
    {
        *("Equal", "NotEqual", "Equivalent", "NotEquivalent", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"),
        *("In", "Contains", "ProperIn", "ProperContains"),
        *("Includes", "IncludedIn", "ProperIncludes", "ProperIncludedIn"),
        *("IndexOf", "Distinct", "Union", "Intersect", "Except", "Min", "Max", "Mode", "Median"),
    }
)
# Set operators take lists of different types and give a list of the choice (CQL §Union).
CHOICE_MAKING = frozenset({"Union", "Intersect", "Except", "Coalesce"})


@dataclass(frozen=True, slots=True)
class Match:
    """A row whose operands fit, with its type variables replaced."""

    row: OperatorRow
    operands: tuple[Type, ...]
    result: Type
    cost: int


def substitute(kind: Type, bindings: Mapping[Variable, Type]) -> Type:
    """The type with its variables replaced; one that is not bound is Any."""
    if isinstance(kind, Variable):
        return bindings.get(kind, ANY)
    if isinstance(kind, ListOf):
        return ListOf(substitute(kind.element, bindings))
    if isinstance(kind, IntervalOf):
        return IntervalOf(substitute(kind.point, bindings))
    if isinstance(kind, TupleOf):
        return TupleOf(tuple((name, substitute(part, bindings)) for name, part in kind.elements))
    return kind


def variables(kind: Type) -> frozenset[Variable]:
    """The type variables in a type."""
    if isinstance(kind, Variable):
        return frozenset({kind})
    if isinstance(kind, ListOf):
        return variables(kind.element)
    if isinstance(kind, IntervalOf):
        return variables(kind.point)
    if isinstance(kind, TupleOf):
        return frozenset[Variable]().union(*(variables(part) for _, part in kind.elements))
    return frozenset()


class Overloads:
    """The operator table with the conversions of one program."""

    def __init__(self, conversions: Conversions, rows: Mapping[str, tuple[OperatorRow, ...]]) -> None:
        self.conversions = conversions
        self.rows = rows
        self._matches: dict[tuple[str, tuple[Type, ...], bool], Match | None] = {}

    def operator(
        self, name: str, operands: Sequence[Expression], span: Span | None, precision: Precision | None = None
    ) -> Expression | None:
        """The operator applied to the operands, conversions inserted; None if no overload fits."""
        match = self.match(name, tuple(operand.type for operand in operands), precision is not None)
        if match is None:
            return None
        converted = tuple(
            operand if wanted == ANY else self.conversions.coerce(operand, kind)  # IsNull looks at no type
            for operand, wanted, kind in zip(operands, match.row.operands, match.operands, strict=True)
        )
        return Operator(type=match.result, span=span, row=match.row, operands=converted, precision=precision)

    def match(self, name: str, types: tuple[Type, ...], precise: bool = False) -> Match | None:
        """The cheapest overload for operands of these types. `precise`: it must take a precision."""
        key = (name, types, precise)
        if key not in self._matches:
            self._matches[key] = self._best(name, types, precise)
        return self._matches[key]

    def _best(self, name: str, types: tuple[Type, ...], precise: bool) -> Match | None:
        best: Match | None = None
        for row in self.rows.get(name, ()):
            if len(row.operands) == len(types) and (row.takes_precision or not precise):
                match = self._fit(row, types)
                if match is not None and (best is None or match.cost < best.cost):
                    best = match
        return best

    def _fit(self, row: OperatorRow, types: tuple[Type, ...]) -> Match | None:
        free = sorted(frozenset[Variable]().union(*map(variables, row.operands)), key=str)
        found: dict[Variable, dict[Type, None]] = {variable: {} for variable in free}
        for operand, kind in zip(row.operands, types, strict=True):
            self._collect(operand, kind, found)
        options = [self._options(row.name, list(found[variable])) for variable in free]
        best: Match | None = None
        for binding in product(*options):
            bindings = dict(zip(free, binding, strict=True))
            operands = tuple(substitute(operand, bindings) for operand in row.operands)
            costs = [self.conversions.cost(kind, operand) for kind, operand in zip(types, operands, strict=True)]
            total = sum(cost for cost in costs if cost is not None) + 5 * sum(map(_is_loose, binding))
            if None not in costs and (best is None or total < best.cost):
                best = Match(row, operands, substitute(row.result, bindings), total)
        return best

    def _options(self, name: str, kinds: list[Type]) -> list[Type]:
        """What a type variable could stand for, given the types that were met in its places."""
        options: dict[Type, None] = {}
        for kind in kinds:
            system = [row.result for row in self.conversions.models.conversions(kind)]
            if not system or name not in COMPARING:
                options[kind] = None
            options.update(dict.fromkeys(system))
        if len(options) > 1 and name in CHOICE_MAKING:
            common = self.conversions.common(list(options))
            if common is not None:
                options[common] = None
        return list(options) or [ANY]

    def _collect(self, operand: Type, kind: Type, found: dict[Variable, dict[Type, None]]) -> None:
        """Note what stands where the operand's signature has a variable."""
        if isinstance(operand, Variable):
            if kind not in (ANY, UNKNOWN):
                found[operand][kind] = None
        elif isinstance(operand, ListOf | IntervalOf):
            for shape in self._shapes(kind):
                if isinstance(operand, ListOf) and isinstance(shape, ListOf):
                    self._collect(operand.element, shape.element, found)
                elif isinstance(operand, IntervalOf) and isinstance(shape, IntervalOf):
                    self._collect(operand.point, shape.point, found)

    def _shapes(self, kind: Type) -> Iterable[Type]:
        """The type, and what it converts to that may be a list or an interval."""
        yield kind
        if isinstance(kind, ChoiceOf):
            for alternative in sorted(kind.alternatives, key=str):
                yield from self._shapes(alternative)
        elif kind == VALUESET:
            yield ListOf(CODE)
        for row in self.conversions.models.conversions(kind):
            yield row.result

    def signatures(self, name: str) -> list[str]:
        """How the overloads of an operator are written, for messages."""
        return sorted({f"({', '.join(map(_plain, row.operands))})" for row in self.rows.get(name, ())})


def _is_loose(kind: Type) -> bool:
    """A choice or Any fits much; prefer what says more at the same cost."""
    return kind == ANY or isinstance(kind, ChoiceOf)


def _plain(kind: Type) -> str:
    return str(kind).replace("System.", "")
