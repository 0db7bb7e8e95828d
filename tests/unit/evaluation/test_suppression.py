"""Suppression against an attacker: what can be known of a hidden count from everything that is shown.

The attacker knows nothing of the program: for each hidden count it solves two linear programs over the table of
(pattern of populations, category), whose unknowns are any numbers from 0 on, and which add up to all that is shown.
It also knows what the measures ask for: who has three visits has two.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gapsvc.evaluation.rollup import (
    BITS,
    DENOMINATOR,
    EXCLUDED,
    INITIAL,
    NUMERATOR,
    Category,
    Cell,
    Patterns,
    RateRollup,
    Rollup,
    populations_at,
)
from gapsvc.evaluation.suppression import Suppression, suppress

DAY = date(2026, 6, 30)
OUT, NOT_MET, MET = INITIAL | EXCLUDED, INITIAL | DENOMINATOR, INITIAL | DENOMINATOR | NUMERATOR


def pattern(*rates: int) -> int:
    return sum(bits << BITS * place for place, bits in enumerate(rates))


def rolled_up(groups: Sequence[str], tables: Mapping[str, Mapping[str, Mapping[int, int]]]) -> Rollup:
    """A roll-up of one measure: per dimension, per category, how many persons have each pattern."""
    strata = {
        dimension: {Category(dimension, code, code): dict(counts) for code, counts in table.items()}
        for dimension, table in tables.items()
    }
    first = next(iter(tables.values()))
    total = sum((Counter(counts) for counts in first.values()), Counter[int]())
    patterns = Patterns(tuple(groups), total, strata)
    rates = tuple(
        RateRollup(
            "m",
            group,
            group,
            cell(total, place),
            {name: {one: cell(counts, place) for one, counts in found.items()} for name, found in strata.items()},
        )
        for place, group in enumerate(groups)
    )
    return Rollup(date(2026, 1, 1), date(2026, 12, 31), DAY, total.total(), rates, {"m": patterns})


def cell(counts: Mapping[int, int], place: int) -> Cell:
    def those(bits: int) -> int:
        return sum(number for one, number in counts.items() if populations_at(one, place) & bits == bits)

    return Cell(those(INITIAL), those(EXCLUDED), those(DENOMINATOR), those(NUMERATOR))


def hidden(found: Suppression, dimension: str = "race") -> set[str]:
    return {one.key for one in found.categories.get(("m", dimension), ())}


ONE = ("rate",)


def counts(met: int, not_met: int, excluded: int = 0) -> Mapping[int, int]:
    return {pattern(MET): met, pattern(NOT_MET): not_met, pattern(OUT): excluded}


# ------------------------------------------------------------------------------------------------ examples


def test_large_counts_are_shown() -> None:
    found = suppress(rolled_up(ONE, {"race": {"a": counts(40, 30), "b": counts(20, 11)}}))
    assert (found.rates, found.exclusions, dict(found.categories)) == (frozenset(), frozenset(), {})


def test_ten_is_small_and_eleven_is_not() -> None:
    table = {"a": counts(40, 30), "b": counts(20, 10), "c": counts(30, 11)}
    assert hidden(suppress(rolled_up(ONE, {"race": table}))) == {"b", "c"}


def test_zero_may_be_shown() -> None:
    table = {"a": counts(40, 30), "b": counts(0, 20), "c": counts(0, 0)}
    assert hidden(suppress(rolled_up(ONE, {"race": table}))) == set()


def test_those_who_did_not_meet_it_are_a_count_too() -> None:
    """95 of 100: the five are told by the rate."""
    table = {"a": counts(95, 5), "b": counts(60, 40), "c": counts(70, 30)}
    assert hidden(suppress(rolled_up(ONE, {"race": table}))) == {"a", "b"}


def test_the_smallest_category_that_is_enough_is_hidden_beside_a_small_one() -> None:
    """b's numerator (4) and c's (0) make a sum of 4; d would be enough, and is smaller than e."""
    table = {"b": counts(4, 20), "c": counts(0, 15), "d": counts(20, 20), "e": counts(50, 50)}
    assert hidden(suppress(rolled_up(ONE, {"race": table}))) == {"b", "d"}


def test_two_small_categories_whose_sum_is_small_need_a_third() -> None:
    table = {"a": counts(3, 20), "b": counts(4, 20), "c": counts(30, 30), "d": counts(90, 90)}
    assert hidden(suppress(rolled_up(ONE, {"race": table}))) == {"a", "b", "c"}


def test_two_small_categories_whose_sum_is_large_are_enough() -> None:
    table = {"a": counts(6, 20), "b": counts(5, 20), "c": counts(30, 30)}
    assert hidden(suppress(rolled_up(ONE, {"race": table}))) == {"a", "b"}


def test_where_everybody_is_few_the_rate_is_hidden_whole() -> None:
    found = suppress(rolled_up(ONE, {"race": {"a": counts(3, 2), "b": counts(2, 20)}}))
    assert found.rates == {("m", "rate")}
    assert found.hides("m", "rate") and found.hides("m", "rate", Category("race", "b", "b"))


def test_where_only_the_excluded_are_few_they_alone_are_hidden() -> None:
    found = suppress(rolled_up(ONE, {"race": {"a": counts(40, 30, 2), "b": counts(20, 11, 1)}}))
    assert (found.rates, found.exclusions, dict(found.categories)) == (frozenset(), {("m", "rate")}, {})
    assert not found.hides("m", "rate") and found.hides_exclusions("m", "rate")


def test_two_visits_less_three_is_a_count_too() -> None:
    """Each numerator is large, but of a's 42 with two visits only 2 have not had three."""
    nested = {
        "a": {pattern(MET, MET): 40, pattern(MET, NOT_MET): 2, pattern(NOT_MET, NOT_MET): 30},
        "b": {pattern(MET, MET): 40, pattern(MET, NOT_MET): 20, pattern(NOT_MET, NOT_MET): 30},
        "c": {pattern(MET, MET): 60, pattern(MET, NOT_MET): 30, pattern(NOT_MET, NOT_MET): 50},
    }
    assert hidden(suppress(rolled_up(("two", "three"), {"race": nested}))) == {"a", "b"}


