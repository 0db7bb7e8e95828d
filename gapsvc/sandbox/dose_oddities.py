"""Doses as real records have them: on the edge of a measure's window, of odd products, as claims, and twice.

Each oddity changes the plan of doses; what follows for a measure is truth_series.py's business. Edges are those of
docs/measures/cis.md and ima.md: day 42 and 180, the birthdays 1, 2, 9, 10 and 13, 146 days between two HPV doses.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from types import MappingProxyType

from gapsvc.sandbox.days import add_days, add_years
from gapsvc.sandbox.plan import DoseForm, DosePlan
from gapsvc.sandbox.products import PRODUCTS


@dataclass(frozen=True, slots=True)
class Known:
    """The child's days: birth, since when the network knows it, and until when anything happened."""

    birth: date
    since: date
    until: date

    def dose(self, on: date, product: str, form: DoseForm = DoseForm.GIVEN) -> DosePlan | None:
        """A dose on that day; None where the day lies outside of the child's life so far."""
        if not self.birth <= on <= self.until:
            return None
        return DosePlan("", on, 615, product, historical=on < self.since, form=form)


Doses = list[DosePlan]


def _day(days: int) -> Callable[[date], date]:
    return lambda birth: add_days(birth, days)


def _birthday(years: int) -> Callable[[date], date]:
    return lambda birth: add_years(birth, years)


# Where a rule begins or ends, and products that the rule is about.
_EARLY_EDGES: Sequence[tuple[Callable[[date], date], Sequence[str]]] = (
    (_day(42), ("dtap", "ipv", "hib", "pcv", "rv", "rotarix", "pediarix", "pentacel", "vaxelis")),
    (_day(180), ("flu3", "some-flu")),
    (_birthday(1), ("mmr", "varicella", "mmrv", "hepa")),
    (_birthday(2), ("dtap", "ipv", "hib", "hepb", "pcv", "mmr", "varicella", "hepa", "rv", "flu3", "laiv")),
)
_LATE_EDGES: Sequence[tuple[Callable[[date], date], Sequence[str]]] = (
    (_birthday(9), ("hpv",)),
    (_birthday(10), ("menacwy", "tdap")),
    (_birthday(13), ("menacwy", "tdap", "hpv")),
)


def on_edges(rng: Random, child: Known, doses: Doses) -> Doses | None:
    """One or two doses moved to, or added on, an edge or the day before or after it; None where none fits."""
    changed = False
    old = child.until >= add_years(child.birth, 9)
    for _ in range(rng.randint(1, 2)):
        if old and rng.random() < 0.4:
            spaced = _hpv_spacing(rng, child, doses)
            if spaced is not None:
                doses, changed = spaced, True
                continue
        edge, products = rng.choice(_LATE_EDGES if old else _EARLY_EDGES)
        product = rng.choice(products)
        moved = child.dose(add_days(edge(child.birth), rng.choice((-1, 0, 1))), product)
        if moved is None:
            continue
        alike = _alike(doses, product)
        if alike and rng.random() < 0.7:
            # The only dose of its kind goes altogether, so that the edge decides.
            gone = alike if len(PRODUCTS[product].antigens) == 1 and rng.random() < 0.4 else [rng.choice(alike)]
            doses = [dose for dose in doses if not any(dose is other for other in gone)]
        doses = [*doses, moved]
        changed = True
    return doses if changed else None


def _alike(doses: Doses, product: str) -> Doses:
    antigens = set(PRODUCTS[product].antigens)
    return [dose for dose in doses if dose.flaw is None and antigens & set(PRODUCTS[dose.product].antigens)]


def _hpv_spacing(rng: Random, child: Known, doses: Doses) -> Doses | None:
    """Two HPV doses 145, 146 or 147 days apart or a day, sometimes a third; by the 13th birthday or around it."""
    apart = rng.choice((145, 145, 146, 146, 147, 1, 60))
    thirteenth = add_years(child.birth, 13)
    first = add_days(thirteenth, -apart - rng.choice((0, 0, 1, -1, 30, 200)))
    days = [first, add_days(first, apart)]
    if rng.random() < 0.4:
        days.append(add_days(days[-1], rng.choice((0, 1, 30))))
    given = [dose for day in days if (dose := child.dose(day, "hpv"))]
    if not given:
        return None
    return [*(dose for dose in doses if "HPV" not in PRODUCTS[dose.product].antigens or dose.flaw), *given]


_UNSPECIFIED: Mapping[str, str] = MappingProxyType(
    {
        "dtap": "some-dtap",
        "ipv": "some-ipv",
        "hib": "some-hib",
        "hepb": "some-hepb",
        "pcv": "some-pcv",
        "pcv13": "some-pcv",
        "rv": "some-rv",
        "hepa": "some-hepa",
        "flu3": "some-flu",
        "flu4": "some-flu",
        "hpv": "some-hpv",
        "menacwy": "some-menacwy",
    }
)
# What is taken for the vaccine at a glance, and is another.
_LIKE_NAMED: Mapping[str, str] = MappingProxyType({"menacwy": "menb", "tdap": "td", "dtap": "dt"})
# What else may be given on the day of a combination, with an antigen that it has too.
_TWICE: Mapping[str, str] = MappingProxyType(
    {"pediarix": "hepb", "pentacel": "hib", "vaxelis": "ipv", "mmr": "mmrv", "varicella": "mmrv", "rv": "rotarix"}
)


