"""Reading and searching, and that the CapabilityStatement claims what is there, no more and no less."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from contract_client import Api, outcome
from fhir.resources.R4B import get_fhir_model_class

from fhir_profiles.validate import validate
from gapsvc.records.record import PatientRecord
from gapsvc.records.references import SUPPLEMENTAL

SERVED = ("Measure", "Library", "ValueSet", "CodeSystem", "MeasureReport", "Patient")


def valid(resource: Mapping[str, Any]) -> None:
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def found(body: Mapping[str, Any]) -> list[str]:
    """Ids of the entries of a searchset, which must be valid FHIR."""
    assert (body["resourceType"], body["type"]) == ("Bundle", "searchset")
    valid(body)
    return [entry["resource"]["id"] for entry in body.get("entry", [])]


def some_child(api: Api, wanted: Callable[[PatientRecord], bool] = lambda record: True) -> PatientRecord:
    return next(record for record in api.service.store.records() if wanted(record))


# ---- what is claimed


def test_the_statement_is_valid_and_names_every_fhir_address(api: Api) -> None:
    statement = api.get("/fhir/metadata").get_json()
    valid(statement)
    (rest,) = statement["rest"]
    claimed = set()
    for resource in rest["resource"]:
        name = resource["type"]
        for interaction in resource["interaction"]:
            if interaction["code"] == "read":
                claimed.add(("GET", f"/fhir/{name}/<>"))
            elif interaction["code"] == "search-type":
                claimed |= {("GET", f"/fhir/{name}"), ("POST", f"/fhir/{name}/_search")}
            else:
                raise AssertionError(f"{interaction} is claimed, and not tried here")
        for operation in resource.get("operation", []):
            for at in (f"/fhir/{name}/${operation['name']}", f"/fhir/{name}/<>/${operation['name']}"):
                claimed |= {("GET", at), ("POST", at)}
    claimed |= {("POST", f"/fhir/${operation['name']}") for operation in rest["operation"]}
    served = set()
    for rule in api.flask.application.url_map.iter_rules():
        if rule.rule.startswith("/fhir/") and rule.rule != "/fhir/metadata":
            parts = [step if not step.startswith("<") else "<>" for step in rule.rule.split("/")]
            served |= {(method, "/".join(parts)) for method in (rule.methods or set()) - {"HEAD"}}
    assert claimed == served
    assert "instantiates" not in statement
    assert "implementationGuide" not in statement


def values_of(api: Api) -> dict[tuple[str, str], str]:
    """For each claimed search parameter a value that finds something."""
    record = some_child(api, lambda record: bool(record.patient.get("name")) and "birthDate" in record.patient)
    patient = record.patient
    report = api.get("/fhir/MeasureReport", patient=f"Patient/{record.person_id}").get_json()["entry"][0]["resource"]
    identifier = patient["identifier"][0]
    values = {
        ("MeasureReport", "_id"): report["id"],
        ("MeasureReport", "patient"): record.person_id,
        ("MeasureReport", "subject"): f"Patient/{record.person_id}",
        ("MeasureReport", "measure"): report["measure"],
        ("Patient", "_id"): record.person_id,
        ("Patient", "identifier"): f"{identifier['system']}|{identifier['value']}",
        ("Patient", "name"): patient["name"][0]["family"],
        ("Patient", "birthdate"): patient["birthDate"],
        ("Patient", "gender"): patient["gender"],
    }
    for kind in ("Measure", "Library", "ValueSet", "CodeSystem"):
        first = api.get(f"/fhir/{kind}").get_json()["entry"][0]["resource"]
        values |= {(kind, "_id"): first["id"], (kind, "url"): first["url"], (kind, "name"): first["name"]}
    return values


def test_every_claimed_search_parameter_works_by_get_and_post(api: Api) -> None:
    values = values_of(api)
    claimed = {
        (resource["type"], parameter["name"])
        for resource in api.get("/fhir/metadata").get_json()["rest"][0]["resource"]
        for parameter in resource["searchParam"]
    }
    assert claimed == values.keys()
    for (kind, name), value in values.items():
        by_get = api.get(f"/fhir/{kind}", **{name: value})
        by_post = api.flask.post(
            f"/fhir/{kind}/_search", data={name: value}, headers={"Authorization": "Bearer token-all"}
        )
        assert by_get.status_code == 200, (kind, name)
        assert found(by_get.get_json()), (kind, name)
        assert by_get.get_json() == by_post.get_json(), (kind, name)


def test_whatever_is_found_can_be_read(api: Api) -> None:
    everything = {"Patient": {"birthdate": "2025"}}
    for kind in SERVED:
        body = api.get(f"/fhir/{kind}", _count=10, **everything.get(kind, {})).get_json()
        assert body["entry"], kind
        for entry in body["entry"]:
            assert entry["fullUrl"] == f"https://gaps.example/fhir/{kind}/{entry['resource']['id']}"
            read = api.get(f"/fhir/{kind}/{entry['resource']['id']}")
            assert (read.status_code, read.get_json()) == (200, entry["resource"])
            valid(read.get_json())


def as_compared(report: Mapping[str, Any]) -> dict[str, Any]:
    """A report without its date, its evidence in one order."""
    evidence = sorted(report["evaluatedResource"], key=lambda one: str(one["reference"]))
    return {**report, "date": None, "evaluatedResource": evidence}


def test_stored_reports_are_valid_deqm_and_those_of_care_gaps(api: Api) -> None:
    child = some_child(api).person_id
    stored = [entry["resource"] for entry in api.get("/fhir/MeasureReport", patient=child).get_json()["entry"]]
    assert [validate(report) for report in stored] == [[]] * len(stored)
    bundle = api.care_gaps(
        subject=f"Patient/{child}", status=["open-gap", "closed-gap", "prospective-gap", "not-applicable"]
    ).get_json()["parameter"][0]["resource"]
    reported = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "MeasureReport"]
    assert {report["date"] for report in stored} == {"2026-11-22T00:00:00+00:00"}  # the day judged, whenever read
    assert {report["date"] for report in reported} == {"2026-11-22T18:00:00+00:00"}
    undated = [
        sorted((as_compared(report) for report in reports), key=lambda report: str(report["id"]))
        for reports in (stored, reported)
    ]
    assert undated[0] == undated[1]


# ---- not found


def test_what_is_not_there(api: Api) -> None:
    for kind in SERVED:
        for resource_id in ("none", "a" * 65, "_search", "%F0%9F%91%B6"):
            response = api.get(f"/fhir/{kind}/{resource_id}")
            assert (response.status_code, outcome(response)[0][0]) == (404, "not-found"), (kind, resource_id)


def test_reports_of_an_unknown_child_or_measure_are_not_an_empty_answer(api: Api) -> None:
    for query in ({"patient": "none"}, {"subject": "Patient/none"}, {"measure": "Measure/none"}):
        response = api.get("/fhir/MeasureReport", **query)
        assert (response.status_code, outcome(response)[0][2]) == (404, list(query))


# ---- paging


def pages(api: Api, address: str, **query: Any) -> list[list[str]]:
    """Ids on each page, by following `next` to its end."""
    read: list[list[str]] = []
    body = api.get(address, **query).get_json()
    while True:
        read.append(found(body))
        links = {link["relation"]: link["url"] for link in body["link"]}
        if "next" not in links:
            return read
        assert len(read) < 100
        url = urlsplit(links["next"])
        assert f"{url.scheme}://{url.netloc}" == "https://gaps.example"
        body = api.get(url.path, **dict(parse_qsl(url.query))).get_json()


@pytest.mark.parametrize(
    ("address", "query", "count"),
    [
        ("/fhir/Patient", {"birthdate": "2025"}, 7),
        ("/fhir/MeasureReport", {"measure": "Measure/w30"}, 40),
        ("/fhir/MeasureReport", {}, 100),
        ("/fhir/Library", {}, 1),
        ("/fhir/ValueSet", {}, 2),
    ],
)
def test_pages_to_the_end(api: Api, address: str, query: dict[str, str], count: int) -> None:
    whole = api.get(address, _count=500, **query).get_json()
    read = pages(api, address, _count=count, **query)
    assert [len(page) for page in read[:-1]] == [count] * (len(read) - 1)
    every = [one for page in read for one in page]
    assert every[:500] == found(whole)
    assert len(every) == len(set(every)) == whole["total"]


def test_the_links_of_a_search_by_post_are_addresses_to_get(api: Api) -> None:
    form = {"birthdate": "2025", "_count": "3", "_format": "json"}
    headers = {"Authorization": "Bearer token-all"}
    body = api.flask.post("/fhir/Patient/_search", data=form, headers=headers).get_json()
    links = {link["relation"]: link["url"] for link in body["link"]}
    assert links == {
        "self": "https://gaps.example/fhir/Patient?birthdate=2025&_count=3",
        "next": "https://gaps.example/fhir/Patient?birthdate=2025&_count=3&_page=3",
    }


def test_a_count_of_zero_only_counts(api: Api) -> None:
    for address in ("/fhir/MeasureReport", "/fhir/Measure"):
        body = api.get(address, _count=0).get_json()
        assert (found(body), [link["relation"] for link in body["link"]]) == ([], ["self"])
        assert body["total"] > 0


def test_a_page_has_500_at_most(api: Api) -> None:
    body = api.get("/fhir/MeasureReport", _count=100_000).get_json()
    assert len(found(body)) == min(500, body["total"])


# ---- mistakes


@pytest.mark.parametrize(
    ("address", "query", "said"),
    [
        ("/fhir/Patient", {}, []),
        ("/fhir/Patient", {"_count": "5"}, []),
        ("/fhir/Patient", {"family": "Lee"}, ["family"]),
        ("/fhir/Patient", {"name:exact": "Lee"}, ["name:exact"]),
        ("/fhir/Patient", {"name": ["a", "b"]}, ["name"]),
        ("/fhir/Patient", {"name": ""}, ["name"]),
        ("/fhir/Patient", {"name": " "}, ["name"]),
        ("/fhir/Patient", {"_id": ""}, ["_id"]),
        ("/fhir/Patient", {"_id": "a,,b"}, ["_id"]),
        ("/fhir/Patient", {"identifier": ""}, ["identifier"]),
        ("/fhir/Patient", {"identifier": "|"}, ["identifier"]),
        ("/fhir/Patient", {"identifier": "http://system|"}, ["identifier"]),
        ("/fhir/Patient", {"gender": "girl"}, ["gender"]),
        ("/fhir/Patient", {"birthdate": "ge2020-01-01"}, ["birthdate"]),
        ("/fhir/Patient", {"birthdate": "01/02/2020"}, ["birthdate"]),
        ("/fhir/Patient", {"birthdate": "2020-1"}, ["birthdate"]),
        ("/fhir/Patient", {"birthdate": "2020-13"}, ["birthdate"]),
        ("/fhir/Patient", {"birthdate": "eq2025-02-29"}, ["birthdate"]),
        ("/fhir/Patient", {"birthdate": "0000"}, ["birthdate"]),
        ("/fhir/Patient", {"name": "a", "_count": "-1"}, ["_count"]),
        ("/fhir/Patient", {"name": "a", "_count": "many"}, ["_count"]),
        ("/fhir/Patient", {"name": "a", "_count": "1_0"}, ["_count"]),
        ("/fhir/Patient", {"name": "a", "_count": "9" * 5000}, ["_count"]),
        ("/fhir/Patient", {"name": "a", "_page": "1" * 30}, ["_page"]),
        ("/fhir/Patient", {"name": "a", "_page": "x"}, ["_page"]),
        ("/fhir/Patient", {"name": "a", "_sort": "name"}, ["_sort"]),
        ("/fhir/Patient", {"name": "a", "_include": "Patient:organization"}, ["_include"]),
        ("/fhir/MeasureReport", {"patient": "Device/1"}, ["patient"]),
        ("/fhir/MeasureReport", {"patient": "Patient/"}, ["patient"]),
        ("/fhir/MeasureReport", {"period": "2026"}, ["period"]),
        ("/fhir/Measure", {"title": "x"}, ["title"]),
        ("/fhir/Measure", {"url": ""}, ["url"]),
        ("/fhir/Measure", {"colour": "x", "_count": "y"}, ["_count", "colour"]),
    ],
)
def test_a_mistake_is_named(api: Api, address: str, query: dict[str, Any], said: list[str]) -> None:
    response = api.get(address, **query)
    assert response.status_code == 400
    assert sorted(name for issue in outcome(response) for name in issue[2]) == said


# ---- what a search finds


def test_a_name_is_found_by_its_beginning_without_accents_and_case(api: Api) -> None:
    record = some_child(api, lambda record: bool(record.patient.get("name")))
    family = record.patient["name"][0]["family"]
    assert record.person_id in found(api.get("/fhir/Patient", name=family[:3].upper(), _count=500).get_json())


def test_a_birth_date_may_be_a_year_or_a_month(api: Api) -> None:
    record = some_child(api, lambda record: len(str(record.patient.get("birthDate", ""))) == 10)
    born = record.patient["birthDate"]
    for asked in (born, f"eq{born}", born[:7], born[:4]):
        assert record.person_id in found(api.get("/fhir/Patient", birthdate=asked, _count=500).get_json())


def test_a_measure_is_found_by_its_canonical(api: Api) -> None:
    url = "https://gapsvc.example/fhir/Measure/w30"
    assert found(api.get("/fhir/Measure", url=f"{url}|1.0.0").get_json()) == ["w30"]
    assert found(api.get("/fhir/Measure", url=f"{url}|9.9.9").get_json()) == []
    assert found(api.get("/fhir/Measure", _id="w30,three-by-120").get_json()) == ["three-by-120", "w30"]


def test_a_measure_names_libraries_and_value_sets_that_can_be_found(api: Api) -> None:
    for entry in api.get("/fhir/Measure").get_json()["entry"]:
        waiting = list(entry["resource"]["library"])
        seen = set()
        while waiting:
            canonical = waiting.pop()
            kind = canonical.split("|")[0].rsplit("/", 2)[-2]
            body = api.get(f"/fhir/{kind}", url=canonical).get_json()
            assert body["total"] == 1, canonical
            seen.add(kind)
            related = body["entry"][0]["resource"].get("relatedArtifact", [])
            waiting += [one["resource"] for one in related]
        assert seen == {"Library", "ValueSet"}


def test_the_code_of_supplemental_data_can_be_looked_up(api: Api) -> None:
    body = api.get("/fhir/CodeSystem", url=SUPPLEMENTAL["system"]).get_json()
    assert [entry["resource"]["concept"][0]["code"] for entry in body["entry"]] == [SUPPLEMENTAL["code"]]


def test_a_child_with_two_records_is_one_patient(api: Api) -> None:
    record = some_child(api, lambda record: len(record.resources["Patient"]) > 1)
    other = next(one["id"] for one in record.resources["Patient"] if one["id"] != record.person_id)
    born = record.patient["birthDate"]
    assert found(api.get("/fhir/Patient", birthdate=born).get_json()).count(record.person_id) == 1
    assert other not in found(api.get("/fhir/Patient", birthdate=born).get_json())
    linked = api.get(f"/fhir/Patient/{other}").get_json()
    valid(linked)
    assert linked["id"] == other
    assert linked["link"][-1] == {"other": {"reference": f"Patient/{record.person_id}"}, "type": "refer"}
    reports = found(api.get("/fhir/MeasureReport", patient=other).get_json())
    assert reports == found(api.get("/fhir/MeasureReport", patient=record.person_id).get_json())


def test_patient_and_subject_together_must_agree(api: Api) -> None:
    first, second = [record.person_id for record, _ in zip(api.service.store.records(), range(2), strict=False)]
    same = api.get("/fhir/MeasureReport", patient=first, subject=f"Patient/{first}").get_json()
    assert same["total"] == len(api.service.measures)
    assert api.get("/fhir/MeasureReport", patient=first, subject=f"Patient/{second}").get_json()["total"] == 0
