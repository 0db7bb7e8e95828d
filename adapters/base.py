"""The `Source` port: an EHR endpoint, or a folder of files, as a stream of batches of plain FHIR R4 JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fetched:
    """One usable resource. `origin` says where it was read: `FILE:LINE` or a URL without its query values."""

    resource: JsonObject
    origin: str
    repairs: tuple[str, ...] = ()  # codes of the repairs made on the way in (adapters.repair)


@dataclass(frozen=True, slots=True)
class Rejected:
    """One resource that can't be used: kept aside whole (`raw`), with the reason. Never dropped."""

    origin: str
    code: str  # a short code of ours: not-json, no-id, wrong-type, operation-outcome, ...
    reason: str  # for people; names the element and what was expected; holds no patient data
    raw: bytes
    resource_type: str | None = None
    resource_id: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """One page, or one slice of a file. `cursor` resumes right after it; None where the type is complete."""

    resource_type: str
    fetched: tuple[Fetched, ...]
    rejected: tuple[Rejected, ...] = ()
    cursor: str | None = None
    notices: tuple[str, ...] = ()  # what the endpoint said beside the data (OperationOutcome warnings), worded
    total: int | None = None  # what the endpoint says there is in all, for a progress bar
    extra: Mapping[str, str] = field(default_factory=dict[str, str])


class Source(Protocol):
    """Where records come from. `name` identifies the source in the store, in evidence and in configuration."""

    @property
    def name(self) -> str: ...

    def batches(self, resource_type: str, *, since: str | None = None, cursor: str | None = None) -> Iterator[Batch]:
        """All resources of one type, in batches; `since` (instant) where the source can say what changed.

        `cursor` is one that an earlier batch of this source carried: reading goes on right after that batch.

        Raises:
            adapters.base.SourceError: the source can't go on (it was unreachable to the end of the retry
                policy, refused, or left its own origin). What was yielded before stays good.
        """
        ...


class SourceError(Exception):
    """A source can't go on. The message names the source and what to do; it holds no patient data."""


class SourceUnreachable(SourceError):
    """No request gets an answer to the end of the retry policy: there is no use in asking for more now."""
