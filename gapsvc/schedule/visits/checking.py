"""What the engine relies on in a schedule, checked once when it is read: windows in order, and none within an item that
overlap.

Ages of months and days have no order of their own (is "30 days" before "1 month"?): they are compared as the days that
children of awkward birth dates reach them.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import pairwise

from .ages import Age
from .schedule import Item, Slot

_BIRTHS = (
    *(date(2023, month, 1) for month in range(1, 13)),
    *(date(2023, month, 31) for month in (1, 3, 5, 7, 8, 10, 12)),
    date(2023, 2, 28),
    date(2024, 1, 31),
    date(2024, 2, 28),
    date(2024, 2, 29),
    date(2024, 12, 31),
)


def sample_day(age: Age) -> date:
    """The day on which one child reaches an age: an order of ages that is right but for neighbouring days."""
    return age.after(_BIRTHS[0])


def _ever(holds: Callable[[date, date], bool], first: Age, second: Age) -> bool:
    return any(holds(first.after(birth), second.after(birth)) for birth in _BIRTHS)


def _after(first: Age, second: Age) -> bool:
    """Whether `first` comes after `second` for some child."""
    return _ever(date.__gt__, first, second)


def _not_before(first: Age, second: Age) -> bool:
    return _ever(date.__ge__, first, second)


def check_slots(file: str, slots: Sequence[Slot]) -> list[str]:
    """Each slot's window in order, and the slots in the order of their windows."""
    found: list[str] = []
    for slot in slots:
        where = f"{file}: slot {slot.id}"
        found += _in_order(
            where,
            ("opens", slot.opens),
            ("target", slot.target),
            ("overdue_after", slot.overdue_after),
            ("closes", slot.closes),
        )
    for before, slot in pairwise(slots):
        where = f"{file}: slot {slot.id}"
        for key in ("opens", "closes"):
            first: Age = getattr(before, key)
            second: Age = getattr(slot, key)
            if _after(first, second):
                found.append(f"{where}, {key}: {second.text!r} is before that of {before.id} ({first.text!r})")
        if _not_before(before.target, slot.target):
            found.append(f"{where}, target: {slot.target.text!r} must be after that of {before.id}")
    return found


def check_items(file: str, items: Sequence[Item]) -> list[str]:
    """Each time's window in order, and no two of one item that overlap."""
    found = _twice(f"{file}: two items have the id", [item.id for item in items])
    for item in items:
        where = f"{file}: item {item.id}"
        found += _twice(f"{where}: two of its times are called", [one.id for one in (*item.universal, *item.risk)])
        for one in (*item.universal, *item.risk):
            ages = (("due from", one.due_from), ("due by", one.due_by), ("until", one.last_day))
            found += _in_order(f"{where}, at {one.at}", *ages)
        for before, one in pairwise(item.universal):
            if _not_before(before.last_day, one.due_from):
                found.append(
                    f"{where}, at {one.at}: is due from {one.due_from.text!r}, before the time for "
                    f"{before.at} is over ({before.last_day.text!r})"
                )
        if item.repeat is not None:
            again = item.repeat
            first = (("first", again.first), ("first_by", again.first_by), ("last", again.last_day))
            found += _in_order(f"{where}, repeat", *first)
            found += _in_order(f"{where}, repeat", ("after", again.after), ("by", again.by))
            if not again.after.months and again.after.days < 1:
                found.append(f"{where}, repeat, after: must be a day or more")
    return found


def _in_order(where: str, *named: tuple[str, Age]) -> list[str]:
    return [
        f"{where}, {name}: {age.text!r} is before {before_name} ({before.text!r})"
        for (before_name, before), (name, age) in pairwise(named)
        if _after(before, age)
    ]


def _twice(what: str, names: Iterable[str]) -> list[str]:
    listed = list(names)
    return [f"{what} {name!r}" for name in sorted(set(listed)) if listed.count(name) > 1]
