"""The DEQM constraint tables as trees: read from constraints/*.json, frozen, looked up by canonical URL.

The tables are written by scripts/import_profiles.py from HL7's package; this module gives each element its
children and slices, so that the checker walks table and resource side by side.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import orjson

_FOLDER: Final = Path(__file__).parent / "constraints"
_DATA_TYPES: Final = "datatypes"
_VALUE_SETS: Final = "valuesets"
_R4: Final = "http://hl7.org/fhir/StructureDefinition/"
_QI_CORE: Final = "http://hl7.org/fhir/us/qicore/StructureDefinition/qicore-"

# The QI-Core profiles that DEQM 5.0.0 lets references point to, and the resource type of each
_QI_CORE_TYPES: Final = {
    "patient": "Patient",
    "practitioner": "Practitioner",
    "practitionerrole": "PractitionerRole",
    "location": "Location",
    "device": "Device",
    "relatedperson": "RelatedPerson",
    "organization": "Organization",
}


@dataclass(frozen=True, slots=True)
class ElementType:
    """One type an element may have; `targets` are the resource types a Reference may point to (empty: any)."""

    code: str
    profiles: tuple[str, ...] = ()
    targets: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Element:
    """One row of a profile: `id` is the StructureDefinition's element id (`Composition.section.focus`).

    `max` is None for `*`. `sliced_by` are (kind, path) discriminators; `slices` the named slices. `same_as`
    is the id of the element whose children this one shares.
    """

    id: str
    min: int
    max: int | None
    is_list: bool
    types: tuple[ElementType, ...]
    fixed: Any
    pattern: Any
    binding: tuple[str, str] | None
    sliced_by: tuple[tuple[str, str], ...]
    invariants: tuple[str, ...]
    same_as: str | None
    children: Mapping[str, "Element"]
    slices: Mapping[str, "Element"]

    @property
    def name(self) -> str:
        """The last step of the id without a slice name: `focus`, `value[x]`."""
        return self.id.rpartition(".")[2].partition(":")[0]


@dataclass(frozen=True, slots=True)
class Invariant:
    """A published invariant: its severity (error, warning) and FHIRPath expression."""

    key: str
    severity: str
    expression: str


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile's table; `root` is the element of the resource (or extension) itself."""

    url: str
    type: str
    source: str
    root: Element
    by_id: Mapping[str, Element]
    invariants: Mapping[str, Invariant]


@dataclass(frozen=True, slots=True)
class CodeSet:
    """The codes of a value set; `system` is None where the element is a bare code."""

    system: str | None
    codes: frozenset[str]


@cache
def profiles() -> Mapping[str, Profile]:
    """Every profile that we can check, by canonical URL."""
    raw = [
        orjson.loads(file.read_bytes())
        for file in sorted(_FOLDER.glob("*.json"))
        if file.stem not in (_DATA_TYPES, _VALUE_SETS)
    ]
    types = {table["url"]: table["type"] for table in raw}
    return MappingProxyType({table["url"]: _profile(table, types) for table in raw})


@cache
def data_types() -> Mapping[str, Mapping[str, Element]]:
    """FHIR R4 data types: each one's elements by name."""
    raw: dict[str, dict[str, Any]] = orjson.loads((_FOLDER / f"{_DATA_TYPES}.json").read_bytes())
    return MappingProxyType(
        {
            name: MappingProxyType(
                {path.partition(".")[2]: _element(path, row, {}, {}, {}) for path, row in rows.items()}
            )
            for name, rows in raw.items()
        }
    )


@cache
def value_sets() -> Mapping[str, CodeSet]:
    """Codes of the value sets that are known in full, by canonical URL."""
    raw: dict[str, dict[str, Any]] = orjson.loads((_FOLDER / f"{_VALUE_SETS}.json").read_bytes())
    return MappingProxyType({url: CodeSet(row.get("system"), frozenset(row["codes"])) for url, row in raw.items()})


def _profile(table: Mapping[str, Any], types: Mapping[str, str]) -> Profile:
    rows: Mapping[str, Mapping[str, Any]] = table["elements"]
    children: dict[str, list[str]] = {}
    slices: dict[str, list[str]] = {}
    for path in rows:
        parent, dot, last = path.rpartition(".")
        if ":" in last:
            slices.setdefault(path.rpartition(":")[0], []).append(path)
        elif dot:
            children.setdefault(parent, []).append(path)
    built: dict[str, Element] = {}

    def build(path: str) -> Element:
        below = {found.name: found for found in map(build, children.get(path, ()))}
        sliced = {each.rpartition(":")[2]: build(each) for each in slices.get(path, ())}
        built[path] = _element(path, rows[path], below, sliced, types)
        return built[path]

    root = build(next(iter(rows)))
    invariants = {key: Invariant(key, row["severity"], row["expression"]) for key, row in table["invariants"].items()}
    return Profile(
        table["url"],
        table["type"],
        table["source"],
        root,
        MappingProxyType(built),
        MappingProxyType(invariants),
    )


def _element(
    path: str,
    row: Mapping[str, Any],
    children: Mapping[str, Element],
    slices: Mapping[str, Element],
    profile_types: Mapping[str, str],
) -> Element:
    most = row.get("max", "1")
    binding = row.get("binding")
    return Element(
        id=path,
        min=row.get("min", 0),
        max=None if most == "*" else int(most),
        is_list=row.get("list", False),
        types=tuple(_type(entry, profile_types) for entry in row.get("types", ())),
        fixed=row.get("fixed"),
        pattern=row.get("pattern"),
        binding=(binding[0], binding[1]) if binding else None,
        sliced_by=tuple((kind, where) for kind, where in row.get("sliced_by", ())),
        invariants=tuple(row.get("invariants", ())),
        same_as=row.get("same_as"),
        children=MappingProxyType(dict(children)),
        slices=MappingProxyType(dict(slices)),
    )


def _type(entry: Mapping[str, Any], profile_types: Mapping[str, str]) -> ElementType:
    targets = [_target_type(url, profile_types) for url in entry.get("targets", ())]
    # One target of unknown type (or any resource) leaves the reference open.
    known = frozenset(each for each in targets if each) if all(targets) else frozenset[str]()
    return ElementType(entry["code"], tuple(entry.get("profiles", ())), known)


def _target_type(url: str, profile_types: Mapping[str, str]) -> str | None:
    if url.startswith(_R4):
        name = url.removeprefix(_R4)
        return None if name == "Resource" else name
    if url.startswith(_QI_CORE):
        return _QI_CORE_TYPES.get(url.removeprefix(_QI_CORE))
    return profile_types.get(url)
