"""All state: records as they came, persons, results. Only this room speaks SQL (SQLite, PostgreSQL)."""

from gapsvc.store.checkpoints import Reading
from gapsvc.store.errors import StoreError
from gapsvc.store.ingest import BatchCounts
from gapsvc.store.people import LinkCounts
from gapsvc.store.quarantine import Quarantined
from gapsvc.store.resulting import RateSummary
from gapsvc.store.search import PatientSearch
from gapsvc.store.store import Pull, Store

__all__ = [
    "BatchCounts",
    "LinkCounts",
    "PatientSearch",
    "Pull",
    "Quarantined",
    "RateSummary",
    "Reading",
    "Store",
    "StoreError",
]
