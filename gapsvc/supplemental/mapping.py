"""A mapping file: which columns of a delimited file mean what. Read from TOML and checked whole before any row is.

docs/supplemental.md describes every key; `mappings/*.toml` are ready ones. All problems are told at once, each with the
file and the key.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from gapsvc.supplemental.csvfile import Layout
from gapsvc.supplemental.formats import CodeSystem, DayReader, code_system, day_reader, number
from gapsvc.supplemental.kinds import KINDS, PERSON_FIELDS, FieldKind, Kind, Reading

SHIPPED = Path(__file__).parent / "mappings"
UNMATCHED = ("keep", "report")


class MappingError(ValueError):
    """A mapping that can't be used; one problem a line."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a value comes from: a column (or a constant), and how it is read."""

    column: str | None
    constant: str | None = None
    system: CodeSystem | None = None
    days: tuple[tuple[str, DayReader], ...] = ()  # (format, its reader), in the order in which they are tried
    translate: Table[str, str] | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceMapping:
    """One kind of resource that rows become. `id`: columns that name the row over time; `when`: column -> what its
    whole value must match for a row to become this."""

    name: str
    kind: Kind
    id: tuple[str, ...]
    when: tuple[tuple[str, re.Pattern[str]], ...]
    fields: Table[str, tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class PersonMapping:
    """Who a row is about. `unmatched`: a row of nobody in the store is kept (with its own Patient), or reported."""

    system: str
    identifier: str
    fields: Table[str, tuple[Cell, ...]]
    unmatched: str


@dataclass(frozen=True, slots=True)
class Mapping:
    """A whole mapping. `others`: what happens to rows that no resource takes, `refuse` or `pass`."""

    name: str
    title: str
    source: str
    layout: Layout
    person: PersonMapping
    resources: tuple[ResourceMapping, ...]
    others: str

    @property
    def types(self) -> tuple[str, ...]:
        """The resource types that rows become, Patient first."""
        made = dict.fromkeys(one.kind.type for one in self.resources)
        return tuple(dict.fromkeys(("Patient", *made)))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read, each once."""
        found: dict[str, None] = {self.person.identifier: None}
        fields = [self.person.fields, *(one.fields for one in self.resources)]
        for cells in (cells for part in fields for cells in part.values()):
            found.update((cell.column, None) for cell in cells if cell.column is not None)
        for one in self.resources:
            found.update(dict.fromkeys(one.id))
            found.update((column, None) for column, _pattern in one.when)
        return tuple(found)


def shipped_mappings() -> dict[str, Path]:
    """The ready mappings by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}


def read_mapping(named: str) -> Mapping:
    """The mapping of that name among the ready ones, or in the file of that path.

    Raises:
        MappingError: with every problem, each with file and key.
    """
    path = shipped_mappings().get(named) or Path(named)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        ready = ", ".join(shipped_mappings())
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise MappingError(f"{path}: {why}. Give a mapping file, or one of the ready ones: {ready}") from error
    return mapping_of(text, path.stem, str(path))


