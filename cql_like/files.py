"""Resources in files, for the command line: one patient's record out of a Bundle, one resource, or NDJSON."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import orjson

from cql_like.retrieve import CodeKey, JsonObject


class WrongInput(ValueError):
    """A file whose content is not what it should be."""


def resources(file: Path) -> list[JsonObject]:
    """The resources of a file: of a Bundle its entries; of NDJSON one a line.

    Raises:
        OSError: the file can't be read.
        WrongInput: it holds something else.
    """
    content = file.read_bytes()
    try:
        found: list[object] = [orjson.loads(content)]
    except orjson.JSONDecodeError:
        try:
            found = [orjson.loads(line) for line in content.splitlines() if line.strip()]
        except orjson.JSONDecodeError as error:
            raise WrongInput(f"{file} is neither JSON nor NDJSON: {error}") from error
    return [_resource(one, file) for whole in found for one in _unbundled(_resource(whole, file))]


def _resource(value: object, file: Path) -> JsonObject:
    if not isinstance(value, dict) or "resourceType" not in value:
        raise WrongInput(f"{file}: expected FHIR resources, each a JSON object with a resourceType")
    return cast("dict[str, Any]", value)


def _unbundled(resource: JsonObject) -> Iterable[object]:
    if resource["resourceType"] != "Bundle":
        return [resource]
    entries = cast("Sequence[Mapping[str, object]]", resource.get("entry", ()))
    return [entry["resource"] for entry in entries if "resource" in entry]


class FileRecord:
    """The resources of one patient, as the engine asks for them (cql_like.retrieve.Retriever)."""

    def __init__(self, found: Sequence[JsonObject]) -> None:
        self._found = found

    def retrieve(
        self, resource_type: str, code_path: str | None = None, codes: frozenset[CodeKey] | None = None
    ) -> Sequence[JsonObject]:
        """See cql_like.retrieve.Retriever."""
        found = [one for one in self._found if one["resourceType"] == resource_type]
        if codes is None or code_path is None:
            return found
        return [one for one in found if any(key in codes for key in _coded(one.get(code_path)))]


def _coded(element: object) -> Iterable[CodeKey]:
    """(system, code) of each coding in a CodeableConcept, a Coding, a code, or a list of them."""
    if isinstance(element, list):
        for item in cast("list[object]", element):
            yield from _coded(item)
    elif isinstance(element, str):
        yield None, element
    elif isinstance(element, dict):
        concept = cast("dict[str, Any]", element)
        if "coding" in concept:
            yield from _coded(concept["coding"])
        elif "code" in concept:
            yield concept.get("system"), concept["code"]
