"""Operators that are written out as Python instead of called, for the operand types where that is exact.

Every form gives what the row's implementation gives for operands that are not null; the generative tests hold both
evaluators to that. A form that `falls_back` handles the usual case itself and calls the implementation for the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cql_like.types import BOOLEAN, DATE, DECIMAL, INTEGER, LONG, STRING, ListOf, Type

_LOW, _HIGH = -(2**31), 2**31 - 1


@dataclass(frozen=True, slots=True)
class Inline:
    """A Python form over the operands `{a}` and `{b}` (never null), `{call}` (the implementation) and `{t}` (a name).

    `precisions`: those it is right for, besides none at all. `guard`: the Python class that an operand must have for
    the form to be right, which is tested where it isn't certain (an uncertain number is a range).
    """

    form: str
    nullable: bool = False
    repeats: bool = False  # an operand or the call stands in it more than once
    falls_back: bool = False
    precisions: frozenset[str] = frozenset()
    guard: str | None = None


def _table() -> dict[tuple[str, tuple[Type, ...]], Inline]:
    table: dict[tuple[str, tuple[Type, ...]], Inline] = {}
    signs = {"Less": "<", "LessOrEqual": "<=", "Greater": ">", "GreaterOrEqual": ">="}
    for kind in (STRING, BOOLEAN):
        table["Equal", (kind, kind)] = Inline("({a} == {b})")
        table["NotEqual", (kind, kind)] = Inline("({a} != {b})")
    table["Equivalent", (BOOLEAN, BOOLEAN)] = Inline("({a} == {b})")
    for name, sign in signs.items():
        table[name, (STRING, STRING)] = Inline(f"({{a}} {sign} {{b}})")
    for kind, python_class in ((INTEGER, "int"), (LONG, "Long"), (DECIMAL, "Decimal")):
        for name, sign in {**signs, "Equal": "==", "NotEqual": "!="}.items():
            table[name, (kind, kind)] = Inline(f"({{a}} {sign} {{b}})", guard=python_class)
    # Two complete dates are two day numbers; an incomplete one has 0 for it.
    by_day = {**signs, "Equal": "==", "SameAs": "==", "Before": "<", "After": ">"}
    by_day |= {"SameOrBefore": "<=", "SameOrAfter": ">="}
    for name, sign in by_day.items():
        table[name, (DATE, DATE)] = Inline(
            f"({{a}}.ordinal {sign} {{b}}.ordinal if {{a}}.ordinal and {{b}}.ordinal else {{call}})",
            nullable=True,
            repeats=True,
            falls_back=True,
            precisions=frozenset({"day"}),
        )
    table["DifferenceBetween", (DATE, DATE)] = Inline(
        "({b}.ordinal - {a}.ordinal if {a}.ordinal and {b}.ordinal else {call})",
        nullable=True,
        repeats=True,
        falls_back=True,
        precisions=frozenset({"day"}),
    )
    for name, sign in {"Add": "+", "Subtract": "-", "Multiply": "*"}.items():
        table[name, (INTEGER, INTEGER)] = Inline(
            f"({{t}} if {_LOW} <= ({{t}} := {{a}} {sign} {{b}}) <= {_HIGH} else {{call}})",
            nullable=True,
            repeats=True,
            falls_back=True,
            guard="int",
        )
    table["Not", (BOOLEAN,)] = Inline("(not {a})")
    table["Xor", (BOOLEAN, BOOLEAN)] = Inline("({a} is not {b})")
    # A null element may leave it open whether the value is there: the implementation knows.
    table["In", (STRING, ListOf(STRING))] = Inline(
        "(True if {a} in {b} else {call})", nullable=True, repeats=True, falls_back=True
    )
    return table


INLINES: Mapping[tuple[str, tuple[Type, ...]], Inline] = _table()

# Rows with a form that depends on a precision must not take the form where the precision is absent.
NEEDS_PRECISION = frozenset({"DifferenceBetween", "DurationBetween"})
