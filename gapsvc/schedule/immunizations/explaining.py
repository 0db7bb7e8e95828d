"""An outcome in words: each series considered, each dose's path through the steps, and why the best series won."""

from .answers import dose_groups
from .calendar import iso
from .engine import assess
from .history import Case
from .schedule import Schedule


def explain(schedule: Schedule, case: Case, group: str | None = None) -> list[str]:
    """Lines that follow a case through CDSi's steps; only those of one vaccine group when `group` names it.

    The case is assessed again with a trace, so that ordinary runs don't pay for one.
    """
    shown = schedule if group is None else _only(schedule, group)
    lines: list[str] = []
    outcome = assess(shown, case, lines.append)
    person = outcome.person
    head = [
        f"case {case.id}, assessed {case.assessed.isoformat()}, schedule {schedule.version} ({schedule.source})",
        *(f"set aside: {f'dose {one.dose + 1}: ' if one.dose is not None else ''}{one.text}" for one in person.remarks),
    ]
    unresolved = [
        f"{antigen.name}: {series.name} applies to: "
        + "; ".join(schedule.observation_titles[one.code] for one in series.indications)
        for antigen in shown.antigens.values()
        for series in antigen.series
        if series.kind == "risk" and all(one.series is not series for one in outcome.evaluated.get(antigen.name, ()))
    ]
    tail = ["doses:"]
    groups = dose_groups(outcome)
    for dose in person.doses:
        verdicts = groups[dose.position].items()
        words = "; ".join(f"{name}: {line['status']}" for name, line in verdicts) or "no vaccine group"
        tail.append(f"  {iso(dose.day)} CVX {dose.cvx}: {words}")
    if not person.doses:
        tail.append("  none")
    if unresolved:
        tail.append("series not considered, for want of an observation:")
        tail.extend(f"  {line}" for line in unresolved)
    return [*head, *lines, *tail]


def _only(schedule: Schedule, group: str) -> Schedule:
    """The schedule with one vaccine group. Raises KeyError when there is no such group."""
    wanted = schedule.groups[group]
    return Schedule(
        version=schedule.version,
        source=schedule.source,
        antigens={name: schedule.antigens[name] for name in wanted.antigens},
        groups={group: wanted},
        vaccines=schedule.vaccines,
        conflicts=schedule.conflicts,
        conflicting=schedule.conflicting,
        observation_titles=schedule.observation_titles,
        observation_codes=schedule.observation_codes,
    )
