"""Libraries: includes, functions, parameters, data requirements, and every problem at once with its place."""

import pytest
from cql_analysing import FHIR_HEAD, problems, program, short

from cql_like.ir import DataRequirement

COMMON = """library Common version '1'
valueset "Visits": 'urn:vs:visits'
parameter Limit Integer default 10
define public Answer: 42
define private Secret: 1
define private function Inner(x Integer): x
define function Twice(x Integer): x * 2
define function Twice(x String): x + x
define fluent function plus(x Integer, y Integer): x + y
"""
LIBRARIES = {("Common", "1"): COMMON}


def test_an_included_library_is_used_by_its_local_name() -> None:
    made = program("library T include Common version '1' called C define A: C.Answer + C.Twice(1)", LIBRARIES)
    assert list(made.libraries) == ["Common|1", "T"]
    assert short(made.libraries["T"].defines["A"].expression) == "Add(Answer, Twice(1))"


def test_an_include_without_a_version_finds_the_only_one() -> None:
    made = program("library T include Common define A: Common.Limit", LIBRARIES)
    assert str(made.libraries["T"].defines["A"].expression.type) == "System.Integer"


def test_overloads_are_chosen_by_their_operands_and_fluent_functions_by_their_source() -> None:
    made = program("library T include Common define A: Common.Twice('a') define B: 1.plus(2)", LIBRARIES)
    defines = made.libraries["T"].defines
    assert str(defines["A"].expression.type) == "System.String"
    assert short(defines["B"].expression) == "plus(1, 2)"


def test_overloads_that_call_each_other_are_no_recursion() -> None:
    made = program(
        "library T define function f(x Integer): f(ToString(x)) define function f(x String): x define A: f(1)"
    )
    assert sorted(made.libraries["T"].functions) == ["f(System.Integer)", "f(System.String)"]


def test_operands_are_converted_for_a_function() -> None:
    made = program("library T define function half(x Decimal): x / 2 define A: half(3)")
    assert short(made.libraries["T"].defines["A"].expression) == "half(ToDecimal(3))"


def test_a_parameter_takes_the_type_of_its_default() -> None:
    made = program("library T parameter P default Interval[1, 2] define A: start of P")
    assert str(made.libraries["T"].parameters["P"].type) == "Interval<System.Integer>"


def test_requirements_name_type_path_value_set_and_elements() -> None:
    made = program(
        FHIR_HEAD
        + """define Visits: [Encounter: "Well Visit"] E where E.status = 'finished' return E.period
define Infants: [Encounter: class ~ "Well infant"]
define Born: Patient.birthDate"""
    )
    assert made.requirements == (
        DataRequirement(
            "Encounter",
            "class",
            (),
            (("http://www.ama-assn.org/go/cpt", "99391"),),
            None,
            ("class", "id", "period", "status", "type"),
        ),
        DataRequirement("Encounter", "type", ("urn:vs:well",), (), None, ("class", "id", "period", "status", "type")),
        DataRequirement("Patient", None, (), (), None, ("birthDate", "id")),
    )


