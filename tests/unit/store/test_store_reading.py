"""Records out of the store: linked persons, moved visits, panels; the same as made in memory, piece by piece."""

import random
from typing import Any

import pytest
from store_examples import CIN, MRN, NOON, Resource, batch, condition, encounter, mother_of, patient, written

from gapsvc.records.assemble import Sourced
from gapsvc.records.population import population
from gapsvc.records.record import PatientRecord
from gapsvc.store import LinkCounts, Store


def ids(record: PatientRecord | None, resource_type: str) -> list[str]:
    assert record is not None
    return [found["id"] for found in record.resources.get(resource_type, ())]


def test_a_record_holds_what_names_the_patient(store: Store) -> None:
    visit, other = encounter("e1", "p1"), encounter("e2", "p2")
    written(store, batch("Patient", patient("p1"), patient("p2")), batch("Encounter", visit, other))

    assert store.record("p1") == PatientRecord(
        person_id="p1",
        patient=patient("p1"),
        resources={"Patient": (patient("p1"),), "Encounter": (visit,)},
        data_as_of={"clinic": "2026-03-01T12:00:00.000Z"},
        sources={"Patient/p1": "clinic", "Encounter/e1": "clinic"},
    )
    assert store.record("unknown") is None


def test_types_narrow_a_record_but_never_lose_the_patient(store: Store) -> None:
    written(
        store,
        batch("Patient", patient("p1")),
        batch("Encounter", encounter("e1", "p1")),
        batch("Condition", condition("c1", "p1", "e1")),
    )

    record = store.record("p1", types=["Condition"])

    assert record is not None
    assert list(record.resources) == ["Patient", "Condition"]


def test_two_charts_of_one_person_are_one_record(store: Store) -> None:
    written(store, batch("Patient", patient("n1", cin="X")), batch("Encounter", encounter("e1", "n1")), source="north")
    written(
        store,
        batch("Patient", patient("a9", cin="X")),
        batch("Encounter", encounter("e1", "a9", "2025-03-01")),
        source="south",
    )

    assert store.person_ids() == ["a9"]
    assert store.person_of("n1") == "a9"
    assert store.person_of("n1", source="north") == "a9"
    assert store.person_of("n1", source="south") is None
    assert store.person_of("x") is None
    record = store.record_of_patient("n1")
    assert record is not None
    assert record.person_id == "a9"
    assert ids(record, "Patient") == ["a9", "n1"]
    assert ids(record, "Encounter") == ["e1", "south.e1"]
    assert sorted(record.data_as_of) == ["north", "south"]


def test_a_merge_that_comes_later_joins_the_records_and_drops_the_old_person(store: Store) -> None:
    written(
        store,
        batch("Patient", patient("p1"), patient("p2")),
        batch("Encounter", encounter("e1", "p1"), encounter("e2", "p2", "2025-03-03")),
    )
    assert store.person_ids() == ["p1", "p2"]

    merged = patient("p2", active=False, link=[{"other": {"reference": "Patient/p1"}, "type": "replaced-by"}])
    written(store, batch("Patient", merged))
    assert store.person_ids() == ["p1"]
    assert ids(store.record_of_patient("p2"), "Encounter") == ["e1", "e2"]

    written(store, batch("Patient", patient("p2")))
    assert store.person_ids() == ["p1", "p2"]
    assert ids(store.record("p1"), "Encounter") == ["e1"]


def test_one_id_of_two_persons_in_two_sources(store: Store) -> None:
    written(store, batch("Patient", patient("1", gender="male")), source="north")
    written(store, batch("Patient", patient("1", "2020-05-05")), source="south")

    assert store.person_ids() == ["1", "south.1"]
    assert [store.person_of("1", source=name) for name in ("north", "south")] == ["1", "south.1"]
    assert store.person_of("1") == "1"
    record = store.record("south.1")
    assert record is not None
    assert record.patient == patient("1", "2020-05-05") | {"id": "south.1"}
    assert store.exists("Patient", "south.1")


