"""The evaluation context: everything an operator may know beside its operands (CQL §Evaluation request).

It holds the request's moment, so that no operator reads a clock; the default offset; the terminology port; the
messages that the library emitted; and the limits that keep hostile input finite.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.values import Date, DateTime, Time
from cql_like.terminology import Terminology


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what an evaluation may make and take; passing one raises `LimitExceeded`.

    `seconds` and `steps` bound an evaluation as a whole (`Session.evaluate`), the others what one operator makes.
    """

    expand_intervals: int = 100_000  # elements of one `expand` or `collapse`
    regex_pattern: int = 1_000  # characters
    regex_input: int = 20_000  # characters; fewer for patterns with several repeats
    regex_nested_input: int = 24  # characters, for a pattern that repeats a group with repeats or choices in it
    string: int = 1_000_000  # characters of a made string
    list: int = 1_000_000  # elements of a list that is made of others
    seconds: float | None = None
    steps: int | None = None  # clauses evaluated; counted by the reference engine only


@dataclass(frozen=True, slots=True)
class EmittedMessage:
    """One call of `Message`; the source value is kept out of it, for it may be patient data."""

    severity: str
    code: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """One evaluation request. `messages` is the one thing operators write to, through `Message`."""

    now: DateTime | None = None  # millisecond precision, with offset
    terminology: Terminology | None = None
    limits: Limits = field(default_factory=Limits)
    messages: list[EmittedMessage] = field(default_factory=list[EmittedMessage], compare=False)
    default_offset: int = 0  # minutes east of UTC

    @classmethod
    def at(cls, moment: datetime | None, **rest: Any) -> "EvaluationContext":
        """The context of a request made at `moment`, whose offset (UTC if it has none) is the default offset."""
        if moment is None:
            return cls(**rest)
        delta = moment.utcoffset()
        offset = 0 if delta is None else int(delta.total_seconds() // 60)
        now = DateTime(
            moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second,
            moment.microsecond // 1000, offset,
        )  # fmt: skip
        return cls(now=now, default_offset=rest.pop("default_offset", offset), **rest)

    @property
    def moment(self) -> DateTime:
        """The moment of the request.

        Raises:
            CqlRuntimeError: the evaluation was started without one.
        """
        if self.now is None:
            raise CqlRuntimeError("Now(), Today() and TimeOfDay() need the moment of the request: give `now=`")
        return self.now

    @property
    def today(self) -> Date:
        """The date of the request, in its own offset."""
        moment = self.moment
        return Date(moment.year, moment.month, moment.day)

    @property
    def time_of_day(self) -> Time:
        """The time of the request, in its own offset."""
        moment = self.moment
        return Time(moment.hour or 0, moment.minute, moment.second, moment.millisecond)
