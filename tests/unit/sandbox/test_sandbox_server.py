"""The sandbox EHR's FHIR search: every resource arrives once, and every mistake is answered as one."""

import gzip
import http.client
import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from ehr_client import get, ids, next_link, pages
from fhir.resources.R4B import get_fhir_model_class

from gapsvc.sandbox import TYPES, SandboxServer, generate, serve, write
from gapsvc.sandbox.archive import Archive, ArchiveError
from gapsvc.sandbox.codes import CIN

AS_OF = date(2026, 11, 22)


@pytest.fixture(scope="module")
def resources() -> list[dict[str, Any]]:
    return list(generate(7, 60, AS_OF).resources())


@pytest.fixture(scope="module")
def ehr() -> Iterator[SandboxServer]:
    with serve(generate(7, 60, AS_OF)) as server:
        yield server


def of(resources: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [r for r in resources if r["resourceType"] == kind]


@pytest.mark.parametrize("kind", TYPES)
def test_paging_brings_every_resource_once(ehr: SandboxServer, resources: list[dict[str, Any]], kind: str) -> None:
    found = pages(f"{ehr.url}/{kind}", {"_count": 37})
    expected = of(resources, kind)
    assert [e["resource"] for bundle in found for e in bundle.get("entry", ())] == expected
    assert {bundle["total"] for bundle in found} == {len(expected)}
    assert len(found) == max(1, -(-len(expected) // 37))
    assert all(e["fullUrl"] == f"{ehr.url}/{kind}/{e['resource']['id']}" for b in found for e in b.get("entry", ()))


def test_pages_and_the_statement_are_valid_r4(ehr: SandboxServer) -> None:
    get_fhir_model_class("Bundle").model_validate(get(f"{ehr.url}/Encounter", {"_count": 3, "_sort": "date"}).json)
    statement = get(f"{ehr.url}/metadata").json
    get_fhir_model_class("CapabilityStatement").model_validate(statement)
    assert {resource["type"] for resource in statement["rest"][0]["resource"]} == set(TYPES)


def test_read_answers_the_resource_as_it_was_written(ehr: SandboxServer, resources: list[dict[str, Any]]) -> None:
    encounter = of(resources, "Encounter")[5]
    reply = get(f"{ehr.url}/Encounter/{encounter['id']}")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/fhir+json; charset=utf-8")
    assert reply.raw == orjson.dumps(encounter)


def test_a_folder_is_served_as_its_population_is(tmp_path: Path, ehr: SandboxServer) -> None:
    write(generate(7, 60, AS_OF), tmp_path)
    packed = tmp_path / "Immunization.ndjson"
    (tmp_path / "Immunization.ndjson.gz").write_bytes(gzip.compress(packed.read_bytes()))
    packed.unlink()
    with serve(tmp_path) as folder:
        for kind in TYPES:
            here, there = pages(f"{folder.url}/{kind}"), pages(f"{ehr.url}/{kind}")
            assert ids(here) == ids(there)
        assert get(f"{folder.url}/Immunization/imm-000001-01").json == get(f"{ehr.url}/Immunization/imm-000001-01").json


@pytest.mark.parametrize("name", ["patient", "subject"])
@pytest.mark.parametrize("prefix", ["", "Patient/"])
def test_one_patients_encounters(ehr: SandboxServer, resources: list[dict[str, Any]], name: str, prefix: str) -> None:
    expected = [
        f"Encounter/{e['id']}"
        for e in of(resources, "Encounter")
        if e["subject"]["reference"] in ("Patient/child-000002", "Patient/child-000004")
    ]
    asked = {name: f"{prefix}child-000002,{prefix}child-000004"}
    assert ids(pages(f"{ehr.url}/Encounter", asked)) == expected
    assert len(expected) > 3


def test_include_brings_what_the_matches_refer_to_once(ehr: SandboxServer, resources: list[dict[str, Any]]) -> None:
    asked = [
        ("patient", "child-000002"),
        ("_include", "Encounter:location"),
        ("_include", "Encounter:practitioner"),
        ("_include", "Encounter:service-provider:Organization"),
    ]
    bundles = pages(f"{ehr.url}/Encounter", asked)
    matches = [e for e in of(resources, "Encounter") if e["subject"]["reference"] == "Patient/child-000002"]
    mentioned = {e["serviceProvider"]["reference"] for e in matches}
    mentioned |= {e["participant"][0]["individual"]["reference"] for e in matches}
    mentioned |= {place["location"]["reference"] for e in matches for place in e.get("location", ())}
    included = ids(bundles, "include")
    assert sorted(included) == sorted(mentioned)
    assert bundles[0]["total"] == len(matches)


@pytest.mark.parametrize(
    ("query", "keep"),
    [
        ([("_lastUpdated", "ge2026-06-01T00:00:00Z")], lambda t: t >= "2026-06-01T00:00:00Z"),
        ([("_lastUpdated", "gt2026-06-01T00:00:00Z")], lambda t: t > "2026-06-01T00:00:00Z"),
        ([("_lastUpdated", "lt2026-01-01T00:00:00Z")], lambda t: t < "2026-01-01T00:00:00Z"),
        ([("_lastUpdated", "le2026-01-01T00:00:00Z")], lambda t: t <= "2026-01-01T00:00:00Z"),
        (
            [("_lastUpdated", "ge2026-01-01T00:00:00Z"), ("_lastUpdated", "lt2026-06-01T00:00:00Z")],
            lambda t: "2026-01-01T00:00:00Z" <= t < "2026-06-01T00:00:00Z",
        ),
        ([("_lastUpdated", "2026-06")], lambda t: "2026-06-01T07:00:00Z" <= t < "2026-07-01T07:00:00Z"),
    ],
)
def test_last_updated(ehr: SandboxServer, resources: list[dict[str, Any]], query: Any, keep: Any) -> None:
    expected = [f"Encounter/{e['id']}" for e in of(resources, "Encounter") if keep(e["meta"]["lastUpdated"])]
    assert ids(pages(f"{ehr.url}/Encounter", query)) == expected
    assert expected


def test_last_updated_on_the_very_second(ehr: SandboxServer, resources: list[dict[str, Any]]) -> None:
    stamp = of(resources, "Encounter")[3]["meta"]["lastUpdated"]
    everyone = {e["meta"]["lastUpdated"] for e in of(resources, "Encounter")}

    def stamps(prefix: str) -> set[str]:
        found = pages(f"{ehr.url}/Encounter", {"_lastUpdated": f"{prefix}{stamp}"})
        return {e["resource"]["meta"]["lastUpdated"] for b in found for e in b.get("entry", ())}

    assert stamps("") == stamps("eq") == {stamp}
    assert stamps("ge") == {s for s in everyone if s >= stamp}
    assert stamps("gt") == {s for s in everyone if s > stamp}
    assert stamps("le") == {s for s in everyone if s <= stamp}
    assert stamps("lt") == {s for s in everyone if s < stamp}


def test_encounters_of_a_day_in_the_clinics_own_time(ehr: SandboxServer, resources: list[dict[str, Any]]) -> None:
    days = {e["period"]["start"][:10] for e in of(resources, "Encounter") if len(e["period"]["start"]) > 10}
    day = sorted(days)[len(days) // 2]
    found = pages(f"{ehr.url}/Encounter", [("date", f"ge{day}"), ("date", f"le{day}")])
    expected = {
        f"Encounter/{e['id']}"
        for e in of(resources, "Encounter")
        if e["period"]["start"][:10] == day and e["class"]["code"] != "IMP" and "end" in e["period"]
    }
    assert expected <= set(ids(found))


def test_patients_by_identifier_birth_date_and_name(ehr: SandboxServer, resources: list[dict[str, Any]]) -> None:
    patients = of(resources, "Patient")
    one = patients[3]
    cin = next(i["value"] for i in one["identifier"] if i["system"] == CIN)
    for asked in (
        {"identifier": f"{CIN}|{cin}"},
        {"identifier": cin},
        {"_id": one["id"]},
        {"birthdate": one["birthDate"], "gender": one["gender"], "given": one["name"][0]["given"][0].upper()},
    ):
        assert f"Patient/{one['id']}" in ids(pages(f"{ehr.url}/Patient", asked)), asked
    assert ids(pages(f"{ehr.url}/Patient", {"identifier": f"http://elsewhere.example.org|{cin}"})) == []
    accented = next((p for p in patients if not p["name"][0]["family"].isascii()), None)
    assert accented is not None
    plain = {"García": "garcia", "Hernández": "hernandez", "López": "lopez", "Martínez": "martinez"}
    family = accented["name"][0]["family"]
    asked = {"name": plain.get(family, family)}
    assert f"Patient/{accented['id']}" in ids(pages(f"{ehr.url}/Patient", asked))


def test_tokens_in_encounter_class_and_type(ehr: SandboxServer, resources: list[dict[str, Any]]) -> None:
    stays = [f"Encounter/{e['id']}" for e in of(resources, "Encounter") if e["class"]["code"] == "IMP"]
    assert ids(pages(f"{ehr.url}/Encounter", {"class": "IMP"})) == stays
    well = ids(pages(f"{ehr.url}/Encounter", {"type": "http://www.ama-assn.org/go/cpt|99392"}))
    assert well
    assert ids(pages(f"{ehr.url}/Encounter", {"type": "http://snomed.info/sct|99392"})) == []


def test_count_zero_and_total(ehr: SandboxServer, resources: list[dict[str, Any]]) -> None:
    counted = get(f"{ehr.url}/Encounter", {"_count": 0}).json
    assert (counted["total"], counted.get("entry"), next_link(counted)) == (len(of(resources, "Encounter")), None, None)
    assert "total" not in get(f"{ehr.url}/Encounter", {"_total": "none"}).json


def test_sort_is_not_done_and_that_is_said(ehr: SandboxServer) -> None:
    bundle = get(f"{ehr.url}/Patient", {"_sort": "-birthdate", "_count": 2}).json
    remark = bundle["entry"][-1]
    assert remark["search"] == {"mode": "outcome"}
    assert remark["resource"]["issue"][0]["diagnostics"] == (
        "_sort is not supported: matches come in the server's own order"
    )


@pytest.mark.parametrize(
    ("path", "query", "status", "problem"),
    [
        ("Patient", {"birthdat": "2020"}, 400, "Patient has no search parameter 'birthdat'; did you mean birthdate?"),
        ("Encounter", {"_count": "many"}, 400, "_count must be a whole number from 0; it is 'many'"),
        ("Encounter", {"_count": "-1"}, 400, "_count must be a whole number from 0; it is '-1'"),
        ("Encounter", {"patient": ""}, 400, "patient needs a value"),
        ("Encounter", {"_total": "some"}, 400, "_total must be none, estimate or accurate"),
        ("Encounter", {"_format": "xml"}, 400, "_format must be json: this server speaks nothing else"),
        (
            "Encounter",
            {"date": "ge2026-02-30"},
            400,
            "date takes a date or instant with one of eq, ne, gt, lt, ge, le, sa, eb before it; it is 'ge2026-02-30'",
        ),
        (
            "RelatedPerson",
            {"_include": "RelatedPerson:mother"},
            400,
            "_include 'RelatedPerson:mother' is not known here; known: RelatedPerson:patient",
        ),
        ("Encounter", {"_page": "nonsense"}, 400, "_page is not a token of this server; start the search again"),
        ("Patient/nobody", {}, 404, "no Patient has this id"),
        (
            "Patient/child-000001/_history",
            {},
            404,
            "this server reads and searches; it has no history and no operations",
        ),
        ("Medication", {}, 404, f"no such resource type; served: {', '.join(TYPES)}"),
    ],
)
def test_mistakes_are_answered_as_such(
    ehr: SandboxServer, path: str, query: dict[str, str], status: int, problem: str
) -> None:
    reply = get(f"{ehr.url}/{path}", query)
    assert (reply.status, reply.problem) == (status, problem)


def test_outside_the_base_and_other_methods(ehr: SandboxServer) -> None:
    root = ehr.url.removesuffix("/fhir")
    assert get(f"{root}/elsewhere").status == 404
    assert get(f"{root}/fhirish/Patient").status == 404
    for method in ("POST", "DELETE", "PUT"):
        reply = get(f"{ehr.url}/Patient", method=method)
        assert (reply.status, reply.headers["allow"], reply.problem) == (405, "GET", "this server answers GET only")


def test_a_token_is_wanted_for_all_but_metadata() -> None:
    with serve(generate(7, 5, AS_OF), token="s3cret") as ehr:
        assert get(f"{ehr.url}/metadata").status == 200
        bare, wrong = get(f"{ehr.url}/Patient"), get(f"{ehr.url}/Patient", token="guess")
        assert (bare.status, wrong.status) == (401, 401)
        assert bare.headers["www-authenticate"] == 'Bearer realm="sandbox EHR"'
        assert get(f"{ehr.url}/Patient", token="s3cret").status == 200


def test_one_connection_serves_many_requests(ehr: SandboxServer) -> None:
    connection = http.client.HTTPConnection(urlsplit(ehr.url).netloc, timeout=10)
    try:
        connection.request("GET", "/fhir/Patient?_count=1")
        connection.getresponse().read()
        held = connection.sock
        for _ in range(20):
            connection.request("GET", "/fhir/Patient?_count=1")
            assert connection.getresponse().read()
        assert connection.sock is held
    finally:
        connection.close()


def test_links_follow_the_host_that_was_asked_but_not_a_forged_one(ehr: SandboxServer) -> None:
    parts = urlsplit(ehr.url)

    def linked(host: str) -> str:
        connection = http.client.HTTPConnection(parts.netloc, timeout=10)
        try:
            connection.request("GET", "/fhir/Patient?_count=1", headers={"Host": host})
            link = next_link(orjson.loads(connection.getresponse().read()))
            assert link is not None
            return link.partition("/fhir/")[0]
        finally:
            connection.close()

    assert linked(f"localhost:{parts.port}") == f"http://localhost:{parts.port}"
    assert linked('evil.example.org/"x') == f"http://{parts.netloc}"


def test_after_the_block_the_port_is_free_and_open_connections_are_closed() -> None:
    with serve(generate(7, 5, AS_OF)) as ehr:
        parts = urlsplit(ehr.url)
        waiting = socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=5)
        get(f"{ehr.url}/metadata")
    with waiting:
        assert waiting.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=2)


def test_a_folder_that_cannot_be_served_says_why(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="is not a folder; `gapsvc sandbox generate` writes one"):
        Archive.open(tmp_path / "nowhere")
    (tmp_path / "truth.ndjson").write_text('{"person":"x"}\n')
    with pytest.raises(ArchiveError, match="holds no FHIR NDJSON"):
        Archive.open(tmp_path)
    (tmp_path / "Patient.ndjson").write_text('{"resourceType":"Patient","id":"a"}\n{"resourceType":\n')
    with pytest.raises(ArchiveError, match=r"Patient\.ndjson:2: not JSON"):
        Archive.open(tmp_path)
    (tmp_path / "Patient.ndjson").write_text('{"resourceType":"Patient","id":"a"}\n' * 2)
    with pytest.raises(ArchiveError, match="Patient/a is there twice"):
        Archive.open(tmp_path)
