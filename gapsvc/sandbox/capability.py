"""The sandbox EHR's CapabilityStatement (R4), made from what it holds and what its search takes."""

from typing import Any

from gapsvc.sandbox.archive import Archive
from gapsvc.sandbox.searching import PARAMETERS


def capability(base: str, archive: Archive) -> dict[str, Any]:
    """The statement for GET [base]/metadata."""
    types = [*PARAMETERS, *(name for name in archive.shelves if name not in PARAMETERS)]
    return {
        "resourceType": "CapabilityStatement",
        "id": "sandbox-ehr",
        "status": "active",
        "date": "2026-01-01",
        "kind": "instance",
        "software": {"name": "gapsvc sandbox EHR"},
        "implementation": {"description": "Synthetic children of Los Angeles. No real person.", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "_sort is not supported; _count is at most 1000.",
                "resource": [_resource(name) for name in types],
            }
        ],
    }


def _resource(name: str) -> dict[str, Any]:
    own = PARAMETERS.get(name, {})
    found: dict[str, Any] = {
        "type": name,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": [
            {"name": "_id", "type": "token"},
            {"name": "_lastUpdated", "type": "date"},
            *({"name": param, "type": parameter.kind} for param, parameter in own.items()),
        ],
    }
    includes = [f"{name}:{param}" for param, parameter in own.items() if parameter.kind == "reference"]
    if includes:
        found["searchInclude"] = includes
    return found
