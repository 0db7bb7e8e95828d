"""`gaps PATIENT`: what to do comes first, then what it rests on, each row with the source that reported it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from gapsvc.cli import main
from gapsvc.cli.main import EXIT_PARTIAL
from gapsvc.evaluation.evaluator import PreparedEvaluation

CVX = "http://hl7.org/fhir/sid/cvx"
CPT = "http://www.ama-assn.org/go/cpt"
PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "2024-08-01", "gender": "female"}
AS_OF = "2026-06-02"
Gaps = Callable[..., Result]


def dose(name: str, on: str, cvx: str) -> dict[str, Any]:
    return {
        "resourceType": "Immunization",
        "id": name,
        "status": "completed",
        "patient": {"reference": "Patient/p1"},
        "vaccineCode": {"coding": [{"system": CVX, "code": cvx}]},
        "occurrenceDateTime": on,
    }


VISIT = {
    "resourceType": "Encounter",
    "id": "v1",
    "status": "finished",
    "class": {"code": "AMB"},
    "type": [{"coding": [{"system": CPT, "code": "99391"}]}],
    "subject": {"reference": "Patient/p1"},
    "period": {"start": "2025-09-20"},
}
RECORD = [
    PATIENT,
    VISIT,
    dose("one", "2024-10-01", "10"),
    dose("two", "2024-10-08", "10"),
    dose("three", "2025-02-01", "10"),
]


@pytest.fixture
def gaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gaps:
    folder = tmp_path / "clinic"
    folder.mkdir()
    (folder / "all.ndjson").write_bytes(b"\n".join(orjson.dumps(one) for one in RECORD))
    monkeypatch.setenv("GAPSVC_HOME", str(tmp_path / "home"))
    pulled = CliRunner().invoke(main, ["pull", "--from", str(folder), "--name", "east clinic"])
    assert pulled.exit_code == 0, pulled.output
    return lambda *words: CliRunner().invoke(main, ["gaps", "p1", "--as-of", AS_OF, *words])


def test_what_to_do_comes_first_then_what_it_rests_on(gaps: Gaps) -> None:
    result = gaps()
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "Patient/p1, born 2024-08-01, as of Jun 2, 2026"
    headings = [
        "To do now",
        "Later",
        "Measures that can't be met any more",
        "Childhood immunization status (HEDIS-like)",
    ]
    places = [lines.index(heading) for heading in headings]
    assert places == sorted(places)
    assert places[-1] < lines.index("Immunizations (CDC schedule 4.64)")


def test_a_dose_has_its_timing_its_products_its_reasons_and_the_dose_that_it_repeats(gaps: Gaps) -> None:
    lines = gaps("--measure", "cis").stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if "IPV, dose 3" in line)
    assert lines[at].startswith("  OVERDUE  IPV, dose 3: overdue since ")
    following = "\n".join(lines[at + 1 : at + 10])
    assert "    with          IPOL, " in following
    assert "not valid (too soon after the dose before) though “IPV, 3 doses” counts it: repeat" in following
    assert "    why           CDC's immunization schedule 4.64: overdue since " in following


def test_evidence_names_its_source_and_every_dose_its_verdict(gaps: Gaps) -> None:
    shown = gaps().stdout
    assert "    counts        Immunization/one on Oct 1, 2024 (from east clinic)" in shown
    assert "  12 months: done  Encounter/v1 on Sep 20, 2025 (from east clinic)" in shown
    assert (
        "    Immunization/two on Oct 8, 2024 (from east clinic), IPOL (IPV): "
        "not valid: too soon after the dose before" in shown
    )


def test_a_measure_whose_rules_fail_is_named_and_the_rest_is_shown(gaps: Gaps, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = PreparedEvaluation.evaluate

    def evaluate(self: PreparedEvaluation, record: Any) -> Any:
        if self.measure.id == "cis":
            raise KeyError("Maria Canary")
        return sound(self, record)

    monkeypatch.setattr(PreparedEvaluation, "evaluate", evaluate)
    result = gaps()
    assert result.exit_code == EXIT_PARTIAL
    assert "cis: its rules failed on this record; nothing above is of it" in result.stdout
    assert "cis: KeyError at " in result.stderr
    assert "Canary" not in result.output
    assert "IPV, dose 3" in result.stdout
