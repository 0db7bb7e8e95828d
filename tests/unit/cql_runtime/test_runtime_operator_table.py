"""The operator table as a whole: complete, consistent, and callable as its rows promise."""

import inspect
from collections import Counter

import pytest

from cql_like.operators import OPERATORS
from cql_like.runtime.context import EvaluationContext
from cql_like.runtime.values import DateTime
from cql_like.types import IntervalOf, ListOf, Variable

# CQL 1.5 Appendix B, by section, as ELM names them; queries and type operators are nodes, not rows
APPENDIX_B = {
    "logical": "And Implies Not Or Xor",
    "type": "CanConvertQuantity ConvertQuantity ConvertsToBoolean ConvertsToDate ConvertsToDateTime ConvertsToDecimal "
    "ConvertsToInteger ConvertsToLong ConvertsToQuantity ConvertsToRatio ConvertsToString ConvertsToTime Children "
    "Descendents ToBoolean ToChars ToConcept ToDate ToDateTime ToDecimal ToInteger ToList ToLong ToQuantity ToRatio "
    "ToString ToTime",
    "nullological": "Coalesce IsFalse IsNull IsTrue",
    "comparison": "Equal Equivalent Greater GreaterOrEqual Less LessOrEqual NotEqual",
    "arithmetic": "Abs Add Ceiling Divide Exp Floor HighBoundary Ln Log LowBoundary MaxValue MinValue Modulo Multiply "
    "Negate Power Precision Predecessor Round Subtract Successor Truncate TruncatedDivide",
    "string": "Combine Concatenate EndsWith Indexer LastPositionOf Length Lower Matches PositionOf ReplaceMatches "
    "Split SplitOnMatches StartsWith Substring Upper",
    "date and time": "Date DateFrom DateTime DateTimeComponentFrom DifferenceBetween DurationBetween Now SameAs "
    "SameOrAfter SameOrBefore Time TimeFrom TimeOfDay TimezoneOffsetFrom Today",
    "interval": "After Before Collapse Contains End Ends Except Expand In IncludedIn Includes Intersect Meets "
    "MeetsAfter MeetsBefore Overlaps OverlapsAfter OverlapsBefore PointFrom ProperContains ProperIn ProperIncludedIn "
    "ProperIncludes Size Start Starts Union Width",
    "list": "Distinct Exists First Flatten IndexOf Last SingletonFrom Skip Slice Tail Take",
    "aggregate": "AllTrue AnyTrue Avg Count GeometricMean Max Median Min Mode PopulationStdDev PopulationVariance "
    "Product StdDev Sum Variance",
    "clinical": "AnyInCodeSystem AnyInValueSet CalculateAge CalculateAgeAt ExpandValueSet InCodeSystem InValueSet",
    "errors": "Message",
}


@pytest.mark.parametrize("section", APPENDIX_B)
def test_every_operator_of_the_appendix_has_a_row(section):
    assert set(APPENDIX_B[section].split()) - {row.name for row in OPERATORS} == set()


def test_no_overload_stands_twice():
    counts = Counter((row.name, row.operands) for row in OPERATORS)
    assert [str(key) for key, count in counts.items() if count > 1] == []


def keywords_of(row):
    keywords = {"precision": None} if row.takes_precision else {}
    if row.takes_context:
        keywords["context"] = EvaluationContext(now=DateTime(2024, 1, 1, 0, 0, 0, 0, 0))
    return keywords


def test_the_implementations_take_what_their_rows_promise():
    for row in OPERATORS:
        inspect.signature(row.implementation).bind(*([None] * len(row.operands)), **keywords_of(row))


def test_rows_that_see_nulls_can_take_them():
    for row in OPERATORS:
        if not row.propagates_null:
            row.implementation(*([None] * len(row.operands)), **keywords_of(row))


def variables(kind):
    if isinstance(kind, Variable):
        return {kind}
    if isinstance(kind, ListOf):
        return variables(kind.element)
    return variables(kind.point) if isinstance(kind, IntervalOf) else set()


def test_result_types_follow_from_the_operands():
    assert [str(row) for row in OPERATORS if variables(row.result) - set().union(*map(variables, row.operands))] == []
