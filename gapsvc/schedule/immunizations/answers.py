"""An outcome as the JSON object of a result line: vaccine groups, and what became of every dose."""

from collections.abc import Iterable
from typing import Any

from .calendar import iso
from .engine import Outcome
from .grouping import GroupForecast, products
from .history import Dose
from .selection import Evaluated
from .verdicts import EXTRANEOUS, NOT_VALID, SUB_STANDARD, VALID, Verdict

Line = dict[str, Any]

# A dose of several antigens of one group: what must be repeated for any of them comes before what counts.
_GROUP_STATUS = (NOT_VALID, SUB_STANDARD, VALID, EXTRANEOUS)


def answer(outcome: Outcome) -> Line:
    """The result line. Dates are `yyyy-mm-dd`; null where there is none."""
    remarks = outcome.person.remarks
    by_position = {dose.position: dose for dose in outcome.person.doses}
    doses: list[Line] = []
    for position, given in enumerate(outcome.case.doses):
        line: Line = {"date": given.given.isoformat() if given.given else None, "cvx": given.cvx, "groups": {}}
        if position in by_position:
            line["groups"] = dose_groups(outcome, by_position[position])
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


def dose_groups(outcome: Outcome, dose: Dose) -> dict[str, Line]:
    """Vaccine group → what became of the dose there, overall and by type of series.

    Overall is the verdict of the best series: the standard one's where it has one and it calls the dose valid,
    otherwise the best that any best series makes of it. Null where no series of the group looked at the dose.
    """
    vaccine = outcome.schedule.vaccines.get(dose.cvx)
    groups: dict[str, Line] = {}
    for antigen, _, _ in vaccine.antigens if vaccine else ():
        known = outcome.schedule.antigens.get(antigen)
        if known is not None and dose in outcome.person.records.get(antigen, ()):
            groups.setdefault(known.vaccine_group, {})
    for group in groups:
        by_type = {
            kind: verdicts for kind in ("standard", "risk") if (verdicts := _verdicts(outcome, group, kind, dose))
        }
        lines = {kind: _line(verdicts) for kind, verdicts in by_type.items()}
        chosen = min(
            lines.values(),
            key=lambda line: (VALID, EXTRANEOUS, NOT_VALID, SUB_STANDARD).index(line["status"]),
            default={"status": None, "reasons": None, "rule": None, "target": None},
        )
        groups[group] = {**chosen, "by_type": lines}
    return groups


def _verdicts(outcome: Outcome, group: str, series_type: str, dose: Dose) -> list[Verdict]:
    """The verdicts on a dose of the series that speak for a group; else those of the best series of that type."""
    speaking: Iterable[Evaluated] = (
        one
        for forecast in outcome.forecasts.get(group, ())
        if forecast.series_type == series_type
        for one in forecast.series
    )
    return [verdict for one in speaking if (verdict := verdict_on(one, dose)) is not None]


def verdict_on(one: Evaluated, dose: Dose) -> Verdict | None:
    """What a series made of a dose; None if the dose isn't a record of its antigen."""
    for record, verdict in zip(one.progress.records, one.progress.verdicts, strict=True):
        if record is dose:
            return verdict
    return None


def _line(verdicts: list[Verdict]) -> Line:
    decisive = min(verdicts, key=lambda verdict: _GROUP_STATUS.index(verdict.status))
    reasons = dict.fromkeys(
        reason.text for verdict in verdicts if verdict.status == decisive.status for reason in verdict.reasons
    )
    notes = dict.fromkeys(
        note.text for verdict in verdicts if verdict.status == decisive.status for note in verdict.notes
    )
    line: Line = {
        "status": decisive.status,
        "reasons": list(reasons) or None,
        "rule": decisive.rule,
        "target": decisive.target,
    }
    if notes:
        line["notes"] = list(notes)
    return line
