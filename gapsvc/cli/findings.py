"""What is wrong with the data that were evaluated: a line a kind, with how many children it is about."""

from collections.abc import Iterable

from gapsvc.cli.console import ERR
from gapsvc.records.record import PatientRecord

_NAMED = 3  # children who are named as examples, by id


def tell(records: Iterable[PatientRecord]) -> None:
    """Say each kind of finding once, with the number of children and some of their ids; nothing where there is none."""
    concerned: dict[tuple[str, str], dict[str, None]] = {}
    for record in records:
        for found in record.findings:
            concerned.setdefault((found.code, found.text), {})[record.person_id] = None
    for (_code, text), people in sorted(concerned.items()):
        named = ", ".join([*people][:_NAMED]) + (", ..." if len(people) > _NAMED else "")
        ERR.print(f"data: {len(people):,} children ({named}): {text}", style="yellow", markup=False)
