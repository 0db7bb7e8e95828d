"""A bare FHIR client for the sandbox server's tests: one connection per call, nothing retried, nothing hidden."""

import http.client
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.raw)

    @property
    def problem(self) -> str:
        """The text of an OperationOutcome."""
        assert self.json["resourceType"] == "OperationOutcome"
        return self.json["issue"][0]["diagnostics"]


def get(url: str, query: object = (), *, token: str | None = None, method: str = "GET") -> Reply:
    """One request. `query` is what urlencode takes."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    if query:
        path += f"?{urlencode(query, doseq=True)}"  # pyright: ignore[reportArgumentType]
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request(method, path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def pages(url: str, query: object = ()) -> list[Any]:
    """Every page of a search, by its `next` links."""
    found = [get(url, query).json]
    while link := next_link(found[-1]):
        found.append(get(link).json)
    return found


def next_link(bundle: Any) -> str | None:
    return next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)


def ids(bundles: list[Any], mode: str = "match") -> list[str]:
    """`Type/id` of the entries of that mode, in order."""
    return [
        f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        for bundle in bundles
        for entry in bundle.get("entry", ())
        if entry.get("search", {}).get("mode") == mode
    ]
