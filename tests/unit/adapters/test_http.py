"""adapters.http, auth, origins: patience with flaky servers, and care with tokens and patient data."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import orjson
import pytest
import requests
import responses
from misbehaving import answer, scripted

from adapters.auth import Auth, BearerToken
from adapters.http import HttpClient, HttpError, RetryPolicy, retry_after
from adapters.origins import origin_of, pinned, same_host, same_origin, shown

BASE = "https://ehr.example/fhir"
NOW = 1_790_000_000.0


@dataclass
class Clock:
    """Time that passes only by sleeping."""

    time: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def client(clock: Clock, auth: Auth | None = None, **policy: Any) -> HttpClient:
    return HttpClient(
        auth,
        RetryPolicy(**policy),
        clock=lambda: clock.time,
        now=lambda: NOW + clock.time,
        sleep=clock.sleep,
        jitter=lambda: 0.5,
    )


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_failures_are_retried_with_growing_jittered_waits(web: responses.RequestsMock, status: int) -> None:
    clock = Clock()
    for _ in range(3):
        web.add("GET", f"{BASE}/Patient", status=status)
    web.add("GET", f"{BASE}/Patient", json={"resourceType": "Bundle"})
    with client(clock) as http:
        assert http.get_json(f"{BASE}/Patient").json == {"resourceType": "Bundle"}
    assert clock.slept == [0.25, 0.5, 1.0]  # half of 0.5, 1, 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_refusals_are_not_retried_and_carry_their_outcome(web: responses.RequestsMock, status: int) -> None:
    clock = Clock()
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid"}]}
    web.add("GET", f"{BASE}/Patient", json=outcome, status=status)
    with client(clock) as http, pytest.raises(HttpError) as caught:
        http.get_json(f"{BASE}/Patient")
    assert (caught.value.status, caught.value.outcome, clock.slept) == (status, outcome, [])


def test_giving_up_says_what_how_often_how_long_and_no_patient(web: responses.RequestsMock) -> None:
    clock = Clock()
    web.add("GET", f"{BASE}/Patient", status=503)
    with client(clock, attempts=3) as http, pytest.raises(HttpError) as caught:
        http.get_json(f"{BASE}/Patient?name=Canary&_id=zebra-1")
    assert str(caught.value) == (
        "GET https://ehr.example/fhir/Patient?name=…&_id=…: HTTP 503, still after 3 attempts in 1 s; "
        "pull again later; it goes on where it stopped"
    )


def test_the_deadline_ends_waiting_before_the_attempts_do(web: responses.RequestsMock) -> None:
    clock = Clock()
    web.add("GET", f"{BASE}/Patient", status=429, headers={"Retry-After": "100"})
    with (
        client(clock, attempts=50, deadline=250.0) as http,
        pytest.raises(HttpError, match="after 3 attempts in 200 s"),
    ):
        http.get_json(f"{BASE}/Patient")


@pytest.mark.parametrize(
    ("header", "waited"),
    [
        ("7", 7.25),
        ("0", 0.25),
        (format_datetime(datetime.fromtimestamp(NOW + 30, UTC), usegmt=True), 30.25),
        (str(int(NOW) + 40), 40.25),  # SMART's bulk-data-server sends epoch seconds
        ("86400", 60.25),  # capped
        ("soon", 0.25),  # not readable: our own backoff
    ],
)
def test_retry_after_is_honoured_up_to_our_cap(web: responses.RequestsMock, header: str, waited: float) -> None:
    clock = Clock()
    web.add("GET", f"{BASE}/Patient", status=429, headers={"Retry-After": header})
    web.add("GET", f"{BASE}/Patient", json={})
    with client(clock, max_retry_after=60.0) as http:
        http.get_json(f"{BASE}/Patient")
    assert clock.slept == [waited]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("-5", None),
        ("1e999", float("inf")),
        ("3.5", 3.5),
        ("1000000000", 0.0),
        (f"{int(NOW + 9)}000", 9.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("nan", None),
    ],
)
def test_retry_after_values(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


def test_cut_short_and_garbled_answers_are_asked_for_again() -> None:
    clock = Clock()
    whole = orjson.dumps({"resourceType": "Bundle", "total": 2})
    broken = [
        b"",  # hung up
        answer(whole[:10], Content_Length=str(len(whole))),  # cut short, noticed by its length
        answer(whole[:10]),  # cut short, unnoticed by HTTP
        answer(b""),
        answer(b"<html>maintenance</html>", Content_Type="text/html"),
        answer(b"nonsense", Content_Encoding="gzip"),
    ]
    with scripted(*broken, answer(whole)) as server, client(clock) as http:
        assert http.get_json(f"{server.url}/Patient").json == {"resourceType": "Bundle", "total": 2}
        assert len(server.requests) == 7
    assert len(clock.slept) == 6


def test_a_server_that_never_gives_whole_json_is_an_error() -> None:
    expected = pytest.raises(HttpError, match="no whole JSON document, still after 3 attempts")
    with scripted(answer(b'{"resourceType":')) as server, client(Clock(), attempts=3) as http, expected:
        http.get_json(f"{server.url}/Patient")


def test_nobody_listening_is_an_error_without_the_query() -> None:
    with client(Clock(), attempts=2) as http, pytest.raises(HttpError) as caught:
        http.get_json("http://127.0.0.1:9/fhir/Patient?name=Canary")
    assert "no connection" in str(caught.value)
    error: BaseException | None = caught.value
    while error is not None:  # not in what a traceback would show either
        assert "Canary" not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_slow_server_times_out_and_is_asked_again(web: responses.RequestsMock) -> None:
    clock = Clock()
    web.add("GET", f"{BASE}/Patient", body=requests.exceptions.ReadTimeout("at /fhir/Patient?name=Canary"))
    web.add("GET", f"{BASE}/Patient", json={})
    with client(clock) as http:
        http.get_json(f"{BASE}/Patient")
    assert len(clock.slept) == 1


def test_an_endless_answer_is_cut_off() -> None:
    body = b'{"x":"' + b"y" * 2_000_000 + b'"}'
    expected = pytest.raises(HttpError, match="longer than 1 MiB")
    with scripted(answer(body)) as server, client(Clock(), max_body=1 << 20) as http, expected:
        http.get_json(f"{server.url}/Patient")


def test_text_that_is_not_utf8_is_still_read() -> None:
    with scripted(answer('{"family":"Muñoz"}'.encode("cp1252"))) as server, client(Clock()) as http:
        assert http.get_json(f"{server.url}/Patient").json == {"family": "Muñoz"}


def test_a_bare_400_is_retried_only_where_the_vendor_is_known_for_it(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Patient", status=400, body=b"")
    web.add("GET", f"{BASE}/Patient", json={})
    with client(Clock(), retry_bare_400=True) as http:
        assert http.get_json(f"{BASE}/Patient").status == 200
    web.add("GET", f"{BASE}/Encounter", status=400, body=b"")
    with client(Clock()) as http, pytest.raises(HttpError, match="HTTP 400"):
        http.get_json(f"{BASE}/Encounter")


# --- tokens -------------------------------------------------------------------------------------------------------


def test_a_refused_token_is_renewed_once(web: responses.RequestsMock) -> None:
    asked: list[bool] = []

    def token(fresh: bool) -> str:
        asked.append(fresh)
        return f"token-{len(asked)}"

    web.add("GET", f"{BASE}/Patient", status=401)
    web.add("GET", f"{BASE}/Patient", json={})
    with client(Clock(), BearerToken(token)) as http:
        http.get_json(f"{BASE}/Patient")
    assert asked == [False, True]
    assert [call.request.headers["Authorization"] for call in web.calls] == ["Bearer token-1", "Bearer token-2"]
    web.replace("GET", f"{BASE}/Patient", status=401)
    with client(Clock(), BearerToken(token)) as http, pytest.raises(HttpError, match="the token was refused"):
        http.get_json(f"{BASE}/Patient")
    assert asked == [False, True, False, True]


def test_a_fixed_token_is_not_tried_twice(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Patient", status=401)
    with client(Clock(), BearerToken("secret-token")) as http, pytest.raises(HttpError) as caught:
        http.get_json(f"{BASE}/Patient")
    assert len(web.calls) == 1
    assert "secret-token" not in str(caught.value)
    assert "secret-token" not in repr(BearerToken("secret-token"))


def test_the_token_never_follows_a_redirect_to_another_origin(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/file", status=307, headers={"Location": "https://files.example/1?sig=x"})
    web.add("GET", "https://files.example/1", json={"stolen": False})
    with HttpClient(BearerToken("secret"), headers={"Epic-Client-ID": "abc"}) as http:
        with pytest.raises(HttpError, match=r"redirected to https://files\.example, another origin"):
            http.get_json(f"{BASE}/file")
        assert len(web.calls) == 1
        assert http.get_json(f"{BASE}/file", foreign_redirects=True).json == {"stolen": False}
    sent = web.calls[-1].request.headers
    assert ("Authorization" in sent, "Epic-Client-ID" in sent) == (False, False)


def test_the_token_follows_a_redirect_on_its_own_origin(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Patient", status=302, headers={"Location": "/fhir/r4/Patient"})
    web.add("GET", f"{BASE}/r4/Patient", json={})
    with HttpClient(BearerToken("secret")) as http:
        http.get_json(f"{BASE}/Patient")
    assert web.calls[-1].request.headers["Authorization"] == "Bearer secret"


def test_a_circle_of_redirects_ends(web: responses.RequestsMock) -> None:
    web.add("GET", f"{BASE}/Patient", status=302, headers={"Location": f"{BASE}/Patient"})
    with HttpClient() as http, pytest.raises(HttpError, match="more than 5 redirects"):
        http.get_json(f"{BASE}/Patient")


def test_a_password_in_netrc_does_not_replace_the_token(
    web: responses.RequestsMock, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine ehr.example login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    web.add("GET", f"{BASE}/Patient", json={})
    with HttpClient(BearerToken("secret")) as http:
        http.get_json(f"{BASE}/Patient")
    assert web.calls[-1].request.headers["Authorization"] == "Bearer secret"


# --- origins ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://ehr.example/fhir", True),
        ("https://ehr.example/fhir?page=2", True),
        ("https://EHR.example:443/fhir/Patient", True),
        ("https://ehr.example/fhir/Patient?next=https://evil.example", True),
        ("https://ehr.example/fhirx/Patient", False),
        ("https://ehr.example/fhir/../admin", False),
        ("https://ehr.example/fhir/%2e%2e/admin", False),
        ("https://ehr.example:8443/fhir/Patient", False),
        ("http://ehr.example/fhir/Patient", False),
        ("https://ehr.example.evil.example/fhir/Patient", False),
        ("https://evil.example/https://ehr.example/fhir", False),
        ("https://ehr.example@evil.example/fhir", False),
        ("https://evil.example\\@ehr.example/fhir", False),
        ("https://ehr.example/fhir/Patient\n", False),
        ("//evil.example/fhir", False),
        ("ftp://ehr.example/fhir", False),
        ("https://ehr.example:port/fhir", False),
        ("", False),
    ],
)
def test_same_origin(url: str, same: bool) -> None:
    assert same_origin(BASE, url) is same


def test_pinned_upgrades_a_link_behind_a_tls_proxy_but_never_downgrades() -> None:
    assert pinned(BASE, "http://ehr.example/fhir?page=2") == "https://ehr.example/fhir?page=2"
    assert pinned(BASE, "http://ehr.example:80/fhir/x") == "https://ehr.example/fhir/x"
    assert pinned(BASE, "http://ehr.example:8080/fhir") is None
    assert pinned("http://ehr.example/fhir", "https://ehr.example/fhir") is None


def test_urls_are_shown_without_ids_values_and_users() -> None:
    assert shown(f"{BASE}/Patient/zebra-1?_id=zebra") == f"{BASE}/Patient/…?_id=…"
    assert shown(f"{BASE}/Patient/$everything?name=Zebra&zebra") == f"{BASE}/Patient/$everything?name=…"
    assert shown("https://user:secret@ehr.example:8443/fhir/metadata") == "https://ehr.example:8443/fhir/metadata"
    assert shown("not a url") == "(a URL that can't be read)"
    assert origin_of("http://ehr.example:80/x") == "http://ehr.example"
    assert same_host("https://ehr.example", "https://ehr.example:443/x")
