"""Expressions -> typed IR: types, overloads, implicit conversions, timing phrases, queries, elements."""

from collections.abc import Callable

import pytest
from cql_analysing import expression, fhir, program, short

from cql_like import ir
from cql_like.analysis.walk import walk
from cql_like.runtime.values import Code
from cql_like.types import ANY

# ------------------------------------------------------------------------------------------- System expressions


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1", "System.Integer"),
        ("1L", "System.Long"),
        ("1.0", "System.Decimal"),
        ("1 + 1", "System.Integer"),
        ("1 + 1.5", "System.Decimal"),
        ("1 + 1L", "System.Long"),
        ("1 / 2", "System.Decimal"),
        ("2 * 5 'mg'", "System.Quantity"),
        ("'a' + 'b'", "System.String"),
        ("'a' & null", "System.String"),
        ("@2024-01-01 + 1 month", "System.Date"),
        ("null", "System.Any"),
        ("{}", "List<System.Any>"),
        ("{1, null, 2.5}", "List<System.Decimal>"),
        ("{1, 'a'}", "List<Choice<System.Integer, System.String>>"),
        ("Interval[1, 2.0]", "Interval<System.Decimal>"),
        ("Interval[@2024-01-01, null)", "Interval<System.Date>"),
        ("Tuple { b: 1, a: 'x' }", "Tuple{a System.String, b System.Integer}"),
        ("if true then 1 else null", "System.Integer"),
        ("if true then 1 else 2.0", "System.Decimal"),
        ("if true then 1 else 'a'", "Choice<System.Integer, System.String>"),
        ("case when true then Interval[1, 2] else null end", "Interval<System.Integer>"),
        ("case 1 when 1 then 'one' else null end", "System.String"),
        ("First({1, 2})", "System.Integer"),
        ("{1, 2}[0]", "System.Integer"),
        ("Coalesce(null, 1)", "System.Integer"),
        ("Count({1, 2})", "System.Integer"),
        ("start of Interval[@2024-01-01, @2024-02-01]", "System.Date"),
        ("{1} union {'a'}", "List<Choice<System.Integer, System.String>>"),
        ("flatten {{1}, {2}}", "List<System.Integer>"),
        ("expand { Interval[1, 4] }", "List<Interval<System.Integer>>"),
        ("convert '1' to Integer", "System.Integer"),
        ("5 as Integer", "System.Integer"),
        ("null as Date", "System.Date"),
        ("minimum Integer", "System.Integer"),
        ("year from @2024-01-01", "System.Integer"),
        ("date from @2024-01-01T10:00:00", "System.Date"),
        ("days between @2024-01-01 and @2024-02-01", "System.Integer"),
        ("5 'mg' : 1 'mL'", "System.Ratio"),
        ("Quantity { value: 5, unit: 'mg' }", "System.Quantity"),
        ("from ({1, 2}) A, ({'x'}) B", "List<Tuple{A System.Integer, B System.String}>"),
        ("({1, 2}) A return A + 1.0", "List<System.Decimal>"),
        ("(5) A return A + 1", "System.Integer"),
        ("({1, 2}) A aggregate R starting 0: R + A", "System.Integer"),
        ("({1, 2}) A aggregate R: Coalesce(R, 0) + A", "System.Integer"),
        ("({1, 2}).where($this > 1)", "List<System.Integer>"),
        ("({1, 2}).select($this + 1.0)", "List<System.Decimal>"),
        ("({1, 2}).exists($this > 1)", "System.Boolean"),
    ],
)
def test_the_type_of_an_expression(text: str, kind: str) -> None:
    assert str(expression(text).type) == kind


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("1 + 2.0", "Add(ToDecimal(1), 2.0)"),
        ("1 = 1.0", "Equal(ToDecimal(1), 1.0)"),
        ("-5", "-5"),
        ("-2147483648", "-2147483648"),
        ("1 is not null", "Not(IsNull(1))"),
        ("'a' + 'b'", "Concatenate(a, b)"),
        ("@2024-01-01 = @2024-01-01T", "Equal(ToDateTime(2024-01-01), 2024-01-01T)"),
        ("5 between 1 and 10", "And(GreaterOrEqual(5, 1), LessOrEqual(5, 10))"),
        ("Interval[1, 2.0]", "Interval[ToDecimal(1), 2.0]"),
        ("1.0 in Interval[1, 2]", "In(1.0, Interval[ToDecimal(1), ToDecimal(2)])"),
        ("2.0 in distinct {1, 2}", "In(2.0, each(Distinct({1, 2}), ToDecimal($this)))"),
        ("2.0 in {1, 2}", "In(2.0, {ToDecimal(1), ToDecimal(2)})"),
        ("months between @2024-01 and @2024-02", "DurationBetween(2024-01, 2024-02, month)"),
        (
            "difference in days of Interval[@2024-01-01, @2024-02-01]",
            "DifferenceBetween(Start(Interval[2024-01-01, 2024-02-01]), End(Interval[2024-01-01, 2024-02-01]), day)",
        ),
        ("AgeInYearsAt(1)", None),
        ("CalculateAgeInYearsAt(@2024-02-29, @2025-02-28)", "CalculateAgeAt(2024-02-29, 2025-02-28, year)"),
        (
            "CalculateAgeInYearsAt(@2024-02-29, @2025-02-28T10:00:00.0)",
            "CalculateAgeAt(2024-02-29, DateFrom(DefaultOffset(2025-02-28T10:00:00.000)), year)",
        ),
        ("({2, 1}) A where A > 1", "(from {2, 1} A where Greater(A, 1))"),
        ("({1}) A return A", "(from {1} A return A)"),
        ("({1}) A return all A", "(from {1} A return all A)"),
        ("({1}) A let B: A + 1 return all B", "(from {1} A let B: Add(A, 1) return all B)"),
        (
            "({1}) A return all (({2}) A return all A)",
            "(from {1} A return all (from {2} A:2 return all A:2))",
        ),
        (
            "({1}) A with ({2}) B such that A = B",
            "(from {1} A with {2} B such that Equal(A, B))",
        ),
        ("({1}) A sort desc", "(from {1} A sort by $this desc)"),
        ("({Tuple { b: 1 }}) A sort by b", "(from {{b: 1}} A sort by $this.b)"),
        ("({1}) A aggregate R starting 1: R * A", "(from {1} A aggregate R starting 1: Multiply(R, A))"),
    ],
)
def test_the_operators_and_conversions_of_an_expression(text: str, made: str | None) -> None:
    if made is not None:
        assert short(expression(text)) == made


