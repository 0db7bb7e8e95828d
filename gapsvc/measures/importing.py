"""Measures that users bring: FHIR Measure, Library (text/cql) and ValueSet resources, checked whole. Pure.

Source: FHIR R4 Measure; Quality Measure IG (CQFM) for population basis, group scoring, aggregate methods and criteria
references. Every problem of every measure is found before anything is said; a measure that comes out is one that
can be evaluated (gapsvc.evaluation), with the same shape as our own.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import cql_like
from cql_like import ir, walk
from cql_like.syntax import parse_library
from gapsvc.measures.definition import Group, MeasureDefinition, MeasureError, SupplementalData
from gapsvc.measures.documents import (
    Document,
    Resource,
    Sourced,
    codings_of,
    cql_of,
    items,
    resources_of,
    text_at,
)
from gapsvc.measures.drivers import Drivers, defines_used
from gapsvc.measures.groups import GroupReader, criterion
from gapsvc.measures.scoring import PERMITTED

_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_IMPROVEMENTS: Final = ("increase", "decrease")
_USAGES: Final = ("supplemental-data", "risk-adjustment-factor")


@dataclass(frozen=True, slots=True)
class _Libraries:
    """What the Libraries hold: Library resources by (url, version), and CQL texts by (name, version).

    `unusable` says what is wrong with those that have no CQL that can be read: a problem only where one is needed.
    """

    resources: Mapping[tuple[str, str | None], Sourced]
    texts: Mapping[tuple[str, str | None], str]
    names: Mapping[int, tuple[str, str | None]]  # id() of a Library resource -> key of its text
    unusable: tuple[str, ...]


def import_measures(
    documents: Iterable[Document], *, taken: Iterable[MeasureDefinition] = (), folder: Path = Path()
) -> tuple[MeasureDefinition, ...]:
    """The measures in these documents.

    Args:
        documents: files with Measures, Libraries and ValueSets, alone or in Bundles.
        taken: the measures that there are already; ids and canonicals must differ from theirs.
        folder: where the measures are kept.

    Raises:
        MeasureError: with every problem of every measure.
    """
    problems: list[str] = []
    found = resources_of(documents, problems)
    libraries = _libraries([one for one in found if one.resource["resourceType"] == "Library"], problems)
    value_sets = _value_sets([one for one in found if one.resource["resourceType"] == "ValueSet"], problems)
    terminology = cql_like.ExpandedTerminology.of([one.resource for one in value_sets])
    measures = _distinct([one for one in found if one.resource["resourceType"] == "Measure"], problems)
    if not measures and not problems:
        problems.append("there is no Measure among the files")
    known = list(taken)
    said = len(problems)
    read: list[MeasureDefinition] = []
    for measure in measures:
        made = _Reader(measure, libraries, value_sets, terminology, problems, folder).read()
        if made is not None:
            problems.extend(_clashes(made, [*known, *read], measure.where))
            read.append(made)
    if problems:
        raise MeasureError(list(dict.fromkeys((*problems[:said], *libraries.unusable, *problems[said:]))))
    return tuple(read)


def _clashes(made: MeasureDefinition, known: Sequence[MeasureDefinition], where: str) -> Iterable[str]:
    for other in known:
        if (other.id, other.version) == (made.id, made.version):
            yield f"{where}: {made.id} version {made.version} is there already; remove it first, or raise the version"
        elif other.id == made.id and other.url != made.url:
            yield f"{where}: the id {made.id!r} is that of another measure, {other.canonical}"
        elif other.id == made.id and not other.resources:
            yield f"{where}: the id {made.id!r} is that of a measure of this program"
        elif other.canonical == made.canonical:
            yield f"{where}: {made.canonical} is there already, as {other.id!r}"


def _distinct(found: Sequence[Sourced], problems: list[str]) -> list[Sourced]:
    """Resources without word-for-word repetitions; two that differ under one canonical are a problem."""
    kept: dict[tuple[Any, Any], Sourced] = {}
    without_url: list[Sourced] = []
    for one in found:
        url = text_at(one.resource, "url")
        if url is None:
            without_url.append(one)
            continue
        other = kept.setdefault((url, text_at(one.resource, "version")), one)
        if other.resource != one.resource:
            version = text_at(one.resource, "version")
            canonical = f"{url}|{version}" if version else url
            problems.append(f"{one.where}: {canonical} is there twice with different content: also {other.where}")
    return [*kept.values(), *without_url]


def _value_sets(found: Sequence[Sourced], problems: list[str]) -> list[Sourced]:
    kept = _distinct(found, problems)
    problems.extend(f"{one.where}: url is missing" for one in kept if text_at(one.resource, "url") is None)
    readable: list[Sourced] = []
    for one in kept:
        if text_at(one.resource, "url") is not None:
            try:
                cql_like.ExpandedTerminology.of([one.resource])
            except (AttributeError, KeyError, TypeError, ValueError):
                problems.append(f"{one.where}: its compose or expansion is not as FHIR has it")
            else:
                readable.append(one)
    return readable


def _libraries(found: Sequence[Sourced], problems: list[str]) -> _Libraries:
    kept = _distinct(found, problems)
    resources: dict[tuple[str, str | None], Sourced] = {}
    texts: dict[tuple[str, str | None], str] = {}
    names: dict[int, tuple[str, str | None]] = {}
    unusable: list[str] = []
    for one in kept:
        url = text_at(one.resource, "url")
        resources[url or f"Library/{one.resource.get('id')}", text_at(one.resource, "version")] = one
        text = cql_of(one, unusable)
        if text is None:
            continue
        key = _header(text, one)
        names[id(one.resource)] = key
        if texts.setdefault(key, text) != text:
            problems.append(f"{one.where}: another Library holds a different CQL library {key[0]} version {key[1]}")
    return _Libraries(resources, texts, names, tuple(unusable))


def _header(text: str, library: Sourced) -> tuple[str, str | None]:
    """(name, version) of a CQL text as its own first line says; where it can't be parsed, as the resource says (what is
    wrong is said by whoever includes it)."""
    try:
        name = parse_library(text).name
    except cql_like.CqlErrors:
        name = None
    if name is None:
        said = text_at(library.resource, "name") or str(library.resource.get("id"))
        return said, text_at(library.resource, "version")
    return ".".join(name.name.parts), name.version


@dataclass(slots=True)
class _Reader:
    """Reads one Measure."""

    measure: Sourced
    libraries: _Libraries
    value_sets: Sequence[Sourced]
    terminology: cql_like.ExpandedTerminology
    problems: list[str]
    folder: Path
    _began: int = field(default=0)

    def read(self) -> MeasureDefinition | None:
        """The measure; None where there are problems, which are then added."""
        self._began = len(self.problems)
        resource = self.measure.resource
        for name in ("id", "url", "version"):
            if text_at(resource, name) is None:
                self._problem(f"{name} is missing")
        said = text_at(resource, "id")
        if said is not None and (not _ID.fullmatch(said) or not said.strip(".")):
            self._problem(f"id {said[:80]!r} is no FHIR id (1 to 64 of A-Z a-z 0-9 - .)")
        if (text_at(resource, "version") or "-").strip(".") == "":
            self._problem("version holds nothing but dots")
        subjects = [str(coding.get("code")) for coding in codings_of(resource.get("subjectCodeableConcept"))]
        if subjects and "Patient" not in subjects:
            self._problem(f"its subject is {', '.join(subjects)}; only measures of Patients can be evaluated")
        self._improvement()
        library = self._library()
        groups = items(resource, "group")
        if not groups:
            self._problem("it has no group")
        key, text = library or (("", None), "")
        drivers = Drivers(text, {other: cql for other, cql in self.libraries.texts.items() if other != key})
        reader = GroupReader(self.measure, drivers, self._scoring(), self.problems)
        drafts = [reader.draft(group, number) for number, group in enumerate(groups, 1)]
        supplemental = self._supplemental(drivers)
        if library is None:
            return None
        # A library with errors is held against the criteria too, as far as it could be made out: all is said at once.
        drivers.compile(self.measure.where)
        made = tuple(reader.finish(draft) for draft in drafts if draft is not None)
        for one in supplemental:
            drivers.anything(one.criterion.define, f"{self.measure.where}: supplemental data {one.id!r}")
        drivers.compile(self.measure.where)
        if drivers.made_out:
            drivers.gap_defines(self.measure.where)
            drivers.period(self.measure.where)
            asked = [*defines_used(made), *(one.criterion.define for one in supplemental)]
            asked += [name for name in drivers.library.defines if name.startswith("Gap ")]
            drivers.value_sets(asked, self.terminology, self.measure.where)
        self.problems.extend(drivers.problems)
        if len(self.problems) > self._began:
            return None
        return self._definition(key, drivers, made, supplemental)

    def _problem(self, text: str) -> None:
        self.problems.append(f"{self.measure.where}: {text}")

    def _scoring(self) -> str:
        """The measure's scoring; empty where it leaves that to its groups."""
        codes = [str(coding.get("code")) for coding in codings_of(self.measure.resource.get("scoring"))]
        if not codes:
            return ""
        known = next((code for code in codes if code in PERMITTED), None)
        if known is None:
            self._problem(f"scoring {codes[0][:80]!r} is not known; expected one of {', '.join(PERMITTED)}")
            return ""
        return known

    def _improvement(self) -> str:
        """Without one, more is better."""
        codes = [str(coding.get("code")) for coding in codings_of(self.measure.resource.get("improvementNotation"))]
        found = next((code for code in codes if code in _IMPROVEMENTS), None)
        if codes and found is None:
            self._problem(f"improvementNotation {codes[0][:80]!r} is not known; expected increase or decrease")
        return found or _IMPROVEMENTS[0]

    def _library(self) -> tuple[tuple[str, str | None], str] | None:
        named = self.measure.resource.get("library")
        if not isinstance(named, list) or len(named) != 1 or not isinstance(named[0], str):  # pyright: ignore[reportUnknownArgumentType]
            self._problem("library must name one Library, by its canonical url")
            return None
        url, _, version = str(named[0]).partition("|")
        held = {key: one for key, one in self.libraries.resources.items() if key[0] == url}
        if not held:  # a reference by id, as some bundles have it
            found = self.libraries.resources.items()
            held = {key: one for key, one in found if f"Library/{one.resource.get('id')}" == url}
            url = next((key[0] for key in held), url)
        if not held:
            self._problem(f"its Library {named[0]} is missing; there are {_listed(self.libraries.resources)}")
            return None
        if version and (url, version) not in held:
            self._problem(f"its Library {url} is not there in version {version}; there are {_listed(held)}")
            return None
        key = (url, version) if version else max(held, key=lambda one: version_order(one[1]))
        name = self.libraries.names.get(id(held[key].resource))
        if name is None:
            if not items(held[key].resource, "content"):  # otherwise it has been said what is wrong with it
                self._problem(f"its Library {named[0]} has no content; expected text/cql")
            elif len(self.problems) == self._began:
                self._problem(f"its Library {named[0]} has no CQL that can be read")
            return None
        return name, self.libraries.texts[name]

    def _supplemental(self, drivers: Drivers) -> tuple[SupplementalData, ...]:
        found: list[SupplementalData] = []
        for number, item in enumerate(items(self.measure.resource, "supplementalData"), 1):
            name = text_at(item, "id") or f"supplemental-data-{number}"
            where = f"{self.measure.where}: supplemental data {name!r}"
            made = criterion(item, name, drivers, self.problems, where)
            codes = [str(c.get("code")) for usage in items(item, "usage") for c in codings_of(usage)]
            usage = next((code for code in codes if code in _USAGES), _USAGES[0])
            if made is not None:
                found.append(SupplementalData(name, usage, made))
        return tuple(found)

    def _definition(
        self,
        key: tuple[str, str | None],
        drivers: Drivers,
        groups: tuple[Group, ...],
        supplemental: tuple[SupplementalData, ...],
    ) -> MeasureDefinition:
        resource = self.measure.resource
        used = {(library.name, library.version) for library in drivers.library.program.libraries.values()}
        texts = {name: text for name, text in drivers.libraries.items() if name in used}
        urls = {
            node for requirement in drivers.library.requirements for node in requirement.value_sets
        } | _value_sets_named(drivers.library)
        value_sets = [
            one.resource
            for one in self.value_sets
            if one.resource["url"] in urls or f"{one.resource['url']}|{one.resource.get('version')}" in urls
        ]
        # A value set may draw on others.
        value_sets = _with_those_drawn_on(value_sets, [one.resource for one in self.value_sets])
        libraries = [
            one.resource
            for one in self.libraries.resources.values()
            if self.libraries.names.get(id(one.resource)) in {key, *texts}
        ]
        name = text_at(resource, "name") or resource["id"]
        return MeasureDefinition(
            id=resource["id"],
            url=resource["url"],
            version=resource["version"],
            name=name,
            title=text_at(resource, "title") or name,
            status=text_at(resource, "status") or "unknown",
            description=text_at(resource, "description") or text_at(resource, "title") or name,
            source=f"{resource['url']}|{resource['version']}",
            scoring=self._scoring() or groups[0].scoring,
            improvement_notation=self._improvement(),
            schedule=None,
            library_name=key[0],
            cql=drivers.cql,
            libraries=MappingProxyType(texts),
            value_sets=tuple(value_sets),
            parameters=MappingProxyType({}),
            groups=groups,
            folder=self.folder / resource["id"] / resource["version"],
            supplemental=supplemental,
            drivers=drivers.text,
            resources=(resource, *libraries, *value_sets),
        )


