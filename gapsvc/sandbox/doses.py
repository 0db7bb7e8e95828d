"""One child's vaccine doses are planned along its visits, with the disorder dealt to the child.

The series are a plain reading of the CDC child schedule, enough for records that look right; whether a dose is valid
is the immunization engine's business. Truth here says only which doses were planned to be flawed, and how.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from random import Random
from types import MappingProxyType

from gapsvc.sandbox.days import add_days, add_years
from gapsvc.sandbox.dose_oddities import Known, billed, copied, odd_products, on_edges
from gapsvc.sandbox.plan import MOTHER, DoseFlaw, DoseForm, DosePlan, Role, VisitPlan
from gapsvc.sandbox.products import PRODUCTS
from gapsvc.sandbox.visits import SLOTS, VisitSetting

# Antigen -> for each dose: least age, least days since the dose before, greatest age (days).
_NEVER = 99999
SERIES: Mapping[str, Sequence[tuple[int, int, int]]] = MappingProxyType(
    {
        "HepB": ((0, 0, 6574), (28, 28, 6574), (168, 56, 6574)),
        "RV": ((42, 0, 104), (70, 28, 243), (98, 28, 243)),
        "DTaP": ((42, 0, 2556), (70, 28, 2556), (98, 28, 2556), (365, 183, 2556), (1461, 183, 2556)),
        "Hib": ((42, 0, 1825), (70, 28, 1825), (98, 28, 1825), (366, 56, 1825)),
        "PCV": ((42, 0, 1825), (70, 28, 1825), (98, 28, 1825), (366, 56, 1825)),
        "IPV": ((42, 0, 6574), (70, 28, 6574), (168, 28, 6574), (1461, 183, 6574)),
        "MMR": ((366, 0, _NEVER), (1461, 28, _NEVER)),
        "VAR": ((366, 0, _NEVER), (1461, 90, _NEVER)),
        "HepA": ((366, 0, 6574), (549, 183, 6574)),
        "Tdap": ((4018, 0, _NEVER),),
        "HPV": ((4018, 0, _NEVER), (4168, 150, _NEVER)),
        "MenACWY": ((4018, 0, _NEVER), (5844, 56, _NEVER)),
    }
)
# Several antigens due together take a combination where the clinic has one: (antigens, product, stocked as).
_COMBINATIONS: Sequence[tuple[frozenset[str], str, str | None]] = (
    (frozenset({"DTaP", "HepB", "Hib", "IPV"}), "vaxelis", "vaxelis"),
    (frozenset({"DTaP", "Hib", "IPV"}), "pentacel", "pentacel"),
    (frozenset({"DTaP", "HepB", "IPV"}), "pediarix", "pediarix"),
    (frozenset({"DTaP", "IPV"}), "kinrix", None),
    (frozenset({"MMR", "VAR"}), "mmrv", None),
)
_SINGLES: Mapping[str, str] = MappingProxyType(
    {
        "HepB": "hepb",
        "RV": "rv",
        "DTaP": "dtap",
        "Hib": "hib",
        "PCV": "pcv",
        "IPV": "ipv",
        "MMR": "mmr",
        "VAR": "varicella",
        "HepA": "hepa",
        "Tdap": "tdap",
        "HPV": "hpv",
        "MenACWY": "menacwy",
    }
)
_PCV15_FROM = date(2022, 10, 1)  # before it, PCV13
_TRIVALENT_FROM = date(2024, 7, 1)  # seasonal influenza vaccines are trivalent again


# Products of the primary series, whose doses are at least 28 days apart.
_PRIMARY = frozenset({"hepb", "rv", "dtap", "ipv", "hib", "pcv", "pediarix", "pentacel", "vaxelis"})


class _Card:
    """What a child has had so far: antigen -> days of its doses. Lives only while one child is planned."""

    def __init__(self, combination: str, completes: bool | None) -> None:
        self.combination = combination
        self.completes = completes
        self.given: dict[str, list[date]] = {antigen: [] for antigen in SERIES}
        self.flu: list[date] = []

    def due(self, birth: date, on: date) -> set[str]:
        age = (on - birth).days
        found: set[str] = set()
        for antigen, doses in SERIES.items():
            had = self.given[antigen]
            if len(had) >= len(doses):
                continue
            least_age, interval, greatest = doses[len(had)]
            if least_age <= age <= greatest and (not had or (on - had[-1]).days >= interval):
                found.add(antigen)
        if self.completes is False and age < 740:
            found.discard("MMR")  # what keeps the combinations from being complete by the second birthday
        if age > 1461 and "DTaP" in found and len(self.given["DTaP"]) < 3:
            found.discard("DTaP")
        return found

    def products(self, birth: date, on: date) -> list[str]:
        """The products to give on that day; they are written onto the card."""
        due = self.due(birth, on)
        age = (on - birth).days
        chosen: list[str] = []
        for antigens, product, stocked in _COMBINATIONS:
            booster = product in ("kinrix", "mmrv")
            if antigens <= due and (age >= 1461 if booster else age < 1461 and stocked == self.combination):
                chosen.append(product)
                due -= antigens
        chosen += [self._single(antigen, on) for antigen in SERIES if antigen in due]
        for product in chosen:
            for antigen in PRODUCTS[product].antigens:
                self.given[antigen].append(on)
        season = on.month >= 9 or on.month <= 2 or self.completes is True
        if age >= 183 and season and (not self.flu or (on - self.flu[-1]).days >= (28 if len(self.flu) == 1 else 200)):
            self.flu.append(on)
            chosen.append("flu3" if on >= _TRIVALENT_FROM else "flu4")
        return chosen

    def _single(self, antigen: str, on: date) -> str:
        return "pcv13" if antigen == "PCV" and on < _PCV15_FROM else _SINGLES[antigen]


def plan_doses(
    rng: Random,
    setting: VisitSetting,
    *,
    birth: date,
    number: int,
    history_from: date,
    visits: Sequence[VisitPlan],
    deceased: date | None,
    dealt: Collection[str],
    clinics: int,
    oddities: Random,
) -> tuple[tuple[DosePlan, ...], frozenset[str]]:
    """The doses of one child, and the kinds of disorder that came to be among them.

    `clinics` is in how many clinics the child is registered; `oddities` a stream of its own for dose_oddities.py.
    """
    card = _Card(setting.combination, setting.completes)
    doses: list[DosePlan] = []
    for day in _historical_days(birth, history_from):
        doses += [DosePlan("", day, 600, product, historical=True) for product in card.products(birth, day)]
    if history_from == birth and setting.frame.as_of > birth:
        card.given["HepB"].append(birth)  # in the hospital, reported to the clinic
        doses.append(DosePlan("", birth, 600, "hepb", historical=True))
    for visit in visits:
        if visit.role is not Role.ANCHOR:
            continue
        registration = max(visit.registration, 0)
        under = None if visit.registration == MOTHER else visit.id
        for product in card.products(birth, visit.on):
            doses.append(DosePlan("", visit.on, visit.minute + 20, product, registration, under))
    kinds: set[str] = set()
    doses.sort(key=lambda dose: (dose.on, dose.minute))
    horizon = min(setting.frame.as_of, deceased or setting.frame.as_of)
    for kind, flaws in _FLAWED.items():
        if kind in dealt and (spoilt := _spoil(rng, birth, doses, rng.choice(flaws), (history_from, horizon))):
            doses = spoilt
            kinds.add(kind)
    known = Known(birth, history_from, horizon)
    for kind, change in _ODDITIES.items():
        if kind in dealt and (odd := change(oddities, known, doses)) is not None:
            doses = odd
            kinds.add(kind)
    doses.sort(key=lambda dose: (dose.on, dose.minute))
    named = [replace(dose, id=_name(dose, number, at + 1)) for at, dose in enumerate(doses)]
    if clinics > 1:
        named = copied(oddities, named, clinics)
    return tuple(named), frozenset(kinds)


_ODDITIES: Mapping[str, Callable[[Random, Known, list[DosePlan]], list[DosePlan] | None]] = MappingProxyType(
    {"edge_days": on_edges, "odd_products": odd_products, "payer_claims": billed}
)


def _name(dose: DosePlan, number: int, at: int) -> str:
    match dose.form:
        case DoseForm.GIVEN:
            return f"imm-{number:06d}-{at:02d}"
        case DoseForm.BILLED:
            return f"claim-{number:06d}-d{at:02d}"
        case _:
            return f"proc-{number:06d}-d{at:02d}"


def _historical_days(birth: date, history_from: date) -> list[date]:
    """Days on which another provider vaccinated the child, before the network knew it."""
    if history_from == birth:
        return []
    days = [birth] + [add_days(birth, slot.usual_from + 4) for slot in SLOTS if slot.opens >= 42]
    days += [add_days(add_years(birth, years), 20) for years in (4, 5, 11, 12, 16)]
    return [day for day in days if day < history_from]


_FLAWED: Mapping[str, Sequence[DoseFlaw]] = MappingProxyType(
    {
        "invalid_doses": (DoseFlaw.TOO_EARLY, DoseFlaw.TOO_CLOSE),
        "refused_doses": (DoseFlaw.REFUSED,),
        "entered_in_error": (DoseFlaw.ENTERED_IN_ERROR,),
        "partial_dates": (DoseFlaw.IMPRECISE,),
        "local_codes": (DoseFlaw.LOCAL_CODE,),
    }
)


def _spoil(
    rng: Random, birth: date, doses: Sequence[DosePlan], flaw: DoseFlaw, known: tuple[date, date]
) -> list[DosePlan] | None:
    """The doses with one flawed; None where the child has none that could be.

    `known` is from when to when the network knew the child.
    """
    if flaw is DoseFlaw.TOO_EARLY:
        return _too_early(rng, birth, doses, known) or _too_close(rng, doses, known)
    if flaw is DoseFlaw.TOO_CLOSE:
        return _too_close(rng, doses, known)
    able = [dose for dose in doses if dose.flaw is None and dose.on > birth]
    if not able:
        if flaw is DoseFlaw.REFUSED:  # never vaccinated: what was offered first was refused
            return [*doses, DosePlan("", min(add_days(birth, 30), known[1]), 610, "hepb", flaw=flaw)]
        return None
    target = rng.choice(able)
    if flaw is DoseFlaw.ENTERED_IN_ERROR:  # the same dose once more, taken back
        return [*doses, replace(target, flaw=flaw, minute=target.minute + 1)]
    return [replace(dose, flaw=flaw) if dose is target else dose for dose in doses]


def _too_early(rng: Random, birth: date, doses: Sequence[DosePlan], known: tuple[date, date]) -> list[DosePlan] | None:
    """MMR or varicella well before the first birthday (more than the four days of grace)."""
    day = add_days(birth, rng.randint(200, 355))
    if day > known[1]:
        return None
    product = rng.choice(("mmr", "varicella"))
    early = DosePlan("", day, 605, product, flaw=DoseFlaw.TOO_EARLY, historical=day < known[0])
    return [*doses, early]


def _too_close(rng: Random, doses: Sequence[DosePlan], known: tuple[date, date]) -> list[DosePlan] | None:
    """A second dose of the same product, 7 to 21 days after the first: the least interval is 28 days."""
    able = [d for d in doses if d.flaw is None and d.product in _PRIMARY and (known[1] - d.on).days > 21]
    if not able:
        return None
    first = rng.choice(able)
    day = add_days(first.on, rng.randint(7, 21))
    extra = replace(first, on=day, visit=None, flaw=DoseFlaw.TOO_CLOSE, historical=day < known[0])
    return [*doses, extra]
