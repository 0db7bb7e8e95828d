"""Persons over several sources: what an import asks the store, and mother and baby whom different sources know."""

from store_examples import CIN, batch, encounter, mother_of, patient, written

from gapsvc.records.assemble import Sourced
from gapsvc.records.population import population
from gapsvc.records.record import PatientRecord
from gapsvc.records.references import SUPPLEMENTAL
from gapsvc.store import Store


def visits(record: PatientRecord | None) -> list[tuple[str, str | None]]:
    assert record is not None
    return [(one["id"], record.source_of(f"Encounter/{one['id']}")) for one in record.resources.get("Encounter", ())]


def test_who_is_known_to_another_source(store: Store) -> None:
    written(store, batch("Patient", patient("a", "2025-01-10", cin="1"), patient("b", "2025-01-11", cin="2")))
    written(store, batch("Patient", patient("r", "2025-01-12", cin="3")), source="registry")
    asked = [("1", "2025-01-10"), ("2", "2025-01-10"), ("3", "2025-01-12"), ("4", "2025-01-10")]

    assert store.known_people(CIN, asked, besides="registry") == {("1", "2025-01-10")}
    assert store.known_people(CIN, asked, besides="clinic") == {("3", "2025-01-12")}
    assert store.known_people("https://other.example", asked, besides="registry") == set()
    assert store.known_people(CIN, [], besides="registry") == set()


def test_the_ids_of_a_source_by_type_and_patients_only_when_nothing_is_left_of_them(store: Store) -> None:
    written(
        store,
        batch("Patient", patient("a"), patient("b")),
        batch("Encounter", *(encounter(f"e{number:05}", "a") for number in range(4500))),
        source="plan",
    )
    written(store, batch("Patient", patient("c")), batch("Encounter", encounter("other", "c")))

    pages = list(store.ids_of_source("plan", "Encounter"))
    assert [len(page) for page in pages] == [2000, 2000, 500]
    assert [one for page in pages for one in page] == [f"e{number:05}" for number in range(4500)]
    assert list(store.ids_of_source("plan", "Patient")) == [["b"]]
    assert list(store.ids_of_source("nobody", "Patient")) == []
    assert store.types_of_source("plan") == ("Encounter", "Patient")
    assert store.any_resource_of("nobody") is None
    assert (store.any_resource_of("clinic") or {})["resourceType"] in ("Patient", "Encounter")


def test_a_registrys_baby_has_the_newborn_visit_that_the_clinic_wrote_into_the_mothers_record(store: Store) -> None:
    """The clinic knows the mother and, by RelatedPerson, her baby; the registry and the plan know the baby by CIN."""
    written(
        store,
        batch("Patient", patient("baby", cin="91"), patient("mum", "1998-04-04", mrn="77")),
        batch("RelatedPerson", mother_of("r", "baby", "http://clinic.example/mrn", "77")),
        batch("Encounter", encounter("newborn", "mum", "2025-01-13"), encounter("own", "baby", "2025-02-10")),
    )
    written(
        store,
        batch("Patient", patient("zz-baby", cin="91")),
        batch("Encounter", encounter("zz-claim", "zz-baby", "2025-02-10")),
        source="plan",
    )

    record = store.record("baby")

    assert visits(record) == [("newborn", "clinic"), ("own", "clinic"), ("zz-claim", "plan")]
    assert store.person_of("zz-baby") == "baby"
    assert visits(store.record("mum")) == []


def test_the_relation_may_be_known_to_one_source_and_the_mothers_visits_to_another(store: Store) -> None:
    """The hospital says whose baby it is; the mother is linked by CIN with her record at the clinic."""
    hospital = [
        batch("Patient", patient("nb", cin="91")),
        batch("RelatedPerson", mother_of("r", "nb", CIN, "55")),
    ]
    clinic = [
        batch("Patient", patient("mum", "1998-04-04", cin="55")),
        batch("Encounter", encounter("newborn", "mum", "2025-01-13")),
    ]
    registry = [batch("Patient", patient("zz-baby", cin="91"))]
    for source, batches in (("clinic", clinic), ("registry", registry), ("hospital", hospital)):
        written(store, *batches, source=source)

    stored = store.record("nb")

    assert stored is not None
    assert visits(stored) == [("newborn", "clinic")]
    together = population(
        Sourced(source, item.resource)
        for source, batches in (("clinic", clinic), ("registry", registry), ("hospital", hospital))
        for one in batches
        for item in one.fetched
    )
    (in_memory,) = [record for record in together if record.person_id == "nb"]
    assert (in_memory.resources, in_memory.sources) == (stored.resources, stored.sources)


def test_records_of_two_sources_that_number_alike_keep_their_sources(store: Store) -> None:
    written(store, batch("Patient", patient("p", cin="91")), batch("Encounter", encounter("1", "p")))
    written(
        store,
        batch("Patient", patient("p", cin="91")),
        batch("Encounter", encounter("1", "p", "2025-03-10")),
        source="plan",
    )

    record = store.record("p")

    assert visits(record) == [("1", "clinic"), ("plan.1", "plan")]
    assert record is not None
    assert record.source_of("Patient/p") == "clinic"
    assert record.source_of("Patient/plan.p") == "plan"


def test_an_imported_patient_with_a_lesser_id_does_not_rename_the_person(store: Store) -> None:
    written(store, batch("Patient", patient("kid", cin="X")))
    lent = patient("a1", cin="X", meta={"tag": [dict(SUPPLEMENTAL)]})
    written(store, batch("Patient", lent), source="hie")
    assert list(store.person_ids()) == ["kid"]
