"""The built-in server: the app under waitress, in this process, started and stopped as one."""

import errno
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from waitress import create_server, wasyncore

from gapsvc.api import Service
from gapsvc.app import MAX_BODY_BYTES, create_app
from gapsvc.config import Settings
from gapsvc.publishing import public_base
from gapsvc.storing import store_of
from gapsvc.telemetry import configure_logging

POLL_SECONDS = 0.25  # how soon the server notices that it is to end


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A service that answers. `base_url` is its FHIR base."""

    base_url: str
    service: Service
    _thread: threading.Thread

    def wait(self) -> None:
        """Until Ctrl-C.

        Raises:
            RuntimeError: the server ended by itself.
        """
        try:
            while self._thread.is_alive():
                self._thread.join(timeout=1)
        except KeyboardInterrupt:
            return
        raise RuntimeError("the server's loop ended by itself")


@contextmanager
def serving(settings: Settings, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[RunningServer]:
    """Serve from the settings' store; the listening socket is open when this yields, and closed after it.

    Raises:
        StoreError: the database can't be used.
        OSError: the address can't be listened on.
    """
    configure_logging(settings["log.level"], settings["log.format"])
    with (
        _listening(settings["server.host"], settings["server.port"]) as listener,
        store_of(settings) as store,
    ):
        store.migrate()
        base_url = public_base(settings, listener.getsockname()[1])
        service = Service.start(settings, store, base_url=base_url, now=now)
        sockets: dict[int, Any] = {}
        server = create_server(
            create_app(service),
            map=sockets,
            sockets=[listener],
            threads=settings["server.threads"],
            ident="gapsvc",
            clear_untrusted_proxy_headers=True,
            max_request_body_size=8 * MAX_BODY_BYTES,  # beyond the app's own limit, which answers in FHIR
        )
        ended = threading.Event()

        def loop() -> None:  # server.run, but one that can be asked to end
            while not ended.is_set():
                try:
                    # poll, not select: a worker may close its connection while the loop waits for it, which select
                    # answers with an error that would end the server.
                    wasyncore.loop(timeout=POLL_SECONDS, use_poll=True, map=sockets, count=1)
                except OSError as error:
                    if error.errno != errno.EBADF:
                        raise

        thread = threading.Thread(target=loop, name="gapsvc-server", daemon=True)
        thread.start()
        try:
            yield RunningServer(base_url, service, thread)
        finally:
            ended.set()
            thread.join(timeout=5)
            server.task_dispatcher.shutdown(timeout=5)
            wasyncore.close_all(map=sockets, ignore_all=True)


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens; of a name's addresses the IPv4 one, where there is one."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, *_, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    return socket.create_server(address[:2], family=family)
