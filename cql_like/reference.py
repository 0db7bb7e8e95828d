"""The reference evaluator: walks the typed IR, slow and obvious. It is the definition of correct (ELM semantics).

One `visit_X` per node of `cql_like.ir`; a node without one is our bug. The rules that both evaluators keep:

* Operands are evaluated left to right. An operator that propagates null stops at its first null operand.
* And, Or and Implies stop when the left operand decides; Coalesce at its first value; If and Case at their branch.
* A query evaluates all its sources; it is null if one of them is. A relationship over null has no match.
* A define is evaluated at most once per session.

The compiler (`cql_like.compiler`) may besides leave an operand unevaluated that can no longer change the outcome.
With a `Tracer` it also records the value and the deciding resources of every clause.
"""

# ruff: noqa: N802, S101 (methods are called after the nodes; an unknown node is a bug of ours, so an assertion)

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cql_like import ir, leaves
from cql_like.runtime.context import EvaluationContext
from cql_like.runtime.errors import BudgetExceeded
from cql_like.runtime.values import CqlTuple, Interval
from cql_like.trace import Clause, Tracer
from cql_like.types import IntervalOf, ListOf, Named

_UNSET = object()

# What a name means at some point of a define: query aliases, lets, function operands, `$this`. Never changed, only
# copied with more names.
Scope = Mapping[tuple[str, str], Any]


