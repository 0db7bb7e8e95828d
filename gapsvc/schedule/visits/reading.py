"""A visit schedule from its TOML text (docs/visits.md "The data file"). Every problem is told at once.

A problem says file, key and what was expected: `2025-01.toml: slot 3 (2-months), opens: '6 wekks' is no age; ...`.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from .ages import Age, age_of
from .checking import check_items, check_slots, sample_day
from .schedule import Item, Occurrence, Repeat, Slot, VisitSchedule
from .tables import Table, VisitScheduleError

LARGEST = 1_000_000  # characters of a file
# The keys that say when an item is wanted.
_WHEN = ("visits", "once", "each_year", "repeat", "risk_visits")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def read_schedule(text: str, file: str, overlay: str = "") -> VisitSchedule:
    """The schedule of a data file.

    Args:
        text: TOML.
        file: what problems call it.
        overlay: the id of one of its overlays, or nothing for the chart alone.

    Raises:
        VisitScheduleError: with every problem found.
    """
    problems: list[str] = []
    try:
        if len(text) > LARGEST:
            raise ValueError(f"longer than {LARGEST:,} characters")
        data = tomllib.loads(text)
    except ValueError as error:
        raise VisitScheduleError([f"{file}: {error}"]) from error
    top = Table(data, file, problems)
    name, version, windows = top.text("name"), top.text("version"), top.text("windows")
    effective, notice = top.day("effective"), top.age("notice")
    if notice is not None and notice.months:
        top.say("notice", f"{notice.text!r} must be in days or weeks")
    sources = {key: str(value) for key, value in (top.table("sources") or {}).items()}
    slots = _slots(top, sources)
    items_of = top.rows("item")
    untracked = [_untracked(row, slots, sources) for row in top.rows("untracked", required=False)]
    title, changes = _overlay(top, overlay, {str(row.data.get("id")) for row in items_of}, sources)
    items = [item for row in items_of if (item := _item(_laid_over(row, changes), slots, sources)) is not None]
    top.close()
    if not problems:
        problems += check_slots(file, slots) or check_items(file, items)
    if problems or effective is None or notice is None:
        raise VisitScheduleError(problems)
    return VisitSchedule(
        name=name,
        version=version,
        effective=effective,
        windows=windows,
        notice=notice.days,
        overlay=title,
        slots=tuple(slots),
        items=tuple(items),
        untracked=tuple(
            (
                *(title for title, at in untracked if slot.id in at),
                *(_question(item) for item in items if any(one.id == f"{item.id}.{slot.id}" for one in item.risk)),
            )
            for slot in slots
        ),
        risk_questions=tuple((item.id, _question(item)) for item in items if item.risk),
        sources=MappingProxyType(sources),
    )


def _question(item: Item) -> str:
    return f"{item.title}: ask about risk"


def _source(row: Table, sources: Mapping[str, str], key: str = "source") -> str:
    named = row.text(key)
    if named and named not in sources:
        row.say(key, f"there is no {named!r} among [sources] ({', '.join(sources) or 'none'})")
    return named


# ------------------------------------------------------------------------------------------------------------- slots


def _slots(top: Table, sources: Mapping[str, str]) -> list[Slot]:
    read = [_slot(row, sources) for row in top.rows("slot")]
    yearly = top.table("yearly")
    if yearly is not None:
        read += _yearly(Table(yearly, f"{top.where}: yearly", top.problems), sources)
    found: list[Slot] = []
    for at, (slot, closes) in enumerate(read):
        if closes is None and at + 1 < len(read):
            closes = read[at + 1][0].opens.day_before()
        if closes is None:
            top.say("slot", f"the last one ({slot.id}) must say when it closes")
        found.append(
            Slot(
                slot.id,
                slot.title,
                slot.opens,
                slot.target,
                slot.overdue_after,
                closes or slot.closes,
                slot.in_hospital,
                slot.source,
            )
        )
    for name in sorted({one.id for one in found if [other.id for other in found].count(one.id) > 1}):
        top.say("slot", f"two slots have the id {name!r}")
    return found


def _slot(row: Table, sources: Mapping[str, str]) -> tuple[Slot, Age | None]:
    """A slot, and the age at which it says that it closes."""
    nothing = age_of(0, 0, "0 days")
    late = row.age("overdue_after") or nothing
    slot = Slot(
        _id(row),
        row.text("title"),
        row.age("opens") or nothing,
        row.age("target") or nothing,
        late,
        late,
        row.flag("in_hospital"),
        _source(row, sources),
    )
    closes = row.age("closes", required=False)
    row.close()
    return slot, closes


def _yearly(row: Table, sources: Mapping[str, str]) -> list[tuple[Slot, Age | None]]:
    first, last = row.number("from"), row.number("to")
    late, source = row.age("overdue_after"), _source(row, sources)
    row.close()
    if first is None or last is None or late is None:
        return []
    if first > last:
        row.say("to", f"{last} is before {first}")
    found: list[tuple[Slot, Age | None]] = []
    for years in range(first, last + 1):
        birthday = _years(years)
        overdue = age_of(birthday.months + late.months, late.days, f"{birthday.text} + {late.text}")
        closes = _years(years + 1).day_before()
        title = birthday.text
        found.append((Slot(title.replace(" ", "-"), title, birthday, birthday, overdue, closes, False, source), closes))
    return found


def _years(years: int) -> Age:
    return age_of(12 * years, 0, "1 year" if years == 1 else f"{years} years")


def _id(row: Table) -> str:
    name = row.text("id")
    if name and not _ID.fullmatch(name):
        row.say("id", f"{name!r} must be of lower-case letters, digits and single hyphens")
    return name


def _span(row: Table, key: str, slots: Sequence[Slot]) -> list[Slot]:
    """The slots that a list names: `9-months`, or `3-years..6-years` for those and all between them."""
    places = {slot.id: at for at, slot in enumerate(slots)}
    found: dict[int, None] = {}
    for named in row.texts(key):
        first, dots, last = named.partition("..")
        ends = (first, last) if dots else (first, first)
        unknown = [one for one in ends if one not in places]
        for one in unknown:
            row.say(key, f"there is no slot {one!r}; there are {', '.join(places)}")
        if not unknown:
            span = range(places[ends[0]], places[ends[1]] + 1)
            if not span:
                row.say(key, f"{named!r} ends before it begins")
            found.update(dict.fromkeys(span))
    return [slots[at] for at in sorted(found)]


# ------------------------------------------------------------------------------------------------------------- items


def _item(row: Table, slots: Sequence[Slot], sources: Mapping[str, str]) -> Item | None:
    name, title = _id(row), row.text("title")
    order = Table(row.table("order") or {}, f"{row.where}, order", row.problems)
    coding = (order.text("system"), order.text("code"))
    order.close()
    shown_by, risk_shown_by = row.text("shown_by"), row.text("risk_shown_by", required=False)
    opens = dict(row.table("opens", required=False) or {})
    visits = _span(row, "visits", slots)
    wanted = [_at_slot(row, name, slot, opens.pop(slot.id, None)) for slot in visits]
    for unknown in opens:
        row.say("opens", f"{unknown!r} is none of its visits")
    wanted += [_once(name, Table(one, f"{row.where}, once", row.problems)) for one in row.inline_rows("once")]
    wanted += _each_year(name, row)
    until = row.age("until", required=False)
    if "until_source" in row.data:
        _source(row, sources, "until_source")
    risk = tuple(
        Occurrence(f"{name}.{slot.id}", slot.title, slot.opens, slot.overdue_after, slot.closes)
        for slot in _span(row, "risk_visits", slots)
    )
    repeat = _repeat(row)
    item = Item(
        id=name,
        title=title,
        order=coding,
        shown_by=shown_by,
        risk_shown_by=risk_shown_by or None,
        value_sets=row.texts("value_sets"),
        with_visit=row.flag("with_visit"),
        universal=_to_the_next(wanted, until),
        risk=risk,
        repeat=repeat,
        source=_source(row, sources),
    )
    row.close()
    if repeat is not None and (wanted or risk):
        row.say("repeat", "goes with no other times")
    if not any(row.data.get(key) for key in _WHEN):
        row.say("visits", f"missing: say when it is wanted ({', '.join(_WHEN)})")
    return item


# An occurrence, and the last day that it says itself.
_Wanted = tuple[Occurrence, Age | None]


def _at_slot(row: Table, item: str, slot: Slot, opens: Any) -> _Wanted:
    begins = slot.opens if opens is None else Table({slot.id: opens}, f"{row.where}, opens", row.problems).age(slot.id)
    return Occurrence(f"{item}.{slot.id}", slot.title, begins or slot.opens, slot.overdue_after, slot.closes), None


def _once(item: str, row: Table) -> _Wanted:
    at, nothing = row.text("at"), age_of(0, 0, "0 days")
    begins, ends = row.age("from") or nothing, row.age("to") or nothing
    until = row.age("until", required=False)
    row.close()
    slug = "-".join(re.findall(r"[a-z0-9]+", at.lower()))
    return Occurrence(f"{item}.{slug}", at, begins, ends, until or ends), until


def _each_year(item: str, row: Table) -> list[_Wanted]:
    said = row.table("each_year", required=False)
    if said is None:
        return []
    table = Table(said, f"{row.where}, each_year", row.problems)
    first, last = table.number("from"), table.number("to")
    table.close()
    if first is None or last is None:
        return []
    found: list[_Wanted] = []
    for years in range(first, last + 1):
        begins, ends = _years(years), _years(years + 1).day_before()
        at = begins.text if years else "first year"
        found.append((Occurrence(f"{item}.{at.replace(' ', '-')}", at, begins, ends, ends), ends))
    return found


def _to_the_next(wanted: Sequence[_Wanted], until: Age | None) -> tuple[Occurrence, ...]:
    """In order; each can be made up for until the next is due, the last one until `until`, unless it says itself."""
    ordered = sorted(wanted, key=lambda one: sample_day(one[0].due_from))
    found: list[Occurrence] = []
    for at, (one, own) in enumerate(ordered):
        after = ordered[at + 1][0].due_from.day_before() if at + 1 < len(ordered) else until
        last_day = own or after or one.last_day
        # Slots may overlap by a day or a week; the times of one item never do.
        due_by = min(one.due_by, last_day, key=sample_day) if own is None else one.due_by
        found.append(Occurrence(one.id, one.at, one.due_from, due_by, last_day))
    return tuple(found)


def _repeat(row: Table) -> Repeat | None:
    said = row.table("repeat", required=False)
    if said is None:
        return None
    table, nothing = Table(said, f"{row.where}, repeat", row.problems), age_of(0, 0, "0 days")
    repeat = Repeat(
        table.text("at"), *(table.age(key) or nothing for key in ("first", "first_by", "after", "by", "last"))
    )
    table.close()
    return repeat


# --------------------------------------------------------------------------------------------- untracked and overlays


def _untracked(row: Table, slots: Sequence[Slot], sources: Mapping[str, str]) -> tuple[str, frozenset[str]]:
    """A title, and the slots at which it is asked."""
    title, at = row.text("title"), _span(row, "visits", slots)
    _source(row, sources)
    row.close()
    if not at:
        row.say("visits", "missing: at which visits it is asked")
    return title, frozenset(slot.id for slot in at)


def _overlay(
    top: Table, wanted: str, items: set[str], sources: Mapping[str, str]
) -> tuple[str | None, Mapping[str, Mapping[str, Any]]]:
    """The title of the overlay that is wanted, and what it says anew, by item. All overlays are checked."""
    found: dict[str, tuple[str, Mapping[str, Mapping[str, Any]]]] = {}
    for row in top.rows("overlay", required=False):
        name, title = _id(row), row.text("title")
        _source(row, sources)
        changes: dict[str, Mapping[str, Any]] = {}
        for change in row.rows("item"):
            of = change.text("id")
            if of not in items:
                change.say("id", f"there is no item {of!r}; there are {', '.join(sorted(items))}")
            changes[of] = change.data
        row.close()
        found[name] = (title, changes)
    if not wanted:
        return None, {}
    if wanted not in found:
        top.say("overlay", f"there is none with the id {wanted!r} (there are: {', '.join(found) or 'none'})")
        return None, {}
    return found[wanted]


def _laid_over(row: Table, changes: Mapping[str, Mapping[str, Any]]) -> Table:
    changed = changes.get(str(row.data.get("id")))
    return row if changed is None else Table({**row.data, **changed}, f"{row.where} with its overlay", row.problems)
