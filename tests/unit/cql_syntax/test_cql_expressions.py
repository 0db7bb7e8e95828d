"""Every production of the expression grammar: text in, tree out (written as in `cql_syntax_samples.py`)."""

import pytest
from cql_syntax_samples import shown

from cql_like.syntax import parse_expression

LITERALS = [
    ("null", "null"),
    ("true", "BooleanLiteral(True)"),
    ("42", "42"),
    ("42L", "LongLiteral(42)"),
    ("4.20", "DecimalLiteral(4.20)"),
    ("'it\\'s'", '"it\'s"'),
    ("'\\u0048\\u0069\\n'", "'Hi\\n'"),
    ("'\\d'", "'\\\\d'"),
    ("'\\ud83d\\ude00 \\ud83d'", "'\U0001f600 \ufffd'"),
    ("@2024", "DateLiteral(2024, -, -)"),
    ("@2024-02", "DateLiteral(2024, 2, -)"),
    ("@2024-02-29", "DateLiteral(2024, 2, 29)"),
    ("@2024T", "DateTimeLiteral(2024, -, -, -, -, -, -, -)"),
    ("@2024-02-29T10", "DateTimeLiteral(2024, 2, 29, 10, -, -, -, -)"),
    ("@2024-02-29T10:30:15.5-05:30", "DateTimeLiteral(2024, 2, 29, 10, 30, 15, 500, -330)"),
    ("@2024-02-29TZ", "DateTimeLiteral(2024, 2, 29, -, -, -, -, 0)"),
    ("@T10", "TimeLiteral(10, -, -, -)"),
    ("@T10:30:15.25", "TimeLiteral(10, 30, 15, 250)"),
    ("5 'mg'", "5 'mg'"),
    ("3 days", "3 days"),
    ("1 year", "1 year"),
    ("1.5", "DecimalLiteral(1.5)"),
    ("1 'mg' : 2 'mL'", "RatioLiteral(1 'mg', 2 'mL')"),
    ("1:128", "RatioLiteral(1 '1', 128 '1')"),
    ("-2147483648", "-2147483648"),
    ("-9223372036854775808L", "LongLiteral(-9223372036854775808)"),
    ("5.999999999 'g'", "6.00000000 'g'"),
    ("%today", "ExternalConstant(today)"),
    ('%"to day"', "ExternalConstant(to day)"),
    ("$this", "Iteration($this)"),
]
SELECTORS = [
    ("Interval[1, 10)", "IntervalSelector(1, 10, True, False)"),
    ("Interval(@2024, null]", "IntervalSelector(DateLiteral(2024, -, -), null, False, True)"),
    ("{}", "ListSelector(-, [])"),
    ("{ 1, 2 }", "ListSelector(-, [1, 2])"),
    ("List<Integer> { 1 }", "ListSelector(Integer, [1])"),
    ("List { }", "ListSelector(-, [])"),
    ("Tuple { a: 1, code: 2 }", "TupleSelector([ElementSelector(a, 1), ElementSelector(code, 2)])"),
    ("{ a: 1 }", "TupleSelector([ElementSelector(a, 1)])"),
    ("{ : }", "TupleSelector([])"),
    ("Tuple { : }", "TupleSelector([])"),
    ("Code '99392' from \"CPT\" display 'Well visit'", "CodeSelector(99392, QualifiedName([CPT]), Well visit)"),
    (
        "Concept { Code '1' from A, Code '2' from B.C } display 'D'",
        "ConceptSelector([CodeSelector(1, QualifiedName([A]), -), CodeSelector(2, QualifiedName([B, C]), -)], D)",
    ),
    (
        "Quantity { value: 5.0, unit: 'mg' }",
        "InstanceSelector(Quantity, [ElementSelector(value, DecimalLiteral(5.0)), ElementSelector(unit, 'mg')])",
    ),
    ("FHIR.Period { : }", "InstanceSelector(FHIR.Period, [])"),
    ("Code { code: '1' }", "InstanceSelector(Code, [ElementSelector(code, '1')])"),
    ("Concept { codes: {} }", "InstanceSelector(Concept, [ElementSelector(codes, ListSelector(-, []))])"),
]
NAMES = [
    ('"Well Visits"', "Well Visits"),
    ("`Well Visits`", "Well Visits"),
    ('Common."Well Visits"', "Member(Common, Well Visits)"),
    ("E.period.start", "Member(Member(E, period), start)"),
    ("E.identifier[0].value", "Member(Indexer(Member(E, identifier), 0), value)"),
    ('"a\\"b"', 'a"b'),
    ("version", "version"),
    ("code", "code"),
    ("E.where", "Member(E, where)"),
    ("First(X)", "Call(-, First, [X])"),
    ("Common.ToX(a, b)", "Call(Common, ToX, [a, b])"),
    ("E.period.toInterval()", "Call(Member(E, period), toInterval, [])"),
    ("X.where($this > 1).exists()", "Call(Call(X, where, [Binary(>, Iteration($this), 1)]), exists, [])"),
    ("date", "date"),
    ("start", "start"),
    ("end", "end"),
]
ARITHMETIC = [
    ("1 + 2 * 3", "Binary(+, 1, Binary(*, 2, 3))"),
    ("(1 + 2) * 3", "Binary(*, Binary(+, 1, 2), 3)"),
    ("2 ^ 3 ^ 2", "Binary(^, Binary(^, 2, 3), 2)"),
    ("-2 ^ 2", "Binary(^, Unary(-, 2), 2)"),
    ("a - b - c", "Binary(-, Binary(-, a, b), c)"),
    ("a div b mod c", "Binary(mod, Binary(div, a, b), c)"),
    ("'a' & 'b' + 'c'", "Binary(+, Binary(&, 'a', 'b'), 'c')"),
    ("start of A + 1 day", "Binary(+, Unary(start of, A), 1 day)"),
    ("- a.b", "Unary(-, Member(a, b))"),
    ("successor of predecessor of x", "Unary(successor of, Unary(predecessor of, x))"),
    ("width of I", "Unary(width of, I)"),
    ("singleton from X.y", "Unary(singleton from, Member(X, y))"),
    ("point from I", "Unary(point from, I)"),
    ("minimum Integer", "TypeExtreme(minimum, Integer)"),
    ("maximum FHIR.date", "TypeExtreme(maximum, FHIR.date)"),
    ("year from D", "ComponentFrom(year, D)"),
    ("date from D", "ComponentFrom(date, D)"),
    ("time from E", "ComponentFrom(time, E)"),
    ("timezoneoffset from D", "ComponentFrom(timezoneoffset, D)"),
    ("duration in days of I", "ElapsedOf(duration, day, I)"),
    ("difference in months of I", "ElapsedOf(difference, month, I)"),
]
LOGIC = [
    ("a and b or c", "Binary(or, Binary(and, a, b), c)"),
    ("a or b and c", "Binary(or, a, Binary(and, b, c))"),
    ("a implies b implies c", "Binary(implies, Binary(implies, a, b), c)"),
    ("not a = b", "Binary(=, Unary(not, a), b)"),
    ("not exists A", "Unary(not, Unary(exists, A))"),
    ("exists A and B", "Binary(and, Unary(exists, A), B)"),
    ("a xor b", "Binary(xor, a, b)"),
    ("a is null and b is not true", "Binary(and, BooleanTest(a, null, False), BooleanTest(b, true, True))"),
    ("a in B and c", "Binary(and, Membership(in, -, a, B), c)"),
    ("exists A union B", "Binary(union, Unary(exists, A), B)"),
    ("A | B intersect C except D", "Binary(except, Binary(intersect, Binary(union, A, B), C), D)"),
    ("a = b in c", "Membership(in, -, Binary(=, a, b), c)"),
    ("a < b = c", "Binary(=, Binary(<, a, b), c)"),
    ("a ~ b", "Binary(~, a, b)"),
    ("a !~ b", "Binary(!~, a, b)"),
    ("a != b", "Binary(!=, a, b)"),
    ("a <= b", "Binary(<=, a, b)"),
]
TYPES = [
    ("x is Integer", "TypeTest(x, Integer)"),
    ("x as List<Interval<DateTime>>", "Cast(x, ListType(IntervalType(DateTime)), False)"),
    ("cast x as Choice<Integer, FHIR.string>", "Cast(x, ChoiceType([Integer, FHIR.string]), True)"),
    (
        "convert x to Tuple { a Integer, date Date }",
        "Conversion(x, TupleType([TupleTypeElement(a, Integer), TupleTypeElement(date, Date)]))",
    ),
    ("convert x to 'g'", "UnitConversion(x, g, False)"),
    ("convert x to hours", "UnitConversion(x, hours, True)"),
    ("convert x to System.Integer", "Conversion(x, System.Integer)"),
    ("x is not null", "BooleanTest(x, null, True)"),
    ("x is false", "BooleanTest(x, false, False)"),
    ("x as Code", "Cast(x, Code, False)"),
    ('x is "Encounter, Performed"', "TypeTest(x, Encounter, Performed)"),
]
CONDITIONS = [
    ("if a then 1 else 2 + 3", "If(a, 1, Binary(+, 2, 3))"),
    ("if a then 1 else if b then 2 else 3", "If(a, 1, If(b, 2, 3))"),
    ("case when a then 1 else 2 end", "Case(-, [CaseItem(a, 1)], 2)"),
    ("case x when 1 then a when 2 then b else c end", "Case(x, [CaseItem(1, a), CaseItem(2, b)], c)"),
]
LIST_OPERATORS = [
    ("distinct A union B", "Unary(distinct, Binary(union, A, B))"),
    ("flatten X", "Unary(flatten, X)"),
    ("expand X", "ExpandCollapse(expand, X, -, -)"),
    ("expand X per day", "ExpandCollapse(expand, X, day, -)"),
    ("collapse X per 2 days", "ExpandCollapse(collapse, X, -, 2 days)"),
    ("collapse X per quantity", "ExpandCollapse(collapse, X, -, quantity)"),
]
BETWEEN = [
    ("x between 1 and 2 + 3 and y", "Binary(and, Between(x, 1, Binary(+, 2, 3), False), y)"),
    ("x properly between 1 and 2", "Between(x, 1, 2, True)"),
    ("days between A and B > 3", "Binary(>, ElapsedBetween(duration, day, A, B), 3)"),
    ("duration in months between A and B", "ElapsedBetween(duration, month, A, B)"),
    (
        "difference in days between start of A and end of A = 2",
        "Binary(=, ElapsedBetween(difference, day, Unary(start of, A), Unary(end of, A)), 2)",
    ),
]
MEMBERSHIP = [
    ("x in Y", "Membership(in, -, x, Y)"),
    ("x contains y", "Membership(contains, -, x, y)"),
    ("x in day of Y", "Membership(in, day, x, Y)"),
    ("X contains month of y", "Membership(contains, month, X, y)"),
]
TIMING = [
    ("A same as B", "Timing(A, TimingPhrase(same as, -, -, False, -, -), B)"),
    ("A starts same day as B", "Timing(A, TimingPhrase(same as, start, -, False, day, -), B)"),
    ("A ends same day or after end B", "Timing(A, TimingPhrase(same or after, end, end, False, day, -), B)"),
    ("A same or before B", "Timing(A, TimingPhrase(same or before, -, -, False, -, -), B)"),
    (
        "A occurs same month or before start of B",
        "Timing(A, TimingPhrase(same or before, -, -, False, month, -), Unary(start of, B))",
    ),
    ("A includes B", "Timing(A, TimingPhrase(includes, -, -, False, -, -), B)"),
    ("A properly includes day of B", "Timing(A, TimingPhrase(includes, -, -, True, day, -), B)"),
    ("A includes start B", "Timing(A, TimingPhrase(includes, -, start, False, -, -), B)"),
    ("A during B", "Timing(A, TimingPhrase(included in, -, -, False, -, -), B)"),
    ("A properly during B", "Timing(A, TimingPhrase(included in, -, -, True, -, -), B)"),
    ("A included in B", "Timing(A, TimingPhrase(included in, -, -, False, -, -), B)"),
    ("A starts during day of B", "Timing(A, TimingPhrase(included in, start, -, False, day, -), B)"),
    ("A ends properly included in B", "Timing(A, TimingPhrase(included in, end, -, True, -, -), B)"),
    ("A occurs during B", "Timing(A, TimingPhrase(included in, -, -, False, -, -), B)"),
    ("A before B", "Timing(A, TimingPhrase(before, -, -, False, -, -), B)"),
    ("A after day of B", "Timing(A, TimingPhrase(after, -, -, False, day, -), B)"),
    ("A on or before B", "Timing(A, TimingPhrase(on or before, -, -, False, -, -), B)"),
    ("A before or on B", "Timing(A, TimingPhrase(on or before, -, -, False, -, -), B)"),
    (
        "A starts 1 day or less before start of B",
        "Timing(A, TimingPhrase(before, start, -, False, -, QuantityOffset(1 day, or less)), Unary(start of, B))",
    ),
    (
        "A starts 3 days after end B",
        "Timing(A, TimingPhrase(after, start, end, False, -, QuantityOffset(3 days, exactly)), B)",
    ),
    ("A ends on or after day of end B", "Timing(A, TimingPhrase(on or after, end, end, False, day, -), B)"),
    (
        "A starts less than 3 days before start B",
        "Timing(A, TimingPhrase(before, start, start, False, -, QuantityOffset(3 days, less than)), B)",
    ),
    (
        "A 2 years or more on or before day of B",
        "Timing(A, TimingPhrase(on or before, -, -, False, day, QuantityOffset(2 years, or more)), B)",
    ),
    (
        "A more than 5 'mm' after B",
        "Timing(A, TimingPhrase(after, -, -, False, -, QuantityOffset(5 'mm', more than)), B)",
    ),
    ("A occurs 1 hour before B", "Timing(A, TimingPhrase(before, -, -, False, -, QuantityOffset(1 hour, exactly)), B)"),
    (
        "A starts within 3 days of start B",
        "Timing(A, TimingPhrase(within, start, start, False, -, QuantityOffset(3 days, exactly)), B)",
    ),
    ("A within 3 days of B", "Timing(A, TimingPhrase(within, -, -, False, -, QuantityOffset(3 days, exactly)), B)"),
    (
        "A properly within 1 month of end of B",
        "Timing(A, TimingPhrase(within, -, -, True, -, QuantityOffset(1 month, exactly)), Unary(end of, B))",
    ),
    ("A meets B", "Timing(A, TimingPhrase(meets, -, -, False, -, -), B)"),
    ("A meets before day of B", "Timing(A, TimingPhrase(meets before, -, -, False, day, -), B)"),
    ("A overlaps B", "Timing(A, TimingPhrase(overlaps, -, -, False, -, -), B)"),
    ("A overlaps after month of B", "Timing(A, TimingPhrase(overlaps after, -, -, False, month, -), B)"),
    ("A starts B", "Timing(A, TimingPhrase(starts, -, -, False, -, -), B)"),
    ("A ends day of B", "Timing(A, TimingPhrase(ends, -, -, False, day, -), B)"),
    ("A before start", "Timing(A, TimingPhrase(before, -, -, False, -, -), start)"),
    ("A before end of B", "Timing(A, TimingPhrase(before, -, -, False, -, -), Unary(end of, B))"),
    ("A before start.value", "Timing(A, TimingPhrase(before, -, -, False, -, -), Member(start, value))"),
    (
        "A + 1 day before B - 1 day",
        "Timing(Binary(+, A, 1 day), TimingPhrase(before, -, -, False, -, -), Binary(-, B, 1 day))",
    ),
]
QUERIES = [
    (
        "[Encounter]",
        "Retrieve(-, Encounter, -, -, -)",
    ),
    (
        '[Encounter: "Well Visits"]',
        "Retrieve(-, Encounter, -, -, Well Visits)",
    ),
    (
        '[Encounter: type in Common."Well Visits"]',
        "Retrieve(-, Encounter, [PathStep(type, -)], in, Member(Common, Well Visits))",
    ),
    (
        '[Observation: code ~ "Lead"]',
        "Retrieve(-, Observation, [PathStep(code, -)], ~, Lead)",
    ),
    (
        "[Condition: code.coding[0].code = 'x']",
        "Retrieve(-, Condition, [PathStep(code, -), PathStep(coding, 0), PathStep(code, -)], =, 'x')",
    ),
    (
        '[Patient.context -> "Encounter, Performed": "Well Visits"]',
        "Retrieve(Member(Patient, context), Encounter, Performed, -, -, Well Visits)",
    ),
    (
        "[Encounter: { a, b }]",
        "Retrieve(-, Encounter, -, -, ListSelector(-, [a, b]))",
    ),
    (
        "[Encounter] E",
        "Query([AliasedSource(Retrieve(-, Encounter, -, -, -), E)], [], [], -, -, -, [])",
    ),
    (
        '"Visits" V where V.a',
        "Query([AliasedSource(Visits, V)], [], [], Member(V, a), -, -, [])",
    ),
    (
        'Common."Visits" V return V.a',
        "Query([AliasedSource(Member(Common, Visits), V)], [], [], -, ReturnClause(True, Member(V, a)), -, [])",
    ),
    (
        "({ 1, 2 }) X",
        "Query([AliasedSource(ListSelector(-, [1, 2]), X)], [], [], -, -, -, [])",
    ),
    (
        "from [A] a, B b, (C) c where a = b",
        "Query([AliasedSource(Retrieve(-, A, -, -, -), a), AliasedSource(B, b), AliasedSource(C, c)], "
        "[], [], Binary(=, a, b), -, -, [])",
    ),
    (
        "[A] a, [B] b return all Tuple { a: a, b: b }",
        "Query([AliasedSource(Retrieve(-, A, -, -, -), a), AliasedSource(Retrieve(-, B, -, -, -), b)], "
        "[], [], -, ReturnClause(False, TupleSelector([ElementSelector(a, a), ElementSelector(b, b)])), "
        "-, [])",
    ),
    (
        "f([A] a return a, b)",
        "Call(-, f, [Query([AliasedSource(Retrieve(-, A, -, -, -), a)], [], [], -, ReturnClause(True, a), -, []), b])",
    ),
    (
        "{ A a, B }",
        "ListSelector(-, [Query([AliasedSource(A, a)], [], [], -, -, -, []), B])",
    ),
    (
        "A a let x: a.y, z: a.w where x = z return distinct x",
        "Query([AliasedSource(A, a)], [LetItem(x, Member(a, y)), LetItem(z, Member(a, w))], [], "
        "Binary(=, x, z), ReturnClause(True, x), -, [])",
    ),
    (
        "A a with [B] b such that a = b without C c such that a ~ c return a",
        "Query([AliasedSource(A, a)], [], [Relationship(AliasedSource(Retrieve(-, B, -, -, -), b), "
        "Binary(=, a, b), False), Relationship(AliasedSource(C, c), Binary(~, a, c), True)], -, "
        "ReturnClause(True, a), -, [])",
    ),
    (
        "A a aggregate distinct R starting 1: R * a",
        "Query([AliasedSource(A, a)], [], [], -, -, AggregateClause(True, R, 1, Binary(*, R, a)), [])",
    ),
    (
        "A a aggregate R starting (List<Integer>{}): R",
        "Query([AliasedSource(A, a)], [], [], -, -, AggregateClause(False, R, ListSelector(Integer, []), R), [])",
    ),
    (
        "A a aggregate all R starting 1 'mg': R",
        "Query([AliasedSource(A, a)], [], [], -, -, AggregateClause(False, R, 1 'mg', R), [])",
    ),
    (
        "A a aggregate R: R + a",
        "Query([AliasedSource(A, a)], [], [], -, -, AggregateClause(False, R, -, Binary(+, R, a)), [])",
    ),
    (
        "A a sort desc",
        "Query([AliasedSource(A, a)], [], [], -, -, -, [SortItem(-, True)])",
    ),
    (
        "A a return a.b sort asc",
        "Query([AliasedSource(A, a)], [], [], -, ReturnClause(True, Member(a, b)), -, [SortItem(-, False)])",
    ),
    (
        "A a sort by start of period desc, id",
        "Query([AliasedSource(A, a)], [], [], -, -, -, [SortItem(Unary(start of, period), True), SortItem(id, False)])",
    ),
    (
        "exists [A] a where a.b and c",
        "Unary(exists, Query([AliasedSource(Retrieve(-, A, -, -, -), a)], [], [], Binary(and, Member(a, "
        "b), c), -, -, []))",
    ),
    (
        "not A a where a.b",
        "Unary(not, Query([AliasedSource(A, a)], [], [], Member(a, b), -, -, []))",
    ),
    (
        "x in A a return a.b",
        "Membership(in, -, x, Query([AliasedSource(A, a)], [], [], -, ReturnClause(True, Member(a, b)), -, []))",
    ),
    (
        "(A a) is null",
        "BooleanTest(Query([AliasedSource(A, a)], [], [], -, -, -, []), null, False)",
    ),
    (
        "[A] union [B]",
        "Binary(union, Retrieve(-, A, -, -, -), Retrieve(-, B, -, -, -))",
    ),
    (
        "(A.b).c",
        "Member(Member(A, b), c)",
    ),
]


