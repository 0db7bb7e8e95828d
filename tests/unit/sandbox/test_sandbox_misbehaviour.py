"""Each way in which the sandbox EHR misbehaves, seen from a client that retries nothing; and that all is got over."""

import http.client
import time
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
import pytest
from ehr_client import get, ids, next_link, pages

from gapsvc.sandbox import Misbehaviour, Population, generate, serve

AS_OF = date(2026, 11, 22)


@pytest.fixture(scope="module")
def population() -> Population:
    return generate(7, 60, AS_OF)


def statuses(url: str, times: int) -> list[int]:
    return [get(f"{url}/Patient", {"_count": 1}).status for _ in range(times)]


def test_without_misbehaviour_every_request_is_answered(population: Population) -> None:
    with serve(population) as ehr:
        assert statuses(ehr.url, 12) == [200] * 12


def test_every_third_request_is_too_many(population: Population) -> None:
    with serve(population, misbehave=Misbehaviour(too_many=3, retry_after="2")) as ehr:
        assert statuses(ehr.url, 6) == [200, 200, 429, 200, 200, 429]
        statuses(ehr.url, 2)
        reply = get(f"{ehr.url}/Patient")
        assert (reply.headers["retry-after"], reply.problem) == ("2", "too many requests: wait and ask again")
        assert ehr.seen["too_many"] == 3


def test_retry_after_may_be_a_date(population: Population) -> None:
    with serve(population, misbehave=Misbehaviour(too_many=1, retry_after="date", retry_after_date_seconds=60)) as ehr:
        after = get(f"{ehr.url}/Patient").headers["retry-after"]
        assert 50 <= parsedate_to_datetime(after).timestamp() - time.time() <= 61


def test_errors_of_the_server(population: Population) -> None:
    with serve(population, misbehave=Misbehaviour(server_error=2, unavailable=3)) as ehr:
        assert statuses(ehr.url, 6) == [200, 500, 503, 500, 200, 500]
        statuses(ehr.url, 2)
        assert get(f"{ehr.url}/Patient").headers["content-type"] == "text/html"


def test_a_truncated_body_is_whole_http_but_half_json(population: Population) -> None:
    with serve(population, misbehave=Misbehaviour(truncated=2)) as ehr:
        assert get(f"{ehr.url}/Patient").json["total"] > 60
        half = get(f"{ehr.url}/Patient")
        assert (half.status, int(half.headers["content-length"])) == (200, len(half.raw))
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(half.raw)


def test_dropped_connections_before_and_halfway(population: Population) -> None:
    with serve(population, misbehave=Misbehaviour(dropped=2)) as ehr:
        assert statuses(ehr.url, 1) == [200]
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            get(f"{ehr.url}/Patient")
        assert statuses(ehr.url, 1) == [200]
        with pytest.raises(http.client.IncompleteRead):
            get(f"{ehr.url}/Patient")
        assert ehr.seen["dropped"] == 2


def test_slow_answers_are_answers(population: Population) -> None:
    with serve(population, misbehave=Misbehaviour(slow=2, slow_seconds=0.3)) as ehr:
        begun = time.monotonic()
        assert statuses(ehr.url, 2) == [200, 200]
        assert time.monotonic() - begun >= 0.3
        assert ehr.seen["slow"] == 1


@pytest.mark.parametrize(
    ("misbehave", "search"),
    [(Misbehaviour(outcome_entry=2), {"mode": "outcome"}), (Misbehaviour(bare_outcome=2), None)],
)
def test_warnings_among_the_entries(population: Population, misbehave: Misbehaviour, search: Any) -> None:
    with serve(population, misbehave=misbehave) as ehr:
        clean = get(f"{ehr.url}/Immunization", {"patient": "child-000002"}).json
        warned = get(f"{ehr.url}/Immunization", {"patient": "child-000002"}).json
        assert ids([warned]) == ids([clean])
        entry = warned["entry"][-1]
        assert len(warned["entry"]) == len(clean["entry"]) + 1
        assert entry.get("search") == search
        issue = entry["resource"]["issue"][0]
        assert (issue["severity"], issue["details"]["coding"][0]["code"]) == ("warning", "4117")
        get(f"{ehr.url}/Patient")
        empty = get(f"{ehr.url}/Immunization", {"patient": "nobody"}).json
        assert empty["entry"][0]["resource"]["issue"][0]["details"]["coding"][0]["code"] == "4101"


def test_a_page_session_expires_once_and_the_search_starts_again(population: Population) -> None:
    with serve(population, misbehave=Misbehaviour(expired_page=2)) as ehr:
        first = get(f"{ehr.url}/Patient", {"_count": 10}).json
        second = get(next_link(first) or "").json
        gone = get(next_link(second) or "")
        assert (gone.status, gone.json["issue"][0]["details"]["coding"][0]["code"]) == (410, "4113")
        again = pages(f"{ehr.url}/Patient", {"_count": 10})
        assert len(set(ids(again))) == again[0]["total"]


def test_an_attack_on_the_next_link(population: Population) -> None:
    with serve(population, misbehave=Misbehaviour(foreign_next=2, foreign_origin="http://127.0.0.2:9/fhir")) as ehr:
        first = get(f"{ehr.url}/Patient", {"_count": 5}).json
        own = next_link(first) or ""
        assert own.startswith(ehr.url)
        assert (next_link(get(own).json) or "").startswith("http://127.0.0.2:9/fhir/Patient?_page=")


def test_a_patient_client_gets_every_record_from_the_worst_server(population: Population) -> None:
    """Repeat what failed, start again what expired: everything arrives, whatever the misbehaviour."""
    with serve(population, misbehave=Misbehaviour.all(), page_size=25) as ehr:
        for kind in ("Patient", "Encounter", "Immunization"):
            found: dict[str, None] = {}
            url: str | None = f"{ehr.url}/{kind}"
            for _ in range(2000):
                if url is None:
                    break
                try:
                    reply = get(url)
                    if reply.status == 410:
                        url = f"{ehr.url}/{kind}"
                    if reply.status != 200:
                        continue
                    bundle = reply.json
                except (http.client.HTTPException, ConnectionError, orjson.JSONDecodeError):
                    continue
                found |= dict.fromkeys(ids([bundle]))
                url = next_link(bundle)
            expected = [f"{kind}/{r['id']}" for r in population.resources() if r["resourceType"] == kind]
            assert sorted(found) == sorted(expected)
        kinds = set(Misbehaviour.names()) - {"foreign_next"}
        assert kinds <= set(ehr.seen)


def test_misbehaviour_from_words() -> None:
    assert Misbehaviour.parse([]) == Misbehaviour.none()
    assert Misbehaviour.parse(["too-many=7", "slow=2"]) == Misbehaviour(too_many=7, slow=2)
    worst = Misbehaviour.parse(["all", "slow=0"])
    assert (worst.slow, worst.too_many, worst.foreign_next) == (0, 7, 0)
    with pytest.raises(ValueError, match="'late=3' is not understood; write all, or NAME=N"):
        Misbehaviour.parse(["late=3"])
