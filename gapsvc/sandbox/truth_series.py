"""The truth of the measures that count vaccine doses: CIS and IMA, from planned doses and plain day arithmetic.

Rules: docs/measures/cis.md and ima.md, after design/measures.md. A dose counts for a series when its code is of the
series (the tables below: CVX of what was given, CPT of what was billed), on a day within the window; one a day. A
disease or a reaction by the window's end stands in for the series.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

from gapsvc.sandbox.days import add_days, add_years
from gapsvc.sandbox.history_codes import EVENTS
from gapsvc.sandbox.plan import ChildPlan, DoseFlaw, DoseForm, DosePlan, Doubt, Frame
from gapsvc.sandbox.products import PRODUCTS
from gapsvc.sandbox.rates import Window, turns
from gapsvc.sandbox.truth_parts import (
    Answer,
    Row,
    Standing,
    Tally,
    answer,
    excluded,
    not_applicable,
    standing,
    standing_until,
    tally,
)

_WHY: Mapping[DoseFlaw | None, str | None] = MappingProxyType(
    {
        None: None,
        DoseFlaw.TOO_EARLY: None,  # counting is not clinical validity
        DoseFlaw.TOO_CLOSE: None,
        DoseFlaw.REFUSED: "not-given",
        DoseFlaw.ENTERED_IN_ERROR: "entered-in-error",
        DoseFlaw.IMPRECISE: "imprecise-date",
    }
)
_HPV_APART = 146
_BIRTH_DOSE_DAYS = 7


@dataclass(frozen=True, slots=True)
class Series:
    """One vaccine of a measure. `standins` are meanings of history_codes.EVENTS."""

    group: str
    needed: int
    window: Callable[[date], Window]
    cvx: frozenset[str]
    cpt: frozenset[str]
    standins: frozenset[str]


def _s(group: str, needed: int, window: Callable[[date], Window], cvx: str, cpt: str, *standins: str) -> Series:
    return Series(group, needed, window, frozenset(cvx.split()), frozenset(cpt.split()), frozenset(standins))


def _from_day(days: int) -> Callable[[date], Window]:
    return lambda birth: (add_days(birth, days), add_years(birth, 2))


def _from_birthday(years: int, last: int) -> Callable[[date], Window]:
    return lambda birth: (add_years(birth, years), add_years(birth, last))


_FLU_CVX = "88 140 141 150 153 155 158 161 171 186 320"
_FLU_CPT = "90655 90656 90657 90658 90661 90673 90674 90685 90686 90687 90688 90689 90756"
_LIVE_CVX, _LIVE_CPT = frozenset({"111", "149", "333"}), frozenset({"90660", "90672"})
CIS: Sequence[Series] = (
    _s("dtap", 4, _from_day(42), "20 50 106 107 110 120 146 198", "90697 90698 90700 90723", "reaction:DTaP"),
    _s("ipv", 3, _from_day(42), "10 89 110 120 146", "90697 90698 90713 90723", "reaction:IPV"),
    _s("mmr", 1, _from_birthday(1, 2), "03 94", "90707 90710", "reaction:MMR"),
    _s("hib", 3, _from_day(42), "17 48 49 51 120 146 148", "90644 90647 90648 90697 90698 90748", "reaction:Hib"),
    _s(
        "hepb", 3, _from_day(0), "08 44 45 51 110 146 198", "90697 90723 90740 90744 90747 90748",
        "reaction:HepB", "disease:hepatitis-b",
    ),
    _s("vzv", 1, _from_birthday(1, 2), "21 94", "90710 90716", "reaction:VAR", "disease:varicella"),
    _s("pcv", 4, _from_day(42), "109 133 152 215 216", "90670 90671 90677", "reaction:PCV"),
    _s("hepa", 1, _from_birthday(1, 2), "31 83 85", "90633", "reaction:HepA", "disease:hepatitis-a"),
    _s("rotavirus", 3, _from_day(42), "116 119 122", "90680 90681", "reaction:RV"),
    _s("influenza", 2, _from_day(180), _FLU_CVX, _FLU_CPT, "reaction:Flu"),
)  # fmt: skip
_COMBINATION_3 = ("dtap", "ipv", "mmr", "hib", "hepb", "vzv", "pcv")
_COMBINATION_7 = (*_COMBINATION_3, "hepa", "rotavirus")
CIS_COMBINATIONS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "combination-3": _COMBINATION_3,
        "combination-7": _COMBINATION_7,
        "combination-10": (*_COMBINATION_7, "influenza"),
    }
)
IMA: Sequence[Series] = (
    _s(
        "meningococcal", 1, _from_birthday(10, 13), "32 108 114 136 147 167 203 316 328", "90619 90623 90733 90734",
        "reaction:MenACWY",
    ),
    _s("tdap", 1, _from_birthday(10, 13), "115", "90715", "reaction:DTaP"),
    _s("hpv", 2, _from_birthday(9, 13), "62 118 137 165", "90649 90650 90651", "reaction:HPV"),
)  # fmt: skip
IMA_COMBINATIONS: Mapping[str, Sequence[str]] = MappingProxyType(
    {"combination-1": ("meningococcal", "tdap"), "combination-2": ("meningococcal", "tdap", "hpv")}
)


def series_rates(child: ChildPlan, frame: Frame) -> dict[str, dict[str, Answer]]:
    """Measure -> group -> truth, for CIS and IMA."""
    out = excluded(child, frame)
    return {
        "cis": _measure(child, frame, CIS, CIS_COMBINATIONS, 2, out=out or _rules_out(child)),
        "ima": _measure(child, frame, IMA, IMA_COMBINATIONS, 13, out=out),
    }


def _measure(
    child: ChildPlan,
    frame: Frame,
    series: Sequence[Series],
    combinations: Mapping[str, Sequence[str]],
    birthday: int,
    *,
    out: bool,
) -> dict[str, Answer]:
    if child.birth_precision != "day" or not turns(child.birth, birthday, frame):
        return {group: not_applicable() for group in (*(one.group for one in series), *combinations)}
    stands = {one.group: _standing(child, one, frame) for one in series}
    for group, parts in combinations.items():
        stands[group] = _together([stands[part] for part in parts], add_years(child.birth, birthday))
    return {group: answer(one, frame, excluded=out) for group, one in stands.items()}


def _standing(child: ChildPlan, series: Series, frame: Frame) -> Standing:
    window = series.window(child.birth)
    found = tally(list(_doses(child, series)), *window)
    match series.group:
        case "rotavirus":
            one = standing(found, frame, needed=_rotavirus_needed(child, found, window), window=window)
        case "hpv":
            one = _hpv(found, frame, window)
        case _:
            one = standing(found, frame, needed=series.needed, window=window)
    proof, doubted = _standins(child, series, window[1])
    one = replace(one, discounted=one.discounted | doubted)
    if not proof:
        return one
    return replace(
        one,
        met=True,
        missed=False,
        needed=None,
        done=None,
        counted=(*proof, *one.counted),
        due_from=None,
        last_day=None,
    )


def _of(dose: DosePlan, cvx: frozenset[str], cpt: frozenset[str]) -> bool:
    product = PRODUCTS[dose.product]
    if dose.flaw is DoseFlaw.LOCAL_CODE or dose.form is DoseForm.BIRTH_PROCEDURE:
        return False
    return product.cvx in cvx if dose.form is DoseForm.GIVEN else product.cpt in cpt


def _why(dose: DosePlan) -> str | None:
    """Why a dose never counts. Of what was refused the claim was cancelled."""
    if dose.flaw is DoseFlaw.REFUSED and dose.form is DoseForm.BILLED:
        return "not-billed"
    return _WHY[dose.flaw]


def _doses(child: ChildPlan, series: Series) -> Iterable[Row]:
    """A row for each dose that the record shows to be of the series."""
    for dose in child.doses:
        if _of(dose, series.cvx, series.cpt):
            yield Row(dose.reference, dose.on, _why(dose))
    if series.group == "influenza":
        for dose in child.doses:
            if _of(dose, _LIVE_CVX, _LIVE_CPT):
                young = "live-vaccine-too-young" if dose.on < add_years(child.birth, 2) else None
                yield Row(dose.reference, dose.on, _why(dose) or young)
    if series.group == "hepb":
        yield from _birth_doses(child)


def _birth_doses(child: ChildPlan) -> Iterable[Row]:
    """The hospital's procedure shows one dose, up to seven days after birth."""
    procedures = [dose for dose in child.doses if dose.form is DoseForm.BIRTH_PROCEDURE]
    taken = False
    for dose in sorted(procedures, key=lambda dose: (dose.on, dose.reference)):
        why = None if dose.flaw is None else _WHY.get(dose.flaw)
        if dose.flaw is DoseFlaw.LOCAL_CODE:
            continue
        if why is None and (dose.on - child.birth).days > _BIRTH_DOSE_DAYS:
            why = "not-at-birth"
        elif why is None and taken:
            why = "second-birth-dose"
        taken = taken or why is None
        yield Row(dose.reference, dose.on, why)


