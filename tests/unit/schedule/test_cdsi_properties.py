"""Properties of every case, over generated children: order, unrelated doses, due days, earliest days, `changes_on`."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gapsvc.schedule.immunizations import Case, GivenDose, Observation, Schedule, answer, assess, load
from gapsvc.schedule.immunizations.answers import dose_groups
from gapsvc.schedule.immunizations.due import needs
from gapsvc.schedule.immunizations.grouping import products
from gapsvc.schedule.immunizations.verdicts import NOT_COMPLETE, VALID

SCHEDULE: Schedule = load("4.64")
BEFORE = date(2045, 1, 1)  # forecasts for the far future (zoster at 50) are left alone
# What children get, with a few that they shouldn't: combinations, live vaccines, adults' formulations.
COMMON = (
    "03", "08", "10", "17", "20", "21", "33", "43", "48", "49", "52", "83", "85", "88", "94", "107",
    "110", "111", "113", "114", "115", "116", "119", "120", "121", "130", "133", "146", "150", "162", "163", "165",
    "187", "189", "203", "215", "306", "308", "309",
)  # fmt: skip
OBSERVATIONS = ("007", "048", "055", "076", "079", "154", "160", "186", "024", "080", "110", "042")
limited = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def cases(draw: st.DrawFn, *, risks: bool = True) -> Case:
    """A child or young adult with up to ten doses on any days of its life."""
    born = date(2006, 1, 1) + timedelta(days=draw(st.integers(0, 7_000)))
    days = draw(st.integers(0, min(20 * 365, (date(2026, 12, 31) - born).days)))
    doses = draw(
        st.lists(
            st.builds(
                lambda day, cvx: GivenDose(born + timedelta(days=day), cvx),
                st.integers(0, days),
                st.sampled_from(COMMON),
            ),
            max_size=10,
        )
    )
    seen = draw(st.lists(st.sampled_from(OBSERVATIONS), max_size=2, unique=True)) if risks else []
    gender = draw(st.sampled_from(("female", "male", "unknown")))
    return Case("case", born, born + timedelta(days=days), gender, tuple(doses), tuple(map(Observation, seen)))


def unordered(line: dict[str, Any]) -> tuple[Any, list[str]]:
    """A result line without the order of its doses; a duplicate may be set aside in either place."""
    doses = sorted(str((dose["date"], dose["cvx"], dose["groups"])) for dose in line["doses"] if dose["groups"])
    return line["groups"], doses


@limited
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_input_does_not_matter(case: Case, chance: Any) -> None:
    doses = list(case.doses)
    chance.shuffle(doses)
    shuffled = replace(case, doses=tuple(doses), observations=case.observations[::-1])
    assert unordered(answer(assess(SCHEDULE, shuffled))) == unordered(answer(assess(SCHEDULE, case)))


@limited
@given(cases(), st.sampled_from(("18", "39", "69", "101", "185", "134")), st.integers(0, 100))
def test_an_unrelated_dose_changes_nothing_elsewhere(case: Case, cvx: str, percent: int) -> None:
    """A vaccine that conflicts with none changes only the groups of its own antigens."""
    day = case.born + (case.assessed - case.born) * percent // 100
    more = replace(case, doses=(*case.doses, GivenDose(day, cvx)))
    own = {
        SCHEDULE.antigens[antigen].vaccine_group
        for antigen, *_ in (SCHEDULE.vaccines[cvx].antigens if cvx in SCHEDULE.vaccines else ())
    }
    before, after = answer(assess(SCHEDULE, case)), answer(assess(SCHEDULE, more))
    for group in before["groups"].keys() - own:
        assert after["groups"][group] == before["groups"][group]
    for old, new in zip(before["doses"], after["doses"], strict=False):
        assert {group: old["groups"][group] for group in old["groups"].keys() - own} == {
            group: new["groups"][group] for group in new["groups"].keys() - own
        }


@limited
@given(cases(risks=False), st.data())
def test_on_the_recommended_day_the_dose_is_due(case: Case, data: st.DataObject) -> None:
    outcome = assess(SCHEDULE, case)
    waiting = [
        one
        for forecasts in outcome.forecasts.values()
        for one in forecasts
        if one.status == NOT_COMPLETE and one.recommended is not None and one.recommended < BEFORE.toordinal()
    ]
    assume(waiting)
    one = data.draw(st.sampled_from(waiting))
    assert one.recommended is not None
    on_the_day = replace(case, assessed=max(case.assessed, date.fromordinal(one.recommended)))
    need = [
        need
        for need in needs(assess(SCHEDULE, on_the_day))
        if (need.group, need.series_type) == (one.group, one.series_type)
    ]
    assert [each.urgency in ("due", "overdue") for each in need] == [True]


@limited
@given(cases(risks=False), st.data())
def test_a_dose_on_its_earliest_day_is_valid(case: Case, data: st.DataObject) -> None:
    """Given on the earliest day (or today, when that is past), any product that is offered counts."""
    outcome = assess(SCHEDULE, case)
    waiting = [
        one
        for forecasts in outcome.forecasts.values()
        for one in forecasts
        if one.status == NOT_COMPLETE and one.earliest is not None and one.earliest < BEFORE.toordinal()
    ]
    assume(waiting)
    one = data.draw(st.sampled_from(waiting))
    assert one.earliest is not None
    then = max(case.assessed, date.fromordinal(one.earliest))
    there = assess(SCHEDULE, replace(case, assessed=then))
    offered = [
        cvx
        for each in there.forecasts[one.group]
        if each.status == NOT_COMPLETE and each.earliest is not None and each.earliest <= then.toordinal()
        for cvx in products(there.person, each)
        if not any(dose.given == then for dose in case.doses)
    ]
    assume(offered)
    given_then = replace(case, assessed=then, doses=(*case.doses, GivenDose(then, offered[0])))
    after = assess(SCHEDULE, given_then)
    (dose,) = [each for each in after.person.doses if each.position == len(case.doses)]
    assert dose_groups(after)[dose.position][one.group]["status"] == VALID


@limited
@given(cases(), st.integers(0, 100))
def test_nothing_changes_before_the_day_on_which_it_may(case: Case, percent: int) -> None:
    """gaps.md: evaluated on any day before `changes_on`, the record is the same."""
    outcome = assess(SCHEDULE, case)
    for need in needs(outcome):
        until = need.changes_on or case.assessed + timedelta(days=3_000)
        later = case.assessed + (until - case.assessed - timedelta(days=1)) * percent // 100
        again = [
            other
            for other in needs(assess(SCHEDULE, replace(case, assessed=later)))
            if (other.group, other.series_type) == (need.group, need.series_type)
        ]
        assert [replace(other, changes_on=None) for other in again] == [replace(need, changes_on=None)]


@limited
@given(cases(), st.data())
def test_a_case_never_raises_and_says_what_it_set_aside(case: Case, data: st.DataObject) -> None:
    bad = st.builds(
        GivenDose,
        st.none() | st.dates(date(1900, 1, 1), date(2999, 12, 31)),
        st.none() | st.sampled_from(("", "0", "3", "abc", "999", "9999", "20", "\u0663")),
        mvx=st.none() | st.text(max_size=3),
        lot_expires=st.none() | st.sampled_from(("2020-13", "2020-02-30", "", "2020-02")),
        condition=st.booleans(),
    )
    doses = (*case.doses, *data.draw(st.lists(bad, max_size=5)))
    outcome = assess(SCHEDULE, replace(case, doses=doses))
    evaluated = {dose.position for dose in outcome.person.doses}
    remarked = {remark.dose for remark in outcome.person.remarks if remark.dose is not None}
    assert evaluated.isdisjoint(remarked)
    assert evaluated | remarked == set(range(len(doses)))


@limited
@given(cases(), cases())
def test_what_cannot_have_changed_is_kept_and_makes_no_difference(case: Case, other: Case) -> None:
    """With an earlier outcome at hand, the result is the same as without it, whatever was added or left out."""
    before = assess(SCHEDULE, replace(case, doses=case.doses[:-1]))
    for changed in (case, replace(case, observations=other.observations), replace(case, doses=other.doses)):
        assert answer(assess(SCHEDULE, changed, previous=before)) == answer(assess(SCHEDULE, changed))
    assert answer(assess(SCHEDULE, other, previous=before)) == answer(assess(SCHEDULE, other))


def test_a_new_dose_leaves_other_antigens_alone() -> None:
    """Polio given: measles, whose vaccines nothing of it touches, isn't looked at again."""
    case = Case("case", date(2024, 1, 1), date(2026, 1, 1), doses=(GivenDose(date(2025, 2, 1), "03"),))
    before = assess(SCHEDULE, case)
    after = assess(SCHEDULE, replace(case, doses=(*case.doses, GivenDose(date(2025, 6, 1), "10"))), previous=before)
    assert after.evaluated["Measles"] is before.evaluated["Measles"]
    assert after.evaluated["Polio"] is not before.evaluated["Polio"]
    live = assess(SCHEDULE, replace(case, doses=(*case.doses, GivenDose(date(2025, 6, 1), "21"))), previous=before)
    assert live.evaluated["Measles"] is not before.evaluated["Measles"]  # a live vaccine may conflict


@limited
@given(cases())
def test_an_explanation_comes_to_the_same_result(case: Case) -> None:
    """The trace takes no short cuts; with them the answer is the same."""
    lines: list[str] = []
    assert answer(assess(SCHEDULE, case, lines.append)) == answer(assess(SCHEDULE, case))
    assert lines
