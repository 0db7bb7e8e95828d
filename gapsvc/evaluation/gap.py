"""The gap record's rules: status and reasons from populations and what the measure says (design/gaps.md).

Pure decision tables; no CQL here. `evaluator.py` reads the measure's defines into `Said` and hands it to `judge`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from gapsvc.evaluation import wording
from gapsvc.evaluation.result import (
    Basis,
    Counted,
    DataRequirement,
    Discounted,
    GapRecord,
    GapStatus,
    Need,
    Outlook,
    Reason,
)
from gapsvc.evaluation.scoring import remaining
from gapsvc.measures import Requirement
from gapsvc.measures.scoring import SCORINGS_WITH_GAPS


@dataclass(frozen=True, slots=True)
class Said:
    """What a measure's gap defines say for one person and group. All None/empty: the measure has no gap defines."""

    defined: bool
    need: Need | None = None
    needed: int | None = None
    done: int | None = None
    due_from: date | None = None
    due_by: date | None = None
    last_day: date | None = None
    changes_on: date | None = None
    outlook: str | None = None
    counted: tuple[Counted, ...] = ()
    discounted: tuple[Discounted, ...] = ()
    exclusion: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands in a group: the populations, reduced to what the status rules ask."""

    in_initial_population: bool
    eligible: bool  # in the denominator, neither excluded nor excepted
    met: bool

    @staticmethod
    def of(populations: Mapping[str, int], *, inverse: bool, scoring: str = "proportion") -> "Standing":
        """From counts of members; on a resource basis a proportion is met when each of its denominator is.

        Scorings for which DEQM infers no gap leave everybody outside.
        """
        if scoring not in SCORINGS_WITH_GAPS:
            return Standing(False, False, False)
        wanted, done = remaining(populations, "denominator"), remaining(populations, "numerator")
        enough = done >= wanted if scoring == "proportion" else done > 0
        return Standing(
            in_initial_population=populations.get("initial-population", 0) > 0,
            eligible=wanted > 0,
            met=done == 0 if inverse else enough,
        )


def judge(
    standing: Standing, said: Said, *, as_of: date, period_end: date, requirement: Requirement | None, basis: Basis
) -> GapRecord:
    """The gap record of one person in one group, as of one day.

    The order of the rules is gaps.md's. What does not apply to a status is None: a met gap needs nothing and is due at
    no time, a person outside the initial population was not looked at.
    """
    if not standing.in_initial_population:
        return GapRecord(
            status=GapStatus.NOT_APPLICABLE,
            need=None,
            needed=None,
            done=None,
            due_from=None,
            due_by=None,
            last_day=None,
            outlook=Outlook.UNKNOWN,
            reasons=(),
            counted=(),
            discounted=(),
            changes_on=_changes_on(said, as_of, period_end),
            basis=basis,
        )
    if not standing.eligible or standing.met:
        return GapRecord(
            status=_closed_status(standing, said, period_end),
            need=None,
            needed=said.needed,
            done=said.done,
            due_from=None,
            due_by=None,
            last_day=said.last_day,
            outlook=Outlook.MET if standing.eligible else Outlook.UNKNOWN,
            reasons=(_met_reason(said) if standing.eligible else _excluded_reason(said),),
            counted=said.counted,
            discounted=said.discounted,
            changes_on=_changes_on(said, as_of, period_end),
            basis=basis,
        )
    outlook = _outlook(said, as_of, period_end)
    return GapRecord(
        status=_pending_status(said, outlook, as_of),
        need=said.need,
        needed=said.needed,
        done=said.done,
        due_from=said.due_from,
        due_by=said.due_by,
        last_day=said.last_day,
        outlook=outlook,
        reasons=(_pending_reason(said, outlook, requirement),),
        counted=said.counted,
        discounted=said.discounted,
        changes_on=_changes_on(said, as_of, period_end),
        basis=basis,
    )


def _closed_status(standing: Standing, said: Said, period_end: date) -> GapStatus:
    """A met need that will lapse before the period ends is prospective: `last_day` of a met gap that the measure says
    comes before the period's end, with a due_from after it, would be such a lapse."""
    lapses = standing.eligible and said.due_from is not None and said.due_from <= period_end
    return GapStatus.PROSPECTIVE if lapses else GapStatus.CLOSED


def _pending_status(said: Said, outlook: Outlook, as_of: date) -> GapStatus:
    not_due_yet = said.due_from is not None and as_of < said.due_from
    return GapStatus.PROSPECTIVE if not_due_yet and outlook is not Outlook.MISSED else GapStatus.OPEN


def _outlook(said: Said, as_of: date, period_end: date) -> Outlook:
    """The measure's own word; without one, what the dates alone say."""
    if said.outlook is not None:
        return Outlook(said.outlook)
    if as_of > (said.last_day or period_end):
        return Outlook.MISSED
    if said.due_by is not None:
        return Outlook.AT_RISK if as_of > said.due_by else Outlook.ON_TRACK
    return Outlook.UNKNOWN


def _changes_on(said: Said, as_of: date, period_end: date) -> date | None:
    """A measure without gap defines can't say: any day may change it, and to be safe the next one does."""
    if said.defined:
        return said.changes_on
    return as_of + timedelta(days=1)


def _met_reason(said: Said) -> Reason:
    if said.needed is None or said.done is None:
        return Reason("Present", "what the measure asks for is there")
    return Reason("CountInRange", f"{said.done} of {said.needed} done")


def _excluded_reason(said: Said) -> Reason:
    return Reason("Present", wording.not_counted(said.exclusion))


def _pending_reason(said: Said, outlook: Outlook, requirement: Requirement | None) -> Reason:
    wanted = (
        None
        if requirement is None or outlook is Outlook.MISSED
        else DataRequirement(
            resource_type=requirement.resource_type,
            code_path=requirement.code_path,
            value_set=requirement.value_set,
            date_path=requirement.date_path,
            date_from=said.due_from,
            date_to=said.last_day,
        )
    )
    if said.needed is None or said.done is None:
        return Reason("Missing", "what the measure asks for was not found", requirement=wanted)
    code = "CountOutOfRange" if said.done or said.counted or said.discounted else "NotFound"
    text = f"{said.done} of {said.needed} done"
    if said.last_day is not None:
        text += f"; last day {wording.day(said.last_day)}"
    if outlook is Outlook.MISSED:
        text += "; no longer possible"
    return Reason(code, text, requirement=wanted)
