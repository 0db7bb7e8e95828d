"""Sessions of people in browsers: a signed cookie that names a client, never its token.

The cookie holds the client's id, the fingerprint of its token, when the person signed in and when they last asked for
a page. Each request looks the client up again: taking it out of the settings, or giving it another token, ends its
sessions. Nothing is kept on the server.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

from gapsvc.security.clients import Client, ClientRegistry

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=8)  # a shift
_SIGNING = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
AHEAD = timedelta(minutes=1)  # by how much another server's clock may be ahead


@dataclass(frozen=True, slots=True)
class Session:
    """One person's session. `nonce` ties forms to it."""

    client_id: str
    fingerprint: str
    began: int  # seconds since 1970, UTC
    seen: int
    nonce: str


class Sessions:
    """Begins, reads and renews sessions; signs forms.

    `key` is asked for when it is first needed, and may raise SessionKeyUnusable; `now` gives the moment (with its
    time zone).
    """

    def __init__(self, key: Callable[[], str], clients: ClientRegistry, now: Callable[[], datetime]) -> None:
        self._key, self._clients, self._now = key, clients, now
        self._known_key: str | None = None

    def begin(self, client: Client) -> Session:
        """A new session of a client that has just shown its token."""
        now = self._seconds()
        return Session(client.id, self._clients.fingerprint(client), now, now, secrets.token_urlsafe(18))

    def read(self, cookie: str) -> tuple[Session, Client] | None:
        """The session that a cookie holds, and its client; None: forged, over, or the client is gone."""
        try:
            session = Session(*self._signed("session").loads(cookie))
            began, seen = session.began, session.seen
            now = self._seconds()
            fresh = now - seen <= IDLE.total_seconds() and now - began <= LONGEST.total_seconds()
        except (BadData, TypeError, ValueError):
            return None
        if not fresh or max(began, seen) > now + AHEAD.total_seconds():
            return None
        client = self._clients.known(session.client_id, session.fingerprint)
        return None if client is None else (session, client)

    def renewed(self, session: Session) -> Session:
        """The session after a request: the idle time begins anew."""
        return replace(session, seen=self._seconds())

    def cookie(self, session: Session) -> str:
        """What the browser keeps."""
        return self._signed("session").dumps(
            [session.client_id, session.fingerprint, session.began, session.seen, session.nonce]
        )

    def form_field(self, nonce: str) -> str:
        """What a form carries to show that it was made for the browser that holds `nonce` in a cookie."""
        return self._signed("form").dumps(nonce)

    def is_own_form(self, field: str, nonce: str) -> bool:
        """Whether a form's field was made for the browser that holds `nonce`."""
        try:
            made_for = self._signed("form").loads(field)
        except BadData:
            return False
        return bool(nonce) and isinstance(made_for, str) and hmac.compare_digest(made_for.encode(), nonce.encode())

    def _signed(self, use: str) -> URLSafeSerializer:
        if self._known_key is None:
            self._known_key = self._key()
        return URLSafeSerializer(self._known_key, salt=f"gapsvc.web {use}", signer_kwargs=_SIGNING)

    def _seconds(self) -> int:
        return int(self._now().timestamp())


def new_nonce() -> str:
    """A value that nobody can guess (144 bits)."""
    return secrets.token_urlsafe(18)
