"""Select the best patient series of an antigen (Logic Specification chapters 5 and 8)."""

from collections.abc import Sequence
from typing import NamedTuple

from .calendar import Offset
from .forecasting import Bars, Forecast
from .history import Person
from .patient_series import PatientSeries
from .schedule import Antigen, Series
from .verdicts import COMPLETE, CONTRAINDICATED, NOT_COMPLETE, VALID, Trace

NO_PREFERENCE = 1_000  # a series without a preference ranks behind those that have one


class Evaluated(NamedTuple):
    """A relevant series with its evaluation and forecast."""

    series: Series
    progress: PatientSeries
    forecast: Forecast
    barred: Bars

    @property
    def is_complete(self) -> bool:
        """SELECTB-6."""
        return self.forecast.status == COMPLETE

    @property
    def is_in_process(self) -> bool:
        """SELECTB-16."""
        return self.forecast.status == NOT_COMPLETE and self.progress.satisfied > 0


def relevant_series(antigen: Antigen, person: Person) -> Sequence[Series]:
    """Table 5-5: the series that concern this person, in the order in which they must be evaluated."""
    if not person.active:
        return antigen.without_indication[person.gender]
    return [
        series
        for series in antigen.series
        if (not series.genders or person.gender in series.genders)
        and (series.kind != "risk" or _indicated(series, person))
    ]


def _indicated(series: Series, person: Person) -> bool:
    """Table 5-4 for any of the series' indications."""
    return any(
        indication.code in person.active and _in_window(person, indication.begin, indication.end)
        for indication in series.indications
    )


def _in_window(person: Person, begin: Offset | None, end: Offset | None) -> bool:
    assessed, ages = person.assessed, person.ages
    return (begin is None or assessed >= ages[begin]) and (end is None or assessed < ages[end])


class Selected(NamedTuple):
    """The prioritized series of an antigen, one per series group at most, and those of them that are best."""

    prioritized: Sequence[Evaluated]
    best: Sequence[Evaluated]


def select(evaluated: Sequence[Evaluated], person: Person, trace: Trace = None) -> Selected:
    """The prioritized and the best patient series among an antigen's relevant series (chapter 8)."""
    if len(evaluated) == 1 and not trace and _speaks_alone(evaluated[0]):
        return Selected(evaluated, evaluated)
    groups: dict[str, list[Evaluated]] = {}
    for one in evaluated:
        groups.setdefault(one.series.series_group, []).append(one)
    prioritized: dict[str, Evaluated] = {}
    for name, members in groups.items():
        chosen = _prioritized(members, person, trace)
        if chosen is not None:
            prioritized[name] = chosen
            if trace:
                trace(f"  series group {name}: {chosen.series.name} is the prioritized series")
    best: list[Evaluated] = []
    for one in prioritized.values():
        names = one.series.equivalent_groups if len(prioritized) > 1 else ()
        equivalent = [prioritized[name] for name in names if name in prioritized]
        if one.is_complete:
            is_best, why = True, "it is complete"
        elif equivalent and any(other.is_complete for other in equivalent):
            is_best, why = False, "a series of an equivalent group is complete"
        elif one.series.kind == "evaluation only":
            is_best, why = False, "it is for evaluation only, and not complete"
        elif one.series.kind == "risk":
            is_best, why = True, "it is a risk series, and no equivalent group has a complete one"
        elif equivalent and any(other.series.kind == "risk" for other in equivalent):
            is_best, why = False, "a risk series of an equivalent group takes its place"
        else:
            is_best, why = True, "no equivalent group has a complete or a risk series"
        if trace:
            trace(f"  {one.series.name} is {'a best' if is_best else 'not a best'} series: {why} [Table 8-14]")
        if is_best:
            best.append(one)
    return Selected(tuple(prioritized.values()), best)


def _speaks_alone(one: Evaluated) -> bool:
    """Whether an antigen's only relevant series wins without comparison: a standard default, or a risk series."""
    return one.series.kind == "risk" or (one.series.kind == "standard" and one.series.is_default)


def _prioritized(members: Sequence[Evaluated], person: Person, trace: Trace) -> Evaluated | None:
    """Sections 8.1 to 8.7 for one series group."""
    if not trace:
        unstarted = _unstarted_default(members)
        if unstarted is not None:
            return unstarted
    open_to = [one for one in members if one.forecast.status != CONTRAINDICATED] or list(members)  # SELECTB-24
    defaults = [one for one in open_to if one.series.is_default]
    default = defaults[0] if len(defaults) == 1 else None
    scorable = _scorable(members, bool(defaults), person, ignored=len(members) - len(open_to))
    # Table 8-3
    if not scorable:
        chosen, why = default, "nothing is scorable: the default"
    elif len(scorable) == 1:
        chosen, why = scorable[0], "the only scorable series"
    else:
        complete = [one for one in scorable if one.is_complete]
        in_process = [one for one in scorable if one.is_in_process]
        if len(complete) == 1:
            chosen, why = complete[0], "the only complete series"
        elif not complete and len(in_process) == 1:
            chosen, why = in_process[0], "the only series in process"
        elif not complete and not in_process and default is not None:
            chosen, why = default, "none is complete or in process: the default"
        else:
            return _highest_score(complete, in_process, scorable, person, trace)
    if trace:
        trace(f"  {chosen.series.name if chosen else 'no series'}: {why} [Table 8-3]")
    return chosen


