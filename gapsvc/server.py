"""The built-in server: the app under waitress, in this process, started and stopped as one."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from waitress import create_server, wasyncore

from gapsvc.api import Service, create_app
from gapsvc.config import Settings
from gapsvc.store import Store
from gapsvc.telemetry import configure_logging

POLL_SECONDS = 0.25  # how soon the server notices that it is to end


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A service that answers. `base_url` is its FHIR base."""

    base_url: str
    service: Service
    _thread: threading.Thread

    def wait(self) -> None:
        """Until Ctrl-C."""
        try:
            while self._thread.is_alive():
                self._thread.join(timeout=1)
        except KeyboardInterrupt:
            return


@contextmanager
def serving(settings: Settings, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[RunningServer]:
    """Serve from the settings' store; the listening socket is open when this yields, and closed after it.

    Raises:
        StoreError: the database can't be used.
        OSError: the address can't be listened on.
    """
    configure_logging(settings["log.level"], settings["log.format"])
    with Store.open(settings.database_url, person_systems=settings["linking.person_systems"]) as store:
        store.migrate()
        # The port is only known once the socket is bound, and the app must know it: so a holder first.
        holder: dict[str, Any] = {}
        sockets: dict[int, Any] = {}
        server = create_server(
            lambda environ, start: holder["app"](environ, start),
            map=sockets,
            host=settings["server.host"],
            port=settings["server.port"],
            threads=settings["server.threads"],
            ident="gapsvc",
            clear_untrusted_proxy_headers=True,
        )
        base_url = settings["server.base_url"] or f"http://{settings['server.host']}:{server.effective_port}/fhir"
        service = Service.start(settings, store, base_url=base_url, now=now)
        holder["app"] = create_app(service)
        ended = threading.Event()

        def loop() -> None:  # server.run, but one that can be asked to end
            while not ended.is_set():
                wasyncore.loop(timeout=POLL_SECONDS, map=sockets, count=1)

        thread = threading.Thread(target=loop, name="gapsvc-server", daemon=True)
        thread.start()
        try:
            yield RunningServer(base_url, service, thread)
        finally:
            ended.set()
            thread.join(timeout=5)
            server.task_dispatcher.shutdown(timeout=5)
            wasyncore.close_all(map=sockets, ignore_all=True)
