"""Cases from JSON lines, in the layout of CDC's test cases (see docs/immunizations.md)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, cast

from .history import Case, GivenDose, Observation, plausible

_GENDERS = {"f": "female", "female": "female", "m": "male", "male": "male"}


class UnusableCase(ValueError):
    """The line has no usable birth date or assessment date, so that nothing can be said of the person."""


def read_case(line: Mapping[str, Any]) -> Case:
    """The case of a parsed line. Only the two dates without which nothing can be computed are demanded.

    Raises UnusableCase, without repeating values. A dose or an observation that can't be read becomes one without a
    date or a code, and is reported with the results.
    """
    born, assessed = _day(line.get("dob")), _day(line.get("assessment"))
    if born is None or not plausible([born]):
        raise UnusableCase("'dob' is not a date (yyyy-mm-dd) between 1900 and 2999")
    if assessed is None or not plausible([assessed]):
        raise UnusableCase("'assessment' is not a date (yyyy-mm-dd) between 1900 and 2999")
    if assessed < born:
        raise UnusableCase("'assessment' lies before 'dob'")
    return Case(
        id=str(line.get("id", "")),
        born=born,
        assessed=assessed,
        gender=_GENDERS.get(str(line.get("gender") or "").strip().casefold(), "unknown"),
        doses=tuple(_dose(one) for one in _objects(line.get("doses"))),
        observations=tuple(_observation(one) for one in _objects(line.get("observations"))),
        birth_country=_text(line.get("birth_country")),
    )


def _objects(value: object) -> Sequence[Mapping[str, Any]]:
    """The objects of a list; anything else in it counts as an object without content, so positions are kept."""
    if not isinstance(value, list):
        return ()
    items = cast("list[object]", value)
    return [cast("Mapping[str, Any]", one) if isinstance(one, dict) else {} for one in items]


def _dose(one: Mapping[str, Any]) -> GivenDose:
    given = _day(one.get("date"))
    volume = one.get("volume")
    return GivenDose(
        given=given if given is not None and plausible([given]) else None,
        cvx=_text(one.get("cvx")),
        mvx=_text(one.get("mvx")),
        trade_name=_text(one.get("trade_name")),
        volume=float(volume) if isinstance(volume, int | float) and not isinstance(volume, bool) else None,
        lot_expires=_text(one.get("lot_expires")),
        condition=one.get("condition") in (True, "Y", "y"),
    )


def _observation(one: Mapping[str, Any]) -> Observation:
    code = _text(one.get("code")) or ""
    return Observation(code.zfill(3) if code.isdigit() else code, _day(one.get("date")))


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def _day(value: object) -> date | None:
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value.strip())
    except ValueError:
        return None
