"""A damaged row costs itself alone, whatever the damage."""

import gzip
import os
from pathlib import Path

import pytest

from adapters.base import SourceError
from gapsvc.supplemental.csvfile import DelimitedFile, FileLimits, Layout, Row


def read(path: Path, content: bytes, layout: Layout | None = None, limits: FileLimits | None = None) -> list[Row]:
    path.write_bytes(content)
    with DelimitedFile(path, layout or Layout(), limits or FileLimits()) as file:
        assert file.heading == ["a", "b"]
        return list(file.rows())


def usable(rows: list[Row]) -> list[tuple[int, list[str]]]:
    return [(row.line, row.cells) for row in rows if row.cells is not None]


def problems(rows: list[Row]) -> list[tuple[int, str]]:
    return [(row.line, row.problem[0]) for row in rows if row.problem is not None]


@pytest.mark.parametrize(
    ("content", "layout"),
    [
        pytest.param(b"a,b\n1,2\n3,4\n", None, id="plain"),
        pytest.param(b"\xef\xbb\xbfa,b\n1,2\n3,4\n", None, id="with a byte order mark"),
        pytest.param(b" a , b\r\n1,2\r\n3,4", None, id="CRLF, no end of line, blanks in the heading"),
        pytest.param(b"a,b\r1,2\r3,4\r", None, id="CR alone"),
        pytest.param(b'"a","b"\n"1","2"\n"3","4"\n', None, id="quoted"),
        pytest.param(b"a|b\n1|2\n3|4\n", Layout(delimiter="|", quote=""), id="bars, no quotes"),
        pytest.param("a\tb\n1\t2\n3\t4\n".encode("utf-16"), Layout("\t", "utf-16"), id="UTF-16"),
        pytest.param(b"a,b\n1,2,,\n3,4,\n", None, id="delimiters too many at the end"),
        pytest.param(gzip.compress(b"a,b\n1,2\n3,4\n"), None, id="gzipped, whatever its name"),
    ],
)
def test_a_file_reads_the_same_however_it_is_written(tmp_path: Path, content: bytes, layout: Layout | None) -> None:
    rows = read(tmp_path / "f.csv", content, layout)
    assert [row.cells for row in rows] == [["1", "2"], ["3", "4"]]
    assert problems(rows) == []


def test_blank_lines_are_no_rows_and_are_counted_as_lines(tmp_path: Path) -> None:
    assert usable(read(tmp_path / "f.csv", b"\na,b\n\n1,2\n   \n3,4\n")) == [(4, ["1", "2"]), (6, ["3", "4"])]


def test_a_quoted_row_may_take_several_lines(tmp_path: Path) -> None:
    rows = read(tmp_path / "f.csv", b'a,b\n1,"two\nlines, and ""more"""\n3,4\n')
    assert usable(rows) == [(2, ["1", 'two\nlines, and "more"']), (4, ["3", "4"])]


def test_a_quote_that_never_ends_costs_its_own_line(tmp_path: Path) -> None:
    rows = read(tmp_path / "f.csv", b'a,b\n1,"two\n3,4\n5,6\n7,"eight"\n')
    assert usable(rows) == [(3, ["3", "4"]), (4, ["5", "6"]), (5, ["7", "eight"])]
    assert problems(rows) == [(2, "quotes")]


def test_two_quotes_that_never_end_do_not_swallow_what_is_between_them(tmp_path: Path) -> None:
    rows = read(tmp_path / "f.csv", b'a,b\n1,"two\n3,4\n5,"six\n7,8\n')
    assert usable(rows) == [(3, ["3", "4"]), (5, ["7", "8"])]
    assert problems(rows) == [(2, "quotes"), (4, "quotes")]


def test_rows_that_are_too_short_or_too_long_are_refused(tmp_path: Path) -> None:
    rows = read(tmp_path / "f.csv", b"a,b\n1\n3,4\n5,6,7\n")
    assert usable(rows) == [(3, ["3", "4"])]
    assert problems(rows) == [(2, "ragged"), (4, "ragged")]
    assert rows[0].problem == ("ragged", "1 fields where the heading has 2")


def test_bytes_that_are_no_text_of_the_encoding_cost_their_line(tmp_path: Path) -> None:
    rows = read(tmp_path / "f.csv", b"a,b\n1,Mu\xf1oz\n3,4\n5,\x00\n")
    assert usable(rows) == [(3, ["3", "4"])]
    assert problems(rows) == [(2, "text-encoding"), (4, "text-encoding")]
    assert usable(read(tmp_path / "g.csv", b"a,b\n1,Mu\xf1oz\n", Layout(encoding="cp1252"))) == [(2, ["1", "Muñoz"])]


def test_a_line_beyond_the_limit_costs_itself_and_is_not_held_in_memory(tmp_path: Path) -> None:
    limits = FileLimits(line=100)
    rows = read(tmp_path / "f.csv", b"a,b\n1," + b"x" * 10_000 + b"\n3,4\n", limits=limits)
    assert usable(rows) == [(3, ["3", "4"])]
    assert [(row.line, row.problem[0], len(row.raw)) for row in rows if row.problem] == [(2, "too-large", 100)]


def test_a_field_longer_than_any_is_told_as_such(tmp_path: Path) -> None:
    (row,) = read(tmp_path / "f.csv", b"a,b\n1," + b"x" * 200_000 + b"\n")
    assert row.problem == ("too-large", "a field is longer than 131072 characters")


def test_text_without_the_mark_that_its_encoding_begins_with_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"f\.csv: the text is no utf-16; see file\.encoding"):
        read(tmp_path / "f.csv", b"a,b\n1,2\n", Layout(encoding="utf-16"))


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    endless = tmp_path / "endless.csv"
    endless.symlink_to("/dev/zero")
    for path in (pipe, endless):
        with pytest.raises(SourceError, match="this is no file; a pipe or device can't be read twice"):
            DelimitedFile(path, Layout(), FileLimits())


def test_a_file_that_unpacks_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="more than 1000 characters; split it"):
        read(tmp_path / "bomb.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 1000), limits=FileLimits(total=1000))
    with pytest.raises(SourceError, match="more than 100000 characters"):
        read(tmp_path / "line.gz", gzip.compress(b"a,b\n" + b"1" * 1_000_000), limits=FileLimits(100, 50, 100_000))


def test_a_cut_off_gzip_gives_its_rows_and_then_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "cut.csv.gz"
    whole = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * 7919) for n in range(20_000)))
    path.write_bytes(whole[: len(whole) // 2])
    seen = 0
    with pytest.raises(SourceError, match="ends too early"), DelimitedFile(path, Layout(), FileLimits()) as file:
        for _row in file.rows():
            seen += 1
    assert seen > 1000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"\n\n", "it is empty"),
        (b"PK\x03\x04 and so on", "a workbook or a zip archive"),
        ("a,b\n1,2\n".encode("utf-16"), "file.encoding = 'utf-16'"),
        (b'"a,b\n1,2\n', "the heading can't be used: the quotes"),
        (b"a,b," + b"c" * (1 << 20), "the heading is longer than 1048576 characters"),
        (b"\xff\x00a,b\n", "can't be read as utf-8"),
        (b"\x1f\x8bnot gzip", "is damaged"),
    ],
)
def test_a_file_that_is_no_delimited_text_is_refused_whole(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read(tmp_path / "f.csv", content)
