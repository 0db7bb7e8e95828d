"""HL7's CQL suite on both engines: the figures are printed, and may only rise."""

from pathlib import Path

import pytest

from cql_like import conformance

SHARED = Path(__file__).resolve().parents[2] / "../shared/conformance/cql"
FLOOR = 1167  # tests that pass on each engine; raise it with every gain, never lower it
CASES = 1173


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/conformance/cql is absent")
@pytest.mark.parametrize("engine", conformance.ENGINES)
def test_the_hl7_suite_passes_on(engine: conformance.Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """No fewer tests than before pass; what is excluded is excluded with a reason, and is at most ten."""
    lines: list[str] = []
    failures = conformance.run(sorted(SHARED.glob("*.xml")), [engine], lines.append)
    skipped = len(conformance.read_exclusions())
    passed = CASES - failures - skipped

    with capsys.disabled():
        print(f"\n{engine}", *lines, sep="\n")
    assert lines[-1] == f"{passed} passed, {failures} failed, {skipped} skipped"
    assert passed >= FLOOR
    assert skipped <= 10


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/conformance/cql is absent")
def test_every_exclusion_names_a_case_that_would_fail() -> None:
    """A case that an engine passes needs no exclusion."""
    cases = {case.key: case for path in SHARED.glob("*.xml") for case in conformance.read_suite(path)}
    exclusions = conformance.read_exclusions()
    assert exclusions.keys() <= cases.keys()
    assert [key for key in exclusions if conformance.run_case(cases[key], "compiled").status != "failed"] == []
