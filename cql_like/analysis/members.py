"""Names and paths: what an identifier means, and the elements of values (CQL §Expressions, §Path traversal)."""

import re
from collections.abc import Iterable
from dataclasses import replace

from cql_like.analysis.context import Context, show
from cql_like.analysis.operators import not_null
from cql_like.analysis.problems import UNKNOWN, broken, did_you_mean
from cql_like.ir import (
    AliasRef,
    Case,
    Constant,
    Convert,
    Expression,
    Is,
    IterationRef,
    JsonChoice,
    ListConvert,
    ModelProperty,
    Property,
    Query,
    Source,
    Span,
)
from cql_like.model.fhir_conversions import primitive_conversion
from cql_like.model.modelinfo import Element
from cql_like.model.registry import choice_of
from cql_like.model.slices import SLICES
from cql_like.model.system_json import system_reading
from cql_like.syntax import tree
from cql_like.types import ANY, BOOLEAN, STRING, ChoiceOf, IntervalOf, ListOf, Named, TupleOf, Type


def identifier(node: tree.Identifier, context: Context) -> Expression:
    """A name on its own, from the inside out: the sorted element, aliases and operands, declarations."""
    if context.implicit is not None and element_type(context.implicit.type, node.name, context) is not None:
        return member_of(context.implicit, node.name, node.span, context)
    if node.name in context.names:
        return replace(context.names[node.name], span=node.span)
    found = context.unit.declaration(node.name, node.span)
    if found is not None:
        return found
    if node.name in context.unit.includes:
        return context.problem(node.span, f'"{node.name}" is a library', f'one of its definitions: {node.name}."..."')
    known = [*context.names, *context.unit.declared_names(), *context.unit.includes]
    if context.implicit is not None:
        known += element_names(context.implicit.type, context)
    return context.problem(node.span, f'nothing is named "{node.name}" here', did_you_mean(node.name, known))


def member(node: tree.Member, context: Context) -> Expression:
    """`source.name`: a definition of an included library, or an element."""
    if isinstance(node.source, tree.Identifier) and node.source.name not in context.names:
        included = context.unit.includes.get(node.source.name)
        if node.source.name in context.unit.broken_includes:
            return broken(node.span)
        if included is not None:
            return context.unit.included_declaration(included, node.name, node.span)
    return member_of(context.analyse(node.source), node.name, node.span, context)


# ----------------------------------------------------------------------------------------------- elements


INTERVAL_ELEMENTS = ("low", "high", "lowClosed", "highClosed")


def element_type(kind: Type, name: str, context: Context) -> Type | None:
    """The declared type of an element; None if there is none of that name."""
    if isinstance(kind, TupleOf):
        return dict(kind.elements).get(name)
    if isinstance(kind, IntervalOf) and name in INTERVAL_ELEMENTS:
        return BOOLEAN if name.endswith("Closed") else kind.point
    if isinstance(kind, Named):
        element = context.services.models.element(kind, name)
        return None if element is None else context.services.models.written_as(element.type)
    if isinstance(kind, ListOf):
        return element_type(kind.element, name, context)
    if isinstance(kind, ChoiceOf):
        found = {part for part in (element_type(item, name, context) for item in kind.alternatives) if part is not None}
        return choice_of(found) if found else None
    return None


def element_names(kind: Type, context: Context) -> list[str]:
    """The names of all elements, for suggestions."""
    if isinstance(kind, TupleOf):
        return [name for name, _ in kind.elements]
    if isinstance(kind, IntervalOf):
        return list(INTERVAL_ELEMENTS)
    if isinstance(kind, Named):
        return context.services.models.element_names(kind)
    if isinstance(kind, ListOf):
        return element_names(kind.element, context)
    if isinstance(kind, ChoiceOf):
        return [name for item in kind.alternatives for name in element_names(item, context)]
    return []


def member_of(source: Expression, name: str, span: Span, context: Context) -> Expression:
    """The element `name` of a value."""
    kind = source.type
    if kind == UNKNOWN:
        return broken(span)
    if isinstance(kind, ListOf):
        return _of_each(source, kind, name, span, context)
    if isinstance(kind, ChoiceOf):
        return _of_choice(source, kind, name, span, context)
    if isinstance(kind, Named) and kind.model != "System":
        found = model_element(source, kind, name, span, context)
        if found is not None:
            return found
    declared = element_type(kind, name, context)
    if declared is None:
        return _no_element(kind, name, span, context)
    return Property(type=declared, span=span, source=source, name=name)


