"""`make bench`: the figures that docs/performance.md quotes, with the machine and the sizes. Nothing is asserted.

python -m benchmarks [--children N] [ingest] [evaluate] [everything] [care-gaps]
"""

import argparse
import gc
import hashlib
import platform
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import orjson

from adapters.files import FileSource
from gapsvc import jobs
from gapsvc.api import Service
from gapsvc.app import create_app
from gapsvc.child_reader import child_reader
from gapsvc.config import ClientSettings, Settings, load
from gapsvc.evaluation.catalogue import evaluators, types_read
from gapsvc.evaluation.evaluator import Evaluator
from gapsvc.evaluation.vaccines import TYPES_READ
from gapsvc.records.record import PatientRecord
from gapsvc.sandbox import TYPES, generate, write
from gapsvc.schedule.immunizations import UnusableCase, assess
from gapsvc.schedule.immunizations.due import needs
from gapsvc.schedule.immunizations.fhir_input import read_resources
from gapsvc.store import Store
from gapsvc.telemetry import configure_logging

SEED = 7
AS_OF = date(2026, 11, 22)
PERIOD = (date(2026, 1, 1), date(2026, 12, 31))
NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)
CHILDREN = 10_000
REQUESTS = 1_000
VISIT_MEASURES = ("three-by-120", "w30")  # those that the evaluation figure is about
WHAT = ["ingest", "evaluate", "everything", "care-gaps"]
TOKEN = "benchmark"  # noqa: S105 - of a service that lives for the length of this run


