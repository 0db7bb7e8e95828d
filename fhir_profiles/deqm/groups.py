"""MeasureReport.group, for one person or many: populations, score, strata; and supplemental data.

Shared by the individual and the summary report, whose groups have the same profile (DEQM 5.0.0). A population's name
is its measure-population code; where a code stands twice, what follows a dot tells them apart
(`measure-observation.numerator`). A count of None is masked: it and its score carry FHIR's data-absent-reason in place
of a value. In a subject list each count names the List of those whom it counts (`Listing`).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar

from fhir_profiles.inputs import LabelLike, ObservationsLike, ReportedGroupLike, StratifierLike, StratumLike
from fhir_profiles.plain import Resource, clean, concept, extension
from fhir_profiles.terms import (
    CRITERIA_REFERENCE,
    DATA_ABSENT_REASON,
    GROUP_IMPROVEMENT_NOTATION,
    IMPROVEMENT_NOTATION_DISPLAY,
    IMPROVEMENT_NOTATION_SYSTEM,
    MEASURE_POPULATION_SYSTEM,
    MEASURE_SCORING,
    MEASURE_SCORING_SYSTEM,
    POPULATION_DESCRIPTION,
    POPULATION_DISPLAY,
    SCORING_DISPLAY,
    SUPPLEMENTAL_DATA,
)

IMPROVING_SCORES: Final = ("proportion", "ratio", "continuous-variable")
UCUM: Final = "http://unitsofmeasure.org"
MASKED: Final[Resource] = {"extension": [extension(DATA_ABSENT_REASON, valueCode="masked")]}


# A count, which may be masked where reports of many are made.
Count = TypeVar("Count", int, int | None)


class Listing(Protocol):
    """Names the List of those in a population of a group, or of one of its strata."""

    def reference(
        self, group: str, population: str, stratifier: StratifierLike | None = None, stratum: StratumLike | None = None
    ) -> str:
        """The reference of that List."""
        ...


def groups_differ(groups: Sequence[ReportedGroupLike]) -> bool:
    """Whether a group has a scoring of its own: then each group says its scoring, and the root none (deqm-3)."""
    return any(group.scoring for group in groups)


def scoring_extension(scoring: str) -> Resource:
    """DEQM's measureScoring extension."""
    return extension(
        MEASURE_SCORING,
        valueCodeableConcept=concept(MEASURE_SCORING_SYSTEM, scoring, SCORING_DISPLAY.get(scoring)),
    )


def improvement_notation(notation: str) -> Resource:
    """MeasureReport.improvementNotation."""
    return concept(IMPROVEMENT_NOTATION_SYSTEM, notation, IMPROVEMENT_NOTATION_DISPLAY.get(notation))


def report_group(
    group: ReportedGroupLike,
    *,
    scoring: str,
    notation: str,
    score: float | None,
    own_scoring: bool,
    listing: Listing | None = None,
    said: Mapping[str, str] | None = None,
) -> Resource:
    """One group. `score` is what to say where the group has none of its own (None: nothing); `own_scoring`: each group
    says its scoring; `said` maps a population to what is to be known of it."""
    extensions = [extension(POPULATION_DESCRIPTION, valueMarkdown=clean(group.description))]
    if own_scoring:
        extensions.append(scoring_extension(scoring))
    if (own_scoring or group.improvement_notation) and scoring in IMPROVING_SCORES:
        improving = group.improvement_notation or notation
        extensions.append(extension(GROUP_IMPROVEMENT_NOTATION, valueCodeableConcept=improvement_notation(improving)))
    populations: list[Resource] = []
    for name, count in in_order(group.populations):
        population: Resource = {"id": f"{group.id}-{name}"}
        if said and name in said:
            population["extension"] = [extension(POPULATION_DESCRIPTION, valueMarkdown=clean(said[name]))]
        population |= {"code": _code(name), **_count(count)}
        if listing is not None:
            population["subjectResults"] = {"reference": listing.reference(group.id, name)}
        populations.append(population)
    found: Resource = {"id": group.id, "extension": extensions, "population": populations}
    value = _score(scoring, group.score, group.observations)
    if value is None and score is not None:
        value = {"value": score}
    if value is not None:
        found["measureScore"] = value
    stratifiers = [_stratifier(one, scoring, group.id, listing) for one in group.stratifiers if one.strata]
    if stratifiers:
        found["stratifier"] = stratifiers
    return found


