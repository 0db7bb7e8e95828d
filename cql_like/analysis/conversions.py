"""Implicit conversions: what a value of one type costs where another is wanted, and the nodes that make it one.

CQL §Conversion Precedence: exact match, subtype, compatible (null), cast from a choice, conversion to a simple type,
conversion to a class. List and interval promotion and demotion are off. One extension: a model's type may pass
through its System type to what that converts to (FHIR.date -> Date -> DateTime), at the cost of both.

Costs are in tens of the standard's ranks; the units digit breaks ties (Integer prefers Long to Decimal).
"""

from collections.abc import Mapping
from dataclasses import replace

from cql_like.analysis.problems import UNKNOWN
from cql_like.analysis.walk import is_small
from cql_like.ir import (
    As,
    Case,
    Constant,
    Convert,
    Expression,
    IntervalConvert,
    IntervalSelector,
    Is,
    IterationRef,
    ListConvert,
    ListSelector,
    ModelProperty,
    Operator,
    OperatorRow,
    TupleSelector,
)
from cql_like.model.registry import Models, choice_of
from cql_like.types import (
    ANY,
    BOOLEAN,
    CODE,
    CONCEPT,
    DATE,
    DATETIME,
    DECIMAL,
    INTEGER,
    LONG,
    QUANTITY,
    VALUESET,
    ChoiceOf,
    IntervalOf,
    ListOf,
    Named,
    TupleOf,
    Type,
)

SUBTYPE, COMPATIBLE, CAST, SIMPLE, COMPLEX = 10, 20, 30, 40, 50

# The implicit System conversions (CQL Author's Guide, table Implicit Conversions): (source, target) -> operator, cost.
SYSTEM_CONVERSIONS: Mapping[tuple[Type, Type], tuple[str, int]] = {
    (INTEGER, LONG): ("ToLong", SIMPLE),
    (INTEGER, DECIMAL): ("ToDecimal", SIMPLE + 1),
    (LONG, DECIMAL): ("ToDecimal", SIMPLE),
    (DATE, DATETIME): ("ToDateTime", SIMPLE),
    (CODE, CONCEPT): ("ToConcept", COMPLEX),
    (INTEGER, QUANTITY): ("ToQuantity", COMPLEX + 2),
    (LONG, QUANTITY): ("ToQuantity", COMPLEX + 1),
    (DECIMAL, QUANTITY): ("ToQuantity", COMPLEX),
    (VALUESET, ListOf(CODE)): ("ExpandValueSet", COMPLEX),
}


