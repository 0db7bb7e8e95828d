"""Families and children are drawn, and disorder is dealt out to them by quota. Pure; randomness from the seed only.

Births are spread by quota over every year of age 0-21; the measures are about infants and who turns thirteen, so these
have the larger part.
Each step draws from a stream of its own (`stream`), so that switching one disorder off leaves the rest alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import accumulate
from random import Random

from gapsvc.sandbox.chance import stream, weighted
from gapsvc.sandbox.child import PARTIAL_BIRTH, Birth, plan_child
from gapsvc.sandbox.days import add_days, add_years
from gapsvc.sandbox.disorder import SHARES
from gapsvc.sandbox.people import EVERYONE_ATTENDS, EVERYONE_LATE, GROUPS, NAMES, Group
from gapsvc.sandbox.places import CLINICS, PAYER_WEIGHTS, PAYERS, STREETS, ZIPS
from gapsvc.sandbox.plan import ChildPlan, FamilyPlan, Frame, MotherPlan
from gapsvc.sandbox.rates import cohorts, infant_cohorts
from gapsvc.sandbox.visits import VisitSetting

Progress = Callable[[int, int], None]

# Of a hundred children, how many are of which age: (youngest, oldest) in days. The rest are 3 to 21 years old.
_INFANT_AGES: Sequence[tuple[int, int, int]] = (
    (12, 0, 125),  # 3 by 120: in its window today
    (12, 126, 330),  # 3 by 120: complete in the year
    (16, 331, 790),  # W30, first 15 months; DEV, first birthday
    (16, 791, 1275),  # W30, 15 to 30 months; CIS, LSC; DEV, second and third birthday
)
_ADOLESCENT_AGES = (8, 4384, 5113)  # IMA: 12 and 13 years old
_GROUP_WEIGHTS = list(accumulate(group.share for group in GROUPS))
_PAYER_WEIGHTS = list(accumulate(PAYER_WEIGHTS))
# Kinds of disorder that need some life to show in: the least age in days of a child who may be given them.
_LEAST_AGE = {
    "mothers_record": 12,
    "missing_race": 0,
    "duplicates": 20,
    "edge_days": 60,
    "odd_products": 60,
    "autism_screens": 280,
    "missing_results": 400,
}
_FEWEST = 2  # of each kind in each measure rate's population, where there are enough children


def plan_families(frame: Frame, progress: Progress | None = None) -> tuple[FamilyPlan, ...]:
    """All families of a population, in order of number. Children are numbered 1..size through all of them."""
    births = _deal(frame, _births(frame))
    completes: dict[int, bool] = {}
    if frame.disparity:
        members = ((_group_of(frame, birth.family).race, birth.day, birth.number) for birth in births)
        completes = frame.disparity.deal(frame.seed, members)
    families: list[FamilyPlan] = []
    for siblings in _by_family(births):
        families.append(_family(frame, siblings, completes))
        if progress and (len(families) % 100 == 0 or siblings[-1].number == frame.size):
            progress(siblings[-1].number, frame.size)
    return tuple(families)


def _births(frame: Frame) -> list[Birth]:
    rng = stream(frame.seed, "births")
    ages = _ages(frame, rng)
    rng.shuffle(ages)
    births: list[Birth] = []
    family = twins = 0
    while ages:
        family += 1
        first = ages.pop()
        members = [(first, 1)]
        infant = 20 < first <= _INFANT_AGES[-1][2]
        if ages and infant and (twins < 2 or rng.random() < 0.05):
            twins += 1
            # The second twin takes the first one's birthday in place of the nearest age on the list.
            del ages[min(range(len(ages)), key=lambda at: abs(ages[at] - first))]
            members = [(first, 1), (first, 2)]
        if ages and rng.random() < 0.45 and all(300 < abs(ages[-1] - age) < 4400 for age, _ in members):
            members.append((ages.pop(), 1))
        members.sort(key=lambda member: (-member[0], member[1]))
        for age, multiple in members:
            day = add_days(frame.as_of, -age)
            births.append(Birth(len(births) + 1, family, day, multiple))
    return births


def _ages(frame: Frame, rng: Random) -> list[int]:
    """Ages in days on the as-of day: infants by share, older children one year of age after the other."""
    ages: list[int] = []
    for share, youngest, oldest in _INFANT_AGES:
        count = round(frame.size * share / 100)
        # Evenly through the band, so that its edges are met at every size.
        ages += [youngest + (oldest - youngest) * n // max(count - 1, 1) for n in range(count)]
    infants = min(len(ages), frame.size)
    share, youngest, oldest = _ADOLESCENT_AGES
    count = round(frame.size * share / 100)
    ages += [youngest + (oldest - youngest) * n // max(count - 1, 1) for n in range(count)]
    year = 0
    while len(ages) < frame.size:
        years = 3 + year % 19
        birthday = add_years(frame.as_of, -years)
        ages.append((frame.as_of - birthday).days + rng.randrange(365))
        year += 1
    del ages[frame.size :]
    # Birthdays that calendars trip over: 29 February, and 28 February and 1 March beside it.
    for at in range(0, infants, 20):
        ages[at] = _near_leap_day(frame, ages[at], (at // 20) % 3)
    return ages


def _near_leap_day(frame: Frame, age: int, which: int) -> int:
    birth = add_days(frame.as_of, -age)
    for year in (birth.year, birth.year - 1, birth.year + 1, birth.year - 2):
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        if leap and date(year, 3, 1) <= frame.as_of:
            return (frame.as_of - (date(year, 2, 28), date(year, 2, 29), date(year, 3, 1))[which]).days
    return age


def _deal(frame: Frame, births: list[Birth]) -> list[Birth]:
    """Give each kind of disorder that is on to its share of each measure rate's population, and of the others."""
    dealt: dict[int, set[str]] = {birth.number: set() for birth in births}
    strata: dict[str, list[Birth]] = {}
    for birth in births:
        names = cohorts(birth.day, frame) or ("none",)
        for name in names:
            strata.setdefault(name, []).append(birth)
    infants = {birth.number for birth in births if infant_cohorts(birth.day, frame)}
    twins = {birth.family for birth in births if birth.multiple == 2}
    for kind in (name for name in frame.disorder.on() if name in SHARES):
        rng = stream(frame.seed, "deal", kind)
        for name, members in sorted(strata.items()):
            # A child of two populations was dealt to in the first: each quota is topped up.
            has = sum(kind in dealt[birth.number] for birth in members)
            able = [
                b
                for b in members
                if kind not in dealt[b.number]
                and _able(kind, b, frame, dealt[b.number], twins, infant=b.number in infants)
            ]
            fewest = 0 if name == "none" else _FEWEST
            wanted = max(fewest, round(SHARES[kind] * len(members))) - has
            for birth in rng.sample(able, min(len(able), max(0, wanted))):
                dealt[birth.number].add(kind)
        if kind == "mothers_record":
            # Twins under the mother's record are the case that can't be solved: at least one pair of infants.
            pairs = sorted({b.family for b in births if b.family in twins and b.number in infants})
            for family in rng.sample(pairs, -(-len(pairs) // 3)):
                for birth in births:
                    if birth.family == family and birth.multiple == 2:
                        dealt[birth.number].add(kind)
    if frame.disorder.partial_dates:
        # A birth date without its day takes the child out of every population: few, and none that shows anything else.
        plain = [b for b in births if b.number in infants and not dealt[b.number] and b.family not in twins]
        rng = stream(frame.seed, "deal", PARTIAL_BIRTH)
        for birth in rng.sample(plain, min(len(plain), max(1, round(0.004 * frame.size)))):
            dealt[birth.number].add(PARTIAL_BIRTH)
    return [replace(birth, dealt=frozenset(dealt[birth.number])) for birth in births]


def _able(kind: str, birth: Birth, frame: Frame, already: set[str], twins: set[int], *, infant: bool) -> bool:
    age = (frame.as_of - birth.day).days
    if age < _LEAST_AGE.get(kind, 45):
        return False
    if kind == "mothers_record":
        # A child under two Patients and under its mother's as well would need no new rule, only a longer story.
        return infant and "duplicates" not in already
    if kind == "deceased":
        return birth.family not in twins
    return True


def _by_family(births: Sequence[Birth]) -> Iterator[list[Birth]]:
    siblings: list[Birth] = []
    for birth in births:
        if siblings and siblings[-1].family != birth.family:
            yield siblings
            siblings = []
        siblings.append(birth)
    if siblings:
        yield siblings


def _group_of(frame: Frame, family: int) -> Group:
    return GROUPS[weighted(stream(frame.seed, "group", family), _GROUP_WEIGHTS)]


def _family(frame: Frame, siblings: list[Birth], completes: Mapping[int, bool]) -> FamilyPlan:
    number = siblings[0].family
    rng = stream(frame.seed, "family", number)
    group = _group_of(frame, number)
    names = NAMES[group.names]
    zip_at = rng.randrange(len(ZIPS))
    clinic = ZIPS[zip_at][2] if rng.random() < 0.85 else rng.randrange(len(CLINICS))
    location = rng.randrange(len(CLINICS[clinic].sites))
    doctor = rng.randrange(len(CLINICS[clinic].practitioners))
    languages = [language for language, _ in group.languages]
    language = rng.choices(languages, [weight for _, weight in group.languages])[0]
    habit = rng.betavariate(6, 6) - 0.5  # some families come more, some less: about +-0.15
    shared = any("mothers_record" in birth.dealt for birth in siblings)
    twin_births = {birth.day for birth in siblings if birth.multiple == 2}
    if shared:  # what befalls one twin under the mother's record befalls both
        siblings = [
            replace(birth, dealt=birth.dealt | {"mothers_record"} - {"duplicates"})
            if birth.day in twin_births
            else birth
            for birth in siblings
        ]
        siblings = [
            replace(birth, dealt=birth.dealt - {"duplicates"}) if "mothers_record" in birth.dealt else birth
            for birth in siblings
        ]
    mother = _mother(frame, rng, siblings, names.mothers, (clinic, location, doctor), is_patient=shared)
    name = rng.choice(names.family)
    street = f"{rng.randrange(100, 9900)} {rng.choice(STREETS)}"
    phone = f"{rng.choice(('213', '310', '323', '562', '818'))}-555-{rng.randrange(100, 200):04d}"
    payer = weighted(rng, _PAYER_WEIGHTS) % len(PAYERS)
    taken: set[str] = set()
    children: list[ChildPlan] = []
    for birth in siblings:
        child_rng = stream(frame.seed, "child", birth.number)
        girl = child_rng.random() < 0.49
        choice = [name for name in (names.girls if girl else names.boys) if name not in taken]
        given = child_rng.choice(choice)
        taken.add(given)
        home = (clinic, location, doctor)
        attends = (group.attends, group.late) if frame.disorder.disparities else (EVERYONE_ATTENDS, EVERYONE_LATE)
        setting = VisitSetting(
            frame=frame,
            attends=(attends[0] + 0.6 * habit) if frame.disorder.missed_visits else 1.0,
            late=(attends[1] - 0.3 * habit) if frame.disorder.late_visits else 0.0,
            combination=CLINICS[clinic].combination,
            completes=completes.get(birth.number),
        )
        children.append(
            plan_child(
                child_rng,
                birth,
                setting,
                given,
                "female" if girl else "male",
                (group.race, group.ethnicity),
                home,
                twin=birth.day in twin_births,
                mother_is_patient=mother.patient is not None,
                payer=payer,
            )
        )
    return FamilyPlan(
        number=number,
        name=name,
        language=language,
        zip_at=zip_at,
        street=street,
        phone=phone,
        payer=payer,
        mother=mother,
        children=tuple(children),
    )


def _mother(
    frame: Frame,
    rng: Random,
    siblings: Sequence[Birth],
    names: Sequence[str],
    home: tuple[int, int, int],
    *,
    is_patient: bool,
) -> MotherPlan:
    number = siblings[0].family
    eldest, youngest = siblings[0].day, siblings[-1].day
    # Old enough to be in no measure's population herself.
    birth = add_days(eldest, -rng.randrange(22 * 365 + 10, 37 * 365))
    patient = is_patient or rng.random() < 0.15
    checkups: list[tuple[str, date, int, bool]] = []
    if patient and add_days(youngest, 42) <= frame.as_of and youngest >= date(2015, 1, 1):
        for at, (offset, postpartum) in enumerate(((-120, False), (-40, False), (42, True))):
            day = add_days(youngest, offset)
            checkups.append((f"enc-m{number:06d}-{at + 1:02d}", day, 15 * rng.randrange(32, 58), postpartum))
    return MotherPlan(
        given=rng.choice(names),
        birth=birth,
        patient=f"mother-{number:06d}" if patient else None,
        cin=f"98{number:06d}{'ABCDEFGHKM'[number % 10]}",
        mrn=f"M{number:07d}",
        organization=home[0],
        location=home[1],
        practitioner=home[2],
        checkups=tuple(checkups),
    )
