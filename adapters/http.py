"""The one HTTP session: pooled, patient with flaky EHRs, careful with tokens. Everything outbound goes through it.

Retried, with full-jitter exponential backoff: 408, 429, 500, 502, 503, 504, transport errors, and answers that
are cut short or no whole JSON (seen in real EHRs, see ../shared/design/ehr.md). Retry-After is honoured up to our
own cap: servers ask for hours, and one was seen to send epoch seconds. Sources: RFC 9110 §10.2.3, AWS
"Exponential Backoff And Jitter" (full jitter).
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

import orjson
import requests
import urllib3
from requests.adapters import HTTPAdapter

from adapters.auth import Auth, NoAuth, Reply, Request
from adapters.base import JsonObject, SourceError, SourceUnreachable
from adapters.origins import origin_of, same_host, shown
from adapters.repair import read_json

_FHIR_JSON = "application/fhir+json, application/json;q=0.9"
_CHUNK = 1 << 16
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_EPOCH = 1_000_000_000  # a Retry-After beyond this (2001-09-09) is a moment, not a wait of 31 years

_ADVICE: Mapping[int, str] = {
    400: "the server refuses the request: see what it says of this search in its documentation",
    401: "the token was refused: check the client's credentials",
    403: "the client is not allowed to read this: check its scopes",
    404: "there is nothing there: check the base URL and whether the server has this resource type",
    422: "the server can't process the search: it may find too much; use the patient strategy",
    429: "the server limits the rate: pull again later; it goes on where it stopped",
}


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to be patient. Times in seconds; `deadline` is for one request with all its attempts."""

    attempts: int = 8
    backoff: float = 0.5
    max_backoff: float = 60.0
    max_retry_after: float = 300.0
    deadline: float = 1800.0
    connect_timeout: float = 10.0
    read_timeout: float = 120.0
    max_body: int = 256 << 20
    max_redirects: int = 5
    statuses: frozenset[int] = frozenset({408, 429, 500, 502, 503, 504})
    retry_bare_400: bool = False  # Epic: a 400 with an empty body is a hiccup


