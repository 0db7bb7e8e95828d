"""Tests and services as the sandbox codes them: blood lead tests, developmental screenings, topical fluoride.

Codes: design/measures.md ("LSC", "DEV-CH", "TFL-CH"); 96127 and the meaning of KX from memory. CPT is the property of
the AMA, CDT of the ADA; codes only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from gapsvc.sandbox.codes import CDT, CPT, LOINC, SNOMED


class Kind(StrEnum):
    LEAD = "lead"
    SCREEN = "screen"
    FLUORIDE = "fluoride"
    OTHER = "other"  # looks like one of them


@dataclass(frozen=True, slots=True)
class Service:
    """`reasons` are ICD-10-CM codes that say what it was for; `modifier` is a HCPCS modifier beside the code."""

    kind: Kind
    resource_type: str  # Observation | Procedure
    system: str
    code: str
    display: str
    reasons: tuple[str, ...] = ()
    modifier: str | None = None
    dental: bool = False


def _lead(code: str, display: str) -> Service:
    return Service(Kind.LEAD, "Observation", LOINC, code, display)


def _screen(*reasons: str, modifier: str | None = None) -> Service:
    return Service(Kind.SCREEN, "Procedure", CPT, "96110", "Developmental screening", reasons, modifier)


def _fluoride(system: str, code: str, display: str, *, dental: bool) -> Service:
    return Service(Kind.FLUORIDE, "Procedure", system, code, display, dental=dental)


SERVICES: Mapping[str, Service] = MappingProxyType(
    {
        "lead-capillary": _lead("10368-9", "Lead [Mass/volume] in Capillary blood"),
        "lead-venous": _lead("77307-7", "Lead [Mass/volume] in Venous blood"),
        "lead-blood": _lead("5671-3", "Lead [Mass/volume] in Blood"),
        "lead-claim": Service(Kind.LEAD, "Procedure", CPT, "83655", "Lead test"),
        "screen": _screen(),
        "screen-milestones": _screen("Z13.42"),
        "screen-autism-modifier": _screen(modifier="KX"),
        "screen-autism-reason": _screen("Z13.41"),
        "screen-both-reasons": _screen("Z13.41", "Z13.42"),
        "screen-milestones-modifier": _screen("Z13.42", modifier="KX"),
        "screen-emotional": Service(
            Kind.OTHER, "Procedure", CPT, "96127", "Brief emotional or behavioral assessment"
        ),
        "varnish-dental": _fluoride(CDT, "D1206", "Topical application of fluoride varnish", dental=True),
        "fluoride-dental": _fluoride(
            CDT, "D1208", "Topical application of fluoride, excluding varnish", dental=True
        ),
        "fluoride-treatment": _fluoride(SNOMED, "68071007", "Dental fluoride treatment (procedure)", dental=True),
        "varnish-medical": _fluoride(
            CPT, "99188", "Application of topical fluoride varnish by a physician", dental=False
        ),
    }
)  # fmt: skip
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "Z13.41": "Encounter for autism screening",
        "Z13.42": "Encounter for screening for global developmental delays (milestones)",
    }
)
