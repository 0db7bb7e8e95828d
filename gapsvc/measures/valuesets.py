"""Value sets as content: `valuesets/*.toml` (system, codes, source) read into FHIR ValueSet resources."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache
def read_value_sets(folder: Path) -> tuple[Mapping[str, Any], ...]:
    """Every value set in a folder as a FHIR R4 ValueSet with explicit concepts, ordered by file name."""
    return tuple(_value_set(file) for file in sorted(folder.glob("*.toml")))


def _value_set(file: Path) -> Mapping[str, Any]:
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        "resourceType": "ValueSet",
        "id": file.stem,
        "url": data["url"],
        "version": data["version"],
        "name": data["name"],
        "title": data["title"],
        "status": data["status"],
        "description": data["description"],
        "compose": {
            "include": [
                {"system": include["system"], "concept": [{"code": code} for code in include["codes"]]}
                for include in data["include"]
            ]
        },
    }
