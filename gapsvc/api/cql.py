"""`$cql` (HL7 Using CQL with FHIR, OperationDefinition cql-cql): the value of one CQL expression, as FHIR Parameters.

Here is what may be asked and of whom. The expression sees the data of a subject (on the server, in `data`, or both),
libraries of the measures in use, and parameters; with none of these it is an expression of the System model alone.
An expression that is no CQL is a wrong parameter (400, every problem with its place); one that ends in an error
answers with an OperationOutcome called `evaluation error`, as other CQL engines do.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from flask import Blueprint, Response, g, request

from cql_like import (
    CqlErrors,
    CqlRuntimeError,
    ExpandedTerminology,
    LimitExceeded,
    Limits,
    UnknownValueSet,
    WrongParameter,
)
from cql_like.analysis import EXPRESSION
from cql_like.fragment import Include, compile_expression
from cql_like.model.instances import FHIR_R4, elements_of
from cql_like.retrieve import CodeKey, JsonObject
from cql_like.runtime.deadline import time_limit
from fhir_profiles.cql_inputs import UnreadableParameter, cql_inputs
from fhir_profiles.cql_parameters import EVALUATION_ERROR, cql_parameters
from fhir_profiles.outcome import OutcomeIssue, operation_outcome
from gapsvc.api.access import reads, require_read
from gapsvc.api.answers import Refusal, fhir, refuse
from gapsvc.api.cql_request import Asked, read_request
from gapsvc.api.service import Service, service
from gapsvc.records.record import PatientRecord

cql = Blueprint("cql", __name__)

MAX_BODY_BYTES = 20_000_000  # `data` may hold a whole chart
# The reference engine, because it counts its steps: each makes at most one value, so that they bound the memory too.
LIMITS = Limits(seconds=5, steps=2_000_000)
Texts = Mapping[tuple[str, str | None], str]


@cql.post("/$cql")
@reads()
def evaluate() -> Response:
    """`[base]/$cql`."""
    here = service()
    if not g.client.may_read("Patient"):
        require_read("Library")  # before the body is looked at: who may ask nothing learns nothing
    request.max_content_length = MAX_BODY_BYTES
    asked = read_request(request)
    require_read(
        *(["Patient"] if asked.subject else []), *(["Library"] if asked.libraries or not asked.subject else [])
    )
    texts = _library_texts(here)
    includes = [_include(texts, canonical, alias) for canonical, alias in asked.libraries]
    try:
        inputs = cql_inputs(asked.parameters) if asked.parameters else {}
    except UnreadableParameter as error:
        raise refuse(400, "value", f"parameters: {error}", "parameters", error.name) from None
    sees_data = bool(includes or asked.subject or asked.data)
    try:
        with time_limit(LIMITS.seconds):
            library = compile_expression(
                asked.expression,
                model=FHIR_R4 if sees_data else None,
                includes=includes,
                libraries=texts,
                parameters={name: kind for name, (kind, _) in inputs.items()},
            )
    except LimitExceeded as error:
        raise refuse(400, "too-costly", f"expression: {error}", "expression") from None
    except CqlErrors as errors:
        raise _invalid(errors) from None
    types = {requirement.resource_type for requirement in library.requirements}
    record = _record(here, asked, types)
    kind = library.defines[EXPRESSION].expression.type
    now = here.now()
    try:
        session = library.session(
            record,
            parameters={name: value for name, (_, value) in inputs.items()},
            terminology=_terminology(here, asked),
            now=now,
            engine="reference",
            limits=LIMITS,
        )
        value = session.evaluate(EXPRESSION)
        with time_limit(LIMITS.seconds):
            made = cql_parameters(value, kind, elements_of, offset=_minutes(now))
    except WrongParameter as error:
        raise refuse(400, "value", f"parameters: {error}", "parameters") from None
    except (CqlRuntimeError, UnknownValueSet) as error:
        return fhir({"resourceType": "Parameters", "parameter": [_evaluation_error(error)]})
    try:
        return fhir(_json({"resourceType": "Parameters", "parameter": made}))
    except (orjson.JSONEncodeError, RecursionError):
        error = CqlRuntimeError("the result is nested too deeply to be written as JSON")
        return fhir({"resourceType": "Parameters", "parameter": [_evaluation_error(error)]})


def _minutes(now: datetime) -> int:
    """Its offset from UTC."""
    offset = now.utcoffset()
    return 0 if offset is None else int(offset.total_seconds() // 60)


def _invalid(errors: CqlErrors) -> Refusal:
    """Every problem of the expression: where, what, and what was expected."""
    issues = [
        OutcomeIssue("error", "invalid", diagnostics=str(error), details=error.message, expression=("expression",))
        for error in errors.errors
    ]
    return Refusal(400, issues)


def _evaluation_error(error: Exception) -> dict[str, Any]:
    text = str(error)
    code = "not-found" if isinstance(error, UnknownValueSet) else "processing"
    issue = OutcomeIssue("error", code, diagnostics=text, details=text, expression=("expression",))
    return {"name": EVALUATION_ERROR, "resource": operation_outcome([issue])}


def _json(value: Any) -> Any:
    """The same with decimals as JSON numbers that keep their digits."""
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    if isinstance(value, dict):
        return {name: _json(item) for name, item in value.items()}
    return [_json(item) for item in value] if isinstance(value, list) else value


# ------------------------------------------------------------------------------------------------ libraries, terms


def _library_texts(here: Service) -> Texts:
    """The CQL of the measures in use and of what they include, by (name, version)."""
    texts: dict[tuple[str, str | None], str] = {}
    for name, evaluator in here.evaluators.items():
        measure = here.measures[name]
        texts |= measure.libraries
        texts[measure.library_name, evaluator.library.version] = measure.cql
    return texts


def _include(texts: Texts, canonical: str, alias: str | None) -> Include:
    url, _, version = canonical.partition("|")
    name = url.rpartition("/Library/")[2]
    versions = [known for known_name, known in texts if known_name == name]
    if not versions or (version and version not in versions):
        known = ", ".join(sorted(f"{each}|{which}" for each, which in texts))
        raise refuse(404, "not-found", f"library: there is no library {canonical!r:.200}; there are {known}", "library")
    return Include(name, version or None, alias or name)


def _terminology(here: Service, asked: Asked) -> ExpandedTerminology:
    """The value sets of the measures in use; those in `data` go before them."""
    resources = [each for measure in here.measures.values() for each in measure.value_sets]
    given = [each for each in asked.data if each["resourceType"] == "ValueSet"]
    try:
        return ExpandedTerminology.of([*resources, *given])
    except ValueError as error:
        raise refuse(400, "value", f"data: {error}", "data") from None


# ------------------------------------------------------------------------------------------------ data


@dataclass(frozen=True, slots=True)
class NoPatient:
    """A Retriever over loose resources that belong to no known patient."""

    held: PatientRecord

    def retrieve(
        self, resource_type: str, code_path: str | None = None, codes: frozenset[CodeKey] | None = None
    ) -> Sequence[JsonObject]:
        """See cql_like.retrieve.Retriever."""
        return () if resource_type == "Patient" else self.held.retrieve(resource_type, code_path, codes)


def _record(here: Service, asked: Asked, types: Iterable[str]) -> PatientRecord | NoPatient:
    """What the expression may retrieve: the given data, then the server's data of the subject."""
    resources = {(each["resourceType"], _id(each) or f"#{at}"): each for at, each in enumerate(asked.data)}
    patients = [each for each in asked.data if each["resourceType"] == "Patient"]
    if asked.subject is None:
        if len(patients) > 1:
            raise refuse(400, "required", "subject: data holds several Patients; which one is meant?", "subject")
        return _held(resources.values(), patients[0] if patients else None)
    patient = next((each for each in patients if each.get("id") == asked.subject), None)
    if len(patients) > 1:
        resources = {key: each for key, each in resources.items() if _concerns(each, asked.subject)}
    if asked.use_server_data:
        require_read("Patient", *sorted(types))
        record = here.store.record_of_patient(asked.subject, types={"Patient", *types})
        if record is not None:
            patient = patient or record.patient
            for name, found in record.resources.items():
                for each in found if name != "Patient" else ():
                    resources.setdefault((name, each["id"]), dict(each))
    if patient is None:
        where = "in data or on the server" if asked.use_server_data else "in data, and useServerData is false"
        raise refuse(404, "not-found", f"subject: there is no such Patient {where}", "subject")
    return _held(resources.values(), patient)


def _held(resources: Iterable[JsonObject], patient: JsonObject | None) -> PatientRecord | NoPatient:
    by_type: dict[str, list[JsonObject]] = {}
    for each in resources:
        by_type.setdefault(each["resourceType"], []).append(each)
    frozen = {name: tuple(found) for name, found in by_type.items()}
    if patient is None:
        return NoPatient(PatientRecord("", {}, frozen))
    return PatientRecord(_id(patient) or "", patient, {**frozen, "Patient": (patient,)})


def _id(resource: JsonObject) -> str | None:
    identity = resource.get("id")
    return identity if isinstance(identity, str) else None


_SUBJECT_ELEMENTS = ("subject", "patient", "beneficiary", "individual")  # of R4's Patient compartment


def _concerns(resource: JsonObject, patient_id: str) -> bool:
    """Whether a resource is about this patient or names none."""
    if resource["resourceType"] == "Patient":
        return resource.get("id") == patient_id
    named = [found.get("reference") for name in _SUBJECT_ELEMENTS if isinstance(found := resource.get(name), dict)]
    return not named or any(isinstance(each, str) and each.rpartition("/")[2] == patient_id for each in named)
