"""What vaccines are called, and which vaccine groups a code belongs to: data/vaccine_products.toml and the schedule.

Pure; the data file is read once, when the module is.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gapsvc.evaluation.result import Coding
from gapsvc.schedule.immunizations import Schedule
from gapsvc.schedule.immunizations.fhir_input import CPT, CVX
from gapsvc.schedule.immunizations.vaccine_codes import STANDARD_CODES, CodeTable

_DATA: Mapping[str, Any] = MappingProxyType(
    tomllib.loads((Path(__file__).parent / "data" / "vaccine_products.toml").read_text(encoding="utf-8"))
)
GROUP_NAMES: Mapping[str, str] = MappingProxyType(_DATA["groups"])
TRADE_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {cvx: tuple(names) for cvx, names in _DATA["products"].items()}
)
_BY_VACCINE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {row["group"]: MappingProxyType(row["names"]) for row in _DATA["by_vaccine"]}
)


@dataclass(frozen=True, slots=True)
class VaccineNames:
    """The names of one schedule's vaccines and groups. Make one per schedule and keep it."""

    groups_of_cvx: Mapping[str, tuple[str, ...]]  # CVX -> the vaccine groups that a dose of it belongs to
    described: Mapping[str, str]  # CVX -> CDSi's description
    cpt: Mapping[str, str]  # CPT -> CVX

    @staticmethod
    def of(schedule: Schedule, codes: CodeTable = STANDARD_CODES) -> "VaccineNames":
        group_of = {antigen: group.name for group in schedule.groups.values() for antigen in group.antigens}
        return VaccineNames(
            MappingProxyType(
                {
                    cvx: tuple(dict.fromkeys(group_of[name] for name, _, _ in vaccine.antigens if name in group_of))
                    for cvx, vaccine in schedule.vaccines.items()
                }
            ),
            MappingProxyType({cvx: vaccine.name for cvx, vaccine in schedule.vaccines.items()}),
            codes.cpt,
        )

    def groups(self, coding: Coding) -> tuple[str, ...]:
        """The vaccine groups that a code (CVX, or CPT of a product) asks for; none if it is no vaccine's."""
        cvx = coding.code if coding.system == CVX else self.cpt.get(coding.code) if coding.system == CPT else None
        return () if cvx is None else self.groups_of_cvx.get(cvx, ())

    def dose(self, group: str, vaccines: Iterable[str] = ()) -> str:
        """What a dose for a group is called, given the CVX codes that fit: "DTaP", "Tdap"."""
        named = _BY_VACCINE.get(group, {})
        return next((named[cvx] for cvx in vaccines if cvx in named), GROUP_NAMES.get(group, group))

    def product(self, cvx: str) -> str:
        """A given dose's vaccine: its description, and the trade name where there is only one."""
        words = self.described.get(cvx, f"CVX {cvx}")
        trade = TRADE_NAMES.get(cvx, ())
        return f"{trade[0]} ({words})" if len(trade) == 1 else words

    def products(self, vaccines: Iterable[str]) -> tuple[str, ...]:
        """Trade names of what can be given; the description where no trade name is known."""
        names = (name for cvx in vaccines for name in TRADE_NAMES.get(cvx, (self.described.get(cvx, f"CVX {cvx}"),)))
        return tuple(dict.fromkeys(names))
