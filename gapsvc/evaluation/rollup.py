"""Counts of one rate over many people, whole and by stratum: what summaries, equity figures and reports are made of.

Persons are counted, boolean basis. Pure. `Adding` counts as people come, and what several processes added can be
merged; `roll_up` does it in one go. Beside the cells of each rate a roll-up keeps, per measure, how many persons have
each *pattern* of populations over all its rates: suppression needs to know which counts can be had by subtraction.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType

from gapsvc.evaluation.result import Coding, GapStatus, GroupResult, MeasureResult

# Codes of categories that stand for no answer or no single one: shown after the others.
LAST = ("two-or-more", "several", "none", "ASKU", "UNK")
IMPUTED = "imputed"
CROSS = "*"  # "race*clinic": two dimensions at once, in their name and in their categories' codes


@dataclass(frozen=True, slots=True, order=True)
class Category:
    """A value of one dimension ("race": Black or African American). `code` is stable, `text` is read.

    `source` keeps apart how it is known: "direct" (the person was asked), "imputed", or "" where that has no meaning.
    Categories are the same if dimension, code and source are: two records may name a clinic differently.
    """

    dimension: str  # race | ethnicity | language | clinic | plan | zip | age | sex | two of them: race*clinic
    code: str
    text: str = field(compare=False)
    source: str = ""
    coding: Coding | None = field(default=None, compare=False)
    parts: tuple["Category", ...] = field(default=(), compare=False)  # of two at once: each

    @property
    def key(self) -> str:
        """The code, told apart from the same one imputed."""
        return f"{self.code}~{IMPUTED}" if self.source == IMPUTED else self.code

    @property
    def label(self) -> str:
        """The text, and whether it is imputed."""
        return f"{self.text} (imputed)" if self.source == IMPUTED else self.text


@dataclass(frozen=True, slots=True)
class Cell:
    """How many persons. `denominator` is without those excluded or excepted; `final_*` counts those whose result time
    and further services can't change any more: their last day (or, where the measure says none, the period) is past.
    """

    initial_population: int = 0
    excluded: int = 0
    denominator: int = 0
    numerator: int = 0
    final_denominator: int = 0
    final_numerator: int = 0

    def __add__(self, other: "Cell") -> "Cell":
        return Cell(
            self.initial_population + other.initial_population,
            self.excluded + other.excluded,
            self.denominator + other.denominator,
            self.numerator + other.numerator,
            self.final_denominator + other.final_denominator,
            self.final_numerator + other.final_numerator,
        )

    @property
    def rate(self) -> float | None:
        """numerator / denominator; None where nobody is in the denominator."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class RateRollup:
    """One rate of one measure: all persons, and by dimension those of each category (in a stable order)."""

    measure_id: str
    group_id: str
    title: str
    total: Cell
    strata: Mapping[str, Mapping[Category, Cell]]


@dataclass(frozen=True, slots=True)
class Patterns:
    """How many persons of a measure have each pattern of populations over its rates.

    A pattern is a number; `populations` of it at a rate's place in `groups` says which the person is in. `strata` has
    the same categories as the measure's rates.
    """

    groups: tuple[str, ...]
    total: Mapping[int, int]
    strata: Mapping[str, Mapping[Category, Mapping[int, int]]]


@dataclass(frozen=True, slots=True)
class Rollup:
    """All rates over one period as of one day. `persons` counts everybody looked at; `patterns` is by measure id."""

    period_start: date
    period_end: date
    as_of: date
    persons: int
    rates: tuple[RateRollup, ...]
    patterns: Mapping[str, Patterns] = field(default_factory=dict[str, Patterns])


# ------------------------------------------------------------------------------------------------ patterns

# Bits of one rate in a pattern.
INITIAL, EXCLUDED, DENOMINATOR, NUMERATOR, FINAL = 1, 2, 4, 8, 16
BITS = 5
_EXCLUDING = ("denominator-exclusion", "denominator-exception")


def populations_at(pattern: int, place: int) -> int:
    """The bits of the rate at a place of `Patterns.groups`."""
    return pattern >> (place * BITS) & (1 << BITS) - 1


def bits(*, initial: bool, excluded: bool, denominator: bool, numerator: bool, final: bool) -> int:
    """One rate's bits in a pattern. Who is excluded is not in the denominator, whatever the flags say."""
    if not initial:
        return 0
    if excluded:
        return INITIAL | EXCLUDED
    if not denominator:
        return INITIAL
    return INITIAL | DENOMINATOR | (NUMERATOR if numerator else 0) | (FINAL if final else 0)


def _bits(group: GroupResult, result: MeasureResult) -> int:
    populations = group.populations
    return bits(
        initial=group.gap.status is not GapStatus.NOT_APPLICABLE and bool(populations.get("initial-population")),
        excluded=any(populations.get(name) for name in _EXCLUDING),
        denominator=bool(populations.get("denominator")),
        numerator=bool(populations.get("numerator")) and not populations.get("numerator-exclusion"),
        final=(group.gap.last_day or result.period_end) < result.as_of,
    )


def _cell(patterns: Mapping[int, int], place: int) -> Cell:
    counts: Counter[int] = Counter()
    for pattern, number in patterns.items():
        counts[populations_at(pattern, place)] += number

    def those(bits: int) -> int:
        return sum(number for found, number in counts.items() if found & bits == bits)

    return Cell(
        initial_population=those(INITIAL),
        excluded=those(EXCLUDED),
        denominator=those(DENOMINATOR),
        numerator=those(NUMERATOR),
        final_denominator=those(DENOMINATOR | FINAL),
        final_numerator=those(NUMERATOR | FINAL),
    )


# ------------------------------------------------------------------------------------------------ adding up


