"""The evidence of a measure that has no gap defines: what was looked at, and what decided (design/gaps.md).

The engine's trace names the resources that decided each clause of a define; it is asked only of people in the
initial population, and only of measures that don't say their evidence themselves.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final, cast

import cql_like
from gapsvc.evaluation.membership import Members, reference_of
from gapsvc.evaluation.result import Counted

# Where FHIR R4 resources say the day of what they record, in this order; the first that is there counts.
DAY_PATHS: Final = (
    ("performedDateTime",),
    ("performedPeriod", "start"),
    ("effectiveDateTime",),
    ("effectivePeriod", "start"),
    ("occurrenceDateTime",),
    ("occurrencePeriod", "start"),
    ("period", "start"),
    ("onsetDateTime",),
    ("onsetPeriod", "start"),
    ("authoredOn",),
    ("whenHandedOver",),
    ("recordedDate",),
    ("created",),
    ("date",),
)
_PATIENT: Final = "Patient/"


def day_of(resource: Mapping[str, Any]) -> date | None:
    """The day that a resource is about, as it is written; None where it says none, or none to the day."""
    for path in DAY_PATHS:
        value: Any = resource
        for step in path:
            value = cast("Mapping[str, Any]", value).get(step) if isinstance(value, Mapping) else None
        if isinstance(value, str):
            try:
                return date.fromisoformat(value[:10])
            except ValueError:
                return None
    return None


def deciding(session: cql_like.Session, defines: Mapping[str, str], members: Mapping[str, Members]) -> dict[str, Any]:
    """Population -> the resources that put the person in it (of a numerator also: that left them out), in order."""
    return {
        name: session.trace(define).resources
        for name, define in defines.items()
        if members.get(name) or (name == "numerator" and members.get("denominator"))
    }


def counted(resources: Iterable[Mapping[str, Any]]) -> tuple[Counted, ...]:
    """Resources as evidence that counts; the Patient is none, and neither is what has no id."""
    found = {
        reference: Counted(reference, day_of(resource))
        for resource in resources
        if (reference := reference_of(resource)) is not None and not reference.startswith(_PATIENT)
    }
    return tuple(found.values())
