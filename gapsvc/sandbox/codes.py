"""Codes that the sandbox writes: visits, complaints, vaccines. Tables, no logic beyond a lookup by age.

Sources: CPT preventive medicine codes by age and ICD-10-CM Z00 codes by age (design/measures.md, bright-futures.md);
SNOMED CT; CVX and MVX of CDC; LOINC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from gapsvc.sandbox.days import add_years

CPT = "http://www.ama-assn.org/go/cpt"
SNOMED = "http://snomed.info/sct"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
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
    {"AMB": "ambulatory", "VR": "virtual", "IMP": "inpatient encounter", "EMER": "emergency"}
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


@dataclass(frozen=True, slots=True)
class Product:
    """A vaccine as given: `antigens` are the series of planner.SERIES that it serves."""

    cvx: str
    display: str
    mvx: str
    maker: str
    antigens: tuple[str, ...]


_GSK, _MERCK, _SANOFI, _PFIZER = (
    ("SKB", "GlaxoSmithKline"),
    ("MSD", "Merck and Co., Inc."),
    ("PMC", "Sanofi Pasteur"),
    ("PFR", "Pfizer, Inc."),
)
_MSP = ("MSP", "MSP Vaccine Company")


def _p(cvx: str, display: str, maker: tuple[str, str], *antigens: str) -> Product:
    return Product(cvx, display, maker[0], maker[1], antigens)


PRODUCTS: Mapping[str, Product] = MappingProxyType(
    {
        "hepb": _p("08", "Hep B, adolescent or pediatric", _MERCK, "HepB"),
        "dtap": _p("20", "DTaP", _SANOFI, "DTaP"),
        "ipv": _p("10", "IPV", _SANOFI, "IPV"),
        "hib": _p("48", "Hib (PRP-T)", _SANOFI, "Hib"),
        "pcv": _p("215", "Pneumococcal conjugate PCV15, polysaccharide CRM197 conjugate", _MERCK, "PCV"),
        "pcv13": _p("133", "Pneumococcal conjugate PCV 13", _PFIZER, "PCV"),
        "rv": _p("116", "rotavirus, pentavalent", _MERCK, "RV"),
        "pediarix": _p("110", "DTaP-Hep B-IPV", _GSK, "DTaP", "HepB", "IPV"),
        "pentacel": _p("120", "DTaP-Hib-IPV", _SANOFI, "DTaP", "Hib", "IPV"),
        "vaxelis": _p("146", "DTaP,IPV,Hib,HepB", _MSP, "DTaP", "HepB", "Hib", "IPV"),
        "kinrix": _p("130", "DTaP-IPV", _GSK, "DTaP", "IPV"),
        "mmr": _p("03", "MMR", _MERCK, "MMR"),
        "varicella": _p("21", "varicella", _MERCK, "VAR"),
        "mmrv": _p("94", "MMRV", _MERCK, "MMR", "VAR"),
        "hepa": _p("83", "Hep A, ped/adol, 2 dose", _MERCK, "HepA"),
        "flu4": _p("150", "Influenza, split virus, quadrivalent, PF", _SANOFI, "Flu"),
        "flu3": _p("140", "Influenza, split virus, trivalent, PF", _SANOFI, "Flu"),
        "tdap": _p("115", "Tdap", _GSK, "Tdap"),
        "hpv": _p("165", "HPV9", _MERCK, "HPV"),
        "menacwy": _p("203", "meningococcal polysaccharide (groups A, C, Y, W-135) TT conjugate", _SANOFI, "MenACWY"),
    }
)
