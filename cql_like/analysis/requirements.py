"""Data requirements: what a program retrieves, and the elements that it reads (CQL §Data requirements; FHIR
DataRequirement).

Conservative: the elements of a type are all that any reachable expression of the program reads from it, whichever
retrieve it came from. A resource that leaves the program whole (as the result of a define) is not read by it.
"""

from collections.abc import Mapping

from cql_like.analysis.walk import walk
from cql_like.ir import (
    CodeSystemRef,
    Constant,
    DataRequirement,
    Expression,
    ExpressionRef,
    FunctionCall,
    Library,
    ModelProperty,
    Retrieve,
    ValueSetRef,
)
from cql_like.model.registry import Models
from cql_like.runtime.values import Code, Concept
from cql_like.types import ChoiceOf, Named


def requirements(main: str, libraries: Mapping[str, Library], models: Models) -> tuple[DataRequirement, ...]:
    """The requirements of everything that the main library's defines and functions can reach, in a stable order."""
    retrieves: dict[tuple[object, ...], Retrieve] = {}
    elements: dict[str, set[str]] = {}
    for expression in _reachable(main, libraries):
        for node in walk(expression):
            if isinstance(node, Retrieve):
                path = node.code_path if node.codes is not None else None
                retrieves.setdefault((node.resource_type, path, *_terminology(node.codes)), node)
                if path is not None:
                    elements.setdefault(node.resource_type, set()).add(path.split(".")[0])
            elif isinstance(node, ModelProperty):
                _note(node, elements, models)
    found = [
        DataRequirement(
            resource_type=node.resource_type,
            code_path=node.code_path if node.codes is not None else None,
            value_sets=_terminology(node.codes)[0],
            codes=_terminology(node.codes)[1],
            date_path=None,
            elements=tuple(sorted({"id", *elements.get(node.resource_type, ()), *elements.get("", ())})),
        )
        for node in retrieves.values()
    ]
    return tuple(
        sorted(found, key=lambda item: (item.resource_type, item.code_path or "", item.value_sets, str(item.codes)))
    )


def _reachable(main: str, libraries: Mapping[str, Library]) -> list[Expression]:
    """The bodies that the main library's own definitions lead to."""
    library = libraries[main]
    todo: list[tuple[str, str, bool]] = [(main, name, False) for name in library.defines]
    todo += [(main, key, True) for key in library.functions]
    seen: set[tuple[str, str, bool]] = set()
    bodies: list[Expression] = [item.default for item in library.parameters.values() if item.default is not None]
    while todo:
        item = todo.pop()
        if item in seen:
            continue
        seen.add(item)
        key, name, is_function = item
        body = libraries[key].functions[name].body if is_function else libraries[key].defines[name].expression
        if body is None:
            continue
        bodies.append(body)
        for node in walk(body):
            if isinstance(node, ExpressionRef):
                todo.append((node.library, node.name, False))
            elif isinstance(node, FunctionCall):
                todo.append((node.library, node.function, True))
    return bodies


def _note(node: ModelProperty, elements: dict[str, set[str]], models: Models) -> None:
    """Note a top-level element of a resource by its JSON keys; of any resource ("") if the type is a base of them."""
    source = node.source.type
    kinds = source.alternatives if isinstance(source, ChoiceOf) else (source,)
    for kind in kinds:
        if isinstance(kind, Named) and models.is_resource(kind):
            name = models.implementing(kind).name
            name = "" if name in ("Resource", "DomainResource") else name
            elements.setdefault(name, set()).update(choice.key for choice in node.choices)


def _terminology(codes: Expression | None) -> tuple[tuple[str, ...], tuple[tuple[str | None, str], ...]]:
    """The value sets (URL, `|version` if one is named) and codes that a retrieve names."""
    if codes is None:
        return (), ()
    value_sets: list[str] = []
    found: list[tuple[str | None, str]] = []
    for node in walk(codes):
        if isinstance(node, ValueSetRef | CodeSystemRef):
            value_sets.append(node.url if node.version is None else f"{node.url}|{node.version}")
        elif isinstance(node, Constant) and isinstance(node.value, Code | Concept):
            codings = (node.value,) if isinstance(node.value, Code) else node.value.codes
            found += [(coding.system, coding.code) for coding in codings if coding.code is not None]
    return tuple(value_sets), tuple(found)
