"""CDC's immunization schedule (CDSi): which doses count, which vaccine is due when.

`load` a schedule version, make a `Case` (or `read_case` from JSON), `assess` it, and `answer` gives the JSON result.
"""

from .answers import answer
from .case_lines import UnusableCase, read_case
from .engine import Outcome, assess
from .history import Case, GivenDose, Observation
from .importing import ScheduleRefused, read_schedule
from .installed import NoSuchSchedule, installed, load
from .schedule import Schedule

__all__ = [
    "Case",
    "GivenDose",
    "NoSuchSchedule",
    "Observation",
    "Outcome",
    "Schedule",
    "ScheduleRefused",
    "UnusableCase",
    "answer",
    "assess",
    "installed",
    "load",
    "read_case",
    "read_schedule",
]
