"""Pulls: resuming after a failure, an exception and a kill; what is new since; reports."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from store_examples import NOON, ListSource, batch, encounter, everything, patient, updated

from adapters.base import Batch, SourceUnreachable
from gapsvc import jobs
from gapsvc.jobs import PullReport, TypeReport
from gapsvc.store import BatchCounts, LinkCounts, Store

HOUSE = Path(__file__).parents[3]
VISITS = {
    "Patient": [patient("p1"), patient("p2")],
    "Encounter": [encounter(f"e{number}", "p1", f"2025-02-{number:02}") for number in range(1, 8)],
}


def clock() -> datetime:
    return NOON


def pulled(store: Store, source: ListSource, when: datetime = NOON, whole: bool = False) -> PullReport:
    return jobs.pull(store, source, ["Encounter", "Patient"], now=when, clock=clock, whole=whole)


def test_a_pull_reports_what_it_did(store: Store) -> None:
    seen: list[tuple[str, int, int | None]] = []
    report = jobs.pull(
        store,
        ListSource("clinic", VISITS, size=3),
        ["Encounter", "Patient"],
        now=NOON,
        clock=clock,
        commit_resources=1,
        progress=lambda *done: seen.append(done),
    )

    assert report == PullReport(
        source="clinic",
        pull_id=1,
        types={"Patient": TypeReport(BatchCounts(new=2)), "Encounter": TypeReport(BatchCounts(new=7))},
        linked=LinkCounts(persons=2, new_persons=2),
    )
    assert report.complete
    assert report.counts == BatchCounts(new=9)
    assert seen == [("Patient", 2, None), ("Encounter", 3, None), ("Encounter", 6, None), ("Encounter", 7, None)]


def test_a_pull_tells_of_patients_with_two_birth_dates(store: Store) -> None:
    twice = {"Patient": [patient("p1", birth_date="2025-01-10"), patient("p1", birth_date="2025-01-11")]}
    report = jobs.pull(store, ListSource("clinic", twice, size=1), ["Patient"], now=NOON, clock=clock)
    assert report.types["Patient"].notices == (
        "1 come more than once with different birth dates; the last one counts. Correct the source.",
    )


def test_patients_come_first(store: Store) -> None:
    source = ListSource("clinic", VISITS)

    pulled(store, source)

    assert source.asked == [("Patient", None, None), ("Encounter", None, None)]


def test_the_next_pull_goes_on_where_the_source_failed(store: Store, store_url: str) -> None:
    source = ListSource("clinic", VISITS)
    source.fails_after = {"Encounter": 2}
    first = pulled(store, source)
    source.fails_after = {}
    source.asked.clear()
    second = pulled(store, source)

    assert first.types["Encounter"] == TypeReport(BatchCounts(new=4), error="clinic is down")
    assert not first.complete
    assert second.types["Encounter"] == TypeReport(BatchCounts(new=3), resumed=True)
    assert second.complete
    assert source.asked == [("Patient", None, None), ("Encounter", None, "4")]


def test_a_failing_type_does_not_keep_others_from_being_read(store: Store) -> None:
    source = ListSource("clinic", VISITS)
    source.fails_after = {"Patient": 0}

    report = pulled(store, source)

    assert [found.error for found in report.types.values()] == ["clinic is down", None]
    assert report.counts == BatchCounts(new=7)
    assert report.linked == LinkCounts(orphans=1)
    assert store.person_ids() == []

    source.fails_after = {}
    pulled(store, source)
    record = store.record("p1")
    assert record is not None
    assert len(record.resources["Encounter"]) == 7


class Silent(ListSource):
    """An endpoint that gives no answer."""

    def batches(self, resource_type: str, *, since: str | None = None, cursor: str | None = None) -> Iterator[Batch]:
        self.asked.append((resource_type, since, cursor))
        raise SourceUnreachable("clinic: no connection, still after 8 attempts")


def test_a_source_that_does_not_answer_is_not_asked_for_the_other_types(store: Store) -> None:
    source = Silent("clinic", VISITS)

    report = pulled(store, source)

    assert source.asked == [("Patient", None, None)]
    assert not report.complete
    assert [found.error for found in report.types.values()] == [
        "clinic: no connection, still after 8 attempts",
        "not asked for: the source can't be reached",
    ]


class Broken(ListSource):
    """A source in which our own code breaks after two pages of encounters."""

    def batches(self, resource_type: str, *, since: str | None = None, cursor: str | None = None) -> Iterator[Batch]:
        for page, found in enumerate(super().batches(resource_type, since=since, cursor=cursor)):
            if resource_type == "Encounter" and page == 2:
                raise RuntimeError("broken")
            yield found


def test_after_an_exception_what_was_read_stays_and_the_next_pull_goes_on(store: Store, store_url: str) -> None:
    with pytest.raises(RuntimeError, match="broken"):
        pulled(store, Broken("clinic", VISITS))
    assert [store.exists("Encounter", name) for name in ("e4", "e5")] == [True, False]

    source = ListSource("clinic", VISITS)
    report = pulled(store, source)

    assert report.types["Encounter"] == TypeReport(BatchCounts(new=3), resumed=True)
    assert source.asked[-1] == ("Encounter", None, "4")
    record = store.record("p1")
    assert record is not None
    assert [found["id"] for found in record.resources["Encounter"]] == [f"e{number}" for number in range(1, 8)]


def test_a_batch_is_written_whole_or_not_at_all(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from gapsvc.store import checkpoints

    def fails(*_arguments: object) -> None:
        raise RuntimeError("the machine stops")

    source = ListSource("clinic", VISITS)
    with monkeypatch.context() as broken:
        broken.setattr(checkpoints, "move", fails)  # the last statement of a batch
        with pytest.raises(RuntimeError):
            pulled(store, source)
    assert not store.exists("Patient", "p1")

    assert pulled(store, source).counts == BatchCounts(new=9)


KILLED = textwrap.dedent(
    """
    import os, signal, sys
    from gapsvc import jobs
    from gapsvc.store import Store
    from store_examples import NOON, ListSource
    from test_store_pull import VISITS

    class Killed(ListSource):
        def batches(self, resource_type, *, since=None, cursor=None):
            for page, found in enumerate(super().batches(resource_type, since=since, cursor=cursor)):
                if resource_type == "Encounter" and page == 2:
                    os.kill(os.getpid(), signal.SIGKILL)
                yield found

    jobs.pull(Store.open(sys.argv[1]), Killed("clinic", VISITS), ["Patient", "Encounter"], now=NOON,
              commit_resources=int(sys.argv[2]))
    """
)


@pytest.mark.parametrize(
    ("commit_resources", "kept", "report"),
    [
        pytest.param(1, True, TypeReport(BatchCounts(new=3), resumed=True), id="every batch"),
        pytest.param(5000, False, TypeReport(BatchCounts(new=7), resumed=True), id="batches together"),
    ],
)
def test_after_a_kill_what_was_committed_stays_and_the_next_pull_goes_on(
    store: Store, store_url: str, commit_resources: int, kept: bool, report: TypeReport
) -> None:
    paths = os.pathsep.join([str(HOUSE), str(Path(__file__).parent)])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, store_url, str(commit_resources)],
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert [store.exists("Patient", "p1"), store.exists("Encounter", "e4")] == [True, kept]
    assert not store.exists("Encounter", "e5")

    found = pulled(store, ListSource("clinic", VISITS))

    assert found.types["Encounter"] == report
    assert found.linked == LinkCounts(persons=2, new_persons=2)
    record = store.record("p1")
    assert record is not None
    assert len(record.resources["Encounter"]) == 7


def test_a_store_after_failures_is_the_same_as_one_without(
    store: Store, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ListSource("clinic", VISITS)
    source.fails_after = {"Patient": 0, "Encounter": 1}
    pulled(store, source)
    source.fails_after = {"Encounter": 1}
    pulled(store, source)
    source.fails_after = {}
    pulled(store, source)

    smooth_url = f"sqlite:///{tmp_path / 'smooth.db'}"
    with Store.open(smooth_url) as smooth:
        smooth.migrate()
        pulled(smooth, ListSource("clinic", VISITS))
        assert [repr(found) for found in smooth.records()] == [repr(found) for found in store.records()]


def dated(*instants: str) -> dict[str, list[dict[str, object]]]:
    return {
        "Patient": [updated(patient("p1"), "2026-01-01T00:00:00Z")],
        "Encounter": [updated(encounter(f"e{number}", "p1"), instant) for number, instant in enumerate(instants, 1)],
    }


@pytest.mark.parametrize(
    ("instants", "since"),
    [
        pytest.param(
            ["2026-02-01T00:00:00Z", "2026-01-05T10:00:00+02:00"], "2026-02-01T00:00:00.000Z", id="newest seen"
        ),
        pytest.param(["2026-02-01T10:00:00+02:00"], "2026-02-01T08:00:00.000Z", id="an offset"),
        pytest.param(["2026-03-01T11:59:59.9999Z"], "2026-03-01T11:59:59.999Z", id="shortened, never later"),
        pytest.param(
            ["2026-02-01T00:00:00Z", "2027-01-01T00:00:00Z"], "2026-02-01T00:00:00.000Z", id="a future date is no news"
        ),
        pytest.param(["2027-01-01T00:00:00Z"], None, id="only a future date"),
        pytest.param(["2026-02-01T00:00:00Z", "yesterday"], None, id="one without a readable date: all again"),
        pytest.param([], None, id="nothing at all: all again"),
    ],
)
def test_the_next_pull_asks_for_what_is_new_since(store: Store, instants: list[str], since: str | None) -> None:
    source = ListSource("clinic", dated(*instants))
    pulled(store, source)
    source.asked.clear()

    pulled(store, source, NOON + timedelta(days=1))

    assert source.asked == [("Patient", "2026-01-01T00:00:00.000Z", None), ("Encounter", since, None)]


def test_an_empty_answer_leaves_since_where_it_was(store: Store) -> None:
    source = ListSource("clinic", dated("2026-02-01T00:00:00Z"))
    pulled(store, source)
    source.resources = {}
    pulled(store, source, NOON + timedelta(days=1))
    source.asked.clear()

    pulled(store, source, NOON + timedelta(days=2))

    assert source.asked[-1] == ("Encounter", "2026-02-01T00:00:00.000Z", None)


def test_a_whole_pull_asks_for_everything_again(store: Store) -> None:
    source = ListSource("clinic", dated("2026-02-01T00:00:00Z"))
    pulled(store, source)
    source.asked.clear()

    pulled(store, source, NOON + timedelta(days=1), whole=True)

    assert source.asked == [("Patient", None, None), ("Encounter", None, None)]


class Crawled(ListSource):
    """A source that can be asked for given patients."""

    def patient_batches(self, resource_type: str, patient_ids: list[str]) -> Iterator[Batch]:
        self.asked.append((resource_type, "patients " + " ".join(patient_ids), None))
        found = [
            one
            for one in self.resources.get(resource_type, ())
            if one["subject"]["reference"].removeprefix("Patient/") in patient_ids
        ]
        yield batch(resource_type, *found)


def test_new_patients_bypass_since(store: Store) -> None:
    source = Crawled("clinic", dated("2026-02-01T00:00:00Z"))
    pulled(store, source)
    newcomer = updated(patient("p2"), "2026-03-01T18:00:00Z")
    old_visit = updated(encounter("e9", "p2"), "2025-12-01T00:00:00Z")
    source.resources = {
        "Patient": [*source.resources["Patient"], newcomer],
        "Encounter": [*source.resources["Encounter"], old_visit],
    }
    source.asked.clear()

    report = pulled(store, source, NOON + timedelta(days=1))

    assert source.asked == [
        ("Patient", "2026-01-01T00:00:00.000Z", None),
        ("Encounter", "patients p2", None),
        ("Encounter", "2026-02-01T00:00:00.000Z", None),
    ]
    assert report.types["Encounter"].counts == BatchCounts(new=1, unchanged=1)
    assert store.exists("Encounter", "e9")


def test_the_data_are_as_of_the_start_of_the_last_complete_pull(store: Store) -> None:
    source = ListSource("clinic", VISITS)
    source.fails_after = {"Encounter": 1}
    pulled(store, source)
    record = store.record("p1")
    assert record is not None
    assert record.data_as_of == {}

    source.fails_after = {}
    pulled(store, source, NOON + timedelta(days=1))
    record = store.record("p1")
    assert record is not None
    # The encounters' reading began on the first day: what changed since then isn't known.
    assert record.data_as_of == {"clinic": "2026-03-01T12:00:00.000Z"}


def test_sources_keep_their_own_checkpoints(store: Store) -> None:
    pulled(store, ListSource("north", dated("2026-02-01T00:00:00Z")))
    south = ListSource("south", dated("2026-02-02T00:00:00Z"))

    pulled(store, south)

    assert south.asked == [("Patient", None, None), ("Encounter", None, None)]


def test_the_same_pull_again_changes_nothing(store: Store, store_url: str) -> None:
    pulled(store, ListSource("clinic", VISITS))
    before = everything(store_url)

    report = pulled(store, ListSource("clinic", VISITS), datetime(2026, 3, 1, 12, tzinfo=UTC))

    assert report.counts == BatchCounts(unchanged=9)
    assert report.linked == LinkCounts()
    assert everything(store_url) == before


def test_a_kill_leaves_the_file_sound(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gapsvc.db'}"
    with Store.open(url) as store:
        store.migrate()
    paths = os.pathsep.join([str(HOUSE), str(Path(__file__).parent)])
    subprocess.run([sys.executable, "-c", KILLED, url, "1"], env={**os.environ, "PYTHONPATH": paths}, check=False)

    with sqlite3.connect(tmp_path / "gapsvc.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
