"""A small FHIR R4 server over a sandbox population, that can misbehave on demand. Standard library HTTP.

GET [base]/metadata, [base]/{Type} (search), [base]/{Type}/{id}. Pages by Bundle.link `next` with an opaque token.
What search takes is in searching.py, how it misbehaves in misbehaviour.py.

    with serve(population, misbehave=Misbehaviour.all(), token="t") as ehr:
        ... ehr.url ...
"""

import base64
import hashlib
import hmac
import logging
import re
import socket
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson

from gapsvc.sandbox.archive import Archive
from gapsvc.sandbox.capability import capability
from gapsvc.sandbox.misbehaviour import Misbehaviour
from gapsvc.sandbox.population import Population
from gapsvc.sandbox.searching import PARAMETERS, Search, SearchError, included, positions, read_search

_LOG = logging.getLogger(__name__)
_BASE = "/fhir"
_JSON = "application/fhir+json; charset=utf-8"
_SESSIONS = 2000  # page sessions kept; the oldest is forgotten
_HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9A-Fa-f:]+\](:\d{1,5})?")


class _Reply(Exception):
    """An answer that ends the request: status, body, headers."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def _outcome(code: str, text: str, *, severity: str = "error", detail: str | None = None) -> dict[str, Any]:
    issue: dict[str, Any] = {"severity": severity, "code": code, "diagnostics": text}
    if detail:  # Epic's numbered details
        system = "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369"
        issue["details"] = {"coding": [{"system": system, "code": detail}], "text": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _refusal(status: int, code: str, text: str, **headers: str) -> _Reply:
    return _Reply(status, orjson.dumps(_outcome(code, text)), {k.replace("_", "-"): v for k, v in headers.items()})


class _Session:
    """One search and its matches, while a client pages through them."""

    def __init__(self, search: Search, found: list[int]) -> None:
        self.search = search
        self.found = found
        self.pages = 0
        self.expired = False


class SandboxServer(ThreadingHTTPServer):
    """The server; `url` is the FHIR base. `seen` counts requests and misdeeds by kind, for tests."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self, archive: Archive, address: tuple[str, int], misbehave: Misbehaviour, token: str | None, page_size: int
    ) -> None:
        self.archive = archive
        self.misbehave = misbehave
        self.token = token
        self.page_size = page_size
        self.seen: Counter[str] = Counter()
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._stopped = threading.Event()
        super().__init__(address, _Handler)
        host, port = cast("tuple[str, int]", self.server_address[:2])
        self.url = f"http://{host}:{port}{_BASE}"

    def wait(self) -> None:
        """Until the server is closed (Ctrl-C comes through)."""
        while not self._stopped.wait(0.5):
            pass

    def close(self) -> None:
        """Stop taking requests, close every connection, free the port."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self.shutdown()
        with self._lock:
            held = list(self._open)
        for connection in held:
            _hang_up(connection)
        self.server_close()

    # -- what handlers ask for ------------------------------------------------------------------------------------

    def count(self, kind: str, every: int = 1) -> bool:
        """Count one more of a kind; whether it is the nth (never where `every` is 0)."""
        with self._lock:
            self.seen[kind] += 1
            return every > 0 and self.seen[kind] % every == 0

    def next_number(self) -> int:
        with self._lock:
            self.seen["requests"] += 1
            return self.seen["requests"]

    def session(self, search: Search) -> tuple[str, _Session]:
        """The page session of a search: made now, or the one that the same search has already."""
        key = hashlib.blake2b(repr(search).encode(), digest_size=12).hexdigest()
        with self._lock:
            held = self._sessions.get(key)
            if held is not None:
                self._sessions.move_to_end(key)
                return key, held
        made = _Session(search, positions(self.archive, search))
        with self._lock:
            made = self._sessions.setdefault(key, made)
            while len(self._sessions) > _SESSIONS:
                self._sessions.popitem(last=False)
        return key, made

    def resume(self, key: str) -> _Session | None:
        """The page session of a token; None where it is gone, or is told to expire now (once in its life)."""
        every = self.misbehave.expired_page
        with self._lock:
            session = self._sessions.get(key)
            if session is not None and every and not session.expired:
                session.pages += 1
                if session.pages >= every:
                    session.expired = True
                    self.seen["expired_page"] += 1
                    return None
            return session

    def track(self, connection: socket.socket, *, opened: bool) -> None:
        with self._lock:
            (self._open.add if opened else self._open.discard)(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event; anything else is logged (without the request)."""
        _LOG.debug("sandbox EHR: a connection ended early", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "SandboxEHR"
    disable_nagle_algorithm = True
    timeout = 60  # an idle connection is closed
    server: SandboxServer  # pyright: ignore[reportIncompatibleVariableOverride]

    def setup(self) -> None:
        super().setup()
        self.server.track(self.connection, opened=True)

    def finish(self) -> None:
        self.server.track(self.connection, opened=False)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: query strings hold patient ids."""

    def do_GET(self) -> None:
        number = self.server.next_number()
        try:
            self._misbehave(number)
            reply = self._answer()
        except _Reply as early:
            reply = early
        self._send(number, reply)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server refuses by itself (a method without do_X, a malformed request), as FHIR says it."""
        self.close_connection = True  # a body may follow that nobody will read
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._send(0, _refusal(405, "not-supported", "this server answers GET only", Allow="GET"))
        else:
            self._send(0, _refusal(code, "invalid", "the request is not HTTP that this server understands"))

    # -- misdeeds -------------------------------------------------------------------------------------------------

    def _due(self, kind: str, number: int) -> bool:
        every = getattr(self.server.misbehave, kind)
        if every and number % every == 0:
            self.server.count(kind)
            return True
        return False

    def _misbehave(self, number: int) -> None:
        how = self.server.misbehave
        if self._due("slow", number):
            time.sleep(how.slow_seconds)
        if self._due("too_many", number):
            after = how.retry_after
            if after == "date":
                after = formatdate(time.time() + how.retry_after_date_seconds, usegmt=True)
            raise _refusal(429, "throttled", "too many requests: wait and ask again", Retry_After=after)
        if self._due("server_error", number):
            raise _refusal(500, "exception", "an error that says nothing")
        if self._due("unavailable", number):
            raise _Reply(503, b"<html><body>Service Unavailable</body></html>", {"Content-Type": "text/html"})

    def _send(self, number: int, reply: _Reply) -> None:
        body, announced = reply.body, len(reply.body)
        how = self.server.misbehave
        if number and reply.status == 200 and how.dropped and number % how.dropped == 0:
            self.close_connection = True
            self.server.count("dropped")
            if number // how.dropped % 2:
                _hang_up(self.connection)
                return
            body = body[: announced // 2]
        elif number and reply.status == 200 and self._due("truncated", number):
            body = body[: announced // 2]
            announced = len(body)
        headers = {"Content-Type": _JSON, "Content-Length": str(announced), **reply.headers}
        if self.close_connection:
            headers["Connection"] = "close"
        phrase = HTTPStatus(reply.status).phrase
        head = f"HTTP/1.1 {reply.status} {phrase}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        self.wfile.write(head.encode("latin-1") + b"\r\n" + body)
        if len(body) < announced:
            _hang_up(self.connection)

    # -- answers --------------------------------------------------------------------------------------------------

    def _base(self) -> str:
        host = self.headers.get("Host", "")
        return f"http://{host}{_BASE}" if _HOST.fullmatch(host) else self.server.url

    def _answer(self) -> _Reply:
        parts = urlsplit(self.path)
        if parts.path != _BASE and not parts.path.startswith(f"{_BASE}/"):
            raise _refusal(404, "not-found", f"nothing here; the FHIR base is {_BASE}")
        steps = [step for step in parts.path.removeprefix(_BASE).split("/") if step]
        if steps == ["metadata"]:
            return _Reply(200, orjson.dumps(capability(self._base(), self.server.archive)))
        self._authorize()
        query = parse_qsl(parts.query, keep_blank_values=True)
        if not steps or steps[0] not in {*PARAMETERS, *self.server.archive.shelves}:
            raise _refusal(404, "not-supported", f"no such resource type; served: {', '.join(PARAMETERS)}")
        if len(steps) == 1:
            return self._search(steps[0], query)
        if len(steps) == 2:
            return self._read(steps[0], steps[1])
        raise _refusal(404, "not-supported", "this server reads and searches; it has no history and no operations")

    def _authorize(self) -> None:
        token = self.server.token
        given = self.headers.get("Authorization", "")
        if token is not None and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise _refusal(401, "login", "a bearer token is needed", WWW_Authenticate='Bearer realm="sandbox EHR"')

    def _read(self, resource_type: str, ident: str) -> _Reply:
        body = self.server.archive.find(resource_type, ident)
        if body is None:
            raise _refusal(404, "not-found", f"no {resource_type} has this id")
        return _Reply(200, body)

    def _search(self, resource_type: str, query: list[tuple[str, str]]) -> _Reply:
        base = self._base()
        tokens = [value for name, value in query if name == "_page"]
        if tokens:
            key, session, start = self._page(resource_type, tokens[0])
        else:
            try:
                search = read_search(resource_type, query, self.server.page_size)
            except SearchError as error:
                raise _refusal(400, "invalid", str(error)) from None
            key, session = self.server.session(search)
            start = 0
        return _Reply(200, self._bundle(base, key, session, start, query))

    def _page(self, resource_type: str, token: str) -> tuple[str, _Session, int]:
        try:
            key, _, start = base64.urlsafe_b64decode(token.encode()).decode().partition(".")
            offset = int(start)
        except ValueError:
            raise _refusal(400, "invalid", "_page is not a token of this server; start the search again") from None
        session = self.server.resume(key)
        if session is None or session.search.resource_type != resource_type:
            gone = _outcome("expired", "the page session has expired: start the search again", detail="4113")
            raise _Reply(410, orjson.dumps(gone))
        return key, session, offset

    def _bundle(self, base: str, key: str, session: _Session, start: int, query: list[tuple[str, str]]) -> bytes:
        search, found = session.search, session.found
        archive = self.server.archive
        kind = search.resource_type
        end = min(start + search.count, len(found)) if search.count else start
        entries: list[bytes] = []
        prefix = f'{{"fullUrl":"{base}/'.encode()
        if start < end:
            shelf = archive.shelves[kind]
            page = found[start:end]
            entries = [_entry(prefix, kind, shelf.ids[at], shelf.bodies[at], b"match") for at in page]
            if search.includes:
                matches = (shelf.parsed(at) for at in page)
                for other, ident in included(archive, search, matches):
                    entries.append(_entry(prefix, other, ident, archive.find(other, ident) or b"", b"include"))
        entries += self._remarks(search, empty=not found)
        links = [{"relation": "self", "url": f"{base}/{kind}?{urlencode(query)}" if query else f"{base}/{kind}"}]
        if search.count and end < len(found):
            token = base64.urlsafe_b64encode(f"{key}.{end}".encode()).decode()
            origin = base
            if self.server.count("next_links", self.server.misbehave.foreign_next):
                origin = self.server.misbehave.foreign_origin
                self.server.count("foreign_next")
            links.append({"relation": "next", "url": f"{origin}/{kind}?{urlencode({'_page': token})}"})
        head = f'"total":{len(found)},' if search.total else ""
        body = b'{"resourceType":"Bundle","type":"searchset",%s"link":%s' % (head.encode(), orjson.dumps(links))
        if entries:
            body += b',"entry":[' + b",".join(entries) + b"]"
        return body + b"}"

    def _remarks(self, search: Search, *, empty: bool) -> list[bytes]:
        """OperationOutcome entries: what was not done as asked, and the warnings that misbehaviour adds."""
        found: list[dict[str, Any]] = []
        if search.unsorted:
            text = "_sort is not supported: matches come in the server's own order"
            found.append(_remark(_outcome("not-supported", text, severity="warning"), mode=True))
        how = self.server.misbehave
        for kind, mode in (("outcome_entry", True), ("bare_outcome", False)):
            if self.server.count("pages_" + kind, getattr(how, kind)):
                self.server.count(kind)
                code, detail = ("not-found", "4101") if empty else ("informational", "4117")
                text = "no results" if empty else "some content has no CVX code and is left out"
                found.append(_remark(_outcome(code, text, severity="warning", detail=detail), mode=mode))
        return [orjson.dumps(entry) for entry in found]


def _remark(outcome: dict[str, Any], *, mode: bool) -> dict[str, Any]:
    return {"resource": outcome, "search": {"mode": "outcome"}} if mode else {"resource": outcome}


def _entry(prefix: bytes, kind: str, ident: str, body: bytes, mode: bytes) -> bytes:
    return b'%s%s/%s","resource":%s,"search":{"mode":"%s"}}' % (prefix, kind.encode(), ident.encode(), body, mode)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was closed already


@contextmanager
def serve(
    source: Archive | Population | Path | str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    misbehave: Misbehaviour | None = None,
    token: str | None = None,
    page_size: int = 100,
) -> Iterator[SandboxServer]:
    """Serve a population, or a folder that `write` made, until the block ends; `.url` is the FHIR base.

    Port 0 takes a free port. With a token every request but /metadata needs `Authorization: Bearer TOKEN`.

    Raises:
        gapsvc.sandbox.archive.ArchiveError: the folder can't be served.
        OSError: the port is taken.
    """
    archive = Archive.open(source)
    server = SandboxServer(archive, (host, port), misbehave or Misbehaviour(), token, page_size)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(5)
