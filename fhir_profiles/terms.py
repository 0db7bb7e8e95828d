"""Canonical URLs and codes of the standards that we produce: DEQM 5.0.0 (US STU5), FHIR R4, CQF extensions.

Source: hl7.fhir.us.davinci-deqm 5.0.0 and FHIR R4 (4.0.1). Constants only.
"""

from typing import Final

DEQM: Final = "http://hl7.org/fhir/us/davinci-deqm"

# Profiles
GAPS_BUNDLE: Final = f"{DEQM}/StructureDefinition/gaps-bundle-deqm"
GAPS_COMPOSITION: Final = f"{DEQM}/StructureDefinition/gaps-composition-deqm"
GAPS_DETECTED_ISSUE: Final = f"{DEQM}/StructureDefinition/gaps-detectedissue-deqm"
GAPS_GUIDANCE_RESPONSE: Final = f"{DEQM}/StructureDefinition/gaps-guidanceresponse-detailedcaregap"
INDIVIDUAL_MEASURE_REPORT: Final = f"{DEQM}/StructureDefinition/indv-measurereport-deqm"
SUMMARY_MEASURE_REPORT: Final = f"{DEQM}/StructureDefinition/summary-measurereport-deqm"
SUBJECT_LIST_MEASURE_REPORT: Final = f"{DEQM}/StructureDefinition/subjectlist-measurereport-deqm"
INDIVIDUAL_MEASURE_REPORT_LIST: Final = f"{DEQM}/StructureDefinition/indv-measurereport-list"

# Extensions
GAP_STATUS: Final = f"{DEQM}/StructureDefinition/extension-gapStatus"
MEASURE_SCORING: Final = f"{DEQM}/StructureDefinition/extension-measureScoring"
GROUP_IMPROVEMENT_NOTATION: Final = f"{DEQM}/StructureDefinition/extension-groupImprovementNotation"
CARE_GAP_REMARK: Final = f"{DEQM}/StructureDefinition/extension-careGapRemark"
REASON_DETAIL: Final = f"{DEQM}/StructureDefinition/reasonDetail"
DATA_LOCATION: Final = f"{DEQM}/StructureDefinition/extension-dataLocation"
CRITERIA_REFERENCE: Final = "http://hl7.org/fhir/StructureDefinition/cqf-criteriaReference"
POPULATION_DESCRIPTION: Final = "http://hl7.org/fhir/StructureDefinition/measurereport-populationDescription"
SUPPLEMENTAL_DATA: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-MeasureReport.supplementalData"
COUNT_QUANTITY: Final = "http://hl7.org/fhir/StructureDefinition/measurereport-countQuantity"
DATA_ABSENT_REASON: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

# Code systems
GAPS_STATUS_SYSTEM: Final = f"{DEQM}/CodeSystem/gaps-status"
CARE_GAP_REASON_SYSTEM: Final = f"{DEQM}/CodeSystem/care-gap-reason"
MEASURE_SCORING_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/measure-scoring"
IMPROVEMENT_NOTATION_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/measure-improvement-notation"
MEASURE_POPULATION_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/measure-population"
ACT_CODE_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
LOINC: Final = "http://loinc.org"
URI_SYSTEM: Final = "urn:ietf:rfc:3986"

# Server statement and operation
GIC_SERVER: Final = f"{DEQM}/CapabilityStatement/gic-server"
CARE_GAPS_OPERATION: Final = f"{DEQM}/OperationDefinition/care-gaps"
EVALUATE_OPERATION: Final = f"{DEQM}/OperationDefinition/evaluate"

GAP_STATUS_DISPLAY: Final = {
    "open-gap": "Open Gap",
    "prospective-gap": "Prospective Gap",
    "closed-gap": "Closed Gap",
    "not-applicable": "Not Applicable",
}

CARE_GAP_REASON_DISPLAY: Final = {
    "NotFound": "Data Element Not Found",
    "Missing": "Missing Data Element",
    "Present": "Data Element is Present",
    "InvalidAttribute": "Attribute is Invalid",
    "DateInRange": "Date is within specified range",
    "DateOutOfRange": "Date is out of specified range",
    "ValueInRange": "Value is within specified range",
    "ValueOutOfRange": "Value is out of specified range",
    "CountInRange": "Count is within specified range",
    "CountOutOfRange": "Count is out of specified range",
}

# FHIR R4 CodeSystem measure-population, in the order in which a report lists them
POPULATION_DISPLAY: Final = {
    "initial-population": "Initial Population",
    "denominator": "Denominator",
    "denominator-exclusion": "Denominator Exclusion",
    "denominator-exception": "Denominator Exception",
    "numerator": "Numerator",
    "numerator-exclusion": "Numerator Exclusion",
    "measure-population": "Measure Population",
    "measure-population-exclusion": "Measure Population Exclusion",
    "measure-observation": "Measure Observation",
}

SCORING_DISPLAY: Final = {
    "proportion": "Proportion",
    "ratio": "Ratio",
    "continuous-variable": "Continuous Variable",
    "cohort": "Cohort",
}

IMPROVEMENT_NOTATION_DISPLAY: Final = {
    "increase": "Increased score indicates improvement",
    "decrease": "Decreased score indicates improvement",
}
