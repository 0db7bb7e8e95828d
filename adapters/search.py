"""A FHIR search endpoint as a Source: pages streamed, resumable at each, pinned to the endpoint's own origin.

fhirpy builds the queries; fetching is ours (adapters.http), since fhirpy has no retries, drops included resources
and follows `next` links by a substring test. Two strategies: by type (`Immunization?_count=...`), or by patient
(`Immunization?patient=...`) for EHRs that refuse the first. Source: FHIR R4 §3.1.1 (search), ../shared/design/ehr.md.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal
from urllib.parse import urljoin

import orjson
from fhirpy import SyncFHIRClient
from fhirpy.base.searchset import Raw
from fhirpy.base.utils import encode_params

from adapters.base import Batch, Fetched, JsonObject, Rejected, SourceError
from adapters.bundles import targets_of
from adapters.http import HttpClient, HttpError, NoAnswer
from adapters.origins import origin_of, pinned, shown
from adapters.outcomes import codes_of, is_error, worded
from adapters.repair import repair
from adapters.vendors import Vendor, load_vendor

Strategy = Literal["type", "patient"]
MAX_RESTARTS = 5
MAX_EMPTY_PAGES = 100
_PATIENT = re.compile(r"(?:^|/)Patient/([A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?\Z", re.ASCII)
_AFTER_PATIENT = "after-patient:"
# Types that belong to no patient: never searched by patient.
_SHARED_TYPES = frozenset(
    {"Device", "Endpoint", "Group", "HealthcareService", "Location", "Medication"}
    | {"Organization", "Practitioner", "PractitionerRole"}
)
_REFUSALS = frozenset({400, 403, 404, 422})


@dataclass(frozen=True, slots=True)
class _Page:
    """One page: what it held, where the next one is, and what the server said of it."""

    found: tuple[Fetched | Rejected, ...]
    next_link: str | None
    notices: tuple[str, ...]
    total: int | None
    included: int
    expired: bool = False


@dataclass(slots=True)
class _Reading:
    """The state of one reading of one search, kept while its pages are followed."""

    first: str
    pages: set[str] = field(default_factory=set[str])
    resources: set[bytes] = field(default_factory=set[bytes])  # digests of what was handed on already
    read: int = 0
    restarts: int = 0
    empty: int = 0
    included: int = 0


class SearchSource:
    """A FHIR R4 search endpoint as a `Source`.

    Args:
        base_url: the FHIR base, e.g. `https://ehr.example/fhir`.
        name: what the source is called in the store and in evidence.
        client: the HTTP client, with its authentication.
        vendor: the EHR product's ways (adapters.vendors); `strategy` and `page_size` override it.
        include: resource type -> `_include` values, e.g. {"Encounter": ("Encounter:location",)}.
        patients: patient ids for the strategy "patient", given anew at each call; without it, all patients that
            a Patient search finds.

    Raises:
        SourceError: `base_url` is not an http(s) URL.
    """

    def __init__(
        self,
        base_url: str,
        name: str,
        client: HttpClient,
        *,
        vendor: Vendor | None = None,
        strategy: Strategy | None = None,
        page_size: int | None = None,
        include: Mapping[str, tuple[str, ...]] | None = None,
        patients: Callable[[], Iterable[str]] | None = None,
    ) -> None:
        self._base = base_url.rstrip("/")
        if pinned(self._base, self._base) is None or "?" in self._base or "#" in self._base:
            raise SourceError(f"{shown(base_url)} is not a FHIR base URL: expected e.g. https://ehr.example/fhir")
        self._name = name
        self._client = client
        self._vendor = vendor or load_vendor("generic")
        self._strategy = strategy or self._vendor.strategy
        self._page_size = page_size or self._vendor.page_size
        self._include = dict(include or {}) if self._vendor.supports_include else {}
        self._patients = patients
        self._queries = SyncFHIRClient(self._base)  # builds queries; never asked to fetch

    @property
    def name(self) -> str:
        return self._name

    def limited_to(self, patients: Callable[[], Iterable[str]]) -> "SearchSource":
        """The same endpoint, read for these patients only: e.g. all of the history of patients new to a panel."""
        return SearchSource(
            self._base,
            self._name,
            self._client,
            vendor=self._vendor,
            strategy="patient",
            page_size=self._page_size,
            include=self._include,
            patients=patients,
        )

    def patient_batches(self, resource_type: str, patient_ids: Sequence[str]) -> Iterator[Batch]:
        """All resources of one type of these patients, however old: for patients who are new since the last pull.

        Nothing for types that are about no patient: those are read by `batches` alone.
        """
        if resource_type not in _SHARED_TYPES:
            yield from self.limited_to(lambda: patient_ids).batches(resource_type)

    def batches(self, resource_type: str, *, since: str | None = None, cursor: str | None = None) -> Iterator[Batch]:
        """All resources of one type; see `Source.batches`.

        Included resources come in the same batches, with their own type. Where the vendor has no usable
        `_lastUpdated`, `since` is not sent and everything is read.
        """
        told: list[str] = []
        if since is not None and not self._vendor.supports_last_updated:
            since = None
            told.append(f"{self._vendor.product} has no usable _lastUpdated: everything is read")
        by_patient = self._strategy == "patient" and resource_type not in _SHARED_TYPES
        if by_patient and resource_type == "Patient" and self._patients is None:
            by_patient = False
        if by_patient:
            pages = self._by_patient(resource_type, since, cursor)
        else:
            pages = self._by_type(resource_type, since, cursor)
        if cursor is None:
            told.extend(self._capability_notices(resource_type))
        for batch in pages:
            yield replace(batch, notices=(*told, *batch.notices)) if told else batch
            told = []

    # --- queries --------------------------------------------------------------------------------------------------

    def _query(self, resource_type: str, since: str | None, patient: str | None = None) -> str:
        """`Type?params`, relative to the base."""
        search = self._queries.resources(resource_type).limit(self._page_size)
        if patient is not None:
            search = search.search(**{"_id" if resource_type == "Patient" else "patient": patient})
        if since is not None:
            search = search.search(_lastUpdated__ge=since)
        for value in self._include.get(resource_type, ()):
            search = search.include(*value.split(":"))
        parameters = self._vendor.search_parameters.get(resource_type, {})
        if patient is not None and parameters:
            search = search.search(Raw(**parameters))
        return f"{resource_type}?{encode_params(search.params)}"

    def _capability_notices(self, resource_type: str) -> tuple[str, ...]:
        """What the CapabilityStatement says against the search. Never a gate: servers leave out what they have."""
        statement = self._statement
        if isinstance(statement, int):
            return (f"no CapabilityStatement (HTTP {statement}): asked for {resource_type} all the same",)
        if not isinstance(statement, dict) or statement.get("resourceType") != "CapabilityStatement":
            return (f"/metadata gives no CapabilityStatement: asked for {resource_type} all the same",)
        version = statement.get("fhirVersion")
        if isinstance(version, str) and not version.startswith("4."):
            return ("the server's FHIR version is not R4 (4.x): records may be read wrongly",)
        rest: Any = statement.get("rest")
        listed = [
            row.get("type")
            for part in (rest if isinstance(rest, list) else [])
            if isinstance(part, dict)
            for row in (part.get("resource") or [])
            if isinstance(row, dict)
        ]
        if listed and resource_type not in listed:
            return (f"the CapabilityStatement does not list {resource_type}: asked for it all the same",)
        return ()

    @cached_property
    def _statement(self) -> Any:
        """The CapabilityStatement, or the HTTP status that came in its place. Read once per source."""
        try:
            return self._client.get_json(f"{self._base}/metadata").json
        except HttpError as bad:
            if bad.status is None:  # not reachable at all: no use to go on
                raise
            return bad.status

    # --- strategy "type" ------------------------------------------------------------------------------------------

    def _by_type(self, resource_type: str, since: str | None, cursor: str | None) -> Iterator[Batch]:
        first = f"{self._base}/{self._query(resource_type, since)}"
        start = first
        notices: list[str] = []
        if cursor is not None:
            resumed = self._absolute(cursor)
            if resumed is None:
                notices.append("the place where the last run stopped is not of this endpoint: reading from the start")
            else:
                start = resumed
        reading = _Reading(first)
        try:
            for page, upto in self._pages(reading, start, resource_type):
                batch = self._batch(resource_type, page, self._relative(upto) if upto else None, notices)
                notices = []
                if upto is None and self._lacks_includes(resource_type, reading, batch):
                    batch = replace(batch, notices=(*batch.notices, self._include_notice(resource_type)))
                yield batch
        except HttpError as refused:
            if self._strategy == "type" or refused.status not in _REFUSALS or reading.read:
                raise
            if resource_type == "Patient":
                raise SourceError(
                    f"{self._name}: the EHR does not list all its patients (HTTP {refused.status}): say which ones "
                    "to read, by their ids or by a Group"
                ) from refused
            # An EHR read by patient rarely lets all Locations be listed: they come by _include, or not at all.
            said = f"the server refuses a search of all {resource_type} (HTTP {refused.status}): none are read"
            yield Batch(resource_type, (), notices=(*notices, said))

    def _pages(self, reading: _Reading, start: str, resource_type: str) -> Iterator[tuple[_Page, str | None]]:
        """(page, the URL to go on at) of one search; the last None where the search is complete.

        Raises:
            SourceError: the pages can't be followed to their end. The page before it was yielded.
        """
        url = start
        restarted = False
        while True:
            reading.pages.add(url)
            page = self._page(url, resource_type, reading, is_first=url == reading.first)
            if page.expired:
                reading.restarts += 1
                if reading.restarts > MAX_RESTARTS:
                    raise SourceError(
                        f"{self._name}: pages of {resource_type} expired {reading.restarts} times before the end; "
                        "a smaller page size or fewer pulls at once may help"
                    )
                # From scratch: what was handed on already is recognised by its digest.
                url = reading.first
                reading.pages.clear()
                restarted = True
                continue
            if restarted:
                said = f"a page of {resource_type} had expired: the search was started again"
                page = replace(page, notices=(said, *page.notices))
                restarted = False
            reading.read += 1
            reading.included += page.included
            reading.empty = 0 if page.found else reading.empty + 1
            if page.next_link is None:
                yield page, None
                return
            follow, obstacle = self._follow(url, page.next_link, reading)
            if follow is None:
                # The page itself is good; going on would not be. Resuming starts with this page again.
                yield page, url
                raise SourceError(f"{self._name}: {resource_type} not read to its end: {obstacle}")
            yield page, follow
            url = follow

    def _follow(self, url: str, link: str, reading: _Reading) -> tuple[str | None, str]:
        absolute = urljoin(url, link)
        follow = pinned(self._base, absolute)
        if follow is None:
            return None, (
                f"the server's next link leads to {origin_of(absolute)}, outside {shown(self._base)}; not followed. "
                "If that is the same endpoint, configure its URL as the base"
            )
        if follow in reading.pages:
            return None, "the server's next link leads back to a page already read"
        if reading.empty >= MAX_EMPTY_PAGES:
            return None, f"{MAX_EMPTY_PAGES} empty pages in a row"
        return follow, ""

    def _page(self, url: str, resource_type: str, reading: _Reading, *, is_first: bool) -> _Page:
        try:
            bundle: Any = self._client.get_json(url).json
        except HttpError as bad:
            gone = bad.status in (400, 404, 410) or self._is_expired(bad.outcome)
            if gone and not is_first:
                return _Page((), None, (), None, 0, expired=True)
            said = worded(bad.outcome, self._vendor.outcome_codes) if bad.outcome else ""
            kind = NoAnswer if isinstance(bad, NoAnswer) else HttpError
            raise kind(f"{self._name}: {bad}{said and f' ({said})'}", bad.status, bad.outcome) from None
        if not isinstance(bundle, dict) or bundle.get("resourceType") not in ("Bundle", "OperationOutcome"):
            raise SourceError(f"{self._name}: GET {shown(url)}: expected a Bundle; check the base URL")
        if bundle["resourceType"] == "OperationOutcome":  # in the place of a Bundle: seen with empty results
            if is_error(bundle) and not is_first:
                return _Page((), None, (), None, 0, expired=True)
            if is_error(bundle):
                said = worded(bundle, self._vendor.outcome_codes)
                raise HttpError(f"{self._name}: GET {shown(url)}: the server reports {said}", 422, bundle)
            bundle = {"resourceType": "Bundle", "entry": [{"resource": bundle, "search": {"mode": "outcome"}}]}
        return self._read(bundle, url, resource_type, reading, is_first)

    def _read(self, bundle: JsonObject, url: str, resource_type: str, reading: _Reading, is_first: bool) -> _Page:
        found: list[Fetched | Rejected] = []
        notices: list[str] = []
        included = 0
        where = shown(url)
        entries: Any = bundle.get("entry")
        entries = entries if isinstance(entries, list) else []
        targets, _ = targets_of(entries)
        for at, entry in enumerate(entries, start=1):
            resource: Any = entry.get("resource") if isinstance(entry, dict) else entry
            if resource is None and isinstance(entry, dict):
                continue
            origin = f"{where}#{at}"
            if not isinstance(resource, dict):
                reason = "expected Bundle.entry.resource to be one FHIR resource: a JSON object"
                found.append(Rejected(origin, "not-an-object", reason, orjson.dumps(resource)))
                continue
            if resource.get("resourceType") == "OperationOutcome":
                if self._is_expired(resource) and not is_first:
                    return _Page((), None, (), None, 0, expired=True)
                text = worded(resource, self._vendor.outcome_codes)
                if is_error(resource):
                    reason = f"the server reports an error in the place of a {resource_type}: {text}"
                    raw = orjson.dumps(resource)
                    found.append(Rejected(origin, "operation-outcome", reason, raw, "OperationOutcome"))
                elif text:
                    notices.append(f"{resource_type}: {text}")
                continue
            mode: Any = entry.get("search") if isinstance(entry, dict) else None
            if isinstance(mode, dict) and mode.get("mode") == "include":
                included += 1
            result = repair(resource, None, origin, base_url=self._base, targets=targets)
            if isinstance(result, Fetched):
                digest = _digest(result.resource)
                if digest in reading.resources:
                    continue
                reading.resources.add(digest)
            found.append(result)
        total: Any = bundle.get("total")
        is_count = isinstance(total, int) and not isinstance(total, bool) and total >= 0
        return _Page(tuple(found), _next_link(bundle), tuple(notices), total if is_count else None, included)

    def _is_expired(self, outcome: JsonObject | None) -> bool:
        return outcome is not None and not self._vendor.expired_page_codes.isdisjoint(codes_of(outcome))

    def _lacks_includes(self, resource_type: str, reading: _Reading, last: Batch) -> bool:
        return bool(self._include.get(resource_type)) and not reading.included and bool(last.fetched)

    def _include_notice(self, resource_type: str) -> str:
        asked = ", ".join(self._include[resource_type])
        return f"_include={asked} brought nothing: the server may ignore it; pull those types themselves"

    # --- strategy "patient" ---------------------------------------------------------------------------------------

    def _by_patient(self, resource_type: str, since: str | None, cursor: str | None) -> Iterator[Batch]:
        """Patient by patient in the order of their ids; batches end between patients, so a cursor is an id."""
        after = cursor.removeprefix(_AFTER_PATIENT) if cursor and cursor.startswith(_AFTER_PATIENT) else ""
        ids = [patient for patient in self._patient_ids() if patient > after]
        found: list[Fetched | Rejected] = []
        notices: dict[str, None] = {}
        held: Batch | None = None
        for patient in ids:
            first = f"{self._base}/{self._query(resource_type, since, patient)}"
            try:
                for page, _ in self._pages(_Reading(first), first, resource_type):
                    found.extend(page.found)
                    notices.update(dict.fromkeys(page.notices))
            except HttpError as bad:
                if bad.status not in (400, 404, 410, 422):
                    raise
                # One patient that the server can't give (merged, restricted, too much): kept aside, the others go on.
                raw = orjson.dumps(bad.outcome or {})
                found.append(Rejected(shown(first), "operation-outcome", str(bad), raw, resource_type, patient))
            if len(found) >= self._page_size:
                if held is not None:
                    yield held
                held = self._split(resource_type, found, f"{_AFTER_PATIENT}{patient}", tuple(notices))
                found, notices = [], {}
        if held is not None and (found or notices):
            yield held
            held = None
        yield replace(held, cursor=None) if held else self._split(resource_type, found, None, tuple(notices))

    def _patient_ids(self) -> list[str]:
        if self._patients is not None:
            return sorted(set(self._patients()))
        return self._all_patient_ids

    @cached_property
    def _all_patient_ids(self) -> list[str]:
        """Read once per source, that is once per pull: each type is read for the same patients."""
        return sorted(
            {
                item.resource["id"]
                for batch in self._by_type("Patient", None, None)
                for item in batch.fetched
                if item.resource["resourceType"] == "Patient"
            }
        )

    # --- batches and cursors --------------------------------------------------------------------------------------

    def _batch(self, resource_type: str, page: _Page, cursor: str | None, notices: list[str]) -> Batch:
        whole = self._split(resource_type, list(page.found), cursor, (*notices, *page.notices))
        return replace(whole, total=page.total)

    @staticmethod
    def _split(
        resource_type: str, found: list[Fetched | Rejected], cursor: str | None, notices: tuple[str, ...]
    ) -> Batch:
        return Batch(
            resource_type,
            tuple(item for item in found if isinstance(item, Fetched)),
            tuple(item for item in found if isinstance(item, Rejected)),
            cursor,
            notices,
        )

    def _relative(self, url: str) -> str:
        return url.removeprefix(self._base)

    def _absolute(self, cursor: str) -> str | None:
        """The URL of a cursor of this endpoint; a cursor is never trusted to lead elsewhere."""
        if not cursor.startswith(("/", "?")):
            return None
        return pinned(self._base, self._base + cursor)


def group_members(base_url: str, client: HttpClient, group_id: str) -> list[str]:
    """The ids of the patients in a Group (an EHR's panel), for `SearchSource(patients=...)`.

    Raises:
        SourceError: the Group can't be read, or has no patients.
    """
    group: Any = client.get_json(f"{base_url.rstrip('/')}/Group/{group_id}").json
    members: Any = group.get("member") if isinstance(group, dict) else None
    ids: list[str] = []
    for member in members if isinstance(members, list) else []:
        entity: Any = member.get("entity") if isinstance(member, dict) and not member.get("inactive") else None
        reference: Any = entity.get("reference") if isinstance(entity, dict) else None
        match = _PATIENT.search(reference) if isinstance(reference, str) else None
        if match is not None:
            ids.append(match[1])
    if not ids:
        raise SourceError("the Group has no active patients: check its id with GET [base]/Group")
    return ids


def _next_link(bundle: JsonObject) -> str | None:
    links: Any = bundle.get("link")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("relation") == "next" and isinstance(link.get("url"), str):
            return link["url"] or None
    return None


def _digest(resource: JsonObject) -> bytes:
    return blake2b(orjson.dumps(resource), digest_size=16).digest()
