"""What the service says it does: the CapabilityStatement at [base]/metadata. A test tries each of its claims.

FHIR R4 CapabilityStatement, kind instance. DEQM's gic-server is not instantiated: it asks for MeasureReport patch too.
"""

from flask import Blueprint, Response

from fhir_profiles.capability import OperationUse, ResourceUse, SearchParameterUse, Software, capability_statement
from fhir_profiles.terms import DEQM, EVALUATE_OPERATION, INDIVIDUAL_MEASURE_REPORT
from gapsvc import SOFTWARE, VERSION
from gapsvc.api.answers import fhir
from gapsvc.api.service import service

capability = Blueprint("capability", __name__)

STATEMENT_DATE = "2026-11-22"  # when this statement last changed
_SEARCH = "http://hl7.org/fhir/SearchParameter/"
_READ_AND_SEARCH = ("read", "search-type")
_ID = SearchParameterUse("_id", "token", f"{_SEARCH}Resource-id")


def _artefact_search(resource_type: str, prefix: str) -> tuple[SearchParameterUse, ...]:
    return (
        _ID,
        SearchParameterUse("url", "uri", f"{_SEARCH}{prefix}-url", "With or without |version."),
        SearchParameterUse("name", "string", f"{_SEARCH}{prefix}-name", f"The beginning of {resource_type}.name."),
    )


SERVED = (
    ResourceUse(
        "Measure",
        interactions=_READ_AND_SEARCH,
        search=_artefact_search("Measure", "Measure"),
        operations=(
            OperationUse("care-gaps", f"{DEQM}/OperationDefinition/care-gaps"),
            OperationUse("evaluate", EVALUATE_OPERATION),
        ),
    ),
    ResourceUse("Library", interactions=_READ_AND_SEARCH, search=_artefact_search("Library", "Library")),
    ResourceUse("ValueSet", interactions=_READ_AND_SEARCH, search=_artefact_search("ValueSet", "ValueSet")),
    ResourceUse("CodeSystem", interactions=_READ_AND_SEARCH, search=_artefact_search("CodeSystem", "CodeSystem")),
    ResourceUse(
        "MeasureReport",
        interactions=_READ_AND_SEARCH,
        profiles=(INDIVIDUAL_MEASURE_REPORT,),
        search=(
            _ID,
            SearchParameterUse("patient", "reference", f"{_SEARCH}MeasureReport-patient"),
            SearchParameterUse("subject", "reference", f"{_SEARCH}MeasureReport-subject", "A Patient."),
            SearchParameterUse(
                "measure", "reference", f"{_SEARCH}MeasureReport-measure", "Its canonical, with or without |version."
            ),
        ),
    ),
    ResourceUse(
        "Patient",
        interactions=_READ_AND_SEARCH,
        search=(
            _ID,
            SearchParameterUse("identifier", "token", f"{_SEARCH}Patient-identifier"),
            SearchParameterUse("name", "string", f"{_SEARCH}Patient-name", "The beginning of any part of a name."),
            SearchParameterUse(
                "birthdate", "date", f"{_SEARCH}individual-birthdate", "A day, month or year; no prefix but eq."
            ),
            SearchParameterUse("gender", "token", f"{_SEARCH}individual-gender"),
        ),
        documentation="Each Patient is a person: the records of all sources that are linked. At least one search "
        "parameter must be given.",
    ),
)


@capability.get("/metadata")
def metadata() -> Response:
    """The CapabilityStatement; open to all."""
    software = Software(
        name=SOFTWARE,
        version=VERSION,
        base_url=service().base_url,
        description="Children's care gaps: well-child visits, found in EHR records, as Da Vinci DEQM reports.",
        publisher=service().settings["reporter.name"],
    )
    return fhir(
        capability_statement(
            software,
            SERVED,
            date=STATEMENT_DATE,
            instantiates=(),
            operations=(
                OperationUse("cql", "http://hl7.org/fhir/uv/cql/OperationDefinition/cql-cql"),
                OperationUse("immds-forecast", "http://hl7.org/fhir/us/immds/OperationDefinition/immds-forecast"),
            ),
            security="Bearer tokens, issued to registered clients, with SMART system scopes (system/<Type>.rs).",
        )
    )
