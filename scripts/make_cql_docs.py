"""Writes docs/cql: one page per area of the language, from the tables in tests/spec that both evaluators are tested
against. `python scripts/make_cql_docs.py` writes the pages; with `--check` it only says which are out of date.

A page is the docstring of its test module and its tables; docs/cql/README.md is written by hand.
"""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SPEC, PAGES = ROOT / "tests" / "spec", ROOT / "docs" / "cql"
NOTE = "<!-- Made by scripts/make_cql_docs.py from tests/spec/{name}.py. Change the test, then run the script. -->"


def areas() -> tuple[str, ...]:
    """The names of the language areas: the test modules of tests/spec without their prefix."""
    return tuple(sorted(file.stem.removeprefix("test_") for file in SPEC.glob("test_*.py")))


def page(area: str) -> str:
    """The page of an area, in Markdown."""
    name = f"test_{area}"
    module = importlib.import_module(f"tests.spec.{name}")
    table: Mapping[str, Mapping[str, str]] = module.TABLE
    lines = [NOTE.format(name=name), "", f"# {area.replace('_', ' ').capitalize()}", ""]
    lines += [line.rstrip() for line in (module.__doc__ or "").strip().splitlines()]
    for heading, rows in table.items():
        lines += ["", f"## {heading[:1].upper()}{heading[1:]}", "", "| expression | gives |", "|---|---|"]
        lines += [f"| {_cell(expression)} | {_result(literal)} |" for expression, literal in rows.items()]
    lines += ["", "Expressions are evaluated with `now` at 2024-02-29T12:30:00Z.", ""]
    return "\n".join(lines)


def _result(literal: str) -> str:
    return "a run-time error" if literal == "error" else _cell(literal)


def _cell(text: str) -> str:
    """Code in a table's cell: a bar would end the cell, even in code."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{' '.join(text.split())}{fence}".replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Writes the pages, or with `--check` lists those that are out of date. Exit code 1 if there are some."""
    sys.path.insert(0, str(ROOT))
    stale = [area for area in areas() if not _is_up_to_date(area)]
    if "--check" in arguments:
        for area in stale:
            print(f"docs/cql/{area}.md is out of date: run python scripts/make_cql_docs.py", file=sys.stderr)
        return 1 if stale else 0
    PAGES.mkdir(parents=True, exist_ok=True)
    for area in stale:
        (PAGES / f"{area}.md").write_text(page(area), encoding="utf-8")
        print(f"wrote docs/cql/{area}.md")
    return 0


def _is_up_to_date(area: str) -> bool:
    file = PAGES / f"{area}.md"
    return file.is_file() and file.read_text(encoding="utf-8") == page(area)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
