"""The FHIR R4 artefacts that a measure publishes: Measure, Library, ValueSet. Pure builders to plain dicts."""

from fhir_profiles.artifacts.libraries import library_resource
from fhir_profiles.artifacts.measures import MeasureLike, measure_resource
from fhir_profiles.artifacts.valuesets import value_set_expansion

__all__ = ["MeasureLike", "library_resource", "measure_resource", "value_set_expansion"]
