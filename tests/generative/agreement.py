"""What it means that both evaluators agree on a program and a record."""

from decimal import Decimal
from typing import Any

from cql_like import ir
from cql_like.compiler import Compiled
from cql_like.library import Library
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.values import CqlTuple, DateTime, Interval, ModelValue
from cql_like.session import Session
from cql_like.terminology import ExpandedTerminology
from tests.generative.programs import CODES
from tests.generative.records import Record

NOW = DateTime(2020, 2, 29, 12, 0, 0, 0, 0)
TERMINOLOGY = ExpandedTerminology({(url, None): codes for url, codes in CODES.items()}, dict.fromkeys(CODES))

Outcome = tuple[str, Any]


def outcome(session: Session) -> Outcome:
    """("value", it) or ("error", its kind). Nothing but a CQL error may come out of either evaluator."""
    try:
        return "value", session.evaluate("Main")
    except CqlRuntimeError as error:
        return "error", type(error).__name__


def outcomes(program: ir.Program, record: Record) -> tuple[Outcome, Outcome, str]:
    """What the reference and the compiled evaluator make of it, and the generated source."""
    library = Library(program)
    found = [
        outcome(library.prepare(terminology=TERMINOLOGY, now=NOW, engine=engine).session(record))
        for engine in ("reference", "compiled")
    ]
    return found[0], found[1], Compiled.of(program).source.text


def same(left: Any, right: Any) -> bool:
    """The same value of the same type, all the way down; lists and tuples of Python are one kind of list."""
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if type(left) is not type(right):
        return False
    if isinstance(left, CqlTuple):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    if isinstance(left, Interval):
        ends = (left.low, left.high, left.low_closed, left.high_closed)
        return all(map(same, ends, (right.low, right.high, right.low_closed, right.high_closed)))
    if isinstance(left, ModelValue):
        return left.type == right.type and same(left.value, right.value)
    if isinstance(left, Decimal):
        return str(left) == str(right)
    return bool(left == right)


def check(program: ir.Program, record: Record) -> Outcome:
    """Asserts that both evaluators agree; gives the reference's outcome.

    An error of the reference may lie in an operand that the compiled evaluator leaves out because it can no longer
    change the outcome (see `cql_like.reference`); the opposite, a compiled error alone, is a failure.
    """
    reference, compiled, source = outcomes(program, record)
    if reference[0] == "error" and compiled[0] == "value":
        return reference
    assert reference[0] == compiled[0], f"{reference} != {compiled}\n{source}"
    assert same(reference[1], compiled[1]), f"{reference} != {compiled}\n{source}"
    return reference
