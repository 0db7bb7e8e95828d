"""Truth of enrolment by hand: spans of coverage on the edges of the rule of docs/measures/README.md."""

from datetime import date, timedelta

import pytest
from hand_planned import YEAR_2026, child

from gapsvc.sandbox.disorder import Disorder
from gapsvc.sandbox.plan import CoveragePlan, Frame
from gapsvc.sandbox.truth import truth_of

BORN = date(2014, 6, 1)  # WCV asks for enrolment over the whole of 2026
AFTER = date(2027, 1, 31)
JANUARY_1, DECEMBER_31 = YEAR_2026


def span(start: date, end: date | None = None, **changes: bool | str) -> CoveragePlan:
    return CoveragePlan(start, end, 0, **changes)  # pyright: ignore[reportArgumentType]


def gap(first: date, days: int) -> tuple[CoveragePlan, CoveragePlan]:
    return span(BORN, first - timedelta(days=1)), span(first + timedelta(days=days))


def problem(*coverage: CoveragePlan, as_of: date = AFTER, born: date = BORN, rate: str = "wcv/total") -> str | None:
    line = truth_of(child(born, coverage=coverage), Frame(1, 1, as_of, YEAR_2026, Disorder.none()))
    measure, group = rate.split("/")
    return line["enrolment"][measure][group]


MARCH = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("coverage", "expected"),
    [
        ((span(BORN),), None),
        ((), "never-enrolled"),
        ((span(AFTER + timedelta(days=1)),), "not-yet-enrolled"),
        (gap(MARCH, 45), None),
        (gap(MARCH, 46), "enrolment-gap-too-long"),
        ((span(BORN, MARCH), span(MARCH + timedelta(days=1))), None),
        (
            (span(BORN, MARCH), span(date(2026, 3, 10), date(2026, 5, 1)), span(date(2026, 5, 3))),
            "enrolment-second-gap",
        ),
        ((span(date(2026, 2, 15)),), None),  # 45 days without, from 1 January
        ((span(date(2026, 2, 16)),), "enrolment-gap-too-long"),
        ((span(BORN, DECEMBER_31),), None),
        ((span(BORN, date(2026, 12, 30)),), "not-enrolled-on-the-day"),
        ((span(BORN, MARCH), span(date(2026, 3, 2), self_pay=True)), "enrolment-gap-too-long"),
        ((span(BORN, MARCH), span(date(2026, 3, 2), status="cancelled")), "enrolment-gap-too-long"),
        ((span(date(2026, 1, 10), by_month=True),), None),  # surely from 31 January on
        ((span(date(2026, 2, 10), by_month=True),), "enrolment-gap-too-long"),  # surely from 28 February on
    ],
)
def test_one_gap_of_45_days_at_most_and_enrolled_on_the_last_day(
    coverage: tuple[CoveragePlan, ...], expected: str | None
) -> None:
    assert problem(*coverage) == expected


def test_what_has_not_come_yet_is_not_judged() -> None:
    ended = span(BORN, date(2026, 10, 1))  # 15 November is the 45th day without, 16 November one too many
    assert problem(ended, as_of=date(2026, 11, 15)) is None
    assert problem(ended, as_of=date(2026, 11, 16)) == "enrolment-gap-too-long"


def test_an_infant_is_asked_from_day_31_on() -> None:
    born = date(2026, 2, 1)  # day 31 is 4 March; 45 days without end on 17 April
    for rate in ("three-by-120/two-visits", "three-by-120/three-visits"):
        assert problem(span(date(2026, 4, 18)), born=born, rate=rate) is None
        assert problem(span(date(2026, 4, 19)), born=born, rate=rate) == "enrolment-gap-too-long"


def test_who_died_is_not_asked() -> None:
    line = truth_of(child(BORN, deceased=date(2026, 5, 1)), Frame(1, 1, AFTER, YEAR_2026, Disorder.none()))
    assert line["enrolment"]["wcv"] == {"12-17-years": None, "total": None}
