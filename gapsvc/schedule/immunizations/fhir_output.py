"""An outcome for FHIR: what the ImmDS builders (fhir_profiles.immds) need, from the engine's values."""

from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from fhir_profiles import immds

from .case_lines import UnusableCase
from .engine import Outcome, assess
from .fhir_input import FhirCase, read_resources
from .grouping import GroupForecast, products
from .schedule import Schedule
from .vaccine_codes import STANDARD_CODES, CodeTable

JsonObject = Mapping[str, Any]


class RefusedParameter(Exception):
    """A parameter of $immds-forecast that can't be used: its FHIRPath (`expression`) and what is expected."""

    def __init__(self, expression: str, expected: str) -> None:
        super().__init__(f"{expression}: {expected}")
        self.expression = expression
        self.expected = expected


def resources(outcome: Outcome, source: FhirCase, patient: str) -> tuple[list[JsonObject], JsonObject]:
    """(ImmunizationEvaluations, ImmunizationRecommendation) of an outcome; `patient` is a literal reference.

    An evaluation per dose and best series; a dose that took part in none is in the remarks instead.
    """
    basis = immds.Basis(patient, outcome.case.assessed, outcome.schedule.source)
    evaluations: list[JsonObject] = [
        immds.evaluation(
            basis,
            immds.DoseEvaluation(
                immunization=source.references[dose.position],
                antigen=one.series.antigen,
                series=one.series.name,
                status=verdict.status,
                reasons=[reason.text for reason in (*verdict.reasons, *verdict.notes)],
                target=verdict.target,
                series_doses=len(one.series.doses),
            ),
        )
        for forecasts in outcome.forecasts.values()
        for forecast in forecasts
        for one in forecast.series
        for dose, verdict in zip(one.progress.records, one.progress.verdicts, strict=True)
    ]
    recommended = immds.recommendation(
        basis,
        [_recommendation(outcome, source, one) for forecasts in outcome.forecasts.values() for one in forecasts],
    )
    return evaluations, recommended


def _recommendation(outcome: Outcome, source: FhirCase, one: GroupForecast) -> immds.Recommendation:
    counted = {dose.position for part in one.series for dose in part.progress.records}
    vaccines = outcome.schedule.vaccines
    return immds.Recommendation(
        group=one.group,
        series_type=one.series_type,
        status=one.status,
        number=one.number,
        earliest=_date(one.earliest),
        recommended=_date(one.recommended),
        past_due=_date(one.past_due),
        latest=_date(one.latest),
        vaccines=[(cvx, vaccines[cvx].name if cvx in vaccines else cvx) for cvx in products(outcome.person, one)],
        antigens=one.antigens,
        reasons=[reason.text for reason in one.reasons],
        series=[part.series.name for part in one.series],
        supporting=[source.references[position] for position in sorted(counted)],
    )


def _date(day: int | None) -> date | None:
    return None if day is None else date.fromordinal(day)


def immds_forecast(
    schedule: Schedule, parameters: JsonObject, *, today: date, codes: CodeTable = STANDARD_CODES
) -> JsonObject:
    """$immds-forecast: Parameters in (patient 1..1, assessmentDate, any number of resources), Parameters out.

    `today` stands in where no assessmentDate is given. Raises RefusedParameter with the FHIRPath of what is wrong.
    """
    if parameters.get("resourceType") != "Parameters":
        raise RefusedParameter("Parameters", "a Parameters resource is expected")
    given = parameters.get("parameter")
    listed = cast("list[object]", given) if isinstance(given, list) else []
    patient: JsonObject | None = None
    assessed = today
    others: list[JsonObject] = []
    for position, item in enumerate(listed):
        one = _object(item)
        place = f"Parameters.parameter[{position}]"
        resource = one.get("resource")
        if one.get("name") == "assessmentDate":
            assessed = _assessment_date(one, place)
        elif one.get("name") == "patient":
            if patient is not None:
                raise RefusedParameter(place, "one patient is expected; this is the second")
            if not isinstance(resource, dict) or cast("JsonObject", resource).get("resourceType") != "Patient":
                raise RefusedParameter(f"{place}.resource", "a Patient is expected")
            patient = cast("JsonObject", resource)
        elif isinstance(resource, dict):
            others.append(cast("JsonObject", resource))
    if patient is None:
        raise RefusedParameter("Parameters.parameter", "a parameter named patient with a Patient is required")
    try:
        source = read_resources(schedule, patient, others, assessed=assessed, codes=codes)
    except UnusableCase as error:
        raise RefusedParameter("Parameters.parameter.where(name='patient').resource", str(error)) from error
    outcome = assess(schedule, source.case)
    evaluations, recommended = resources(outcome, source, f"Patient/{source.case.id or 'unknown'}")
    return immds.forecast_parameters(
        [dict(one) for one in evaluations],
        dict(recommended),
    )


def _object(value: object) -> JsonObject:
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def _assessment_date(one: JsonObject, place: str) -> date:
    try:
        return date.fromisoformat(str(one.get("valueDate", "")))
    except ValueError as error:
        raise RefusedParameter(f"{place}.valueDate", "a date (yyyy-mm-dd) is expected") from error
