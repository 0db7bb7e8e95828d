"""HL7's CQL test suite through `$cql`, driven as HL7's test runner drives a server: the answers say over HTTP what the
engine says in Python."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from cql_tests_runner import is_error, plain, read_answer, request_body, same

from cql_like import evaluate
from cql_like.conformance import NOW, Case, read_exclusions, read_suite, run_case
from gapsvc.api import Service
from gapsvc.app import create_app
from gapsvc.store import Store

sys.path.append(str(Path(__file__).parents[1] / "contract"))
from contract_client import Api, settings_for

SUITES = sorted((Path(__file__).parents[3] / "shared/conformance/cql").glob("*.xml"))


# The suite writes these with an offset, the specification without; the same moment, but not the same text.
COMPARED_AS_TEXTS = [
    "CqlArithmeticFunctionsTest/MinValue/DateTimeMinValue",
    "CqlArithmeticFunctionsTest/MaxValue/DateTimeMaxValue",
]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    settings = settings_for(tmp_path_factory.mktemp("cql"))
    with Store.open(settings.database_url) as store:
        store.migrate()
        service = Service.start(settings, store, base_url="https://gaps.example/fhir", now=lambda: NOW)
        yield Api(create_app(service).test_client(), service, {}, "")


def passes(api: Api, case: Case, *, as_the_runner_does: bool = False) -> bool:
    """Whether the runner counts the case as passed."""
    answer = api.post("/fhir/$cql", request_body(case.expression))
    body = answer.get_json()
    assert answer.status_code in (200, 400), (case.key, body)
    if case.invalid is not None:
        return is_error(answer.status_code, body)
    if is_error(answer.status_code, body):
        return False
    outputs = [plain(evaluate(output, now=NOW)) for output in case.outputs]
    expected = outputs[0] if len(outputs) == 1 else outputs
    return same(expected, read_answer(body, expected, as_the_runner_does=as_the_runner_does))


@pytest.mark.shared
@pytest.mark.skipif(not SUITES, reason="the suite is not beside the repository (../shared/conformance/cql)")
def test_the_suite_over_http_passes_where_the_engine_passes(api: Api) -> None:
    exclusions = read_exclusions()
    cases = [case for path in SUITES for case in read_suite(path)]
    chosen = [case for case in cases if case.key not in exclusions and (case.outputs or case.invalid)]
    engine = {case.key: run_case(case, "compiled").status == "passed" for case in chosen}
    over_http = {case.key: passes(api, case) for case in chosen}
    differing = [key for key in engine if engine[key] != over_http[key]]
    assert differing == COMPARED_AS_TEXTS
    assert Counter(over_http.values())[True] >= 1_165


@pytest.mark.shared
@pytest.mark.skipif(not SUITES, reason="the suite is not beside the repository (../shared/conformance/cql)")
def test_what_the_runner_misreads_are_date_times_that_fhir_cannot_write(api: Api) -> None:
    # FHIR wants seconds and an offset; the mapping says by extension what was not given, the runner compares texts.
    cases = [case for path in SUITES for case in read_suite(path) if case.outputs and case.invalid is None]
    failing = [case for case in cases if passes(api, case) and not passes(api, case, as_the_runner_does=True)]
    assert all("T" in output for case in failing for output in case.outputs)
    assert len(failing) <= 35
