"""Conditional skip (Logic Specification 6.2, also 7.1 and 7.6): may a target dose be left out?"""

from collections.abc import Sequence

from .history import Dose, Person
from .schedule import Skip, SkipCondition
from .verdicts import VALID, Verdict


def can_skip(
    skips: Sequence[Skip],
    person: Person,
    earlier: Sequence[Dose],
    verdicts: Sequence[Verdict],
    completed: frozenset[str],
    reference: int,
    anchor: int,
) -> bool:
    """Table 6-11 for a target dose: whether any of its skips applies.

    `earlier`, `verdicts`: the antigen's doses before the one in question and what this series made of them.
    `completed`: series groups of the antigen with a complete series. `reference`: CONDSKIP-2's reference date.
    `anchor`: the day on which a set must be in force (RELEVANT-1, RELEVANT-2).
    """
    for skip in skips:
        # Plain loops: this is asked for most targets of most series, and generators cost more than the conditions do.
        in_force = False
        met = skip.all_of
        for one in skip.sets:
            if not one.effective <= anchor <= one.cessation:
                continue
            in_force = True
            all_of = one.all_of
            set_met = all_of
            for condition in one.conditions:
                if _is_met(condition, person, earlier, verdicts, completed, reference) != all_of:
                    set_met = not all_of
                    break
            if set_met != skip.all_of:
                met = set_met
                break
        if in_force and met:
            return True
    return False


def _is_met(
    condition: SkipCondition,
    person: Person,
    earlier: Sequence[Dose],
    verdicts: Sequence[Verdict],
    completed: frozenset[str],
    reference: int,
) -> bool:
    """Tables 6-6 (age), 6-7 (completed series), 6-8 (interval), 6-9 (count)."""
    kind = condition.kind
    if kind == "count":
        return _count_is_met(condition, person, earlier, verdicts)
    if kind == "age":
        begin, end = condition.begin, condition.end
        return (begin is None or reference >= person.ages[begin]) and (end is None or reference < person.ages[end])
    if kind == "interval":
        interval = condition.interval
        return bool(earlier) and interval is not None and reference >= interval.after(earlier[-1].day)
    return not condition.series_groups.isdisjoint(completed)


def _count_is_met(
    condition: SkipCondition, person: Person, earlier: Sequence[Dose], verdicts: Sequence[Verdict]
) -> bool:
    """CONDSKIP-1 and Table 6-9."""
    count = 0
    if earlier:
        begin, end = condition.begin, condition.end
        start = condition.start_day if begin is None else max(condition.start_day, person.ages[begin])
        stop = condition.end_day if end is None else min(condition.end_day, person.ages[end])
        vaccines, valid_only = condition.vaccines, condition.valid_only
        for dose, verdict in zip(earlier, verdicts, strict=True):
            if (
                start <= dose.day < stop
                and (not vaccines or dose.cvx in vaccines)
                and (not valid_only or verdict.status == VALID)
            ):
                count += 1
    if condition.comparison == ">":
        return count > condition.count
    return count == condition.count if condition.comparison == "=" else count < condition.count
