"""Small-cell suppression: which counts of a roll-up must not be shown, so that no small one can be had from the rest.

A count of persons from 1 to `below` - 1 (default 10) is small; 0 is not. That is CMS's cell size suppression policy
(no cell of 1 to 10, nor any figure from which one could be calculated; 0 may be shown; ResDAC, from memory).

What is published of a rate: for everybody the initial population, those excluded, denominator and numerator; for a
category the denominator and the numerator. From those follow, by subtraction, others: those who did not meet it, those
with two visits but not three, an age group that its measure's total has and the other age groups have not. All of
these are *told* (`_told` finds them), and all are held to the same rule. Then, in this order:

1. A rate of which everybody's figures tell a small count is hidden whole. Where only those excluded are few, they and
   the initial population are hidden, and the rest of the rate is shown.
2. A category that tells a small count in any rate of a measure is hidden in all rates of that measure.
3. The hidden categories of a dimension tell their sum (everybody's figure less those shown). While that is small for
   any count, one more category is hidden: the smallest that is enough, or else the smallest.

Why that is enough: of the hidden categories no more is known than their sums, each of which is 0 or at least `below`;
whatever belongs to one of them could belong to any other, so each of its counts may be anything from 0 to that sum.
Two dimensions at once (race*clinic) are hidden by rows, see `_crossed`. A dimension that another one tells of (its
detail, several pairs) is shown whole or not at all, see `_way`. One release is protected: it shows one basis of
each rate (all so far, or the final ones). Figures of overlapping groups of people that are asked for one after the
other (a clinic with and without one child) are no matter of one release, and not protected here.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gapsvc.evaluation.rollup import (
    CROSS,
    DENOMINATOR,
    EXCLUDED,
    FINAL,
    INITIAL,
    NUMERATOR,
    Category,
    Patterns,
    Rollup,
    populations_at,
)

SUPPRESS_BELOW = 11
SO_FAR, FINAL_ONLY = "so-far", "final"
NOT_SHOWN = "not shown"
INTERNAL = "internal: not for publication; small counts are shown"  # stands over what hides nothing
HISPANIC = "2135-2"  # CDC Race and Ethnicity Code Set
# More sets of people than this are not told apart: measures of our kind have some hundred.
_MOST = 1000

Counts = Mapping[int, int]  # pattern -> persons
Told = Sequence[tuple[int, ...]]  # sets of patterns: whose number can be known from what is shown


@dataclass(frozen=True, slots=True)
class Suppression:
    """What must not be shown. `exclusions`: rates whose initial population and exclusions are hidden, not the rest."""

    below: int
    rates: frozenset[tuple[str, str]]  # (measure id, group id)
    exclusions: frozenset[tuple[str, str]]
    categories: Mapping[tuple[str, str], frozenset[Category]]  # (measure id, dimension) -> hidden ones

    def hides(self, measure_id: str, group_id: str, category: Category | None = None) -> bool:
        """Whether the denominator, numerator and rate of a category (None: of everybody) are hidden."""
        if (measure_id, group_id) in self.rates:
            return True
        return category is not None and category in self.categories.get((measure_id, category.dimension), ())

    def hides_exclusions(self, measure_id: str, group_id: str) -> bool:
        """Whether everybody's initial population and exclusions are hidden (those of a category always are)."""
        return self.hides(measure_id, group_id) or (measure_id, group_id) in self.exclusions

    @property
    def words(self) -> str:
        """Why something is not shown; the same words for every reason, as the reason would tell something too."""
        return f"{NOT_SHOWN}: fewer than {self.below} children, or it would tell such a number"


