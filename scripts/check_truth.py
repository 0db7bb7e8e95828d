"""Hold every evaluated gap against the sandbox's truth, which follows from how each child was planned.

    python -m scripts.check_truth [--children N] [SEED ...]      (make truth)

Prints the count of children and rates that agree, and each that doesn't; exits 1 if one doesn't.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from gapsvc.evaluation.catalogue import evaluators
from gapsvc.evaluation.result import GapStatus, GroupResult, MeasureResult
from gapsvc.records.assemble import Sourced
from gapsvc.records.population import population
from gapsvc.sandbox import generate

AS_OF = date(2026, 11, 22)
PERIOD = (date(2026, 1, 1), date(2026, 12, 31))


def disagreements(truth: Mapping[str, Any], results: Iterable[MeasureResult]) -> Iterator[str]:
    """What the results of one child say otherwise than its truth: populations, status, counts, window, evidence."""
    by_measure = {result.measure_id: result for result in results}
    for measure in truth["measures"].keys() - by_measure.keys():
        yield f"{truth['person']} {measure}: planned, and not evaluated"
    for measure in truth["measures"].keys() & by_measure.keys():
        result, planned = by_measure[measure], truth["measures"][measure]
        if planned.keys() != {group.id for group in result.groups}:
            yield f"{truth['person']} {result.measure_id}: groups {sorted(planned)} were planned"
        for group in result.groups:
            expected = planned[group.id]
            actual = _said(group)
            for part in sorted(expected.keys() & actual.keys()):
                if part == "discounted":
                    # Not in the record at all: a visit under the mother, which nothing links to this child.
                    wanted = {key: why for key, why in expected[part].items() if why != "under-mother"}
                    found = {key: actual[part].get(key) for key in wanted}
                else:
                    wanted, found = expected[part], actual[part]
                if wanted != found:
                    yield f"{truth['person']} {group.id} {part}: planned {wanted!r}, evaluated {found!r}"


def _said(group: GroupResult) -> dict[str, Any]:
    gap = group.gap
    said: dict[str, Any] = {"populations": dict(group.populations), "status": gap.status.value}
    if gap.status is GapStatus.NOT_APPLICABLE:
        return said
    said |= {
        "needed": gap.needed,
        "done": gap.done,
        "counted": [item.reference for item in gap.counted],
        "discounted": {item.reference: item.reason for item in gap.discounted},
    }
    if gap.status is not GapStatus.CLOSED:
        said |= {"due_from": str(gap.due_from), "last_day": str(gap.last_day)}
    if gap.outlook.value in ("met", "missed"):
        said["outlook"] = gap.outlook.value
    return said


def check(seed: int, children: int) -> tuple[int, int, list[str]]:
    """(children compared, of them in a population, disagreements) for one generated population, all disorder on."""
    planned = generate(seed, children, AS_OF)
    truth = {line["person"]: line for line in planned.truth()}
    planned_measures = sorted({measure for line in truth.values() for measure in line["measures"]})
    prepared = [evaluator.on(*PERIOD, AS_OF) for evaluator in evaluators(planned_measures).values()]
    compared = within = 0
    wrong: list[str] = []
    for record in population(Sourced("sandbox", resource) for resource in planned.resources()):
        if record.person_id in truth:
            results = [each.evaluate(record) for each in prepared]
            wrong += disagreements(truth[record.person_id], results)
            compared += 1
            within += any(group.populations["initial-population"] for one in results for group in one.groups)
    if compared != len(truth):
        wrong.append(f"seed {seed}: {len(truth) - compared} children have no record")
    return compared, within, wrong


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.check_truth", description=__doc__)
    parser.add_argument("--children", type=int, default=7_000)
    parser.add_argument("seeds", nargs="*", type=int, default=[1, 2, 3])
    given = parser.parse_args(arguments)
    failed = 0
    for seed in given.seeds:
        compared, within, wrong = check(seed, given.children)
        print(f"seed {seed}: {compared:,} children ({within:,} in a population), {len(wrong)} disagreements")
        print("\n".join(wrong[:20]), end="\n" if wrong else "")
        failed += len(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
