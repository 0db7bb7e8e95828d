"""Threads share a store: readers go on while one writes, writers wait for each other, nothing is lost."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from store_examples import NOON, batch, encounter, patient, written

from gapsvc.store import Store, database


def test_a_reader_sees_the_last_commit_while_a_batch_is_being_written(store: Store) -> None:
    written(store, batch("Patient", patient("p1")))
    pull = store.begin_pull("clinic", NOON)
    store.begin_type(pull, "Encounter", NOON)

    with database.writing(store._engine) as writer:
        writer.exec_driver_sql("UPDATE person SET revision = revision + 100")
        # In the middle of a write, on another thread:
        with ThreadPoolExecutor(1) as reader:
            during = reader.submit(lambda: (store.revisions(["p1"]), store.record("p1"))).result(timeout=10)

    assert during[0] == {"p1": 1}
    assert during[1] is not None
    assert store.revisions(["p1"]) == {"p1": 101}


def test_writers_of_many_threads_lose_nothing(store: Store) -> None:
    written(store, batch("Patient", *(patient(f"p{number}") for number in range(8))))

    def visits(number: int) -> int:
        source = f"clinic-{number % 4}"  # two threads per source
        pull = store.begin_pull(source, NOON)
        store.begin_type(pull, "Encounter", NOON)
        return sum(
            store.write_batch(pull, batch("Encounter", encounter(f"e{number}-{at}", "p1"))).new for at in range(10)
        )

    with ThreadPoolExecutor(8) as threads:
        new = sum(threads.map(visits, range(8)))

    assert new == 80
    assert sum(store.exists("Encounter", f"e{number}-{at}") for number in range(8) for at in range(10)) == 80


def test_two_pulls_of_the_same_resources_at_once_keep_each_once(store: Store) -> None:
    people = [patient(f"p{number:03}") for number in range(200)]

    def pull_all(_thread: int) -> int:
        pull = store.begin_pull("clinic", NOON)
        store.begin_type(pull, "Patient", NOON)
        return sum(
            store.write_batch(pull, batch("Patient", *people[start:end])).new
            for start, end in pairwise(range(0, 201, 20))
        )

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(pull_all, range(4))) == 200
    store.link()
    assert len(store.person_ids()) == 200


def test_a_stream_of_records_does_not_hold_up_a_writer(store: Store) -> None:
    written(store, batch("Patient", *(patient(f"p{number:03}") for number in range(450))))
    stream = store.records()
    first = next(stream)

    done = threading.Thread(target=lambda: written(store, batch("Encounter", encounter("e1", "p449"))))
    done.start()
    done.join(timeout=20)
    assert not done.is_alive()

    rest = list(stream)
    assert [first.person_id, *(record.person_id for record in rest)] == [f"p{number:03}" for number in range(450)]
    assert [found["id"] for found in rest[-1].resources["Encounter"]] == ["e1"]
