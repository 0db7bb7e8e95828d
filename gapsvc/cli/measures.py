"""`measures add | list | remove`: measures that users bring, kept in GAPSVC_HOME/measures."""

from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from gapsvc.cli.console import OUT
from gapsvc.config import load
from gapsvc.measures import catalog
from gapsvc.measures.definition import MeasureDefinition
from gapsvc.measures.installing import add, installed, latest, remove


@click.group("measures")
def measures_group() -> None:
    """The measures: those that come with the program, and those that you bring."""


@measures_group.command("add")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
def add_command(source: Path) -> None:
    """Check the measures in SOURCE (a FHIR Bundle, or a folder of JSON) and make them available.

    SOURCE holds Measure, Library (CQL text as text/cql) and ValueSet resources. Every problem is reported at once;
    nothing is added unless all is right.
    """
    settings = load()
    for measure in add(source, settings.measures_folder, catalog().values()):
        OUT.print(
            f"added {measure.id} version {measure.version}: {measure.title} ({measure.scoring}, "
            f"{len(measure.groups)} group(s), {len(measure.value_sets)} value set(s))",
            markup=False,
        )
    OUT.print("next: python -m gapsvc pull (it may need other resource types), then evaluate", style="dim")


@measures_group.command("list")
def list_command() -> None:
    """List all measures, with every version of those that were added."""
    settings = load()
    brought = installed(settings.measures_folder)
    newest = latest(brought)
    table = Table(title="measures", title_justify="left", title_style="bold")
    for column in ("id", "version", "title", "scoring", "groups", "from"):
        table.add_column(column)
    for measure in catalog().values():
        table.add_row(*_cells(measure), "gapsvc")
    for measure in brought:
        used = newest[measure.id] is measure
        table.add_row(*_cells(measure), "added" if used else f"added; {newest[measure.id].version} is in use")
    OUT.print(table)


def _cells(measure: MeasureDefinition) -> tuple[Text, ...]:
    said = (measure.id, measure.version, measure.title, measure.scoring, ", ".join(one.id for one in measure.groups))
    return tuple(Text(text) for text in said)


@measures_group.command("remove")
@click.argument("name")
def remove_command(name: str) -> None:
    """Remove a measure that was added: NAME is its id (every version), or 'id|version'.

    Results that were stored stay until they are evaluated anew.
    """
    settings = load()
    for gone in remove(name, settings.measures_folder):
        OUT.print(f"removed {gone}", markup=False)
