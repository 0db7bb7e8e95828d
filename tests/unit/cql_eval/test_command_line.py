"""`python -m cql_like`: what each command prints and its exit code."""

import orjson
import pytest

from cql_like.__main__ import main

LIBRARY = """library Visits version '1'
using FHIR version '4.0.1'
include Common called C
valueset "Well Visit": 'urn:vs:well'
context Patient
define "Well Visits": [Encounter: type in "Well Visit"] E where E.status = C.Wanted
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "Visits.cql").write_text(LIBRARY, "utf-8")
    (tmp_path / "Common.cql").write_text("library Common\ndefine Wanted: 'finished'\n", "utf-8")
    (tmp_path / "Wrong.cql").write_text("library Wrong\ndefine A: 1 + 'a'\ndefine B: Nothing\n", "utf-8")
    return tmp_path


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_eval(engine, capsys):
    assert main(["eval", "Interval[1, 3] union Interval[2, 5]", "--engine", engine]) == 0
    assert capsys.readouterr().out == "Interval[1, 5]\n"


def test_eval_at_a_moment(capsys):
    assert main(["eval", "Today() - 1 day", "--now", "2024-03-01T08:00:00"]) == 0
    assert capsys.readouterr().out == "@2024-02-29\n"


def test_eval_at_no_moment(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["eval", "Today()", "--now", "soon"])
    assert "argument --now: 'soon' is no moment in ISO 8601, such as" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--include", "--model", "--data", "--value-sets", "--parameter"])
def test_an_expression_of_its_own_takes_nothing_that_it_would_not_read(option, capsys):
    assert main(["eval", "1", option, "X=1"]) == 2
    assert capsys.readouterr().err == f"{option}: only together with --library FILE.cql\n"


def test_a_parameter_needs_a_value(folder, capsys):
    assert main(["eval", "Well Visits", "--library", str(folder / "Visits.cql"), "--parameter", "Limit"]) == 2
    assert capsys.readouterr().err == "--parameter 'Limit' is not NAME=CQL, such as Limit=5\n"


@pytest.mark.parametrize(
    ("expression", "said"),
    [("1 +", "expression:1:4: unexpected end"), ("Interval[2, 1]", "expression:1:1: an interval")],
)
def test_eval_of_what_is_wrong(expression, said, capsys):
    assert main(["eval", expression]) == 1
    assert capsys.readouterr().err.startswith(said)


RECORD = {
    "resourceType": "Bundle",
    "entry": [
        {"resource": {"resourceType": "Patient", "id": "p1"}},
        {
            "resource": {
                "resourceType": "Encounter",
                "id": "e1",
                "status": "finished",
                "type": [{"coding": [{"system": "urn:cpt", "code": "99391"}]}],
            }
        },
        {"resource": {"resourceType": "Encounter", "id": "e2", "status": "finished"}},
    ],
}
VALUE_SET = {
    "resourceType": "ValueSet",
    "url": "urn:vs:well",
    "compose": {"include": [{"system": "urn:cpt", "concept": [{"code": "99391"}]}]},
}


@pytest.fixture
def files(folder):
    record, value_sets = folder / "record.json", folder / "value-sets.ndjson"
    record.write_bytes(orjson.dumps(RECORD))
    value_sets.write_bytes(orjson.dumps(VALUE_SET) + b"\n" + orjson.dumps({"resourceType": "Library"}))
    library = folder / "Counted.cql"
    text = LIBRARY.replace("library Visits", "library Counted")
    text = text.replace("context", 'parameter "Wanted" Interval<Integer>\ncontext')
    library.write_text(text + 'define "Enough": Count("Well Visits") in "Wanted"\n', "utf-8")
    return ["--library", str(library), "--data", str(record), "--value-sets", str(value_sets)]


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_eval_of_a_define_over_files(engine, files, capsys):
    assert main(["eval", "Enough", *files, "--parameter", "Wanted=Interval[1, 2]", "--engine", engine]) == 0
    assert capsys.readouterr().out == "true\n"


def test_eval_with_a_profile(files, capsys):
    assert main(["eval", "Enough", *files, "--profile"]) == 0
    said = capsys.readouterr()
    assert said.out == "false\n"
    what = {line.split("  ")[-1].strip() for line in said.err.splitlines()}
    assert what == {
        "what", "Counted.Enough", "Counted.Well Visits", '[Encounter: type in "Well Visit"]', "Common.Wanted", "all",
    }  # fmt: skip


def test_a_profile_of_an_expression(capsys):
    assert main(["eval", "1 + 1", "--profile"]) == 0
    assert capsys.readouterr().err.splitlines()[1].endswith("         1  expression.Expression")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["Nothing"], 2, "library Counted|1 has no define 'Nothing'"),
        (["Enough", "--parameter", "Wanted=1"], 2, 'parameter "Wanted" is declared as Interval<System.Integer>'),
        (["Enough", "--parameter", "Wanted=1 +"], 1, "expression:1:4"),
        (["Enough", "--profile", "--engine", "reference"], 2, "--profile times compiled functions"),
        (["Enough", "--data", "missing.json"], 3, "cannot read a file"),
        (["Enough", "--data", "Visits.cql"], 3, "is neither JSON nor NDJSON"),
        (["Enough", "--data", "list.json"], 3, "expected FHIR resources"),
    ],
)
def test_eval_of_a_define_that_cannot_be(arguments, code, said, files, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "list.json").write_text("[1]", "utf-8")
    assert main(["eval", *arguments, *files]) == code
    assert said in capsys.readouterr().err


def test_a_missing_value_set_is_said(files, capsys):
    assert main(["eval", "Enough", *files[:4]]) == 1
    assert "value set urn:vs:well is not in" in capsys.readouterr().err


def test_check_finds_includes_beside_the_library(folder, capsys):
    assert main(["check", str(folder / "Visits.cql")]) == 0
    assert capsys.readouterr().out == "Visits|1: no problems; 2 defines, 1 included libraries\n"


def test_check_prints_every_problem(folder, capsys):
    assert main(["check", str(folder / "Wrong.cql")]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0] for line in lines if line.startswith("Wrong:")] == ["Wrong:2:11", "Wrong:3:11"]


def test_requirements(folder, capsys):
    assert main(["requirements", str(folder / "Visits.cql")]) == 0
    encounter, patient = orjson.loads(capsys.readouterr().out)
    assert encounter == {
        "type": "Encounter",
        "codePath": "type",
        "valueSets": ["urn:vs:well"],
        "codes": [],
        "datePath": None,
        "elements": ["id", "status", "type"],
    }
    assert patient["type"] == "Patient"


def test_a_file_that_is_not_there(capsys):
    assert main(["check", "nowhere.cql"]) == 3
    assert "nowhere.cql" in capsys.readouterr().err


def test_a_wrong_command_explains_itself(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", "1"])
    assert caught.value.code == 2
    assert "invalid choice: 'evaluate'" in capsys.readouterr().err


def test_conformance(tmp_path, capsys):
    file = tmp_path / "Suite.xml"
    file.write_text(
        """<tests xmlns="http://hl7.org/fhirpath/tests" name="Suite"><group name="G">
        <test name="Right"><expression>1 + 1</expression><output>2</output></test>
        <test name="Wrong"><expression>1 + 1</expression><output>3</output></test>
        </group></tests>""",
        "utf-8",
    )
    assert main(["conformance", str(file)]) == 1
    *failures, summary = capsys.readouterr().out.splitlines()
    assert summary == "1 passed, 1 failed, 0 skipped"
    assert len(failures) == 1
    assert "Wrong" in failures[0]
