"""A tiny HTTP server that answers as it is told, byte for byte: what no mock of requests can show."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Script:
    """The answers in order (the last one repeats) and the requests that came."""

    answers: list[bytes]
    url: str = ""
    requests: list[str] = field(default_factory=list)


def answer(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP answer; `Content_Length="99"` gives a header a value of its own."""
    rows = {"Content-Type": "application/fhir+json", "Content-Length": str(len(body)), "Connection": "close"}
    rows |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in rows.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


@contextmanager
def scripted(*answers: bytes) -> Iterator[Script]:
    """Serve the answers on a free port of 127.0.0.1; b"" closes the connection without a word."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(5)
    script = Script(list(answers), f"http://127.0.0.1:{listener.getsockname()[1]}/fhir")
    stop = threading.Event()

    def serve() -> None:
        served = 0
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                request = b""
                while b"\r\n\r\n" not in request and (part := connection.recv(65536)):
                    request += part
                if not request:
                    continue
                script.requests.append(request.decode())
                connection.sendall(script.answers[min(served, len(script.answers) - 1)])
                served += 1

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        stop.set()
        with socket.create_connection(listener.getsockname()):
            pass
        thread.join(5)
        listener.close()
