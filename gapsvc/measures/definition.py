"""A measure's definition: what `measure.toml` says, its CQL text, and the libraries and value sets beside it.

The file is checked whole: an unknown or missing key, a population that is no measure-population code, or a define that
the library doesn't have is an error that names file, key and what was expected.
"""

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from gapsvc.measures.scoring import SCORINGS_WITH_GAPS
from gapsvc.measures.valuesets import read_value_sets

HERE = Path(__file__).parent
POPULATIONS = ("initial-population", "denominator", "denominator-exclusion", "denominator-exception", "numerator")


class MeasureError(ValueError):
    """A measure folder that can't be used. The message names every problem, one a line, with its file."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True, slots=True)
class Requirement:
    """The kind of resource that would close a gap of this group."""

    resource_type: str
    code_path: str | None
    value_set: str | None
    date_path: str | None


@dataclass(frozen=True, slots=True)
class Observation:
    """A measure observation: `define` says one value for each member of the population `of` (gapsvc.measures.scoring);
    `aggregate` is how they become one number."""

    define: str
    of: str
    aggregate: str


@dataclass(frozen=True, slots=True)
class Criterion:
    """A define with the words (and code) for what it says: a stratifier's component, or supplemental data."""

    define: str
    text: str
    coding: tuple[str, str] | None = None  # (system, code)


@dataclass(frozen=True, slots=True)
class Stratifier:
    """How a group's members are split. Several components (or one that the measure calls so) combine their values.

    A component's define says one value for the person or, where `by_member`, one for each member.
    """

    id: str
    title: str
    components: tuple[Criterion, ...]
    has_components: bool
    by_member: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class SupplementalData:
    """What is reported beside the rates; `usage` is supplemental-data or risk-adjustment-factor."""

    id: str
    usage: str
    criterion: Criterion


@dataclass(frozen=True, slots=True)
class Group:
    """One rate. `populations` maps population names (gapsvc.measures.scoring) to define names.

    `gap` is the suffix of the defines that say its gap: `Gap Need <gap>`, or `Gap Need` where a library has only one.
    `combines` names the groups that a combination consists of. `basis` is what its populations count: `boolean`
    (persons) or a FHIR resource type. `scoring` and `improvement_notation` are empty where the measure's apply.
    """

    id: str
    title: str
    populations: Mapping[str, str]
    gap: str | None
    requirement: Requirement | None
    basis: str = "boolean"
    scoring: str = ""
    improvement_notation: str = ""
    observations: tuple[Observation, ...] = ()
    stratifiers: tuple[Stratifier, ...] = ()
    combines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MeasureDefinition:
    """One version of one measure, with everything that is needed to compile it."""

    id: str
    url: str
    version: str
    name: str
    title: str
    status: str
    description: str
    source: str
    scoring: str
    improvement_notation: str
    schedule: str | None
    library_name: str
    cql: str
    libraries: Mapping[tuple[str, str | None], str]  # (name, version) -> CQL text of what it may include
    value_sets: tuple[Mapping[str, Any], ...]  # FHIR ValueSets
    parameters: Mapping[str, int | str | bool | float]
    groups: tuple[Group, ...]
    folder: Path
    supplemental: tuple[SupplementalData, ...] = ()
    # Defines that call the measure's functions for each member (gapsvc.measures.drivers), added to `cql`.
    drivers: str = ""
    # The resources that a measure brought by a user came as, Measure first; none for our own.
    resources: tuple[Mapping[str, Any], ...] = ()
    # Whom it is about, of our own measures: clinic or plan (gapsvc.measures.populations).
    population: str | None = None

    @property
    def gaps_are_known(self) -> bool:
        """Whether DEQM infers gaps for any of its groups."""
        return any((group.scoring or self.scoring) in SCORINGS_WITH_GAPS for group in self.groups)

    @property
    def canonical(self) -> str:
        """`url|version`, as MeasureReport.measure carries it (deqm-0)."""
        return f"{self.url}|{self.version}"


_MEASURE_KEYS = {
    "id": str,
    "url": str,
    "version": str,
    "name": str,
    "title": str,
    "status": str,
    "description": str,
    "source": str,
    "scoring": str,
    "improvement": str,
    "library": str,
}
_OPTIONAL_KEYS = {"schedule": str, "parameters": dict, "group": list}
_GROUP_KEYS = {"id", "title", "gap", "population", "requirement", "combines"}
_REQUIREMENT_KEYS = {"resource_type", "code_path", "value_set", "date_path"}


def catalog(folder: Path = HERE) -> Mapping[str, MeasureDefinition]:
    """The measures in a folder, by id, in the order of their folders' names.

    Raises:
        MeasureError: one of them is wrong, or two have the same id.
    """
    found: dict[str, MeasureDefinition] = {}
    for file in sorted(folder.glob("*/measure.toml")):
        measure = read_measure(file.parent)
        if measure.id in found:
            raise MeasureError([f"{file}: id {measure.id!r} is also the id of {found[measure.id].folder}"])
        found[measure.id] = measure
    return MappingProxyType(found)


