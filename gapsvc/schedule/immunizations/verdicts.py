"""The words of an evaluation: statuses and reasons as CDC's test cases word them, and the tables that decide."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

VALID: Final = "Valid"
NOT_VALID: Final = "Not Valid"
EXTRANEOUS: Final = "Extraneous"
SUB_STANDARD: Final = "Sub-standard"

SATISFIED: Final = "Satisfied"
NOT_SATISFIED: Final = "Not Satisfied"
SKIPPED: Final = "Skipped"

NOT_COMPLETE: Final = "Not Complete"
COMPLETE: Final = "Complete"
IMMUNE: Final = "Immune"
CONTRAINDICATED: Final = "Contraindicated"
AGED_OUT: Final = "Aged Out"
NOT_RECOMMENDED: Final = "Not Recommended"


class Reason(NamedTuple):
    """A reason as CDC words it, and the table of the Logic Specification that gives it."""

    text: str
    rule: str


TOO_YOUNG: Final = Reason("Age: Too Young", "Table 6-15")
TOO_OLD: Final = Reason("Age: Too Old", "Table 6-15")
AGE_GRACE: Final = Reason("Age: Grace Period", "Table 6-15")
TOO_SOON: Final = Reason("Interval: Too Soon", "Tables 6-18 and 6-21")
INTERVAL_GRACE: Final = Reason("Interval: Grace Period", "Table 6-18")
ALLOWABLE_INTERVAL: Final = Reason("Interval: Allowable", "Table 6-21")
CONFLICT: Final = Reason("Live Virus Conflict", "Table 6-24")
WRONG_VACCINE: Final = Reason("Not a preferable or allowable vaccine", "Tables 6-26 and 6-29")
LOW_VOLUME: Final = Reason("Volume administered is less than recommended volume", "Table 6-26")
INADVERTENT: Final = Reason("Inadvertent Vaccine", "Table 6-13")
ALREADY_COMPLETE: Final = Reason("Series Already Complete", "Figure 4-6")


class Verdict(NamedTuple):
    """What one series makes of one dose. `target`: number of the series dose it was held against, None if none left.

    `reasons` are all that failed, in the order of the steps; `notes` qualify a valid dose (grace period ...).
    """

    status: str
    target: int | None
    reasons: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()

    @property
    def rule(self) -> str:
        """The table that decided."""
        if not self.reasons:
            return "Table 6-31"
        decisive = TOO_OLD if TOO_OLD in self.reasons else self.reasons[0]
        return decisive.rule


FAILURES: Final = frozenset({TOO_YOUNG, TOO_OLD, TOO_SOON, CONFLICT, WRONG_VACCINE, INADVERTENT})


NONE_LEFT: Final = Verdict(EXTRANEOUS, None, (ALREADY_COMPLETE,))


@lru_cache(maxsize=1 << 10)
def verdict_of(
    target: int,
    age: Reason | None = None,
    interval: Reason | None = None,
    conflict: Reason | None = None,
    vaccine: Reason | None = None,
    inadvertent: Reason | None = None,
) -> Verdict:
    """Table 6-31 (and 6-13): what the findings about a dose come to. There are few combinations, each is made once."""
    found = [one for one in (age, interval, conflict, vaccine, inadvertent) if one is not None]
    reasons = tuple(one for one in found if one in FAILURES)
    if not reasons:
        return Verdict(VALID, target, (), tuple(found))
    # Table 6-31: too old is extraneous, whatever else is wrong.
    return Verdict(EXTRANEOUS if age == TOO_OLD else NOT_VALID, target, reasons)


# Receives one line per step when an explanation is wanted; None otherwise.
Trace = Callable[[str], None] | None
