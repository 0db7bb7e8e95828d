"""The HTTP service: `create_app` and what it is made of (architecture.md, gapsvc/api)."""

from gapsvc.api.app import create_app
from gapsvc.api.service import Service

__all__ = ["Service", "create_app"]
