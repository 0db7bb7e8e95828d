"""The values of CQL that Python does not have (CQL Author's Guide §Data Types).

Boolean, Integer, Decimal and String are Python's `bool`, `int`, `Decimal`, `str`; null is None; a list is a Python
list or tuple (read-only by convention). Everything else is here.

Three ideas a reader needs:

* **Frozen and hashable.** `==` between values is *structural* (same components), so that they can live in sets.
  CQL's own `=` and `~`, which know uncertainty and units, are functions in `comparison`.
* **Dates carry their precision.** Components that were not given are None. A date that is complete carries its
  ordinal (days since 0000-12-31), a date-time that is complete to the second its instant (milliseconds, UTC),
  so that the usual comparison is one of two integers.
* **A DateTime without an offset** is in the evaluation's default offset; `temporal.with_default_offset` stamps it
  where that default is not UTC. Where nobody stamped it, it counts as UTC.
"""

from collections.abc import ItemsView, Iterator, KeysView, Mapping
from dataclasses import dataclass, field
from datetime import date as _date
from decimal import Decimal
from typing import Any

from cql_like.runtime.errors import CqlRuntimeError
from cql_like.types import Named, Type

MS_PER_DAY = 86_400_000
_DAYS_IN_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_set = object.__setattr__


def is_leap(year: int) -> bool:
    """Whether `year` has a 29 February (proleptic Gregorian calendar)."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    """Days of a month, 28 to 31."""
    return 29 if month == 2 and is_leap(year) else _DAYS_IN_MONTH[month - 1]


class Long(int):
    """CQL Long: 64 bits, written `5L`. An int of its own class; arithmetic of the operator rows keeps the class."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Long({int(self)})"

    __str__ = int.__repr__


def _outside(what: str, value: int, low: int, high: int) -> CqlRuntimeError:
    return CqlRuntimeError(f"{what} is {value}; expected {low} to {high}")


def _check(what: str, value: int | None, low: int, high: int) -> None:
    if value is not None and not low <= value <= high:
        raise _outside(what, value, low, high)


def _given(kind: str, components: tuple[int | None, ...]) -> tuple[int, ...]:
    """The components that are given; they must be a prefix (no day without a month)."""
    given = tuple(component for component in components if component is not None)
    if given != components[: len(given)]:
        raise CqlRuntimeError(f"a {kind} names a component after one that is missing: {components}")
    return given


@dataclass(frozen=True, slots=True)
class Date:
    """A date of year, month or day precision."""

    year: int
    month: int | None = None
    day: int | None = None
    ordinal: int = field(default=0, init=False, compare=False, repr=False)  # 0 where the date is partial
    components: tuple[int, ...] = field(default=(), init=False, compare=False, repr=False)  # those that are given

    def __post_init__(self) -> None:
        year, month, day = self.year, self.month, self.day
        if not 1 <= year <= 9999:
            raise _outside("the year of a date", year, 1, 9999)
        if month is None:
            if day is not None:
                raise CqlRuntimeError(f"a date with a day needs a month: year {year}, day {day}")
            _set(self, "components", (year,))
            return
        if not 1 <= month <= 12:
            raise _outside("the month of a date", month, 1, 12)
        if day is None:
            _set(self, "components", (year, month))
            return
        if not 1 <= day <= 28 and not 1 <= day <= days_in_month(year, month):
            raise _outside(f"the day of {year:04}-{month:02}", day, 1, days_in_month(year, month))
        _set(self, "ordinal", _date(year, month, day).toordinal())
        _set(self, "components", (year, month, day))

    @property
    def count(self) -> int:
        """How many components are given: 1 (year) to 3 (day)."""
        return len(self.components)

    def __str__(self) -> str:
        return "-".join(f"{part:0{4 if i == 0 else 2}}" for i, part in enumerate(self.components))


