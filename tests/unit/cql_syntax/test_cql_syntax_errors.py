"""What is wrong is reported with its place, what was expected, and all at once; nothing but `CqlErrors` comes out."""

import pickle
from pathlib import Path

import pytest
from cql_syntax_samples import WELL_CHILD
from hypothesis import given, settings
from hypothesis import strategies as st

from cql_like.errors import CqlError, CqlErrors
from cql_like.syntax import Limits, parse_expression, parse_library

# text, column, message, expected
EXPRESSIONS = [
    ("1 +", 4, "unexpected end of text", "an expression"),
    ("(1 + 2", 7, "unexpected end of text", "')' to end the parentheses"),
    ("1 2", 3, "unexpected '2': two expressions stand side by side", "an operator, or the end of the expression"),
    ("'a", 1, "this string has no closing quote", "'"),
    ('"a', 1, "this quoted identifier has no closing quote", '"'),
    ("1 /* 2", 3, "this comment has no end", "*/"),
    ("@2024-13", 1, "there is no month 13", "a month from 01 to 12"),
    ("@2023-02-29", 1, "there is no day 29 in 2023-02", "01 to 28"),
    ("@0000", 1, "there is no year 0000", "a year from 0001 to 9999"),
    ("@T24:00", 1, "there is no hour 24", "an hour from 00 to 23"),
    ("@T10:60", 1, "there is no minute 60", "a minute from 00 to 59"),
    ("@T23:59:60.999", 1, "there is no second 60", "a second from 00 to 59"),
    ("@T10:00:00.1234", 1, "the fraction .1234 is finer than a millisecond", "at most three digits"),
    ("@2024-01-01T00:00+14:01", 1, "there is no offset +14:01", "an offset from -14:00 to +14:00"),
    ("@24", 1, "this is not a date, DateTime or time literal", "@2024-02-29, @2024-02-29T10:30:00.000 or @T10:30"),
    ("1 + 2147483648", 5, "2147483648 is out of range for an Integer", "at most 2147483647, or a Long"),
    ("-2147483649", 2, "2147483649 is out of range for an Integer", "at most 2147483647, or a Long"),
    ("9223372036854775808L", 1, "9223372036854775808L is out of range for a Long", "at most 9223372036854775807L"),
    ("0.000000001", 1, "0.000000001 has more digits than a Decimal holds", "at most 8 digits after the point"),
    ("1" + "0" * 20 + ".0", 1, f"1{'0' * 20}.0 is out of range for a Decimal", "at most 20 digits before the point"),
    ("a # b", 3, "unexpected character '#'", None),
    ("a \u00a0", 3, "the character '\\xa0' (U+00A0) may stand only in strings and quoted identifiers", None),
    ("$that", 1, "unknown name $that", "$this, $index or $total"),
    ("{ 1, }", 6, "unexpected '}'", "an expression"),
    ("Tuple { 1 }", 9, "unexpected '1'", "the name of an element, or ':' alone for none"),
    ("Interval{1}", 9, "unexpected '{'", "'[' or '(' after Interval"),
    ("if a then b", 12, "unexpected end of text", "'else' after the then of if"),
    ("case else 1 end", 6, "unexpected keyword 'else'", "an expression"),
    ("case a else 1 end", 8, "unexpected keyword 'else'", "when"),
    ("x is not Integer", 10, "unexpected 'Integer': for a type write: not (x is T)",
     "null, true or false after is not"),
    ("A starts 3 days B", 17, "unexpected 'B'", "a timing phrase, as in 3 days or less before, on or after, during,"
     " within 3 days of"),
    ("A properly before B", 12, "unexpected keyword 'before'",
     "includes, included in, during, within or between after properly"),
    ("A same day B", 12, "unexpected 'B'", "as, or before, or after, as in same day as"),
    ("[Encounter] E whre E.a", 15, "unexpected 'whre': did you mean 'where'?",
     "an operator, or the end of the expression"),
    ("[Encounter] where a", 13, "unexpected keyword 'where': this clause belongs to no query",
     "an alias before the clause, as in [Encounter] E where ..."),
    ("F(x) X return X", 6,
     "unexpected 'X': a query's source is a retrieve or a name, or stands in parentheses",
     "an operator, or the end of the expression"),
    ("from F(x) X return X", 7, "unexpected '(': put the source in parentheses", "an alias, as in [Encounter] E"),
    ("1 + [Encounter]", 5, "unexpected '[': a retrieve stands in parentheses here", "an expression term"),
    ("1 + exists X", 5, "unexpected keyword 'exists': an expression with 'exists' stands in parentheses here",
     "an expression term"),
    ("1 + days between a and b", 5,
     "unexpected keyword 'days': an expression with 'days' stands in parentheses here", "an expression term"),
    ("A a with B such that true", 12, "unexpected keyword 'such that': the source needs an alias",
     "an alias, as in [Encounter] E"),
    ("Code 99392", 1, "unexpected keyword 'Code': a Code is written Code '99392' from \"CPT\"", "an expression"),
    ("year of X", 6, "unexpected keyword 'of'", "'from' as in year from X"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "column", "message", "expected"), EXPRESSIONS)
