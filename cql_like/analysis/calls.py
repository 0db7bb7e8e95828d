"""Calls: functions of libraries, fluent and system functions, methods (CQL §Functions; Appendix L)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from cql_like.analysis.context import Context, show
from cql_like.analysis.members import member_of
from cql_like.analysis.operators import cast_to, not_null, test_type
from cql_like.analysis.problems import UNKNOWN, broken, did_you_mean
from cql_like.analysis.vocabulary import AGES, METHODS
from cql_like.ir import AliasRef, Expression, FunctionCall, Precision, Query, Source, Span
from cql_like.syntax import tree
from cql_like.types import BOOLEAN, DATETIME, ListOf, Type

# Functions of CQL that the table has under ELM's name.
FUNCTIONS: Mapping[str, str] = {"Concat": "Concatenate"}


def call(node: tree.Call, context: Context) -> Expression:
    """`f(x)`, `Library.f(x)`, `x.f(y)`."""
    if node.source is None:
        return _plain_call(node, context)
    if isinstance(node.source, tree.Identifier) and node.source.name not in context.names:
        if node.source.name in context.unit.broken_includes:
            return broken(node.span)
        included = context.unit.includes.get(node.source.name)
        if included is not None:
            operands = [context.analyse(operand) for operand in node.operands]
            found = _best(
                included.functions_named(node.name, public=True),
                operands,
                node,
                context,
                f"{node.source.name}.{node.name}",
            )
            if found is not None:
                return found
            if included.functions_named(node.name):
                return context.problem(node.span, f'"{node.name}" is private to {included.key}', "a public function")
            known = included.function_names()
            return context.problem(
                node.span, f'{node.source.name} has no function "{node.name}"', did_you_mean(node.name, known)
            )
    return _method(node, node.source, context)


def _plain_call(node: tree.Call, context: Context) -> Expression:
    operands = [context.analyse(operand) for operand in node.operands]
    if any(operand.type == UNKNOWN for operand in operands):
        return broken(node.span)
    overloads = context.services.overloads
    name = FUNCTIONS.get(node.name, node.name)
    candidates = context.unit.functions_named(node.name)
    is_system = name in overloads.rows or _age(node.name) is not None
    if candidates:
        found = _best(candidates, operands, node, context, node.name, quiet=is_system)
        if found is not None:
            return found
    age = _age(node.name)
    if age is not None:
        return _age_call(node, operands, *age, context)
    if name in overloads.rows:
        return context.apply(name, operands, node.span, written=node.name)
    known = [*context.unit.function_names(), *overloads.rows]
    return context.problem(node.span, f'no function is named "{node.name}"', did_you_mean(node.name, known))


def _best(
    candidates: "Sequence[FunctionCandidate]",
    operands: Sequence[Expression],
    node: tree.Call,
    context: Context,
    written: str,
    *,
    quiet: bool = False,
) -> Expression | None:
    """The call of the cheapest overload. None if there is no candidate, or (`quiet`) if none fits."""
    if not candidates:
        return None
    if any(operand.type == UNKNOWN for operand in operands):
        return broken(node.span)
    cost = context.services.conversions.cost
    best: tuple[int, FunctionCandidate] | None = None
    for candidate in candidates:
        if len(candidate.operands) != len(operands):
            continue
        costs = [cost(operand.type, kind) for operand, kind in zip(operands, candidate.operands, strict=True)]
        total = sum(value for value in costs if value is not None)
        if None not in costs and (best is None or total < best[0]):
            best = (total, candidate)
    if best is None:
        if quiet:
            return None
        given = ", ".join(show(operand.type) for operand in operands)
        expected = " or ".join(f"({', '.join(map(show, candidate.operands))})" for candidate in candidates)
        return context.problem(node.span, f"{written} cannot take ({given})", expected)
    chosen = best[1]
    if chosen.external:
        return context.problem(
            node.span, f"{written} is external, and no implementation is given", "a function with a body"
        )
    result = chosen.result(node.span)
    if result == UNKNOWN:
        return broken(node.span)
    coerced = tuple(map(context.services.conversions.coerce, operands, chosen.operands))
    return FunctionCall(type=result, span=node.span, library=chosen.library, function=chosen.key, operands=coerced)


class FunctionCandidate:
    """One overload that a call may mean: where it is, what it takes, and how to learn what it gives."""

    def __init__(
        self, library: str, key: str, operands: tuple[Type, ...], result: Callable[[Span], Type], external: bool
    ) -> None:
        self.library = library
        self.key = key
        self.operands = operands
        self.result = result
        self.external = external


# ------------------------------------------------------------------------------------------------- ages


def _age(name: str) -> tuple[bool, bool, Precision] | None:
    """(of a given birth date, at a given date, precision) of an age function's name; None for any other."""
    for prefix, given in (("CalculateAgeIn", True), ("AgeIn", False)):
        if name.startswith(prefix):
            rest = name.removeprefix(prefix)
            part = AGES.get(rest.removesuffix("At"))
            if part is not None:
                return given, rest.endswith("At"), part
    return None


