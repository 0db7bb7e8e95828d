"""Cells read as the mapping says, and in no other way."""

import pytest

from gapsvc.supplemental.formats import CODE_SYSTEMS, code_system, day_reader, is_formula, number, shape, unguarded


@pytest.mark.parametrize(
    ("pattern", "text", "day"),
    [
        ("YYYY-MM-DD", "2026-03-14", "2026-03-14"),
        ("MM/DD/YYYY", "03/14/2026", "2026-03-14"),
        ("MM/DD/YYYY", "3/14/2026", None),
        ("M/D/YYYY", "3/4/2026", "2026-03-04"),
        ("M/D/YYYY", "03/04/2026", "2026-03-04"),
        ("DD.MM.YYYY", "14.03.2026", "2026-03-14"),
        ("YYYYMMDD", "20260314", "2026-03-14"),
        ("YYYYMMDD", "2026-03-14", None),
        ("YYYY-MM-DD HH:mm:SS", "2026-03-14 23:59:00", "2026-03-14"),
        ("YYYY-MM-DD HH:mm:SS", "2026-03-14", None),
        ("YYYY-MM", "2026-03", "2026-03"),
        ("YYYY", "2026", "2026"),
        ("MM/DD/YYYY", "02/30/2026", None),
        ("MM/DD/YYYY", "13/01/2026", None),
        ("YYYY-MM-DD", "0001-01-01", None),
        ("YYYY-MM-DD", "9999-12-31", None),
        ("YYYY-MM-DD", "２０２６-03-14", None),
        ("YYYY-MM-DD", "2026-03-14\n", None),
        ("excel", "46095", "2026-03-14"),
        ("excel", "46095.5", "2026-03-14"),
        ("excel", "61", "1900-03-01"),
        ("excel", "60", None),  # 29 February 1900, which never was
        ("excel", "20260314", None),
        ("excel", "2026-03-14", None),
    ],
)
def test_a_day_is_read_by_its_format_alone(pattern: str, text: str, day: str | None) -> None:
    assert day_reader(pattern)(text) == day


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("MM/DD/YY", "no year of four digits"),
        ("", "no year of four digits"),
        ("YYYY YYYY", "twice"),
        ("MM/MM/YYYY", "twice"),
        ("DD YYYY", "a day and no month"),
    ],
)
def test_a_format_that_can_not_be_is_refused(pattern: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        day_reader(pattern)


@pytest.mark.parametrize(
    ("system", "text", "code"),
    [
        ("cvx", "8", "08"),
        ("cvx", "08", "08"),
        ("cvx", "133", "133"),
        ("cvx", "DTaP", None),
        ("cpt", "99391", "99391"),
        ("cpt", "0001A", "0001A"),
        ("cpt", "9939", None),
        ("hcpcs", "G0438", "G0438"),
        ("cdt", "D1206", "D1206"),
        ("cdt", "1206", None),
        ("icd-10-cm", "Z00129", "Z00.129"),
        ("icd-10-cm", "z00.129", "Z00.129"),
        ("icd-10-cm", "B20", "B20"),
        ("icd-10-cm", "Z00.12.9", None),
        ("icd-10-cm", "V20", "V20"),
        ("loinc", "77307-7", "77307-7"),
        ("loinc", "77307", None),
        ("ndc", "49281-286-10", "49281-286-10"),
        ("ndc", "49281028610", "49281028610"),
        ("ndc", "4928128610", None),
        ("snomed", "410620009", "410620009"),
        ("mvx", "PMC", "PMC"),
        ("https://plan.example/codes", "well visit", "well visit"),
        ("https://plan.example/codes", "two  blanks", None),
    ],
)
def test_a_code_is_one_of_its_system(system: str, text: str, code: str | None) -> None:
    found = code_system(system)
    assert found is not None
    assert found.read(text) == code


def test_a_code_system_is_a_name_of_ours_or_a_uri() -> None:
    assert code_system("cptt") is None
    assert code_system("CPT") is None
    assert code_system("urn:oid:2.16.840.1.113883.6.13") is not None
    assert set(CODE_SYSTEMS) == {"cvx", "mvx", "ndc", "cpt", "hcpcs", "cdt", "icd-10-cm", "loinc", "snomed"}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("4.2", (None, 4.2)),
        ("<1", ("<", 1)),
        (">= 45.0", (">=", 45.0)),
        ("-3", (None, -3)),
        ("4,2", None),
        ("1e5", None),
        ("NaN", None),
        ("", None),
    ],
)
def test_a_number_may_be_a_limit(text: str, read: tuple[str | None, float] | None) -> None:
    assert number(text) == read


def test_the_guard_of_leading_zeros_is_taken_off_and_a_formula_is_known() -> None:
    assert unguarded('="00123"') == "00123"
    assert unguarded("  a b ") == "a b"
    assert [is_formula(text) for text in ("=1+1", "@SUM(A1)", "+1", "-1+cmd", "-3", "O'Brien", "")] == [
        True,
        True,
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_shape_tells_no_value() -> None:
    assert shape("O'Brien 1234") == "A?AAAAA 9999"
    assert shape("12/31/2026") == "99/99/9999"
    assert shape("x" * 50) == "A" * 20 + "…"
