"""Through a badly behaved EHR and the store, every child's gaps come out as they were planned, and nothing is lost."""

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import orjson
import pytest

from adapters import open_source
from adapters.http import RetryPolicy
from gapsvc import jobs
from gapsvc.evaluation.catalogue import evaluators, types_to_pull
from gapsvc.measures import catalog
from gapsvc.sandbox import Disorder, generate, write
from gapsvc.sandbox.misbehaviour import Misbehaviour
from gapsvc.sandbox.server import serve
from gapsvc.store import Store
from scripts.check_truth import AS_OF, PERIOD, check, disagreements

NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)
PATIENT = RetryPolicy(attempts=12, backoff=0.01, max_backoff=0.05, max_retry_after=0.05)


def test_a_misbehaving_ehr_loses_no_record_and_changes_no_gap(tmp_path: Path) -> None:
    # An EHR is not asked for claims: those are a payer's.
    planned = generate(seed=5, size=300, as_of=AS_OF, disorder=Disorder.all().without("payer_claims"))
    folder = tmp_path / "sandbox"
    write(planned, folder)
    chosen = list(evaluators(next(planned.truth())["measures"]).values())
    types = types_to_pull(chosen)
    sent = Counter(
        orjson.loads(line)["resourceType"]
        for name in types
        if (folder / f"{name}.ndjson").exists()
        for line in (folder / f"{name}.ndjson").read_bytes().splitlines()
    )
    with Store.open(f"sqlite:///{tmp_path / 'gapsvc.db'}") as store:
        store.migrate()
        with serve(folder, misbehave=Misbehaviour.all(), page_size=50) as ehr:
            report = jobs.pull(store, open_source(ehr.url, "ehr", policy=PATIENT), types, now=NOW)
        assert report.complete, [one.error for one in report.types.values()]
        assert {name: one.counts.new for name, one in report.types.items() if one.counts.new} == dict(sent)
        assert report.counts.quarantined == 0
        jobs.evaluate_all(store, chosen, PERIOD, AS_OF)
        wrong = [
            line for truth in planned.truth() for line in disagreements(truth, list(store.results(truth["person"])))
        ]
    assert wrong == []


def test_truth_agrees_for_every_child() -> None:
    """The same in memory, over more children of another seed (`make truth` does it over 21,000)."""
    found = check(seed=11, children=1_000)
    assert found.wrong == ()
    assert found.children == 1_000
    assert set(found.within) == set(catalog())
    assert min(found.within.values()) > 50


@pytest.mark.parametrize(
    ("as_of", "period"),
    [
        (date(2024, 2, 29), (date(2024, 1, 1), date(2024, 12, 31))),
        (date(2026, 1, 1), (date(2026, 1, 1), date(2026, 12, 31))),
        (date(2026, 11, 22), (date(2025, 1, 1), date(2025, 12, 31))),
        (date(2026, 11, 22), (date(2026, 4, 1), date(2026, 6, 30))),
    ],
)
def test_truth_agrees_on_other_days_and_over_other_periods(as_of: date, period: tuple[date, date]) -> None:
    """The first day of a year, a leap day, a year that is over, a quarter."""
    found = check(9, 300, as_of=as_of, period=period)
    assert found.wrong == ()
    assert min(found.within.values()) > 0
