"""A mapping is checked whole: every problem at once, each with the file and the key."""

from pathlib import Path

import pytest

from gapsvc.supplemental.mapping import MappingError, mapping_of, read_mapping, shipped_mappings

GOOD = """
title = "Doses"
source = "agreed with the registry in 2026"

[person]
system = "http://dhcs.ca.gov/medi-cal/cin"
identifier = "CIN"
birth_date = { column = "DOB", format = "MM/DD/YYYY" }

[[resource]]
kind = "immunization"
id = ["ID"]

[resource.fields]
vaccine = [{ column = "CVX", system = "cvx" }, { column = "NDC", system = "ndc" }]
date = { column = "GIVEN", format = ["MM/DD/YYYY", "excel"] }
status = { column = "ST", translate = "status" }

[translate.status]
CP = "completed"
"""


def problems(text: str) -> list[str]:
    with pytest.raises(MappingError) as refused:
        mapping_of(text, "mine", "mine.toml")
    return str(refused.value).splitlines()


def test_a_good_mapping_says_what_it_reads_and_makes() -> None:
    mapping = mapping_of(GOOD, "mine", "mine.toml")

    assert mapping.types == ("Patient", "Immunization")
    assert mapping.columns == ("CIN", "DOB", "CVX", "NDC", "GIVEN", "ST", "ID")
    assert (mapping.person.unmatched, mapping.others) == ("report", "refuse")
    assert (mapping.layout.delimiter, mapping.layout.quote, mapping.layout.encoding) == (",", '"', "utf-8")


def test_every_problem_is_told_at_once_with_file_and_key() -> None:
    text = """
tittle = "x"
title = "x"
source = ""
others = "ignore"

[file]
delimiter = ",,"
encoding = "utf-9"

[person]
system = "cin"
identifier = "CIN"
birth_date = { column = "DOB", format = "MM/DD/YY" }
unmatched = "drop"

[[resource]]
kind = "immunisation"

[[resource]]
kind = "procedure"
when = { CODE = "(" }

[resource.fields]
code = { column = "CODE", system = "cptt" }
date = { column = "D", constant = "2026-01-01" }
status = { column = "S", translate = "nowhere" }
colour = "C"
"""
    assert problems(text) == [
        "mine.toml: tittle: unknown key; did you mean title?",
        "mine.toml: file.delimiter: expected one character, e.g. ',' or '|' or '\\t'",
        "mine.toml: file.encoding: no such encoding; expected e.g. utf-8, cp1252, utf-16",
        "mine.toml: person.system: expected the URI of an identifier system, as in linking.person_systems",
        "mine.toml: person.unmatched: expected one of keep, report",
        "mine.toml: person.birth_date.format: the format 'MM/DD/YY' has no year of four digits: "
        "write it of YYYY, MM or M, DD or D, or 'excel'",
        "mine.toml: resource 1.kind: expected one of immunization, visit, procedure, observation, condition, coverage, "
        "patient",
        "mine.toml: resource 2.id: expected a list of the columns that name a row over time, e.g. ['RECORD_ID']",
        "mine.toml: resource 2.when.CODE: expected a regular expression that the whole value must match",
        "mine.toml: resource 2.fields.colour: unknown key; expected one of code, date, status, place, npi",
        "mine.toml: resource 2.fields.code.system: expected a code system: cvx, cpt, icd-10-cm, loinc, ... or a URI",
        "mine.toml: resource 2.fields.date: expected either a column or a constant",
        "mine.toml: resource 2.fields.status.translate: there is no such table",
        "mine.toml: others: expected one of refuse, pass",
        "mine.toml: source: expected a text",
    ]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('identifier = "CIN"', "identifier = 7", "person.identifier: expected a text"),
        ('identifier = "CIN"', "", "person.identifier: missing; expected a text"),
        (
            'birth_date = { column = "DOB", format = "MM/DD/YYYY" }',
            "",
            "person.birth_date: missing; expected the birth",
        ),
        ('CP = "completed"', 'CP = "done"', "translate.status: done can't stand here; expected one of completed"),
        ("\ndate = {", "\ndate = 7 #", "resource 1.fields.date: expected a column's name, or a table"),
        ("[[resource]]", "[resource]", "resource: expected at least one [[resource]]: what rows become"),
        ('title = "Doses"', 'title = "Doses', "(at line"),
        ("[person]", '[file]\nencoding = "hex"\n[person]', "file.encoding: no such encoding"),
        ("[person]", '[file]\nencoding = "idna"\n[person]', "file.encoding: no such encoding"),
        ('format = "MM/DD/YYYY"', "format = []", "person.birth_date.format: expected a text such as"),
        ('column = "GIVEN"', 'constant = "today"', "date.constant: expected a day as MM/DD/YYYY or excel"),
        ('column = "NDC"', 'constant = "7"', "vaccine.constant: expected a code of its system: 11 digits"),
        ("vaccine = [", "vaccine = [] #", "resource 1.fields.vaccine: expected at least one column: the vaccine's"),
    ],
)
def test_one_problem(before: str, after: str, said: str) -> None:
    assert before in GOOD
    assert any(said in problem for problem in problems(GOOD.replace(before, after, 1)))


def test_two_kinds_of_one_name_would_share_ids() -> None:
    second = GOOD[GOOD.index("[[resource]]") : GOOD.index("[translate")]
    assert problems(GOOD.replace("[translate", f"{second}\n[translate")) == [
        "mine.toml: resource: two are called 'immunization': give each a name of its own (its ids depend on it)"
    ]


@pytest.mark.parametrize("name", sorted(shipped_mappings()))
def test_every_ready_mapping_is_good_and_says_where_its_layout_comes_from(name: str) -> None:
    mapping = read_mapping(name)
    assert mapping.source
    assert mapping.person.system == "http://dhcs.ca.gov/medi-cal/cin"


def test_a_mapping_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"No such file.*dental-claims, enrolment, immunization-registry"):
        read_mapping(str(tmp_path / "none.toml"))
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'title = "\xe9"')
    with pytest.raises(MappingError, match="it is not UTF-8"):
        read_mapping(str(latin))