def test_contradicting_charts_are_two_persons_with_a_finding_each(store: Store) -> None:
    written(store, batch("Patient", patient("p1", cin="X"), patient("p2", "2020-01-01", cin="X")))

    assert store.person_ids() == ["p1", "p2"]
    assert [(found.reference, found.code) for record in store.records() for found in record.findings] == [
        ("Patient/p1", "identity-conflict"),
        ("Patient/p2", "identity-conflict"),
    ]

    written(store, batch("Patient", patient("p2", "2020-01-01", cin="Y")))
    assert [record.findings for record in store.records()] == [(), ()]


def family(*babies: Resource) -> list[Any]:
    return [
        batch("Patient", patient("mum", "1998-04-04", mrn="77"), *babies),
        batch("RelatedPerson", *(mother_of(f"r-{baby['id']}", baby["id"], MRN, "77") for baby in babies)),
        batch(
            "Encounter",
            encounter("newborn", "mum", "2025-01-13"),
            encounter("postpartum", "mum", "2025-02-20", cpt="99213"),
        ),
        batch("Condition", condition("jaundice", "mum", "newborn"), condition("anemia", "mum", "postpartum")),
    ]


def test_a_newborn_visit_in_the_mothers_record_is_the_babys(store: Store) -> None:
    written(store, *family(patient("baby")))

    baby, mum = store.record("baby"), store.record("mum")
    assert (ids(baby, "Encounter"), ids(baby, "Condition")) == (["newborn"], ["jaundice"])
    assert (ids(mum, "Encounter"), ids(mum, "Condition")) == (["postpartum"], ["anemia"])


def test_twins_newborn_visit_stays_with_the_mother_and_says_so(store: Store) -> None:
    written(store, *family(patient("baby1"), patient("baby2")))

    assert [ids(record, "Encounter") for record in store.records()] == [[], [], ["newborn", "postpartum"]]
    assert [[found.code for found in record.findings] for record in store.records()] == [
        ["newborn-visit-ambiguous"]
    ] * 3


def test_the_visit_may_be_in_another_chart_of_the_mother(store: Store) -> None:
    written(
        store,
        batch(
            "Patient",
            patient("baby"),
            patient("mum1", "1998-04-04", mrn="77", cin="M"),
            patient("mum2", "1998-04-04", cin="M"),
        ),
        batch("RelatedPerson", mother_of("r", "baby", MRN, "77")),
        batch("Encounter", encounter("newborn", "mum2", "2025-01-13")),
    )
    assert ids(store.record("baby"), "Encounter") == ["newborn"]

    # Her charts are told apart: what stays linked with the baby holds no visit.
    written(store, batch("Patient", patient("mum2", "1998-04-05", cin="M")))
    assert ids(store.record("baby"), "Encounter") == []
    assert ids(store.record("mum2"), "Encounter") == ["newborn"]


def test_a_second_baby_that_comes_later_makes_the_visit_ambiguous(store: Store) -> None:
    written(store, *family(patient("baby1")))
    before = store.revisions(["baby1", "mum"])

    written(store, batch("Patient", patient("baby2")), batch("RelatedPerson", mother_of("r2", "baby2", MRN, "77")))

    assert ids(store.record("baby1"), "Encounter") == []
    assert ids(store.record("mum"), "Encounter") == ["newborn", "postpartum"]
    after = store.revisions(["baby1", "mum"])
    assert all(after[name] > before[name] for name in before)


def test_when_the_relation_goes_the_visit_goes_back(store: Store) -> None:
    written(store, *family(patient("baby")))

    written(store, batch("RelatedPerson", deleted="RelatedPerson/r-baby"))

    assert ids(store.record("baby"), "Encounter") == []
    assert ids(store.record("mum"), "Encounter") == ["newborn", "postpartum"]


