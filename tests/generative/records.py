"""Random patients as FHIR JSON: partial dates, missing elements, codes of several systems, and now and then an element
that is not what FHIR says it is (a text for an object, one value for a list, a number for a code, null)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Option = TypeVar("Option")

DATES = ("2020-02-29", "2020-02-28", "2020-03-01", "2020-02", "2020", "1999-12-31", "not a date")
DATETIMES = ("2020-02-29T12:00:00Z", "2020-02-29T23:59:59.999-08:00", "2020-03-01", "2020-03", "2021")
CODINGS = (
    {"system": "urn:cs:visit", "code": "well"},
    {"system": "urn:cs:visit", "code": "sick", "display": "Sick visit"},
    {"system": "urn:cs:cvx", "code": "20"},
    {"system": "urn:cs:cvx", "code": "03", "version": "2024"},
    {"code": "well"},
    {"system": "urn:cs:visit"},
)
WRONG = (
    "2020",
    7,
    True,
    None,
    {},
    [],
    [None],
    {"coding": None},
    {"coding": 7},
    {"coding": {"code": 7}},
    {"start": 5, "end": {}},
)


@dataclass(frozen=True)
class Record:
    """A Retriever over a few resources."""

    resources: tuple[dict[str, Any], ...]

    def retrieve(
        self, resource_type: str, code_path: str | None = None, codes: frozenset[tuple[str | None, str]] | None = None
    ) -> Sequence[dict[str, Any]]:
        """See cql_like.retrieve.Retriever."""
        found = [resource for resource in self.resources if resource["resourceType"] == resource_type]
        if codes is None or code_path is None:
            return found
        return [resource for resource in found if _codes(resource.get(code_path)) & codes]


def _codes(element: Any) -> set[tuple[str | None, str]]:
    """The codes of a concept or a list of them; what is neither has none."""
    concepts = element if isinstance(element, list) else [element]
    found = [concept.get("coding") for concept in concepts if isinstance(concept, dict)]
    codings = [coding for codings in found if isinstance(codings, list) for coding in codings]
    return {
        (coding.get("system"), coding["code"]) for coding in codings if isinstance(coding, dict) and "code" in coding
    }


def record(choose: Callable[[int], int]) -> Record:
    """A patient with a few encounters and observations, by numbers that `choose` gives."""

    def one(options: Sequence[Option]) -> Option:
        return options[choose(len(options))]

    def element(name: str, make: Callable[[], Any]) -> dict[str, Any]:
        if not choose(12):
            return {name: one(WRONG)}
        return {name: make()} if choose(4) else {}

    def concept() -> dict[str, Any]:
        return {"coding": [one(CODINGS) for _ in range(choose(3))], **element("text", lambda: "words")}

    def period() -> dict[str, Any]:
        return {**element("start", lambda: one(DATETIMES)), **element("end", lambda: one(DATETIMES))}

    def value() -> dict[str, Any]:
        return one(
            (
                {"valueQuantity": {"value": 5.5, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}},
                {"valueString": "abc"},
                {"valueBoolean": True},
                {"valueDateTime": one(DATETIMES)},
                {"valueCodeableConcept": concept()},
                {"valuePeriod": period()},
                {"valueInteger": 7},
                {},
            )
        )

    def encounter(number: int) -> dict[str, Any]:
        return {
            "resourceType": "Encounter",
            "id": f"e{number}",
            **element("status", lambda: one(("finished", "planned", "entered-in-error"))),
            **element("period", period),
            **element("type", lambda: [concept() for _ in range(choose(3))]),
            **element("class", lambda: one(CODINGS)),
        }

    def observation(number: int) -> dict[str, Any]:
        return {
            "resourceType": "Observation",
            "id": f"o{number}",
            **element("status", lambda: one(("final", "preliminary"))),
            **element("code", concept),
            **element("issued", lambda: one(DATETIMES)),
            **value(),
        }

    patient = {
        "resourceType": "Patient",
        "id": "p",
        **element("birthDate", lambda: one(DATES)),
        **element("active", lambda: bool(choose(2))),
    }
    encounters = [encounter(number) for number in range(choose(4))]
    return Record((patient, *encounters, *(observation(number) for number in range(choose(3)))))
