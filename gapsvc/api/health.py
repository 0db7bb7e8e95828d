"""/healthz: whether the process answers and reaches its store. Open, and says nothing else."""

from flask import Blueprint, Response, jsonify

from gapsvc.api.service import service
from gapsvc.store import StoreError

health = Blueprint("health", __name__)


@health.get("/healthz")
def healthz() -> tuple[Response, int]:
    """200 `{"status": "ok"}`, or 503 where the store can't be read."""
    try:
        service().store.ping()
    except StoreError:
        return jsonify(status="store unavailable"), 503
    return jsonify(status="ok"), 200
