"""docs/cql is up to date: a page for each area of tests/spec, every limit, command and exclusion is in the README."""

import dataclasses
import re
from pathlib import Path

import pytest

import cql_like
from cql_like.__main__ import _parser
from cql_like.conformance import read_exclusions
from gapsvc.api.cql import LIMITS
from gapsvc.api.cql_request import _SUPPORTED
from scripts import make_cql_docs

PAGES = Path(__file__).parents[2] / "docs" / "cql"
README = (PAGES / "README.md").read_text("utf-8")


@pytest.mark.parametrize("area", make_cql_docs.areas())
def test_a_page_says_what_the_tests_say(area: str) -> None:
    file = PAGES / f"{area}.md"
    assert file.is_file() and file.read_text("utf-8") == make_cql_docs.page(area), "run scripts/make_cql_docs.py"


def test_there_are_no_other_pages_and_all_are_listed() -> None:
    areas = set(make_cql_docs.areas())
    assert {file.stem for file in PAGES.glob("*.md")} - {"README"} == areas
    assert set(re.findall(r"^- \[\w+\]\((\w+)\.md\)$", README, re.MULTILINE)) == areas


def test_every_limit_is_there_with_its_default() -> None:
    documented = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+|none) \|", README, re.MULTILINE))
    defaults = {
        field.name: "none" if field.default is None else f"{field.default:,}"
        for field in dataclasses.fields(cql_like.Limits)
    }
    assert documented == defaults


def test_every_command_is_there() -> None:
    for command in ("eval", "check", "requirements", "conformance"):
        assert f"python -m cql_like {command}" in README
        assert command in _parser().format_help()


def test_the_parameters_and_limits_of_the_operation_are_there() -> None:
    for name in (*_SUPPORTED, "prefetchData"):
        assert f"`{name}`" in README
    assert f"limited to {LIMITS.seconds} seconds and {LIMITS.steps:,} steps" in README


def test_every_exclusion_is_there() -> None:
    for key in read_exclusions():
        assert key.rpartition("/")[2] in README


def test_every_name_in_the_examples_is_public() -> None:
    for name in re.findall(r"\bcql_like\.(\w+)", README):
        assert hasattr(cql_like, name) or name in ("__main__",), name
