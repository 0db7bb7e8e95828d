"""Where brought measures are kept: `<folder>/<id>/<version>/measure.json`, each a Bundle of what the measure came as.

A measure is there whole or not at all: it is written beside its place and moved there in one step. What is kept is
checked again when it is read, so a file that was changed by hand is found out before anybody is evaluated by it.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import orjson

from gapsvc.measures.definition import MeasureDefinition, MeasureError
from gapsvc.measures.documents import Document, read_files
from gapsvc.measures.importing import import_measures, version_order

FILE: Final = "measure.json"
_UNFINISHED: Final = ".new-"


def place_of(folder: Path, measure_id: str, version: str) -> Path:
    """The folder of one version of a measure. Ids are FHIR ids; of a version what no file name holds is escaped."""
    return folder / measure_id / quote(version, safe=" +")


def add(source: Path, folder: Path, taken: Iterable[MeasureDefinition] = ()) -> tuple[MeasureDefinition, ...]:
    """Check the measures of a Bundle or folder, and keep them; all of them, or none.

    Args:
        taken: the measures that come with the program.

    Raises:
        MeasureError: with every problem.
    """
    documents, problems = read_files(source)
    known = [*taken, *installed(folder)]
    try:
        measures = import_measures(documents, taken=known, folder=folder)
    except MeasureError as error:
        # "no Measure" says nothing where the files themselves could not be read
        said = [text for text in error.problems if documents or not problems]
        raise MeasureError([*problems, *said]) from None
    if problems:
        raise MeasureError(problems)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder))
    moved: list[Path] = []
    try:
        for number, measure in enumerate(measures):
            made = unfinished / str(number)
            made.mkdir()
            _write(made / FILE, _bundle(measure))
            place = place_of(folder, measure.id, measure.version)
            place.parent.mkdir(exist_ok=True)
            made.rename(place)
            moved.append(place)
    except OSError as error:
        for place in moved:
            shutil.rmtree(place)
        raise MeasureError([f"{folder}: the measures could not be written: {error.strerror}"]) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return measures


def _bundle(measure: MeasureDefinition) -> bytes:
    entries = [{"resource": resource} for resource in measure.resources]
    return orjson.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}, option=orjson.OPT_INDENT_2)


def _write(file: Path, content: bytes) -> None:
    with file.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def installed(folder: Path) -> tuple[MeasureDefinition, ...]:
    """Every version of every measure that is kept, by id and version; none where there is no such folder.

    Raises:
        MeasureError: one of them can't be used any more (its file was changed, or the engine has become stricter).
    """
    found: list[MeasureDefinition] = []
    problems: list[str] = []
    for file in sorted(folder.glob(f"*/*/{FILE}")):
        if file.parts[-3].startswith("."):
            continue
        try:
            found += import_measures([Document(str(file), file.read_bytes())], taken=found, folder=folder)
        except OSError as error:
            problems.append(f"{file}: {error.strerror}")
        except MeasureError as error:
            problems += error.problems
    if problems:
        raise MeasureError(problems)
    return tuple(sorted(found, key=lambda one: (one.id, version_order(one.version))))


def latest(measures: Iterable[MeasureDefinition]) -> Mapping[str, MeasureDefinition]:
    """The highest version of each measure, by id."""
    found: dict[str, MeasureDefinition] = {}
    for measure in measures:
        held = found.get(measure.id)
        if held is None or version_order(measure.version) > version_order(held.version):
            found[measure.id] = measure
    return MappingProxyType(found)


def remove(name: str, folder: Path) -> tuple[str, ...]:
    """Remove a measure by its id (every version) or `id|version`; the `id|version` of what was removed.

    Raises:
        MeasureError: there is none of that name.
    """
    measure_id, _, version = name.partition("|")
    kept = [file.parent for file in sorted(folder.glob(f"*/*/{FILE}")) if not file.parts[-3].startswith(".")]
    wanted = quote(version, safe=" +")
    gone = [place for place in kept if place.parent.name == measure_id and (not version or place.name == wanted)]
    if not gone:
        there = ", ".join(f"{place.parent.name}|{place.name}" for place in kept) or "none"
        raise MeasureError([f"no measure {name!r} was added; there are {there}"])
    for place in gone:
        # Out of the way in one step first: a removal that is cut off leaves no half measure in its place.
        aside = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder))
        place.rename(aside / "gone")
        shutil.rmtree(aside)
    parent = folder / measure_id
    if not any(parent.iterdir()):
        parent.rmdir()
    return tuple(f"{place.parent.name}|{place.name}" for place in gone)