def test_an_error_tells_what_where_and_what_was_expected(
    text: str, column: int, message: str, expected: str | None
) -> None:
    """One row per kind of mistake."""
    with pytest.raises(CqlErrors) as caught:
        parse_expression(text)
    error = caught.value.errors[0]
    assert (error.line, error.column, error.message, error.expected) == (1, column, message, expected)


def test_every_declaration_that_is_wrong_is_reported() -> None:
    """A mistake ends its own declaration only; the text of the line is shown with carets below the mistake."""
    text = """\
library Broken version 1
valueset "Well Visits" 'http://example.org/vs'
context Patient
define "A": [Encounter] E whre E.status = 'finished'
define "B": (1 +
define "Fine": 1
define C 2
parameter "Late" Integer
define where: 1
parameter code Integer
"""
    with pytest.raises(CqlErrors) as caught:
        parse_library(text)
    assert [(error.library, error.line, error.column) for error in caught.value.errors] == [
        ("Broken", 1, 24),
        ("Broken", 2, 24),
        ("Broken", 4, 27),
        ("Broken", 6, 1),
        ("Broken", 7, 10),
        ("Broken", 8, 1),
        ("Broken", 9, 8),
        ("Broken", 10, 11),
    ]
    assert str(caught.value.errors[2]) == (
        "Broken:4:27: unexpected 'whre': did you mean 'where'?\n"
        "  expected: an operator, or the end of the expression\n"
        "  define \"A\": [Encounter] E whre E.status = 'finished'\n"
        "                            ^^^^"
    )
    assert caught.value.errors[5].message == "this parameter definition stands after a define or context"
    assert caught.value.errors[6].message == "unexpected keyword 'where': a keyword is a name only in quotes: \"where\""


def test_errors_survive_pickling() -> None:
    """They cross process boundaries (the population runner) whole."""
    with pytest.raises(CqlErrors) as caught:
        parse_expression("1 +")
    assert pickle.loads(pickle.dumps(caught.value)).errors == caught.value.errors  # noqa: S301


LIMITS = Limits(characters=2000, nesting=20, depth=30)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(" * 30 + "1" + ")" * 30, "nested more than 20 levels deep"),
        ("not " * 30 + "a", "nested more than 20 levels deep"),
        ("if a then " * 30 + "1", "nested more than 20 levels deep"),
        ("x as " + "List<" * 30, "nested more than 20 levels deep"),
        ("1" + " + 1" * 40, "this expression is more than 30 operators deep"),
        ("a" + " or a = 1 + 1" * 2 + " - 1" * 40, "this expression is more than 30 operators deep"),
        ("1" + " + 1" * 1000, "the text has 4001 characters"),
    ],
)
def test_a_text_beyond_the_limits_is_an_ordinary_error(text: str, message: str) -> None:
    """No text makes the parser run out of stack."""
    with pytest.raises(CqlErrors) as caught:
        parse_expression(text, limits=LIMITS)
    assert caught.value.errors[0].message == message


