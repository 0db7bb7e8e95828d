"""A schedule as shipped, and short ways to write a child's case."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from gapsvc.schedule.immunizations import Schedule, answer, assess, load, read_case

Line = dict[str, Any]


@pytest.fixture(scope="session")
def schedule() -> Schedule:
    """CDC's 4.64, as the repository ships it."""
    return load("4.64")


@pytest.fixture(scope="session")
def result(schedule: Schedule) -> Callable[..., Line]:
    """`result(born, assessed, *(day, cvx), observations=[...], ...)`: the result line of a case."""

    def run(
        born: str,
        assessed: str,
        *doses: tuple[str, str] | Line,
        observations: tuple[str | tuple[str, str], ...] = (),
        gender: str = "F",
        **more: Any,
    ) -> Line:
        line: Line = {
            "id": "case",
            "dob": born,
            "gender": gender,
            "assessment": assessed,
            "observations": [
                {"code": one} if isinstance(one, str) else {"code": one[0], "date": one[1]} for one in observations
            ],
            "doses": [dose if isinstance(dose, dict) else {"date": dose[0], "cvx": dose[1]} for dose in doses],
            **more,
        }
        return answer(assess(schedule, read_case(line)))

    return run


@pytest.fixture(scope="session")
def day() -> Callable[[str], int]:
    """The ordinal of an ISO date."""
    return lambda text: date.fromisoformat(text).toordinal()
