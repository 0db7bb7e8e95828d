"""One library under analysis: its declarations, found by name and analysed when first needed (CQL §Libraries).

Order of declarations means nothing in CQL. A define that is needed while it is being analysed depends on itself,
which is an error that names the loop. `LibraryUnit.analyse_all` works bottom-up, so that a long chain of defines does
not become a deep chain of Python calls.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar, cast

from cql_like.analysis.calls import FunctionCandidate
from cql_like.analysis.context import Context, Services
from cql_like.analysis.members import member_of
from cql_like.analysis.order import bottom_up
from cql_like.analysis.problems import UNKNOWN, Problems, broken, did_you_mean
from cql_like.ir import (
    CodeSystemRef,
    Constant,
    Define,
    Expression,
    ExpressionRef,
    Function,
    Library,
    OperandRef,
    Parameter,
    ParameterRef,
    Retrieve,
    Span,
    ValueSetRef,
)
from cql_like.model.modelinfo import Model
from cql_like.runtime.values import Code, Concept
from cql_like.syntax import tree
from cql_like.types import ANY, CODE, CODESYSTEM, CONCEPT, VALUESET, ChoiceOf, IntervalOf, ListOf, Named, TupleOf, Type

DEFAULT_CONTEXT = "Patient"
Result = TypeVar("Result")
Declared = (
    tree.ExpressionDefinition
    | tree.ParameterDefinition
    | tree.ValuesetDefinition
    | tree.CodesystemDefinition
    | tree.CodeDefinition
    | tree.ConceptDefinition
)


@dataclass
class FunctionEntry:
    """One overload of a function: its declaration, operand types and, once analysed, its IR."""

    declaration: tree.FunctionDefinition
    key: str
    operands: tuple[tuple[str, Type], ...]
    returns: Type | None
    function: Function | None = None


@dataclass
class LibraryUnit:
    """A library while it is analysed. `includes` maps local names to the included units; `models` local names to the
    models of its `using` lines; `stack` (shared by the program) holds what is being analysed, to find loops."""

    key: str
    source: tree.Library
    problems: Problems
    includes: dict[str, "LibraryUnit"]
    models: dict[str, Model]
    stack: list[tuple[str, str]]
    broken_includes: set[str] = field(default_factory=set[str])
    services: Services = field(init=False)
    _declared: dict[str, Declared] = field(default_factory=dict[str, Declared])
    _functions: dict[str, list[FunctionEntry]] = field(default_factory=dict[str, list[FunctionEntry]])
    _contexts: dict[str, tree.ContextDefinition] = field(default_factory=dict[str, tree.ContextDefinition])
    _defines: dict[str, Define] = field(default_factory=dict[str, Define])
    _parameters: dict[str, Parameter] = field(default_factory=dict[str, Parameter])

    # --------------------------------------------------------------------------------------- declarations

    def declare(self, services: Services) -> None:
        """Enter all declarations under their names, before any is analysed."""
        self.services = services
        for definition in self.source.definitions:
            if not isinstance(definition, tree.UsingDefinition | tree.IncludeDefinition):
                self._enter(definition)
        for statement in self.source.statements:
            if isinstance(statement, tree.ContextDefinition):
                self._contexts.setdefault(statement.name, statement)
            elif isinstance(statement, tree.FunctionDefinition):
                self._enter_function(statement)
            else:
                self._enter(statement)

    def _enter(self, declaration: Declared) -> None:
        if declaration.name in self._declared or declaration.name in self.includes:
            self.problems.report(declaration.span, f'"{declaration.name}" is declared twice', "a name of its own")
        else:
            self._declared[declaration.name] = declaration

    def _enter_function(self, declaration: tree.FunctionDefinition) -> None:
        operands = tuple((operand.name, self.resolve_type(operand.type)) for operand in declaration.operands)
        if len({name for name, _ in operands}) < len(operands):
            self.problems.report(declaration.span, f'function "{declaration.name}" has two operands of one name')
        key = f"{declaration.name}({', '.join(str(kind) for _, kind in operands)})"
        returns = None if declaration.returns is None else self.resolve_type(declaration.returns)
        overloads = self._functions.setdefault(declaration.name, [])
        if any(entry.key == key for entry in overloads):
            self.problems.report(declaration.span, f"{key} is declared twice", "other operand types")
        else:
            overloads.append(FunctionEntry(declaration, key, operands, returns))

    def declared_names(self) -> Iterable[str]:
        """The names that an expression of this library may use, for suggestions."""
        return [*self._declared, *self._contexts]

    # ----------------------------------------------------------------------------------------------- types

    @property
    def default_model(self) -> str | None:
        """The model of unqualified type names: the first that the library uses, besides System."""
        return next((model.name for model in self.models.values() if model.name != "System"), None)

    def resolve_type(self, node: tree.TypeSpecifier) -> Type:
        """The type that a specifier names; an unknown name is a problem."""
        if isinstance(node, tree.ListType):
            return _wrap(ListOf, self.resolve_type(node.element))
        if isinstance(node, tree.IntervalType):
            return _wrap(IntervalOf, self.resolve_type(node.point))
        if isinstance(node, tree.TupleType):
            elements = {element.name: self.resolve_type(element.type) for element in node.elements}
            return UNKNOWN if UNKNOWN in elements.values() else TupleOf(tuple(sorted(elements.items())))
        if isinstance(node, tree.ChoiceType):
            alternatives: set[Type] = set()
            for part in node.alternatives:
                kind = self.resolve_type(part)
                alternatives |= kind.alternatives if isinstance(kind, ChoiceOf) else {kind}
            if UNKNOWN in alternatives:
                return UNKNOWN
            return next(iter(alternatives)) if len(alternatives) == 1 else ChoiceOf(frozenset(alternatives))
        return self._named_type(node)

    def _named_type(self, node: tree.NamedType) -> Type:
        models = self.services.models
        first = node.parts[0]
        if len(node.parts) > 1 and (first == "System" or first in self.models):
            model = "System" if first == "System" else self.models[first].name
            name = ".".join(node.parts[1:])
            found = models.resolve(model, name, None)
        else:
            name = ".".join(node.parts)
            found = models.resolve(None, name, self.default_model)
        if found is not None and (
            found.model == "System" or found.model in {item.name for item in self.models.values()}
        ):
            return found
        known = [*models.models["System"].classes]
        for model in self.models.values():
            known += model.classes
        hint = did_you_mean(name, known)
        if hint is None and self.default_model is None:
            hint = "a System type; the library has no using line for a data model"
        self.problems.report(node.span, f'no type is named "{".".join(node.parts)}"', hint)
        return UNKNOWN

    # ----------------------------------------------------------------------------------------------- names

    def declaration(self, name: str, span: Span) -> Expression | None:
        """What a name of this library stands for; None if it declares none."""
        declared = self._declared.get(name)
        if declared is None:
            if name in self._contexts:
                kind = self._context_type(self._contexts[name])
                return (
                    broken(span) if kind is None else ExpressionRef(type=kind, span=span, library=self.key, name=name)
                )
            return None
        if isinstance(declared, tree.ExpressionDefinition):
            kind = self.define(name, span)
            return broken(span) if kind == UNKNOWN else ExpressionRef(type=kind, span=span, library=self.key, name=name)
        if isinstance(declared, tree.ParameterDefinition):
            kind = self._parameter(declared).type
            return broken(span) if kind == UNKNOWN else ParameterRef(type=kind, span=span, library=self.key, name=name)
        if isinstance(declared, tree.ValuesetDefinition):
            return ValueSetRef(
                type=VALUESET, span=span, library=self.key, name=name, url=declared.id, version=declared.version
            )
        if isinstance(declared, tree.CodesystemDefinition):
            return CodeSystemRef(
                type=CODESYSTEM, span=span, library=self.key, name=name, url=declared.id, version=declared.version
            )
        if isinstance(declared, tree.CodeDefinition):
            return Constant(type=CODE, span=span, value=self._code(declared))
        return Constant(type=CONCEPT, span=span, value=self._concept(declared))

    def included_declaration(self, included: "LibraryUnit", name: str, span: Span) -> Expression:
        """`Library.name`, if it is there and public."""
        declared = included._declared.get(name)
        if declared is not None and not declared.public:
            self.problems.report(span, f'"{name}" is private to {included.key}', "a public definition")
            return broken(span)
        found = included.declaration(name, span)
        if found is not None:
            return found
        if included._functions.get(name):
            self.problems.report(span, f'"{name}" is a function of {included.key}', "operands in parentheses")
            return broken(span)
        hint = did_you_mean(name, included.declared_names())
        self.problems.report(span, f'library {included.key} has no "{name}"', hint)
        return broken(span)

    def _qualified(self, name: tree.QualifiedName, what: str) -> "tuple[LibraryUnit, Declared] | None":
        """The terminology declaration that a qualified name means."""
        unit: LibraryUnit = self
        if name.qualifier is not None:
            if name.qualifier in self.broken_includes:
                return None
            if name.qualifier not in self.includes:
                hint = did_you_mean(name.qualifier, self.includes)
                self.problems.report(name.span, f'no library is included as "{name.qualifier}"', hint)
                return None
            unit = self.includes[name.qualifier]
        declared = unit._declared.get(name.name)
        if declared is None or (unit is not self and not declared.public):
            hint = did_you_mean(name.name, unit._declared)
            self.problems.report(name.span, f'no {what} is declared as "{name.name}"', hint)
            return None
        return unit, declared

    def code_system(self, name: tree.QualifiedName) -> tuple[str, str | None] | None:
        """(URL, version) of a declared code system; None, with a problem, if there is none."""
        found = self._qualified(name, "code system")
        if found is None:
            return None
        if not isinstance(found[1], tree.CodesystemDefinition):
            self.problems.report(name.span, f'"{name.name}" is no code system', "a codesystem definition")
            return None
        return found[1].id, found[1].version

    def _code(self, declared: tree.CodeDefinition) -> Code:
        system = self.code_system(declared.system)
        if system is None:
            return Code(declared.id, None, None, declared.display)
        return Code(declared.id, system[0], system[1], declared.display)

    def _concept(self, declared: tree.ConceptDefinition) -> Concept:
        codes: list[Code] = []
        for name in declared.codes:
            found = self._qualified(name, "code")
            if found is not None and isinstance(found[1], tree.CodeDefinition):
                codes.append(found[0]._code(found[1]))
            elif found is not None:
                self.problems.report(name.span, f'"{name.name}" is no code', "a code definition")
        return Concept(tuple(codes), declared.display)

    # ------------------------------------------------------------------------------------------- functions

    def functions_named(self, name: str, *, public: bool = False) -> list[FunctionCandidate]:
        """The overloads of a function of this library; `public`: only those that other libraries may call."""
        entries = self._functions.get(name, ())
        return [self._candidate(entry) for entry in entries if entry.declaration.public or not public]

    def fluent_functions(self, name: str) -> list[FunctionCandidate]:
        """The fluent functions of that name: this library's, and the public ones of those it includes."""
        units = [self, *self.includes.values()]
        return [
            unit._candidate(entry)
            for unit in units
            for entry in unit._functions.get(name, ())
            if entry.declaration.fluent and (unit is self or entry.declaration.public)
        ]

    def function_names(self) -> list[str]:
        """For suggestions."""
        return list(self._functions)

    def fluent_names(self) -> list[str]:
        """For suggestions."""
        return [
            name
            for unit in (self, *self.includes.values())
            for name, entries in unit._functions.items()
            if any(entry.declaration.fluent for entry in entries)
        ]

    def _candidate(self, entry: FunctionEntry) -> FunctionCandidate:
        def result(span: Span) -> Type:
            return self._function(entry, span).result

        kinds = tuple(kind for _, kind in entry.operands)
        return FunctionCandidate(self.key, entry.key, kinds, result, entry.declaration.body is None)

    def _function(self, entry: FunctionEntry, span: Span) -> Function:
        """The analysed function; a call of a function within itself is a problem."""
        if entry.function is not None:
            return entry.function
        declaration = entry.declaration

        def analyse() -> Function:
            context = self._context(declaration.context)
            context = context.bind(
                {name: OperandRef(type=kind, span=declaration.span, name=name) for name, kind in entry.operands}
            )
            body: Expression | None = None
            if declaration.body is not None:
                body = context.analyse(declaration.body)
                result = body.type
                if entry.returns is not None:
                    what = f'function "{declaration.name}"'
                    body = context.coerce(body, entry.returns, declaration.body.span, what)
                    result = entry.returns
            else:
                result = ANY if entry.returns is None else entry.returns
            return Function(
                entry.key, declaration.name, entry.operands, result, body, declaration.fluent, declaration.span
            )

        function = self._once(entry.key, span, analyse)
        if function is None:
            return Function(entry.key, declaration.name, entry.operands, UNKNOWN, None, False, declaration.span)
        entry.function = function
        return function

    # --------------------------------------------------------------------------------- defines, parameters

    def define(self, name: str, span: Span) -> Type:
        """The type of a define, analysed now if it has not been."""
        known = self._defines.get(name)
        if known is not None:
            return known.expression.type
        declared = cast(tree.ExpressionDefinition, self._declared[name])

        def analyse() -> Define:
            expression = self._context(declared.context).analyse(declared.expression)
            context = declared.context or DEFAULT_CONTEXT
            return Define(name, context, expression, declared.public, declared.span)

        define = self._once(name, span, analyse)
        if define is None:
            return UNKNOWN
        self._defines[name] = define
        return define.expression.type

    def _once(self, name: str, span: Span, analyse: Callable[[], Result]) -> Result | None:
        """Analyse a define or function; None, with a problem, if that is under way already: it needs itself."""
        here = (self.key, name)
        if here in self.stack:
            loop = self.stack[self.stack.index(here) :]
            path = " -> ".join(f'"{step}"' if key == self.key else f'{key}."{step}"' for key, step in [*loop, here])
            self.problems.report(span, f"a definition depends on itself: {path}", "a definition without the loop")
            return None
        self.stack.append(here)
        try:
            return analyse()
        finally:
            self.stack.pop()

    def _parameter(self, declared: tree.ParameterDefinition) -> Parameter:
        known = self._parameters.get(declared.name)
        if known is not None:
            return known
        kind = UNKNOWN if declared.type is None else self.resolve_type(declared.type)
        default: Expression | None = None
        if declared.default is not None:
            self._parameters[declared.name] = Parameter(declared.name, kind, None, declared.span)  # ends a loop
            context = self._context(None)
            default = context.analyse(declared.default)
            if declared.type is None:
                kind = default.type
            elif kind != UNKNOWN:
                default = context.coerce(
                    default, kind, declared.default.span, f'the default of parameter "{declared.name}"'
                )
        elif declared.type is None:
            self.problems.report(declared.span, f'parameter "{declared.name}" has no type', "a type or a default")
        parameter = self._parameters[declared.name] = Parameter(declared.name, kind, default, declared.span)
        return parameter

    def _context(self, name: str | None) -> Context:
        return Context(unit=self, services=self.services, context_name=name or DEFAULT_CONTEXT)

    # ------------------------------------------------------------------------------------------- contexts

    def _context_type(self, statement: tree.ContextDefinition) -> Type | None:
        """The class of a context's subject; None where it has none (Unfiltered) or it is not known."""
        model = self.models.get(statement.model) if statement.model else self.models.get(self._default_alias() or "")
        if model is None:
            return None
        class_name = dict(model.contexts).get(statement.name)
        return None if class_name is None else Named(model.name, class_name)

    def _default_alias(self) -> str | None:
        return next((alias for alias, model in self.models.items() if model.name != "System"), None)

    def _context_define(self, statement: tree.ContextDefinition) -> Define | None:
        """The define that a context statement makes: the subject's own resource (CQL §Context)."""
        kind = self._context_type(statement)
        if not isinstance(kind, Named):
            if statement.name not in ("Unfiltered", "Population", "Patient"):
                known = [name for model in self.models.values() for name, _ in model.contexts] + ["Unfiltered"]
                hint = did_you_mean(statement.name, known) or ", ".join(sorted(set(known)))
                self.problems.report(statement.span, f'no context is named "{statement.name}"', hint)
            return None
        retrieve = Retrieve(
            type=ListOf(kind),
            span=statement.span,
            resource_type=self.services.models.implementing(kind).name,
            code_path=None,
            codes=None,
            comparator="in",
            unfiltered=False,
        )
        expression = self._context(statement.name).apply("SingletonFrom", [retrieve], statement.span)
        return Define(statement.name, statement.name, expression, True, statement.span)

    def birth_date(self, span: Span, context: Context) -> Expression:
        """The birth date of the patient, for `AgeInYears()`."""
        for model in self.models.values():
            statement = self._contexts.get("Patient")
            if statement is not None and model.birth_date is not None:
                expression = self.declaration("Patient", span) or broken(span)
                for step in model.birth_date.split("."):
                    expression = member_of(expression, step, span, context)
                return expression
        return context.problem(
            span, "the age of the patient is not known here", "using a data model, and context Patient"
        )

    # ------------------------------------------------------------------------------------------- the whole

    def analyse_all(self) -> Library:
        """Analyse everything that the library declares."""
        for declared in self._declared.values():
            if isinstance(declared, tree.ParameterDefinition):
                self._parameter(declared)
            elif not isinstance(declared, tree.ExpressionDefinition):
                self.declaration(declared.name, declared.span)
        for statement in self._contexts.values():
            if statement.name not in self._declared:
                define = self._context_define(statement)
                if define is not None:
                    self._defines[statement.name] = define
        for name in bottom_up(self.source.statements):
            if isinstance(self._declared.get(name), tree.ExpressionDefinition):
                self.define(name, self._declared[name].span)
            for entry in self._functions.get(name, ()):
                self._function(entry, entry.declaration.span)
        order = {declared: position for position, declared in enumerate([*self._contexts, *self._declared])}
        defines = dict(sorted(self._defines.items(), key=lambda item: order.get(item[0], 0)))
        functions = [entry for entries in self._functions.values() for entry in entries]
        name = self.source.name
        return Library(
            key=self.key,
            name=None if name is None else ".".join(name.name.parts),
            version=None if name is None else name.version,
            parameters=dict(self._parameters),
            defines=defines,
            functions={entry.key: entry.function for entry in functions if entry.function is not None},
        )


def _wrap(make: Callable[[Type], Type], kind: Type) -> Type:
    return UNKNOWN if kind == UNKNOWN else make(kind)
