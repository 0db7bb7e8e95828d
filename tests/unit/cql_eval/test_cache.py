"""Compiled libraries kept on disk: used while they fit, left alone when damaged or not private."""

import hashlib
import logging
import os
import pickle
from pathlib import Path

import pytest

import cql_like
from cql_like import cache
from cql_like.library import Compiled
from cql_like.operators import OPERATORS
from cql_like.session import EmptyRecord

COMMON = "library Common version '1' define function Twice(n Integer): n * 2"
TEXT = """library Doses version '1'
include Common version '1' called Common
parameter "Needed" Integer default 4
define "Days": {@2024-01-01, @2024-03, null}
define "Enough": Common.Twice(Count("Days")) >= "Needed" and ConvertsToInteger('1')
define "Largest": Max({1.5, 2.50}) + 3L
"""
LIBRARIES = {("Common", "1"): COMMON}

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="the cache needs file owners")


def compiled(folder, text=TEXT, libraries=LIBRARIES):
    return cql_like.compile_library(text, libraries, cache=folder)


def kept(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def answers(library, engine="compiled"):
    session = library.session(EmptyRecord(), engine=engine)
    return {name: cql_like.to_cql(session.evaluate(name)) for name in library.defines}


def test_a_kept_library_is_the_library(tmp_path):
    folder = tmp_path / "home" / "cache"
    first = compiled(folder)
    second = compiled(folder)
    assert second == first == cql_like.compile_library(TEXT, LIBRARIES)
    assert second.compiled.source == first.compiled.source
    assert answers(second) == answers(first) == answers(second, "reference")
    assert answers(second) == {"Days": "{@2024-01-01, @2024-03, null}", "Enough": "true", "Largest": "5.50"}
    (file,) = kept(folder)
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_it_is_read_from_the_file(tmp_path, monkeypatch):
    compiled(tmp_path)
    monkeypatch.setattr(Compiled, "of", lambda program: pytest.fail("compiled again"))
    monkeypatch.setattr(cql_like.library, "read_library", lambda text: pytest.fail("parsed again"))
    assert compiled(tmp_path).name == "Doses"


@pytest.mark.parametrize(
    ("text", "libraries"),
    [
        (TEXT.replace("default 4", "default 5"), LIBRARIES),
        (TEXT, {("Common", "1"): COMMON.replace("n * 2", "n * 3")}),
    ],
)
def test_another_text_is_another_program(tmp_path, text, libraries):
    compiled(tmp_path)
    compiled(tmp_path, text, libraries)
    assert len(kept(tmp_path)) == 2


def test_texts_cannot_be_shifted_into_one_another():
    assert cache.key_of("ab", {("c", None): "d"}, ()) != cache.key_of("a", {("bc", None): "d"}, ())


def test_another_engine_is_another_program(monkeypatch):
    before = cache.key_of(TEXT, LIBRARIES, ())
    monkeypatch.setattr(cache, "_engine", lambda: b"another")
    assert cache.key_of(TEXT, LIBRARIES, ()) != before


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content[:60] + bytes([content[60] ^ 1]) + content[61:],
        lambda content: content.replace(b"program 1", b"program 0"),
    ],
    ids=["empty", "cut off", "changed", "of another kind"],
)
def test_a_damaged_file_is_compiled_anew_and_replaced(tmp_path, caplog, damage):
    compiled(tmp_path)
    (file,) = kept(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    with caplog.at_level(logging.DEBUG, "cql_like.cache"):
        library = compiled(tmp_path)
    assert answers(library)["Enough"] == "true"
    assert "the file is damaged" in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}
    assert kept(tmp_path) == [file]
    assert cache.load(tmp_path, file.stem) is not None


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_may_write_to_is_neither_read_nor_written(tmp_path, caplog, mode):
    compiled(tmp_path)
    tmp_path.chmod(mode)
    (file,) = kept(tmp_path)
    with caplog.at_level(logging.DEBUG, "cql_like.cache"):
        assert cache.load(tmp_path, file.stem) is None
        compiled(tmp_path, TEXT + "define More: 1")
    assert "others may write to it" in caplog.text
    assert kept(tmp_path) == [file]
    tmp_path.chmod(0o700)


def test_a_file_that_others_may_write_to_is_not_read(tmp_path):
    compiled(tmp_path)
    (file,) = kept(tmp_path)
    file.chmod(0o666)
    assert cache.load(tmp_path, file.stem) is None


def test_links_are_not_followed(tmp_path):
    real = tmp_path / "real"
    compiled(real)
    (file,) = kept(real)
    (tmp_path / "link").symlink_to(real)
    assert cache.load(tmp_path / "link", file.stem) is None
    elsewhere = file.rename(tmp_path / "elsewhere")
    file.symlink_to(elsewhere)
    assert cache.load(real, file.stem) is None


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert answers(compiled(tmp_path / "file" / "cache"))["Enough"] == "true"


class Hostile:
    def __reduce__(self):
        return os.system, ("exit 1",)


@pytest.mark.parametrize(
    "harm",
    [Hostile(), exec, os.path.join, cql_like.compile_library],
    ids=["a call", "exec", "a function of Python's", "a function of ours"],
)
def test_the_data_of_a_file_makes_nothing_but_the_engines_values(tmp_path, caplog, harm):
    compiled(tmp_path)
    (file,) = kept(tmp_path)
    payload = (0).to_bytes(8, "big") + pickle.dumps(harm)
    file.write_bytes(cache._MAGIC + hashlib.sha256(payload).digest() + payload)
    with caplog.at_level(logging.DEBUG, "cql_like.cache"):
        assert cache.load(tmp_path, file.stem) is None
    assert "the file refers to" in caplog.text


def test_a_function_outside_the_engine_is_not_looked_up(tmp_path, caplog):
    compiled(tmp_path)
    (file,) = kept(tmp_path)

    class Naming(pickle._Pickler):
        def persistent_id(self, obj):
            return ("function", "os", "system") if obj == "harm" else None

    with (tmp_path / "data").open("wb") as data:
        Naming(data, 5).dump("harm")
    payload = (0).to_bytes(8, "big") + (tmp_path / "data").read_bytes()
    file.write_bytes(cache._MAGIC + hashlib.sha256(payload).digest() + payload)
    with caplog.at_level(logging.DEBUG, "cql_like.cache"):
        assert cache.load(tmp_path, file.stem) is None
    assert "('function', 'os', 'system')" in caplog.text


def test_every_operator_can_be_kept():
    for place, row in enumerate(OPERATORS):
        assert OPERATORS[cache._places()[id(row.implementation)]].implementation is row.implementation, place
