"""CDSi's date arithmetic: the Logic Specification's own examples (Table 3-6), and what can't be read."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapsvc.schedule.immunizations.calendar import AgeDates, AgeScale, NotAnOffset, iso, parse_offset

AGES = st.builds(
    lambda months, days: f"{months} months {days:+d} days",
    st.integers(0, 1200) | st.integers(0, 24),
    st.integers(-35, 35),
)


@pytest.mark.parametrize(
    ("start", "offset", "expected"),
    [
        ("2000-01-01", "3 years", "2003-01-01"),  # CALCDT-1
        ("2000-01-01", "6 months", "2000-07-01"),  # CALCDT-2
        ("2000-11-01", "6 months", "2001-05-01"),
        ("2000-01-01", "3 days", "2000-01-04"),  # CALCDT-3
        ("2000-01-01", "3 weeks", "2000-01-22"),
        ("2000-02-01", "5 weeks", "2000-03-07"),  # a leap year
        ("2001-02-01", "5 weeks", "2001-03-08"),
        ("2000-01-15", "0 days - 4 days", "2000-01-11"),  # CALCDT-4
        ("2000-03-31", "6 months", "2000-10-01"),  # CALCDT-5: the first of the next month, not the end of this one
        ("2000-08-31", "6 months", "2001-03-01"),
        ("2000-02-29", "1 year", "2001-03-01"),
        ("2000-12-31", "2 months", "2001-03-01"),
        ("2000-01-31", "6 months - 4 days", "2000-07-27"),  # CALCDT-6
        ("2000-08-31", "6 months - 4 days", "2001-02-25"),  # the first of March, then four days back
        ("2000-01-10", "16 years - 4 months", "2015-09-10"),
        ("2000-01-10", "8 months + 1 day", "2000-09-11"),
        ("2000-01-10", "6w-4d", "2000-02-17"),
    ],
)
def test_an_offset_after_a_day(start: str, offset: str, expected: str) -> None:
    assert iso(parse_offset(offset).after(date.fromisoformat(start).toordinal())) == expected


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("6 weeks - 4 days", "6w-4d"),
        ("1 years - 4 days", "1y-4d"),
        ("13 months + 4 weeks", "13m+4w"),
        ("0 days", "0d"),
        ("16 Years - 4 Months", "16y-4m"),
    ],
)
def test_an_offset_has_a_short_form_that_reads_the_same(text: str, short: str) -> None:
    offset = parse_offset(text)
    again = parse_offset(short)
    assert (offset.text, again.text) == (short, short)
    assert (offset.months, offset.days) == (again.months, again.days)


@pytest.mark.parametrize(
    "text", ["", "six weeks", "6", "6 fortnights", "6 weeks 4 days", "6 weeks -", "6 weeks; 4 days"]
)
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(NotAnOffset):
        parse_offset(text)


def test_ages_are_worked_out_once() -> None:
    ages = AgeDates(date(2026, 1, 31).toordinal())
    month = parse_offset("1 month")
    assert (iso(ages[month]), month in ages) == ("2026-03-01", True)
    assert iso(None) is None


@given(st.dates(date(1900, 1, 1), date(2999, 12, 31)), st.integers(0, 100 * 366), st.lists(AGES, max_size=8))
def test_the_first_age_after_a_day_is_found_however_close_ages_are(born: date, day: int, texts: list[str]) -> None:
    ages = AgeDates(born.toordinal())
    offsets = [parse_offset(text) for text in texts]
    reached = [age.after(ages.born) for age in offsets]
    today = ages.born + day
    assert [ages[age] for age in offsets] == reached
    assert ages.first_after(AgeScale.of(offsets), today) == min((one for one in reached if one > today), default=None)
