"""adapters.search, outcomes, vendors: pages followed to their end, on the endpoint's own origin, nothing lost."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
import requests
import responses

from adapters import open_source
from adapters.auth import BearerToken
from adapters.base import Batch, SourceError, SourceUnreachable
from adapters.http import HttpClient, HttpError, RetryPolicy
from adapters.outcomes import worded
from adapters.search import MAX_RESTARTS, SearchSource, group_members
from adapters.vendors import load_vendor, read_vendor, vendor_names
from gapsvc.sandbox.disorder import Disorder
from gapsvc.sandbox.misbehaviour import Misbehaviour
from gapsvc.sandbox.population import generate
from gapsvc.sandbox.server import serve

BASE = "https://ehr.example/fhir"


def patient(ident: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": ident}


def dose(ident: str, child: str = "child-1") -> dict[str, Any]:
    return {
        "resourceType": "Immunization",
        "id": ident,
        "status": "completed",
        "patient": {"reference": f"Patient/{child}"},
    }


def page(*resources: dict[str, Any], next_link: str | None = None, total: int | None = None) -> dict[str, Any]:
    links = [{"relation": "self", "url": f"{BASE}/x"}]
    if next_link is not None:
        links.append({"relation": "next", "url": next_link})
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "link": links}
    bundle["entry"] = [resource if "resource" in resource else {"resource": resource} for resource in resources]
    return bundle | ({} if total is None else {"total": total})


def outcome(severity: str, code: str, detail: str | None = None, text: str = "") -> dict[str, Any]:
    issue: dict[str, Any] = {"severity": severity, "code": code, "diagnostics": text}
    if detail is not None:
        issue["details"] = {"coding": [{"system": "urn:epic", "code": detail}], "text": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        rest = [{"resource": [{"type": kind} for kind in ("Patient", "Immunization", "Encounter", "Location")]}]
        statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": rest}
        mock.add("GET", f"{BASE}/metadata", json=statement)
        yield mock


def source(vendor: str = "generic", **options: Any) -> SearchSource:
    client = HttpClient(BearerToken("secret"), RetryPolicy(attempts=2, backoff=0.0), sleep=lambda _: None)
    return SearchSource(BASE, "ehr", client, vendor=load_vendor(vendor), **options)


def ids(batches: list[Batch]) -> list[str]:
    return [item.resource["id"] for batch in batches for item in batch.fetched]


def notices(batches: list[Batch]) -> list[str]:
    return [text for batch in batches for text in batch.notices]


def searches(web: responses.RequestsMock) -> list[str]:
    return [call.request.url.removeprefix(BASE) for call in web.calls if "metadata" not in call.request.url]


def test_pages_are_streamed_with_cursors_and_total(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Patient", json=page(patient("a"), next_link=f"{BASE}?page=2", total=2))
    web.add("GET", BASE, json=page(patient("b"), total=2))
    first, second = source(page_size=50).batches("Patient", since="2024-03-01T00:00:00+00:00")
    assert first.fetched[0].resource == patient("a")
    assert first.fetched[0].origin == f"{BASE}/Patient?_count=…&_lastUpdated=…#1"
    assert (first.cursor, first.total, first.notices, first.rejected) == ("?page=2", 2, (), ())
    assert (ids([second]), second.cursor) == (["b"], None)
    query = parse_qs(urlsplit(searches(web)[0]).query)
    assert query == {"_count": ["50"], "_lastUpdated": ["ge2024-03-01T00:00:00+00:00"]}
    assert "%2B" in searches(web)[0]  # a bare + would be read as a blank


def test_reading_goes_on_at_a_cursor(web: responses.RequestsMock) -> None:
    web.add("GET", BASE, json=page(patient("b")))
    assert ids(list(source().batches("Patient", cursor="?page=2"))) == ["b"]
    assert searches(web) == ["?page=2"]


@pytest.mark.parametrize(
    "cursor", ["@evil.example/x", ".evil.example/", "/../admin", "//evil", "https://evil.example/"]
)
def test_a_cursor_never_leads_elsewhere(web: responses.RequestsMock, cursor: str) -> None:
    web.add("GET", f"{BASE}/Patient", json=page(patient("a")))
    web.add("GET", f"{BASE}//evil", status=404)
    assert ids(list(source().batches("Patient", cursor=cursor))) == ["a"]
    assert all(call.request.url.startswith(BASE) for call in web.calls)


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("https://evil.example/fhir?page=2", "https://evil.example"),
        ("https://ehr.example.evil.example/fhir?page=2", "https://ehr.example.evil.example"),
        ("https://ehr.example/other?page=2", "https://ehr.example"),
    ],
)
def test_a_foreign_next_link_is_not_followed_and_its_page_is_kept(
    web: responses.RequestsMock, link: str, shown: str
) -> None:
    web.add("GET", f"{BASE}/Patient", json=page(patient("a"), next_link=link))
    reading = source().batches("Patient")
    batch = next(reading)
    assert ids([batch]) == ["a"]
    with pytest.raises(SourceError) as caught:
        next(reading)
    assert str(caught.value) == (
        f"ehr: Patient not read to its end: the server's next link leads to {shown}, outside {BASE}; not followed. "
        "If that is the same endpoint, configure its URL as the base"
    )
    assert len(searches(web)) == 1
    # Resuming asks for the same page again: the type is not complete.
    assert batch.cursor == "/Patient?_count=200"


def test_next_links_that_are_relative_or_behind_a_tls_proxy_are_followed(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Patient", json=page(patient("a"), next_link="?page=2"))
    web.replace("GET", f"{BASE}/Patient", json=page(patient("a"), next_link="http://ehr.example/fhir/next/2"))
    web.add("GET", f"{BASE}/next/2", json=page(patient("b"), next_link="3"))
    web.add("GET", f"{BASE}/next/3", json=page(patient("c")))
    assert ids(list(source().batches("Patient"))) == ["a", "b", "c"]


def test_a_circle_of_next_links_is_an_error(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Patient", json=page(patient("a"), next_link=f"{BASE}?page=2"))
    web.add("GET", BASE, json=page(patient("b"), next_link=f"{BASE}?page=2"))
    reading = source().batches("Patient")
    assert ids([next(reading), next(reading)]) == ["a", "b"]
    with pytest.raises(SourceError, match="leads back to a page already read"):
        next(reading)


def test_empty_pages_without_end_are_an_error(web: responses.RequestsMock) -> None:
    web.add_callback(
        "GET",
        BASE,
        lambda request: (200, {}, f'{{"resourceType":"Bundle","link":[{{"relation":"next","url":"{request.url}1"}}]}}'),
    )
    with pytest.raises(SourceError, match="100 empty pages in a row"):
        list(source().batches("Patient", cursor="?page=1"))


def test_an_expired_page_starts_the_search_again_without_doubles(web: responses.RequestsMock) -> None:
    first = page(patient("a"), next_link=f"{BASE}?page=2")
    web.add("GET", f"{BASE}/Patient", json=first)
    web.add("GET", BASE, json=outcome("error", "not-found", "4113"), status=410)
    web.add("GET", BASE, json=page(patient("b")))
    batches = list(source().batches("Patient"))
    assert ids(batches) == ["a", "b"]
    assert notices(batches) == ["a page of Patient had expired: the search was started again"]


@pytest.mark.parametrize("expired", [outcome("error", "processing", "4113"), page(outcome("error", "x", "4113"))])
def test_a_page_may_say_that_it_expired_with_http_200(web: responses.RequestsMock, expired: dict[str, Any]) -> None:
    web.add("GET", f"{BASE}/Patient", json=page(patient("a"), next_link=f"{BASE}?page=2"))
    web.add("GET", BASE, json=expired)
    web.add("GET", BASE, json=page(patient("b")))
    assert ids(list(source("epic", strategy="type").batches("Patient"))) == ["a", "b"]


def test_pages_that_always_expire_are_an_error(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Patient", json=page(patient("a"), next_link=f"{BASE}?page=2"))
    web.add("GET", BASE, status=404)
    reading = source().batches("Patient")
    found = [next(reading)]
    with pytest.raises(SourceError, match=f"expired {MAX_RESTARTS + 1} times"):
        found.extend(reading)
    assert ids(found) == ["a"]


def test_included_resources_come_too(web: responses.RequestsMock) -> None:
    place = {"resource": {"resourceType": "Location", "id": "clinic"}, "search": {"mode": "include"}}
    web.add("GET", f"{BASE}/Encounter", json=page({"resourceType": "Encounter", "id": "visit"}, place))
    include = {"Encounter": ("Encounter:location", "Encounter:practitioner:Practitioner")}
    (batch,) = source(include=include).batches("Encounter")
    assert [item.resource["resourceType"] for item in batch.fetched] == ["Encounter", "Location"]
    query = parse_qs(urlsplit(searches(web)[0]).query)
    assert query["_include"] == list(include["Encounter"])
    assert batch.notices == ()


def test_includes_that_are_ignored_are_noticed(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Encounter", json=page({"resourceType": "Encounter", "id": "visit"}))
    (batch,) = source(include={"Encounter": ("Encounter:location",)}).batches("Encounter")
    assert batch.notices == (
        "_include=Encounter:location brought nothing: the server may ignore it; pull those types themselves",
    )


def test_outcomes_in_a_searchset_are_notices_or_rejections_without_patient_data(web: responses.RequestsMock) -> None:
    warning = outcome("warning", "not-found", "4117", "no CVX for Canary Zebra")
    error = outcome("error", "forbidden", "59188", "Canary Zebra is restricted")
    web.add("GET", f"{BASE}/Immunization", json=page(dose("d1"), warning, error, {"resource": "Canary"}))
    (batch,) = source("epic", strategy="type").batches("Immunization")
    assert ids([batch]) == ["d1"]
    assert batch.notices == ("Immunization: warning 4117: immunizations without a CVX code",)
    assert [(item.code, item.reason) for item in batch.rejected] == [
        ("operation-outcome", "the server reports an error in the place of a Immunization: error 59188"),
        ("not-an-object", "expected Bundle.entry.resource to be one FHIR resource: a JSON object"),
    ]
    assert b"Canary" in batch.rejected[0].raw  # kept whole, where it may be


def test_an_outcome_in_the_place_of_an_empty_bundle(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Immunization", json=outcome("warning", "not-found", "4101"))
    (batch,) = source("epic", strategy="type").batches("Immunization")
    assert batch == Batch("Immunization", (), notices=("Immunization: warning 4101: the search found nothing",))
    web.replace("GET", f"{BASE}/Immunization", json=outcome("fatal", "exception"))
    with pytest.raises(HttpError, match="the server reports fatal exception"):
        list(source().batches("Immunization"))


def test_bad_resources_on_a_page_are_kept_aside_alone(web: responses.RequestsMock) -> None:
    absolute = dose("d1") | {"patient": {"reference": f"{BASE}/Patient/child-1"}}
    web.add("GET", f"{BASE}/Immunization", json=page(absolute, {"resourceType": "Immunization"}, dose("d2")))
    (batch,) = source().batches("Immunization")
    assert batch.fetched[0].resource == dose("d1")
    assert batch.fetched[0].repairs == ("reference-absolute:Immunization.patient.reference",)
    assert (ids([batch]), [item.code for item in batch.rejected]) == (["d1", "d2"], ["no-id"])


def test_a_refused_search_is_an_error_that_names_the_source(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Patient", json=outcome("error", "forbidden", text="Canary"), status=403)
    with pytest.raises(HttpError) as caught:
        list(source().batches("Patient"))
    assert str(caught.value) == (
        "ehr: GET https://ehr.example/fhir/Patient?_count=…: HTTP 403; the client is not allowed to read this: "
        "check its scopes (error forbidden)"
    )


def test_what_is_not_fhir_is_an_error(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Patient", json={"message": "hello"})
    with pytest.raises(SourceError, match="expected a Bundle; check the base URL"):
        list(source().batches("Patient"))


def test_the_capability_statement_is_never_a_gate(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Coverage", json=page({"resourceType": "Coverage", "id": "c"}))
    web.add("GET", f"{BASE}/Patient", json=page())
    ehr = source()
    (batch,) = ehr.batches("Coverage")
    assert ids([batch]) == ["c"]
    assert batch.notices == ("the CapabilityStatement does not list Coverage: asked for it all the same",)
    web.replace("GET", f"{BASE}/metadata", status=404)
    (batch,) = source().batches("Patient")
    assert batch.notices == ("no CapabilityStatement (HTTP 404): asked for Patient all the same",)
    web.replace("GET", f"{BASE}/metadata", json={"resourceType": "CapabilityStatement", "fhirVersion": "3.0.2"})
    (batch,) = source().batches("Patient")
    assert batch.notices == ("the server's FHIR version is not R4 (4.x): records may be read wrongly",)


@pytest.mark.parametrize("url", ["ehr.example/fhir", "ftp://ehr.example", "https://", f"{BASE}?x=1", ""])
def test_a_base_that_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(SourceError, match="is not a FHIR base URL"):
        SearchSource(url, "ehr", HttpClient())


# --- by patient ---------------------------------------------------------------------------------------------------


def by_patient(web: responses.RequestsMock, kind: str, rows: dict[str, Any]) -> None:
    def reply(request: Any) -> tuple[int, dict[str, str], str]:
        row = rows[parse_qs(urlsplit(request.url).query)["patient"][0]]
        status, body = row if isinstance(row, tuple) else (200, row)
        return status, {}, orjson.dumps(body).decode()

    web.add_callback("GET", f"{BASE}/{kind}", reply)


def test_by_patient_each_patient_is_asked_for_and_a_cursor_is_a_patient(web: responses.RequestsMock) -> None:
    rows = {f"c{n}": page(dose(f"d{n}", f"c{n}"), dose(f"e{n}", f"c{n}")) for n in range(5)}
    by_patient(web, "Immunization", rows)
    ehr = source(strategy="patient", page_size=3, patients=lambda: ["c4", "c2", "c0", "c1", "c3", "c1"])
    batches = list(ehr.batches("Immunization"))
    everything = [f"{kind}{n}" for n in range(5) for kind in "de"]
    assert ids(batches) == everything
    assert [batch.cursor for batch in batches] == ["after-patient:c1", "after-patient:c3", None]
    assert ids(list(ehr.batches("Immunization", cursor="after-patient:c1"))) == everything[4:]


def test_by_patient_without_a_list_all_patients_are_found_first(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Patient", json=page(patient("c2"), next_link=f"{BASE}?page=2"))
    web.add("GET", BASE, json=page(patient("c1")))
    by_patient(web, "Immunization", {"c1": page(dose("d1")), "c2": page()})
    ehr = source(strategy="patient")
    assert ids(list(ehr.batches("Immunization"))) == ["d1"]
    assert ids(list(ehr.batches("Immunization"))) == ["d1"]
    assert sum(1 for url in searches(web) if url.startswith("/Patient?")) == 1  # the list is read once


def test_by_patient_one_refused_patient_does_not_stop_the_others(web: responses.RequestsMock) -> None:
    rows = {"c1": page(dose("d1")), "c2": (404, outcome("error", "not-found", "4107")), "c3": page(dose("d3"))}
    by_patient(web, "Immunization", rows)
    (batch,) = source("epic", patients=lambda: rows).batches("Immunization", since="2024-01-01T00:00:00Z")
    assert ids([batch]) == ["d1", "d3"]
    (refused,) = batch.rejected
    assert (refused.code, refused.resource_type, refused.resource_id) == ("operation-outcome", "Immunization", "c2")
    assert "the patient was merged into another one" in refused.reason
    assert batch.notices == ("Epic, also as hosted by OCHIN has no usable _lastUpdated: everything is read",)
    assert all("_lastUpdated" not in url for url in searches(web))


def test_by_patient_a_scope_error_stops(web: responses.RequestsMock) -> None:
    by_patient(web, "Immunization", {"c1": (403, {})})
    with pytest.raises(HttpError, match="check its scopes"):
        list(source(strategy="patient", patients=lambda: ["c1"]).batches("Immunization"))


def test_by_patient_what_belongs_to_no_patient_is_searched_whole_or_noticed(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Location", json=outcome("error", "invalid"), status=400)
    (batch,) = source(strategy="patient", patients=lambda: ["c1"]).batches("Location")
    assert batch == Batch(
        "Location", (), notices=("the server refuses a search of all Location (HTTP 400): none are read",)
    )


def test_by_patient_an_ehr_that_lists_no_patients_says_what_it_needs(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Patient", json=outcome("error", "invalid", "4111"), status=400)
    with pytest.raises(SourceError, match="say which ones to read, by their ids or by a Group"):
        list(source("epic").batches("Patient"))


def test_an_endpoint_without_an_answer_is_told_from_one_that_refuses(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Location", body=requests.exceptions.ConnectionError())
    web.add("GET", f"{BASE}/Organization", status=500)
    with pytest.raises(SourceUnreachable, match=r"ehr: GET .*: no connection, or it broke off, still after 2 attempts"):
        list(source().batches("Location"))
    with pytest.raises(HttpError) as refused:
        list(source().batches("Organization"))
    assert not isinstance(refused.value, SourceUnreachable)


def test_patients_who_are_new_are_read_whole(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Immunization", json=page(dose("d1", "c1")))
    assert ids(list(source().patient_batches("Immunization", ["c1"]))) == ["d1"]
    (asked,) = searches(web)
    assert parse_qs(urlsplit(asked).query)["patient"] == ["c1"]
    assert list(source().patient_batches("Location", ["c1"])) == []  # about no patient


def test_by_patient_patients_are_read_by_id(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Patient", json=page(patient("c1")), match=[responses.matchers.query_param_matcher(
        {"_id": "c1", "_count": "200"})])  # fmt: skip
    limited = source().limited_to(lambda: ["c1"])
    assert ids(list(limited.batches("Patient"))) == ["c1"]


def test_vendor_search_parameters_are_sent(web: responses.RequestsMock) -> None:
    by_patient(web, "Condition", {"c1": page()})
    list(source("epic", patients=lambda: ["c1"]).batches("Condition"))
    query = parse_qs(urlsplit(searches(web)[0]).query)
    assert query == {"_count": ["100"], "patient": ["c1"], "category": ["problem-list-item,encounter-diagnosis"]}


def test_the_members_of_a_group_are_the_patients(web: responses.RequestsMock) -> None:
    member = [{"entity": {"reference": reference}} for reference in ("Patient/c1", f"{BASE}/Patient/c2", "Device/d")]
    member.append({"entity": {"reference": "Patient/left"}, "inactive": True})
    web.add("GET", f"{BASE}/Group/panel", json={"resourceType": "Group", "id": "panel", "member": member})
    assert group_members(BASE, HttpClient(), "panel") == ["c1", "c2"]
    by_patient(web, "Immunization", {"c1": page(dose("d1")), "c2": page(dose("d2"))})
    ehr = open_source(BASE, token="secret", group="panel")
    assert [item.resource["id"] for batch in ehr.batches("Immunization") for item in batch.fetched] == ["d1", "d2"]
    web.replace("GET", f"{BASE}/Group/panel", json={"resourceType": "Group", "id": "panel"})
    with pytest.raises(SourceError, match="the Group has no active patients"):
        group_members(BASE, HttpClient(), "panel")


# --- vendors ------------------------------------------------------------------------------------------------------


def test_every_vendor_file_reads_and_has_its_source() -> None:
    assert vendor_names() == (
        "athenahealth",
        "eclinicalworks",
        "epic",
        "generic",
        "oracle-health",
        "sandbox",
        "veradigm",
    )
    for name in vendor_names():
        vendor = load_vendor(name)
        assert vendor.source
        assert vendor.date > date(2026, 1, 1)
    epic = load_vendor("epic")
    assert (epic.strategy, epic.supports_last_updated, epic.retry_bare_400) == ("patient", False, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("page_sise = 5", "vendor x: unknown key 'page_sise'; did you mean 'page_size'"),
        ("page_size = true", "vendor x: page_size must be a whole number above 0, not True"),
        ("page_size = 0", "vendor x: page_size must be a whole number above 0, not 0"),
        ("strategy = 5", "vendor x: strategy must be text, not 5"),
        ('product = "X"', "vendor x: source, date must be given"),
        ('product = "X"\nsource = "y"\ndate = 2026-01-01\nstrategy = "all"', "strategy must be 'type' or 'patient'"),
        ("= 5", "vendor x: not TOML"),
    ],
)
def test_a_wrong_vendor_file_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_vendor("x", text)


def test_an_unknown_vendor_is_named_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="no vendor 'epik'; did you mean 'epic'"):
        open_source(BASE, vendor="epik")
    with pytest.raises(SourceError, match="Epic-Client-ID"):
        open_source(BASE, vendor="epic")


def test_codes_of_outcomes_are_worded_and_free_text_is_not() -> None:
    said = {"resourceType": "OperationOutcome", "issue": [{"severity": "Canary", "code": "Canary Zebra"}, "x", {}]}
    assert worded(said, {}) == "issue"
    assert worded(outcome("warning", "not-found", "a b"), {}) == "warning not-found"


# --- against the sandbox EHR --------------------------------------------------------------------------------------

POPULATION = generate(seed=7, size=30, as_of=date(2026, 6, 30), disorder=Disorder.all())
IN_POPULATION = Counter(f"{found['resourceType']}/{found['id']}" for found in POPULATION.resources())
TYPES = sorted({name.partition("/")[0] for name in IN_POPULATION})


def pull(ehr: SearchSource) -> Counter[str]:
    """Every reference read, resuming at the last cursor when the source gives up, as a pull does."""
    found: Counter[str] = Counter()
    for kind in TYPES:
        cursor: str | None = None
        for _ in range(200):
            try:
                for batch in ehr.batches(kind, cursor=cursor):
                    assert batch.rejected == ()
                    found.update(f"{kind}/{item.resource['id']}" for item in batch.fetched)
                    cursor = batch.cursor
                break
            except SourceError:
                continue
        else:
            raise AssertionError(f"{kind} was never complete")
    return found


@pytest.mark.parametrize("strategy", ["type", "patient"])
def test_the_misbehaving_sandbox_loses_no_record(strategy: Any) -> None:
    with serve(POPULATION, misbehave=Misbehaviour.all(), token="t", page_size=20) as server:
        client = HttpClient(BearerToken("t"), RetryPolicy(attempts=12, backoff=0.001, max_retry_after=0.01))
        ehr = SearchSource(
            server.url, "sandbox", client, vendor=load_vendor("sandbox"), strategy=strategy, page_size=20
        )
        found = pull(ehr)
        client.close()
        met = set(server.seen)
    assert set(found) == set(IN_POPULATION)
    kinds = set(Misbehaviour.names()) - {"foreign_next", "bare_outcome", "outcome_entry"}
    if strategy == "patient":
        kinds -= {"expired_page"}  # a patient's records fill too few pages
    assert kinds <= met


def test_the_sandbox_with_foreign_next_links_loses_no_record_and_no_token() -> None:
    attack = Misbehaviour(foreign_next=4)
    with serve(POPULATION, misbehave=attack, token="t", page_size=20) as server:
        client = HttpClient(BearerToken("t"), RetryPolicy(attempts=1))
        ehr = SearchSource(server.url, "sandbox", client, vendor=load_vendor("sandbox"), page_size=20)
        found = pull(ehr)
        client.close()
        assert server.seen["foreign_next"] > 3
    assert set(found) == set(IN_POPULATION)
