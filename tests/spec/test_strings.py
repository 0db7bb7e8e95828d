"""Strings count characters from 0 (Appendix B §String operators)."""

from tests.spec.table import assert_gives, cases

TABLE = {
    "parts": {
        "Length('abc')": "3",
        "'abc'[0]": "'a'",
        "Substring('abcd', 1, 2)": "'bc'",
        "Substring('abc', 9)": "null",
        "PositionOf('c', 'abc')": "2",
        "Upper('aB')": "'AB'",
        "StartsWith('abc', 'ab')": "true",
        "EndsWith('abc', 'bc')": "true",
    },
    "joining and splitting": {
        "'a' + 'b'": "'ab'",
        "'a' + null": "null",
        "'a' & null": "'a'",
        "Combine({'a', 'b'}, '-')": "'a-b'",
        "Split('a,b', ',')": "{'a', 'b'}",
    },
    "patterns": {
        "Matches('2024-01', '\\\\d{4}-\\\\d\\\\d')": "true",
        "ReplaceMatches('a1b2', '\\\\d', '#')": "'a#b#'",
    },
}


@cases(TABLE)
def test_strings(engine, expression, literal):
    assert_gives(engine, expression, literal)
