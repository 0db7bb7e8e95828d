"""A row of a delimited file -> a Patient and the resources that the mapping makes of it, or what is wrong. Pure.

A row is taken whole or not at all. Ids are digests of the columns that name the row (`id`), so that a row that comes
again has the same id in every run; the Patient's is one of identifier and birth date, which are what links it.
"""

from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

from gapsvc.records.references import SUPPLEMENTAL, identifier_value
from gapsvc.supplemental.formats import is_formula, number, shape, unguarded
from gapsvc.supplemental.kinds import PERSON_FIELDS, FieldKind, JsonObject, Reading, Values, quantity
from gapsvc.supplemental.mapping import Cell, Mapping, ResourceMapping

# Of two that say the same the least id is taken: a person is called by that Patient (gapsvc.records.linking), of two
# visits on a day that one counts. What an EHR recorded goes before what is reported of it, so these ids come last.
_LAST = "zz-"
_TEXT_LIMIT = 200  # characters of a name or number; longer is no such thing


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with one cell: its column (by its place, from 1, and name) and words without the value."""

    code: str
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class Converted:
    """What a row came to. With flaws nothing else of it is used.

    `ids` are (type, id) of what the row is, known even of a flawed row where its id columns can be read; `type` is the
    resource type that a flawed row would have been, None where that can't be told.
    """

    patient: JsonObject | None = None
    resources: tuple[JsonObject, ...] = ()
    flaws: tuple[Flaw, ...] = ()
    ids: tuple[tuple[str, str], ...] = ()
    type: str | None = None
    passed: bool = False  # a row that the mapping leaves alone

    @property
    def person(self) -> tuple[str, str] | None:
        """(identifier value, birth date) of whom the row is about; None of a flawed row."""
        if self.patient is None:
            return None
        return self.patient["identifier"][0]["value"], self.patient["birthDate"]


@dataclass(slots=True)
class _Reader:
    """One row's cells by column, and the flaws found in them."""

    places: Table[str, int]
    cells: Sequence[str]
    empty: frozenset[str]
    flaws: list[Flaw] = field(default_factory=list[Flaw])

    def text(self, column: str) -> str:
        found = unguarded(self.cells[self.places[column]])
        return "" if found in self.empty else found

    def flaw(self, code: str, column: str, text: str) -> None:
        self.flaws.append(Flaw(code, self.places[column] + 1, f"{column}: {text}"))

    def given(self, cell: Cell) -> str:
        """The cell's text, translated; empty where nothing is known, or where it can't be (then with a flaw)."""
        if cell.column is None:
            return cell.constant or ""
        text = self.text(cell.column)
        if text and cell.translate is not None:
            translated = cell.translate.get(text)
            if translated is None:
                self.flaw("not-in-table", cell.column, f"{shape(text)} is not in the mapping's translation table")
                return ""
            return translated
        return text


class RowConverter:
    """Rows of one file to resources.

    Args:
        mapping: what the columns mean.
        source: the source's name: it stands in meta.source.
        places: column -> its place in the rows, from 0.
    """

    def __init__(self, mapping: Mapping, source: str, places: Table[str, int]) -> None:
        self._mapping = mapping
        self._places = places
        self._meta = {"source": source_uri(source), "tag": [dict(SUPPLEMENTAL)]}

    def convert(self, cells: Sequence[str]) -> Converted:
        """What one row comes to; `cells` are as many as the heading's."""
        reader = _Reader(self._places, cells, self._mapping.layout.empty)
        chosen = [one for one in self._mapping.resources if _applies(one, reader)]
        if not chosen:
            if self._mapping.others == "pass":
                return Converted(passed=True)
            flaw = Flaw("no-kind", 1, "no [[resource]] of the mapping takes this row (others = 'pass' leaves such out)")
            return Converted(flaws=(flaw,))
        patient = self._patient(reader)
        ids: list[tuple[str, str]] = [] if patient is None else [("Patient", patient["id"])]
        resources: list[JsonObject] = []
        for one in chosen:
            row_id = None if one.kind.person is None else _row_id(one, reader)
            if row_id is not None:
                ids.append((one.kind.type, row_id))
            values = _values(one.fields, one.kind.fields, reader)
            if values is not None and row_id is not None and patient is not None and one.kind.person is not None:
                resources.append(
                    {
                        "resourceType": one.kind.type,
                        "id": row_id,
                        "meta": self._meta,
                        one.kind.person: {"reference": f"Patient/{patient['id']}"},
                        **one.kind.build(values),
                    }
                )
        if reader.flaws:
            return Converted(flaws=tuple(reader.flaws), ids=tuple(ids), type=chosen[0].kind.type)
        return Converted(patient=patient, resources=tuple(resources), ids=tuple(ids), type=chosen[0].kind.type)

    def _patient(self, reader: _Reader) -> JsonObject | None:
        person = self._mapping.person
        value = identifier_value(person.system, reader.text(person.identifier))
        if not value:
            reader.flaw("no-identifier", person.identifier, "empty; expected the person's identifier")
        elif not _plain(value):
            reader.flaw("no-identifier", person.identifier, f"{shape(value)} is no identifier")
            value = ""
        values = _values(person.fields, PERSON_FIELDS, reader)
        if values is None or not value:
            return None
        born: str = values["birth_date"]
        if len(born) != 10:
            column = person.fields["birth_date"][0].column or person.identifier
            reader.flaw("invalid-date", column, "a whole birth date is needed to tell who the row is about")
            return None
        found: JsonObject = {
            "resourceType": "Patient",
            "id": _digest("Patient", person.system, value, born),
            "meta": self._meta,
            "identifier": [{"system": person.system, "value": value}],
            "birthDate": born,
        }
        name = {key: values[key] for key in ("family",) if key in values}
        if "given" in values:
            name["given"] = values["given"]
        if name:
            found["name"] = [name]
        if "gender" in values:
            found["gender"] = values["gender"]
        if "postal_code" in values:
            found["address"] = [{"postalCode": values["postal_code"]}]
        if "deceased" in values:
            found["deceasedDateTime"] = values["deceased"]
        return found


