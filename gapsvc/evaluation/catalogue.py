"""The measures in use, compiled, and what has to be pulled for them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from cql_like import ExpandedTerminology, Profile
from gapsvc import SOFTWARE, VERSION
from gapsvc.evaluation.evaluator import Engine, Evaluator
from gapsvc.evaluation.sharing import SharedSessions
from gapsvc.measures import MeasureDefinition, MeasureError, catalog
from gapsvc.measures.installing import latest
from gapsvc.measures.populations import AboutWhom, about

# Beside what the measures read: who the person is, who is linked with whom, who is responsible; and what the
# immunization schedule and the visit schedule read.
IDENTITY_TYPES = (
    "Patient",
    "RelatedPerson",
    "Organization",
    "Location",
    "Practitioner",
    "Coverage",
    "Encounter",
    "Immunization",
    "AllergyIntolerance",
    "Condition",
    "Observation",
    "Procedure",
    "Group",
)

_REGISTRY = AboutWhom()

# What payers have and EHRs mostly don't: an EHR that is asked for them answers with an error.
CLAIM_TYPES = ("Claim", "ExplanationOfBenefit")


def evaluators(
    wanted: Iterable[str] = (),
    brought: Iterable[MeasureDefinition] = (),
    *,
    whom: AboutWhom = _REGISTRY,
    engine: Engine = "compiled",
    cache: Path | None = None,
    profile: Profile | None = None,
) -> Mapping[str, Evaluator]:
    """The measures of the catalogue, and those that users brought, compiled, by id.

    Args:
        wanted: only these, if any are named: by id, or `id|version` for another version than the highest.
        brought: measures besides the catalogue's (gapsvc.measures.installing.installed).
        whom: whom our own measures are about.
        engine, cache, profile: see Evaluator.

    Raises:
        MeasureError: one of those wanted does not exist, or one is wanted in two versions.
    """
    given = tuple(brought)
    ours = {name: about(measure, whom) for name, measure in catalog().items()}
    measures = {**ours, **latest(given)}
    named = {**measures, **{f"{one.id}|{one.version}": one for one in (*ours.values(), *given)}}
    names = tuple(dict.fromkeys(wanted)) or tuple(measures)
    problems = [f"there is no measure {name!r}; there are {', '.join(measures)}" for name in names if name not in named]
    found = [named[name] for name in names if name in named]
    chosen = {measure.id: measure for measure in found}
    problems += [
        f"measure {one.id!r} is asked for in two versions; name one" for one in found if chosen[one.id] is not one
    ]
    if problems:
        raise MeasureError(problems)
    software = f"{SOFTWARE} {VERSION}"
    own = [measure for measure in chosen.values() if not measure.resources]
    # Our own measures have their common libraries and value sets from one place; what users bring keeps to itself.
    shared = SharedSessions(ExpandedTerminology.of(own[0].value_sets), engine, profile) if len(own) > 1 else None
    return {
        name: Evaluator(
            measure,
            software=software,
            engine=engine,
            cache=cache,
            profile=profile,
            shared=None if measure.resources else shared,
        )
        for name, measure in chosen.items()
    }


def types_read(chosen: Iterable[Evaluator]) -> frozenset[str]:
    """The resource types that these measures retrieve."""
    return frozenset(
        requirement.resource_type for evaluator in chosen for requirement in evaluator.library.requirements
    ) | {"Patient"}


def types_to_pull(chosen: Iterable[Evaluator], *, claims: bool = False) -> tuple[str, ...]:
    """The resource types to pull for these measures, Patient first; those of `CLAIM_TYPES` only if `claims`."""
    wanted = dict.fromkeys((*IDENTITY_TYPES, *sorted(types_read(chosen))))
    return tuple(name for name in wanted if claims or name not in CLAIM_TYPES)