def _unspecified(rng: Random, child: Known, doses: Doses) -> Doses | None:
    return _other_product(rng, doses, _UNSPECIFIED, 0.3)


def _like_named(rng: Random, child: Known, doses: Doses) -> Doses | None:
    return _other_product(rng, doses, _LIKE_NAMED, 1.0)


def _other_product(rng: Random, doses: Doses, others: Mapping[str, str], share: float) -> Doses | None:
    able = [dose for dose in doses if dose.flaw is None and dose.product in others and dose.form is DoseForm.GIVEN]
    if not able:
        return None
    chosen = {id(dose) for dose in rng.sample(able, max(1, round(share * len(able))))}
    return [replace(dose, product=others[dose.product]) if id(dose) in chosen else dose for dose in doses]


def _rotavirus_mix(rng: Random, child: Known, doses: Doses) -> Doses | None:
    series = [dose for dose in doses if dose.flaw is None and dose.product == "rv"]
    if not series:
        return None
    mix = rng.choice(
        (
            ("rotarix", "rotarix"),
            ("rotarix", "rotarix"),
            ("rotarix",),
            ("rotarix", "rv"),
            ("rv", "rotarix", "rotarix"),
            ("some-rv", "rotarix"),
            ("rotarix", "rv", "some-rv"),
        )
    )
    # One dose of the mix for each that there was; further ones are not given.
    left = [dose for dose in doses if not any(dose is other for other in series)]
    return [*left, *(replace(dose, product=product) for dose, product in zip(series, mix, strict=False))]


def _live_influenza(rng: Random, child: Known, doses: Doses) -> Doses | None:
    second = add_years(child.birth, 2)
    live = child.dose(add_days(second, rng.choice((0, 0, -1, 1, -120))), "laiv")
    if live is None:
        return None
    shots = [dose for dose in doses if dose.flaw is None and "Flu" in PRODUCTS[dose.product].antigens]
    instead = shots[-1] if shots and rng.random() < 0.7 else None
    return [*(dose for dose in doses if dose is not instead), live]


def _twice_a_day(rng: Random, child: Known, doses: Doses) -> Doses | None:
    able = [dose for dose in doses if dose.flaw is None and dose.product in _TWICE]
    if not able:
        return None
    one = rng.choice(able)
    return [*doses, replace(one, product=_TWICE[one.product], minute=one.minute + 2)]


def _claims(rng: Random, child: Known, doses: Doses) -> Doses | None:
    return _in_form(rng, doses, DoseForm.CLAIM)


def billed(rng: Random, child: Known, doses: Doses) -> Doses | None:
    """Some doses are known from what the payer was billed; None where the child has none."""
    return _in_form(rng, doses, DoseForm.BILLED)


def _in_form(rng: Random, doses: Doses, form: DoseForm) -> Doses | None:
    """Some doses are known in another form: instead of the clinic's own record, or beside it."""
    able = [dose for dose in doses if dose.form is DoseForm.GIVEN and PRODUCTS[dose.product].cpt]
    if not able:
        return None
    only = rng.random() < 0.6
    chosen = rng.sample(able, rng.randint(1, min(4, len(able))))
    others = [replace(dose, form=form, minute=dose.minute + 1) for dose in chosen]
    kept = [dose for dose in doses if not (only and any(dose is other for other in chosen))]
    return [*kept, *others]


def _birth_procedure(rng: Random, child: Known, doses: Doses) -> Doses | None:
    at_birth = [dose for dose in doses if dose.on == child.birth and dose.product == "hepb"]
    days = rng.choice(((0,), (1,), (6,), (7,), (8,), (0, 3)))
    given = [dose for day in days if (dose := child.dose(add_days(child.birth, day), "hepb", DoseForm.BIRTH_PROCEDURE))]
    if not given:
        return None
    gone = at_birth if rng.random() < 0.7 else []
    return [*(dose for dose in doses if not any(dose is other for other in gone)), *given]


_YOUNG_ODDITIES = (
    _unspecified,
    _rotavirus_mix,
    _rotavirus_mix,
    _live_influenza,
    _twice_a_day,
    _claims,
    _claims,
    _birth_procedure,
    _like_named,
)
_OLD_ODDITIES = (_unspecified, _like_named, _like_named, _claims)


def odd_products(rng: Random, child: Known, doses: Doses) -> Doses | None:
    """One or two oddities of product or form; None where the child has no dose to work on."""
    old = child.until >= add_years(child.birth, 9)
    changed = False
    for oddity in rng.sample(_OLD_ODDITIES if old else _YOUNG_ODDITIES, 2):
        odd = oddity(rng, child, doses)
        if odd is not None:
            doses, changed = odd, True
            if rng.random() < 0.6:
                break
    return doses if changed else None


def copied(rng: Random, doses: Sequence[DosePlan], clinics: int) -> Doses:
    """Each clinic writes down a third of the other's doses: under the name of the first with `-b`, half an hour on."""
    found: Doses = []
    for dose in doses:
        found.append(dose)
        if dose.flaw is None and rng.random() < 0.33:
            other = (dose.registration + 1) % clinics
            found.append(replace(dose, id=f"{dose.id}-b", minute=dose.minute + 30, registration=other, visit=None))
    return found
