"""The preventive visit schedule (Bright Futures/AAP periodicity): a dated data file, and a child's plan under it.

`load` a schedule, `assess` a child's visits and services under it: a `VisitPlan` (docs/visits.md).
"""

from .engine import Row, assess
from .installed import LATEST, NoSuchVisitSchedule, installed, load
from .plan import Done, LeftOut, ServiceState, SlotState, SlotStatus, VisitPlan
from .reading import read_schedule
from .schedule import VisitSchedule
from .tables import VisitScheduleError

__all__ = [
    "LATEST",
    "Done",
    "LeftOut",
    "NoSuchVisitSchedule",
    "Row",
    "ServiceState",
    "SlotState",
    "SlotStatus",
    "VisitPlan",
    "VisitSchedule",
    "VisitScheduleError",
    "assess",
    "installed",
    "load",
    "read_schedule",
]