@dataclass(slots=True)
class _Measure:
    groups: dict[str, str]  # id -> title, in the measure's order
    total: Counter[int] = field(default_factory=Counter[int])
    strata: dict[str, dict[Category, Counter[int]]] = field(default_factory=dict[str, dict[Category, Counter[int]]])


@dataclass(slots=True)
class Adding:
    """Adds up people's results over one period as of one day. Of each person only counts are kept."""

    period_start: date
    period_end: date
    as_of: date
    persons: int = 0
    _measures: dict[str, _Measure] = field(default_factory=dict[str, _Measure])
    _named: dict[Category, Category] = field(default_factory=dict[Category, Category])

    def add(self, results: Iterable[MeasureResult], strata: Mapping[str, Category]) -> None:
        """Count one person: the results of all measures, and the person's category by dimension."""
        self.persons += 1
        for result in results:
            self.count(
                result.measure_id,
                {group.id: group.description for group in result.groups},
                (_bits(group, result) for group in result.groups),
                strata,
            )

    def count(
        self, measure_id: str, groups: Mapping[str, str], rates: Iterable[int], strata: Mapping[str, Category]
    ) -> None:
        """Count a person in one measure: `groups` maps its rates to their titles, `rates` are the bits of each.

        It doesn't count the person in `persons`.
        """
        measure = self._measures.get(measure_id)
        if measure is None:
            measure = self._measures[measure_id] = _Measure(dict(groups))
        pattern = sum(one << place * BITS for place, one in enumerate(rates))
        measure.total[pattern] += 1
        for dimension, category in strata.items():
            measure.strata.setdefault(dimension, {}).setdefault(category, Counter())[pattern] += 1
            self._name(category)

    def _name(self, category: Category) -> None:
        """Remember what a category is called: of several names a real one before a reference, then the first."""
        known = self._named.setdefault(category, category)
        if known.text != category.text and _wording(category) < _wording(known):
            self._named[category] = category

    def merge(self, other: "Adding") -> None:
        """Take in what another process added of other people.

        Raises:
            ValueError: it is of another period or day, or a measure has other rates there.
        """
        if (self.period_start, self.period_end, self.as_of) != (other.period_start, other.period_end, other.as_of):
            raise ValueError("roll-ups of different periods or days can't be merged")
        self.persons += other.persons
        for category in other._named.values():
            self._name(category)
        for name, theirs in other._measures.items():
            ours = self._measures.setdefault(name, _Measure(theirs.groups))
            if list(ours.groups) != list(theirs.groups):
                raise ValueError(f"measure {name!r} has different rates in the two roll-ups")
            ours.total.update(theirs.total)
            for dimension, by_category in theirs.strata.items():
                here = ours.strata.setdefault(dimension, {})
                for category, counts in by_category.items():
                    here.setdefault(category, Counter()).update(counts)

    def rollup(self) -> Rollup:
        """What has been added so far. Measures are in order of id, categories as `in_order` has them."""
        patterns: dict[str, Patterns] = {}
        rates: list[RateRollup] = []
        named_by = named_apart(self._named.values())
        for name, measure in sorted(self._measures.items()):
            strata = {
                dimension: MappingProxyType(
                    {one: MappingProxyType(dict(found[one])) for one in in_order(named_by[one] for one in found)}
                )
                for dimension, found in measure.strata.items()
            }
            patterns[name] = Patterns(tuple(measure.groups), MappingProxyType(dict(measure.total)), strata)
            for place, (group, title) in enumerate(measure.groups.items()):
                cells = {
                    dimension: MappingProxyType({one: _cell(counts, place) for one, counts in found.items()})
                    for dimension, found in strata.items()
                }
                total = _cell(measure.total, place)
                rates.append(RateRollup(name, group, title, total, MappingProxyType(cells)))
        return Rollup(
            self.period_start, self.period_end, self.as_of, self.persons, tuple(rates), MappingProxyType(patterns)
        )


def named_apart(categories: Iterable[Category]) -> Mapping[Category, Category]:
    """Each category with a name that no other of its dimension has: where two clinics are called alike, their ids
    stand behind the name. Of equal categories the first name counts."""
    first: dict[Category, Category] = {}
    for one in categories:
        for each in (one, *one.parts):
            first.setdefault(each, each)
    alike = Counter((one.dimension, one.label, one.coding) for one in first.values() if not one.parts)

    def named(category: Category) -> Category:
        known = first[category]
        if known.parts:
            parts = tuple(map(named, known.parts))
            return replace(known, parts=parts, text=" / ".join(part.label for part in parts))
        shared = alike[known.dimension, known.label, known.coding] > 1
        return replace(known, text=f"{known.text} ({known.code})") if shared else known

    return {one: named(one) for one in first}


def _wording(category: Category) -> tuple[bool, str]:
    return (category.text.startswith("Organization/"), category.text)


def in_order(categories: Iterable[Category]) -> list[Category]:
    """Categories as they are shown: bands of age from the youngest, others by text; those that are no answer last."""

    def place(one: Category) -> tuple[int, str, str, str]:
        rank = LAST.index(one.code) + 1 if one.code in LAST else 0
        return (rank, one.code if one.dimension == "age" else one.text, one.code, one.source)

    return sorted(categories, key=place)


def roll_up(
    people: Iterable[tuple[Iterable[MeasureResult], Mapping[str, Category]]],
    period: tuple[date, date],
    as_of: date,
) -> Rollup:
    """The roll-up of people, each with their results and their strata (gapsvc.evaluation.strata.strata_of)."""
    adding = Adding(*period, as_of)
    for results, strata in people:
        adding.add(results, strata)
    return adding.rollup()
