"""`$care-gaps` (Da Vinci DEQM 5.0.0, OperationDefinition care-gaps): type and instance level, GET and POST.

Here is what may be asked and of whom; the answer is made in gap_bundles.py. GET never changes state.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from gapsvc.api.access import reads, require_read
from gapsvc.api.answers import refuse
from gapsvc.api.gap_bundles import Question, answer_panel, answer_person
from gapsvc.api.parameters import FhirBoolean, FhirDate, Reference, Text, read
from gapsvc.api.service import Service, service
from gapsvc.evaluation.catalogue import types_read
from gapsvc.evaluation.result import GapStatus

care_gaps = Blueprint("care_gaps", __name__)

NAMING = frozenset({"measureId", "measureIdentifier", "measureUrl"})
STATUSES = [status.value for status in GapStatus]
UNSUPPORTED = {
    "topic": "not supported; name the measures with measureId, measureIdentifier or measureUrl",
    "measure": "not supported; use measureId, measureIdentifier or measureUrl",
    "measureResource": "not supported: measures are installed on the server",
    "subjectGroup": "not supported: give subject=Group/<id> of a Group on the server",
    "organizationResource": "not supported: give organization=<id> of an Organization on the server",
    "parameters": "not supported",
    "manifest": "not supported",
    "program": "was removed from DEQM in 5.0.0",
}


class CareGapsParameters(Schema):
    """The `in` parameters that we support, with DEQM's cardinalities."""

    periodStart = FhirDate(required=True)  # noqa: N815 - FHIR's names
    periodEnd = FhirDate(required=True, last=True)  # noqa: N815
    status = fields.List(
        fields.String(validate=validate.OneOf(STATUSES, error="expected one of {choices}, not {input!r}")),
        required=True,
        validate=validate.Length(min=1),
    )
    subject = Reference("Patient", "Group")
    organization = Reference("Organization")
    practitioner = Reference("Practitioner")
    measureId = fields.List(Text())  # noqa: N815
    measureIdentifier = fields.List(Text())  # noqa: N815
    measureUrl = fields.List(Text())  # noqa: N815
    isDocument = FhirBoolean(load_default=True)  # noqa: N815

    @validates_schema
    def period_is_forward(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["periodEnd"] < data["periodStart"]:
            raise ValidationError("is before periodStart", "periodEnd")

    @validates_schema
    def says_whose(self, data: Mapping[str, Any], **_: Any) -> None:
        named = [name for name in ("subject", "organization", "practitioner") if name in data]
        if not named:
            raise ValidationError("give subject, organization or practitioner: whose gaps are meant?", "subject")
        if "subject" in named and len(named) > 1:
            raise ValidationError(f"can't be combined with {named[1]}", "subject")


@care_gaps.route("/Measure/$care-gaps", methods=["GET", "POST"])
@reads("MeasureReport", "Patient")
def type_level() -> Response:
    """`[base]/Measure/$care-gaps`."""
    asked = read(request, CareGapsParameters(), UNSUPPORTED)
    here = service()
    names = measures_asked(here, asked)
    if not NAMING.isdisjoint(asked):
        _refuse_without_gaps(here, names)
    return _answer(here, asked, [name for name in names if here.measures[name].gaps_are_known])


@care_gaps.route("/Measure/<measure_id>/$care-gaps", methods=["GET", "POST"])
@reads("MeasureReport", "Patient")
def instance_level(measure_id: str) -> Response:
    """`[base]/Measure/<id>/$care-gaps`: the measure is the one addressed."""
    here = service()
    if measure_id not in here.evaluators:
        raise refuse(404, "not-found", f"there is no Measure/{measure_id}; there are {', '.join(here.evaluators)}")
    asked = read(request, CareGapsParameters(), UNSUPPORTED)
    for name in ("measureId", "measureIdentifier", "measureUrl"):
        if name in asked:
            raise refuse(400, "invalid", f"{name}: the address names the measure already", name)
    _refuse_without_gaps(here, (measure_id,))
    return _answer(here, asked, (measure_id,))


def _refuse_without_gaps(here: Service, names: Sequence[str]) -> None:
    """DEQM infers gaps for proportion and ratio measures only."""
    for name in names:
        measure = here.measures[name]
        if not measure.gaps_are_known:
            text = f"Measure/{name} is a {measure.scoring} measure: it has no gaps. Use $evaluate"
            raise refuse(400, "not-supported", text, "measureId")


def measures_asked(here: Service, asked: Mapping[str, Any]) -> Sequence[str]:
    """The ids of the measures that are asked for: the union of all three ways to name one; all, if none is used."""
    wanted: list[str] = []
    for name in ("measureId", "measureIdentifier", "measureUrl"):
        for value in asked.get(name, ()):
            found = [key for key, measure in here.measures.items() if _is_named(measure, name, value)]
            if not found:
                known = ", ".join(_name(measure, name) for measure in here.measures.values())
                raise refuse(404, "not-found", f"{name}: there is no measure {value!r:.120}; there are {known}", name)
            wanted.extend(found)
    return [key for key in here.measures if key in wanted or not wanted]


def _name(measure: Any, parameter: str) -> str:
    return measure.id if parameter == "measureId" else measure.url


def _is_named(measure: Any, parameter: str, value: str) -> bool:
    if parameter == "measureId":
        return value == measure.id
    if parameter == "measureUrl":
        return value in (measure.url, measure.canonical)
    # measureIdentifier is a token: [system|]value. A measure is identified by its name, and by its URL as a URI.
    system, bar, code = value.rpartition("|")
    if not bar or not system:
        return code in (measure.id, measure.name, measure.url)
    return system == "urn:ietf:rfc:3986" and code == measure.url


def _answer(here: Service, asked: Mapping[str, Any], measures: Sequence[str]) -> Response:
    chosen = [here.evaluators[name] for name in measures]
    require_read(*sorted(types_read(chosen)))  # the answer holds the evidence too: encounters, conditions, ...
    question = Question(
        measures=tuple(one.on(asked["periodStart"], asked["periodEnd"], here.today) for one in chosen),
        statuses=frozenset(asked["status"]),
        document=asked["isDocument"],
        reporting=here.reporting(),
    )
    resource_type, resource_id = asked.get("subject", (None, None))
    if resource_type == "Patient":
        record = here.store.record_of_patient(resource_id)
        if record is None:
            raise refuse(404, "not-found", "subject: there is no such Patient", "subject")
        return answer_person(record, question)
    return answer_panel(here.store.records(person_ids=panel_asked(here, asked)), question)


def panel_asked(here: Service, asked: Mapping[str, Any]) -> list[str]:
    """The persons of a Group, of an organization, or of a practitioner (in an organization, if both are given)."""
    named = {
        "group": asked.get("subject"),
        "organization": asked.get("organization"),
        "practitioner": asked.get("practitioner"),
    }
    for role, reference in named.items():
        if reference is not None and not here.store.exists(*reference):
            parameter = "subject" if role == "group" else role
            raise refuse(404, "not-found", f"{parameter}: there is no such {reference[0]}", parameter)
    wanted = {role: reference[1] for role, reference in named.items() if reference is not None}
    return here.store.person_ids(**wanted)
