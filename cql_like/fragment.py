"""One expression over data: compiled as if it stood in a library with a model, includes and typed parameters.

For programs that take expressions, not libraries (the `$cql` operation of Using CQL with FHIR). The surrounding
library is made as a syntax tree, never as text, so nothing that is given here can be read as CQL but the expression.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cql_like.analysis import EXPRESSION, analyse
from cql_like.ir import Span
from cql_like.library import Library
from cql_like.syntax import parse_expression, tree
from cql_like.types import ChoiceOf, IntervalOf, ListOf, Named, TupleOf, Type

PLACE = "expression"  # what errors call the library that the expression seems to stand in


@dataclass(frozen=True, slots=True)
class Include:
    """A library that the expression may refer to, by its local name (`alias`)."""

    name: str
    version: str | None
    alias: str


def compile_expression(
    text: str,
    *,
    model: tuple[str, str] | None = None,
    includes: Sequence[Include] = (),
    libraries: Mapping[tuple[str, str | None], str] | None = None,
    parameters: Mapping[str, Type] | None = None,
) -> Library:
    """The expression as the one define, `EXPRESSION`, of a library.

    Args:
        text: a CQL expression.
        model: (name, version) of the data model that it may retrieve from; then the context is Patient.
        includes: libraries that it may refer to.
        libraries: the texts of these and of what they include, by (name, version).
        parameters: names that stand for values given to `Library.session`, with their types.

    Raises:
        CqlErrors: every problem of the expression, with its place, and of the libraries.
    """
    expression = parse_expression(text, PLACE)
    nowhere = Span(PLACE, 1, 1, 1, 1)
    definitions: list[tree.Definition] = []
    statements: list[tree.Statement] = []
    if model is not None:
        name = tree.QualifiedName(parts=(model[0],), span=nowhere)
        definitions.append(tree.UsingDefinition(model=name, version=model[1], called=None, span=nowhere))
        statements.append(tree.ContextDefinition(model=None, name="Patient", span=nowhere))
    for include in includes:
        name = tree.QualifiedName(parts=tuple(include.name.split(".")), span=nowhere)
        definitions.append(tree.IncludeDefinition(name, include.version, include.alias, span=nowhere))
    for parameter, kind in (parameters or {}).items():
        specifier = _specifier(kind, nowhere)
        definitions.append(tree.ParameterDefinition(parameter, specifier, default=None, public=True, span=nowhere))
    statements.append(
        tree.ExpressionDefinition(
            name=EXPRESSION,
            expression=expression,
            context=None if model is None else "Patient",
            public=True,
            span=expression.span,
        )
    )
    library = tree.Library(
        name=None, definitions=tuple(definitions), statements=tuple(statements), span=expression.span
    )
    return Library(analyse(library, libraries or {}, text=text))


def _specifier(kind: Type, span: Span) -> tree.TypeSpecifier:
    """A type as it would be written in a library."""
    match kind:
        case Named():
            return tree.NamedType(parts=(kind.model, kind.name), span=span)
        case ListOf():
            return tree.ListType(element=_specifier(kind.element, span), span=span)
        case IntervalOf():
            return tree.IntervalType(_specifier(kind.point, span), span=span)
        case ChoiceOf():
            alternatives = sorted(kind.alternatives, key=str)
            return tree.ChoiceType(alternatives=tuple(_specifier(each, span) for each in alternatives), span=span)
        case TupleOf():
            elements = tuple(
                tree.TupleTypeElement(name=name, type=_specifier(each, span), span=span) for name, each in kind.elements
            )
            return tree.TupleType(elements=elements, span=span)
        case _:
            raise TypeError(f"{kind} is not the type of a value")
