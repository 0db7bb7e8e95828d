"""The measures in use, compiled, and what has to be pulled for them."""

from collections.abc import Iterable, Mapping

from gapsvc import SOFTWARE, VERSION
from gapsvc.evaluation.evaluator import Evaluator
from gapsvc.measures import MeasureError, catalog

# Beside what the measures read: who the person is, who is linked with whom, and who is responsible.
IDENTITY_TYPES = (
    "Patient",
    "RelatedPerson",
    "Organization",
    "Location",
    "Practitioner",
    "Coverage",
    "Encounter",
    "Immunization",
    "Group",
)


def evaluators(wanted: Iterable[str] = ()) -> Mapping[str, Evaluator]:
    """The measures of the catalogue, compiled, by id; only those that are `wanted`, if any are named.

    Raises:
        MeasureError: one of those wanted does not exist.
    """
    measures = catalog()
    names = tuple(dict.fromkeys(wanted)) or tuple(measures)
    unknown = [name for name in names if name not in measures]
    if unknown:
        raise MeasureError([f"there is no measure {name!r}; there are {', '.join(measures)}" for name in unknown])
    software = f"{SOFTWARE} {VERSION}"
    return {name: Evaluator(measures[name], software=software) for name in names}


def types_read(chosen: Iterable[Evaluator]) -> frozenset[str]:
    """The resource types that these measures retrieve."""
    return frozenset(
        requirement.resource_type for evaluator in chosen for requirement in evaluator.library.requirements
    ) | {"Patient"}


def types_to_pull(chosen: Iterable[Evaluator]) -> tuple[str, ...]:
    """The resource types to pull for these measures, Patient first."""
    return tuple(dict.fromkeys((*IDENTITY_TYPES, *sorted(types_read(chosen)))))
