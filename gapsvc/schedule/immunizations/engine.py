"""A case through the whole process (Logic Specification Table 4-1): history, series, best series, vaccine groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .evaluation import evaluate
from .forecasting import bars, forecast
from .grouping import GroupForecast, group_forecasts
from .history import NO_RECORDS, Case, Person, organise
from .patient_series import PatientSeries
from .schedule import Antigen, Schedule
from .selection import Evaluated, Selected, relevant_series, select
from .verdicts import COMPLETE, Trace

NOTHING_COMPLETE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """All that the schedule says of a case. `evaluated`, `selected`: by antigen, in the schedule's order."""

    schedule: Schedule
    case: Case
    person: Person
    evaluated: Mapping[str, Sequence[Evaluated]]
    selected: Mapping[str, Selected]
    forecasts: Mapping[str, Sequence[GroupForecast]]


def assess(schedule: Schedule, case: Case, trace: Trace = None, *, previous: Outcome | None = None) -> Outcome:
    """Evaluate and forecast every antigen. Never raises for what a record holds; see `Outcome.person.remarks`.

    `previous`: an earlier outcome of the same person on the same day (before a dose was added, say). Antigens for which
    nothing that concerns them has changed keep their result; the answer is the same with and without it.
    """
    person = organise(schedule, case)
    known = previous if previous is not None and trace is None and _is_comparable(schedule, person, previous) else None
    evaluated: dict[str, Sequence[Evaluated]] = {}
    selected: dict[str, Selected] = {}
    for antigen in schedule.antigens.values():
        if known is not None and _is_unchanged(antigen, person, known.person):
            if antigen.name in known.evaluated:
                evaluated[antigen.name] = known.evaluated[antigen.name]
                selected[antigen.name] = known.selected[antigen.name]
            continue
        found = _assess_antigen(antigen, person, trace)
        if found:
            evaluated[antigen.name] = found
            selected[antigen.name] = select(found, person, trace)
    forecasts = group_forecasts(schedule, person, selected, trace)
    return Outcome(schedule, case, person, evaluated, selected, forecasts)


def _is_comparable(schedule: Schedule, person: Person, previous: Outcome) -> bool:
    """Whether an earlier outcome is of the same schedule, day and person, as far as the rules look at these."""
    before = previous.person
    return previous.schedule is schedule and (
        (person.born, person.assessed, person.gender, person.birth_country)
        == (before.born, before.assessed, before.gender, before.birth_country)
    )


def _is_unchanged(antigen: Antigen, person: Person, before: Person) -> bool:
    """Whether all doses and observations that concern an antigen are the same, in the same places."""
    if [dose for dose in person.doses if dose.cvx in antigen.concerned] != [
        dose for dose in before.doses if dose.cvx in antigen.concerned
    ]:
        return False
    seen = antigen.observations
    return person.active & seen == before.active & seen and all(
        person.observed_on.get(code) == before.observed_on.get(code) for code in person.active & seen
    )


def _assess_antigen(antigen: Antigen, person: Person, trace: Trace) -> list[Evaluated]:
    """Figure 4-5 for the antigen's relevant series."""
    relevant = relevant_series(antigen, person)
    if not relevant:
        return []
    records = person.records.get(antigen.name, NO_RECORDS)
    barred = bars(antigen, person)
    completed = NOTHING_COMPLETE
    found: list[Evaluated] = []
    for series in relevant:
        if trace:
            trace(f"{antigen.name}: {series.name} ({series.kind}, series group {series.series_group})")
        progress = PatientSeries(series, records, completed)
        if records:
            evaluate(progress, person, trace)
        made = forecast(progress, person, barred, trace)
        if made.status == COMPLETE:
            completed |= {series.series_group}
        found.append(Evaluated(series, progress, made, barred))
    return found