def _rotavirus_needed(child: ChildPlan, found: Tally, window: Window) -> int:
    """Two where two or all of what counts were of the two-dose product, else three."""
    monovalent = [
        Row(dose.reference, dose.on, _why(dose))
        for dose in child.doses
        if _of(dose, frozenset({"119"}), frozenset({"90681"}))
    ]
    two_dose = tally(monovalent, *window).done if found.done else 0
    return 2 if two_dose >= 2 or two_dose == found.done else 3


def _hpv(found: Tally, frame: Frame, window: Window) -> Standing:
    """Two doses 146 days or more apart, or three on different days."""
    days = [row.on for row in found.counted]
    first, last = window
    last_for_two = add_days(last, -_HPV_APART)  # a first dose later than this leaves no time for two
    if not days:
        # Three on the last three days would still do.
        needed, start = 2 if frame.as_of <= last_for_two else 3, add_days(last, -2)
        return standing_until(found, frame, needed=needed, due_from=first, last_day=last, last_start=start)
    if len(days) == 1 and days[0] <= last_for_two:
        # As the second of two a dose counts from then on.
        due = add_days(days[0], _HPV_APART)
        return standing_until(found, frame, needed=2, due_from=due, last_day=last, last_start=last)
    enough = (days[-1] - days[0]).days >= _HPV_APART
    return standing(found, frame, needed=2 if enough else 3, window=window)