def _value_sets_named(library: cql_like.Library) -> set[str]:
    """Every value set that any of the libraries refers to."""
    return {
        node.url
        for each in library.program.libraries.values()
        for _, body in walk.bodies(each)
        for node in walk.walk(body)
        if isinstance(node, ir.ValueSetRef)
    }


def _with_those_drawn_on(wanted: Sequence[Resource], known: Sequence[Resource]) -> list[Resource]:
    found = list(wanted)
    for value_set in found:  # grows while it is walked: sets draw on sets that draw on others
        compose = value_set.get("compose")
        parts = [*items(compose, "include"), *items(compose, "exclude")] if isinstance(compose, dict) else []  # pyright: ignore[reportUnknownArgumentType]
        urls = {str(url).partition("|")[0] for part in parts for url in part.get("valueSet", ())}
        found += [one for one in known if one["url"] in urls and one not in found]
    return found


def version_order(version: str | None) -> list[tuple[bool, int, str]]:
    """Versions in the order that people mean: numbers as numbers, none before all."""
    return [
        (part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in re.split(r"[.\-+]", version or "")
    ]


def _listed(keys: Iterable[tuple[str, str | None]]) -> str:
    return ", ".join(f"{url}|{version}" if version else url for url, version in sorted(keys, key=str)) or "none"
