"""Finding a child: what was typed, and whom the store knows by it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from gapsvc.store import Store
from gapsvc.store.names import folded, folded_names
from gapsvc.web.people import Person, person_of

MOST = 25  # shown; more are narrowed down faster than they are read
_CANDIDATES = 500  # looked through where several words of a name are given
_DAY = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})|(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search says: the people, how many there are in all (None: more than were looked through), or a
    problem with what was typed."""

    people: tuple[Person, ...] = ()
    total: int | None = 0
    problem: str = ""


def find(store: Store, asked: Mapping[str, str], today: date) -> Found:
    """People by `name` (beginnings of its words, in any order), `birth_date` and `id` (ours, a source's or an
    identifier such as a record number); all that is given must hold."""
    name, born, number = (_printable(asked.get(key, "")) for key in ("name", "birth_date", "id"))
    if not (folded(name) or born or number):
        return Found(problem="Give a name, a birth date or a record number.")
    criteria: dict[str, Any] = {}
    if born:
        day = _day(born)
        if day is None:
            return Found(problem="The birth date can’t be read. Write it as month/day/year, e.g. 3/7/2024.")
        criteria["birth_date"] = day.isoformat()
    if number:
        own = store.person_of(number) if _ID.fullmatch(number) else None
        criteria |= {"ids": [own]} if own else {"identifier": (None, number)}
    words = sorted(folded(name).split(), key=len, reverse=True)
    if words:
        criteria["name"] = words[0]
    found = store.search_patients(**criteria, count=_CANDIDATES if len(words) > 1 else MOST)
    fitting = [patient for patient in found.patients if _has_words(patient, words)]
    whole = found.total <= len(found.patients)
    total = len(fitting) if whole else found.total if len(words) < 2 else None
    return Found(tuple(person_of(patient, today) for patient in fitting[:MOST]), total)


def _printable(text: str) -> str:
    """What can stand in a record: PostgreSQL refuses a NUL."""
    return "".join(letter for letter in text if letter.isprintable()).strip()


def _day(text: str) -> date | None:
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    year, month, day = found.group("year", "month", "day") if found["year"] else found.group(6, 4, 5)
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _has_words(patient: Mapping[str, Any], words: list[str]) -> bool:
    parts = re.split(r"[| ]", folded_names(patient))
    return all(any(part.startswith(word) for part in parts) for word in words)
