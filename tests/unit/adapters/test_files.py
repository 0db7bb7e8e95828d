"""adapters.files: folders of NDJSON and Bundles; damage costs itself alone; every batch can be resumed."""

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters import open_source
from adapters.base import Batch, SourceError
from adapters.filereading import Limits, Position
from adapters.files import FileSource

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "synthea-peds"


def patient(number: int) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": f"child-{number}"}


def visit(number: int) -> dict[str, Any]:
    subject = {"reference": f"Patient/child-{number}"}
    return {"resourceType": "Encounter", "id": f"visit-{number}", "status": "finished", "subject": subject}


def ndjson(*resources: dict[str, Any]) -> bytes:
    return b"".join(orjson.dumps(resource) + b"\n" for resource in resources)


def read(source: FileSource, resource_type: str, cursor: str | None = None) -> list[Batch]:
    return list(source.batches(resource_type, cursor=cursor))


def ids(batches: list[Batch]) -> list[str]:
    return [item.resource["id"] for batch in batches for item in batch.fetched]


def codes(batches: list[Batch]) -> list[tuple[str, str]]:
    return [(item.origin, item.code) for batch in batches for item in batch.rejected]


def notices(batches: list[Batch]) -> list[str]:
    return [text for batch in batches for text in batch.notices]


def test_one_file_per_type(tmp_path: Path) -> None:
    (tmp_path / "Patient.ndjson").write_bytes(ndjson(patient(1), patient(2)))
    (tmp_path / "Encounter.ndjson.gz").write_bytes(gzip.compress(ndjson(visit(1))))
    source = FileSource(tmp_path, "clinic")
    assert (source.name, source.resource_types()) == ("clinic", ("Encounter", "Patient"))
    (batch,) = read(source, "Patient")
    assert [(item.resource, item.origin, item.repairs) for item in batch.fetched] == [
        (patient(1), "Patient.ndjson:1", ()),
        (patient(2), "Patient.ndjson:2", ()),
    ]
    assert (batch.resource_type, batch.rejected, batch.cursor, batch.notices, batch.total) == (
        "Patient",
        (),
        None,
        (),
        2,
    )
    assert ids(read(source, "Encounter")) == ["visit-1"]
    (nothing,) = read(source, "Immunization")
    assert nothing == Batch("Immunization", (), total=0)


def test_file_names_are_only_hints(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "Patient.000.ndjson").write_bytes(ndjson(patient(1), visit(1)))
    (tmp_path / "sub" / "part-1.ndjson").write_bytes(ndjson(visit(2), patient(2)).replace(b'":"', b'" : "'))
    (tmp_path / "export.json").write_bytes(ndjson(patient(3), visit(3)))  # lines, though it is called .json
    (tmp_path / "visits.jsonl").write_bytes(ndjson(visit(4)).rstrip())  # no newline at the end
    source = FileSource(tmp_path)
    assert ids(read(source, "Patient")) == ["child-1", "child-3", "child-2"]
    assert ids(read(source, "Encounter")) == ["visit-1", "visit-3", "visit-2", "visit-4"]


def test_a_contained_resource_is_not_mistaken_for_one_of_its_own(tmp_path: Path) -> None:
    holder = visit(1) | {"contained": [{"resourceType": "Patient", "id": "p"}]}
    (tmp_path / "mixed.ndjson").write_bytes(ndjson(holder, patient(1)))
    source = FileSource(tmp_path)
    assert ids(read(source, "Patient")) == ["child-1"]
    assert ids(read(source, "Encounter")) == ["visit-1"]


def test_bundles_pretty_printed_or_not_and_in_lines(tmp_path: Path) -> None:
    def bundle(number: int) -> dict[str, Any]:
        mother = {"resource": patient(number), "fullUrl": f"urn:uuid:{number}"}
        seen = visit(number) | {"subject": {"reference": f"urn:uuid:{number}"}}
        return {"resourceType": "Bundle", "type": "collection", "entry": [mother, {"resource": seen}, {"response": {}}]}

    (tmp_path / "a.json").write_bytes(orjson.dumps(bundle(1), option=orjson.OPT_INDENT_2))
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(orjson.dumps(bundle(2))))
    (tmp_path / "c.ndjson").write_bytes(ndjson(bundle(3), patient(30)))
    (tmp_path / "d.ndjson").write_bytes(orjson.dumps(bundle(4), option=orjson.OPT_INDENT_2))
    (tmp_path / "e.json").write_bytes(orjson.dumps([patient(5), visit(5)]))
    (tmp_path / "f.json").write_bytes(b"\xef\xbb\xbf" + orjson.dumps(patient(6)))
    source = FileSource(tmp_path)
    assert ids(read(source, "Patient")) == [
        "child-1",
        "child-2",
        "child-3",
        "child-30",
        "child-4",
        "child-5",
        "child-6",
    ]
    visits = [item for batch in read(source, "Encounter") for item in batch.fetched]
    assert [item.resource for item in visits] == [visit(number) for number in (1, 2, 3, 4, 5)]
    assert visits[0].origin == "a.json#2"
    assert visits[0].repairs == ("reference-urn:Encounter.subject.reference",)
    assert visits[2].origin == "c.ndjson:1#2"


