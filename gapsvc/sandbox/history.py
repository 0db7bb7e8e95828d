"""A child's medical history as far as vaccine measures mind it, with the disorder dealt to the child.

Reactions, diseases and excluding conditions come before, on and after the last day that matters (the second or the
thirteenth birthday), are refuted, taken back, or dated to the month or not at all; now and then one only looks alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from gapsvc.sandbox.days import add_days, add_years
from gapsvc.sandbox.plan import Doubt, Frame, HistoryPlan, HospicePlan

_OF_INFANTS: Sequence[Sequence[str]] = (
    ("anaphylaxis-dtap",),
    ("encephalitis-dtap",),
    ("anaphylaxis-ipv",),
    ("anaphylaxis-mmr",),
    ("anaphylaxis-hib",),
    ("anaphylaxis-hepb",),
    ("anaphylaxis-vzv",),
    ("anaphylaxis-pcv",),
    ("anaphylaxis-hepa",),
    ("anaphylaxis-rv",),
    ("anaphylaxis-flu",),
    ("measles", "mumps", "rubella"),
    ("measles", "mumps", "rubella"),
    ("measles", "rubella"),
    ("varicella",),
    ("zoster", "varicella"),
    ("hepatitis-a",),
    ("hepatitis-b",),
    ("scid",),
    ("immunodeficiency",),
    ("hiv",),
    ("leukemia",),
    ("lymphoma",),
    ("intussusception",),
    ("gastroenteritis", "pneumonia", "pertussis"),
)
_OF_ADOLESCENTS: Sequence[Sequence[str]] = (
    ("anaphylaxis-dtap",),
    ("encephalitis-dtap",),
    ("anaphylaxis-menacwy",),
    ("anaphylaxis-hpv",),
    ("leukemia",),
)


@dataclass(frozen=True, slots=True)
class MedicalHistory:
    conditions: tuple[HistoryPlan, ...] = ()
    hospice: tuple[HospicePlan, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.conditions or self.hospice)


def plan_history(
    rng: Random, frame: Frame, *, birth: date, number: int, history_from: date, deceased: date | None
) -> MedicalHistory:
    """What befell one child whom `medical_history` was dealt to."""
    horizon = min(frame.as_of, deceased or frame.as_of)
    if rng.random() < 0.2:
        return MedicalHistory(hospice=_hospice(rng, frame, number, history_from, horizon))
    old = birth <= add_years(horizon, -9)
    last = add_years(birth, 13 if old else 2)
    conditions: list[HistoryPlan] = []
    for event in rng.choice(_OF_ADOLESCENTS if old else _OF_INFANTS):
        day = _day(rng, birth, last, horizon)
        doubt = rng.choice(tuple(Doubt)) if rng.random() < 0.25 else None
        undated = doubt is Doubt.IMPRECISE and rng.random() < 0.5
        ident = f"cond-{number:06d}-h{len(conditions) + 1:02d}"
        conditions.append(HistoryPlan(ident, day, event, doubt, undated))
    return MedicalHistory(tuple(conditions))


def _day(rng: Random, birth: date, last: date, horizon: date) -> date:
    """Before the last day that matters, or around it; never after today."""
    if last <= horizon and rng.random() < 0.3:
        day = add_days(last, rng.choice((-1, 0, 1, 100)))
    else:
        day = add_days(birth, rng.randrange(30, max(31, (last - birth).days)))
    return max(birth, min(day, horizon))


def _hospice(rng: Random, frame: Frame, number: int, history_from: date, horizon: date) -> tuple[HospicePlan, ...]:
    """One day of hospice care: in the period, on its edge, or in another year."""
    start, end = frame.period
    day = rng.choice((start, end, add_days(start, -1), add_days(start, rng.randrange(300)), add_days(start, -200)))
    day = max(history_from, min(day, horizon))
    return (HospicePlan(f"hosp-{number:06d}", day, as_procedure=rng.random() < 0.5),)
