"""A compiled library, and what an embedding program does with it: `compile_library`, `Library.prepare`, `.session`.

Parameters may be given by name (for the library and every include that declares the name) or, for one library alone,
as `Library.name`. Values are CQL values (`Interval`, `Date`, `DateTime`, Python's int, str, Decimal, bool, lists).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from cql_like import cache as compiled_files
from cql_like import ir, leaves
from cql_like.analysis import examine
from cql_like.compiler import Compiled
from cql_like.errors import CqlError, CqlErrors
from cql_like.model.loader import load_model
from cql_like.profile import Profile
from cql_like.reference import ReferenceEvaluator
from cql_like.retrieve import Retriever
from cql_like.runtime.context import EvaluationContext, Limits
from cql_like.runtime.values import Date, DateTime, Interval
from cql_like.session import Engine, Session, SessionFactory, UnknownName
from cql_like.syntax import read_library
from cql_like.terminology import Terminology
from cql_like.types import DECIMAL, LONG, IntervalOf, ListOf, Type


class WrongParameter(ValueError):
    """A parameter value of another type than the library declares, or a parameter it does not declare."""


@dataclass(frozen=True)
class Library:
    """A library with its includes, checked and ready to run. Make one with `compile_library`."""

    program: ir.Program
    _ready: Compiled | None = field(default=None, repr=False, compare=False)

    @property
    def _main(self) -> ir.Library:
        return self.program.libraries[self.program.main]

    @property
    def name(self) -> str | None:
        """The declared name; None for a library without a `library` line."""
        return self._main.name

    @property
    def version(self) -> str | None:
        """The declared version."""
        return self._main.version

    @property
    def defines(self) -> Mapping[str, ir.Define]:
        """The defines of the library itself (not of its includes), by name, in the order of the text."""
        return self._main.defines

    @property
    def parameters(self) -> Mapping[str, ir.Parameter]:
        """The parameters that the library itself declares, by name."""
        return self._main.parameters

    @property
    def requirements(self) -> tuple[ir.DataRequirement, ...]:
        """What it retrieves, includes and all: types, code paths, value sets, elements read."""
        return self.program.requirements

    @cached_property
    def compiled(self) -> Compiled:
        """The generated Python, made on first use."""
        return self._ready or Compiled.of(self.program)

    def prepare(
        self,
        parameters: Mapping[str, Any] | None = None,
        terminology: Terminology | None = None,
        now: datetime | DateTime | None = None,
        engine: Engine = "compiled",
        defines: Iterable[str] = (),
        limits: Limits | None = None,
        profile: Profile | None = None,
    ) -> SessionFactory:
        """What many sessions share: parameters checked, value sets expanded, functions linked.

        Args:
            parameters: values by parameter name; the others have their default, or null.
            terminology: where value sets come from; only needed if the library refers to some.
            now: the moment of the request, for `Now()`, `Today()`; its offset is the default offset.
            engine: "compiled", or "reference" for the tree-walking evaluator.
            defines: those that will be asked for. A value set that one of them may look into must be known now;
                the others fail when they are first looked into.
            limits: how much an evaluation may make and take; the defaults of `Limits` if left out.
            profile: adds up the time that each define, function and retrieve takes (compiled engine only).

        Raises:
            ValueError: a profile with the reference engine.
            WrongParameter: a parameter is not declared, or its value has another type.
            UnknownValueSet: see `defines`.
            UnknownName: one of `defines` is not declared.
        """
        return prepare_together([self], parameters, terminology, now, engine, defines, limits, profile)

    def session(
        self,
        record: Retriever,
        parameters: Mapping[str, Any] | None = None,
        terminology: Terminology | None = None,
        now: datetime | DateTime | None = None,
        engine: Engine = "compiled",
        population: Retriever | None = None,
        limits: Limits | None = None,
        profile: Profile | None = None,
    ) -> Session:
        """One evaluation for one record. For many records use `prepare` once and its `session` for each."""
        factory = self.prepare(parameters, terminology, now, engine, limits=limits, profile=profile)
        return factory.session(record, population)


def compile_library(
    text: str,
    libraries: Mapping[tuple[str, str | None], str] | None = None,
    models: Sequence[str | Path] = (),
    cache: Path | None = None,
) -> Library:
    """Checks a library with all that it includes.

    Args:
        text: the CQL text.
        libraries: texts of libraries that it may include, by (name, version).
        models: paths of ModelInfo XML files, besides the built-in models.
        cache: a folder of this user's own in which compiled libraries are kept between processes (`cql_like.cache`
            says what it must be); it is made if it is missing.

    Raises:
        CqlErrors: every problem of the library and its includes, with place and expectation.
    """
    if cache is None:
        return Library(_checked(text, libraries or {}, models))
    key = compiled_files.key_of(text, libraries or {}, models)
    kept = compiled_files.load(cache, key)
    if kept is not None:
        return Library(*kept)
    program = _checked(text, libraries or {}, models)
    compiled = Compiled.of(program)
    compiled_files.save(cache, key, program, compiled)
    return Library(program, compiled)


@dataclass(frozen=True, slots=True)
class CheckedLibrary:
    """What a check found. Where there are `errors`, `library` is as much of it as could be made out, or None.

    A type in it may not be known (`is_known`). `unread` are the names of defines whose text could not be read; None
    where anything may be among what could not.
    """

    library: Library | None
    errors: tuple[CqlError, ...]
    unread: frozenset[str] | None


def check_library(
    text: str,
    libraries: Mapping[tuple[str, str | None], str] | None = None,
    models: Sequence[str | Path] = (),
) -> CheckedLibrary:
    """Checks a library with all that it includes, and never raises `CqlErrors`: for programs that have more to say
    about a text with errors. Arguments are those of `compile_library`; a library that is not whole can't be run."""
    loaded = [load_model(path) for path in models]
    try:
        read = read_library(text)
    except CqlErrors as found:
        return CheckedLibrary(None, found.errors, None)
    if read.unread is None:  # a declaration is lost: without it the rest means nothing
        return CheckedLibrary(None, CqlErrors(read.errors).errors, None)
    found = examine(read.library, libraries, loaded, text)
    # What speaks of a define that could not be read is no mistake of its own.
    own = [one for one in found.errors if not any(f'"{name}"' in one.message for name in read.unread)]
    problems = [*read.errors, *own]
    library = None if found.program is None else Library(found.program)
    return CheckedLibrary(library, CqlErrors(problems).errors if problems else (), read.unread)


