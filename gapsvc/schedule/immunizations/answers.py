"""An outcome as the JSON object of a result line: vaccine groups, and what became of every dose."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from .calendar import iso
from .engine import Outcome
from .grouping import GroupForecast, products
from .selection import Evaluated, Selected
from .verdicts import EXTRANEOUS, NOT_VALID, SUB_STANDARD, VALID, Verdict

Line = dict[str, Any]
_Typed = dict[str, tuple[bool, tuple[Verdict, ...]]]  # type of series -> (by a best series of any antigen, verdicts)


class GroupVerdict(NamedTuple):
    """What became of a dose in a vaccine group. `reasons` and `notes` are in CDC's words; `rule`: what decided."""

    status: str
    reasons: tuple[str, ...]
    rule: str
    target: int | None
    notes: tuple[str, ...]


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
    found: dict[int, dict[str, Line]] = {}
    for position, groups in _by_group(outcome).items():
        lines = found[position] = {}
        for group, by_type in groups.items():
            whole = outcome.schedule.groups[group].full
            chosen = _chosen(by_type, whole=whole)
            lines[group] = {
                **(NO_VERDICT if chosen is None else _line(chosen)),
                "by_type": {kind: _line(_joined(verdicts, whole=whole)) for kind, (_, verdicts) in by_type.items()},
            }
    return found


def group_verdicts(outcome: Outcome) -> dict[int, dict[str, GroupVerdict]]:
    """Position of a dose in the case → vaccine group → what became of it there overall, as `dose_groups` has it.

    Groups of which no series looked at the dose are left out.
    """
    found: dict[int, dict[str, GroupVerdict]] = {}
    for position, groups in _by_group(outcome).items():
        chosen = (
            (group, _chosen(by_type, whole=outcome.schedule.groups[group].full)) for group, by_type in groups.items()
        )
        found[position] = {group: verdict for group, verdict in chosen if verdict is not None}
    return found


def _by_group(outcome: Outcome) -> dict[int, dict[str, _Typed]]:
    """Position of a dose → vaccine group → type of series → whether a best series of it judged, and the verdicts."""
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
                typed = found[record.position][group]
                best, verdicts = typed.get(series_type, (False, ()))
                typed[series_type] = (best or is_best, (*verdicts, verdict))
    return found


def _candidates(selected: Selected, series_type: str) -> tuple[bool, list[Evaluated]]:
    """(whether they are best, series): an antigen's best series of a type, or else its prioritized ones."""
    best = [one for one in selected.best if one.series.blends_as == series_type]
    if best:
        return True, best
    return False, [one for one in selected.prioritized if one.series.blends_as == series_type]


def _chosen(by_type: _Typed, *, whole: bool) -> GroupVerdict | None:
    """The verdict of the best series, the more favourable one of two."""
    chosen: GroupVerdict | None = None
    for is_best, verdicts in by_type.values():
        if is_best:
            joined = _joined(verdicts, whole=whole)
            if chosen is None or _FAVOURABLE[joined.status] < _FAVOURABLE[chosen.status]:
                chosen = joined
    return chosen


@lru_cache(maxsize=1 << 12)
def _joined(verdicts: tuple[Verdict, ...], *, whole: bool) -> GroupVerdict:
    """The verdict of a group: of several antigens', the one that goes first. There are few combinations."""
    order = _WHOLE if whole else _ANY
    decisive = min(verdicts, key=lambda verdict: order[verdict.status])
    alike = [verdict for verdict in verdicts if verdict.status == decisive.status]
    return GroupVerdict(
        decisive.status,
        tuple(dict.fromkeys(reason.text for verdict in alike for reason in verdict.reasons)),
        decisive.rule,
        decisive.target,
        tuple(dict.fromkeys(note.text for verdict in alike for note in verdict.notes)),
    )


def _line(verdict: GroupVerdict) -> Line:
    line: Line = {
        "status": verdict.status,
        "reasons": list(verdict.reasons) or None,
        "rule": verdict.rule,
        "target": verdict.target,
    }
    if verdict.notes:
        line["notes"] = list(verdict.notes)
    return line
