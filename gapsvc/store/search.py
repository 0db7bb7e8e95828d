"""Finding Patients by what US Core lets a client ask: _id, identifier, name, birthdate, gender; in pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gapsvc.records.references import FREELY_TYPED, identifier_value
from gapsvc.store.database import Connected
from gapsvc.store.dialect import rows
from gapsvc.store.names import starts_with
from gapsvc.store.reading import read_records

_HAS_ANY = """EXISTS (
    SELECT 1 FROM identifier i
    WHERE i.source_id = p.source_id AND i.type = 'Patient' AND i.id = p.id AND {})"""
_HAS_VALUE = _HAS_ANY.format("(i.value = ? OR (i.system IN (?*) AND i.value IN (?*)))")
_HAS_IDENTIFIER = _HAS_ANY.format("i.system = ? AND i.value = ?")


@dataclass(frozen=True, slots=True)
class PatientSearch:
    """One page of a search: `total` counts all that match. Each Patient is a person, with the person's id."""

    total: int
    patients: tuple[dict[str, Any], ...]


class Searching(Connected):
    """The store's search side."""

    def search_patients(
        self,
        *,
        ids: Sequence[str] = (),
        identifier: tuple[str | None, str] | None = None,
        name: str | None = None,
        birth_date: str | None = None,
        gender: str | None = None,
        count: int = 20,
        offset: int = 0,
    ) -> PatientSearch:
        """Persons of whom a Patient, of whichever source, matches all that is given; sorted by id, each once.

        `ids` are those of persons. `identifier` is (system, value), system None for any and "" for none; `name` is
        the beginning of any part of a name, without regard to case and accents; `birth_date` is a date, or its
        beginning (year, month).
        """
        where = ["true"]
        values: list[Any] = []
        if ids:
            where.append("pp.person_id IN (?*)")
            values.append(list(ids))
        if identifier is not None:
            system, value = identifier
            if system is None:
                where.append(_HAS_VALUE)
                compared = {identifier_value(one, value) for one in FREELY_TYPED}
                values += [value, sorted(FREELY_TYPED), sorted(compared)]
            else:
                where.append(_HAS_IDENTIFIER)
                values += [system, identifier_value(system, value)]
        if name is not None:
            where.append("p.names LIKE ? ESCAPE '\\'")
            values.append(starts_with(name))
        if birth_date is not None:
            where.append("p.birth_date >= ? AND p.birth_date < ?")
            values += [birth_date, birth_date + "~"]
        if gender is not None:
            where.append("p.gender = ?")
            values.append(gender)
        matching = (
            "FROM patient p JOIN person_patient pp ON pp.source_id = p.source_id AND pp.patient_id = p.id "
            f"WHERE {' AND '.join(where)}"
        )
        with self._reading() as connection:
            total = rows(connection, f"SELECT count(DISTINCT pp.person_id) {matching}", *values)[0][0]
            found = rows(
                connection,
                f"SELECT DISTINCT pp.person_id {matching} ORDER BY pp.person_id LIMIT ? OFFSET ?",
                *values,
                count,
                offset,
            )
            records = read_records(connection, [row[0] for row in found], ["Patient"], self._code_maps)
        return PatientSearch(total, tuple(dict(record.patient) for record in records))
