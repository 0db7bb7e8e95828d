"""Dates and times with the precision they were given; what is missing is not known.

Author's Guide §Date and time operators, §Uncertainty.
"""

from tests.spec.table import assert_gives, cases

TABLE = {
    "precision": {
        "@2024-02": "@2024-02",
        "Date(2024)": "@2024",
        "day from @2024-02": "null",
        "month from @2024-02": "2",
        "date from @2024-02-29T10:00:00.000Z": "@2024-02-29",
        "@2024-02 = @2024-02-29": "null",
        "@2024-02 < @2024-03-01": "true",
        "@2024-02 same month as @2024-02-29": "true",
        "@2024-02-28 same day or before @2024-02-29": "true",
    },
    "arithmetic": {
        "@2024-02-29 + 1 year": "@2025-02-28",
        "@2024-01-31 + 1 month": "@2024-02-29",
        "@2023-02-28 + 1 day": "@2023-03-01",
        "@2024-03-01 - 1 day": "@2024-02-29",
        "Date(2014) + 24 months": "@2016",
        "Date(2014) + 25 months": "@2016",
        "@2024-01-01 + 120 days": "@2024-04-30",
        "@2024-01-01 + 2 weeks": "@2024-01-15",
    },
    "the moment of the request": {
        "Today()": "@2024-02-29",
        "Now()": "@2024-02-29T12:30:00.000+00:00",
        "TimeOfDay()": "@T12:30:00.000",
    },
    "durations are whole periods, differences count boundaries": {
        "years between @2020-02-29 and @2021-02-28": "0",
        "years between @2020-03-01 and @2021-03-01": "1",
        "months between @2024-01-31 and @2024-02-29": "0",
        "difference in months between @2024-01-31 and @2024-02-01": "1",
        "days between @2024-02-28 and @2024-03-01": "2",
        "weeks between @2024-01-01 and @2024-01-15": "2",
    },
    "between incomplete dates the answer may be certain": {
        "years between @2010 and @2020-06-15 > 5": "true",
        "years between @2010 and @2020-06-15 = 9": "null",
        "months between @2024-01 and @2024-06-15 < 7": "true",
        "days between @2024-01 and @2024-02 > 40": "null",
    },
    "ages": {
        "CalculateAgeInYearsAt(@2020-02-29, @2021-02-28)": "0",
        "CalculateAgeInYearsAt(@2020-02-29, @2021-03-01)": "1",
        "CalculateAgeInYearsAt(@2020-05-01, @2024-05-01)": "4",
        "CalculateAgeInMonthsAt(@2024-01-15, @2024-02-14)": "0",
        "CalculateAgeInDaysAt(@2024-01-01, @2024-04-30)": "120",
    },
}


@cases(TABLE)
def test_dates(engine, expression, literal):
    assert_gives(engine, expression, literal)
