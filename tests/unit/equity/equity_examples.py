"""Roll-ups for the tests of equity: one measure of visits, made by hand."""

from collections.abc import Mapping
from datetime import date

from gapsvc.evaluation.rollup import (
    Adding,
    Category,
    Rollup,
    bits,
)

BLACK = Category("race", "2054-5", "Black or African American", "direct")
WHITE = Category("race", "2106-3", "White", "direct")
WHITE_IMPUTED = Category("race", "2106-3", "White", "imputed")
ASIAN = Category("race", "2028-9", "Asian", "direct")
UNKNOWN = Category("race", "UNK", "Unknown")
YEAR = (date(2026, 1, 1), date(2026, 12, 31))
LAST_YEAR = (date(2025, 1, 1), date(2025, 12, 31))
AS_OF = date(2026, 11, 22)


def rollup(
    groups: Mapping[Category, tuple[int, int]],
    *,
    period: tuple[date, date] = YEAR,
    as_of: date = AS_OF,
    final: bool = True,
    measure: str = "w30",
    rate: str = "first-15-months",
) -> Rollup:
    """A roll-up of one rate from (met, of) by category; all results final, or none."""
    adding = Adding(*period, as_of)
    for category, (met, of) in groups.items():
        for number in range(of):
            adding.persons += 1
            flags = bits(initial=True, excluded=False, denominator=True, numerator=number < met, final=final)
            adding.count(measure, {rate: "Six or more visits"}, [flags], {"race": category})
    return adding.rollup()