def test_the_default_limits_hold_what_people_write() -> None:
    """150 levels of parentheses and a chain of 5,000 operators parse; 100,000 brackets are an error, quickly."""
    assert parse_expression("(" * 150 + "1" + ")" * 150) == parse_expression("1")
    assert parse_expression(" or ".join(["a"] * 5000)).span.end_column == 24997
    with pytest.raises(CqlErrors, match="nested more than 200 levels deep"):
        parse_expression("(" * 100_000)


def test_a_text_of_nothing_but_errors_ends_at_the_limit_of_errors() -> None:
    """The reader gets the first hundred."""
    with pytest.raises(CqlErrors) as caught:
        parse_library("define A B\n" * 1000)
    assert len(caught.value.errors) == 100


_WORDS = """define A "q" `b` : ( ) [ ] { } , . 1 1L 2.5 'mg' @2024 @T10 @2024T days day of start end starts before after
or on less more than within same as in included during is not null exists and with such that where return sort by asc
from union expand per distinct if then else case when List < > Interval Tuple Code context parameter function library
include $this % * - + @ ' " /* // valueset display between properly"""
_FRAGMENTS = st.sampled_from(_WORDS.split())
_TEXTS = st.one_of(st.text(max_size=60), st.lists(_FRAGMENTS, max_size=25).map(" ".join))


@given(_TEXTS)
@settings(max_examples=400, deadline=None)
def test_any_text_parses_or_raises_cql_errors(text: str) -> None:
    """Random characters and random tokens, as an expression and as a library."""
    for parse in (parse_expression, parse_library):
        try:
            parse(text)
        except CqlErrors as errors:
            assert all(error.line >= 1 and error.column >= 1 and error.message for error in errors.errors)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_mutated_library_parses_or_raises_errors_within_it(data: st.DataObject) -> None:
    """Cut a piece out of a good library and put another in: errors stay within the text."""
    start = data.draw(st.integers(0, len(WELL_CHILD)))
    end = data.draw(st.integers(start, min(len(WELL_CHILD), start + 40)))
    text = WELL_CHILD[:start] + data.draw(_TEXTS) + WELL_CHILD[end:]
    try:
        parse_library(text)
    except CqlErrors as errors:
        assert max(error.line for error in errors.errors) <= text.count("\n") + 1


def test_cql_error_prints_without_expectation_and_excerpt() -> None:
    """Not every error has them."""
    assert str(CqlError("Lib", 3, 4, "no such name")) == "Lib:3:4: no such name"


SHARED = Path(__file__).resolve().parents[3] / "../shared/conformance/cql"


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/conformance/cql is absent")
def test_every_expression_of_the_hl7_suite_parses() -> None:
    """Except those that the suite or the specification's ranges call invalid."""
    from cql_like.conformance import read_suite

    refused: dict[str, None] = {}
    for path in sorted(SHARED.glob("*.xml")):
        for case in read_suite(path):
            for text in (case.expression, *case.outputs):
                try:
                    parse_expression(text)
                except CqlErrors:
                    refused[case.name] = None
    assert list(refused) == [
        "CeilingIntegerGreaterThanMaxInteger",  # invalid="syntax"
        "CeilingIntegerLessThanMinInteger",  # invalid="syntax"
        "FloorIntegerGreaterThanMaxInteger",  # the same literal, which the suite does not call invalid here
        "FloorIntegerLessThanMinInteger",
        "TimeUpperBoundHours",  # invalid="semantic"
        "TimeUpperBoundSeconds",  # invalid="semantic"
        "IntegerPos2Pow31",  # invalid="true", as are the three below
        "Integer2Pow31ToInf1",
        "IntegerPos2Pow31ToInf1",
        "IntegerNeg2Pow31ToInf1",
        "DecimalPosTenthStep",  # invalid="true"
        "DecimalPos10Pow28ToZeroOneStepDecimalMaxValue",  # 28 digits before the point: a Decimal has 20
        "DecimalNeg10Pow28ToZeroOneStepDecimalMinValue",
        "Decimal10Pow28",  # invalid="true"
    ]
