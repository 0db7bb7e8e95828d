"""The runner of HL7's suite: what it reads, what it refuses, and when a value agrees with the expected output."""

from pathlib import Path

import pytest

from cql_like import conformance, evaluate
from cql_like.conformance import Case, Outcome, SuiteError, agrees

SUITE = """<?xml version="1.0" encoding="utf-8"?>
<tests xmlns="http://hl7.org/fhirpath/tests" name="Sums">
  <group name="Add">
    <test name="Right"><expression>1 + 1</expression><output>2</output></test>
    <test name="Wrong"><expression>1 + 1</expression><output>3</output></test>
    <test name="Refused"><expression invalid="semantic">1 + 'a'</expression></test>
    <test name="Late"><expression invalid="execution">singleton from {1, 2}</expression></test>
    <test name="NotRefused"><expression invalid="true">1 + 1</expression></test>
    <test name="Silent"><expression>1</expression></test>
    <test name="Excluded"><expression>1</expression><output>'1'</output></test>
  </group>
</tests>
"""


def test_a_suite_is_read_and_run(tmp_path: Path) -> None:
    """A line per failing test, then the figures."""
    path = tmp_path / "Sums.xml"
    path.write_text(SUITE, encoding="utf-8")
    lines: list[str] = []

    failures = conformance.run([path], ["reference"], lines.append, {"Sums/Add/Excluded": "a string is no Integer"})

    assert conformance.read_suite(path)[0] == Case("Sums", "Add", "Right", "1 + 1", ("2",), None)
    assert failures == 2
    assert lines == [
        "FAILED Sums/Add/Wrong [reference] 1 + 1: expected 3, gave 2",
        "FAILED Sums/Add/NotRefused [reference] 1 + 1: is invalid (true), gave 2",
        "3 passed, 2 failed, 2 skipped",
    ]


def test_several_engines_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The figures carry the engine's name; the command line runs one engine and tells by its exit code."""
    path = tmp_path / "Sums.xml"
    path.write_text(SUITE.replace(">3<", ">2<").replace(' invalid="true">1 + 1', ' invalid="true">1 + +'), "utf-8")
    lines: list[str] = []

    assert conformance.run([path], write=lines.append, exclusions={"Sums/Add/Excluded": "a string"}) == 0
    assert lines == [
        "compiled: 5 passed, 0 failed, 2 skipped",
        "reference: 5 passed, 0 failed, 2 skipped",
    ]
    assert conformance.main([path]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "FAILED Sums/Add/Excluded [compiled] 1: expected '1', gave 1",
        "5 passed, 1 failed, 1 skipped",
    ]
    assert conformance.main([tmp_path / "absent.xml"], "reference") == 3
    assert "absent.xml: No such file" in capsys.readouterr().err


def test_what_must_be_refused_early_may_not_fail_late() -> None:
    """`invalid="semantic"` asks for an error before evaluation."""
    case = Case("S", "G", "T", "singleton from {1, 2}", (), "semantic")
    outcome = conformance.run_case(case, "compiled")
    assert (outcome.status, outcome.detail.split(":")[0]) == ("failed", "refused only when evaluated")
    assert conformance.run_case(case, "compiled", {"S/G/T": "why"}) == Outcome(case, "compiled", "skipped", "why")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<tests", "not well-formed XML"),
        ("<other/>", "the root element is other; expected <tests>"),
        ('<!DOCTYPE t [<!ENTITY a "aaaa">]><tests name="t">&a;</tests>', "declares a document type"),
        ('<tests name="T"><group><test name="x"/></group></tests>', "test 'x' has no expression"),
    ],
)
def test_a_file_that_is_no_suite_is_refused(tmp_path: Path, content: str, message: str) -> None:
    """Among them files with entities, which can be made to grow without bound."""
    path = tmp_path / "suite.xml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SuiteError, match=message):
        conformance.read_suite(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """With its name and the system's reason."""
    with pytest.raises(SuiteError, match=r"absent\.xml: No such file"):
        conformance.read_suite(tmp_path / "absent.xml")


def test_an_exclusion_has_a_reason(tmp_path: Path) -> None:
    """And a case has one exclusion."""
    path = tmp_path / "exclusions.tsv"
    path.write_text("# comment\nA/B/C\tbecause\n", encoding="utf-8")
    assert conformance.read_exclusions(path) == {"A/B/C": "because"}
    for bad in ("A/B/C\n", "A/B/C\tx\nA/B/C\ty\n"):
        path.write_text(bad, encoding="utf-8")
        with pytest.raises(SuiteError, match="a tab and a reason"):
            conformance.read_exclusions(path)


@pytest.mark.parametrize(
    ("actual", "expected", "verdict"),
    [
        ("null", "null", True),
        ("null", "0", False),
        ("1", "1.0", False),
        ("1.0", "1", True),
        ("1.50", "1.5", True),
        ("1L", "1", False),
        ("true", "1", False),
        ("'a'", "'A'", False),
        ("@2024-01", "@2024-01-01", False),
        ("@2024-01-01T10:00+01:00", "@2024-01-01T09:00Z", True),
        ("1 day", "1 days", True),
        ("1 'g'", "1 'mg'", False),
        ("{1, null}", "{1, null}", True),
        ("{1}", "{1, 1}", False),
        ("Tuple { a: 1, b: null }", "Tuple { b: null, a: 1 }", True),
        ("Tuple { a: 1 }", "Tuple { a: 2 }", False),
        ("Interval[1, 10]", "Interval[1, 11)", True),
        ("Interval[1, 10]", "Interval[1, 10)", False),
        ("Interval[1, null)", "Interval[1, null]", False),
        ("Interval[1, null)", "Interval[1, null)", True),
        ("days between DateTime(2015, 2, 10) and DateTime(2015, 3)", "Interval[18, 49]", True),
    ],
)
def test_agreement(actual: str, expected: str, verdict: bool) -> None:
    """By value, and stricter than CQL's `~`."""
    assert agrees(evaluate(actual), evaluate(expected)) is verdict
