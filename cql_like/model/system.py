"""The System model: CQL's own types, with the elements of its classes (CQL §Data Types; System ModelInfo 1.0.0)."""

from cql_like.model.modelinfo import ClassInfo, Element, Model
from cql_like.types import ANY, CODE, DECIMAL, QUANTITY, STRING, VOCABULARY, ListOf, Type


def _class(name: str, base: Type | None = ANY, **elements: Type) -> ClassInfo:
    return ClassInfo(name, base, {element: Element(element, kind) for element, kind in elements.items()})


SYSTEM = Model(
    name="System",
    version="1.0.0",
    url="urn:hl7-org:elm-types:r1",
    classes={
        info.name: info
        for info in (
            _class("Any", None),
            _class("Boolean"),
            _class("Integer"),
            _class("Long"),
            _class("Decimal"),
            _class("String"),
            _class("Date"),
            _class("DateTime"),
            _class("Time"),
            _class("Quantity", value=DECIMAL, unit=STRING),
            _class("Ratio", numerator=QUANTITY, denominator=QUANTITY),
            _class("Code", code=STRING, system=STRING, version=STRING, display=STRING),
            _class("Concept", codes=ListOf(CODE), display=STRING),
            _class("Vocabulary", id=STRING, version=STRING),
            _class("ValueSet", VOCABULARY),
            _class("CodeSystem", VOCABULARY),
        )
    },
)