# ------------------------------------------------------------------------------------------- timing phrases

A, B = "Interval[@2024-01-05, @2024-01-06]", "Interval[@2024-02-01, @2024-02-02]"
SA, SB = "Interval[2024-01-05, 2024-01-06]", "Interval[2024-02-01, 2024-02-02]"
D = "@2024-01-05"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        (f"{A} before {B}", f"Before({SA}, {SB})"),
        (f"{A} starts before start {B}", f"Before(Start({SA}), Start({SB}))"),
        (f"{A} starts before start of {B}", f"Before(Start({SA}), Start({SB}))"),
        (f"{A} ends after {B}", f"After(End({SA}), {SB})"),
        (f"{D} before day of {B}", f"Before(2024-01-05, {SB}, day)"),
        (f"{D} on or before @2024-02-01", "SameOrBefore(2024-01-05, 2024-02-01)"),
        (f"{D} before or on day of @2024-02-01", "SameOrBefore(2024-01-05, 2024-02-01, day)"),
        (f"{D} same month as @2024-02-01", "SameAs(2024-01-05, 2024-02-01, month)"),
        (f"{D} same day or after @2024-02-01", "SameOrAfter(2024-01-05, 2024-02-01, day)"),
        (f"{A} during {B}", f"IncludedIn({SA}, {SB})"),
        (f"{D} during {B}", f"In(2024-01-05, {SB})"),
        (f"{D} during day of {B}", f"In(2024-01-05, {SB}, day)"),
        (f"{A} starts during {B}", f"In(Start({SA}), {SB})"),
        (f"{A} properly included in {B}", f"ProperIncludedIn({SA}, {SB})"),
        (f"{A} includes {D}", f"Contains({SA}, 2024-01-05)"),
        (f"{A} includes {B}", f"Includes({SA}, {SB})"),
        ("{1, 2} includes 1", "Contains({1, 2}, 1)"),
        ("1 included in {1, 2}", "In(1, {1, 2})"),
        (f"{A} meets {B}", f"Meets({SA}, {SB})"),
        (f"{A} meets before {B}", f"MeetsBefore({SA}, {SB})"),
        (f"{A} overlaps after day of {B}", f"OverlapsAfter({SA}, {SB}, day)"),
        (f"{A} starts {B}", f"Starts({SA}, {SB})"),
        (f"{A} ends {B}", f"Ends({SA}, {SB})"),
        (f"{D} 3 days before @2024-02-01", "SameAs(2024-01-05, Subtract(2024-02-01, 3 'day'), day)"),
        (f"{D} 3 days or more before @2024-02-01", "SameOrBefore(2024-01-05, Subtract(2024-02-01, 3 'day'))"),
        (f"{D} more than 3 days after @2024-02-01", "After(2024-01-05, Add(2024-02-01, 3 'day'))"),
        (
            f"{D} 3 days or less before @2024-02-01",
            "And(In(2024-01-05, Interval[Subtract(2024-02-01, 3 'day'), 2024-02-01)), Not(IsNull(2024-02-01)))",
        ),
        (
            f"{D} less than 3 days after @2024-02-01",
            "And(In(2024-01-05, Interval(2024-02-01, Add(2024-02-01, 3 'day'))), Not(IsNull(2024-02-01)))",
        ),
        (
            f"{D} 3 days or less on or after @2024-02-01",
            "And(In(2024-01-05, Interval[2024-02-01, Add(2024-02-01, 3 'day')]), Not(IsNull(2024-02-01)))",
        ),
        (
            f"{D} within 3 days of @2024-02-01",
            "And(In(2024-01-05, Interval[Subtract(2024-02-01, 3 'day'), Add(2024-02-01, 3 'day')]), "
            "Not(IsNull(2024-02-01)))",
        ),
        (
            f"{A} starts 1 day or less before start of {B}",
            f"And(In(Start({SA}), Interval[Subtract(Start({SB}), 1 'day'), Start({SB}))), Not(IsNull(Start({SB}))))",
        ),
        (f"{A} 1 day before {B}", f"SameAs(End({SA}), Subtract(Start({SB}), 1 'day'), day)"),
    ],
)
def test_timing_phrases(text: str, made: str) -> None:
    assert short(expression(text)) == made


