"""Signing in and out, as a browser does it: forms, cookies, ways on, and what is refused."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from web_clinic import Clinic, Clock
from werkzeug.test import TestResponse

from gapsvc.config import load
from gapsvc.security.clients import ClientRegistry

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def field(response: TestResponse) -> str:
    """What the page's form carries to show whose it is."""
    found = re.search(r'name="form" value="([^"]+)"', response.text)
    assert found
    return found[1]


def sign_in(client: FlaskClient, token: str = "token-nurse", target: str = "/", **headers: str) -> TestResponse:
    form = client.get("/sign-in", query_string={"next": target}, headers=BROWSER)
    return client.post(
        "/sign-in", data={"form": field(form), "token": token, "next": target}, headers={**BROWSER, **headers}
    )


def test_a_stranger_is_led_to_the_sign_in_and_on_to_the_page(anybody: FlaskClient) -> None:
    led = anybody.get("/patients/behind", headers=BROWSER)
    assert (led.status_code, led.headers["Location"]) == (303, "/sign-in?next=/patients/behind")
    asked = sign_in(anybody, target="/patients/behind")
    assert (asked.status_code, asked.headers["Location"]) == (303, "/patients/behind")
    shown = anybody.get("/patients/behind", headers=BROWSER)
    assert shown.status_code == 200
    assert "Emiliano Peña" in shown.text
    assert "signed in as nurse" in shown.text


def test_the_session_is_a_cookie_that_no_script_and_no_other_site_reads(anybody: FlaskClient) -> None:
    cookies = sign_in(anybody).headers.getlist("Set-Cookie")
    (session,) = [cookie for cookie in cookies if cookie.startswith("gapsvc-session=")]
    assert session.partition(";")[2].split("; ")[0].strip() == "HttpOnly"
    assert {"HttpOnly", "Path=/", "SameSite=Strict"} <= {part.strip() for part in session.split(";")}
    assert "Secure" not in session  # over http there would be no signing in
    assert "token-nurse" not in "".join(cookies)


def test_over_https_the_cookie_never_goes_over_http(clinic: Clinic) -> None:
    client = clinic.client(replace(clinic.service, base_url="https://gaps.example/care/fhir"))
    response = client.get("/sign-in", headers=BROWSER)
    (cookie,) = response.headers.getlist("Set-Cookie")
    assert {"Secure", "HttpOnly", "Path=/care/", "SameSite=Strict"} <= {part.strip() for part in cookie.split(";")}
    assert 'action="/care/sign-in"' in response.text  # behind the proxy's prefix


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/patients/../fhir/Patient/x",
        "/patients/a/b",
        "/patients/a?x=1",
        "javascript:alert(1)",
        "/patients/a\r\nSet-Cookie: x=1",
        "patients/a",
        "/sign-out",
        "",
    ],
)
def test_a_sign_in_leads_to_pages_of_ours_only(anybody: FlaskClient, target: str) -> None:
    response = sign_in(anybody, target=target)
    assert (response.status_code, response.headers["Location"]) == (303, "/")


@pytest.mark.parametrize("token", ["wrong", "", "token-nurse2", "x" * 5000, "tökén", "Bearer token-nurse"])
def test_a_wrong_token_is_told_and_opens_nothing(anybody: FlaskClient, token: str) -> None:
    response = sign_in(anybody, token)
    assert response.status_code == 401
    assert "This token is not known here." in response.text
    assert token == "" or token not in response.text
    assert "gapsvc-session" not in "".join(response.headers.getlist("Set-Cookie"))
    assert anybody.get("/", headers=BROWSER).status_code == 303


def test_a_token_may_be_pasted_with_blanks_around_it(anybody: FlaskClient) -> None:
    assert sign_in(anybody, "  token-nurse\n").status_code == 303


def test_wrong_tokens_are_slowed_down(clinic: Clinic) -> None:
    clock = Clock()
    client = clinic.client(replace(clinic.service, now=clock))
    assert [sign_in(client, "wrong").status_code for _ in range(10)] == [401] * 10
    slowed = sign_in(client)  # the right one too: a guess is no way past
    assert (slowed.status_code, slowed.headers["Retry-After"]) == (429, "61")
    clock.moment += timedelta(seconds=61)
    assert sign_in(client).status_code == 303


