"""`gapsvc import` end to end: rows beside the EHR's records, repeated, corrected, replaced, refused, cut off."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from adapters.files import FileSource
from gapsvc import jobs
from gapsvc.cli import main
from gapsvc.cli.main import EXIT_REJECTED, EXIT_SETTINGS, EXIT_SOURCE, EXIT_USAGE
from gapsvc.records.record import PatientRecord
from gapsvc.store import Store

CIN = "http://dhcs.ca.gov/medi-cal/cin"
HEADING = "CIN,DOB,ID,CVX,GIVEN"
MAPPING = f"""
title = "Doses"
source = "the test"
[person]
system = "{CIN}"
identifier = "CIN"
birth_date = "DOB"
[[resource]]
kind = "immunization"
id = ["ID"]
[resource.fields]
vaccine = {{ column = "CVX", system = "cvx" }}
date = "GIVEN"
"""
MAYA = "91234567A,2025-11-03"
Import = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose store holds Maya as her clinic knows her."""
    monkeypatch.setenv("GAPSVC_HOME", str(tmp_path / "home"))
    (tmp_path / "doses.toml").write_text(MAPPING)
    write(tmp_path / "ehr.ndjson", patient("maya"), dose("ehr", "20", "2026-01-05"))
    with opened(tmp_path) as store:
        store.migrate()
        jobs.pull(store, FileSource(tmp_path / "ehr.ndjson", "clinic"), ["Patient", "Immunization"])
    return tmp_path


@pytest.fixture
def run(home: Path) -> Import:
    """Imports rows (or a file) as the registry's, and gives the command's result."""

    def command(*rows: str | Path, options: tuple[str, ...] = (), csv: bool = True) -> Result:
        files = [str(row) for row in rows if isinstance(row, Path)]
        if not files:
            (home / "doses.csv").write_text("\n".join([HEADING, *(str(row) for row in rows)]) + "\n")
            files = [str(home / "doses.csv")]
        mapping = ("--mapping", str(home / "doses.toml")) if csv else ()
        found = CliRunner().invoke(main, ["import", *files, "--source", "registry", *mapping, *options])
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return found

    return command


def opened(home: Path) -> Store:
    return Store.open(f"sqlite:///{home / 'home' / 'gapsvc.db'}")


def write(path: Path, *resources: dict[str, Any]) -> None:
    path.write_bytes(b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in resources))


def patient(name: str, born: str = "2025-11-03") -> dict[str, Any]:
    identifier = [{"system": CIN, "value": "91234567A"}]
    return {"resourceType": "Patient", "id": name, "birthDate": born, "identifier": identifier}


def dose(name: str, cvx: str, day: str, of: str = "maya") -> dict[str, Any]:
    return {
        "resourceType": "Immunization",
        "id": name,
        "status": "completed",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": cvx}]},
        "patient": {"reference": f"Patient/{of}"},
        "occurrenceDateTime": day,
    }


def maya(home: Path) -> PatientRecord:
    with opened(home) as store:
        record = store.record("maya")
    assert record is not None
    return record


def doses(home: Path) -> list[tuple[str, str, str | None]]:
    """(CVX, day, source) of Maya's doses, in order."""
    record = maya(home)
    return [
        (
            one["vaccineCode"]["coding"][0]["code"],
            one["occurrenceDateTime"],
            record.source_of(f"Immunization/{one['id']}"),
        )
        for one in record.resources.get("Immunization", ())
    ]


EHR = ("20", "2026-01-05", "clinic")


def test_rows_stand_in_the_childs_record_under_their_own_source(home: Path, run: Import) -> None:
    assert run(f"{MAYA},V1,08,2025-11-03", f"{MAYA},V2,133,2026-01-05").exit_code == 0
    assert doses(home) == [("08", "2025-11-03", "registry"), EHR, ("133", "2026-01-05", "registry")]
    assert maya(home).patient["id"] == "maya"  # the clinic's Patient stands for her, and she keeps her id
    with opened(home) as store:
        assert store.person_ids() == ["maya"]


def test_the_same_rows_again_change_nothing_and_a_corrected_one_replaces_what_it_corrects(
    home: Path, run: Import
) -> None:
    rows = [f"{MAYA},V1,08,2025-11-03", f"{MAYA},V2,133,2026-01-05"]
    run(*rows)
    with opened(home) as store:
        before = store.revisions(["maya"])

    run(*reversed(rows))
    with opened(home) as store:
        assert store.revisions(["maya"]) == before

    run(f"{MAYA},V2,215,2026-01-06")
    assert doses(home) == [("08", "2025-11-03", "registry"), EHR, ("215", "2026-01-06", "registry")]


