"""What every compiled expression is made with: dispatch by node, names in scope, choices, functions of their own."""

# ruff: noqa: S101 (methods are called after the nodes; an unknown node is a bug of ours, so an assertion)

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

from cql_like import ir
from cql_like.compiler.emit import Py, Writer, join

if TYPE_CHECKING:
    from cql_like.compiler.unit import Unit

Environment = Mapping[tuple[str, str], Py]

DEEPEST_BLOCK = 14  # Python allows 20 nested loops and 100 levels of indentation


class Forms:
    """Compiles expressions into one Python function. `environment`: the Python names of aliases, lets, operands."""

    def __init__(self, unit: "Unit", writer: Writer, environment: Environment) -> None:
        self.unit = unit
        self.w = writer
        self.environment: dict[tuple[str, str], Py] = dict(environment)

    def value(self, node: ir.Expression) -> Py:
        """The value of a node. Writes the statements it needs first."""
        if self.w.depth >= DEEPEST_BLOCK:
            return self.in_a_function_of_its_own(node)
        method: Callable[[Any], Py] | None = getattr(self, f"compile_{type(node).__name__}", None)
        assert method is not None, f"nothing compiles IR node {type(node).__name__}"
        return self.w.shallow(method(node))

    def within(self, names: Environment) -> Self:
        """The same function, with more names in scope."""
        return type(self)(self.unit, self.w, {**self.environment, **names})

    def both_of(self, left: Callable[[], Py], right: Callable[[], Py]) -> Py:
        first = left()
        second, before = self.w.captured(right)
        if not before:
            return join("({} and {})", first, second, nullable=False)
        return self._nested(first, "False", before, second)

    def either_of(self, left: Callable[[], Py], right: Callable[[], Py]) -> Py:
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

    def in_a_function_of_its_own(self, node: ir.Expression) -> Py:
        names = list(self.environment)
        atoms = [self.environment[name].text for name in names]
        parameters = [f"x{number}" for number in range(len(names))]
        inner = {
            name: Py(parameter, self.environment[name].nullable, True)
            for name, parameter in zip(names, parameters, strict=True)
        }
        function = self.unit.part(node, parameters, inner)
        return Py(f"{function}({', '.join(['s', *atoms])})", True, False, 1)