def test_an_age_group_is_told_by_the_total_less_the_others() -> None:
    """The oldest are few (4 of 5 met it): hidden, and another age group too, as the total would tell."""
    ages = {
        "x": {pattern(MET, 0, 0, MET): 30, pattern(NOT_MET, 0, 0, NOT_MET): 30, pattern(0, MET, 0, MET): 60,
              pattern(0, NOT_MET, 0, NOT_MET): 60, pattern(0, 0, MET, MET): 4, pattern(0, 0, NOT_MET, NOT_MET): 1},
    }  # fmt: skip
    found = suppress(rolled_up(("young", "middle", "old", "total"), {"race": ages}))
    assert found.rates == {("m", "old"), ("m", "young")}


def test_dimensions_are_hidden_each_for_itself() -> None:
    tables = {
        "race": {"a": counts(3, 20), "b": counts(47, 30)},
        "sex": {"f": counts(25, 25), "m": counts(25, 25)},
    }
    found = suppress(rolled_up(ONE, tables))
    assert (hidden(found), hidden(found, "sex")) == ({"a", "b"}, set())


def test_two_dimensions_at_once_are_hidden_by_rows() -> None:
    """a's row has a small cell; b's is the smallest that keeps both columns from telling it."""
    table = {
        "a*1": counts(3, 20), "a*2": counts(20, 20), "b*1": counts(20, 20), "b*2": counts(20, 20),
        "c*1": counts(30, 30), "c*2": counts(30, 30),
    }  # fmt: skip
    assert hidden(suppress(rolled_up(ONE, {"race*clinic": table})), "race*clinic") == {"a*1", "a*2", "b*1", "b*2"}


