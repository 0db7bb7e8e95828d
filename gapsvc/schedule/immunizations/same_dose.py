"""Which records are of one and the same dose: it was given once, and written down by the clinic, a claim, a registry.

CDC's logic specification 4.64 has no rule for this: it takes a history that was cleaned already, and would call the
second record invalid (too soon after the first). The rule here follows the practice of immunization registries
(AIRA/CDC MIROW, "Vaccination level deduplication", cited from memory: same person, same day, same vaccine family; the
more specific record is kept, then the one of who gave the dose).

Days that differ by one are a mistake of one source (a batch entered the day after, a time that crossed midnight), not
two doses: no vaccine is given again the next day. Registries look for repeats over a window of days for that reason;
ours is one day, and only between sources of which neither tells of both. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from types import MappingProxyType

from .history import GivenDose, normal_cvx
from .schedule import Schedule

APART = 1  # days between two sources' records of one dose
_VAGUE = re.compile(r"unspecified|unknown", re.IGNORECASE)

# Vaccines that protect against what others do by another way, and may be given beside them on one day: two doses.
# CVX names of the schedule's own table. A code of neither kind (`89`, polio, unspecified) can be either.
_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "33": "pneumococcal polysaccharide",
        **dict.fromkeys(("100", "133", "152", "177", "215", "216", "327"), "pneumococcal conjugate"),
        **dict.fromkeys(("02", "178", "179", "182"), "oral polio"),
        **dict.fromkeys(("10", "324"), "inactivated polio"),
        **dict.fromkeys(("306", "307", "315", "332"), "RSV antibody"),
        **dict.fromkeys(("303", "305", "314", "326"), "RSV vaccine"),
    }
)


@dataclass(frozen=True, slots=True)
class RecordedDose:
    """One record of a dose. `source` is who reported it, if known; `historical`: not by who gave it."""

    dose: GivenDose
    reference: str
    source: str | None = None
    historical: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """A record that tells of a dose again: `of` is the record that stands for the dose."""

    record: RecordedDose
    of: RecordedDose

    @property
    def is_apart(self) -> bool:
        """Whether it gives another day than the record that stands."""
        return self.record.dose.given != self.of.dose.given


def told_once(
    schedule: Schedule, records: Sequence[RecordedDose], possible: tuple[date, date] = (date.min, date.max)
) -> tuple[list[RecordedDose], list[Repeat]]:
    """The records that stand for a dose each, in their order, and those that repeat one. The order of input decides
    nothing else.

    Two records are of one dose where the day is the same and the antigens of one vaccine are all in the other
    (DTaP and DTaP-HepB-IPV; MMR, varicella and MMRV). They are not where the vaccines differ in kind (`_KINDS`), or
    where one source names two manufacturers or products. What one source calls sub-potent stays so when another
    source doesn't know of it. A record without a day or a CVX code that the schedule knows repeats nothing.

    They are also of one dose a day apart (`APART`) where named sources tell of one day each, the vaccines are alike
    (or one isn't named exactly) and nothing contradicts. The record that stands gives the day; one within `possible`
    (birth and the day of assessment) goes before one that isn't.
    """
    by_day: dict[int, list[int]] = {}
    for at, record in enumerate(records):
        if record.dose.given is not None and _antigens(schedule, record):
            by_day.setdefault(record.dose.given.toordinal(), []).append(at)
    stands: dict[int, RecordedDose] = dict(enumerate(records))
    repeats: list[tuple[int, int]] = []  # (place of the repeat, place of what it repeats)
    for places in by_day.values():
        held = [_antigens(schedule, records[at]) for at in places]
        if len(frozenset[str]().union(*held)) == sum(map(len, held)):
            continue  # no antigen twice
        kept: list[int] = []
        for at in sorted(places, key=lambda at: _preference(schedule, records[at])):
            same = next((other for other in kept if _is_same(schedule, records[at], stands[other])), None)
            if same is None:
                kept.append(at)
                continue
            repeats.append((at, same))
            _put_aside(stands, at, same)
    for at, same in _a_day_apart(schedule, stands, [(records[at], same) for at, same in repeats], possible):
        repeats = [(repeat, same if of == at else of) for repeat, of in repeats] + [(at, same)]
        _put_aside(stands, at, same)
    return list(stands.values()), [Repeat(records[at], stands[same]) for at, same in sorted(repeats)]


def _put_aside(stands: dict[int, RecordedDose], at: int, same: int) -> None:
    repeat = stands.pop(at)
    if repeat.dose.condition and repeat.source != stands[same].source:
        stands[same] = replace(stands[same], dose=replace(stands[same].dose, condition=True))


def _a_day_apart(
    schedule: Schedule,
    stands: Mapping[int, RecordedDose],
    repeats: Sequence[tuple[RecordedDose, int]],
    possible: tuple[date, date],
) -> list[tuple[int, int]]:
    """(place of the repeat, place of what it repeats) among records that stand for doses of two days."""
    told_by: dict[int, set[str | None]] = {at: {record.source} for at, record in stands.items()}
    for record, of in repeats:
        told_by[of].add(record.source)
    if len(set[str | None]().union(*told_by.values())) < 2:
        return []
    dated = {
        at: record.dose.given
        for at, record in stands.items()
        if record.dose.given is not None and _antigens(schedule, record)
    }

    def preference(at: int) -> tuple[object, ...]:
        return (not possible[0] <= dated[at] <= possible[1], *_preference(schedule, stands[at]))

    def are_one(at: int, other: int) -> bool:
        sources = (told_by[at], told_by[other])
        named = None not in sources[0] | sources[1]
        return named and sources[0].isdisjoint(sources[1]) and _is_alike(schedule, stands[at], stands[other])

    found: list[tuple[int, int]] = []
    kept: dict[int, list[int]] = {}  # day -> places
    for at in sorted(dated, key=preference):
        day = dated[at].toordinal()
        near = [other for distance in (-APART, APART) for other in kept.get(day + distance, ())]
        same = next((other for other in sorted(near, key=preference) if are_one(at, other)), None)
        if same is None:
            kept.setdefault(day, []).append(at)
        else:
            told_by[same] |= told_by[at]
            found.append((at, same))
    return found


def _antigens(schedule: Schedule, record: RecordedDose) -> frozenset[str]:
    vaccine = schedule.vaccines.get(normal_cvx(record.dose.cvx) or "")
    return vaccine.holds if vaccine else frozenset()


@lru_cache(maxsize=1 << 9)
def _is_vague(name: str) -> bool:
    """Whether a vaccine isn't named exactly."""
    return _VAGUE.search(name) is not None


def _preference(schedule: Schedule, record: RecordedDose) -> tuple[object, ...]:
    """What is kept: the vaccine that is named exactly, that holds most, that its giver recorded, that says most."""
    dose = record.dose
    vaccine = schedule.vaccines[normal_cvx(dose.cvx) or ""]
    return (
        _is_vague(vaccine.name),
        -len(vaccine.antigens),
        record.historical,
        dose.condition,
        dose.mvx is None,
        dose.lot_expires is None,
        dose.volume is None,
        vaccine.cvx,
        record.reference,
    )


def _is_same(schedule: Schedule, one: RecordedDose, other: RecordedDose) -> bool:
    first, second = _antigens(schedule, one), _antigens(schedule, other)
    if not (first <= second or second <= first):
        return False
    kinds = {_KINDS.get(normal_cvx(record.dose.cvx) or "") for record in (one, other)} - {None}
    if len(kinds) > 1:
        return False
    return one.source != other.source or not _contradict(one.dose, other.dose)


def _is_alike(schedule: Schedule, one: RecordedDose, other: RecordedDose) -> bool:
    """What holds of one dose on two days: the same antigens, unless one of the vaccines isn't named exactly."""
    if not _is_same(schedule, one, other) or _contradict(one.dose, other.dose):
        return False
    vague = any(_is_vague(schedule.vaccines[normal_cvx(record.dose.cvx) or ""].name) for record in (one, other))
    return vague or _antigens(schedule, one) == _antigens(schedule, other)


def _contradict(one: GivenDose, other: GivenDose) -> bool:
    pairs = ((one.mvx, other.mvx), (one.trade_name, other.trade_name))
    return any(a is not None and b is not None and a.casefold() != b.casefold() for a, b in pairs)