class ReferenceEvaluator:
    """Evaluates the defines of one program for one record.

    Args:
        program: the analysed library with its includes.
        parameters: the value of every declared parameter, by (library key, name).
        context: now, default offset, terminology, messages, limits.
        retrieve: `(Retrieve node, codes | None) -> resources`; the session's, which also remembers what it handed out.
        tracer: records clauses if given.
    """

    def __init__(
        self,
        program: ir.Program,
        parameters: Mapping[tuple[str, str], Any],
        context: EvaluationContext,
        retrieve: "leaves.Retrieving",
        tracer: Tracer | None = None,
    ) -> None:
        self._program = program
        self._parameters = parameters
        self._context = context
        self._retrieve = retrieve
        self._tracer = tracer
        self._values: dict[tuple[str, str], Any] = {}
        self._clauses: dict[tuple[str, str], Clause] = {}
        self._steps_left = context.limits.steps

    def evaluate(self, library: str, define: str) -> Any:
        """The value of a define, computed on first use.

        Raises:
            CqlRuntimeError: the logic itself ends in an error (a strict cast, a message of severity Error ...).
            UnknownValueSet: a value set it needs is not known.
        """
        key = (library, define)
        value = self._values.get(key, _UNSET)
        if value is _UNSET:
            expression = self._program.libraries[library].defines[define].expression
            value = self._values[key] = self.visit(expression, {})
            if self._tracer is not None:
                self._clauses[key] = self._tracer.last
        elif self._tracer is not None:
            self._tracer.again(self._clauses[key])
        return value

    def expression(self, expression: ir.Expression) -> Any:
        """The value of an expression outside any define (a parameter's default)."""
        return self.visit(expression, {})

    def visit(self, node: ir.Expression, scope: Scope) -> Any:
        method: Callable[[Any, Scope], Any] | None = getattr(self, f"visit_{type(node).__name__}", None)
        assert method is not None, f"no visit for IR node {type(node).__name__}"
        if self._steps_left is not None:
            self._step()
        if self._tracer is None:
            return method(node, scope)
        frame = self._tracer.enter(node)
        try:
            value = method(node, scope)
        except BaseException:
            self._tracer.abandon(frame)
            raise
        self._tracer.leave(frame, value)
        return value

    def _step(self) -> None:
        assert self._steps_left is not None
        self._steps_left -= 1
        if self._steps_left < 0:
            raise BudgetExceeded(
                f"the evaluation took more than {self._context.limits.steps} steps; ask for less, or raise the limit "
                "`steps`"
            )

    # references

    def visit_Constant(self, node: ir.Constant, scope: Scope) -> Any:
        return node.value

    def visit_ParameterRef(self, node: ir.ParameterRef, scope: Scope) -> Any:
        return self._parameters[node.library, node.name]

    def visit_ExpressionRef(self, node: ir.ExpressionRef, scope: Scope) -> Any:
        return self.evaluate(node.library, node.name)

    def visit_FunctionCall(self, node: ir.FunctionCall, scope: Scope) -> Any:
        function = self._program.libraries[node.library].functions[node.function]
        arguments = [self.visit(operand, scope) for operand in node.operands]
        if function.body is None:
            leaves.external(function.name)
        names = (name for name, _ in function.operands)
        return self.visit(
            function.body, {("operand", name): value for name, value in zip(names, arguments, strict=True)}
        )

    def visit_OperandRef(self, node: ir.OperandRef, scope: Scope) -> Any:
        return scope["operand", node.name]

    def visit_AliasRef(self, node: ir.AliasRef, scope: Scope) -> Any:
        return scope["alias", node.name]

    def visit_LetRef(self, node: ir.LetRef, scope: Scope) -> Any:
        return scope["let", node.name]

    def visit_IterationRef(self, node: ir.IterationRef, scope: Scope) -> Any:
        return scope["iteration", node.name]

    def visit_ValueSetRef(self, node: ir.ValueSetRef, scope: Scope) -> Any:
        return leaves.value_set(node)

    def visit_CodeSystemRef(self, node: ir.CodeSystemRef, scope: Scope) -> Any:
        return leaves.code_system(node)

    # operators

    def visit_Operator(self, node: ir.Operator, scope: Scope) -> Any:
        row = node.row
        special = _SHORT_CIRCUIT.get(row.name)
        if special is not None and len(node.operands) > 1:
            return special(self.visit(operand, scope) for operand in node.operands)
        values: list[Any] = []
        for operand in node.operands:
            value = self.visit(operand, scope)
            if value is None and row.propagates_null:
                return None
            values.append(value)
        keywords: dict[str, Any] = {}
        if row.takes_precision:
            keywords["precision"] = node.precision
        if row.takes_context:
            keywords["context"] = self._context
        return row.implementation(*values, **keywords)

    def visit_If(self, node: ir.If, scope: Scope) -> Any:
        return self.visit(node.then if self.visit(node.condition, scope) is True else node.otherwise, scope)

    def visit_Case(self, node: ir.Case, scope: Scope) -> Any:
        for condition, result in node.items:
            if self.visit(condition, scope) is True:
                return self.visit(result, scope)
        return self.visit(node.otherwise, scope)

    # selectors

    def visit_IntervalSelector(self, node: ir.IntervalSelector, scope: Scope) -> Any:
        low, high = self.visit(node.low, scope), self.visit(node.high, scope)
        low_closed, high_closed = self.visit(node.low_closed, scope), self.visit(node.high_closed, scope)
        assert isinstance(node.type, IntervalOf)
        return leaves.interval(low, high, low_closed, high_closed, node.type.point)

    def visit_ListSelector(self, node: ir.ListSelector, scope: Scope) -> Any:
        return [self.visit(item, scope) for item in node.items]

    def visit_TupleSelector(self, node: ir.TupleSelector, scope: Scope) -> Any:
        return CqlTuple({name: self.visit(element, scope) for name, element in node.elements})

    def visit_InstanceSelector(self, node: ir.InstanceSelector, scope: Scope) -> Any:
        assert isinstance(node.type, Named)
        return leaves.instance(node.type, {name: self.visit(element, scope) for name, element in node.elements})

    # elements, conversions and types

    def visit_ModelProperty(self, node: ir.ModelProperty, scope: Scope) -> Any:
        source = self.visit(node.source, scope)
        return leaves.model_property(source, node.choices, isinstance(node.type, ListOf))

    def visit_Property(self, node: ir.Property, scope: Scope) -> Any:
        return leaves.system_property(self.visit(node.source, scope), node.name)

    def visit_Convert(self, node: ir.Convert, scope: Scope) -> Any:
        row = node.conversion
        value = self.visit(node.operand, scope)
        if value is None and row.propagates_null:
            return None
        return row.implementation(value, context=self._context) if row.takes_context else row.implementation(value)

    def visit_ListConvert(self, node: ir.ListConvert, scope: Scope) -> Any:
        values = self.visit(node.operand, scope)
        if values is None:
            return None
        return [
            None if value is None else self.visit(node.item, {**scope, ("iteration", "$this"): value})
            for value in values
        ]

    def visit_IntervalConvert(self, node: ir.IntervalConvert, scope: Scope) -> Any:
        value = self.visit(node.operand, scope)
        if value is None:
            return None

        def point(end: Any) -> Any:
            return None if end is None else self.visit(node.point, {**scope, ("iteration", "$this"): end})

        assert isinstance(node.type, IntervalOf)
        return Interval(point(value.low), point(value.high), value.low_closed, value.high_closed, node.type.point)

    def visit_As(self, node: ir.As, scope: Scope) -> Any:
        return leaves.cast(self.visit(node.operand, scope), node)

    def visit_Is(self, node: ir.Is, scope: Scope) -> Any:
        value = self.visit(node.operand, scope)
        return value is not None and leaves.is_type(leaves.box(value, node.operand.type), node.target)

    # data

    def visit_Retrieve(self, node: ir.Retrieve, scope: Scope) -> Any:
        if node.codes is None:
            return self._retrieve(node, None)
        wanted = self.visit(node.codes, scope)
        return None if wanted is None else self._retrieve(node, wanted)

    def visit_Query(self, node: ir.Query, scope: Scope) -> Any:
        found = [(source, self.visit(source.expression, scope)) for source in node.sources]
        if any(value is None for _, value in found):
            return None
        sources = [(source.alias, leaves.elements(value, source.expression.type)) for source, value in found]
        kept: list[Scope] = []
        for row in self._rows(node, sources, scope):
            if self._tracer is not None:
                self._tracer.keep([value for (kind, _), value in row.items() if kind in ("source", "related")])
            kept.append(row)
        if node.aggregate is not None:
            return self._aggregate(node, node.aggregate, kept, scope)
        results = [
            row["alias", sources[0][0]] if node.returning is None else self.visit(node.returning, row) for row in kept
        ]
        if node.singular:
            return results[0] if results else None
        if node.distinct:
            results = leaves.distinct(results)
        return self._sorted(node, results, scope)

    def _rows(self, node: ir.Query, sources: list[tuple[str, Any]], scope: Scope) -> Iterator[Scope]:
        """The combinations of source elements that have every relationship and meet the condition."""
        for combination in leaves.combinations([elements for _, elements in sources]):
            row = {key: value for key, value in scope.items() if key[0] not in ("source", "related")}
            for (alias, _), element in zip(sources, combination, strict=True):
                row["alias", alias] = row["source", alias] = element
            for name, expression in node.lets:
                row["let", name] = self.visit(expression, row)
            related = all(
                self._related(relationship, row) != relationship.negated for relationship in node.relationships
            )
            if related and (node.where is None or self.visit(node.where, row) is True):
                yield row

    def _related(self, relationship: ir.Relationship, row: dict[tuple[str, str], Any]) -> bool:
        found = self.visit(relationship.expression, row)
        if found is None:
            return False
        for element in leaves.elements(found, relationship.expression.type):
            if self.visit(relationship.such_that, {**row, ("alias", relationship.alias): element}) is True:
                row["related", relationship.alias] = element
                return True
        return False

    def _aggregate(self, node: ir.Query, aggregate: ir.Aggregate, rows: list[Scope], scope: Scope) -> Any:
        total = self.visit(aggregate.starting, scope)
        if aggregate.distinct:
            names = [source.alias for source in node.sources]
            rows = leaves.distinct_by(rows, lambda row: [row["alias", name] for name in names])
        for row in rows:
            total = self.visit(aggregate.expression, {**row, ("iteration", aggregate.name): total})
        return total

    def _sorted(self, node: ir.Query, results: list[Any], scope: Scope) -> list[Any]:
        # The last key first: each pass is stable.
        for item in reversed(node.sort):
            keys = [self.visit(item.expression, {**scope, ("iteration", "$this"): result}) for result in results]
            results = leaves.sorted_by(results, keys, descending=item.descending)
        return results


def _and(values: Iterator[bool | None]) -> bool | None:
    outcome: bool | None = True
    for value in values:
        if value is False:
            return False
        if value is None:
            outcome = None
    return outcome


def _or(values: Iterator[bool | None]) -> bool | None:
    outcome: bool | None = False
    for value in values:
        if value is True:
            return True
        if value is None:
            outcome = None
    return outcome


def _implies(values: Iterator[bool | None]) -> bool | None:
    premise = next(values)
    if premise is False:
        return True
    conclusion = next(values)
    if premise is True or conclusion is True:
        return conclusion
    return None


def _coalesce(values: Iterator[Any]) -> Any:
    return next((value for value in values if value is not None), None)


_SHORT_CIRCUIT: Mapping[str, Callable[[Iterator[Any]], Any]] = {
    "And": _and,
    "Or": _or,
    "Implies": _implies,
    "Coalesce": _coalesce,
}