def test_panels(store: Store) -> None:
    def at(organization: str, practitioner: str) -> dict[str, Any]:
        return {
            "serviceProvider": {"reference": f"Organization/{organization}"},
            "participant": [{"individual": {"reference": f"Practitioner/{practitioner}"}}],
        }

    group = {
        "resourceType": "Group",
        "id": "panel",
        "member": [
            {"entity": {"reference": "Patient/p1"}},
            {"entity": {"reference": "Patient/p3"}, "inactive": True},
            {"entity": {"reference": "Patient/unknown"}},
        ],
    }
    written(
        store,
        batch(
            "Patient",
            patient("p1", managingOrganization={"reference": "Organization/north"}),
            patient("p2", generalPractitioner=[{"reference": "Practitioner/lee"}]),
            patient("p3"),
        ),
        batch("Encounter", encounter("e2", "p2", **at("north", "kim")), encounter("e3", "p3", **at("south", "lee"))),
        batch("Group", group),
    )

    assert store.person_ids() == ["p1", "p2", "p3"]
    assert store.person_ids(organization="north") == ["p1", "p2"]
    assert store.person_ids(organization="Organization/south") == ["p3"]
    assert store.person_ids(practitioner="Practitioner/lee") == ["p2", "p3"]
    assert store.person_ids(organization="north", practitioner="lee") == ["p2"]
    assert store.person_ids(group="Group/panel") == ["p1"]
    assert store.person_ids(group="nobody") == []
    assert [record.person_id for record in store.records(organization="north")] == ["p1", "p2"]
    assert [record.person_id for record in store.records(["p3", "p1", "x"])] == ["p1", "p3"]

    written(store, batch("Encounter", encounter("e2", "p2", **at("south", "kim"))))
    assert store.person_ids(organization="north") == ["p1"]


def test_an_organization_has_its_parts_with_it(store: Store) -> None:
    def organization(name: str, parent: str | None = None) -> dict[str, Any]:
        part = {"partOf": {"reference": f"Organization/{parent}"}} if parent else {}
        return {"resourceType": "Organization", "id": name, **part}

    def child(name: str, clinic: str) -> Resource:
        return patient(name, managingOrganization={"reference": f"Organization/{clinic}"})

    written(
        store,
        batch(
            "Organization", organization("network"), organization("north", "network"), organization("annex", "north")
        ),
        batch("Patient", child("p1", "north"), child("p2", "annex"), child("p3", "network"), child("p4", "south")),
    )
    # In another source the same ids are other organizations: its annex is nobody's part, its own part is itself.
    written(
        store,
        batch("Organization", organization("annex"), organization("loop", "loop")),
        batch("Patient", child("q2", "annex"), child("q3", "loop")),
        source="other",
    )

    assert store.person_ids(organization="network") == ["p1", "p2", "p3"]
    assert store.person_ids(organization="north") == ["p1", "p2"]
    assert store.person_ids(organization="annex") == ["p2", "q2"]
    assert store.person_ids(organization="loop") == ["q3"]


def test_resources_of_an_unknown_patient_wait_for_them(store: Store) -> None:
    pull = store.begin_pull("clinic", NOON)
    store.begin_type(pull, "Encounter", NOON)
    store.write_batch(pull, batch("Encounter", encounter("e1", "late")))
    assert store.link() == LinkCounts(orphans=1)
    assert store.record("late") is None

    written(store, batch("Patient", patient("late")))
    assert ids(store.record("late"), "Encounter") == ["e1"]


def test_other_person_level_systems_link_everybody_anew(store: Store, store_url: str) -> None:
    written(store, batch("Patient", patient("p1", mrn="1"), patient("p2", mrn="1")))
    assert store.person_ids() == ["p1", "p2"]

    with Store.open(store_url, person_systems={MRN}) as configured:
        assert configured.link() == LinkCounts(persons=1)
        assert configured.person_ids() == ["p1"]


