"""Goals and benchmarks: dated data with a source for each value, read from TOML and checked whole.

Ours stand beside this file; the settings `equity.goals` and `equity.benchmarks` name files that take their place.
"""

import difflib
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from gapsvc.evaluation.disparity import Goal

HERE = Path(__file__).parent
BENCHMARKS, GOALS = HERE / "benchmarks.toml", HERE / "goals.toml"
# measure id -> the ids of its rates: what a file may name
Rates = Mapping[str, Collection[str]]


class EquityError(ValueError):
    """A file of goals or benchmarks that can't be used. The message names every problem, one a line, with its place."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A level that one rate is held to in one measurement year, e.g. the MPL. `level` is a share of one."""

    name: str
    measure: str
    rate: str
    measurement_year: int
    reporting_year: int
    level: Fraction
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class EquityGoal:
    """A goal with what it is about. Empty `rates`: all of its measures; empty `categories`: every group.

    `reference` and `baseline` are what it is measured against and from; None: whatever a report is asked for.
    """

    goal: Goal
    measures: tuple[str, ...]
    rates: tuple[str, ...]
    dimension: str
    categories: frozenset[str]
    reference: str | None
    baseline: tuple[date, date] | None
    source: str
    certainty: str

    def is_about(self, measure: str, rate: str, dimension: str) -> bool:
        """Whether it says something of a rate by a dimension. A goal without measures is about all."""
        return (
            (not self.measures or measure in self.measures)
            and (not self.rates or rate in self.rates)
            and (not self.dimension or dimension == self.dimension)
        )


def read_benchmarks(file: Path, rates: Rates) -> tuple[Benchmark, ...]:
    """The benchmarks in a file.

    Raises:
        EquityError: with every problem in it.
        OSError: it can't be read.
    """
    problems: list[str] = []
    found: dict[tuple[str, str, str, int], Benchmark] = {}
    for at, row in _rows(file, "benchmark", _BENCHMARK_KEYS, set(), problems):
        _check_rates(at, (row["measure"],), (row["rate"],), rates, problems)
        percent = row["percent"]
        if not 0 < percent <= 100:
            problems.append(f"{at}: percent is {percent}; expected more than 0, and 100 at most")
        one = Benchmark(
            row["name"],
            row["measure"],
            row["rate"],
            row["measurement_year"],
            row["reporting_year"],
            Fraction(percent) / 100,
            row["source"],
            row["certainty"],
        )
        key = (one.name, one.measure, one.rate, one.measurement_year)
        if key in found:
            problems.append(f"{at}: {one.name} of {one.measure}/{one.rate} for {one.measurement_year} is there twice")
        found[key] = one
    if problems:
        raise EquityError(problems)
    return tuple(found.values())


def read_goals(file: Path, rates: Rates) -> tuple[EquityGoal, ...]:
    """The goals in a file.

    Raises:
        EquityError: with every problem in it.
        OSError: it can't be read.
    """
    problems: list[str] = []
    found: dict[str, EquityGoal] = {}
    for at, row in _rows(file, "goal", _GOAL_KEYS, _GOAL_OPTIONAL, problems):
        wrong = [
            key
            for key in ("measures", "rates", "categories")
            if not all(isinstance(one, str) for one in row.get(key, ()))
        ]
        problems += [f"{at}: {key}: expected a list of texts" for key in wrong]
        if wrong:
            continue
        measures, of_rates = tuple(row["measures"]), tuple(row.get("rates", ()))
        _check_rates(at, measures, of_rates, rates, problems)
        if not 0 < row["reduction_percent"] <= 100:
            problems.append(
                f"{at}: reduction_percent is {row['reduction_percent']}; expected more than 0, and 100 at most"
            )
        baseline = (row.get("baseline_start"), row.get("baseline_end"))
        if (baseline[0] is None) != (baseline[1] is None):
            problems.append(f"{at}: baseline_start and baseline_end go together; one is missing")
        elif baseline[0] is not None and not baseline[0] <= baseline[1] < row["due"]:
            problems.append(f"{at}: expected baseline_start, baseline_end and due in this order")
        if row["id"] in found:
            problems.append(f"{at}: two goals are called {row['id']!r}")
        found[row["id"]] = EquityGoal(
            Goal(row["id"], row["title"], Fraction(row["reduction_percent"]) / 100, row["due"]),
            measures,
            of_rates,
            row["dimension"],
            frozenset(row["categories"]),
            row.get("reference"),
            None if None in baseline else (row["baseline_start"], row["baseline_end"]),
            row["source"],
            row["certainty"],
        )
    if problems:
        raise EquityError(problems)
    return tuple(found.values())


