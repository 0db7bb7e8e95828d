"""FHIR R4 Library (type logic-library) that carries a CQL text and says what it depends on and needs.

Source: FHIR R4 Library; Using CQL with FHIR: content `text/cql`, dependencies as relatedArtifact `depends-on`.
"""

from base64 import b64encode
from collections.abc import Iterable
from typing import Final

from fhir_profiles.deqm.guidance import data_requirement
from fhir_profiles.inputs import DataRequirementLike
from fhir_profiles.plain import Resource, clean, concept

LIBRARY_TYPE_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/library-type"


def library_resource(
    name: str,
    version: str,
    cql: str,
    *,
    canonical_base: str,
    status: str,
    title: str | None = None,
    date: str | None = None,
    depends_on: Iterable[str] = (),
    requirements: Iterable[DataRequirementLike] = (),
) -> Resource:
    """The Library of one CQL library. `name` and `version` are the CQL header's; its url is
    `<canonical_base>/Library/<name>`; `depends_on` are canonicals of included libraries and value sets.
    """
    found: Resource = {
        "resourceType": "Library",
        "id": name,
        "url": f"{canonical_base.rstrip('/')}/Library/{name}",
        "version": version,
        "name": name,
        "status": status,
        "type": concept(LIBRARY_TYPE_SYSTEM, "logic-library", "Logic Library"),
        "content": [{"contentType": "text/cql", "data": b64encode(cql.encode()).decode("ascii")}],
    }
    if title:
        found["title"] = clean(title)
    if date is not None:
        found["date"] = date
    artifacts = [{"type": "depends-on", "resource": canonical} for canonical in depends_on]
    if artifacts:
        found["relatedArtifact"] = artifacts
    needed = [data_requirement(requirement) for requirement in requirements]
    if needed:
        found["dataRequirement"] = needed
    return found
