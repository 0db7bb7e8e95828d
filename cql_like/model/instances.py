"""Taking a FHIR object apart by its class: its elements with their types (FHIR R4 §JSON representation)."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from cql_like.model.loader import built_in
from cql_like.model.registry import Models
from cql_like.types import ANY, Named, Type

FHIR_R4 = ("FHIR", "4.0.1")


@cache
def _r4() -> Models:
    model = built_in(*FHIR_R4)
    assert model is not None, "FHIR 4.0.1 is built in"  # noqa: S101 - a broken installation
    return Models.of(model)


def elements_of(kind: Named, value: Mapping[str, Any]) -> Iterator[tuple[str, Type, Any]]:
    """(name, type, JSON value) of each element that the object of a FHIR R4 class has, in the order of its JSON; a
    choice (`value[x]`) goes by its plain name and the type that it has here."""
    models = _r4()
    kind = Named("FHIR", kind.name)
    by_key = {
        choice.key: (name, choice.type)
        for name in models.element_names(kind)
        if (element := models.element(kind, name)) is not None
        for choice in models.json_choices(element)
    }
    for key, item in value.items():
        if not key.startswith("_"):
            name, found = by_key.get(key, (key, ANY))
            yield name, found, item
