"""`import`: registry, claims and laboratory files into the store, under a source name of their own."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from adapters.base import Batch, Rejected, Source
from adapters.files import FileSource
from gapsvc import jobs
from gapsvc.cli import show
from gapsvc.cli.console import ERR, OUT, progress
from gapsvc.cli.data import open_store, pull_source
from gapsvc.cli.main import EXIT_REJECTED, EXIT_SETTINGS, EXIT_SOURCE, Failure, load_settings
from gapsvc.records.references import is_supplemental
from gapsvc.store import Store
from gapsvc.supplemental import (
    CsvSource,
    Mapping,
    MappingError,
    Seen,
    TaggedSource,
    Vanished,
    read_mapping,
)

_FHIR = re.compile(r"\.(ndjson|jsonl|json)(\.gz)?\Z", re.IGNORECASE)
_SHOWN = 20  # of what was kept out


@dataclass(slots=True)
class _Watched:
    """A Source that remembers the first of what it refused, for people to read."""

    inner: Source
    types: tuple[str, ...]
    damaged: tuple[str, ...] = ()  # files that can be read in part only
    refused: int = 0
    first: list[Rejected] = field(default_factory=list[Rejected])

    @property
    def name(self) -> str:
        return self.inner.name

    def batches(self, resource_type: str, *, since: str | None = None, cursor: str | None = None) -> Iterator[Batch]:
        for batch in self.inner.batches(resource_type, since=since, cursor=cursor):
            self.refused += len(batch.rejected)
            self.first += batch.rejected[: _SHOWN - len(self.first)]
            yield batch


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="FILE...")
@click.option("--source", "name", required=True, help="What to call the source: it stands beside its evidence.")
@click.option(
    "--mapping", "mapping_name", metavar="MAP", help="What the columns of delimited FILEs mean: TOML, or ready."
)
@click.option("--replace", is_flag=True, help="The FILEs are all that the source has: what they lack is deleted.")
@click.option("--dry-run", is_flag=True, help="Read and check everything, write nothing.")
def import_command(files: tuple[Path, ...], name: str, mapping_name: str | None, replace: bool, dry_run: bool) -> None:
    """Import supplemental data: delimited FILEs with a mapping (--mapping), or FHIR NDJSON; plain or gzipped.

    Rows that can't be used are kept in the quarantine with file, line and column; everything else is taken. The same
    file again changes nothing, and so an import that was cut off is simply repeated.
    """
    settings = load_settings()
    mapping = _mapping(files, mapping_name)
    if not name.strip() or len(name) > 100:
        raise click.BadParameter("expected a name of 1 to 100 characters", param_hint="--source")
    if any(one.name == name for one in settings.sources):
        raise Failure(
            f"{name} is a [[source]] of the settings; supplemental data need a name of their own", EXIT_SETTINGS
        )
    if mapping is not None and mapping.person.system not in settings["linking.person_systems"]:
        ERR.print(
            f"{mapping.person.system} is not among linking.person_systems: no row can be linked to a person",
            style="yellow",
        )
    if dry_run:
        _check(files, name, mapping)
        return
    with open_store(settings) as store, Seen() as seen:
        _refuse_an_ehrs_name(store, name)
        sources = [_opened(file, name, mapping, store, seen if replace else None) for file in files]
        reports = [pull_source(store, source, source.types, whole=replace) for source in sources]
        for report in reports:
            show.pull_report(report)
        complete = all(report.complete for report in reports) and not any(source.damaged for source in sources)
        if replace:
            # FHIR is all that the source has; rows are all of what their mapping makes.
            types = store.types_of_source(name) if mapping is None else mapping.types
            _delete_vanished(store, name, seen, types, complete=complete)
    refused = _tell_refused(sources)
    if not complete:
        raise Failure("not everything could be read; what was read is kept. Import the file again.", EXIT_SOURCE)
    if refused:
        raise Failure(f"{refused:,} rows or resources were kept out; all others were taken", EXIT_REJECTED)
    OUT.print("next: python -m gapsvc evaluate", style="dim")


def _mapping(files: Sequence[Path], named: str | None) -> Mapping | None:
    fhir = [file for file in files if file.is_dir() or _FHIR.search(file.name)]
    if named is None:
        if len(fhir) != len(files):
            other = next(file for file in files if file not in fhir)
            raise click.UsageError(f"{other} is no FHIR JSON: a delimited file needs --mapping")
        return None
    if fhir:
        raise click.UsageError(f"{fhir[0]} is FHIR JSON (or a folder): --mapping is for delimited files")
    try:
        return read_mapping(named)
    except MappingError as error:
        raise Failure(str(error), EXIT_SETTINGS) from error


def _opened(file: Path, name: str, mapping: Mapping | None, store: Store | None, seen: Seen | None) -> _Watched:
    told = None if seen is None else seen.add
    if mapping is None:
        files = FileSource(file, name)
        types = tuple({"Patient": None} | dict.fromkeys(files.resource_types()))
        return _Watched(TaggedSource(files, seen=told), types, files.damaged)
    known = None
    if store is not None:
        known = lambda system, people: store.known_people(system, people, besides=name)  # noqa: E731
    source = CsvSource(file, name, mapping, known=known, seen=told)
    return _Watched(source, source.resource_types())


def _refuse_an_ehrs_name(store: Store, name: str) -> None:
    """An EHR's records must never be taken for supplemental data (and be deleted by --replace)."""
    found = store.any_resource_of(name)
    if found is not None and not is_supplemental(found):
        raise Failure(f"{name} is a source that was pulled, not imported; choose another --source", EXIT_SETTINGS)


