"""A person's record: frozen, indexed, and the `Retriever` that the CQL engine reads (cql_like.retrieve)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

JsonObject = Mapping[str, Any]
CodeKey = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """A data-quality remark on one resource: `code` is ours, `text` says what and why without patient data."""

    reference: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """All that is known of one person, from every linked source.

    `patient` is the Patient resource that stands for the person. `resources` maps a resource type to its
    resources in a stable order; it holds `Patient` too. `sources` may leave out what came from nowhere in particular.
    The code index is built on first use of a path.
    """

    person_id: str
    patient: JsonObject
    resources: Mapping[str, tuple[JsonObject, ...]]
    findings: tuple[Finding, ...] = ()
    data_as_of: Mapping[str, str] = field(default_factory=dict[str, str])
    # reference ("Immunization/7") -> name of the source that reported it
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    _index: dict[tuple[str, str], dict[CodeKey, tuple[int, ...]]] = field(
        default_factory=dict[tuple[str, str], dict[CodeKey, tuple[int, ...]]], init=False, repr=False, compare=False
    )

    @staticmethod
    def of(
        resources: Iterable[JsonObject],
        *,
        findings: tuple[Finding, ...] = (),
        data_as_of: Mapping[str, str] | None = None,
        sources: Mapping[str, str] | None = None,
    ) -> "PatientRecord":
        """A record from loose resources of one person; the first Patient stands for the person.

        Raises:
            ValueError: there is no Patient among them.
        """
        by_type: dict[str, list[JsonObject]] = {}
        for resource in resources:
            by_type.setdefault(resource["resourceType"], []).append(resource)
        patients = by_type.get("Patient")
        if not patients:
            raise ValueError("a patient record needs a Patient resource")
        return PatientRecord(
            person_id=patients[0]["id"],
            patient=patients[0],
            resources={name: tuple(found) for name, found in by_type.items()},
            findings=findings,
            data_as_of=data_as_of or {},
            sources=sources or {},
        )

    def source_of(self, reference: str) -> str | None:
        """The name of the source that reported a resource of this record (`Immunization/7`); None: not known."""
        return self.sources.get(reference)

    def forget_index(self) -> None:
        """Drop the code indexes; they are built again when they are asked for (benchmarks start from here)."""
        self._index.clear()

    def retrieve(
        self, resource_type: str, code_path: str | None = None, codes: frozenset[CodeKey] | None = None
    ) -> Sequence[JsonObject]:
        """See cql_like.retrieve.Retriever."""
        if resource_type == "Patient" and codes is None:
            return (self.patient,)
        found = self.resources.get(resource_type, ())
        if codes is None or code_path is None or not found:
            return found
        index = self._index.get((resource_type, code_path))
        if index is None:
            index = self._index[(resource_type, code_path)] = _by_code(found, code_path)
        # Iterates over the smaller of the two, in C.
        keys = codes.intersection(index) if len(index) <= len(codes) else index.keys() & codes
        if not keys:
            return ()
        if len(keys) == 1:
            return [found[at] for at in index[next(iter(keys))]]
        return [found[at] for at in sorted({at for key in keys for at in index[key]})]


def _by_code(resources: Sequence[JsonObject], code_path: str) -> dict[CodeKey, tuple[int, ...]]:
    """The places of the resources by each of their codings, in order, each place once.

    Nothing in it is mutable, so Python's cycle collector soon passes it by.
    """
    index: dict[CodeKey, tuple[int, ...]] = {}
    for at, resource in enumerate(resources):
        for key in codings(resource.get(code_path)):
            places = index.get(key)
            if places is None:
                index[key] = (at,)
            elif places[-1] != at:
                index[key] = (*places, at)
    return index


def codings(element: Any) -> list[CodeKey]:
    """(system, code) of each coding in a CodeableConcept, a Coding, a code, or a list of them."""
    found: list[CodeKey] = []
    pending: list[Any] = [element]
    for item in pending:  # grows by what each item holds
        if item.__class__ is dict:
            inner = item.get("coding")
            if inner is not None:
                pending.append(inner)
            elif "code" in item:
                found.append((item.get("system"), item["code"]))
        elif item.__class__ is list:
            pending += item
        elif item.__class__ is str:
            found.append((None, item))
    return found