def test_the_detail_is_shown_whole_or_not_at_all() -> None:
    """Asian less Chinese would tell the three Filipino children, whatever is hidden elsewhere."""
    tables = {
        "race": {"asian": counts(40, 33), "white": counts(60, 60)},
        "race_detail": {"chinese": counts(37, 33), "filipino": counts(3, 0), "white": counts(60, 60)},
    }
    found = suppress(rolled_up(ONE, tables))
    assert (hidden(found), hidden(found, "race_detail")) == (set(), {"chinese", "filipino", "white"})


def test_one_question_hides_ethnicity_beside_it() -> None:
    """42 are Hispanic, 40 of them nothing else: two are of several."""
    tables = {
        "race": {"2135-2": counts(20, 20), "white": counts(60, 60)},
        "ethnicity": {"2135-2": counts(21, 21), "2186-5": counts(59, 59)},
    }
    assert hidden(suppress(rolled_up(ONE, tables)), "ethnicity") == {"2135-2", "2186-5"}
    assert hidden(suppress(rolled_up(ONE, {"ethnicity": tables["ethnicity"]})), "ethnicity") == set()


def test_of_several_pairs_each_is_shown_whole_or_not_at_all() -> None:
    small = {"a*1": counts(3, 20), "a*2": counts(37, 20), "b*1": counts(20, 20), "b*2": counts(20, 20)}
    large = {"a*f": counts(20, 20), "a*m": counts(20, 20), "b*f": counts(20, 20), "b*m": counts(20, 20)}
    found = suppress(rolled_up(ONE, {"race*clinic": small, "race*sex": large}))
    assert (hidden(found, "race*clinic"), hidden(found, "race*sex")) == (set(small), set())


def test_what_can_not_be_judged_is_hidden() -> None:
    whole = rolled_up(ONE, {"race": {"a": counts(40, 30)}})
    assert suppress(replace(whole, patterns={})).hides("m", "rate")


@pytest.mark.parametrize("below", [0, 1])
def test_nothing_is_hidden_where_nothing_is_small(below: int) -> None:
    found = suppress(rolled_up(ONE, {"race": {"a": counts(1, 1)}}), below)
    assert not found.hides("m", "rate", Category("race", "a", "a")) and not found.hides_exclusions("m", "rate")


def test_a_lower_limit_shows_more() -> None:
    table = {"a": counts(40, 30), "b": counts(20, 5), "c": counts(30, 11)}
    assert hidden(suppress(rolled_up(ONE, {"race": table}), 5)) == set()


def test_the_words_give_no_reason_away() -> None:
    assert suppress(rolled_up(ONE, {"race": {"a": counts(1, 1)}}), 6).words == (
        "not shown: fewer than 6 children, or it would tell such a number"
    )


# ------------------------------------------------------------------------------------------------ the attacker


def bounds(wanted: Sequence[int], equations: Sequence[tuple[Sequence[int], int]]) -> tuple[Fraction, Fraction | None]:
    """The least and the greatest value of a sum of unknowns >= 0 that fulfil the equations; None: no greatest."""
    greatest = maximum(wanted, equations)
    least = maximum([-one for one in wanted], equations)
    assert least is not None
    return -least, greatest


