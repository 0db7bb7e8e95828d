"""Typed IR -> Python expressions and statements, one method per node (see `cql_like.reference` for what they mean).

Three ways to compile the same node, because most conditions are only ever asked whether they are true:

* `value`: the value itself, null included;
* `true`: an expression that is truthy exactly where the value is true;
* `false`: the same for false.

`where`, `such that`, `if` and `exists` ask for `true`, so that three-valued logic shrinks to `and`, `or` and `not`.
"""

# ruff: noqa: N802, S101 (methods are called after the nodes; an unknown node is a bug of ours, so an assertion)

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cql_like import ir, leaves
from cql_like.compiler import fast
from cql_like.compiler.emit import FALSE, NULL, Py, Writer, join, literal
from cql_like.compiler.inlines import INLINES, NEEDS_PRECISION, Inline
from cql_like.compiler.nullness import is_certain
from cql_like.compiler.queries import compile_exists, compile_query
from cql_like.model import fhir_conversions
from cql_like.runtime import interval, lists, temporal
from cql_like.runtime.values import CqlTuple
from cql_like.types import ANY, DATE, QUANTITY, STRING, IntervalOf, ListOf, Named, TupleOf

if TYPE_CHECKING:
    from cql_like.compiler.unit import Unit

Environment = Mapping[tuple[str, str], Py]

_DEEPEST_BLOCK = 14  # Python allows 20 nested loops and 100 levels of indentation


