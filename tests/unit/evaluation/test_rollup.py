"""Roll-ups: people counted into cells, in pieces or at once."""

from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapsvc.evaluation.result import Basis, GapRecord, GapStatus, GroupResult, MeasureResult, Outlook
from gapsvc.evaluation.rollup import Adding, Category, Cell, Rollup, roll_up
from gapsvc.evaluation.tally import Tally

YEAR = (date(2026, 1, 1), date(2026, 12, 31))
JUNE = date(2026, 6, 1)
NORTH, SOUTH = Category("clinic", "n", "North"), Category("clinic", "s", "South")


def group(name: str, status: GapStatus, last_day: date | None, populations: Mapping[str, int]) -> GroupResult:
    gap = GapRecord(
        status, None, None, None, None, None, last_day, Outlook.UNKNOWN, (), (), (), None, Basis("u|1", "s", None, {})
    )
    return GroupResult(name, f"rate {name}", populations, gap)


def result(*groups: GroupResult, measure: str = "m") -> MeasureResult:
    return MeasureResult(
        "Patient/1", measure, "u", "1", "Title", "proportion", "increase", *YEAR, JUNE, groups, {}
    )  # fmt: skip


def rate(name: str = "g", last_day: date | None = None, **populations: int) -> GroupResult:
    """A rate of a child in the initial population and the denominator, unless said otherwise."""
    named = {"initial-population": 1, "denominator": 1, "numerator": 0}
    named |= {key.replace("_", "-"): count for key, count in populations.items()}
    status = GapStatus.CLOSED if named["initial-population"] else GapStatus.NOT_APPLICABLE
    return group(name, status, last_day, named)


PAST, AHEAD = date(2026, 5, 31), date(2026, 6, 1)


@pytest.mark.parametrize(
    ("one", "cell"),
    [
        (rate(numerator=1), Cell(1, 0, 1, 1)),
        (rate(), Cell(1, 0, 1, 0)),
        (rate(last_day=PAST, numerator=1), Cell(1, 0, 1, 1, 1, 1)),
        (rate(last_day=AHEAD), Cell(1, 0, 1, 0)),
        (rate(denominator_exclusion=1, numerator=1), Cell(1, 1)),
        (rate(denominator_exception=1), Cell(1, 1)),
        (rate(numerator=1, numerator_exclusion=1), Cell(1, 0, 1, 0)),
        (rate(denominator=0), Cell(1)),
        (rate(initial_population=0, denominator=0), Cell()),
    ],
)
def test_one_child(one: GroupResult, cell: Cell) -> None:
    found = roll_up([([result(one)], {"clinic": NORTH})], YEAR, JUNE)
    assert (found.persons, found.rates[0].total, dict(found.rates[0].strata["clinic"])) == (1, cell, {NORTH: cell})


def test_the_rate_of_a_cell() -> None:
    assert (Cell(5, 1, 4, 3).rate, Cell(5, 5).rate) == (0.75, None)
    assert Cell(1, 0, 1, 1, 1, 0) + Cell(2, 1, 1, 0, 1, 0) == Cell(3, 1, 2, 1, 2, 0)


def test_a_measure_that_failed_on_a_child_is_not_counted_for_it() -> None:
    people = [([result(rate(), measure="a"), result(rate(), measure="b")], {}), ([result(rate(), measure="b")], {})]
    found = roll_up(people, YEAR, JUNE)
    counted = [(one.measure_id, one.total.denominator) for one in found.rates]
    assert (found.persons, counted) == (2, [("a", 1), ("b", 2)])


def test_patterns_tell_rates_apart() -> None:
    """Two visits and three: how many have the one and not the other."""
    people = [
        ([result(rate("two", numerator=1), rate("three", numerator=1))], {}),
        ([result(rate("two", numerator=1), rate("three"))], {}),
        ([result(rate("two", numerator=1), rate("three"))], {}),
    ]
    patterns = roll_up(people, YEAR, JUNE).patterns["m"]
    assert (patterns.groups, sorted(patterns.total.values())) == (("two", "three"), [1, 2])


def test_a_category_is_called_by_a_name_before_a_reference() -> None:
    names = ("Organization/n", "North Clinic", "Clinic North")
    people = [([result(rate())], {"clinic": Category("clinic", "n", name)}) for name in names]
    (category,) = roll_up(people, YEAR, JUNE).rates[0].strata["clinic"]
    assert category.text == "Clinic North"


def test_what_differs_can_not_be_merged() -> None:
    here = Adding(*YEAR, JUNE)
    here.add([result(rate())], {})
    other = Adding(*YEAR, JUNE)
    other.add([result(rate("another"))], {})
    with pytest.raises(ValueError, match="measure 'm' has different rates"):
        here.merge(other)
    with pytest.raises(ValueError, match="different periods or days"):
        here.merge(Adding(*YEAR, date(2026, 6, 2)))


rates = st.builds(
    rate,
    st.just("g"),
    st.sampled_from([None, PAST, AHEAD]),
    numerator=st.integers(0, 1),
    denominator_exclusion=st.integers(0, 1),
)
people = st.lists(st.tuples(rates, st.sampled_from([NORTH, SOUTH])))


@given(people, st.integers(0, 20))
def test_in_pieces_or_at_once(children: list[tuple[GroupResult, Category]], at: int) -> None:
    """What two processes counted is what one would have; each dimension adds up to the whole; tallies agree."""

    def added(some: list[tuple[GroupResult, Category]]) -> Adding:
        adding = Adding(*YEAR, JUNE)
        for one, clinic in some:
            adding.add([result(one)], {"clinic": clinic})
        return adding

    pieces = added(children[:at])
    pieces.merge(added(children[at:]))
    whole: Rollup = added(children).rollup()
    assert pieces.rollup() == whole
    tally = Tally()
    for one, _ in children:
        tally.add(result(one))
    for found in whole.rates:
        assert sum(found.strata["clinic"].values(), Cell()) == found.total
        same = tally.rates["m", "g"]
        assert found.total == Cell(
            same.initial_population,
            same.excluded,
            same.denominator,
            same.numerator,
            same.final_denominator,
            same.final_numerator,
        )