def _disorder(seed: int) -> list[Sourced]:
    """Patients of two sources with shared identifiers, links, mothers and newborn visits, at random."""
    chance = random.Random(seed)
    made: dict[tuple[str, str, str], Resource] = {}

    def add(source: str, resource: Resource) -> None:
        made[source, resource["resourceType"], resource["id"]] = resource

    for source in ("north", "south"):
        for number in range(8):
            name = f"{number}"
            more: Resource = {}
            if chance.random() < 0.5:
                more["cin"] = chance.choice("ABC")
            if chance.random() < 0.3:
                other = {"reference": f"Patient/{chance.randrange(9)}"}
                more["link"] = [{"other": other, "type": chance.choice(["replaced-by", "refer"])}]
            birth_date = chance.choice(["2025-01-10", "2025-01-12", "2025", "1998-04-04"])
            add(source, patient(name, birth_date, mrn=f"{source}-{name}", **more))
            add(source, encounter(f"e{number}", name, chance.choice(["2025-01-15", "2025-06-01"])))
            add(source, condition(f"c{number}", name, f"e{chance.randrange(8)}"))
            if chance.random() < 0.6:
                system, value = chance.choice([(CIN, chance.choice("ABC")), (MRN, f"{source}-{chance.randrange(8)}")])
                add(source, mother_of(f"r{number}", name, system, value))
    return [Sourced(source, resource) for (source, _type, _id), resource in made.items()]


def _told(records: list[PatientRecord]) -> list[tuple[Any, ...]]:
    return [(record.person_id, record.patient, dict(record.resources), record.findings) for record in records]


def _draft(resource: Resource, chance: random.Random) -> Resource:
    """A Patient or a mother as they were first sent: with what turns out to be wrong."""
    if resource["resourceType"] == "RelatedPerson":
        baby = resource["patient"]["reference"].removeprefix("Patient/")
        return mother_of(resource["id"], baby, CIN, chance.choice("ABC"))
    birth_date = chance.choice(["2025-01-10", "2025-01-12", "2025"])
    return patient(resource["id"], birth_date, cin=chance.choice("ABC"))


@pytest.mark.parametrize("seed", range(12))
def test_piece_by_piece_comes_to_the_same_as_at_once(store: Store, seed: int) -> None:
    """Random pieces, some of them first wrong and then right, against `population` on the final state."""
    resources = _disorder(seed)
    chance = random.Random(seed)
    pulls = {name: store.begin_pull(name, NOON) for name in ("north", "south")}
    for under_way in pulls.values():
        store.begin_type(under_way, "Mixed", NOON)
    drafts = [
        Sourced(item.source, _draft(item.resource, chance))
        for item in resources
        if item.resource["resourceType"] in ("Patient", "RelatedPerson") and chance.random() < 0.4
    ]
    final = resources.copy()
    chance.shuffle(final)
    pieces = drafts + final
    while pieces:
        size = chance.randint(1, 12)
        piece, pieces = pieces[:size], pieces[size:]
        for name, under_way in pulls.items():
            store.write_batch(under_way, batch("Mixed", *(item.resource for item in piece if item.source == name)))
        if chance.random() < 0.5:
            store.link()
    store.link()

    expected = population(resources)
    found = list(store.records())
    # Who was here first keeps a disputed id, so compare by the charts that make up a person, not by its name.
    assert _by_charts(found) == _by_charts(expected)


def _by_charts(records: list[PatientRecord]) -> list[tuple[Any, ...]]:
    def chart(record: PatientRecord) -> tuple[str, ...]:
        return tuple(sorted(f"{found['identifier'][-1]['value']}" for found in record.resources["Patient"]))

    def content(record: PatientRecord) -> dict[str, list[Resource]]:
        return {
            name: [{**found, "id": "same"} if name == "Patient" else found for found in resources]
            for name, resources in record.resources.items()
        }

    return sorted(
        (
            (chart(record), content(record), {(one.reference, one.code, one.text) for one in record.findings})
            for record in records
        ),
        key=lambda told: told[0],
    )


def test_at_once_the_store_and_memory_agree_to_the_last_byte(store: Store) -> None:
    resources = _disorder(99)
    for name in ("north", "south"):
        pull = store.begin_pull(name, NOON)
        store.begin_type(pull, "Mixed", NOON)
        store.write_batch(pull, batch("Mixed", *(item.resource for item in resources if item.source == name)))
    store.link()

    assert _told(list(store.records())) == _told(population(resources))
