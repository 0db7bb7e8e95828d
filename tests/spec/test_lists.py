"""Lists keep order and duplicates; null elements are elements (Appendix B §List operators, §Aggregate functions)."""

from tests.spec.table import assert_gives, cases

TABLE = {
    "parts": {
        "First({1, 2, 3})": "1",
        "Last({1, 2, 3})": "3",
        "{1, 2, 3}[1]": "2",
        "{1, 2, 3}[9]": "null",
        "Skip({1, 2, 3}, 1)": "{2, 3}",
        "Take({1, 2, 3}, 2)": "{1, 2}",
        "Tail({1, 2, 3})": "{2, 3}",
        "IndexOf({'a', 'b'}, 'b')": "1",
        "IndexOf({'a', 'b'}, 'c')": "-1",
        "singleton from {1}": "1",
        "singleton from {1, 2}": "error",
    },
    "membership": {
        "2 in {1, 2}": "true",
        "3 in {1, 2}": "false",
        "{1, 2, 3} includes {2, 3}": "true",
        "{1, 2} properly includes {1, 2}": "false",
        "exists {}": "false",
        "exists {null}": "false",
        "exists {1}": "true",
    },
    "sets": {
        "distinct {1, 2, 2, 1, null, null}": "{1, 2, null}",
        "{1, 2} union {2, 3}": "{1, 2, 3}",
        "{1, 2, 3} intersect {2, 3, 4}": "{2, 3}",
        "{1, 2, 3} except {2}": "{1, 3}",
        "flatten {{1, 2}, {3}}": "{1, 2, 3}",
    },
    "aggregates pass over nulls": {
        "Count({1, null, 3})": "2",
        "Sum({1, null, 3})": "4",
        "Min({3, null, 1})": "1",
        "Max({@2024-01-01, @2024-02-01})": "@2024-02-01",
        "Avg({1.0, 2.0})": "1.5",
        "Median({1.0, 2.0, 3.0})": "2.0",
        "Sum({null as Integer})": "null",
        "AllTrue({true, null})": "true",
        "AnyTrue({false, null})": "false",
    },
}


@cases(TABLE)
def test_lists(engine, expression, literal):
    assert_gives(engine, expression, literal)
