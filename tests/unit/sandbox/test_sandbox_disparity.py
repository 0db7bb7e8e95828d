"""A planted disparity is the true rate of each race, in every rate that the manifest names."""

from datetime import date
from pathlib import Path

import pytest

from gapsvc.sandbox import Disorder, Disparity, Population, generate, write
from gapsvc.sandbox.disparity import RATES
from gapsvc.sandbox.people import RACES

YEAR_2026 = (date(2026, 1, 1), date(2026, 12, 31))
PLANTED = Disparity.parse("black=0.40, white=0.70, usual=0.55")


@pytest.fixture(scope="module")
def population() -> Population:
    return generate(1, 3000, date(2027, 6, 30), Disorder.none(), YEAR_2026, disparity=PLANTED)


@pytest.mark.parametrize("measure", RATES)
def test_a_child_is_in_the_numerator_if_and_only_if_it_was_dealt_to_complete(
    population: Population, measure: str
) -> None:
    seen = 0
    for line in population.truth():
        for group in RATES[measure]:
            found = line["measures"][measure][group]["populations"]
            if found["denominator"]:
                assert found["numerator"] == line["completes"], (line["person"], group)
                seen += 1
    assert seen > 250


def test_the_share_that_completes_is_that_of_the_race_at_every_age(population: Population) -> None:
    by_race: dict[str, list[tuple[str, bool]]] = {}
    for line in population.truth():
        by_race.setdefault(line["race"], []).append((line["birth_date"], line["completes"]))
    assert set(by_race) == set(RACES)
    for race, children in by_race.items():
        completed = [completes for _, completes in sorted(children)]
        chance = PLANTED.chance(race)
        for part in (completed, completed[: len(completed) // 2], completed[len(completed) // 3 :]):
            assert abs(sum(part) - chance * len(part)) <= 2, race


def test_with_disorder_nobody_completes_who_was_not_dealt_to() -> None:
    """Of visits; what disorder takes away lowers the rates below the planted chance."""
    for line in generate(2, 800, date(2026, 11, 22), disparity=PLANTED).truth():
        if not line["completes"]:
            met = [
                group
                for measure in ("three-by-120", "w30", "wcv")
                for group, rate in line["measures"][measure].items()
                if rate["populations"]["numerator"]
            ]
            assert met == [], line["person"]


def test_the_manifest_states_the_chance_of_every_race(tmp_path: Path) -> None:
    population = generate(1, 5, date(2026, 11, 22), disparity=Disparity.parse("black=0.15"))
    stated = write(population, tmp_path)["disparity"]
    assert stated["completion"] == {race: 0.15 if race.startswith("Black") else 0.6 for race in RACES}
    assert stated["rates"]["w30"] == ["first-15-months", "15-30-months"]
    assert write(generate(1, 5, date(2026, 11, 22)), tmp_path)["disparity"] is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("blck=0.4", "no race is called 'blck'; did you mean 'black'"),
        ("zzz=0.4", "no race is called 'zzz'; known: usual, black"),
        ("black", "'black' is not of the form black=0.45"),
        ("black=half", "'black=half' is not of the form black=0.45"),
        ("black=1.5", "a chance lies between 0 and 1; that of Black or African American is 1.5"),
        ("usual=-1", "a chance lies between 0 and 1; that of usual is -1"),
    ],
)
def test_a_disparity_in_wrong_words_says_what_is_wrong(words: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Disparity.parse(words)
