"""A planted disparity is found: sandbox populations whose true rates by race are known, from FHIR to the report.

45 % of Black and 75 % of White children complete their care, without any disorder that hides it. Seeds are fixed, so
each run is the same. A 95 % interval may miss one time in twenty. Over 20 seeds of 1,500 children, with a gap of 15
points, 155 of 160 intervals held it (docs/equity.md); here one of nine may miss, and of all seeds together none does.
"""

from datetime import date
from fractions import Fraction

import pytest

from gapsvc.equity.report import Asked, EquityReport, report
from gapsvc.evaluation.catalogue import evaluators
from gapsvc.evaluation.disparity import Disparity as Compared
from gapsvc.evaluation.rollup import Adding
from gapsvc.evaluation.strata import StrataContext, strata_of
from gapsvc.records.assemble import Sourced
from gapsvc.records.population import population
from gapsvc.sandbox import Disorder, Disparity, generate

BLACK, WHITE = 0.45, 0.75
YEAR, AS_OF = (date(2026, 1, 1), date(2026, 12, 31)), date(2027, 1, 1)
RATES = (("three-by-120", "three-visits"), ("w30", "first-15-months"), ("wcv", "total"))
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def added() -> list[Adding]:
    """The counts of each seed's population."""
    planted = Disparity({"Black or African American": BLACK, "White": WHITE})
    prepared = [one.on(*YEAR, AS_OF) for one in evaluators([measure for measure, _ in RATES]).values()]
    found: list[Adding] = []
    for seed in SEEDS:
        resources = generate(seed, 600, AS_OF, Disorder.none(), YEAR, disparity=planted).resources()
        adding = Adding(*YEAR, AS_OF)
        for record in population([Sourced("sandbox", resource) for resource in resources]):
            strata = strata_of(record, StrataContext(AS_OF), ["race"])
            adding.add([each.evaluate(record) for each in prepared], strata)
        found.append(adding)
    return found


def black(found: EquityReport, measure: str, rate: str) -> Compared:
    (one,) = [one for one in found.rates if (one.measure_id, one.group_id) == (measure, rate)]
    return next(
        group for group in one.compared.groups if group.figure.category and group.figure.category.code == "2054-5"
    )


ASKED = Asked(reference="white", suppress_below=None)


def test_the_interval_of_each_population_holds_the_planted_gap(added: list[Adding]) -> None:
    held: list[bool] = []
    for adding in added:
        found = report(adding.rollup(), ASKED)
        for rate in RATES:
            gap = black(found, *rate).gap
            assert gap is not None
            held.append(WHITE - BLACK in gap.interval)
    assert (len(held), sum(held) >= 8) == (9, True)


def test_all_populations_together_show_the_gap_and_the_rates_planted(added: list[Adding]) -> None:
    together = Adding(*YEAR, AS_OF)
    for adding in added:
        together.merge(adding)
    found = report(together.rollup(), ASKED)
    for rate in RATES:
        one = black(found, *rate)
        assert one.gap is not None and one.interval is not None and one.figure.found is not None
        assert WHITE - BLACK in one.gap.interval
        assert BLACK in one.interval
        assert (one.gap.is_shown, one.gap.points > 0) == (True, True)
        # As many more as are named bring Black children level with White children.
        level = Fraction(one.figure.found.numerator + one.gap.more, one.figure.found.denominator)
        assert 0 <= level - (one.figure.found.rate + one.gap.points) < Fraction(1, one.figure.found.denominator)
