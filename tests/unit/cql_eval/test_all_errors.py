"""Every error of a library at once: those of its syntax, and those of what could be read all the same."""

import pytest

import cql_like

TEXT = """library Rec version '1'
using FHIR version '4.0.1'
context Patient
define "A": 1 +
define "B": 'x' + 5
define "C": "A" + 1
define "D": Undefined
define "E": [Foo]
define "F": "C" + 2
"""


def places(text: str) -> list[tuple[int, str]]:
    with pytest.raises(cql_like.CqlErrors) as caught:
        cql_like.compile_library(text)
    return [(error.line, error.message) for error in caught.value.errors]


def test_syntax_and_meaning_are_told_together() -> None:
    found = places(TEXT)
    assert [line for line, _ in found] == [5, 5, 7, 8]  # line 4's expression ends where line 5 begins
    assert '"Undefined"' in found[2][1] and '"Foo"' in found[3][1]


def test_what_refers_to_a_define_that_could_not_be_read_is_no_mistake_of_its_own() -> None:
    assert not any('"A"' in message for _, message in places(TEXT))


def test_without_its_model_the_rest_means_nothing() -> None:
    assert [
        line for line, _ in places(TEXT.replace("using FHIR version", "using FHIR versoin").replace("1 +", "1"))
    ] == [2]
