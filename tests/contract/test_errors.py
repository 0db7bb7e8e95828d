"""Whatever goes wrong is an OperationOutcome in application/fhir+json, and says what to do."""

from typing import Any

import pytest
from contract_client import PERIOD, Api, outcome
from fhir.resources.R4B.operationoutcome import OperationOutcome

ALL = {"Authorization": "Bearer token-all"}


def test_an_address_that_is_not_there(api: Api) -> None:
    for address in (
        "/nothing",
        "/fhir",
        "/fhir/Encounter",
        "/fhir/Patient/a/b",
        "//fhir/Patient",
        "/fhir/Patient/a%00b",
    ):
        response = api.get(address)
        assert (response.status_code, outcome(response)[0][0]) == (404, "not-found"), address


@pytest.mark.parametrize(
    ("method", "address", "allowed"),
    [
        ("DELETE", "/fhir/Patient/p", {"GET", "HEAD"}),
        ("POST", "/fhir/Patient", {"GET", "HEAD"}),
        ("PATCH", "/fhir/MeasureReport/r", {"GET", "HEAD"}),
        ("PUT", "/fhir/Measure/$care-gaps", {"GET", "HEAD", "POST"}),
        ("OPTIONS", "/fhir/Measure/w30", {"GET", "HEAD"}),
    ],
)
def test_a_wrong_method(api: Api, method: str, address: str, allowed: set[str]) -> None:
    response = api.flask.open(address, method=method, headers=ALL)
    assert (response.status_code, set(response.headers["Allow"].split(", "))) == (405, allowed)
    assert outcome(response)[0][0] == "not-supported"


@pytest.mark.parametrize(
    ("accept", "query", "status"),
    [
        (None, {}, 200),
        ("*/*", {}, 200),
        ("application/*", {}, 200),
        ("application/json", {}, 200),
        ("application/fhir+json", {}, 200),
        ("Application/FHIR+JSON; fhirVersion=4.0", {}, 200),
        ("application/fhir+json;charset=utf-8", {}, 200),
        ("text/html,application/xhtml+xml,*/*;q=0.8", {}, 200),
        ("application/fhir+xml;q=0.9, application/fhir+json;q=0.1", {}, 200),
        ("text/html", {}, 406),
        ("application/fhir+xml", {}, 406),
        ("application/fhir+json;q=0", {}, 406),
        ("application/fhir+json; fhirVersion=5.0", {}, 406),
        ("application/fhir+ndjson", {}, 406),
        (None, {"_format": "json"}, 200),
        (None, {"_format": "application/json"}, 200),
        (None, {"_format": "application/fhir+json"}, 200),
        (None, {"_format": "application/fhir json"}, 200),  # an unescaped + in the address
        (None, {"_format": "application/fhir+json;fhirVersion=4.0"}, 200),
        ("text/html", {"_format": "json"}, 200),
        (None, {"_format": "xml"}, 406),
        (None, {"_format": ""}, 406),
        (None, {"_format": ["json", "xml"]}, 406),
        ("application/fhir+json", {"_format": "application/fhir+xml"}, 406),
    ],
)
def test_the_form_of_the_answer(api: Api, accept: str | None, query: dict[str, Any], status: int) -> None:
    headers = ALL if accept is None else {**ALL, "Accept": accept}
    for address in ("/fhir/metadata", "/fhir/Measure/w30"):
        response = api.flask.get(address, query_string=query, headers=headers)
        assert response.status_code == status
        assert response.content_type == "application/fhir+json; charset=utf-8"
        if status == 406:
            assert outcome(response)[0][0] == "not-supported"


def test_a_form_may_name_its_format(api: Api) -> None:
    form = {"name": "W30", "_format": "xml"}
    assert api.flask.post("/fhir/Measure/_search", data=form, headers=ALL).status_code == 406


def test_health_is_no_fhir_and_takes_any_accept(api: Api) -> None:
    response = api.flask.get("/healthz", headers={"Accept": "text/html"})
    assert (response.status_code, response.get_json()) == (200, {"status": "ok"})


def test_a_body_that_is_too_large(api: Api) -> None:
    response = api.flask.post(
        "/fhir/Measure/$care-gaps", data=b" " * 1_000_001, content_type="application/fhir+json", headers=ALL
    )
    assert (response.status_code, outcome(response)[0][0]) == (413, "too-costly")