@pytest.mark.parametrize(("text", "expected"), LITERALS)
def test_literals(text: str, expected: str) -> None:
    """Null, Boolean, number, string, date and quantity literals."""
    assert shown(parse_expression(text)) == expected


@pytest.mark.parametrize(("text", "expected"), SELECTORS)
def test_selectors(text: str, expected: str) -> None:
    """Interval, list, tuple, code, concept and instance selectors."""
    assert shown(parse_expression(text)) == expected


@pytest.mark.parametrize(("text", "expected"), NAMES)
def test_names(text: str, expected: str) -> None:
    """Names, elements, calls."""
    assert shown(parse_expression(text)) == expected


@pytest.mark.parametrize(("text", "expected"), ARITHMETIC)
def test_arithmetic(text: str, expected: str) -> None:
    """Expression terms, by precedence."""
    assert shown(parse_expression(text)) == expected


@pytest.mark.parametrize(("text", "expected"), LOGIC)
def test_logic(text: str, expected: str) -> None:
    """Comparison, logic and sets, by precedence."""
    assert shown(parse_expression(text)) == expected


@pytest.mark.parametrize(("text", "expected"), TYPES)
def test_types(text: str, expected: str) -> None:
    """Type tests, casts and conversions."""
    assert shown(parse_expression(text)) == expected


@pytest.mark.parametrize(("text", "expected"), CONDITIONS)
def test_conditions(text: str, expected: str) -> None:
    """If and case."""
    assert shown(parse_expression(text)) == expected


@pytest.mark.parametrize(("text", "expected"), LIST_OPERATORS)
def test_list_operators(text: str, expected: str) -> None:
    """Distinct, flatten, expand, collapse."""
    assert shown(parse_expression(text)) == expected


@pytest.mark.parametrize(("text", "expected"), BETWEEN)
def test_between(text: str, expected: str) -> None:
    """Between."""
    assert shown(parse_expression(text)) == expected


@pytest.mark.parametrize(("text", "expected"), MEMBERSHIP)
def test_membership(text: str, expected: str) -> None:
    """In and contains."""
    assert shown(parse_expression(text)) == expected


@pytest.mark.parametrize(("text", "expected"), TIMING)
def test_timing(text: str, expected: str) -> None:
    """Timing phrases."""
    assert shown(parse_expression(text)) == expected


@pytest.mark.parametrize(("text", "expected"), QUERIES)
def test_queries(text: str, expected: str) -> None:
    """Retrieves and queries."""
    assert shown(parse_expression(text)) == expected
