"""A MeasureReport says of every evaluated resource who reported it, and where the data are (DEQM dataLocation)."""

from dataclasses import replace

from deqm_cases import REPORTING, THREE_BY_120
from fhir.resources.R4B.measurereport import MeasureReport

from fhir_profiles.deqm import individual_measure_report
from fhir_profiles.validate import validate

LOCATION = "http://hl7.org/fhir/us/davinci-deqm/StructureDefinition/extension-dataLocation"
TOLD = replace(
    THREE_BY_120,
    sources={"Patient/maya": "clinic", "Encounter/v1": "clinic", "Encounter/v2": "health-plan"},
)


def test_every_evaluated_resource_whose_source_is_known_says_it() -> None:
    report = individual_measure_report(TOLD, REPORTING)

    assert {one["reference"]: one.get("display") for one in report["evaluatedResource"]} == {
        "Patient/maya": "reported by clinic",
        "Encounter/v1": "reported by clinic",
        "Encounter/v2": "reported by health-plan",
        "Encounter/v3": None,
    }
    assert [one["valueReference"] for one in report["extension"] if one["url"] == LOCATION] == [
        {"type": "Location", "identifier": {"value": "clinic"}, "display": "clinic"},
        {"type": "Location", "identifier": {"value": "health-plan"}, "display": "health-plan"},
    ]


def test_such_a_report_holds_to_deqm_and_r4() -> None:
    report = individual_measure_report(TOLD, REPORTING)
    assert validate(report) == []
    MeasureReport.model_validate(report)


def test_without_known_sources_nothing_is_said() -> None:
    report = individual_measure_report(THREE_BY_120, REPORTING)
    assert not any("display" in one for one in report["evaluatedResource"])
    assert not any(one["url"] == LOCATION for one in report["extension"])
