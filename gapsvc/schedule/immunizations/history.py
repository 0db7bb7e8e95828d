"""What is known of a person (Logic Specification 4.1, 4.2): given doses and observations, vetted and organised.

Nothing about a patient raises: a dose that can't be placed is set aside with the reason, and the rest goes on.
"""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from .calendar import EARLIEST_DAY, LATEST_DAY, AgeDates
from .schedule import Schedule

GENDERS = ("female", "male", "unknown")


@dataclass(frozen=True, slots=True)
class GivenDose:
    """A vaccine dose as it was recorded.

    `given` is None when the day isn't known. `lot_expires` is `yyyy-mm-dd` or `yyyy-mm` (the month's last day counts).
    `condition`: flagged as recalled, broken cold chain, partial dose ... (dose condition flag). `volume` is in mL.
    """

    given: date | None
    cvx: str | None
    mvx: str | None = None
    trade_name: str | None = None
    volume: float | None = None
    lot_expires: str | None = None
    condition: bool = False


@dataclass(frozen=True, slots=True)
class Observation:
    """An active CDSi observation (`007` pregnant, ...), with its day where known."""

    code: str
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A person on the day of assessment. `gender` is `female`, `male` or `unknown`."""

    id: str
    born: date
    assessed: date
    gender: str = "unknown"
    doses: tuple[GivenDose, ...] = ()
    observations: tuple[Observation, ...] = ()
    birth_country: str | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """Why a dose (by its position in the case) or an observation was set aside: a code of ours and words."""

    code: str
    text: str
    dose: int | None = None


class Dose(NamedTuple):
    """A dose that takes part in the evaluation. `order` is its place in the person's history."""

    position: int
    order: int
    day: int
    cvx: str
    mvx: str | None
    trade_name: str | None
    volume: float | None
    substandard: str | None


@dataclass(frozen=True, slots=True, eq=False)
class EarlierConflict:
    """An earlier dose that conflicts with a dose, and the days between which it does (Table 6-24)."""

    dose: Dose
    begins: int
    ends_if_valid: int
    ends: int


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """A case made ready for the rules: days as ordinals, doses in order, records per antigen."""

    born: int
    assessed: int
    gender: str
    birth_country: str | None
    ages: AgeDates
    active: frozenset[str]
    observed_on: dict[str, int]
    doses: tuple[Dose, ...]
    records: dict[str, tuple[Dose, ...]]
    conflicts: dict[int, tuple[EarlierConflict, ...]]  # by the order of the dose
    conflict_ends: dict[str, int]  # CVX -> the latest forecast conflict end date for it (CALCDTCONFLICT-3)
    remarks: tuple[Remark, ...]


NO_RECORDS: tuple[Dose, ...] = ()


def organise(schedule: Schedule, case: Case) -> Person:
    """The person of a case under a schedule. Doses that can't be used are in `remarks`."""
    born, assessed = case.born.toordinal(), case.assessed.toordinal()
    ages = AgeDates(born)
    remarks: list[Remark] = []
    usable = _usable(schedule, case, born, assessed, remarks)
    doses = tuple(
        Dose(position, order, day, cvx, one.mvx, one.trade_name, one.volume, _substandard(one, day))
        for order, (day, cvx, position, one) in enumerate(usable)
    )
    records: dict[str, list[Dose]] = {}
    for dose in doses:
        vaccine = schedule.vaccines.get(dose.cvx)
        for antigen, begin, end in vaccine.antigens if vaccine else ():
            if (begin is None or dose.day >= ages[begin]) and (end is None or dose.day < ages[end]):
                records.setdefault(antigen, []).append(dose)
    active, observed_on = _observations(schedule, case, assessed, remarks)
    return Person(
        born=born,
        assessed=assessed,
        gender=case.gender if case.gender in GENDERS else "unknown",
        birth_country=_country(case.birth_country),
        ages=ages,
        active=active,
        observed_on=observed_on,
        doses=doses,
        records={antigen: tuple(found) for antigen, found in records.items()},
        conflicts=_conflicts(schedule, doses),
        conflict_ends=_conflict_ends(schedule, doses),
        remarks=tuple(remarks),
    )


def _usable(
    schedule: Schedule, case: Case, born: int, assessed: int, remarks: list[Remark]
) -> list[tuple[int, str, int, GivenDose]]:
    """(day, CVX, position, dose) of the doses that can be evaluated, in an order that input order doesn't change."""
    found: list[tuple[int, str, int, GivenDose]] = []
    for position, dose in enumerate(case.doses):
        cvx = normal_cvx(dose.cvx)
        if dose.given is None:
            remarks.append(Remark("no-date", "no day of administration: not evaluated", position))
            continue
        day = dose.given.toordinal()
        if cvx is None:
            remarks.append(Remark("no-cvx", "no CVX code: not evaluated", position))
        elif cvx not in schedule.vaccines and cvx not in schedule.conflicting:
            text = f"CVX {cvx} is unknown to schedule {schedule.version} (retired, or not a vaccine): not evaluated"
            remarks.append(Remark("unknown-cvx", text, position))
        elif day < born:
            remarks.append(Remark("before-birth", "given before birth: not evaluated", position))
        elif day > assessed:
            remarks.append(Remark("after-assessment", "given after the day of assessment: not evaluated", position))
        else:
            found.append((day, cvx, position, dose))
    found.sort(key=_dose_key)
    kept: list[tuple[int, str, int, GivenDose]] = []
    for one in found:
        if kept and kept[-1][:2] == one[:2] and not _differ(kept[-1][3], one[3]):
            text = "the same vaccine is recorded twice on this day: evaluated once"
            remarks.append(Remark("duplicate", text, one[2]))
        else:
            kept.append(one)
    return kept


