"""Hold every evaluated gap against the sandbox's truth, which follows from how each child was planned.

Whom the measures are about is the clinic's registry; who is enrolled with a plan is held against the truth too.

    python -m scripts.check_truth [--children N] [--jobs N] [SEED ...]      (make truth)

Prints, for each measure, how many children were in its population, and each disagreement; exits 1 if there is one, or
if a measure had nobody to be checked with.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any

from gapsvc.evaluation.catalogue import evaluators
from gapsvc.evaluation.result import GapStatus, GroupResult, MeasureResult, Outlook
from gapsvc.measures.populations import PLAN, AboutWhom
from gapsvc.records.assemble import Sourced
from gapsvc.records.population import population
from gapsvc.sandbox import Population, generate

AS_OF = date(2026, 11, 22)
PERIOD = (date(2026, 1, 1), date(2026, 12, 31))
# Truth says whether the need can still be met; on track or at risk is the visit schedule's word.
_OUTLOOK = {
    Outlook.MET: "met",
    Outlook.MISSED: "missed",
    Outlook.ON_TRACK: "possible",
    Outlook.AT_RISK: "possible",
    Outlook.UNKNOWN: None,
}


def disagreements(truth: Mapping[str, Any], results: Iterable[MeasureResult]) -> Iterator[str]:
    """What the results of one child say otherwise than its truth: populations, status, counts, window, evidence."""
    by_measure = {result.measure_id: result for result in results}
    for measure in truth["measures"].keys() - by_measure.keys():
        yield f"{truth['person']} {measure}: planned, and not evaluated"
    for measure in truth["measures"].keys() & by_measure.keys():
        result, planned = by_measure[measure], truth["measures"][measure]
        if planned.keys() != {group.id for group in result.groups}:
            yield f"{truth['person']} {result.measure_id}: groups {sorted(planned)} were planned"
            continue
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
                    yield f"{truth['person']} {measure} {group.id} {part}: planned {wanted!r}, evaluated {found!r}"


def _said(group: GroupResult) -> dict[str, Any]:
    gap = group.gap
    said: dict[str, Any] = {"populations": dict(group.populations), "status": gap.status.value}
    if gap.status is GapStatus.NOT_APPLICABLE:
        return said
    said |= {
        "needed": gap.needed,
        "done": gap.done,
        "due_from": gap.due_from and str(gap.due_from),
        "outlook": _OUTLOOK[gap.outlook],
        "counted": [item.reference for item in gap.counted],
        "discounted": {item.reference: item.reason for item in gap.discounted},
    }
    if gap.status is not GapStatus.CLOSED:
        said["last_day"] = str(gap.last_day)
    return said


def enrolment_disagreements(truth: Mapping[str, Any], results: Iterable[MeasureResult]) -> Iterator[str]:
    """Of measures about who is enrolled with a plan: whose denominators say otherwise than the truth."""
    for result in results:
        for group in result.groups:
            planned = truth["measures"][result.measure_id][group.id]["populations"]["initial-population"]
            problem = truth["enrolment"].get(result.measure_id, {}).get(group.id)
            if group.populations["denominator"] != int(planned and problem is None):
                yield (
                    f"{truth['person']} {result.measure_id} {group.id} enrolment: planned {problem!r}, "
                    f"evaluated denominator {group.populations['denominator']}"
                )


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of holding results against truth. `within`: measure -> children in one of its populations."""

    children: int
    within: Mapping[str, int]
    wrong: tuple[str, ...]


def check(
    seed: int,
    children: int,
    part: int = 0,
    parts: int = 1,
    as_of: date = AS_OF,
    period: tuple[date, date] = PERIOD,
) -> Checked:
    """One generated population with all disorder on, or every `parts`-th of its families from `part` on."""
    whole = generate(seed, children, as_of, period=period)
    planned = Population(whole.frame, whole.families[part::parts])
    truth = {line["person"]: line for line in planned.truth()}
    measures = sorted({measure for line in truth.values() for measure in line["measures"]})
    prepared = [evaluator.on(*period, as_of) for evaluator in evaluators(measures).values()]
    enrolled = [evaluator.on(*period, as_of) for evaluator in evaluators(measures, whom=AboutWhom(PLAN)).values()]
    compared = 0
    within = Counter(dict.fromkeys(measures, 0))
    wrong: list[str] = []
    for record in population(Sourced("sandbox", resource) for resource in planned.resources()):
        if record.person_id in truth:
            line = truth[record.person_id]
            results = [each.evaluate(record) for each in prepared]
            said = [*disagreements(line, results)]
            said += enrolment_disagreements(line, (each.evaluate(record) for each in enrolled))
            wrong += (f"seed {seed}: {one}" for one in said)
            compared += 1
            within.update(
                one.measure_id
                for one in results
                if any(group.populations["initial-population"] for group in one.groups)
            )
    if compared != len(truth):
        wrong.append(f"seed {seed}: {len(truth) - compared} children have no record")
    return Checked(compared, within, tuple(wrong))


def main(arguments: Sequence[str] | None = None) -> int:
    cores = os.cpu_count() or 1
    parser = argparse.ArgumentParser(prog="python -m scripts.check_truth", description=__doc__)
    parser.add_argument("--children", type=int, default=7_000, help="of each seed (7000)")
    parser.add_argument("--jobs", type=int, default=cores, help=f"processes at once ({cores})")
    parser.add_argument("seeds", nargs="*", type=int, default=[1, 2, 3])
    given = parser.parse_args(arguments)
    jobs = max(1, given.jobs)
    tasks = [(seed, given.children, part, jobs) for seed in given.seeds for part in range(jobs)]
    children = failed = 0
    within: Counter[str] = Counter()
    with ProcessPoolExecutor(jobs) as pool:
        for found in pool.map(check, *zip(*tasks, strict=True)):
            children += found.children
            within.update(found.within)
            failed += len(found.wrong)
            print("\n".join(found.wrong[:20]), end="\n" if found.wrong else "")
    for measure, count in sorted(within.items()):
        print(f"{measure:<14}{count:>8,} children in its population")
    print(f"{children:,} children of {len(given.seeds)} seeds, {failed} disagreements")
    return 1 if failed or not all(within.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