class Conversions:
    """The conversions that hold with these models and this operator table."""

    def __init__(self, models: Models, rows: Mapping[str, tuple[OperatorRow, ...]]) -> None:
        self.models = models
        self._rows = rows
        self._costs: dict[tuple[Type, Type], int | None] = {}

    # ------------------------------------------------------------------------------------------------ cost

    def cost(self, source: Type, target: Type) -> int | None:
        """What using a `source` as a `target` costs; None if it cannot be."""
        if source in (target, UNKNOWN) or target == UNKNOWN:
            return 0
        key = (source, target)
        if key not in self._costs:
            self._costs[key] = None  # a type that refers to itself ends here
            self._costs[key] = self._cost(source, target)
        return self._costs[key]

    def _cost(self, source: Type, target: Type) -> int | None:
        if source == ANY or target == ANY:
            return COMPATIBLE
        if self.models.is_subtype(source, target):
            return SUBTYPE
        if isinstance(source, ChoiceOf):
            costs = [cost for _, cost in self._alternatives(source, target)]
            return None if not costs else CAST + min(costs)
        if isinstance(target, ChoiceOf):
            costs = [cost for _, cost in self._into(source, target)]
            return None if not costs else COMPATIBLE + min(costs)
        if isinstance(source, ListOf) and isinstance(target, ListOf):
            return self.cost(source.element, target.element)
        if isinstance(source, IntervalOf) and isinstance(target, IntervalOf):
            return self.cost(source.point, target.point)
        if isinstance(source, TupleOf) and isinstance(target, TupleOf):
            return self._tuple_cost(source, target)
        if (source, target) in SYSTEM_CONVERSIONS:
            return SYSTEM_CONVERSIONS[source, target][1]
        chained = [(row, self._after(row, target)) for row in self.models.conversions(source)]
        costs = [cost for _, cost in chained if cost is not None]
        return min(costs) if costs else None

    def _after(self, row: OperatorRow, target: Type) -> int | None:
        rest = self.cost(row.result, target)
        return None if rest is None else rest + (SIMPLE if self._is_simple(row.result) else COMPLEX)

    def _tuple_cost(self, source: TupleOf, target: TupleOf) -> int | None:
        if [name for name, _ in source.elements] != [name for name, _ in target.elements]:
            return None
        worst = SUBTYPE
        for (_, mine), (_, theirs) in zip(source.elements, target.elements, strict=True):
            cost = self.cost(mine, theirs)
            if cost is None:
                return None
            worst = max(worst, cost)
        return worst

    def _alternatives(self, source: ChoiceOf, target: Type) -> list[tuple[Type, int]]:
        """The alternatives of a choice that can be used as `target`, cheapest first."""
        found = [(kind, self.cost(kind, target)) for kind in sorted(source.alternatives, key=str)]
        fitting = sorted(((kind, cost) for kind, cost in found if cost is not None), key=lambda pair: pair[1])
        if target == QUANTITY:  # a bare number is a quantity only where no alternative says its unit
            numbers = (INTEGER, LONG, DECIMAL)
            proper = [(kind, cost) for kind, cost in fitting if cost < COMPLEX + SIMPLE and kind not in numbers]
            return proper or fitting
        return fitting

    def _into(self, source: Type, target: ChoiceOf) -> list[tuple[Type, int]]:
        """The alternatives of a choice that a `source` can become, cheapest first."""
        found = [(kind, self.cost(source, kind)) for kind in sorted(target.alternatives, key=str)]
        return sorted(((kind, cost) for kind, cost in found if cost is not None), key=lambda pair: pair[1])

    @staticmethod
    def _is_simple(kind: Type) -> bool:
        return isinstance(kind, Named) and kind not in (CODE, CONCEPT, QUANTITY)

    # ------------------------------------------------------------------------------------------- conversion

    def coerce(self, expression: Expression, target: Type) -> Expression:
        """The expression as a `target`. Call it only where `cost` is not None."""
        source = expression.type
        if source == target or target == UNKNOWN:
            return expression
        if source == UNKNOWN or (isinstance(expression, Constant) and expression.value is None):
            return Constant(type=target, span=expression.span, value=None)
        if target == ANY or isinstance(target, ChoiceOf):
            return self._widen(expression, target)
        if source == ANY:
            return As(type=target, span=expression.span, operand=expression, target=target, strict=False)
        if isinstance(expression, ListSelector) and isinstance(target, ListOf):
            items = tuple(self.coerce(item, target.element) for item in expression.items)
            return replace(expression, type=target, items=items)
        if isinstance(expression, TupleSelector) and isinstance(target, TupleOf):
            kinds = dict(target.elements)
            elements = tuple((name, self.coerce(value, kinds[name])) for name, value in expression.elements)
            return replace(expression, type=target, elements=elements)
        if isinstance(expression, IntervalSelector) and isinstance(target, IntervalOf):
            low, high = self.coerce(expression.low, target.point), self.coerce(expression.high, target.point)
            return replace(expression, type=target, low=low, high=high)
        if self.models.is_subtype(source, target):
            return expression
        if isinstance(source, ChoiceOf):
            return self._from_choice(expression, source, target)
        if isinstance(source, ListOf) and isinstance(target, ListOf):
            item = IterationRef(type=source.element, name="$this")
            return ListConvert(
                type=target, span=expression.span, operand=expression, item=self.coerce(item, target.element)
            )
        if isinstance(source, IntervalOf) and isinstance(target, IntervalOf):
            point = IterationRef(type=source.point, name="$this")
            return IntervalConvert(
                type=target, span=expression.span, operand=expression, point=self.coerce(point, target.point)
            )
        if isinstance(source, TupleOf) and isinstance(target, TupleOf):
            return As(type=target, span=expression.span, operand=expression, target=target, strict=False)
        return self._convert(expression, target)

    def _convert(self, expression: Expression, target: Type) -> Expression:
        known = SYSTEM_CONVERSIONS.get((expression.type, target))
        if known is not None:
            row = self.system_row(known[0], expression.type)
            return Convert(type=row.result, span=expression.span, operand=expression, conversion=row)
        rows = [(row, self._after(row, target)) for row in self.models.conversions(expression.type)]
        possible = [(row, cost) for row, cost in rows if cost is not None]
        if not possible:
            raise TypeError(f"no implicit conversion from {expression.type} to {target}")
        row = min(possible, key=lambda pair: pair[1])[0]
        converted = Convert(type=row.result, span=expression.span, operand=expression, conversion=row)
        return self.coerce(converted, target)

    def system_row(self, name: str, operand: Type) -> OperatorRow:
        """The operator row of one operand of exactly that type."""
        for row in self._rows.get(name, ()):
            if row.operands == (operand,):
                return row
        raise TypeError(f"the operator table has no {name}({operand})")

    def _widen(self, expression: Expression, target: Type) -> Expression:
        """Up to a choice or Any. A model's value is boxed with its type by the `As`; others stay as they are."""
        source = expression.type
        if isinstance(target, ChoiceOf) and not isinstance(source, ChoiceOf) and source not in target.alternatives:
            if source == ANY:
                return As(type=target, span=expression.span, operand=expression, target=target, strict=False)
            if not any(self.models.is_subtype(source, kind) for kind in target.alternatives):
                expression = self.coerce(expression, self._into(source, target)[0][0])
        if (
            isinstance(source, ChoiceOf)
            and isinstance(target, ChoiceOf)
            and not source.alternatives <= target.alternatives
        ):
            return self._from_choice(expression, source, target)
        return As(type=target, span=expression.span, operand=expression, target=target, strict=False)

    def _from_choice(self, expression: Expression, source: ChoiceOf, target: Type) -> Expression:
        alternatives = [kind for kind, _ in self._alternatives(source, target)]
        if len(alternatives) == 1:
            return self.coerce(self.narrow(expression, alternatives[0]), target)
        if not is_small(expression):  # converted within a list of one, where it can be named; null stays null
            item = self._from_choice(IterationRef(type=source, name="$this"), source, target)
            listed = ListSelector(type=ListOf(source), span=expression.span, items=(expression,))
            converted = ListConvert(type=ListOf(target), span=expression.span, operand=listed, item=item)
            first = self._rows["First"][0]
            return Operator(type=target, span=expression.span, row=first, operands=(converted,))
        items = tuple(
            (self.is_alternative(expression, kind), self.coerce(self.narrow(expression, kind), target))
            for kind in alternatives
        )
        nothing = Constant(type=target, span=expression.span, value=None)
        return Case(type=target, span=expression.span, items=items, otherwise=nothing)

    def is_alternative(self, expression: Expression, kind: Type) -> Expression:
        """Is the value of a choice this alternative? Answered by its JSON key being there, if it is read from JSON."""
        narrowed = self.narrow(expression, kind)
        if isinstance(narrowed, ModelProperty) and not isinstance(narrowed.type, ChoiceOf):
            null = self._operator("IsNull", ANY, narrowed)
            return self._operator("Not", BOOLEAN, null)
        asked = [when for when, _ in _branches_giving(expression, kind)]
        if asked:
            either = asked[0]
            for condition in asked[1:]:
                row = next(row for row in self._rows["Or"] if row.operands == (BOOLEAN, BOOLEAN))
                either = Operator(type=BOOLEAN, span=expression.span, row=row, operands=(either, condition))
            return either
        return Is(type=BOOLEAN, span=expression.span, operand=expression, target=self.models.tested_as(kind))

    def narrow(self, expression: Expression, kind: Type) -> Expression:
        """One alternative of a choice, null where the value is another.

        Read straight from its JSON key if the choice is an element; taken from the branches that give it if the choice
        was made by branching on the type of another choice (`coerce` makes those for QICore's elements).
        """
        if isinstance(expression, ModelProperty) and isinstance(expression.type, ChoiceOf):
            choices = tuple(choice for choice in expression.choices if choice.type == kind)
            if choices:
                return replace(expression, type=kind, choices=choices)
        items = _branches_giving(expression, kind)
        if items:
            nothing = Constant(type=kind, span=expression.span, value=None)
            return Case(type=kind, span=expression.span, items=items, otherwise=nothing)
        target = self.models.tested_as(kind)
        return As(type=kind, span=expression.span, operand=expression, target=target, strict=False)

    def _operator(self, name: str, kind: Type, operand: Expression) -> Operator:
        row = self.system_row(name, kind)
        return Operator(type=row.result, span=operand.span, row=row, operands=(operand,))

    # ------------------------------------------------------------------------------------------- common types

    def common(self, types: "list[Type]", *, choice: bool = True) -> Type | None:
        """The type that all can be used as: one of them, else (if allowed) the choice of all; nulls don't count.

        CQL §Conditional operators, §List selectors: branches and items must be of compatible types.
        """
        kinds = list(dict.fromkeys(kind for kind in types if kind not in (ANY, UNKNOWN)))
        if not kinds:
            return UNKNOWN if UNKNOWN in types else ANY
        if len(kinds) == 1:
            return kinds[0]
        merged = self._merge_lists(kinds)
        if merged is not None:
            return merged
        best: tuple[int, Type] | None = None
        for candidate in [*kinds, *(row.result for kind in kinds for row in self.models.conversions(kind))]:
            if isinstance(candidate, ChoiceOf) or any(isinstance(kind, ChoiceOf) for kind in kinds):
                continue
            costs = [self.cost(kind, candidate) for kind in kinds]
            total = sum(cost for cost in costs if cost is not None)
            if None not in costs and (best is None or total < best[0]):
                best = (total, candidate)
        if best is not None:
            return best[1]
        return choice_of(set(kinds)) if choice else None

    def among(self, left: Type, right: Type) -> Type | None:
        """The type that both can be used as where one or both are choices: one of the alternatives; None if none is.

        A choice is cast (CQL §Choice Types): what is another alternative at run time becomes null.
        """
        candidates: set[Type] = set()
        for kind in (left, right):
            candidates |= kind.alternatives if isinstance(kind, ChoiceOf) else {kind}
        best: tuple[int, Type] | None = None
        for candidate in sorted(candidates, key=str):
            costs = (self.cost(left, candidate), self.cost(right, candidate))
            total = sum(cost for cost in costs if cost is not None)
            if None not in costs and (best is None or total < best[0]):
                best = (total, candidate)
        return None if best is None else best[1]

    def _merge_lists(self, kinds: "list[Type]") -> Type | None:
        """Lists, intervals and tuples of one shape share what their parts share (null parts don't count)."""
        lists = [kind for kind in kinds if isinstance(kind, ListOf)]
        if len(lists) == len(kinds):
            element = self.common([kind.element for kind in lists])
            return None if element is None else ListOf(element)
        intervals = [kind for kind in kinds if isinstance(kind, IntervalOf)]
        if len(intervals) == len(kinds):
            point = self.common([kind.point for kind in intervals], choice=False)
            return None if point is None else IntervalOf(point)
        tuples = [kind for kind in kinds if isinstance(kind, TupleOf)]
        if len(tuples) == len(kinds) and len({tuple(name for name, _ in kind.elements) for kind in tuples}) == 1:
            parts: list[tuple[str, Type]] = []
            for position, (name, _) in enumerate(tuples[0].elements):
                part = self.common([kind.elements[position][1] for kind in tuples], choice=False)
                if part is None:
                    return None
                parts.append((name, part))
            return TupleOf(tuple(parts))
        return None


def _branches_giving(expression: Expression, kind: Type) -> tuple[tuple[Expression, Expression], ...]:
    """The branches (condition, value of `kind`) of a choice that was made by branching on JSON keys."""
    if not isinstance(expression, Case) or not _branches_on_json_keys(expression):
        return ()
    return tuple(
        (when, then.operand) for when, then in expression.items if isinstance(then, As) and then.operand.type == kind
    )


def _branches_on_json_keys(case: Case) -> bool:
    """Do all branches ask whether one choice element is there under one of its keys? Then at most one can apply."""
    if not isinstance(case.otherwise, Constant) or case.otherwise.value is not None:
        return False
    asked: list[ModelProperty] = []
    for condition, _ in case.items:
        if not (isinstance(condition, Operator) and condition.row.name == "Not"):
            return False
        null = condition.operands[0]
        if not (isinstance(null, Operator) and null.row.name == "IsNull"):
            return False
        element = null.operands[0]
        if not isinstance(element, ModelProperty) or len(element.choices) != 1:
            return False
        asked.append(element)
    first = asked[0]
    return len({item.choices for item in asked}) == len(asked) and all(
        item.name == first.name and item.source == first.source for item in asked
    )
