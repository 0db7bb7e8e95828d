"""`models=` takes any ModelInfo: one whose elements are of System types themselves, read from plain JSON objects."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import cql_like
from cql_like import Code, CqlErrors, CqlTuple, Date, Quantity
from cql_like.__main__ import main
from cql_like.files import FileRecord

LAB = """<?xml version="1.0"?>
<modelInfo name="Lab" version="1.0" url="urn:lab" patientClassName="Lab.Patient" patientBirthDatePropertyName="born"
    xmlns="urn:hl7-org:elm-modelinfo:r1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <requiredModelInfo name="System" version="1.0.0"/>
  <typeInfo xsi:type="ClassInfo" namespace="Lab" name="Patient" identifier="Patient" retrievable="true">
    <element name="born" elementType="System.Date"/>
  </typeInfo>
  <typeInfo xsi:type="ClassInfo" namespace="Lab" name="Test" identifier="Test" retrievable="true"
      primaryCodePath="code">
    <element name="id" elementType="System.String"/>
    <element name="code" elementType="System.Code"/>
    <element name="kind" elementType="System.Concept"/>
    <element name="value" elementType="System.Decimal"/>
    <element name="amount" elementType="System.Quantity"/>
    <element name="on" elementType="System.DateTime"/>
    <element name="days"><elementTypeSpecifier xsi:type="ListTypeSpecifier" elementType="System.Date"/></element>
    <element name="valid"><elementTypeSpecifier xsi:type="IntervalTypeSpecifier" pointType="System.Date"/></element>
    <element name="either"><elementTypeSpecifier xsi:type="ChoiceTypeSpecifier">
      <choice xsi:type="NamedTypeSpecifier" modelName="System" name="Date"/>
      <choice xsi:type="NamedTypeSpecifier" modelName="System" name="String"/>
    </elementTypeSpecifier></element>
  </typeInfo>
  <contextInfo name="Patient" keyElement="id"><contextType modelName="Lab" name="Patient"/></contextInfo>
</modelInfo>"""

CQL = """library Tests version '1'
using Lab version '1.0'
codesystem "L": 'urn:l'
code "Lead": 'pb' from "L"
context Patient
define "High": [Test: code in { "Lead" }] T where T.value > 3.5 return Tuple { value: T.value, day: date from T.on }
define "Age": AgeInYearsAt(@2026-01-01)
define "Same Code": [Test] T where T.code ~ "Lead" return T.code
define "Kinds": [Test] T where T.kind ~ Concept { codes: { "Lead" } } return T.kind.display
define "More": [Test] T return T.amount + 1 'mg'
define "Days": flatten ([Test] T return T.days)
define "Then Valid": [Test] T where @2021-05-01 during T.valid return T.id
"""

CHILD: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "p", "born": "2020-02-29"},
    {
        "resourceType": "Test",
        "id": "one",
        "code": {"system": "urn:l", "code": "pb"},
        "kind": {"codes": [{"system": "urn:l", "code": "pb"}], "display": "lead"},
        "value": 4.1,
        "amount": {"value": 2.5, "unit": "mg"},
        "on": "2021-03-01T10:00:00Z",
        "days": ["2021-01-01", "2022-02"],
        "valid": {"low": "2021-01-01", "high": "2021-06-01"},
    },
    {"resourceType": "Test", "id": "two", "code": {"system": "urn:l", "code": "hg"}, "on": "no time", "days": []},
]


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    path = tmp_path / "lab.xml"
    path.write_text(LAB, encoding="utf-8")
    return path


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_a_model_of_system_types(lab: Path, engine: Any) -> None:
    library = cql_like.compile_library(CQL, models=[lab])
    session = library.session(FileRecord(CHILD), now=cql_like.DateTime(2026, 1, 1, 0, 0, 0, 0, 0), engine=engine)
    assert {name: session.evaluate(name) for name in library.defines if name != "Patient"} == {
        "High": [CqlTuple({"value": Decimal("4.1"), "day": Date(2021, 3, 1)})],
        "Age": 5,
        "Same Code": [Code("pb", "urn:l")],
        "Kinds": ["lead"],
        "More": [Quantity(Decimal("3.5"), "mg"), None],
        "Days": [Date(2021, 1, 1), Date(2022, 2)],
        "Then Valid": ["one"],
    }


def test_a_choice_that_its_json_does_not_tell_is_refused(lab: Path) -> None:
    with pytest.raises(CqlErrors, match='"either" is a choice with Date, which'):
        cql_like.compile_library(CQL + 'define "Either": [Test] T return T.either', models=[lab])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAB[:300], "not well-formed XML"),
        ('<!DOCTYPE l [<!ENTITY a "aa">]><modelInfo name="&a;" version="1"/>', "holds a DTD or entities"),
    ],
)
def test_a_file_that_is_no_model_is_said_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    model, library = tmp_path / "broken.xml", tmp_path / "tests.cql"
    model.write_text(text, encoding="utf-8")
    library.write_text(CQL, encoding="utf-8")
    for command in (["eval", "--library", str(library), "--model", str(model), "Age"], ["check", str(library)]):
        if command[0] == "check":
            command += ["--model", str(model)]
        assert main(command) == 3
        assert said in capsys.readouterr().err
