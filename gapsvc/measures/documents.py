"""The files that a measure is brought in: a Bundle or a folder of JSON, read into the resources that make a measure.

Measures, Libraries and ValueSets are read, Bundles opened, other types left aside. What can't be read is a problem
that names its file.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import orjson

Resource = Mapping[str, Any]
CQL_TYPE: Final = "text/cql"
_KINDS: Final = ("Measure", "Library", "ValueSet")


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its name as problems call it, and its bytes."""

    origin: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Sourced:
    """A resource and the file that it came in."""

    origin: str
    resource: Resource

    @property
    def where(self) -> str:
        """`file: Measure/id`, for problems."""
        return f"{self.origin}: {self.resource['resourceType']}/{self.resource.get('id', '(no id)')}"


def read_files(path: Path) -> tuple[list[Document], list[str]]:
    """The JSON files of a folder (and those below it), or the one file; and the problems: XML, what can't be read."""
    problems: list[str] = []
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
        if not any(file.suffix.lower() in (".json", ".xml") for file in files):
            problems.append(f"{path}: there is no .json file in this folder")
    found: list[Document] = []
    for file in files:
        name = file.name if file == path else str(file.relative_to(path))
        if file.suffix.lower() == ".xml":
            problems.append(f"{name}: XML is not read; expected FHIR JSON (application/fhir+json)")
        elif file.suffix.lower() == ".json" or file == path:
            try:
                found.append(Document(name, file.read_bytes()))
            except OSError as error:
                problems.append(f"{name}: {error.strerror or 'it can not be read'}")
    return found, problems


def resources_of(documents: Iterable[Document], problems: list[str]) -> list[Sourced]:
    """The Measures, Libraries and ValueSets of all documents; each problem is added to `problems`."""
    found: list[Sourced] = []
    for document in documents:
        try:
            content = orjson.loads(document.content)
        except orjson.JSONDecodeError as error:
            kind = "XML; expected FHIR JSON" if document.content.lstrip().startswith(b"<") else "no JSON"
            problems.append(f"{document.origin}: this is {kind}: {error.msg} at character {error.pos}")
            continue
        found += _opened(content, document.origin, problems)
    return found


def _opened(content: Any, origin: str, problems: list[str]) -> list[Sourced]:
    if not isinstance(content, dict) or not isinstance(cast("dict[str, Any]", content).get("resourceType"), str):
        problems.append(f"{origin}: this is no FHIR resource (it has no resourceType)")
        return []
    resource = cast("dict[str, Any]", content)
    if resource["resourceType"] in _KINDS:
        return [Sourced(origin, resource)]
    if resource["resourceType"] != "Bundle":
        return []
    found: list[Sourced] = []
    for number, entry in enumerate(items(resource, "entry")):
        if "resource" in entry:
            found += _opened(entry["resource"], f"{origin}: entry[{number}]", problems)
    return found


def items(node: Resource, name: str) -> Sequence[Resource]:
    """The objects of a list element; what is no list, and what in it is no object, is left out."""
    value = node.get(name)
    if not isinstance(value, list):
        return ()
    return [cast("Resource", item) for item in cast("list[Any]", value) if isinstance(item, dict)]


def text_at(node: Resource, name: str) -> str | None:
    """An element that is a text, if it is one and not empty."""
    value = node.get(name)
    return value if isinstance(value, str) and value.strip() else None


def codings_of(concept: Any) -> Sequence[Resource]:
    """The codings of a CodeableConcept."""
    return items(cast("Resource", concept), "coding") if isinstance(concept, dict) else ()


def extension_value(node: Resource, name: str) -> Any:
    """The value of the extension whose url ends in `-<name>`: CQFM's, CQM's and FHIR's own differ only in what is
    before. None where there is none."""
    for extension in items(node, "extension"):
        if str(extension.get("url", "")).rpartition("-")[2] == name:
            return next((value for key, value in extension.items() if key.startswith("value")), None)
    return None


def cql_of(library: Sourced, problems: list[str]) -> str | None:
    """The CQL text of a Library; None where it has none, with a problem if it has other content or a broken one."""
    contents = items(library.resource, "content")
    kinds = [str(content.get("contentType", "")).partition(";")[0].strip() for content in contents]
    if CQL_TYPE not in kinds:
        if contents:
            problems.append(f"{library.where}: it has no text/cql content, only {', '.join(kinds)}; ELM is not read")
        return None
    data = contents[kinds.index(CQL_TYPE)].get("data")
    if not isinstance(data, str):
        problems.append(f"{library.where}: its text/cql content has no data; a url is not followed")
        return None
    try:
        return b64decode("".join(data.split()), validate=True).decode("utf-8-sig")
    except (Base64Error, ValueError):
        problems.append(f"{library.where}: the data of its text/cql content is not the base64 of a UTF-8 text")
        return None
