"""Measures as the page says them: where the child stands in each rate, in words, and the evidence on both sides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from gapsvc.evaluation import wording
from gapsvc.evaluation.child import VISITS
from gapsvc.evaluation.result import Counted, Discounted, GapRecord, GapStatus, GroupResult, MeasureResult, Outlook
from gapsvc.web.sources import Evidence
from gapsvc.web.words import capital

_POPULATIONS = {  # a population that a person is counted in, where no sentence of `_standing` fits
    "initial-population": "in the initial population",
    "denominator": "in the denominator",
    "denominator-exclusion": "excluded from the denominator",
    "denominator-exception": "an exception to the denominator",
    "numerator": "in the numerator",
    "numerator-exclusion": "excluded from the numerator",
    "measure-population": "in the measure population",
    "measure-population-exclusion": "excluded from the measure population",
    "measure-observation": "observed",
}


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A resource that was looked at. `why` is empty for one that counts."""

    counts: bool
    kind: str
    name: str
    day: str
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class RateRow:
    """One rate. `state` and `label` say its status; `progress` "2 of 3"; `facts` what is needed and when."""

    title: str
    state: str
    label: str
    progress: str
    standing: str
    facts: tuple[str, ...]
    evidence: tuple[EvidenceRow, ...]


@dataclass(frozen=True, slots=True)
class MeasureCard:
    """One measure with the rates in whose population the child is. `elsewhere`: titles of the other rates."""

    title: str
    id: str
    version: str
    period: str
    rates: tuple[RateRow, ...]
    elsewhere: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measures:
    """`cards` of the measures that are about this child; `others`: titles of those that are not; `failed`: what
    could not be evaluated."""

    cards: tuple[MeasureCard, ...]
    others: tuple[str, ...]
    failed: tuple[str, ...]


def measures(results: Iterable[MeasureResult], failed: Iterable[str], evidence: Evidence) -> Measures:
    """The section of a child's measures; those with something open come first."""
    cards: list[tuple[int, MeasureCard]] = []
    others: list[str] = []
    for result in results:
        about = [
            group for group in result.groups if group.gap.status is not GapStatus.NOT_APPLICABLE or _counted(group)
        ]
        if not about:
            others.append(result.measure_title)
            continue
        rates = tuple(_rate(group, evidence) for group in about)
        card = MeasureCard(
            title=result.measure_title,
            id=result.measure_id,
            version=result.measure_version,
            period=f"{wording.day(result.period_start)} to {wording.day(result.period_end)}",
            rates=rates,
            elsewhere=tuple(group.description for group in result.groups if group not in about),
        )
        cards.append((min(_ORDER.index(rate.state) for rate in rates), card))
    ranked = sorted(cards, key=lambda pair: pair[0])
    named = tuple("visit schedule" if one == VISITS else f"measure {one}" for one in failed)
    return Measures(tuple(card for _, card in ranked), tuple(others), named)


_ORDER = ("overdue", "due", "later", "lost", "done", "past")


def _counted(group: GroupResult) -> bool:
    return any(group.populations.values())


def _rate(group: GroupResult, evidence: Evidence) -> RateRow:
    gap = group.gap
    state, label = _status(gap)
    return RateRow(
        title=group.description,
        state=state,
        label=label,
        progress="" if gap.needed is None or gap.done is None else f"{gap.done} of {gap.needed}",
        standing=_standing(group),
        facts=tuple(_facts(gap)),
        evidence=(
            *(_evidence_counted(one, evidence) for one in gap.counted),
            *(_evidence_discounted(one, evidence) for one in gap.discounted),
        ),
    )


def _status(gap: GapRecord) -> tuple[str, str]:
    match gap.status:
        case GapStatus.OPEN if gap.outlook is Outlook.MISSED:
            return "lost", "Not met, no longer possible"
        case GapStatus.OPEN if gap.outlook is Outlook.AT_RISK:
            return "overdue", "Open, at risk"
        case GapStatus.OPEN:
            return "due", "Open"
        case GapStatus.PROSPECTIVE:
            return "later", "Due later"
        case GapStatus.CLOSED if gap.outlook is Outlook.MET:
            return "done", "Met"
        case GapStatus.CLOSED:
            return "past", "Excluded"
        case GapStatus.NOT_APPLICABLE:
            return "past", "No gaps in this measure"


def _standing(group: GroupResult) -> str:
    """The populations in words."""
    gap, populations = group.gap, group.populations
    match gap.status:
        case GapStatus.CLOSED if gap.outlook is not Outlook.MET:
            return f"{capital(', '.join(_names(populations)))}."
        case GapStatus.CLOSED:
            return "Counts in this rate (denominator), and counts as met (numerator)."
        case GapStatus.OPEN | GapStatus.PROSPECTIVE:
            in_numerator = bool(populations.get("numerator"))
            said = "and in the numerator" if in_numerator else "and not as met (not in the numerator)"
            return f"Counts in this rate (denominator), {said}{'' if gap.outlook is Outlook.MISSED else ' so far'}."
        case GapStatus.NOT_APPLICABLE:
            return f"{capital(', '.join(_names(populations)))}." if _names(populations) else ""


def _excluded(gap: GapRecord) -> str:
    return gap.reasons[0].text if gap.reasons else "not counted in this rate"


def _names(populations: Mapping[str, int]) -> list[str]:
    return [_POPULATIONS.get(name, name.replace("-", " ")) for name, number in populations.items() if number]


def _facts(gap: GapRecord) -> Iterable[str]:
    if gap.status is GapStatus.CLOSED and gap.outlook is not Outlook.MET:
        yield capital(_excluded(gap))
    if gap.status not in (GapStatus.OPEN, GapStatus.PROSPECTIVE):
        return
    if gap.need is not None:
        yield capital(gap.need.text)
    if gap.outlook is Outlook.MISSED:
        if gap.last_day is not None:
            yield f"The last day was {wording.day(gap.last_day)}"
        return
    days = [
        f"{word} {wording.day(value)}"
        for word, value in (("from", gap.due_from), ("by", gap.due_by), ("last day", gap.last_day))
        if value is not None
    ]
    if days:
        yield capital(", ".join(days))


def _evidence_counted(one: Counted, evidence: Evidence) -> EvidenceRow:
    said = evidence.of(one.reference)
    return EvidenceRow(True, said.kind, said.name, _day(one.on), "", said.source)


def _evidence_discounted(one: Discounted, evidence: Evidence) -> EvidenceRow:
    said = evidence.of(one.reference)
    return EvidenceRow(False, said.kind, said.name, _day(one.on), capital(one.text), said.source)


def _day(value: date | None) -> str:
    return "day not known" if value is None else wording.day(value)
