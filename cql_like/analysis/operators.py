"""Operators, conditionals and type operators -> rows of the operator table (CQL §Operators; Appendix B)."""

from dataclasses import replace
from decimal import Decimal
from functools import reduce

from cql_like.analysis.context import Context, show
from cql_like.analysis.literals import calendar_unit
from cql_like.analysis.problems import UNKNOWN, broken
from cql_like.analysis.vocabulary import BINARY, CALENDAR_PRECISIONS, COMPONENTS, ELAPSED, NEGATIONS, UNARY
from cql_like.ir import As, Case, Constant, Expression, If, Is, Span
from cql_like.model.registry import choice_of
from cql_like.runtime.numbers import MAX_INTEGER, MAX_LONG
from cql_like.runtime.values import Long, Quantity
from cql_like.syntax import tree
from cql_like.types import (
    ANY,
    BOOLEAN,
    CODE,
    CODESYSTEM,
    CONCEPT,
    DECIMAL,
    INTEGER,
    LONG,
    QUANTITY,
    STRING,
    VALUESET,
    ChoiceOf,
    IntervalOf,
    ListOf,
    Named,
    Type,
)


def unary(node: tree.Unary, context: Context) -> Expression:
    """`not x`, `exists x`, `start of x`, `-x` ..."""
    operand = context.analyse(node.operand)
    if node.operator == "+":
        return operand
    if node.operator == "-" and isinstance(operand, Constant) and operand.value is not None:
        if operand.type == DECIMAL:  # 0 - x, as there is no negative zero
            return Constant(type=DECIMAL, span=node.span, value=0 - operand.value)
        if operand.type == INTEGER and -operand.value <= MAX_INTEGER:  # the least one has no opposite: left to `Negate`
            return Constant(type=INTEGER, span=node.span, value=-operand.value)
        if operand.type == LONG and -operand.value <= MAX_LONG:
            return Constant(type=LONG, span=node.span, value=Long(-operand.value))
        if operand.type == QUANTITY:
            return Constant(type=QUANTITY, span=node.span, value=Quantity(-operand.value.value, operand.value.unit))
    return context.apply(UNARY[node.operator], [operand], node.span, written=node.operator)


def binary(node: tree.Binary, context: Context) -> Expression:
    """Infix operators. A chain `a and b and c ...` leans left and may be long, so its spine is a loop."""
    spine: list[tree.Binary] = []
    first: tree.Expression = node
    while isinstance(first, tree.Binary):
        spine.append(first)
        first = first.left
    result = context.analyse(first)
    for item in reversed(spine):
        result = infix(item.operator, result, context.analyse(item.right), item.span, context)
    return result


def infix(
    operator: tree.BinaryOperator, left: Expression, right: Expression, span: Span, context: Context
) -> Expression:
    """One infix operator on analysed operands."""
    if left.type == UNKNOWN or right.type == UNKNOWN:
        return broken(span)
    if operator == "&":
        empty = Constant(type=STRING, value="")
        parts = [context.apply("Coalesce", [part, empty], span, written="&") for part in (left, right)]
        return context.apply("Concatenate", parts, span, written="&")
    name = BINARY[operator]
    texts = operator == "+" and context.fits("Concatenate", left.type, right.type)
    if texts and (STRING in (left.type, right.type) or not context.fits("Add", left.type, right.type)):
        name = "Concatenate"
    if name in NEGATIONS and not context.services.overloads.rows.get(name):
        positive = context.apply(NEGATIONS[name], [left, right], span, written=operator)
        return context.apply("Not", [positive], span)
    return context.apply(name, [left, right], span, written=operator)


def boolean_test(node: tree.BooleanTest, context: Context) -> Expression:
    """`x is null`, `x is not true`."""
    operand = context.analyse(node.operand)
    name = {"null": "IsNull", "true": "IsTrue", "false": "IsFalse"}[node.value]
    test = context.apply(name, [operand], node.span, written=f"is {node.value}")
    return context.apply("Not", [test], node.span) if node.negated else test


