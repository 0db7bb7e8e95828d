"""The disorder of real EHR data, as switches with names, and how often each befalls a child.

Source: design/ehr.md ("Data") and issue 2 ("Sandbox"). The shares are illustrative: they are set so that each kind
of disorder is met often enough to test against, not to describe any real clinic.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Disorder:
    """Which kinds of disorder the population has. Every switch is independent of the others.

    Truth follows every switch: what is planned as disordered is written down as such in the truth file.
    """

    late_visits: bool = True  # well visits after the day on which the schedule calls them overdue
    missed_visits: bool = True  # well visits that never happened
    disparities: bool = True  # groups differ in lateness and attendance (people.GROUPS)
    invalid_doses: bool = True  # vaccine doses too early, or too close to the one before
    refused_doses: bool = True  # doses, tests and services with status not-done, and a refusal as reason
    entered_in_error: bool = True  # encounters, doses, tests and services with that status
    duplicates: bool = True  # one child registered at two clinics, some of its care written down by both
    partial_dates: bool = True  # YYYY-MM as day of a visit, dose, test or service or, rarely, as birth date
    missing_race: bool = True  # no US Core race extension, or unknown, or asked but not answered; sometimes imputed
    local_codes: bool = True  # visits, doses, tests and services under a clinic's own codes
    mothers_record: bool = True  # newborn visits under the mother's Patient
    deceased: bool = True
    telehealth: bool = True  # well visits by video (class VR)
    cancelled_visits: bool = True  # cancelled, still planned, or never closed
    wrong_setting: bool = True  # inpatient and emergency encounters with a well-visit code
    edge_days: bool = True  # doses, tests and services on the day where a rule begins or ends, and the days beside it
    odd_products: bool = True  # unspecified, mixed, live or like-named vaccines; doses that only a Procedure shows
    payer_claims: bool = True  # doses and services that only the payer's Claim shows, or that it shows too
    missing_results: bool = True  # lead tests without a result, or with one that is not final
    autism_screens: bool = True  # screens for autism, billed under the code of developmental screening
    coverage_gaps: bool = True  # coverage with breaks, changes of plan, late starts, ends; or none
    medical_history: bool = True  # reactions, diseases and conditions that bear on vaccines; hospice care

    @staticmethod
    def all() -> "Disorder":
        """Every kind of disorder: the default."""
        return Disorder()

    @staticmethod
    def none() -> "Disorder":
        """A tidy population: every visit on time, fully coded, under its own child."""
        return Disorder(**dict.fromkeys(Disorder.names(), False))

    @staticmethod
    def only(*names: str) -> "Disorder":
        """No disorder but the named kinds.

        Raises:
            ValueError: a name is not one of `Disorder.names()`.
        """
        return replace(Disorder.none(), **dict.fromkeys(_known(names), True))

    def without(self, *names: str) -> "Disorder":
        """The same, with the named kinds switched off.

        Raises:
            ValueError: a name is not one of `Disorder.names()`.
        """
        return replace(self, **dict.fromkeys(_known(names), False))

    @staticmethod
    def names() -> tuple[str, ...]:
        """Every switch by name, in the order of this file."""
        return tuple(field.name for field in fields(Disorder))

    def on(self) -> tuple[str, ...]:
        """The names of the switches that are on."""
        return tuple(name for name in Disorder.names() if getattr(self, name))


def _known(names: Iterable[str]) -> tuple[str, ...]:
    wanted = tuple(name.replace("-", "_") for name in names)
    for name in wanted:
        if name not in Disorder.names():
            near = get_close_matches(name, Disorder.names(), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(Disorder.names())}"
            raise ValueError(f"no disorder is called {name!r}; {hint}")
    return wanted


# Share of children (of those in a measure, and of the others alike) that are given this kind by quota.
# late_visits, missed_visits and disparities are not here: they befall visits by chance (people.GROUPS).
SHARES: Mapping[str, float] = MappingProxyType(
    {
        "duplicates": 0.05,
        "partial_dates": 0.06,
        "missing_race": 0.06,
        "deceased": 0.008,
        "mothers_record": 0.10,
        "entered_in_error": 0.06,
        "local_codes": 0.12,
        "telehealth": 0.06,
        "cancelled_visits": 0.10,
        "wrong_setting": 0.05,
        "invalid_doses": 0.05,
        "refused_doses": 0.06,
        "edge_days": 0.20,
        "odd_products": 0.15,
        "payer_claims": 0.10,
        "missing_results": 0.10,
        "autism_screens": 0.10,
        "coverage_gaps": 0.20,
        "medical_history": 0.08,
    }
)
