"""Everything that is wrong with a brought measure is said at once: no kind of mistake hides another."""

from typing import Any

import pytest
from bring_examples import (
    BASE,
    PROPORTION,
    VISITS_CQL,
    WELL_VISIT,
    criteria,
    group,
    library,
    measure,
    observation,
    problems,
)

ME = "entry[0]: Measure/visits"
NO_SUCH_NAME = VISITS_CQL.replace("""define "Nobody": false""", """define "Nobody": Nowhere""")
NO_SYNTAX = VISITS_CQL.replace("""define "Nobody": false""", """define "Nobody": false and""")
LOST_DECLARATION = VISITS_CQL.replace("""valueset "Well Visit":""", """valueset "Well Visit":: """)
POPULATIONS = {"initial-population": "Born By Then", "denominator": "No Such Thing", "numerator": "Visit Count"}


def wrong(made: dict[str, Any], cql: str, *more: Any) -> list[str]:
    return [text.removeprefix(f"{ME}: ") for text in problems(made, library(cql), *more)]


@pytest.mark.parametrize(
    ("cql", "mistake"),
    [
        (NO_SUCH_NAME, 'Visits:18:18: nothing is named "Nowhere" here'),
        (NO_SYNTAX, "Visits:19:1: unexpected keyword 'define'"),
    ],
)
def test_an_error_in_the_cql_hides_no_population(cql: str, mistake: str) -> None:
    assert wrong(measure("proportion", group("rate", POPULATIONS)), cql, WELL_VISIT) == [
        mistake,
        "group 'rate', population 'denominator': library Visits has no define \"No Such Thing\"",
        "group 'rate', population 'numerator': define \"Visit Count\" is a System.Integer; "
        "the population basis boolean asks for a Boolean",
    ]


def test_a_define_that_can_not_be_read_is_not_said_to_be_missing() -> None:
    made = measure("proportion", group("rate", {**POPULATIONS, "denominator": "Nobody", "numerator": "Has Well"}))
    for cql, mistake in (
        (NO_SYNTAX, "Visits:19:1: unexpected keyword 'define'"),
        (NO_SUCH_NAME, 'Visits:18:18: nothing is named "Nowhere" here'),
    ):
        assert wrong(made, cql, WELL_VISIT) == [mistake]


def test_a_lost_declaration_hides_only_what_depends_on_it() -> None:
    """The text's defines are not known then; a name that stands nowhere in it is surely none of them."""
    found = wrong(measure("proportion", group("rate", POPULATIONS)), LOST_DECLARATION, WELL_VISIT)
    assert found[0].startswith("Visits:4:")
    assert found[-1] == (
        "group 'rate', population 'denominator': library of the measure has no define \"No Such Thing\""
    )


def test_an_error_in_the_cql_hides_no_value_set_that_is_missing() -> None:
    found = wrong(measure("proportion", PROPORTION), NO_SUCH_NAME)
    assert found[0] == 'Visits:18:18: nothing is named "Nowhere" here'
    assert len(found) == 2
    assert f"{BASE}/ValueSet/well-visit" in found[1]


def test_a_missing_population_hides_no_value_set_that_is_missing() -> None:
    rate = group("rate", {**POPULATIONS, "numerator": "Has Well"})
    found = wrong(measure("proportion", rate), VISITS_CQL)
    assert found[0] == "group 'rate', population 'denominator': library Visits has no define \"No Such Thing\""
    assert len(found) == 2
    assert f"{BASE}/ValueSet/well-visit" in found[1]


def test_a_missing_include_hides_neither_populations_nor_observations_nor_strata() -> None:
    cql = VISITS_CQL.replace("codesystem", "include Common version '3' called Common\ncodesystem", 1)
    rate = group(
        "rate",
        {"initial-population": "Visits", "measure-population": "Visit List"},
        observation("Length", "sum", "measure-population"),
        stratifier=[{"id": "by", "criteria": criteria("Kind Of Visit")}],
    )
    extra = {"supplementalData": [{"id": "sde", "criteria": criteria("Not There")}]}
    assert wrong(measure("continuous-variable", rate, basis="Encounter", **extra), cql, WELL_VISIT) == [
        "Visits:3:1: library Common version 3 is not there",
        "group 'rate', population 'measure-population': library Visits has no define \"Visit List\"",
        "group 'rate', population 'observation-1': the library has no function of one Encounter \"Length\" "
        "(by that name it has 0 of other operands)",
        "group 'rate', stratifier 'by': the library has no define \"Kind Of Visit\", and no function "
        '"Kind Of Visit" of one Encounter',
        "supplemental data 'sde': library Visits has no define \"Not There\"",
    ]


def test_a_missing_library_hides_nothing_that_the_measure_itself_says_wrong() -> None:
    rate = group("rate", {"initial-population": "Born By Then", "numerator": "Has Well", "flavour": "Nobody"})
    made = measure("proportion", rate, library=[f"{BASE}/Library/Other|1.0.0"])
    found = wrong(made, VISITS_CQL, WELL_VISIT)
    assert found[0].startswith(f"its Library {BASE}/Library/Other|1.0.0 is missing")
    assert found[1].startswith("group 'rate', population 'flavour': 'flavour' is no population")
    assert found[2] == "group 'rate': a proportion measure needs a denominator"
    assert len(found) == 3
