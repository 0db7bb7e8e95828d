"""What a reference of the evidence stands for, in words, and which source reported it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gapsvc.evaluation import wording
from gapsvc.evaluation.looking import day_of
from gapsvc.records.record import PatientRecord
from gapsvc.records.references import objects

# The element that says what a resource is, by type, in order of preference.
_NAMED_BY = {
    "Encounter": ("type", "reasonCode", "serviceType"),
    "Immunization": ("vaccineCode",),
    "Condition": ("code",),
    "Observation": ("code",),
    "Procedure": ("code",),
    "AllergyIntolerance": ("code",),
    "DiagnosticReport": ("code",),
    "Coverage": ("type",),
}
_KINDS = {
    "Encounter": "Visit",
    "Immunization": "Dose",
    "Condition": "Diagnosis",
    "Observation": "Finding",
    "AllergyIntolerance": "Allergy",
    "DiagnosticReport": "Report",
}
_SYSTEMS = {
    "http://hl7.org/fhir/sid/cvx": "CVX",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
    "http://hl7.org/fhir/sid/ndc": "NDC",
    "http://loinc.org": "LOINC",
    "http://snomed.info/sct": "SNOMED CT",
    "http://www.ama-assn.org/go/cpt": "CPT",
}


@dataclass(frozen=True, slots=True)
class Sourced:
    """A resource in words. `source` is the name of what reported it; empty where nobody knows."""

    kind: str
    name: str
    day: str
    source: str


class Evidence:
    """Describes references of one record."""

    def __init__(self, record: PatientRecord) -> None:
        self._sources = record.sources
        self._resources: Mapping[str, Mapping[str, Any]] = {
            f"{kind}/{resource.get('id')}": resource for kind, found in record.resources.items() for resource in found
        }

    def of(self, reference: str) -> Sourced:
        """A reference (`Encounter/7`) in words; one that the record doesn't hold keeps its own."""
        kind = reference.partition("/")[0]
        resource = self._resources.get(reference, {})
        name = next((said for path in _NAMED_BY.get(kind, ("code",)) if (said := _in_words(resource.get(path)))), "")
        day = day_of(resource)
        return Sourced(
            kind=_KINDS.get(kind, kind),
            name=name or reference,
            day=wording.day(day) if day else "day not known",
            source=self._sources.get(reference, ""),
        )

    def is_given_dose(self, reference: str) -> bool:
        """Whether this is an Immunization that the record calls completed."""
        return reference.startswith("Immunization/") and self._resources.get(reference, {}).get("status") == "completed"


def _in_words(concept: Any) -> str:
    """The text of a CodeableConcept (the first of several that says something), else its coding's words or code."""
    for each in objects(concept):
        codings = list(objects(each.get("coding")))
        said = [each.get("text"), *(coding.get("display") for coding in codings)]
        for text in said:
            if isinstance(text, str) and text.strip():
                return text.strip()
        for coding in codings:
            if isinstance(coding.get("code"), str):
                return f"{_SYSTEMS.get(str(coding.get('system')), 'code')} {coding['code']}"
    return ""