def test_replace_deletes_what_the_file_no_longer_holds_and_nothing_of_others(home: Path, run: Import) -> None:
    run(f"{MAYA},V1,08,2025-11-03", f"{MAYA},V2,133,2026-01-05")

    found = run(f"{MAYA},V2,133,2026-01-05", options=("--replace",))

    assert found.exit_code == 0
    assert "1 resources that the files no longer hold were deleted" in found.stdout
    assert doses(home) == [EHR, ("133", "2026-01-05", "registry")]


def test_replace_takes_the_patient_when_nothing_is_left_of_them(home: Path, run: Import) -> None:
    text = MAPPING.replace('birth_date = "DOB"', 'birth_date = "DOB"\nunmatched = "keep"')
    (home / "doses.toml").write_text(text)
    run("9,2020-01-01,V1,08,2020-01-01", f"{MAYA},V2,133,2026-01-05")
    with opened(home) as store:
        assert len(store.person_ids()) == 2

    run(f"{MAYA},V2,133,2026-01-05", options=("--replace",))

    with opened(home) as store:
        assert store.person_ids() == ["maya"]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "the files hold no rows at all"),
        ([f"{MAYA},V2,133,2026-01-05", f"{MAYA},,08,2025-11-03"], "it can't be told which they are"),
        ([f"{MAYA},V2,133,2026-01-05", "short"], "it can't be told which they are"),
    ],
)
def test_replace_deletes_nothing_where_it_is_not_sure(home: Path, run: Import, rows: list[str], why: str) -> None:
    run(f"{MAYA},V1,08,2025-11-03")
    found = run(*rows, options=("--replace",))
    said = " ".join(found.stderr.split())
    assert "nothing was deleted: " in said
    assert why in said
    assert ("08", "2025-11-03", "registry") in doses(home)


def test_a_flawed_row_keeps_its_earlier_version_when_it_says_which_it_is(home: Path, run: Import) -> None:
    run(f"{MAYA},V1,08,2025-11-03", f"{MAYA},V2,133,2026-01-05")
    found = run(f"{MAYA},V1,08,someday", options=("--replace",))
    assert found.exit_code == EXIT_REJECTED
    assert doses(home) == [("08", "2025-11-03", "registry"), EHR]


def test_bad_rows_are_kept_out_with_their_place_and_the_rest_goes_on(home: Path, run: Import) -> None:
    found = run(f"{MAYA},V1,Reyes,2025-11-03", f"{MAYA},V2,133,2026-01-05", "odd")

    assert found.exit_code == EXIT_REJECTED
    said = " ".join(found.stderr.split())
    assert "kept out: doses.csv:2:4: invalid-code: CVX: AAAAA can't be read; expected 1 to 3 digits" in said
    assert "kept out: doses.csv:4: ragged: 1 fields where the heading has 5" in said
    assert "2 rows or resources were kept out; all others were taken" in said
    assert not any(value in found.output for value in ("91234567A", "Reyes", "2025-11-03"))
    assert doses(home) == [EHR, ("133", "2026-01-05", "registry")]
    with opened(home) as store:
        kept = [(one.source, one.rejected.origin, one.rejected.raw) for one in store.quarantined("registry")]
    assert kept == [
        ("registry", "doses.csv:2:4", f"{MAYA},V1,Reyes,2025-11-03".encode()),
        ("registry", "doses.csv:4", b"odd"),
    ]


def test_a_row_that_arrives_in_order_settles_its_quarantine(home: Path, run: Import) -> None:
    run(f"{MAYA},V1,Flu,2025-11-03")
    run(f"{MAYA},V1,08,2025-11-03")
    with opened(home) as store:
        assert [one.resolved for one in store.quarantined("registry")] == [True]


def test_rows_of_nobody_are_left_out_and_counted(home: Path, run: Import) -> None:
    found = run("7,2020-01-01,V1,08,2020-01-01", "91234567A,2025-11-04,V2,08,2025-11-04")
    assert found.exit_code == 0
    assert "rows of people whom no other source has (by identifier and birth date): 2" in " ".join(found.stdout.split())
    assert doses(home) == [EHR]


def test_a_dry_run_tells_the_same_and_writes_nothing(home: Path, run: Import) -> None:
    found = run(f"{MAYA},V1,08,2025-11-03", "odd", options=("--dry-run",))
    assert found.exit_code == EXIT_REJECTED
    assert "Immunization: 1 would be taken" in found.stdout
    assert "doses.csv:3: ragged" in found.stderr
    assert doses(home) == [EHR]
    with opened(home) as store:
        assert list(store.quarantined()) == []


