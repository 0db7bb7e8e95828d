"""Retrieves -> the Retrieve node (CQL Author's Guide §Retrieve): type, code path and what it is compared with."""

from typing import Literal

from cql_like.analysis.context import Context, show
from cql_like.analysis.problems import UNKNOWN, broken, did_you_mean
from cql_like.ir import AliasRef, Constant, Expression, ModelProperty, Query, Retrieve, Source
from cql_like.model.profiles import CODES, FIXED, LOINC
from cql_like.runtime.values import Code
from cql_like.syntax import tree
from cql_like.types import BOOLEAN, CODE, CODESYSTEM, CONCEPT, STRING, VALUESET, ListOf, Named, Type

Comparator = Literal["in", "~", "="]


def retrieve(node: tree.Retrieve, context: Context) -> Expression:
    """`[Encounter: type in "Well Visits"]`; the code path defaults to the class's primary code path."""
    models = context.services.models
    if node.context is not None:
        context.problem(node.context.span, "a retrieve in another context is not supported", "a retrieve without ->")
    kind = context.unit.resolve_type(node.type)
    codes = None if node.terminology is None else context.analyse(node.terminology)
    if kind == UNKNOWN or not isinstance(kind, Named):
        return broken(node.span)
    info = models.info(kind)
    if info is None or not info.retrievable:
        return context.problem(node.type.span, f"{show(kind)} cannot be retrieved", "a class of resources")
    written = models.info(models.implementing(kind))  # a profile that names no primary code path has its base's
    path = _code_path(node, kind, info.code_path or (None if written is None else written.code_path), context)
    result = ListOf(kind)
    if codes is None:
        comparator: Comparator = "in"
        if written is not info and kind.name in CODES:
            code = Constant(type=CODE, span=node.span, value=Code(CODES[kind.name], LOINC))
            return _make(node, kind, result, "code", code, "~", context)
    else:
        if path is None or codes.type == UNKNOWN:
            return broken(node.span) if path is None else _make(node, kind, result, path, None, "in", context)
        codes = _terminology(codes, node, context)
        comparator = node.comparator or ("in" if codes.type != CODE and codes.type != CONCEPT else "~")
    made = _make(node, kind, result, path if codes is not None else None, codes, comparator, context)
    if written is not info and kind.name in FIXED:
        return _where_fixed(made, kind, *FIXED[kind.name], context)
    return made


def _where_fixed(retrieved: Retrieve, kind: Named, name: str, value: str | bool, context: Context) -> Expression:
    """The instances of a profile, told by the element that it fixes."""
    models, span = context.services.models, retrieved.span
    assert span is not None  # noqa: S101 - a retrieve of the text
    written = models.implementing(kind)
    element = models.element(written, name)
    assert element is not None  # noqa: S101 - the table names elements of FHIR R4
    alias = context.unique.unique("instance")
    item = AliasRef(type=written, span=span, name=alias)
    found = ModelProperty(type=element.type, span=span, source=item, name=name, choices=models.json_choices(element))
    wanted = Constant(type=BOOLEAN if isinstance(value, bool) else STRING, span=span, value=value)
    return Query(
        type=retrieved.type,
        span=span,
        sources=(Source(alias, retrieved),),
        lets=(),
        relationships=(),
        where=context.apply("Equal", [found, wanted], span),
        returning=None,
        distinct=False,
        aggregate=None,
        sort=(),
        singular=False,
    )


def _make(
    node: tree.Retrieve,
    kind: Named,
    result: Type,
    path: str | None,
    codes: Expression | None,
    comparator: Comparator,
    context: Context,
) -> Retrieve:
    return Retrieve(
        type=result,
        span=node.span,
        resource_type=context.services.models.implementing(kind).name,
        code_path=path,
        codes=codes,
        comparator=comparator,
        unfiltered=context.context_name == "Unfiltered",
    )


def _code_path(node: tree.Retrieve, kind: Named, primary: str | None, context: Context) -> str | None:
    """The element that is compared, as it is named in JSON; None where there is none (a problem if codes were given).

    Steps are joined by dots. A choice is named by its alternative that holds codes: `medicationCodeableConcept`.
    """
    if node.code_path is None:
        if primary is None:
            if node.terminology is not None:
                context.problem(node.span, f"{show(kind)} has no primary code path", f"[{kind.name}: path in ...]")
            return None
        steps = [(step, node.span) for step in primary.split(".")]
    else:
        steps = [(step.name, step.span) for step in node.code_path]
    models, current = context.services.models, context.services.models.implementing(kind)
    keys: list[str] = []
    for name, span in steps:
        element = models.element(current, name)
        if element is None:
            names = models.element_names(current)
            context.problem(span, f'{show(current)} has no element "{name}"', did_you_mean(name, names))
            return None
        choices = models.json_choices(element)
        coded = [
            choice for choice in choices if choice.type in (Named("FHIR", "CodeableConcept"), Named("FHIR", "Coding"))
        ]
        chosen = (coded or choices)[0]
        keys.append(chosen.key)
        inner = chosen.type.element if isinstance(chosen.type, ListOf) else chosen.type
        if isinstance(inner, Named):
            current = inner
    return ".".join(keys)


def _terminology(codes: Expression, node: tree.Retrieve, context: Context) -> Expression:
    """What the code path is compared with: a value set, a code system, a code, a concept or a list of codes."""
    conversions = context.services.conversions
    if codes.type in (VALUESET, CODESYSTEM, CODE, CONCEPT, ListOf(CODE), ListOf(CONCEPT)):
        return codes
    if codes.type in (STRING, ListOf(STRING)):
        span = node.span if node.terminology is None else node.terminology.span
        context.problem(span, "a retrieve cannot compare codes with text", "a declared code or value set")
        return broken(span)
    for target in (CODE, CONCEPT, ListOf(CODE), ListOf(CONCEPT)):
        if conversions.cost(codes.type, target) is not None:
            return conversions.coerce(codes, target)
    span = node.span if node.terminology is None else node.terminology.span
    return context.problem(
        span, f"a retrieve cannot compare codes with {show(codes.type)}", "a value set, code, concept or list of codes"
    )
