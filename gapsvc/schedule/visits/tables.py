"""Reading a TOML table key by key, noting every problem with its file, row and key instead of stopping at the first."""

import difflib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeVar, cast

from .ages import Age, NotAnAge, parse_age

Kind = TypeVar("Kind")


class VisitScheduleError(ValueError):
    """A visit schedule that can't be used. The message names every problem, one a line, with its file and key."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


class Table:
    """One table that is being read. `where` is how problems name it; `close` tells the keys that nobody asked for."""

    def __init__(self, data: Mapping[str, Any], where: str, problems: list[str]) -> None:
        self.data, self.where, self.problems = data, where, problems
        self._asked: set[str] = set()

    def say(self, key: str, what: str) -> None:
        """Note a problem with a key."""
        self.problems.append(f"{self.where}, {key}: {what}")

    def text(self, key: str, *, required: bool = True) -> str:
        """A text that is not empty; an empty one where there is none (a problem if it is required)."""
        value = self._of(key, str, "text", required)
        if value is not None and not value.strip():
            self.say(key, "is empty; expected text")
        return value or ""

    def age(self, key: str, *, required: bool = True) -> Age | None:
        """An age or length of time."""
        value = self._of(key, str, "an age such as '6 weeks'", required)
        if value is None:
            return None
        try:
            return parse_age(value)
        except NotAnAge as error:
            self.say(key, str(error))
            return None

    def day(self, key: str) -> date | None:
        """A day, written as TOML writes dates."""
        return self._of(key, date, "a day such as 2024-06-01", required=True)

    def number(self, key: str) -> int | None:
        """A whole number of years, 0 to 120."""
        value = self._of(key, int, "a whole number", required=True)
        if value is not None and not 0 <= value <= 120:
            self.say(key, f"{value} is no number of years from 0 to 120")
            return None
        return value

    def flag(self, key: str) -> bool:
        """true or false; false if it isn't said."""
        return bool(self._of(key, bool, "true or false", required=False))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty if it isn't said."""
        value = cast("list[Any] | None", self._of(key, list, "a list of texts", required=False)) or []
        wrong = [one for one in value if not (isinstance(one, str) and one)]
        if wrong:
            self.say(key, f"{wrong[0]!r} is no text; expected a list of texts")
        return tuple(one for one in value if isinstance(one, str) and one)

    def table(self, key: str, *, required: bool | None = None) -> Mapping[str, Any] | None:
        """A table inside; required unless it is `yearly` or said to be optional."""
        needed = key != "yearly" if required is None else required
        return cast("Mapping[str, Any] | None", self._of(key, dict, "a table", needed))

    def inline_rows(self, key: str) -> list[Mapping[str, Any]]:
        """A list of tables; empty if it isn't said."""
        value = cast("list[Any] | None", self._of(key, list, "a list of tables", required=False)) or []
        if any(not isinstance(one, dict) for one in value):
            self.say(key, "expected a list of tables")
        return [cast("Mapping[str, Any]", one) for one in value if isinstance(one, dict)]

    def rows(self, key: str, *, required: bool = True) -> "list[Table]":
        """`[[key]]` tables, each named by its number and id."""
        found = self.inline_rows(key)
        if required and not found:
            self.say(key, f"missing: there must be at least one [[{key}]]")
        return [
            Table(row, f"{self.where}: {key} {number} ({row.get('id') or row.get('title') or 'no id'})", self.problems)
            for number, row in enumerate(found, 1)
        ]

    def close(self) -> None:
        """Tell the keys that mean nothing here."""
        for key in self.data:
            if key not in self._asked:
                close = difflib.get_close_matches(key, self._asked, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"expected {', '.join(sorted(self._asked))}"
                self.say(key, f"unknown key; {hint}")

    def _of(self, key: str, kind: type[Kind], expected: str, required: bool) -> Kind | None:
        self._asked.add(key)
        if key not in self.data:
            if required:
                self.say(key, f"missing; expected {expected}")
            return None
        value = self.data[key]
        if type(value) is not kind:  # True is an int to Python, and a time a date
            self.say(key, f"{value!r} is not {expected}")
            return None
        return value
