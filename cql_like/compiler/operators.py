"""Operators -> Python: three-valued logic, null propagation, inline forms (see `inlines`), if and case.

Three ways to compile the same node, because most conditions are only ever asked whether they are true:

* `value`: the value itself, null included;
* `true`: an expression that is truthy exactly where the value is true;
* `false`: the same for false.

`where`, `such that`, `if` and `exists` ask for `true`, so that three-valued logic shrinks to `and`, `or` and `not`.
"""

# ruff: noqa: N802, S101 (methods are called after the nodes; an unknown node is a bug of ours, so an assertion)

from collections.abc import Callable, Sequence

from cql_like import ir
from cql_like.compiler import fast
from cql_like.compiler.emit import FALSE, NULL, Py, join
from cql_like.compiler.forms import DEEPEST_BLOCK, Forms
from cql_like.compiler.inlines import INLINES, NEEDS_PRECISION, Inline
from cql_like.compiler.nullness import is_certain
from cql_like.compiler.queries import compile_exists
from cql_like.model import fhir_conversions
from cql_like.runtime import interval, lists
from cql_like.types import DATE, QUANTITY, STRING, IntervalOf, ListOf


class Operators(Forms):
    """Adds operators, conditions and branches to the forms."""

    def true(self, node: ir.Expression) -> Py:
        """Truthy exactly where the node is true."""
        if isinstance(node, ir.Operator):
            operands: Sequence[ir.Expression] = node.operands
            match node.row.name:
                case "And":
                    return self._both(operands, self.true)
                case "Or":
                    return self._either(operands, self.true)
                case "Implies":
                    return self.either_of(lambda: self.false(operands[0]), lambda: self.true(operands[1]))
                case "Not":
                    return self.false(operands[0])
                case "IsTrue":
                    return self.true(operands[0])
                case "IsFalse":
                    return self.false(operands[0])
                case "IsNull" | "Exists":
                    return self._never_null(node.row.name, operands[0])
                case "Equal" if (text := self._equal_to_constant(node)) is not None:
                    return text
                case _:
                    return self._applied(node, wanted="true")
        return self.value(node)

    def false(self, node: ir.Expression) -> Py:
        """Truthy exactly where the node is false."""
        if isinstance(node, ir.Operator):
            operands: Sequence[ir.Expression] = node.operands
            match node.row.name:
                case "And":
                    return self._either(operands, self.false)
                case "Or":
                    return self._both(operands, self.false)
                case "Implies":
                    return self.both_of(lambda: self.true(operands[0]), lambda: self.false(operands[1]))
                case "Not":
                    return self.true(operands[0])
                case "IsTrue":
                    return join("(not {})", self.true(operands[0]), nullable=False)
                case "IsFalse":
                    return join("(not {})", self.false(operands[0]), nullable=False)
                case _:
                    pass
        value = self.value(node)
        return join("({} is False)" if value.nullable else "(not {})", value, nullable=False)

    def _both(self, operands: Sequence[ir.Expression], way: Callable[[ir.Expression], Py]) -> Py:
        left, right = operands
        return self.both_of(lambda: way(left), lambda: way(right))

    def _either(self, operands: Sequence[ir.Expression], way: Callable[[ir.Expression], Py]) -> Py:
        left, right = operands
        return self.either_of(lambda: way(left), lambda: way(right))

    def compile_Operator(self, node: ir.Operator) -> Py:
        operands: Sequence[ir.Expression] = node.operands
        match node.row.name:
            case "And":
                return self._three_valued(operands, "False", "False", "True")
            case "Or":
                return self._three_valued(operands, "True", "True", "False")
            case "Implies":
                return self._three_valued(operands, "False", "True", "True")
            case "IsNull" | "IsTrue" | "IsFalse" | "Exists":
                return self._never_null(node.row.name, operands[0])
            case "Coalesce" if len(operands) > 1:
                return self._coalesce(operands)
            case _:
                return self._applied(node, wanted="value")

    def _never_null(self, name: str, operand: ir.Expression) -> Py:
        if name == "Exists":
            return self.exists(operand)
        found = self.value(operand)
        if name == "IsNull" and not found.nullable:
            return FALSE
        constant = {"IsNull": "None", "IsTrue": "True", "IsFalse": "False"}[name]
        return join(f"({{}} is {constant})", found, nullable=False)

    def exists(self, operand: ir.Expression) -> Py:
        """Does a list hold an element that is not null? A query stops at the first (`queries`)."""
        if isinstance(operand, ir.Query) and self.w.depth < DEEPEST_BLOCK:
            stopped = compile_exists(self, operand)
            if stopped is not None:
                return stopped
        found = self.value(operand)
        if found.nullable or self.unit.nullness.can_hold_null(operand):
            return join("exists({})", found, nullable=False)
        return join("(len({}) > 0)", found, nullable=False)

    def _three_valued(self, operands: Sequence[ir.Expression], decides: str, decided: str, other: str) -> Py:
        """And, Or, Implies: the left operand `decides` alone; the right one only with the value `decided`, too."""
        left = self.value(operands[0])
        right, before = self.w.captured(lambda: self.value(operands[1]))
        a, b = self.w.temporary(), self.w.temporary()
        implies = decides != decided
        right_decides = decided
        undecided = "False" if implies else other
        if not before:
            test = f"({a} := {left.text}) is {decides} or ({b} := {right.text}) is {right_decides}"
            depth = 2 + max(left.depth, right.depth)
            unknown = [name for name, side in ((a, left), (b, right)) if side.nullable]
            if not unknown:
                return Py(f"({decided} if {test} else {undecided})", False, False, depth)
            null = " or ".join(f"{name} is None" for name in unknown)
            return Py(f"({decided} if {test} else None if {null} else {undecided})", True, False, depth)
        result = self.w.temporary()
        w = self.w
        w.line(f"{a} = {left.text}")
        w.line(f"if {a} is {decides}:")
        w.lines.append((w.indent + 1, f"{result} = {decided}"))
        w.line("else:")
        w.indent += 1
        w.paste(before)
        w.line(f"{b} = {right.text}")
        w.line(
            f"{result} = {decided} if {b} is {right_decides} else None if {a} is None or {b} is None else {undecided}"
        )
        w.indent -= 1
        return Py(result, left.nullable or right.nullable, True)

    def _coalesce(self, operands: Sequence[ir.Expression]) -> Py:
        first = self.value(operands[0])
        if len(operands) == 1 or not first.nullable:
            return first
        name = self.w.temporary()
        rest, before = self.w.captured(lambda: self._coalesce(operands[1:]))
        if not before:
            depth = 1 + max(first.depth, rest.depth)
            return Py(f"({name} if ({name} := {first.text}) is not None else {rest.text})", rest.nullable, False, depth)
        self.w.line(f"{name} = {first.text}")
        self.w.line(f"if {name} is None:")
        self.w.indent += 1
        self.w.paste(before)
        self.w.line(f"{name} = {rest.text}")
        self.w.indent -= 1
        return Py(name, rest.nullable, True)

    def _applied(self, node: ir.Operator, wanted: str) -> Py:
        """An operator row: written inline where `INLINES` has a form for these operand types, else called."""
        known = self._known_case(node)
        if known is not None:
            return known
        call = self._caller(node)
        if not node.row.propagates_null:
            return call([self.value(operand) for operand in node.operands])
        inline = self._inline(node)
        if inline is None:
            return self._guarded(node.operands, call, wanted)
        guarded = inline.guard is not None and not all(is_certain(operand) for operand in node.operands)

        def apply(args: list[Py]) -> Py:
            guards = [is_certain(operand) for operand in node.operands] if guarded else []
            return self._inlined(inline, call, args, guards)

        return self._guarded(node.operands, apply, wanted, inline.repeats or guarded)

    def _known_case(self, node: ir.Operator) -> Py | None:
        """The cases that turn on a constant operand or on what a certain implementation does with nulls."""
        kinds = tuple(operand.type for operand in node.operands)
        if node.row.implementation is lists.in_ and kinds == (STRING, ListOf(STRING)):
            return self._in_strings(*node.operands)
        if node.row.implementation is interval.in_ and kinds == (DATE, IntervalOf(DATE)):
            if node.precision in (None, "day"):
                call = Py(self.unit.implementations.name(node.row.implementation), False, True)
                parts = [self.value(operand) for operand in node.operands]
                return join(f"date_in({{}}, {{}}, {{}}, {node.precision!r})", *parts, call, nullable=True)
        elif node.row.name in ("Add", "Subtract") and kinds == (DATE, QUANTITY):
            return self._date_plus(node)
        return None

    def _in_strings(self, element: ir.Expression, items: ir.Expression) -> Py:
        """`in` a list of strings is never null: a null is found only where a null stands, a null list holds nothing."""
        found = self.value(element)
        if isinstance(items, ir.ListSelector) and all(isinstance(item, ir.Constant) for item in items.items):
            values = frozenset(item.value for item in items.items if isinstance(item, ir.Constant))
            return join("({} in {})", found, Py(self.unit.constants.name(values, values), False, True), nullable=False)
        held = self.value(items)
        return join("({} in {})" if not held.nullable else "({} in ({} or ()))", found, held, nullable=False)

    def _date_plus(self, node: ir.Operator) -> Py | None:
        """A date and a constant number of calendar periods: a look-up where the date is complete."""
        quantity = node.operands[1]
        step = fast.steps(quantity.value) if isinstance(quantity, ir.Constant) else None
        if step is None:
            return None
        days, months = step if node.row.name == "Add" else (-step[0], -step[1])
        call = self._caller(node)

        def apply(args: list[Py]) -> Py:
            date = args[0]
            moved = f"day_of({date.text}.ordinal + {days})" if days else f"plus_months({date.text}, {months})"
            return Py(f"({moved} if {date.text}.ordinal else {call(args).text})", True, False, date.depth + 2)

        return self._guarded(node.operands, apply, "value", repeats=True)

    def _inline(self, node: ir.Operator) -> Inline | None:
        inline = INLINES.get((node.row.name, tuple(operand.type for operand in node.operands)))
        if inline is None or (node.precision is not None and node.precision not in inline.precisions):
            return None
        return None if node.precision is None and node.row.name in NEEDS_PRECISION else inline

    def _inlined(self, inline: Inline, call: Callable[[list[Py]], Py], args: list[Py], guards: list[bool]) -> Py:
        """The inline form. `guards`: for each operand whether it is certain; empty if none need be tested."""
        atoms = [self.w.atom(arg) for arg in args] if inline.repeats or guards else args
        texts = {"a": atoms[0].text}
        if len(atoms) > 1:
            texts["b"] = atoms[1].text
        if inline.falls_back:
            texts["call"] = call(atoms).text
        if "{t}" in inline.form:
            texts["t"] = self.w.temporary()
        depth = 2 + max(atom.depth for atom in atoms)
        form = inline.form.format(**texts)
        tests = [
            f"{atom.text}.__class__ is {inline.guard}"
            for atom, certain in zip(atoms, guards or [True] * len(atoms), strict=True)
            if not certain and atom.text.isidentifier()  # anything else under no name is a literal
        ]
        if not tests:
            return Py(form, inline.nullable, False, depth)
        return Py(f"({form} if {' and '.join(tests)} else {call(atoms).text})", True, False, depth + 1)

    def _caller(self, node: ir.Operator) -> Callable[[list[Py]], Py]:
        name = self.unit.implementations.name(node.row.implementation)
        keywords: list[str] = []
        if node.row.takes_precision:
            keywords.append(f"precision={node.precision!r}")
        if node.row.takes_context:
            keywords.append(f"context={self.unit.context_for(node.row)}")
        return lambda args: Py(
            f"{name}({', '.join([*(arg.text for arg in args), *keywords])})",
            True,
            False,
            1 + max((arg.depth for arg in args), default=0),
        )

    def _guarded(
        self,
        operands: Sequence[ir.Expression],
        apply: Callable[[list[Py]], Py],
        wanted: str,
        repeats: bool = False,
    ) -> Py:
        """`apply` to the operands (which it writes more than once if it `repeats`), null at the first null one."""
        w = self.w
        args: list[Py] = []
        tests: list[str] = []
        opened: list[int] = []
        result: str | None = None
        depth = 0
        for operand in operands:
            value, before = w.captured(lambda operand=operand: self.value(operand))
            if value.text == "None":
                apply_null = NULL if wanted == "value" else FALSE
                return apply_null if result is None else self._close(result, apply_null.text, opened)
            if before and tests:
                result = result or self._open(wanted)
                w.line(f"if {' and '.join(tests)}:")
                w.indent += 1
                w.depth += 1
                opened.append(1)
                tests = []
            w.paste(before)
            depth = max(depth, value.depth)
            if not value.nullable:
                args.append(value)
            elif value.atom:
                tests.append(f"{value.text} is not None")
                args.append(Py(value.text, False, True))
            else:
                name = w.temporary()
                tests.append(f"({name} := {value.text}) is not None")
                args.append(Py(name, False, True))
        if tests and repeats and not all(arg.atom for arg in args):
            result = result or self._open(wanted)
            w.line(f"if {' and '.join(tests)}:")
            w.indent += 1
            w.depth += 1
            opened.append(1)
            tests = []
        inner, before = w.captured(lambda: apply(args))
        assert not (before and tests), "an operator form wrote statements behind its own null test"
        w.paste(before)
        if tests:
            condition = " and ".join(tests)
            text = (
                f"({inner.text} if {condition} else None)" if wanted == "value" else f"({condition} and {inner.text})"
            )
            inner = Py(text, True, False, 2 + max(depth, inner.depth))
        return inner if result is None else self._close(result, inner.text, opened)

    def _open(self, wanted: str) -> str:
        result = self.w.temporary()
        self.w.line(f"{result} = {'None' if wanted == 'value' else 'False'}")
        return result

    def _close(self, result: str, text: str, opened: list[int]) -> Py:
        self.w.line(f"{result} = {text}")
        self.w.indent -= len(opened)
        self.w.depth -= len(opened)
        return Py(result, True, True)

    def _equal_to_constant(self, node: ir.Operator) -> Py | None:
        """`E.status = 'finished'` asked for truth: a text of another type than String equals no constant either."""
        left, right = node.operands
        if isinstance(left, ir.Constant):
            left, right = right, left
        if not isinstance(right, ir.Constant) or type(right.value) is not str:
            return None
        if isinstance(left, ir.Convert) and left.conversion.implementation is fhir_conversions.to_string:
            left = left.operand
        elif left.type != right.type:
            return None
        return join("({} == {})", self.value(left), self.value(right), nullable=False)

    def compile_If(self, node: ir.If) -> Py:
        condition = self.true(node.condition)
        return self.choose(condition, lambda: self.value(node.then), lambda: self.value(node.otherwise))

    def compile_Case(self, node: ir.Case) -> Py:
        return self._case(node.items, node.otherwise)

    def _case(self, items: tuple[tuple[ir.Expression, ir.Expression], ...], otherwise: ir.Expression) -> Py:
        if not items:
            return self.value(otherwise)
        if self.w.depth >= DEEPEST_BLOCK:
            return self.in_a_function_of_its_own(ir.Case(type=otherwise.type, items=items, otherwise=otherwise))
        condition = self.true(items[0][0])
        return self.choose(condition, lambda: self.value(items[0][1]), lambda: self._case(items[1:], otherwise))
