"""How published measures write things: each idiom reads as the text in full parentheses beside it does."""

import pytest

from cql_like.syntax import parse_expression

IDIOMS = [
    ("O.value as Quantity < 9 '%'", "(O.value as Quantity) < (9 '%')"),
    ("E.status in { 'finished' } and not (E.code ~ X)", "(E.status in { 'finished' }) and (not (E.code ~ X))"),
    (
        'E.period starts 1 year or less on or before day of end of "Measurement Period"',
        '(E.period) starts 1 year or less on or before day of (end of "Measurement Period")',
    ),
    ('E.period during day of "MP" and E.x', '((E.period) during day of ("MP")) and (E.x)'),
    ("start of E.period + 1 day before D", "((start of (E.period)) + (1 day)) before D"),
    ("date from start of MP", "date from (start of (MP))"),
    ("AgeInYearsAt(D) >= 12 and AgeInYearsAt(D) < 18", "(AgeInYearsAt(D) >= 12) and (AgeInYearsAt(D) < 18)"),
    ("years between A and B + 1 year >= 3", "(years between A and (B + (1 year))) >= 3"),
    ("X.period.start is not null or X.y", "((X.period.start) is not null) or (X.y)"),
    ("X is null or Y is true", "(X is null) or (Y is true)"),
    ("exists X where_ and Y", "(exists (X where_)) and Y"),
    (
        "not exists ([Encounter] E) and Count(X) > 2",
        "(not (exists ([Encounter] E))) and ((Count(X)) > 2)",
    ),
    ("[A: x] union [B: y] union [C]", "([A: x] union [B: y]) union [C]"),
    (
        "(A union B) X with C c such that c.p during X.p and c.q = X.q where X.r return X.s sort asc",
        "(A union B) X with C c such that ((c.p during X.p) and (c.q = X.q)) where (X.r) return (X.s) sort asc",
    ),
    (
        "(Patient.extension E where E.url = 'race' return E.value).code as FHIR.Coding",
        "((((Patient.extension) E where (E.url = 'race') return (E.value))).code) as FHIR.Coding",
    ),
    (
        "First([Observation: code in VS] O where O.value > 5 'g' sort by start of (effective as Period) desc).value",
        "(First(([Observation: code in VS] O where ((O.value) > (5 'g'))"
        " sort by (start of (effective as Period)) desc))).value",
    ),
    (
        "Interval[start of I, end of I + 1 day) overlaps before day of J",
        "(Interval[(start of (I)), ((end of (I)) + (1 day))) ) overlaps before day of (J)",
    ),
    ("if A is null then null else A.b + 1", "if (A is null) then null else ((A.b) + 1)"),
    ("case when A = 1 then 'x' & B else C end & 'z'", "(case when (A = 1) then ('x' & B) else C end) & 'z'"),
    ("a in B = c", "a in (B = c)"),
    ("a during B = c", "(a during B) = c"),
    ("a + b in B", "(a + b) in B"),
    ("a = b and c > d implies e", "((a = b) and (c > d)) implies e"),
    ("- a ^ b * c", "((- a) ^ b) * c"),
    ("a between b and c and d", "(a between b and c) and d"),
    ("distinct A return_ union B", "distinct ((A return_) union B)"),
    ("X.toInterval() ends before or on start Y", "(X.toInterval()) ends before or on start (Y)"),
    ("minimum DateTime before X", "(minimum DateTime) before X"),
    ("convert 5 to String & 'a'", "(convert 5 to String) & 'a'"),
    ("collapse (A union B) per day", "collapse ((A) union (B)) per day"),
]


@pytest.mark.parametrize(("text", "in_parentheses"), IDIOMS)
def test_precedence_as_measures_rely_on_it(text: str, in_parentheses: str) -> None:
    """Parentheses leave no trace in the tree, so both texts must give the same one."""
    assert parse_expression(text) == parse_expression(in_parentheses)
