"""Which codes, value sets and items of the visit schedule mean one and the same service: data/services.toml.

Pure; the data file is read once, when the module is.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gapsvc.evaluation.result import Coding

VALUE_SETS = "https://gapsvc.example/fhir/ValueSet/"
SNOMED = "http://snomed.info/sct"
WELL_VISIT = Coding(SNOMED, "410620009", "Well child visit")
WELL_VISIT_SET = f"{VALUE_SETS}well-visit"


@dataclass(frozen=True, slots=True)
class Service:
    """One service: `products` are what it is done with, in words; `months_between` how long after one the next is
    wanted, where a measure would count it the day after. `confidential`: a minor may have it without the parents."""

    id: str
    title: str
    products: tuple[str, ...]
    months_between: int
    confidential: bool


def _read() -> tuple[Mapping[str, Service], Mapping[str, Service], Mapping[str, Service]]:
    path = Path(__file__).parent / "data" / "services.toml"
    rows: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["service"]
    by_item: dict[str, Service] = {}
    by_code: dict[str, Service] = {}
    by_value_set: dict[str, Service] = {}
    for row in rows:
        service = Service(
            row["id"],
            row["title"],
            tuple(row["products"]),
            row.get("months_between", 0),
            row.get("confidential", False),
        )
        by_item |= dict.fromkeys(row["items"], service)
        by_code |= dict.fromkeys(row["codes"], service)
        by_value_set |= {VALUE_SETS + name: service for name in row["value_sets"]}
    return MappingProxyType(by_item), MappingProxyType(by_code), MappingProxyType(by_value_set)


_BY_ITEM, _BY_CODE, _BY_VALUE_SET = _read()


def service_of_item(item: str) -> Service | None:
    """The service that an item of the visit schedule asks for, if the table has it."""
    return _BY_ITEM.get(item)


def service_of_need(coding: Coding, value_set: str | None) -> Service | None:
    """The service that a measure's need asks for: by the value set that would show it, else by its code."""
    return _BY_VALUE_SET.get(value_set or "") or _BY_CODE.get(f"{coding.system}|{coding.code}")
