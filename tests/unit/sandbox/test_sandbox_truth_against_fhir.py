"""The truth, made from plans, agrees for every child with a naive reading of the FHIR that was rendered."""

from datetime import date

import pytest
from naive_reading import Reading

from gapsvc.sandbox import Disorder, generate

MIDSUMMER = date(2026, 7, 4)
OF_VISITS = ("three-by-120", "w30", "wcv")
YEARLY = ("3-11-years", "12-17-years", "18-21-years", "total")


@pytest.mark.parametrize(
    ("seed", "as_of", "period", "disorder"),
    [
        (7, date(2026, 11, 22), None, Disorder.all()),
        (1, date(2024, 2, 29), None, Disorder.all()),
        (2, date(2026, 1, 1), None, Disorder.all()),
        (3, date(2025, 12, 31), None, Disorder.all()),
        (4, date(2026, 11, 22), (date(2025, 1, 1), date(2025, 12, 31)), Disorder.all()),
        (5, date(2026, 11, 22), (date(2027, 1, 1), date(2027, 12, 31)), Disorder.all()),
        (6, date(2026, 11, 22), (date(2026, 4, 1), date(2026, 6, 30)), Disorder.all()),
        (8, MIDSUMMER, None, Disorder.none()),
        *((9, MIDSUMMER, None, Disorder.only(name)) for name in Disorder.names()),
    ],
)
def test_truth_is_what_a_reader_of_the_fhir_finds(
    seed: int, as_of: date, period: tuple[date, date] | None, disorder: Disorder
) -> None:
    size = 250 if disorder == Disorder.all() else 120
    population = generate(seed, size, as_of, disorder, period)
    reading = Reading(population.resources())
    lines = list(population.truth())
    assert len(lines) == size
    assert {line["person"] for line in lines} == {p for p in reading.persons if not p.startswith("mother-")}
    for line in lines:
        assert line["patients"] == reading.persons[line["person"]]
        answers = reading.answer(line["person"], as_of, population.frame.period)
        for group, told in ((g, rate) for name in OF_VISITS for g, rate in line["measures"][name].items()):
            read = answers[group]
            where = (line["person"], group)
            assert told["status"] == read["status"], where
            assert told["populations"]["initial-population"] == read["population"], where
            if not read["population"]:
                continue
            assert told["populations"]["denominator-exclusion"] == read["excluded"], where
            assert told["populations"]["numerator"] == read["numerator"], where
            assert (told["done"], told["counted"]) == (read["done"], read["counted"]), where
            in_record = {ref: why for ref, why in told["discounted"].items() if why != "under-mother"}
            assert in_record == {
                ref: why for ref, why in read["reasons"].items() if "-s" not in ref and ref in told["discounted"]
            }, where
            elsewhere = set(told["discounted"]) - set(in_record)
            assert not elsewhere & {*read["counted"], *read["reasons"]}, where
            unsaid = set(read["reasons"]) - set(in_record)
            if group not in YEARLY:  # these name what is older than a year before the period no more
                assert {read["reasons"][ref] for ref in unsaid} <= {"not-a-well-visit"}, where
            if "outlook" in read:
                assert (told["outlook"], told["due_from"], told["last_day"]) == (
                    read["outlook"],
                    read["due_from"],
                    read["last_day"],
                ), where
