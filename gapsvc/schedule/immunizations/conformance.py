"""Hold the engine to CDC's published test cases: a line per mismatch and counts of what agrees."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from .answers import NO_VERDICT, Line, answer
from .case_lines import UnusableCase, read_case
from .engine import assess
from .schedule import Schedule

# The vaccine group names that the cases abbreviate, by their casefolded, trimmed form.
_ABBREVIATIONS = {
    "dtap": "DTaP/Tdap/Td",
    "pol": "Polio",
    "ipol": "Polio",
    "pcv": "Pneumococcal",
    "mcv": "Meningococcal",
    "menb": "Meningococcal B",
    "flu": "Influenza",
    "rota": "Rotavirus",
    "var": "Varicella",
    "hib": "Hib",
}
NOTHING_EXPECTED: Mapping[str, Any] = MappingProxyType({})
_COMPARED = ("status", "number", "earliest", "recommended", "past_due")


@dataclass(slots=True)
class Tally:
    """Counts over the cases of one or more files; `mismatches` are lines for people."""

    cases: int = 0
    forecasts_agreeing: int = 0
    doses: int = 0
    doses_agreeing: int = 0
    reasons: int = 0  # rows that name a reason, and ...
    reasons_found: int = 0  # ... those whose reason is among ours (we tell all that fail, CDC one)
    mismatches: list[str] = field(default_factory=list[str])
    missed_cases: list[str] = field(default_factory=list[str])


def group_name(schedule: Schedule, name: str) -> str:
    """The schedule's own name of a vaccine group, from a case's."""
    folded = name.strip().casefold()
    for own in schedule.groups:
        if own.casefold() == folded:
            return own
    return _ABBREVIATIONS.get(folded, name.strip())


def run(schedule: Schedule, lines: Iterable[Mapping[str, Any]], tell: Callable[[str], object]) -> Tally:
    """Assess every case; `tell` receives a line per mismatch as it is found."""
    tally = Tally()
    for line in lines:
        tally.cases += 1
        found = compare(schedule, line, tally)
        if found:
            tally.missed_cases.append(str(line.get("id")))
        for text in found:
            tally.mismatches.append(text)
            tell(text)
    return tally


def compare(schedule: Schedule, line: Mapping[str, Any], tally: Tally) -> list[str]:
    """The mismatches of one case with what CDC expects of it; counts into `tally`."""
    name = str(line.get("id"))
    try:
        result = answer(assess(schedule, read_case(line)))
    except UnusableCase as error:
        return [f"{name}: not assessed: {error}"]
    group = group_name(schedule, str(line.get("vaccine_group", "")))
    mismatches: list[str] = []
    expected: Mapping[str, Any] = line.get("expected") or NOTHING_EXPECTED
    forecasts: list[Line] = result["groups"].get(group, [])
    differences = [_differences(expected, one) for one in forecasts]
    if not differences:
        mismatches.append(f"{name} {group}: no forecast; expected {_words(expected)}")
    elif all(differences):
        closest = min(differences, key=len)
        mismatches.append(f"{name} {group}: forecast {'; '.join(closest)}")
    else:
        tally.forecasts_agreeing += 1
    for number, (given, got) in enumerate(zip(line.get("doses") or (), result["doses"], strict=True), 1):
        if not given.get("status"):
            continue
        tally.doses += 1
        verdict = _dose_line(given, got, group)
        status = verdict["status"]
        if given.get("reason"):
            tally.reasons += 1
            tally.reasons_found += _letters(given["reason"]) in map(_letters, verdict["reasons"] or ())
        if _same(status, given["status"]):
            tally.doses_agreeing += 1
        else:
            mismatches.append(
                f"{name} {group}: dose {number} of {given.get('date')} (CVX {given.get('cvx')}) is {status}, "
                f"expected {given['status']}"
            )
    return mismatches


def _dose_line(given: Mapping[str, Any], got: Line, group: str) -> Mapping[str, Any]:
    """The verdict of the case's group, of the series type that the row names; a dose of another group has its own."""
    groups: dict[str, Line] = got["groups"]
    found = groups.get(group) or next(iter(groups.values()), None)
    if found is None:
        return NO_VERDICT
    wanted = str(given.get("series_type") or "").strip().casefold()
    return found["by_type"].get(wanted, found)


def _letters(text: object) -> str:
    """CDC writes `Interval: too Soon` and `Interval too soon`."""
    return "".join(letter for letter in str(text).casefold() if letter.isalpha())


def _differences(expected: Mapping[str, Any], got: Line) -> list[str]:
    return [
        f"{key} is {got[key]}, expected {expected.get(key)}"
        for key in _COMPARED
        if not _same(got[key], expected.get(key))
    ]


def _same(one: object, other: object) -> bool:
    return _plain(one) == _plain(other)


def _plain(value: object) -> str:
    text = str(value if value is not None else "").strip().casefold()
    return "" if text == "-" else text


def _words(expected: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {expected.get(key)}" for key in _COMPARED)
