"""The leaves of evaluation: small functions on values that both evaluators call, so that they cannot differ in them.

Elements of model and System classes, casts and type tests, instances, query plumbing (sources, duplicates, sorting)
and the codes that a retrieve looks for. Operators are not here: they are rows of `cql_like.operators`.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn
from typing import cast as typed

from cql_like import ir
from cql_like.retrieve import CodeKey
from cql_like.runtime.comparison import sort_key
from cql_like.runtime.context import EvaluationContext
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.interval import interval as interval
from cql_like.runtime.lists import distinct as distinct
from cql_like.runtime.values import (
    Code,
    CodeSystem,
    Concept,
    CqlTuple,
    Date,
    DateTime,
    Interval,
    Long,
    ModelValue,
    Quantity,
    Ratio,
    Time,
    ValueSet,
)
from cql_like.terminology import UnknownValueSet
from cql_like.types import ANY, ChoiceOf, IntervalOf, ListOf, Named, TupleOf, Type

# ---------------------------------------------------------------------------------------------------- elements


def model_property(source: Any, choices: tuple[ir.JsonChoice, ...], plural: bool) -> Any:
    """An element of a FHIR JSON object. A choice (`value[x]`) comes boxed with the type it has here."""
    if source is None:
        return None
    if not isinstance(source, dict):  # a primitive has no elements in plain JSON
        return [] if plural else None
    element = typed("Mapping[str, Any]", source)
    if len(choices) == 1:
        value = element.get(choices[0].key)
        return as_list(value) if plural else value
    for choice in choices:
        value = element.get(choice.key)
        if value is not None:
            return box(value, choice.type)
    return None


def as_list(value: Any) -> list[Any]:
    """The value of a repeating element: none is an empty list; one that was not written as a list is a list of one."""
    if value is None:
        return []
    return typed("list[Any]", value) if isinstance(value, list) else [value]


def system_property(source: Any, name: str) -> Any:
    """An element of a tuple or a System class, by its CQL name."""
    if source is None:
        return None
    if isinstance(source, CqlTuple):
        return source.get(name)
    if isinstance(source, ModelValue):
        return system_property(source.value, name)
    if isinstance(source, Mapping):
        return typed("Mapping[str, Any]", source).get(name)
    value = getattr(source, _PYTHON_NAMES.get(name, name), None)
    return list(typed("tuple[Any, ...]", value)) if isinstance(value, tuple) else value


# Elements of System classes whose Python attribute is called otherwise.
_PYTHON_NAMES: Mapping[str, str] = {"lowClosed": "low_closed", "highClosed": "high_closed"}


# ------------------------------------------------------------------------------------------------- type tests

_SYSTEM_CLASSES: Mapping[str, type | tuple[type, ...]] = {
    "Boolean": bool,
    "Long": Long,
    "Decimal": Decimal,
    "String": str,
    "Date": Date,
    "DateTime": DateTime,
    "Time": Time,
    "Quantity": Quantity,
    "Ratio": Ratio,
    "Code": Code,
    "Concept": Concept,
    "ValueSet": ValueSet,
    "CodeSystem": CodeSystem,
    "Vocabulary": (ValueSet, CodeSystem),
}


def is_type(value: Any, target: Type) -> bool:
    """Is a (boxed) value one of `target`? Null is of no type. Elements of lists and tuples may be null."""
    if value is None:
        return False
    if isinstance(target, Named):
        return _is_named(value, target)
    if isinstance(target, ChoiceOf):
        return any(is_type(value, alternative) for alternative in target.alternatives)
    if isinstance(target, ListOf):
        if not isinstance(value, list | tuple):
            return False
        items = typed("Sequence[Any]", value)
        return all(item is None or is_type(item, target.element) for item in items)
    if isinstance(target, IntervalOf):
        if not isinstance(value, Interval):
            return False
        if value.low is None and value.high is None and value.point is not None:
            return value.point == target.point or target.point == ANY
        return all(end is None or is_type(end, target.point) for end in (value.low, value.high))
    if isinstance(target, TupleOf):
        return isinstance(value, CqlTuple) and all(
            name in value and (value[name] is None or is_type(value[name], kind)) for name, kind in target.elements
        )
    raise TypeError(f"{target} is not the type of a value")


def _is_named(value: Any, target: Named) -> bool:
    if target == ANY:
        return True
    if isinstance(value, ModelValue):
        return value.type == target
    if target.model != "System":
        return isinstance(value, dict) and typed("dict[str, Any]", value).get("resourceType") == target.name
    if target.name == "Integer":
        return type(value) is int
    return isinstance(value, _SYSTEM_CLASSES.get(target.name, ()))


def box(value: Any, kind: Type) -> Any:
    """A value as it is where its type is not known statically: FHIR elements say theirs, resources do already."""
    if value is None or not isinstance(kind, Named) or kind.model == "System" or isinstance(value, ModelValue):
        return value
    if isinstance(value, dict) and "resourceType" in value:
        return typed("Any", value)
    return ModelValue(kind, value)


def unbox(value: Any, kind: Type) -> Any:
    """The opposite of `box`, where the type has become known again."""
    return value.value if isinstance(value, ModelValue) and is_static(kind) else value


def is_static(kind: Type) -> bool:
    """Are FHIR values of this static type plain JSON (True) or boxed (False)?"""
    return not isinstance(kind, ChoiceOf) and kind != ANY


def cast(value: Any, node: ir.As) -> Any:
    """`value as T`: null where it has another type; `cast value as T`: an error there.

    Raises:
        CqlRuntimeError: a strict cast of a value of another type.
    """
    if value is None:
        return None
    boxed = box(value, node.operand.type)
    widens = is_static(node.operand.type) and not is_static(node.target)
    if widens or is_type(boxed, node.target):
        return unbox(boxed, node.type)
    if node.strict:
        raise CqlRuntimeError(f"cast: a value of type {type_name(boxed)} is no {node.target}")
    return None


def type_name(value: Any) -> str:
    """The CQL name of a value's type, for messages (never the value)."""
    if isinstance(value, ModelValue):
        return str(value.type)
    if isinstance(value, dict):
        return f"FHIR.{typed('dict[str, Any]', value).get('resourceType', 'Element')}"
    if isinstance(value, list | tuple):
        return "List"
    if type(value) is int:
        return "System.Integer"
    names = {"bool": "Boolean", "str": "String", "CqlTuple": "Tuple"}
    return f"System.{names.get(type(value).__name__, type(value).__name__)}"


