"""Roll-ups of what the store holds: rates by stratum, the same as counting the results themselves."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from result_examples import JUNE, W30, YEAR, result
from store_examples import batch, encounter, patient, written

from gapsvc.evaluation.result import GapStatus
from gapsvc.evaluation.rollup import Category, Cell, roll_up
from gapsvc.evaluation.strata import StrataContext, strata_of
from gapsvc.store import Store

GROUP = SimpleNamespace(id="first-15-months", title="six visits")
MEASURE: Any = SimpleNamespace(id="w30", url=W30, groups=(GROUP,))
NORTH, SOUTH = ({"managingOrganization": {"reference": f"Organization/{name}"}} for name in ("north", "south"))
CONTEXT = StrataContext(JUNE, names={"Organization/north": "North Clinic"})


@pytest.fixture
def clinic(store: Store) -> Store:
    organizations = [{"resourceType": "Organization", "id": "north", "name": "North Clinic"}]
    people = [patient("p1", **NORTH), patient("p2", **NORTH), patient("p3", **SOUTH), patient("p4"), patient("p5")]
    visit = encounter("e1", "p4", serviceProvider={"reference": "Organization/south", "display": "South Clinic"})
    written(store, batch("Organization", *organizations), batch("Patient", *people), batch("Encounter", visit))
    store.save_results(
        [
            result("p1", GapStatus.CLOSED, numerator=1),
            result("p2"),
            result("p3", GapStatus.CLOSED, numerator=1),
            result("p4", GapStatus.CLOSED, excluded=1),
            result("p5", GapStatus.NOT_APPLICABLE),
        ]
    )
    return store


def test_a_rate_by_clinic(clinic: Store) -> None:
    """p4's chart names no clinic: the visit does. p5 is in no population, and is counted among the persons."""
    found = clinic.rollup([MEASURE], YEAR, CONTEXT, ["clinic"])
    assert (found.period_start, found.period_end, found.as_of, found.persons) == (*YEAR, JUNE, 5)
    (rate,) = found.rates
    assert (rate.measure_id, rate.group_id, rate.title) == ("w30", "first-15-months", "six visits")
    assert rate.total == Cell(initial_population=4, excluded=1, denominator=3, numerator=2)
    assert {one.text: cell for one, cell in rate.strata["clinic"].items()} == {
        "North Clinic": Cell(initial_population=2, denominator=2, numerator=1),
        "South Clinic": Cell(initial_population=2, excluded=1, denominator=1, numerator=1),
        "Unknown": Cell(),
    }


def test_it_is_the_roll_up_of_the_results_themselves(clinic: Store) -> None:
    """Their last day is 1 September: on the next day they are final, though the results were stored in June."""
    context = StrataContext(date(2025, 6, 1), names=CONTEXT.names)
    people = [
        (clinic.results(person_id=record.person_id), strata_of(record, context, ["clinic", "sex*zip"]))
        for record in clinic.records()
    ]
    assert clinic.rollup([MEASURE], YEAR, context, ["clinic", "sex*zip"]) == roll_up(people, YEAR, context.as_of)
    later = clinic.rollup([MEASURE], YEAR, StrataContext(date(2025, 9, 2)), [])
    assert later.rates[0].total == Cell(4, 1, 3, 2, final_denominator=3, final_numerator=2)


def test_of_some_people_and_of_another_period(clinic: Store) -> None:
    some = clinic.rollup([MEASURE], YEAR, CONTEXT, ["clinic"], person_ids={"p1", "p3"})
    assert (some.persons, some.rates[0].total) == (2, Cell(2, 0, 2, 2))
    other = clinic.rollup([MEASURE], (date(2024, 1, 1), date(2024, 12, 31)), CONTEXT, ["clinic"])
    assert (other.persons, other.rates) == (5, ())


def test_a_dimension_that_there_is_not(clinic: Store) -> None:
    with pytest.raises(ValueError, match="there is no dimension 'colour'; there are race, ethnicity"):
        clinic.rollup([MEASURE], YEAR, CONTEXT, ["colour"])


def test_names_of_organizations(clinic: Store) -> None:
    assert dict(clinic.organization_names()) == {"Organization/north": "North Clinic"}


def test_two_names_of_one_clinic_are_one_category() -> None:
    assert Category("clinic", "7", "Clinic Seven") == Category("clinic", "7", "clinic seven, Main St")