def is_null(operand: Expression, span: Span, context: Context) -> Expression:
    """`operand is null`."""
    return context.apply("IsNull", [operand], span)


def not_null(operand: Expression, span: Span, context: Context) -> Expression:
    """`operand is not null`."""
    return context.apply("Not", [is_null(operand, span, context)], span)


def type_test(node: tree.TypeTest, context: Context) -> Expression:
    """`x is T`."""
    return test_type(context.analyse(node.operand), context.unit.resolve_type(node.type), node.span, context)


def test_type(operand: Expression, target: Type, span: Span, context: Context) -> Expression:
    """Is the value a `target`? Decided here where the static type says it all."""
    if operand.type == UNKNOWN or target == UNKNOWN:
        return broken(span)
    if operand.type != ANY and context.services.models.is_subtype(operand.type, target):
        return not_null(operand, span, context)
    if isinstance(operand.type, ChoiceOf):
        conversions, models = context.services.conversions, context.services.models
        kinds = [kind for kind in sorted(operand.type.alternatives, key=str) if models.is_subtype(kind, target)]

        def any_of(shared: Expression) -> Expression:
            tests = [conversions.is_alternative(shared, kind) for kind in kinds or [target]]
            return reduce(lambda left, right: context.apply("Or", [left, right], span), tests)

        return any_of(operand) if len(kinds) < 2 else context.once(operand, span, any_of)
    return Is(type=BOOLEAN, span=span, operand=operand, target=context.services.models.tested_as(target))


def cast(node: tree.Cast, context: Context) -> Expression:
    """`x as T`, `cast x as T`."""
    return cast_to(context.analyse(node.operand), context.unit.resolve_type(node.type), node.strict, node.span, context)


def cast_to(operand: Expression, target: Type, strict: bool, span: Span, context: Context) -> Expression:
    """A cast: down to a subtype, out of a choice or of Any, or up."""
    if operand.type == UNKNOWN or target == UNKNOWN:
        return Constant(type=target, span=span, value=None)
    models, source = context.services.models, operand.type
    if source == target:
        return operand
    if isinstance(operand, Constant) and operand.value is None:
        return Constant(type=target, span=span, value=None)
    if models.is_subtype(source, target) and target != ANY and not isinstance(target, ChoiceOf):
        return replace(operand, type=target)  # up to a base class: the value is as it was
    alternatives = source.alternatives if isinstance(source, ChoiceOf) else frozenset({source})
    targets = target.alternatives if isinstance(target, ChoiceOf) else frozenset({target})
    if source != ANY and not any(
        models.is_subtype(kind, wanted) or models.is_subtype(wanted, kind)
        for kind in alternatives
        for wanted in targets
    ):
        if context.services.conversions.cost(source, target) is not None:
            return context.services.conversions.coerce(operand, target)
        if not _same_shape(source, target):
            return context.problem(
                span, f"{show(source)} can never be {show(target)}", "a subtype or an alternative of it"
            )
    if not strict and isinstance(source, ChoiceOf) and not isinstance(target, ChoiceOf):
        if target not in alternatives and any(models.is_subtype(kind, target) for kind in alternatives):
            return context.services.conversions.coerce(operand, target)
        return context.services.conversions.narrow(operand, target)
    return As(type=target, span=span, operand=operand, target=models.tested_as(target), strict=strict)


def _same_shape(source: Type, target: Type) -> bool:
    """Lists and intervals may hold anything, as far as their static types can tell."""
    return (isinstance(source, ListOf) and isinstance(target, ListOf)) or (
        isinstance(source, IntervalOf) and isinstance(target, IntervalOf)
    )


