"""One dose, visit or service that several sources report: the words for it, and which record repeats which. Pure.

It counts once, and every record of it stays as evidence. Which records of doses are one dose the schedule knows
(gapsvc.schedule.immunizations.same_dose); measures count distinct days, so there one that is put aside because another
on its day counts is a repeat where another source reports it, and an oddity of one record where the same source does.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType

_WHAT: Mapping[str, str] = MappingProxyType(
    {
        "Immunization": "dose",
        "Encounter": "visit",
        "Procedure": "service",
        "Observation": "result",
        "Condition": "diagnosis",
        "Coverage": "coverage",
    }
)


def reported_twice(repeated: str, source: str | None, *, is_apart: bool = False) -> str:
    """Why a record doesn't count: it tells again of `repeated` (a reference), which `source` reports. `is_apart`: on
    another day than it.

    >>> reported_twice("Immunization/7", "clinic")
    'reported twice: the same dose as Immunization/7 from clinic'
    """
    what = _WHAT.get(repeated.partition("/")[0], "record")
    twice = "reported twice, a day apart" if is_apart else "reported twice"
    return f"{twice}: the same {what} as {repeated}" + (f" from {source}" if source else "")


def repeated_elsewhere(
    reference: str, on: date | None, counted: Iterable[tuple[str, date | None]], sources: Mapping[str, str]
) -> str | None:
    """The words for a record that another source's record of the same type and day counts for; None: there is none.

    `counted` are the (reference, day) that count; `sources` names each reference's source.
    """
    own = sources.get(reference)
    if on is None or own is None:
        return None
    kind = reference.partition("/")[0] + "/"
    for other, day in counted:
        source = sources.get(other)
        if day == on and source is not None and source != own and other.startswith(kind):
            return reported_twice(other, source)
    return None
