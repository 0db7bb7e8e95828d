"""The invariants that truth rests on hold in every plan, by brute force; and each disorder can be switched."""

from datetime import date, timedelta
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapsvc.sandbox import Disorder, generate
from gapsvc.sandbox.plan import MOTHER, ChildPlan, DoseFlaw, Flaw, Role
from gapsvc.sandbox.population import Population
from gapsvc.sandbox.rates import cohorts

AS_OF = date(2026, 11, 22)
FLAW_OF = {
    "entered_in_error": Flaw.ENTERED_IN_ERROR,
    "telehealth": Flaw.TELEHEALTH,
    "partial_dates": Flaw.IMPRECISE,
    "cancelled_visits": Flaw.NOT_FINISHED,
}


def plus_a_year(birth: date, years: int) -> date:
    leap = (birth.month, birth.day) == (2, 29)
    return date(birth.year + years, birth.month, 28 if leap and (birth.year + years) % 4 else birth.day)


def w30_window(birth: date, on: date) -> int:
    return sum(on > plus_a_year(birth, years) + timedelta(days=days) for years, days in ((1, 90), (2, 180)))


def assert_roles_hold(child: ChildPlan, as_of: date) -> None:
    anchors = [v for v in child.visits if v.role is Role.ANCHOR]
    follow_ups = [v for v in child.visits if v.role is Role.FOLLOW_UP]
    for first, second in combinations(anchors, 2):
        same = w30_window(child.birth, first.on) == w30_window(child.birth, second.on) < 2
        assert abs((second.on - first.on).days) >= (14 if same else 1)
    for extra in follow_ups:
        near = [a for a in anchors if 1 <= (extra.on - a.on).days <= 13]
        assert any(w30_window(child.birth, a.on) == w30_window(child.birth, extra.on) < 2 for a in near)
    counted_days = [v.on for v in (*anchors, *follow_ups)]
    assert len(set(counted_days)) == len(counted_days)
    for copy in (v for v in child.visits if v.role is Role.COPY):
        original = next(a for a in anchors if a.on == copy.on)
        assert original.id < copy.id
        assert original.minute < copy.minute
        assert {original.registration, copy.registration} == {0, 1}
    for visit in child.visits:
        assert (visit.flaw is not None) == (visit.role is Role.FLAWED)
        assert visit.on >= child.birth
        assert visit.on <= min(as_of, child.deceased or as_of) or visit.status == "planned"
        assert visit.registration == MOTHER or visit.registration < len(child.registrations)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**40),
    size=st.integers(1, 120),
    as_of=st.dates(date(2012, 1, 1), date(2040, 12, 31)),
    off=st.sets(st.sampled_from(Disorder.names())),
)
def test_roles_hold_in_every_plan(seed: int, size: int, as_of: date, off: set[str]) -> None:
    population = generate(seed, size, as_of, Disorder.all().without(*off))
    children = list(population.children)
    assert [child.number for child in children] == list(range(1, size + 1))
    for child in children:
        assert not set(child.disorder) & off
        assert child.birth <= as_of
        assert child.person == min(r.patient for r in child.registrations)
        assert_roles_hold(child, as_of)
        for dose in child.doses:
            assert child.birth <= dose.on <= as_of
    for family in population.families:
        for older, younger in pairwise(family.children):
            apart = (younger.birth - older.birth).days
            assert apart > 300 or (apart == 0 and {older.multiple, younger.multiple} == {1, 2})
        assert family.mother.birth <= family.children[0].birth - timedelta(days=18 * 365)


@pytest.fixture(scope="module")
def everything() -> Population:
    return generate(7, 400, AS_OF)


# Lead tests and screens begin at nine months; a yearly visit has its whole year.
LATER = {"missing_results", "autism_screens"}
OF_INFANTS = {"mothers_record", "late_visits", "missing_results", "autism_screens"}


@pytest.mark.parametrize(
    ("rate", "never"),
    [
        ("three-visits", LATER),
        ("first-15-months", set[str]()),
        ("15-30-months", set[str]()),
        ("turns-two", set[str]()),
        ("turns-thirteen", OF_INFANTS),
    ],
)
def test_every_disorder_is_met_inside_every_measured_population(
    everything: Population, rate: str, never: set[str]
) -> None:
    met: set[str] = set()
    for child in everything.children:
        if rate in cohorts(child.birth, everything.frame):
            met |= set(child.disorder)
    assert met >= set(Disorder.names()) - never


def test_every_flaw_of_a_visit_is_met_inside_the_measured_populations(everything: Population) -> None:
    measured = [c for c in everything.children if cohorts(c.birth, everything.frame)]
    assert {v.flaw for c in measured for v in c.visits if v.flaw} == set(Flaw)
    assert {d.flaw for c in measured for d in c.doses if d.flaw} == set(DoseFlaw)
    assert any(c.birth_precision == "month" for c in measured)


