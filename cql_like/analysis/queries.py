"""Queries -> the Query node (CQL Author's Guide §Queries)."""

from collections.abc import Mapping

from cql_like.analysis.context import Context, show
from cql_like.analysis.problems import UNKNOWN, broken
from cql_like.ir import (
    Aggregate,
    AliasRef,
    Constant,
    Expression,
    IterationRef,
    LetRef,
    Query,
    Relationship,
    SortItem,
    Source,
    TupleSelector,
)
from cql_like.syntax import tree
from cql_like.types import ANY, VALUESET, ListOf, TupleOf, Type


def query(node: tree.Query, context: Context) -> Expression:
    """A query of one or more sources with its clauses, in the order in which they are evaluated."""
    singular = True
    sources: list[Source] = []
    inner = context
    for item in node.sources:
        expression = _as_source(inner.analyse(item.source), inner)
        if isinstance(expression.type, ListOf) or expression.type == UNKNOWN:
            singular = False
        inner, alias = _bind_alias(item, expression, inner)
        sources.append(Source(alias, expression))
    lets: list[tuple[str, Expression]] = []
    for item in node.lets:
        value = inner.analyse(item.expression)
        name = context.unique.unique(item.name)
        lets.append((name, value))
        inner = inner.bind({item.name: LetRef(type=value.type, span=item.span, name=name)})
    relationships = tuple(_relationship(item, inner) for item in node.relationships)
    where = None if node.where is None else inner.condition(node.where, "the condition of where")

    returning, distinct = _returning(node, inner)
    aggregate = None if node.aggregate is None else _aggregate(node.aggregate, inner)
    if aggregate is not None:
        kind: Type = aggregate.expression.type
    else:
        element = _element_type(sources[0].expression.type) if returning is None else returning.type
        kind = UNKNOWN if element == UNKNOWN else element if singular else ListOf(element)
    sort = tuple(_sort_item(item, kind, context) for item in node.sort)
    if node.sort and aggregate is None and singular:
        context.problem(node.sort[0].span, "one value cannot be sorted", "a query over a list")
        sort = ()
    if kind == UNKNOWN:
        return broken(node.span)
    return Query(
        type=kind,
        span=node.span,
        sources=tuple(sources),
        lets=tuple(lets),
        relationships=relationships,
        where=where,
        returning=None if aggregate is not None else returning,
        distinct=distinct,
        aggregate=aggregate,
        sort=sort,
        singular=singular,
    )


def _element_type(kind: Type) -> Type:
    return kind.element if isinstance(kind, ListOf) else kind


def _as_source(expression: Expression, context: Context) -> Expression:
    """A value set as a source is the list of its codes."""
    if expression.type == VALUESET and context.fits("ExpandValueSet", VALUESET):
        return context.apply("ExpandValueSet", [expression], expression.span or _no_span())
    return expression


def _no_span() -> tree.Span:
    return tree.Span("", 1, 1, 1, 1)


def _bind_alias(item: tree.AliasedSource, expression: Expression, context: Context) -> tuple[Context, str]:
    """The context in which the alias stands for one element of the source; and its unique name."""
    name = context.unique.unique(item.alias)
    kind = _element_type(expression.type)
    return context.bind({item.alias: AliasRef(type=kind, span=item.span, name=name)}), name


def _relationship(item: tree.Relationship, context: Context) -> Relationship:
    expression = _as_source(context.analyse(item.source.source), context)
    inner, alias = _bind_alias(item.source, expression, context)
    condition = inner.condition(item.such_that, "the condition of such that")
    return Relationship(alias, expression, condition, item.negated)


def _returning(node: tree.Query, context: Context) -> tuple[Expression | None, bool]:
    """The return expression and whether it is distinct. Several sources without a return give tuples of them all."""
    if node.returning is not None:
        return context.analyse(node.returning.expression), node.returning.distinct
    if len(node.sources) == 1 or node.aggregate is not None:
        return None, False
    elements: Mapping[str, Expression] = {item.alias: context.names[item.alias] for item in node.sources}
    ordered = tuple(sorted(elements.items()))
    kind = TupleOf(tuple((name, value.type) for name, value in ordered))
    return TupleSelector(type=kind, span=node.span, elements=ordered), True


def _aggregate(node: tree.AggregateClause, context: Context) -> Aggregate:
    """`aggregate R starting s: e`: R is of the type that s and e share. Without starting it begins with null."""
    conversions = context.services.conversions
    starting: Expression = (
        Constant(type=ANY, span=node.span, value=None) if node.starting is None else context.analyse(node.starting)
    )
    kind = starting.type
    expression = _accumulate(node, kind, context)
    common = conversions.common([kind, expression.type], choice=False)
    if common is not None and common != kind:  # a null or narrower start: once more with the type that it becomes
        kind = common
        expression = _accumulate(node, kind, context)
    if common is None or conversions.cost(expression.type, kind) is None:
        context.problem(node.expression.span, f"the aggregate gives {show(expression.type)}", show(kind))
        expression = Constant(type=kind, span=node.span, value=None)
    return Aggregate(node.name, conversions.coerce(starting, kind), conversions.coerce(expression, kind), node.distinct)


def _accumulate(node: tree.AggregateClause, kind: Type, context: Context) -> Expression:
    accumulator = IterationRef(type=kind, span=node.span, name=node.name)
    return context.bind({node.name: accumulator}).analyse(node.expression)


def _sort_item(node: tree.SortItem, result: Type, context: Context) -> SortItem:
    """A sort key over `$this`, whose elements may be named without it."""
    element = IterationRef(type=_element_type(result), span=node.span, name="$this")
    if node.expression is None:
        key: Expression = element
    else:
        key = context.bind({"$this": element}, implicit=element).analyse(node.expression)
    if key.type in (ANY, UNKNOWN):
        return SortItem(key, node.descending)
    order = context.services.overloads.match("Less", (key.type, key.type))
    if order is None:
        context.problem(node.span, f"nothing orders values of {show(key.type)}", "numbers, texts, dates or quantities")
        return SortItem(key, node.descending)
    # keys are compared, so they are System values
    return SortItem(context.services.conversions.coerce(key, order.operands[0]), node.descending)
