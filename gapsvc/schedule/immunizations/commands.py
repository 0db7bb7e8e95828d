"""The commands of the immunization schedule: `forecast` (batch, conformance, explanation) and `import`.

    python -m gapsvc.schedule.immunizations forecast CASES.jsonl --out OUT.jsonl
    python -m gapsvc.schedule.immunizations forecast --conformance FILE.jsonl ...
    python -m gapsvc.schedule.immunizations forecast CASES.jsonl --explain [ID] [--group GROUP]
    python -m gapsvc.schedule.immunizations import FOLDER_OR_ZIP --into FOLDER

Exit codes: 0 done; 1 a conformance case differs, or a line couldn't be used; 2 wrong usage or a refused file.
"""

import argparse
import gc
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

import orjson

from . import conformance
from .answers import Line, answer
from .case_lines import UnusableCase, read_case
from .compiling import UnknownFormat
from .engine import assess
from .explaining import explain
from .files import import_schedule
from .importing import ScheduleRefused
from .installed import LATEST, NoSuchSchedule, load
from .schedule import Schedule

MAX_LINE = 4 * 1024 * 1024
Tell = Callable[[str], object]


def main(arguments: Sequence[str]) -> int:
    """Run a command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m gapsvc.schedule.immunizations", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    forecast = commands.add_parser("forecast", help="evaluate and forecast cases")
    forecast.add_argument("cases", nargs="*", type=Path, metavar="CASES.jsonl")
    forecast.add_argument("--out", type=Path, help="where the result lines go (standard output without it)")
    forecast.add_argument("--conformance", action="store_true", help="compare with what the cases expect")
    forecast.add_argument(
        "--explain",
        metavar="ID",
        nargs="?",
        const="",
        help="follow one case (the first, unless named) through the steps",
    )
    forecast.add_argument("--group", help="with --explain: one vaccine group only")
    bring = commands.add_parser("import", help="read CDC's supporting data XML into a schedule of ours")
    bring.add_argument("source", type=Path, metavar="FOLDER_OR_ZIP")
    bring.add_argument("--into", type=Path, required=True, help="the folder of installed schedules")
    bring.add_argument("--version", help="the supporting data's version, when the name doesn't tell")
    for command in (forecast, bring):
        command.add_argument("--schedules", type=Path, help="a folder of imported schedules")
    forecast.add_argument("--version", default=LATEST, help="the schedule version to use (default: the latest)")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "import":
            written = import_schedule(chosen.source, chosen.into, chosen.version)
            _print(f"schedule {written.version} is installed as {written.path}")
            return 0
        schedule = load(chosen.version, chosen.schedules)
        gc.freeze()  # the schedule stays for good: the cycle collector needn't walk it between cases
        if not chosen.cases:
            parser.error("name at least one file of cases")
        if chosen.conformance:
            return check_conformance(schedule, chosen.cases, _print)
        if chosen.explain is not None:
            return explain_case(schedule, chosen.cases, chosen.explain, chosen.group, _print)
        if chosen.out is None:
            return forecast_files(schedule, chosen.cases, sys.stdout.buffer, _complain)
        with chosen.out.open("wb") as out:
            return forecast_files(schedule, chosen.cases, out, _complain)
    except (ScheduleRefused, NoSuchSchedule, UnknownFormat, OSError) as error:
        _complain(str(error))
        return 2


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def read_lines(paths: Iterable[Path]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """(where, parsed object) for every line that isn't blank; None for one that is no JSON object."""
    for path in paths:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                where = f"{path.name}:{number}"
                try:
                    parsed = orjson.loads(line) if len(line) <= MAX_LINE else None
                except orjson.JSONDecodeError:
                    parsed = None
                yield where, cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else None


def forecast_line(schedule: Schedule, line: dict[str, Any] | None) -> Line:
    """The result line of a case line; a line that can't be used gets `problems` and nothing else."""
    if line is None:
        problem = "not a JSON object of at most 4 MB"
        return {"id": None, "groups": {}, "doses": [], "problems": [{"code": "unreadable", "text": problem}]}
    try:
        return answer(assess(schedule, read_case(line)))
    except UnusableCase as error:
        problems = [{"code": "unusable", "text": str(error)}]
        return {"id": line.get("id"), "groups": {}, "doses": [], "problems": problems}


def forecast_files(schedule: Schedule, paths: Sequence[Path], out: IO[bytes], complain: Tell) -> int:
    """Write a result line per case line, in order. Returns 1 when a line couldn't be used, else 0."""
    unusable = 0
    for where, line in read_lines(paths):
        result = forecast_line(schedule, line)
        out.write(orjson.dumps(result, option=orjson.OPT_APPEND_NEWLINE))
        if any(one["code"] in ("unreadable", "unusable") for one in result["problems"]):
            unusable += 1
            complain(f"{where}: {result['problems'][0]['text']}")
    return 1 if unusable else 0


def check_conformance(schedule: Schedule, paths: Sequence[Path], tell: Tell) -> int:
    """Print a line per mismatch and, per file, the counts. Returns 1 when anything differs."""
    differs = False
    for path in paths:
        cases = [line for _, line in read_lines([path]) if line is not None]
        tally = conformance.run(schedule, cases, tell)
        differs = differs or bool(tally.mismatches)
        tell(
            f"{path.name}: {tally.forecasts_agreeing} of {tally.cases} forecasts and {tally.doses_agreeing} of "
            f"{tally.doses} dose verdicts agree (schedule {schedule.version})"
        )
    return 1 if differs else 0


def explain_case(schedule: Schedule, paths: Sequence[Path], wanted: str, group: str | None, tell: Tell) -> int:
    """Print one case's way through the steps; the first case's when `wanted` is empty. 2: no such case or group."""
    name = None if group is None else conformance.group_name(schedule, group)
    if name is not None and name not in schedule.groups:
        tell(f"no vaccine group {group}; the schedule has {', '.join(schedule.groups)}")
        return 2
    for _, line in read_lines(paths):
        if line is not None and (not wanted or str(line.get("id")) == wanted):
            try:
                for text in explain(schedule, read_case(line), name):
                    tell(text)
            except UnusableCase as error:
                tell(f"{line.get('id')}: {error}")
                return 2
            return 0
    tell(f"no case {wanted} in {', '.join(path.name for path in paths)}")
    return 2
