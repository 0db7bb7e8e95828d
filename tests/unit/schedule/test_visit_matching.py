"""Which visit fills which slot: against every way there is, on small schedules."""

from datetime import date, timedelta
from itertools import combinations, permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from gapsvc.schedule.visits.matching import Window, match

DAY_0 = date(2025, 1, 1)


def day(number: int) -> date:
    return DAY_0 + timedelta(days=number)


@st.composite
def schedules(draw: st.DrawFn) -> list[Window]:
    """Up to four windows, in order, that may overlap."""
    windows: list[Window] = []
    opens = target = closes = -1
    for _ in range(draw(st.integers(1, 4))):
        opens = draw(st.integers(max(opens, 0), max(opens, 0) + 8))
        target = draw(st.integers(max(opens, target + 1), max(opens, target + 1) + 5))
        closes = draw(st.integers(max(closes, target), max(closes, target) + 6))
        windows.append((day(opens), day(closes), day(target)))
    return windows


def every_way(windows: list[Window], days: list[date]) -> list[tuple[int, int]]:
    """(slots filled, sum of days from the targets) of every way to fill slots."""
    found = [(0, 0)]
    for count in range(1, min(len(windows), len(days)) + 1):
        for slots in combinations(range(len(windows)), count):
            for visits in permutations(range(len(days)), count):
                pairs = list(zip(slots, visits, strict=True))
                if all(windows[slot][0] <= days[at] <= windows[slot][1] for slot, at in pairs):
                    found.append((count, sum(abs((days[at] - windows[slot][2]).days) for slot, at in pairs)))
    return found


@settings(max_examples=300, deadline=None)
@given(schedules(), st.sets(st.integers(0, 45), max_size=4))
def test_most_slots_are_filled_and_then_by_the_nearest_visits(windows: list[Window], numbers: set[int]) -> None:
    days = sorted(day(number) for number in numbers)
    matched = match(windows, days)
    assert all(windows[slot][0] <= days[at] <= windows[slot][1] for slot, at in matched.items())
    assert len(set(matched.values())) == len(matched)
    far = sum(abs((days[at] - windows[slot][2]).days) for slot, at in matched.items())
    assert (len(matched), far) == max(every_way(windows, days), key=lambda way: (way[0], -way[1]))


@settings(max_examples=300, deadline=None)
@given(schedules(), st.sets(st.integers(0, 45), max_size=5), st.integers(0, 45))
def test_a_visit_in_the_window_of_an_empty_slot_fills_one_more(
    windows: list[Window], numbers: set[int], another: int
) -> None:
    days = sorted(day(number) for number in numbers)
    before = match(windows, days)
    after = match(windows, sorted({*days, day(another)}))
    empty = [at for at, window in enumerate(windows) if at not in before and window[0] <= day(another) <= window[1]]
    if empty and another not in numbers:
        assert len(after) == len(before) + 1
    else:
        assert len(after) >= len(before)


NEWBORN_WEEKS: list[Window] = [(day(0), day(2), day(0)), (day(2), day(14), day(3)), (day(8), day(42), day(31))]
EXAMPLES = {
    # days of life -> slot: day
    (4,): {1: 4},
    (9,): {1: 9},  # the late first visit, not the one at a month
    (4, 12): {1: 4, 2: 12},  # a visit in the second week after an early one is the one by a month
    (9, 30): {1: 9, 2: 30},
    (9, 12): {1: 9, 2: 12},
    (4, 12, 30): {1: 4, 2: 30},  # of two for one slot the nearer
    (2,): {1: 2},
    (1, 2): {0: 1, 1: 2},
    (50,): {},
    (): {},
}


def test_examples_of_the_first_weeks() -> None:
    for days, expected in EXAMPLES.items():
        matched = match(NEWBORN_WEEKS, [day(number) for number in days])
        assert {slot: days[at] for slot, at in matched.items()} == expected, days
