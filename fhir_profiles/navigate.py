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
