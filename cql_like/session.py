"""Evaluating a prepared library for one record after the other.

`SessionFactory` holds all that does not depend on the record: parameter values, expanded value sets, the evaluation
context and (compiled) the linked functions. A `Session` is one record's evaluation: cheap to make, it remembers the
defines that were computed and the resources that were handed out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from cql_like import ir, leaves, walk
from cql_like.compiler import Compiled, Linked
from cql_like.profile import Profile
from cql_like.reference import ReferenceEvaluator
from cql_like.retrieve import JsonObject, Retriever
from cql_like.runtime.context import EmittedMessage, EvaluationContext
from cql_like.runtime.deadline import time_limit
from cql_like.runtime.errors import BudgetExceeded, CqlRuntimeError, LimitExceeded
from cql_like.terminology import ExpandedTerminology, UnknownValueSet
from cql_like.trace import Trace, Tracer

Engine = Literal["compiled", "reference"]


class UnknownName(LookupError):
    """A define or parameter that the library does not declare."""


@dataclass(frozen=True)
class SessionFactory:
    """A library with its parameters, terminology and moment. Make one with `Library.prepare`.

    `names`: for each define its library key and own name; `linked` is None with the reference engine. `calls`: the
    functions of the defines, where they may be called straight away (compiled, without a time limit).
    """

    program: ir.Program
    parameters: Mapping[tuple[str, str], Any]
    context: EvaluationContext
    names: Mapping[str, tuple[str, str]]
    linked: Linked | None
    calls: Mapping[str, Callable[[list[Any]], Any]] = field(default_factory=dict[str, Callable[[list[Any]], Any]])

    @staticmethod
    def of(
        program: ir.Program,
        compiled: Compiled | None,
        parameters: Mapping[tuple[str, str], Any],
        context: EvaluationContext,
        names: Mapping[str, tuple[str, str]],
        profile: Profile | None = None,
    ) -> "SessionFactory":
        """Links the compiled functions, if there are any, to the values."""

        def retrieve(slots: list[Any], node: ir.Retrieve, wanted: Any) -> Sequence[Any]:
            found = leaves.fetch(slots[2] if node.unfiltered else slots[0], node, wanted, context)
            slots[1].append(found)
            return found

        linked = None if compiled is None else compiled.link(parameters, context, retrieve, profile)
        untimed = linked is not None and context.limits.seconds is None
        calls = {name: linked.functions[key] for name, key in names.items()} if linked is not None and untimed else {}
        return SessionFactory(program, parameters, context, names, linked, calls)

    def session(self, record: Retriever, population: Retriever | None = None) -> "Session":
        """The evaluation of one record. `population` answers retrieves of the Unfiltered context."""
        return Session(self, record, population)

    def missing_value_sets(self, defines: Iterable[str]) -> tuple[UnknownValueSet, ...]:
        """The value sets that these defines may look into but the terminology lacks; each error says what needs it.

        Raises:
            UnknownName: a define is not declared.
        """
        reached = walk.reachable(self.program, [self.locate(name) for name in defines])
        wanted = {(node.url, node.version) for node in reached if isinstance(node, ir.ValueSetRef)}
        problems: list[UnknownValueSet] = []
        for url, version in sorted(wanted, key=str):
            try:
                (self.context.terminology or _NO_TERMINOLOGY).expand(url, version)
            except UnknownValueSet as error:
                problems.append(self.explained(error))
        return tuple(problems)

    def locate(self, define: str) -> tuple[str, str]:
        """The library key and name of a define.

        Raises:
            UnknownName: it is not declared.
        """
        found = self.names.get(define)
        if found is None:
            raise UnknownName(
                f"library {self.program.main} has no define {define!r}; it has {_listed(sorted(self.names))}"
            )
        return found

    def explained(self, error: UnknownValueSet) -> UnknownValueSet:
        """The error with the libraries and defines that use the value set."""
        users: list[str] = []
        for library in self.program.libraries.values():
            for name, body in walk.bodies(library):
                for node in walk.walk(body):
                    if isinstance(node, ir.ValueSetRef) and node.url == error.url:
                        users.append(f'{library.key}."{name}" ("{node.name}")')
                        break
        note = f"; it is needed by {_listed(users)}" if users else ""
        if note and note not in str(error):
            error.args = (f"{error}{note}",)
        return error


_NO_TERMINOLOGY = ExpandedTerminology.of(())


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:12]) or "none"
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown


def no_population(resource_type: str, code_path: str | None = None, codes: object = None) -> Sequence[JsonObject]:
    """What a retrieve of the Unfiltered context meets where the session was given no population.

    Raises:
        CqlRuntimeError: always.
    """
    raise CqlRuntimeError(
        f"[{resource_type}] in the Unfiltered context asks for the data of all patients: give the session `population=`"
    )


class Session:
    """One record's evaluation. Defines are computed when asked for, once."""

    __slots__ = ("_factory", "_messages", "_population", "_record", "_reference", "_slots")

    def __init__(self, factory: SessionFactory, record: Retriever, population: Retriever | None = None) -> None:
        self._factory = factory
        self._record = record
        self._population = population
        self._reference: ReferenceEvaluator | None = None
        self._slots: list[Any] = []
        emits = factory.linked is None or factory.linked.emits
        self._messages = replace(factory.context, messages=[]) if emits else factory.context
        if factory.linked is not None:
            slots = self._slots = factory.linked.template.copy()
            slots[0] = record.retrieve
            slots[1] = []
            slots[2] = no_population if population is None else population.retrieve
            slots[3] = self._messages

    def evaluate(self, define: str) -> Any:
        """The value of a define of the main library; of an included one by `Library.define`.

        Raises:
            UnknownName: there is no such define.
            UnknownValueSet: a value set that it needs is not known; the message says who needs it.
            CqlRuntimeError: the logic itself ends in an error; the message begins with the place in the source.
            LimitExceeded: (a CqlRuntimeError) it would pass one of the limits that the session was prepared with.
        """
        factory = self._factory
        call = factory.calls.get(define)
        try:
            if call is not None:
                return call(self._slots)
            key = factory.locate(define)
            return self._evaluate(key) if factory.context.limits.seconds is None else self._in_time(key)
        except UnknownValueSet as error:
            raise factory.explained(error) from None
        except BudgetExceeded:
            raise  # to look for the place would take as long again
        except CqlRuntimeError as error:
            self._place(error, factory.locate(define))
            raise
        except (RecursionError, MemoryError) as error:
            raise _too_large(error) from None

    def _evaluate(self, key: tuple[str, str]) -> Any:
        linked = self._factory.linked
        return self._walker().evaluate(*key) if linked is None else linked.functions[key](self._slots)

    def _in_time(self, key: tuple[str, str]) -> Any:
        with time_limit(self._factory.context.limits.seconds):
            return self._evaluate(key)

    def trace(self, define: str) -> Trace:
        """The value of a define with, for each clause, its value, place in the source and deciding resources.

        Evaluated anew by the reference evaluator, whatever the engine of the session. Raises as `evaluate` does.
        """
        library, name = self._factory.locate(define)
        tracer = Tracer()
        try:
            with time_limit(self._factory.context.limits.seconds):
                value = self._tracing(tracer).evaluate(library, name)
        except UnknownValueSet as error:
            raise self._factory.explained(error) from None
        except CqlRuntimeError as error:
            _say_where(error, tracer)
            raise
        except (RecursionError, MemoryError) as error:
            raise _too_large(error) from None
        return Trace(library, name, value, tracer.last)

    @property
    def retrieved(self) -> tuple[JsonObject, ...]:
        """The resources that were handed out so far, each once, in order."""
        handed: Iterator[Sequence[JsonObject]] = iter(self._slots[1] if self._factory.linked else self._slots)
        unique: dict[int, JsonObject] = {}
        for resources in handed:
            for resource in resources:
                unique.setdefault(id(resource), resource)
        return tuple(unique.values())

    @property
    def messages(self) -> tuple[EmittedMessage, ...]:
        """What `Message` emitted in this session so far."""
        return tuple(self._messages.messages)

    def _walker(self) -> ReferenceEvaluator:
        if self._reference is None:
            factory = self._factory
            self._reference = ReferenceEvaluator(factory.program, factory.parameters, self._messages, self._retrieve)
        return self._reference

    def _tracing(self, tracer: Tracer) -> ReferenceEvaluator:
        """An evaluator that traces; what it looks at and what it emits are not this session's."""
        factory = self._factory
        context = replace(factory.context, messages=[])
        return ReferenceEvaluator(factory.program, factory.parameters, context, self._looked_up, tracer)

    def _place(self, error: CqlRuntimeError, key: tuple[str, str]) -> None:
        """Puts the place of the clause that failed before the message, by evaluating once more with a trace."""
        tracer = Tracer()
        try:
            with time_limit(self._factory.context.limits.seconds):
                self._tracing(tracer).evaluate(*key)
        except CqlRuntimeError as again:
            if str(again) == str(error):
                _say_where(error, tracer)
        except (RecursionError, MemoryError):  # the trace needs more room than the evaluation: no place, then
            return

    def _retrieve(self, node: ir.Retrieve, wanted: Any) -> Sequence[Any]:
        found = self._looked_up(node, wanted)
        self._slots.append(found)
        return found

    def _looked_up(self, node: ir.Retrieve, wanted: Any) -> Sequence[Any]:
        port = self._record.retrieve
        if node.unfiltered:
            port = no_population if self._population is None else self._population.retrieve
        return leaves.fetch(port, node, wanted, self._factory.context)


def _too_large(error: RecursionError | MemoryError) -> LimitExceeded:
    what = "nested too deeply" if isinstance(error, RecursionError) else "too large for the memory that there is"
    return LimitExceeded(f"a value is {what}")


def _say_where(error: CqlRuntimeError, tracer: Tracer) -> None:
    if tracer.failed is not None:
        error.args = (f"{tracer.failed}: {error}",)


@dataclass(frozen=True, slots=True)
class EmptyRecord:
    """A record that holds nothing: for expressions that ask for no data."""

    resources: tuple[JsonObject, ...] = field(default=())

    def retrieve(self, resource_type: str, code_path: str | None = None, codes: object = None) -> Sequence[JsonObject]:
        """See cql_like.retrieve.Retriever."""
        return self.resources
