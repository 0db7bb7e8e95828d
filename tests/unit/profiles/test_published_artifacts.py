"""What the service says of itself and publishes: outcomes, capabilities, measures, libraries, value sets."""

from base64 import b64decode

import orjson
import pytest
from deqm_cases import bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.library import Library
from fhir.resources.R4B.measure import Measure
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.structuredefinition import StructureDefinition
from fhir.resources.R4B.valueset import ValueSet

from fhir_profiles.artifacts import library_resource, measure_resource, value_set_expansion
from fhir_profiles.capability import (
    OperationUse,
    ResourceUse,
    SearchParameterUse,
    Software,
    capability_statement,
)
from fhir_profiles.extensions import OWN_EXTENSIONS, extension_definitions
from fhir_profiles.outcome import OutcomeIssue, operation_outcome
from fhir_profiles.terms import CARE_GAPS_OPERATION, GIC_SERVER, INDIVIDUAL_MEASURE_REPORT
from gapsvc.evaluation.result import DataRequirement
from gapsvc.measures.definition import Group, MeasureDefinition, catalog


def test_an_outcome_names_the_parameter() -> None:
    outcome = operation_outcome(
        [
            OutcomeIssue(
                "error",
                "required",
                details="periodStart is missing: give the first day of the period, e.g. 2026-01-01",
                expression=("periodStart",),
            ),
            OutcomeIssue("warning", "informational", diagnostics="topic is ignored"),
        ]
    )
    OperationOutcome.model_validate_json(orjson.dumps(outcome))
    assert outcome["issue"] == [
        {
            "severity": "error",
            "code": "required",
            "details": {"text": "periodStart is missing: give the first day of the period, e.g. 2026-01-01"},
            "expression": ["periodStart"],
        },
        {"severity": "warning", "code": "informational", "diagnostics": "topic is ignored"},
    ]
    assert "periodStart is missing" in outcome["text"]["div"]


def test_an_outcome_without_issue_or_with_an_unknown_code_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one issue"):
        operation_outcome([])
    with pytest.raises(ValueError, match="severity 'bad' is none of error, fatal, information, warning"):
        OutcomeIssue("bad", "required")
    with pytest.raises(ValueError, match="'missing' is not in FHIR R4's issue-type"):
        OutcomeIssue("error", "missing")


SOFTWARE = Software("gapsvc", "0.1.0", "https://gaps.clinic.example/fhir/", "Care gaps of children", "Clínica Sur")


def test_the_capability_statement_of_a_gaps_server() -> None:
    statement = capability_statement(
        SOFTWARE,
        [
            ResourceUse(
                "Measure",
                interactions=("read", "search-type"),
                search=(SearchParameterUse("url", "uri", documentation="canonical"),),
                operations=(OperationUse("care-gaps", CARE_GAPS_OPERATION),),
            ),
            ResourceUse("MeasureReport", interactions=("read", "patch"), profiles=(INDIVIDUAL_MEASURE_REPORT,)),
        ],
        date="2026-11-22",
        security="A bearer token is required.",
        security_services=("SMART-on-FHIR",),
    )
    CapabilityStatement.model_validate_json(orjson.dumps(statement))
    assert statement == {
        "resourceType": "CapabilityStatement",
        "id": "metadata",
        "url": "https://gaps.clinic.example/fhir/metadata",
        "version": "0.1.0",
        "name": "GapsvcCapabilityStatement",
        "title": "gapsvc 0.1.0",
        "status": "active",
        "date": "2026-11-22",
        "publisher": "Clínica Sur",
        "description": "Care gaps of children",
        "kind": "instance",
        "instantiates": [GIC_SERVER],
        "software": {"name": "gapsvc", "version": "0.1.0"},
        "implementation": {
            "description": "Care gaps of children",
            "url": "https://gaps.clinic.example/fhir",
        },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "cors": False,
                    "description": "A bearer token is required.",
                    "service": [
                        {
                            "coding": [
                                {
                                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                                    "code": "SMART-on-FHIR",
                                }
                            ]
                        }
                    ],
                },
                "resource": [
                    {
                        "type": "Measure",
                        "interaction": [{"code": "read"}, {"code": "search-type"}],
                        "searchParam": [{"name": "url", "type": "uri", "documentation": "canonical"}],
                        "operation": [{"name": "care-gaps", "definition": CARE_GAPS_OPERATION}],
                    },
                    {
                        "type": "MeasureReport",
                        "supportedProfile": [INDIVIDUAL_MEASURE_REPORT],
                        "interaction": [{"code": "read"}, {"code": "patch"}],
                    },
                ],
            }
        ],
    }


def test_what_fhir_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="'search' is no interaction"):
        ResourceUse("Patient", interactions=("search",))
    with pytest.raises(ValueError, match="type 'text' is not in FHIR's search-param-type"):
        SearchParameterUse("name", "text")


def a_measure() -> tuple[MeasureDefinition, Group]:
    measure = catalog()["w30"]
    return measure, measure.groups[0]


