"""Our compiled invariants say what the published FHIRPath says: an independent engine is asked as well.

Each invariant is tried on Maya's valid bundle and on every spoiled copy of test_validate_mutations.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from deqm_cases import bundle, resources
from fhirpathpy import compile as compile_fhirpath
from fhirpathpy.engine.nodes import ResourceNode
from fhirpathpy.models import models
from test_validate_mutations import ROWS, Change

from fhir_profiles.constraint_tables import profiles
from fhir_profiles.invariants import CHECKS

# ele-1 (no empty element) is the walk itself, see validate.py.
BY_THE_WALK = {"ele-1"}

# Where the published expression is an error in FHIRPath (fhir_profiles/invariants.py says why), ours decides.
MAY_RAISE = {"deqm-2", "deqm-4", "dom-3"}

# Not in fhirpathpy: a primitive that is there has a value unless it has extensions only, which ours never has.
REWORDED = {"bdl-10": ("timestamp.hasValue()", "timestamp.exists()")}


def keys() -> set[str]:
    return {key for profile in profiles().values() for key in profile.invariants}


def test_every_published_invariant_is_compiled_and_nothing_else() -> None:
    assert keys() == set(CHECKS) | BY_THE_WALK


@cache
def engine(key: str, expression: str) -> Callable[..., list[Any]]:
    if key in REWORDED:
        expression = expression.replace(*REWORDED[key])
    return compile_fhirpath(expression, models["r4"], {"traceFn": lambda *_: None})


def nodes(resource: dict[str, Any], steps: list[str]) -> Iterator[Any]:
    """What stands at a path of element names."""
    if not steps:
        yield resource
        return
    child = resource.get(steps[0])
    for each in child if isinstance(child, list) else [child]:
        if isinstance(each, dict):
            yield from nodes(each, steps[1:])
        elif each is not None and len(steps) == 1:
            yield each


def places(resource: dict[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    """(key, expression, path, node) of each invariant of the resource's profile, where it applies."""
    for profile in profiles().values():
        if profile.type != resource["resourceType"]:
            continue
        for element in profile.by_id.values():
            composition = element.id == "Bundle.entry:gaps-composition-deqm"
            if ":" in element.id and not composition:
                continue
            path = element.id.partition(":")[0]
            # The engine finds `value` (value[x]) by type
            kind = "Extension" if path.lower().endswith("extension") else path
            for node in nodes(resource, path.split(".")[1:]):
                if composition and node.get("resource", {}).get("resourceType") != "Composition":
                    continue
                for key in element.invariants:
                    if key not in BY_THE_WALK:
                        yield key, profile.invariants[key].expression, kind, node


def agreement(resource: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    for key, expression, path, node in places(resource):
        ours = CHECKS[key](node if isinstance(node, dict) else {}, resource)
        try:
            theirs = engine(key, expression)(ResourceNode.create_node(node, path), {"resource": resource}) == [True]
        except Exception:  # noqa: BLE001 - the engine has no narrower class
            if key in MAY_RAISE:
                continue
            theirs = False  # of a wrong type: it does not hold
        assert ours == theirs, f"{key} at {path}: ours says {ours}"
        yield key, ours


@pytest.mark.parametrize("document", [True, False])
def test_all_hold_on_a_valid_bundle(document: bool) -> None:
    whole = bundle(document)
    found = {
        (key, holds)
        for resource in (whole, *(entry["resource"] for entry in whole["entry"]))
        for key, holds in agreement(resource)
    }
    assert found
    assert {key for key, holds in found if not holds} == set()


@pytest.mark.parametrize(("kind", "change"), [row[:2] for row in ROWS])
def test_both_agree_on_a_spoiled_resource(kind: str, change: Change) -> None:
    whole = bundle()
    resource = whole if kind == "Bundle" else resources(whole, kind)[1 if kind == "DetectedIssue" else 0]
    change(resource)
    assert dict(agreement(resource))


SCORING = "http://hl7.org/fhir/us/davinci-deqm/StructureDefinition/extension-measureScoring"


@pytest.mark.parametrize("root", [None, "proportion", "cohort", "composite", ""])
@pytest.mark.parametrize("group", [None, "proportion", "cohort", "composite", ""])
@pytest.mark.parametrize("kept", [(), ("improvementNotation",), ("improvementNotation", "group")])
def test_both_agree_wherever_the_scoring_stands(root: str | None, group: str | None, kept: tuple[str, ...]) -> None:
    def scoring(code: str) -> list[dict[str, Any]]:
        coding = {"code": code} if code else {"display": "?"}
        return [{"url": SCORING, "valueCodeableConcept": {"coding": [coding]}}]

    report = resources(bundle(), "MeasureReport")[0]
    report["extension"] = [] if root is None else scoring(root)
    for each in report["group"]:
        each["extension"] = [] if group is None else scoring(group)
    for name in {"improvementNotation", "group"} - set(kept):
        del report[name]
    assert {key for key, _ in agreement(report)} >= {"deqm-0", "deqm-1", "deqm-2", "deqm-3", "deqm-5"}
