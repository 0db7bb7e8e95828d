"""Writing Python: expressions as text, statements as indented lines, and the tables that generated code refers to.

Nothing from a library's text is ever written as code. Names are made here (a counter and at most a few ASCII
letters), strings are written by `ascii()` and only short ones, everything else stands in a table under a number.
"""

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_LONGEST_LITERAL = 80
_LONGEST_INTEGER = 2**63
_DEEPEST_EXPRESSION = 12


class Py(NamedTuple):
    """A Python expression that can be written anywhere: parenthesised if it needs to be.

    `atom`: cheap and safe to write twice (a name, a constant). `depth`: of nested parentheses.
    """

    text: str
    nullable: bool = True
    atom: bool = False
    depth: int = 0


NULL = Py("None", True, True)
TRUE = Py("True", False, True)
FALSE = Py("False", False, True)


def comment(text: str) -> str:
    """Text of a library as a comment that cannot end: ASCII, one line."""
    return f"# {ascii(text)[1:-1][:100]}"


def safe_name(prefix: str, number: int, wanted: str) -> str:
    """A Python name of our own that a reader may recognise: `alias3_Enc`. Unique by its prefix and number."""
    letters = re.sub(r"[^A-Za-z0-9]+", "_", wanted)[:24].strip("_")
    return f"{prefix}{number}_{letters}" if letters else f"{prefix}{number}"


@dataclass
class Table:
    """Values that generated code names by number: `k0`, `k1` ... Equal keys share one."""

    letter: str
    values: list[Any] = field(default_factory=list[Any])
    _numbers: dict[Hashable, int] = field(default_factory=dict[Hashable, int])

    def name(self, value: Any, key: Hashable = None) -> str:
        """The name of a value, which is added on first use. `key` identifies it (default: identity)."""
        wanted = ("id", id(value)) if key is None else key
        number = self._numbers.get(wanted)
        if number is None:
            number = self._numbers[wanted] = len(self.values)
            self.values.append(value)
        return f"{self.letter}{number}"

    def unpacking(self) -> str | None:
        """The line that binds every name from the table of the same letter in capitals; None if there is none."""
        if not self.values:
            return None
        return f"{''.join(f'{self.letter}{number}, ' for number in range(len(self.values)))}= {self.letter.upper()}"


def literal(value: Any, constants: Table) -> Py:
    """A constant: written out if it is null, a Boolean, an ordinary integer or a short string, else by table."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if type(value) is int and abs(value) < _LONGEST_INTEGER:
        return Py(f"{value!r}" if value >= 0 else f"({value!r})", False, True)
    if type(value) is str and len(value) <= _LONGEST_LITERAL:
        return Py(ascii(value), False, True)
    key: Hashable = (str, value) if type(value) is str else None
    return Py(constants.name(value, key), False, True)


class Writer:
    """The statements of one Python function, with the names it has used so far."""

    def __init__(self, depth: int = 0) -> None:
        self.lines: list[tuple[int, str]] = []
        self.indent = 0
        self.depth = depth  # of blocks around the current place; an upper bound
        self._temporaries = 0

    def line(self, text: str) -> None:
        self.lines.append((self.indent, text))

    def temporary(self) -> str:
        """A fresh local name."""
        self._temporaries += 1
        return f"t{self._temporaries}"

    def named(self, prefix: str, wanted: str) -> str:
        """A fresh local name that reads like `wanted`."""
        self._temporaries += 1
        return safe_name(prefix, self._temporaries, wanted)

    def atom(self, value: Py) -> Py:
        """The value under a name, so that it can be written more than once."""
        if value.atom:
            return value
        name = self.temporary()
        self.line(f"{name} = {value.text}")
        return Py(name, value.nullable, True)

    def shallow(self, value: Py) -> Py:
        """The value as it is, or under a name where its expression has become deep."""
        return self.atom(value) if value.depth > _DEEPEST_EXPRESSION else value

    def captured(self, write: Callable[[], Py]) -> tuple[Py, list[tuple[int, str]]]:
        """What `write` returns, and the statements it wrote, which are not in the function yet."""
        outer, indent = self.lines, self.indent
        self.lines, self.indent = [], 0
        self.depth += 1
        try:
            value = write()
            return value, self.lines
        finally:
            self.lines, self.indent = outer, indent
            self.depth -= 1

    def block(self, head: str, body: Callable[[], None]) -> None:
        """A compound statement."""
        self.line(head)
        self.indent += 1
        self.depth += 1
        before = len(self.lines)
        body()
        if len(self.lines) == before:
            self.line("pass")
        self.indent -= 1
        self.depth -= 1

    def paste(self, lines: list[tuple[int, str]]) -> None:
        """Captured statements, at the current place."""
        self.lines.extend((self.indent + indent, text) for indent, text in lines)

    def text(self, indent: int) -> list[str]:
        """The lines, indented by `indent` levels."""
        return [f"{'    ' * (indent + level)}{text}" for level, text in self.lines]


def join(form: str, *parts: Py, nullable: bool) -> Py:
    """An expression made of others: `form` holds one `{}` for each part."""
    return Py(
        form.format(*(part.text for part in parts)), nullable, False, 1 + max((part.depth for part in parts), default=0)
    )
