"""Which measures are in use, and for whom: those that the settings name, compiled."""

from collections.abc import Iterable, Mapping

from cql_like import Profile
from gapsvc.config import Settings
from gapsvc.evaluation.catalogue import evaluators
from gapsvc.evaluation.evaluator import Evaluator
from gapsvc.measures.installing import installed
from gapsvc.measures.populations import AboutWhom


def measures_in_use(
    settings: Settings,
    wanted: Iterable[str] = (),
    *,
    population: str | None = None,
    profile: Profile | None = None,
) -> Mapping[str, Evaluator]:
    """The measures by id: those `wanted`, else those of the settings (`evaluation.measures`, else all).

    Args:
        wanted: by id, or `id|version`.
        population: clinic or plan, instead of the settings' (`evaluation.population`).
        profile: adds up the time that each define takes.

    Raises:
        MeasureError: a measure does not exist, or is wrong.
    """
    return evaluators(
        tuple(wanted) or settings["evaluation.measures"],
        installed(settings.measures_folder),
        whom=AboutWhom(population or settings["evaluation.population"], settings["evaluation.enrolment_check"]),
        cache=settings.cache_folder,
        profile=profile,
    )