def test_a_cut_off_file_keeps_what_was_read_and_says_so(home: Path, run: Import) -> None:
    path = home / "doses.csv.gz"
    rows = "".join(f"{MAYA},V{number},08,2025-11-03\n" for number in range(30_000))
    path.write_bytes(gzip.compress(f"{HEADING}\n{rows}".encode())[:60_000])

    found = run(path, options=("--replace",))

    assert found.exit_code == EXIT_SOURCE
    assert "nothing was deleted: not every file could be read to its end" in " ".join(found.stderr.split())
    assert len(doses(home)) > 1000
    path.write_bytes(gzip.compress(f"{HEADING}\n{MAYA},V1,08,2025-11-03\n".encode()))
    assert run(path, options=("--replace",)).exit_code == 0
    assert doses(home) == [("08", "2025-11-03", "registry"), EHR]


def test_an_import_that_was_killed_goes_on_and_loses_nothing(
    home: Path, run: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"{MAYA},V{number},08,2025-11-{number % 27 + 1:02d}" for number in range(2500)]
    real = Store.write_batches

    def dies(self: Store, under_way: Any, batches: Any) -> Any:
        if batches[0].resource_type == "Immunization" and batches[0].cursor is None:
            raise KeyboardInterrupt
        return real(self, under_way, batches)

    monkeypatch.setattr(jobs.pull, "__kwdefaults__", {**jobs.pull.__kwdefaults__, "commit_resources": 1})
    monkeypatch.setattr(Store, "write_batches", dies)
    assert run(*rows).exit_code == 1
    monkeypatch.setattr(Store, "write_batches", real)

    assert run(*rows).exit_code == 0
    assert len(doses(home)) == 2501


def test_fhir_ndjson_is_imported_and_marked_as_what_it_is(home: Path, run: Import) -> None:
    write(home / "hie.ndjson", patient("x1"), dose("d9", "133", "2026-01-05", of="x1"))

    assert run(home / "hie.ndjson", csv=False).exit_code == 0

    assert doses(home) == [("133", "2026-01-05", "registry"), EHR]
    (found,) = [one for one in maya(home).resources["Immunization"] if one["id"] == "d9"]
    assert found["meta"] == {
        "source": "urn:gapsvc:source:registry",
        "tag": [{"system": "https://gapsvc.example/fhir/CodeSystem/data-origin", "code": "supplemental"}],
    }
    assert run(home / "hie.ndjson", csv=False, options=("--replace",)).exit_code == 0
    write(home / "hie.ndjson", patient("x1"))
    assert run(home / "hie.ndjson", csv=False, options=("--replace",)).exit_code == 0
    assert doses(home) == [EHR]


def test_a_damaged_fhir_file_is_no_success_and_deletes_nothing(home: Path, run: Import) -> None:
    write(home / "hie.ndjson", patient("x1"), dose("d9", "133", "2026-01-05", of="x1"))
    run(home / "hie.ndjson", csv=False)
    damaged = home / "hie.ndjson.gz"
    damaged.write_bytes(b"\x1f\x8bnot gzip at all")

    found = run(damaged, csv=False, options=("--replace",))

    assert found.exit_code == EXIT_SOURCE
    assert "nothing was deleted: not every file could be read to its end" in " ".join(found.stderr.split())
    assert len(doses(home)) == 2


def test_what_can_not_be_asked_for_is_refused(home: Path, run: Import) -> None:
    def refused(words: list[str], code: int, said: str) -> None:
        found = CliRunner().invoke(main, ["import", *words])
        assert found.exit_code == code
        assert said in " ".join(found.stderr.split())

    (home / "a.csv").write_text(f"{HEADING}\n")
    csv, mapping = str(home / "a.csv"), str(home / "doses.toml")
    ndjson = str(home / "ehr.ndjson")
    refused([csv, "--source", "r"], EXIT_USAGE, "a delimited file needs --mapping")
    refused([ndjson, "--source", "r", "--mapping", mapping], EXIT_USAGE, "--mapping is for delimited files")
    refused([csv, "--source", "r", "--mapping", "nothing"], EXIT_SETTINGS, "or one of the ready ones: dental-claims")
    refused([csv, "--source", " ", "--mapping", mapping], EXIT_USAGE, "expected a name")
    refused([csv, "--source", "clinic", "--mapping", mapping], EXIT_SETTINGS, "a source that was pulled, not imported")
    (home / "home" / "gapsvc.toml").write_text('[[source]]\nname = "ehr"\nlocation = "/nowhere"\n')
    refused([csv, "--source", "ehr", "--mapping", mapping], EXIT_SETTINGS, "ehr is a [[source]] of the settings")
    assert doses(home) == [EHR]


def test_an_identifier_that_links_nobody_is_told(home: Path, run: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPSVC_LINKING_PERSON_SYSTEMS", "https://plan.example/member")
    found = run(f"{MAYA},V1,08,2025-11-03")
    assert f"{CIN} is not among linking.person_systems" in " ".join(found.stderr.split())