def test_a_measure_names_its_library_its_scoring_and_the_define_of_each_population() -> None:
    measure, group = a_measure()
    built = measure_resource(measure, library="https://gapsvc.example/fhir/Library/W30|1.0.0", date="2026-11-22")
    Measure.model_validate_json(orjson.dumps(built))
    assert (built["url"], built["version"], built["date"]) == (measure.url, measure.version, "2026-11-22")
    assert built["library"] == ["https://gapsvc.example/fhir/Library/W30|1.0.0"]
    assert built["scoring"]["coding"][0]["code"] == "proportion"
    assert built["improvementNotation"]["coding"][0]["code"] == "increase"
    assert [each["id"] for each in built["group"]] == [each.id for each in measure.groups]
    assert [
        (each["id"], each["code"]["coding"][0]["code"], each["criteria"]) for each in built["group"][0]["population"]
    ] == [
        (
            f"{group.id}-{code}",
            code,
            {"language": "text/cql-identifier", "expression": group.populations[code]},
        )
        for code in ("initial-population", "denominator", "denominator-exclusion", "numerator")
    ]


def test_a_library_carries_its_text_and_what_it_needs() -> None:
    built = library_resource(
        "W30",
        "1.0.0",
        "library W30 version '1.0.0' // día",
        canonical_base="https://gapsvc.example/fhir/",
        status="active",
        title="W30",
        date="2026-11-22",
        depends_on=("https://gapsvc.example/fhir/Library/WellVisits|1.0.0",),
        requirements=(DataRequirement("Encounter", "type", "https://gapsvc.example/fhir/ValueSet/well-visit"),),
    )
    Library.model_validate_json(orjson.dumps(built))
    assert built["url"] == "https://gapsvc.example/fhir/Library/W30"
    (content,) = built["content"]
    assert content["contentType"] == "text/cql"
    assert b64decode(content["data"]).decode() == "library W30 version '1.0.0' // día"
    assert built["relatedArtifact"] == [
        {"type": "depends-on", "resource": "https://gapsvc.example/fhir/Library/WellVisits|1.0.0"}
    ]
    assert built["dataRequirement"] == [
        {
            "type": "Encounter",
            "codeFilter": [{"path": "type", "valueSet": "https://gapsvc.example/fhir/ValueSet/well-visit"}],
        }
    ]


VISITS = {
    "resourceType": "ValueSet",
    "url": "https://gapsvc.example/fhir/ValueSet/visits",
    "status": "active",
    "compose": {
        "include": [
            {"system": "http://snomed.info/sct", "concept": [{"code": "1", "display": "one"}, {"code": "1"}]},
            {"system": "http://www.ama-assn.org/go/cpt", "version": "2026", "concept": [{"code": "99381"}]},
        ]
    },
}


def test_a_value_set_of_listed_concepts_is_expanded() -> None:
    built = value_set_expansion(VISITS, timestamp="2026-11-22")
    ValueSet.model_validate_json(orjson.dumps(built))
    assert built["expansion"] == {
        "identifier": value_set_expansion(VISITS, timestamp="2027-01-01")["expansion"]["identifier"],
        "timestamp": "2026-11-22",
        "total": 2,
        "contains": [
            {"system": "http://snomed.info/sct", "code": "1", "display": "one"},
            {"system": "http://www.ama-assn.org/go/cpt", "version": "2026", "code": "99381"},
        ],
    }


@pytest.mark.parametrize(
    ("compose", "message"),
    [
        ({"include": [{"system": "http://loinc.org"}]}, r"include\[0\] does not list"),
        ({"include": [{"valueSet": ["https://x.example/v"]}]}, r"include\[0\] does not list"),
        (
            {"include": [{"system": "s", "concept": [{"code": "1"}], "filter": [{"op": "is-a"}]}]},
            r"include\[0\] does not list",
        ),
        ({"include": [], "exclude": [{"system": "http://loinc.org"}]}, "excludes"),
    ],
)
def test_a_value_set_that_is_not_listed_is_not_half_expanded(compose: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        value_set_expansion({**VISITS, "compose": compose}, timestamp="2026-11-22")


def test_every_extension_of_ours_has_a_published_definition() -> None:
    built = extension_definitions("https://clinic.example/ext/", version="0.1.0", date="2026-11-22")
    assert [each["url"] for each in built] == [f"https://clinic.example/ext/{own.name}" for own in OWN_EXTENSIONS]
    for definition in built:
        StructureDefinition.model_validate_json(orjson.dumps(definition))
        fixed = {row["path"]: row["fixedUri"] for row in definition["differential"]["element"] if "fixedUri" in row}
        assert fixed["Extension.url"] == definition["url"]


def test_the_extensions_that_stand_in_a_bundle_are_the_defined_ones() -> None:
    base = "https://gapsvc.example/fhir/StructureDefinition/"
    used = {part.split('"')[0] for part in orjson.dumps(bundle()).decode().split(base)[1:]}
    read_only = {own.name for own in OWN_EXTENSIONS if own.contexts == ("Patient",)}
    assert used == {own.name for own in OWN_EXTENSIONS} - read_only
