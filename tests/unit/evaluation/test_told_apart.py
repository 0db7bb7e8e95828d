"""A person's result with a stratifier for each dimension, and what categories are called in it."""

from dataclasses import replace
from datetime import date

from gapsvc.evaluation.result import (
    Basis,
    Coding,
    GapRecord,
    GapStatus,
    GroupResult,
    Label,
    MeasureResult,
    Outlook,
    StratifierResult,
    Stratum,
)
from gapsvc.evaluation.rollup import Adding, Category, named_apart
from gapsvc.evaluation.stratified import told_apart

CDC = "urn:oid:2.16.840.1.113883.6.238"
BLACK = Category("race", "2054-5", "Black", "direct", Coding(CDC, "2054-5", "Black"))
IMPUTED = replace(BLACK, source="imputed")
GIRL = Category("sex", "female", "Female")
POPULATIONS = {"initial-population": 1, "denominator": 1, "numerator": 0}
GAP = GapRecord(
    GapStatus.OPEN, None, None, None, None, None, None, Outlook.AT_RISK, (), (), (), None, Basis("u|1", "s", None, {})
)


def result(*own: StratifierResult) -> MeasureResult:
    return MeasureResult(
        "Patient/1", "m", "u", "1", "Title", "proportion", "increase", date(2026, 1, 1), date(2026, 12, 31),
        date(2026, 6, 1), (GroupResult("g", "Group", POPULATIONS, GAP, stratifiers=own),), {},
    )  # fmt: skip


def test_a_person_is_in_one_stratum_of_each_dimension() -> None:
    crossed = Category("race*sex", "2054-5*female", "Black / Female", parts=(BLACK, GIRL))
    (group,) = told_apart(result(), {"race": BLACK, "race*sex": crossed}).groups
    race, both = group.stratifiers
    assert (race.id, [one.text for one in race.codes], race.has_components) == ("race", ["Race"], False)
    assert race.strata == (Stratum((Label("Black", BLACK.coding),), POPULATIONS),)
    assert (both.id, both.has_components) == ("race-by-sex", True)
    assert [label.text for label in both.strata[0].values] == ["Black", "Female"]


def test_what_is_imputed_is_in_words_alone() -> None:
    (group,) = told_apart(result(), {"race": IMPUTED}).groups
    assert group.stratifiers[0].strata[0].values == (Label("Black (imputed)"),)


def test_a_stratifier_of_the_measure_keeps_its_name() -> None:
    own = StratifierResult("race", (Label("Race, as the payer has it"),), False, ())
    (group,) = told_apart(result(own), {"race": BLACK}).groups
    assert [one.id for one in group.stratifiers] == ["race", "by-race"]
    assert group.stratifiers[0] is own


def test_two_clinics_of_one_name_are_two_and_one_of_two_names_is_one() -> None:
    north, other_north = Category("clinic", "7", "North"), Category("clinic", "8", "North")
    said_otherwise, south = Category("clinic", "7", "North Side"), Category("clinic", "9", "South")
    found = named_apart([north, other_north, said_otherwise, south])
    assert {one.code: named.text for one, named in found.items()} == {"7": "North (7)", "8": "North (8)", "9": "South"}


def test_the_parts_of_a_pair_are_named_apart_too() -> None:
    pairs = [
        Category("clinic*sex", f"{code}*female", "North / Female", parts=(Category("clinic", code, "North"), GIRL))
        for code in "78"
    ]
    found = named_apart(pairs)
    assert [found[one].text for one in pairs] == ["North (7) / Female", "North (8) / Female"]
    assert [found[one].parts[0].text for one in pairs] == ["North (7)", "North (8)"]
    assert named_apart([]) == {}


def test_a_roll_up_names_two_clinics_of_one_name_apart() -> None:
    adding = Adding(date(2026, 1, 1), date(2026, 12, 31), date(2026, 6, 1))
    for code in "78":
        adding.add([result()], {"clinic": Category("clinic", code, "North")})
    (rate,) = adding.rollup().rates
    assert [one.text for one in rate.strata["clinic"]] == ["North (7)", "North (8)"]
