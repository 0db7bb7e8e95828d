"""The pages over a few children made by hand: a Flask client, the service under a real server, and Chromium."""

import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import orjson
import pytest
from flask.testing import FlaskClient
from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver
from web_children import AS_OF, REGISTRY, RESOURCES
from web_clinic import NOW, SCOPES, Clinic

from adapters.files import FileSource
from gapsvc import jobs
from gapsvc.api import Service
from gapsvc.config import ClientSettings, Settings, load
from gapsvc.evaluation.catalogue import evaluators, types_to_pull
from gapsvc.server import serving
from gapsvc.store import Store
from gapsvc.telemetry import configure_logging

CHROMIUM = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
)


@pytest.fixture(scope="session")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    home = tmp_path_factory.mktemp("pages")
    clients = tuple(
        ClientSettings(name, hashlib.sha256(f"token-{name}".encode()).hexdigest(), scopes)
        for name, scopes in SCOPES.items()
    )
    settings = Settings(home, load({}, home=home).values, clients)
    settings = settings.with_values(evaluation__as_of=date.fromisoformat(AS_OF), log__level="error", server__port=0)
    configure_logging("error")
    with Store.open(settings.database_url) as store:
        store.migrate()
        for name, resources in (("clinic-ehr", RESOURCES), ("registry", REGISTRY)):
            folder = home / name
            folder.mkdir()
            (folder / "all.ndjson").write_bytes(b"\n".join(orjson.dumps(resource) for resource in resources))
            jobs.pull(store, FileSource(folder, name), types_to_pull(evaluators().values()), now=NOW)
        yield Clinic(settings, store, Service.start(settings, store, base_url="http://localhost/fhir", now=lambda: NOW))


@pytest.fixture
def anybody(clinic: Clinic) -> FlaskClient:
    """A browser of somebody who has not signed in."""
    return clinic.client()


@pytest.fixture
def bearer(clinic: Clinic) -> Callable[..., str]:
    """The page at an address for a client with all scopes."""
    client = clinic.client()

    def ask(address: str, **query: str) -> str:
        response = client.get(address, query_string=query, headers={"Authorization": "Bearer token-nurse"})
        assert response.status_code == 200, response.text
        return response.text

    return ask


@pytest.fixture(scope="session")
def site(clinic: Clinic) -> Iterator[str]:
    """The address of the service under its real server."""
    with serving(clinic.settings, now=lambda: NOW) as server:
        yield server.base_url.removesuffix("/fhir")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    browser, driver = (os.environ.get(f"GAPSVC_TEST_{name}") for name in ("CHROMIUM", "CHROMEDRIVER"))
    if not browser or not driver:
        pytest.skip("GAPSVC_TEST_CHROMIUM is not set: run by scripts/with-chromium.sh, with Chromium installed")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (*CHROMIUM.split(), f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=Driver(str(Path(driver))))
    try:
        yield found
    finally:
        found.quit()
