"""References between FHIR resources held as plain dicts: finding them, replacing them, making them logical.

Source: FHIR R4 References. Only relative references (`Type/id`, with or without a version) and those by
condition or urn concern a bundle's closure; absolute URLs stand on their own, `#x` points inside its resource.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, cast
from urllib.parse import parse_qs

from fhir_profiles.plain import JsonMapping, Resource

Replace = Callable[[JsonMapping], JsonMapping]

_RELATIVE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(.+)")


def is_local(target: str) -> bool:
    """Whether a `Reference.reference` must resolve inside its bundle: relative, conditional or urn."""
    return not target.startswith(("#", "http://", "https://"))


def referenced(resource: JsonMapping) -> Iterator[str]:
    """Every `Reference.reference` in `resource` that must resolve inside its bundle."""
    waiting: list[Any] = [resource]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            found = cast(dict[str, Any], node)
            target = found.get("reference")
            if isinstance(target, str) and is_reference(found) and is_local(target):
                yield target
            waiting.extend(found.values())
        elif isinstance(node, list):
            waiting.extend(cast(list[Any], node))


def is_reference(node: JsonMapping) -> bool:
    """Whether an object with a string `reference` is a Reference.

    Two other places carry that name: DetectedIssue.reference, a uri of its own, is told by resourceType.
    """
    return "resourceType" not in node


def with_references(node: Any, replace: Replace) -> Any:
    """`node` with `replace` applied to each local Reference; shares every part that did not change."""
    if isinstance(node, dict):
        found = cast(dict[str, Any], node)
        target = found.get("reference")
        if isinstance(target, str) and is_reference(found) and is_local(target):
            return replace(found)
        changed: dict[str, Any] = {}
        for name, child in found.items():
            if isinstance(child, (dict, list)):
                new = with_references(child, replace)
                if new is not child:
                    changed[name] = new
        return {**found, **changed} if changed else found
    if isinstance(node, list):
        items = cast(list[Any], node)
        new_items = [with_references(child, replace) for child in items]
        return new_items if any(new is not old for new, old in zip(new_items, items, strict=True)) else items
    return node


def logical_reference(reference: JsonMapping) -> Resource:
    """A Reference by identifier for one whose target is not at hand (FHIR R4, logical references).

    `Practitioner?identifier=system|value` gives that identifier; a urn is its own; `Type/id` is kept as the
    identifier's value. An identifier, type or display that the reference already has is kept.
    """
    target = reference["reference"]
    found: Resource = {name: value for name, value in reference.items() if name != "reference"}
    if match := _RELATIVE.fullmatch(target):
        found.setdefault("type", match[1])
        found.setdefault("identifier", {"value": f"{match[1]}/{match[2]}"})
    elif match := _CONDITIONAL.fullmatch(target):
        found.setdefault("type", match[1])
        asked = parse_qs(match[2]).get("identifier", [""])[0]
        system, bar, value = asked.rpartition("|")
        if value:
            found.setdefault("identifier", {"system": system, "value": value} if bar and system else {"value": value})
        else:
            found.setdefault("identifier", {"value": target})
    elif target.startswith("urn:"):
        found.setdefault("identifier", {"system": "urn:ietf:rfc:3986", "value": target})
    else:
        found.setdefault("identifier", {"value": target})
    return found
