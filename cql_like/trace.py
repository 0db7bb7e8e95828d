"""What decided a result: every clause of a define with its value, its place in the source and the deciding resources.

Only the reference evaluator traces; the compiled one computes the same values without the record of how.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cql_like import ir
from cql_like.retrieve import JsonObject


@dataclass(frozen=True, slots=True)
class Clause:
    """One evaluated clause. `kind` is its ELM name (Exists, Query, Retrieve, ExpressionRef, And ...).

    `resources` decided the value: for a query those that met its conditions (if none did, all that were looked at),
    for `and`/`or` those of the operands that decided, otherwise those in the value or in the clauses below.
    A clause in a query appears once per element that it was evaluated for.
    """

    kind: str
    span: ir.Span | None
    value: Any
    resources: tuple[JsonObject, ...]
    clauses: "tuple[Clause, ...]"

    def walk(self) -> "Iterator[Clause]":
        """This clause and all below it, outermost first."""
        yield self
        for clause in self.clauses:
            yield from clause.walk()


@dataclass(frozen=True, slots=True)
class Trace:
    """The value of one define and the clause that is its whole expression."""

    library: str
    define: str
    value: Any
    clause: Clause

    @property
    def resources(self) -> tuple[JsonObject, ...]:
        """The resources that decided the value, each once, in the order they were met."""
        return self.clause.resources


@dataclass(slots=True)
class Frame:
    """A clause while it is being evaluated."""

    node: ir.Expression
    clauses: list[Clause] = field(default_factory=list[Clause])
    kept: list[Any] = field(default_factory=list[Any])


class Tracer:
    """Builds clauses while the reference evaluator walks.

    `last` is the clause that was completed last, `failed` the place of the innermost clause that ended in an error.
    """

    def __init__(self) -> None:
        self._open: list[Frame] = []
        self.failed: ir.Span | None = None
        self.last: Clause = Clause("Null", None, None, (), ())

    def enter(self, node: ir.Expression) -> Frame:
        frame = Frame(node)
        self._open.append(frame)
        return frame

    def keep(self, elements: Sequence[Any]) -> None:
        """Elements of the innermost open query or of its relationships met the conditions."""
        self._open[-1].kept.extend(elements)

    def again(self, clause: Clause) -> None:
        """A define that was evaluated before is used again."""
        if self._open:
            self._open[-1].clauses.append(clause)
        self.last = clause

    def leave(self, frame: Frame, value: Any) -> None:
        self._open.pop()
        kind = frame.node.row.name if isinstance(frame.node, ir.Operator) else type(frame.node).__name__
        resources = _unique(_deciding(kind, frame, value))
        self.last = Clause(kind, frame.node.span, value, resources, tuple(frame.clauses))
        if self._open:
            self._open[-1].clauses.append(self.last)

    def abandon(self, frame: Frame) -> None:
        """The evaluation of the clause ended in an error."""
        while self._open and self._open.pop() is not frame:
            pass
        if self.failed is None:
            self.failed = frame.node.span


def _deciding(kind: str, frame: Frame, value: Any) -> Iterator[JsonObject]:
    own = list(resources_in(value))
    if own:
        yield from own
    kept = list(resources_in(frame.kept)) if kind == "Query" else []
    if kept:
        yield from kept
        return
    if own:
        return
    clauses: Iterable[Clause] = frame.clauses
    if (kind == "And" and value is False) or (kind == "Or" and value is True):
        clauses = [clause for clause in clauses if clause.value is value]
    for clause in clauses:
        yield from clause.resources


def resources_in(value: Any) -> Iterator[JsonObject]:
    """The FHIR resources that a value is or (as a list) holds."""
    if isinstance(value, dict):
        if "resourceType" in value:
            yield value
    elif isinstance(value, list | tuple):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            yield from resources_in(item)


def _unique(resources: Iterable[JsonObject]) -> tuple[JsonObject, ...]:
    seen: dict[int, JsonObject] = {}
    for resource in resources:
        seen.setdefault(id(resource), resource)
    return tuple(seen.values())
