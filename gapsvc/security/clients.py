"""Who may call: static client tokens, known by their SHA-256, with SMART system scopes.

A token is compared in constant time by its digest; what scopes grant is `gapsvc.security.scopes`.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from gapsvc.config import ClientSettings
from gapsvc.security.scopes import grants_read

_FINGERPRINT = 32  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class Client:
    """A caller that has shown a token of ours."""

    id: str
    scopes: tuple[str, ...]

    def may_read(self, resource_type: str) -> bool:
        """Whether a scope grants reading and searching resources of this type."""
        return any(grants_read(scope, resource_type) for scope in self.scopes)


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

    def fingerprint(self, client: Client) -> str:
        """What a person's session holds in the token's place: the beginning of the token's SHA-256."""
        return next((known.hex()[:_FINGERPRINT] for known, one in self._clients if one == client), "")

    def known(self, client_id: str, fingerprint: str) -> Client | None:
        """The client of that id, as long as it is configured with the token of that fingerprint; else None."""
        for known, client in self._clients:
            same = hmac.compare_digest(known.hex()[:_FINGERPRINT].encode(), fingerprint.encode("utf-8", "replace"))
            if client.id == client_id and same:
                return client
        return None


def new_token() -> tuple[str, str]:
    """A new bearer token (256 bits) and the SHA-256 by which it is known."""
    token = secrets.token_urlsafe(32)
    return token, hashlib.sha256(token.encode()).hexdigest()
