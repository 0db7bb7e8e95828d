"""Typed IR -> Python source -> functions. The fast evaluator; `cql_like.reference` says what it must compute.

`generate` makes the source (a value that could be kept on disk under the hash of the libraries), `Compiled` runs it:
`link` binds it to parameter values, expanded value sets and the evaluation context, once for many sessions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, NoReturn

from cql_like import ir, leaves
from cql_like.compiler.expressions import SUPPORT
from cql_like.compiler.unit import Source, StaticRetrieve, Unit
from cql_like.profile import Profile
from cql_like.runtime.context import EvaluationContext
from cql_like.terminology import UnknownValueSet

UNSET: Any = object()


def generate(program: ir.Program, *, profiled: bool = False) -> Source:
    """The Python source of a program; `profiled`: its functions can be timed by a Profile."""
    return Unit(program, profiled=profiled).source()


@dataclass(frozen=True)
class Compiled:
    """A program's functions, not yet bound to parameters and terminology."""

    source: Source
    code: CodeType

    @staticmethod
    def of(program: ir.Program, *, profiled: bool = False) -> "Compiled":
        """Compiles a program; `profiled`: so that `link` can be given a Profile."""
        source = generate(program, profiled=profiled)
        module = compile(source.text, "<compiled CQL>", "exec", dont_inherit=True)
        return Compiled(source, module)

    def link(
        self,
        parameters: Mapping[tuple[str, str], Any],
        context: EvaluationContext,
        retrieve: "Callable[[list[Any], ir.Retrieve, Any], Sequence[Any]]",
        profile: Profile | None = None,
    ) -> "Linked":
        """The functions bound to parameter values and value sets.

        A value set that is not known does not fail here but in the retrieve that needs it.
        """
        source = self.source
        namespace: dict[str, Any] = {
            "__builtins__": {
                "len": len,
                "int": int,
                "str": str,
                "bool": bool,
                "dict": dict,
                "list": list,
                "frozenset": frozenset,
            }
        }
        exec(self.code, namespace)  # noqa: S102 (only text made by `generate`)
        codes = tuple(_codes(static, context) for static in source.retrieves)
        support: dict[str, Any] = {**SUPPORT, "retrieve": retrieve, "missing": _missing}
        if source.timed:
            support["timed"] = (profile or Profile()).timing(source.timed, UNSET)
        functions = namespace["link"](
            source.constants,
            source.implementations,
            tuple(parameters[key] for key in source.parameters),
            codes,
            context,
            UNSET,
            support,
        )
        template = [UNSET] * source.slots
        return Linked({key: functions[place] for key, place in source.defines.items()}, template, source.emits)


@dataclass(frozen=True, slots=True)
class Linked:
    """Functions by (library key, define name), each called with a session's slots.

    `template`: the slots of a new session. `emits`: does any function call `Message`?
    """

    functions: Mapping[tuple[str, str], Callable[[list[Any]], Any]]
    template: list[Any]
    emits: bool


def _codes(static: StaticRetrieve, context: EvaluationContext) -> Any:
    """The codes of a static retrieve, or the error to raise when it is used."""
    codes = static.node.codes
    wanted = leaves.value_set(codes) if isinstance(codes, ir.ValueSetRef) else getattr(codes, "value", None)
    try:
        return leaves.code_keys(wanted, context)
    except UnknownValueSet as error:
        return error


def _missing(error: UnknownValueSet) -> NoReturn:
    raise error
