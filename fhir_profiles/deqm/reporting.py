"""Who reports, when, and under which addresses: what the DEQM builders need beside the results."""

from dataclasses import dataclass
from datetime import datetime

from fhir_profiles.extensions import EXTENSION_BASE
from fhir_profiles.inputs import GroupLike, ResultLike
from fhir_profiles.plain import JsonMapping, instant, stable_id


@dataclass(frozen=True, slots=True)
class Reporting:
    """The circumstances of a report.

    `reporter` is the Organization resource that reports (author and custodian of the document);
    `calculated_at` the moment of calculation, with time zone (MeasureReport.date, Composition.date,
    Bundle.timestamp); `base_url` the FHIR base of this service, under which a bundle's entries get their
    fullUrl; `extension_base` where our own extensions are defined (fhir_profiles.extensions).

    Raises ValueError when the reporter is no Organization with an id, the moment has no time zone, or the
    base is not an http(s) URL.
    """

    reporter: JsonMapping
    calculated_at: datetime
    base_url: str
    extension_base: str = EXTENSION_BASE

    def __post_init__(self) -> None:
        if self.reporter.get("resourceType") != "Organization" or not self.reporter.get("id"):
            raise ValueError(
                "DEQM's reporter is an Organization (MeasureReport.reporter): give one with resourceType and id"
            )
        if not self.base_url.startswith(("http://", "https://")):
            raise ValueError(f"base_url must be the http(s) base of the FHIR service, not {self.base_url!r}")
        instant(self.calculated_at)

    @property
    def reporter_reference(self) -> str:
        """`Organization/<id>` of the reporter."""
        return f"Organization/{self.reporter['id']}"

    @property
    def moment(self) -> str:
        """`calculated_at` as a FHIR instant."""
        return instant(self.calculated_at)

    def full_url(self, reference: str) -> str:
        """The fullUrl of a resource given as `Type/id`; its tail is the reference, so that those resolve."""
        return f"{self.base_url.rstrip('/')}/{reference}"


def measure_canonical(result: ResultLike) -> str:
    """`url|version` (DEQM deqm-0: a report names the version of its measure)."""
    return f"{result.measure_url}|{result.measure_version}"


def _key(result: ResultLike) -> tuple[str, ...]:
    return (
        result.subject,
        measure_canonical(result),
        result.period_start.isoformat(),
        result.period_end.isoformat(),
    )


def measure_report_id(result: ResultLike) -> str:
    """The id of a result's MeasureReport: the same person, measure version and period give the same id."""
    return stable_id("MeasureReport", *_key(result))


def detected_issue_id(result: ResultLike, group: GroupLike) -> str:
    """The id of one rate's DetectedIssue; it stays the same while the gap opens and closes."""
    return stable_id("DetectedIssue", *_key(result), group.id)


def guidance_response_id(result: ResultLike, group: GroupLike) -> str:
    """The id of one rate's GuidanceResponse."""
    return stable_id("GuidanceResponse", *_key(result), group.id)
