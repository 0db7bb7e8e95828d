"""The retrieve port: how the engine asks an embedding program for clinical data (CQL §Retrieve).

An embedding program gives `Library.session` an object with this one method. Resources are plain FHIR JSON
objects (`dict`s, as orjson reads them); the engine never changes them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

JsonObject = Mapping[str, Any]

# (system URI or None where the coding had none, code)
CodeKey = tuple[str | None, str]


class Retriever(Protocol):
    """One subject's data. The same arguments must give the same resources for as long as a session lives."""

    def retrieve(
        self, resource_type: str, code_path: str | None = None, codes: frozenset[CodeKey] | None = None
    ) -> Sequence[JsonObject]:
        """All resources of `resource_type`, in a stable order.

        With `code_path` (an element such as `code`, `type`, `vaccineCode`) and `codes`, only those where one
        of the element's codings is in `codes`. The subject itself is `retrieve("Patient")`.
        """
        ...
