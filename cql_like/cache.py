"""Compiled programs on disk: a library that was compiled once is ready in milliseconds, in the next process too.

A file holds a checked program (typed IR), the tables of its generated Python and that Python's byte code, under the
hash of all that they follow from: the texts, the model files, this engine's own sources, the Python release.

Byte code runs with all rights of the process, so a cache is worth as much as the folder is private. The rule is that
of Python's own `__pycache__`, made explicit: the folder and the file must belong to the user who runs the program and
be writable by nobody else, and are looked at without following links; otherwise they are left alone. Inside, a
SHA-256 finds damage; the data part is read by an unpickler that can make nothing but the engine's own values. What
can't be used is compiled anew, and a note at debug level says why.
"""

import hashlib
import io
import logging
import marshal
import os
import pickle
import stat
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any, cast

from cql_like import ir
from cql_like.compiler import Compiled
from cql_like.compiler.unit import Source
from cql_like.operators import OPERATORS

_LOG = logging.getLogger(__name__)
_MAGIC = b"cql_like program 1\n"
_DIGEST = hashlib.sha256().digest_size
_PRIVATE = 0o700
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

# What a file may be made of, beside operator implementations: the classes of these modules.
_MODULES = frozenset({"cql_like.ir", "cql_like.types", "cql_like.runtime.values", "cql_like.compiler.unit"})


class _UnusableError(Exception):
    """Why a file or folder of the cache is left alone."""


def key_of(text: str, libraries: Mapping[tuple[str, str | None], str], models: Sequence[str | Path]) -> str:
    """The name under which a compiled program is kept: a hash of everything that it follows from.

    Raises:
        OSError: a model file can't be read.
    """
    parts = [_engine(), text.encode()]
    for (name, version), library in sorted(libraries.items(), key=str):
        parts += [repr((name, version)).encode(), library.encode()]
    parts += [Path(model).read_bytes() for model in models]
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "big") + part)
    return found.hexdigest()


@cache
def _engine() -> bytes:
    """A hash of this engine's sources and model data, and of the Python whose byte code is kept."""
    found = hashlib.sha256(f"{sys.version} {sys.implementation.cache_tag}".encode())
    root = Path(__file__).parent
    for file in sorted(file for ending in ("*.py", "*.json") for file in root.rglob(ending)):
        found.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return found.digest()


def load(folder: Path, key: str) -> tuple[ir.Program, Compiled] | None:
    """The program kept under a key; None if there is none that can be used."""
    try:
        return _read(_file_content(folder, f"{key}.cqlc"))
    except FileNotFoundError:
        return None
    except (OSError, _UnusableError) as error:
        _LOG.debug("compiled anew: the cache %s can't be used: %s", folder, error)
        return None


def save(folder: Path, key: str, program: ir.Program, compiled: Compiled) -> None:
    """Keeps a program; a folder that can't be written to is left alone."""
    try:
        content = _content(program, compiled)
        folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        _check(folder.lstat())
        handle, name = tempfile.mkstemp(dir=folder, prefix=".new-")  # readable by its owner alone
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).replace(folder / f"{key}.cqlc")
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except (OSError, _UnusableError) as error:
        _LOG.debug("not kept: the cache %s can't be used: %s", folder, error)


# ------------------------------------------------------------------------------------------------------ files


def _file_content(folder: Path, name: str) -> bytes:
    """The content of a file of a private folder."""
    if not hasattr(os, "getuid"):
        raise _UnusableError("this system has no file owners to check")
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _check(os.fstat(opened))
        with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=opened), "rb") as file:
            _check(os.fstat(file.fileno()))
            return file.read()
    finally:
        os.close(opened)


def _check(found: os.stat_result) -> None:
    if not hasattr(os, "getuid") or found.st_uid != os.getuid():
        raise _UnusableError("it belongs to another user")
    if found.st_mode & _WRITABLE_BY_OTHERS:
        raise _UnusableError(f"others may write to it (mode {stat.S_IMODE(found.st_mode):o}); expected 700")


# ---------------------------------------------------------------------------------------------------- content


def _content(program: ir.Program, compiled: Compiled) -> bytes:
    data = io.BytesIO()
    _Writer(data, protocol=5).dump((program, compiled.source))
    code = marshal.dumps(compiled.code)
    payload = len(code).to_bytes(8, "big") + code + data.getvalue()
    return _MAGIC + hashlib.sha256(payload).digest() + payload


def _read(content: bytes) -> tuple[ir.Program, Compiled]:
    start = len(_MAGIC) + _DIGEST
    payload = content[start:]
    if not content.startswith(_MAGIC) or hashlib.sha256(payload).digest() != content[len(_MAGIC) : start]:
        raise _UnusableError("the file is damaged")
    size = int.from_bytes(payload[:8], "big")
    try:
        program, source = cast("tuple[ir.Program, Source]", _Reader(io.BytesIO(payload[8 + size :])).load())
        code: object = marshal.loads(payload[8 : 8 + size])  # noqa: S302 - of a private file, as its owner wrote it
    except _UnusableError:
        raise
    except Exception as error:
        raise _UnusableError(f"the file doesn't hold a program: {type(error).__name__}") from error
    if not isinstance(code, CodeType):
        raise _UnusableError("the file doesn't hold a program")
    return program, Compiled(source, code)


class _Writer(pickle.Pickler):
    """Functions are written as their row of the operator table, or by name where they are a module's own."""

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, type) or not callable(obj):
            return None
        place = _places().get(id(obj))
        if place is not None:
            return "operator", place
        if getattr(sys.modules[obj.__module__], obj.__qualname__, None) is not obj:
            raise _UnusableError(f"{obj.__module__}.{obj.__qualname__} can't be found by its name")
        return "function", obj.__module__, obj.__qualname__


class _Reader(pickle.Unpickler):
    def persistent_load(self, pid: Any) -> Any:
        match pid:
            case ("operator", int(place)):
                return OPERATORS[place].implementation
            case ("function", str(module), str(name)) if module.startswith("cql_like."):
                return getattr(sys.modules[module], name)
            case _:
                raise _UnusableError(f"the file refers to {pid!r}")

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        found = super().find_class(module_name, global_name) if module_name in (*_MODULES, "decimal") else None
        if not isinstance(found, type) or found.__module__ != module_name:
            raise _UnusableError(f"the file refers to {module_name}.{global_name}")
        return found


@cache
def _places() -> Mapping[int, int]:
    """The first row of the operator table with each implementation, by the implementation's identity."""
    places: dict[int, int] = {}
    for place, row in enumerate(OPERATORS):
        places.setdefault(id(row.implementation), place)
    return places
