"""Who lives in the sandbox: groups with their share, languages and names. Invented; names are common ones.

Race and ethnicity codes: CDC race and ethnicity code system (urn:oid:2.16.840.1.113883.6.238) as US Core 6.1 uses it.
The shares and the attendance figures are illustrative, chosen to show a disparity; they describe no real clinic.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

# Text -> OMB category codes ("Other Race" is no OMB category: it goes into `detailed`).
RACES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Black or African American": ("2054-5",),
        "White": ("2106-3",),
        "Asian": ("2028-9",),
        "American Indian or Alaska Native": ("1002-5",),
        "Native Hawaiian or Other Pacific Islander": ("2076-8",),
        "Two or More Races": ("2054-5", "2106-3"),
        "Other Race": (),
    }
)
RACE_DISPLAY: Mapping[str, str] = MappingProxyType(
    {
        "2054-5": "Black or African American",
        "2106-3": "White",
        "2028-9": "Asian",
        "1002-5": "American Indian or Alaska Native",
        "2076-8": "Native Hawaiian or Other Pacific Islander",
    }
)
OTHER_RACE = ("2131-1", "Other Race")
ETHNICITIES: Mapping[str, str] = MappingProxyType({"Hispanic or Latino": "2135-2", "Not Hispanic or Latino": "2186-5"})


@dataclass(frozen=True, slots=True)
class Group:
    """A group of families. `attends` is the chance that a well visit happens, `late` that it happens late."""

    race: str
    ethnicity: str
    share: int
    languages: tuple[tuple[str, int], ...]
    names: str  # key of NAMES
    attends: float
    late: float


_H, _N = "Hispanic or Latino", "Not Hispanic or Latino"
GROUPS: tuple[Group, ...] = (
    Group("Black or African American", _N, 24, (("en", 100),), "black", 0.70, 0.28),
    Group("Other Race", _H, 34, (("es", 65), ("en", 35)), "latino", 0.84, 0.18),
    Group("White", _H, 18, (("es", 55), ("en", 45)), "latino", 0.85, 0.18),
    Group("White", _N, 8, (("en", 90), ("hy", 10)), "white", 0.89, 0.14),
    Group("Asian", _N, 7, (("en", 50), ("ko", 20), ("zh", 15), ("vi", 15)), "asian", 0.91, 0.12),
    Group("Two or More Races", _N, 5, (("en", 100),), "black", 0.80, 0.20),
    Group("American Indian or Alaska Native", _N, 2, (("en", 100),), "white", 0.74, 0.25),
    Group("Native Hawaiian or Other Pacific Islander", _N, 2, (("en", 80), ("sm", 20)), "pacific", 0.76, 0.24),
)
# With `disparities` off every family attends like this.
EVERYONE_ATTENDS = 0.86
EVERYONE_LATE = 0.16

LANGUAGE_DISPLAY: Mapping[str, str] = MappingProxyType(
    {
        "en": "English",
        "es": "Spanish",
        "hy": "Armenian",
        "ko": "Korean",
        "zh": "Chinese",
        "vi": "Vietnamese",
        "sm": "Samoan",
    }
)


@dataclass(frozen=True, slots=True)
class Names:
    family: tuple[str, ...]
    girls: tuple[str, ...]
    boys: tuple[str, ...]
    mothers: tuple[str, ...]


def _n(words: str) -> tuple[str, ...]:
    return tuple(words.split())


NAMES: Mapping[str, Names] = MappingProxyType(
    {
        "black": Names(
            _n("Washington Jefferson Banks Booker Coleman Dixon Freeman Gaines Hayes Ivory Joseph Mosley Rivers"),
            _n("Aaliyah Amara Imani Nia Zuri Kennedy Layla Maya Naomi Skylar Serenity Nova"),
            _n("Malik Elijah Isaiah Jaylen Kingston Micah Amir Darius Josiah Xavier Zion Caleb"),
            _n("Keisha Monique Tamika Ebony Danielle Brianna Jasmine Candace"),
        ),
        "latino": Names(
            _n("García Hernández López Martínez Ramírez Flores Reyes Cruz Morales Ortiz Vásquez Peña Núñez"),
            _n("Sofía Camila Valentina Isabella Ximena Daniela Luna Mía Renata Elena Lucía Zoe"),
            _n("Mateo Santiago Diego Sebastián Ángel Emiliano Gael Leonardo Iker José Luis Adrián"),
            _n("María Guadalupe Ana Rosa Verónica Leticia Patricia Yesenia"),
        ),
        "white": Names(
            _n("Petrosyan Miller Walker Baker Hughes Sullivan Novak Sarkisian Fisher Parker"),
            _n("Emma Olivia Ava Charlotte Hazel Ani Nora Lucy"),
            _n("Noah Liam Henry Owen Jack Aram Theo Wyatt"),
            _n("Jennifer Amanda Sarah Emily Nare Laura"),
        ),
        "asian": Names(
            _n("Kim Park Nguyen Tran Chen Wang Santos Reyes Patel Lee"),
            _n("Mina Grace Linh Hana Mei Chloe Anika Joy"),
            _n("Ethan Minh Jun Kai Ryan Arjun Leo Daniel"),
            _n("Soo-jin Thuy Li Maricel Priya Hye-won"),
        ),
        "pacific": Names(
            _n("Tuilagi Faleolo Kealoha Fonoti Mahoe Seumalo"),
            _n("Leilani Sina Kalea Moana Tiare"),
            _n("Keoni Tavita Koa Sione Makoa"),
            _n("Mele Lupe Malia Noelani"),
        ),
    }
)
