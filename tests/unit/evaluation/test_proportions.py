"""Rates, their intervals and what a target asks for: published examples, and properties for any counts."""

import math
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gapsvc.evaluation.proportions import (
    Interval,
    Proportion,
    difference_of_differences,
    newcombe,
    ratio,
    short_by,
    wilson,
)


@st.composite
def proportions(draw: st.DrawFn, largest: int = 400) -> Proportion:
    denominator = draw(st.integers(1, largest))
    return Proportion(draw(st.integers(0, denominator)), denominator)


# ---- published examples


@pytest.mark.parametrize(
    ("met", "of", "low", "high"),
    [
        # Newcombe 1998, Stat Med 17:857, table I, method 3 (score, no continuity correction)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_as_newcombe_tabulates_it(met: int, of: int, low: float, high: float) -> None:
    found = wilson(Proportion(met, of))
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        # Newcombe 1998, Stat Med 17:873, table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_of_a_difference_as_newcombe_tabulates_it(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    found = newcombe(Proportion(*first), Proportion(*second))
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_a_difference_of_differences_adds_the_four_margins_in_squares() -> None:
    # By hand: 0.10 (0.06 to 0.14) now, 0.20 (0.17 to 0.23) before: -0.10 with a margin of sqrt(0.04² + 0.03²) = 0.05.
    found = difference_of_differences(Fraction("0.10"), Interval(0.06, 0.14), Fraction("0.20"), Interval(0.17, 0.23))
    assert (round(found.low, 12), round(found.high, 12)) == (-0.15, -0.05)


# ---- properties


@given(proportions())
def test_the_interval_holds_the_rate_and_lies_between_none_and_all(found: Proportion) -> None:
    interval = wilson(found)
    assert 0 <= interval.low <= found.rate <= interval.high <= 1


@given(proportions())
def test_the_interval_of_those_not_met_is_its_mirror(found: Proportion) -> None:
    interval, mirrored = wilson(found), wilson(Proportion(found.denominator - found.numerator, found.denominator))
    assert interval.low == pytest.approx(1 - mirrored.high, abs=1e-12)
    assert interval.high == pytest.approx(1 - mirrored.low, abs=1e-12)


@given(proportions())
def test_more_confidence_is_a_wider_interval(found: Proportion) -> None:
    narrow, wide = wilson(found, 0.8), wilson(found, 0.99)
    assert wide.low <= narrow.low and narrow.high <= wide.high


@given(proportions(), proportions())
def test_a_difference_lies_in_its_interval_and_turned_round_it_is_the_mirror(a: Proportion, b: Proportion) -> None:
    interval, turned = newcombe(a, b), newcombe(b, a).negated
    assert -1 <= interval.low <= float(a.rate) - float(b.rate) <= interval.high <= 1
    assert (interval.low, interval.high) == pytest.approx((turned.low, turned.high), abs=1e-12)


targets = st.fractions(0, 1, max_denominator=10_000)


@given(proportions(), targets)
def test_what_is_needed_reaches_the_target_and_one_less_does_not(found: Proportion, target: Fraction) -> None:
    needed = short_by(found, target)
    least = found.numerator + needed
    assert 0 <= least <= found.denominator
    assert Fraction(least, found.denominator) >= target
    assert least == 0 or Fraction(least - 1, found.denominator) < target


@given(proportions(), targets)
def test_one_more_met_is_one_fewer_needed(found: Proportion, target: Fraction) -> None:
    if found.numerator < found.denominator:
        more = Proportion(found.numerator + 1, found.denominator)
        assert short_by(more, target) == short_by(found, target) - 1


def test_exactly_at_the_target_nobody_is_needed() -> None:
    assert short_by(Proportion(6038, 10_000), Fraction("0.6038")) == 0
    assert short_by(Proportion(6037, 10_000), Fraction("0.6038")) == 1
    assert short_by(Proportion(6040, 10_000), Fraction("0.6038")) == -2
    # In floats 0.07 * 100 is more than 7: one child too many would be asked for.
    assert short_by(Proportion(0, 100), Fraction("0.07")) == 7


# ---- what is refused


@pytest.mark.parametrize(("met", "of"), [(0, 0), (1, 0), (-1, 3), (4, 3)])
def test_what_is_no_proportion_is_refused(met: int, of: int) -> None:
    with pytest.raises(ValueError, match=r"expected"):
        Proportion(met, of)


def test_a_target_beyond_everybody_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no rate can reach 101.00%"):
        short_by(Proportion(1, 2), Fraction(101, 100))


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_that_is_none_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        wilson(Proportion(1, 2), level)


@pytest.mark.parametrize(("first", "second"), [((6000, 10000), (8000, 10000)), ((300, 9000), (900, 12000))])
def test_the_interval_of_a_ratio_of_many_is_that_of_its_logarithm(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    """D. Katz and others, Biometrics 34 (1978) 469: exp(log ratio -+ z sqrt(1/x1 - 1/n1 + 1/x2 - 1/n2))."""
    (x1, n1), (x2, n2) = first, second
    middle, half = x1 / n1 / (x2 / n2), 1.959964 * math.sqrt(1 / x1 - 1 / n1 + 1 / x2 - 1 / n2)
    found = ratio(Proportion(*first), Proportion(*second))
    assert [found.low, found.high] == pytest.approx([middle * math.exp(-half), middle * math.exp(half)], rel=0.005)


@given(
    st.integers(1, 60).flatmap(lambda of: st.builds(Proportion, st.integers(0, of), st.just(of))),
    st.integers(1, 60).flatmap(lambda of: st.builds(Proportion, st.integers(0, of), st.just(of))),
)
def test_a_ratio_holds_1_where_the_difference_holds_0(first: Proportion, second: Proportion) -> None:
    found, difference = ratio(first, second), newcombe(first, second)
    assert 0 <= found.low <= found.high
    if second.numerator:
        assert found.low - 1e-9 <= float(first.rate / second.rate) <= found.high + 1e-9
    assume(min(abs(difference.low), abs(difference.high)) > 1e-9)
    assert (1 in found) == (0 in difference)


def test_a_ratio_to_nobody_has_no_upper_end() -> None:
    assert ratio(Proportion(5, 20), Proportion(0, 10)).high == math.inf
    assert ratio(Proportion(0, 20), Proportion(8, 10)).low == 0.0
