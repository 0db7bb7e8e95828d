"""The built-in server: the app under waitress, in this process, started and stopped as one."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from waitress import create_server

from gapsvc.api import Service, create_app
from gapsvc.config import Settings
from gapsvc.store import Store
from gapsvc.telemetry import configure_logging


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
        server = create_server(
            lambda environ, start: holder["app"](environ, start),
            host=settings["server.host"],
            port=settings["server.port"],
            threads=settings["server.threads"],
            ident="gapsvc",
            clear_untrusted_proxy_headers=True,
        )
        base_url = settings["server.base_url"] or f"http://{settings['server.host']}:{server.effective_port}/fhir"
        service = Service.start(settings, store, base_url=base_url, now=now)
        holder["app"] = create_app(service)
        thread = threading.Thread(target=server.run, name="gapsvc-server", daemon=True)
        thread.start()
        try:
            yield RunningServer(base_url, service, thread)
        finally:
            server.close()
            thread.join(timeout=5)
