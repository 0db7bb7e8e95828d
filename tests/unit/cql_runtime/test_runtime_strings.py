"""String operators, regular expressions within their limits, conversions and literals."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cql_like.runtime import conversion, strings
from cql_like.runtime.context import EvaluationContext, Limits
from cql_like.runtime.errors import CqlMessageError, CqlRuntimeError, LimitExceeded
from cql_like.runtime.literals import to_cql
from cql_like.runtime.messages import message
from cql_like.runtime.values import (
    Code,
    Concept,
    CqlTuple,
    Date,
    DateTime,
    Interval,
    Long,
    ModelValue,
    Quantity,
    Ratio,
    Time,
    Uncertainty,
    ValueSet,
)
from cql_like.types import Named

HERE = EvaluationContext()


def test_strings():
    assert strings.concatenate("a", "b", context=HERE) == "ab"
    assert strings.combine(["a", None, "b"], "-", context=HERE) == "a-b"
    assert [strings.combine(parts, context=HERE) for parts in ([], [None], None)] == [None, None, None]
    assert [strings.substring("ab", start) for start in (0, 1, 2, 3, -1, None)] == ["ab", "b", "", None, None, None]
    assert [strings.substring("abc", 1, size) for size in (1, 9, 0, None)] == ["b", "bc", "", "bc"]
    assert [strings.indexer("ab", at) for at in (0, 1, 2, -1)] == ["a", "b", None, None]
    assert [strings.position_of(p, "hihi") for p in ("hi", "x")] == [0, -1]
    assert [strings.last_position_of(p, "hihi") for p in ("hi", "x")] == [2, -1]
    assert strings.split("a,b", ",") == ["a", "b"]
    assert strings.split("a,b", None) == ["a,b"]
    assert strings.split(None, ",") is None
    assert strings.to_chars("ab") == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "pattern", "matches"),
    [
        ("circa 2017", r".*\d+", True),
        ("circa 2017 or so", r".*\d+", False),  # the whole string must match
        ("two\nlines", "two.lines", True),
        ("99381", "9938[1-5]", True),
        ("word " * 50, r"(?:word )+", True),
    ],
)
def test_matches(text, pattern, matches):
    assert strings.matches(text, pattern, context=HERE) is matches


def test_replacing_matches():
    assert strings.replace_matches("All that", r"\s", r"\$", context=HERE) == "All$that"
    assert strings.replace_matches("2024-05", r"(\d+)-(\d+)", "$2/$1", context=HERE) == "05/2024"
    assert strings.replace_matches("ab", "(?P<x>a)(z)?", "${x}$2.", context=HERE) == "a.b"
    with pytest.raises(CqlRuntimeError, match="names a group"):
        strings.replace_matches("a", "a", "$1", context=HERE)
    assert strings.split_on_matches("a1b22c", r"\d+", context=HERE) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("a" * 40, "(a+)+b"),
        ("a" * 40, "(a|a)*b"),
        ("a" * 40, "(a?){40}a{40}"),
        ("a" * 40, "a?" * 40 + "a" * 40),
        ("a" * 5000, "a*a*a*a*b"),
        ("a" * 30_000, "a*"),
        ("a", "a" * 2000),
    ],
)
def test_a_regular_expression_that_could_run_away_is_refused(text, pattern):
    with pytest.raises(LimitExceeded):
        strings.matches(text, pattern, context=HERE)


def test_limits_can_be_set():
    tight = EvaluationContext(limits=Limits(string=10))
    with pytest.raises(LimitExceeded, match="more than 10 characters"):
        strings.concatenate("123456", "123456", context=tight)
    with pytest.raises(LimitExceeded, match="more than 10 characters"):
        strings.combine(["12345", "12345"], ",", context=tight)
    with pytest.raises(LimitExceeded, match="more than 10 characters"):
        strings.replace_matches("12345", r"\d", "and so on", context=tight)
    with pytest.raises(CqlRuntimeError, match="not a regular expression"):
        strings.matches("a", "(", context=HERE)


@pytest.mark.parametrize(
    ("function", "operand", "result"),
    [
        (conversion.boolean_from_string, "Yes", True),
        (conversion.boolean_from_string, "n", False),
        (conversion.boolean_from_string, "maybe", None),
        (conversion.boolean_from_number, Decimal("1.0"), True),
        (conversion.boolean_from_number, 2, None),
        (conversion.integer_from_string, "-25", -25),
        (conversion.integer_from_string, "2147483648", None),
        (conversion.integer_from_string, "1_000", None),
        (conversion.integer_from_string, "٣", None),
        (conversion.integer_from_string, "9" * 5000, None),
        (conversion.long_from_string, "2147483648", Long(2147483648)),
        (conversion.long_from_string, "9223372036854775808", None),
        (conversion.decimal_from_string, "+25.5", Decimal("25.5")),
        (conversion.decimal_from_string, "1e3", None),
        (conversion.decimal_from_string, ".5", None),
        (conversion.decimal_from_string, "0.123456789", None),
        (conversion.decimal_from_string, "NaN", None),
        (conversion.quantity_from_string, "5.5 'mg'", Quantity(Decimal("5.5"), "mg")),
        (conversion.quantity_from_string, "2 days", Quantity(Decimal(2), "day")),
        (conversion.quantity_from_string, "3", Quantity(Decimal(3), "1")),
        (conversion.quantity_from_string, "3 mg", None),
        (conversion.ratio_from_string, "1 'mg':2 'mL'", Ratio(Quantity(Decimal(1), "mg"), Quantity(Decimal(2), "mL"))),
        (conversion.ratio_from_string, "1 'a:b':2", Ratio(Quantity(Decimal(1), "a:b"), Quantity(Decimal(2)))),
        (conversion.ratio_from_string, "1", None),
        (conversion.quantity_from_ratio, Ratio(Quantity(Decimal(1)), Quantity(Decimal(0))), None),
        (conversion.to_string, True, "true"),
        (conversion.to_string, Decimal("5"), "5.0"),
        (conversion.to_string, Quantity(Decimal(125), "cm"), "125 'cm'"),
        (conversion.to_string, Quantity(Decimal(2), "years"), "2 years"),
        (conversion.to_string, DateTime(2000, 1, 1), "2000-01-01"),
        (conversion.to_string, DateTime(2000, 1, 1, 8, 25, 25, 300, -420), "2000-01-01T08:25:25.300-07:00"),
        (conversion.to_string, Time(8, 25), "08:25"),
        (conversion.concept_from_code, Code("1", "s", display="One"), Concept((Code("1", "s", display="One"),), "One")),
    ],
)
def test_conversions(function, operand, result):
    found = function(operand)
    assert found == result
    assert type(found) is type(result)


def test_converts_to_tells_whether_there_is_a_value():
    check = conversion.converts(conversion.integer_from_string)
    assert [check(text) for text in ("5", "five")] == [True, False]


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (None, "null"),
        (True, "true"),
        (-2, "-2"),
        (Long(5), "5L"),
        (Decimal("1.50"), "1.50"),
        (Decimal("2"), "2.0"),
        (Decimal("1E+3"), "1000.0"),
        (Decimal("1E-8"), "0.00000001"),
        ('it\'s "so"\n', "'it\\'s \"so\"\\n'"),
        ("a\\b\u0007\U0001f600", "'a\\\\b\\u0007\U0001f600'"),
        (Date(2024, 1, 1), "@2024-01-01"),
        (Date(2024), "@2024"),
        (DateTime(2024), "@2024T"),
        (DateTime(2024, 1, 1, 7, 5, 0, 0, -480), "@2024-01-01T07:05:00.000-08:00"),
        (Time(7, 5), "@T07:05"),
        (Quantity(Decimal(5), "mg"), "5 'mg'"),
        (Quantity(Decimal(1), "year"), "1 year"),
        (Quantity(Decimal("1.5"), "day"), "1.5 days"),
        (Ratio(Quantity(Decimal(1), "mg"), Quantity(Decimal(2), "mL")), "1 'mg':2 'mL'"),
        (Interval(1, 10), "Interval[1, 10]"),
        (Interval(1, None, False, False), "Interval(1, null)"),
        (Uncertainty(16, 44), "Interval[16, 44]"),
        ([1, None, [2]], "{1, null, {2}}"),
        ((), "{}"),
        (CqlTuple({"a": 1, "b c": "x"}), "Tuple{a: 1, \"b c\": 'x'}"),
        (CqlTuple({}), "Tuple{:}"),
        (Code("1", "s"), "Code{code: '1', system: 's'}"),
        (Concept((Code("1"),), "One"), "Concept{codes: {Code{code: '1'}}, display: 'One'}"),
        (ValueSet("urn:vs"), "ValueSet{id: 'urn:vs'}"),
        (ModelValue(Named("FHIR", "Period"), {"start": "2024"}), "FHIR.Period{start: '2024'}"),
        (ModelValue(Named("FHIR", "decimal"), 1.5), "1.5"),
        ({"resourceType": "Encounter", "id": "e1"}, "Encounter{id: 'e1'}"),
    ],
)
def test_literals(value, literal):
    assert to_cql(value) == literal


def test_a_python_object_is_no_cql_value():
    with pytest.raises(TypeError, match="set is not a CQL value"):
        to_cql({1})


@given(st.text())
def test_a_string_literal_is_one_line_of_printable_characters(text):
    literal = to_cql(text)
    assert literal.isprintable()
    assert literal[0] == literal[-1] == "'"


def test_messages_are_emitted_where_the_condition_holds():
    context = EvaluationContext()
    assert message(5, False, "100", "Error", "no", context=context) == 5
    assert message(5, None, "100", "Error", "no", context=context) == 5
    assert message(5, True, "100", "Warning", "look here", context=context) == 5
    assert [(m.severity, m.code, m.message) for m in context.messages] == [("Warning", "100", "look here")]
    with pytest.raises(CqlMessageError, match="stopped with error 400: too bad"):
        message(5, True, "400", "Error", "too bad", context=context)
    with pytest.raises(CqlRuntimeError, match="expected one of Trace, Message, Warning, Error"):
        message(5, True, "1", "Shout", "", context=context)
