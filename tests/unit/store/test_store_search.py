"""Patients by what US Core lets a client ask."""

from typing import Any

import pytest
from store_examples import CIN, MRN, batch, patient, written

from gapsvc.store import Store


@pytest.fixture
def clinic(store: Store) -> Store:
    written(
        store,
        batch(
            "Patient",
            patient("p1", gender="female", cin="X1", name=[{"family": "López García", "given": ["José", "Ana"]}]),
            patient("p2", "2025-01-20", gender="male", mrn="X1", name=[{"text": "50%_Off", "family": "Łoś"}]),
            patient("p3", "2024", gender="male", name=[{"family": "Lopezosa"}]),
            patient("p4", None, identifier=[{"value": "bare"}]),
        ),
    )
    return store


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["p1", "p2", "p3", "p4"]),
        ({"ids": ["p3", "p1", "x"]}, ["p1", "p3"]),
        ({"name": "lopez"}, ["p1", "p3"]),
        ({"name": "LÓPEZ"}, ["p1", "p3"]),
        ({"name": "lopez garcia"}, ["p1"]),
        ({"name": "jose"}, ["p1"]),
        ({"name": "opez"}, []),
        ({"name": "50%"}, ["p2"]),
        ({"name": "5_%"}, []),
        ({"name": "50%_"}, ["p2"]),
        ({"name": "|"}, ["p1", "p2", "p3"]),
        ({"birth_date": "2025-01-10"}, ["p1"]),
        ({"birth_date": "2025-01"}, ["p1", "p2"]),
        ({"birth_date": "2024"}, ["p3"]),
        ({"gender": "male"}, ["p2", "p3"]),
        ({"gender": "male", "name": "lop"}, ["p3"]),
        ({"identifier": (None, "X1")}, ["p1", "p2"]),
        ({"identifier": (CIN, "X1")}, ["p1"]),
        ({"identifier": (CIN, "x-1")}, ["p1"]),
        ({"identifier": (None, "x 1")}, ["p1"]),
        ({"identifier": (MRN, "x1")}, []),
        ({"identifier": (MRN, "X1")}, ["p2"]),
        ({"identifier": ("", "bare")}, ["p4"]),
        ({"identifier": ("", "X1")}, []),
        ({"name": "'; DROP TABLE patient; --"}, []),
    ],
)
def test_searching(clinic: Store, asked: dict[str, Any], found: list[str]) -> None:
    page = clinic.search_patients(**asked)

    assert [one["id"] for one in page.patients] == found
    assert page.total == len(found)


def test_paging(clinic: Store) -> None:
    pages = [clinic.search_patients(count=3, offset=at) for at in (0, 3, 6)]

    assert [[one["id"] for one in page.patients] for page in pages] == [["p1", "p2", "p3"], ["p4"], []]
    assert {page.total for page in pages} == {4}