def _checked(text: str, libraries: Mapping[tuple[str, str | None], str], models: Sequence[str | Path]) -> ir.Program:
    checked = check_library(text, libraries, models)
    if checked.errors or checked.library is None:
        raise CqlErrors(checked.errors)
    return checked.library.program


def prepare_together(
    libraries: Sequence[Library],
    parameters: Mapping[str, Any] | None = None,
    terminology: Terminology | None = None,
    now: datetime | DateTime | None = None,
    engine: Engine = "compiled",
    defines: Iterable[str] = (),
    limits: Limits | None = None,
    profile: Profile | None = None,
) -> SessionFactory:
    """Prepares several libraries as one program, so that a session computes what they have in common only once.

    With one library its defines go by their own names; with several, each goes by `Library.define`, and so do the
    defines of included libraries. Arguments and errors are those of `Library.prepare`.

    Raises:
        ValueError: two of the libraries include different texts under one name and version.
    """
    first = libraries[0]
    program = first.program if len(libraries) == 1 else _merged([library.program for library in libraries])
    context = _context(now, terminology, limits or Limits())
    values = _parameter_values(program, parameters or {}, context)
    compiled = None
    if engine == "compiled":
        ready = len(libraries) == 1 and profile is None
        compiled = first.compiled if ready else Compiled.of(program, profiled=profile is not None)
    elif engine != "reference":
        raise ValueError(f'engine is {engine!r}: expected "compiled" or "reference"')
    elif profile is not None:
        raise ValueError('a profile times compiled functions: expected engine="compiled"')
    factory = SessionFactory.of(program, compiled, values, context, _names(program, len(libraries) == 1), profile)
    problems = factory.missing_value_sets(defines)
    if problems:
        raise problems[0]
    return factory


def _merged(programs: Sequence[ir.Program]) -> ir.Program:
    libraries: dict[str, ir.Library] = {}
    requirements: dict[ir.DataRequirement, None] = {}
    for program in programs:
        for key, library in program.libraries.items():
            if libraries.setdefault(key, library) != library:
                raise ValueError(f"library {key} stands for two different texts: prepare these libraries apart")
        requirements.update(dict.fromkeys(program.requirements))
    return ir.Program(programs[0].main, libraries, tuple(requirements))


