"""Whatever bytes a file holds: rows and reasons, or one SourceError; every line of it is accounted for."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import SourceError
from gapsvc.supplemental.csvfile import DelimitedFile, FileLimits, Layout

PIECES = st.sampled_from(
    [b"a", b"1", b",", b'"', b'""', b"\n", b"\r\n", b"\r", b"\xff", b"\x00", b" ", b"x" * 70, b"=1"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=60), st.sampled_from([Layout(), Layout(quote=""), Layout(encoding="cp1252")]))
def test_any_bytes(pieces: list[bytes], layout: Layout) -> None:
    body = b"".join(pieces)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.csv"
        path.write_bytes(b"a,b\n" + body)
        try:
            with DelimitedFile(path, layout, FileLimits(line=64)) as file:
                rows = list(file.rows())
        except SourceError:
            return
    assert [row.line for row in rows] == sorted({row.line for row in rows})  # each once, in order
    assert all((row.cells is None) == (row.problem is not None) for row in rows)
    assert all(row.cells is None or len(row.cells) == 2 for row in rows)
    assert all(len(row.raw) <= 64 * 51 for row in rows)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=12))
def test_what_a_csv_writer_writes_is_read_as_it_was(rows: list[tuple[str, str]]) -> None:
    rows = [
        (one, other)
        for one, other in rows
        if "\0" not in one + other and "\ufffd" not in one + other and (one + other).strip()
    ]
    quoted = ["{},{}".format(*(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row)) for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.csv"
        path.write_bytes("\n".join(["a,b", *quoted]).encode(errors="ignore"))
        with DelimitedFile(path, Layout(), FileLimits()) as file:
            found = [tuple(row.cells or ()) for row in file.rows()]
    assert found == [tuple(cell.encode(errors="ignore").decode() for cell in row) for row in rows]
