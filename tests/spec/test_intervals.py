"""Intervals of numbers, quantities, dates and times.

Author's Guide §Interval values; Appendix B §Interval operators.
"""

from tests.spec.table import assert_gives, cases

TABLE = {
    "bounds": {
        "Interval[1, 5]": "Interval[1, 5]",
        "start of Interval(1, 5]": "2",
        "end of Interval[1, 5)": "4",
        "width of Interval[1, 5]": "4",
        "5 in Interval[1, 5)": "false",
        "start of Interval[@2024-01-01, @2024-01-31]": "@2024-01-01",
        "point from Interval[3, 3]": "3",
        "Interval[5, 1]": "error",
    },
    "an open null bound is unknown, a closed one the type's limit": {
        "10 in Interval[1, null]": "true",
        "10 in Interval[1, null)": "null",
        "0 in Interval[1, null)": "false",
        "end of Interval[1, null]": "2147483647",
        "end of Interval[1, null)": "null",
        "start of Interval[null, 5]": "-2147483648",
    },
    "relations": {
        "Interval[1, 5] includes Interval[2, 3]": "true",
        "Interval[1, 5] included in Interval[1, 5]": "true",
        "Interval[1, 5] properly includes Interval[1, 5]": "false",
        "Interval[1, 3] overlaps Interval[3, 5]": "true",
        "Interval[1, 2] overlaps Interval[3, 5]": "false",
        "Interval[1, 2] meets before Interval[3, 5]": "true",
        "Interval[1, 2] before Interval[3, 5]": "true",
        "Interval[1, 5] starts Interval[1, 9]": "true",
        "Interval[4, 9] ends Interval[1, 9]": "true",
    },
    "set operations": {
        "Interval[1, 5] union Interval[4, 9]": "Interval[1, 9]",
        "Interval[1, 2] union Interval[5, 9]": "null",
        "Interval[1, 5] intersect Interval[4, 9]": "Interval[4, 5]",
        "Interval[1, 5] except Interval[4, 9]": "Interval[1, 3]",
        "collapse {Interval[1, 3], Interval[4, 6], Interval[8, 9]}": "{Interval[1, 6], Interval[8, 9]}",
        "expand {Interval[1, 4]} per 2": "{Interval[1, 2], Interval[3, 4]}",
    },
    "timing phrases": {
        "@2024-01-05 during Interval[@2024-01-01, @2024-01-31]": "true",
        "@2024-01-05 2 days or more after @2024-01-03": "true",
        "@2024-01-05 within 3 days of @2024-01-08": "true",
        "@2024-01-05 within 2 days of @2024-01-08": "false",
        "@2024-01-05 on or before @2024-01-05": "true",
        "@2024-01-05 1 day or less after @2024-01-04": "true",
        "Interval[@2024-01-01, @2024-01-03] ends before @2024-01-04": "true",
    },
}


@cases(TABLE)
def test_intervals(engine, expression, literal):
    assert_gives(engine, expression, literal)