def suppress(
    rollup: Rollup,
    below: int = SUPPRESS_BELOW,
    basis: Callable[[str, str], str] = lambda _measure, _group: SO_FAR,
    published: Callable[[str, str], bool] = lambda _measure, _group: True,
) -> Suppression:
    """What must not be shown of a roll-up. A rate whose measure has no patterns in it is hidden whole.

    Args:
        below: counts from 1 up to, not including, this one are small; 0 or 1 hide nothing.
        basis: for a rate (measure id, group id) which of its figures are shown: "so-far" or "final".
        published: for a rate whether it is shown at all. What is not can't be subtracted from: of a rate that is
            alone in its release more can be shown. It is hidden whole.
    """
    rates: set[tuple[str, str]] = set()
    exclusions: set[tuple[str, str]] = set()
    categories: dict[tuple[str, str], frozenset[Category]] = {}
    if below <= 1:
        return Suppression(below, frozenset(), frozenset(), MappingProxyType({}))
    rates |= {(one.measure_id, one.group_id) for one in rollup.rates if one.measure_id not in rollup.patterns}
    for measure_id, patterns in rollup.patterns.items():
        final = [basis(measure_id, group) == FINAL_ONLY for group in patterns.groups]
        places = [place for place, group in enumerate(patterns.groups) if published(measure_id, group)]
        shown, bare = _of_everybody(patterns, places, final, below)
        rates |= {(measure_id, group) for place, group in enumerate(patterns.groups) if place not in shown}
        exclusions |= {(measure_id, patterns.groups[place]) for place in bare}
        told = _told([one for place in shown for one in _figures(patterns, place, final[place])], patterns.total)
        for dimension, found in patterns.strata.items():
            by_key = {one.key: counts for one, counts in found.items()}
            hidden = _way(dimension, patterns.strata)(by_key, told, below)
            if hidden:
                categories[measure_id, dimension] = frozenset(one for one in found if one.key in hidden)
    return Suppression(below, frozenset(rates), frozenset(exclusions), MappingProxyType(categories))


# ------------------------------------------------------------------------------------------------ what is told


def _figures(patterns: Patterns, place: int, final: bool) -> list[frozenset[int]]:
    """The patterns of those in the denominator, and of those in the numerator, of one rate."""
    also = FINAL if final else 0
    return [_with(patterns.total, place, bits | also) for bits in (DENOMINATOR, NUMERATOR)]


def _with(patterns: Iterable[int], place: int, bits: int) -> frozenset[int]:
    return frozenset(one for one in patterns if populations_at(one, place) & bits == bits)


def _told(figures: Iterable[frozenset[int]], total: Counts) -> Told:
    """The sets of people whose number follows from the given ones by subtracting a part from its whole, again and
    again. What holds for the people at hand (everybody with three visits has two) is taken as known."""
    order = {pattern: at for at, pattern in enumerate(sorted(total))}
    found: dict[int, None] = {}
    waiting = [mask for one in figures if (mask := sum(1 << order[pattern] for pattern in one))]
    for mask in waiting:  # grows
        if mask in found:
            continue
        if len(found) >= _MOST:
            break
        for other in found:
            both = mask & other
            if both in (mask, other) and mask != other:
                waiting.append(mask ^ other)
        found[mask] = None
    names = sorted(total)
    return [tuple(pattern for at, pattern in enumerate(names) if mask >> at & 1) for mask in found]


def _tells_small(counts: Counts, told: Told, below: int) -> bool:
    return any(0 < sum(counts.get(pattern, 0) for pattern in people) < below for people in told)


# ------------------------------------------------------------------------------------------------ everybody


def _of_everybody(
    patterns: Patterns, published: Sequence[int], final: Sequence[bool], below: int
) -> tuple[list[int], list[int]]:
    """Of the places of the published rates, those that are shown; and those that are shown without exclusions."""
    total = patterns.total

    def small(figures: Iterable[frozenset[int]]) -> bool:
        return _tells_small(total, _told(figures, total), below)

    def figures(places: Iterable[int]) -> list[frozenset[int]]:
        return [one for place in places for one in _figures(patterns, place, final[place])]

    def size(place: int) -> int:
        return sum(total[pattern] for pattern in _with(total, place, DENOMINATOR))

    shown = [place for place in published if not small(figures([place]))]
    while small(figures(shown)):
        by_size = sorted(shown, key=size)
        enough = (one for one in by_size if not small(figures(place for place in shown if place != one)))
        shown.remove(next(enough, by_size[0]))
    known, bare = figures(shown), list[int]()
    for place in shown:
        more = [_with(total, place, INITIAL), _with(total, place, EXCLUDED)]
        if small([*known, *more]):
            bare.append(place)
        else:
            known += more
    return shown, bare