# ------------------------------------------------------------------------------------------------- selectors


def instance(kind: Named, elements: Mapping[str, Any]) -> Any:
    """`Quantity { value: 5, unit: 'mg' }`: a System value, or the FHIR JSON of a model class; nulls are left out.

    Raises:
        CqlRuntimeError: the class has no instances of its own.
    """
    if kind.model != "System":
        given = {name: _json(value) for name, value in elements.items() if value is not None}
        if kind.name[:1].islower():  # a FHIR primitive is its value
            return given.get("value")
        return given
    maker = _INSTANCES.get(kind.name)
    if maker is None:
        raise CqlRuntimeError(f"{kind} has no instance selector")
    return maker(elements)


def _json(value: Any) -> Any:
    if isinstance(value, ModelValue):
        return value.value
    if isinstance(value, Date | DateTime | Time):
        return str(value)
    return value


def _quantity(elements: Mapping[str, Any]) -> Any:
    value = elements.get("value")
    return None if value is None else Quantity(Decimal(value), elements.get("unit") or "1")


def _concept(elements: Mapping[str, Any]) -> Concept:
    codes = elements.get("codes")
    listed = (codes,) if isinstance(codes, Code) else tuple(code for code in codes or () if code is not None)
    return Concept(listed, elements.get("display"))


_INSTANCES: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "Quantity": _quantity,
    "Ratio": lambda e: Ratio(e["numerator"], e["denominator"]),
    "Code": lambda e: Code(e.get("code"), e.get("system"), e.get("version"), e.get("display")),
    "Concept": _concept,
    "ValueSet": lambda e: ValueSet(e["id"], e.get("version"), e.get("name")),
    "CodeSystem": lambda e: CodeSystem(e["id"], e.get("version"), e.get("name")),
}


def value_set(node: ir.ValueSetRef) -> ValueSet:
    """The value of a reference to a declared value set."""
    return ValueSet(node.url, node.version, node.name)


