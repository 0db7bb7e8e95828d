"""Three-valued logic: true, false and null, where null means "not known" (Author's Guide §Logical operators)."""

from tests.spec.table import assert_gives, cases

TABLE = {
    "and: false decides": {
        "true and true": "true",
        "true and false": "false",
        "true and null": "null",
        "false and null": "false",
        "null and null": "null",
        "null and false": "false",
    },
    "or: true decides": {
        "true or null": "true",
        "false or null": "null",
        "null or true": "true",
        "false or false": "false",
        "null or null": "null",
    },
    "not, xor, implies": {
        "not true": "false",
        "not null": "null",
        "true xor false": "true",
        "true xor null": "null",
        "false implies null": "true",
        "null implies true": "true",
        "true implies null": "null",
        "null implies null": "null",
    },
    "tests that are never null": {
        "null is null": "true",
        "null is true": "false",
        "null is not true": "true",
        "false is false": "true",
        "(1 = null) is null": "true",
    },
}


@cases(TABLE)
def test_logic(engine, expression, literal):
    assert_gives(engine, expression, literal)
