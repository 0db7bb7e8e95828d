"""The invariants of the DEQM profiles that we produce, as functions keyed by invariant id.

Each says what the published FHIRPath expression says (constraints/*.json holds it); the tests hold the two to
the same answer with an independent FHIRPath engine. FHIRPath's empty result counts as failing, as in HL7's
validator. Compiled rather than interpreted: no FHIRPath engine at run time, and a check costs microseconds.

Where a published expression of DEQM 5.0.0 does not say what its own text says:

* gic-1, gic-2 hang on the Composition's entry, so a collection without Composition is never tested. They call
  `contains()`, a string function, on `meta.profile`: an error in FHIRPath when there are two profiles (ours
  takes any of them), and a Composition without profile fails one of the two.
* deqm-3 holds for a report without scoring and without groups: `all()` of nothing is true.
* deqm-5 asks for a population in every report, composite ones too: scoring stands at the root or on the
  groups, so one of its two `.not()` always holds.
* deqm-6 fails when a proportion has no measureScore, though its text speaks of the value's range only.
* deqm-2, deqm-4 are errors in FHIRPath when the scoring has two codings; ours asks whether any is one of the
  three.
* A bundle or report without type is of no kind: what an invariant asks of one kind must then hold as well
  (`{} implies false` is empty, hence failing).
* dom-3 (FHIR R4) calls `as()` on many items, an error in FHIRPath as soon as something is contained.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from fhir_profiles.navigate import each_of, object_at, strings_at
from fhir_profiles.plain import JsonMapping
from fhir_profiles.terms import (
    COUNT_QUANTITY,
    GAPS_COMPOSITION,
    GROUP_IMPROVEMENT_NOTATION,
    MEASURE_SCORING,
)

Check = Callable[[JsonMapping, JsonMapping], bool]
"""(element, its resource) -> whether the invariant holds. For deqm-0 the element is the resource itself."""

_IMPROVING: Final = ("proportion", "ratio", "continuous-variable")
_HISTORY: Final = "history"


def _extensions(node: JsonMapping, url: str) -> list[JsonMapping]:
    return [each for each in each_of(node, "extension") if each.get("url") == url]


def _scoring(node: JsonMapping) -> list[str]:
    """The measureScoring codes stated on an element."""
    return [
        coding["code"]
        for extension in _extensions(node, MEASURE_SCORING)
        for coding in each_of(extension, "valueCodeableConcept", "coding")
        if "code" in coding
    ]


def _notation_stands(node: JsonMapping, notation: bool) -> bool:
    """deqm-2 and deqm-4: a score that can improve says which way. Unknown scoring (no code) counts as one."""
    if notation or not _extensions(node, MEASURE_SCORING):
        return True
    codes = _scoring(node)
    return bool(codes) and not any(code in _IMPROVING for code in codes)


def _scoring_in_one_place(report: JsonMapping) -> bool:
    groups = each_of(report, "group")
    on_root = bool(_extensions(report, MEASURE_SCORING))
    on_groups = [bool(_extensions(group, MEASURE_SCORING)) for group in groups]
    return (on_root and not any(on_groups)) != (not on_root and all(on_groups))


def _population_unless_composite(report: JsonMapping) -> bool:
    root = "composite" in _scoring(report)
    groups = any("composite" in _scoring(group) for group in each_of(report, "group"))
    return (root and groups) or bool(each_of(report, "group", "population"))


def _score_in_range(group: JsonMapping, report: JsonMapping) -> bool:
    if "proportion" not in _scoring(report) and "proportion" not in _scoring(group):
        return True
    score: Any = object_at(group, "measureScore").get("value")
    return isinstance(score, (int, float)) and 0 <= score <= 1


def _count_or_quantity(population: JsonMapping) -> bool:
    count = "count" in population or "_count" in population  # masked, it is there without a value
    return bool(_extensions(population, COUNT_QUANTITY)) != count


def _day_precision(period: JsonMapping) -> bool:
    return all(len(str(period.get(end, ""))) > 9 for end in ("start", "end"))


def _versioned(report: JsonMapping) -> bool:
    _, bar, version = str(report.get("measure", "")).partition("|")
    return bool(bar and version)


def _composition_profiles(entry: JsonMapping) -> list[str]:
    return strings_at(object_at(entry, "resource", "meta"), "profile")


def _composition_in_document(entry: JsonMapping, bundle: JsonMapping) -> bool:
    declared = _composition_profiles(entry)
    return (bool(declared) and GAPS_COMPOSITION not in declared) or bundle.get("type") == "document"


def _no_composition_in_collection(entry: JsonMapping, bundle: JsonMapping) -> bool:
    return GAPS_COMPOSITION in _composition_profiles(entry) or bundle.get("type") == "collection"


def _every_entry(part: str, *kinds: str) -> Check:
    """bdl-3, bdl-4: `part` stands on every entry of these kinds of bundle, and on none of others."""
    return lambda bundle, _: all(
        "type" in bundle and (part in entry) == (bundle["type"] in kinds) for entry in each_of(bundle, "entry")
    )


def _full_urls_differ(bundle: JsonMapping) -> bool:
    if bundle.get("type") == _HISTORY:
        return True
    seen = [
        (str(entry["fullUrl"]), str(object_at(entry, "resource", "meta").get("versionId")))
        for entry in each_of(bundle, "entry")
        if "fullUrl" in entry
    ]
    return len(seen) == len(set(seen))


def _first_is(kind: str, resource_type: str) -> Check:
    """bdl-11, bdl-12: a bundle of this kind begins with a resource of this type."""

    def check(bundle: JsonMapping, _: JsonMapping) -> bool:
        entries = each_of(bundle, "entry")
        return bundle.get("type", kind) != kind or (
            bool(entries) and object_at(entries[0], "resource").get("resourceType") == resource_type
        )

    return check


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for child in cast(dict[str, Any], node).values():
            yield from _strings(child)
    elif isinstance(node, list):
        for child in cast(list[Any], node):
            yield from _strings(child)


def _contained_is_used(resource: JsonMapping) -> bool:
    contained = each_of(resource, "contained")
    if not contained:
        return True
    said = set(_strings(resource))
    return all(f"#{each.get('id')}" in said or "#" in set(_strings(each)) for each in contained)


def _stratum_is_value_or_components(report: JsonMapping) -> bool:
    return all(
        ("value" in stratum) != bool(stratum.get("component"))
        for stratum in each_of(report, "group", "stratifier", "stratum")
    )


CHECKS: Final[Mapping[str, Check]] = {
    # FHIR R4: every domain resource
    "dom-2": lambda it, _: not each_of(it, "contained", "contained"),
    "dom-3": lambda it, _: _contained_is_used(it),
    "dom-4": lambda it, _: (
        not any("versionId" in meta or "lastUpdated" in meta for meta in each_of(it, "contained", "meta"))
    ),
    "dom-5": lambda it, _: not each_of(it, "contained", "meta", "security"),
    "dom-6": lambda it, _: bool(object_at(it, "text").get("div")),
    # FHIR R4: extensions
    "ext-1": lambda it, _: bool(it.get("extension")) != any(name.startswith("value") for name in it),
    # FHIR R4: Bundle
    "bdl-1": lambda it, _: "total" not in it or it.get("type") in ("searchset", _HISTORY),
    "bdl-2": lambda it, _: not each_of(it, "entry", "search") or it.get("type") == "searchset",
    "bdl-3": _every_entry("request", "batch", "transaction", _HISTORY),
    "bdl-4": _every_entry("response", "batch-response", "transaction-response", _HISTORY),
    "bdl-5": lambda it, _: any(part in it for part in ("resource", "request", "response")),
    "bdl-7": lambda it, _: _full_urls_differ(it),
    "bdl-8": lambda it, _: "/_history/" not in str(it.get("fullUrl", "")),
    "bdl-9": lambda it, _: (
        it.get("type", "document") != "document" or {"system", "value"} <= object_at(it, "identifier").keys()
    ),
    "bdl-10": lambda it, _: it.get("type", "document") != "document" or "timestamp" in it,
    "bdl-11": _first_is("document", "Composition"),
    "bdl-12": _first_is("message", "MessageHeader"),
    # FHIR R4: Composition, MeasureReport, DataRequirement
    "cmp-1": lambda it, _: any(part in it for part in ("text", "entry", "section")),
    "cmp-2": lambda it, _: "emptyReason" not in it or "entry" not in it,
    "mrp-1": lambda it, _: it.get("type", "data-collection") != "data-collection" or "group" not in it,
    "mrp-2": lambda it, _: _stratum_is_value_or_components(it),
    # FHIR R4: List
    "lst-1": lambda it, _: "emptyReason" not in it or "entry" not in it,
    "lst-2": lambda it, _: it.get("mode") == "changes" or not any("deleted" in one for one in each_of(it, "entry")),
    "lst-3": lambda it, _: it.get("mode") == "working" or not any("date" in one for one in each_of(it, "entry")),
    "drq-1": lambda it, _: ("path" in it) != ("searchParam" in it),
    "drq-2": lambda it, _: ("path" in it) != ("searchParam" in it),
    # DEQM 5.0.0
    "gic-1": _composition_in_document,
    "gic-2": _no_composition_in_collection,
    "cgr-1": lambda it, _: any(
        part.get("url") in ("author", "authorOrganization", "authorSoftware") for part in each_of(it, "extension")
    ),
    "deqm-0": lambda _, report: _versioned(report),
    "deqm-1": lambda it, _: _day_precision(it),
    "deqm-2": lambda it, _: _notation_stands(it, "improvementNotation" in it),
    "deqm-3": lambda it, _: _scoring_in_one_place(it),
    "deqm-4": lambda it, _: _notation_stands(it, bool(_extensions(it, GROUP_IMPROVEMENT_NOTATION))),
    "deqm-5": lambda it, _: _population_unless_composite(it),
    "deqm-6": _score_in_range,
    "deqm-7": lambda it, _: ("code" in it) != bool(each_of(it, "stratum", "component")),
    "deqm-8": lambda it, _: _count_or_quantity(it),
    "deqm-9": lambda it, _: _count_or_quantity(it),
}
