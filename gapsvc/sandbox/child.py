"""One child is planned: registrations, visits, doses, services, history, coverage, and the disorder dealt to it."""

from dataclasses import dataclass
from datetime import date
from random import Random

from gapsvc.sandbox.chance import stream
from gapsvc.sandbox.coverage import plan_coverage
from gapsvc.sandbox.days import add_days
from gapsvc.sandbox.doses import plan_doses
from gapsvc.sandbox.history import MedicalHistory, plan_history
from gapsvc.sandbox.people import GROUPS, RACES
from gapsvc.sandbox.places import CLINICS
from gapsvc.sandbox.plan import ChildPlan, Flaw, RaceSaid, Registration
from gapsvc.sandbox.services import plan_services
from gapsvc.sandbox.visits import VisitSetting, plan_other_visits, plan_visits

PARTIAL_BIRTH = "partial birth date"  # the rare part of partial_dates, dealt on its own


@dataclass(frozen=True, slots=True)
class Birth:
    """A child before it has a life: who, when, in which family, and the disorder dealt to it."""

    number: int
    family: int
    day: date
    multiple: int
    dealt: frozenset[str] = frozenset()


def plan_child(
    rng: Random,
    birth: Birth,
    setting: VisitSetting,
    given: str,
    sex: str,
    group: tuple[str, str],
    home: tuple[int, int, int],
    *,
    twin: bool,
    mother_is_patient: bool,
    payer: int,
) -> ChildPlan:
    frame = setting.frame
    dealt = set(birth.dealt)
    age = (frame.as_of - birth.day).days
    registrations = [Registration(f"child-{birth.number:06d}", *home, mrn=f"{birth.number:08d}")]
    partial_birth = PARTIAL_BIRTH in dealt
    if "duplicates" in dealt:
        other = (home[0] + rng.randrange(1, len(CLINICS))) % len(CLINICS)
        registrations.append(
            Registration(
                f"child-{birth.number:06d}-b",
                other,
                rng.randrange(len(CLINICS[other].sites)),
                rng.randrange(len(CLINICS[other].practitioners)),
                mrn=f"{birth.number + 500000:08d}",
            )
        )
    # Infants are known from birth; an older child joined the network at some time in the last years.
    history_from = birth.day if age < 1500 else max(birth.day, add_days(frame.as_of, -rng.randrange(200, 2200)))
    deceased: date | None = None
    if "deceased" in dealt:
        known_for = (frame.as_of - history_from).days
        deceased = add_days(history_from, rng.randrange(min(25, known_for), known_for + 1))
    linked = rng.random() < 0.65
    visits = plan_visits(
        rng,
        setting,
        birth=birth.day,
        number=birth.number,
        history_from=history_from,
        deceased=deceased,
        dealt=dealt,
        clinics=len(registrations),
        under_mother=("mothers_record" in dealt) and ("linked" if linked and not twin else "unlinked"),
    )
    others = plan_other_visits(
        rng, setting, birth=birth.day, number=birth.number, history_from=history_from, deceased=deceased
    )
    doses, dose_kinds = plan_doses(
        rng,
        setting,
        birth=birth.day,
        number=birth.number,
        history_from=history_from,
        visits=visits.visits,
        deceased=deceased,
        dealt=dealt,
        clinics=len(registrations),
        oddities=stream(frame.seed, "doses", birth.number),
    )
    history = MedicalHistory()
    if "medical_history" in dealt:
        history = plan_history(
            stream(frame.seed, "history", birth.number),
            frame,
            birth=birth.day,
            number=birth.number,
            history_from=history_from,
            deceased=deceased,
        )
    services, service_kinds = plan_services(
        stream(frame.seed, "services", birth.number),
        setting,
        birth=birth.day,
        number=birth.number,
        history_from=history_from,
        visits=visits.visits,
        deceased=deceased,
        dealt=dealt,
        clinics=len(registrations),
    )
    coverage, coverage_kinds = plan_coverage(
        stream(frame.seed, "coverage", birth.number),
        frame,
        birth=birth.day,
        history_from=history_from,
        payer=payer,
        dealt=dealt,
    )
    race_missing = "missing_race" in dealt
    race_said, race_imputed = RaceSaid.DIRECT, None
    if race_missing:
        race_said, race_imputed = plan_missing_race(stream(frame.seed, "race", birth.number), group[0])
    kinds = visits.kinds | dose_kinds | service_kinds | coverage_kinds
    kinds |= {"missing_race"} if race_missing else set()
    kinds |= {"partial_dates"} if partial_birth else set()
    kinds |= {"deceased"} if deceased else set()
    kinds |= set() if history.empty else {"medical_history"}
    kinds |= {"duplicates"} if len(registrations) > 1 else set()
    kinds |= {"disparities"} if frame.disorder.disparities and group[0] == GROUPS[0].race else set()
    under_mother = any(visit.flaw is Flaw.UNDER_MOTHER for visit in visits.visits)
    return ChildPlan(
        number=birth.number,
        registrations=tuple(registrations),
        given=given,
        sex=sex,
        birth=birth.day,
        birth_precision="month" if partial_birth else "day",
        race=None if race_missing else group[0],
        race_said=race_said,
        race_imputed=race_imputed,
        ethnicity=None if race_missing else group[1],
        cin=f"97{birth.number:06d}{'ABCDEFGHKM'[birth.number % 10]}",
        multiple=birth.multiple,
        history_from=history_from,
        deceased=deceased,
        deceased_as_boolean=deceased is not None and rng.random() < 0.3,
        related=f"rel-{birth.number:06d}" if age < 18 * 365 else None,
        # An unlinkable newborn visit of a single child: the RelatedPerson does not carry the mother's CIN.
        related_identified=mother_is_patient and (twin or not under_mother),
        visits=visits.visits,
        others=others,
        doses=doses,
        asthma=add_days(birth.day, 1200) if age > 1300 and not deceased and rng.random() < 0.08 else None,
        disorder=tuple(name for name in frame.disorder.names() if name in kinds),
        completes=setting.completes,
        coverage=coverage,
        services=services,
        history=history.conditions,
        hospice=history.hospice,
    )


def plan_missing_race(rng: Random, race: str) -> tuple[RaceSaid, str | None]:
    """How a record is without an answer about race, and what may be imputed to it: mostly, not always, the truth."""
    said = rng.choice((RaceSaid.SILENT, RaceSaid.SILENT, RaceSaid.UNKNOWN, RaceSaid.DECLINED))
    imputed = None
    if rng.random() < 0.4:
        imputed = race if rng.random() < 0.8 else rng.choice(tuple(RACES))
    return said, imputed
