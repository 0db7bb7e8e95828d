"""MeasureResult to JSON and back, without loss: how the store keeps one and how processes hand one on. Pure.

Field names are those of `gapsvc.evaluation.result`; days are `YYYY-MM-DD`. Nothing else reads this form. A result that
was kept before a field came is read with the field's default.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import orjson

from gapsvc.evaluation.result import (
    Basis,
    Coding,
    Counted,
    DataRequirement,
    Discounted,
    GapRecord,
    GapStatus,
    GroupResult,
    Label,
    MeasureResult,
    Need,
    Observations,
    Outlook,
    Reason,
    StratifierResult,
    Stratum,
    SupplementalResult,
    SupplementalValue,
)

JsonObject = Mapping[str, Any]


def to_json(result: MeasureResult) -> bytes:
    """The result as JSON, UTF-8: fields in their class's order, mappings by key, so equal results give equal bytes."""
    return orjson.dumps(result, default=_plain, option=orjson.OPT_SORT_KEYS)


def _plain(value: Any) -> Any:
    """What JSON has no form for: decimals (as text, so that no digit is lost), and other mappings than dict."""
    return str(value) if isinstance(value, Decimal) else dict(value)


def from_json(body: bytes | str) -> MeasureResult:
    """The result that `to_json` wrote.

    Raises:
        KeyError, ValueError, TypeError: the text is not of that form.
    """
    found: JsonObject = orjson.loads(body)
    return MeasureResult(
        subject=found["subject"],
        measure_id=found["measure_id"],
        measure_url=found["measure_url"],
        measure_version=found["measure_version"],
        measure_title=found["measure_title"],
        scoring=found["scoring"],
        improvement_notation=found["improvement_notation"],
        period_start=date.fromisoformat(found["period_start"]),
        period_end=date.fromisoformat(found["period_end"]),
        as_of=date.fromisoformat(found["as_of"]),
        groups=tuple(_group(group) for group in found["groups"]),
        evaluated={reference: tuple(parts) for reference, parts in found["evaluated"].items()},
        supplemental=tuple(_supplemental(one) for one in found.get("supplemental", ())),
        sources=dict(found.get("sources", {})),
    )


def _group(found: JsonObject) -> GroupResult:
    return GroupResult(
        found["id"],
        found["description"],
        dict(found["populations"]),
        _gap(found["gap"]),
        score=_decimal(found.get("score")),
        scoring=found.get("scoring", ""),
        improvement_notation=found.get("improvement_notation", ""),
        observations=tuple(_observations(one) for one in found.get("observations", ())),
        stratifiers=tuple(_stratifier(one) for one in found.get("stratifiers", ())),
    )


def _observations(found: JsonObject) -> Observations:
    return Observations(
        found["of"], found["aggregate"], tuple(Decimal(value) for value in found["values"]), found["unit"]
    )


def _stratifier(found: JsonObject) -> StratifierResult:
    return StratifierResult(
        id=found["id"],
        codes=tuple(_label(one) for one in found["codes"]),
        has_components=found["has_components"],
        strata=tuple(
            Stratum(
                values=tuple(_label(value) for value in one["values"]),
                populations=dict(one["populations"]),
                observations=tuple(_observations(each) for each in one["observations"]),
                score=_decimal(one["score"]),
            )
            for one in found["strata"]
        ),
    )


def _supplemental(found: JsonObject) -> SupplementalResult:
    return SupplementalResult(
        id=found["id"],
        usage=found["usage"],
        code=_label(found["code"]),
        values=tuple(
            SupplementalValue(one["reference"], None if one["label"] is None else _label(one["label"]))
            for one in found["values"]
        ),
    )


def _label(found: JsonObject) -> Label:
    return Label(found["text"], None if found["coding"] is None else Coding(**found["coding"]))


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _gap(found: JsonObject) -> GapRecord:
    return GapRecord(
        status=GapStatus(found["status"]),
        need=_need(found["need"]),
        needed=found["needed"],
        done=found["done"],
        due_from=_day(found["due_from"]),
        due_by=_day(found["due_by"]),
        last_day=_day(found["last_day"]),
        outlook=Outlook(found["outlook"]),
        reasons=tuple(_reason(reason) for reason in found["reasons"]),
        counted=tuple(Counted(one["reference"], _day(one["on"])) for one in found["counted"]),
        discounted=tuple(
            Discounted(one["reference"], _day(one["on"]), one["reason"], one["text"]) for one in found["discounted"]
        ),
        changes_on=_day(found["changes_on"]),
        basis=Basis(**found["basis"]),
    )


def _need(found: JsonObject | None) -> Need | None:
    if found is None:
        return None
    return Need(found["text"], Coding(**found["coding"]), tuple(Coding(**one) for one in found.get("further", ())))


def _reason(found: JsonObject) -> Reason:
    wanted: JsonObject | None = found["requirement"]
    return Reason(
        code=found["code"],
        text=found["text"],
        reference=found["reference"],
        path=found["path"],
        requirement=None
        if wanted is None
        else DataRequirement(
            resource_type=wanted["resource_type"],
            code_path=wanted["code_path"],
            value_set=wanted["value_set"],
            date_path=wanted["date_path"],
            date_from=_day(wanted["date_from"]),
            date_to=_day(wanted["date_to"]),
        ),
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