def _count(count: int | None) -> dict[str, Any]:
    return {"_count": MASKED} if count is None else {"count": count}


def in_order(populations: Mapping[str, Count]) -> list[tuple[str, Count]]:
    """Populations in the standard's order (of one code by name); codes of a measure's own stay, after them."""
    known = list(POPULATION_DISPLAY)

    def place(name: str) -> tuple[int, str]:
        code = name.partition(".")[0]
        # Whatever order a mapping came in (a stored one has another): reports of equal results are equal.
        return (known.index(code), name) if code in POPULATION_DISPLAY else (len(known), "")

    return sorted(populations.items(), key=lambda item: place(item[0]))


def _code(name: str) -> Resource:
    code = name.partition(".")[0]
    return concept(MEASURE_POPULATION_SYSTEM, code, POPULATION_DISPLAY.get(code))


def _score(scoring: str, score: Decimal | None, observations: Sequence[ObservationsLike]) -> Resource | None:
    if score is None:
        return None
    found: Resource = {"value": float(score)}
    # A continuous variable is in its observations' unit, unless it only counts them; a quotient has none.
    unit = observations[0].unit if scoring == "continuous-variable" and observations else None
    if unit is not None and observations[0].aggregate != "count":
        found |= {"unit": unit, "system": UCUM, "code": unit}
    return found


def _stratifier(stratifier: StratifierLike, scoring: str, group: str, listing: Listing | None) -> Resource:
    found: Resource = {"id": clean(stratifier.id)}
    if not stratifier.has_components:  # deqm-7: a code, or components
        found["code"] = [labelled(stratifier.codes[0])]
    found["stratum"] = [_stratum(one, stratifier, scoring, group, listing) for one in stratifier.strata]
    return found


def _stratum(
    stratum: StratumLike, stratifier: StratifierLike, scoring: str, group: str, listing: Listing | None
) -> Resource:
    found: Resource = {}
    if stratifier.has_components:
        found["component"] = [
            {"code": labelled(code), "value": labelled(value)}
            for code, value in zip(stratifier.codes, stratum.values, strict=True)
        ]
    else:
        found["value"] = labelled(stratum.values[0])
    populations: list[Resource] = []
    for name, count in in_order(stratum.populations):
        population: Resource = {"code": _code(name), **_count(count)}
        if listing is not None:
            population["subjectResults"] = {"reference": listing.reference(group, name, stratifier, stratum)}
        populations.append(population)
    found["population"] = populations
    score = _score(scoring, stratum.score, stratum.observations)
    if score is None and None in stratum.populations.values():
        score = {"_value": MASKED}
    if score is not None:
        found["measureScore"] = score
    return found


def labelled(label: LabelLike) -> Resource:
    """A label as a CodeableConcept."""
    coding = label.coding
    if coding is None:
        return {"text": clean(label.text)}
    return concept(coding.system, coding.code, coding.display, text=label.text)


def supplemental_extension(reference: str, criterion: str, text: str) -> Resource:
    """MeasureReport's supplementalData extension: what was found, and which of the measure's criteria found it."""
    return extension(
        SUPPLEMENTAL_DATA,
        valueReference={
            "extension": [
                extension(CRITERIA_REFERENCE, valueString=clean(criterion)),
                extension(POPULATION_DESCRIPTION, valueMarkdown=clean(text)),
            ],
            "reference": reference,
        },
    )