def mapping_of(text: str, name: str, where: str) -> Mapping:
    """The mapping that a TOML text describes; `where` names it in problems.

    Raises:
        MappingError: with every problem.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"{where}: {error}") from error
    reading = _Reading(where)
    made = reading.mapping(name, data)
    if reading.problems or made is None:
        raise MappingError("\n".join(reading.problems))
    return made


class _Reading:
    """Reads one mapping and collects its problems, each as `FILE: KEY: what was expected`."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.problems: list[str] = []
        self.tables: dict[str, Table[str, str]] = {}

    def problem(self, key: str, text: str) -> None:
        self.problems.append(f"{self.where}: {key}: {text}")

    def mapping(self, name: str, data: Table[str, Any]) -> Mapping | None:
        self.known("", data, ("title", "source", "others", "file", "person", "resource", "translate"))
        self.translations(self.table("translate", data.get("translate", {})))
        layout = self.layout(self.table("file", data.get("file", {})))
        person = self.person(self.table("person", data.get("person", {})))
        resources = self.resources(data.get("resource"))
        others = self.choice("others", data.get("others", "refuse"), ("refuse", "pass"))
        title = self.text("title", data.get("title"))
        source = self.text("source", data.get("source"))
        if self.problems:
            return None
        return Mapping(name, title, source, layout, person, resources, others)

    # -- parts ---------------------------------------------------------------------------------------------------

    def layout(self, data: Table[str, Any]) -> Layout:
        self.known("file", data, ("delimiter", "encoding", "quote", "empty"))
        delimiter = self.text("file.delimiter", data.get("delimiter", ","))
        quote = data.get("quote", '"')
        encoding = self.text("file.encoding", data.get("encoding", "utf-8"))
        empty = data.get("empty", [])
        if len(delimiter) != 1 or delimiter in "\r\n\"'":
            self.problem("file.delimiter", r"expected one character, e.g. ',' or '|' or '\t'")
        if not isinstance(quote, str) or len(quote) > 1 or (quote and quote in delimiter + "\r\n"):
            self.problem("file.quote", "expected one character, or '' where nothing is quoted")
            quote = '"'
        try:
            "a".encode(encoding)  # Python also calls things encodings that are none of text (hex), and
            b"\xff".decode(encoding, "replace")  # knows some that stop at bytes which they don't know (idna)
        except (LookupError, UnicodeError):
            self.problem("file.encoding", "no such encoding; expected e.g. utf-8, cp1252, utf-16")
        if not _is_texts(empty):
            self.problem("file.empty", "expected a list of texts that mean nothing is known, e.g. ['NULL']")
            empty = []
        return Layout(delimiter, encoding, quote, frozenset(cast("list[str]", empty)))

    def person(self, data: Table[str, Any]) -> PersonMapping:
        own = ("system", "identifier", "unmatched")
        self.known("person", data, (*own, *PERSON_FIELDS))
        system = self.text("person.system", data.get("system"))
        if system and not re.fullmatch(r"(?:https?://|urn:)\S+", system):
            self.problem("person.system", "expected the URI of an identifier system, as in linking.person_systems")
        identifier = self.text("person.identifier", data.get("identifier"))
        fields = {name: value for name, value in data.items() if name not in own}
        unmatched = self.choice("person.unmatched", data.get("unmatched", "report"), UNMATCHED)
        return PersonMapping(system, identifier, self.fields("person", fields, PERSON_FIELDS), unmatched)

    def resources(self, data: Any) -> tuple[ResourceMapping, ...]:
        if not isinstance(data, list) or not data:
            self.problem("resource", "expected at least one [[resource]]: what rows become")
            return ()
        found: list[ResourceMapping] = []
        for place, item in enumerate(cast("list[Any]", data), 1):
            one = self.resource(f"resource {place}", self.table(f"resource {place}", item))
            if one is not None:
                found.append(one)
        names = [one.name for one in found]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.problem("resource", f"two are called {name!r}: give each a name of its own (its ids depend on it)")
        return tuple(found)

    def resource(self, key: str, data: Table[str, Any]) -> ResourceMapping | None:
        self.known(key, data, ("kind", "name", "id", "when", "fields"))
        kind = KINDS.get(self.choice(f"{key}.kind", data.get("kind"), tuple(KINDS)))
        if kind is None:
            return None
        columns = data.get("id")
        if not _is_texts(columns) or not columns:
            self.problem(f"{key}.id", "expected a list of the columns that name a row over time, e.g. ['RECORD_ID']")
            columns = []
        when: list[tuple[str, re.Pattern[str]]] = []
        for column, pattern in self.table(f"{key}.when", data.get("when", {})).items():
            try:
                when.append((column, re.compile(pattern)))
            except (re.error, TypeError):
                self.problem(f"{key}.when.{column}", "expected a regular expression that the whole value must match")
        return ResourceMapping(
            name=self.text(f"{key}.name", data.get("name", data["kind"])),
            kind=kind,
            id=tuple(cast("list[str]", columns)),
            when=tuple(when),
            fields=self.fields(f"{key}.fields", self.table(f"{key}.fields", data.get("fields", {})), kind.fields),
        )

    def fields(self, key: str, data: Table[str, Any], kinds: Table[str, FieldKind]) -> Table[str, tuple[Cell, ...]]:
        if not key.startswith("person"):
            self.known(key, data, tuple(kinds))
        found: dict[str, tuple[Cell, ...]] = {}
        for name, kind in kinds.items():
            if name not in data:
                if kind.required:
                    self.problem(f"{key}.{name}", f"missing; expected {kind.meaning}")
                continue
            given: Any = data[name]
            several = isinstance(given, list)
            if several and not kind.many:
                self.problem(f"{key}.{name}", "expected one column, not a list")
                continue
            items = cast("list[Any]", given) if several else [given]
            if not items:
                self.problem(f"{key}.{name}", f"expected at least one column: {kind.meaning}")
            cells = [self.cell(f"{key}.{name}", item, kind) for item in items]
            found[name] = tuple(cell for cell in cells if cell is not None)
        return MappingProxyType(found)

    def cell(self, key: str, data: Any, kind: FieldKind) -> Cell | None:
        if isinstance(data, str):
            data = {"column": data}
        if not isinstance(data, dict):
            self.problem(key, "expected a column's name, or a table such as { column = 'DOB', format = 'MM/DD/YYYY' }")
            return None
        table = cast("dict[str, Any]", data)
        allowed = ["column", "constant", "translate"]
        allowed += {Reading.DAY: ["format"], Reading.CODE: ["system"], Reading.NUMBER: ["unit"]}.get(kind.reading, [])
        self.known(key, table, allowed)
        if ("column" in table) == ("constant" in table):
            self.problem(key, "expected either a column or a constant")
            return None
        system = self.system(key, table.get("system")) if kind.reading is Reading.CODE else None
        days = self.formats(key, table.get("format", "YYYY-MM-DD")) if kind.reading is Reading.DAY else ()
        return Cell(
            column=self.text(f"{key}.column", table["column"]) if "column" in table else None,
            constant=self.constant(key, table, kind, system, days) if "constant" in table else None,
            system=system,
            days=days,
            translate=self.translation(key, table.get("translate"), kind),
            unit=self.text(f"{key}.unit", table["unit"]) if "unit" in table else None,
        )

    # -- values --------------------------------------------------------------------------------------------------

    def constant(
        self,
        key: str,
        table: Table[str, Any],
        kind: FieldKind,
        system: CodeSystem | None,
        days: Sequence[tuple[str, DayReader]],
    ) -> str:
        value = self.text(f"{key}.constant", table["constant"])
        if kind.choices and value not in kind.choices:
            self.problem(f"{key}.constant", f"expected one of {', '.join(kind.choices)}")
        if value and days and not any(read(value) for _pattern, read in days):
            self.problem(f"{key}.constant", f"expected a day as {' or '.join(pattern for pattern, _read in days)}")
        if value and system is not None and system.read(value) is None:
            self.problem(f"{key}.constant", f"expected a code of its system: {system.expected}")
        if value and kind.reading is Reading.NUMBER and number(value) is None:
            self.problem(f"{key}.constant", "expected a number, e.g. 4.2")
        return value

    def system(self, key: str, value: Any) -> CodeSystem | None:
        found = code_system(value) if isinstance(value, str) else None
        if found is None:
            self.problem(f"{key}.system", "expected a code system: cvx, cpt, icd-10-cm, loinc, ... or a URI")
        return found

    def formats(self, key: str, value: Any) -> tuple[tuple[str, DayReader], ...]:
        given = cast("list[Any]", value) if isinstance(value, list) else [value]
        if not given:
            self.problem(f"{key}.format", "expected a text such as 'MM/DD/YYYY', or several")
        found: list[tuple[str, DayReader]] = []
        for one in given:
            try:
                found.append((one, day_reader(one)))
            except (TypeError, ValueError) as error:
                text = str(error) if isinstance(error, ValueError) else "expected a text such as 'MM/DD/YYYY'"
                self.problem(f"{key}.format", text)
        return tuple(found)

    def translations(self, data: Table[str, Any]) -> None:
        for name, table in data.items():
            rows = self.table(f"translate.{name}", table)
            if not all(isinstance(value, str) for value in rows.values()):
                self.problem(f"translate.{name}", "expected texts: what the file writes = what it means")
            self.tables[name] = MappingProxyType({str(key): str(value) for key, value in rows.items()})

    def translation(self, key: str, name: Any, kind: FieldKind) -> Table[str, str] | None:
        if name is None:
            return None
        if not isinstance(name, str) or name not in self.tables:
            self.problem(f"{key}.translate", f"there is no such table{_suggestion(str(name), self.tables)}")
            return None
        table = self.tables[name]
        wrong = sorted({value for value in table.values() if kind.choices and value not in kind.choices})
        if wrong:
            text = f"{', '.join(wrong)} can't stand here; expected one of {', '.join(kind.choices)}"
            self.problem(f"translate.{name}", text)
        return table

    def table(self, key: str, value: Any) -> Table[str, Any]:
        if isinstance(value, dict):
            return cast("dict[str, Any]", value)
        self.problem(key, "expected a table")
        return {}

    def text(self, key: str, value: Any) -> str:
        if isinstance(value, str) and value:
            return value
        self.problem(key, "expected a text" if value is not None else "missing; expected a text")
        return ""

    def choice(self, key: str, value: Any, options: Sequence[str]) -> str:
        if value in options:
            return value
        self.problem(key, f"expected one of {', '.join(options)}")
        return ""

    def known(self, key: str, data: Table[str, Any], names: Iterable[str]) -> None:
        options = list(names)
        for name in data:
            if name not in options:
                at = f"{key}.{name}" if key else name
                self.problem(at, f"unknown key{_suggestion(name, options)}")


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in cast("list[Any]", value))


def _suggestion(name: str, known: Iterable[str]) -> str:
    options = list(known)
    close = difflib.get_close_matches(name, options, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; expected one of {', '.join(options)}" if options else ""
