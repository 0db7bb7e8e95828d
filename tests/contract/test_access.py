"""Who is let in: every address without a token, with a wrong one, and with one that lacks scopes."""

from collections.abc import Iterator

import pytest
from contract_client import PERIOD, Api, outcome
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from gapsvc.api.access import OPEN_ENDPOINTS
from gapsvc.api.hooks import is_hook

# Filled into addresses with a variable part.
IDS = {
    "measure_id": "w30",
    "library_id": "W30",
    "value_set_id": "well-visit",
    "code_system_id": "data-origin",
    "patient_id": "p",
    "report_id": "r",
    "service_id": "childrens-care-gaps",
}


def routes(api: Api) -> Iterator[tuple[Rule, str, str]]:
    """(rule, method, address) of everything that the app serves."""
    for rule in api.flask.application.url_map.iter_rules():
        for method in sorted(rule.methods or ()):
            yield rule, method, rule.rule.replace("<", "{").replace(">", "}").format(**IDS)


def closed(api: Api) -> list[tuple[str, str]]:
    return [(method, address) for rule, method, address in routes(api) if rule.endpoint not in OPEN_ENDPOINTS]


def refusal(address: str, response: TestResponse) -> str:
    """Why, as FHIR codes it; CDS Hooks has errors of its own form, which hold words alone."""
    if is_hook(address):
        (problem,) = response.get_json()["problems"]
        return "forbidden" if "the token lacks the scope" in problem["problem"] else "login"
    ((code, _, _),) = outcome(response)
    return code


def test_only_these_addresses_are_open(api: Api) -> None:
    opened = {address for rule, _, address in routes(api) if rule.endpoint in OPEN_ENDPOINTS}
    assert opened == {"/healthz", "/fhir/metadata", "/sign-in", "/sign-out", "/style.css", "/icon.svg"}
    shown = sorted(opened - {"/sign-out"})  # answers to POST only
    assert [api.get(address, token=None).status_code for address in shown] == [200] * 5
    assert len(closed(api)) == 53  # each GET with its HEAD, each POST; a new address changes this on purpose


@pytest.mark.parametrize(
    ("header", "challenge"),
    [
        (None, 'Bearer realm="gapsvc"'),
        ("", 'Bearer realm="gapsvc"'),
        ("Bearer", 'Bearer realm="gapsvc"'),
        ("Bearer   ", 'Bearer realm="gapsvc"'),
        ("Basic dG9rZW4tYWxsOg==", 'Bearer realm="gapsvc"'),
        ("token-all", 'Bearer realm="gapsvc"'),
        ("Bearer unknown", 'Bearer realm="gapsvc", error="invalid_token"'),
        ("Bearer token-all token-all", 'Bearer realm="gapsvc", error="invalid_token"'),
        ("Bearer token-all,", 'Bearer realm="gapsvc", error="invalid_token"'),
        ("Bearer t\xf6ken-\xe4ll", 'Bearer realm="gapsvc", error="invalid_token"'),
        ("Bearer token-all\xa0", 'Bearer realm="gapsvc", error="invalid_token"'),
        ("Bearer " + "x" * 100_000, 'Bearer realm="gapsvc", error="invalid_token"'),
    ],
)
def test_nothing_else_answers_a_stranger(api: Api, header: str | None, challenge: str) -> None:
    headers = {} if header is None else {"Authorization": header}
    asked = [
        *closed(api),
        *(("OPTIONS", address) for _, address in closed(api)),
        ("GET", "/"),
        ("GET", "/fhir"),
        ("GET", "/fhir/Encounter/1"),
        ("GET", "/static/x"),
        ("DELETE", "/fhir/Patient/p"),
        ("PUT", "/fhir/metadata"),
        ("OPTIONS", "/fhir/metadata"),
        ("GET", "/fhir/Patient?_format=xml"),
        ("GET", "/fhir/Patient?name=%ff"),
        ("TRACE", "/fhir/Patient/p"),
    ]
    for method, address in asked:
        response = api.flask.open(address, method=method, headers=headers)
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, challenge), (method, address)
        if method != "HEAD":
            assert refusal(address, response) == "login"


def test_a_token_without_scopes_sees_nothing(api: Api) -> None:
    for method, address in closed(api):
        response = api.flask.open(address, method=method, headers={"Authorization": "Bearer token-none"})
        assert response.status_code == 403, (method, address)
        assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]
        if method != "HEAD":
            assert refusal(address, response) == "forbidden"


def test_a_token_sees_what_its_scopes_name(api: Api) -> None:
    """A client with scopes for Measure only: each address either shows Measures or is refused."""
    seen = {
        address
        for method, address in closed(api)
        if method == "GET" and api.get(address, token="token-measures").status_code != 403
    }
    assert seen == {"/fhir/Measure", "/fhir/Measure/w30"}


def test_care_gaps_needs_scopes_for_the_evidence_too(api: Api) -> None:
    """The bundles hold encounters: a token for reports and patients alone does not get them."""
    child = next(iter(api.truth))
    response = api.get(
        "/fhir/Measure/$care-gaps", token="token-reports", subject=f"Patient/{child}", status="open-gap", **PERIOD
    )
    ((code, text, _),) = outcome(response)
    assert (response.status_code, code) == (403, "forbidden")
    assert "system/Encounter.rs" in text


def test_the_scheme_is_read_without_regard_to_case(api: Api) -> None:
    headers = {"Authorization": "bearer token-measures"}
    assert api.flask.get("/fhir/Measure/w30", headers=headers).status_code == 200


def test_head_answers_as_get_without_a_body(api: Api) -> None:
    headers = {"Authorization": "Bearer token-all"}
    response = api.flask.head("/fhir/Measure/w30", headers=headers)
    assert (response.status_code, response.data) == (200, b"")
    assert response.content_type == "application/fhir+json; charset=utf-8"
