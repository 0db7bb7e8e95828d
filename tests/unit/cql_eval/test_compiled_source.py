"""The generated Python: nothing of a library's text becomes code, and what a change of the compiler does can be read.

The golden files hold the generated source of a few samples. After a meant change: `GOLDEN=write pytest <this file>`.
"""

import ast
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cql_like
from cql_like.compiler import generate
from cql_like.compiler.emit import comment, safe_name
from cql_like.session import EmptyRecord

GOLDEN = Path(__file__).parent / "golden"

SAMPLES = {
    "logic": "define A: true\ndefine B: null as Boolean\ndefine C: A and (B or not A)\ndefine D: if C then 1 else 2",
    "dates": 'parameter Birth Date\ndefine "First Birthday": Birth + 1 year\n'
    'define "In Window": "First Birthday" during Interval[@2024-01-01, @2024-12-31]\n'
    'define "Born Before": Birth before @2020-01-01',
    "doses": "define Days: { @2024-01-01, @2024-03-01, @2024-05-01, null }\n"
    "define Doses: from Days A, Days B, Days C, Days D where B after A and C after B and D after C return B",
    "visits": """library Visits using FHIR version '4.0.1'
valueset "Well Visit": 'urn:vs:well'
context Patient
define "Well Visits":
  [Encounter: type in "Well Visit"] E
    let onDay: date from start of E.period
    where E.status = 'finished' and onDay after Patient.birthDate
    return all Tuple { id: E.id, onDay: onDay }
    sort by onDay
define "Has Visit": exists ([Encounter] E with [Condition] C such that C.encounter.reference = E.id)
define function Later(from_ Date, count Integer): from_ + System.Quantity { value: ToDecimal(count), unit: 'day' }
define "Next": Later(Last("Well Visits").onDay, 14)
""",
}


def source_of(text):
    return generate(cql_like.compile_library(text).program).text


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_golden_source(name):
    file = GOLDEN / f"{name}.py.txt"
    source = source_of(SAMPLES[name])
    if os.environ.get("GOLDEN") == "write":
        file.write_text(source, "utf-8")
    assert source == file.read_text("utf-8"), f"the compiler writes other code for {name}: see the head of this test"


# ------------------------------------------------------------------------------------------------- hostile libraries

HOSTILE = (
    "x'); raise SystemExit('",
    '"""\nraise SystemExit\n"""',
    "\\",
    "a\nraise SystemExit",
    "a\r\n    raise SystemExit #",
    "__import__('os').system('false')",
    "{s} {0} %s {t1}",
    "lambda: 0",
    "None",
    "s",
    "define_0",
    "link",
    "\u2028raise SystemExit",
    "\ud7ff\U0001f600",
    "x" * 5000,
    "é́",
)


def quoted(text, mark):
    """A CQL identifier or string that means exactly this text."""
    escapes = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", mark: f"\\{mark}"}
    return mark + "".join(escapes.get(character, character) for character in text) + mark


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_names_and_strings_of_a_library_are_data(text):
    name, string = quoted(text, '"'), quoted(text, "'")
    library = cql_like.compile_library(
        f"""
        library {name} version {string}
        parameter {name} String default {string}
        define function F({name} String): {name} + {string}
        define D: {{1, 2}} as List<Integer>
        define {quoted(text + " define", '"')}:
          D {name}
            let {quoted(text + " let", '"')}: {string}
            where {quoted(text + " let", '"')} = {string}
            return Tuple {{ {name}: {string}, number: {name} }}
        define P: {name}
        define Called: F({string})
        """.replace(f"D {name}", f"(D) {name}")
    )
    tuples = [{text: text, "number": number} for number in (1, 2)] if text != "number" else []
    for engine in ("compiled", "reference"):
        session = library.session(EmptyRecord(), engine=engine)
        assert [dict(row) for row in session.evaluate(f"{text} define")] == tuples
        assert session.evaluate("P") == text
        assert session.evaluate("Called") == text + text
    assert_is_our_own_code(generate(library.program).text)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(min_size=1, max_size=30))
def test_any_text_at_all_is_data(text):
    string = quoted(text.replace("\x00", ""), "'")
    try:
        library = cql_like.compile_library(f"define D: {string} + 'x'")
    except cql_like.CqlErrors:
        return  # the lexer refuses some characters
    assert library.session(EmptyRecord()).evaluate("D") == text.replace("\x00", "") + "x"


ALLOWED_NAMES = re.compile(
    r"[KFPVCUSsv]|[kfpvtxal]\d+(_[A-Za-z0-9_]*)?|(define|function|retrieve|part)_\d+|link|len|int|str|bool|dict|list|frozenset"
)


def assert_is_our_own_code(source):
    """Every name in the code is one that we make, no module is imported, no attribute is private but a tuple's."""
    from cql_like.compiler.expressions import SUPPORT

    tree = ast.parse(source)
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.Lambda | ast.Await)
        if isinstance(node, ast.Name):
            known = ALLOWED_NAMES.fullmatch(node.id) or node.id in SUPPORT or node.id in ("retrieve", "missing", "_")
            assert known, node.id
        if isinstance(node, ast.Attribute):
            assert node.attr in {
                "append", "get", "ordinal", "low", "high", "low_closed", "high_closed", "__class__", "_elements",
            }  # fmt: skip


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_samples_are_our_own_code(name):
    assert_is_our_own_code(source_of(SAMPLES[name]))


def test_a_comment_cannot_end():
    assert comment("a\nb\u2028c") == "# a\\nb\\u2028c"


@pytest.mark.parametrize(
    ("wanted", "name"),
    [("Well Visits", "a3_Well_Visits"), ("é", "a3"), ("class", "a3_class"), ("x'; y", "a3_x_y"), ("_" * 99, "a3")],
)
def test_names_are_made_not_taken(wanted, name):
    assert safe_name("a", 3, wanted) == name


# ------------------------------------------------------------------------------------------------- deep and wide


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("+".join(["1"] * 60), 60),
        (" and ".join(["true"] * 60), True),
        (" else ".join(f"if {number} = 1 then {number}" for number in range(40)) + " else 0", 1),
        ("case " + " ".join(f"when {number} = 150 then {number}" for number in range(160)) + " else 0 end", 150),
        ("exists (" * 12 + "{1}" + ")" * 12, None),
        ("Coalesce(" * 12 + "null, 1" + ", 2)" * 12, 1),
    ],
)
def test_deep_and_long_expressions(expression, value, engine):
    if value is None:
        expression = "({1}) A return (" * 12 + "A" + ")" * 12
        assert cql_like.evaluate(f"Count({expression})", engine=engine) == 1
    else:
        assert cql_like.evaluate(expression, engine=engine) == value


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_queries_within_queries_deeper_than_python_nests_loops(engine):
    expression = "X0 + X23"
    for level in range(24):
        expression = f"First(({{{level}}}) X{level} return all {expression})"
    assert cql_like.evaluate(expression, engine=engine) == 23


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_more_sources_than_python_nests_loops(engine):
    aliases = [f"X{number}" for number in range(24)]
    sources = ", ".join(f"({{1}}) {alias}" for alias in aliases)
    total = " + ".join(aliases)
    assert cql_like.evaluate(f"from {sources} return all {total}", engine=engine) == [24]
