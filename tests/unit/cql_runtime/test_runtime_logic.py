"""Three-valued logic: the truth tables of the Author's Guide, whole."""

import pytest

from cql_like.runtime import logic

VALUES = (True, False, None)


@pytest.mark.parametrize(
    ("function", "table"),
    [
        # rows: left true, false, null; columns: right true, false, null
        (logic.and_, [[True, False, None], [False, False, False], [None, False, None]]),
        (logic.or_, [[True, True, True], [True, False, None], [True, None, None]]),
        (logic.xor, [[False, True, None], [True, False, None], [None, None, None]]),
        (logic.implies, [[True, False, None], [True, True, True], [True, None, None]]),
    ],
    ids=["and", "or", "xor", "implies"],
)
def test_truth_table(function, table):
    assert [[function(left, right) for right in VALUES] for left in VALUES] == table


def test_unary_operators():
    assert [logic.not_(value) for value in VALUES] == [False, True, None]
    assert [logic.is_true(value) for value in VALUES] == [True, False, False]
    assert [logic.is_false(value) for value in VALUES] == [False, True, False]
    assert [logic.is_null(value) for value in VALUES] == [False, False, True]


def test_coalesce_takes_the_first_value_that_is_not_null():
    assert logic.coalesce(None, False, True) is False
    assert logic.coalesce(None, None) is None
    assert logic.coalesce_list([None, "a", "b"]) == "a"
    assert logic.coalesce_list([]) is None
    assert logic.coalesce_list(None) is None
