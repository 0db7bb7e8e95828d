"""What people are told apart by, as data: dimensions, categories of race and ethnicity, languages, bands of age.

The tables beside this file carry their source and date; `Categories` reads them once.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gapsvc.evaluation.result import Coding

CDC_RACE_ETHNICITY = "urn:oid:2.16.840.1.113883.6.238"
LOINC = "http://loinc.org"
CATEGORY_TABLES = ("omb-1997", "omb-2024")
TWO_OR_MORE = "two-or-more"


@dataclass(frozen=True, slots=True)
class Answer:
    """One category of race or ethnicity: its code in CDC's code set (`TWO_OR_MORE` has none there), its name, the
    numbers of the detailed codes under it, and the words that stand for it where a record has text alone.

    One that is `only_alone` is left aside where another is known.
    """

    code: str
    text: str
    numbers: tuple[tuple[int, int], ...]
    words: frozenset[str]
    only_alone: bool

    def holds(self, code: str) -> bool:
        """Whether a code of CDC's code set (`2034-7`) is this category or under it."""
        number = code.partition("-")[0]
        return number.isdecimal() and any(first <= int(number) <= last for first, last in self.numbers)


@dataclass(frozen=True, slots=True)
class RaceTable:
    """Categories of race and ethnicity. `combined`: one question, so `race` counts ethnicity's answer too."""

    id: str
    title: str
    combined: bool
    two_or_more: str
    race: tuple[Answer, ...]
    ethnicity: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Dimension:
    """Something that people are told apart by, and what a stratifier says of it."""

    id: str
    title: str
    coding: Coding | None


@dataclass(frozen=True, slots=True)
class AgeBand:
    """A band of age from so many completed months on."""

    code: str
    text: str
    months: int


@dataclass(frozen=True, slots=True)
class Languages:
    """Names by base subtag, and subtags by the longer codes that records use in their place."""

    names: Mapping[str, str]
    instead: Mapping[str, str]


@lru_cache
def race_table(name: str) -> RaceTable:
    """One of `CATEGORY_TABLES`.

    Raises:
        ValueError: there is no such table.
    """
    if name not in CATEGORY_TABLES:
        raise ValueError(f"there is no table of categories {name!r}; there are {', '.join(CATEGORY_TABLES)}")
    data = _read(f"{name}.toml")
    return RaceTable(
        id=data["id"],
        title=data["title"],
        combined=data["combined"],
        two_or_more=data["two_or_more"],
        race=tuple(_answer(row) for row in data["race"]),
        ethnicity=tuple(_answer(row) for row in data["ethnicity"]),
    )


@lru_cache
def dimensions() -> Mapping[str, Dimension]:
    """All that people can be told apart by, in the order in which it is shown."""
    return MappingProxyType(
        {
            row["id"]: Dimension(row["id"], row["title"], Coding(LOINC, row["loinc"]) if "loinc" in row else None)
            for row in _read("dimensions.toml")["dimension"]
        }
    )


@lru_cache
def age_bands() -> tuple[AgeBand, ...]:
    """The bands of age, youngest first."""
    return tuple(AgeBand(row["code"], row["text"], row["months"]) for row in _read("dimensions.toml")["age"])


@lru_cache
def languages() -> Languages:
    """The table of languages."""
    data = _read("languages.toml")
    return Languages(MappingProxyType(data["names"]), MappingProxyType(data["instead"]))


def _read(name: str) -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))


def _answer(row: Mapping[str, Any]) -> Answer:
    return Answer(
        code=row["code"],
        text=row["text"],
        numbers=tuple((first, last) for first, last in row.get("numbers", ())),
        words=frozenset(row["words"]),
        only_alone=row.get("only_alone", False),
    )
