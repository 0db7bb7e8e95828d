"""A client of the API with bearer tokens, and what its answers are read with."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gapsvc.api import Service
from gapsvc.config import ClientSettings, Settings, load

AS_OF = date(2026, 11, 22)
PERIOD = {"periodStart": "2026-01-01", "periodEnd": "2026-12-31"}
NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
TOKENS = {
    "all": ("system/*.rs",),
    "measures": ("system/Measure.rs",),
    "reports": ("system/MeasureReport.rs", "system/Patient.rs"),
    "none": (),
}


def settings_for(home: Path) -> Settings:
    clients = tuple(
        ClientSettings(name, hashlib.sha256(f"token-{name}".encode()).hexdigest(), scopes)
        for name, scopes in TOKENS.items()
    )
    base = load({}, home=home)
    return Settings(home, base.values, clients).with_values(evaluation__as_of=AS_OF, log__level="error")


@dataclass(frozen=True)
class Api:
    """A client of the API. `get` and `post` send the token of the client with all scopes."""

    flask: FlaskClient
    service: Service
    truth: Mapping[str, Mapping[str, Any]]
    group: str  # id of a Group with members

    def get(self, path: str, token: str | None = "token-all", **query: Any) -> TestResponse:
        return self.flask.get(path, query_string=query, headers=self._headers(token))

    def post(self, path: str, body: Any, token: str | None = "token-all", **options: Any) -> TestResponse:
        return self.flask.post(path, json=body, headers=self._headers(token), **options)

    def care_gaps(self, **query: Any) -> TestResponse:
        return self.get("/fhir/Measure/$care-gaps", **{**PERIOD, "status": "open-gap", **query})

    @staticmethod
    def _headers(token: str | None) -> dict[str, str]:
        return {} if token is None else {"Authorization": f"Bearer {token}"}


def outcome(response: TestResponse) -> list[tuple[str, str, list[str]]]:
    """(code, diagnostics, expression) of each issue of an OperationOutcome."""
    assert response.content_type.startswith("application/fhir+json"), response.content_type
    body = response.get_json()
    assert body["resourceType"] == "OperationOutcome"
    return [(issue["code"], issue.get("diagnostics", ""), issue.get("expression", [])) for issue in body["issue"]]
