"""Write docs/measures/cases.md: what every measure's cases say, in the order in which they are kept.

    python -m scripts.list_cases

The cases themselves (record in, populations and gaps out) are in gapsvc/measures/*/cases; tests run each of them on
both evaluators, and hold the page to them.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

from gapsvc.evaluation.cases import Case, read_cases
from gapsvc.measures import MeasureDefinition, catalog

PAGE = Path(__file__).parents[1] / "docs" / "measures" / "cases.md"
_HEAD = """# The measures' cases

The rules in cases, boundaries included: each is a record, a day, and what must come out of it (populations, status,
need, days, evidence). They are kept in `gapsvc/measures/<measure>/cases/`;
`tests/conformance/test_measure_cases.py` runs each of them on both evaluators. `python -m scripts.list_cases` makes
this page.
"""


def page(measures: Mapping[str, MeasureDefinition]) -> str:
    """The page, as Markdown."""
    return "\n".join([_HEAD, *(line for measure in measures.values() for line in _measure(measure))])


def _measure(measure: MeasureDefinition) -> Iterator[str]:
    cases = list(read_cases(measure.folder))
    yield f"## {measure.id}\n"
    yield f"{measure.title}: [rules]({measure.id}.md), {len(cases)} cases.\n"
    for file, of_file in groupby(cases, key=lambda case: case.file):
        yield from _file(Path(file), of_file)


def _file(file: Path, cases: Iterable[Case]) -> Iterator[str]:
    words = file.stem.replace("-", " ")
    yield f"**{words[:1].upper()}{words[1:]}** (`cases/{file.name}`)\n"
    yield from (f"- {case.title}" for case in cases)
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(catalog()), encoding="utf-8")