def source_uri(source: str) -> str:
    """`meta.source` of what a supplemental source reports: a URI of its name."""
    return f"urn:gapsvc:source:{quote(source, safe='')}"


def _digest(*parts: str) -> str:
    # A length before each part: ("a", "bc") and ("ab", "c") are two keys.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return _LAST + blake2b(text.encode(), digest_size=16).hexdigest()


def _applies(one: ResourceMapping, reader: _Reader) -> bool:
    return all(pattern.fullmatch(reader.text(column)) for column, pattern in one.when)


def _row_id(one: ResourceMapping, reader: _Reader) -> str | None:
    parts = [reader.text(column) for column in one.id]
    if not any(parts):
        reader.flaw("no-id", one.id[0], f"empty, as is every column that names the row ({', '.join(one.id)})")
        return None
    return _digest(one.kind.type, one.name, *parts)


def _values(fields: Table[str, tuple[Cell, ...]], kinds: Table[str, FieldKind], reader: _Reader) -> Values | None:
    """The fields' values; None where one is flawed (its flaw is noted)."""
    before = len(reader.flaws)
    found: dict[str, Any] = {}
    for name, cells in fields.items():
        kind = kinds[name]
        known = [value for cell in cells if (value := _value(cell, kind, reader)) is not None]
        if known:
            found[name] = known if kind.reading is Reading.CODE or kind.many else known[0]
        elif kind.required and len(reader.flaws) == before:
            column = next((cell.column for cell in cells if cell.column is not None), None)
            if column is not None:
                reader.flaw("missing", column, f"empty; expected {kind.meaning.split(',')[0]}")
    return found if len(reader.flaws) == before else None


def _value(cell: Cell, kind: FieldKind, reader: _Reader) -> Any:
    """One cell's value; None where it is empty or flawed."""
    text = reader.given(cell)
    if not text:
        return None
    value = _read(text, cell, kind)
    if value is None and cell.column is not None:
        code, expected = _flaw(cell, kind)
        reader.flaw(code, cell.column, f"{shape(text)} can't be read; expected {expected}")
    return value


def _read(text: str, cell: Cell, kind: FieldKind) -> Any:
    """The value of a text; None where it is none."""
    match kind.reading:
        case Reading.DAY:
            for _pattern, read in cell.days:
                if (day := read(text)) is not None:
                    return day
            return None
        case Reading.CODE if cell.system is not None:
            code = cell.system.read(text)
            return None if code is None else {"system": cell.system.uri, "code": code}
        case Reading.NUMBER:
            found = number(text)
            return None if found is None else quantity(*found, cell.unit)
        case Reading.CHOICE:
            return text if text in kind.choices else None
        case Reading.FLAG:
            return {"true": True, "false": False}.get(text)
        case _:
            line = " ".join(text.split())  # an address of several lines, a blank that doesn't break
            return line if _plain(line) else None


def _flaw(cell: Cell, kind: FieldKind) -> tuple[str, str]:
    """The code of the flaw of a cell that can't be read, and what was expected."""
    match kind.reading:
        case Reading.DAY:
            return "invalid-date", " or ".join(pattern for pattern, _read in cell.days)
        case Reading.CODE if cell.system is not None:
            return "invalid-code", cell.system.expected
        case Reading.NUMBER:
            return "invalid-number", "a number, e.g. 4.2 or <1"
        case Reading.CHOICE | Reading.FLAG:
            return "invalid-code", f"one of {', '.join(kind.choices)}"
        case _:
            return "invalid-text", "a short text that no spreadsheet would run"


def _plain(text: str) -> bool:
    return len(text) <= _TEXT_LIMIT and not is_formula(text) and text.isprintable()
