"""Deletions that Bundle files tell: a transaction's, a history's, and Bulk Data's "deleted" files."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.files import FileSource

Entry = dict[str, Any]


def visit(name: str, day: str = "2026-01-05") -> Entry:
    return {
        "resource": {
            "resourceType": "Encounter",
            "id": name,
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": {"reference": "Patient/p"},
            "period": {"start": day},
        }
    }


def delete(url: str) -> Entry:
    return {"request": {"method": "DELETE", "url": url}}


def bundle(*entries: Entry, kind: str = "transaction") -> bytes:
    return orjson.dumps({"resourceType": "Bundle", "type": kind, "entry": list(entries)})


def read(folder: Path, resource_type: str = "Encounter") -> tuple[list[str], str]:
    """(ids that arrive, what is deleted) of one type."""
    found = list(FileSource(folder).batches(resource_type))
    arrived = [item.resource["id"] for batch in found for item in batch.fetched]
    return arrived, " ".join(batch.extra["deleted"] for batch in found if "deleted" in batch.extra)


@pytest.mark.parametrize(
    ("entries", "kind", "arrived", "deleted"),
    [
        pytest.param([delete("Encounter/a")], "transaction", [], "Encounter/a", id="nothing but a deletion"),
        pytest.param(
            [delete("Encounter/a"), visit("b")], "transaction", ["b"], "Encounter/a", id="a deletion and a visit"
        ),
        pytest.param(
            [delete("https://ehr.example/fhir/Encounter/a"), delete("Patient/p")],
            "batch",
            [],
            "Encounter/a",
            id="an absolute url, and one of another type",
        ),
        pytest.param([delete("Encounter?patient=p")], "transaction", [], "", id="a conditional one names no resource"),
        pytest.param(
            [delete("Encounter/a"), visit("a")], "history", [], "Encounter/a", id="a history: deleted after the version"
        ),
        pytest.param(
            [visit("a", "2026-02-01"), delete("Encounter/a"), visit("b")], "history", ["a", "b"], "", id="made anew"
        ),
    ],
)
def test_what_a_bundle_deletes(
    tmp_path: Path, entries: list[Entry], kind: str, arrived: list[str], deleted: str
) -> None:
    (tmp_path / "bundle.json").write_bytes(bundle(*entries, kind=kind))
    assert read(tmp_path) == (arrived, deleted)


def test_a_bulk_deleted_file_has_a_bundle_in_each_line(tmp_path: Path) -> None:
    lines = [bundle(delete("Encounter/a"), delete("Condition/c")), b'damaged "DELETE"', bundle(delete("Encounter/b"))]
    (tmp_path / "del.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    (tmp_path / "Encounter.ndjson").write_bytes(orjson.dumps(visit("z")["resource"]))
    assert read(tmp_path) == (["z"], "Encounter/a Encounter/b")
    assert read(tmp_path, "Condition") == ([], "Condition/c")
    assert read(tmp_path, "Immunization") == ([], "")


def test_what_came_before_its_deletion_is_gone_and_what_came_after_it_is_there(tmp_path: Path) -> None:
    first, again = visit("a")["resource"], visit("b")["resource"]
    (tmp_path / "1.ndjson").write_bytes(orjson.dumps(first) + b"\n" + orjson.dumps(visit("kept")["resource"]))
    (tmp_path / "2.json").write_bytes(bundle(delete("Encounter/a"), delete("Encounter/b")))
    (tmp_path / "3.ndjson").write_bytes(orjson.dumps(again))
    assert read(tmp_path) == (["kept", "b"], "Encounter/a Encounter/b")


def test_files_that_can_be_read_in_part_only_are_named(tmp_path: Path) -> None:
    (tmp_path / "Patient.ndjson").write_bytes(b'{"resourceType":"Patient","id":"p"}\n')
    assert FileSource(tmp_path).damaged == ()
    (tmp_path / "Encounter.ndjson.gz").write_bytes(b"\x1f\x8bnot gzip at all")
    assert FileSource(tmp_path).damaged == ("Encounter.ndjson.gz",)
