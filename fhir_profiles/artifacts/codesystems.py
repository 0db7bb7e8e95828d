"""FHIR R4 CodeSystem of codes that are our own, so that whoever meets them in what we send can look them up.

Source: FHIR R4 CodeSystem.
"""

from collections.abc import Mapping

from fhir_profiles.plain import Resource


def code_system_resource(
    url: str, version: str, *, name: str, title: str, description: str, concepts: Mapping[str, tuple[str, str]]
) -> Resource:
    """A complete, case-sensitive CodeSystem; its id is the last part of `url`. `concepts`: code -> (display,
    definition)."""
    return {
        "resourceType": "CodeSystem",
        "id": url.rsplit("/", 1)[-1],
        "url": url,
        "version": version,
        "name": name,
        "title": title,
        "status": "active",
        "experimental": False,
        "description": description,
        "caseSensitive": True,
        "content": "complete",
        "count": len(concepts),
        "concept": [
            {"code": code, "display": display, "definition": definition}
            for code, (display, definition) in concepts.items()
        ],
    }
