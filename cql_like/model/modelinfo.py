"""One data model as values: classes, elements, code paths (CQL §Data Models; the ModelInfo schema of the standard).

A `Model` is what the analysis knows about FHIR, QICore or USCore. It is read from ModelInfo XML or from our compact
JSON (`cql_like.model.loader`); the type relations between models are `cql_like.model.registry`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cql_like.types import ChoiceOf, IntervalOf, ListOf, Named, Type


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a class. `type` is a `ListOf` where it repeats and a `ChoiceOf` where it is a `value[x]`.

    `target` is the ModelInfo mapping to the implementing model (`FHIRHelpers.ToConcept(%value)`), None where there is
    none (FHIR itself).
    """

    name: str
    type: Type
    target: str | None = None


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """One class: its own elements (not the inherited ones), base class and retrieve defaults.

    `target` names the class of the implementing model where it is called otherwise (USCore's profiles).
    """

    name: str
    base: Type | None
    elements: Mapping[str, Element]
    retrievable: bool = False
    code_path: str | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Conversion:
    """A declared implicit conversion from one of the model's types."""

    source: Type
    target: Type


@dataclass(frozen=True, slots=True)
class Model:
    """A data model of one version. `classes` is keyed by the name within the model (`Encounter.Location`).

    `implements` is the URL of the model that its instances are written in, None for a model of its own.
    `patient_class` and `birth_date` (a path) serve `AgeInYears()` and the implicit `Patient` define.
    """

    name: str
    version: str
    url: str
    classes: Mapping[str, ClassInfo]
    conversions: tuple[Conversion, ...] = ()
    contexts: tuple[tuple[str, str], ...] = ()  # (context name, class name)
    patient_class: str | None = None
    birth_date: str | None = None
    implements: str | None = None


def write_type(kind: Type, model: str) -> str:
    """A type in the notation of our JSON: `Coding`, `System.String`, `[T]` list, `<T>` interval, `A|B` choice.

    The model's own classes carry no qualifier.
    """
    if isinstance(kind, Named):
        return kind.name if kind.model == model else f"{kind.model}.{kind.name}"
    if isinstance(kind, ListOf):
        return f"[{write_type(kind.element, model)}]"
    if isinstance(kind, IntervalOf):
        return f"<{write_type(kind.point, model)}>"
    if isinstance(kind, ChoiceOf):
        return "|".join(sorted(write_type(alternative, model) for alternative in kind.alternatives))
    raise TypeError(f"a model element cannot have the type {kind}")


def read_type(text: str, model: str, other_models: frozenset[str] = frozenset({"System"})) -> Type:
    """The inverse of `write_type`.

    A dotted name is another model's only where its first part is in `other_models`: `Encounter.Location` is a class
    of the model itself.
    """
    if text.startswith("[") and text.endswith("]"):
        return ListOf(read_type(text[1:-1], model, other_models))
    if "|" in text:
        return ChoiceOf(frozenset(read_type(part, model, other_models) for part in text.split("|")))
    if text.startswith("<") and text.endswith(">"):
        return IntervalOf(read_type(text[1:-1], model, other_models))
    qualifier, dot, rest = text.partition(".")
    if dot and qualifier in other_models:
        return Named(qualifier, rest)
    return Named(model, text)
