"""Scores from counts and observations: by hand for each aggregate, and what holds whatever the numbers."""

from decimal import Decimal
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapsvc.evaluation.result import Observations
from gapsvc.evaluation.scoring import DifferentUnits, aggregate, rounded, score, together

numbers = st.lists(st.decimals(-(10**12), 10**12, places=4), min_size=1, max_size=12)


def observed(kind: str, *values: str | int | Decimal, of: str = "measure-population") -> Observations:
    return Observations(of, kind, tuple(Decimal(value) for value in values))


@pytest.mark.parametrize(
    ("scoring", "populations", "expected"),
    [
        ("proportion", {"denominator": 3, "numerator": 1}, "0.33333333"),
        ("proportion", {"denominator": 3, "denominator-exclusion": 1, "denominator-exception": 1, "numerator": 1}, "1"),
        ("proportion", {"denominator": 2, "numerator": 2, "numerator-exclusion": 1}, "0.5"),
        ("proportion", {"denominator": 1, "denominator-exclusion": 1, "numerator": 0}, None),
        ("proportion", {}, None),
        ("ratio", {"denominator": 2, "numerator": 5}, "2.5"),
        ("cohort", {"initial-population": 4}, None),
    ],
)
def test_scores_of_counts(scoring: str, populations: dict[str, int], expected: str | None) -> None:
    assert score(scoring, populations) == (None if expected is None else Decimal(expected))


def test_a_ratio_of_observations() -> None:
    parts = [observed("sum", 3, 4, of="numerator"), observed("count", 9, 9, of="denominator")]
    assert score("ratio", {"denominator": 99, "numerator": 99}, parts) == Decimal("3.5")
    nothing = [observed("sum", 3, of="numerator"), observed("sum", of="denominator")]
    assert score("ratio", {}, nothing) is None
    unknown = [observed("median", of="numerator"), observed("sum", 3, of="denominator")]
    assert score("ratio", {}, unknown) is None


@given(numbers)
def test_aggregates_are_those_of_the_textbook(values: list[Decimal]) -> None:
    found = {kind: aggregate(observed(kind, *values)) for kind in ("count", "sum", "minimum", "maximum", "median")}
    assert found == {
        "count": len(values),
        "sum": sum(values),
        "minimum": min(values),
        "maximum": max(values),
        "median": rounded(Decimal(median(values))),
    }
    average = aggregate(observed("average", *values))
    assert average is not None
    assert abs(average * len(values) - sum(values)) <= Decimal("1e-7") * len(values)


@given(numbers, st.randoms())
def test_the_order_of_people_does_not_matter(values: list[Decimal], random: "st.DataObject") -> None:
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for kind in ("sum", "average", "median"):
        assert aggregate(observed(kind, *values)) == aggregate(observed(kind, *shuffled))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1.000", "1"), ("0", "0"), ("1E+3", "1000"), ("0.123456785", "0.12345679"), ("-2.50", "-2.5")],
)
def test_scores_are_written_plainly(value: str, expected: str) -> None:
    assert str(rounded(Decimal(value))) == expected


def test_the_largest_cql_decimal_can_be_scored() -> None:
    largest = Decimal("99999999999999999999.99999999")
    assert aggregate(observed("maximum", largest)) == largest


def test_units_are_not_mixed() -> None:
    minutes = Observations("numerator", "sum", (Decimal(1),), "min")
    hours = Observations("numerator", "sum", (Decimal(1),), "h")
    nothing = Observations("numerator", "sum", ())
    assert together([nothing, minutes]) == minutes
    with pytest.raises(DifferentUnits, match="observations of the numerator are in several units: h, min"):
        together([minutes, hours])