class Expressions:
    """Compiles expressions into one Python function. `environment`: the Python names of aliases, lets, operands."""

    def __init__(self, unit: "Unit", writer: Writer, environment: Environment) -> None:
        self.unit = unit
        self.w = writer
        self.environment: dict[tuple[str, str], Py] = dict(environment)

    # ------------------------------------------------------------------------------------------ the three ways

    def value(self, node: ir.Expression) -> Py:
        """The value of a node. Writes the statements it needs first."""
        if self.w.depth >= _DEEPEST_BLOCK:
            return self._in_a_function_of_its_own(node)
        method: Callable[[Any], Py] | None = getattr(self, f"compile_{type(node).__name__}", None)
        assert method is not None, f"nothing compiles IR node {type(node).__name__}"
        return self.w.shallow(method(node))

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
                    return self._either_of(lambda: self.false(operands[0]), lambda: self.true(operands[1]))
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
                    return self._both_of(lambda: self.true(operands[0]), lambda: self.false(operands[1]))
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
        return self._both_of(lambda: way(left), lambda: way(right))

    def _either(self, operands: Sequence[ir.Expression], way: Callable[[ir.Expression], Py]) -> Py:
        left, right = operands
        return self._either_of(lambda: way(left), lambda: way(right))

    def _both_of(self, left: Callable[[], Py], right: Callable[[], Py]) -> Py:
        first = left()
        second, before = self.w.captured(right)
        if not before:
            return join("({} and {})", first, second, nullable=False)
        return self._nested(first, "False", before, second)

    def _either_of(self, left: Callable[[], Py], right: Callable[[], Py]) -> Py:
        first = left()
        second, before = self.w.captured(right)
        if not before:
            return join("({} or {})", first, second, nullable=False)
        return self._nested(join("(not {})", first, nullable=False), "True", before, second)

    def _nested(self, condition: Py, otherwise: str, before: list[tuple[int, str]], second: Py) -> Py:
        """`second` after its statements where the condition is truthy, else `otherwise`."""
        result = self.w.temporary()
        self.w.line(f"{result} = {otherwise}")
        self.w.line(f"if {condition.text}:")
        self.w.indent += 1
        self.w.paste(before)
        self.w.line(f"{result} = {second.text}")
        self.w.indent -= 1
        return Py(result, second.nullable, True)

    def choose(self, condition: Py, then: Callable[[], Py], otherwise: Callable[[], Py]) -> Py:
        """`then` where the condition is truthy, else `otherwise`; only one of them is evaluated."""
        first, before_first = self.w.captured(then)
        second, before_second = self.w.captured(otherwise)
        nullable = first.nullable or second.nullable
        if not before_first and not before_second:
            return join("({} if {} else {})", first, condition, second, nullable=nullable)
        result = self.w.temporary()
        for head, before, value in ((f"if {condition.text}:", before_first, first), ("else:", before_second, second)):
            self.w.line(head)
            self.w.indent += 1
            self.w.paste(before)
            self.w.line(f"{result} = {value.text}")
            self.w.indent -= 1
        return Py(result, nullable, True)

    def _in_a_function_of_its_own(self, node: ir.Expression) -> Py:
        names = list(self.environment)
        atoms = [self.environment[name].text for name in names]
        parameters = [f"x{number}" for number in range(len(names))]
        inner = {
            name: Py(parameter, self.environment[name].nullable, True)
            for name, parameter in zip(names, parameters, strict=True)
        }
        function = self.unit.part(node, parameters, inner)
        return Py(f"{function}({', '.join(['s', *atoms])})", True, False, 1)

    # ------------------------------------------------------------------------------------------ references

    def compile_Constant(self, node: ir.Constant) -> Py:
        return literal(node.value, self.unit.constants)

    def compile_ParameterRef(self, node: ir.ParameterRef) -> Py:
        return Py(self.unit.parameters.name((node.library, node.name), (node.library, node.name)), True, True)

    def compile_ExpressionRef(self, node: ir.ExpressionRef) -> Py:
        slot, function = self.unit.define(node.library, node.name)
        name = self.w.temporary()
        nullable = self.unit.nullness.can_be_null(node)
        return Py(f"({name} if ({name} := s[{slot}]) is not U else {function}(s))", nullable, False, 1)

    def compile_FunctionCall(self, node: ir.FunctionCall) -> Py:
        operands = [self.value(operand) for operand in node.operands]
        function = self.unit.function(node.library, node.function)
        depth = 1 + max((operand.depth for operand in operands), default=0)
        return Py(f"{function}({', '.join(['s', *(o.text for o in operands)])})", True, False, depth)

    def compile_OperandRef(self, node: ir.OperandRef) -> Py:
        return self.environment["operand", node.name]

    def compile_AliasRef(self, node: ir.AliasRef) -> Py:
        return self.environment["alias", node.name]

    def compile_LetRef(self, node: ir.LetRef) -> Py:
        return self.environment["let", node.name]

    def compile_IterationRef(self, node: ir.IterationRef) -> Py:
        return self.environment["iteration", node.name]

    def compile_ValueSetRef(self, node: ir.ValueSetRef) -> Py:
        key = ("value set", node.url, node.version, node.name)
        return Py(self.unit.constants.name(leaves.value_set(node), key), False, True)

    def compile_CodeSystemRef(self, node: ir.CodeSystemRef) -> Py:
        key = ("code system", node.url, node.version, node.name)
        return Py(self.unit.constants.name(leaves.code_system(node), key), False, True)

    # ------------------------------------------------------------------------------------------ operators

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
        if isinstance(operand, ir.Query) and self.w.depth < _DEEPEST_BLOCK:
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
            keywords.append("context=C")
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
        if self.w.depth >= _DEEPEST_BLOCK:
            return self._in_a_function_of_its_own(ir.Case(type=otherwise.type, items=items, otherwise=otherwise))
        condition = self.true(items[0][0])
        return self.choose(condition, lambda: self.value(items[0][1]), lambda: self._case(items[1:], otherwise))

    # ------------------------------------------------------------------------------------------ selectors

    def compile_IntervalSelector(self, node: ir.IntervalSelector) -> Py:
        parts = [self.value(part) for part in (node.low, node.high, node.low_closed, node.high_closed)]
        return join("interval({}, {}, {}, {}, {})", *parts, self._point(node.type), nullable=False)

    def _point(self, kind: Any) -> Py:
        assert isinstance(kind, IntervalOf)
        return Py(self.unit.constants.name(kind.point, kind.point), False, True)

    def compile_ListSelector(self, node: ir.ListSelector) -> Py:
        if all(isinstance(item, ir.Constant) for item in node.items):
            values = [item.value for item in node.items if isinstance(item, ir.Constant)]
            return Py(self.unit.constants.name(values, ("list", id(node))), False, True)
        items = [self.value(item) for item in node.items]
        return join(f"[{', '.join(['{}'] * len(items))}]", *items, nullable=False)

    def compile_TupleSelector(self, node: ir.TupleSelector) -> Py:
        return join("CqlTuple({})", self._elements(node.elements), nullable=False)

    def compile_InstanceSelector(self, node: ir.InstanceSelector) -> Py:
        assert isinstance(node.type, Named)
        kind = Py(self.unit.constants.name(node.type, node.type), False, True)
        return join("instance({}, {})", kind, self._elements(node.elements), nullable=True)

    def _elements(self, elements: tuple[tuple[str, ir.Expression], ...]) -> Py:
        values = [(literal(name, self.unit.constants), self.value(element)) for name, element in elements]
        depth = 1 + max((value.depth for _, value in values), default=0)
        return Py(f"{{{', '.join(f'{name.text}: {value.text}' for name, value in values)}}}", False, False, depth)

    # ------------------------------------------------------------------------- elements, conversions and types

    def compile_ModelProperty(self, node: ir.ModelProperty) -> Py:
        source = self.value(node.source)
        plural = isinstance(node.type, ListOf)
        if len(node.choices) == 1:
            return self._member(source, node.choices[0].key, plural, self.is_object(node.source))
        choices = Py(self.unit.constants.name(node.choices, ("choices", node.choices)), False, True)
        return join("model_property({}, {}, False)", source, choices, nullable=True)

    def _member(self, source: Py, key: str, plural: bool, is_object: bool) -> Py:
        """The member of a JSON object; null (or no elements) where the source is null or no object."""
        name = literal(key, self.unit.constants).text
        if is_object and not source.nullable:
            text = f"{source.text}.get({name})"
        elif source.atom:
            text = f"({source.text}.get({name}) if {source.text}.__class__ is dict else None)"
        else:
            held = self.w.temporary()
            text = f"({held}.get({name}) if ({held} := {source.text}).__class__ is dict else None)"
        if not plural:
            return Py(text, True, False, source.depth + 1)
        found = self.w.temporary()
        if source.nullable:
            held = self.w.atom(source)
            text = f"{held.text}.get({name}) if {held.text}.__class__ is dict else None"
            return Py(
                f"(None if {held.text} is None else {found} if ({found} := {text}).__class__ is list "
                f"else as_list({found}))",
                True, False, held.depth + 2,
            )  # fmt: skip
        return Py(
            f"({found} if ({found} := {text}).__class__ is list else as_list({found}))", False, False, source.depth + 2
        )

    def is_object(self, node: ir.Expression) -> bool:
        """Is the value surely a JSON object where it is not null? So are the elements of a retrieve."""
        return isinstance(node, ir.AliasRef) and ("object", node.name) in self.environment

    def compile_Property(self, node: ir.Property) -> Py:
        source = self.value(node.source)
        if isinstance(node.source.type, TupleOf):
            held = self.w.atom(source) if source.nullable else source
            key = literal(node.name, self.unit.constants).text
            text = f"{held.text}._elements.get({key})"
            return Py(f"({text} if {held.text} is not None else None)" if held.nullable else text, True, False,
                      held.depth + 1)  # fmt: skip
        name = literal(node.name, self.unit.constants)
        return join("system_property({}, {})", source, name, nullable=True)

    def compile_Convert(self, node: ir.Convert) -> Py:
        row = node.conversion
        operand = self.value(node.operand)
        scalar = _SCALARS.get(row.implementation)
        if scalar is not None:
            python_class, parse = scalar
            name = operand.text if operand.atom else self.w.temporary()
            test = operand.text if operand.atom else f"({name} := {operand.text})"
            found = name if parse is None else f"{self.unit.implementations.name(parse)}({name})"
            return Py(f"({found} if {test}.__class__ is {python_class} else None)", True, False, operand.depth + 1)
        call = self.unit.implementations.name(row.implementation)
        context = ", context=C" if row.takes_context else ""
        if not operand.nullable or not row.propagates_null:
            return Py(f"{call}({operand.text}{context})", True, False, operand.depth + 1)
        if operand.atom:
            return Py(f"({call}({operand.text}{context}) if {operand.text} is not None else None)", True, False, 1)
        name = self.w.temporary()
        return Py(
            f"({call}({name}{context}) if ({name} := {operand.text}) is not None else None)",
            True, False, operand.depth + 1,
        )  # fmt: skip

    def compile_ListConvert(self, node: ir.ListConvert) -> Py:
        source = self.w.atom(self.value(node.operand))
        result, item = self.w.temporary(), self.w.temporary()
        w = self.w
        w.line(f"{result} = []" if not source.nullable else f"{result} = None if {source.text} is None else []")

        def body() -> None:
            inner = self.within({("iteration", "$this"): Py(item, False, True)})
            converted, before = w.captured(lambda: inner.value(node.item))
            if not before:
                w.line(f"{result}.append({converted.text} if {item} is not None else None)")
                return
            w.line(f"if {item} is None:")
            w.lines.append((w.indent + 1, f"{result}.append(None)"))
            w.lines.append((w.indent + 1, "continue"))
            w.paste(before)
            w.line(f"{result}.append({converted.text})")

        w.block(f"for {item} in {source.text}:" if not source.nullable else f"for {item} in {source.text} or ():", body)
        return Py(result, source.nullable, True)

    def compile_IntervalConvert(self, node: ir.IntervalConvert) -> Py:
        source = self.w.atom(self.value(node.operand))
        result = self.w.temporary()
        w = self.w
        w.line(f"{result} = None")

        def body() -> None:
            ends: list[str] = []
            for end in ("low", "high"):
                name, point = w.temporary(), w.temporary()
                w.line(f"{point} = {source.text}.{end}")
                w.line(f"{name} = None")

                def convert(point: str = point, name: str = name) -> None:
                    inner = self.within({("iteration", "$this"): Py(point, False, True)})
                    w.line(f"{name} = {inner.value(node.point).text}")

                w.block(f"if {point} is not None:", convert)
                ends.append(name)
            closed = f"{source.text}.low_closed, {source.text}.high_closed"
            w.line(f"{result} = Interval({ends[0]}, {ends[1]}, {closed}, {self._point(node.type).text})")

        w.block(f"if {source.text} is not None:", body)
        return Py(result, True, True)

    def compile_As(self, node: ir.As) -> Py:
        fused = self._one_choice(node.operand, node.target)
        if fused is not None and not node.strict and node.type == node.target:
            return fused
        known = Py(self.unit.constants.name(node), False, True)
        return join("cast({}, {})", self.value(node.operand), known, nullable=True)

    def compile_Is(self, node: ir.Is) -> Py:
        fused = self._one_choice(node.operand, node.target)
        if fused is not None:
            return join("({} is not None)", fused, nullable=False)
        known = Py(self.unit.constants.name(node), False, True)
        return join("is_a({}, {})", self.value(node.operand), known, nullable=False)

    def _one_choice(self, operand: ir.Expression, target: Any) -> Py | None:
        """`Patient.deceased as FHIR.dateTime`: the one JSON key that holds that type, without boxing."""
        if not isinstance(operand, ir.ModelProperty) or len(operand.choices) < 2:
            return None
        keys = [choice.key for choice in operand.choices if choice.type == target]
        if len(keys) != 1 or not isinstance(target, Named) or target == ANY:
            return None
        return self._member(self.value(operand.source), keys[0], False, self.is_object(operand.source))

    # ------------------------------------------------------------------------------------------ data

    def compile_Retrieve(self, node: ir.Retrieve) -> Py:
        codes = node.codes
        if codes is None or isinstance(codes, ir.ValueSetRef | ir.Constant):
            if isinstance(codes, ir.Constant) and codes.value is None:
                return NULL
            slot, function = self.unit.retrieve(node)
            name = self.w.temporary()
            return Py(f"({name} if ({name} := s[{slot}]) is not U else {function}(s))", False, False, 1)
        wanted = self.w.atom(self.value(codes))
        known = Py(self.unit.constants.name(node), False, True)
        text = f"retrieve(s, {known.text}, {wanted.text})"
        return Py(f"({text} if {wanted.text} is not None else None)" if wanted.nullable else text, wanted.nullable)

    def compile_Query(self, node: ir.Query) -> Py:
        return compile_query(self, node)

    def within(self, names: Environment) -> "Expressions":
        """The same function, with more names in scope."""
        return Expressions(self.unit, self.w, {**self.environment, **names})