def _age_call(
    node: tree.Call, operands: Sequence[Expression], given: bool, at: bool, precision: Precision, context: Context
) -> Expression:
    """`AgeInYears()`, `AgeInMonthsAt(d)`, `CalculateAgeInDaysAt(b, d)` -> CalculateAge, CalculateAgeAt.

    Years to days count calendar dates: a time of day, on which a birth date has none, does not enter (CQL §Age).
    """
    wanted = int(given) + int(at)
    if len(operands) != wanted:
        return context.problem(node.span, f"{node.name} takes {wanted} operands, not {len(operands)}")
    arguments = list(operands)
    if not given:
        birth = context.unit.birth_date(node.span, context)
        if birth.type == UNKNOWN:
            return birth
        arguments.insert(0, birth)
    if precision in ("year", "month", "week", "day"):
        arguments = [_to_date(argument, node.span, context) for argument in arguments]
    name = "CalculateAgeAt" if at else "CalculateAge"
    return context.apply(name, arguments, node.span, precision, written=node.name)


def _to_date(operand: Expression, span: Span, context: Context) -> Expression:
    conversions = [row.result for row in context.services.models.conversions(operand.type)]
    if operand.type == DATETIME or DATETIME in conversions:
        return context.apply("DateFrom", [operand], span)
    return operand


# ------------------------------------------------------------------------------------------------- methods


def _method(node: tree.Call, source_node: tree.Expression, context: Context) -> Expression:
    """`x.f(...)`: a fluent function of this or an included library, else a method."""
    source = context.analyse(source_node)
    if source.type == UNKNOWN:
        return broken(node.span)
    candidates = context.unit.fluent_functions(node.name)
    special = _SPECIAL.get(node.name)
    if candidates:
        operands = [source, *(context.analyse(operand) for operand in node.operands)]
        found = _best(candidates, operands, node, context, node.name, quiet=special is not None or node.name in METHODS)
        if found is not None:
            return found
    if special is not None:
        return special(node, source, context)
    name = METHODS.get(node.name)
    if name is not None:
        if name == "PositionOf":
            return context.apply(name, [context.analyse(item) for item in node.operands] + [source], node.span)
        operands = [source, *(context.analyse(operand) for operand in node.operands)]
        return context.apply(name, operands, node.span, written=f".{node.name}")
    known = [*context.unit.fluent_names(), *METHODS, *_SPECIAL]
    return context.problem(
        node.span, f'no fluent function or method is named "{node.name}"', did_you_mean(node.name, known)
    )


def _operands(node: tree.Call, low: int, high: int, context: Context) -> bool:
    if low <= len(node.operands) <= high:
        return True
    wanted = str(low) if low == high else f"{low} to {high}"
    context.problem(node.span, f".{node.name} takes {wanted} operands, not {len(node.operands)}")
    return False


def _over(node: tree.Call, source: Expression, context: Context, role: Literal["where", "select"]) -> Expression:
    """A query over the source with `$this`, for `where(...)` and `select(...)`."""
    alias = context.unique.unique("$this")
    is_list = isinstance(source.type, ListOf)
    element = source.type.element if isinstance(source.type, ListOf) else source.type
    this = AliasRef(type=element, span=node.span, name=alias)
    inner = context.bind({"$this": this}, implicit=this)
    where = inner.condition(node.operands[0], "the condition of where") if role == "where" else None
    returning = inner.analyse(node.operands[0]) if role == "select" else None
    kind = element if returning is None else returning.type
    if kind == UNKNOWN:
        return broken(node.span)
    query = Query(
        type=ListOf(kind) if is_list else kind,
        span=node.span,
        sources=(Source(alias, source),),
        lets=(),
        relationships=(),
        where=where,
        returning=returning,
        distinct=False,
        aggregate=None,
        sort=(),
        singular=not is_list,
    )
    if is_list and isinstance(kind, ListOf):
        return context.apply("Flatten", [query], node.span)
    return query