def _dose_key(one: tuple[int, str, int, GivenDose]) -> tuple[object, ...]:
    """By day; on one day by content, fuller records first, so that the order of input never matters."""
    day, cvx, _, dose = one
    return (
        day,
        cvx,
        dose.condition,
        dose.lot_expires or "",
        dose.mvx is None,
        (dose.mvx or "").casefold(),
        dose.trade_name is None,
        (dose.trade_name or "").casefold(),
        dose.volume is None,
        -(dose.volume or 0.0),
    )


def _differ(one: GivenDose, other: GivenDose) -> bool:
    """Whether two records of one vaccine on one day contradict each other, so that they are two doses."""
    pairs = ((one.mvx, other.mvx), (one.trade_name, other.trade_name))
    return any(a is not None and b is not None and a.casefold() != b.casefold() for a, b in pairs)


def _substandard(dose: GivenDose, day: int) -> str | None:
    """Why a dose can't count whatever the schedule says (Table 6-3, CALCDTLOTEXP-1)."""
    if dose.condition:
        return "Dose condition"
    expires = lot_expiration(dose.lot_expires)
    return "Expired lot" if expires is not None and day > expires else None


def lot_expiration(text: str | None) -> int | None:
    """CALCDTLOTEXP-1: the day, or the month's last when only the month is known. None when it can't be read."""
    if text is None:
        return None
    try:
        if len(text) == len("yyyy-mm"):
            year, month = int(text[:4]), int(text[5:])
            return date(year, month, calendar.monthrange(year, month)[1]).toordinal()
        return date.fromisoformat(text).toordinal()
    except ValueError:  # includes calendar.IllegalMonthError
        return None


@lru_cache(maxsize=1 << 10)
def normal_cvx(code: str | None) -> str | None:
    """A CVX code as CDC writes it: two digits at least (`3` is `03`), no blanks."""
    if code is None or not code.strip():
        return None
    text = code.strip()
    return f"{int(text):02d}" if text.isascii() and text.isdigit() and len(text) <= 3 else text


def _observations(
    schedule: Schedule, case: Case, assessed: int, remarks: list[Remark]
) -> tuple[frozenset[str], dict[str, int]]:
    """Active observation codes, and the latest day of each that has one."""
    active: set[str] = set()
    observed_on: dict[str, int] = {}
    for observation in case.observations:
        day = None if observation.day is None else observation.day.toordinal()
        if observation.code not in schedule.observation_titles:
            text = f"observation {observation.code} is unknown to schedule {schedule.version}: ignored"
            remarks.append(Remark("unknown-observation", text))
        elif day is not None and day > assessed:
            text = f"observation {observation.code} is dated after the day of assessment: ignored"
            remarks.append(Remark("observation-after-assessment", text))
        else:
            active.add(observation.code)
            if day is not None:
                observed_on[observation.code] = max(day, observed_on.get(observation.code, EARLIEST_DAY))
    return frozenset(active), observed_on


def _conflicts(schedule: Schedule, doses: Sequence[Dose]) -> dict[int, tuple[EarlierConflict, ...]]:
    """For every dose (by its order), the earlier doses of any antigen that could conflict with it."""
    live = [dose for dose in doses if dose.cvx in schedule.conflicting]
    if not live:
        return {}
    found: dict[int, tuple[EarlierConflict, ...]] = {}
    for dose in doses:
        rows = schedule.conflicts.get(dose.cvx)
        if rows is None:
            continue
        earlier = tuple(
            EarlierConflict(
                other,
                row.begin.after(other.day),
                row.minimum_end.after(other.day),
                row.end.after(other.day),
            )
            for other in live
            if other.order < dose.order and (row := rows.get(other.cvx)) is not None
        )
        if earlier:
            found[dose.order] = earlier
    return found


def _conflict_ends(schedule: Schedule, doses: Sequence[Dose]) -> dict[str, int]:
    """CALCDTCONFLICT-3 for every vaccine: the full interval after the last dose of each conflicting one."""
    ends: dict[str, int] = {}
    last = {dose.cvx: dose.day for dose in doses if dose.cvx in schedule.conflicting}
    if last:
        for current, rows in schedule.conflicts.items():
            for cvx, day in last.items():
                if cvx in rows:
                    ends[current] = max(ends.get(current, 0), rows[cvx].end.after(day))
    return ends


_UNITED_STATES = frozenset({"us", "usa", "u.s.", "u.s.a.", "united states", "united states of america"})


def _country(name: str | None) -> str | None:
    """A country as the schedule writes it (`U.S.`), whichever way a record spells the United States."""
    if name is None or not name.strip():
        return None
    return "U.S." if name.strip().casefold() in _UNITED_STATES else name.strip()


def plausible(days: Iterable[date]) -> bool:
    """Whether all days lie in the years that the rules can reckon with (1900 to 2999)."""
    return all(EARLIEST_DAY <= day.toordinal() <= LATEST_DAY for day in days)