_DOUBTS: Mapping[Doubt | None, str | None] = MappingProxyType({None: None} | {doubt: doubt.value for doubt in Doubt})


def _standins(child: ChildPlan, series: Series, last: date) -> tuple[tuple[Row, ...], dict[str, str]]:
    """Diseases and reactions that complete the series; and why others do not."""
    rows = [
        Row(one.reference, one.on, _DOUBTS[one.doubt])
        for one in child.history
        if EVENTS[one.event].meaning in series.standins
    ]
    if series.group == "mmr":
        rows += _three_diseases(child, last)
    proof: list[Row] = []
    doubted: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: row.order):
        if row.why is not None:
            doubted[row.reference] = row.why
        elif row.on > last:
            doubted[row.reference] = "after-window"
        else:
            proof.append(row)
    return tuple(proof), doubted


def _three_diseases(child: ChildPlan, last: date) -> list[Row]:
    names = ("measles", "mumps", "rubella")
    had = {one.event for one in child.history if one.doubt is None and one.on <= last}
    lacking = None if had.issuperset(names) else "not-all-diseases"
    return [Row(one.reference, one.on, _DOUBTS[one.doubt] or lacking) for one in child.history if one.event in names]


def _together(parts: Sequence[Standing], last_day: date) -> Standing:
    """A combination: met when every part is; one part that is no longer possible decides."""
    missing = [one for one in parts if not one.met]
    counted = sorted({row for one in parts for row in one.counted}, key=lambda row: row.order)
    taken = {row.reference for row in counted}
    discounted: dict[str, str] = {}
    for one in parts:
        for reference, why in one.discounted.items():
            if reference not in taken:
                discounted.setdefault(reference, why)
    return Standing(
        met=not missing,
        needed=len(parts),
        done=len(parts) - len(missing),
        counted=tuple(counted),
        discounted=discounted,
        due_from=min((one.due_from for one in missing if one.due_from), default=None),
        last_day=last_day if missing else None,
        missed=any(one.missed for one in missing),
    )


def _rules_out(child: ChildPlan) -> bool:
    """An immune disorder, cancer of blood or lymph, intussusception: by the second birthday, or on no known day."""
    second = add_years(child.birth, 2)
    return any(
        EVENTS[one.event].meaning == "excluding"
        and (one.doubt is Doubt.IMPRECISE or (one.doubt is None and one.on <= second))
        for one in child.history
    )
