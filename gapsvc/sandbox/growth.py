"""Plausible weight and length by age: straight lines between a few points near the CDC and WHO medians (rounded).

For records that look right; no growth chart, and never used to judge a child.
"""

from bisect import bisect_right
from collections.abc import Sequence

# Age in days, weight in kg, length or height in cm.
_MEDIANS: Sequence[tuple[int, float, float]] = (
    (0, 3.3, 50.0),
    (14, 3.6, 51.5),
    (61, 5.3, 57.5),
    (122, 6.7, 63.0),
    (183, 7.7, 67.0),
    (274, 8.8, 71.5),
    (365, 9.6, 75.5),
    (548, 11.0, 82.0),
    (730, 12.3, 87.5),
    (1096, 14.3, 96.0),
    (1826, 18.4, 109.5),
    (2922, 26.0, 128.0),
    (3652, 33.0, 139.0),
    (4383, 41.0, 150.0),
    (5478, 55.0, 165.0),
    (6574, 63.0, 169.0),
    (8400, 68.0, 170.0),
)
_AGES = tuple(age for age, _, _ in _MEDIANS)


def size_at(age: int, sex: str, place: float) -> tuple[float, float]:
    """Weight in kg (2 decimals) and length in cm (1 decimal) at `age` days; `place` in [0, 1) sets the child's size."""
    at = min(max(bisect_right(_AGES, age) - 1, 0), len(_MEDIANS) - 2)
    (age0, kg0, cm0), (age1, kg1, cm1) = _MEDIANS[at], _MEDIANS[at + 1]
    share = min(max((age - age0) / (age1 - age0), 0.0), 1.0)
    factor = 0.9 + 0.2 * place + (0.02 if sex == "male" else -0.02)
    kg = (kg0 + (kg1 - kg0) * share) * factor
    cm = (cm0 + (cm1 - cm0) * share) * (1 + (factor - 1) * 0.35)
    return round(kg, 2), round(cm, 1)