@pytest.mark.parametrize("name", Disorder.names())
def test_each_disorder_alone_is_there_and_nothing_else(name: str) -> None:
    population = generate(11, 250, AS_OF, Disorder.only(name))
    found = {kind for child in population.children for kind in child.disorder}
    assert found == {name}
    for child in population.children:
        flaws = {visit.flaw for visit in child.visits if visit.flaw}
        if name in FLAW_OF:
            assert flaws <= {FLAW_OF[name]}
        elif name == "wrong_setting":
            assert flaws <= {Flaw.INPATIENT, Flaw.EMERGENCY}
        elif name == "local_codes":
            assert flaws <= {Flaw.NOT_RECOGNISED}
        elif name == "mothers_record":
            assert flaws <= {Flaw.UNDER_MOTHER}
        else:
            assert not flaws
        assert (len(child.registrations) == 2) == ("duplicates" in child.disorder)
        assert (child.deceased is not None) == ("deceased" in child.disorder)
        assert (child.race is None) == ("missing_race" in child.disorder)


@pytest.mark.parametrize("name", Disorder.names())
def test_each_disorder_can_be_switched_off(name: str) -> None:
    population = generate(11, 200, AS_OF, Disorder.all().without(name))
    found = {kind for child in population.children for kind in child.disorder}
    assert found == set(Disorder.names()) - {name}


def test_without_disorder_every_visit_is_kept_and_counts() -> None:
    population = generate(3, 250, AS_OF, Disorder.none())
    for child in population.children:
        assert child.disorder == ()
        assert {visit.role for visit in child.visits} <= {Role.ANCHOR, Role.FOLLOW_UP}
    rates = [
        rate
        for line in population.truth()
        for measure in ("three-by-120", "w30", "wcv")
        for rate in line["measures"][measure].values()
        if rate["populations"]["denominator"]
    ]
    assert len(rates) > 150
    assert not [rate for rate in rates if rate["outlook"] == "missed"]


def test_attendance_differs_between_groups_only_where_disparities_are_on() -> None:
    """With one seed the same families draw the same chances, so what differs is the switch's doing."""

    def visits_by_15_months(disorder: Disorder) -> dict[str, float]:
        counts: dict[str, list[int]] = {}
        for child in generate(5, 2000, AS_OF, disorder).children:
            if child.race and timedelta(days=460) < AS_OF - child.birth < timedelta(days=1275):
                group = "Black" if child.race.startswith("Black") else "other"
                kept = [v for v in child.visits if v.role is Role.ANCHOR and (v.on - child.birth).days <= 455]
                counts.setdefault(group, []).append(len(kept))
        assert min(len(found) for found in counts.values()) > 80
        return {group: sum(found) / len(found) for group, found in counts.items()}

    apart = visits_by_15_months(Disorder.only("missed_visits", "disparities"))
    alike = visits_by_15_months(Disorder.only("missed_visits"))
    assert apart["other"] - apart["Black"] > 0.8
    assert abs(alike["other"] - alike["Black"]) < 0.3


def test_twins_under_the_mothers_record_are_never_resolved(everything: Population) -> None:
    pairs = 0
    for family in everything.families:
        twins = [c for c in family.children if sum(c.birth == s.birth for s in family.children) == 2]
        under = [v for c in twins for v in c.visits if v.registration == MOTHER]
        pairs += len(under) == 2
        assert len(under) in (0, 2)
        assert all(v.flaw is Flaw.UNDER_MOTHER for v in under)
        if under:
            assert family.mother.patient is not None
            assert all(c.related_identified for c in twins)
    assert pairs >= 1


@pytest.mark.parametrize("words", [("refused-doses",), ("refused_doses",)])
def test_a_disorder_may_be_named_with_hyphens(words: tuple[str, ...]) -> None:
    assert Disorder.only(*words).on() == ("refused_doses",)


def test_an_unknown_disorder_is_a_mistake_with_a_suggestion() -> None:
    with pytest.raises(ValueError, match="no disorder is called 'telehelth'; did you mean 'telehealth'"):
        Disorder.only("telehelth")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 0, AS_OF), "size must be 1 to 500,000 children; it is 0"),
        ((1, 500_001, AS_OF), "size must be 1 to 500,000 children; it is 500,001"),
        ((1, 5, date(2009, 12, 31)), "as_of must be a day from 2010-01-01 to 2100-12-31; it is 2009-12-31"),
        (
            (1, 5, AS_OF, None, (date(2026, 2, 1), date(2026, 1, 31))),
            "the period must not end before it starts: 2026-02-01 to 2026-01-31",
        ),
    ],
)
def test_arguments_out_of_bounds_say_so(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        generate(*arguments)  # pyright: ignore[reportArgumentType]
