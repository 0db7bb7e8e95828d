"""Strata against the sandbox, which knows what it wrote: race of every child, told or not, imputed or not."""

from collections import Counter
from datetime import date

from gapsvc.evaluation.strata import StrataContext, strata_of
from gapsvc.records.assemble import Sourced
from gapsvc.records.population import population
from gapsvc.sandbox import generate

AS_OF = date(2026, 11, 22)
NAMES = {"Other Race": "Some other race", "Two or More Races": "Two or more races"}


def test_race_is_what_the_sandbox_says() -> None:
    made = generate(seed=11, size=800, as_of=AS_OF)
    records = {one.person_id: one for one in population(Sourced("sandbox", one) for one in made.resources())}
    seen: Counter[str] = Counter()
    for child in made.truth():
        found = strata_of(records[child["person"]], StrataContext(AS_OF), ["race"])["race"]
        told, imputed = child["race_said"], child["race_imputed"]
        if told == "direct":
            expected = (NAMES.get(child["race"], child["race"]), "direct")
        elif told == "declined":
            expected = ("Asked but no answer", "direct")
        elif imputed is not None:
            expected = (NAMES.get(imputed, imputed), "imputed")
        else:
            expected = ("Unknown", "")
        assert (found.text, found.source) == expected, child["person"]
        seen[told if expected[1] != "imputed" else "imputed"] += 1
    assert seen.keys() == {"direct", "declined", "unknown", "silent", "imputed"}, seen