def test_a_form_from_elsewhere_signs_nobody_in(clinic: Clinic) -> None:
    mine, other = clinic.client(), clinic.client()
    foreign = field(other.get("/sign-in", headers=BROWSER))
    mine.get("/sign-in", headers=BROWSER)
    for form in (foreign, "", "x"):
        response = mine.post("/sign-in", data={"form": form, "token": "token-nurse"}, headers=BROWSER)
        assert response.status_code == 403
        assert "came from elsewhere" in response.text
    assert clinic.client().post("/sign-in", data={"token": "token-nurse"}, headers=BROWSER).status_code == 403
    crossed = sign_in(mine, **{"Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403


def test_signing_out_ends_it(anybody: FlaskClient) -> None:
    sign_in(anybody)
    page = anybody.get("/", headers=BROWSER)
    assert anybody.post("/sign-out", data={"form": "x"}, headers=BROWSER).headers["Location"] == "/"
    assert anybody.get("/", headers=BROWSER).status_code == 200  # a foreign form signs nobody out
    response = anybody.post("/sign-out", data={"form": field(page)}, headers=BROWSER)
    assert (response.status_code, response.headers["Location"]) == (303, "/sign-in")
    assert anybody.get("/", headers=BROWSER).headers["Location"] == "/sign-in"


def test_a_session_ends_with_half_an_hour_and_with_its_client(clinic: Clinic) -> None:
    clock = Clock()
    service = replace(clinic.service, now=clock)
    client = clinic.client(service)
    sign_in(client)
    clock.moment += timedelta(minutes=29)
    assert client.get("/", headers=BROWSER).status_code == 200
    clock.moment += timedelta(minutes=29)
    assert client.get("/", headers=BROWSER).status_code == 200
    clock.moment += timedelta(minutes=31)
    assert client.get("/", headers=BROWSER).status_code == 303
    sign_in(client)
    cookie = client.get_cookie("gapsvc-session")
    assert cookie
    without = clinic.client(replace(service, clients=ClientRegistry(())))
    without.set_cookie("gapsvc-session", cookie.value)
    assert without.get("/", headers=BROWSER).status_code == 303


def test_a_session_opens_pages_and_never_the_api(anybody: FlaskClient) -> None:
    sign_in(anybody)
    assert anybody.get("/patients/behind").status_code == 200
    for address in ("/fhir/Patient/behind", "/fhir/Patient?_id=behind", "/cds-services", "/fhir/nothing"):
        assert anybody.get(address).status_code == 401, address
        assert anybody.get(address, headers=BROWSER).status_code == 401, address


def test_a_header_goes_before_the_session(anybody: FlaskClient) -> None:
    sign_in(anybody)
    wrong = anybody.get("/patients/behind", headers={**BROWSER, "Authorization": "Bearer wrong"})
    assert wrong.status_code == 401
    assert "This token is not known" in wrong.text
    assert 'error="invalid_token"' in wrong.headers["WWW-Authenticate"]


def test_scopes_hold_for_people_too(anybody: FlaskClient) -> None:
    sign_in(anybody, "token-names")
    assert anybody.get("/", headers=BROWSER).status_code == 200
    refused = anybody.get("/patients/behind", headers=BROWSER)
    assert refused.status_code == 403
    assert "system/MeasureReport.rs" in refused.text
    assert "Emiliano" not in refused.text


def test_a_page_needs_the_scopes_of_its_evidence_too(clinic: Clinic) -> None:
    clients = clinic.settings.clients
    reports = replace(clients[0], id="reports", scopes=("system/Patient.rs", "system/MeasureReport.rs"))
    client = clinic.client(replace(clinic.service, clients=ClientRegistry((reports,))))
    refused = client.get("/patients/behind", headers={**BROWSER, "Authorization": "Bearer token-nurse"})
    assert refused.status_code == 403
    for resource_type in ("Encounter", "Immunization", "Condition", "Observation", "AllergyIntolerance"):
        assert f"system/{resource_type}.rs" in refused.text


def test_without_a_usable_key_nobody_signs_in_and_bearers_still_work(
    clinic: Clinic, tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    home = clinic.settings.home / "unusable"
    home.write_text("a file, no folder")
    settings = replace(clinic.settings, home=home)
    client = clinic.client(replace(clinic.service, settings=settings))
    response = client.get("/sign-in", headers=BROWSER)
    assert response.status_code == 503
    assert "Signing in is not possible now" in response.text
    assert str(home) not in response.text
    assert "session.key" in capsys.readouterr().err
    assert client.get("/", headers={"Authorization": "Bearer token-nurse"}).status_code == 200
    home.unlink()


def test_the_key_is_no_setting(tmp_path: object) -> None:
    assert load({"GAPSVC_SESSION_KEY": "k" * 32}).values == load({}).values


def test_head_shows_the_form_and_counts_no_token(anybody: FlaskClient) -> None:
    response = anybody.head("/sign-in", headers=BROWSER)
    assert (response.status_code, response.data) == (200, b"")
