"""One child's well visits are spoilt: taken back, by video, cancelled, in the wrong place, on no known day, uncoded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from types import MappingProxyType

from gapsvc.sandbox.days import add_days
from gapsvc.sandbox.plan import MOTHER, Flaw, Frame, Recognised, Role, VisitPlan
from gapsvc.sandbox.rates import windows_of


def anchor(on: date, slot: str) -> VisitPlan:
    return VisitPlan(id="", on=on, minute=-1, role=Role.ANCHOR, slot=slot)


def weekday(day: date) -> date:
    return add_days(day, (0, 0, 0, 0, 0, 2, 1)[day.weekday()])


@dataclass(frozen=True, slots=True)
class Flawing:
    """One child's visits, and what is needed to spoil one of them."""

    rng: Random
    frame: Frame
    birth: date
    history_from: date
    horizon: date
    dead: bool
    visits: list[VisitPlan]

    def target(self) -> VisitPlan | None:
        """An anchor to work on: one in a window that this child is measured by, where there is one."""
        able = [v for v in self.visits if v.role is Role.ANCHOR and v.registration != MOTHER]
        windows = windows_of(self.birth, self.frame)
        inside = [v for v in able if any(first <= v.on <= last for first, last in windows)]
        able = inside or able
        return self.rng.choice(able) if able else None

    def spoil(self, flaw: Flaw, **changes: str) -> list[VisitPlan]:
        """Half of the time an anchor (with its follow-ups) becomes a flawed visit, else a flawed one is added."""
        target = self.target()
        if target is not None and self.rng.random() < 0.5:
            return self.instead(target, flaw, **changes)
        return self.beside(target, flaw, **changes)

    def instead(self, target: VisitPlan, flaw: Flaw, **changes: str) -> list[VisitPlan]:
        spoilt = replace(target, role=Role.FLAWED, flaw=flaw, **changes)
        follow_up = f"{target.slot} follow-up"
        return [spoilt if v is target else v for v in self.visits if v.slot != follow_up]

    def beside(self, target: VisitPlan | None, flaw: Flaw, **changes: str) -> list[VisitPlan]:
        base = target.on if target else max(self.birth, self.history_from)
        day = add_days(base, self.rng.randint(1, 40))
        ends = [last for first, last in windows_of(self.birth, self.frame) if first <= base <= last]
        day = min([day, self.horizon, *ends])
        extra = replace(anchor(day, "extra"), role=Role.FLAWED, flaw=flaw, **changes)
        if target is not None:
            extra = replace(extra, registration=target.registration)
        return [*self.visits, extra]


def _entered_in_error(work: Flawing) -> list[VisitPlan]:
    return work.spoil(Flaw.ENTERED_IN_ERROR, status="entered-in-error")


def _telehealth(work: Flawing) -> list[VisitPlan]:
    return work.spoil(Flaw.TELEHEALTH, setting="VR")


def _cancelled(work: Flawing) -> list[VisitPlan]:
    if not work.dead and work.rng.random() < 0.4:
        appointment = weekday(add_days(work.frame.as_of, work.rng.randint(3, 60)))
        extra = replace(anchor(appointment, "appointment"), role=Role.FLAWED, flaw=Flaw.NOT_FINISHED, status="planned")
        return [*work.visits, extra]
    return work.spoil(Flaw.NOT_FINISHED, status=work.rng.choice(("cancelled", "cancelled", "arrived", "in-progress")))


def _wrong_setting(work: Flawing) -> list[VisitPlan]:
    if work.rng.random() < 0.5 and work.history_from == work.birth and (work.horizon - work.birth).days >= 3:
        # The hospital's own newborn examination, coded as an office visit would be.
        stay = replace(
            anchor(add_days(work.birth, 1), "birth stay"),
            role=Role.FLAWED,
            flaw=Flaw.INPATIENT,
            setting="IMP",
            minute=9 * 60,
        )
        return [*work.visits, stay]
    return work.beside(work.target(), Flaw.EMERGENCY, setting="EMER")


def _imprecise(work: Flawing) -> list[VisitPlan]:
    return work.spoil(Flaw.IMPRECISE)


_LOCAL_STYLES = (
    Recognised.BY_REASON,
    Recognised.BY_CONDITION,
    Recognised.BY_DIAGNOSIS,
    Recognised.BY_PROCEDURE,
    Recognised.BY_HCPCS,
    Recognised.NOT,
)


def _local_codes(work: Flawing) -> list[VisitPlan]:
    style = work.rng.choice(_LOCAL_STYLES)
    target = work.target()
    if target is None:
        return work.beside(None, Flaw.NOT_RECOGNISED, recognised=Recognised.NOT)
    if style is Recognised.NOT:
        return work.instead(target, Flaw.NOT_RECOGNISED, recognised=Recognised.NOT)
    return [replace(v, recognised=style) if v is target else v for v in work.visits]


# In this order; each works on what the one before left.
FLAWS: Mapping[str, Callable[[Flawing], list[VisitPlan]]] = MappingProxyType(
    {
        "local_codes": _local_codes,
        "entered_in_error": _entered_in_error,
        "telehealth": _telehealth,
        "wrong_setting": _wrong_setting,
        "partial_dates": _imprecise,
        "cancelled_visits": _cancelled,
    }
)
