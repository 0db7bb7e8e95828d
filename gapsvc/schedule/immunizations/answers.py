"""An outcome as the JSON object of a result line: vaccine groups, and what became of every dose."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .calendar import iso
from .engine import Outcome
from .grouping import GroupForecast, products
from .selection import Evaluated, Selected
from .verdicts import EXTRANEOUS, NOT_VALID, SUB_STANDARD, VALID, Verdict

Line = dict[str, Any]
_Typed = dict[str, list[tuple[bool, Verdict]]]  # type of series -> (by a best series, verdict)

# A dose of several antigens of one group. Where the full group is always given (MMR), what must be repeated for any
# antigen decides, as the lowest dose number does (FORECASTDN-2); elsewhere what counts for any (Tdap that is too soon
# for tetanus still gives the pertussis dose for which CDSi hastens it).
_WHOLE: Mapping[str, int] = MappingProxyType({NOT_VALID: 0, SUB_STANDARD: 1, VALID: 2, EXTRANEOUS: 3})
_ANY: Mapping[str, int] = MappingProxyType({VALID: 0, NOT_VALID: 1, SUB_STANDARD: 2, EXTRANEOUS: 3})
_FAVOURABLE: Mapping[str, int] = MappingProxyType({VALID: 0, EXTRANEOUS: 1, NOT_VALID: 2, SUB_STANDARD: 3})
NO_VERDICT: Mapping[str, Any] = MappingProxyType({"status": None, "reasons": None, "rule": None, "target": None})


def answer(outcome: Outcome) -> Line:
    """The result line. Dates are `yyyy-mm-dd`; null where there is none."""
    remarks = outcome.person.remarks
    groups = dose_groups(outcome)
    doses: list[Line] = []
    for position, given in enumerate(outcome.case.doses):
        line: Line = {
            "date": given.given.isoformat() if given.given else None,
            "cvx": given.cvx,
            "groups": groups.get(position, {}),
        }
        problems = [{"code": one.code, "text": one.text} for one in remarks if one.dose == position]
        if problems:
            line["problems"] = problems
        doses.append(line)
    return {
        "id": outcome.case.id,
        "schedule": {"version": outcome.schedule.version, "source": outcome.schedule.source},
        "groups": {
            group: [_forecast(outcome, one) for one in forecasts] for group, forecasts in outcome.forecasts.items()
        },
        "doses": doses,
        "problems": [{"code": one.code, "text": one.text} for one in remarks if one.dose is None],
    }


def _forecast(outcome: Outcome, one: GroupForecast) -> Line:
    return {
        "series_type": one.series_type,
        "status": one.status,
        "number": one.number,
        "earliest": iso(one.earliest),
        "recommended": iso(one.recommended),
        "past_due": iso(one.past_due),
        "latest": iso(one.latest),
        "antigens": list(one.antigens),
        "vaccines": list(one.vaccines),
        "products": list(products(outcome.person, one)),
        "reasons": [reason.text for reason in one.reasons] or None,
        "series": [part.series.name for part in one.series],
    }


def dose_groups(outcome: Outcome) -> dict[int, dict[str, Line]]:
    """Position of a dose in the case → vaccine group → what became of it there: overall, and `by_type` of series.

    Overall is the verdict of the best series, the more favourable one where a standard and a risk series are both
    best. `by_type` also holds a standard series' verdict where a risk series took its place, and the reverse. Null
    where no series of the group looked at the dose.
    """
    found: dict[int, dict[str, _Typed]] = {dose.position: {} for dose in outcome.person.doses}
    for antigen, records in outcome.person.records.items():
        group = outcome.schedule.antigens[antigen].vaccine_group if antigen in outcome.schedule.antigens else None
        if group is None:
            continue
        for record in records:
            found[record.position].setdefault(group, {})
        selected = outcome.selected.get(antigen)
        if selected is None:
            continue
        for series_type in ("standard", "risk"):
            is_best, candidates = _candidates(selected, series_type)
            for index, record in enumerate(records if candidates else ()):
                verdict = candidates[0].progress.verdicts[index]
                for other in candidates[1:]:
                    if _FAVOURABLE[other.progress.verdicts[index].status] < _FAVOURABLE[verdict.status]:
                        verdict = other.progress.verdicts[index]
                found[record.position][group].setdefault(series_type, []).append((is_best, verdict))
    return {
        position: {
            group: _group_line(by_type, _WHOLE if outcome.schedule.groups[group].full else _ANY)
            for group, by_type in groups.items()
        }
        for position, groups in found.items()
    }


def _candidates(selected: Selected, series_type: str) -> tuple[bool, list[Evaluated]]:
    """(whether they are best, series): an antigen's best series of a type, or else its prioritized ones."""
    best = [one for one in selected.best if one.series.blends_as == series_type]
    if best:
        return True, best
    return False, [one for one in selected.prioritized if one.series.blends_as == series_type]


def _group_line(by_type: _Typed, order: Mapping[str, int]) -> Line:
    typed = {kind: _line([verdict for _, verdict in found], order) for kind, found in by_type.items()}
    best = [typed[kind] for kind, found in by_type.items() if any(is_best for is_best, _ in found)]
    chosen = min(best, key=lambda line: _FAVOURABLE[line["status"]], default=NO_VERDICT)
    return {**chosen, "by_type": typed}


def _line(verdicts: list[Verdict], order: Mapping[str, int]) -> Line:
    """The verdict of a group: of several antigens', the one that goes first."""
    decisive = verdicts[0]
    for verdict in verdicts[1:]:
        if order[verdict.status] < order[decisive.status]:
            decisive = verdict
    alike = [verdict for verdict in verdicts if verdict.status == decisive.status]
    reasons = list(dict.fromkeys(reason.text for verdict in alike for reason in verdict.reasons))
    line: Line = {
        "status": decisive.status,
        "reasons": reasons or None,
        "rule": decisive.rule,
        "target": decisive.target,
    }
    notes = list(dict.fromkeys(note.text for verdict in alike for note in verdict.notes))
    if notes:
        line["notes"] = notes
    return line
