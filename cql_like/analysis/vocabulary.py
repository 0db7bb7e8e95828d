"""How CQL writes what the operator table names: words and symbols -> ELM operators (CQL Appendix B; ELM mapping).

Tables only. Reading them: the key is what the syntax tree carries, the value the row name in `cql_like.operators`.
"""

from collections.abc import Mapping

from cql_like.ir import Precision
from cql_like.syntax.tree import BinaryOperator, TimingRelation, UnaryOperator

UNARY: Mapping[UnaryOperator, str] = {
    "not": "Not",
    "exists": "Exists",
    "-": "Negate",
    "start of": "Start",
    "end of": "End",
    "width of": "Width",
    "successor of": "Successor",
    "predecessor of": "Predecessor",
    "singleton from": "SingletonFrom",
    "point from": "PointFrom",
    "distinct": "Distinct",
    "flatten": "Flatten",
}

BINARY: Mapping[BinaryOperator, str] = {
    "^": "Power",
    "*": "Multiply",
    "/": "Divide",
    "div": "TruncatedDivide",
    "mod": "Modulo",
    "+": "Add",
    "-": "Subtract",
    "<=": "LessOrEqual",
    "<": "Less",
    ">": "Greater",
    ">=": "GreaterOrEqual",
    "=": "Equal",
    "!=": "NotEqual",
    "~": "Equivalent",
    "!~": "NotEquivalent",
    "and": "And",
    "or": "Or",
    "xor": "Xor",
    "implies": "Implies",
    "union": "Union",
    "intersect": "Intersect",
    "except": "Except",
}

# Operators that are the negation of another where the table has no row of their own.
NEGATIONS: Mapping[str, str] = {"NotEqual": "Equal", "NotEquivalent": "Equivalent"}

# Timing relations that are one operator: (operator, operator if `properly`).
TIMING: Mapping[TimingRelation, tuple[str, str | None]] = {
    "same as": ("SameAs", None),
    "same or before": ("SameOrBefore", None),
    "same or after": ("SameOrAfter", None),
    "on or before": ("SameOrBefore", None),
    "on or after": ("SameOrAfter", None),
    "before": ("Before", None),
    "after": ("After", None),
    "includes": ("Includes", "ProperIncludes"),
    "included in": ("IncludedIn", "ProperIncludedIn"),
    "meets": ("Meets", None),
    "meets before": ("MeetsBefore", None),
    "meets after": ("MeetsAfter", None),
    "overlaps": ("Overlaps", None),
    "overlaps before": ("OverlapsBefore", None),
    "overlaps after": ("OverlapsAfter", None),
    "starts": ("Starts", None),
    "ends": ("Ends", None),
}

# What `includes`/`included in` become where one side is a point: (operator, operator if `properly`).
TIMING_OF_POINT: Mapping[str, tuple[str, str]] = {
    "Includes": ("Contains", "ProperContains"),
    "IncludedIn": ("In", "ProperIn"),
}

ELAPSED: Mapping[str, str] = {"duration": "DurationBetween", "difference": "DifferenceBetween"}

COMPONENTS: Mapping[str, str] = {"date": "DateFrom", "time": "TimeFrom", "timezoneoffset": "TimezoneOffsetFrom"}

# Methods on an expression (CQL Appendix L, FHIRPath functions) that are an operator of the table with the source as
# its first operand. `where`, `select`, `all`, `ofType` and their like have handlers of their own.
METHODS: Mapping[str, str] = {
    "exists": "Exists",
    "first": "First",
    "last": "Last",
    "tail": "Tail",
    "skip": "Skip",
    "take": "Take",
    "count": "Count",
    "distinct": "Distinct",
    "not": "Not",
    "length": "Length",
    "single": "SingletonFrom",
    "sum": "Sum",
    "min": "Min",
    "max": "Max",
    "avg": "Avg",
    "allTrue": "AllTrue",
    "anyTrue": "AnyTrue",
    "intersect": "Intersect",
    "exclude": "Except",
    "union": "Union",
    "combine": "Union",
    "contains": "Contains",
    "indexOf": "PositionOf",
    "startsWith": "StartsWith",
    "endsWith": "EndsWith",
    "matches": "Matches",
    "replaceMatches": "ReplaceMatches",
    "upper": "Upper",
    "lower": "Lower",
    "toBoolean": "ToBoolean",
    "toInteger": "ToInteger",
    "toLong": "ToLong",
    "toDecimal": "ToDecimal",
    "toString": "ToString",
    "toDate": "ToDate",
    "toDateTime": "ToDateTime",
    "toTime": "ToTime",
    "toQuantity": "ToQuantity",
    "convertsToBoolean": "ConvertsToBoolean",
    "convertsToInteger": "ConvertsToInteger",
    "convertsToDecimal": "ConvertsToDecimal",
    "convertsToString": "ConvertsToString",
    "convertsToDate": "ConvertsToDate",
    "convertsToDateTime": "ConvertsToDateTime",
    "convertsToTime": "ConvertsToTime",
    "convertsToQuantity": "ConvertsToQuantity",
    "children": "Children",
    "descendents": "Descendents",
    "descendants": "Descendents",
    "abs": "Abs",
    "ceiling": "Ceiling",
    "floor": "Floor",
    "truncate": "Truncate",
    "round": "Round",
    "exp": "Exp",
    "ln": "Ln",
    "log": "Log",
    "power": "Power",
}

# The ages: `AgeInYears`, `CalculateAgeInMonthsAt` ... by the word after `In` (and before `At`).
AGES: Mapping[str, Precision] = {
    "Years": "year",
    "Months": "month",
    "Weeks": "week",
    "Days": "day",
    "Hours": "hour",
    "Minutes": "minute",
    "Seconds": "second",
}

# Quantity units that a time distance may carry, as calendar keywords (CQL §Time-valued quantities).
CALENDAR_PRECISIONS: Mapping[str, Precision] = {
    "year": "year",
    "month": "month",
    "week": "week",
    "day": "day",
    "hour": "hour",
    "minute": "minute",
    "second": "second",
    "millisecond": "millisecond",
    "years": "year",
    "months": "month",
    "weeks": "week",
    "days": "day",
    "hours": "hour",
    "minutes": "minute",
    "seconds": "second",
    "milliseconds": "millisecond",
    "a": "year",
    "mo": "month",
    "wk": "week",
    "d": "day",
    "h": "hour",
    "min": "minute",
    "s": "second",
    "ms": "millisecond",
}
