"""Types, casts and conversions (Author's Guide §Type operators)."""

from tests.spec.table import assert_gives, cases

TABLE = {
    "is and as": {
        "1 is Integer": "true",
        "1 is String": "false",
        "null is Integer": "false",
        "(1 as Any) as String": "null",
        "cast (1 as Choice<Integer, String>) as String": "error",
        "(1 as Choice<Integer, String>) as Integer": "1",
    },
    "conversion": {
        "ToString(1.5)": "'1.5'",
        "ToInteger('12')": "12",
        "ToInteger('x')": "null",
        "ToDecimal('1.50')": "1.50",
        "ToDate('2024-02-29')": "@2024-02-29",
        "convert '5' to Integer": "5",
        "ConvertsToInteger('x')": "false",
        "ToQuantity('5 \\'mg\\'')": "5 'mg'",
        "convert 1 'g' to 'mg'": "1000 'mg'",
    },
}


@cases(TABLE)
def test_types(engine, expression, literal):
    assert_gives(engine, expression, literal)
