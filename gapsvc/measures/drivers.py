"""A brought measure's criteria against its library: do the defines exist, are they of the right types, who calls the
functions.

Criteria name defines of the measure's library; observations and stratifiers may name functions of one member instead
(Using CQL with FHIR, Quality Measure IG "Measure Observation"). A function is called by a define of ours, a *driver*,
added to the library's text: `define "$driver 1": "Encounters" M return all Tuple { member: M, value: "Hours"(M) }`.
So is an expression that stands in the Measure itself. Drivers go through the whole check like all other CQL.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Final

import cql_like
from cql_like import ir, walk
from cql_like.model.loader import built_in, built_in_versions
from cql_like.model.registry import Models
from cql_like.syntax import parse_expression, read_library
from cql_like.types import (
    ANY,
    BOOLEAN,
    CONCEPT,
    DATE,
    DATETIME,
    DECIMAL,
    INTEGER,
    LONG,
    QUANTITY,
    STRING,
    ChoiceOf,
    IntervalOf,
    ListOf,
    Named,
    TupleOf,
    Type,
)
from gapsvc.measures.definition import Group, Requirement

PERIOD: Final = "Measurement Period"
BOOLEAN_BASIS: Final = "boolean"
_DRIVER: Final = "$driver "
_NUMBERS: Final = frozenset({INTEGER, LONG, DECIMAL, QUANTITY, ANY})
_FHIR_NUMBERS: Final = frozenset({"integer", "positiveInt", "unsignedInt", "decimal", "Quantity", "SimpleQuantity"})
# The gap defines that a library may have (docs/gaps.md) and their types; a list's are its elements' names.
GAP_TYPES: Final[Mapping[str, Type | tuple[str, ...]]] = MappingProxyType(
    {
        "Gap Need": CONCEPT,
        "Gap Needed": INTEGER,
        "Gap Done": INTEGER,
        "Gap Due From": DATE,
        "Gap Due By": DATE,
        "Gap Last Day": DATE,
        "Gap Changes On": DATE,
        "Gap Outlook": STRING,
        "Gap Exclusion": STRING,
        "Gap Counted": ("onDay", "resource"),
        "Gap Discounted": ("onDay", "reason", "resource"),
    }
)


@dataclass(slots=True)
class Drivers:
    """The drivers of one measure while it is checked, and the problems met. Names are the caller's."""

    cql: str
    libraries: Mapping[tuple[str, str | None], str]
    problems: list[str] = field(default_factory=list[str])
    _lines: list[str] = field(default_factory=list[str])
    _expressions: dict[str, str] = field(default_factory=dict[str, str])
    _checked: cql_like.CheckedLibrary | None = None
    _declared: frozenset[str] | None = None

    @property
    def text(self) -> str:
        """What is to be added to the library's text."""
        lines = ("\n", "// added by gapsvc", "context Patient", *self._lines)
        return "\n".join(lines) + "\n" if self._lines else ""

    @property
    def library(self) -> cql_like.Library:
        """The library: once `compile` has found it right, whole; before, as much as could be made out of it."""
        if self._checked is None or self._checked.library is None:
            raise ValueError("compile the library first")
        return self._checked.library

    @property
    def made_out(self) -> bool:
        """Whether anything could be made out of the library: criteria can be held against what there is."""
        return self._checked is not None and self._checked.library is not None

    def names(self, text: str) -> bool:
        """Whether a text is the name of a define (or function) of the library, quotes or not.

        Of a library that can't be read, what stands in its text may be one; without a text anything may.
        """
        if not self.cql:
            return True
        if self._declared is None:
            try:
                read = read_library(self.cql)
            except cql_like.CqlErrors:  # said when the library is compiled
                return text in self.cql
            if read.unread is None:
                return text in self.cql
            declared = {str(getattr(statement, "name", "")) for statement in read.library.statements}
            self._declared = frozenset(declared | read.unread)
        return text in self._declared

    def lacks(self, define: str) -> bool:
        """Whether the library surely has no define (or function) of that name, whatever else is wrong with it."""
        if self.made_out and define in self.library.defines:
            return False
        return not define.startswith(_DRIVER) and not self.names(define)

    def expression(self, text: str, where: str) -> str | None:
        """The name of a define for an expression that stands in the Measure; None, with a problem, if it is wrong."""
        if text not in self._expressions:
            try:
                parse_expression(text)
            except cql_like.CqlErrors as errors:
                self.problems.append(f"{where}: the expression is no CQL: {errors}")
                return None
            self._expressions[text] = self._add(text)
        return self._expressions[text]

    def compile(self, where: str) -> bool:
        """Check the library with all drivers so far; what is wrong becomes problems, each once."""
        self._checked = cql_like.check_library(self.cql + self.text, libraries=self.libraries)
        found = (f"{where}: {error}" for error in self._checked.errors)
        self.problems.extend(problem for problem in found if problem not in self.problems)
        return not self._checked.errors

    # ------------------------------------------------------------------------------------------ criteria

    def population(self, define: str, basis: str, where: str) -> None:
        """A population's define: Boolean, or a list of resources of the basis."""
        kind = self._type_of(define, where)
        if kind is None:
            return
        if basis == BOOLEAN_BASIS:
            # FHIR.boolean is a JSON boolean too
            if kind != BOOLEAN and not (isinstance(kind, Named) and kind.name == "boolean"):
                self.problems.append(
                    f'{where}: define "{define}" is a {kind}; the population basis boolean asks for a Boolean'
                )
        elif not is_list_of(kind, basis):
            self.problems.append(
                f'{where}: define "{define}" is a {kind}; the population basis asks for a List<{basis}>'
            )

    def observation(self, name: str, population: str | None, basis: str, where: str) -> str:
        """The define that gives an observation's values: of the person, or of each member of a population's define."""
        if not self._readable(name) and not (self.made_out and self.lacks(name)):
            self._type_of(name, where)
            return name
        functions = self._functions(name)
        wanted = 0 if basis == BOOLEAN_BASIS else 1
        overload = next((one for one in functions if len(one.operands) == wanted), None)
        if overload is None:
            if wanted == 0 and name in self.library.defines:
                self._number(self.library.defines[name].expression.type, f'define "{name}"', where)
                return name
            asked = "function without operands" if wanted == 0 else f"function of one {basis}"
            found = "a define" if name in self.library.defines else f"{len(functions)} of other operands"
            self.problems.append(f'{where}: the library has no {asked} "{name}" (by that name it has {found})')
            return name
        self._number(overload.result, f'function "{name}"', where)
        if wanted == 0:
            return self._add(f"{quoted(name)}()")
        return name if population is None else self._each(name, population)

    def stratifier(self, name: str, populations: Sequence[str], basis: str, where: str) -> tuple[str, bool]:
        """The define that gives a stratifier's value, and whether it gives one for each member of the populations."""
        if not self._readable(name) and not (self.made_out and self.lacks(name)):
            self._type_of(name, where)
            return name, False
        if name in self.library.defines:
            kind = self.library.defines[name].expression.type
            if isinstance(kind, ListOf) and (basis == BOOLEAN_BASIS or not is_list_of(kind, basis)):
                allowed = "one value" if basis == BOOLEAN_BASIS else f"one value, or a List<{basis}>"
                self.problems.append(f'{where}: define "{name}" is a {kind}; expected {allowed}')
            return name, False
        if basis != BOOLEAN_BASIS and populations:
            if any(len(one.operands) == 1 for one in self._functions(name)):
                return self._each(name, *populations), True
            self.problems.append(
                f'{where}: the library has no define "{name}", and no function "{name}" of one {basis}'
            )
        else:
            self._type_of(name, where)
        return name, False

    def anything(self, define: str, where: str) -> None:
        """A define of any type (supplemental data)."""
        self._type_of(define, where)

    def gap_defines(self, where: str) -> None:
        """The defines that say a gap, where the library has some: their types must be those of docs/gaps.md."""
        for name, define in self.library.defines.items():
            part = next((known for known in GAP_TYPES if name == known or name.startswith(f"{known} ")), None)
            if part is None:
                continue
            kind, wanted = define.expression.type, GAP_TYPES[part]
            if kind == ANY or not cql_like.is_known(kind):
                continue
            if isinstance(wanted, tuple):
                if not _has_elements(kind, wanted):
                    self.problems.append(
                        f'{where}: define "{name}" is a {kind}; expected a list of tuples with {", ".join(wanted)}'
                    )
            elif kind != wanted:
                self.problems.append(f'{where}: define "{name}" is a {kind}; expected a {wanted}')

    def period(self, where: str) -> None:
        """The measurement period is an interval of date-times, or of dates."""
        for key, library in self.library.program.libraries.items():
            declared = library.parameters.get(PERIOD)
            known = declared is not None and cql_like.is_known(declared.type)
            if declared is not None and known and declared.type not in (IntervalOf(DATETIME), IntervalOf(DATE)):
                self.problems.append(
                    f'{where}: {key}: parameter "{PERIOD}" is a {declared.type}; expected an Interval<DateTime>'
                )

    def value_sets(self, defines: Iterable[str], terminology: cql_like.Terminology, where: str) -> None:
        """Every value set that these defines may look into is held, in its version; nothing asks for all patients."""
        program = self.library.program
        known = [name for name in dict.fromkeys(defines) if name in self.library.defines]
        try:
            # by the reference evaluator: nothing is generated from a library that may not be whole
            factory = self.library.prepare(
                terminology=terminology, now=cql_like.DateTime(2000, 1, 1, 0, 0, 0, 0, 0), engine="reference"
            )
            self.problems.extend(f"{where}: {missing}" for missing in factory.missing_value_sets(known))
        except (cql_like.CqlRuntimeError, cql_like.UnknownValueSet, cql_like.WrongParameter) as error:
            self.problems.append(f"{where}: the default of a parameter can't be evaluated: {error}")
        unfiltered = {
            f"{node.span}: [{node.resource_type}]"
            for node in walk.reachable(program, [(program.main, name) for name in known])
            if isinstance(node, ir.Retrieve) and node.unfiltered
        }
        self.problems.extend(
            f"{where}: {place} in the Unfiltered context asks for the data of all patients, which is not supported"
            for place in sorted(unfiltered)
        )

    def requirement(self, numerator: str, others: Sequence[str]) -> Requirement | None:
        """The data that only the numerator asks for by value set: what would close a gap. None: there is none."""
        if not self.made_out:
            return None
        program = self.library.program

        def retrieves(names: Iterable[str]) -> Iterator[tuple[str, str | None, str]]:
            roots = [(program.main, name) for name in names if name in self.library.defines]
            for node in walk.reachable(program, roots):
                if isinstance(node, ir.Retrieve) and isinstance(node.codes, ir.ValueSetRef):
                    yield node.resource_type, node.code_path, node.codes.url

        asked_before = set(retrieves(others))
        found = next((one for one in retrieves([numerator]) if one not in asked_before), None)
        return None if found is None else Requirement(found[0], found[1], found[2], None)

    # ------------------------------------------------------------------------------------------ parts

    def _add(self, expression: str) -> str:
        name = f"{_DRIVER}{len(self._lines) + 1}"
        self._lines.append(f"define {quoted(name)}: {expression}")
        return name

    def _each(self, function: str, *populations: str) -> str:
        call = f"Tuple {{ member: M, value: {quoted(function)}(M) }}"
        return self._add(f"({' union '.join(map(quoted, populations))}) M return all {call}")

    def _functions(self, name: str) -> list[ir.Function]:
        main = self.library.program.libraries[self.library.program.main]
        return [function for function in main.functions.values() if function.name == name]

    @property
    def name(self) -> str:
        """What the library is called, for messages."""
        return str(self.library.name) if self.made_out else "of the measure"

    def _readable(self, name: str) -> bool:
        """Whether what goes by that name could be made out, its type and operands too."""
        if not self.made_out:
            return False
        define = self.library.defines.get(name)
        if define is not None:
            return cql_like.is_known(define.expression.type)
        found = self._functions(name)
        return bool(found) and all(
            cql_like.is_known(kind) for one in found for kind in (one.result, *(kind for _, kind in one.operands))
        )

    def _type_of(self, define: str, where: str) -> Type | None:
        """The type of a define; None where it is not there, which is a problem, or nothing is known of its type."""
        found = self.library.defines.get(define) if self.made_out else None
        if found is not None:
            kind = found.expression.type
            return kind if kind != ANY and cql_like.is_known(kind) else None
        if self.lacks(define) or (self._checked is not None and not self._checked.errors):
            self.problems.append(f'{where}: library {self.name} has no define "{define}"')
        return None

    def _number(self, kind: Type, what: str, where: str) -> None:
        fhir = isinstance(kind, Named) and kind.model != "System" and kind.name in _FHIR_NUMBERS
        if kind not in _NUMBERS and not fhir:
            self.problems.append(f"{where}: {what} gives a {kind}; an observation is a number or a Quantity")


