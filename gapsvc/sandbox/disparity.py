"""A planted disparity: how often children of each race complete their care, known exactly, to hold `equity` against.

A child that completes keeps every visit and gets every dose; one that does not falls short of each rate below. So the
chance planted for a race is its true rate in them, as long as no other disorder takes a visit or a dose away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from gapsvc.sandbox.chance import stream
from gapsvc.sandbox.people import RACES

# What a race is called on the command line.
SHORT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "black": "Black or African American",
        "white": "White",
        "asian": "Asian",
        "native": "American Indian or Alaska Native",
        "pacific": "Native Hawaiian or Other Pacific Islander",
        "two-or-more": "Two or More Races",
        "other": "Other Race",
    }
)
# measure -> the groups whose true rate is the planted chance. Of 3 by 120 only once no infant is in its window any
# more, that is as of a day after the period.
RATES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "three-by-120": ("two-visits", "three-visits"),
        "w30": ("first-15-months", "15-30-months"),
        "wcv": ("3-11-years", "12-17-years", "18-21-years", "total"),
        "cis": ("combination-3", "combination-7", "combination-10"),
    }
)
USUAL = 0.60  # of a race that nothing is planted for


@dataclass(frozen=True, slots=True)
class Disparity:
    """The chance (0 to 1) that a child of a race completes its care; `usual` for races that are not named."""

    by_race: Mapping[str, float] = field(default_factory=dict[str, float])
    usual: float = USUAL

    def __post_init__(self) -> None:
        for race, chance in (*self.by_race.items(), ("usual", self.usual)):
            if race not in RACES and race != "usual":
                raise ValueError(f"no race is called {race!r}; known: {', '.join(RACES)}")
            if not 0 <= chance <= 1:
                raise ValueError(f"a chance lies between 0 and 1; that of {race} is {chance:g}")

    @staticmethod
    def parse(words: str) -> "Disparity":
        """`black=0.45,white=0.6`, with `usual` for all others.

        Raises:
            ValueError: a name or a chance is not one; the message says which.
        """
        chances: dict[str, float] = {}
        usual = USUAL
        for word in words.split(","):
            name, _, said = (part.strip() for part in word.partition("="))
            try:
                chance = float(said)
            except ValueError:
                raise ValueError(f"{word.strip()!r} is not of the form black=0.45") from None
            if name == "usual":
                usual = chance
            elif name in SHORT_NAMES:
                chances[SHORT_NAMES[name]] = chance
            else:
                near = get_close_matches(name, SHORT_NAMES, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: usual, {', '.join(SHORT_NAMES)}"
                raise ValueError(f"no race is called {name!r}; {hint}")
        return Disparity(chances, usual)

    def chance(self, race: str) -> float:
        """The chance for a child of that race (a key of people.RACES)."""
        return self.by_race.get(race, self.usual)

    def deal(self, seed: int, children: Iterable[tuple[str, date, int]]) -> dict[int, bool]:
        """Number -> whether that child completes its care; `children` are (race, birth date, number).

        Every so many-th child of a race by birth date, from a random start: each has its race's chance, and among
        those of any age the share is that chance but for one child, so that a small population shows it too.
        """
        by_race: dict[str, list[tuple[date, int]]] = {}
        for race, birth, number in children:
            by_race.setdefault(race, []).append((birth, number))
        dealt: dict[int, bool] = {}
        for race, members in by_race.items():
            chance, start = self.chance(race), stream(seed, "completes", race).random()
            for at, (_, number) in enumerate(sorted(members)):
                dealt[number] = int(start + (at + 1) * chance) > int(start + at * chance)
        return dealt

    def stated(self) -> dict[str, Any]:
        """What the manifest says: the true chance by race, and the rates that it is the truth of."""
        return {
            "completion": {race: self.chance(race) for race in RACES},
            "rates": {measure: list(groups) for measure, groups in RATES.items()},
        }