# ------------------------------------------------------------------------------------------------ categories


def _way(
    dimension: str, beside: Mapping[str, Iterable[Category]]
) -> Callable[[Mapping[str, Counts], Told, int], frozenset[str]]:
    """How to hide in a dimension, with others shown beside it.

    The detail of a race parts what the race counts, and several pairs of dimensions have a third in common: of those no
    part is shown. Where race is one question with ethnicity (OMB 2024), ethnicity beside it would tell how many chose
    Hispanic and something else: it is not shown.
    """
    one_question = any(one.code == HISPANIC for one in beside.get("race", ()))
    if "ethnicity" in dimension and one_question:
        return lambda found, _told, _below: frozenset(found)
    pairs = sum(CROSS in name for name in beside)
    if "_detail" in dimension or (CROSS in dimension and pairs > 1):
        return _all_or_nothing
    return _crossed if CROSS in dimension else _hidden


def _all_or_nothing(found: Mapping[str, Counts], told: Told, below: int) -> frozenset[str]:
    small = any(_tells_small(counts, told, below) for counts in found.values())
    return frozenset(found) if small else frozenset()


def _hidden(found: Mapping[str, Counts], told: Told, below: int) -> frozenset[str]:
    """The categories (by key) to hide of one dimension, so that they and their sum tell nothing small."""
    small = {one for one, counts in found.items() if _tells_small(counts, told, below)}
    return _grown(found, small, lambda hidden: not _tells_small(_sum(found[one] for one in hidden), told, below))


def _grown(found: Mapping[str, Counts], start: set[str], safe: Callable[[set[str]], bool]) -> frozenset[str]:
    """`start` and as few more as make it safe: one at a time, the smallest that is enough or else the smallest."""
    hidden = set(start)
    by_size = sorted(found, key=lambda one: (sum(number for bits, number in found[one].items() if bits), one))
    while hidden and not safe(hidden):
        shown = [one for one in by_size if one not in hidden]
        if not shown:
            break  # all are hidden: their sum is everybody's figure, which may be shown
        hidden.add(next((one for one in shown if safe({*hidden, one})), shown[0]))
    return frozenset(hidden)


def _sum(counts: Iterable[Counts]) -> Counts:
    added: Counter[int] = Counter()
    for one in counts:
        added.update(one)
    return added


def _crossed(found: Mapping[str, Counts], told: Told, below: int) -> frozenset[str]:
    """The cells to hide of two dimensions at once, beside which each dimension may be shown alone: whole rows.

    Hidden are the rows that are hidden alone, and those with a small cell; and more, while the hidden rows' sum in a
    column that is shown alone, or in all columns that are not, tells something small. Whoever shows the rest must not
    list the cells of a hidden row: which of them are empty would be known.
    """
    rows: dict[str, dict[str, Counts]] = {}
    for one, counts in found.items():
        row, _, column = one.partition(CROSS)
        rows.setdefault(row, {})[column] = counts
    columns = sorted({column for row in rows.values() for column in row})
    whole = {row: _sum(cells.values()) for row, cells in rows.items()}
    alone = {column: _sum(cells.get(column, {}) for cells in rows.values()) for column in columns}
    unknown = _hidden(alone, told, below)
    small = {row for row, cells in rows.items() if any(_tells_small(one, told, below) for one in cells.values())}

    def safe(hidden: set[str]) -> bool:
        left = {column: _sum(rows[row].get(column, {}) for row in hidden) for column in columns}
        sums = [left[column] for column in columns if column not in unknown]
        return not any(_tells_small(one, told, below) for one in (*sums, _sum(left[column] for column in unknown)))

    hidden = _grown(whole, small | _hidden(whole, told, below), safe)
    return frozenset(one for one in found if one.partition(CROSS)[0] in hidden)