@pytest.mark.parametrize(
    ("address", "content_type"),
    [
        ("/fhir/Measure/$care-gaps", "application/fhir+xml"),
        ("/fhir/Measure/$care-gaps", "multipart/form-data; boundary=x"),
        ("/fhir/Patient/_search", "application/fhir+json"),
        ("/fhir/Patient/_search", "multipart/form-data; boundary=x"),
    ],
)
def test_a_body_of_another_type(api: Api, address: str, content_type: str) -> None:
    response = api.flask.post(address, data=b"name=a", content_type=content_type, headers=ALL)
    assert (response.status_code, outcome(response)[0][0]) == (415, "not-supported")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("name=%FF", 400),
        ("name=%C3", 400),
        ("name=%ED%A0%80", 400),  # half a surrogate pair
        ("name=%zz", 400),
        ("name=%4", 400),
        ("name=%", 400),
        ("%FF=a", 400),
        ("name=%00", 400),
        ("name=a%0d%0ab", 400),
        ("%00=a", 400),
        ("a=b;c=d&=&&", 400),
        ("name=" + "a" * 20_000, 414),
        ("&".join(f"p{number}=1" for number in range(1000)), 400),
        ("name=%25%27%22--", 200),
        ("name=%F0%9F%91%B6", 200),
    ],
)
def test_a_query_that_cannot_be_read(api: Api, query: str, status: int) -> None:
    response = api.flask.get(f"/fhir/Patient?{query}", headers=ALL)
    assert response.status_code == status
    if status != 200:
        OperationOutcome.model_validate(response.get_json())
        assert outcome(response)


def test_a_form_that_cannot_be_read(api: Api) -> None:
    for body in (b"name=%FF", b"name=%zz", b"name=" + b"a" * 10_001):
        response = api.flask.post(
            "/fhir/Patient/_search", data=body, content_type="application/x-www-form-urlencoded", headers=ALL
        )
        assert response.status_code == 400


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"valueInteger": 2026}, "periodStart"),
        ({"valueBoolean": True}, "periodStart"),
        ({"valueDate": None}, "Parameters.parameter[0]"),
        ({"valueDate": "2026-01-01", "valueString": "2026-01-01"}, "Parameters.parameter[0]"),
        ({"valueDate": ["2026-01-01"]}, "Parameters.parameter[0]"),
        ({"valuePeriod": {}}, "Parameters.parameter[0]"),
        ({"part": []}, "Parameters.parameter[0]"),
        ({"resource": {}}, "Parameters.parameter[0]"),
        ({"valueDate": "2026-01-01\u0000"}, "periodStart"),
        ({"valueDate": "\u0662\u0660\u0662\u0666"}, "periodStart"),  # 2026 in Arabic-Indic digits
    ],
)
def test_a_value_of_another_type(api: Api, value: dict[str, Any], said: str) -> None:
    body = {"resourceType": "Parameters", "parameter": [{"name": "periodStart", **value}]}
    response = api.post("/fhir/Measure/$care-gaps", body)
    assert response.status_code == 400
    assert said in [name for issue in outcome(response) for name in issue[2]]


def test_numbers_are_not_booleans_and_booleans_no_references(api: Api) -> None:
    given = [
        {"name": "periodStart", "valueDate": PERIOD["periodStart"]},
        {"name": "periodEnd", "valueDate": PERIOD["periodEnd"]},
        {"name": "status", "valueInteger": 1},
        {"name": "subject", "valueBoolean": True},
        {"name": "isDocument", "valueInteger": 1},
        {"name": "measureId", "valueInteger": 30},
    ]
    response = api.post("/fhir/Measure/$care-gaps", {"resourceType": "Parameters", "parameter": given})
    assert sorted(issue[2][0] for issue in outcome(response)) == ["isDocument", "measureId", "status", "subject"]


def test_the_ends_of_time(api: Api) -> None:
    """The first and the last period that dates can say are answered like any other, or refused, but do not fail."""
    child = next(iter(api.truth))
    for start, end in (("0001", "0001"), ("9999", "9999"), ("0001", "9999"), ("2026-11-22", "2026-11-22")):
        response = api.care_gaps(subject=f"Patient/{child}", periodStart=start, periodEnd=end)
        assert response.status_code in (200, 400), (start, end, response.get_json())
    assert api.care_gaps(subject=f"Patient/{child}", periodStart="0000").status_code == 400


def test_every_answer_has_an_id_and_is_not_cached(api: Api) -> None:
    answers = [api.get("/fhir/metadata"), api.get("/fhir/Patient/none"), api.get("/fhir/Measure", token=None)]
    ids = {answer.headers["X-Request-Id"] for answer in answers}
    assert len(ids) == len(answers)
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
