"""The types of CQL (CQL Author's Guide §Data Types; ELM §Type specifiers).

A type is a small frozen value: equal types compare equal, print as CQL writes them, and can be dictionary keys.
Class types are named with their model (`System.Integer`, `FHIR.Period`); what a class contains is the model's
knowledge (`cql_like.model`), not the type's.
"""

from dataclasses import dataclass, field

_LARGEST_TUPLE = 20_000  # tuples of tuples of the same tuple, thirty times over, have more than memory


class TypeTooLarge(ValueError):
    """A type with more parts than any program needs."""


@dataclass(frozen=True, slots=True)
class Named:
    """A class or simple type of a model: `System.Integer`, `FHIR.Encounter`."""

    model: str
    name: str

    def __str__(self) -> str:
        return f"{self.model}.{self.name}"


@dataclass(frozen=True, slots=True)
class ListOf:
    """`List<element>`."""

    element: "Type"

    def __str__(self) -> str:
        return f"List<{self.element}>"


@dataclass(frozen=True, slots=True)
class IntervalOf:
    """`Interval<point>`."""

    point: "Type"

    def __str__(self) -> str:
        return f"Interval<{self.point}>"


@dataclass(frozen=True, slots=True)
class ChoiceOf:
    """`Choice<...>`: a value of any one of two or more alternatives, none of which is itself a choice."""

    alternatives: frozenset["Type"]

    def __post_init__(self) -> None:
        if any(isinstance(alternative, ChoiceOf) for alternative in self.alternatives):
            raise ValueError(f"a choice within a choice must be flattened: {self}")

    def __str__(self) -> str:
        return "Choice<" + ", ".join(sorted(map(str, self.alternatives))) + ">"


@dataclass(frozen=True, slots=True)
class TupleOf:
    """`Tuple{name type, ...}`; the order of elements carries no meaning, so they are kept sorted by name."""

    elements: tuple[tuple[str, "Type"], ...]
    size: int = field(default=0, init=False, compare=False, repr=False)  # of its elements, all the way down

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", 1 + sum(_size(element) for _, element in self.elements))
        if self.size > _LARGEST_TUPLE:
            raise TypeTooLarge(f"a tuple type has more than {_LARGEST_TUPLE} elements, all the way down")
        names = [name for name, _ in self.elements]
        if names != sorted(set(names)):
            raise ValueError(f"tuple elements must be distinct and sorted by name: {names}")

    def __str__(self) -> str:
        return "Tuple{" + ", ".join(f"{name} {element}" for name, element in self.elements) + "}"


@dataclass(frozen=True, slots=True)
class Variable:
    """A type variable in an operator's signature (`T` in `First(List<T>) -> T`); never the type of a value."""

    name: str

    def __str__(self) -> str:
        return self.name


def _size(kind: "Type") -> int:
    match kind:
        case TupleOf():
            return kind.size
        case ListOf():
            return _size(kind.element)
        case IntervalOf():
            return _size(kind.point)
        case ChoiceOf():
            return sum(map(_size, kind.alternatives))
        case _:
            return 1


Type = Named | ListOf | IntervalOf | ChoiceOf | TupleOf | Variable


def system(name: str) -> Named:
    """The System type of that name."""
    return Named("System", name)


ANY = system("Any")
BOOLEAN = system("Boolean")
INTEGER = system("Integer")
LONG = system("Long")
DECIMAL = system("Decimal")
STRING = system("String")
DATE = system("Date")
DATETIME = system("DateTime")
TIME = system("Time")
QUANTITY = system("Quantity")
RATIO = system("Ratio")
CODE = system("Code")
CONCEPT = system("Concept")
VOCABULARY = system("Vocabulary")
VALUESET = system("ValueSet")
CODESYSTEM = system("CodeSystem")

T = Variable("T")