def read_measure(
    folder: Path, common: Path = HERE / "common", value_sets: Path = HERE / "valuesets"
) -> MeasureDefinition:
    """Read one measure folder.

    Raises:
        MeasureError: with every problem found in measure.toml.
    """
    file = folder / "measure.toml"
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise MeasureError([f"{file}: {error}"]) from error
    problems = list(_shape_problems(data, str(file)))
    if problems:
        raise MeasureError(problems)
    library_file = folder / data["library"]
    if not library_file.is_file():
        raise MeasureError([f"{file}: library {data['library']!r} is not in {folder}"])
    cql = library_file.read_text(encoding="utf-8")
    return MeasureDefinition(
        id=data["id"],
        url=data["url"],
        version=data["version"],
        name=data["name"],
        title=data["title"],
        status=data["status"],
        description=data["description"],
        source=data["source"],
        scoring=data["scoring"],
        improvement_notation=data["improvement"],
        schedule=data.get("schedule"),
        library_name=library_file.stem,
        cql=cql,
        libraries=MappingProxyType(read_libraries(common)),
        value_sets=read_value_sets(value_sets),
        parameters=MappingProxyType(data.get("parameters", {})),
        groups=tuple(_group(group) for group in data["group"]),
        folder=folder,
        population="clinic",
    )


def read_libraries(common: Path) -> dict[tuple[str, str | None], str]:
    """The common libraries, keyed as `include Name version 'v'` asks for them."""
    found: dict[tuple[str, str | None], str] = {}
    for file in sorted(common.glob("*.cql")):
        text = file.read_text(encoding="utf-8")
        header = next(line for line in text.splitlines() if line.startswith("library "))
        name, version = header.removeprefix("library ").split(" version ")
        found[(name.strip(), version.strip().strip("'"))] = text
    return found


def _group(data: Mapping[str, Any]) -> Group:
    requirement = data.get("requirement")
    return Group(
        id=data["id"],
        title=data["title"],
        populations=MappingProxyType(dict(data["population"])),
        gap=data.get("gap"),
        requirement=None
        if requirement is None
        else Requirement(
            requirement["resource_type"],
            requirement.get("code_path"),
            requirement.get("value_set"),
            requirement.get("date_path"),
        ),
        combines=tuple(data.get("combines", ())),
    )


def _shape_problems(data: Mapping[str, Any], file: str) -> Iterable[str]:
    known = {**_MEASURE_KEYS, **_OPTIONAL_KEYS}
    yield from _unknown(data, known, file)
    for key, kind in known.items():
        if key not in data:
            if key not in _OPTIONAL_KEYS:
                yield f"{file}: {key!r} is missing"
        elif not isinstance(data[key], kind):
            yield f"{file}: {key!r} must be a {kind.__name__}, not {type(data[key]).__name__}"
    if data.get("scoring") not in (None, "proportion"):
        yield f"{file}: scoring {data['scoring']!r} is not supported; expected 'proportion'"
    if data.get("improvement") not in (None, "increase", "decrease"):
        yield f"{file}: improvement {data['improvement']!r} must be 'increase' or 'decrease'"
    groups = cast("list[Any]", data["group"]) if isinstance(data.get("group"), list) else []
    if not groups:
        yield f"{file}: a measure has at least one [[group]]"
    seen: set[str] = set()
    for number, group in enumerate(groups, 1):
        where = f"{file}: group {number}"
        yield from _unknown(group, _GROUP_KEYS, where)
        yield from (f"{where}: {key!r} is missing" for key in ("id", "title", "population") if key not in group)
        yield from _unknown(group.get("population", {}), POPULATIONS, f"{where}.population")
        yield from _unknown(group.get("requirement", {}), _REQUIREMENT_KEYS, f"{where}.requirement")
        yield from (
            f"{where}.population: {code!r} is missing"
            for code in ("initial-population", "denominator", "numerator")
            if code not in group.get("population", {})
        )
        if group.get("id") in seen:
            yield f"{where}: id {group['id']!r} is used twice"
        seen.add(group.get("id", ""))
    yield from (
        f"{file}: group {group.get('id')!r}: combines {part!r}, which is no group of this measure"
        for group in groups
        for part in group.get("combines", ())
        if part not in seen
    )


def _unknown(data: Mapping[str, Any], known: Iterable[str], where: str) -> Iterable[str]:
    names = list(known)
    for key in data:
        if key not in names:
            close = difflib.get_close_matches(key, names, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; expected one of {', '.join(sorted(names))}"
            yield f"{where}: unknown key {key!r}{hint}"
