"""The models that one program uses, together: class look-up, inheritance, subtyping, elements, implicit conversions.

CQL §Data Types (type inheritance), §Choice Types, §Conversion Precedence. A `Models` is frozen: the System model and
one version of each model that the library and its includes name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cql_like.ir import JsonChoice, OperatorRow
from cql_like.model.fhir_conversions import conversion_for, primitive_conversion
from cql_like.model.modelinfo import ClassInfo, Element, Model
from cql_like.model.system import SYSTEM
from cql_like.types import ANY, ChoiceOf, IntervalOf, ListOf, Named, TupleOf, Type

# Profiles on a datatype that FHIR writes with the key of the datatype itself (FHIR R4 §2.24.0.1.1).
_JSON_TYPE_NAMES: Mapping[str, str] = {"SimpleQuantity": "Quantity", "MoneyQuantity": "Quantity"}


@dataclass(frozen=True)
class Models:
    """System and the models in use, by name."""

    models: Mapping[str, Model]
    _conversions: dict[Named, tuple[OperatorRow, ...]] = field(
        default_factory=dict[Named, tuple[OperatorRow, ...]], compare=False, repr=False
    )
    _subtypes: dict[tuple[Type, Type], bool] = field(
        default_factory=dict[tuple[Type, Type], bool], compare=False, repr=False
    )

    @staticmethod
    def of(*models: Model) -> "Models":
        """System and these models."""
        return Models({SYSTEM.name: SYSTEM} | {model.name: model for model in models})

    # ------------------------------------------------------------------------------------------------ classes

    def info(self, kind: Type) -> ClassInfo | None:
        """What is known of a class; None if it is no class of these models."""
        if not isinstance(kind, Named):
            return None
        model = self.models.get(kind.model)
        return None if model is None else model.classes.get(kind.name)

    def implementing(self, kind: Named) -> Named:
        """The class whose JSON an instance is written in: QICore.Encounter -> FHIR.Encounter; FHIR's are their own.

        A class that FHIR lacks (a profile on Extension) is written as its nearest base that FHIR has.
        """
        model = self.models.get(kind.model)
        fhir = self.models.get("FHIR")
        if model is None or model.implements is None or fhir is None:
            return kind
        for base in self.bases(kind):
            info = self.info(base)
            if info is not None:
                name = info.target or info.name
                if name in fhir.classes:
                    return Named(fhir.name, name)
        return kind

    def tested_as(self, kind: Type) -> Type:
        """The type to ask a value for, to learn whether it is of a class: a resource says of itself only what FHIR
        calls it, so a profile (QICore.ConditionEncounterDiagnosis) is asked for as its resource (FHIR.Condition)."""
        if isinstance(kind, ListOf):
            return ListOf(self.tested_as(kind.element))
        if isinstance(kind, ChoiceOf):
            return choice_of({self.tested_as(alternative) for alternative in kind.alternatives})
        if isinstance(kind, Named) and kind.model not in ("System", "FHIR"):
            written = self.implementing(kind)
            if self.is_resource(written):
                return written
        return kind

    def written_as(self, kind: Type) -> Type:
        """The type of the values of a class that is only a name for another type: QICore.EncounterStatus -> String."""
        if isinstance(kind, ListOf):
            return ListOf(self.written_as(kind.element))
        if isinstance(kind, ChoiceOf):
            return choice_of({self.written_as(alternative) for alternative in kind.alternatives})
        if isinstance(kind, Named) and kind.model != "System" and self.primitive(kind) is None:
            for base in self.bases(kind):
                if not isinstance(base, Named) or (base.model == "System" and base != ANY):
                    return self.written_as(base)
        return kind

    def bases(self, kind: Named) -> Iterator[Type]:
        """The class itself and its bases, nearest first."""
        current: Type | None = kind
        while current is not None:
            yield current
            info = self.info(current)
            current = None if info is None else info.base

    def element(self, kind: Named, name: str) -> Element | None:
        """An element of the class or of a base; None if there is none of that name."""
        for base in self.bases(kind):
            info = self.info(base)
            if info is not None and name in info.elements:
                return info.elements[name]
        return None

    def element_names(self, kind: Named) -> list[str]:
        """All element names of the class and its bases, for suggestions."""
        names: list[str] = []
        for base in self.bases(kind):
            info = self.info(base)
            if info is not None:
                names.extend(info.elements)
        return names

    def primitive(self, kind: Type) -> Named | None:
        """The System type of `.value`, if the class is a FHIR primitive (a JSON scalar): FHIR.date -> System.Date.

        Such a class is an Element, as all of FHIR's are; another model's class with a `value` is an object.
        """
        if not isinstance(kind, Named) or kind.model == "System":
            return None
        if not any(isinstance(base, Named) and base.name == "Element" for base in self.bases(kind)):
            return None
        value = self.element(kind, "value")
        # A profile whose `value[x]` is one System type (a percentile) says by its mapping that it is no scalar.
        if value is None or value.target is not None or not isinstance(value.type, Named):
            return None
        return value.type if value.type.model == "System" else None

    def is_resource(self, kind: Type) -> bool:
        """Is the class a FHIR resource (or a base of them)? Its JSON then says its own type."""
        return isinstance(kind, Named) and any(
            isinstance(base, Named) and base.name == "Resource" for base in self.bases(kind)
        )

    def json_choices(self, element: Element) -> tuple[JsonChoice, ...]:
        """The JSON keys of an element: one, or one for each alternative of a `value[x]`."""
        if not isinstance(element.type, ChoiceOf):
            return (JsonChoice(element.name, element.type),)
        return tuple(
            JsonChoice(element.name + _capital(alternative), alternative)
            for alternative in sorted(element.type.alternatives, key=str)
        )

    # ------------------------------------------------------------------------------------------- relations

    def is_subtype(self, kind: Type, of: Type) -> bool:
        """Is every value of `kind` a value of `of` (reflexive)? Lists, intervals and tuples are covariant."""
        if kind == of or of == ANY:
            return True
        key = (kind, of)
        known = self._subtypes.get(key)
        if known is None:
            known = self._subtypes[key] = self._is_subtype(kind, of)
        return known

    def _is_subtype(self, kind: Type, of: Type) -> bool:
        if isinstance(kind, Named) and isinstance(of, Named):
            return of in self.bases(kind)
        if isinstance(kind, ListOf) and isinstance(of, ListOf):
            return self.is_subtype(kind.element, of.element)
        if isinstance(kind, IntervalOf) and isinstance(of, IntervalOf):
            return self.is_subtype(kind.point, of.point)
        if isinstance(kind, ChoiceOf) and isinstance(of, ChoiceOf):
            return kind.alternatives <= of.alternatives
        if isinstance(kind, TupleOf) and isinstance(of, TupleOf):
            return [name for name, _ in kind.elements] == [name for name, _ in of.elements] and all(
                self.is_subtype(mine, theirs) for (_, mine), (_, theirs) in zip(kind.elements, of.elements, strict=True)
            )
        if isinstance(kind, Named):  # QICore has a few classes that are a choice
            info = self.info(kind)
            return info is not None and info.base is not None and self.is_subtype(info.base, of)
        return False

    def conversions(self, kind: Type) -> tuple[OperatorRow, ...]:
        """The implicit conversions that a model gives a class to System types: its own or its nearest base's."""
        if not isinstance(kind, Named) or kind.model == "System":
            return ()
        found = self._conversions.get(kind)
        if found is None:
            found = self._conversions[kind] = self._find_conversions(kind)
        return found

    def _find_conversions(self, kind: Named) -> tuple[OperatorRow, ...]:
        primitive = self.primitive(kind)
        if primitive is not None:
            row = primitive_conversion(kind, primitive)
            return () if row is None else (row,)
        for base in self.bases(kind):
            if isinstance(base, Named):
                row = conversion_for(self.implementing(base), kind)
                if row is not None:
                    return (row,)
        return ()

    # ------------------------------------------------------------------------------------------- names

    def resolve(self, model: str | None, name: str, default: str | None) -> Named | None:
        """The class that a type name in a library means: qualified, else of the default model, else System's."""
        for candidate in (model,) if model is not None else (default, "System", *self.models):
            if candidate is None or candidate not in self.models:
                continue
            if name in self.models[candidate].classes:
                return Named(candidate, name)
        return None


def choice_of(types: "set[Type] | frozenset[Type]") -> Type:
    """The choice of these types, flattened; the type itself if there is one."""
    flat: set[Type] = set()
    for kind in types:
        flat |= kind.alternatives if isinstance(kind, ChoiceOf) else {kind}
    return next(iter(flat)) if len(flat) == 1 else ChoiceOf(frozenset(flat))


def _capital(kind: Type) -> str:
    name = kind.name if isinstance(kind, Named) else str(kind)
    name = _JSON_TYPE_NAMES.get(name, name)
    return name[:1].upper() + name[1:]
