"""`make bench-cql`: how fast the CQL engine is, on the machine at hand. Figures are printed, answers are asserted.

python -m benchmarks.cql [--children N] [--reference N] [measure] [start-up] [clauses] [javascript]
"""

import argparse
import gc
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cql_like
from benchmarks.__main__ import machine
from benchmarks.cql import clauses, measure, peer
from benchmarks.cql.by_hand import ByHand
from benchmarks.cql.children import Child, children

CHILDREN = 2_000
BY_REFERENCE = 200  # children that the slow evaluator is timed on
ROUNDS = 5
STARTS = 5


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Processor time of the fastest of some rounds: other processes on the machine don't count."""
    best = float("inf")
    for _ in range(rounds):
        gc.collect()
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def line(what: str, count: int, took: float, note: str = "") -> None:
    print(f"{what:44}{count / took:10,.0f} children/s{took / count * 1e6:10,.0f} µs per child{note and '   ' + note}")


# ------------------------------------------------------------------------------------------------ the measure


def run_measure(size: int, by_reference: int) -> None:
    """The measure of the size of CMS117: compiled, reference, by hand."""
    library = measure.compiled()
    found = children(size)
    years = sorted({child.year for child in found})
    defines = list(library.defines)
    resources = sum(len(kept) for child in found for kept in child.record.resources.values())
    print(
        f"measure: {len(measure.texts()[0].splitlines())} lines, {len(library.program.libraries) - 1} includes, "
        f"{len(defines)} defines; {size:,} sandbox children with {resources:,} resources, "
        f"each over the year of the second birthday"
    )
    compiled = {year: measure.prepared(library, year) for year in years}
    slow = {year: measure.prepared(library, year, "reference") for year in years}
    some = found[:: max(1, size // by_reference)][:by_reference]
    hand = ByHand()

    def evaluated(sessions: dict[int, cql_like.SessionFactory], group: Sequence[Child], names: Sequence[str]) -> Any:
        answers: list[tuple[Any, ...]] = []
        for child in group:
            child.record.forget_index()
            say = sessions[child.year].session(child.record).evaluate
            answers.append(tuple([say(name) for name in names]))
        return answers

    def handmade() -> list[tuple[Any, ...]]:
        return [hand.answers(child.record, child.year) for child in found]

    fast = evaluated(compiled, found, measure.ANSWERS)
    if fast != handmade():
        raise SystemExit("the measure and the loop written by hand give different answers")
    if evaluated(slow, some, defines) != evaluated(compiled, some, defines):
        raise SystemExit("the two evaluators give different answers")
    counts = {name: sum(row[at] for row in fast) for at, name in enumerate(measure.ANSWERS)}
    print(
        f"answers: {counts['Initial Population']:,} in the population, {counts['Denominator Exclusions']:,} excluded, "
        f"{counts['Numerator']:,} with all ten antigens; equal by hand ({size:,} children) and by the reference "
        f"({len(some):,} children, every define)"
    )
    answers = seconds(lambda: evaluated(compiled, found, measure.ANSWERS), ROUNDS)
    whole = seconds(lambda: evaluated(compiled, found, defines), ROUNDS)
    by_hand = seconds(handmade, ROUNDS)
    reference = seconds(lambda: evaluated(slow, some, measure.ANSWERS), 2)
    line("compiled: 3 populations and 10 antigens", size, answers)
    line(f"compiled: all {len(defines)} defines", size, whole)
    line("reference: populations and antigens", len(some), reference)
    line("by hand in Python: populations and antigens", size, by_hand)
    per_compiled, per_reference = answers / size, reference / len(some)
    print(
        f"compiled is {per_reference / per_compiled:.1f} times as fast as the reference; "
        f"it takes {answers / by_hand:.1f} times as long as the loop written by hand"
    )


# --------------------------------------------------------------------------------------------------- start-up

_START = """
import sys, time
import cql_like, cql_like.cache
from pathlib import Path
from benchmarks.cql import measure
text, included = measure.texts()
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
began = time.process_time()
library = cql_like.compile_library(text, libraries=included, cache=folder)
library.compiled
print(time.process_time() - began)
"""


def run_start_up() -> None:
    """Parse, check and compile in a fresh process, without and with a cache."""

    def start(*arguments: str) -> float:
        done = subprocess.run(  # noqa: S603 - this Python, our own text
            [sys.executable, "-c", _START, *arguments], capture_output=True, text=True, check=True
        )
        return float(done.stdout) * 1000

    cold = [start() for _ in range(STARTS)]
    with tempfile.TemporaryDirectory(prefix="cql-bench-") as folder:
        cache = str(Path(folder) / "cache")
        start(cache)
        warm = [start(cache) for _ in range(STARTS)]
        size = sum(file.stat().st_size for file in Path(cache).iterdir())
    print(
        f"parse, check and compile the measure and its includes, in a fresh process: "
        f"{statistics.median(cold):.0f} ms cold, {statistics.median(warm):.0f} ms from the cache "
        f"({size / 1000:.0f} KB; medians of {STARTS})"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the parts that are named, or all."""
    parts = ["measure", "start-up", "clauses", "javascript"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cql", description=__doc__)
    parser.add_argument("--children", type=int, default=CHILDREN)
    parser.add_argument("--reference", type=int, default=BY_REFERENCE, help="children for the reference evaluator")
    parser.add_argument("what", nargs="*", choices=[*parts, []])
    given = parser.parse_args(arguments)
    wanted = given.what or parts
    print(f"{machine()} ({platform.system()}); processor time, the best of {ROUNDS} rounds")
    if "measure" in wanted:
        run_measure(given.children, given.reference)
    if "start-up" in wanted:
        run_start_up()
    if "clauses" in wanted:
        clauses.main()
    if "javascript" in wanted:
        peer.main()


if __name__ == "__main__":
    main()
