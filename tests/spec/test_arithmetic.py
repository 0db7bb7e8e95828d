"""Integers, Longs and Decimals; what does not fit is null, as is a division by zero (Appendix B §Arithmetic)."""

from tests.spec.table import assert_gives, cases

TABLE = {
    "the four operations": {
        "1 + 2": "3",
        "5 - 7": "-2",
        "3 * 4": "12",
        "7 / 2": "3.5",
        "7 div 2": "3",
        "-7 div 2": "-3",
        "7 mod 3": "1",
        "-7 mod 3": "-1",
        "1 + 2.5": "3.5",
        "2 ^ 10": "1024",
        "1 / 0": "null",
        "1 div 0": "null",
        "1 + null": "null",
    },
    "results outside the type are null": {
        "2147483647 + 1": "null",
        "-2147483648 - 1": "null",
        "-(-2147483648)": "null",
        "-(-9223372036854775808L)": "null",
        "2147483647 * 2": "null",
        "2147483647L + 1L": "2147483648L",
    },
    "rounding": {
        "Ceiling(1.1)": "2",
        "Floor(-1.1)": "-2",
        "Truncate(-1.9)": "-1",
        "Round(1.5)": "2.0",
        "Round(-0.4)": "0.0",
        "Round(3.14159, 3)": "3.142",
        "Abs(-5)": "5",
    },
    "limits": {
        "minimum Integer": "-2147483648",
        "maximum Integer": "2147483647",
        "predecessor of 4": "3",
        "successor of 4": "5",
        "successor of 2147483647": "error",
    },
}


@cases(TABLE)
def test_arithmetic(engine, expression, literal):
    assert_gives(engine, expression, literal)