def maximum(wanted: Sequence[int], equations: Sequence[tuple[Sequence[int], int]]) -> Fraction | None:
    """Simplex in exact fractions, two phases, Bland's rule."""
    size, rows = len(wanted), len(equations)
    table = [
        [Fraction(one) for one in row] + [Fraction(int(at == here)) for here in range(rows)] + [Fraction(value)]
        for at, (row, value) in enumerate(equations)
    ]
    basic = [size + at for at in range(rows)]

    def improve(goal: list[Fraction], columns: int) -> bool:
        while True:
            enters = next((at for at in range(columns) if goal[at] > 0), None)
            if enters is None:
                return True
            ratios = [(row[-1] / row[enters], basic[at], at) for at, row in enumerate(table) if row[enters] > 0]
            if not ratios:
                return False
            leaves = min(ratios)[2]
            divisor = table[leaves][enters]
            table[leaves] = [one / divisor for one in table[leaves]]
            for at, row in enumerate(table):
                if at != leaves and row[enters]:
                    factor = row[enters]
                    table[at] = [one - factor * other for one, other in zip(row, table[leaves], strict=True)]
            factor = goal[enters]
            goal[:] = [one - factor * other for one, other in zip(goal, table[leaves], strict=True)]
            basic[leaves] = enters

    goal = [sum((row[at] for row in table), Fraction(0)) for at in range(size + rows + 1)]
    goal[size : size + rows] = [Fraction(0)] * rows
    assert improve(goal, size) and goal[-1] == 0  # what is shown is true of somebody
    for at in range(rows):  # what is still artificial is at 0: out with it where that can be
        if basic[at] >= size:
            enters = next((one for one in range(size) if table[at][one]), None)
            if enters is not None:
                divisor = table[at][enters]
                table[at] = [one / divisor for one in table[at]]
                for other, row in enumerate(table):
                    if other != at and row[enters]:
                        factor = row[enters]
                        table[other] = [a - factor * b for a, b in zip(row, table[at], strict=True)]
                basic[at] = enters
    goal = [Fraction(one) for one in wanted] + [Fraction(0)] * (rows + 1)
    for at, name in enumerate(basic):
        if name < size and goal[name]:
            factor = goal[name]
            goal = [one - factor * other for one, other in zip(goal, table[at], strict=True)]
    return -goal[-1] if improve(goal, size) else None


LIMIT = 4  # a smaller one than eleven, so that small tables have all there is


def told_by(found: Suppression, groups: Sequence[str], table: Mapping[str, Mapping[int, int]], every: Sequence[int]):
    """All that is shown of one dimension, as equations over (category, pattern)."""
    names = list(table)
    equations: list[tuple[list[int], int]] = []

    def say(shown_of: Sequence[str], place: int, bits: int) -> None:
        row = [
            int(name in shown_of and populations_at(one, place) & bits == bits) for name, one in product(names, every)
        ]
        value = sum(
            number
            for name in shown_of
            for one, number in table[name].items()
            if populations_at(one, place) & bits == bits
        )
        equations.append((row, value))

    for place, group in enumerate(groups):
        if not found.hides("m", group):
            for bits in (DENOMINATOR, NUMERATOR):
                say(names, place, bits)
        if not found.hides_exclusions("m", group):
            for bits in (INITIAL, EXCLUDED):
                say(names, place, bits)
        for name in names:
            if not found.hides("m", group, Category("race", name, name)):
                for bits in (DENOMINATOR, NUMERATOR):
                    say([name], place, bits)
    return equations


def attacked(groups: Sequence[str], every: Sequence[int], table: Mapping[str, Mapping[int, int]]) -> None:
    """No small count, of anybody, can be known to be small (1 to LIMIT - 1)."""
    found = suppress(rolled_up(groups, {"race": table}), LIMIT)
    equations = told_by(found, groups, table, every)
    names = list(table)
    for whose in [[name] for name in names] + [names]:
        for place in range(len(groups)):
            # the denominator, the numerator, and who is in the one and not the other
            for bits, without in ((DENOMINATOR, 0), (NUMERATOR, 0), (DENOMINATOR, NUMERATOR)):

                def counted(one: int, place: int = place, bits: int = bits, without: int = without) -> bool:
                    here = populations_at(one, place)
                    return here & bits == bits and not here & without

                value = sum(n for name in whose for one, n in table[name].items() if counted(one))
                if 0 < value < LIMIT:
                    wanted = [int(name in whose and counted(one)) for name, one in product(names, every)]
                    least, greatest = bounds(wanted, equations)
                    assert greatest is None or greatest >= LIMIT or least == greatest == 0, (
                        whose,
                        place,
                        least,
                        greatest,
                    )


def tables(every: Sequence[int], most: int) -> st.SearchStrategy[dict[str, dict[int, int]]]:
    few = st.integers(0, 6) | st.sampled_from([0, 0, 1, 2, 8, 15])
    rows = st.lists(st.tuples(*[few] * len(every)), min_size=1, max_size=most)
    return rows.map(lambda rows: {f"c{at}": dict(zip(every, row, strict=True)) for at, row in enumerate(rows)})


