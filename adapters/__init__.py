"""EHR endpoint -> plain FHIR R4 JSON with its provenance. Knows HTTP and vendors; knows no measure.

The public face: `open_source` gives a `Source` for a folder, a file or a FHIR base URL.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from adapters.base import Batch, Fetched, Rejected, Source, SourceError, SourceUnreachable

if TYPE_CHECKING:
    from adapters.http import RetryPolicy

__all__ = ["Batch", "Fetched", "Rejected", "Source", "SourceError", "SourceUnreachable", "open_source"]


def open_source(
    where: str | Path,
    name: str | None = None,
    *,
    vendor: str = "generic",
    token: str | Callable[[bool], str] | None = None,
    client_id: str | None = None,
    strategy: Literal["type", "patient"] | None = None,
    page_size: int | None = None,
    include: Mapping[str, tuple[str, ...]] | None = None,
    patients: Callable[[], Iterable[str]] | None = None,
    group: str | None = None,
    policy: "RetryPolicy | None" = None,
) -> Source:
    """A source for `where`: an http(s) URL is a FHIR search endpoint, anything else a folder or file.

    Args:
        where: a FHIR base URL, or a path.
        name: the source's name in the store; by default the host or the folder's name.
        vendor: the EHR product (`adapters.vendors.vendor_names()`); the rest is for URLs too.
        token: bearer token, or a function that gives one (see adapters.auth.BearerToken).
        client_id: sent in the header that the vendor wants it in, if any.
        strategy, page_size, include, patients: see adapters.search.SearchSource.
        group: id of a Group whose members are the patients to read, in the place of `patients`.
        policy: retries, timeouts and limits; the vendor's retry habits are added to it.

    Raises:
        SourceError: the path or URL can't be a source.
        ValueError: no such vendor.
    """
    if not (isinstance(where, str) and where.lower().startswith(("http://", "https://"))):
        from adapters.files import FileSource

        return FileSource(where, name)
    # Imported here: fhirpy takes a second to load, which reading a folder should not cost.
    from dataclasses import replace
    from urllib.parse import urlsplit

    from adapters.auth import BearerToken
    from adapters.http import HttpClient, RetryPolicy
    from adapters.search import SearchSource, group_members
    from adapters.vendors import load_vendor

    product = load_vendor(vendor)
    patience = policy or RetryPolicy()
    patience = replace(
        patience,
        statuses=patience.statuses | product.retry_statuses,
        retry_bare_400=patience.retry_bare_400 or product.retry_bare_400,
    )
    headers = dict(product.headers)
    if product.client_id_header is not None:
        if client_id is None:
            raise SourceError(f"{product.product} wants the client's id in {product.client_id_header}: give client_id")
        headers[product.client_id_header] = client_id
    client = HttpClient(BearerToken(token) if token else None, patience, headers)
    if group is not None:
        chosen: str = group
        patients = lambda: group_members(where, client, chosen)  # noqa: E731
        strategy = "patient"
    return SearchSource(
        where,
        name or urlsplit(where).hostname or "ehr",
        client,
        vendor=product,
        strategy=strategy,
        page_size=page_size,
        include=include,
        patients=patients,
    )
