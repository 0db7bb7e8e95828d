"""Where the time of an evaluation goes: per define, function and retrieve, how often it ran and how long.

    profile = cql_like.Profile()
    factory = library.prepare(parameters, terminology, now, profile=profile)
    for record in records:
        factory.session(record).evaluate("Numerator")
    print(profile.table())

The compiled functions of a profiled session are wrapped; the others run as they always do. One profile adds up
whatever sessions it was given to, in one thread at a time.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["define", "function", "retrieve"]


@dataclass(frozen=True, slots=True)
class Timed:
    """What was timed: a define, a function or a retrieve (of all libraries together) and how long it took, in seconds.

    `total` includes what it called, `own` does not. A define that is asked for again is remembered and not counted.
    """

    kind: Kind
    library: str
    name: str
    calls: int
    total: float
    own: float

    def __str__(self) -> str:
        return self.name if self.kind == "retrieve" else f"{self.library.partition('|')[0]}.{self.name}"


class _Row:
    """The sums of one function."""

    __slots__ = ("calls", "depth", "own", "total")

    def __init__(self) -> None:
        self.calls, self.depth = 0, 0
        self.total, self.own = 0.0, 0.0


def _start(own: float, whole: float) -> str:
    return f"{own * 1000:10.3f}{own / whole if whole else 0:8.1%}"


@dataclass
class Profile:
    """Collects times; see the module. `clock` gives seconds."""

    clock: Callable[[], float] = time.perf_counter
    _rows: dict[tuple[Kind, str, str], _Row] = field(default_factory=dict[tuple[Kind, str, str], _Row], init=False)
    _inner: list[float] = field(default_factory=list[float], init=False)

    @property
    def rows(self) -> tuple[Timed, ...]:
        """What ran, by its own time, the longest first."""
        found = [Timed(*key, row.calls, row.total, row.own) for key, row in self._rows.items() if row.calls]
        return tuple(sorted(found, key=lambda timed: (-timed.own, str(timed))))

    def table(self, most: int | None = 40) -> str:
        """The rows as a table of text: own and total milliseconds, share of the whole, calls, what; and the sum."""
        rows = self.rows
        whole = sum(row.own for row in rows)
        lines = [f"{'own ms':>10}{'share':>8}{'total ms':>11}{'calls':>10}  what"]
        lines += [f"{_start(row.own, whole)}{row.total * 1000:11.3f}{row.calls:10,}  {row}" for row in rows[:most]]
        rest = rows[len(rows) if most is None else most :]
        if rest:
            own, calls = sum(row.own for row in rest), sum(row.calls for row in rest)
            lines.append(f"{_start(own, whole)}{'':11}{calls:10,}  {len(rest)} others")
        lines.append(f"{_start(whole, whole)}{'':21}  all")
        return "\n".join(lines)

    def timing(self, names: Sequence[tuple[Kind, str, str]], unset: Any) -> Callable[..., Callable[..., Any]]:
        """What generated code wraps its functions with: `timed(number in names, slot or None, function)`."""

        def timed(number: int, slot: int | None, function: Callable[..., Any]) -> Callable[..., Any]:
            return self._timed(self._rows.setdefault(names[number], _Row()), slot, unset, function)

        return timed

    def _timed(self, row: _Row, slot: int | None, unset: Any, function: Callable[..., Any]) -> Callable[..., Any]:
        clock, inner = self.clock, self._inner

        def run(slots: list[Any], *operands: Any) -> Any:
            if slot is not None and (known := slots[slot]) is not unset:
                return known
            row.calls += 1
            row.depth += 1
            inner.append(0.0)
            began = clock()
            try:
                return function(slots, *operands)
            finally:
                took = clock() - began
                row.own += took - inner.pop()
                row.depth -= 1
                if not row.depth:  # the outermost call of a recursive function includes the others
                    row.total += took
                if inner:
                    inner[-1] += took

        return run
