"""The benchmark's measure: its library and six includes, its value sets, and what is asked of it."""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

import cql_like

FOLDER = Path(__file__).parent
MAIN = "ChildhoodImmunizationStatus"
POPULATIONS = ("Initial Population", "Denominator Exclusions", "Numerator")
ANTIGENS = (
    "DTaP Met",
    "Polio Met",
    "MMR Met",
    "Hib Met",
    "Hepatitis B Met",
    "Varicella Met",
    "Pneumococcal Met",
    "Hepatitis A Met",
    "Rotavirus Met",
    "Influenza Met",
)
ANSWERS = (*POPULATIONS, *ANTIGENS)

CodeKeys = frozenset[tuple[str | None, str]]


def texts() -> tuple[str, Mapping[tuple[str, str | None], str]]:
    """The main library's text, and those of its includes by name and version."""
    included: dict[tuple[str, str | None], str] = {}
    for file in sorted((FOLDER / "measure").glob("*.cql")):
        if file.stem != MAIN:
            version = "4.0.1" if file.stem == "FHIRHelpers" else "1.0.0"
            included[file.stem, version] = file.read_text("utf-8")
    return (FOLDER / "measure" / f"{MAIN}.cql").read_text("utf-8"), included


def compiled(cache_folder: Path | None = None) -> cql_like.Library:
    """The measure, checked."""
    main, included = texts()
    return cql_like.compile_library(main, libraries=included, cache=cache_folder)


@cache
def value_sets() -> Mapping[str, CodeKeys]:
    """The codes of each value set, by its name (`urn:benchmark:` and the name are its URL)."""
    found: dict[str, CodeKeys] = {}
    for row in tomllib.loads((FOLDER / "value_sets.toml").read_text("utf-8"))["value_set"]:
        name = row.pop("name")
        found[name] = frozenset((system, code) for system, codes in row.items() for code in codes)
    return found


def terminology() -> cql_like.ExpandedTerminology:
    """The value sets, as the engine takes them."""
    urls = {f"urn:benchmark:{name}": codes for name, codes in value_sets().items()}
    return cql_like.ExpandedTerminology({(url, None): codes for url, codes in urls.items()}, dict.fromkeys(urls))


def period(year: int) -> cql_like.Interval:
    """The measurement period of a calendar year, at UTC."""
    return cql_like.Interval(
        cql_like.DateTime(year, 1, 1, 0, 0, 0, 0, 0), cql_like.DateTime(year, 12, 31, 23, 59, 59, 999, 0)
    )


def prepared(library: cql_like.Library, year: int, engine: cql_like.Engine = "compiled") -> cql_like.SessionFactory:
    """The measure over one calendar year."""
    as_of = date(year, 12, 31)
    return library.prepare(
        {"Measurement Period": period(year)},
        terminology(),
        cql_like.DateTime(as_of.year, as_of.month, as_of.day, 0, 0, 0, 0, 0),
        engine,
    )
