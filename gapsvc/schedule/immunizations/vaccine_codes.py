"""Vaccine codes other than CVX, and laboratory codes that show immunity, as tables.

CPT to CVX: single codes of the CDC/AMA "CPT to CVX" mapping that name one product each; CPT codes that several CVX
codes share (90734: two MenACWY products) are left out rather than guessed. NDC has tens of thousands of package codes
that change monthly: a caller brings CDC's table (`CodeTable.ndc`), as 5-4-2 digits without hyphens.
LOINC: presence, titre or amount of antibody that is evidence of immunity, or of infection, for CDSi's observations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

CPT_TO_CVX: Mapping[str, str] = MappingProxyType(
    {
        "90587": "56",  # dengue
        "90619": "203",  # MenACWY-TT
        "90620": "163",  # MenB-4C
        "90621": "162",  # MenB-FHbp
        "90632": "52",  # HepA, adult
        "90633": "83",  # HepA, paediatric 2-dose
        "90634": "84",  # HepA, paediatric 3-dose
        "90636": "104",  # HepA-HepB
        "90647": "49",  # Hib PRP-OMP
        "90648": "48",  # Hib PRP-T
        "90649": "62",  # HPV4
        "90650": "118",  # HPV2
        "90651": "165",  # HPV9
        "90670": "133",  # PCV13
        "90671": "215",  # PCV15
        "90677": "216",  # PCV20
        "90680": "116",  # rotavirus, 5-valent
        "90681": "119",  # rotavirus, 1-valent
        "90690": "25",  # typhoid, oral
        "90691": "101",  # typhoid, Vi
        "90696": "130",  # DTaP-IPV
        "90697": "146",  # DTaP-IPV-Hib-HepB
        "90698": "120",  # DTaP-Hib-IPV
        "90700": "20",  # DTaP
        "90702": "28",  # DT
        "90707": "03",  # MMR
        "90710": "94",  # MMRV
        "90713": "10",  # IPV
        "90715": "115",  # Tdap
        "90716": "21",  # varicella
        "90717": "37",  # yellow fever
        "90723": "110",  # DTaP-HepB-IPV
        "90732": "33",  # PPSV23
        "90736": "121",  # zoster, live
        "90738": "134",  # Japanese encephalitis
        "90739": "189",  # HepB, CpG adjuvant
        "90744": "08",  # HepB, paediatric
        "90746": "43",  # HepB, adult
        "90748": "51",  # Hib-HepB
        "90750": "187",  # zoster, recombinant
    }
)

# LOINC code -> CDSi observation that a positive result stands for.
LOINC_TO_OBSERVATION: Mapping[str, str] = MappingProxyType(
    {
        "13951-9": "018",  # hepatitis A virus antibody
        "32018-4": "018",  # hepatitis A virus IgG antibody
        "10900-9": "019",  # hepatitis B virus surface antibody
        "22322-2": "019",
        "20479-8": "020",  # measles virus IgG antibody
        "22502-5": "020",
        "35275-7": "020",
        "22417-6": "021",  # mumps virus IgG antibody
        "22497-8": "022",  # rubella virus IgG antibody
        "25514-1": "022",
        "8014-1": "022",
        "15410-8": "023",  # varicella zoster virus IgG antibody
        "19162-7": "023",
        "8047-1": "023",
    }
)

LAST_MENSTRUAL_PERIOD = "8665-2"  # LOINC, value: the first day of the last menstrual period
ESTIMATED_DELIVERY = "11778-8"  # LOINC, value: the day of delivery, 280 days after that day
ONSET_OF_PREGNANCY = "170"  # CDSi observation


@dataclass(frozen=True, slots=True)
class CodeTable:
    """Codes of other systems → CVX."""

    cpt: Mapping[str, str] = field(default_factory=lambda: CPT_TO_CVX)
    ndc: Mapping[str, str] = field(default_factory=dict[str, str])


STANDARD_CODES = CodeTable()


def normal_ndc(code: str) -> str | None:
    """An NDC in the 11 digits of 5-4-2; None when it can't be told (10 digits without hyphens are ambiguous)."""
    parts = code.strip().split("-")
    if len(parts) == 3 and all(part.isascii() and part.isdigit() for part in parts):
        padded = [part.zfill(width) for part, width in zip(parts, (5, 4, 2), strict=True)]
        return "".join(padded) if [len(part) for part in padded] == [5, 4, 2] else None
    digits = code.strip()
    return digits if digits.isascii() and digits.isdigit() and len(digits) == 11 else None
