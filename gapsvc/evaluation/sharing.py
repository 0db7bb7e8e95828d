"""Measures and the visit schedule over one record in one session of the CQL engine: what their libraries have in common
(the child, the visits, the enrolment) is worked out once for all of them, and the results are those of each alone.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import cql_like
from cql_like.types import DATE, IntervalOf
from gapsvc.records.record import PatientRecord

PERIOD = "Measurement Period"

Sessions = Callable[[PatientRecord], cql_like.Session]
Key = tuple[date, date, date]  # first and last day of the period, and the day that counts as today


class SharedSessions:
    """The libraries of several measures, prepared together for a period and a day when that is first asked for.

    Whoever joins later is in the sessions that are made from then on: `size` says when to ask for them anew. In a
    shared session a define goes by `Library.define`.
    """

    def __init__(
        self,
        terminology: cql_like.Terminology,
        engine: cql_like.Engine = "compiled",
        profile: cql_like.Profile | None = None,
    ) -> None:
        self._terminology = terminology
        self._engine: cql_like.Engine = engine
        self._profile = profile
        self._libraries: list[cql_like.Library] = []
        self._parameters: dict[str, Any] = {}
        self._prepared: tuple[Key, Sessions] | None = None

    def join(self, library: cql_like.Library, parameters: Mapping[str, Any]) -> None:
        """Add a library, unless it is there. A parameter that an included library declares holds for all: they must
        agree on it.

        Raises:
            ValueError: they don't agree.
        """
        for name, value in parameters.items():
            key = f"{library.name}.{name}" if name in library.parameters else name
            if self._parameters.setdefault(key, value) != value:
                raise ValueError(f"library {library.name}: parameter {name!r} has another value in another measure")
        if library not in self._libraries:
            self._libraries.append(library)
            self._prepared = None

    @property
    def size(self) -> int:
        """How many libraries there are."""
        return len(self._libraries)

    def on(self, key: Key) -> Sessions:
        """Sessions for a period and a day; asked again for the record that it was last asked for, the same session."""
        prepared = self._prepared  # read once: threads share the measures
        if prepared is None or prepared[0] != key:
            factory = cql_like.prepare_together(
                self._libraries,
                {**self._parameters, **period_parameter(self._libraries[0], key[0], key[1])},
                self._terminology,
                moment_of(key[2]),
                self._engine,
                profile=self._profile,
            )
            prepared = self._prepared = (key, _LastRecord(factory).session)
        return prepared[1]


class _LastRecord(threading.local):
    """The session of the record that this thread evaluated last."""

    def __init__(self, factory: cql_like.SessionFactory) -> None:
        self._factory = factory
        self._record: PatientRecord | None = None
        self._session: cql_like.Session | None = None

    def session(self, record: PatientRecord) -> cql_like.Session:
        if self._session is None or self._record is not record:
            self._session = self._factory.session(record)
            self._record = record
        return self._session


def period_parameter(library: cql_like.Library, start: date, end: date) -> Mapping[str, cql_like.Interval]:
    """The measurement period as the parameter's type has it: of date-times, or of dates; nothing if no library asks."""
    declared = [
        parameter.type
        for included in library.program.libraries.values()
        for name, parameter in included.parameters.items()
        if name == PERIOD
    ]
    if not declared:
        return {}
    if declared[0] == IntervalOf(DATE):
        low, high = (cql_like.Date(day.year, day.month, day.day) for day in (start, end))
        return {PERIOD: cql_like.Interval(low, high, True, True)}
    first = cql_like.DateTime(start.year, start.month, start.day, 0, 0, 0, 0, 0)
    last = cql_like.DateTime(end.year, end.month, end.day, 23, 59, 59, 999, 0)
    return {PERIOD: cql_like.Interval(first, last, True, True)}


def moment_of(day: date) -> cql_like.DateTime:
    """A day as the moment of an evaluation: its beginning, in UTC."""
    return cql_like.DateTime(day.year, day.month, day.day, 0, 0, 0, 0, 0)
