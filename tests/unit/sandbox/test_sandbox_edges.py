"""The edges of every rule are met: doses, tests and services on the deciding day, the day before and the day after."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from gapsvc.sandbox import Disorder, Population, generate
from gapsvc.sandbox.days import add_days, add_months, add_years
from gapsvc.sandbox.plan import ChildPlan
from gapsvc.sandbox.products import PRODUCTS
from gapsvc.sandbox.service_codes import SERVICES, Kind

AS_OF = date(2026, 11, 22)


@pytest.fixture(scope="module")
def population() -> Population:
    return generate(1, 3000, AS_OF, Disorder.only("edge_days"))


def dose_days(*antigens: str) -> Callable[[ChildPlan], set[date]]:
    return lambda child: {dose.on for dose in child.doses if set(antigens) & set(PRODUCTS[dose.product].antigens)}


def service_days(kind: Kind) -> Callable[[ChildPlan], set[date]]:
    return lambda child: {one.on for one in child.services if SERVICES[one.code].kind is kind}


LEAD, SCREEN, FLUORIDE = (service_days(kind) for kind in (Kind.LEAD, Kind.SCREEN, Kind.FLUORIDE))


@pytest.mark.parametrize(
    ("days", "edge"),
    [
        (dose_days("DTaP", "IPV", "Hib", "PCV", "RV"), lambda birth: add_days(birth, 42)),
        (dose_days("Flu"), lambda birth: add_days(birth, 180)),
        (dose_days("MMR", "VAR", "HepA"), lambda birth: add_years(birth, 1)),
        (dose_days("MMR", "VAR", "HepA"), lambda birth: add_years(birth, 2)),
        (dose_days("DTaP", "PCV", "HepB"), lambda birth: add_years(birth, 2)),
        (dose_days("HPV"), lambda birth: add_years(birth, 9)),
        (dose_days("MenACWY", "Tdap"), lambda birth: add_years(birth, 10)),
        (dose_days("MenACWY", "Tdap", "HPV"), lambda birth: add_years(birth, 13)),
        (LEAD, lambda birth: add_years(birth, 2)),
        (LEAD, lambda birth: add_days(add_years(birth, 1), -30)),
        (LEAD, lambda birth: add_days(add_years(birth, 2), -30)),
        (LEAD, lambda birth: add_months(add_years(birth, 2), 3)),
        (SCREEN, lambda birth: add_years(birth, 1)),
        (SCREEN, lambda birth: add_years(birth, 2)),
        (SCREEN, lambda birth: add_years(birth, 3)),
        (FLUORIDE, lambda _birth: date(2026, 1, 1)),
        (FLUORIDE, lambda _birth: date(2025, 1, 1)),
    ],
)
def test_something_lies_on_the_edge_and_on_each_side_of_it(
    population: Population, days: Callable[[ChildPlan], set[date]], edge: Callable[[date], date]
) -> None:
    met = {
        offset
        for child in population.children
        for offset in (-1, 0, 1)
        if edge(child.birth) + timedelta(days=offset) in days(child)
    }
    assert met == {-1, 0, 1}


def test_two_doses_of_hpv_are_145_146_and_147_days_apart(population: Population) -> None:
    apart: set[int] = set()
    for child in population.children:
        hpv = sorted(dose_days("HPV")(child))
        apart |= {(late - early).days for early in hpv for late in hpv}
    assert {145, 146, 147} <= apart