def _no_element(kind: Type, name: str, span: Span, context: Context) -> Expression:
    names = element_names(kind, context)
    if kind == ANY:
        return context.problem(span, f'"{name}" of a value whose type is not known', "a cast: (x as T)." + name)
    hint = did_you_mean(name, names) or (f"one of {_some(names)}" if names else f"{show(kind)} has no elements")
    return context.problem(span, f'{show(kind)} has no element "{name}"', hint)


def _some(names: Iterable[str], limit: int = 12) -> str:
    listed = sorted(set(names))
    return ", ".join(listed[:limit]) + (" ..." if len(listed) > limit else "")


def model_element(source: Expression, kind: Named, name: str, span: Span, context: Context) -> Expression | None:
    """An element of a model class, read from its JSON; None if the class has none of that name."""
    models = context.services.models
    element = models.element(kind, name)
    if element is None:
        return None
    if element.target is not None:
        return mapped_element(source, kind, element, span, context)
    written = models.implementing(kind)
    if written != kind and name in SLICES and models.element(written, name) is None:
        return mapped_element(source, kind, replace(element, target=SLICES[name]), span, context)
    primitive = models.primitive(kind)
    if primitive is not None:
        if name == "value":
            row = primitive_conversion(kind, primitive)
            return None if row is None else Convert(type=row.result, span=span, operand=source, conversion=row)
        sibling = _primitive_sibling(source, kind, span)
        if sibling is None:
            return Constant(type=element.type, span=span, value=None)
        source = sibling
    found = ModelProperty(type=element.type, span=span, source=source, name=name, choices=models.json_choices(element))
    return _read(found, element.type, context)


def _read(found: ModelProperty, kind: Type, context: Context) -> Expression:
    """An element that a model declares with a System type of its own, read from its JSON (model.system_json)."""
    if isinstance(kind, ListOf):
        row = system_reading(kind.element)
        if row is None:
            return found
        this = IterationRef(type=kind.element, span=found.span, name="$this")
        item = Convert(type=kind.element, span=found.span, operand=this, conversion=row)
        return ListConvert(type=kind, span=found.span, operand=found, item=item)
    if isinstance(kind, ChoiceOf):
        unread = [one for one in sorted(kind.alternatives, key=str) if system_reading(one) is not None]
        if unread and found.span is not None:
            return context.problem(
                found.span,
                f'"{found.name}" is a choice with {show(unread[0])}, which can\'t be told from its JSON',
                "a model whose choices are of its own types, as FHIR's are",
            )
        return found
    row = system_reading(kind)
    return found if row is None else Convert(type=kind, span=found.span, operand=found, conversion=row)


def _primitive_sibling(source: Expression, kind: Named, span: Span) -> ModelProperty | None:
    """Where the id and extensions of a primitive stand: `_birthDate` beside `birthDate` (FHIR R4 §2.6.2.3)."""
    if not isinstance(source, ModelProperty) or len(source.choices) != 1:
        return None
    element = Named(kind.model, "Element")
    key = f"_{source.choices[0].key}"
    return ModelProperty(
        type=element, span=span, source=source.source, name=f"_{source.name}", choices=(JsonChoice(key, element),)
    )


def _of_each(source: Expression, kind: ListOf, name: str, span: Span, context: Context) -> Expression:
    """A path through a list: the element of each item, nulls left out, lists of lists flattened."""
    alias = context.unique.unique(f"each {name}")
    item = AliasRef(type=kind.element, span=span, name=alias)
    value = member_of(item, name, span, context)
    if value.type == UNKNOWN:
        return broken(span)
    query = Query(
        type=ListOf(value.type),
        span=span,
        sources=(Source(alias, source),),
        lets=(),
        relationships=(),
        where=None if isinstance(value.type, ListOf) else not_null(value, span, context),
        returning=value,
        distinct=False,
        aggregate=None,
        sort=(),
        singular=False,
    )
    return context.apply("Flatten", [query], span) if isinstance(value.type, ListOf) else query


def _of_choice(source: Expression, kind: ChoiceOf, name: str, span: Span, context: Context) -> Expression:
    """The element of whichever alternative has one, null for the others."""
    return context.once(source, span, lambda shared: _of_each_alternative(shared, kind, name, span, context))


def _of_each_alternative(source: Expression, kind: ChoiceOf, name: str, span: Span, context: Context) -> Expression:
    alternatives = [
        item for item in sorted(kind.alternatives, key=str) if element_type(item, name, context) is not None
    ]
    if not alternatives:
        return _no_element(kind, name, span, context)
    conversions, models = context.services.conversions, context.services.models
    values = [member_of(conversions.narrow(source, item), name, span, context) for item in alternatives]
    if any(value.type == UNKNOWN for value in values):
        return broken(span)
    result = conversions.common([value.type for value in values])
    if result is None:
        result = choice_of({value.type for value in values})
    if len(values) == 1:
        return values[0]
    items = tuple(
        (Is(type=BOOLEAN, span=span, operand=source, target=models.tested_as(item)), conversions.coerce(value, result))
        for item, value in zip(alternatives, values, strict=True)
    )
    return Case(type=result, span=span, items=items, otherwise=Constant(type=result, span=span, value=None))


