"""Which visit fills which slot of the schedule: the chart's "nearest", written down precisely.

A visit can fill a slot whose window holds its day; a slot takes one visit, a visit fills one slot, and of visits on one
day one counts. Of all ways to do that the one is taken that fills the most slots; of these, the one whose visits are
nearest to the slots' target days (least sum of days); of these, the one that uses the earlier visits and slots. So a
visit within an open window always fills one more slot, which "each visit takes the nearest" alone would not promise.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date

# (opens, closes, target); slots come in order: opens and closes never fall, targets rise.
Window = tuple[date, date, date]
# How good a way is (least is best): slots filled, negated; sum of days; the pairs (visit, slot).
_Way = tuple[int, int, tuple[tuple[int, int], ...]]


def match(windows: Sequence[Window], days: Sequence[date]) -> dict[int, int]:
    """Slot -> visit, by their places in `windows` and `days` (which rise).

    Windows that overlap none but each other are a matter of their own; most are alone.
    """
    found: dict[int, int] = {}
    first = at = 0
    for last, (_, closes, _) in enumerate(windows):
        if last + 1 < len(windows) and windows[last + 1][0] <= closes:
            continue
        begin = at = bisect_left(days, windows[first][0], at)
        at = bisect_right(days, closes, begin)
        if at > begin:
            best = _best_way(windows[first : last + 1], days[begin:at])
            found.update((first + slot, begin + visit) for visit, slot in best)
        first = last + 1
    return found


def _best_way(windows: Sequence[Window], days: Sequence[date]) -> tuple[tuple[int, int], ...]:
    """The pairs (visit, slot) of the best way.

    Since windows are in order, some best way never crosses: an earlier visit fills an earlier slot. So visits are gone
    through in order, keeping for each slot filled last the best way so far.
    """
    if len(windows) == 1:
        target = windows[0][2]
        return ((min(range(len(days)), key=lambda at: (abs((days[at] - target).days), at)), 0),)
    ways: dict[int, _Way] = {-1: (0, 0, ())}
    for at, day in enumerate(days):
        found: dict[int, _Way] = {}
        for slot, (opens, closes, target) in enumerate(windows):
            if opens <= day <= closes:
                best = min(way for last, way in ways.items() if last < slot)
                found[slot] = (best[0] - 1, best[1] + abs((day - target).days), (*best[2], (at, slot)))
        ways = _worth_keeping(ways, found)
    return min(ways.values())[2]


def _worth_keeping(ways: dict[int, _Way], found: dict[int, _Way]) -> dict[int, _Way]:
    """The best way for each slot filled last, without those that one ending earlier is better than."""
    for last, way in found.items():
        if last not in ways or way < ways[last]:
            ways[last] = way
    kept: dict[int, _Way] = {}
    for last in sorted(ways):
        if not kept or ways[last] < min(kept.values()):
            kept[last] = ways[last]
    return kept
