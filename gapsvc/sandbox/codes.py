"""Codes that the sandbox writes of visits and complaints, and the URIs of code systems. A lookup by age, no more logic.

Sources: CPT preventive medicine codes by age and ICD-10-CM Z00 codes by age (design/measures.md, bright-futures.md);
SNOMED CT; LOINC. Vaccines are in products.py, other services in service_codes.py, conditions in history_codes.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from gapsvc.sandbox.days import add_years

CPT = "http://www.ama-assn.org/go/cpt"
SNOMED = "http://snomed.info/sct"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
CDT = "http://www.ada.org/cdt"
HCPCS = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
HCPCS_OID = "urn:oid:2.16.840.1.113883.6.285"
ICD10PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
CVX = "http://hl7.org/fhir/sid/cvx"
MVX = "http://hl7.org/fhir/sid/mvx"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
NULL_FLAVOR = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
ROLE_CODE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
RACE_ETHNICITY = "urn:oid:2.16.840.1.113883.6.238"
CIN = "http://dhcs.ca.gov/medi-cal/cin"
NPI = "http://hl7.org/fhir/sid/us-npi"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
V2_IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"

SETTING_DISPLAY: Mapping[str, str] = MappingProxyType(
    {"AMB": "ambulatory", "VR": "virtual", "IMP": "inpatient encounter", "EMER": "emergency", "HH": "home health"}
)
# The well-visit procedure by SNOMED CT: its newer and its older coding, both met in the wild.
WELL_SNOMED = (
    ("410620009", "Well child visit (procedure)"),
    ("410620009", "Well child visit (procedure)"),
    ("185349003", "Encounter for check up (procedure)"),
)


@dataclass(frozen=True, slots=True)
class Code:
    code: str
    display: str


_CPT_NEW = (
    Code("99381", "Initial preventive medicine visit, new patient, under 1 year"),
    Code("99382", "Initial preventive medicine visit, new patient, 1-4 years"),
    Code("99383", "Initial preventive medicine visit, new patient, 5-11 years"),
    Code("99384", "Initial preventive medicine visit, new patient, 12-17 years"),
    Code("99385", "Initial preventive medicine visit, new patient, 18-39 years"),
)
_CPT_KNOWN = (
    Code("99391", "Periodic preventive medicine visit, established patient, under 1 year"),
    Code("99392", "Periodic preventive medicine visit, established patient, 1-4 years"),
    Code("99393", "Periodic preventive medicine visit, established patient, 5-11 years"),
    Code("99394", "Periodic preventive medicine visit, established patient, 12-17 years"),
    Code("99395", "Periodic preventive medicine visit, established patient, 18-39 years"),
)
_BANDS = (1, 5, 12, 18)  # a CPT band ends at these birthdays


def well_cpt(birth: date, on: date, *, first: bool) -> Code:
    """The CPT preventive medicine code for the age on that day; `first` contact takes the new-patient code."""
    band = sum(on >= add_years(birth, years) for years in _BANDS)
    return (_CPT_NEW if first else _CPT_KNOWN)[band]


# How Medi-Cal is billed for a well visit; HCPCS goes by its URI and by its OID.
WELL_HCPCS = Code("S0302", "Completed early periodic screening diagnosis and treatment (EPSDT) service")
Z_NEWBORN_EARLY = Code("Z00.110", "Health examination for newborn under 8 days old")
Z_NEWBORN_LATE = Code("Z00.111", "Health examination for newborn 8 to 28 days old")
Z_CHILD = Code("Z00.129", "Encounter for routine child health examination without abnormal findings")
Z_CHILD_ABNORMAL = Code("Z00.121", "Encounter for routine child health examination with abnormal findings")
Z_ADULT = Code("Z00.00", "Encounter for general adult medical examination without abnormal findings")


def well_reason(birth: date, on: date, *, abnormal: bool = False) -> Code:
    """The ICD-10-CM Z code for a routine examination at the age on that day."""
    age = (on - birth).days
    if age < 8:
        return Z_NEWBORN_EARLY
    if age <= 28:
        return Z_NEWBORN_LATE
    if on >= add_years(birth, 18):
        return Z_ADULT
    return Z_CHILD_ABNORMAL if abnormal else Z_CHILD


@dataclass(frozen=True, slots=True)
class Complaint:
    icd: Code
    snomed: Code
    cpt: Code


_99213 = Code("99213", "Office visit, established patient, low complexity")
_99214 = Code("99214", "Office visit, established patient, moderate complexity")
COMPLAINTS: tuple[Complaint, ...] = (
    Complaint(
        Code("J06.9", "Acute upper respiratory infection, unspecified"),
        Code("54150009", "Upper respiratory infection (disorder)"),
        _99213,
    ),
    Complaint(
        Code("H66.90", "Otitis media, unspecified, unspecified ear"),
        Code("65363002", "Otitis media (disorder)"),
        _99213,
    ),
    Complaint(
        Code("A09", "Infectious gastroenteritis and colitis, unspecified"),
        Code("25374005", "Gastroenteritis (disorder)"),
        _99213,
    ),
    Complaint(Code("R50.9", "Fever, unspecified"), Code("386661006", "Fever (finding)"), _99214),
    Complaint(
        Code("L20.9", "Atopic dermatitis, unspecified"), Code("24079001", "Atopic dermatitis (disorder)"), _99213
    ),
)
SICK_SNOMED = Code("185345009", "Encounter for symptom (procedure)")
EMERGENCY_SNOMED = Code("50849002", "Emergency room admission (procedure)")
EMERGENCY_CPT = Code("99283", "Emergency department visit, moderate severity")
BIRTH_SNOMED = Code("32485007", "Hospital admission (procedure)")
BIRTH_CPT = Code("99460", "Initial hospital care per day for evaluation of normal newborn")
BIRTH_ICD = Code("Z38.00", "Single liveborn infant, delivered vaginally")
TWIN_ICD = Code("Z38.30", "Twin liveborn infant, delivered vaginally")
POSTPARTUM_CPT = Code("59430", "Postpartum care only")
POSTPARTUM_ICD = Code("Z39.2", "Encounter for routine postpartum follow-up")
ANTENATAL_CPT = Code("59425", "Antepartum care only; 4-6 visits")
ANTENATAL_ICD = Code("Z34.90", "Encounter for supervision of normal pregnancy, unspecified")
ASTHMA_ICD = Code("J45.909", "Unspecified asthma, uncomplicated")
ASTHMA_SNOMED = Code("195967001", "Asthma (disorder)")
PEANUT_ALLERGY = Code("91935009", "Allergy to peanut (finding)")
