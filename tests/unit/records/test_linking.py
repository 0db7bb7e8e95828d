"""Which Patients are one person, and whose newborn visits are whose: the rules, by example."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapsvc.records.linking import (
    PERSON_SYSTEMS,
    Baby,
    Identity,
    Linkage,
    NewbornVisits,
    PatientKey,
    identity,
    is_newborn_visit,
    link_patients,
    mother_identifiers,
    newborn_visits,
    person_ids,
    qualified,
)
from gapsvc.records.record import Finding

(CIN,) = PERSON_SYSTEMS
MRN = "http://clinic.example/mrn"
BORN = "2025-01-10"


def of(name: str, birth_date: str | None = BORN, *links: tuple[str, str], **identifiers: str) -> Identity:
    """`clinic/p1` with identifiers by short name of their system."""
    source, patient_id = name.split("/")
    systems = {"cin": CIN, "mrn": MRN}
    known = frozenset((systems[key], value) for key, value in identifiers.items())
    return Identity(PatientKey(source, patient_id), birth_date, known, tuple(links))


def linked(*identities: Identity) -> list[list[str]]:
    return [["/".join(key) for key in person] for person in link_patients(identities).persons]


@pytest.mark.parametrize(
    ("identities", "persons"),
    [
        pytest.param(
            [of("a/1", cin="X"), of("a/2", cin="X")], [["a/1", "a/2"]], id="same person-level identifier and birth date"
        ),
        pytest.param(
            [of("a/1", cin="X"), of("b/0", cin="X")], [["b/0", "a/1"]], id="across sources; the least id comes first"
        ),
        pytest.param([of("a/1", cin="X"), of("a/2", cin="Y")], [["a/1"], ["a/2"]], id="different identifiers"),
        pytest.param([of("a/1", mrn="X"), of("a/2", mrn="X")], [["a/1"], ["a/2"]], id="a chart number names no person"),
        pytest.param(
            [of("a/1", BORN, cin="X"), of("a/2", "2025-01-11", cin="X")],
            [["a/1"], ["a/2"]],
            id="same identifier, different birth dates",
        ),
        pytest.param(
            [of("a/1", "2025-01", cin="X"), of("a/2", "2025-01", cin="X")],
            [["a/1"], ["a/2"]],
            id="a partial birth date proves nothing",
        ),
        pytest.param([of("a/1", None, cin="X"), of("a/2", cin="X")], [["a/1"], ["a/2"]], id="no birth date"),
        pytest.param(
            [of("a/1", BORN, ("replaced-by", "2")), of("a/2")], [["a/1", "a/2"]], id="replaced by another Patient"
        ),
        pytest.param(
            [of("a/1", BORN, ("refer", "2")), of("a/2", "2024-01-01")], [["a/1", "a/2"]], id="the EHR's word is enough"
        ),
        pytest.param(
            [of("a/1", BORN, ("replaced-by", "2")), of("b/2")], [["a/1"], ["b/2"]], id="a link stays in its source"
        ),
        pytest.param([of("a/1", BORN, ("refer", "9"))], [["a/1"]], id="a link to nobody we know"),
        pytest.param(
            [of("a/1", cin="X"), of("b/2", BORN, ("replaced-by", "3"), cin="X"), of("b/3", BORN)],
            [["a/1", "b/2", "b/3"]],
            id="rules chain",
        ),
    ],
)
def test_who_is_one_person(identities: list[Identity], persons: list[list[str]]) -> None:
    assert linked(*identities) == persons
    assert linked(*reversed(identities)) == persons


def test_a_contradiction_is_reported_on_every_side() -> None:
    found = link_patients(
        [of("a/1", cin="X"), of("a/2", cin="X"), of("b/3", "2024-05-05", cin="X"), of("b/4", cin="Y")]
    )

    different = (
        "Another Patient has the same person-level identifier and a different birth date; they are kept as two "
        "persons. Correct the identifier or the birth date in the EHR."
    )
    assert found == Linkage(
        persons=(
            (PatientKey("a", "1"), PatientKey("a", "2")),
            (PatientKey("b", "3"),),
            (PatientKey("b", "4"),),
        ),
        findings={
            PatientKey("a", "1"): (Finding("Patient/1", "identity-conflict", different),),
            PatientKey("a", "2"): (Finding("Patient/2", "identity-conflict", different),),
            PatientKey("b", "3"): (Finding("Patient/3", "identity-conflict", different),),
        },
    )


def test_a_partial_birth_date_is_named_as_what_to_complete() -> None:
    found = link_patients([of("a/1", "2025", cin="X"), of("a/2", cin="X")]).findings

    assert found[PatientKey("a", "1")][0].text.endswith("Complete the birth date in the EHR.")
    assert found[PatientKey("a", "2")][0].text.endswith("Correct the identifier or the birth date in the EHR.")


def test_findings_tell_no_identifier_and_no_birth_date() -> None:
    found = link_patients([of("a/1", BORN, cin="90000000A"), of("a/2", "2024-05-05", cin="90000000A")]).findings

    text = " ".join(one.text for all_found in found.values() for one in all_found)
    assert "90000000A" not in text
    assert BORN not in text
    assert "2024-05-05" not in text


def test_systems_can_be_configured() -> None:
    both = [of("a/1", mrn="X"), of("a/2", mrn="X")]

    assert len(link_patients(both, systems={MRN}).persons) == 1
    assert len(link_patients(both, systems=()).persons) == 2


_KEYS = st.tuples(st.sampled_from("ab"), st.sampled_from("123456")).map(lambda key: PatientKey(*key))
_IDENTITIES = st.lists(
    st.builds(
        Identity,
        key=_KEYS,
        birth_date=st.sampled_from([BORN, "2024-05-05", "2025", None]),
        identifiers=st.frozensets(st.tuples(st.sampled_from([CIN, MRN]), st.sampled_from("XYZ")), max_size=2),
        links=st.lists(
            st.tuples(st.sampled_from(["replaced-by", "seealso"]), st.sampled_from("123456")), max_size=2
        ).map(tuple),
    ),
    max_size=10,
    unique_by=lambda one: one.key,
)


@given(_IDENTITIES, st.randoms(use_true_random=False))
def test_every_patient_is_in_one_person_whatever_the_order(identities: list[Identity], random: Any) -> None:
    shuffled = identities.copy()
    random.shuffle(shuffled)
    linkage = link_patients(identities)
    ids = person_ids(linkage.persons, ["a", "b"])

    assert link_patients(shuffled) == linkage
    assert sorted(key for person in linkage.persons for key in person) == sorted(one.key for one in identities)
    # One id per person, each person its own.
    assert sorted({ids[key] for person in linkage.persons for key in person[:1]}) == sorted(set(ids.values()))
    assert len(set(ids.values())) == len(linkage.persons)
    for person in linkage.persons:
        assert len({ids[key] for key in person}) == 1
    # Ids stay when linking is done again.
    assert person_ids(linkage.persons, ["a", "b"], current=ids) == ids


def _ids(
    *persons: list[str],
    current: dict[str, str] | None = None,
    taken: tuple[str, ...] = (),
    supplemental: tuple[str, ...] = (),
) -> dict[str, str]:
    def key(text: str) -> PatientKey:
        return PatientKey(*text.split("/"))

    found = person_ids(
        [tuple(map(key, person)) for person in persons],
        ["north", "south clinic"],
        current={key(text): name for text, name in (current or {}).items()},
        taken=taken,
        supplemental=supplemental,
    )
    return {"/".join(one): name for one, name in found.items()}


def test_a_person_is_called_by_the_least_patient_id() -> None:
    assert _ids(["north/7", "south clinic/10"]) == {"north/7": "10", "south clinic/10": "10"}


def test_a_registry_does_not_rename_whom_an_ehr_knows() -> None:
    assert _ids(["north/7", "south clinic/10"], supplemental=("south clinic",)) == {
        "north/7": "7",
        "south clinic/10": "7",
    }
    assert _ids(["south clinic/10"], supplemental=("south clinic",)) == {"south clinic/10": "10"}


def test_of_two_persons_with_one_id_the_later_source_is_qualified() -> None:
    assert _ids(["south clinic/7"], ["north/7"]) == {"north/7": "7", "south clinic/7": "south-clinic.7"}


def test_who_has_an_id_keeps_it() -> None:
    assert _ids(["north/7"], ["south clinic/7"], current={"south clinic/7": "7"}) == {
        "south clinic/7": "7",
        "north/7": "north.7",
    }
    assert _ids(["south clinic/7"], taken=("7", "south-clinic.7")) == {"south clinic/7": "south-clinic.7-2"}


def test_a_qualified_id_is_a_fhir_id() -> None:
    assert qualified("ehr", "a" * 60) == "ehr." + "a" * 60
    assert qualified("east", "a" * 60) != qualified("west", "a" * 60)
    assert len(qualified("east", "a" * 60)) == 32


def test_identity_reads_a_patient() -> None:
    patient = {
        "resourceType": "Patient",
        "id": "1",
        "birthDate": BORN,
        "identifier": [{"system": CIN, "value": "X"}, {"value": "Y"}, {"system": MRN}],
        "link": [
            {"other": {"reference": "Patient/2"}, "type": "replaced-by"},
            {"other": {"reference": "https://ehr.example/fhir/Patient/3/_history/1"}, "type": "refer"},
            {"other": {"reference": "RelatedPerson/4"}, "type": "seealso"},
            {"other": {"reference": "Patient/1"}, "type": "seealso"},
        ],
    }

    assert identity("clinic", patient) == Identity(
        PatientKey("clinic", "1"),
        BORN,
        frozenset({(CIN, "X"), ("", "Y")}),
        (("replaced-by", "2"), ("refer", "3")),
    )


def test_a_client_index_number_is_one_however_it_is_typed() -> None:
    def patient(typed: str, system: str = CIN) -> Identity:
        return identity(
            "a",
            {
                "resourceType": "Patient",
                "id": typed,
                "birthDate": BORN,
                "identifier": [{"system": system, "value": typed}],
            },
        )

    assert linked(patient("97000032C"), patient("97000032c"), patient("9700 0032-C")) == [
        ["a/9700 0032-C", "a/97000032C", "a/97000032c"]
    ]
    assert patient("9700-a", MRN).identifiers == {(MRN, "9700-a")}  # other systems' values are taken as they are


def _visit(encounter_id: str, day: str, **more: Any) -> dict[str, Any]:
    coded = {"type": [{"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "99391"}]}]}
    return {"resourceType": "Encounter", "id": encounter_id, "period": {"start": day}, **(more or coded)}


@pytest.mark.parametrize(
    ("day", "babies", "whose"),
    [
        pytest.param("2025-01-10", [Baby("b", BORN)], "b", id="on the day of birth"),
        pytest.param("2025-03-11T23:59:00-08:00", [Baby("b", BORN)], "b", id="60 days after"),
        pytest.param("2025-03-12", [Baby("b", BORN)], None, id="61 days after"),
        pytest.param("2025-01-09", [Baby("b", BORN)], None, id="the day before birth"),
        pytest.param("2025-01", [Baby("b", BORN)], None, id="a month is no day"),
        pytest.param("2025-01-12", [Baby("b", "2025-01")], None, id="a baby without a full birth date"),
        pytest.param("2025-01-12", [Baby("b", BORN), Baby("old", "2022-03-01")], "b", id="an older sibling"),
        pytest.param("2025-01-12", [Baby("b", BORN), Baby("b", "2025-01-11")], "b", id="two charts of one baby"),
        pytest.param("2025-01-12", [], None, id="no baby"),
    ],
)
def test_whose_a_newborn_visit_is(day: str, babies: list[Baby], whose: str | None) -> None:
    attributed = {} if whose is None else {"e1": whose}

    assert newborn_visits([_visit("e1", day)], babies) == NewbornVisits(attributed, ())


def test_twins_visits_cannot_be_told_apart() -> None:
    assert newborn_visits([_visit("e1", "2025-01-12")], [Baby("b1", BORN), Baby("b2", BORN)]) == NewbornVisits(
        {},
        (
            Finding(
                "Encounter/e1",
                "newborn-visit-ambiguous",
                "A newborn visit in the mother's record, and 2 of her babies were born in the 60 days before it: it "
                "counts for none. Move it to the baby's record in the EHR.",
            ),
        ),
    )


@pytest.mark.parametrize(
    ("elements", "newborn"),
    [
        ({"type": [{"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "99381"}]}]}, True),
        ({"type": [{"coding": [{"code": "99461"}]}]}, True),
        ({"reasonCode": [{"coding": [{"code": "Z00.110"}]}]}, True),
        ({"reasonCode": [{"coding": [{"code": "Z00.111"}]}]}, True),
        ({"reasonCode": [{"coding": [{"code": "Z00.129"}]}]}, False),
        ({"type": [{"coding": [{"code": "99395"}]}]}, False),
        ({"type": [{"text": "99391"}]}, False),
        ({}, False),
    ],
)
def test_which_visits_only_a_newborn_can_have(elements: dict[str, Any], newborn: bool) -> None:
    assert is_newborn_visit({"resourceType": "Encounter", "id": "e1", **elements}) is newborn


def test_only_mothers_lend_their_identifiers() -> None:
    def related(code: str) -> dict[str, Any]:
        return {
            "resourceType": "RelatedPerson",
            "id": "r",
            "relationship": [{"coding": [{"code": code}]}],
            "identifier": [{"system": MRN, "value": "9"}, {"value": "without a system"}],
        }

    assert mother_identifiers(related("MTH")) == {(MRN, "9")}
    assert mother_identifiers(related("FTH")) == frozenset()
