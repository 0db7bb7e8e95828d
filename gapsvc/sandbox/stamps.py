"""Small things that every rendered resource needs: instants, references, concepts. Pure; plain dicts.

`Stamper.meta` says when the EHR last touched a resource: within three days after the event, in UTC, never after the
as-of day. The lag follows from the resource's id, so that it is the same on every run.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from zlib import crc32

from gapsvc.sandbox.codes import US_CORE, Code
from gapsvc.sandbox.days import pacific_offset

JsonObject = dict[str, Any]
_LAG = 3 * 24 * 60  # minutes


def scatter(ident: str, below: int) -> int:
    """A number in [0, below) that looks random and depends on the id alone."""
    return crc32(ident.encode()) % below


def local_time(day: date, minute: int) -> str:
    """An instant of Los Angeles, `minute` minutes after midnight, with its offset."""
    return f"{day.isoformat()}T{minute // 60:02d}:{minute % 60:02d}:00{pacific_offset(day)}"


@dataclass(frozen=True, slots=True)
class Stamper:
    """`meta` for the resources of a population that is seen as of one day."""

    as_of: date

    def meta(self, ident: str, day: date, minute: int = 0, profile: str | None = None) -> JsonObject:
        """meta with lastUpdated after the event on `day`, and the US Core profile by its short name."""
        offset = 420 if pacific_offset(day) == "-07:00" else 480
        days, minutes = divmod(minute + offset + 31 + scatter(ident, _LAG), 1440)
        ordinal = day.toordinal() + days
        if ordinal > self.as_of.toordinal():
            stamp = f"{self.as_of.isoformat()}T23:59:{scatter(ident, 60):02d}Z"
        else:
            stamp = f"{date.fromordinal(ordinal).isoformat()}T{minutes // 60:02d}:{minutes % 60:02d}:00Z"
        if profile is None:
            return {"lastUpdated": stamp}
        return {"lastUpdated": stamp, "profile": [f"{US_CORE}{profile}"]}


def reference(resource_type: str, ident: str) -> JsonObject:
    return {"reference": f"{resource_type}/{ident}"}


def coding(system: str, code: str, display: str | None = None) -> JsonObject:
    if display is None:
        return {"system": system, "code": code}
    return {"system": system, "code": code, "display": display}


def concept(system: str, code: Code) -> JsonObject:
    return {"coding": [coding(system, code.code, code.display)], "text": code.display}


def category(system: str, code: str) -> JsonObject:
    return {"coding": [coding(f"http://terminology.hl7.org/CodeSystem/{system}", code)]}
