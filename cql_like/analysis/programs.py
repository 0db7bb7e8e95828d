"""From a parsed library to a program: its includes and models loaded, everything analysed, requirements collected.

CQL §Libraries (using, include). Includes are found by name and version; an include without a version takes the
library of that name, of which there must be one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from cql_like.analysis.context import Services
from cql_like.analysis.conversions import Conversions
from cql_like.analysis.expressions import HANDLERS
from cql_like.analysis.libraries import LibraryUnit
from cql_like.analysis.overloads import Overloads
from cql_like.analysis.problems import Problems, did_you_mean
from cql_like.analysis.requirements import requirements
from cql_like.errors import CqlError, CqlErrors
from cql_like.ir import OperatorRow, Program
from cql_like.model.loader import built_in, built_in_versions
from cql_like.model.modelinfo import Model
from cql_like.model.registry import Models
from cql_like.model.system import SYSTEM
from cql_like.operators import OPERATORS
from cql_like.syntax import parse_library, tree
from cql_like.types import TypeTooLarge

LibraryTexts = Mapping[tuple[str, str | None], str]
EXPRESSION = "Expression"  # the define that `analyse_expression` makes


@cache
def operator_rows() -> Mapping[str, tuple[OperatorRow, ...]]:
    """The operator table by operator name."""
    rows: dict[str, list[OperatorRow]] = {}
    for row in OPERATORS:
        rows.setdefault(row.name, []).append(row)
    return {name: tuple(overloads) for name, overloads in rows.items()}


def analyse(
    library: tree.Library,
    libraries: LibraryTexts | None = None,
    models: Sequence[Model] = (),
    text: str | None = None,
) -> Program:
    """The program of a library with all that it includes.

    Args:
        library: the parsed library.
        libraries: the texts of libraries that may be included, by (name, version).
        models: models besides the built-in ones; they take precedence over a built-in one of the same version.
        text: the text of `library`, for the excerpts in messages.

    Raises:
        CqlErrors: every problem of the library and of those that it includes.
    """
    found = examine(library, libraries, models, text)
    if found.errors or found.program is None:
        raise CqlErrors(found.errors)
    return found.program


@dataclass(frozen=True, slots=True)
class Examined:
    """What an analysis found. Where there are errors, `program` is as much as could be made out (a type that is not
    known is `is_known`'s False), or None where that is nothing."""

    program: Program | None
    errors: Sequence[CqlError]


def examine(
    library: tree.Library,
    libraries: LibraryTexts | None = None,
    models: Sequence[Model] = (),
    text: str | None = None,
) -> Examined:
    """As `analyse`, with what could be made out of a library that has errors."""
    return _Loader(libraries or {}, models).examine(library, text)


def analyse_expression(expression: tree.Expression, text: str | None = None) -> Program:
    """The program of one expression of the System model: a library with the one define `EXPRESSION`.

    Raises:
        CqlErrors: every problem of the expression.
    """
    define = tree.ExpressionDefinition(
        span=expression.span, name=EXPRESSION, expression=expression, context=None, public=True
    )
    library = tree.Library(span=expression.span, name=None, definitions=(), statements=(define,))
    return analyse(library, text=text)


class _Loader:
    """Loads a library, its includes and their models; then has them analysed together."""

    def __init__(self, texts: LibraryTexts, models: Sequence[Model]) -> None:
        self._texts = texts
        self._given = {(model.name, model.version): model for model in models}
        self._problems = Problems()
        self._units: dict[str, LibraryUnit] = {}
        self._models: dict[str, Model] = {}
        self._stack: list[tuple[str, str]] = []

    def examine(self, library: tree.Library, text: str | None) -> Examined:
        if text is not None:
            self._problems.texts[library.span.library] = text
        main = self._load(library, ())
        models = Models.of(*self._models.values())
        rows = operator_rows()
        conversions = Conversions(models, rows)
        services = Services(models, conversions, Overloads(conversions, rows), self._problems, HANDLERS)
        for unit in self._units.values():
            unit.declare(services)
        try:
            analysed = {key: unit.analyse_all() for key, unit in self._units.items()}
        except RecursionError:
            self._problems.report(library.span, "an expression is nested too deeply to be analysed", "smaller defines")
            analysed = {}
        except TypeTooLarge as error:
            self._problems.report(library.span, str(error), "smaller tuples")
            analysed = {}
        errors = tuple(self._problems.errors)
        if not analysed:
            return Examined(None, errors)
        return Examined(Program(main.key, analysed, requirements(main.key, analysed, models)), errors)

    # ------------------------------------------------------------------------------------------- libraries

    def _load(self, library: tree.Library, chain: tuple[str, ...]) -> LibraryUnit:
        """The unit of a library; those it includes are loaded first. `chain`: the libraries that led here."""
        key = _key(library)
        unit = LibraryUnit(key, library, self._problems, {}, {}, self._stack)
        for using in library.usings:
            model = self._model(using)
            if model is not None:
                unit.models[using.called or using.model.name] = model
        for include in library.includes:
            included = self._include(include, (*chain, key))
            if include.alias in unit.includes or include.alias in unit.broken_includes:
                self._problems.report(include.span, f'two libraries are included as "{include.alias}"', "called ...")
            elif included is None:
                unit.broken_includes.add(include.alias)
            else:
                unit.includes[include.alias] = included
        self._units[key] = unit
        return unit

    def _include(self, include: tree.IncludeDefinition, chain: tuple[str, ...]) -> LibraryUnit | None:
        found = self._find(include)
        if found is None:
            return None
        text, hint = found
        try:
            library = parse_library(text, hint)
        except CqlErrors as errors:
            self._problems.errors.extend(errors.errors)
            return None
        key = _key(library)
        if key in chain:
            loop = " -> ".join([*chain[chain.index(key) :], key])
            self._problems.report(include.span, f"libraries include each other: {loop}", "includes without a loop")
            return None
        if key in self._units:
            return self._units[key]
        self._problems.texts.setdefault(library.span.library, text)
        return self._load(library, chain)

    def _find(self, include: tree.IncludeDefinition) -> tuple[str, str] | None:
        """(text, name) of an included library; None, with a problem, if there is none or the choice is open."""
        full = ".".join(include.name.parts)
        for name in (full, include.name.name):
            versions = {version: text for (known, version), text in self._texts.items() if known == name}
            if include.version in versions:
                return versions[include.version], name
            if include.version is None and len(versions) == 1:
                return next(iter(versions.values())), name
            if include.version is not None and None in versions:
                return versions[None], name
            if versions:
                listed = ", ".join(sorted(str(version) for version in versions))
                wanted = "an include with a version" if include.version is None else f"version {include.version}"
                self._problems.report(include.span, f"library {full}: {wanted} is needed", f"one of {listed}")
                return None
        known = sorted({name for name, _ in self._texts})
        hint = did_you_mean(full, known) or ("one of " + ", ".join(known) if known else "no libraries were given")
        wanted = full if include.version is None else f"{full} version {include.version}"
        self._problems.report(include.span, f"library {wanted} is not there", hint)
        return None

    # ---------------------------------------------------------------------------------------------- models

    def _model(self, using: tree.UsingDefinition) -> Model | None:
        name = using.model.name
        if name == SYSTEM.name:
            return SYSTEM
        given = [model for (known, _), model in self._given.items() if known == name]
        model = self._given.get((name, using.version or ""))
        if model is None and using.version is None and given:
            model = given[0]
        if model is None:
            model = built_in(name, using.version)
        if model is None:
            known = [f"{known} {version}" for known, version in [*built_in_versions(), *self._given]]
            wanted = name if using.version is None else f"{name} {using.version}"
            self._problems.report(using.span, f"no model is known as {wanted}", _some(known))
            return None
        other = self._models.get(model.name)
        if other is not None and other.version != model.version:
            self._problems.report(
                using.span,
                f"{model.name} is used in two versions, {other.version} and {model.version}",
                "one version of a model in a library and all that it includes",
            )
            return other
        self._models[model.name] = model
        if model.implements is not None and "FHIR" not in self._models:
            fhir = next((item for (known, _), item in self._given.items() if known == "FHIR"), built_in("FHIR", None))
            if fhir is not None:
                self._models["FHIR"] = fhir
        return model


def _key(library: tree.Library) -> str:
    if library.name is None:
        return library.span.library
    name = ".".join(library.name.name.parts)
    return name if library.name.version is None else f"{name}|{library.name.version}"


def _some(names: Iterable[str]) -> str:
    return "one of " + ", ".join(sorted(set(names)))