@dataclass(frozen=True, slots=True)
class DateTime:
    """A date-time of year to millisecond precision; `offset` in minutes east of UTC, None where none was given."""

    year: int
    month: int | None = None
    day: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    millisecond: int | None = None
    offset: int | None = None
    count: int = field(default=0, init=False, compare=False, repr=False)  # components given: 1 (year) to 7
    instant: int = field(default=0, init=False, compare=False, repr=False)  # ms since 0000-12-31 UTC; count >= 6 only
    # the components that are given, from the year on, in the value's own offset
    components: tuple[int, ...] = field(default=(), init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        year, month, day, hour = self.year, self.month, self.day, self.hour
        given = _given("date-time", (year, month, day, hour, self.minute, self.second, self.millisecond))
        count = len(given)
        _set(self, "components", given)
        _set(self, "count", count)
        _check("the year of a date-time", year, 1, 9999)
        _check("the month of a date-time", month, 1, 12)
        if day is not None and month is not None:
            _check(f"the day of {year:04}-{month:02}", day, 1, days_in_month(year, month))
        _check("the hour of a date-time", hour, 0, 23)
        _check("the minute of a date-time", self.minute, 0, 59)
        _check("the second of a date-time", self.second, 0, 59)
        _check("the millisecond of a date-time", self.millisecond, 0, 999)
        _check("the offset of a date-time, in minutes,", self.offset, -14 * 60, 14 * 60)
        if count >= 6 and month is not None and day is not None and hour is not None and self.minute is not None:
            seconds = (hour * 60 + self.minute - (self.offset or 0)) * 60 + (self.second or 0)
            days = _date(year, month, day).toordinal()
            _set(self, "instant", days * MS_PER_DAY + seconds * 1000 + (self.millisecond or 0))

    def __str__(self) -> str:
        return format_datetime(self)


def format_datetime(value: DateTime) -> str:
    """ISO 8601 text of a date-time, without CQL's leading `@`."""
    parts = value.components
    text = "-".join(f"{part:0{4 if i == 0 else 2}}" for i, part in enumerate(parts[:3])) + "T"
    text += ":".join(f"{part:02}" for part in parts[3:6])
    if len(parts) == 7:
        text += f".{parts[6]:03}"
    if value.offset is not None and len(parts) > 3:
        sign = "-" if value.offset < 0 else "+"
        hours, minutes = divmod(abs(value.offset), 60)
        text += f"{sign}{hours:02}:{minutes:02}"
    return text


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day of hour to millisecond precision; a time has no offset."""

    hour: int
    minute: int | None = None
    second: int | None = None
    millisecond: int | None = None
    components: tuple[int, ...] = field(default=(), init=False, compare=False, repr=False)  # those that are given

    def __post_init__(self) -> None:
        _set(self, "components", _given("time", (self.hour, self.minute, self.second, self.millisecond)))
        _check("the hour of a time", self.hour, 0, 23)
        _check("the minute of a time", self.minute, 0, 59)
        _check("the second of a time", self.second, 0, 59)
        _check("the millisecond of a time", self.millisecond, 0, 999)

    @property
    def count(self) -> int:
        """How many components are given: 1 (hour) to 4 (millisecond)."""
        return len(self.components)

    def __str__(self) -> str:
        parts = self.components
        text = ":".join(f"{part:02}" for part in parts[:3])
        return f"{text}.{parts[3]:03}" if len(parts) == 4 else text


@dataclass(frozen=True, slots=True)
class Quantity:
    """A decimal with a unit: a UCUM code, or a calendar duration keyword in the singular (`year`, `day`).

    The calendar keyword `year` and the UCUM code `a` are different units (CQL §Quantities). No unit is `1`.
    """

    value: Decimal
    unit: str = "1"

    def __str__(self) -> str:
        return f"{self.value} '{self.unit}'"


@dataclass(frozen=True, slots=True)
class Ratio:
    """Two quantities, `1:128`."""

    numerator: Quantity
    denominator: Quantity


@dataclass(frozen=True, slots=True)
class Interval:
    """`Interval[low, high)`. A null bound is the type's minimum or maximum if closed, unknown if open.

    `point` is the static point type where the maker knows it; it is needed only when both bounds are null.
    Make checked intervals with `interval.interval`.
    """

    low: Any
    high: Any
    low_closed: bool = True
    high_closed: bool = True
    point: Type | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a code system; `system` is its URI."""

    code: str | None
    system: str | None = None
    version: str | None = None
    display: str | None = None


@dataclass(frozen=True, slots=True)
class Concept:
    """Codes that mean the same."""

    codes: tuple[Code, ...]
    display: str | None = None


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A reference to a value set, by canonical URL; its codes come from the terminology port."""

    id: str
    version: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A reference to a code system, by canonical URL."""

    id: str
    version: str | None = None
    name: str | None = None


class CqlTuple(Mapping[str, Any]):
    """`Tuple{name: value, ...}`: an immutable mapping; an element that is not there reads as null with `get`."""

    __slots__ = ("_elements",)
    _elements: dict[str, Any]

    def __init__(self, elements: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_elements", dict(elements))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a CqlTuple is frozen")

    def __getitem__(self, name: str) -> Any:
        return self._elements[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._elements)

    def __len__(self) -> int:
        return len(self._elements)

    # Mapping has these, by way of the three above; the dict's own are ten times as fast.

    def __contains__(self, name: object) -> bool:
        return name in self._elements

    def keys(self) -> KeysView[str]:
        return self._elements.keys()

    def items(self) -> ItemsView[str, Any]:
        return self._elements.items()

    def get(self, name: str, default: Any = None) -> Any:
        return self._elements.get(name, default)

    def __hash__(self) -> int:
        return hash(frozenset(self._elements))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CqlTuple) and self._elements == other._elements

    def __repr__(self) -> str:
        return f"CqlTuple({self._elements!r})"


@dataclass(frozen=True, slots=True)
class ModelValue:
    """A FHIR value whose type is not known statically (a choice element, or one upcast to Choice or Any), boxed with
    its type. `value` is its JSON."""

    type: Named
    value: Any = field(hash=False)


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """A result known only to lie between two values, both inclusive: what durations between partial dates give
    (CQL §Uncertainty). Comparisons resolve it to true, false or null."""

    low: Any
    high: Any


def uncertain(low: Any, high: Any) -> Any:
    """The value itself if the range has one, otherwise the uncertainty."""
    return low if low == high else Uncertainty(low, high)