def conversion(node: tree.Conversion, context: Context) -> Expression:
    """`convert x to T`: by the operator `ToT`."""
    operand, target = context.analyse(node.operand), context.unit.resolve_type(node.type)
    if operand.type == UNKNOWN or target == UNKNOWN:
        return broken(node.span)
    if operand.type == target:
        return operand
    if isinstance(target, Named) and context.fits(f"To{target.name}", operand.type) and target.model == "System":
        return context.apply(f"To{target.name}", [operand], node.span, written=f"convert to {show(target)}")
    if context.services.conversions.cost(operand.type, target) is not None:
        return context.services.conversions.coerce(operand, target)
    return context.problem(node.span, f"{show(operand.type)} cannot be converted to {show(target)}")


def unit_conversion(node: tree.UnitConversion, context: Context) -> Expression:
    """`convert x to 'g'`."""
    unit = calendar_unit(node.unit) if node.calendar else node.unit
    wanted = Constant(type=STRING, span=node.span, value=unit)
    return context.apply("ConvertQuantity", [context.analyse(node.operand), wanted], node.span, written="convert")


def component_from(node: tree.ComponentFrom, context: Context) -> Expression:
    """`year from x`, `date from x`."""
    operand = context.analyse(node.operand)
    written = f"{node.component} from"
    name = COMPONENTS.get(node.component)
    if name is not None:
        return context.apply(name, [operand], node.span, written=written)
    precision = CALENDAR_PRECISIONS.get(node.component)
    return context.apply("DateTimeComponentFrom", [operand], node.span, precision, written=written)


def elapsed_between(node: tree.ElapsedBetween, context: Context) -> Expression:
    """`days between a and b`, `difference in days between a and b`."""
    operands = [context.analyse(node.low), context.analyse(node.high)]
    written = f"{node.measure} in {node.precision}s between"
    return context.apply(ELAPSED[node.measure], operands, node.span, node.precision, written=written)


def elapsed_of(node: tree.ElapsedOf, context: Context) -> Expression:
    """`duration in days of interval`: between its start and its end."""
    operand = context.analyse(node.operand)
    written = f"{node.measure} in {node.precision}s of"

    def between_ends(shared: Expression) -> Expression:
        ends = [context.apply(name, [shared], node.span, written=written) for name in ("Start", "End")]
        return context.apply(ELAPSED[node.measure], ends, node.span, node.precision, written=written)

    return broken(node.span) if operand.type == UNKNOWN else context.once(operand, node.span, between_ends)


def between(node: tree.Between, context: Context) -> Expression:
    """`x between low and high`: both comparisons hold; `properly` leaves the ends out."""
    operand, low, high = (context.analyse(part) for part in (node.operand, node.low, node.high))
    if any(part.type == UNKNOWN for part in (operand, low, high)):
        return broken(node.span)
    above, below = ("Greater", "Less") if node.proper else ("GreaterOrEqual", "LessOrEqual")

    def both(shared: Expression) -> Expression:
        comparisons = [
            context.apply(above, [shared, low], node.span, written="between"),
            context.apply(below, [shared, high], node.span, written="between"),
        ]
        return context.apply("And", comparisons, node.span)

    return context.once(operand, node.span, both)


def membership(node: tree.Membership, context: Context) -> Expression:
    """`x in y`, `y contains x`; in a value set or code system if y is one."""
    left, right = context.analyse(node.left), context.analyse(node.right)
    if node.operator == "contains":
        if left.type in (VALUESET, CODESYSTEM):
            return in_terminology(right, left, node.span, context)
        return context.apply("Contains", [left, right], node.span, node.precision, written="contains")
    if right.type in (VALUESET, CODESYSTEM):
        return in_terminology(left, right, node.span, context)
    return context.apply("In", [left, right], node.span, node.precision, written="in")


def in_terminology(element: Expression, terminology: Expression, span: Span, context: Context) -> Expression:
    """Membership in a value set or code system; of a list: of any of it."""
    if element.type == UNKNOWN:
        return broken(span)
    name = "InValueSet" if terminology.type == VALUESET else "InCodeSystem"
    if isinstance(element.type, ChoiceOf):  # a coded alternative says more than one that is mere text
        for target in (CONCEPT, CODE, ListOf(CONCEPT), ListOf(CODE)):
            if context.services.conversions.cost(element.type, target) is not None:
                element = context.services.conversions.coerce(element, target)
                break
    if not context.fits(name, element.type, terminology.type):
        many = f"Any{name}"
        if context.fits(many, element.type, terminology.type):
            return context.apply(many, [element, terminology], span, written="in")
    return context.apply(name, [element, terminology], span, written="in")


