"""How a request proves who sends it, as flows without IO (httpx style): they yield requests and receive replies.

`adapters.http.HttpClient` drives a flow, so token calls and ordinary calls share one retry policy.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `credentials` are the headers that must never reach another origin."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    credentials: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: header names in lower case; `json` is the parsed body of a 2xx, or of an error if it is JSON."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    json: Any = field(default=None, repr=False)


AuthFlow = Generator[Request, Reply, None]


class Auth(Protocol):
    """A way to authenticate."""

    def auth_flow(self, request: Request) -> AuthFlow:
        """Yield the request with credentials; after a reply, yield it again at most once with fresh ones."""
        ...


class NoAuth:
    """Requests go as they are: open sandboxes."""

    def auth_flow(self, request: Request) -> AuthFlow:
        """Yield the request unchanged."""
        yield request


class BearerToken:
    """`Authorization: Bearer ...` (RFC 6750).

    Args:
        token: the token, or a function that gives one; it is called with True when the last one was refused
            (401) and a fresh one is wanted, which happens once per request.
    """

    def __init__(self, token: str | Callable[[bool], str]) -> None:
        self._token = token

    def auth_flow(self, request: Request) -> AuthFlow:
        """Yield the request with the token, and after a 401 once more with a fresh one."""
        given = self._token if isinstance(self._token, str) else self._token(False)
        reply = yield self._with(request, given)
        if reply.status != 401 or isinstance(self._token, str):
            return
        yield self._with(request, self._token(True))

    def __repr__(self) -> str:
        return "BearerToken(...)"

    @staticmethod
    def _with(request: Request, token: str) -> Request:
        return replace(request, credentials={**request.credentials, "Authorization": f"Bearer {token}"})
