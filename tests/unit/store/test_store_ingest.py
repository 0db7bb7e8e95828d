"""Batches: what is new, changed, unchanged, deleted, kept aside; and that the same again changes nothing."""

from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from store_examples import NOON, batch, condition, encounter, everything, mother_of, patient, updated, written

from adapters.base import Batch, Fetched, Rejected
from gapsvc.store import BatchCounts, Store, StoreError
from gapsvc.store.database import open_engine
from gapsvc.store.tables import metadata


def test_new_resources_are_kept_as_they_came(store: Store) -> None:
    visit = encounter("e1", "p1", note="naïve ☃")

    assert written(store, batch("Patient", patient("p1")), batch("Encounter", visit)) == [
        BatchCounts(new=1),
        BatchCounts(new=1),
    ]
    assert store.resource("Encounter", "e1") == visit
    assert store.resource("Encounter", "e1", source="clinic") == visit
    assert store.resource("Encounter", "e1", source="other") is None
    assert store.resource("Encounter", "e2") is None
    assert store.exists("Encounter", "e1")
    assert not store.exists("Encounter", "e2")


def test_the_same_pull_twice_changes_nothing(store: Store, store_url: str) -> None:
    pages = [
        batch(
            "Patient", patient("p1", cin="A"), patient("p2", cin="A", birth_date="2024-01-01"), patient("m", mrn="9")
        ),
        batch("RelatedPerson", mother_of("r1", "p1", "http://clinic.example/mrn", "9")),
        batch("Encounter", encounter("e1", "p1"), encounter("e2", "m", day="2025-01-13")),
        batch("Condition", condition("c1", "m", "e2"), rejected=[Rejected("x:1", "not-json", "no JSON", b"{")]),
    ]
    first = written(store, *pages)
    before = everything(store_url)

    again = written(store, *pages)

    assert everything(store_url) == before
    assert [counts.new for counts in first] == [3, 1, 2, 1]
    assert again == [
        BatchCounts(unchanged=3),
        BatchCounts(unchanged=1),
        BatchCounts(unchanged=2),
        BatchCounts(unchanged=1, quarantined=1),
    ]
    assert len(before["attributed"]) == 2
    assert len(before["finding"]) == 2


def test_a_patient_with_two_birth_dates_in_one_pull_is_counted(store: Store) -> None:
    first, other = patient("p1", birth_date="2025-01-10"), patient("p1", birth_date="2025-01-11")
    assert [
        counts.contradicted
        for counts in written(
            store,
            batch("Patient", first, other, patient("p2")),
            batch("Patient", patient("p2", birth_date="2024-12-31"), patient("p3")),
        )
    ] == [1, 1]
    assert written(store, batch("Patient", first))[0] == BatchCounts(changed=1)  # a correction in a later pull is none


def test_a_changed_resource_replaces_the_old_one(store: Store) -> None:
    written(store, batch("Patient", patient("p1")), batch("Encounter", encounter("e1", "p1")))
    wrong = encounter("e1", "p1", status="entered-in-error")

    assert written(store, batch("Encounter", wrong)) == [BatchCounts(changed=1)]
    assert store.resource("Encounter", "e1") == wrong


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        pytest.param(
            updated(patient("p1"), "2026-01-01T00:00:00Z", "1"),
            updated(patient("p1"), "2026-02-01T00:00:00Z", "2"),
            BatchCounts(unchanged=1),
            id="only a later lastUpdated and versionId",
        ),
        pytest.param(
            patient("p1", gender="female"),
            dict(reversed(patient("p1", gender="female").items())),
            BatchCounts(unchanged=1),
            id="only another order of keys",
        ),
        pytest.param(
            {**patient("p1"), "meta": {"lastUpdated": "2026-01-01T00:00:00Z", "tag": [{"code": "a"}]}},
            {**patient("p1"), "meta": {"lastUpdated": "2026-01-01T00:00:00Z", "tag": [{"code": "b"}]}},
            BatchCounts(changed=1),
            id="another tag is content",
        ),
        pytest.param(patient("p1"), patient("p1", gender="male"), BatchCounts(changed=1), id="another element"),
    ],
)
def test_what_counts_as_a_change(store: Store, before: Any, after: Any, counts: BatchCounts) -> None:
    written(store, batch("Patient", before))

    assert written(store, batch("Patient", after)) == [counts]


def test_within_a_batch_the_last_of_a_resource_counts(store: Store) -> None:
    counts = written(store, batch("Patient", patient("p1", gender="male"), patient("p1", gender="female")))

    assert counts == [BatchCounts(new=1)]
    assert store.resource("Patient", "p1") == patient("p1", gender="female")


