"""Immunizations as the page says them: by vaccine group, each dose with its verdict and reason, and what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from gapsvc.evaluation import wording
from gapsvc.evaluation.joining import FAR
from gapsvc.evaluation.seasons import NOT_KNOWN
from gapsvc.evaluation.vaccines import JudgedDose, VaccineHistory, Vaccines
from gapsvc.schedule.immunizations.due import ImmunizationNeed
from gapsvc.web.sources import Evidence
from gapsvc.web.words import age, anniversary, capital, counted, joined

_STATES = {"overdue": "overdue", "due": "due", "later": "later"}
_ENDED = {  # CDSi series status, where it asks for nothing now; and ours for what it can't know
    "Complete": ("done", "Complete"),
    "Immune": ("done", "Immune"),
    "Aged Out": ("past", "Past the age for it"),
    "Contraindicated": ("past", "Contraindicated"),
    "Not Recommended": ("past", "Not recommended now"),
    "Not Complete": ("later", "Not complete"),
    NOT_KNOWN: ("past", "Not known"),
}


@dataclass(frozen=True, slots=True)
class DoseRow:
    """One dose, with the schedule's verdict on it and its reasons."""

    valid: bool
    given: str
    age: str
    product: str
    verdict: str
    source: str


@dataclass(frozen=True, slots=True)
class VaccineCard:
    """One vaccine group. `state` and `label` say where it stands, `next` what is needed and when, `count` how many
    doses there are. `is_open`: it is to be read now, since it needs a dose or has one that is not valid."""

    group: str
    state: str
    label: str
    next: str
    count: str
    is_open: bool
    doses: tuple[DoseRow, ...]


@dataclass(frozen=True, slots=True)
class AsideRow:
    """A resource that was not judged."""

    name: str
    day: str
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class Immunizations:
    """`cards`: groups with a dose, or with a need now; `later`: groups that only wait for an age, each with its day;
    `unused`: groups that ask for nothing and were never given. `put_aside`: what was not judged, and why; `unread`
    those of it that are doses which were given, and whose vaccine or day nobody could read."""

    cards: tuple[VaccineCard, ...]
    later: tuple[tuple[str, str], ...]
    unused: tuple[str, ...]
    put_aside: tuple[AsideRow, ...]
    unread: tuple[AsideRow, ...]
    schedule: str


def immunizations(vaccines: Vaccines, evidence: Evidence, born: date, as_of: date, *, closed: bool) -> Immunizations:
    """The section of a child's immunizations; groups that need something now come first.

    `closed`: nothing is asked for any more (the child has died), and only what was given is shown.
    """
    cards: list[tuple[int, VaccineCard]] = []
    later: list[tuple[str, str]] = []
    unused: list[str] = []
    judged = {dose.reference for history in vaccines.histories for dose in history.doses}
    aside: dict[str, list[str]] = {}
    for remark in vaccines.remarks:
        aside.setdefault(remark.reference, []).append(remark.text)
    repeated = {remark.reference for remark in vaccines.remarks if remark.is_repeat}
    for history in (replace(one, need=None) if closed else one for one in vaccines.histories):
        urgency = history.need.urgency if history.need else "none"
        if history.doses or urgency in ("overdue", "due") or _is_unknown(history):
            card = _card(history, evidence, born, as_of)
            cards.append((("overdue", "due", "later", "none").index(urgency), card))
        elif urgency == "later" and history.need is not None and _in_childhood(history.need, born):
            later.append((history.group, _from(history.need)))
        elif not closed:
            unused.append(history.group)
    return Immunizations(
        cards=tuple(card for _, card in sorted(cards, key=lambda pair: pair[0])),
        later=tuple(later),
        unused=tuple(unused),
        put_aside=tuple(_aside(reference, texts, evidence) for reference, texts in aside.items()),
        unread=tuple(
            _aside(reference, texts, evidence)
            for reference, texts in aside.items()
            if reference not in judged and evidence.is_given_dose(reference) and reference not in repeated
        ),
        schedule=vaccines.schedule,
    )


def _is_unknown(history: VaccineHistory) -> bool:
    """Whether the schedule can't say what this season asks for."""
    return history.need is not None and history.need.status == NOT_KNOWN


def _in_childhood(need: ImmunizationNeed, born: date) -> bool:
    """The schedule reaches into old age; this is a child's page."""
    return need.recommended is None or need.recommended < anniversary(born, 12 * 22)


def _aside(reference: str, texts: Sequence[str], evidence: Evidence) -> AsideRow:
    said = evidence.of(reference)
    return AsideRow(said.name, said.day, capital("; ".join(texts)), said.source)


def _card(history: VaccineHistory, evidence: Evidence, born: date, as_of: date) -> VaccineCard:
    state, label, words = _need(history.need, as_of)
    doses = tuple(_dose(dose, evidence, born) for dose in history.doses)
    invalid = sum(dose.verdict in ("not valid", "sub-standard") for dose in history.doses)  # one too many is neither
    return VaccineCard(
        group=history.group,
        state=state,
        label=label,
        next=words,
        count=(counted(len(doses), "dose") if doses else "no dose recorded")
        + (f", {invalid} not valid" if invalid else ""),
        is_open=bool(doses) and (state in ("overdue", "due") or invalid > 0),
        doses=doses,
    )


def _need(need: ImmunizationNeed | None, as_of: date) -> tuple[str, str, str]:
    if need is None:
        return "past", "Given", ""
    if need.urgency == "none":
        state, label = _ENDED.get(need.status, ("past", need.status))
        return (
            state,
            label,
            joined(need.reasons) if state == "past" else "",
        )
    dose = f"Dose {need.number}" if need.number else "A dose"
    if need.urgency == "overdue":
        since = f" since {wording.day(need.overdue_since)}" if need.overdue_since else ""
        return "overdue", "Overdue", f"{dose}{since}{_until(need, as_of)}"
    if need.urgency == "due":
        by = f" by {wording.day(need.due_by)}" if need.due_by else ""
        return "due", "Due", f"{dose}{by or ' now'}{_until(need, as_of)}"
    return "later", "Later", f"{dose} {_from(need)}"


def _from(need: ImmunizationNeed) -> str:
    """When it is recommended, and how early it may be where that is before."""
    if need.recommended is None:
        return "later"
    earliest = need.due_from
    early = earliest is not None and need.recommended - earliest > timedelta(days=0)
    return f"from {wording.day(need.recommended)}" + (
        f" (may be given from {wording.day(earliest)})" if early and earliest is not None else ""
    )


def _until(need: ImmunizationNeed, as_of: date) -> str:
    """The last day, where it is near enough to press."""
    near = need.last_day is not None and need.last_day - as_of <= FAR
    return f", last day {wording.day(need.last_day)}" if need.last_day is not None and near else ""


def _dose(dose: JudgedDose, evidence: Evidence, born: date) -> DoseRow:
    verdict = capital(dose.verdict)
    if dose.reasons:
        verdict += f": {joined(dose.reasons)}"
    return DoseRow(
        valid=dose.valid,
        given=wording.day(dose.given),
        age=age(born, dose.given),
        product=dose.product,
        verdict=verdict,
        source=evidence.of(dose.reference).source,
    )
