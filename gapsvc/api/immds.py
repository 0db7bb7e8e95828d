"""`$immds-forecast` (HL7 Immunization Decision Support): a child's doses judged, and what is due, by CDC's schedule.

The request carries all the data; nothing is read from the store and nothing is kept.
"""

from flask import Blueprint, Response, request

from gapsvc.api.access import reads
from gapsvc.api.answers import fhir, refuse
from gapsvc.api.parameters import parameters_resource
from gapsvc.api.service import service
from gapsvc.schedule.immunizations.fhir_output import RefusedParameter, immds_forecast

immds = Blueprint("immds", __name__)


@immds.post("/$immds-forecast")
@reads("Patient", "Immunization")
def forecast() -> Response:
    """`[base]/$immds-forecast`: Parameters in (patient, assessmentDate, immunizations ...), Parameters out."""
    here = service()
    try:
        asked = parameters_resource(request)
        return fhir(immds_forecast(here.schedule, asked, today=here.today, codes=here.vaccine_codes))
    except RefusedParameter as error:
        raise refuse(400, "value", str(error), error.expression) from None