def _where(node: tree.Call, source: Expression, context: Context) -> Expression:
    return _over(node, source, context, "where") if _operands(node, 1, 1, context) else broken(node.span)


def _select(node: tree.Call, source: Expression, context: Context) -> Expression:
    return _over(node, source, context, "select") if _operands(node, 1, 1, context) else broken(node.span)


def _exists(node: tree.Call, source: Expression, context: Context) -> Expression:
    if not _operands(node, 0, 1, context):
        return broken(node.span)
    found = _over(node, source, context, "where") if node.operands else source
    if found.type == UNKNOWN:
        return broken(node.span)
    if not isinstance(found.type, ListOf):
        return not_null(found, node.span, context)
    return context.apply("Exists", [found], node.span)


def _empty(node: tree.Call, source: Expression, context: Context) -> Expression:
    return context.apply("Not", [_exists(node, source, context)], node.span)


def _all(node: tree.Call, source: Expression, context: Context) -> Expression:
    if not _operands(node, 1, 1, context):
        return broken(node.span)
    return context.apply("AllTrue", [_over(node, source, context, "select")], node.span, written=".all")


def _type_operand(node: tree.Call, context: Context) -> Type:
    """The type that `is(T)`, `as(T)`, `ofType(T)` name; as an operand it was parsed as a path."""
    parts: list[str] = []
    step: tree.Expression = node.operands[0]
    while isinstance(step, tree.Member):
        parts.insert(0, step.name)
        step = step.source
    if not isinstance(step, tree.Identifier):
        context.problem(node.span, f".{node.name} takes the name of a type")
        return UNKNOWN
    return context.unit.resolve_type(tree.NamedType(span=node.operands[0].span, parts=(step.name, *parts)))


def _is(node: tree.Call, source: Expression, context: Context) -> Expression:
    if not _operands(node, 1, 1, context):
        return broken(node.span)
    return test_type(source, _type_operand(node, context), node.span, context)


def _as(node: tree.Call, source: Expression, context: Context) -> Expression:
    if not _operands(node, 1, 1, context):
        return broken(node.span)
    return cast_to(source, _type_operand(node, context), False, node.span, context)


def _of_type(node: tree.Call, source: Expression, context: Context) -> Expression:
    """The items of a list that are of a type."""
    if not isinstance(source.type, ListOf):
        return _as(node, source, context)
    if not _operands(node, 1, 1, context):
        return broken(node.span)
    target = _type_operand(node, context)
    if target == UNKNOWN:
        return broken(node.span)
    alias = context.unique.unique("$this")
    this = AliasRef(type=source.type.element, span=node.span, name=alias)
    return Query(
        type=ListOf(target),
        span=node.span,
        sources=(Source(alias, source),),
        lets=(),
        relationships=(),
        where=context.coerce(test_type(this, target, node.span, context), BOOLEAN, node.span, "the test"),
        returning=cast_to(this, target, False, node.span, context),
        distinct=False,
        aggregate=None,
        sort=(),
        singular=False,
    )


def _extension(node: tree.Call, source: Expression, context: Context) -> Expression:
    """`extension('url')`: the extensions of that URL (FHIRPath functions of FHIR R4 §2.9.1.5.2)."""
    if not _operands(node, 1, 1, context):
        return broken(node.span)
    extensions = member_of(source, "extension", node.span, context)
    url = context.analyse(node.operands[0])
    if extensions.type == UNKNOWN or url.type == UNKNOWN or not isinstance(extensions.type, ListOf):
        return broken(node.span)
    alias = context.unique.unique("$this")
    this = AliasRef(type=extensions.type.element, span=node.span, name=alias)
    same = context.apply("Equal", [member_of(this, "url", node.span, context), url], node.span)
    return Query(
        type=extensions.type,
        span=node.span,
        sources=(Source(alias, extensions),),
        lets=(),
        relationships=(),
        where=context.coerce(same, BOOLEAN, node.span, "the comparison of the URL"),
        returning=None,
        distinct=False,
        aggregate=None,
        sort=(),
        singular=False,
    )


_SPECIAL: Mapping[str, Callable[[tree.Call, Expression, Context], Expression]] = {
    "where": _where,
    "select": _select,
    "exists": _exists,
    "empty": _empty,
    "all": _all,
    "is": _is,
    "as": _as,
    "ofType": _of_type,
    "extension": _extension,
}
