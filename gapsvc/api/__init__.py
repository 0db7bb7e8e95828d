"""The HTTP service's endpoints for programs (architecture.md, gapsvc/api); gapsvc.app puts the application together."""

from gapsvc.api.service import Service

__all__ = ["Service"]
