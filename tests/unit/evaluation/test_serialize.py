"""A result survives the way to JSON and back, whatever it holds."""

from datetime import date
from types import MappingProxyType

import pytest
from hypothesis import given
from result_strategies import results

from gapsvc.evaluation.result import MeasureResult
from gapsvc.evaluation.serialize import from_json, to_json


@given(results)
def test_any_result_survives_the_round_trip(result: MeasureResult) -> None:
    read = from_json(to_json(result))

    assert read == result
    assert to_json(read) == to_json(result)


def _empty(**more: object) -> MeasureResult:
    values: dict[str, object] = {
        "subject": "Patient/p1",
        "measure_id": "w30",
        "measure_url": "https://gaps.example/Measure/w30",
        "measure_version": "1.0.0",
        "measure_title": "Well visits",
        "scoring": "proportion",
        "improvement_notation": "increase",
        "period_start": date(2025, 1, 1),
        "period_end": date(2025, 12, 31),
        "as_of": date(2025, 6, 1),
        "groups": (),
        "evaluated": {},
    }
    return MeasureResult(**{**values, **more})  # type: ignore[arg-type]


def test_the_form_is_canonical() -> None:
    one = _empty(evaluated={"Encounter/b": ("numerator",), "Encounter/a": ()})
    other = _empty(evaluated=MappingProxyType({"Encounter/a": (), "Encounter/b": ("numerator",)}))

    assert to_json(one) == to_json(other)
    assert to_json(one) == (
        b'{"subject":"Patient/p1","measure_id":"w30","measure_url":"https://gaps.example/Measure/w30",'
        b'"measure_version":"1.0.0","measure_title":"Well visits","scoring":"proportion",'
        b'"improvement_notation":"increase","period_start":"2025-01-01","period_end":"2025-12-31",'
        b'"as_of":"2025-06-01","groups":[],"evaluated":{"Encounter/a":[],"Encounter/b":["numerator"]},'
        b'"supplemental":[],"sources":{}}'
    )


@pytest.mark.parametrize("text", [b"{}", b"[]", b"nonsense"])
def test_another_form_is_refused(text: bytes) -> None:
    with pytest.raises((KeyError, ValueError, TypeError)):
        from_json(text)
