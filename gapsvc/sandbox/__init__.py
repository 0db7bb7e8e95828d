"""A synthetic pediatric population with known truth, and a small EHR FHIR server that serves it.

    population = generate(seed=7, size=500, as_of=date(2026, 11, 22))
    write(population, Path("var/sandbox"))

Every name, number and record is invented.
"""

from gapsvc.sandbox.disorder import Disorder
from gapsvc.sandbox.population import TYPES, Population, generate, write

__all__ = ["TYPES", "Disorder", "Population", "generate", "write"]
