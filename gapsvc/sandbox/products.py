"""Vaccine products that the sandbox gives: CVX and MVX of CDC, and the CPT code that a claim for one dose carries.

Names and codes: CDC's CVX table; CPT codes as design/measures.md lists them (codes only; CPT is the AMA's property),
90619, 90656, 90696, 90620, 90714 and 90702 from memory. `antigens` are the series of doses.SERIES that a product
serves, and a few that no series plans.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Product:
    """A vaccine as given. Without a maker (`mvx` empty) it is a formulation that a record only names in general."""

    cvx: str
    display: str
    mvx: str
    maker: str
    antigens: tuple[str, ...]
    cpt: str | None


_GSK, _MERCK, _SANOFI, _PFIZER = (
    ("SKB", "GlaxoSmithKline"),
    ("MSD", "Merck and Co., Inc."),
    ("PMC", "Sanofi Pasteur"),
    ("PFR", "Pfizer, Inc."),
)
_MSP = ("MSP", "MSP Vaccine Company")
_MEDIMMUNE = ("MED", "MedImmune, LLC")
_UNKNOWN = ("", "")


def _p(cvx: str, display: str, maker: tuple[str, str], cpt: str | None, *antigens: str) -> Product:
    return Product(cvx, display, maker[0], maker[1], antigens, cpt)


PRODUCTS: Mapping[str, Product] = MappingProxyType(
    {
        "hepb": _p("08", "Hep B, adolescent or pediatric", _MERCK, "90744", "HepB"),
        "dtap": _p("20", "DTaP", _SANOFI, "90700", "DTaP"),
        "ipv": _p("10", "IPV", _SANOFI, "90713", "IPV"),
        "hib": _p("48", "Hib (PRP-T)", _SANOFI, "90648", "Hib"),
        "pcv": _p("215", "Pneumococcal conjugate PCV15, polysaccharide CRM197 conjugate", _MERCK, "90671", "PCV"),
        "pcv13": _p("133", "Pneumococcal conjugate PCV 13", _PFIZER, "90670", "PCV"),
        "rv": _p("116", "rotavirus, pentavalent", _MERCK, "90680", "RV"),
        "pediarix": _p("110", "DTaP-Hep B-IPV", _GSK, "90723", "DTaP", "HepB", "IPV"),
        "pentacel": _p("120", "DTaP-Hib-IPV", _SANOFI, "90698", "DTaP", "Hib", "IPV"),
        "vaxelis": _p("146", "DTaP,IPV,Hib,HepB", _MSP, "90697", "DTaP", "HepB", "Hib", "IPV"),
        "kinrix": _p("130", "DTaP-IPV", _GSK, "90696", "DTaP", "IPV"),
        "mmr": _p("03", "MMR", _MERCK, "90707", "MMR"),
        "varicella": _p("21", "varicella", _MERCK, "90716", "VAR"),
        "mmrv": _p("94", "MMRV", _MERCK, "90710", "MMR", "VAR"),
        "hepa": _p("83", "Hep A, ped/adol, 2 dose", _MERCK, "90633", "HepA"),
        "flu4": _p("150", "Influenza, split virus, quadrivalent, PF", _SANOFI, "90686", "Flu"),
        "flu3": _p("140", "Influenza, split virus, trivalent, PF", _SANOFI, "90656", "Flu"),
        "tdap": _p("115", "Tdap", _GSK, "90715", "Tdap"),
        "hpv": _p("165", "HPV9", _MERCK, "90651", "HPV"),
        "menacwy": _p(
            "203", "meningococcal polysaccharide (groups A, C, Y, W-135) TT conjugate", _SANOFI, "90619", "MenACWY"
        ),
        # what odd_products puts in their place
        "rotarix": _p("119", "rotavirus, monovalent", _GSK, "90681", "RV"),
        "laiv": _p("149", "influenza, live, intranasal, quadrivalent", _MEDIMMUNE, "90672", "LAIV"),
        "menb": _p("163", "meningococcal B, OMV", _GSK, "90620", "MenB"),
        "td": _p("113", "Td (adult), 5 Lf tetanus toxoid, preservative free, adsorbed", _SANOFI, "90714", "Td"),
        "dt": _p("28", "DT (pediatric)", _SANOFI, "90702", "DT"),
        "some-dtap": _p("107", "DTaP, unspecified formulation", _UNKNOWN, None, "DTaP"),
        "some-ipv": _p("89", "polio, unspecified formulation", _UNKNOWN, None, "IPV"),
        "some-hib": _p("17", "Hib, unspecified formulation", _UNKNOWN, None, "Hib"),
        "some-hepb": _p("45", "Hep B, unspecified formulation", _UNKNOWN, None, "HepB"),
        "some-pcv": _p("152", "Pneumococcal Conjugate, unspecified formulation", _UNKNOWN, None, "PCV"),
        "some-rv": _p("122", "rotavirus, unspecified formulation", _UNKNOWN, None, "RV"),
        "some-hepa": _p("31", "Hep A, pediatric, unspecified formulation", _UNKNOWN, None, "HepA"),
        "some-flu": _p("88", "influenza, unspecified formulation", _UNKNOWN, None, "Flu"),
        "some-hpv": _p("137", "HPV, unspecified formulation", _UNKNOWN, None, "HPV"),
        "some-menacwy": _p("108", "meningococcal ACWY, unspecified formulation", _UNKNOWN, None, "MenACWY"),
    }
)
# The hospital's procedure for the birth dose of hepatitis B (ICD-10-PCS; design/measures.md).
BIRTH_DOSE_PROCEDURE = ("3E0234Z", "Introduction of Serum, Toxoid and Vaccine into Muscle, Percutaneous Approach")
