"""The documentation and the program name the same things (architecture.md, rule 9)."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from adapters.vendors import vendor_names
from fhir_profiles.extensions import EXTENSION_BASE, OWN_EXTENSIONS
from gapsvc.api.care_gaps import UNSUPPORTED, CareGapsParameters
from gapsvc.cli import main as cli
from gapsvc.config import _CLIENT_KEYS, _OTHER_VARIABLES, _SOURCE_KEYS, SETTINGS
from gapsvc.measures import catalog
from gapsvc.sandbox import Disorder

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def text(name: str) -> str:
    return (DOCS / name).read_text()


def section(page: str, heading: str) -> str:
    """What stands under a `##` heading."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"no section {heading!r}"
    return found[1]


def rows(page: str) -> dict[str, list[str]]:
    """The first cell of each table row (a name in backticks) -> its cells."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:3] == "| `"]
    return {cells[0].strip("`"): cells for cells in lines}


# ---- settings


def test_every_setting_has_its_row_and_no_row_is_of_another() -> None:
    table = rows(text("settings.md"))
    others = {*_OTHER_VARIABLES, *_CLIENT_KEYS, *_SOURCE_KEYS}
    assert table.keys() == {setting.key for setting in SETTINGS} | others
    for setting in SETTINGS:
        _, variable, default, meaning = table[setting.key]
        assert variable == f"`{setting.variable}`"
        assert meaning == setting.meaning
        shown = ", ".join(setting.default) if isinstance(setting.default, tuple) else setting.default
        assert default == ("(empty)" if shown in ("", None) else f"`{shown}`"), setting.key


def test_every_variable_that_is_named_exists() -> None:
    known = {setting.variable for setting in SETTINGS} | _OTHER_VARIABLES
    for page in (*DOCS.rglob("*.md"), ROOT / "README.md"):
        for name in re.findall(r"GAPSVC_[A-Z_]*[A-Z]", page.read_text()):
            assert name in known or name.startswith(("GAPSVC_TOKEN", "GAPSVC_TEST_")), f"{page.name}: {name}"


# ---- commands


def commands(group: click.Group = cli, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


COMMANDS = dict(commands())


def test_every_command_has_its_section_and_no_section_is_of_another() -> None:
    headings = re.findall(r"^## `([^`]+)`$", text("commands.md"), re.MULTILINE)
    assert sorted(headings) == sorted(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_is_in_its_commands_section(name: str) -> None:
    said = set(re.findall(r"`(--[a-z-]+)`", section(text("commands.md"), f"`{name}`")))
    options = {
        option
        for parameter in COMMANDS[name].params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
        if option.startswith("--")
    }
    mentioned_for_others = {"--data"} if name == "demo" else set()
    assert said - mentioned_for_others == options - mentioned_for_others
    assert options <= said


def test_every_exit_code_is_listed() -> None:
    module = sys.modules["gapsvc.cli.main"]  # gapsvc.cli.main is the group
    codes = {value for name, value in vars(module).items() if name.startswith("EXIT_")}
    listed = re.findall(r"^\| (\d+) \|", section(text("commands.md"), "Exit codes"), re.MULTILINE)
    assert {int(code) for code in listed} == codes | {0, 1}
    assert len(codes) == len([name for name in vars(module) if name.startswith("EXIT_")])


def test_every_command_line_in_the_documentation_can_be_parsed() -> None:
    for page in (*DOCS.rglob("*.md"), ROOT / "README.md"):
        joined = page.read_text().replace("\\\n", " ")
        for line in re.findall(r"^[^|`\n]*python -m gapsvc ([^\n`]*)$", joined, re.MULTILINE):
            words = [word for word in re.split(r"[>#;]", line)[0].split() if word]
            names = [name for name in COMMANDS if words[: len(name.split())] == name.split()]
            assert names, f"{page.name}: no command {line!r}"
            options = {option for parameter in COMMANDS[names[0]].params for option in parameter.opts}
            for word in words:
                assert not word.startswith("--") or word.split("=")[0] in options, f"{page.name}: {word} in {line!r}"


# ---- the API


def test_every_address_is_in_the_documentation_and_no_other() -> None:
    from gapsvc.api.service import Service
    from gapsvc.app import create_app

    app = create_app(Service.__new__(Service))
    served = {
        (method, re.sub(r"<[^>]+>", "<id>", rule.rule).replace("/fhir/", "[base]/", 1))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    documented = {
        (method.strip(), address)
        for cell in re.findall(r"^\| (`(?:GET|POST)[^|]*) \|", text("api.md"), re.MULTILINE)
        for methods, address in re.findall(r"`([A-Z, ]+) (\S+)`", cell)
        for method in methods.split(",")
    }
    assert documented == served


def test_every_parameter_of_care_gaps_is_in_the_documentation() -> None:
    page = section(text("api.md"), "`$care-gaps`")
    table = {
        name for line in page.splitlines() if line[:3] == "| `" for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert table == set(CareGapsParameters().fields)
    refused = re.search(r"Not supported, and said so \(400\): (.*?)\. ", page, re.DOTALL)
    assert refused
    assert set(re.findall(r"`(\w+)`", refused[1])) == set(UNSUPPORTED)


def test_every_search_parameter_that_is_claimed_is_in_the_documentation() -> None:
    from gapsvc.api.capability import SERVED

    for use in SERVED:
        if use.search:
            (line,) = [line for line in text("api.md").splitlines() if f"`POST [base]/{use.type}/_search`" in line]
            assert re.findall(r"`(\w+)`", line.split("|")[2]) == [parameter.name for parameter in use.search], use.type


def test_every_extension_of_ours_is_in_the_documentation() -> None:
    page = section(text("api.md"), "Our own extensions")
    assert EXTENSION_BASE in page
    assert {name: cells[1] for name, cells in rows(page).items()} == {
        own.name: ", ".join(own.contexts) for own in OWN_EXTENSIONS
    }
    for own in OWN_EXTENSIONS:
        assert set(re.findall(r"`(\w+)`", rows(page)[own.name][2])) == {part.url for part in own.parts}


# ---- measures, sandbox, adapters, links


def test_every_measure_has_its_page_and_no_page_is_of_another() -> None:
    pages = {page.stem for page in (DOCS / "measures").glob("*.md")} - {"README", "bring-your-own", "cases"}
    assert pages == set(catalog())
    for name in catalog():
        assert f"({name}.md)" in text("measures/README.md")


def test_every_kind_of_disorder_and_every_vendor_is_in_the_documentation() -> None:
    assert tuple(sorted(rows(text("sandbox.md")))) == tuple(sorted(Disorder.names()))
    vendors = re.search(r"There are (.*?);", text("adapters.md"), re.DOTALL)
    assert vendors
    assert re.findall(r"`([a-z-]+)`", vendors[1]) == list(vendor_names())


def test_every_link_leads_somewhere() -> None:
    for page in (*DOCS.rglob("*.md"), ROOT / "README.md"):
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
            if not target.startswith(("http://", "https://")):
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"