def in_force(benchmarks: Iterable[Benchmark], measure: str, rate: str, year: int) -> tuple[Benchmark, ...]:
    """By name, the benchmark of a rate for a measurement year: that year's, else the latest before it."""
    latest: dict[str, Benchmark] = {}
    for one in benchmarks:
        if (one.measure, one.rate) == (measure, rate) and one.measurement_year <= year:
            known = latest.get(one.name)
            if known is None or known.measurement_year < one.measurement_year:
                latest[one.name] = one
    return tuple(latest.values())


_NUMBER = (int, Decimal)
_BENCHMARK_KEYS: Mapping[str, Any] = {
    "name": str,
    "measure": str,
    "rate": str,
    "measurement_year": int,
    "reporting_year": int,
    "percent": _NUMBER,
    "source": str,
    "certainty": str,
}
_GOAL_KEYS: Mapping[str, Any] = {
    "id": str,
    "title": str,
    "measures": list,
    "rates": list,
    "dimension": str,
    "categories": list,
    "reduction_percent": _NUMBER,
    "due": date,
    "reference": str,
    "baseline_start": date,
    "baseline_end": date,
    "source": str,
    "certainty": str,
}
_GOAL_OPTIONAL = {"rates", "reference", "baseline_start", "baseline_end"}
_WORDS: Mapping[Any, str] = {str: "text", int: "a whole number", _NUMBER: "a number", list: "a list", date: "a day"}


def _rows(
    file: Path, table: str, keys: Mapping[str, Any], optional: Collection[str], problems: list[str]
) -> Iterable[tuple[str, dict[str, Any]]]:
    """The rows of `[[table]]` whose shape is right, each with its place; what is wrong goes to `problems`."""
    try:
        # Decimals: 58.38 is meant as written, not as the float nearest to it.
        data = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise EquityError([f"{file}: {error}"]) from error
    problems.extend(f"{file}: unknown {key!r}; expected [[{table}]]" for key in data if key != table)
    rows = data.get(table, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise EquityError([*problems, f"{file}: {table} must be written as [[{table}]]"])
    for number, row in enumerate(rows, 1):
        at = f"{file}: [[{table}]] {number}"
        wrong = [
            f"{at}: unknown key {key!r}{_suggestion(key, keys)}; expected {', '.join(keys)}"
            for key in row
            if key not in keys
        ]
        wrong += [f"{at}: {key} is missing" for key in keys if key not in row and key not in optional]
        wrong += [
            f"{at}: {key}: expected {_WORDS[kind]}"
            for key, kind in keys.items()
            if key in row and not _is(row[key], kind)
        ]
        problems += wrong
        if not wrong:
            yield at, row


def _is(value: Any, kind: Any) -> bool:
    if kind is date:
        return type(value) is date  # TOML's date-times are dates to Python
    if kind is str:
        return isinstance(value, str) and bool(value.strip())
    if isinstance(value, Decimal) and not value.is_finite():
        return False
    return isinstance(value, kind) and not isinstance(value, bool)


def _check_rates(at: str, measures: Iterable[str], of: Iterable[str], rates: Rates, problems: list[str]) -> None:
    known = [name for name in measures if name in rates]
    problems.extend(
        f"{at}: there is no measure {name!r}{_suggestion(name, rates)}" for name in measures if name not in rates
    )
    their = {rate for name in known for rate in rates[name]}
    if known:
        problems.extend(
            f"{at}: {', '.join(known)} has no rate {rate!r}{_suggestion(rate, their)}"
            for rate in of
            if rate not in their
        )


def _suggestion(name: Any, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(name), list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
