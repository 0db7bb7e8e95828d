# pyright: strict
"""Which URLs belong to an endpoint, and how a URL may be shown: pure functions on text.

A token may only go where it was meant to go: scheme, host, port and path prefix are compared (RFC 6454, and
fhirpy's substring test is the mistake avoided here). A URL in a message holds no query values and no ids.
"""

import re
from posixpath import normpath
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

_PORTS = {"http": 80, "https": 443}
_UNSAFE = re.compile(r"[\s\\\x00-\x1f\x7f]")
_TYPE_SEGMENT = re.compile(r"[A-Z][A-Za-z]+\Z")


def same_host(left: str, right: str) -> bool:
    """Whether two URLs have scheme, host and port in common: an origin in the sense of RFC 6454."""
    first, second = _split(left), _split(right)
    return first is not None and second is not None and _origin(first) == _origin(second)


def same_origin(base: str, url: str) -> bool:
    """Whether `url` lies below `base`: scheme, host, port and path prefix agree, with `..` resolved first."""
    if not same_host(base, url):
        return False
    first, second = urlsplit(base), urlsplit(url)
    root = _path(first).rstrip("/")
    path = _path(second)
    return path == root or path.startswith(root + "/")


def pinned(base: str, url: str) -> str | None:
    """`url` where it lies below `base`, else None.

    A server behind a TLS proxy often writes `http://` into its own links: on the same host and default port
    such a link is followed as `https://`, never the other way round.
    """
    if same_origin(base, url):
        return url
    parts = _split(url)
    if parts is not None and parts.scheme == "http" and parts.port in (None, 80) and parts.hostname:
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        upgraded = urlunsplit(("https", host, parts.path, parts.query, ""))
        if same_origin(base, upgraded):
            return upgraded
    return None


def shown(url: str) -> str:
    """A URL for messages: no user, no query values, no ids (`https://ehr.example/fhir/Patient/…?_count=…`)."""
    parts = _split(url)
    if parts is None:
        return "(a URL that can't be read)"
    segments: list[str] = []
    for segment in parts.path.split("/"):
        after_type = bool(segments) and _TYPE_SEGMENT.match(segments[-1]) is not None
        hidden = after_type and segment and segment[0] not in "$_"
        segments.append("…" if hidden else segment)
    names = [pair.partition("=")[0] for pair in parts.query.split("&") if "=" in pair]
    query = "&".join(f"{name}=…" for name in names if re.fullmatch(r"[A-Za-z_][\w:.\-]*", name))
    return f"{origin_of(url)}{'/'.join(segments)}{'?' + query if query else ''}"


def origin_of(url: str) -> str:
    """`scheme://host[:port]` of a URL, for messages."""
    parts = _split(url)
    if parts is None:
        return "(a URL that can't be read)"
    scheme, host, port = _origin(parts)
    return f"{scheme}://{host}" if port == _PORTS.get(scheme) else f"{scheme}://{host}:{port}"


def _split(url: str) -> SplitResult | None:
    if _UNSAFE.search(url):  # browsers, urllib and requests disagree on these: no URL at all
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is not a number
    except ValueError:
        return None
    return parts if parts.scheme.lower() in _PORTS and parts.hostname else None


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower().rstrip("."), parts.port or _PORTS[scheme]


def _path(parts: SplitResult) -> str:
    path = unquote(parts.path)
    return normpath("/" + path.lstrip("/"))
