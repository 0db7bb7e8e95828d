"""Conditions that bear on vaccines, as the sandbox writes them: what each one means, and how it is coded.

Source: design/measures.md ("CIS-E", "IMA-E"): reactions by SNOMED CT US edition (those of HPV and meningococcal vaccine
and encephalitis from memory), diseases and excluding conditions by ICD-10-CM.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gapsvc.sandbox.codes import ICD10CM, SNOMED


@dataclass(frozen=True, slots=True)
class Event:
    """`meaning`: reaction:<antigen>, disease:<name>, excluding, or none."""

    meaning: str
    system: str
    code: str
    display: str


def _reaction(antigen: str, code: str, display: str) -> Event:
    return Event(f"reaction:{antigen}", SNOMED, code, display)


def _icd(meaning: str, code: str, display: str) -> Event:
    return Event(meaning, ICD10CM, code, display)


EVENTS: Mapping[str, Event] = MappingProxyType(
    {
        "anaphylaxis-dtap": _reaction(
            "DTaP", "428291000124105", "Anaphylaxis due to tetanus, diphtheria and pertussis"
        ),
        "encephalitis-dtap": _reaction("DTaP", "192710009", "Encephalitis following immunization: tetanus"),
        "anaphylaxis-ipv": _reaction("IPV", "471321000124106", "Anaphylaxis due to inactivated poliovirus vaccine"),
        "anaphylaxis-mmr": _reaction("MMR", "471331000124109", "Anaphylaxis due to MMR vaccine"),
        "anaphylaxis-hib": _reaction("Hib", "433621000124101", "Anaphylaxis due to Hib vaccine"),
        "anaphylaxis-hepb": _reaction("HepB", "428321000124101", "Anaphylaxis due to hepatitis B vaccine"),
        "anaphylaxis-vzv": _reaction("VAR", "471341000124104", "Anaphylaxis due to varicella vaccine"),
        "anaphylaxis-pcv": _reaction("PCV", "471141000124102", "Anaphylaxis due to pneumococcal vaccine"),
        "anaphylaxis-hepa": _reaction("HepA", "471311000124103", "Anaphylaxis due to hepatitis A vaccine"),
        "anaphylaxis-rv": _reaction("RV", "428331000124103", "Anaphylaxis due to rotavirus vaccine"),
        "anaphylaxis-flu": _reaction("Flu", "471361000124100", "Anaphylaxis due to influenza vaccine"),
        "anaphylaxis-menacwy": _reaction("MenACWY", "428301000124106", "Anaphylaxis due to meningococcal vaccine"),
        "anaphylaxis-hpv": _reaction("HPV", "428241000124101", "Anaphylaxis due to HPV vaccine"),
        "measles": _icd("disease:measles", "B05.9", "Measles without complication"),
        "mumps": _icd("disease:mumps", "B26.9", "Mumps without complication"),
        "rubella": _icd("disease:rubella", "B06.9", "Rubella without complication"),
        "varicella": _icd("disease:varicella", "B01.9", "Varicella without complication"),
        "zoster": _icd("disease:varicella", "B02.9", "Zoster without complications"),
        "hepatitis-a": _icd("disease:hepatitis-a", "B15.9", "Hepatitis A without hepatic coma"),
        "hepatitis-b": _icd("disease:hepatitis-b", "B16.9", "Acute hepatitis B without delta-agent and without coma"),
        "scid": _icd("excluding", "D81.9", "Combined immunodeficiency, unspecified"),
        "immunodeficiency": _icd("excluding", "D84.9", "Immunodeficiency, unspecified"),
        "hiv": _icd("excluding", "B20", "Human immunodeficiency virus [HIV] disease"),
        "leukemia": _icd("excluding", "C91.00", "Acute lymphoblastic leukemia not having achieved remission"),
        "lymphoma": _icd("excluding", "C85.90", "Non-Hodgkin lymphoma, unspecified, unspecified site"),
        "intussusception": _icd("excluding", "K56.1", "Intussusception"),
        # close to one that counts, and does not
        "gastroenteritis": _icd("none", "A08.0", "Rotaviral enteritis"),
        "pneumonia": _icd("none", "J13", "Pneumonia due to Streptococcus pneumoniae"),
        "pertussis": _icd("none", "A37.90", "Whooping cough, unspecified species without pneumonia"),
    }
)
HOSPICE_ENCOUNTER = ("305336008", "Admission to hospice (procedure)")
HOSPICE_PROCEDURE = ("G9473", "Services performed by chaplain in the hospice setting, each 15 minutes")
