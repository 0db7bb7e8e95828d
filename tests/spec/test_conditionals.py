"""if, case and Coalesce: only the branch that is chosen is evaluated (Author's Guide §Conditional expressions)."""

from tests.spec.table import assert_gives, cases

TABLE = {
    "if": {
        "if true then 1 else 2": "1",
        "if null then 1 else 2": "2",
        "if false then 1 else null": "null",
        "if 1 < 2 then 'a' else 'b'": "'a'",
    },
    "case": {
        "case when false then 1 when true then 2 else 3 end": "2",
        "case 5 when 4 then 'four' when 5 then 'five' else 'other' end": "'five'",
        "case null when null then 1 else 2 end": "2",
    },
    "Coalesce takes the first value that is not null": {
        "Coalesce(null, 1, 2)": "1",
        "Coalesce(null, null)": "null",
        "Coalesce({null, 3, 4})": "3",
    },
}


@cases(TABLE)
def test_conditionals(engine, expression, literal):
    assert_gives(engine, expression, literal)
