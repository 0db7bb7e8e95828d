"""A clinic's service and the browsers of its people: what the tests of pages work with."""

from dataclasses import dataclass
from datetime import UTC, datetime

from flask.testing import FlaskClient

from gapsvc.api import Service
from gapsvc.app import create_app
from gapsvc.config import Settings
from gapsvc.store import Store

NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
SCOPES = {"nurse": ("system/*.rs",), "names": ("system/Patient.rs",), "none": ()}


@dataclass
class Clock:
    """A clock that tests move."""

    moment: datetime = NOW

    def __call__(self) -> datetime:
        return self.moment


@dataclass(frozen=True)
class Clinic:
    """Settings and records that are there once; `client` gives a browser without cookies over an app of its own."""

    settings: Settings
    store: Store
    service: Service

    def client(self, service: Service | None = None) -> FlaskClient:
        return create_app(service or self.service).test_client()
