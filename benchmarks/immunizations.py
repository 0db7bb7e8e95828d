"""`make bench-immunizations`: what one child costs, through all antigens of the schedule. Nothing is asserted.

python -m benchmarks.immunizations [--children N]
"""

import argparse
import gc
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import orjson

from benchmarks.__main__ import machine
from gapsvc.schedule.immunizations import Case, GivenDose, answer, assess, load

SEED = 7
CHILDREN = 1_000
ASSESSED = date(2026, 11, 22)

# Twenty-five doses that a child of six has: (age in days, CVX), as ordinary practice gives them.
SERIES = (
    (0, "08"),
    (61, "110"),
    (61, "48"),
    (61, "133"),
    (61, "116"),
    (122, "110"),
    (122, "48"),
    (122, "133"),
    (122, "116"),
    (183, "110"),
    (183, "48"),
    (183, "133"),
    (183, "116"),
    (200, "150"),
    (230, "150"),
    (366, "03"),
    (366, "21"),
    (366, "83"),
    (370, "133"),
    (457, "20"),
    (457, "48"),
    (560, "83"),
    (1470, "130"),
    (1470, "94"),
    (1480, "150"),
)


def children(count: int) -> list[Case]:
    """Children of six to eight, each with 25 doses a few days to weeks off schedule."""
    chance = random.Random(SEED)
    cases: list[Case] = []
    for number in range(count):
        born = ASSESSED - timedelta(days=chance.randint(6 * 366, 8 * 365))
        doses = tuple(GivenDose(born + timedelta(days=age + chance.randint(0, 20)), cvx) for age, cvx in SERIES)
        cases.append(Case(f"child-{number}", born, ASSESSED, chance.choice(("female", "male")), doses))
    return cases


def figures(name: str, work: Callable[[Case], object], cases: list[Case]) -> None:
    """Median and 99th percentile of one call, in milliseconds of processor time (others may share the machine)."""
    for case in cases[:50]:
        work(case)
    taken: list[float] = []
    for case in cases:
        began = time.process_time()
        work(case)
        taken.append((time.process_time() - began) * 1000)
    taken.sort()
    print(
        f"{name:<34} median {statistics.median(taken):6.2f} ms   mean {statistics.fmean(taken):6.2f} ms   "
        f"99 % {taken[int(len(taken) * 0.99)]:6.2f} ms"
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=CHILDREN)
    count = parser.parse_args().children
    print(f"{machine()}; {count} children, {len(SERIES)} doses each")
    loads: list[float] = []
    for _ in range(5):
        began = time.process_time()
        schedule = load()
        loads.append((time.process_time() - began) * 1000)
    print(f"load schedule {schedule.version:<20} median {statistics.median(loads):6.1f} ms")
    cases = children(count)
    gc.freeze()  # as the commands do: the cycle collector needn't walk the schedule between cases
    figures("evaluate and forecast", lambda case: assess(schedule, case), cases)
    known = {case.id: assess(schedule, replace(case, doses=case.doses[:-1])) for case in cases}
    figures("the same after one more dose", lambda case: assess(schedule, case, previous=known[case.id]), cases)
    figures("evaluate, forecast, write the line", lambda case: orjson.dumps(answer(assess(schedule, case))), cases)


if __name__ == "__main__":
    main()