# ------------------------------------------------------------------------- elements mapped to another model

_TARGET = re.compile(r"(?:FHIRHelpers\.\w+\()?%(?P<root>value|parent)(?P<path>[^()]*?)\)?$")
_STEP = re.compile(r"\.(?P<name>\w+)(?:\[x\])?(?:\[(?P<filter>[^\]]+)\])?")
_FILTER = re.compile(r"(?P<path>[\w.]+)='(?P<value>[^']*)'")


def mapped_element(source: Expression, kind: Named, element: Element, span: Span, context: Context) -> Expression:
    """An element of a model that is written in another model's JSON, by the mapping of its ModelInfo.

    `FHIRHelpers.ToConcept(%value)`: the element of that name; `%parent.extension[url='u'].value`: a path from the
    instance, of which the items that match are taken. What is found is converted to the declared type.
    """
    models = context.services.models
    declared = models.written_as(element.type)
    target = (element.target or "").split(";")[0]  # of several alternatives, the first: the element itself
    match = _TARGET.search(target)
    written = models.implementing(kind)
    if match is None or written == kind:
        return context.problem(span, f'"{element.name}" of {show(kind)} has a mapping that cannot be read: {target}')
    found: Expression = replace(source, type=written)
    if match["root"] == "value":
        if models.element(written, element.name) is None:
            return context.problem(span, f'{show(written)} has no element "{element.name}"', f"for {show(kind)}")
        found = member_of(found, element.name, span, context)
    else:
        for step in _STEP.finditer(match["path"]):
            if models.primitive(found.type) is not None and step["name"] == "value":
                break
            found = member_of(found, step["name"], span, context)
            if step["filter"] and isinstance(found.type, ListOf):
                found = _matching(found, found.type, step["filter"], span, context)
    return _as_declared(found, declared, span, context)


def _matching(items: Expression, kind: ListOf, conditions: str, span: Span, context: Context) -> Expression:
    """The items of a list whose paths have the given values."""
    alias = context.unique.unique("mapped")
    item = AliasRef(type=kind.element, span=span, name=alias)
    where: Expression | None = None
    for condition in _FILTER.finditer(conditions):
        value: Expression = item
        for step in condition["path"].split("."):
            value = member_of(value, step, span, context)
        wanted = Constant(type=STRING, span=span, value=condition["value"])
        test = context.apply("In" if isinstance(value.type, ListOf) else "Equal", [wanted, value], span)
        where = test if where is None else context.apply("And", [where, test], span)
    return Query(
        type=kind,
        span=span,
        sources=(Source(alias, items),),
        lets=(),
        relationships=(),
        where=where,
        returning=None,
        distinct=False,
        aggregate=None,
        sort=(),
        singular=False,
    )


def _under_own_names(found: ModelProperty, declared: ChoiceOf, context: Context) -> ModelProperty:
    """A choice of FHIR types with those that the model has a class of its own for (QICore.Reference) named so."""
    own = {
        context.services.models.implementing(kind): kind
        for kind in declared.alternatives
        if isinstance(kind, Named) and kind.model != "System"
    }
    choices = tuple(
        JsonChoice(choice.key, own.get(choice.type, choice.type) if isinstance(choice.type, Named) else choice.type)
        for choice in found.choices
    )
    return replace(found, type=choice_of({choice.type for choice in choices}), choices=choices)


def _as_declared(found: Expression, declared: Type, span: Span, context: Context) -> Expression:
    """What a mapping found, as the declared type: the first of a list where one is declared, converted if need be."""
    if found.type == UNKNOWN:
        return broken(span)
    if isinstance(found.type, ListOf) and not isinstance(declared, ListOf):
        found = context.apply("First", [found], span)
    if isinstance(found, ModelProperty) and isinstance(found.type, ChoiceOf) and isinstance(declared, ChoiceOf):
        found = _under_own_names(found, declared, context)
    conversions = context.services.conversions
    if conversions.cost(found.type, declared) is not None:
        return conversions.coerce(found, declared)
    part, wanted = (
        (found.type.element, declared.element)
        if isinstance(found.type, ListOf) and isinstance(declared, ListOf)
        else (found.type, declared)
    )
    if isinstance(part, Named) and isinstance(wanted, Named) and context.services.models.implementing(wanted) == part:
        return replace(found, type=declared)  # the same JSON under the model's own name
    return context.problem(span, f"{show(found.type)} cannot be read as {show(declared)}")
