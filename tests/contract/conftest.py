"""A service over a sandbox population, as clients meet it: the Flask app with its store."""

from collections.abc import Iterator
from datetime import date

import pytest
from contract_client import AS_OF, NOW, Api, settings_for

from adapters.files import FileSource
from gapsvc import jobs
from gapsvc.api import Service
from gapsvc.app import create_app
from gapsvc.evaluation.catalogue import types_to_pull
from gapsvc.sandbox import generate, write
from gapsvc.store import Store
from gapsvc.telemetry import configure_logging

MEASURES = ("three-by-120", "w30")


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    home = tmp_path_factory.mktemp("service")
    population = generate(seed=3, size=250, as_of=AS_OF)
    write(population, home / "sandbox")
    # Two measures are enough to show what the API does with any; test_sandbox_truth.py holds all to their truth.
    settings = settings_for(home).with_values(evaluation__measures=MEASURES)
    configure_logging(settings["log.level"])
    with Store.open(settings.database_url) as store:
        store.migrate()
        service = Service.start(settings, store, base_url="https://gaps.example/fhir", now=lambda: NOW)
        chosen = list(service.evaluators.values())
        jobs.pull(store, FileSource(home / "sandbox", "sandbox"), types_to_pull(chosen), now=NOW)
        jobs.evaluate_all(store, chosen, (date(2026, 1, 1), date(2026, 12, 31)), AS_OF)
        app = create_app(service)
        group = next(item["id"] for item in population.resources() if item["resourceType"] == "Group")
        truth = {
            line["person"]: line | {"measures": {name: line["measures"][name] for name in MEASURES}}
            for line in population.truth()
        }
        yield Api(app.test_client(), service, truth, group)
