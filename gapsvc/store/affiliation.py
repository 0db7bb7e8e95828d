"""Who belongs to an organization or a practitioner: persons by what their Patient and their encounters name.

An organization has its parts with it (FHIR R4 Organization.partOf): who asks for a network means its clinics too.
"""

from collections import defaultdict

import orjson
import sqlalchemy as sa

from gapsvc.records.references import literal
from gapsvc.store import tables as t
from gapsvc.store.dialect import rows

_ORGANIZATIONS = (
    "SELECT source_id, id, body FROM resource "
    "WHERE source_id IN (SELECT id FROM source) AND type = 'Organization' ORDER BY seq"
)


def affiliated(connection: sa.Connection, kind: str, ref_id: str) -> sa.Select[str]:
    """The query for the persons that belong to an Organization (with its parts) or a Practitioner, by its id."""
    a, pp = t.affiliation, t.person_patient
    named = sa.and_(a.c.kind == kind, a.c.ref_id == ref_id)
    if kind == "Organization":
        parts = (
            sa.and_(a.c.kind == kind, a.c.source_id == source_id, a.c.ref_id.in_(sorted(ids)))
            for source_id, ids in sorted(_parts(connection, ref_id).items())
        )
        named = sa.or_(named, *parts)
    return (
        sa.select(pp.c.person_id)
        .join(a, sa.and_(a.c.source_id == pp.c.source_id, a.c.patient_id == pp.c.patient_id))
        .where(named)
    )


def _parts(connection: sa.Connection, ref_id: str) -> dict[int, set[str]]:
    """What is below an organization, at any depth, per source: the same id may be another organization elsewhere."""
    below: dict[tuple[int, str], list[str]] = defaultdict(list)
    sources: set[int] = set()
    for source_id, organization_id, body in rows(connection, _ORGANIZATIONS):
        parent = literal(orjson.loads(body).get("partOf"))
        if parent is not None and parent[0] == "Organization":
            below[source_id, parent[1]].append(organization_id)
            sources.add(source_id)
    found: dict[int, set[str]] = {}
    for source_id in sources:
        reached = {ref_id}  # an organization that is part of itself must not be followed for ever
        waiting = [ref_id]
        while waiting:
            fresh = set(below.get((source_id, waiting.pop()), ())) - reached
            reached |= fresh
            waiting.extend(sorted(fresh))
        if len(reached) > 1:
            found[source_id] = reached
    return found
