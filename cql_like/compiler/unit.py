"""One program as one Python module: its functions, tables and session slots, and the source text that links them.

The generated source is one function, `link`, which binds the tables to local names and defines a Python function for
each define, user function and retrieve as its inner functions (closures: faster than globals, and the only names that
exist are ours). A session is a list: slot 0 the record's `retrieve`, slot 1 the list of what was retrieved, slot 2 the
population's `retrieve`, slot 3 the context that collects the session's messages, then one slot for each define and
retrieve, unset at first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cql_like import ir
from cql_like.compiler.emit import Py, Table, Writer, comment, literal
from cql_like.compiler.expressions import SUPPORT, Expressions
from cql_like.compiler.forms import Environment
from cql_like.compiler.nullness import Nullness
from cql_like.profile import Kind
from cql_like.runtime.values import Code
from cql_like.types import ListOf
from cql_like.walk import bodies, walk

FIRST_SLOT = 4


@dataclass(frozen=True, slots=True)
class StaticRetrieve:
    """A retrieve whose codes (a value set or a constant) are known when a session factory is made."""

    node: ir.Retrieve
    library: str
    define: str


@dataclass(frozen=True)
class Source:
    """Generated Python with the tables it refers to.

    `slots`: how many a session has. `emits`: does it call `Message`? `defines`: the inner function of each define by
    (library key, name), as its place in what `link` returns.
    """

    text: str
    constants: tuple[Any, ...]
    implementations: tuple[Any, ...]
    parameters: tuple[tuple[str, str], ...]
    retrieves: tuple[StaticRetrieve, ...]
    slots: int
    emits: bool
    defines: dict[tuple[str, str], int]
    timed: tuple[tuple[Kind, str, str], ...] = ()


def retrieve_name(node: ir.Retrieve) -> str:
    """A retrieve as CQL writes it, for a profile: `[Encounter: type in "Well Visit"]`."""
    match node.codes:
        case None:
            return f"[{node.resource_type}]"
        case ir.ValueSetRef(name=name):
            wanted = f'"{name}"'
        case ir.Constant(value=Code(code=code, display=display)):
            wanted = f'"{display or code}"'
        case _:
            wanted = "codes"
    return f"[{node.resource_type}: {node.code_path} {node.comparator} {wanted}]"


class Unit:
    """Collects the functions of a program while they are compiled; each is compiled once, when first named."""

    def __init__(self, program: ir.Program, *, profiled: bool = False) -> None:
        self.program = program
        self.profiled = profiled
        self.nullness = Nullness(program)
        self.constants = Table("k")
        self.implementations = Table("f")
        self.parameters = Table("p")
        self.retrieves = Table("v")
        self._slots = FIRST_SLOT
        self._emits = False
        self._defines: dict[tuple[str, str], tuple[int, str]] = {}
        self._functions: dict[tuple[str, str], str] = {}
        self._retrieve_functions: dict[Any, tuple[int, str]] = {}
        self._retrieve_names: dict[Any, str] = {}
        self._parts = 0
        self._texts: dict[str, list[str]] = {}
        self._current: list[tuple[str, str]] = []
        # Functions that are named but not written yet: each is written by itself, so that a long chain of defines is
        # not a deep chain of Python calls.
        self._pending: list[Callable[[], None]] = []

    @cached_property
    def emits_messages(self) -> bool:
        """Does the program call `Message`, anywhere?"""
        return any(
            isinstance(node, ir.Operator) and node.row.name == "Message"
            for library in self.program.libraries.values()
            for _, body in bodies(library)
            for node in walk(body)
        )

    def source(self) -> Source:
        """Compiles every define of every library of the program."""
        for library in self.program.libraries.values():
            for name in library.defines:
                self.define(library.key, name)
                self._write_pending()
        lines = ["def link(K, F, P, V, C, U, S):"]
        lines += [f"    {name} = S[{name!r}]" for name in (*SUPPORT, "retrieve", "missing")]
        for table in (self.constants, self.implementations, self.parameters, self.retrieves):
            unpacking = table.unpacking()
            if unpacking is not None:
                lines.append(f"    {unpacking}")
        for text in self._texts.values():
            lines.append("")
            lines += text
        timed = self._timed() if self.profiled else {}
        if timed:
            lines += ["", "    timed = S['timed']"]
            lines += [
                f"    {name} = timed({number}, {slot}, {name})"
                for number, (name, (slot, _)) in enumerate(timed.items())
            ]
        names = [function for _, function in self._defines.values()]
        lines += ["", f"    return ({''.join(f'{name}, ' for name in names)})", ""]
        return Source(
            "\n".join(lines),
            tuple(self.constants.values),
            tuple(self.implementations.values),
            tuple(self.parameters.values),
            tuple(self.retrieves.values),
            self._slots,
            self._emits,
            {key: place for place, key in enumerate(self._defines)},
            tuple(what for _, what in timed.values()),
        )

    def _timed(self) -> dict[str, tuple[int | None, tuple[Kind, str, str]]]:
        """The functions that a profile wraps, each with its slot, if it has one, and what it is."""
        timed: dict[str, tuple[int | None, tuple[Kind, str, str]]] = {}
        for (library, name), (slot, function) in self._defines.items():
            timed[function] = (slot, ("define", library, name))
        for (library, key), function in self._functions.items():
            timed[function] = (None, ("function", library, key))
        for key, (slot, function) in self._retrieve_functions.items():
            timed[function] = (slot, ("retrieve", "", self._retrieve_names[key]))
        return timed

    # ------------------------------------------------------------------------------------------ functions

    def define(self, library: str, name: str) -> tuple[int, str]:
        """The slot and the function of a define."""
        key = (library, name)
        found = self._defines.get(key)
        if found is None:
            slot = self._slot()
            found = self._defines[key] = (slot, f"define_{len(self._defines)}")
            expression = self.program.libraries[library].defines[name].expression
            name_of_it = found[1]
            self._texts[name_of_it] = []  # its place in the file: where it was first named
            self._pending.append(
                lambda: self._write(
                    name_of_it, "s", key, f"{library}: {name}", expression, {}, f"v = s[{slot}] = ", slot
                )
            )
        return found

    def function(self, library: str, key: str) -> str:
        """The Python function of one overload of a user-defined function."""
        found = self._functions.get((library, key))
        if found is None:
            found = self._functions[library, key] = f"function_{len(self._functions)}"
            function = self.program.libraries[library].functions[key]
            names = [f"x{number}" for number in range(len(function.operands))]
            if function.body is None:
                failure = literal(function.name, self.constants).text
                self._texts[found] = [f"    def {found}({', '.join(['s', *names])}):", f"        external({failure})"]
                return found
            environment = {
                ("operand", operand): Py(name, True, True)
                for (operand, _), name in zip(function.operands, names, strict=True)
            }
            parameters = ", ".join(["s", *names])
            written, body, remark = found, function.body, f"{library}: {key}"
            self._texts[written] = []
            self._pending.append(
                lambda: self._write(written, parameters, (library, key), remark, body, environment, "return ")
            )
        return found

    def _write_pending(self) -> None:
        while self._pending:
            self._pending.pop()()

    def context_for(self, row: ir.OperatorRow) -> str:
        """The name of the context for an operator: the factory's, but messages go to the session's own."""
        if row.name != "Message":
            return "C"
        self._emits = True
        return "s[3]"

    def part(self, node: ir.Expression, parameters: list[str], environment: Environment) -> str:
        """A function for an expression that stands too deep to be written in its place."""
        name = f"part_{self._parts}"
        self._parts += 1
        self._write(name, ", ".join(["s", *parameters]), self._current[-1], "", node, environment, "return ")
        return name

    def _write(
        self,
        name: str,
        parameters: str,
        owner: tuple[str, str],
        remark: str,
        expression: ir.Expression,
        environment: Environment,
        ending: str,
        slot: int | None = None,
    ) -> None:
        self._current.append(owner)
        writer = Writer()
        value = Expressions(self, writer, environment).value(expression)
        self._current.pop()
        text = [f"    def {name}({parameters}):{f'  {comment(remark)}' if remark else ''}"]
        if slot is not None:
            text += [f"        v = s[{slot}]", "        if v is not U:", "            return v"]
        text += writer.text(2)
        text.append(f"        {ending}{value.text}")
        if slot is not None:
            text.append("        return v")
        self._texts[name] = text

    # ------------------------------------------------------------------------------------------ retrieves

    def retrieve(self, node: ir.Retrieve) -> tuple[int, str]:
        """The slot and the function of a retrieve with static codes; equal retrieves share them."""
        codes = node.codes
        wanted = codes.value if isinstance(codes, ir.Constant) else codes
        key = (node.resource_type, node.code_path, repr(wanted), node.unfiltered)
        found = self._retrieve_functions.get(key)
        if found is None:
            slot = self._slot()
            name = f"retrieve_{len(self._retrieve_functions)}"
            found = self._retrieve_functions[key] = (slot, name)
            self._retrieve_names[key] = retrieve_name(node)
            self._texts[name] = self._retrieve_text(name, slot, node)
        return found

    def _retrieve_text(self, name: str, slot: int, node: ir.Retrieve) -> list[str]:
        resource_type = literal(node.resource_type, self.constants).text
        path = literal(node.code_path, self.constants).text
        port = "s[2]" if node.unfiltered else "s[0]"
        lines = [f"    def {name}(s):"]
        if node.codes is None:
            lines.append(f"        v = s[{slot}] = {port}({resource_type})")
        else:
            library, define = self._current[-1]
            codes = self.retrieves.name(StaticRetrieve(node, library, define), name)
            lines += [f"        if {codes}.__class__ is not frozenset:", f"            missing({codes})"]
            lines.append(f"        v = s[{slot}] = {port}({resource_type}, {path}, {codes})")
        return [*lines, "        s[1].append(v)", "        return v"]

    def gives_resources(self, node: ir.Expression) -> bool:
        """Are the elements of this list surely FHIR resources (JSON objects), never null?"""
        match node:
            case ir.Retrieve():
                return True
            case ir.ExpressionRef():
                return self.gives_resources(self.program.libraries[node.library].defines[node.name].expression)
            case ir.Query(returning=None, aggregate=None, singular=False, sources=(source,)):
                return isinstance(source.expression.type, ListOf) and self.gives_resources(source.expression)
            case _:
                return False

    def _slot(self) -> int:
        self._slots += 1
        return self._slots - 1