def machine() -> str:
    """Processor, cores used, Python."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    model = names[0] if names else platform.processor()
    return f"{model}, Python {platform.python_version()}, one process"


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Bench:
    """One run over one generated population."""

    def __init__(self, home: Path, children: int) -> None:
        self.home, self.children = home, children
        self.folder = home / "sandbox"
        seconds = timed(lambda: write(generate(SEED, children, AS_OF), self.folder))
        self.bytes = sum(file.stat().st_size for file in self.folder.glob("*.ndjson"))
        print(f"sandbox: {children:,} children, {self.bytes / 1e6:,.0f} MB of NDJSON, generated in {seconds:.1f} s")
        self.chosen = list(evaluators().values())
        self.store: Store | None = None

    def settings(self) -> Settings:
        """Settings with one client that may read all."""
        base = load({}, home=self.home)
        client = ClientSettings("benchmark", hashlib.sha256(TOKEN.encode()).hexdigest(), ("system/*.rs",))
        return Settings(self.home, base.values, (client,)).with_values(evaluation__as_of=AS_OF, log__level="error")

    def filled(self) -> Store:
        """The store with every type of the population in it (made once)."""
        if self.store is None:
            self.store = Store.open(self.settings().database_url)
            self.store.migrate()
            jobs.pull(self.store, FileSource(self.folder, "sandbox"), TYPES, now=NOW)
        return self.store

    def ingest(self) -> None:
        """NDJSON -> repair checks -> SQLite (WAL), with person linking; and the same again, where nothing changes."""
        store = Store.open(self.settings().database_url)
        store.migrate()
        self.store = store
        reports: list[jobs.PullReport] = []
        for title in ("ingest", "ingest again, nothing new"):
            seconds = timed(
                lambda: reports.append(jobs.pull(store, FileSource(self.folder, "sandbox"), TYPES, now=NOW, whole=True))
            )
            counts = reports[-1].counts
            total = counts.new + counts.changed + counts.unchanged
            print(
                f"{title}: {total:,} resources in {seconds:.1f} s: {total / seconds:,.0f} resources/s, linking included"
            )

    def evaluate(self) -> None:
        """Over loaded records, one core: 3 by 120 + W30, then all measures."""
        records = list(self.filled().records(types=types_read(self.chosen)))
        self._evaluated(list(evaluators(VISIT_MEASURES).values()), records)
        self._evaluated(self.chosen, records)

    def everything(self) -> None:
        """Over loaded records, one core: all measures, the visit plan and the immunization forecast of each child, with
        the time of each part; and a child's whole view, as the page has it. Mothers' records are left out."""
        settings = self.settings()
        reader = child_reader(settings, {one.measure.id: one for one in self.chosen})
        truth = (self.folder / "truth.ndjson").read_bytes().splitlines()
        children = {orjson.loads(line)["person"] for line in truth}
        records = [one for one in self.filled().records(types=reader.types) if one.person_id in children]
        prepared = reader.on(AS_OF, PERIOD)
        schedule, codes = reader.schedule, reader.codes
        spent: defaultdict[str, float] = defaultdict(float)
        passes: list[tuple[float, dict[str, float]]] = []

        def parts() -> None:
            clock = time.process_time
            for record in records:
                began = clock()
                for measure in prepared.measures:
                    measure.evaluate(record)
                    ended = clock()
                    spent[measure.measure.id] += ended - began
                    began = ended
                if prepared.visits is not None:
                    prepared.visits.plan(record)
                ended = clock()
                spent["visit plan"] += ended - began
                resources = [one for kind in TYPES_READ for one in record.resources.get(kind, ())]
                try:
                    source = read_resources(
                        schedule, record.patient, resources, assessed=AS_OF, codes=codes, sources=record.sources
                    )
                    needs(assess(schedule, source.case))
                except UnusableCase:  # a birth date that is not a whole day
                    pass
                spent["immunization forecast"] += clock() - ended

        for _ in range(3):
            spent.clear()
            passes.append((self._processor_time(records, parts), dict(spent)))
        seconds, fastest = min(passes, key=lambda one: one[0])
        print(
            f"measures + visits + immunization forecast, from loaded records: {len(records):,} children in "
            f"{seconds:.2f} s: {len(records) / seconds:,.0f} children/s (best of 3 in processor time, one core)"
        )
        for name, part in fastest.items():
            print(f"  {name}: {part / len(records) * 1e6:,.0f} us a child")
        print("  (what the measures and the visit plan share is counted for the first of them)")

        def whole() -> None:
            for record in records:
                prepared.view(record)

        best = min(self._processor_time(records, whole) for _ in range(2))
        print(
            f"the same with what is told of it (each dose in words, the list of what to do): "
            f"{len(records) / best:,.0f} children/s"
        )

    @staticmethod
    def _processor_time(records: Sequence[PatientRecord], work: Callable[[], None]) -> float:
        """Seconds of processor time that `work` takes, once warm; the records' code indexes are built anew."""
        for record in records:
            record.forget_index()
        gc.collect()
        began = time.process_time()
        work()
        return time.process_time() - began

    def _evaluated(self, chosen: Sequence[Evaluator], records: Sequence[PatientRecord]) -> None:
        prepared = [evaluator.on(*PERIOD, AS_OF) for evaluator in chosen]
        for each in prepared:  # compiles
            each.evaluate(records[0])
        found: list[bool] = []

        def run() -> None:
            found.clear()
            for record in records:
                results = [each.evaluate(record) for each in prepared]
                found.append(any(g.populations["initial-population"] for r in results for g in r.groups))

        best = min(self._processor_time(records, run) for _ in range(3))
        print(
            f"evaluate {' + '.join(e.measure.id for e in chosen)}: {len(records):,} persons "
            f"({sum(found):,} in a population) in {best:.2f} s: {self.children / best:,.0f} children/s "
            f"(best of 3 in processor time, code indexes built anew)"
        )

    def care_gaps(self) -> None:
        """`$care-gaps` for one child, all measures and statuses: WSGI app to bytes, without the network."""
        store = self.filled()
        service = Service.start(self.settings(), store, base_url="http://127.0.0.1/fhir", now=lambda: NOW)
        client = create_app(service).test_client()
        people = store.person_ids()
        asked = random.Random(SEED).choices(people, k=REQUESTS)
        took: list[float] = []
        for person in asked:
            query = {
                "subject": f"Patient/{person}",
                "periodStart": "2026-01-01",
                "periodEnd": "2026-12-31",
                "status": ["open-gap", "closed-gap", "prospective-gap", "not-applicable"],
            }
            began = time.perf_counter()
            response = client.get(
                "/fhir/Measure/$care-gaps", query_string=query, headers={"Authorization": f"Bearer {TOKEN}"}
            )
            took.append((time.perf_counter() - began) * 1000)
            if response.status_code != 200:
                raise SystemExit(f"$care-gaps answered {response.status_code}")
        cuts = statistics.quantiles(took, n=100)
        print(
            f"$care-gaps, one child of {len(people):,} persons stored: "
            f"median {cuts[49]:.1f} ms, 95th percentile {cuts[94]:.1f} ms ({REQUESTS:,} requests)"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--children", type=int, default=CHILDREN)
    parser.add_argument("what", nargs="*", choices=[*WHAT, []])
    given = parser.parse_args(arguments)
    wanted = given.what or WHAT
    configure_logging("error")
    print(machine())
    with tempfile.TemporaryDirectory(prefix="gapsvc-bench-") as home:
        bench = Bench(Path(home), given.children)
        for name in wanted:
            getattr(bench, name.replace("-", "_"))()
        if bench.store is not None:
            bench.store.close()


if __name__ == "__main__":
    main()
