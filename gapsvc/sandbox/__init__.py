"""A synthetic pediatric population with known truth, and a small EHR FHIR server that serves it.

    population = generate(seed=7, size=500, as_of=date(2026, 11, 22))
    write(population, Path("var/sandbox"))
    with serve(population, token="secret") as ehr: ...  # ehr.url

Every name, number and record is invented.
"""

from gapsvc.sandbox.disorder import Disorder
from gapsvc.sandbox.disparity import Disparity
from gapsvc.sandbox.misbehaviour import Misbehaviour
from gapsvc.sandbox.population import EARLIEST, LARGEST, LATEST, TYPES, Population, generate, write
from gapsvc.sandbox.server import SandboxServer, serve

__all__ = [
    "EARLIEST",
    "LARGEST",
    "LATEST",
    "TYPES",
    "Disorder",
    "Disparity",
    "Misbehaviour",
    "Population",
    "SandboxServer",
    "generate",
    "serve",
    "write",
]