def _unstarted_default(members: Sequence[Evaluated]) -> Evaluated | None:
    """The default of a standard group without any valid dose: what Tables 8-2 and 8-3 come to there, at once."""
    default = None
    for one in members:
        if one.progress.given or one.series.kind != "standard":
            return None
        if one.series.is_default:
            if default is not None or one.forecast.status == CONTRAINDICATED:
                return None
            default = one
    return default


def _scorable(members: Sequence[Evaluated], has_default: bool, person: Person, *, ignored: int) -> list[Evaluated]:
    """SELECTSCORE-2. `ignored`: how many members are contraindicated, and give way to others (SELECTB-24)."""
    highest = min([one.series.priority for one in members])
    nothing_valid = not any(one.progress.given for one in members)
    found: list[Evaluated] = []
    for one in members:
        series = one.series
        if series.kind == "evaluation only":
            if one.is_complete:
                found.append(one)
        elif ignored and one.forecast.status == CONTRAINDICATED:
            continue
        elif series.kind == "risk":
            if series.priority == highest:
                found.append(one)
        elif nothing_valid:
            if not has_default:
                found.append(one)
        else:
            first = one.progress.first_valid_day()
            limit = series.max_age_to_start
            if first is not None and (limit is None or first < person.ages[limit]):
                found.append(one)
    return found


def _highest_score(
    complete: Sequence[Evaluated],
    in_process: Sequence[Evaluated],
    scorable: Sequence[Evaluated],
    person: Person,
    trace: Trace,
) -> Evaluated:
    """Table 8-5 chooses what to score and how; SELECTBEST-2 takes the highest, then the preference, then the order."""
    if len(complete) >= 2:
        chosen, points, rule = complete, score_complete(complete), "Table 8-7"
    elif len(in_process) >= 2:
        chosen, points, rule = in_process, score_in_process(in_process, person), "Table 8-9"
    else:
        chosen, points, rule = scorable, score_without_valid_doses(scorable, person), "Table 8-11"
    if trace:
        for one, score in zip(chosen, points, strict=True):
            trace(f"  {one.series.name}: {score:+d} points, preference {one.series.preference} [{rule}]")
    ranked = sorted(
        zip(points, chosen, strict=True),
        key=lambda pair: (
            -pair[0],
            NO_PREFERENCE if pair[1].series.preference is None else pair[1].series.preference,
            pair[1].series.index,
        ),
    )
    return ranked[0][1]


def _alone_tied_not(values: Sequence[int | None], best: int | None, alone: int) -> list[int]:
    """Points for having the best value: `alone` when no other has it, 0 when tied, minus `alone` otherwise."""
    tied = sum(1 for value in values if value is not None and value == best)
    return [-alone if value is None or value != best else (alone if tied == 1 else 0) for value in values]


def score_complete(candidates: Sequence[Evaluated]) -> list[int]:
    """Table 8-7: most valid doses."""
    valid = [one.progress.satisfied for one in candidates]
    return _alone_tied_not(valid, max(valid), 1)


def score_in_process(candidates: Sequence[Evaluated], person: Person) -> list[int]:
    """Table 8-9: product path, completable, most valid doses, closest to completion, finishes earliest."""
    valid = [one.progress.satisfied for one in candidates]
    waiting = [one.progress.unsatisfied for one in candidates]
    finish = [finish_day(one, person) for one in candidates]
    able = [is_completable(one, day, person) for one, day in zip(candidates, finish, strict=True)]
    finishing = [day if ok else None for day, ok in zip(finish, able, strict=True)]
    earliest = min((day for day in finishing if day is not None), default=None)
    points = zip(
        [2 if is_whole_product(one) else -2 for one in candidates],
        [3 if ok else -3 for ok in able],
        _alone_tied_not(valid, max(valid), 2),
        _alone_tied_not(waiting, min(waiting), 2),
        _alone_tied_not(finishing, earliest, 1),
        strict=True,
    )
    return [sum(row) for row in points]


def score_without_valid_doses(candidates: Sequence[Evaluated], person: Person) -> list[int]:
    """Table 8-11: starts earliest, completable, not a product path."""
    starts = [one.forecast.start for one in candidates]
    earliest = min((day for day in starts if day is not None), default=None)
    points = zip(
        _alone_tied_not(starts, earliest, 1),
        [1 if is_completable(one, finish_day(one, person), person) else -1 for one in candidates],
        [-1 if one.series.is_product_path else 1 for one in candidates],
        strict=True,
    )
    return [sum(row) for row in points]


def is_whole_product(one: Evaluated) -> bool:
    """SELECTB-2 and SELECTB-23: a product path whose every dose so far is valid."""
    return one.series.is_product_path and all(verdict.status == VALID for verdict in one.progress.verdicts)


def finish_day(one: Evaluated, person: Person) -> int | None:
    """SELECTB-12: the forecast's earliest day plus the longest minimum interval of the targets that remain after it."""
    start = one.forecast.start
    if start is None:
        return None
    progress, assessed, finish = one.progress, person.assessed, start
    for dose in progress.doses[progress.pointer :]:
        for rule in dose.intervals:
            if rule.minimum is not None and rule.effective <= assessed <= rule.cessation:
                finish = max(finish, rule.minimum.after(start))
    return finish


def is_completable(one: Evaluated, finish: int | None, person: Person) -> bool:
    """SELECTB-3: finished before the maximum age of the last target dose, if it has one."""
    if finish is None:
        return False
    rule = one.progress.doses[-1].age_rule(person.assessed)
    return rule is None or rule.maximum is None or finish < person.ages[rule.maximum]