# ------------------------------------------------------------------------------------------- FHIR

INFANT = str(Code("99391", "http://www.ama-assn.org/go/cpt"))


@pytest.mark.parametrize(
    ("text", "kind", "made"),
    [
        ("[Encounter]", "List<FHIR.Encounter>", "[Encounter]"),
        ('[Encounter: "Well Visit"]', "List<FHIR.Encounter>", "[Encounter: type in urn:vs:well]"),
        ('[Condition: code in "Well Visit"]', "List<FHIR.Condition>", "[Condition: code in urn:vs:well]"),
        (
            '[MedicationRequest: "Well Visit"]',
            "List<FHIR.MedicationRequest>",
            "[MedicationRequest: medicationCodeableConcept in urn:vs:well]",
        ),
        ('[Encounter: "Well infant"]', None, "[Encounter: type ~ " + INFANT + "]"),
        ("Patient.birthDate", "FHIR.date", "Patient.birthDate"),
        ("Patient.birthDate.value", "System.Date", "ToDate(Patient.birthDate)"),
        ("Patient.birthDate.extension", "List<FHIR.Extension>", "Patient._birthDate.extension"),
        ("Patient.birthDate + 1 year", "System.Date", "Add(ToDate(Patient.birthDate), 1 'year')"),
        ("Patient.gender = 'female'", "System.Boolean", "Equal(ToString(Patient.gender), female)"),
        (
            'Patient.birthDate before start of "Measurement Period"',
            "System.Boolean",
            "Before(ToDateTime(ToDate(Patient.birthDate)), Start(Measurement Period))",
        ),
        ("Patient as FHIR.Resource", "FHIR.Resource", "Patient"),
        (
            '[Observation] O where O.value in "Well Visit"',
            "List<FHIR.Observation>",
            "(from [Observation] O where InValueSet(ToConcept(O.valueCodeableConcept), urn:vs:well))",
        ),
        ("Patient.deceased", "Choice<FHIR.boolean, FHIR.dateTime>", "Patient.deceasedBoolean|deceasedDateTime"),
        ("Patient.deceased as FHIR.dateTime", "FHIR.dateTime", "Patient.deceasedDateTime"),
        ("(Patient.deceased as FHIR.dateTime).value", "System.DateTime", "ToDateTime(Patient.deceasedDateTime)"),
        ("Patient.deceased is FHIR.boolean", "System.Boolean", "Not(IsNull(Patient.deceasedBoolean))"),
        ("Patient.deceased is true", "System.Boolean", "IsTrue(ToBoolean(Patient.deceasedBoolean))"),
        (
            '[Encounter] E where E.period during "Measurement Period"',
            "List<FHIR.Encounter>",
            "(from [Encounter] E where IncludedIn(ToInterval(E.period), Measurement Period))",
        ),
        (
            '[Encounter] E where E.period starts during "Measurement Period"',
            "List<FHIR.Encounter>",
            "(from [Encounter] E where In(Start(ToInterval(E.period)), Measurement Period))",
        ),
        ("[Encounter] E sort by start of period", None, "(from [Encounter] E sort by Start(ToInterval($this.period)))"),
        (
            '[Encounter] E return E.class ~ "Well infant"',
            "List<System.Boolean>",
            None,
        ),
        (
            'exists ([Encounter] E where E.type in "Well Visit")',
            "System.Boolean",
            "Exists((from [Encounter] E where AnyInValueSet(each(E.type, ToConcept($this)), urn:vs:well)))",
        ),
        (
            "([Encounter]).id",
            "List<FHIR.id>",
            "(from [Encounter] each id where Not(IsNull(each id.id)) return all each id.id)",
        ),
        (
            "[Observation] O where O.value > 5 'mg'",
            "List<FHIR.Observation>",
            "(from [Observation] O where Greater(ToQuantity(O.valueQuantity), 5 'mg'))",
        ),
        ("AgeInYearsAt(@2024-01-01)", "System.Integer", "CalculateAgeAt(ToDate(Patient.birthDate), 2024-01-01, year)"),
        ("FHIR.code { value: 'x' }", "FHIR.code", "Tocode(x)"),
        (
            "FHIR.Period { start: FHIR.dateTime { value: @2024-01-01T } }",
            "FHIR.Period",
            "{start: TodateTime(2024-01-01T)}",
        ),
        ('"Well infant"', "System.Code", None),
        ('"Well"', "System.Concept", None),
        ("Patient.name.given", "List<FHIR.string>", None),
        ("First(Patient.extension('urn:race')).value as FHIR.string", "FHIR.string", None),
    ],
)
def test_fhir_expressions(text: str, kind: str | None, made: str | None) -> None:
    node = fhir(text)
    if kind is not None:
        assert str(node.type) == kind
    if made is not None:
        assert short(node) == made


