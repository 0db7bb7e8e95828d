"""Walking FHIR JSON by element names, as a FHIRPath like `group.population.code` does."""

from typing import Any, cast

from fhir_profiles.plain import JsonMapping


def each_of(node: JsonMapping, *names: str) -> list[JsonMapping]:
    """The objects at a path of names, lists flattened (FHIRPath `a.b.c`)."""
    found: list[JsonMapping] = [node]
    for name in names:
        below: list[JsonMapping] = []
        for each in found:
            child: Any = each.get(name)
            if isinstance(child, list):
                items = cast(list[Any], child)
                below.extend(cast(JsonMapping, item) for item in items if isinstance(item, dict))
            elif isinstance(child, dict):
                below.append(cast(JsonMapping, child))
        found = below
    return found


def object_at(node: JsonMapping, *names: str) -> JsonMapping:
    """The object at a path of names, none of which may be a list; empty when there is none."""
    found = node
    for name in names:
        child: Any = found.get(name)
        if not isinstance(child, dict):
            return {}
        found = cast(JsonMapping, child)
    return found


def strings_at(node: JsonMapping, name: str) -> list[str]:
    """The strings of a list element (`meta.profile`)."""
    child: Any = node.get(name)
    return [item for item in cast(list[Any], child) if isinstance(item, str)] if isinstance(child, list) else []
