"""FHIR R4 Measure of one of our measure definitions, after the Quality Measure IG (CQFM STU5) conventions.

Criteria are names of defines (`text/cql-identifier`) in the measure's one library; scoring, improvement
notation and a boolean population basis are stated. Group and population ids are those of the MeasureReport.
No CQFM profile is claimed in meta: its StructureDefinitions are not among those that we can check against.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from fhir_profiles.plain import Resource, clean, concept, extension
from fhir_profiles.terms import (
    IMPROVEMENT_NOTATION_DISPLAY,
    IMPROVEMENT_NOTATION_SYSTEM,
    MEASURE_POPULATION_SYSTEM,
    MEASURE_SCORING_SYSTEM,
    POPULATION_DISPLAY,
    SCORING_DISPLAY,
)

POPULATION_BASIS: Final = "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition/cqfm-populationBasis"
MEASURE_TYPE_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/measure-type"


class MeasureGroupLike(Protocol):
    """One rate of a measure: `populations` maps measure-population codes to names of defines."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def populations(self) -> Mapping[str, str]: ...


class MeasureLike(Protocol):
    """A measure's definition, as much of it as its FHIR Measure needs."""

    @property
    def id(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def scoring(self) -> str: ...
    @property
    def improvement_notation(self) -> str: ...
    @property
    def groups(self) -> Sequence[MeasureGroupLike]: ...


def measure_resource(
    measure: MeasureLike, *, library: str, date: str | None = None, measure_type: str = "process"
) -> Resource:
    """The FHIR Measure. `library` is the canonical (`url|version`) of its CQL library, `date` a FHIR dateTime."""
    found: Resource = {
        "resourceType": "Measure",
        "id": measure.id,
        "extension": [extension(POPULATION_BASIS, valueCode="boolean")],
        "url": measure.url,
        "version": measure.version,
        "name": measure.name,
        "title": clean(measure.title),
        "status": measure.status,
        "subjectCodeableConcept": concept("http://hl7.org/fhir/resource-types", "Patient", "Patient"),
        "description": clean(measure.description),
        "relatedArtifact": [{"type": "documentation", "display": clean(measure.source)}],
        "library": [library],
        "scoring": concept(MEASURE_SCORING_SYSTEM, measure.scoring, SCORING_DISPLAY.get(measure.scoring)),
        "type": [concept(MEASURE_TYPE_SYSTEM, measure_type, measure_type.capitalize())],
        "improvementNotation": concept(
            IMPROVEMENT_NOTATION_SYSTEM,
            measure.improvement_notation,
            IMPROVEMENT_NOTATION_DISPLAY.get(measure.improvement_notation),
        ),
        "group": [_group(group) for group in measure.groups],
    }
    if date is not None:
        found["date"] = date
    return found


def _group(group: MeasureGroupLike) -> Resource:
    codes = sorted(group.populations, key=lambda code: [*POPULATION_DISPLAY, code].index(code))
    return {
        "id": group.id,
        "description": clean(group.title),
        "population": [
            {
                "id": f"{group.id}-{code}",
                "code": concept(MEASURE_POPULATION_SYSTEM, code, POPULATION_DISPLAY.get(code)),
                "criteria": {"language": "text/cql-identifier", "expression": group.populations[code]},
            }
            for code in codes
        ],
    }