class HttpError(SourceError):
    """A request failed for good.

    Attributes:
        status: the HTTP status, None where there was no whole answer.
        outcome: the OperationOutcome that came with it, None without one. It may hold patient data.
    """

    def __init__(self, message: str, status: int | None = None, outcome: JsonObject | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.outcome = outcome


class NoAnswer(HttpError, SourceUnreachable):
    """Every attempt ended without a whole answer."""


class _Transient(Exception):
    """One attempt failed in a way that may pass. The text is for people, without patient data."""


class HttpClient:
    """Requests with retries, an authentication flow and limits; one per endpoint. Usable from several threads.

    Args:
        auth: how requests authenticate (adapters.auth).
        policy: retries, timeouts, limits.
        headers: sent with every request to the endpoint's origin (vendor headers); not on foreign redirects.
        clock, now, sleep, jitter: monotonic seconds, epoch seconds, waiting, a number in [0, 1): for tests.
    """

    def __init__(
        self,
        auth: Auth | None = None,
        policy: RetryPolicy | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._auth = auth or NoAuth()
        self.policy = policy or RetryPolicy()
        self._headers = dict(headers or {})
        self._clock, self._now, self._sleep, self._jitter = clock, now, sleep, jitter
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=8, max_retries=0))
        self._session.headers["User-Agent"] = "gapsvc"
        # Without this, requests looks for a password in ~/.netrc and puts it in the place of our token.
        self._session.auth = lambda prepared: prepared

    def close(self) -> None:
        """Close pooled connections."""
        self._session.close()

    def __enter__(self) -> "HttpClient":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def get_json(self, url: str, *, foreign_redirects: bool = False) -> Reply:
        """GET a JSON document; the reply's `json` is the parsed body.

        `foreign_redirects`: follow a redirect to another origin (without the token). Off by default: a page of
        records must come from the endpoint itself.

        Raises:
            HttpError: no whole 2xx answer within the policy, or a redirect that is not followed.
        """
        request = Request(url, headers={"Accept": _FHIR_JSON, **self._headers})
        reply = self._authenticated(request, foreign_redirects)
        if 200 <= reply.status < 300:
            return reply
        outcome = reply.json if isinstance(reply.json, dict) else None
        if outcome is not None and outcome.get("resourceType") != "OperationOutcome":
            outcome = None
        advice = _ADVICE.get(reply.status, "the server does not answer this request")
        raise HttpError(f"GET {shown(url)}: HTTP {reply.status}; {advice}", reply.status, outcome)

    def _authenticated(self, request: Request, foreign_redirects: bool) -> Reply:
        flow = self._auth.auth_flow(request)
        outgoing = next(flow)
        while True:
            reply = self._patiently(outgoing, foreign_redirects)
            try:
                outgoing = flow.send(reply)
            except StopIteration:
                return reply

    # --- retries --------------------------------------------------------------------------------------------------

    def _patiently(self, request: Request, foreign_redirects: bool) -> Reply:
        """One request with its retries. A retryable status that stays is an error; others are the caller's."""
        policy = self.policy
        started = self._clock()
        attempt = 0
        while True:
            attempt += 1
            status: int | None = None
            asked: float | None = None
            try:
                reply = self._redirected(request, started, foreign_redirects)
                if not self._is_retryable(reply):
                    return _parsed(reply)
                status = reply.status
                asked = retry_after(reply.headers.get("retry-after"), self._now())
                problem = f"HTTP {status}"
            except _Transient as bad:
                problem = str(bad)
            delay = self._delay(attempt, asked)
            spent = self._clock() - started
            if attempt >= policy.attempts or spent + delay > policy.deadline:
                advice = _ADVICE.get(status or 0, "pull again later; it goes on where it stopped")
                raise (NoAnswer if status is None else HttpError)(
                    f"{request.method} {shown(request.url)}: {problem}, still after {attempt} "
                    f"{'attempt' if attempt == 1 else 'attempts'} in {spent:.0f} s; {advice}",
                    status,
                )
            self._sleep(delay)

    def _is_retryable(self, reply: Reply) -> bool:
        if reply.status in self.policy.statuses:
            return True
        return self.policy.retry_bare_400 and reply.status == 400 and not reply.body.strip()

    def _delay(self, attempt: int, asked: float | None) -> float:
        """Seconds to wait after an attempt (counted from 1). The server's wish is a minimum, up to our cap."""
        policy = self.policy
        ceiling = min(policy.max_backoff, policy.backoff * 2 ** (attempt - 1))
        if asked is None:
            return self._jitter() * ceiling
        # Clients told the same wait must not all come back at once: a little jitter on top.
        return min(asked, policy.max_retry_after) + self._jitter() * policy.backoff

    # --- one attempt ----------------------------------------------------------------------------------------------

    def _redirected(self, request: Request, started: float, foreign_redirects: bool) -> Reply:
        current = request
        for _ in range(self.policy.max_redirects + 1):
            reply = self._once(current, started)
            target = reply.headers.get("location")
            if reply.status not in _REDIRECTS or not target or request.method != "GET":
                return reply
            url = urljoin(current.url, target)
            if not same_host(request.url, url):
                if not foreign_redirects:
                    raise HttpError(
                        f"GET {shown(request.url)}: redirected to {origin_of(url)}, another origin; not followed. "
                        "If the endpoint has moved, configure its new base URL",
                        reply.status,
                    )
                current = Request(url, headers={"Accept": _FHIR_JSON})
            else:
                current = replace(current, url=url)
        raise HttpError(f"GET {shown(request.url)}: more than {self.policy.max_redirects} redirects")

    def _once(self, request: Request, started: float) -> Reply:
        policy = self.policy
        try:
            with self._session.request(
                request.method,
                request.url,
                headers={**request.headers, **request.credentials},
                data=request.body,
                timeout=(policy.connect_timeout, policy.read_timeout),
                allow_redirects=False,
                stream=True,
            ) as answer:
                parts: list[bytes] = []
                size = 0
                for part in answer.iter_content(_CHUNK):
                    size += len(part)
                    if size > policy.max_body:
                        limit = policy.max_body >> 20
                        raise HttpError(f"GET {shown(request.url)}: the answer is longer than {limit} MiB")
                    if self._clock() - started > policy.deadline:
                        raise _Transient("the answer comes too slowly")
                    parts.append(part)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Reply(answer.status_code, request.url, headers, b"".join(parts))
        except requests.exceptions.SSLError:
            raise HttpError(
                f"{request.method} {shown(request.url)}: no trusted TLS connection; check the server's certificate "
                "and REQUESTS_CA_BUNDLE"
            ) from None  # the text of requests' own errors holds the whole URL
        except requests.exceptions.Timeout:
            raise _Transient("no answer in time") from None
        except (
            requests.exceptions.ConnectionError,
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
            urllib3.exceptions.HTTPError,
        ):
            raise _Transient("no connection, or it broke off") from None
        except (requests.exceptions.RequestException, ValueError):
            raise HttpError(f"{request.method} {shown(request.url)}: not a request that can be sent") from None


def _parsed(reply: Reply) -> Reply:
    try:
        return replace(reply, json=read_json(reply.body)[0])
    except orjson.JSONDecodeError:
        if not 200 <= reply.status < 300:
            return reply
        kind = reply.headers.get("content-type", "").partition(";")[0].strip()
        if kind and "json" not in kind:
            raise _Transient("the answer is no JSON but another kind of document") from None
        raise _Transient("the answer is no whole JSON document") from None


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds to wait as a Retry-After header asks, at least 0; None without one that can be read.

    Seconds or an HTTP-date (RFC 9110 §10.2.3), or epoch seconds (SMART's bulk-data-server). `now`: epoch seconds.
    """
    if value is None:
        return None
    text = value.strip()
    try:
        seconds = float(text) if text and text.isascii() and text[0].isdigit() else None
    except ValueError:
        seconds = None
    if seconds is not None:
        if seconds >= _EPOCH * 1000:
            seconds /= 1000
        return max(0.0, seconds - now) if seconds >= _EPOCH else seconds
    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