SINGLE = [pattern(OUT), pattern(NOT_MET), pattern(MET)]
VISITS = [pattern(OUT, OUT), pattern(NOT_MET, NOT_MET), pattern(MET, NOT_MET), pattern(MET, MET)]
AGES = [pattern(NOT_MET, 0, NOT_MET), pattern(MET, 0, MET), pattern(0, NOT_MET, NOT_MET), pattern(0, MET, MET)]
PATIENT = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@PATIENT
@given(tables(SINGLE, 5))
def test_no_small_count_of_a_rate_can_be_known(table: dict[str, dict[int, int]]) -> None:
    attacked(("rate",), SINGLE, table)


@PATIENT
@given(tables(VISITS, 4))
def test_no_small_count_of_nested_rates_can_be_known(table: dict[str, dict[int, int]]) -> None:
    attacked(("two", "three"), VISITS, table)


@PATIENT
@given(tables(AGES, 4))
def test_no_small_count_of_ages_and_their_total_can_be_known(table: dict[str, dict[int, int]]) -> None:
    attacked(("young", "old", "total"), AGES, table)


@settings(PATIENT, max_examples=40)
@given(st.dictionaries(st.sampled_from([f"{a}*{b}" for a in "abc" for b in "12"]), st.tuples(*[st.integers(0, 9)] * 2)))
def test_no_small_count_of_two_dimensions_and_both_at_once_can_be_known(cells: dict[str, tuple[int, int]]) -> None:
    """Races, clinics and races by clinic are shown side by side; the unknowns are those of a race at a clinic.

    Of a hidden row no cell is listed, so that an empty one is as unknown as any other.
    """
    cells = {f"{race}*{clinic}": cells.get(f"{race}*{clinic}", (0, 0)) for race in "abc" for clinic in "12"}
    every = [pattern(NOT_MET), pattern(MET)]
    table = {name: dict(zip(every, found, strict=True)) for name, found in cells.items()}
    views: dict[str, dict[str, list[str]]] = {"race*clinic": {name: [name] for name in table}, "race": {}, "clinic": {}}
    for name in table:
        race, _, clinic = name.partition("*")
        views["race"].setdefault(race, []).append(name)
        views["clinic"].setdefault(clinic, []).append(name)

    def those(names: Sequence[str]) -> Counter[int]:
        return sum((Counter(table[name]) for name in names), Counter[int]())

    found = suppress(
        rolled_up(ONE, {view: {one: those(names) for one, names in rows.items()} for view, rows in views.items()}),
        LIMIT,
    )
    shown = [] if found.hides("m", "rate") else [list(table)]
    for view, rows in views.items():
        shown += [names for one, names in rows.items() if not found.hides("m", "rate", Category(view, one, one))]
    unknowns = list(product(table, every))
    equations = [
        ([int(name in names and one in met) for name, one in unknowns], sum(those(names)[one] for one in met))
        for names in shown
        for met in (every, [pattern(MET)])
    ]
    for names in [names for rows in views.values() for names in rows.values()]:
        for met in (every, [pattern(MET)], [pattern(NOT_MET)]):
            if 0 < sum(those(names)[one] for one in met) < LIMIT:
                least, greatest = bounds([int(name in names and one in met) for name, one in unknowns], equations)
                assert greatest is None or greatest >= LIMIT, (names, met, least, greatest)


def test_the_attacker_finds_what_is_not_hidden() -> None:
    """Were only the one small category hidden, everybody's figure less the others' would tell it."""
    table = {"a": counts(2, 9), "b": counts(20, 20)}
    naive = Suppression(LIMIT, frozenset(), frozenset(), {("m", "race"): frozenset({Category("race", "a", "a")})})
    equations = told_by(naive, ONE, table, SINGLE)
    wanted = [int(name == "a" and one == pattern(MET)) for name, one in product(table, SINGLE)]
    assert bounds(wanted, equations) == (2, 2)
