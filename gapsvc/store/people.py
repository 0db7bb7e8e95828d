"""The pull's end step: patients whose records changed are linked into persons, anew and only they.

The rules are `gapsvc.records.linking`; here is which rows they need and which they change. Whatever hangs together
with a changed patient (the persons they were in, an identifier or a link shared, their mother or baby) is taken
along, so that doing it piece by piece comes to the same as doing it at once (a test holds them together).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from gapsvc.records.linking import (
    Baby,
    Identity,
    PatientKey,
    candidate_ids,
    is_newborn_visit,
    link_patients,
    newborn_visits,
    person_ids,
)
from gapsvc.records.record import Finding
from gapsvc.records.references import affiliations, encounter_id_of, is_supplemental
from gapsvc.store.dialect import chunks, many, rows, run

JsonObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LinkCounts:
    """What linking did: persons whose record changed, of them those new, and what can't be placed.

    `orphans` are patients that resources name but whose Patient was never received.
    """

    persons: int = 0
    new_persons: int = 0
    conflicts: int = 0
    newborn_visits: int = 0
    orphans: int = 0


class _Attributed(NamedTuple):
    source_id: int
    type: str
    id: str
    person_id: str
    from_person_id: str


def link_touched(connection: sa.Connection, systems: Collection[str]) -> LinkCounts:
    """Link every touched patient; afterwards none is touched."""
    _keep_systems(connection, systems)
    names = {row[0]: row[1] for row in rows(connection, "SELECT id, name FROM source ORDER BY id")}
    ids = {name: source_id for source_id, name in names.items()}
    touched = {
        PatientKey(names[row[0]], row[1]) for row in rows(connection, "SELECT source_id, patient_id FROM touched")
    }
    if not touched:
        return LinkCounts()
    work = _Work(connection, names, ids)
    revision = rows(connection, "SELECT coalesce(max(id), 0) FROM pull")[0][0]
    closure = work.closure(touched)
    identities = work.identities(closure)
    linkage = link_patients(identities, systems)
    before = work.persons_of(closure)
    after = person_ids(
        linkage.persons,
        list(ids),
        current=before,
        taken=work.taken(linkage.persons, set(before.values())),
        supplemental=_supplemental(connection),
    )
    changed = {after[key] for key in touched if key in after}
    changed |= {after[key] for key in after if before.get(key) != after[key]}
    changed |= {before[key] for key in before if after.get(key) != before[key]} & set(after.values())
    new = set(after.values()) - set(before.values())
    work.save_persons(before, after, changed, revision)
    work.save_findings(
        set(after.values()),
        "identity-conflict",
        [(after[key], found) for key, all_found in linkage.findings.items() for found in all_found],
    )
    work.save_affiliations(touched)
    attributed, moved = work.attribute(set(after.values()), set(closure))
    work.revise(moved, revision)
    run(connection, "DELETE FROM touched")
    return LinkCounts(
        persons=len(changed | moved),
        new_persons=len(new),
        conflicts=len(linkage.findings),
        newborn_visits=attributed,
        orphans=len(touched - {one.key for one in identities} - work.deleted(touched)),
    )


def _supplemental(connection: sa.Connection) -> set[str]:
    """The sources that were imported: what one Patient of a source says holds for all (an import refuses the name of
    a source that was pulled)."""
    return {
        row[0]
        for row in rows(
            connection,
            "SELECT s.name, r.body FROM source s JOIN resource r ON r.source_id = s.id AND r.type = 'Patient' "
            "AND r.id = (SELECT min(p.id) FROM patient p WHERE p.source_id = s.id)",
        )
        if is_supplemental(orjson.loads(row[1]))
    }


def _keep_systems(connection: sa.Connection, systems: Collection[str]) -> None:
    # With other person-level systems than last time, every link is to be made again.
    kept = {row[0] for row in rows(connection, "SELECT system FROM person_system")}
    if kept != set(systems):
        run(connection, "DELETE FROM person_system")
        many(connection, "INSERT INTO person_system (system) VALUES (?)", [(system,) for system in sorted(systems)])
        run(
            connection,
            "INSERT INTO touched (source_id, patient_id) SELECT source_id, id FROM patient WHERE true "
            "ON CONFLICT DO NOTHING",
        )


# The patients that hang together with those given (places: source, ids).
_NEIGHBOURS = (
    """
    SELECT b.source_id, b.patient_id
    FROM person_patient a JOIN person_patient b ON b.person_id = a.person_id
    WHERE a.source_id = ? AND a.patient_id IN (?*)
    """,
    """
    SELECT b.source_id, b.id
    FROM identifier a JOIN person_system s ON s.system = a.system
    JOIN identifier b ON b.value = a.value AND b.system = a.system AND b.type = 'Patient'
    WHERE a.source_id = ? AND a.type = 'Patient' AND a.id IN (?*)
    """,
    "SELECT source_id, other_id FROM link WHERE source_id = ? AND patient_id IN (?*)",
    "SELECT source_id, patient_id FROM link WHERE source_id = ? AND other_id IN (?*)",
)
# (baby's source and Patient, mother's source and Patient) by either end.
_FAMILY = """
    SELECT m.source_id, m.patient_id, p.source_id, p.id
    FROM mother m
    JOIN identifier r ON r.source_id = m.source_id AND r.type = 'RelatedPerson' AND r.id = m.id
    JOIN identifier p ON p.value = r.value AND p.system = r.system AND p.type = 'Patient'
    WHERE """
_FAMILY_OF_BABY = _FAMILY + "m.source_id = ? AND m.patient_id IN (?*)"
_FAMILY_OF_MOTHER = _FAMILY + "p.source_id = ? AND p.id IN (?*)"


class _Work:
    """One run's connection and the names of the sources."""

    def __init__(self, connection: sa.Connection, names: Mapping[int, str], ids: Mapping[str, int]) -> None:
        self._connection = connection
        self._names = names
        self._ids = ids

    def _by_source(self, keys: Iterable[PatientKey]) -> Iterator[tuple[int, list[str]]]:
        by_source: dict[str, list[str]] = {}
        for key in sorted(keys):
            by_source.setdefault(key.source, []).append(key.id)
        for name, found in by_source.items():
            for chunk in chunks(found):
                yield self._ids[name], chunk

    def _select(self, sql: str, keys: Iterable[PatientKey]) -> Iterator[Any]:
        for source_id, chunk in self._by_source(keys):
            yield from rows(self._connection, sql, source_id, chunk)

    def closure(self, keys: set[PatientKey]) -> set[PatientKey]:
        """`keys` and all that hang together with them."""
        found = set(keys)
        frontier = found
        while frontier:
            reached = {
                PatientKey(self._names[row[0]], row[1]) for sql in _NEIGHBOURS for row in self._select(sql, frontier)
            }
            frontier = reached - found
            found = found | frontier
        return found

    def identities(self, keys: Collection[PatientKey]) -> list[Identity]:
        """Who these patients are; those whose Patient is not there are left out."""
        known: dict[PatientKey, set[tuple[str, str]]] = {}
        links: dict[PatientKey, list[tuple[str, str]]] = {}
        for row in self._select(
            "SELECT source_id, id, system, value FROM identifier "
            "WHERE type = 'Patient' AND source_id = ? AND id IN (?*)",
            keys,
        ):
            known.setdefault(PatientKey(self._names[row[0]], row[1]), set()).add((row[2], row[3]))
        for row in self._select(
            "SELECT source_id, patient_id, kind, other_id FROM link WHERE source_id = ? AND patient_id IN (?*)",
            keys,
        ):
            links.setdefault(PatientKey(self._names[row[0]], row[1]), []).append((row[2], row[3]))
        return [
            Identity(key, row[2], frozenset(known.get(key, ())), tuple(sorted(links.get(key, ()))))
            for row in self._select(
                "SELECT source_id, id, birth_date FROM patient WHERE source_id = ? AND id IN (?*)", keys
            )
            for key in (PatientKey(self._names[row[0]], row[1]),)
        ]

    def persons_of(self, keys: Collection[PatientKey]) -> dict[PatientKey, str]:
        """The person of each patient that has one."""
        return {
            PatientKey(self._names[row[0]], row[1]): row[2]
            for row in self._select(
                "SELECT source_id, patient_id, person_id FROM person_patient "
                "WHERE source_id = ? AND patient_id IN (?*)",
                keys,
            )
        }

    def taken(self, persons: Iterable[Collection[PatientKey]], own: set[str]) -> set[str]:
        """Ids of other persons that a Patient id of these persons could collide with."""
        wanted = sorted({name for person in persons for key in person for name in islice(candidate_ids(key), 4)})
        return {
            row[0]
            for chunk in chunks(wanted)
            for row in rows(self._connection, "SELECT id FROM person WHERE id IN (?*)", chunk)
        } - own

    def deleted(self, keys: Collection[PatientKey]) -> set[PatientKey]:
        """Those that no resource names any more."""
        named = {
            PatientKey(self._names[row[0]], row[1])
            for row in self._select(
                "SELECT DISTINCT source_id, patient_id FROM resource WHERE source_id = ? AND patient_id IN (?*)",
                keys,
            )
        }
        return set(keys) - named

    def save_persons(
        self,
        before: Mapping[PatientKey, str],
        after: Mapping[PatientKey, str],
        changed: Collection[str],
        revision: int,
    ) -> None:
        """Make persons and their patients as `after` says; a person without patients goes, results and all."""
        many(
            self._connection,
            "INSERT INTO person (id, revision) VALUES (?, ?) "
            "ON CONFLICT (id) DO UPDATE SET revision = excluded.revision",
            [(name, revision) for name in sorted(changed)],
        )
        many(
            self._connection,
            "INSERT INTO person_patient (source_id, patient_id, person_id) VALUES (?, ?, ?) "
            "ON CONFLICT (source_id, patient_id) DO UPDATE SET person_id = excluded.person_id",
            [(self._ids[key.source], key.id, name) for key, name in sorted(after.items()) if before.get(key) != name],
        )
        many(
            self._connection,
            "DELETE FROM person_patient WHERE source_id = ? AND patient_id = ?",
            [(self._ids[key.source], key.id) for key in sorted(before) if key not in after],
        )
        many(
            self._connection,
            "DELETE FROM person WHERE id = ?",
            [(name,) for name in sorted(set(before.values()) - set(after.values()))],
        )

    def revise(self, persons: Collection[str], revision: int) -> None:
        """Note that these persons' records changed."""
        many(
            self._connection,
            "UPDATE person SET revision = ? WHERE id = ?",
            [(revision, name) for name in sorted(persons)],
        )

    def save_findings(self, persons: Collection[str], code: str, findings: Iterable[tuple[str, Finding]]) -> None:
        """Replace these persons' findings of one code."""
        many(
            self._connection,
            "DELETE FROM finding WHERE person_id = ? AND code = ?",
            [(name, code) for name in sorted(persons)],
        )
        many(
            self._connection,
            "INSERT INTO finding (person_id, reference, code, text) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(name, found.reference, found.code, found.text) for name, found in findings],
        )

    def save_affiliations(self, touched: Collection[PatientKey]) -> None:
        """Where the touched patients belong, by their Patient and their Encounters."""
        for source_id, chunk in self._by_source(touched):
            found: set[tuple[int, str, str, str]] = set()
            for row in rows(
                self._connection,
                "SELECT patient_id, body FROM resource "
                "WHERE source_id = ? AND type IN ('Patient', 'Encounter') AND patient_id IN (?*)",
                source_id,
                chunk,
            ):
                found |= {(source_id, row[0], *named) for named in affiliations(orjson.loads(row[1]))}
            run(
                self._connection,
                "DELETE FROM affiliation WHERE source_id = ? AND patient_id IN (?*)",
                source_id,
                chunk,
            )
            many(
                self._connection,
                "INSERT INTO affiliation (source_id, patient_id, kind, ref_id) VALUES (?, ?, ?, ?)",
                sorted(found),
            )

    # -- newborn visits -----------------------------------------------------------------------------------------

    def attribute(self, persons: set[str], patients: set[PatientKey]) -> tuple[int, set[str]]:
        """Attribute newborn visits for these persons and their families: (visits attributed, persons changed)."""
        family, members = self._family(patients | self._mothers_before(persons))
        person_of = self.persons_of(members)
        births = {one.key: one.birth_date or "" for one in self.identities(members)}
        babies: dict[str, set[Baby]] = {}
        for baby, mother in family:
            if baby in births and mother in person_of and person_of[baby] != person_of[mother]:
                babies.setdefault(person_of[mother], set()).add(Baby(person_of[baby], births[baby]))
        after: set[_Attributed] = set()
        findings: list[tuple[str, Finding]] = []
        for mother in sorted(key for key in person_of if person_of[key] in babies):
            name = person_of[mother]
            moved, remarks = self._newborn_rows(mother, name, babies[name])
            after |= moved
            about = sorted({name, *(baby.person_id for baby in babies[name])})
            findings += [(about_one, remark) for remark in remarks for about_one in about]
        everyone = persons | set(person_of.values())
        self.save_findings(everyone, "newborn-visit-ambiguous", findings)
        return sum(row.type == "Encounter" for row in after), self._save_attributed(everyone, after)

    def _family(self, keys: set[PatientKey]) -> tuple[set[tuple[PatientKey, PatientKey]], set[PatientKey]]:
        # (baby, mother) over all their charts, and on to the mother's other babies and the babies' other mothers;
        # and all these charts.
        pairs: set[tuple[PatientKey, PatientKey]] = set()
        known: set[PatientKey] = set()
        frontier = keys
        while frontier:
            known |= frontier
            found = {
                (PatientKey(self._names[row[0]], row[1]), PatientKey(self._names[row[2]], row[3]))
                for sql in (_FAMILY_OF_BABY, _FAMILY_OF_MOTHER)
                for row in self._select(sql, frontier)
            }
            pairs |= found
            relatives = {key for pair in found for key in pair}
            charts = {PatientKey(self._names[row[0]], row[1]) for row in self._select(_NEIGHBOURS[0], relatives)}
            frontier = (relatives | charts) - known
        return pairs, known

    def _mothers_before(self, persons: set[str]) -> set[PatientKey]:
        # Whose record held visits of these persons until now: the relation may be gone today.
        return {
            PatientKey(self._names[row[0]], row[1])
            for chunk in chunks(sorted(persons))
            for row in rows(
                self._connection,
                "SELECT DISTINCT pp.source_id, pp.patient_id FROM attributed a "
                "JOIN person_patient pp ON pp.person_id = a.from_person_id WHERE a.person_id IN (?*)",
                chunk,
            )
        }

    def _newborn_rows(
        self, mother: PatientKey, person_id: str, babies: Collection[Baby]
    ) -> tuple[set[_Attributed], tuple[Finding, ...]]:
        source_id = self._ids[mother.source]
        encounters = [
            found
            for row in rows(
                self._connection,
                "SELECT body FROM resource WHERE type = 'Encounter' AND source_id = ? AND patient_id = ?",
                source_id,
                mother.id,
            )
            if is_newborn_visit(found := orjson.loads(row[0]))
        ]
        found = newborn_visits(encounters, babies)
        moved = {
            _Attributed(source_id, "Encounter", encounter_id, baby, person_id)
            for encounter_id, baby in found.attributed.items()
        }
        if moved:
            for row in rows(
                self._connection,
                "SELECT type, id, body FROM resource WHERE source_id = ? AND patient_id = ? "
                "AND type NOT IN ('Encounter', 'Patient')",
                source_id,
                mother.id,
            ):
                baby = found.attributed.get(encounter_id_of(orjson.loads(row[2])) or "")
                if baby is not None:
                    moved.add(_Attributed(source_id, row[0], row[1], baby, person_id))
        return moved, found.findings

    def _save_attributed(self, affected: set[str], after: set[_Attributed]) -> set[str]:
        before: set[_Attributed] = set()
        for chunk in chunks(sorted(affected)):
            for end in ("person_id", "from_person_id"):
                before |= {
                    _Attributed(*row)
                    for row in rows(
                        self._connection,
                        f"SELECT source_id, type, id, person_id, from_person_id FROM attributed WHERE {end} IN (?*)",  # noqa: S608
                        chunk,
                    )
                }
        many(
            self._connection,
            "DELETE FROM attributed WHERE source_id = ? AND type = ? AND id = ?",
            [row[:3] for row in sorted(before - after)],
        )
        many(
            self._connection,
            "INSERT INTO attributed (source_id, type, id, person_id, from_person_id) VALUES (?, ?, ?, ?, ?)",
            [tuple(row) for row in sorted(after - before)],
        )
        return {name for row in before ^ after for name in (row.person_id, row.from_person_id)}
