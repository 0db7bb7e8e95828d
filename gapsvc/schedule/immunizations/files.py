"""CDC's files from a folder or a ZIP, and an imported schedule written where the software finds it."""

import re
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import orjson

from .compiling import compile_schedule
from .importing import Document, ScheduleRefused, read_schedule
from .installed import Installed
from .xml_reading import MAX_BYTES, Problem

Read = Callable[[int], bytes]

MAX_FILES = 200
MAX_TOTAL = 64 * 1024 * 1024
_VERSION_IN_NAME = re.compile(r"(?<!\d)(\d+\.\d+)(?!\d)")
_SUPPORTING_DATA = re.compile(r"^(AntigenSupportingData|ScheduleSupportingData).*\.xml$", re.IGNORECASE)


def read_files(source: Path) -> dict[str, bytes]:
    """CDC's XML files in a folder or a ZIP, by name. Raises ScheduleRefused when there are none or too much of them.

    Only names count that CDC gives its supporting data; CDC's ZIP also holds spreadsheets. Nothing is unpacked to
    disk, and sizes are checked as bytes are read, so a ZIP's own claims aren't trusted.
    """
    files: dict[str, bytes] = {}
    total = 0
    if source.is_dir():
        paths = sorted(path for path in source.rglob("*.xml") if _SUPPORTING_DATA.match(path.name))
        _limit(source, len(paths))
        for path in paths:
            with path.open("rb") as stream:
                total = _add(source, files, path.name, _at_most(stream.read, path.name), total)
    elif zipfile.is_zipfile(source):
        try:
            with zipfile.ZipFile(source) as archive:
                entries = [one for one in archive.infolist() if _SUPPORTING_DATA.match(Path(one.filename).name)]
                _limit(source, len(entries))
                for entry in entries:
                    name = Path(entry.filename).name
                    with archive.open(entry) as stream:
                        total = _add(source, files, name, _at_most(stream.read, name), total)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise _refused(source.name, "archive", f"can't be read: {error}") from error
    else:
        raise _refused(source.name, "source", "is neither a folder nor a ZIP file")
    if not files:
        raise _refused(source.name, "source", "holds no AntigenSupportingData or ScheduleSupportingData XML files")
    return files


def _at_most(read: Read, name: str) -> bytes:
    content = read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _refused(name, "document", f"is larger than {MAX_BYTES} bytes")
    return content


def _limit(source: Path, count: int) -> None:
    if count > MAX_FILES:
        raise _refused(source.name, "source", f"holds {count} files; at most {MAX_FILES} are read")


def _add(source: Path, files: dict[str, bytes], name: str, content: bytes, total: int) -> int:
    if name in files:
        raise _refused(source.name, name, "occurs twice; give the folder of one version")
    if total + len(content) > MAX_TOTAL:
        raise _refused(source.name, "source", f"holds more than {MAX_TOTAL} bytes")
    files[name] = content
    return total + len(content)


def _refused(file: str, element: str, reason: str) -> ScheduleRefused:
    return ScheduleRefused([Problem(file, element, reason)])


def version_of(source: Path) -> str:
    """The version that a folder's or ZIP's name tells (`cdsi-4.64`). Raises ScheduleRefused when it tells none."""
    found = _VERSION_IN_NAME.search(source.resolve().name)
    if found is None:
        raise _refused(source.name, "(version)", "the name tells no version: name it with --version, such as 4.64")
    return found[1]


def document_bytes(document: Document) -> bytes:
    """The document as JSON with a line per antigen and per table, so that versions can be compared."""
    lines: list[bytes] = []
    for key, value in document.items():
        if key == "antigens":
            inner = b",\n".join(orjson.dumps(name) + b":" + orjson.dumps(one) for name, one in sorted(value.items()))
            lines.append(orjson.dumps(key) + b":{\n" + inner + b"\n}")
        else:
            lines.append(orjson.dumps(key) + b":" + orjson.dumps(value))
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def import_schedule(source: Path, into: Path, version: str | None = None) -> Installed:
    """Read CDC's files and install the schedule in the folder `into`, as `VERSION.json`.

    Everything is read, checked and compiled first, and the file appears in one step: after a refusal
    (ScheduleRefused) what was installed is as it was.
    """
    files = read_files(source)
    chosen = version or version_of(source)
    document = read_schedule(files, version=chosen, source=f"CDC CDSi supporting data {chosen}")
    compile_schedule(document)
    into.mkdir(parents=True, exist_ok=True)
    target = into / f"{chosen}.json"
    with tempfile.NamedTemporaryFile(dir=into, prefix=f".{chosen}.", delete=False) as partial:
        partial.write(document_bytes(document))
    Path(partial.name).chmod(0o644)
    Path(partial.name).replace(target)
    return Installed(chosen, target)
