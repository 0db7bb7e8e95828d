"""Finding a child by what a nurse types."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from web_children import LONG_NAME
from web_clinic import Clinic

from gapsvc.telemetry import configure_logging

BEARER = {"Authorization": "Bearer token-nurse", "Accept": "text/html"}
Asked = Callable[..., str]


@pytest.fixture
def asked(anybody: FlaskClient) -> Asked:
    def ask(**form: str) -> str:
        return anybody.post("/", data=form, headers=BEARER).text

    return ask


def people(text: str) -> list[str]:
    return re.findall(r'href="/patients/([^"]+)"', text)


@pytest.mark.parametrize(
    ("form", "found"),
    [
        ({"name": "peña"}, ["behind"]),
        ({"name": "PENA"}, ["behind"]),
        ({"name": "emi"}, ["behind"]),
        ({"name": "Peña, Emiliano"}, []),  # a comma is no part of a name
        ({"name": "Emiliano Peña"}, ["behind"]),
        ({"name": "pe emi"}, ["behind"]),
        ({"name": "emi toddler"}, []),
        ({"name": "ada"}, ["dead", "newborn", "undated"]),
        ({"birth_date": "6/20/2026"}, ["behind"]),
        ({"birth_date": "06/20/2026"}, ["behind"]),
        ({"birth_date": "2026-06-20"}, ["behind"]),
        ({"id": "behind"}, ["behind"]),
        ({"id": "mrn-behind"}, ["behind"]),
        ({"id": "BEHIND"}, []),
        ({"name": "peña", "birth_date": "6/21/2026"}, []),
        ({"name": "peña", "birth_date": "6/20/2026", "id": "mrn-behind"}, ["behind"]),
        ({"name": "%"}, []),
        ({"name": "_____"}, []),
    ],
)
def test_all_that_is_typed_must_fit(asked: Asked, form: dict[str, str], found: list[str]) -> None:
    text = asked(**form)
    assert people(text) == found
    assert ("Nobody found" in text) == (not found)


def test_a_result_says_who_it_is(asked: Asked) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", asked(name="peña")))
    assert "Emiliano Peña born Jun 20, 2026 · 5 months · male Record number mrn-behind" in text


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({}, "Give a name, a birth date or a record number."),
        ({"name": "  ", "id": " "}, "Give a name, a birth date or a record number."),
        ({"birth_date": "yesterday"}, "The birth date can’t be read. Write it as month/day/year, e.g. 3/7/2024."),
        ({"birth_date": "2/30/2026"}, "The birth date can’t be read. Write it as month/day/year, e.g. 3/7/2024."),
        ({"birth_date": "٣/7/2024"}, "The birth date can’t be read. Write it as month/day/year, e.g. 3/7/2024."),
    ],
)
def test_what_can_not_be_read_is_told(anybody: FlaskClient, form: dict[str, str], problem: str) -> None:
    response = anybody.post("/", data=form, headers=BEARER)
    assert response.status_code == 400
    assert problem in response.text
    assert people(response.text) == []


def test_what_was_typed_stays_in_the_form_as_text(asked: Asked) -> None:
    text = asked(name='"><script>x</script>')
    assert "<script" not in text
    assert "&#34;&gt;&lt;script&gt;" in text


def test_nothing_typed_is_in_an_address(anybody: FlaskClient) -> None:
    """A query is not even read: names stand in no log of a server, and in no history of a browser."""
    assert people(anybody.get("/?name=peña", headers=BEARER).text) == []


@pytest.mark.parametrize("name", ["x" * 10_000, "\x00", "a\x00b", LONG_NAME])
def test_any_text_can_be_typed(anybody: FlaskClient, name: str) -> None:
    assert anybody.post("/", data={"name": name}, headers=BEARER).status_code in (200, 400)


def test_a_child_of_two_sources_is_found_once_by_either_number(asked: Asked) -> None:
    for number in ("reg-77", "mrn-reg-77", "97000001B"):
        assert people(asked(id=number)) == ["behind"]


def test_nothing_typed_is_in_the_log(clinic: Clinic, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("debug", "json")
    anybody = clinic.client()
    try:
        for form in ({"name": "Zebedee"}, {"id": "Zebedee"}, {"birth_date": "Zebedee"}):
            anybody.post("/", data=form, headers=BEARER)
        anybody.get("/patients/Zebedee", headers=BEARER)
        anybody.get("/patients/Zebedee", headers={"Accept": "text/html"})
        anybody.post("/sign-in", data={"token": "Zebedee", "next": "/patients/Zebedee"})
        anybody.set_cookie("gapsvc-session", "Zebedee")
        anybody.get("/", headers={"Accept": "text/html"})
    finally:
        configure_logging("error")
    logged = capsys.readouterr().err
    assert logged.count('"event": "request"') == 7
    assert "Zebedee" not in logged
