"""Literals and selectors -> constants and selector nodes (CQL §Literals, §Tuple, §List, §Interval, §Code selectors)."""

from decimal import Decimal

from cql_like.analysis.context import Context, show
from cql_like.analysis.problems import UNKNOWN, broken, did_you_mean
from cql_like.ir import (
    Constant,
    Convert,
    Expression,
    InstanceSelector,
    IntervalSelector,
    ListSelector,
    OperatorRow,
    TupleSelector,
)
from cql_like.model.fhir_conversions import primitive_constructor
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.temporal import with_default_offset
from cql_like.runtime.values import Code, Concept, Date, DateTime, Long, Quantity, Ratio, Time
from cql_like.syntax import tree
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
    RATIO,
    STRING,
    TIME,
    IntervalOf,
    ListOf,
    Named,
    TupleOf,
    Type,
)

CALENDAR_WORDS = frozenset({"year", "month", "week", "day", "hour", "minute", "second", "millisecond"})

# A clock reading without an offset is one in the default offset of the evaluation request, which only it knows.
DEFAULT_OFFSET = OperatorRow("DefaultOffset", (DATETIME,), DATETIME, with_default_offset, takes_context=True)


def calendar_unit(unit: str) -> str:
    """A calendar word in the singular: `days` -> `day`."""
    return unit[:-1] if unit.endswith("s") and unit[:-1] in CALENDAR_WORDS else unit


def quantity_value(node: tree.QuantityLiteral) -> Quantity:
    """The value of a quantity literal; calendar units in the singular."""
    return Quantity(Decimal(node.value), calendar_unit(node.unit) if node.calendar else node.unit)


def null(node: tree.NullLiteral, context: Context) -> Expression:
    """`null`, of type Any until it is used as something."""
    return Constant(type=ANY, span=node.span, value=None)


def scalar(
    node: tree.BooleanLiteral | tree.StringLiteral | tree.IntegerLiteral | tree.DecimalLiteral, context: Context
) -> Expression:
    """A literal whose value is Python's."""
    kinds: dict[type, Type] = {
        tree.BooleanLiteral: BOOLEAN,
        tree.StringLiteral: STRING,
        tree.IntegerLiteral: INTEGER,
        tree.DecimalLiteral: DECIMAL,
    }
    return Constant(type=kinds[type(node)], span=node.span, value=node.value)


def long(node: tree.LongLiteral, context: Context) -> Expression:
    """`42L`."""
    return Constant(type=LONG, span=node.span, value=Long(node.value))


def temporal(node: tree.DateLiteral | tree.DateTimeLiteral | tree.TimeLiteral, context: Context) -> Expression:
    """A date, date-time or time literal."""
    try:
        if isinstance(node, tree.DateLiteral):
            return Constant(type=DATE, span=node.span, value=Date(node.year, node.month, node.day))
        if isinstance(node, tree.TimeLiteral):
            time = Time(node.hour, node.minute, node.second, node.millisecond)
            return Constant(type=TIME, span=node.span, value=time)
        moment = DateTime(
            node.year, node.month, node.day, node.hour, node.minute, node.second, node.millisecond, node.offset
        )
    except CqlRuntimeError as error:
        return context.problem(node.span, str(error))
    constant = Constant(type=DATETIME, span=node.span, value=moment)
    if moment.hour is None or moment.offset is not None:
        return constant
    return Convert(type=DATETIME, span=node.span, operand=constant, conversion=DEFAULT_OFFSET)


def quantity(node: tree.QuantityLiteral, context: Context) -> Expression:
    """`5 'mg'`, `3 days`."""
    return Constant(type=QUANTITY, span=node.span, value=quantity_value(node))


def ratio(node: tree.RatioLiteral, context: Context) -> Expression:
    """`1 'mg' : 2 'mL'`."""
    value = Ratio(quantity_value(node.numerator), quantity_value(node.denominator))
    return Constant(type=RATIO, span=node.span, value=value)


def interval(node: tree.IntervalSelector, context: Context) -> Expression:
    """`Interval[low, high)`; both bounds become of one point type."""
    low, high = context.analyse(node.low), context.analyse(node.high)
    conversions = context.services.conversions
    point = conversions.common([low.type, high.type], choice=False) or conversions.among(low.type, high.type)
    if point is None:
        return context.problem(
            node.span, f"an interval from {show(low.type)} to {show(high.type)}", "two bounds of one type"
        )
    model_conversions = context.services.models.conversions(point)
    if model_conversions:  # points are compared, so they are System values
        point = model_conversions[0].result
    if point == UNKNOWN:
        return broken(node.span)
    return IntervalSelector(
        type=IntervalOf(point),
        span=node.span,
        low=context.coerce(low, point, node.low.span, "the low bound"),
        high=context.coerce(high, point, node.high.span, "the high bound"),
        low_closed=Constant(type=BOOLEAN, value=node.low_closed),
        high_closed=Constant(type=BOOLEAN, value=node.high_closed),
    )


