"""The page of one child: everything that its template shows, made of a ChildView. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta

from gapsvc.evaluation import wording
from gapsvc.evaluation.child import ChildView
from gapsvc.evaluation.services import service_of_item
from gapsvc.schedule.visits.plan import ServiceState, SlotStatus, VisitPlan
from gapsvc.web.due import Due, due
from gapsvc.web.immunizations import Immunizations, immunizations
from gapsvc.web.measures import Measures, measures
from gapsvc.web.people import Person, person_of
from gapsvc.web.sources import Evidence
from gapsvc.web.timeline import Timeline, timeline
from gapsvc.web.words import capital, day_in, joined

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """One screening or service of the visit schedule."""

    title: str
    at: str
    state: str
    label: str
    words: str
    by_risk: bool
    source: str
    confidential: bool


@dataclass(frozen=True, slots=True)
class LeftOutRow:
    """A visit or service that fills no place in the schedule, and why."""

    kind: str
    name: str
    day: str
    why: str
    source: str
    confidential: bool


@dataclass(frozen=True, slots=True)
class Visits:
    """The timeline, the screenings in three lists, visits that fill no slot, and what our data can't show."""

    timeline: Timeline
    open: tuple[ServiceRow, ...]
    done: tuple[ServiceRow, ...]
    lost: tuple[ServiceRow, ...]
    left_out: tuple[LeftOutRow, ...]
    untracked: str


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A remark on the data: what it is about, and what it says."""

    about: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source of the record, and as of when its data are known."""

    name: str
    as_of: str


@dataclass(frozen=True, slots=True)
class ChildPage:
    """All sections. `has_confidential`: something is not printed. `visits` and `immunizations` are None where the
    record has no whole birth date."""

    person: Person
    as_of: str
    next_change: str
    notices: tuple[str, ...]
    has_confidential: bool
    due: Due
    visits: Visits | None
    immunizations: Immunizations | None
    measures: Measures
    findings: tuple[FindingRow, ...]
    sources: tuple[SourceRow, ...]
    basis: tuple[tuple[str, str], ...]


def child_page(view: ChildView) -> ChildPage:
    """The page of a child as of the view's day."""
    evidence = Evidence(view.record)
    born = day_in(view.record.patient.get("birthDate"))
    person = person_of(view.record.patient, view.as_of)
    visits = None if view.visits is None or born is None else _visits(view.visits, born, view.as_of, evidence)
    return ChildPage(
        person=person,
        as_of=wording.day(view.as_of),
        next_change=wording.day(view.changes_on) if view.changes_on else "",
        notices=tuple(capital(notice) for notice in view.notices if not person.died),
        has_confidential=any(action.confidential for action in view.actions)
        or (visits is not None and any(row.confidential for row in (*visits.open, *visits.done, *visits.lost))),
        due=due(view.actions, view.as_of, can_be_told=view.vaccines is not None or bool(person.died)),
        visits=visits,
        immunizations=(
            None
            if view.vaccines is None or born is None
            else immunizations(view.vaccines, evidence, born, view.as_of, closed=bool(person.died))
        ),
        measures=measures(view.results, view.failed, evidence),
        findings=tuple(_findings(view, evidence)),
        sources=_sources(view),
        basis=tuple(_basis(view)),
    )


_OPEN = {
    SlotStatus.OVERDUE: ("overdue", "Overdue"),
    SlotStatus.DUE: ("due", "Due now"),
    SlotStatus.DUE_SOON: ("later", "Due soon"),
}
_LOST = {SlotStatus.MISSED: ("lost", "Missed"), SlotStatus.AGED_OUT: ("past", "Not known")}


def _visits(plan: VisitPlan, born: date, as_of: date, evidence: Evidence) -> Visits:
    """Left out are screenings that are not due yet, and what is measured at every visit: neither asks for anything."""

    def rows(*wanted: SlotStatus) -> tuple[ServiceRow, ...]:
        found = (
            service
            for status in wanted
            for service in plan.services
            if service.status is status and not service.with_visit
        )
        return tuple(_service(service, evidence) for service in found)

    return Visits(
        timeline=timeline(plan, born, as_of),
        open=rows(*_OPEN),
        done=rows(SlotStatus.DONE),
        lost=rows(*_LOST),
        left_out=tuple(
            LeftOutRow(
                said.kind,
                said.name,
                wording.day(one.on) if one.on else "day not known",
                capital(wording.discounted(one.reason)),
                said.source,
                _is_confidential(one.item),
            )
            for one in plan.left_out
            for said in (evidence.of(one.reference),)
        ),
        untracked="; ".join(plan.untracked),
    )


def _service(service: ServiceState, evidence: Evidence) -> ServiceRow:
    state, label = {**_OPEN, **_LOST}.get(service.status, ("done", "Done"))
    if service.status is SlotStatus.DONE:
        words = joined([wording.day(done.on) for done in service.done])
    elif service.status in _LOST:
        words = f"last day was {wording.day(service.last_day)}"
    elif service.status is SlotStatus.DUE_SOON:
        words = f"from {wording.day(service.due_from)}"
    else:
        overdue = service.status is SlotStatus.OVERDUE
        words = f"since {wording.day(service.due_by + _DAY)}" if overdue else f"by {wording.day(service.due_by)}"
        if service.last_day != service.due_by:
            words += f", last day {wording.day(service.last_day)}"
    sources = dict.fromkeys(evidence.of(done.reference).source for done in service.done)
    return ServiceRow(
        title=service.title,
        at=service.at,
        state=state,
        label=label,
        words=words,
        by_risk=not service.universal,
        source=joined([source for source in sources if source]),
        confidential=_is_confidential(service.item),
    )


def _is_confidential(item: str) -> bool:
    known = service_of_item(item)
    return known is not None and known.confidential


def _findings(view: ChildView, evidence: Evidence) -> list[FindingRow]:
    found: list[FindingRow] = []
    for finding in view.record.findings:
        said = evidence.of(finding.reference)
        about = said.kind if finding.reference.startswith("Patient/") else f"{said.kind}: {said.name}"
        found.append(FindingRow(about, capital(finding.text), said.source))
    return found


def _sources(view: ChildView) -> tuple[SourceRow, ...]:
    names = sorted({*view.record.data_as_of, *view.record.sources.values()})
    return tuple(SourceRow(name, _moment(view.record.data_as_of.get(name))) for name in names)


def _moment(instant: str | None) -> str:
    """An instant (ISO 8601, UTC) to the minute."""
    if instant is None:
        return "never read to its end"
    day = day_in(instant)
    return f"{wording.day(day)}, {instant[11:16]} UTC" if day and len(instant) >= 16 else instant


def _basis(view: ChildView) -> list[tuple[str, str]]:
    found = [
        (f"Measure {result.measure_id}", f"{result.measure_title}, version {result.measure_version}")
        for result in view.results
    ]
    if view.vaccines is not None:
        found.append(("Immunization schedule", f"CDC, version {view.vaccines.schedule}"))
    if view.visits is not None:
        found.append(("Visit schedule", view.visits.schedule))
    software = {group.gap.basis.software for result in view.results for group in result.groups}
    if software:
        found.append(("Software", joined(sorted(software))))
    return found