# ------------------------------------------------------------------------------------------- problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("library T define A: Nowhere", ['1: nothing is named "Nowhere" here']),
        ("library T define Answer: 1 define B: Anser", ['1: nothing is named "Anser" here (did you mean "Answer"?)']),
        ("library T define A: Cuont({1})", ['1: no function is named "Cuont" (did you mean "Count"?)']),
        ("library T define A: if 1 then 2 else 3", ["1: the condition of if is Integer (Boolean)"]),
        ("library T define A: 5 as String", ["1: Integer can never be String (a subtype or an alternative of it)"]),
        (
            "library T define A: B define B: C define C: A",
            ['1: a definition depends on itself: "C" -> "A" -> "B" -> "C" (a definition without the loop)'],
        ),
        (
            "library T define function f(x Integer): f(x)",
            [
                '1: a definition depends on itself: "f(System.Integer)" -> "f(System.Integer)" '
                "(a definition without the loop)"
            ],
        ),
        ("library T define A: 1 define A: 2", ['1: "A" is declared twice (a name of its own)']),
        (
            "library T define A: ({Nowhere}) E where E.x = 1 define B: First(A) + 1 define C: A union {1}",
            ['1: nothing is named "Nowhere" here'],
        ),
        ("library T define A: Tuple { a: 1 }.b", ['1: Tuple{a Integer} has no element "b" (one of a)']),
        (
            "library T parameter P Integer default 'x'",
            ['1: the default of parameter "P" is String (Integer)'],
        ),
        ("library T parameter P Strin", ['1: no type is named "Strin" (did you mean "String"?)']),
        (
            "library T include Comon version '1'",
            ['1: library Comon version 1 is not there (did you mean "Common"?)'],
        ),
        ("library T include Common version '2'", ["1: library Common: version 2 is needed (one of 1)"]),
        (
            "library T include Common define A: Common.Secret",
            ['1: "Secret" is private to Common|1 (a public definition)'],
        ),
        (
            "library T include Common define A: Common.Inner(1)",
            ['1: "Inner" is private to Common|1 (a public function)'],
        ),
        (
            "library T include Common define A: Common.Anser",
            ['1: library Common|1 has no "Anser" (did you mean "Answer"?)'],
        ),
        (
            "library T include Common define A: Common.Twice(true)",
            ["1: Common.Twice cannot take (Boolean) ((Integer) or (String))"],
        ),
        (
            "library T define function f(x Integer) returns Integer: external define A: f(1)",
            ["1: f is external, and no implementation is given (a function with a body)"],
        ),
        ('library T code "c": \'1\' from "Nowhere"', ['1: no code system is declared as "Nowhere"']),
        (
            "library T using FHIR version '9'",
            ["1: no model is known as FHIR 9 (one of FHIR 4.0.1, QICore 4.1.1, QICore 6.0.0, USCore 6.1.0)"],
        ),
    ],
)
def test_a_problem_says_what_where_and_what_was_expected(text: str, expected: list[str]) -> None:
    assert problems(text, LIBRARIES) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[Encouter]", ['9: no type is named "Encouter" (did you mean "Encounter"?)']),
        ('[Encounter: typ in "Well Visit"]', ['9: FHIR.Encounter has no element "typ" (did you mean "type"?)']),
        (
            "[Encounter] E where E.perod is null",
            ['9: FHIR.Encounter has no element "perod" (did you mean "period"?)'],
        ),
        (
            "[Encounter] E sort by type",
            ["9: nothing orders values of List<FHIR.CodeableConcept> (numbers, texts, dates or quantities)"],
        ),
        ("[Period]", ["9: FHIR.Period cannot be retrieved (a class of resources)"]),
        ("[Encounter: 'x']", ["9: a retrieve cannot compare codes with text (a declared code or value set)"]),
    ],
)
def test_problems_with_the_model(text: str, expected: list[str]) -> None:
    assert problems(f"{FHIR_HEAD}define A: {text}") == expected


def test_all_problems_of_a_library_and_its_includes_come_at_once() -> None:
    common = "library Common version '1'\ndefine A: Missing\ndefine B: 1 + true"
    text = "library T\ninclude Common version '1'\ndefine C: Common.A\ndefine D: Gone\ndefine E: D and Common.B"
    found = problems(text, {("Common", "1"): common})
    assert found[0] == '2: nothing is named "Missing" here'
    assert found[1].startswith("3: + cannot take (Integer, Boolean)")
    assert found[2:] == ['4: nothing is named "Gone" here']


def test_libraries_that_include_each_other_are_a_problem() -> None:
    libraries = {
        ("A", "1"): "library A version '1' include B version '1'",
        ("B", "1"): "library B version '1' include A version '1'",
    }
    assert problems("library T include A version '1'", libraries) == [
        "1: libraries include each other: A|1 -> B|1 -> A|1 (includes without a loop)"
    ]


def test_a_syntax_error_in_an_included_library_is_reported_with_the_rest() -> None:
    found = problems("library T include Common define A: Gone", {("Common", "1"): "library Common define X: 1 +"})
    assert len(found) == 2
    assert 'nothing is named "Gone" here' in found[1]


def test_a_library_of_500_lines_is_analysed() -> None:
    lines = [
        f'define "D{n}": [Encounter: "Well Visit"] E where E.period starts during "Measurement Period"'
        f" and E.status = 'finished' and exists (E.type T where T ~ \"Well\") return date from start of E.period"
        for n in range(500)
    ]
    made = program(FHIR_HEAD + "\n".join(lines))
    assert len(made.libraries["Test|1"].defines) == 501