def test_references_in_a_bundle_to_its_server_become_relative(tmp_path: Path) -> None:
    base = "https://ehr.example/fhir"
    encounter = visit(1) | {"serviceProvider": {"reference": f"{base}/Organization/clinic"}}
    entries = [{"fullUrl": f"{base}/Encounter/visit-1", "resource": encounter}]
    (tmp_path / "page.json").write_bytes(orjson.dumps({"resourceType": "Bundle", "entry": entries}))
    (batch,) = read(FileSource(tmp_path), "Encounter")
    assert batch.fetched[0].resource["serviceProvider"] == {"reference": "Organization/clinic"}


def test_a_bad_line_costs_itself_alone(tmp_path: Path) -> None:
    lines = [orjson.dumps(patient(1)), b'{"resourceType":"Patient","id":', b"", b"garbage", b"[]", b'{"id":"x"}']
    lines += [b'{"resourceType":"Patient"}', orjson.dumps(patient(2)) + b"\r"]
    (tmp_path / "Patient.ndjson").write_bytes(b"\n".join(lines))
    batches = read(FileSource(tmp_path), "Patient")
    assert ids(batches) == ["child-1", "child-2"]
    assert codes(batches) == [
        ("Patient.ndjson:2", "not-json"),
        ("Patient.ndjson:4", "not-json"),
        ("Patient.ndjson:5", "not-an-object"),
        ("Patient.ndjson:6", "no-resource-type"),
        ("Patient.ndjson:7", "no-id"),
    ]
    assert [item.raw for item in batches[0].rejected][1] == b"garbage"


def test_in_a_mixed_file_each_bad_line_is_reported_once(tmp_path: Path) -> None:
    lines = [orjson.dumps(patient(1)), orjson.dumps(visit(1)), b"garbage", b'{"resourceType":"Encounter","id":']
    (tmp_path / "part.ndjson").write_bytes(b"\n".join(lines))
    source = FileSource(tmp_path)
    assert codes(read(source, "Patient")) == [("part.ndjson:3", "not-json")]
    assert codes(read(source, "Encounter")) == [("part.ndjson:4", "not-json")]


def test_files_that_are_not_fhir_are_a_notice_not_rejections(tmp_path: Path) -> None:
    (tmp_path / "Patient.ndjson").write_bytes(ndjson(patient(1)))
    (tmp_path / "truth.ndjson").write_bytes(b'{"person":"child-1"}\n' * 5000)
    (tmp_path / "manifest.json").write_bytes(b'{"seed": 1}')
    batches = read(FileSource(tmp_path), "Patient")
    assert (ids(batches), codes(batches)) == (["child-1"], [])
    assert [text.partition(":")[0] for text in notices(batches)] == ["manifest.json", "truth.ndjson"]
    assert notices(read(FileSource(tmp_path), "Encounter")) == []


def test_a_truncated_gzip_file_gives_what_was_readable(tmp_path: Path) -> None:
    whole = gzip.compress(ndjson(*(patient(number) | {"language": f"x{number * 7919}"} for number in range(20_000))))
    (tmp_path / "Patient.ndjson.gz").write_bytes(whole[: len(whole) // 2])
    batches = read(FileSource(tmp_path), "Patient")
    found = ids(batches)
    assert found == [f"child-{number}" for number in range(len(found))]
    assert 8_000 < len(found) < 12_000
    assert [code for _, code in codes(batches)] == ["not-json", "truncated"]  # the cut line, and the file
    assert "Patient.ndjson.gz could be read only in part" in notices(batches)[-1]


def test_a_file_that_is_no_gzip_at_all_is_named(tmp_path: Path) -> None:
    (tmp_path / "Patient.ndjson.gz").write_bytes(b"not gzip")
    (tmp_path / "other.json.gz").write_bytes(b"not gzip")
    batches = read(FileSource(tmp_path), "Patient")
    assert codes(batches) == [("Patient.ndjson.gz", "truncated")]
    assert [text for text in notices(batches) if text.startswith("other.json.gz")] != []


def test_whether_a_file_is_gzip_is_seen_from_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "Patient-1.ndjson.gz").write_bytes(ndjson(patient(1)))
    (tmp_path / "Patient-2.ndjson.gz").write_bytes(b"\xef\xbb\xbf" + ndjson(patient(2)))
    (tmp_path / "Patient-3.ndjson").write_bytes(gzip.compress(ndjson(patient(3))))
    (tmp_path / "Patient-4.ndjson.gz").write_bytes(b"")
    batches = read(FileSource(tmp_path), "Patient")
    assert (ids(batches), codes(batches)) == (["child-1", "child-2", "child-3"], [])


def test_an_oversized_line_is_kept_aside_and_the_next_one_read(tmp_path: Path) -> None:
    long = patient(2) | {"text": {"div": "x" * 3_000_000}}
    (tmp_path / "Patient.ndjson").write_bytes(
        ndjson(patient(1), long, patient(3), long, long | {"id": "last"}).rstrip()
    )
    batches = read(FileSource(tmp_path, limits=Limits(line=1_000_000)), "Patient")
    assert ids(batches) == ["child-1", "child-3"]
    assert codes(batches) == [(f"Patient.ndjson:{line}", "too-large") for line in (2, 4, 5)]
    assert all(item.raw.startswith(b'{"resourceType":"Patient"') for batch in batches for item in batch.rejected)


def test_an_oversized_document_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / "Patient.json").write_bytes(orjson.dumps([patient(1)] * 100_000))
    batches = read(FileSource(tmp_path, limits=Limits(document=1_000_000)), "Patient")
    assert codes(batches) == [("Patient.json", "too-large")]


