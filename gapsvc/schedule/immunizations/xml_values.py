"""Values in CDC's XML: lengths of time, dates, numbers, words, codes. What can't be read is a problem, not a guess."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from .calendar import NotAnOffset, parse_offset
from .xml_reading import Node, Problem

CVX_CODE = re.compile(r"^\d{2,3}$")
OBSERVATION_CODE = re.compile(r"^\d{3}$")
ANY_CODE = re.compile(r"^\S+$")


class ValueReader:
    """Reads values out of one file's nodes; a value that can't be read is a problem and None."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file = file
        self.problems = problems

    def problem(self, node: Node, reason: str) -> None:
        self.problems.append(Problem(self.file, node.where, reason))

    def child(self, node: Node, tag: str) -> Node | None:
        return next((child for child in node.children if child.tag == tag), None)

    def text(self, node: Node, tag: str) -> str | None:
        """The child's text; None when empty or `n/a`."""
        child = self.child(node, tag)
        return None if child is None or child.text.casefold() in ("", "n/a") else child.text

    def required(self, node: Node, tag: str) -> str:
        text = self.text(node, tag)
        if text is None:
            self.problem(node, f"<{tag}> is empty")
        return text or ""

    def _parsed(self, node: Node, tag: str, parse: Callable[[str], str], expected: str) -> str | None:
        text = self.text(node, tag)
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError:
            self.problem(self.child(node, tag) or node, f"{text!r} is not {expected}")
            return None

    def offset(self, node: Node, tag: str) -> str | None:
        """A length of time in its short form (`6w-4d`)."""
        return self._parsed(node, tag, _short_offset, "a length of time such as '6 weeks - 4 days'")

    def day(self, node: Node, tag: str) -> str | None:
        """An ISO date."""
        return self._parsed(node, tag, _compact_day, "a date (yyyymmdd)")

    def american_day(self, node: Node, tag: str) -> str | None:
        """An ISO date from mm/dd/yyyy."""
        return self._parsed(node, tag, _american_day, "a date (mm/dd/yyyy)")

    def number(self, node: Node, tag: str) -> int | None:
        text = self._parsed(node, tag, lambda value: str(int(value)), "a whole number")
        return None if text is None else int(text)

    def choice(self, node: Node, tag: str, words: Mapping[str, Any], *, empty: Any = None) -> Any:
        """The value that the child's word stands for, whatever its case."""
        text = self.text(node, tag)
        if text is None:
            return empty
        key = " ".join(text.casefold().split())
        if key not in words:
            self.problem(self.child(node, tag) or node, f"{text!r} is none of {', '.join(sorted(words))}")
            return empty
        return words[key]

    def code(self, node: Node, tag: str, pattern: re.Pattern[str], what: str) -> str:
        text = self.text(node, tag)
        if text is None or not pattern.match(text):
            self.problem(self.child(node, tag) or node, f"{text!r} is not {what}")
        return text or ""

    def codes(self, node: Node, tag: str) -> list[str]:
        """CVX codes separated by semicolons (or commas), with or without blanks."""
        found = [part.strip() for part in re.split("[;,]", self.text(node, tag) or "") if part.strip()]
        for code in found:
            if not CVX_CODE.match(code):
                self.problem(self.child(node, tag) or node, f"{code!r} is not a CVX code")
        return found


def _short_offset(text: str) -> str:
    try:
        return parse_offset(text).text
    except NotAnOffset as error:
        raise ValueError(text) from error


def _compact_day(text: str) -> str:
    return datetime.strptime(text, "%Y%m%d").date().isoformat()  # noqa: DTZ007


def _american_day(text: str) -> str:
    return datetime.strptime(text, "%m/%d/%Y").date().isoformat()  # noqa: DTZ007 - a calendar day has no zone
