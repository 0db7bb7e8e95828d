"""A relevant series of one person, as far as its evaluation has come (Logic Specification 3.1, Figure 4-6)."""

from collections.abc import Sequence
from typing import NamedTuple

from .history import Dose
from .schedule import Series, SeriesDose
from .verdicts import NOT_SATISFIED, SATISFIED, SKIPPED, Verdict


class Target(NamedTuple):
    """A target dose of one person (3.1): the series dose it tracks, its status, and the dose that satisfied it."""

    dose: SeriesDose
    status: str
    satisfied_by: Dose | None


class PatientSeries:
    """A relevant patient series: its target doses, the verdict on each record, and where evaluation stands.

    Mutable while the engine works on it. `doses` are those of the series, a recurring one again for each time it was
    given; `pointer` is the place of the next target dose: those before it were given or skipped, the others wait.
    """

    __slots__ = ("completed", "doses", "given", "pointer", "previous", "records", "series", "verdicts")

    def __init__(self, series: Series, records: Sequence[Dose], completed: frozenset[str]) -> None:
        self.series = series
        self.records = records
        self.completed = completed
        self.doses = series.doses
        self.pointer = 0
        self.given: Sequence[tuple[int, Dose]] = ()  # (place of the target dose, what satisfied it), in order
        self.verdicts: Sequence[Verdict] = ()
        self.previous: int | None = None  # day of the latest dose that CALCDTINT-1 counts from

    @property
    def satisfied(self) -> int:
        """SELECTB-21: the number of valid doses."""
        return len(self.given)

    @property
    def unsatisfied(self) -> int:
        """Target doses that still wait."""
        return len(self.doses) - self.pointer

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every target dose as it stands."""
        given = dict(self.given)
        return tuple(
            Target(dose, SATISFIED if at in given else SKIPPED if at < self.pointer else NOT_SATISFIED, given.get(at))
            for at, dose in enumerate(self.doses)
        )

    def first_valid_day(self) -> int | None:
        """The day of the earliest valid dose."""
        return self.given[0][1].day if self.given else None
