"""The FHIR R4 artefacts that we publish: Measure, Library, ValueSet, CodeSystem. Pure builders to plain dicts."""

from fhir_profiles.artifacts.codesystems import code_system_resource
from fhir_profiles.artifacts.libraries import library_resource
from fhir_profiles.artifacts.measures import MeasureLike, measure_resource
from fhir_profiles.artifacts.valuesets import value_set_expansion

__all__ = ["MeasureLike", "code_system_resource", "library_resource", "measure_resource", "value_set_expansion"]
