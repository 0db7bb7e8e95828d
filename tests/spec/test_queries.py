"""Queries: sources, let, with and without, where, return or aggregate, sort (Author's Guide §Queries)."""

from tests.spec.table import assert_gives, cases

TABLE = {
    "where and return": {
        "({1, 2, 3}) X where X > 1": "{2, 3}",
        "({1, 2, 3}) X where X > 1 return X * 10": "{20, 30}",
        "({1, null, 3}) X where X > 1": "{3}",
        "({1, 1, 2}) X return X": "{1, 2}",
        "({1, 1, 2}) X return all X": "{1, 1, 2}",
        "({1, 2}) X return Tuple{n: X, even: X mod 2 = 0}": "{Tuple{even: false, n: 1}, Tuple{even: true, n: 2}}",
    },
    "let": {
        "({1, 2, 3}) X let Y: X * X where Y > 3 return Y": "{4, 9}",
    },
    "with and without": {
        "({1, 2, 3}) X with ({2, 3, 4}) Y such that X = Y": "{2, 3}",
        "({1, 2, 3}) X without ({2, 3, 4}) Y such that X = Y": "{1}",
    },
    "several sources": {
        "from ({1, 2}) A, ({10, 20}) B return A + B": "{11, 21, 12, 22}",
        "from ({1, 2}) A, ({1, 2}) B where A < B": "{Tuple{A: 1, B: 2}}",
    },
    "sort": {
        "({3, 1, 2}) X sort asc": "{1, 2, 3}",
        "({3, 1, 2}) X return X sort desc": "{3, 2, 1}",
        "({2, null, 1}) X return X sort asc": "{null, 1, 2}",
        "({Tuple{a: 1, b: 2}, Tuple{a: 0, b: 9}}) X return X sort by a": "{Tuple{a: 0, b: 9}, Tuple{a: 1, b: 2}}",
    },
    "aggregate": {
        "({1, 2, 3}) X aggregate Total starting 0: Total + X": "6",
        "({1, 2, 2}) X aggregate distinct Total starting 0: Total + X": "3",
        "({1, 2, 3, 4, 5}) X aggregate Product starting 1: Product * X": "120",
    },
    "a single value, and null": {
        "(5) X return X + 1": "6",
        "(null as Integer) X return X": "null",
        "(null as List<Integer>) X return X": "null",
    },
}


@cases(TABLE)
def test_queries(engine, expression, literal):
    assert_gives(engine, expression, literal)