def test_the_same_id_in_two_sources_is_two_resources(store: Store) -> None:
    written(store, batch("Patient", patient("p1", gender="male")), source="north")
    written(store, batch("Patient", patient("p1", gender="female")), source="south")

    assert store.resource("Patient", "p1", source="north") == patient("p1", gender="male")
    assert store.resource("Patient", "p1", source="south") == patient("p1", gender="female")


@pytest.mark.parametrize(
    "deletion",
    [
        pytest.param(batch("Encounter", deleted="Encounter/e1 Encounter/unknown"), id="named by the source"),
        pytest.param(
            batch(
                "Encounter",
                {
                    "resourceType": "Bundle",
                    "id": "deleted-1",
                    "type": "transaction",
                    "entry": [
                        {"request": {"method": "DELETE", "url": "Encounter/e1"}},
                        {"request": {"method": "DELETE", "url": "Encounter/unknown"}},
                    ],
                },
            ),
            id="a Bulk Data Bundle of deletions",
        ),
    ],
)
def test_deleted_resources_go(store: Store, deletion: Batch) -> None:
    written(store, batch("Patient", patient("p1")), batch("Encounter", encounter("e1", "p1"), encounter("e2", "p1")))

    assert written(store, deletion) == [BatchCounts(deleted=1)]
    record = store.record("p1")
    assert record is not None
    assert [found["id"] for found in record.resources["Encounter"]] == ["e2"]
    assert not store.exists("Bundle", "deleted-1")


def test_a_deleted_patient_has_no_record_any_more(store: Store) -> None:
    written(store, batch("Patient", patient("p1"), patient("p2")), batch("Encounter", encounter("e1", "p1")))

    written(store, batch("Patient", deleted="Patient/p1"))

    assert store.person_ids() == ["p2"]
    assert store.record("p1") is None


def test_a_rejected_resource_is_kept_whole(store: Store, store_url: str) -> None:
    raw = b'{"resourceType":"Encounter","id":"e1","truncat\x00\xff'
    bad = Rejected("Encounter.ndjson:7", "not-json", "line ends in the middle", raw, "Encounter", "e1")

    assert written(store, batch("Encounter", rejected=[bad])) == [BatchCounts(quarantined=1)]
    (kept,) = store.quarantined()
    assert (kept.source, kept.rejected, kept.resolved) == ("clinic", bad, False)


def test_a_quarantined_resource_that_arrives_in_order_is_resolved(store: Store) -> None:
    bad = Rejected("Encounter.ndjson:7", "too-deep", "nested", b"{}", "Encounter", "e1")
    written(store, batch("Patient", patient("p1")), batch("Encounter", rejected=[bad]))

    written(store, batch("Encounter", encounter("e1", "p1")))
    assert [kept.resolved for kept in store.quarantined()] == [True]

    written(store, batch("Encounter", rejected=[bad]))
    assert [kept.resolved for kept in store.quarantined()] == [False]


def test_repairs_are_counted_by_resource(store: Store) -> None:
    repaired = Fetched(encounter("e1", "p1"), "x:1", repairs=("status-case", "empty-value"))

    assert written(store, Batch("Encounter", (repaired,))) == [BatchCounts(new=1, repaired=1)]


def test_included_resources_of_other_types_are_kept_too(store: Store) -> None:
    location = {"resourceType": "Location", "id": "l1"}

    assert written(store, batch("Encounter", encounter("e1", "p1"), location)) == [BatchCounts(new=2)]
    assert store.resource("Location", "l1") == location


def test_nul_characters_in_what_is_searched_do_not_stop_a_batch(store: Store) -> None:
    odd = patient("p1", name=[{"family": "Lo\0pez"}], cin="A\0B", gender="fe\0male")

    written(store, batch("Patient", odd))

    assert store.resource("Patient", "p1") == odd
    assert store.search_patients(name="lopez").total == 1


def test_a_batch_outside_a_reading_is_refused(store: Store) -> None:
    pull = store.begin_pull("clinic", NOON)

    with pytest.raises(StoreError, match="Patient is not being read from this source"):
        store.write_batch(pull, batch("Patient", patient("p1")))


def test_large_batches_are_written_whole(store: Store) -> None:
    people = [patient(f"p{number:04}") for number in range(2500)]

    assert written(store, batch("Patient", *people)) == [BatchCounts(new=2500)]
    assert written(store, batch("Patient", *people)) == [BatchCounts(unchanged=2500)]
    assert len(store.person_ids()) == 2500


def test_bodies_are_canonical_json(store: Store, store_url: str) -> None:
    written(store, batch("Patient", patient("p1", gender="male")))
    engine = open_engine(store_url)
    with engine.connect() as connection:
        (body,) = connection.execute(sa.select(metadata.tables["resource"].c.body)).scalars()
    engine.dispose()

    assert bytes(body) == orjson.dumps(patient("p1", gender="male"), option=orjson.OPT_SORT_KEYS)
