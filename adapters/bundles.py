"""The resources in a Bundle, each repaired, with references through `fullUrl` made relative.

Source: FHIR R4 Bundle (§ resolving references in bundles: a reference names an entry by its fullUrl).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from adapters.base import Fetched, JsonObject, Rejected
from adapters.repair import repair

_DELETED = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})\Z", re.ASCII)


def entries_of(
    bundle: JsonObject, resource_type: str | None, origin: str, takes_untyped: bool, base_url: str | None
) -> Iterator[Fetched | Rejected]:
    """The Bundle's resources of one type (None: of every type), as `origin#entry`, entries counted from 1.

    `takes_untyped`: entries whose type can't be told are reported here. Entries without a resource
    (deletions, responses) are passed over; `deletions_of` tells the first.
    """
    entries: Any = bundle.get("entry")
    if not isinstance(entries, list):
        return
    targets, base = targets_of(entries)
    for at, entry in enumerate(entries, start=1):
        resource: Any = entry.get("resource") if isinstance(entry, dict) else entry
        if resource is None and isinstance(entry, dict):
            continue
        named: Any = resource.get("resourceType") if isinstance(resource, dict) else None
        named = named if isinstance(named, str) and named else None
        if resource_type is not None and not (named == resource_type or (named is None and takes_untyped)):
            continue
        where = f"{origin}#{at}"
        if isinstance(resource, dict):
            yield repair(resource, None, where, base_url=base_url or base, targets=targets)
        else:
            reason = "expected Bundle.entry.resource to be one FHIR resource: a JSON object"
            yield Rejected(where, "not-an-object", reason, orjson.dumps(resource))


def deletions_of(bundle: Any, resource_type: str) -> list[str]:
    """`Type/id` of each entry that deletes a resource of this type (R4 Bundle.entry.request; Bulk Data 2 "deleted"
    files, history Bundles). A conditional deletion names no resource and is none of them; in a history, whose newest
    entries come first, neither is one that the resource has outlived."""
    entries: Any = bundle.get("entry") if isinstance(bundle, dict) and bundle.get("resourceType") == "Bundle" else None
    found: list[str] = []
    newer: set[str] = set()
    for entry in entries if isinstance(entries, list) else ():
        resource: Any = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and bundle.get("type") == "history":
            newer.add(f"{resource.get('resourceType')}/{resource.get('id')}")
        request: Any = entry.get("request") if isinstance(entry, dict) else None
        if isinstance(request, dict) and request.get("method") == "DELETE" and isinstance(request.get("url"), str):
            named = _DELETED.search(request["url"])
            if named is not None and named[1] == resource_type and f"{named[1]}/{named[2]}" not in newer:
                found.append(f"{named[1]}/{named[2]}")
    return found


def targets_of(entries: list[Any]) -> tuple[Mapping[str, str], str | None]:
    """`fullUrl` -> `Type/id` of each entry, and the base URL that the fullUrls share, if they are URLs."""
    targets: dict[str, str] = {}
    base: str | None = None
    for entry in entries:
        full_url: Any = entry.get("fullUrl") if isinstance(entry, dict) else None
        resource: Any = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(full_url, str) or not isinstance(resource, dict):
            continue
        local = f"{resource.get('resourceType')}/{resource.get('id')}"
        if full_url.startswith("urn:") or full_url.endswith("/" + local):
            targets[full_url] = local
        if base is None and full_url.startswith("http") and full_url.endswith("/" + local):
            base = full_url.removesuffix("/" + local)
    return targets, base
