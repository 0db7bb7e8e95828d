"""Who may call: static client tokens, known by their SHA-256, with SMART system scopes.

SMART App Launch 2 §Scopes for requesting FHIR resources: `system/<Type or *>.<read | rs | r | s ...>`. A token is
compared in constant time; a scope that can't be read grants nothing.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from gapsvc.config import ClientSettings

_SCOPE = re.compile(r"system/(?P<type>\*|[A-Z][A-Za-z]+)\.(?P<access>read|write|\*|c?r?u?d?s?)")


@dataclass(frozen=True, slots=True)
class Client:
    """A caller that has shown a token of ours."""

    id: str
    scopes: tuple[str, ...]

    def may_read(self, resource_type: str) -> bool:
        """Whether a scope grants reading and searching resources of this type."""
        return any(_grants_read(scope, resource_type) for scope in self.scopes)


def _grants_read(scope: str, resource_type: str) -> bool:
    match = _SCOPE.fullmatch(scope)
    if match is None or match["type"] not in ("*", resource_type):
        return False
    access = match["access"]
    return access in ("read", "*") or ("r" in access and "s" in access and access != "write")


class ClientRegistry:
    """The configured clients."""

    def __init__(self, clients: Iterable[ClientSettings]) -> None:
        self._clients = tuple(
            (bytes.fromhex(client.token_sha256), Client(client.id, client.scopes)) for client in clients
        )

    def authenticate(self, token: str) -> Client | None:
        """The client that this bearer token belongs to, or None."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        found: Client | None = None
        for known, client in self._clients:  # every one is compared: time says nothing about which matched
            if hmac.compare_digest(known, digest):
                found = client
        return found


def new_token() -> tuple[str, str]:
    """A new bearer token (256 bits) and the SHA-256 by which it is known."""
    token = secrets.token_urlsafe(32)
    return token, hashlib.sha256(token.encode()).hexdigest()