def folder_of_many(folder: Path) -> FileSource:
    (folder / "a.ndjson").write_bytes(ndjson(*(patient(n) for n in range(25)), visit(0)))
    (folder / "b.ndjson.gz").write_bytes(gzip.compress(ndjson(*(patient(n) for n in range(25, 50)))))
    entries = [{"resource": patient(n)} for n in range(50, 75)]
    (folder / "c.json").write_bytes(orjson.dumps({"resourceType": "Bundle", "entry": entries}))
    return FileSource(folder, batch_size=10)


def test_reading_goes_on_after_any_batch(tmp_path: Path) -> None:
    source = folder_of_many(tmp_path)
    batches = read(source, "Patient")
    everything = [f"child-{number}" for number in range(75)]
    assert ids(batches) == everything
    assert all(batch.cursor for batch in batches[:-1])
    assert batches[-1].cursor is None
    for at, batch in enumerate(batches[:-1], start=1):
        again = read(FileSource(tmp_path, batch_size=7), "Patient", batch.cursor)
        assert ids(batches[:at]) + ids(again) == everything
        assert notices(again) == []


def test_a_file_that_changed_is_read_again_from_its_start(tmp_path: Path) -> None:
    first = read(folder_of_many(tmp_path), "Patient")[0]
    (tmp_path / "a.ndjson").write_bytes(ndjson(*(patient(n) for n in range(100, 103))))
    again = read(FileSource(tmp_path), "Patient", first.cursor)
    assert ids(again)[:4] == ["child-100", "child-101", "child-102", "child-25"]
    assert notices(again) == ["a.ndjson has changed since the last run: reading it from its start"]


@pytest.mark.parametrize("cursor", ["", "nonsense", "[]", '{"file":"../secret","offset":0,"line":0,"stamp":""}'])
def test_a_cursor_that_leads_nowhere_starts_again(tmp_path: Path, cursor: str) -> None:
    again = read(folder_of_many(tmp_path), "Patient", cursor)
    assert len(ids(again)) == 75
    assert notices(again) == ["the place where the last run stopped is gone: reading from the start"]


def test_a_position_survives_its_text() -> None:
    position = Position("sub/Patient.ndjson", 12, 3, "99-1")
    assert Position.read(position.cursor()) == position


def test_what_cannot_be_a_source_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="give the path of the FHIR files"):
        FileSource(tmp_path / "absent")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(SourceError, match=r"\*\.ndjson"):
        FileSource(tmp_path)


def test_a_single_file_is_a_source(tmp_path: Path) -> None:
    (tmp_path / "Patient.ndjson").write_bytes(ndjson(patient(1)))
    (tmp_path / "Encounter.ndjson").write_bytes(ndjson(visit(1)))
    source = open_source(tmp_path / "Patient.ndjson")
    assert source.name == "Patient.ndjson"
    assert [len(batch.fetched) for batch in source.batches("Encounter")] == [0]
    assert [len(batch.fetched) for batch in source.batches("Patient")] == [1]


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data/synthea-peds")
def test_the_public_synthea_children_are_read_whole_and_clean() -> None:
    source = FileSource(SHARED)
    found = {kind: read(source, kind) for kind in ("Patient", "Encounter", "Immunization")}
    assert {kind: len(ids(batches)) for kind, batches in found.items()} == {
        "Patient": 525,
        "Encounter": 13_625,
        "Immunization": 17_234,
    }
    assert [codes(batches) for batches in found.values()] == [[], [], []]
    assert [item.repairs for batches in found.values() for b in batches for item in b.fetched if item.repairs] == []
    assert notices(found["Patient"]) == [
        "PROVENANCE.ndjson.gz: nothing in it has a resourceType, so it is not FHIR: left out"
    ]
