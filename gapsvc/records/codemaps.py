"""A site's own codes and the standard ones that they stand for: a table, and what it adds to a resource.

EHRs code visits, doses and tests with codes of their own. A code map (delimited text: system, code, to_system, to_code,
comment) adds the standard coding beside the local one wherever a CodeableConcept carries it; what the source sent stays
as it is. The added coding says by an extension that it was added, so that evidence can say so. Maps are applied when
records are put together, not when they are stored: another map changes results without another pull. Pure.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, cast

JsonObject = Mapping[str, Any]
CodeKey = tuple[str | None, str]  # (system, code); system None: a coding without one

COLUMNS: Final = ("system", "code", "to_system", "to_code", "comment")
MAPPED: Final = "https://gapsvc.example/fhir/StructureDefinition/mapped-coding"
LONGEST: Final = 100_000  # rows
_MOST_PROBLEMS: Final = 20


class CodeMapRefused(ValueError):
    """A code map that can't be used; one problem a line, each with the map's name and line."""


@dataclass(frozen=True, slots=True)
class CodeMap:
    """`codes`: a local (system, code) -> the codings (FHIR JSON) that are added beside it, in the map's order."""

    name: str
    codes: Mapping[CodeKey, tuple[JsonObject, ...]]

    def applied(self, resource: JsonObject) -> JsonObject:
        """The resource with the standard codings added; the very same one where the map has nothing to add.

        A coding that the source sent itself is not added again. Codes in other places than CodeableConcepts
        (Encounter.class, statuses) are left alone.
        """
        return cast(JsonObject, _with_codings(resource, self.codes))


def read_code_map(text: str, name: str = "code map") -> CodeMap:
    """Read a code map.

    Args:
        text: comma-separated, with the heading `system,code,to_system,to_code,comment` (comment may be missing). An
            empty `system` means codings that have none.
        name: how the map is called in errors and on the codings that it adds: its file's name.

    Raises:
        CodeMapRefused: with every problem, each with its line.
    """
    rows = csv.reader(text.lstrip("\ufeff").splitlines())
    heading = tuple(column.strip().lower() for column in next(rows, list[str]()))
    if heading not in (COLUMNS, COLUMNS[:4]):
        raise CodeMapRefused(f"{name}:1: the heading is {','.join(heading)!r:.80}; expected {','.join(COLUMNS)}")
    problems: list[str] = []
    found: dict[CodeKey, dict[tuple[str, str], int]] = {}
    for number, row in enumerate(rows, 2):
        if number > LONGEST + 1:
            raise CodeMapRefused(f"{name}: more than {LONGEST:,} rows")
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        problem = _problem(cells, len(heading))
        if problem is None:
            system, code, to_system, to_code = cells[:4]
            targets = found.setdefault((system or None, code), {})
            first = targets.setdefault((to_system, to_code), number)
            if first != number:
                problem = f"says the same as line {first}"
        if problem is not None:
            problems.append(f"{name}:{number}: {problem}")
    if problems:
        more = [f"{name}: and {len(problems) - _MOST_PROBLEMS} more"] if len(problems) > _MOST_PROBLEMS else []
        raise CodeMapRefused("\n".join([*problems[:_MOST_PROBLEMS], *more]))
    return CodeMap(
        name,
        MappingProxyType(
            {local: tuple(_coding(system, code, name) for system, code in targets) for local, targets in found.items()}
        ),
    )


def _problem(cells: list[str], columns: int) -> str | None:
    """What is wrong with a row; None where nothing is."""
    if len(cells) < 4 or (len(cells) > columns and any(cells[columns:])):
        return f"has {len(cells)} columns; expected {columns} (text with a comma in it stands in quotes)"
    system, code, to_system, to_code = cells[:4]
    for column, value in (("code", code), ("to_system", to_system), ("to_code", to_code)):
        if not value:
            return f"{column} is empty"
    for column, value in (("system", system), ("to_system", to_system)):
        if value and (":" not in value or any(letter.isspace() for letter in value)):
            return (
                f"{column} {value!r:.60} is no URI; expected e.g. http://www.ama-assn.org/go/cpt or urn:oid:2.16.840.1"
            )
    if (system, code) == (to_system, to_code):
        return "maps a code to itself"
    return None


def _coding(system: str, code: str, name: str) -> JsonObject:
    return {"extension": [{"url": MAPPED, "valueString": name}], "system": system, "code": code}


def _with_codings(node: Any, codes: Mapping[CodeKey, tuple[JsonObject, ...]]) -> Any:
    """The JSON with codings added; the same object where nothing is."""
    if isinstance(node, list):
        items = cast("list[Any]", node)
        changed = [_with_codings(item, codes) for item in items]
        return changed if any(new is not old for new, old in zip(changed, items, strict=True)) else items
    if not isinstance(node, Mapping):
        return node
    found = cast(JsonObject, node)
    changes: dict[str, Any] = {}
    for key, value in found.items():
        if isinstance(value, list | Mapping):
            other = _with_codings(value, codes)
            if key == "coding" and isinstance(other, list):
                other = _joined(cast("list[Any]", other), codes)
            if other is not value:
                changes[key] = other
    return {**found, **changes} if changes else found


def _joined(codings: list[Any], codes: Mapping[CodeKey, tuple[JsonObject, ...]]) -> list[Any]:
    added: dict[CodeKey, JsonObject] = {}
    for local in _keys(codings):
        for coding in codes.get(local, ()):
            added.setdefault((coding["system"], coding["code"]), coding)
    for own in _keys(codings):
        added.pop(own, None)
    return [*codings, *added.values()] if added else codings


def _keys(codings: Iterable[Any]) -> list[CodeKey]:
    """(system, code) of the codings that have a code; of Coding, a plain object, whatever else is not."""
    return [
        (coding.get("system"), coding["code"])
        for coding in (cast(JsonObject, one) for one in codings if isinstance(one, Mapping))
        if isinstance(coding.get("code"), str)
    ]