def _names(program: ir.Program, single: bool) -> dict[str, tuple[str, str]]:
    names: dict[str, tuple[str, str]] = {}
    for library in program.libraries.values():
        for define in library.defines:
            names[f"{library.name or library.key}.{define}"] = (library.key, define)
    if single:
        names.update({define: (program.main, define) for define in program.libraries[program.main].defines})
    return names


def _context(now: datetime | DateTime | None, terminology: Terminology | None, limits: Limits) -> EvaluationContext:
    if isinstance(now, DateTime):
        return EvaluationContext(now=now, terminology=terminology, limits=limits, default_offset=now.offset or 0)
    return EvaluationContext.at(now, terminology=terminology, limits=limits)


# ------------------------------------------------------------------------------------------------- parameters


def _parameter_values(
    program: ir.Program, given: Mapping[str, Any], context: EvaluationContext
) -> dict[tuple[str, str], Any]:
    declared = {
        (library.key, name): parameter
        for library in program.libraries.values()
        for name, parameter in library.parameters.items()
    }
    values: dict[tuple[str, str], Any] = {}
    for name, value in given.items():
        owners = [key for key in declared if name in (key[1], f"{program.libraries[key[0]].name}.{key[1]}")]
        if not owners:
            names = ", ".join(sorted({f'"{declared_name}"' for _, declared_name in declared})) or "none"
            raise WrongParameter(f'no parameter is called "{name}"; library {program.main} has {names}')
        for key in owners:
            values[key] = _parameter(declared[key], value)
    # A qualified name says more than a plain one, whatever their order.
    for name, value in given.items():
        for key in declared:
            if name == f"{program.libraries[key[0]].name}.{key[1]}":
                values[key] = _parameter(declared[key], value)
    made = _Defaults(values, declared)
    made.evaluator = ReferenceEvaluator(program, made, context, _no_data)
    for key in declared:
        made[key]
    return dict(made)


class _Defaults(dict[tuple[str, str], Any]):
    """Parameter values; the default of one that is not given is computed when it is first asked for, which may be by
    the default of another."""

    evaluator: ReferenceEvaluator

    def __init__(self, given: Mapping[tuple[str, str], Any], declared: Mapping[tuple[str, str], ir.Parameter]) -> None:
        super().__init__(given)
        self._declared = declared
        self._open: list[tuple[str, str]] = []

    def __missing__(self, key: tuple[str, str]) -> Any:
        parameter = self._declared[key]
        if key in self._open:
            loop = " -> ".join(f'"{name}"' for _, name in [*self._open[self._open.index(key) :], key])
            raise WrongParameter(f"{parameter.span}: the default of a parameter depends on itself: {loop}")
        self._open.append(key)
        value = None if parameter.default is None else self.evaluator.expression(parameter.default)
        self._open.pop()
        self[key] = value
        return value


def _no_data(node: ir.Retrieve, wanted: Any) -> Sequence[Any]:
    raise WrongParameter(f"{node.span}: the default of a parameter can't retrieve [{node.resource_type}]")


def _parameter(parameter: ir.Parameter, value: Any) -> Any:
    made = _as_declared(value, parameter.type)
    if made is not None and not leaves.is_type(made, parameter.type):
        raise WrongParameter(
            f'parameter "{parameter.name}" is declared as {parameter.type}; the value given is a '
            f"{leaves.type_name(made)}{_point_of(made)}"
        )
    return made


def _point_of(value: Any) -> str:
    if not isinstance(value, Interval):
        return ""
    ends = sorted({leaves.type_name(end) for end in (value.low, value.high) if end is not None})
    return f" of {' and '.join(ends) or 'nulls'}"


def _as_declared(value: object, kind: Type) -> object:
    """The value as the declared type where that loses nothing: Python dates, and numbers of a narrower type."""
    if isinstance(value, datetime):
        return EvaluationContext.at(value).moment
    if isinstance(value, date):
        return Date(value.year, value.month, value.day)
    if type(value) is int and kind == LONG:
        return leaves.Long(value)
    if type(value) is int and kind == DECIMAL:
        return Decimal(value)
    if isinstance(value, Interval) and isinstance(kind, IntervalOf):
        low, high = _as_declared(value.low, kind.point), _as_declared(value.high, kind.point)
        return Interval(low, high, value.low_closed, value.high_closed, kind.point)
    if isinstance(kind, ListOf) and isinstance(value, list | tuple):
        return [_as_declared(item, kind.element) for item in cast("Sequence[object]", value)]
    return cast("object", value)


__all__ = ["Library", "UnknownName", "WrongParameter", "compile_library", "prepare_together"]