def if_then_else(node: tree.If, context: Context) -> Expression:
    """`if c then a else b`; the branches become of one type, a choice if need be."""
    condition = context.condition(node.condition, "the condition of if")
    then, otherwise = context.analyse(node.then), context.analyse(node.otherwise)
    kind = _branches(context, [then.type, otherwise.type])
    coerce = context.services.conversions.coerce
    return If(
        type=kind, span=node.span, condition=condition, then=coerce(then, kind), otherwise=coerce(otherwise, kind)
    )


def case(node: tree.Case, context: Context) -> Expression:
    """`case when c then a ... else b end`, with or without a comparand."""
    if node.comparand is None:
        return _case(node, None, context)
    comparand = context.analyse(node.comparand)
    if comparand.type == UNKNOWN:
        return broken(node.span)
    return context.once(comparand, node.span, lambda shared: _case(node, shared, context))


def _case(node: tree.Case, comparand: Expression | None, context: Context) -> Expression:
    conditions: list[Expression] = []
    for item in node.items:
        if comparand is None:
            conditions.append(context.condition(item.when, "the condition of when"))
        else:
            equal = context.apply("Equal", [comparand, context.analyse(item.when)], item.when.span, written="case")
            conditions.append(context.coerce(equal, BOOLEAN, item.when.span, "the comparison of when"))
    branches = [context.analyse(item.then) for item in node.items]
    otherwise = context.analyse(node.otherwise)
    kind = _branches(context, [*(branch.type for branch in branches), otherwise.type])
    coerce = context.services.conversions.coerce
    items = tuple((condition, coerce(branch, kind)) for condition, branch in zip(conditions, branches, strict=True))
    return Case(type=kind, span=node.span, items=items, otherwise=coerce(otherwise, kind))


def _branches(context: Context, kinds: list[Type]) -> Type:
    common = context.services.conversions.common(kinds)
    return choice_of(set(kinds)) if common is None else common


def type_extreme(node: tree.TypeExtreme, context: Context) -> Expression:
    """`minimum Integer`, `maximum DateTime`: the row whose result is that type."""
    target = context.unit.resolve_type(node.type)
    if target == UNKNOWN:
        return broken(node.span)
    name = "MinValue" if node.extreme == "minimum" else "MaxValue"
    nothing = Constant(type=target, span=node.span, value=None)
    if not context.fits(name, target):
        known = ", ".join(sorted({show(row.result) for row in context.services.overloads.rows.get(name, ())}))
        return context.problem(node.span, f"{show(target)} has no {node.extreme}", known or None)
    return context.apply(name, [nothing], node.span, written=node.extreme)


def expand_collapse(node: tree.ExpandCollapse, context: Context) -> Expression:
    """`expand x per day`, `collapse x per 2 days`; without `per` the operator gets a null quantity."""
    operand = context.analyse(node.operand)
    name = "Expand" if node.operator == "expand" else "Collapse"
    per: Expression
    if node.per is not None:
        per = context.analyse_as(node.per, QUANTITY, "the quantity of per")
    elif node.per_precision is not None:
        per = Constant(type=QUANTITY, span=node.span, value=Quantity(Decimal(1), node.per_precision))
    else:
        per = Constant(type=QUANTITY, span=node.span, value=None)
    return context.apply(name, [operand, per], node.span, written=node.operator)


def indexer(node: tree.Indexer, context: Context) -> Expression:
    """`list[0]`, `text[0]`."""
    operands = [context.analyse(node.source), context.analyse(node.index)]
    return context.apply("Indexer", operands, node.span, written="[ ]")