# Conversions of FHIR primitives: the Python class that the JSON scalar must have, and what reads it (None: as it is).
_SCALARS: Mapping[Any, tuple[str, Callable[..., Any] | None]] = {
    fhir_conversions.to_string: ("str", None),
    fhir_conversions.to_boolean: ("bool", None),
    fhir_conversions.to_date: ("str", temporal.parse_date),
    fhir_conversions.to_datetime: ("str", temporal.parse_datetime),
}

# What generated code calls by name; the rest it reads from tables.
SUPPORT: Mapping[str, Any] = {
    "CqlTuple": CqlTuple,
    "Decimal": Decimal,
    "Interval": leaves.Interval,
    "Long": leaves.Long,
    "as_list": leaves.as_list,
    "cast": leaves.cast,
    "date_in": fast.date_in,
    "day_of": fast.day_of,
    "distinct": fast.distinct,
    "distinct_by": leaves.distinct_by,
    "combinations": leaves.combinations,
    "elements": leaves.elements,
    "exists": fast.exists,
    "external": leaves.external,
    "first": fast.first,
    "instance": leaves.instance,
    "interval": leaves.interval,
    "is_a": fast.is_a,
    "model_property": leaves.model_property,
    "plus_months": fast.plus_months,
    "sorted_by": fast.sorted_by,
    "system_property": leaves.system_property,
}
