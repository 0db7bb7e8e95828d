"""The network: invented health centers with sites at real Los Angeles ZIP codes, payers, a hospital, practitioners.

Every name but the ZIP codes, cities and payers is invented. NPIs begin with 2: the check digit is right (Luhn over
80840 + NPI, 45 CFR 162.406), and no NPI beginning with 2 has been issued.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    id: str
    name: str
    zip: str
    city: str


@dataclass(frozen=True, slots=True)
class Clinic:
    id: str
    name: str
    npi: str
    sites: tuple[Site, ...]
    practitioners: tuple["Doctor", ...]
    mrn_system: str
    local_system: str
    combination: str  # which infant combination vaccine it stocks: pediarix | pentacel | vaxelis


@dataclass(frozen=True, slots=True)
class Doctor:
    id: str
    role_id: str
    given: str
    family: str
    credential: str
    npi: str


@dataclass(frozen=True, slots=True)
class Payer:
    id: str
    name: str
    group: str  # Group id of its panel
    panel: str


def npi(number: int) -> str:
    """A ten-digit identifier with a valid NPI check digit, in the range 2999xxxxx that nobody has been issued."""
    stem = f"2999{number:05d}"
    total = 24  # Luhn sum of the constant prefix 80840
    for place, digit in enumerate(reversed(stem)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return f"{stem}{-total % 10}"


_DOCTORS: Sequence[tuple[str, str, str]] = (
    ("Amara", "Testwell", "MD"),
    ("Luis", "Ejemplo", "MD"),
    ("Mei", "Sampleton", "DO"),
    ("Grace", "Mockridge", "NP"),
    ("Omar", "Fixture", "MD"),
    ("Rosa", "Prueba", "PA"),
)

_CLINICS: Sequence[tuple[str, str, str, Sequence[tuple[str, str, str]]]] = (
    (
        "org-jacaranda",
        "Jacaranda Community Health Centers",
        "pediarix",
        (
            ("Jacaranda Vermont", "90037", "Los Angeles"),
            ("Jacaranda Watts", "90002", "Los Angeles"),
            ("Jacaranda Compton", "90220", "Compton"),
        ),
    ),
    (
        "org-sierra-vista",
        "Sierra Vista Family Clinics",
        "pentacel",
        (
            ("Sierra Vista Boyle Heights", "90033", "Los Angeles"),
            ("Sierra Vista East Los Angeles", "90022", "Los Angeles"),
        ),
    ),
    (
        "org-crenshaw",
        "Crenshaw Children's Health Partners",
        "vaxelis",
        (
            ("Crenshaw Leimert Park", "90008", "Los Angeles"),
            ("Crenshaw Inglewood", "90301", "Inglewood"),
        ),
    ),
    (
        "org-harbor",
        "Harbor Coast Health Network",
        "pediarix",
        (
            ("Harbor Wilmington", "90744", "Wilmington"),
            ("Harbor Long Beach", "90813", "Long Beach"),
        ),
    ),
)


def _clinics() -> tuple[Clinic, ...]:
    found: list[Clinic] = []
    for at, (ident, name, combination, sites) in enumerate(_CLINICS):
        slug = ident.removeprefix("org-")
        doctors = tuple(
            Doctor(
                id=f"prac-{slug}-{n + 1}",
                role_id=f"role-{slug}-{n + 1}",
                given=_DOCTORS[(n + at) % len(_DOCTORS)][0],
                family=_DOCTORS[(n + 2 * at) % len(_DOCTORS)][1],
                credential=_DOCTORS[(n + at) % len(_DOCTORS)][2],
                npi=npi(1000 + 10 * at + n),
            )
            for n in range(len(_DOCTORS))
        )
        places = tuple(
            Site(id=f"loc-{slug}-{n + 1}", name=title, zip=code, city=city)
            for n, (title, code, city) in enumerate(sites)
        )
        found.append(
            Clinic(
                id=ident,
                name=name,
                npi=npi(100 + at),
                sites=places,
                practitioners=doctors,
                mrn_system=f"https://{slug}.sandbox.example.org/mrn",
                local_system=f"https://{slug}.sandbox.example.org/codes",
                combination=combination,
            )
        )
    return tuple(found)


CLINICS = _clinics()

NETWORK_ID = "org-network"
NETWORK_NAME = "Sandbox Community Health Network of Los Angeles"
HOSPITAL_ID = "org-hospital"
HOSPITAL_NAME = "Sandbox Mothers and Children Hospital"
DENTAL_ID = "org-dental"
DENTAL_NAME = "Sandbox Children's Dental Group"
HOSPITAL_SITE = Site("loc-hospital-1", "Sandbox Mothers and Children Hospital, Main Campus", "90059", "Los Angeles")

PAYERS: tuple[Payer, ...] = (
    Payer("org-health-net", "Health Net (Medi-Cal)", "group-health-net", "Health Net Medi-Cal panel, children"),
    Payer("org-la-care", "L.A. Care Health Plan (Medi-Cal)", "group-la-care", "L.A. Care Medi-Cal panel, children"),
    Payer("org-anthem", "Anthem Blue Cross (Medi-Cal)", "group-anthem", "Anthem Medi-Cal panel, children"),
)
PAYER_WEIGHTS = (55, 35, 10)

# Residential ZIP codes of Los Angeles County near the sites, with the clinic (index) that most families there use.
ZIPS: tuple[tuple[str, str, int], ...] = (
    ("90001", "Los Angeles", 0),
    ("90002", "Los Angeles", 0),
    ("90003", "Los Angeles", 0),
    ("90008", "Los Angeles", 2),
    ("90011", "Los Angeles", 0),
    ("90016", "Los Angeles", 2),
    ("90018", "Los Angeles", 2),
    ("90022", "Los Angeles", 1),
    ("90031", "Los Angeles", 1),
    ("90033", "Los Angeles", 1),
    ("90037", "Los Angeles", 0),
    ("90043", "Los Angeles", 2),
    ("90044", "Los Angeles", 0),
    ("90047", "Los Angeles", 2),
    ("90059", "Los Angeles", 0),
    ("90061", "Los Angeles", 0),
    ("90062", "Los Angeles", 2),
    ("90063", "Los Angeles", 1),
    ("90220", "Compton", 0),
    ("90221", "Compton", 0),
    ("90301", "Inglewood", 2),
    ("90303", "Inglewood", 2),
    ("90710", "Harbor City", 3),
    ("90731", "San Pedro", 3),
    ("90744", "Wilmington", 3),
    ("90805", "Long Beach", 3),
    ("90813", "Long Beach", 3),
)
STREETS = ("Sample St", "Example Ave", "Test Blvd", "Placeholder Pl", "Mockingbird Ct", "Fixture Way", "Demo Dr")