def code_system(node: ir.CodeSystemRef) -> CodeSystem:
    """The value of a reference to a declared code system."""
    return CodeSystem(node.url, node.version, node.name)


def external(name: str) -> NoReturn:
    """An external function is called; an embedding program cannot supply any.

    Raises:
        CqlRuntimeError: always.
    """
    raise CqlRuntimeError(f"the function {name} is external: it has no body to run")


# --------------------------------------------------------------------------------------------------- queries


def elements(found: Any, kind: Type) -> Sequence[Any]:
    """The elements of a query source that is not null: of a list, or the one value itself."""
    if isinstance(kind, ListOf):
        return found
    if (kind == ANY or isinstance(kind, ChoiceOf)) and isinstance(found, list | tuple):
        return typed("Sequence[Any]", found)
    return (found,)


def combinations(sources: Sequence[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    """Every combination of one element of each source; the last source turns fastest."""
    return itertools.product(*sources)


def distinct_by(rows: Sequence[Any], key: Callable[[Any], Any]) -> list[Any]:
    """The rows whose key (a list of values) did not occur before, in order; nulls count as equal."""
    kept: list[Any] = []
    keys: list[Any] = []
    for row in rows:
        candidate = key(row)
        grown = distinct([*keys, candidate])
        if len(grown) > len(keys):
            keys.append(candidate)
            kept.append(row)
    return kept


def sorted_by(values: Sequence[Any], keys: Sequence[Any], *, descending: bool) -> list[Any]:
    """The values in the order of their keys: nulls lowest, equal keys in the order they had (CQL §Sorting).

    Raises:
        CqlRuntimeError: two keys cannot be ordered (types without an order).
    """
    ranked = sorted(zip(keys, values, strict=True), key=lambda pair: sort_key(pair[0]), reverse=descending)
    return [value for _, value in ranked]


# ------------------------------------------------------------------------------------------------- retrieves

# (retrieve node, value of its codes or None) -> resources
Retrieving = Callable[[ir.Retrieve, Any], Sequence[Any]]


def fetch(port: Callable[..., Sequence[Any]], node: ir.Retrieve, wanted: Any, context: EvaluationContext) -> Any:
    """The resources of a retrieve whose terminology expression gave `wanted` (None: the retrieve has none).

    Raises:
        UnknownValueSet: the terminology does not hold the value set.
        CqlRuntimeError: `wanted` is nothing to filter by.
    """
    if wanted is None:
        return port(node.resource_type)
    if isinstance(wanted, CodeSystem):
        return [found for found in port(node.resource_type) if _has_system(found, node.code_path, wanted.id)]
    return port(node.resource_type, node.code_path, code_keys(wanted, context))


def _has_system(resource: Mapping[str, Any], path: str | None, system: str) -> bool:
    """Has an element of a resource, a code or concept or list of them, a coding of this code system?"""
    for element in as_list(resource.get(path or "")):
        if not isinstance(element, dict):
            continue
        held = typed("dict[str, Any]", element)
        for coding in as_list(held.get("coding", held)):
            if isinstance(coding, dict) and typed("dict[str, Any]", coding).get("system") == system:
                return True
    return False


def code_keys(wanted: Any, context: EvaluationContext) -> frozenset[CodeKey]:
    """The codes that a retrieve looks for, from the value of its terminology expression.

    Raises:
        UnknownValueSet: the terminology does not hold the value set.
    """
    if isinstance(wanted, ValueSet):
        if context.terminology is None:
            raise UnknownValueSet(wanted.id, wanted.version, "this session: it was given no terminology")
        return context.terminology.expand(wanted.id, wanted.version)
    if isinstance(wanted, Code):
        return frozenset() if wanted.code is None else frozenset(((wanted.system, wanted.code),))
    if isinstance(wanted, Concept):
        return frozenset((code.system, code.code) for code in wanted.codes if code.code is not None)
    if isinstance(wanted, ModelValue):
        return code_keys(wanted.value, context)
    if isinstance(wanted, list | tuple):
        items = typed("Sequence[Any]", wanted)
        return frozenset(key for item in items if item is not None for key in code_keys(item, context))
    raise CqlRuntimeError(f"a retrieve filters by codes, concepts or value sets, not by {type_name(wanted)}")
