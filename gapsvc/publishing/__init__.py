"""From results to those who are told: the circumstances of our reports (the push to payers comes later)."""

from datetime import datetime

from fhir_profiles.deqm import Reporting
from gapsvc.config import Settings

QICORE_ORGANIZATION = "http://hl7.org/fhir/us/qicore/StructureDefinition/qicore-organization"


def public_base(settings: Settings, port: int | None = None) -> str:
    """The service's public FHIR base URL; `port` is the one listened on, where it isn't the settings'."""
    host: str = settings["server.host"]
    shown = f"[{host}]" if ":" in host else host  # IPv6
    return settings["server.base_url"] or f"http://{shown}:{port or settings['server.port']}/fhir"


def page_of(base_url: str, person_id: str) -> str:
    """The address of a child's page, beside the service's FHIR base: what a card, a worklist or a letter links to."""
    return f"{pages_base(base_url)}/patients/{person_id}"


def pages_base(base_url: str) -> str:
    """Where the pages for people are: the FHIR base without its `/fhir`."""
    return base_url.rstrip("/").removesuffix("/fhir")


def reporting_of(settings: Settings, calculated_at: datetime, base_url: str | None = None) -> Reporting:
    """Who reports (the settings' Organization), when, and under which FHIR base."""
    reporter = {
        "resourceType": "Organization",
        "id": settings["reporter.id"],
        "meta": {"profile": [QICORE_ORGANIZATION]},
        "active": True,
        "name": settings["reporter.name"],
    }
    return Reporting(reporter=reporter, calculated_at=calculated_at, base_url=base_url or public_base(settings))
