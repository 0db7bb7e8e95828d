"""Code maps: which rows are refused and with what words, and what a map adds to a resource."""

import pytest

from gapsvc.records.codemaps import MAPPED, CodeMapRefused, read_code_map

HEAD = "system,code,to_system,to_code,comment\n"
LOCAL, CPT, CVX = "urn:oid:1.2.3", "http://www.ama-assn.org/go/cpt", "http://hl7.org/fhir/sid/cvx"


def added(system: str, code: str) -> dict[str, object]:
    return {"extension": [{"url": MAPPED, "valueString": "clinic.csv"}], "system": system, "code": code}


def test_the_standard_coding_stands_beside_the_local_one() -> None:
    code_map = read_code_map(f"{HEAD}{LOCAL},WELL,{CPT},99392,one to four years\n", "clinic.csv")
    sent = {
        "resourceType": "Encounter",
        "id": "1",
        "class": {"system": LOCAL, "code": "WELL"},
        "type": [{"coding": [{"system": LOCAL, "code": "WELL", "display": "Well child"}], "text": "Well child"}],
    }
    assert code_map.applied(sent) == {
        **sent,
        "type": [
            {
                "coding": [{"system": LOCAL, "code": "WELL", "display": "Well child"}, added(CPT, "99392")],
                "text": "Well child",
            }
        ],
    }
    assert sent["type"] == [  # what the source sent is left as it is
        {"coding": [{"system": LOCAL, "code": "WELL", "display": "Well child"}], "text": "Well child"}
    ]


def test_one_local_code_for_several_standard_ones_and_codings_without_a_system() -> None:
    code_map = read_code_map(
        f"{HEAD}{LOCAL},PENTA,{CVX},120,\n{LOCAL},PENTA,{CPT},90698,\n,FLU,{CVX},150,\n", "clinic.csv"
    )
    dose = {"vaccineCode": {"coding": [{"system": LOCAL, "code": "PENTA"}, {"code": "FLU"}]}}
    assert code_map.applied(dose) == {
        "vaccineCode": {
            "coding": [
                {"system": LOCAL, "code": "PENTA"},
                {"code": "FLU"},
                added(CVX, "120"),
                added(CPT, "90698"),
                added(CVX, "150"),
            ]
        }
    }


def test_deep_in_a_claim() -> None:
    code_map = read_code_map(f"{HEAD}{LOCAL},X1,{CPT},83655,\n", "clinic.csv")
    claim = {"item": [{"sequence": 1, "productOrService": {"coding": [{"system": LOCAL, "code": "X1"}]}}]}
    assert code_map.applied(claim)["item"][0]["productOrService"]["coding"][1] == added(CPT, "83655")


@pytest.mark.parametrize(
    "coding",
    [
        [{"system": LOCAL, "code": "OTHER"}],
        [{"system": "urn:oid:9.9", "code": "WELL"}],
        [{"system": LOCAL, "code": "WELL"}, {"system": CPT, "code": "99392"}],  # the source says it itself
        [{"system": LOCAL}],
        ["WELL"],
        "WELL",
        None,
    ],
)
def test_where_there_is_nothing_to_add_the_resource_is_the_very_same(coding: object) -> None:
    code_map = read_code_map(f"{HEAD}{LOCAL},WELL,{CPT},99392,\n")
    resource = {"resourceType": "Procedure", "code": {"coding": coding}}
    assert code_map.applied(resource) is resource


def test_applied_twice_is_applied_once() -> None:
    code_map = read_code_map(f"{HEAD}{LOCAL},WELL,{CPT},99392,\n")
    once = code_map.applied({"code": {"coding": [{"system": LOCAL, "code": "WELL"}]}})
    assert code_map.applied(once) is once


def test_a_map_without_comments_with_blank_lines_and_a_byte_order_mark() -> None:
    code_map = read_code_map(f"\ufeffSystem,Code,To_System,To_Code\n\n{LOCAL},A,{CPT},99391\n,,,\n")
    assert list(code_map.codes) == [(LOCAL, "A")]


def test_every_wrong_line_is_named() -> None:
    text = (
        f"{HEAD}{LOCAL},,{CPT},99391,\n"
        f"clinic,A,{CPT},99391,\n"
        f"{LOCAL},A,CPT,99391,\n"
        f"{LOCAL},A,{CPT},,\n"
        f"{LOCAL},A\n"
        f"{LOCAL},B,{CPT},99391,a comment, with a comma\n"
        f"{LOCAL},C,{LOCAL},C,\n"
        f"{LOCAL},D,{CPT},99391,\n"
        f"{LOCAL},D,{CPT},99391,again\n"
    )
    with pytest.raises(CodeMapRefused) as refused:
        read_code_map(text, "clinic.csv")
    uri = "expected e.g. http://www.ama-assn.org/go/cpt or urn:oid:2.16.840.1"
    assert str(refused.value).splitlines() == [
        "clinic.csv:2: code is empty",
        f"clinic.csv:3: system 'clinic' is no URI; {uri}",
        f"clinic.csv:4: to_system 'CPT' is no URI; {uri}",
        "clinic.csv:5: to_code is empty",
        "clinic.csv:6: has 2 columns; expected 5 (text with a comma in it stands in quotes)",
        "clinic.csv:7: has 6 columns; expected 5 (text with a comma in it stands in quotes)",
        "clinic.csv:8: maps a code to itself",
        "clinic.csv:10: says the same as line 9",
    ]


def test_of_many_wrong_lines_the_first_twenty_are_named() -> None:
    with pytest.raises(CodeMapRefused) as refused:
        read_code_map(HEAD + "x,,,\n" * 25, "clinic.csv")
    assert str(refused.value).splitlines()[-1] == "clinic.csv: and 5 more"


@pytest.mark.parametrize("text", ["", "code,system\n", "from,to\na,b\n"])
def test_another_heading_is_refused(text: str) -> None:
    with pytest.raises(
        CodeMapRefused, match=r"clinic.csv:1: the heading is .*; expected system,code,to_system,to_code"
    ):
        read_code_map(text, "clinic.csv")
