"""DEQM 5.0.0 (US STU5) resources from evaluation results: pure builders to plain dicts.

Source: hl7.fhir.us.davinci-deqm 5.0.0. Each builder takes results (fhir_profiles.inputs) and a `Reporting`.
"""

from fhir_profiles.deqm.bundle import care_gaps_parameters, gaps_bundle, gaps_composition, listed_groups
from fhir_profiles.deqm.evaluation import evaluation_bundle
from fhir_profiles.deqm.guidance import data_requirement, detailed_guidance_response
from fhir_profiles.deqm.issue import gaps_detected_issue
from fhir_profiles.deqm.report import individual_measure_report, measure_score
from fhir_profiles.deqm.reporting import (
    Reporting,
    detected_issue_id,
    guidance_response_id,
    measure_canonical,
    measure_report_id,
)
from fhir_profiles.deqm.subjects import subject_list
from fhir_profiles.deqm.summary import summary_measure_report

__all__ = [
    "Reporting",
    "care_gaps_parameters",
    "data_requirement",
    "detailed_guidance_response",
    "detected_issue_id",
    "evaluation_bundle",
    "gaps_bundle",
    "gaps_composition",
    "gaps_detected_issue",
    "guidance_response_id",
    "individual_measure_report",
    "listed_groups",
    "measure_canonical",
    "measure_report_id",
    "measure_score",
    "subject_list",
    "summary_measure_report",
]