def quoted(name: str) -> str:
    """A name as a CQL quoted identifier."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def is_list_of(kind: Type, resource_type: str) -> bool:
    """Whether a type is a list of resources of that FHIR type (or of profiles on it)."""
    if not isinstance(kind, ListOf):
        return False
    parts = kind.element.alternatives if isinstance(kind.element, ChoiceOf) else (kind.element,)
    return all(isinstance(part, Named) and _fhir_type(part) == resource_type for part in parts)


@cache
def _models(name: str) -> tuple[Models, ...]:
    fhir = built_in("FHIR", None)
    versions = [built_in(known, version) for known, version in built_in_versions() if known == name]
    return tuple(Models.of(*{model.name: model for model in (fhir, found) if model}.values()) for found in versions)


def _fhir_type(kind: Named) -> str:
    """The FHIR type in which instances of a class are written: QICore's profiles on Condition are Conditions."""
    for models in _models(kind.model):
        if models.info(kind) is not None:
            return models.implementing(kind).name
    return kind.name


def _has_elements(kind: Type, names: Sequence[str]) -> bool:
    return (
        isinstance(kind, ListOf)
        and isinstance(kind.element, TupleOf)
        and set(names) <= {name for name, _ in kind.element.elements}
    )


def defines_used(groups: Iterable[Group]) -> Iterator[str]:
    """Every define that the groups' populations, observations and stratifiers name."""
    for group in groups:
        yield from group.populations.values()
        yield from (one.define for one in group.observations)
        yield from (part.define for one in group.stratifiers for part in one.components)
