"""The sandbox population: generated from a seed, iterated as FHIR resources, written as NDJSON with its truth.

The plan is made once and kept; FHIR is rendered from it when asked for, family by family, so that a large population
is written in bounded memory. Nothing here reads the clock: the as-of day is a parameter.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from gapsvc.sandbox.disorder import Disorder
from gapsvc.sandbox.disparity import Disparity
from gapsvc.sandbox.plan import ChildPlan, FamilyPlan, Frame
from gapsvc.sandbox.planner import Progress, plan_families
from gapsvc.sandbox.render_care import render_care
from gapsvc.sandbox.render_network import render_groups, render_network
from gapsvc.sandbox.render_people import render_people
from gapsvc.sandbox.stamps import JsonObject, Stamper
from gapsvc.sandbox.truth import truth_of

TYPES = (
    "Organization",
    "Location",
    "Practitioner",
    "PractitionerRole",
    "Patient",
    "RelatedPerson",
    "Coverage",
    "Claim",
    "Encounter",
    "Condition",
    "Procedure",
    "Observation",
    "Immunization",
    "AllergyIntolerance",
    "Group",
)
LARGEST = 500_000  # six digits number a child; a duplicate's MRN takes the numbers from 500,000 on
EARLIEST, LATEST = date(2010, 1, 1), date(2100, 12, 31)


@dataclass(frozen=True, slots=True)
class Population:
    """A planned population. Iterate `resources()` for its FHIR, `truth()` for what is true of each child."""

    frame: Frame
    families: tuple[FamilyPlan, ...]

    @property
    def children(self) -> Iterator[ChildPlan]:
        """Every child (person), in order of number."""
        return (child for family in self.families for child in family.children)

    def resources(self, progress: Progress | None = None) -> Iterator[JsonObject]:
        """Every FHIR resource: the network, family after family, and the plans' panels at last."""
        stamp = Stamper(self.frame.as_of)
        yield from render_network(stamp)
        panels: dict[int, list[str]] = {}
        for at, family in enumerate(self.families):
            yield from render_people(stamp, family)
            yield from render_care(stamp, family)
            panels.setdefault(family.payer, []).extend(child.person for child in family.children)
            if progress and (at % 100 == 99 or at + 1 == len(self.families)):
                progress(family.children[-1].number, self.frame.size)
        yield from render_groups(stamp, panels, self.frame.as_of)

    def truth(self) -> Iterator[JsonObject]:
        """One line per child: see truth.py."""
        return (truth_of(child, self.frame) for child in self.children)


def generate(
    seed: int,
    size: int,
    as_of: date,
    disorder: Disorder | None = None,
    period: tuple[date, date] | None = None,
    progress: Progress | None = None,
    disparity: Disparity | None = None,
) -> Population:
    """A population of `size` children as it is known on the day `as_of`. The same arguments give the same bytes.

    Args:
        seed: any whole number.
        size: how many children (persons); from about 200 on, every kind of disorder is met in every measure rate.
        as_of: the day up to which everything has happened.
        disorder: which kinds of disorder it has; all of them where None.
        period: the measurement period that truth is about, both days inclusive; the year of `as_of` where None.
        progress: called with (children planned so far, size).
        disparity: how often children of each race complete their care, known exactly; see disparity.py.

    Raises:
        ValueError: size, as_of or period is out of bounds; the message says which bounds.
    """
    if not 1 <= size <= LARGEST:
        raise ValueError(f"size must be 1 to {LARGEST:,} children; it is {size:,}")
    if not EARLIEST <= as_of <= LATEST:
        raise ValueError(f"as_of must be a day from {EARLIEST} to {LATEST}; it is {as_of}")
    period = period or (date(as_of.year, 1, 1), date(as_of.year, 12, 31))
    if period[0] > period[1]:
        raise ValueError(f"the period must not end before it starts: {period[0]} to {period[1]}")
    frame = Frame(seed, size, as_of, period, disorder or Disorder.all(), disparity)
    return Population(frame, plan_families(frame, progress))


def write(population: Population, folder: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Write `<Type>.ndjson` per resource type, `truth.ndjson` and `manifest.json`; the manifest is returned.

    Every type has its file, empty or not, so that a folder written before holds nothing stale. The manifest is
    written last: a folder without it is not complete.

    Raises:
        OSError: the folder can't be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    manifest_file = folder / "manifest.json"
    manifest_file.unlink(missing_ok=True)
    counts: Counter[str] = Counter()
    files: dict[str, BinaryIO] = {}
    try:
        for name in TYPES:
            files[name] = (folder / f"{name}.ndjson").open("wb", buffering=1 << 18)
        dumps: Callable[[object], bytes] = _line
        for resource in population.resources(progress):
            kind: str = resource["resourceType"]
            files[kind].write(dumps(resource))
            counts[kind] += 1
    finally:
        for file in files.values():
            file.close()
    with (folder / "truth.ndjson").open("wb", buffering=1 << 18) as file:
        for line in population.truth():
            file.write(_line(line))
    frame = population.frame
    manifest: dict[str, Any] = {
        "seed": frame.seed,
        "size": frame.size,
        "as_of": frame.as_of.isoformat(),
        "period": {"start": frame.period[0].isoformat(), "end": frame.period[1].isoformat()},
        "disorder": asdict(frame.disorder),
        "disparity": frame.disparity.stated() if frame.disparity else None,
        "counts": {name: counts[name] for name in TYPES},
    }
    manifest_file.write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return manifest


def _line(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
