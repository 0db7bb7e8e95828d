"""Equality is three-valued; equivalence (~) never is (Appendix B §Comparison)."""

from tests.spec.table import assert_gives, cases

TABLE = {
    "equality": {
        "1 = 1": "true",
        "1 = 1.0": "true",
        "'a' = 'A'": "false",
        "1 = null": "null",
        "null = null": "null",
        "{1, 2} = {1, 2}": "true",
        "{1, 2} = {2, 1}": "false",
        "{1, null} = {1, null}": "true",
        "Tuple{a: 1} = Tuple{a: 1}": "true",
    },
    "equivalence": {
        "null ~ null": "true",
        "1 ~ null": "false",
        "'abc' ~ 'ABC'": "true",
        "'a\\tb' ~ 'a b'": "true",
        "{1, null} ~ {1, null}": "true",
        "1.0 ~ 1.00": "true",
    },
    "order": {
        "1 < 2": "true",
        "'a' < 'b'": "true",
        "2.0 >= 2": "true",
        "1 < null": "null",
        "2 between 1 and 3": "true",
        "5 'cm' < 1 'm'": "true",
        "1 'cm' = 10 'mm'": "true",
        "1 'cm' = 1 'g'": "null",
    },
}


@cases(TABLE)
def test_comparison(engine, expression, literal):
    assert_gives(engine, expression, literal)
