"""How ages, lists and numbers are said."""

from datetime import date

import pytest

from gapsvc.web.words import age, anniversary, capital, counted, day_in, joined


@pytest.mark.parametrize(
    ("born", "on", "said"),
    [
        ("2026-11-22", "2026-11-22", "0 days"),
        ("2026-11-21", "2026-11-22", "1 day"),
        ("2026-10-23", "2026-11-22", "30 days"),
        ("2026-10-22", "2026-11-22", "1 month"),
        ("2026-10-15", "2026-11-22", "1 month 1 week"),
        ("2026-06-20", "2026-11-22", "5 months"),
        ("2026-06-08", "2026-11-22", "5 months 2 weeks"),
        ("2026-05-08", "2026-11-22", "6 months"),
        ("2024-11-23", "2026-11-22", "23 months"),
        ("2024-11-22", "2026-11-22", "2 years"),
        ("2024-09-01", "2026-11-22", "2 years 2 months"),
        ("2020-11-23", "2026-11-22", "5 years 11 months"),
        ("2013-06-11", "2026-11-22", "13 years"),
        ("2024-02-29", "2025-02-28", "12 months"),  # of a day that the year lacks, the month's last
        ("2025-01-31", "2025-02-27", "27 days"),
        ("2026-11-23", "2026-11-22", "not born yet"),
    ],
)
def test_an_age_is_said_as_at_a_desk(born: str, on: str, said: str) -> None:
    assert age(date.fromisoformat(born), date.fromisoformat(on)) == said


def test_a_month_day_that_a_month_lacks_is_its_last() -> None:
    assert anniversary(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert anniversary(date(2024, 2, 29), 48) == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-08-01", date(2026, 8, 1)),
        ("2026-08-01T23:59:00-08:00", date(2026, 8, 1)),
        ("2026-08", None),
        ("20260801", None),
        ("2026-02-30", None),
        ("2026-08-01x", None),
        ("", None),
        (None, None),
    ],
)
def test_a_day_is_read_where_there_is_a_whole_one(written: str | None, day: date | None) -> None:
    assert day_in(written) == day


def test_lists_and_numbers() -> None:
    assert [joined(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert joined(["Pediarix", "Infanrix"], "or") == "Pediarix or Infanrix"
    assert [counted(number, "dose") for number in (0, 1, 2)] == ["0 doses", "1 dose", "2 doses"]
    assert [capital(text) for text in ("", "x", "mRNA of HPV")] == ["", "X", "MRNA of HPV"]