def _check(files: Sequence[Path], name: str, mapping: Mapping | None) -> None:
    """A dry run: what an import would take and refuse. Who is in the store is not asked."""
    sources = [_opened(file, name, mapping, None, None) for file in files]
    taken: Counter[str] = Counter()
    with progress("checking") as tell:
        for source in sources:
            for kind in source.types:
                for batch in source.batches(kind):
                    taken[kind] += len(batch.fetched)
                    for notice in batch.notices:
                        ERR.print(notice, style="yellow")
                    tell(taken.total(), None)
    for kind, number in taken.items():
        OUT.print(f"{kind}: {number:,} would be taken")
    refused = _tell_refused(sources)
    if refused:
        raise Failure(f"{refused:,} rows or resources would be kept out", EXIT_REJECTED)
    OUT.print("nothing was written; who of them is in the store is told by the import itself", style="dim")


def _tell_refused(sources: Sequence[_Watched]) -> int:
    first = [one for source in sources for one in source.first][:_SHOWN]
    refused = sum(source.refused for source in sources)
    for one in first:
        ERR.print(f"kept out: {one.origin}: {one.code}: {one.reason}", style="yellow", markup=False)
    if refused > len(first):
        ERR.print(f"kept out: and {refused - len(first):,} more", style="yellow")
    return refused


def _delete_vanished(store: Store, name: str, seen: Seen, types: Sequence[str], *, complete: bool) -> None:
    """Delete what the source had and its files lack; not where the files may hold more than could be read."""
    why = None
    if not complete:
        why = "not every file could be read to its end"
    elif seen.incomplete:
        why = "of some rows that were kept out it can't be told which they are"
    elif not seen:
        why = "the files hold no rows at all"
    if why is not None:
        ERR.print(f"nothing was deleted: {why}", style="yellow")
        return
    source = Vanished(name, seen, lambda kind: store.ids_of_source(name, kind))
    # Patients last: one goes when nothing of the source is about them any more.
    rounds = ([kind for kind in types if kind != "Patient"], ["Patient"])
    deleted = sum(jobs.pull(store, source, kinds, whole=True).counts.deleted for kinds in rounds if kinds)
    OUT.print(f"{deleted:,} resources that the files no longer hold were deleted")