def test_a_choice_of_several_that_fit_is_decided_by_its_type() -> None:
    node = fhir(
        "([Procedure] P return all date from "
        "Coalesce(P.performed as FHIR.dateTime, (P.performed as FHIR.Period).start))"
    )
    assert str(node.type) == "List<System.Date>"


def test_a_code_is_resolved_to_its_system() -> None:
    node = fhir('"Well infant"')
    assert isinstance(node, ir.Constant)
    assert (node.value.code, node.value.system) == ("99391", "http://www.ama-assn.org/go/cpt")


def test_the_context_makes_a_define() -> None:
    made = program("library T using FHIR version '4.0.1' context Patient define X: Patient.id")
    library = made.libraries[made.main]
    assert short(library.defines["Patient"].expression) == "SingletonFrom([Patient])"
    assert list(library.defines) == ["Patient", "X"]


def test_qicore_elements_are_read_from_fhir_json() -> None:
    text = """library T using QICore version '4.1.1' context Patient
    define Status: [Encounter] E where E.status = 'finished' return all E.period
    define Race: Patient.race.ombCategory"""
    made = program(text)
    defines = made.libraries[made.main].defines
    assert short(defines["Status"].expression) == (
        "(from [Encounter] E where Equal(ToString(E.status), finished) return all ToInterval(E.period))"
    )
    assert str(defines["Status"].expression.type) == "List<Interval<System.DateTime>>"
    assert str(defines["Race"].expression.type) == "List<System.Code>"


@pytest.mark.parametrize(
    ("condition", "made"),
    [
        ("O.value is Quantity", "Not(IsNull(O.valueQuantity))"),
        (
            "O.value > 5 'mg'",
            "Greater(case when Not(IsNull(O.valueQuantity)) then ToQuantity(O.valueQuantity) else null, 5 'mg')",
        ),
    ],
)
def test_a_mapped_choice_is_read_from_the_json_key_that_is_asked_for(condition: str, made: str) -> None:
    made_program = program(
        f"library T using QICore version '4.1.1' context Patient define A: [Observation] O where {condition}"
    )
    defines = made_program.libraries[made_program.main].defines
    assert short(defines["A"].expression) == f"(from [Observation] O where {made})"


def test_null_fits_everywhere_and_takes_the_type_it_is_used_as() -> None:
    node = expression("1 + null")
    assert isinstance(node, ir.Operator)
    assert str(node.operands[1].type) == "System.Integer"
    assert expression("null").type == ANY


def test_a_long_chain_of_operators_and_defines_is_analysed() -> None:
    expression(" and ".join(["true"] * 100))
    lines = ["define D0: 1", *(f"define D{n}: D{n - 1} + 1" for n in range(1, 400))]
    made = program("library T\n" + "\n".join(reversed(lines)))
    assert len(made.libraries["T"].defines) == 400


def nested_case(depth: int) -> str:
    if not depth:
        return "1"
    return f"case {nested_case(depth - 1)} when 1 then 2 when 2 then 3 when 3 then 4 else 0 end"


def nested_distance(depth: int) -> str:
    if not depth:
        return "@2024-01-01"
    return f"(if {D} 3 days or less before {nested_distance(depth - 1)} then @2024-01-02 else @2024-01-03)"


@pytest.mark.parametrize("nested", [nested_case, nested_distance])
def test_what_stands_in_several_places_does_not_multiply_when_nested(nested: Callable[[int], str]) -> None:
    sizes = [sum(1 for _ in walk(expression(nested(depth)))) for depth in (10, 20)]
    assert sizes[1] < 3 * sizes[0] < 30_000