def list_selector(node: tree.ListSelector, context: Context) -> Expression:
    """`{ a, b }`; items become of one type, a choice if need be."""
    items = [context.analyse(item) for item in node.items]
    if node.element_type is not None:
        element = context.unit.resolve_type(node.element_type)
    else:
        element = context.services.conversions.common([item.type for item in items]) or ANY
    if element == UNKNOWN:
        return broken(node.span)
    converted = tuple(
        context.coerce(item, element, source.span, "a list item")
        for item, source in zip(items, node.items, strict=True)
    )
    return ListSelector(type=ListOf(element), span=node.span, items=converted)


def tuple_selector(node: tree.TupleSelector, context: Context) -> Expression:
    """`Tuple { name: value }`."""
    elements: dict[str, Expression] = {}
    for element in node.elements:
        if element.name in elements:
            context.problem(element.span, f'the tuple has two elements "{element.name}"', "distinct element names")
        elements[element.name] = context.analyse(element.value)
    ordered = tuple(sorted(elements.items()))
    kind = TupleOf(tuple((name, value.type) for name, value in ordered))
    return TupleSelector(type=kind, span=node.span, elements=ordered)


def instance(node: tree.InstanceSelector, context: Context) -> Expression:
    """`Quantity { value: 5.0, unit: 'mg' }`, `FHIR.Period { start: ... }`."""
    kind = context.unit.resolve_type(node.type)
    models = context.services.models
    if kind == UNKNOWN or not isinstance(kind, Named):
        for element in node.elements:
            context.analyse(element.value)
        return broken(node.span)
    elements: dict[str, Expression] = {}
    for element in node.elements:
        value = context.analyse(element.value)
        declared = models.element(kind, element.name)
        if declared is not None and isinstance(declared.type, ListOf) and not isinstance(value.type, ListOf):
            value = _list_of_one(value, declared.type, context)
        if declared is None:
            names = models.element_names(kind)
            context.problem(
                element.span,
                f'{show(kind)} has no element "{element.name}"',
                did_you_mean(element.name, names) or ", ".join(names) or "no elements",
            )
        elif element.name in elements:
            context.problem(element.span, f'"{element.name}" is given twice', "each element once")
        else:
            elements[element.name] = context.coerce(
                value, declared.type, element.value.span, f'element "{element.name}" of {show(kind)}'
            )
    primitive = models.primitive(kind)
    if primitive is not None:  # a FHIR primitive is a JSON scalar, not an object
        value = elements.get("value", Constant(type=primitive, span=node.span, value=None))
        row = primitive_constructor(primitive, kind)
        return Convert(type=kind, span=node.span, operand=value, conversion=row)
    return InstanceSelector(type=kind, span=node.span, elements=tuple(elements.items()))


def _list_of_one(value: Expression, wanted: ListOf, context: Context) -> Expression:
    """A single value for an element that repeats, as the standard's own examples write it: `codes: Code { ... }`."""
    cost = context.services.conversions.cost
    if value.type in (ANY, UNKNOWN) or cost(value.type, wanted) is not None or cost(value.type, wanted.element) is None:
        return value
    item = context.services.conversions.coerce(value, wanted.element)
    return ListSelector(type=wanted, span=value.span, items=(item,))


def code_value(context: Context, code: str, system: tree.QualifiedName, display: str | None) -> Code:
    """A code of a declared code system; a system that is not declared is a problem."""
    found = context.unit.code_system(system)
    if found is None:
        return Code(code, None, None, display)
    return Code(code, found[0], found[1], display)


def code_selector(node: tree.CodeSelector, context: Context) -> Expression:
    """`Code '99392' from "CPT"`."""
    return Constant(type=CODE, span=node.span, value=code_value(context, node.code, node.system, node.display))


def concept_selector(node: tree.ConceptSelector, context: Context) -> Expression:
    """`Concept { Code ... } display '...'`."""
    codes = tuple(code_value(context, item.code, item.system, item.display) for item in node.codes)
    return Constant(type=CONCEPT, span=node.span, value=Concept(codes, node.display))


def iteration(node: tree.Iteration, context: Context) -> Expression:
    """`$this`, `$index`, `$total`."""
    found = context.names.get(node.name)
    if found is None:
        return context.problem(node.span, f"{node.name} has no meaning here", "it belongs in a method or sort clause")
    return found


def external_constant(node: tree.ExternalConstant, context: Context) -> Expression:
    """`%name`: constants of a FHIRPath environment, which CQL libraries do not have."""
    return context.problem(node.span, f"%{node.name} is not defined", "a parameter of the library")
