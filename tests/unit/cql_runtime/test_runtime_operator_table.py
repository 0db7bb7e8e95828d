"""The operator table as a whole: complete, consistent, and callable as its rows promise."""

import inspect
from collections import Counter
from decimal import Decimal
from itertools import product

import pytest

from cql_like.operators import OPERATORS
from cql_like.runtime.context import EvaluationContext, Limits
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.values import (
    Code,
    CodeSystem,
    Concept,
    Date,
    DateTime,
    Interval,
    Long,
    Quantity,
    Ratio,
    Time,
    ValueSet,
)
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


SAMPLES = {
    "Boolean": [True, False],
    "Integer": [0, -3, 2**31 - 1, -(2**31)],
    "Long": [Long(0), Long(7), Long(2**63 - 1)],
    "Decimal": [Decimal(0), Decimal("-1.5"), Decimal("99999999999999999999.99999999")],
    "String": ["", "a", "2024-02-29", "1 'mg'", "(", "\u0000"],
    "Date": [Date(2024), Date(2024, 2, 29), Date(1, 1, 1), Date(9999, 12, 31)],
    "DateTime": [DateTime(2024), DateTime(2024, 2, 29, 12, 0, 0, 0, -480), DateTime(9999, 12, 31, 23, 59, 59, 999)],
    "Time": [Time(0), Time(23, 59, 59, 999)],
    "Quantity": [
        Quantity(Decimal(1), "mg"),
        Quantity(Decimal(0), "day"),
        Quantity(Decimal(-2), "a"),
        Quantity(Decimal(3)),
    ],
    "Ratio": [Ratio(Quantity(Decimal(1)), Quantity(Decimal(0)))],
    "Code": [Code("1", "urn:s"), Code(None)],
    "Concept": [Concept(()), Concept((Code("1", "urn:s"),))],
    "ValueSet": [ValueSet("urn:vs")],
    "CodeSystem": [CodeSystem("urn:s")],
    "Any": [1, "a", [1]],
}
VARIABLE = ["Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"]


def samples(kind, variable):
    if isinstance(kind, Variable):
        return SAMPLES[variable]
    if isinstance(kind, ListOf):
        inside = samples(kind.element, variable)
        return [[], [None], inside, [*inside, None, inside[0]]]
    if isinstance(kind, IntervalOf):
        points = samples(kind.point, variable)
        made = [Interval(None, None), Interval(None, None, False, False), Interval(points[0], None, True, False)]
        return [*made, Interval(None, points[-1], False, True), Interval(points[0], points[0])]
    return SAMPLES[kind.name]


class NoValueSets:
    def expand(self, url, version=None):
        return frozenset({("urn:s", "1")})


@pytest.mark.parametrize("variable", VARIABLE)
def test_an_operator_gives_a_value_or_a_run_time_error_whatever_it_is_given(variable):
    """Extremes of every type, null elements, unknown ends, units that don't fit: never a Python error."""
    limits = Limits(expand_intervals=50)
    context = EvaluationContext(DateTime(2024, 1, 1, 0, 0, 0, 0, 0), NoValueSets(), limits)
    broken = []
    for row in OPERATORS:
        if variable != VARIABLE[0] and not any(variables(kind) for kind in row.operands):
            continue
        keywords = {"context": context} if row.takes_context else {}
        optional = row.name not in ("DurationBetween", "DifferenceBetween", "DateTimeComponentFrom")
        precisions = (("day", "hour") if row.takes_precision else ()) + ((None,) if optional else ())
        for precision in precisions:
            if row.takes_precision:
                keywords["precision"] = precision
            for operands in product(*([None, *samples(kind, variable)] for kind in row.operands[:3])):
                padded = (*operands, *[None] * (len(row.operands) - 3))
                if row.propagates_null and None in padded:
                    continue
                try:
                    row.implementation(*padded, **keywords)
                except CqlRuntimeError:
                    continue
                except Exception as error:  # noqa: BLE001
                    broken.append(f"{row} of {padded} ({precision}): {error!r}")
    assert broken == []
