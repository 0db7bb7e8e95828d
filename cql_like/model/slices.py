"""Slices that ModelInfo names as elements of a profile without saying where they stand in FHIR's JSON.

US Core 6.1.0 (StructureDefinitions' slicing discriminators), as QICore 4.1.1 and 6.0.0 and USCore 6.1.0 surface them.
The mapping is written as ModelInfo writes it where it does: a path from the instance, of which the items that match
are taken.
"""

from collections.abc import Mapping
from types import MappingProxyType


def _component(code: str) -> str:
    return f"%parent.component[code.coding.system='http://loinc.org',code.coding.code='{code}']"


def _identifier(system: str) -> str:
    return f"%parent.identifier[system='{system}']"


SLICES: Mapping[str, str] = MappingProxyType(
    {
        "systolic": _component("8480-6"),
        "diastolic": _component("8462-4"),
        "FlowRate": _component("3151-8"),
        "Concentration": _component("3150-6"),
        "industry": _component("86188-0"),
        "NPI": _identifier("http://hl7.org/fhir/sid/us-npi"),
        "CLIA": _identifier("urn:oid:2.16.840.1.113883.4.7"),
        "NAIC": _identifier("urn:oid:2.16.840.1.113883.6.300"),
        "ccn": _identifier("urn:oid:2.16.840.1.113883.4.336"),
        "ein": _identifier("urn:oid:2.16.840.1.113883.4.4"),
        "memberid": "%parent.identifier[type.coding.code='MB']",
        "group": "%parent.class[type.coding.code='group']",
        "plan": "%parent.class[type.coding.code='plan']",
        "ProvenanceAuthor": "%parent.agent[type.coding.code='author']",
        "ProvenanceTransmitter": "%parent.agent[type.coding.code='transmitter']",
    }
)
